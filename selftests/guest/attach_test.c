// SPDX-License-Identifier: GPL-2.0

/*
 * A command that shows only failures has no BPF program that runs for each file that
 * succeeds: it costs a freeze nothing. One that only counts has one for several files.
 */

#include "bench_luotrace.h"
#include "luo_json.h"

#include <sched.h>
#include <string.h>

#define FILES		100
#define CALLED_MAX	16	/* calls for which a program runs once */
#define FAILING		50	/* the prepare of this one fails, the second time */
#define LATENCY		"/tmp/latency.json"
#define RECORD		"/tmp/each.luotrace"
#define SLOWEST		10	/* calls that luotrace keeps of a CPU */

static int session_of_files(int dev)
{
	int session = create(dev, "attach"), fd, i;

	for (i = 0; i < FILES; i++) {
		fd = test_file(i + 1);
		must(fd >= 0 && !preserve(session, fd, i), "preserve");
		must(i != FAILING || !test_set(fd, LIVEUPDATE_TEST_PREPARE, EDOM, 2),
		     "a prepare that fails");
		close(fd);
	}
	return session;
}

/*
 * Most runs of a program on an event while a session of FILES files is prepared and frozen,
 * and a command of luotrace watches that.
 */
static long long most_runs(char *const argv[])
{
	int dev = open_device(), session = session_of_files(dev), stats;
	long long most = 0, runs;
	json_t *all, *one;
	const char *name;
	pid_t pid;
	size_t n;

	pid = attach("tracing", argv);
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	must(stats >= 0, "statistics of BPF programs");
	must(!event(session, true, LIVEUPDATE_PREPARE), "prepare");
	must(!event(session, true, LIVEUPDATE_FREEZE), "freeze");
	all = programs();
	must(!event(session, true, LIVEUPDATE_CANCEL), "cancel");
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

TEST(latency_runs_for_several_files)
{
	char *argv[] = { "luotrace", "latency", NULL };
	long long runs = most_runs(argv);

	EXPECT_LE(2 * FILES / CALLED_MAX, runs);
	EXPECT_GT(FILES, runs);
}

/* The calls of an operation, of which the events tell one by one. */
struct sum {
	long long count, errors, total, max;
};

static struct sum sum_of(json_t *events, const char *op)
{
	struct sum s = {};
	long long ns;
	json_t *e;
	size_t i;

	json_array_foreach(events, i, e) {
		if (strcmp(text(e, "event"), "luo_handler_exit") || strcmp(text(e, "op"), op))
			continue;
		ns = number(e, "duration_ns");
		s.count++;
		s.errors += number(e, "ret") < 0;
		s.total += ns;
		s.max = ns > s.max ? ns : s.max;
	}
	return s;
}

/* Whether a call of the list of the longest was, and how many others took longer. */
static int longer_than(json_t *events, json_t *call)
{
	int longer = 0;
	bool was = false;
	json_t *e;
	size_t i;

	json_array_foreach(events, i, e) {
		if (strcmp(text(e, "event"), "luo_handler_exit"))
			continue;
		longer += number(e, "duration_ns") > number(call, "duration_ns");
		was |= number(e, "duration_ns") == number(call, "duration_ns") &&
		       !strcmp(text(e, "token"), text(call, "token")) &&
		       !strcmp(text(e, "op"), text(call, "op")) &&
		       !strcmp(text(e, "session"), text(call, "session"));
	}
	return was ? longer : -1;
}

TEST(several_calls_are_counted_as_each_of_them)
{
	char *latency[] = { "luotrace", "latency", "--json-file", LATENCY, NULL };
	char *record[] = { "luotrace", "record", "-o", RECORD, NULL };
	static const char *const ops[] = { "prepare", "freeze", "unfreeze", "cancel" };
	int dev = open_device(), session = session_of_files(dev), n;
	pid_t counts = attach("tracing", latency), records = attach("tracing", record);
	json_t *all = json_array(), *counted, *row, *one;
	cpu_set_t first;
	struct sum s;
	FILE *f;
	size_t i;

	/* The longest calls are kept by CPU. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	must(!sched_setaffinity(0, sizeof(first), &first), "CPU 0");
	EXPECT_EQ(0, event(session, true, LIVEUPDATE_PREPARE));
	EXPECT_EQ(0, event(session, true, LIVEUPDATE_FREEZE));
	EXPECT_EQ(0, event(session, true, LIVEUPDATE_CANCEL));
	EXPECT_EQ(-EDOM, event(session, true, LIVEUPDATE_PREPARE));
	detach(counts);
	detach(records);
	f = fopen(RECORD, "r");
	ASSERT_NE(NULL, f);
	while ((one = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)))
		json_array_append_new(all, one);
	fclose(f);
	counted = json_load_file(LATENCY, 0, NULL);

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		s = sum_of(all, ops[i]);
		row = call_row(counted, "", ops[i]);
		TH_LOG("%s: %lld calls, %lld failed", ops[i], s.count, s.errors);
		EXPECT_LE(FILES, s.count);
		EXPECT_EQ(!strcmp(ops[i], "prepare"), s.errors);
		EXPECT_EQ(s.count, number(row, "count"));
		EXPECT_EQ(s.errors, number(row, "errors"));
		EXPECT_EQ(s.total, number(row, "total_ns"));
		EXPECT_EQ(s.max, number(row, "max_ns"));
	}
	row = json_object_get(counted, "slowest");
	EXPECT_EQ(SLOWEST, json_array_size(row));
	json_array_foreach(row, i, one) {
		n = longer_than(all, one);
		EXPECT_LE(0, n) TH_LOG("%s", text(one, "token"));
		EXPECT_GE((int)i, n);
	}
	json_decref(counted);
	json_decref(all);
	close(session);
	close(dev);
}

TEST(latency_of_a_session_runs_for_each_file)
{
	char *argv[] = { "luotrace", "latency", "--session=attach", NULL };

	EXPECT_LE(2 * FILES, most_runs(argv));
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
