// SPDX-License-Identifier: GPL-2.0

/*
 * A small agent for live update, and an example of one:
 *
 *	luo_agent preserve PLAN MANIFEST [READY]
 *		create the memfds of PLAN, fill them with random data, preserve
 *		them in their sessions, write MANIFEST, create the file READY,
 *		and hold the sessions until it is killed
 *
 *	luo_agent restore MANIFEST [REPORT]
 *		claim the sessions, retrieve the memfds, compare their content
 *		with MANIFEST, finish the sessions; exit code 1 if anything
 *		differs
 *
 * An agent holds its session descriptors until the kexec: a session ends with
 * its last descriptor. The kernel hands over the content of the files; the
 * agent has to remember what each session and token means, here in the
 * manifest.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "libluo.h"
#include "manifest.h"

#define REPORT_SCHEMA	1

static void hash(const void *data, size_t size, char *hex)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	size_t i;

	sha256_init(&ctx);
	sha256_update(&ctx, size, data);
	sha256_digest(&ctx, sizeof(digest), digest);
	for (i = 0; i < sizeof(digest); i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

/*
 * Random words from a seeded xorshift generator: in an emulated VM,
 * getrandom() would take most of the time of the demonstration.
 */
static int fill(void *data, size_t size)
{
	uint64_t s, *word = data;
	size_t i;

	if (getrandom(&s, sizeof(s), 0) != sizeof(s))
		return -errno;
	s |= 1;
	for (i = 0; i < size / sizeof(s); i++) {
		s ^= s << 13;
		s ^= s >> 7;
		s ^= s << 17;
		word[i] = s;
	}
	memcpy((char *)data + i * sizeof(s), &s, size % sizeof(s));
	return 0;
}

static int item_error(const struct item *item, const char *what, int err)
{
	fprintf(stderr, "session '%s' token %" PRIu64 ": cannot %s: %s\n",
		item->session, item->token, what, strerror(-err));
	return -1;
}

static int session_error(const char *name, const char *what, int err)
{
	fprintf(stderr, "session '%s': cannot %s: %s\n", name, what,
		strerror(-err));
	return -1;
}

static int open_device(void)
{
	int dev = luo_open();

	if (dev < 0)
		fprintf(stderr,
			"cannot open /dev/liveupdate: %s; boot with liveupdate=on, run as root, stop other agents\n",
			strerror(-dev));
	return dev;
}

