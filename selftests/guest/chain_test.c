// SPDX-License-Identifier: GPL-2.0

/*
 * One memfd through live updates of kernels that have this LUO and that of the base, in
 * turn, and what each of them leaves of the memory.
 *
 *	chain_test FILE hold
 *		retrieve, check and finish what was handed over, add a line to FILE about
 *		the memory of this kernel, preserve the memfd again, hold it
 *	chain_test FILE last
 *		the same, and check the lines instead of preserving, as TAP
 */

#include "luo_test.h"

#include <sys/klog.h>
#include <sys/resource.h>

#define SIZE		(32UL << 20)
#define SESSIONS	300	/* others, with a file each, that is never retrieved */
#define STAGES		4
#define SYSLOG_READ_ALL	3
#define LOG_SIZE	(1UL << 20)

/*
 * KiB. The memory that a kernel manages differs by its initramfs, by the few pages at the
 * edges of what was preserved; free memory by what the kernel has allocated meanwhile.
 */
#define EXACT		256
#define FREE		1024

struct stage {
	int ours;
	int intact;			/* the memfd, when it arrived here */
	unsigned long managed;		/* KiB: RAM that is not reserved */
	unsigned long free;		/* KiB, with what is on the lists of the CPUs */
	unsigned long kept;		/* KiB that the kernel says stay reserved */
};

/* The sum of the values of a key in a file of /proc. */
static unsigned long sum_of(const char *path, const char *key)
{
	unsigned long sum = 0;
	FILE *f = fopen(path, "r");
	char line[256], *at;

	must(!!f, path);
	while (fgets(line, sizeof(line), f)) {
		at = line + strspn(line, " ");
		if (!strncmp(at, key, strlen(key)))
			sum += strtoul(at + strlen(key), NULL, 10);
	}
	fclose(f);
	must(sum, key);
	return sum;
}

static unsigned long free_kib(void)
{
	return 4 * (sum_of("/proc/zoneinfo", "nr_free_pages ") +
		    sum_of("/proc/zoneinfo", "count:"));
}

/* What the kernel has said of memory that stays reserved. */
static unsigned long reserved(void)
{
	static char log[LOG_SIZE];
	int len = klogctl(SYSLOG_READ_ALL, log, LOG_SIZE - 1);
	char *at;

	must(len > 0, "kernel log");
	log[len] = '\0';
	at = strstr(log, " KiB of records that nothing proves stay reserved");
	while (at && at > log && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return at ? strtoul(at, NULL, 10) : 0;
}

static void name_other(char *name, size_t size, int i)
{
	snprintf(name, size, "other-%d", i);
}

/* Returns the memfd. */
static int take(int dev)
{
	char name[32];
	int s, fd, i;

	s = claim(dev, "chain");
	fd = retrieve(s, 1);
	must(fd >= 0 && !finish(s), "the memfd has not arrived");
	close(s);
	for (i = 0; i < SESSIONS; i++) {
		name_other(name, sizeof(name), i);
		s = claim(dev, name);
		must(s >= 0 && !finish(s), "finish");
		close(s);
	}
	return fd;
}

static void give(int dev, int fd)
{
	char name[32];
	int s, other, i;

	s = create(dev, "chain");
	must(!preserve(s, fd, 1), "preserve");
	for (i = 0; i < SESSIONS; i++) {
		name_other(name, sizeof(name), i);
		s = create(dev, name);
		other = memfd(10000, i);
		must(s >= 0 && other >= 0 && !preserve(s, other, i), "preserve");
		close(other);
	}
}

static void note(const char *path, int fd)
{
	unsigned long most = 0, now;
	FILE *f = fopen(path, "a");
	int i;

	must(!!f, path);
	/* What was freed is free only after a while. */
	for (i = 0; i < 4; i++) {
		must(!system("sync; echo 3 > /proc/sys/vm/drop_caches; sleep 0.5"), "sync");
		now = free_kib();
		if (now > most)
			most = now;
	}
	fprintf(f, "%d %d %lu %lu %lu\n", !access("/sys/kernel/liveupdate", F_OK),
		memfd_intact(fd, SIZE, 20),
		sum_of("/proc/meminfo", "MemTotal:"), most, reserved());
	fclose(f);
}

/* Whether a later kernel has as much memory as the one with the same LUO before. */
static void compare(const struct stage *was, const struct stage *is, int nr)
{
	const char *luo = is->ours ? "ours" : "the base's";

	check(is->managed + is->kept + EXACT > was->managed + was->kept,
	      "live update %d, %s: nothing is reserved but what is named", nr, luo);
	check(is->free + is->kept + FREE > was->free + was->kept,
	      "live update %d, %s: no memory is lost", nr, luo);
}

static int judge(const char *path)
{
	struct stage s[STAGES];
	FILE *f = fopen(path, "r");
	int n = 0, i;

	must(!!f, path);
	while (n < STAGES && fscanf(f, "%d %d %lu %lu %lu", &s[n].ours, &s[n].intact,
				    &s[n].managed, &s[n].free, &s[n].kept) == 5)
		n++;
	fclose(f);
	puts("KTAP version 1");
	for (i = 0; i < n; i++)
		printf("# live update %d, %s: managed %lu KiB, free %lu KiB, named %lu KiB\n",
		       i, s[i].ours ? "ours" : "the base's", s[i].managed, s[i].free,
		       s[i].kept);
	must(n == STAGES, "a kernel did not note its memory");
	check(s[0].ours != s[1].ours && s[0].ours == s[2].ours && s[1].ours == s[3].ours,
	      "each kernel has the other LUO than the one before");
	check(s[0].intact && s[1].intact && s[2].intact && s[3].intact,
	      "the memfd is bit-exact after each live update");
	compare(&s[0], &s[2], 2);
	compare(&s[1], &s[3], 3);
	return end_tests();
}

int main(int argc, char **argv)
{
	const struct rlimit limit = { 2 * SESSIONS, 2 * SESSIONS };
	int dev = open_device(), fd;

	must(dev >= 0 && argc == 3 && !setrlimit(RLIMIT_NOFILE, &limit), DEVICE);
	fd = access(argv[1], F_OK) ? memfd(SIZE, 20) : take(dev);
	must(fd >= 0, "memfd");
	note(argv[1], fd);
	if (!strcmp(argv[2], "last"))
		return judge(argv[1]);
	give(dev, fd);
	return hold_until_kexec();
}
