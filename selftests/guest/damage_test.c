// SPDX-License-Identifier: GPL-2.0

/*
 * Damaged handovers: one place is overwritten; the next kernel traces which record it
 * rejects, and accepts the others.
 *
 *	damage_test hold N	make sessions, ask for damage N, hold them
 *	damage_test N		check what damage N left, as TAP
 *	damage_test count	print the number of damages
 */

#include "luo_test.h"

#include <libfdt.h>
#include <linux/liveupdate_recorder.h>
#include <stddef.h>

#define TREE_PATH	"/sys/kernel/debug/kho/out/sub_fdts/LUO"
#define TRACE_PATH	"/sys/kernel/tracing/trace"
#define LONG_NAME	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

/* "b" fills a block of file records and starts a second one. */
#define PER_FILE_BLOCK	64
#define PER_FLB_BLOCK	63
#define B_FILES		70
/* "a", "b", "c", the long name, and empty ones: two blocks of sessions. */
#define PER_BLOCK	42
#define EMPTY		56

#define REJECTED(what, name, token, reason)				\
	"what=" what " name=" name " token=" token " reason=" reason
#define GONE		-1

/* The offsets of the format, written by hand. */
enum {
	SESSION_NAME = 0, SESSION_FILES = 64, SESSION_PGCNT = 72,
	SESSION_COUNT = 80,
	FILE_COMPATIBLE = 0, FILE_TOKEN = 47,
	FLB_NAME = 0,
	BLOCK_NEXT = 0, BLOCK_COUNT = 8,
	/* The node of "luo-test-first": tag, name, then the property "data" */
	NODE_NAME = 4, NODE_PROP_NAME = 28,
};

/* Sessions are numbered in order of creation. */
enum { OTHER_B = 2, OTHER_C = 3 };

/* The callback targets that are handed over, too, and their cookies. */
static const struct {
	const char *name;
	int target;
	uint64_t given, comes;
} targets[] = {
	{ "FLB", LIVEUPDATE_TEST_ON_FLB, 3000, 3000 },
	{ "the first subsystem", LIVEUPDATE_TEST_ON_FIRST, 1000, 1001 },
	{ "the second subsystem", LIVEUPDATE_TEST_ON_SECOND, 2000, 2001 },
};

enum { NO_FLB = 1, NO_FIRST = 2, NO_SECOND = 4 };
#define NR_TARGETS	3
/* Three FLBs of the base's own test precede that of the test handler. */
#define FLB_INDEX	3
/* The recorder precedes the first test subsystem. */
#define FIRST_INDEX	1

/*
 * What is damaged, the first reject that the kernel traces (NULL: none), and what is
 * left: how many of the files of "a" (2) and "b" (70), of "c" (1), or GONE; how many
 * empty sessions; whether the one with the long name; which callback targets are lost.
 */
