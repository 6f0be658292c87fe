// SPDX-License-Identifier: GPL-2.0

/*
 * Damaged handovers: places are overwritten once the handover is complete. The next kernel
 * rejects what is damaged, says so, and accepts the rest; no memory of another session is
 * freed. damage_table.h has the places.
 *
 *	damage_test hold N	make sessions, ask for the damages of update N, hold them
 *	damage_test N		check what update N left, as TAP
 *	damage_test count	print the number of updates
 */

#include "damage_table.h"
#include "luo_rejects.h"

#include <libfdt.h>
#include <linux/liveupdate_recorder.h>
#include <stddef.h>
#include <sys/resource.h>

#define TREE_PATH	"/sys/kernel/debug/kho/out/sub_fdts/LUO-FDT"
#define KERNEL_PATH	"/state/kernel"
#define USED		(64 << 20)

/* The callback targets that are handed over, too, and their cookies. */
static const struct {
	const char *name;
	int target;
	uint64_t given, comes;
} targets[] = {
	{ "flb", LIVEUPDATE_TEST_ON_FLB, 3000, 3000 },
	{ "first", LIVEUPDATE_TEST_ON_FIRST, 1000, 1001 },
	{ "second", LIVEUPDATE_TEST_ON_SECOND, 2000, 2001 },
};

#define NR_TARGETS	3

static const char *session_name(int session)
{
	static char name[16];

	if (session == LONG)
		return LONG_NAME;
	if (session == B || session == C)
		return session == B ? "b" : "c";
	if (session < W(0))
		snprintf(name, sizeof(name), "v%d", session);
	else if (session < B)
		snprintf(name, sizeof(name), "w%d", session - W(0));
	else
		snprintf(name, sizeof(name), "e%d", session - E(0));
	return name;
}

/* How many files a session has; their tokens count from 1. */
static int session_files(int session)
{
	if (session == B)
		return B_FILES;
	if (session < W(0) || session == C)
		return 2;
	return session < B ? W_FILES : 0;
}

static bool has_memfd(int session, int token)
{
	return session == C || (session < W(0) && token == 2);
}

static bool is_guest(int session, int token)
{
	return session == C && token == 2;
}

/* A page of a guest that looks like a block with two records of files. */
static int block_of_a_guest(void)
{
	struct {
		uint64_t next, count;
		struct {
			char compatible[48];
			uint64_t data, token;
		} files[2];
	} block = { 0, 2, { { "nobody-v1", 0, 1 }, { "nobody-v1", 0, 2 } } };
	int fd = memfd(PAGE, 4);

	must(fd >= 0 && pwrite(fd, &block, sizeof(block), 0) == sizeof(block), "block");
	return fd;
}

static size_t memfd_size(int session)
{
	return session == C ? 7000 : 5000;
}

static int make_file(int session, int token)
{
	if (is_guest(session, token))
		return block_of_a_guest();
	if (has_memfd(session, token))
		return memfd(memfd_size(session), session);
	return test_file(1000 * session + token);
}

static bool guest_is_intact(int fd)
{
	int want = block_of_a_guest();
	char is[PAGE_MAX], was[PAGE_MAX];
	bool same;

	same = pread(fd, is, PAGE, 0) == PAGE &&
	       pread(want, was, PAGE, 0) == PAGE &&
	       !memcmp(is, was, PAGE);
	close(want);
	return same;
}

static bool file_is_intact(int fd, int session, int token)
{
	if (is_guest(session, token))
		return guest_is_intact(fd);
	if (has_memfd(session, token))
		return memfd_intact(fd, memfd_size(session), session);
	return test_get(fd).cookie == 1000ULL * session + token;
}

/* Physical address of a page of this process. */
static uint64_t page_address(volatile uint8_t *p)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	must(pagemap >= 0 && p[0] + 1, "pagemap");
	must(pread(pagemap, &entry, 8, (uintptr_t)p / PAGE * 8) == 8, "pagemap");
	close(pagemap);
	must(entry >> 63 && entry << 9 >> 9, "pagemap");
	return (entry << 9 >> 9) * PAGE;
}

static uint64_t mapped_address(int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	must(p != MAP_FAILED, "mmap");
	if (fd < 0)
		memset(p, 1, PAGE);
	return page_address(p);
}

/* Begin and end of a part of the running kernel. */
static void kernel_range(const char *name, uint64_t *begin, uint64_t *end)
{
	FILE *f = fopen("/proc/iomem", "r");
	unsigned long long from, to;
	char line[128];

	must(f, "iomem");
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, name) && sscanf(line, "%llx-%llx", &from, &to) == 2) {
			fclose(f);
			*begin = from;
			*end = to;
			return;
		}
	}
	must(false, name);
}

static uint64_t kernel_address(const char *name)
{
	uint64_t begin, end;

	kernel_range(name, &begin, &end);
	return (begin + end) / 2 / PAGE * PAGE;
}