/* Create the memfd of an item with random content and store its hash. */
static int make_memfd(struct item *item)
{
	void *data;
	int fd, err;

	fd = memfd_create(item->session, MFD_CLOEXEC);
	if (fd < 0)
		return item_error(item, "create a memfd", -errno);
	if (ftruncate(fd, item->size)) {
		item_error(item, "size the memfd", -errno);
		goto fail;
	}
	data = mmap(NULL, item->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		item_error(item, "map the memfd", -errno);
		goto fail;
	}
	err = fill(data, item->size);
	hash(data, item->size, item->sha256);
	munmap(data, item->size);
	if (err) {
		item_error(item, "get random data", err);
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

static int preserve_item(int session, struct item *item)
{
	int fd = make_memfd(item);
	int err;

	if (fd < 0)
		return -1;

	err = luo_session_preserve_fd(session, fd, item->token);
	/* The session has its own reference. */
	close(fd);
	return err ? item_error(item, "preserve", err) : 0;
}

static int preserve_all(int dev, struct manifest *m)
{
	const char *name = "";
	int session = -1;
	size_t i;

	for (i = 0; i < m->count; i++) {
		struct item *item = &m->items[i];

		if (strcmp(name, item->session)) {
			name = item->session;
			session = luo_session_create(dev, name);
			if (session < 0)
				return session_error(name, "create", session);
		}
		if (preserve_item(session, item))
			return -1;
	}
	return 0;
}

static int cmd_preserve(int argc, char **argv)
{
	struct manifest m;
	int dev, err, fd;

	if (argc < 3 || argc > 4)
		return 2;
	if (manifest_read_plan(argv[1], &m))
		return 1;

	dev = open_device();
	err = dev < 0 || preserve_all(dev, &m) || manifest_write(argv[2], &m);
	manifest_free(&m);
	if (err)
		return 1;
	/* Other agents may open the device; these sessions stay open. */
	close(dev);

	if (argc == 4) {
		fd = open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0) {
			fprintf(stderr, "cannot create '%s': %s\n", argv[3],
				strerror(errno));
			return 1;
		}
		close(fd);
	}
	pause();
	return 0;
}

/* Whether the memfd has the content that it had in the old kernel. */
static bool intact(int fd, const struct item *item, char *sha256)
{
	off_t size = lseek(fd, 0, SEEK_END);
	void *data;

	sha256[0] = '\0';
	if (size < 0 || (uint64_t)size != item->size) {
		fprintf(stderr,
			"session '%s' token %" PRIu64 ": %jd bytes, want %" PRIu64 "\n",
			item->session, item->token, (intmax_t)size, item->size);
		return false;
	}
	data = mmap(NULL, item->size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		item_error(item, "map the memfd", -errno);
		return false;
	}
	hash(data, item->size, sha256);
	munmap(data, item->size);
	if (strcmp(sha256, item->sha256)) {
		fprintf(stderr,
			"session '%s' token %" PRIu64 ": content differs, sha256 is %s, want %s\n",
			item->session, item->token, sha256, item->sha256);
		return false;
	}
	return true;
}

static bool restore_item(int session, const struct item *item, json_t *files)
{
	int fd = luo_session_retrieve_fd(session, item->token);
	char sha256[SHA256_HEX] = "";
	bool ok = false;

	if (fd < 0) {
		item_error(item, "retrieve", fd);
	} else {
		ok = intact(fd, item, sha256);
		close(fd);
	}
	json_array_append_new(files, json_pack("{ss, sI, sI, ss, ss*, sb}",
		"session", item->session, "token", (json_int_t)item->token,
		"size_bytes", (json_int_t)item->size,
		"sha256_before", item->sha256,
		"sha256_after", sha256[0] ? sha256 : NULL, "intact", ok));
	return ok;
}

/* Restore a session: the items from @i on. Returns their number. */
static size_t restore_session(int dev, const struct manifest *m, size_t i,
			      json_t *files, bool *ok)
{
	const char *name = m->items[i].session;
	int session = luo_session_retrieve(dev, name);
	size_t n = 0;
	int err;

	if (session < 0) {
		session_error(name, "claim", session);
		*ok = false;
	}
	for (; i + n < m->count && !strcmp(m->items[i + n].session, name); n++) {
		if (!restore_item(session, &m->items[i + n], files))
			*ok = false;
	}
	if (session < 0)
		return n;

	err = luo_session_finish(session);
	if (err) {
		session_error(name, "finish", err);
		*ok = false;
	}
	close(session);
	return n;
}

static int cmd_restore(int argc, char **argv)
{
	json_t *files, *root;
	struct manifest m;
	bool ok = true;
	size_t i = 0;
	int dev;

	if (argc < 2 || argc > 3)
		return 2;
	if (manifest_read(argv[1], &m))
		return 1;
	dev = open_device();
	if (dev < 0) {
		manifest_free(&m);
		return 1;
	}

	files = json_array();
	while (i < m.count)
		i += restore_session(dev, &m, i, files, &ok);
	close(dev);
	manifest_free(&m);

	root = json_pack("{si, sb, so}", "schema", REPORT_SCHEMA, "intact", ok,
			 "files", files);
	if (argc == 3 && json_dump_file(root, argv[2], JSON_INDENT(2))) {
		fprintf(stderr, "cannot write report '%s'\n", argv[2]);
		ok = false;
	}
	json_decref(root);
	return ok ? 0 : 1;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "preserve",	cmd_preserve,	"PLAN MANIFEST [READY]" },
	{ "restore",	cmd_restore,	"MANIFEST [REPORT]" },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		int ret;

		if (strcmp(argv[1], commands[i].name))
			continue;
		ret = commands[i].run(argc - 1, argv + 1);
		if (ret == 2)
			break;
		return ret;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stderr, "usage: luo_agent %s %s\n", commands[i].name,
			commands[i].usage);
	return 2;
}
