// SPDX-License-Identifier: GPL-2.0

/*
 * A command that shows only failures has no BPF program that runs for each file that
 * succeeds: it costs a freeze nothing.
 */

#include "bench_luotrace.h"

#include <string.h>

#define FILES	100

/* A session of FILES files is prepared, frozen and cancelled. */
static void freeze_all(int session)
{
	must(!event(session, true, LIVEUPDATE_PREPARE), "prepare");
	must(!event(session, true, LIVEUPDATE_FREEZE), "freeze");
	must(!event(session, true, LIVEUPDATE_CANCEL), "cancel");
}

/* Most runs of a program on an event while a command of luotrace watches that. */
static long long most_runs(char *const argv[])
{
	int dev = open_device(), session = create(dev, "attach"), stats, fd, i;
	long long most = 0, runs;
	json_t *all, *one;
	const char *name;
	pid_t pid;
	size_t n;

	for (i = 0; i < FILES; i++) {
		fd = test_file(i + 1);
		must(fd >= 0 && !preserve(session, fd, i), "preserve");
		close(fd);
	}
	pid = attach("tracing", argv);
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	must(stats >= 0, "statistics of BPF programs");
	freeze_all(session);
	all = programs();
	close(stats);
	detach(pid);
	close(session);
	close(dev);
	json_array_foreach(all, n, one) {
		name = json_string_value(json_object_get(one, "name"));
		runs = json_integer_value(json_object_get(one, "runs"));
		printf("# %s %s: %s ran %lld times\n", argv[1], argv[2] ?: "", name, runs);
		/* Others are iterators. */
		if (!strncmp(name, "on_", 3) && runs > most)
			most = runs;
	}
	json_decref(all);
	return most;
}

TEST(latency_runs_for_each_file)
{
	char *argv[] = { "luotrace", "latency", NULL };

	EXPECT_LE(FILES, most_runs(argv));
}

TEST(audit_watch_does_not)
{
	char *argv[] = { "luotrace", "audit", "--watch", NULL };

	EXPECT_GT(FILES, most_runs(argv));
}

TEST(trace_errors_does_not)
{
	char *argv[] = { "luotrace", "trace", "--errors", NULL };

	EXPECT_GT(FILES, most_runs(argv));
}

RUN_CASES_MAIN
