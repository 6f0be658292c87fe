// SPDX-License-Identifier: GPL-2.0

/*
 * A live update between two kernels of which either may have this LUO or that of the
 * base: 1,000 sessions with 10,000 memfds. Uses only what both have.
 *
 *	cross_test hold KERNEL NUMBER
 *		create all of it for live update NUMBER, hold it
 *	cross_test check KERNEL NUMBER
 *		check and finish all of it in the next kernel, as TAP
 *
 * KERNEL is what this kernel has to be: the LUO, "base" or "ours", and "72" if it is of
 * that series.
 */

#include "luo_test.h"

#include <sys/klog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define SESSIONS	1000
#define FILES		10000
#define GONE		130	/* sessions that end before, and files of one of them */
#define PAGE		4096
#define PAGE_WORDS	(PAGE / sizeof(uint64_t))
#define CHUNK		16	/* pages that are read at a time */
#define SPARSE		(1UL << 20)	/* larger files have a page in each CHUNK */
#define SEALS		(F_SEAL_SHRINK | F_SEAL_GROW)
#define SYSLOG_READ_ALL	3
#define LOG_SIZE	(1UL << 20)
#define FLBS		3
#define SHOWN		10	/* mistakes */

/*
 * Files of the first sessions: around what fits a block of the base (63) and of this LUO
 * (56), and the second such block.
 */
static const int first_counts[] = {
	12, 0, 1, 55, 56, 57, 62, 63, 64, 111, 112, 113, 125, 126, 127, 1000,
};

/* Of the files of session 0. */
static const size_t first_sizes[] = {
	64UL << 20, 0, 1, 7, PAGE - 1, PAGE, PAGE + 1, 12345, 3 * PAGE, SPARSE - 1,
	(2UL << 20) + 1, (16UL << 20) - PAGE,
};

#define FIRST		((int)(sizeof(first_counts) / sizeof(first_counts[0])))
#define NR_SIZES	((int)(sizeof(first_sizes) / sizeof(first_sizes[0])))

static int counts[SESSIONS];
static int mistakes;
static uint64_t number;		/* of the live update */

/* What the set consists of */

static void count_files(void)
{
	int i, left = FILES;

	for (i = 0; i < SESSIONS; i++) {
		counts[i] = i % 7 ? 9 : 0;
		if (i < FIRST)
			counts[i] = first_counts[i];
		left -= counts[i];
	}
	counts[SESSIONS - 1] += left;
	must(left >= 0, "more files than planned");
}

static uint64_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15ULL;
	x ^= x >> 32;
	x *= 0xbf58476d1ce4e5b9ULL;
	return x ^ x >> 29;
}

/* Differs between files, and between live updates. */
static uint64_t seed(int i, int j)
{
	return mix(number << 40 | (uint64_t)i << 20 | j);
}

static uint64_t token(int i, int j)
{
	return j == 0 ? 0 : j == 1 ? UINT64_MAX : seed(i, j) | 1;
}

static size_t size_of(int i, int j)
{
	uint64_t x = seed(i, j);

	if (i == 0)
		return first_sizes[j % NR_SIZES];
	/* Each page takes time to preserve; most files have one or none. */
	return x % 8 == 0 ? 0 : x % 64 == 1 ? 1 + x / 64 % (5 * PAGE) :
		1 + x / 64 % PAGE;
}

static off_t position(int i, int j)
{
	return size_of(i, j) / 3;
}

static int seals_of(int i, int j)
{
	return (i + j) % 5 ? 0 : SEALS;
}

/* Longest names of nearly all bytes, and in UTF-8; shortest ones; others. */
static void name_session(char *name, int i)
{
	static const char utf8[] = "gr\303\274n \342\202\254";
	int k;

	memset(name, 0, NAME_LEN);
	for (k = 0; k < NAME_LEN - 1 && i < 6; k++)
		name[k] = i < 4 ? 1 + i * (NAME_LEN - 1) + k :
			  i == 4 ? 'n' : utf8[k % (sizeof(utf8) - 1)];
	if (i == 6 || i == 7)
		name[0] = i == 6 ? '\377' : 'x';
	else if (i > 7)
		snprintf(name, NAME_LEN, "session %d of live update %d", i, (int)number);
}

/* Whether a page of a file has data. Others are holes. */
static bool has_data(size_t size, size_t page)
{
	return size <= SPARSE || page % CHUNK == 0 || page == (size - 1) / PAGE;
}

static void fill(uint64_t *to, int i, int j, size_t page)
{
	uint64_t x = seed(i, j) + page * 0xd6e8feb86659fd93ULL;
	size_t k;

	for (k = 0; k < PAGE_WORDS; k++) {
		x += 0x9e3779b97f4a7c15ULL;
		to[k] = x ^ x >> 31;
	}
}