/* An address that the hook does not know. */
static uint64_t find_address(enum address to, int guest)
{
	switch (to) {
	case GUEST_PAGE:
		return mapped_address(guest);
	case INSIDE_A_PAGE:
		return mapped_address(guest) + 8;
	case KERNEL_TEXT:
		return kernel_address("Kernel code");
	case KERNEL_DATA:
		return kernel_address("Kernel data");
	default:
		return mapped_address(-1);
	}
}

/* Offset of the value of a property, in the tree as it will be written. */
static unsigned int value_offset(const struct damage *d)
{
	static char tree[PAGE_MAX];
	int fd = open(TREE_PATH, O_RDONLY), node;
	const char *value;

	must(fd >= 0 && read(fd, tree, sizeof(tree)) > 0, TREE_PATH);
	close(fd);
	node = fdt_path_offset(tree, d->node);
	value = node < 0 ? NULL : fdt_getprop(tree, node, d->prop, NULL);
	must(value, d->prop);
	return value - tree;
}

/* The addresses that the hook knows. */
static const unsigned int others[] = {
	[ITSELF] = 0, [FILES_OF_C] = 1 + C,
	[TREE_PAGE] = LIVEUPDATE_TEST_TO_TREE, [TABLE_PAGE] = LIVEUPDATE_TEST_TO_TABLE,
};

static void ask_for(const struct damage *d, int guest)
{
	struct liveupdate_test_damage arg = {
		.size = sizeof(arg), .where = d->where, .session = d->session,
		.index = d->index, .offset = d->offset, .len = d->len,
		.value = d->value,
	};
	int fd = open(TEST_DEVICE, O_RDWR);

	if (d->prop)
		arg.offset += value_offset(d);
	if (d->address <= TABLE_PAGE) {
		arg.other = others[d->address];
	} else {
		arg.len = 8;
		arg.value = find_address(d->address, guest);
	}
	must(fd >= 0 && !ioctl(fd, LIVEUPDATE_TEST_DAMAGE, &arg), "damage");
	close(fd);
}

static void save_kernel(void)
{
	FILE *f = fopen(KERNEL_PATH, "w");

	must(f && fprintf(f, "%llx %llx\n",
			  (unsigned long long)kernel_address("Kernel code"),
			  (unsigned long long)kernel_address("Kernel data")) > 0 &&
	     !fclose(f), KERNEL_PATH);
}

static int hold(const struct update *u)
{
	int dev = open_device(), guest = -1, session, fd, i, token;

	must(dev >= 0, "device");
	save_kernel();
	for (i = 0; i < NR_TARGETS; i++)
		target_value(targets[i].target, targets[i].given);
	for (i = 0; i < SESSIONS; i++) {
		session = create(dev, session_name(i));
		must(session >= 0, session_name(i));
		for (token = 1; token <= session_files(i); token++) {
			fd = make_file(i, token);
			must(!preserve(session, fd, token), session_name(i));
			if (is_guest(i, token))
				guest = fd;
			else
				close(fd);
		}
	}
	for (i = 0; i < MAX_DAMAGES && u->damages[i].len + u->damages[i].address; i++)
		ask_for(&u->damages[i], guest);
	return hold_until_kexec();
}

static bool is_about_rejects(const char *text)
{
	static const char *const words[] = {
		"rejected", "disagree", "is not used", "stay reserved", "not registered (yet)",
		"wrong header",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(text, words[i]))
			return true;
	}
	return false;
}

/* What the kernel log says of rejects, in the words of the table. */
static const char *log_says(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	static char all[8192], record[8192];
	size_t len = 0;
	ssize_t n;

	must(fd >= 0, "kmsg");
	while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
		char *text = strchr(record, ';');

		record[n] = '\0';
		record[strcspn(record, "\n")] = '\0';
		if (!text || strncmp(text, ";luo: ", 6) || !is_about_rejects(text))
			continue;
		len += snprintf(all + len, sizeof(all) - len, "%s; ", text + 6);
		must(len < sizeof(all), "log");
	}
	close(fd);
	return all;
}

/* Whether a word of @lost has the session, as a whole or, if there is one, the file. */
static bool is_named(const char *word, const char *name, int token)
{
	unsigned int first, last, nr, from, to;
	char text[80], letter, of;
	char *tokens;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(word, " "), word);
	tokens = strchr(text, ':');
	if (tokens) {
		*tokens++ = '\0';
		nr = sscanf(tokens, "%u-%u", &from, &to);
		must(nr >= 1, word);
		if (token < (int)from || token > (int)(nr == 1 ? from : to))
			return false;
	}
	if (!strcmp(text, name))
		return true;
	nr = sscanf(text, "%c%u-%u", &letter, &first, &last);
	if (nr < 2 || letter != name[0])
		return false;
	last = nr == 2 ? first : last;
	return sscanf(name, "%c%u", &of, &nr) == 2 && nr >= first && nr <= last;
}

static bool is_lost(const struct update *u, const char *name, int token)
{
	const char *word;

	for (word = u->lost; *word; word += strspn(word, " ")) {
		if (is_named(word, name, token))
			return true;
		word += strcspn(word, " ");
	}
	return false;
}

static int sessions[MAX_SESSIONS], memfds[MAX_SESSIONS][3];