static const struct damage {
	const char *what;
	enum liveupdate_test_where where;
	unsigned int session, index;
	unsigned int offset, len;
	uint64_t value;
	const char *node, *prop;	/* of the tree: offset is from its value */
	const char *says;
	int a, b, c, empty, longname, lost;
	unsigned int other;	/* with a length of 0: 1 + the session whose block it is */
	bool page;		/* the value is the address of a page of a memfd of "c" */
} damages[] = {
#define ALL	2, B_FILES, 1, EMPTY, 1
#define NOTHING	GONE, GONE, GONE, 0, 0
#define REALLY_NOTHING	NOTHING, NO_FLB | NO_FIRST | NO_SECOND
#define FIRST	2, B_FILES, 1, PER_BLOCK - 4, 1
	{ "nothing", LIVEUPDATE_TEST_SESSION, 0, 0, SESSION_NAME, 1, 'a',
	  NULL, NULL, NULL, ALL },
	{ "magic of the tree", LIVEUPDATE_TEST_TREE, 0, 0, 0, 4, 0, NULL, NULL,
	  REJECTED("tree", "", "0", "not-a-tree"), REALLY_NOTHING },
	{ "size of the tree", LIVEUPDATE_TEST_TREE, 0, 0, 4, 4, 0xffffffff,
	  NULL, NULL, REJECTED("tree", "", "0", "not-a-tree"), REALLY_NOTHING },
	{ "version of the tree", LIVEUPDATE_TEST_TREE, 0, 0, 5, 1, '9', "/",
	  "compatible", REJECTED("tree", "", "0", "incompatible"), REALLY_NOTHING },
	{ "name of the number", LIVEUPDATE_TEST_TREE, 0, 0, -4, 4, 0, "/",
	  "liveupdate-number", REJECTED("tree", "", "0", "missing-property"),
	  REALLY_NOTHING },
	{ "length of the number", LIVEUPDATE_TEST_TREE, 0, 0, -8, 4, 0x04000000,
	  "/", "liveupdate-number", REJECTED("tree", "", "0", "not-a-tree"),
	  REALLY_NOTHING },
	{ "version of the sessions", LIVEUPDATE_TEST_TREE, 0, 0, 13, 1, '9',
	  "/luo-session", "compatible",
	  REJECTED("sessions", "", "0", "incompatible"), NOTHING },
	{ "number of sessions", LIVEUPDATE_TEST_TREE, 0, 0, 0, 8, 1000,
	  "/luo-session", "count", REJECTED("session", "", "0", "count"), ALL },
	{ "address of the sessions", LIVEUPDATE_TEST_TREE, 0, 0, 0, 8, 0x1000,
	  "/luo-session", "data", REJECTED("session", "", "0", "not-preserved"),
	  NOTHING },
	{ "address outside of memory", LIVEUPDATE_TEST_TREE, 0, 0, 0, 8,
	  UINT64_MAX, "/luo-session", "data",
	  REJECTED("session", "", "0", "not-preserved"), NOTHING },
	{ "the tree for a block of sessions", LIVEUPDATE_TEST_TREE, 0, 0, 0, 0,
	  0, "/luo-session", "data",
	  REJECTED("session", "", "0", "not-preserved"), NOTHING },
	{ "too few session blocks announced", LIVEUPDATE_TEST_TREE, 0, 0, 0, 8,
	  1, "/luo-session", "pgcnt",
	  REJECTED("session", "", "0", "too-many-blocks"), FIRST },
	{ "too many session blocks announced", LIVEUPDATE_TEST_TREE, 0, 0, 0, 8,
	  0x4000, "/luo-session", "pgcnt",
	  REJECTED("session", "", "0", "too-few-blocks"), ALL },
	{ "records in a session block", LIVEUPDATE_TEST_SESSION_BLOCK, 0, 0,
	  BLOCK_COUNT, 8, PER_BLOCK + 1, NULL, NULL,
	  REJECTED("session", "", "0", "block-count"), NOTHING },
	{ "chain of session blocks cut", LIVEUPDATE_TEST_SESSION_BLOCK, 0, 0,
	  BLOCK_NEXT, 8, 0, NULL, NULL,
	  REJECTED("session", "", "0", "too-few-blocks"), FIRST },
	{ "loop of session blocks", LIVEUPDATE_TEST_SESSION_BLOCK, 0, 0,
	  BLOCK_NEXT, 0, 0, NULL, NULL,
	  REJECTED("session", "", "0", "not-preserved"), FIRST },
	{ "session name without end", LIVEUPDATE_TEST_SESSION, 3, 0,
	  SESSION_NAME + 63, 1, 'f', NULL, NULL,
	  REJECTED("session", "", "0", "bad-name"), 2, B_FILES, 1, EMPTY, 0 },
	{ "session name twice", LIVEUPDATE_TEST_SESSION, 2, 0, SESSION_NAME, 1,
	  'a', NULL, NULL, REJECTED("session", "a", "0", "duplicate-name"),
	  2, B_FILES, GONE, EMPTY, 1 },
	{ "session record not in use", LIVEUPDATE_TEST_SESSION, 0, 0,
	  SESSION_NAME, 64, 0, NULL, NULL, NULL, GONE, B_FILES, 1, EMPTY, 1 },
	{ "address of files", LIVEUPDATE_TEST_SESSION, 0, 0, SESSION_FILES, 8,
	  0x1000, NULL, NULL, REJECTED("file", "a", "0", "not-preserved"),
	  0, B_FILES, 1, EMPTY, 1 },
	{ "number of files", LIVEUPDATE_TEST_SESSION, 0, 0, SESSION_COUNT, 8, 3,
	  NULL, NULL, REJECTED("file", "a", "0", "count"), ALL },
	{ "no file blocks announced", LIVEUPDATE_TEST_SESSION, 0, 0,
	  SESSION_PGCNT, 8, 0, NULL, NULL,
	  REJECTED("file", "a", "0", "too-many-blocks"), 0, B_FILES, 1, EMPTY, 1 },
	{ "records in a file block", LIVEUPDATE_TEST_FILE_BLOCK, 1, 0,
	  BLOCK_COUNT, 8, PER_FILE_BLOCK + 1, NULL, NULL,
	  REJECTED("file", "b", "0", "block-count"), 2, 0, 1, EMPTY, 1 },
	{ "chain of file blocks cut", LIVEUPDATE_TEST_FILE_BLOCK, 1, 0,
	  BLOCK_NEXT, 8, 0, NULL, NULL,
	  REJECTED("file", "b", "0", "too-few-blocks"), 2, PER_FILE_BLOCK, 1,
	  EMPTY, 1 },
	{ "loop of file blocks", LIVEUPDATE_TEST_FILE_BLOCK, 1, 0, BLOCK_NEXT,
	  0, 0, NULL, NULL, REJECTED("file", "b", "0", "not-preserved"),
	  2, PER_FILE_BLOCK, 1, EMPTY, 1 },
	{ "no handler named", LIVEUPDATE_TEST_FILE, 0, 0, FILE_COMPATIBLE, 1, 0,
	  NULL, NULL, REJECTED("file", "a", "1", "bad-compatible"), 1, B_FILES,
	  1, EMPTY, 1 },
	{ "handler of the longest name", LIVEUPDATE_TEST_FILE, 0, 0,
	  FILE_COMPATIBLE, 47, 0x7878787878787878, NULL, NULL,
	  REJECTED("file", "a", "1", "no-handler"), 1, B_FILES, 1, EMPTY, 1 },
	{ "unknown handler", LIVEUPDATE_TEST_FILE, 0, 0, FILE_COMPATIBLE, 1,
	  'x', NULL, NULL, REJECTED("file", "a", "1", "no-handler"), 1, B_FILES,
	  1, EMPTY, 1 },
	{ "token twice", LIVEUPDATE_TEST_FILE, 0, 1, FILE_TOKEN, 8, 1, NULL,
	  NULL, REJECTED("file", "a", "1", "duplicate-token"), 1, B_FILES, 1,
	  EMPTY, 1 },
	{ "version of the FLBs", LIVEUPDATE_TEST_TREE, 0, 0, 9, 1, '9',
	  "/luo-flb", "compatible", REJECTED("flbs", "", "0", "incompatible"),
	  ALL, NO_FLB },
	{ "number of FLBs", LIVEUPDATE_TEST_TREE, 0, 0, 0, 8, 1000,
	  "/luo-flb", "count", REJECTED("flb", "", "0", "count"), ALL },
	{ "address of FLBs", LIVEUPDATE_TEST_TREE, 0, 0, 0, 8, 0x1000,
	  "/luo-flb", "data", REJECTED("flb", "", "0", "not-preserved"), ALL,
	  NO_FLB },
	{ "the tree for a block of FLBs", LIVEUPDATE_TEST_TREE, 0, 0, 0,
	  0, 0, "/luo-flb", "data",
	  REJECTED("flb", "", "0", "not-preserved"), ALL, NO_FLB },
	{ "blocks of FLBs", LIVEUPDATE_TEST_TREE, 0, 0, 0, 8, 9,
	  "/luo-flb", "pgcnt", REJECTED("flb", "", "0", "too-few-blocks"), ALL },
	{ "records in a block of FLBs", LIVEUPDATE_TEST_FLB_BLOCK, 0, 0,
	  BLOCK_COUNT, 8, PER_FLB_BLOCK + 1, NULL, NULL,
	  REJECTED("flb", "", "0", "block-count"), ALL, NO_FLB },
	{ "loop of blocks of FLBs", LIVEUPDATE_TEST_FLB_BLOCK, 0, 0,
	  BLOCK_NEXT, 0, 0, NULL, NULL,
	  REJECTED("flb", "", "0", "too-many-blocks"), ALL },
	{ "name of an FLB without end", LIVEUPDATE_TEST_FLB, 0, FLB_INDEX,
	  FLB_NAME, 48, 0x7878787878787878, NULL, NULL,
	  REJECTED("flb", "", "0", "bad-name"), ALL, NO_FLB },
	{ "name of an FLB twice", LIVEUPDATE_TEST_FLB, 0, 1,
	  FLB_NAME + 21, 1, '0', NULL, NULL,
	  REJECTED("flb", "liveupdate-test-flb-v0", "0", "duplicate-name"), ALL },
	{ "empty name of an FLB", LIVEUPDATE_TEST_FLB, 0, FLB_INDEX, FLB_NAME, 1,
	  0, NULL, NULL, REJECTED("flb", "", "0", "bad-name"), ALL, NO_FLB },
	{ "version of the subsystems", LIVEUPDATE_TEST_TREE, 0, 0, 16, 1, '9',
	  "/luo-subsystems", "compatible",
	  REJECTED("subsystems", "", "0", "incompatible"), ALL,
	  NO_FIRST | NO_SECOND },
	{ "value of a subsystem", LIVEUPDATE_TEST_SUBSYSTEM, 0, FIRST_INDEX,
	  NODE_PROP_NAME, 4, 0, NULL, NULL,
	  REJECTED("subsystem", "luo-test-first", "0", "missing-property"), ALL,
	  NO_FIRST },
	{ "unknown subsystem", LIVEUPDATE_TEST_SUBSYSTEM, 0, FIRST_INDEX, NODE_NAME, 1,
	  'x', NULL, NULL,
	  REJECTED("subsystem", "xuo-test-first", "0", "no-subsystem"), ALL,
	  NO_FIRST },
	{ "name of a subsystem without end", LIVEUPDATE_TEST_SUBSYSTEM, 0, FIRST_INDEX,
	  NODE_NAME + 14, 2, 0x7878, NULL, NULL,
	  REJECTED("tree", "", "0", "not-a-tree"), REALLY_NOTHING },
	{ "files of another session", LIVEUPDATE_TEST_SESSION, 0, 0,
	  SESSION_FILES, 0, 0, NULL, NULL,
	  REJECTED("file", "a", "0", "not-a-block"), 0, B_FILES, 1, EMPTY, 1, 0,
	  OTHER_B },
	{ "as many files of another session", LIVEUPDATE_TEST_SESSION, 0, 0,
	  SESSION_FILES, 0, 0, NULL, NULL,
	  REJECTED("file", "a", "0", "not-a-block"), 0, B_FILES, 1, EMPTY, 1, 0,
	  OTHER_C },
	{ "a guest's page for a block of files", LIVEUPDATE_TEST_SESSION, 0, 0,
	  SESSION_FILES, 8, 0, NULL, NULL,
	  REJECTED("file", "a", "0", "not-a-block"), 0, B_FILES, 1, EMPTY, 1, 0,
	  0, true },
	{ "a chain that goes on in another session", LIVEUPDATE_TEST_FILE_BLOCK,
	  1, 0, BLOCK_NEXT, 0, 0, NULL, NULL,
	  REJECTED("file", "b", "0", "not-a-block"), 2, PER_FILE_BLOCK, 1, EMPTY,
	  1, 0, OTHER_C },
	{ "a chain that goes on in a guest's page", LIVEUPDATE_TEST_FILE_BLOCK,
	  1, 0, BLOCK_NEXT, 8, 0, NULL, NULL,
	  REJECTED("file", "b", "0", "not-a-block"), 2, PER_FILE_BLOCK, 1, EMPTY,
	  1, 0, 0, true },
	{ "a block of files for one of sessions", LIVEUPDATE_TEST_TREE, 0, 0, 0,
	  0, 0, "/luo-session", "data",
	  REJECTED("session", "", "0", "not-a-block"), NOTHING, 0, OTHER_B },
	{ "a block of files for one of FLBs", LIVEUPDATE_TEST_TREE, 0,
	  0, 0, 0, 0, "/luo-flb", "data",
	  REJECTED("flb", "", "0", "not-a-block"), ALL, NO_FLB, OTHER_B },
};

