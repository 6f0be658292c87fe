// SPDX-License-Identifier: GPL-2.0

/*
 * LUO at scale: many files in one session, many sessions, through one live update.
 * Prints how long each step took, for 1, 10 and 100 thousand files and 1 and 10 thousand
 * sessions, to show whether it grows linearly.
 *
 *	scale_test hold		preserve, print times, hold
 *	scale_test audit	list all with luotrace audit, as TAP; how long this
 *				takes, and how long an agent's calls take meanwhile
 *	scale_test		retrieve all, as TAP, with times
 */

#include "luo_test.h"

#include <jansson.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static const int files[] = { 1000, 10000, 100000 };
static const int sessions[] = { 1000, 10000 };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void report(const char *what, int n, double since)
{
	double s = now() - since;

	printf("# %-28s %7d: %7.3f s, %6.1f us each\n", what, n, s,
	       s / n * 1e6);
	fflush(stdout);
}

static void name_files(char *name, size_t size, int n)
{
	snprintf(name, size, "files-%d", n);
}

static void preserve_files(int dev, int n)
{
	double start = now(), bytes;
	uint64_t pages;
	char name[32];
	int s, i, fd;

	name_files(name, sizeof(name), n);
	s = create(dev, name);
	must(s >= 0, name);
	pages = preserved_pages();
	for (i = 0; i < n; i++) {
		fd = test_file(i + 1);
		/* tokens as an agent may choose them, far from each other */
		must(fd >= 0 && !preserve(s, fd, i * 0x9e3779b97f4a7c15ULL),
		     "preserve");
		close(fd);
	}
	report("open and preserve files", n, start);

	/* A test file preserves one page; the others are records. */
	bytes = (preserved_pages() - pages - n) * 4096.0 / n;
	printf("handover, %d files: %.1f bytes a file\n", n, bytes);
	/* The last block may be partly used; the FLB has one, too. */
	must(bytes <= 74 + 2 * 4096.0 / n, "more than 74 bytes a file");
}

static void name_session(char *name, size_t size, int n, int i)
{
	snprintf(name, size, "of-%d-%d", n, i);
}

static void create_sessions(int dev, int n)
{
	double start = now();
	char name[32];
	int i;

	for (i = 0; i < n; i++) {
		name_session(name, sizeof(name), n, i);
		must(create(dev, name) >= 0, name);
	}
	report("create sessions", n, start);
}

static int hold(void)
{
	struct rlimit many = { 20000, 20000 };
	int dev = open_device();
	size_t i;

	must(dev >= 0 && !setrlimit(RLIMIT_NOFILE, &many), "device");
	for (i = 0; i < 3; i++)
		preserve_files(dev, files[i]);
	for (i = 0; i < 2; i++)
		create_sessions(dev, sessions[i]);
	return hold_until_kexec();
}

static bool restore_files(int dev, int n)
{
	double start = now();
	char name[32];
	int s, i, fd;
	bool ok = true;

	name_files(name, sizeof(name), n);
	s = claim(dev, name);
	must(s >= 0, name);
	for (i = 0; i < n && ok; i++) {
		fd = retrieve(s, i * 0x9e3779b97f4a7c15ULL);
		ok = fd >= 0 && test_get(fd).cookie == (unsigned int)i + 1;
		close(fd);
	}
	report("retrieve files", n, start);
	start = now();
	ok = ok && !finish(s);
	report("finish files", n, start);
	close(s);
	return ok;
}

static bool claim_sessions(int dev, int n)
{
	double start = now();
	char name[32];
	bool ok = true;
	int i, s;

	for (i = 0; i < n && ok; i++) {
		name_session(name, sizeof(name), n, i);
		s = claim(dev, name);
		ok = s >= 0 && !finish(s);
		close(s);
	}
	report("claim and finish sessions", n, start);
	return ok;
}

/* The longest of an agent's calls until @pid ends, or for two seconds, in ms. */
static double longest_call(int dev, pid_t pid)
{
	double end = now() + 2, start, longest = 0;

	/* They take the locks of both session tables, and print nothing. */
	while (pid ? !waitpid(pid, NULL, WNOHANG) : now() < end) {
		start = now();
		close(create(dev, "one more"));
		claim(dev, "unknown");
		if (now() - start > longest)
			longest = now() - start;
	}
	return longest * 1e3;
}

static void time_audit(const char *args)
{
	char command[128];
	double start;

	snprintf(command, sizeof(command), "luotrace audit %s > /tmp/out", args);
	start = now();
	must(system(command) == 1 << 8, command);
	printf("# luotrace audit %-12s %.2f s\n", args, now() - start);
}

static int audit(void)
{
	int dev = open_device(), want_sessions = 0, want_files = 0;
	size_t nr_files = 0, nr_sessions, i;
	double alone, beside;
	json_t *root, *session;
	pid_t pid;
	bool ok;

	must(dev >= 0, "device");
	time_audit("");
	time_audit("--json --files");
	root = json_load_file("/tmp/out", 0, NULL);
	json_array_foreach(json_object_get(root, "sessions"), nr_sessions, session)
		nr_files += json_array_size(json_object_get(session, "file_list"));
	for (i = 0; i < 3; i++)
		want_files += files[i];
	for (i = 0; i < 2; i++)
		want_sessions += sessions[i];
	ok = nr_files == (size_t)want_files &&
	     nr_sessions == (size_t)want_sessions + 3;
	check(ok, "%zu sessions and %zu files are listed", nr_sessions, nr_files);
	json_decref(root);

	alone = longest_call(dev, 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		must(freopen("/dev/null", "w", stdout), "/dev/null");
		execlp("luotrace", "luotrace", "audit", "--json", "--files", NULL);
		_exit(1);
	}
	beside = longest_call(dev, pid);
	printf("# longest create, close and claim: %.2f ms alone, %.2f ms during an audit\n",
	       alone, beside);
	return end_tests();
}

int main(int argc, char **argv)
{
	int dev;
	size_t i;
	bool ok;

	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "audit"))
		return audit();

	dev = open_device();
	must(dev >= 0, "device");
	puts("TAP version 13");
	for (i = 0; i < 3; i++) {
		ok = restore_files(dev, files[i]);
		check(ok, "%d files in one session are restored", files[i]);
	}
	for (i = 0; i < 2; i++) {
		ok = claim_sessions(dev, sessions[i]);
		check(ok, "%d sessions are restored", sessions[i]);
	}
	check(state(dev, false) == LIVEUPDATE_STATE_NORMAL,
	      "the global state is normal again");
	return end_tests();
}
