/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What of kernel/liveupdate a fuzzer has run: KCOV gives the addresses that a task has
 * passed, and a file of the host has all that there are.
 */

#ifndef FUZZ_COVER_H
#define FUZZ_COVER_H

#include <sys/ioctl.h>
#include <sys/mman.h>

#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)
#define KCOV_TRACE_PC	0
#define KCOV_WORDS	(1UL << 13)

#define MAX_POINTS	32768

/* Shared by all processes of the fuzzer. */
struct cover {
	unsigned int nr_points;
	uint64_t points[MAX_POINTS];	/* addresses, ascending */
	uint8_t seen[MAX_POINTS];
};

static inline unsigned int cover_find(const struct cover *cover, uint64_t pc)
{
	unsigned int from = 0, to = cover->nr_points, middle;

	while (from + 1 < to) {
		middle = (from + to) / 2;
		if (cover->points[middle] <= pc)
			from = middle;
		else
			to = middle;
	}
	return from;
}

/* What the stages before have run, one address a line; the file need not exist. */
static inline void cover_read_seen(struct cover *cover, const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned long long pc;

	while (f && fscanf(f, "%llx", &pc) == 1)
		cover->seen[cover_find(cover, pc)] = 1;
	if (f)
		fclose(f);
}

static inline void cover_write_seen(const struct cover *cover, const char *path)
{
	FILE *f = fopen(path, "w");
	unsigned int i;

	must(f, path);
	for (i = 0; i < cover->nr_points; i++)
		if (cover->seen[i])
			fprintf(f, "%llx\n", (unsigned long long)cover->points[i]);
	must(!fclose(f), path);
}

/* Of one thread. */
struct kcov {
	int fd;
	unsigned long *words;	/* the first is the number of the others */
};

static inline void cover_read(struct cover *cover, const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned long long pc;

	must(f, path);
	while (cover->nr_points < MAX_POINTS && fscanf(f, "%llx", &pc) == 1)
		cover->points[cover->nr_points++] = pc;
	must(feof(f) && cover->nr_points, "as many addresses as fit");
	fclose(f);
}

/* Without KCOV in the kernel there is no coverage, and @kcov->words is NULL. */
static inline void kcov_begin(struct kcov *kcov)
{
	kcov->words = NULL;
	kcov->fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov->fd < 0 || ioctl(kcov->fd, KCOV_INIT_TRACE, KCOV_WORDS))
		return;
	kcov->words = mmap(NULL, KCOV_WORDS * sizeof(long), PROT_READ | PROT_WRITE,
			   MAP_SHARED, kcov->fd, 0);
	must(kcov->words != MAP_FAILED && !ioctl(kcov->fd, KCOV_ENABLE, KCOV_TRACE_PC),
	     "kcov");
	kcov->words[0] = 0;
}

/* Adds what the thread has passed; whether some of it is new. */
static inline bool kcov_collect(struct kcov *kcov, struct cover *cover)
{
	unsigned long i, n;
	bool is_new = false;
	unsigned int at;

	if (!kcov->words || !cover->nr_points)
		return false;
	n = __atomic_load_n(&kcov->words[0], __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < KCOV_WORDS; i++) {
		at = cover_find(cover, kcov->words[i]);
		if (cover->points[at] != kcov->words[i] || cover->seen[at])
			continue;
		cover->seen[at] = 1;
		is_new = true;
	}
	__atomic_store_n(&kcov->words[0], 0, __ATOMIC_RELAXED);
	return is_new;
}

#endif