#define NR_DAMAGES	(sizeof(damages) / sizeof(damages[0]))

/* Offset of the value of a property, in the tree as it will be written. */
static unsigned int value_offset(const struct damage *d)
{
	static char tree[4096];
	int fd = open(TREE_PATH, O_RDONLY), node;
	const void *value;

	must(fd >= 0 && read(fd, tree, sizeof(tree)) > 0, TREE_PATH);
	close(fd);
	node = fdt_path_offset(tree, d->node);
	value = node < 0 ? NULL : fdt_getprop(tree, node, d->prop, NULL);
	must(value, d->prop);
	return (const char *)value - tree;
}

/*
 * A page of a guest that looks like a block of file records: without a magic number, a
 * kernel would take it for one.
 */
static int block_of_a_guest(void)
{
	static const char handler[] = "nobody-v1";
	uint64_t head[2] = { 0, 2 }, token, zero = 0;
	int fd = memfd(4096, 4), i;

	must(fd >= 0 && pwrite(fd, head, sizeof(head), 0) == sizeof(head),
	     "block");
	for (i = 0; i < 2; i++) {
		off_t at = sizeof(head) + 63 * i;
		char compatible[47] = "";

		token = i + 1;
		memcpy(compatible, handler, sizeof(handler));
		must(pwrite(fd, compatible, sizeof(compatible), at) > 0 &&
		     pwrite(fd, &token, 8, at + FILE_TOKEN) == 8 &&
		     pwrite(fd, &zero, 8, at + FILE_TOKEN + 8) == 8, "block");
	}
	return fd;
}

