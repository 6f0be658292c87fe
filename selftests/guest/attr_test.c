// SPDX-License-Identifier: GPL-2.0

/*
 * A memfd comes back as it was given: mode, access mode, O_APPEND, position, seals as of
 * the freeze, and what follows from them for a process that uses it.
 *
 *	attr_test hold		before a live update; writes what it preserved to FILE
 *	attr_test		after it, as TAP
 */

#include "luo_test.h"

#include <errno.h>
#include <sys/stat.h>

#define FILE_NAME	"/state/attr"
#define SIZE		8192
#define ALL_SEALS	0x3f
#ifndef MFD_EXEC
#define MFD_NOEXEC_SEAL	0x8U
#define MFD_EXEC	0x10U
#endif
#define NOEXEC		(MFD_NOEXEC_SEAL | MFD_CLOEXEC)
#define EXEC		(MFD_EXEC | MFD_ALLOW_SEALING | MFD_CLOEXEC)

enum group { PLAIN, MAPPED, LATE, ACCESS, PREPARED, NR_GROUPS };

#define MANY	256	/* more than recipes of a group */

static const char * const groups[] = {
	"seals and executable, sealed before preserve",
	"the same, mapped writable",
	"the same, sealed after preserve",
	"access mode, O_APPEND, mode and position",
	"changed after PREPARE, which has filled the record",
};

/* How a memfd is made. */
struct recipe {
	enum group group;
	unsigned int flags;
	int seals;
	int open;		/* flags to open it again with, -1: not */
	int mode;		/* -1: as made */
};

enum action { WRITES, MAPS, GROWS, SHRINKS, MAKES_EXECUTABLE, SEALS, NR_ACTIONS };

/* What can be seen of a memfd; @errs: of the actions of a process with it. */
struct seen {
	int mode, seals, flags;
	long pos;
	int errs[NR_ACTIONS];
	char first, last;
};

static int err_of(long ret)
{
	return ret < 0 ? errno : 0;
}

static struct seen look(int fd)
{
	struct seen s = {
		.seals = fcntl(fd, F_GET_SEALS),
		.flags = fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND),
		.pos = lseek(fd, 0, SEEK_CUR),
	};
	struct stat st = {};

	must(!fstat(fd, &st), "fstat");
	s.mode = st.st_mode;
	if ((s.flags & O_ACCMODE) == O_WRONLY || (s.flags & O_ACCMODE) == O_ACCMODE)
		return s;
	must(pread(fd, &s.first, 1, 0) == 1 && pread(fd, &s.last, 1, SIZE - 1) == 1,
	     "contents");
	return s;
}

/* Destroys what it tries. */
static void act(int fd, struct seen *s)
{
	void *p;

	s->errs[WRITES] = err_of(pwrite(fd, "x", 1, 0));
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	s->errs[MAPS] = p == MAP_FAILED ? errno : 0;
	if (p != MAP_FAILED)
		munmap(p, SIZE);
	s->errs[GROWS] = err_of(ftruncate(fd, 2 * SIZE));
	s->errs[SHRINKS] = err_of(ftruncate(fd, 0));
	s->errs[MAKES_EXECUTABLE] = err_of(fchmod(fd, 0711));
	s->errs[SEALS] = err_of(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
}

/*
 * One that is mapped, or pinned by preserve, refuses F_SEAL_WRITE and all that come with
 * it. Returns whether it accepts them.
 */
static bool seal(int fd, int seals)
{
	return !seals || !fcntl(fd, F_ADD_SEALS, seals);
}

static int open_again(int fd, int flags)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC);
	must(again >= 0, path);
	close(fd);
	return again;
}

static int make(const struct recipe *r, int n)
{
	int fd = memfd_create("attr", r->flags);
	char first = 'a' + n % 26, last = 'A' + n % 26;
	void *p;

	must(fd >= 0 && !ftruncate(fd, SIZE) && pwrite(fd, &first, 1, 0) == 1 &&
	     pwrite(fd, &last, 1, SIZE - 1) == 1, "memfd");
	if (r->group == MAPPED) {
		p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		must(p != MAP_FAILED, "mmap");
	}
	if (r->mode >= 0 && r->group != PREPARED)
		must(!fchmod(fd, r->mode), "mode");
	if (r->group != LATE && r->group != PREPARED)
		seal(fd, r->seals);
	if (r->open >= 0 && r->group != PREPARED)
		fd = open_again(fd, r->open);
	lseek(fd, n % SIZE, SEEK_SET);
	return fd;
}

