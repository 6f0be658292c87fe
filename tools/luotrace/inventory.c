// SPDX-License-Identifier: GPL-2.0

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inventory.h"
#include "luo_file.skel.h"
#include "luo_session.skel.h"
#include "msg.h"
#include "stock_walk.skel.h"

/* The output of a program. */
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
		/* The kernel returns EAGAIN after a long walk. */
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

#define TRIES		12	/* walks, until one is not torn */
#define MIN_RING	(64 << 10)
#define MAX_RING	(1 << 28)

/* A LUO without iterators: the result of one walk along its lists. */
struct walk {
	struct stock_walk_bpf *bpf;
	struct bytes sessions;
	struct bytes files;
	size_t session_ring;	/* bytes, more after a walk that ran out of room */
	size_t file_ring;
	bool unread;
	bool torn;
	bool lost;
};

/* A size of a ring buffer for that many records. */
static size_t ring_for(size_t nr, size_t record)
{
	size_t size = MIN_RING;

	/* Each record has a header; others can be added until the next walk. */
	while (size < MAX_RING && size < (nr + nr / 4) * (record + 16))
		size *= 2;
	return size;
}

static int walk_load(struct walk *w, unsigned int dir, bool only_bad)
{
	w->bpf = stock_walk_bpf__open();
	if (!w->bpf)
		return -errno;
	w->bpf->rodata->only_dir = dir;
	w->bpf->rodata->only_bad = only_bad;
	bpf_map__set_max_entries(w->bpf->maps.sessions, w->session_ring);
	bpf_map__set_max_entries(w->bpf->maps.files, w->file_ring);
	return stock_walk_bpf__load(w->bpf);
}

static int walk_once(struct walk *w)
{
	struct stock_walk_bpf *bpf = w->bpf;
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int err;

	memset(bpf->bss, 0, sizeof(*bpf->bss));
	w->sessions.used = 0;
	w->files.used = 0;
	err = bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.walk_sessions), &run);
	if (!err)
		err = consume(bpf->maps.sessions, &w->sessions);
	if (!err)
		err = consume(bpf->maps.files, &w->files);
	w->unread = bpf->bss->unread;
	w->torn = bpf->bss->torn;
	w->lost = bpf->bss->lost;
	w->session_ring = ring_for(bpf->bss->nr_sessions, sizeof(struct inv_session));
	w->file_ring = ring_for(bpf->bss->nr_files, sizeof(struct inv_file));
	return err;
}

/* Drop files whose session ended while they were read. */
static void drop_files(struct walk *w)
{
	struct inv_file *files = (struct inv_file *)w->files.data;
	size_t sessions = w->sessions.used / sizeof(struct inv_session);
	size_t nr = w->files.used / sizeof(*files);

	/* Sessions are numbered in the order of the walk. */
	while (nr && files[nr - 1].session_id > sessions)
		nr--;
	w->files.used = nr * sizeof(*files);
}

static int walk_lists(struct walk *w, unsigned int dir, bool only_bad)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	int err = 0, i;

	w->session_ring = MIN_RING;
	w->file_ring = MIN_RING;
	for (i = 0; i < TRIES && !err; i++) {
		if (!w->bpf)
			err = walk_load(w, dir, only_bad);
		err = err ? err : walk_once(w);
		if (err || (!w->torn && !w->lost))
			break;
		if (w->lost) {
			stock_walk_bpf__destroy(w->bpf);
			w->bpf = NULL;
		}
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 100000000)
			pause.tv_nsec *= 2;
	}
	stock_walk_bpf__destroy(w->bpf);
	w->torn |= w->lost;
	if (err || !w->torn)
		return err;
	drop_files(w);
	msg_error("the sessions changed during each of %d reads: what is shown exists, others may be missing; try again",
		  TRIES);
	return 0;
}

int inventory_read(const struct probe *probe, struct inventory *inv,
		   unsigned int dir, bool only_bad)
{
	struct bytes sessions = {}, files = {};
	struct walk w = {};
	int err;

	if (probe->flavour == FLAVOUR_STOCK) {
		err = walk_lists(&w, dir, only_bad);
		sessions = w.sessions;
		files = w.files;
		inv->unread = w.unread;
		inv->torn = w.torn;
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
		msg_error("cannot read the sessions by BPF: %s; -v shows the kernel's messages",
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