/* The address of that page, which does not change as it is preserved. */
static uint64_t page_address(int fd)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	volatile uint8_t *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	uint64_t entry;

	must(pagemap >= 0 && p != MAP_FAILED && p[0] + 1, "pagemap");
	must(pread(pagemap, &entry, 8, (uintptr_t)p / 4096 * 8) == 8, "pagemap");
	close(pagemap);
	munmap((void *)p, 4096);
	must(entry >> 63 && entry << 9 >> 9, "pagemap");
	return (entry << 9 >> 9) * 4096;
}

static void ask_for(const struct damage *d, int guest)
{
	struct liveupdate_test_damage arg = {
		.size = sizeof(arg), .where = d->where, .session = d->session,
		.index = d->index, .offset = d->offset, .len = d->len,
		.value = d->page ? page_address(guest) : d->value,
		.other = d->other,
	};
	int fd = open(TEST_DEVICE, O_RDWR);

	if (d->prop)
		arg.offset += value_offset(d);
	must(fd >= 0 && !ioctl(fd, LIVEUPDATE_TEST_DAMAGE, &arg), d->what);
	close(fd);
}

/* Get the cookie of a subsystem or an FLB; one other than 0 sets it before. */
static uint64_t target_cookie(int target, uint64_t cookie)
{
	struct liveupdate_test_get get = {
		.size = sizeof(get), .target = target, .cookie = cookie,
	};
	int fd = test_file(1);

	must(!ioctl(fd, LIVEUPDATE_TEST_GET, &get), "target");
	close(fd);
	return get.cookie;
}