/* A number gives the same recipe in both kernels; false after the last one. */
static bool recipe(int n, struct recipe *r)
{
	static const int opens[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_APPEND, O_WRONLY | O_APPEND,
		O_RDWR | O_APPEND, O_ACCMODE,
	};
	static const int modes[] = { 0, 0600, 0644, 0777, 01755 };
	const int nr_opens = sizeof(opens) / sizeof(opens[0]);
	const int nr_modes = sizeof(modes) / sizeof(modes[0]);

	*r = (struct recipe){ .open = -1, .mode = -1 };
	if (n < ACCESS * 2 * (ALL_SEALS + 1)) {
		r->group = n / (2 * (ALL_SEALS + 1));
		r->flags = n & 1 ? EXEC : NOEXEC;
		r->seals = n / 2 & ALL_SEALS;
		return true;
	}
	n -= ACCESS * 2 * (ALL_SEALS + 1);
	r->group = ACCESS;
	r->flags = EXEC;
	if (n < nr_opens)
		r->open = opens[n];
	else if (n < nr_opens + nr_modes)
		r->mode = modes[n - nr_opens];
	if (n < nr_opens + nr_modes)
		return true;

	n -= nr_opens + nr_modes;
	r->group = PREPARED;
	if (n <= ALL_SEALS)
		r->seals = n;
	else if (n <= ALL_SEALS + nr_modes)
		r->mode = modes[n - ALL_SEALS - 1];
	else
		r->open = O_APPEND;
	return n <= ALL_SEALS + nr_modes + 1;
}

/* What PREPARED leaves for later. Returns false if the seals are not accepted. */
static bool change(int fd, const struct recipe *r)
{
	if (r->mode >= 0)
		must(!fchmod(fd, r->mode), "mode");
	if (r->open >= 0)
		must(!fcntl(fd, F_SETFL, r->open), "flags");
	return seal(fd, r->seals);
}

static int hold(void)
{
	int dev = open_device(), s, fds[MANY], fd, twin, n, out, first = -1;
	struct recipe r;
	struct seen seen;

	must(dev >= 0, DEVICE);
	s = create(dev, "attr");
	out = open(FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(s >= 0 && out >= 0, FILE_NAME);
	for (n = 0; recipe(n, &r); n++) {
		fd = make(&r, n);
		must(!preserve(s, fd, n), "preserve");
		if (r.group == PREPARED) {
			if (first < 0)
				first = n;
			must(n - first < MANY, "room");
			fds[n - first] = fd;
			continue;
		}
		twin = make(&r, n);
		if (r.group == LATE && seal(fd, r.seals))
			must(seal(twin, r.seals), "seals");
		seen = look(fd);
		act(twin, &seen);
		close(twin);
		must(write(out, &seen, sizeof(seen)) == sizeof(seen), FILE_NAME);
	}
	must(!event(s, true, LIVEUPDATE_PREPARE), "PREPARE");
	for (n = first; recipe(n, &r); n++) {
		twin = make(&r, n);
		if (change(fds[n - first], &r))
			must(change(twin, &r), "seals");
		seen = look(fds[n - first]);
		act(twin, &seen);
		close(twin);
		must(write(out, &seen, sizeof(seen)) == sizeof(seen), FILE_NAME);
	}
	close(out);
	return hold_until_kexec();
}

static void say(int n, const struct seen *is, const struct seen *was)
{
	int i;

	printf("# %d: mode %o (%o) seals %#x (%#x) flags %#x (%#x) pos %ld (%ld), actions",
	       n, is->mode, was->mode, is->seals, was->seals, is->flags, was->flags,
	       is->pos, was->pos);
	for (i = 0; i < NR_ACTIONS; i++)
		printf(" %d (%d)", is->errs[i], was->errs[i]);
	puts("");
}

static bool is_equal(const struct seen *a, const struct seen *b)
{
	return !memcmp(a->errs, b->errs, sizeof(a->errs)) && a->mode == b->mode &&
	       a->seals == b->seals && a->flags == b->flags && a->pos == b->pos &&
	       a->first == b->first && a->last == b->last;
}

int main(int argc, char **argv)
{
	int all[NR_GROUPS] = {}, equal[NR_GROUPS] = {};
	int dev, s, in, fd, n;
	struct seen is, was;
	struct recipe r;

	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	puts("KTAP version 1");
	dev = open_device();
	s = claim(dev, "attr");
	in = open(FILE_NAME, O_RDONLY);
	must(s >= 0 && in >= 0, FILE_NAME);
	for (n = 0; recipe(n, &r); n++) {
		must(read(in, &was, sizeof(was)) == sizeof(was), FILE_NAME);
		fd = retrieve(s, n);
		must(fd >= 0, "retrieve");
		is = look(fd);
		act(fd, &is);
		all[r.group]++;
		if (is_equal(&is, &was))
			equal[r.group]++;
		else
			say(n, &is, &was);
		close(fd);
	}
	for (n = 0; n < NR_GROUPS; n++)
		check(equal[n] == all[n], "%s: %d of %d come back as they were",
		      groups[n], equal[n], all[n]);
	must(!finish(s), "finish");
	return end_tests();
}
