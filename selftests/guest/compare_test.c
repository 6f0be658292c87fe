// SPDX-License-Identifier: GPL-2.0

/*
 * How long the calls of an agent take, on any LUO: with the numbers of the base's header
 * and memfds alone. Prints a line of JSON for each step and size.
 *
 *	compare_test out SIZE...	create and close sessions, preserve memfds
 *	compare_test hold SIZE...	sessions and files for the next kernel, held
 *	compare_test in SIZE...		take them back there
 */

#include "luo_test.h"

#include <sys/resource.h>
#include <time.h>

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "compare_test: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void report(const char *step, int n, uint64_t since)
{
	printf("{\"step\": \"%s\", \"n\": %d, \"ns\": %llu}\n", step, n,
	       (unsigned long long)(now_ns() - since));
	fflush(stdout);
}

static int make(int dev, const char *kind, int n, int i)
{
	char name[NAME_LEN];

	snprintf(name, sizeof(name), "%s-%d-%d", kind, n, i);
	return create(dev, name);
}

static int take(int dev, const char *kind, int n, int i)
{
	char name[NAME_LEN];

	snprintf(name, sizeof(name), "%s-%d-%d", kind, n, i);
	return claim(dev, name);
}

static void fill(int session, int n)
{
	int i, fd;

	for (i = 0; i < n; i++) {
		fd = memfd_create("compare", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		must(fd >= 0 && !ftruncate(fd, 4096) && write(fd, "x", 1) == 1,
		     "memfd");
		must(!preserve(session, fd, i), "preserve");
		close(fd);
	}
}

static void out(int dev, int n)
{
	int *s = calloc(n, sizeof(*s)), i, one;
	uint64_t start = now_ns();

	for (i = 0; i < n; i++) {
		s[i] = make(dev, "s", n, i);
		must(s[i] >= 0, "create");
	}
	report("create session", n, start);
	start = now_ns();
	for (i = n - 1; i >= 0; i--)
		close(s[i]);
	report("close session", n, start);
	one = make(dev, "f", n, 0);
	start = now_ns();
	fill(one, n);
	report("make and preserve memfd", n, start);
	start = now_ns();
	close(one);
	report("unpreserve memfd", n, start);
	free(s);
}

static void hold(int dev, int n)
{
	int i;

	for (i = 0; i < n; i++)
		must(make(dev, "s", n, i) >= 0, "create");
	fill(make(dev, "f", n, 0), n);
}

static void in(int dev, int n)
{
	int *s = calloc(n, sizeof(*s)), i, one;
	uint64_t start = now_ns();

	for (i = 0; i < n; i++) {
		s[i] = take(dev, "s", n, i);
		must(s[i] >= 0, "claim");
	}
	report("claim session", n, start);
	start = now_ns();
	for (i = n - 1; i >= 0; i--)
		must(!finish(s[i]) && !close(s[i]), "finish");
	report("finish and close session", n, start);
	one = take(dev, "f", n, 0);
	start = now_ns();
	for (i = 0; i < n; i++) {
		s[i] = retrieve(one, i);
		must(s[i] >= 0, "retrieve");
		close(s[i]);
	}
	report("retrieve memfd", n, start);
	start = now_ns();
	must(!finish(one), "finish");
	report("finish memfd", n, start);
	close(one);
	free(s);
}

int main(int argc, char **argv)
{
	struct rlimit many = { 50000, 50000 };
	uint64_t start = now_ns();
	int dev = open_device(), i;

	must(argc > 2 && dev >= 0 && !setrlimit(RLIMIT_NOFILE, &many), DEVICE);
	if (!strcmp(argv[1], "in"))
		report("open device", 1, start);
	for (i = 2; i < argc; i++)
		(!strcmp(argv[1], "out") ? out : !strcmp(argv[1], "hold") ? hold : in)
			(dev, atoi(argv[i]));
	if (strcmp(argv[1], "hold"))
		return 0;
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