static int hold(const struct damage *d)
{
	int dev = open_device(), guest = block_of_a_guest(), a, b, c, i;
	char name[16];

	must(dev >= 0, "device");
	for (i = 0; i < NR_TARGETS; i++)
		target_cookie(targets[i].target, targets[i].given);
	a = create(dev, "a");
	b = create(dev, "b");
	c = create(dev, "c");
	must(create(dev, LONG_NAME) >= 0, LONG_NAME);
	for (i = 0; i < EMPTY; i++) {
		snprintf(name, sizeof(name), "empty-%d", i);
		must(create(dev, name) >= 0, name);
	}
	must(!preserve(a, memfd(5000, 1), 1), "a");
	must(!preserve(a, memfd(6000, 2), 2), "a");
	must(!preserve(c, memfd(7000, 3), 1), "c");
	must(!preserve(c, guest, 2), "c");
	for (i = 0; i < B_FILES; i++)
		must(!preserve(b, test_file(i + 1), i), "b");
	ask_for(d, guest);
	return hold_until_kexec();
}


static void check_is(int is, int want, const char *what)
{
	if (!check(is == want, "%s", what))
		printf("# %s: is %d, want %d\n", what, is, want);
}

/* How many files of a session can be retrieved with their content. */
static int count_files(int dev, const char *name, int (*one)(int session, int i),
		       int max)
{
	int session = claim(dev, name), i, n = 0;

	if (session == -ENOENT)
		return GONE;
	must(session >= 0, name);
	for (i = 0; i < max; i++)
		n += one(session, i);
	must(!finish(session), "finish");
	close(session);
	return n;
}

static int memfd_of_a(int session, int i)
{
	int fd = retrieve(session, i + 1), ok;

	if (fd < 0)
		return 0;
	ok = memfd_intact(fd, 5000 + 1000 * i, 1 + i);
	close(fd);
	return ok;
}