/* Creating it */

static int make_file(int i, int j)
{
	size_t size = size_of(i, j), page, len;
	int fd = memfd_create("cross", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t data[PAGE_WORDS];

	must(fd >= 0 && !ftruncate(fd, size), "memfd");
	for (page = 0; page * PAGE < size; page++) {
		if (!has_data(size, page))
			continue;
		len = size - page * PAGE < PAGE ? size - page * PAGE : PAGE;
		fill(data, i, j, page);
		must(pwrite(fd, data, len, page * PAGE) == (ssize_t)len, "pwrite");
	}
	must(lseek(fd, position(i, j), SEEK_SET) == position(i, j), "lseek");
	must(!fcntl(fd, F_ADD_SEALS, seals_of(i, j)), "seals");
	return fd;
}

static void name_gone(char *name, int i)
{
	snprintf(name, NAME_LEN, "gone %d", i);
}

/* Sessions that end at once: their records, and blocks of records, are taken back. */
static void create_and_close(int dev)
{
	char name[NAME_LEN];
	int s[GONE], i, fd;

	for (i = 0; i < GONE; i++) {
		name_gone(name, i);
		s[i] = create(dev, name);
		fd = memfd_create("gone", MFD_CLOEXEC);
		must(s[i] >= 0 && !preserve(s[0], fd, i), "gone");
		close(fd);
	}
	for (i = 0; i < GONE; i++)
		close(s[i]);
}

/* Files that cannot be preserved; there is a block for their records already. */
static void preserve_in_vain(int s, int i)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = memfd_create("vain", MFD_CLOEXEC);

	must(preserve(s, null, 2) == -ENOENT, "a file without a handler");
	must(!counts[i] || preserve(s, fd, token(i, 0)) == -EEXIST, "a token twice");
	close(null);
	close(fd);
}

static void hold(int dev)
{
	char name[NAME_LEN];
	int i, j, s, fd;

	for (i = 0; i < SESSIONS; i++) {
		if (i % 499 == 1)
			create_and_close(dev);
		name_session(name, i);
		s = create(dev, name);
		errno = -s;
		must(s >= 0, "create");
		for (j = 0; j < counts[i]; j++) {
			fd = make_file(i, j);
			errno = -preserve(s, fd, token(i, j));
			must(!errno, "preserve");
			close(fd);
		}
		preserve_in_vain(s, i);
	}
	hold_until_kexec();
}

/* Checking it */

static void mistake(int i, int j, const char *what, long is)
{
	if (++mistakes <= SHOWN)
		printf("# session %d, file %d of %d: %s (%ld)\n", i, j, counts[i], what,
		       is);
}

static bool content_intact(int fd, int i, int j, size_t size)
{
	static uint64_t have[CHUNK * PAGE_WORDS], want[CHUNK * PAGE_WORDS];
	size_t at, len, page;

	for (at = 0; at < size; at += len) {
		len = size - at < sizeof(have) ? size - at : sizeof(have);
		for (page = 0; page * PAGE < len; page++) {
			if (has_data(size, at / PAGE + page))
				fill(want + page * PAGE_WORDS, i, j, at / PAGE + page);
			else
				memset(want + page * PAGE_WORDS, 0, PAGE);
		}
		if (pread(fd, have, len, at) != (ssize_t)len || memcmp(have, want, len))
			return false;
	}
	return true;
}

static bool file_intact(int s, int i, int j)
{
	int fd = retrieve(s, token(i, j)), before = mistakes;
	size_t size = size_of(i, j);
	struct stat st;

	if (fd < 0) {
		mistake(i, j, "not retrieved", fd);
		return false;
	}
	if (fstat(fd, &st) || (size_t)st.st_size != size)
		mistake(i, j, "size", st.st_size);
	else if (!content_intact(fd, i, j, size))
		mistake(i, j, "content", size);
	if (lseek(fd, 0, SEEK_CUR) != position(i, j))
		mistake(i, j, "position", lseek(fd, 0, SEEK_CUR));
	if (fcntl(fd, F_GET_SEALS) != seals_of(i, j))
		mistake(i, j, "seals", fcntl(fd, F_GET_SEALS));
	close(fd);
	return mistakes == before;
}

