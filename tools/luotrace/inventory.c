// SPDX-License-Identifier: GPL-2.0

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inventory.h"
#include "luo_file.skel.h"
#include "luo_session.skel.h"
#include "msg.h"
#include "stock_walk.skel.h"

/* What a program wrote, grown as it comes. */
struct bytes {
	char *data;
	size_t used;
	size_t room;
};

static int grow(struct bytes *b)
{
	size_t room = b->room ? 2 * b->room : 1 << 16;
	char *data = realloc(b->data, room);

	if (!data)
		return -ENOMEM;
	b->data = data;
	b->room = room;
	return 0;
}

static int read_all(int fd, struct bytes *b)
{
	ssize_t n;

	for (;;) {
		if (b->used == b->room && grow(b))
			return -ENOMEM;
		n = read(fd, b->data + b->used, b->room - b->used);
		if (!n)
			return 0;
		/* The kernel asks to come again after a long walk. */
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0)
			b->used += n;
	}
}

/* Run an iterator to its end. */
static int iterate(struct bpf_program *prog, struct bytes *b)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	int fd, err;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? fd : read_all(fd, b);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}

static int read_sessions(struct bytes *b, unsigned int dir)
{
	struct luo_session_bpf *bpf = luo_session_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	bpf->rodata->binary = true;
	bpf->rodata->only_dir = dir;
	err = luo_session_bpf__load(bpf);
	if (!err)
		err = iterate(bpf->progs.dump_session, b);
	luo_session_bpf__destroy(bpf);
	return err;
}

static int read_files(struct bytes *b, unsigned int dir, bool only_bad)
{
	struct luo_file_bpf *bpf = luo_file_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	bpf->rodata->binary = true;
	bpf->rodata->only_dir = dir;
	bpf->rodata->only_bad = only_bad;
	err = luo_file_bpf__load(bpf);
	if (!err)
		err = iterate(bpf->progs.dump_file, b);
	luo_file_bpf__destroy(bpf);
	return err;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct bytes *b = ctx;

	while (b->room - b->used < size) {
		if (grow(b))
			return -ENOMEM;
	}
	memcpy(b->data + b->used, data, size);
	b->used += size;
	return 0;
}

static int consume(struct bpf_map *map, struct bytes *b)
{
	struct ring_buffer *ring;
	int n;

	ring = ring_buffer__new(bpf_map__fd(map), on_record, b, NULL);
	if (!ring)
		return -errno;
	n = ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return n < 0 ? n : 0;
}

/* A LUO without iterators: its lists are walked in one go. */
static int walk_lists(struct bytes *sessions, struct bytes *files,
		      unsigned int dir, bool only_bad, bool *unread)
{
	struct stock_walk_bpf *bpf = stock_walk_bpf__open();
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int err;

	if (!bpf)
		return -errno;
	bpf->rodata->only_dir = dir;
	bpf->rodata->only_bad = only_bad;
	err = stock_walk_bpf__load(bpf);
	if (!err)
		err = bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.walk_sessions),
					     &run);
	if (!err)
		err = consume(bpf->maps.sessions, sessions);
	if (!err)
		err = consume(bpf->maps.files, files);
	if (!err && bpf->bss->lost)
		msg_error("%llu sessions or files are not shown: there was no room, or a list changed while it was walked; try again",
			  (unsigned long long)bpf->bss->lost);
	*unread = bpf->bss->unread;
	stock_walk_bpf__destroy(bpf);
	return err;
}

int inventory_read(const struct probe *probe, struct inventory *inv,
		   unsigned int dir, bool only_bad)
{
	struct bytes sessions = {}, files = {};
	int err;

	if (probe->flavour == FLAVOUR_STOCK) {
		err = walk_lists(&sessions, &files, dir, only_bad,
				 &inv->unread);
	} else {
		err = read_sessions(&sessions, dir);
		if (!err)
			err = read_files(&files, dir, only_bad);
	}
	if (!err && (sessions.used % sizeof(struct inv_session) ||
		     files.used % sizeof(struct inv_file)))
		err = -EPROTO;
	if (err) {
		free(sessions.data);
		free(files.data);
		msg_error("cannot read the sessions by BPF: %s; -v shows what the kernel said",
			  strerror(-err));
		return -1;
	}
	inv->sessions = (struct inv_session *)sessions.data;
	inv->nr_sessions = sessions.used / sizeof(struct inv_session);
	inv->files = (struct inv_file *)files.data;
	inv->nr_files = files.used / sizeof(struct inv_file);
	return 0;
}

void inventory_free(struct inventory *inv)
{
	free(inv->sessions);
	free(inv->files);
	memset(inv, 0, sizeof(*inv));
}