/* Both memfds; the content of the second one is generated again to compare it. */
static int memfd_of_c(int session, int i)
{
	int fd = retrieve(session, i + 1), other = retrieve(session, i + 2);
	int want = block_of_a_guest(), ok;
	char is[4096], was[4096];

	if (fd < 0 || other < 0)
		return 0;
	ok = memfd_intact(fd, 7000, 3) &&
	     pread(other, is, sizeof(is), 0) == sizeof(is) &&
	     pread(want, was, sizeof(was), 0) == sizeof(was) &&
	     !memcmp(is, was, sizeof(is));
	close(fd);
	close(other);
	close(want);
	return ok;
}

static int file_of_b(int session, int i)
{
	int fd = retrieve(session, i), ok;

	if (fd < 0)
		return 0;
	ok = test_get(fd).cookie == (unsigned int)i + 1;
	close(fd);
	return ok;
}

static int none(int session, int i)
{
	(void)session;
	(void)i;
	return 0;
}

static int count_empty(int dev)
{
	char name[16];
	int i, n = 0;

	for (i = 0; i < EMPTY; i++) {
		snprintf(name, sizeof(name), "empty-%d", i);
		n += count_files(dev, name, none, 0) == 0;
	}
	return n;
}

/* The first reject in the trace since boot, or NULL. */
static const char *first_reject(void)
{
	static char line[512];
	FILE *f = fopen(TRACE_PATH, "r");
	char *at;

	must(f, TRACE_PATH);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, "luo_handover_reject: ");
		at = at ? strstr(at, "what=") : NULL;
		if (!at)
			continue;
		at[strcspn(at, "\n")] = '\0';
		fclose(f);
		return at;
	}
	fclose(f);
	return NULL;
}

/* Bytes of preserved memory for records, according to the recorder. */
static uint64_t recorded_bytes(void)
{
	uint64_t bytes = UINT64_MAX;
	int fd = open("/sys/kernel/liveupdate/recorder", O_RDONLY);

	must(pread(fd, &bytes, sizeof(bytes),
		   offsetof(struct liveupdate_recorder, last_in.bytes)) ==
	     sizeof(bytes), "recorder");
	close(fd);
	return bytes;
}

static void check_targets(int lost)
{
	struct liveupdate_test_object o = {
		.size = sizeof(o), .op = LIVEUPDATE_TEST_GET_INCOMING,
	};
	int fd = test_file(1), i;

	/* The FLB is retrieved on demand. */
	if (!ioctl(fd, LIVEUPDATE_TEST_OBJECT, &o)) {
		o.op = LIVEUPDATE_TEST_PUT_INCOMING;
		must(!ioctl(fd, LIVEUPDATE_TEST_OBJECT, &o), "put");
	}
	close(fd);
	for (i = 0; i < NR_TARGETS; i++)
		check_is(target_cookie(targets[i].target, 0),
		      lost & 1 << i ? 0 : targets[i].comes, targets[i].name);
}

static int verify(const struct damage *d)
{
	const char *says = first_reject();
	bool same = says && d->says ? !strcmp(says, d->says) : says == d->says;
	int dev = open_device(), again;

	must(dev >= 0, "device");
	puts("TAP version 13");
	if (!check(same, "%s: what is rejected", d->what))
		printf("# says '%s', want '%s'\n", says ?: "nothing",
		       d->says ?: "nothing");
	/* The size in the handover is not trusted. */
	check_is(recorded_bytes() <= 1 << 20, 1, "bytes of the records");
	check_targets(d->lost);
	check_is(count_files(dev, "a", memfd_of_a, 2), d->a, "files of a");
	check_is(count_files(dev, "b", file_of_b, B_FILES), d->b, "files of b");
	check_is(count_files(dev, "c", memfd_of_c, 1), d->c, "files of c");
	check_is(count_empty(dev), d->empty, "empty sessions");
	check_is(count_files(dev, LONG_NAME, none, 0), d->longname ? 0 : GONE,
	      "the long name");
	/* The next live update can be prepared. */
	again = create(dev, "a");
	check_is(again >= 0 && !preserve(again, memfd(4096, 1), 1), 1,
	      "a new session");
	return end_tests();
}

int main(int argc, char **argv)
{
	unsigned int n;

	if (argc == 2 && !strcmp(argv[1], "count")) {
		printf("%zu\n", NR_DAMAGES);
		return 0;
	}
	if (argc < 2 || sscanf(argv[argc - 1], "%u", &n) != 1 || n >= NR_DAMAGES)
		return 2;
	return argc == 3 ? hold(&damages[n]) : verify(&damages[n]);
}