/* The session as it was, but for its files; -1 if it is not. */
static int claim_session(int dev, int i)
{
	struct liveupdate_session_get_name get = { .size = sizeof(get) };
	char name[NAME_LEN];
	int s, err;

	name_session(name, i);
	s = claim(dev, name);
	if (s < 0) {
		mistake(i, 0, "session not retrieved", s);
		return -1;
	}
	err = call(s, LIVEUPDATE_SESSION_GET_NAME, &get);
	if (err || memcmp(get.name, name, NAME_LEN))
		mistake(i, 0, "name", err);
	err = retrieve(s, counts[i] ? 2 : 0);
	if (err != -ENOENT)
		mistake(i, 0, "a file that the session did not have", err);
	return s;
}

/* Sessions that had ended before. */
static void claim_gone(int dev)
{
	char name[NAME_LEN];
	int i, s;

	for (i = 0; i < GONE; i++) {
		name_gone(name, i);
		s = claim(dev, name);
		if (s != -ENOENT)
			mistake(0, i, "a session that had ended", s);
	}
}

/* What the kernel has logged so far. */
static const char *kernel_log(void)
{
	static char log[LOG_SIZE];
	int len = klogctl(SYSLOG_READ_ALL, log, LOG_SIZE - 1);

	must(len > 0, "kernel log");
	log[len] = '\0';
	return log;
}

/* How many of the FLBs of the base's own test say this. */
static int flbs_say(const char *what)
{
	const char *log = kernel_log();
	char line[128];
	int i, n = 0;

	for (i = 0; i < FLBS; i++) {
		snprintf(line, sizeof(line), "liveupdate-test-flb-v%d: %s", i, what);
		n += !!strstr(log, line);
	}
	return n;
}

static bool is_ours(const char *kernel)
{
	return !strncmp(kernel, "ours", 4);
}

/* Whether this kernel is that one. */
static bool is_kernel(const char *kernel)
{
	struct utsname u;

	must(!uname(&u), "uname");
	return is_ours(kernel) == !access("/sys/kernel/liveupdate", F_OK) &&
	       !!strstr(kernel, "72") == !strncmp(u.release, "7.2", 3);
}

static void check_number(const char *kernel)
{
	char line[128];

	if (is_ours(kernel))
		snprintf(line, sizeof(line),
			 "live update %d: %d sessions, %d files handed over\n", (int)number,
			 SESSIONS, FILES);
	else
		snprintf(line, sizeof(line), "liveupdate number: %d\n", (int)number);
	check(!!strstr(kernel_log(), line), "the kernel logs live update %d",
	      (int)number);
}

static void finish_all(int *s)
{
	int i, n = 0;

	for (i = 0; i < SESSIONS; i++) {
		if (i == SESSIONS - 1)
			check(!flbs_say("finish was triggered"),
			      "no FLB is finished before the last file");
		n += s[i] >= 0 && !finish(s[i]);
		close(s[i]);
	}
	check(n == SESSIONS, "%d sessions are finished", SESSIONS);
	check(flbs_say("finish was triggered") == FLBS, "%d FLBs are finished", FLBS);
}

static void check_none_left(int dev)
{
	char name[NAME_LEN];
	int i, n = 0;

	for (i = 0; i < SESSIONS; i++) {
		name_session(name, i);
		n += claim(dev, name) == -ENOENT;
	}
	check(n == SESSIONS, "none of them is left");
}

static void check_all(int dev, const char *kernel)
{
	int s[SESSIONS], i, j, k, claimed = 0, files = 0;

	check(is_kernel(kernel), "this kernel is %s", kernel);
	check_number(kernel);
	check(flbs_say("found flb data") == FLBS, "%d FLBs are handed over", FLBS);
	/* In another order than they were created. */
	for (k = 0; k < SESSIONS; k++) {
		i = (k * 387 + 13) % SESSIONS;
		s[i] = claim_session(dev, i);
		claimed += s[i] >= 0;
		for (j = counts[i] - 1; s[i] >= 0 && j >= 0; j--)
			files += file_intact(s[i], i, j);
	}
	claim_gone(dev);
	check(claimed == SESSIONS, "%d sessions are retrieved", claimed);
	check(files == FILES, "%d files are bit-exact", files);
	check(!mistakes, "names, positions and seals are as before, nothing is added");
	finish_all(s);
	check_none_left(dev);
}

int main(int argc, char **argv)
{
	const struct rlimit limit = { 2 * SESSIONS, 2 * SESSIONS };
	int dev = open_device();

	must(dev >= 0, DEVICE);
	must(argc == 4 && !setrlimit(RLIMIT_NOFILE, &limit), "arguments");
	number = atoi(argv[3]);
	count_files();
	if (!strcmp(argv[1], "hold")) {
		if (!is_kernel(argv[2])) {
			fprintf(stderr, "cross_test: this kernel is not %s\n", argv[2]);
			return 1;
		}
		hold(dev);
	}
	puts("KTAP version 1");
	check_all(dev, argv[2]);
	return end_tests();
}
