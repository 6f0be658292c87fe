// SPDX-License-Identifier: GPL-2.0

/*
 * One memfd through many live updates.
 *
 *	many_test FILE first
 *			create the memfd, preserve it, add a line to FILE about the
 *			memory of this kernel, wait
 *	many_test FILE again
 *			retrieve and check it before that
 *	many_test FILE last
 *			the same, and check the lines instead of waiting
 */

#include "luo_test.h"

#define SIZE	(4UL << 20)
#define MAX	64

static unsigned long meminfo(const char *key)
{
	char line[128];
	unsigned long kb = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)))
			kb = strtoul(line + strlen(key), NULL, 10);
	}
	fclose(f);
	return kb;
}

static int fail(const char *what)
{
	fprintf(stderr, "many_test: %s\n", what);
	return 1;
}

static int compare(const void *a, const void *b)
{
	const unsigned long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * The median of five: no figure of free memory includes what is on the CPUs' lists of
 * pages at that moment, some MiB.
 */
static unsigned long middle(const unsigned long *from)
{
	unsigned long five[5];

	memcpy(five, from, sizeof(five));
	qsort(five, 5, sizeof(five[0]), compare);
	return five[2];
}

static int judge(const char *path, bool intact)
{
	unsigned long slab[MAX], available[MAX], pages[MAX];
	FILE *f = fopen(path, "r");
	bool same = true, small;
	int n = 0, i;

	while (n < MAX && fscanf(f, "%lu %lu %lu", &slab[n], &available[n],
				 &pages[n]) == 3)
		n++;
	fclose(f);
	/* The first kernel was not booted by a live update. */
	for (i = 2; i < n; i++)
		same = same && pages[i] == pages[1];
	/* KiB; 15 live updates lie between them, each hands over 4 MiB. */
	small = n > 10 && middle(slab + n - 5) < middle(slab + 1) + 256 &&
		middle(available + n - 5) + 4096 > middle(available + 1);

	puts("TAP version 13");
	for (i = 0; i < n; i++)
		printf("# update %d: slab %lu KiB, available %lu KiB, preserved %lu pages\n",
		       i, slab[i], available[i], pages[i]);
	check(intact, "the memfd is bit-exact after %d live updates", n - 1);
	check(same && n > 10, "each kernel preserved the same number of pages");
	check(small, "slab and available memory are as in the first");
	return end_tests();
}

int main(int argc, char **argv)
{
	int dev = open_device(), s, fd;
	bool intact = true;
	FILE *f;

	f = argc == 3 ? fopen(argv[1], "a") : NULL;
	if (dev < 0 || !f)
		return fail("no device or no file");
	if (!strcmp(argv[2], "first")) {
		fd = memfd(SIZE, 20);
	} else {
		s = claim(dev, "many");
		fd = retrieve(s, 1);
		intact = fd >= 0 && memfd_intact(fd, SIZE, 20);
		if (!intact && strcmp(argv[2], "last"))
			return fail("the memfd has changed");
		if (finish(s))
			return fail("finish");
		close(s);
	}
	s = create(dev, "many");
	if (s < 0 || preserve(s, fd, 1))
		return fail("preserve");
	fprintf(f, "%lu %lu %lu\n", meminfo("Slab:"), meminfo("MemAvailable:"),
		(unsigned long)preserved_pages());
	fclose(f);
	if (!strcmp(argv[2], "last"))
		return judge(argv[1], intact);
	return hold_until_kexec();
}