/* Retrieve a file and compare it. Returns whether it is lost or there as wanted. */
static bool file_is_as_wanted(const struct update *u, int i, int token)
{
	bool lost = is_lost(u, session_name(i), token), same;
	int fd = retrieve(sessions[i], token);

	if (fd < 0)
		/* The second: its handler rejects what nothing proves. */
		same = (fd == -ENOENT || fd == -EINVAL) && lost;
	else
		same = !lost && file_is_intact(fd, i, token);
	if (!same)
		printf("# %s: file %d: %s, want it %s\n", session_name(i), token,
		       fd < 0 ? strerror(-fd) : "is there", lost ? "lost" : "intact");
	if (fd >= 0 && has_memfd(i, token))
		memfds[i][token] = fd;
	else if (fd >= 0)
		close(fd);
	return same;
}

static bool session_is_as_wanted(const struct update *u, int dev, int i)
{
	const char *name = session_name(i);
	bool lost = is_lost(u, name, 0), same = true;
	int token;

	sessions[i] = claim(dev, name);
	if (lost != (sessions[i] == -ENOENT)) {
		printf("# %s: %d, want it %s\n", name, sessions[i], lost ? "lost" : "there");
		return false;
	}
	if (lost)
		return true;
	must(sessions[i] >= 0, name);
	for (token = 1; token <= session_files(i) && same; token++)
		same = file_is_as_wanted(u, i, token);
	return same;
}

static void check_sessions(const struct update *u, int dev)
{
	int i, wrong = 0;

	for (i = 0; i < SESSIONS; i++) {
		bool same = session_is_as_wanted(u, dev, i);

		if (i < E(0))
			check(same, "session %s", session_name(i));
		else
			wrong += !same;
	}
	check(!wrong, "empty sessions");
}

/*
 * A page that is freed by mistake is free alone, as its neighbours are preserved. Such
 * pages are used first.
 */
static void use_memory(void)
{
	char *p = mmap(NULL, USED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	must(p != MAP_FAILED, "memory");
	memset(p, 0xa5, USED);
	munmap(p, USED);
}

static void check_memfds_again(void)
{
	int i, token, wrong = 0;

	use_memory();
	for (i = 0; i < SESSIONS; i++) {
		for (token = 1; token <= 2; token++) {
			int fd = memfds[i][token];

			if (!fd || file_is_intact(fd, i, token))
				continue;
			printf("# %s: file %d\n", session_name(i), token);
			wrong++;
		}
	}
	check(!wrong, "memfds after free memory was used");
}

static void check_targets(const struct update *u)
{
	int i;

	retrieve_flb();
	for (i = 0; i < NR_TARGETS; i++) {
		uint64_t want = is_lost(u, targets[i].name, 0) ? 0 : targets[i].comes;

		check(target_value(targets[i].target, 0) == want, "%s", targets[i].name);
	}
}

/* The previous kernel took its own addresses for those of this one. */
static void check_kernel(void)
{
	unsigned long long address[2];
	FILE *f = fopen(KERNEL_PATH, "r");
	uint64_t begin, end;

	must(f && fscanf(f, "%llx %llx", &address[0], &address[1]) == 2, KERNEL_PATH);
	fclose(f);
	kernel_range("Kernel code", &begin, &end);
	check(address[0] >= begin && address[0] < end, "address of the kernel's text");
	kernel_range("Kernel data", &begin, &end);
	check(address[1] >= begin && address[1] < end, "address of the kernel's data");
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

static int verify(const struct update *u)
{
	int dev = open_device(), again, i;
	const char *is = log_says();

	must(dev >= 0, "device");
	puts("TAP version 13");
	check_string(rejects(), u->rejects, "what is rejected");
	if (!check(!fnmatch(u->says, is, 0), "what the log says"))
		printf("# is   '%s'\n# want '%s'\n", is, u->says);
	/* The size in the handover is not trusted. */
	check(recorded_bytes() <= 256UL * PAGE, "bytes of the records");
	for (i = 0; i < MAX_DAMAGES; i++) {
		if (u->damages[i].address == KERNEL_TEXT)
			check_kernel();
	}
	check_targets(u);
	check_sessions(u, dev);
	check_memfds_again();
	for (i = 0; i < SESSIONS; i++)
		must(sessions[i] < 0 || !finish(sessions[i]), "finish");
	/* The next live update can be prepared. */
	again = create(dev, "v0");
	check(again >= 0 && !preserve(again, memfd(PAGE, 1), 1), "a new session");
	return end_tests();
}

int main(int argc, char **argv)
{
	const struct rlimit files = { 4096, 4096 };
	const struct update *u;
	unsigned int n = 0;

	if (argc == 2 && !strcmp(argv[1], "count")) {
		while (find_update(n))
			n++;
		printf("%u\n", n);
		return 0;
	}
	if (argc < 2 || sscanf(argv[argc - 1], "%u", &n) != 1)
		return 2;
	u = find_update(n);
	/* A session is an open file. */
	if (!u || setrlimit(RLIMIT_NOFILE, &files))
		return 2;
	return argc == 3 ? hold(u) : verify(u);
}
