// SPDX-License-Identifier: GPL-2.0

/*
 * The stacks of luotrace against calls that sleep and burn for known times:
 *
 *	stacks_test work		make these calls
 *	stacks_test few COMMAND...	run a command with CAP_BPF and CAP_PERFMON alone
 *	stacks_test limit N COMMAND...	run one with N descriptors
 *	stacks_test			compare the files that luotrace wrote to /tmp, as TAP
 *
 * With the base's LUO the only calls that take long are those of a large memfd.
 */

#include "luo_test.h"
#include "luo_json.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define CALLS		3
#define SLEEP_US	60000
#define BURN_US		120000
#define SHORT_US	500	/* of calls that are not long */
#define MS		1000000LL
#define LONG_NS		(20 * MS)	/* that of --stacks in stacks.sh */
#define MEMFD_BYTES	(96 << 20)
#define HANDLER		"liveupdate-test-v1"
#define MEMFD		"memfd-v"

static bool own_luo(void)
{
	return !access(TEST_DEVICE, F_OK);
}

static void behave(int fd, enum liveupdate_test_target target,
		   enum liveupdate_test_op op, int sleep_us, int burn_us)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = op, .target = target,
		.delay_us = sleep_us, .burn_us = burn_us,
	};

	must(!call(fd, LIVEUPDATE_TEST_SET, &set), "LIVEUPDATE_TEST_SET");
}

static void work_test_files(int dev, int session)
{
	int i, fd = -1;

	for (i = 0; i < CALLS; i++) {
		fd = test_file(i + 1);
		behave(fd, LIVEUPDATE_TEST_ON_FILE, LIVEUPDATE_TEST_PRESERVE, SLEEP_US,
		       BURN_US);
		behave(fd, LIVEUPDATE_TEST_ON_FILE, LIVEUPDATE_TEST_UNPRESERVE, SHORT_US,
		       SHORT_US);
		if (!i)
			behave(fd, LIVEUPDATE_TEST_ON_FLB, LIVEUPDATE_TEST_PRESERVE, 0,
			       BURN_US);
		must(!preserve(session, fd, i), "preserve");
		must(!unpreserve(session, i), "unpreserve");
		behave(fd, LIVEUPDATE_TEST_ON_FLB, LIVEUPDATE_TEST_PRESERVE, 0, 0);
	}
	behave(fd, LIVEUPDATE_TEST_ON_FIRST, LIVEUPDATE_TEST_PREPARE, SLEEP_US, 0);
	must(!event(dev, false, LIVEUPDATE_PREPARE), "PREPARE");
	must(!event(dev, false, LIVEUPDATE_CANCEL), "CANCEL");
	behave(fd, LIVEUPDATE_TEST_ON_FIRST, LIVEUPDATE_TEST_PREPARE, 0, 0);
}

static int work(void)
{
	int dev = open_device(), session = create(dev, "stacks");
	int fd = memfd(0, 0);

	must(session >= 0, "session");
	if (own_luo())
		work_test_files(dev, session);
	/* Its handler gives it pages. */
	must(!ftruncate(fd, MEMFD_BYTES) && !preserve(session, fd, 100),
	     "preserve a memfd");
	close(session);
	return 0;
}

static int few(char **argv)
{
	int cap;

	for (cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (cap != CAP_BPF && cap != CAP_PERFMON)
			prctl(PR_CAPBSET_DROP, cap);
	}
	execvp(argv[0], argv);
	return 1;
}

static int limit(rlim_t descriptors, char **argv)
{
	struct rlimit limit = { descriptors, descriptors };

	must(!setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	execvp(argv[0], argv);
	return 1;
}

static json_t *load(const char *path)
{
	json_t *root = json_load_file(path, 0, NULL);

	must(root, path);
	return root;
}

/* The row of an operation in the stacks of an output. */
static json_t *row(json_t *root, const char *key, const char *target, const char *op)
{
	return row_of(json_object_get(root, "stacks"), key, target, op);
}

/* Time in a function of it, on a CPU or off it; NULL is any function. */
static long long time_in(json_t *row, const char *function, bool on)
{
	json_t *stack, *frame;
	long long ns = 0;
	bool has;
	size_t i, j;

	json_array_foreach(json_object_get(row, "stacks"), i, stack) {
		has = !function;
		json_array_foreach(json_object_get(stack, "frames"), j, frame)
			has |= function && !strcmp(json_string_value(frame), function);
		if (has && json_is_true(json_object_get(stack, "on_cpu")) == on)
			ns += number(stack, "ns");
	}
	return ns;
}

static bool about(long long is, long long want, int least_percent, int most_percent)
{
	return is >= want * least_percent / 100 && is <= want * most_percent / 100;
}

/* All of the time of the calls is in stacks, but for the last part of a period. */
static void check_whole(json_t *row, const char *what)
{
	long long seen = number(row, "on_cpu_ns") + number(row, "off_cpu_ns");

	check(about(seen, number(row, "total_ns"), 80, 106),
	      "stacks have the time of calls, %s: %lld of %lld ms", what, seen / MS,
	      number(row, "total_ns") / MS);
	check(time_in(row, NULL, true) == number(row, "on_cpu_ns") &&
	      time_in(row, NULL, false) == number(row, "off_cpu_ns"),
	      "and sums are those of the stacks, %s", what);
}

static void check_lost(json_t *root, const char *what)
{
	json_t *stacks = json_object_get(root, "stacks");

	check(!number(stacks, "lost_stacks") && !number(stacks, "lost_calls"),
	      "nothing found no room, %s: %lld, %lld", what, number(stacks, "lost_stacks"),
	      number(stacks, "lost_calls"));
}

/* By how much calls were longer than set, as the host was busy: percent of @ms. */
static long long late(json_t *row, long long asked_ms, long long ms)
{
	long long took = number(row, "total_ns") / MS;

	return took > asked_ms ? 100 * (took - asked_ms) / ms : 0;
}

static void check_proportion(json_t *root, const char *what)
{
	const long long burns = CALLS * BURN_US / 1000, sleeps = CALLS * SLEEP_US / 1000;
	json_t *preserved = row(root, "handler", HANDLER, "preserve");
	long long burn = time_in(preserved, "luo_test_burn", true) / MS;
	long long sleep = time_in(preserved, "luo_test_sleep", false) / MS;

	check(number(preserved, "count") == CALLS, "all long calls are seen, %s", what);
	check(about(burn, burns, 75, 120 + late(preserved, burns + sleeps, burns)),
	      "the time that they burn is that of luo_test_burn, %s: %lld ms", what, burn);
	/*
	 * On a busy machine it may sleep longer, and then the calls take longer, or be late
	 * when it goes to sleep, and then it is woken when it should be all the same.
	 */
	check(about(sleep, sleeps, 75, 150 + late(preserved, burns + sleeps, sleeps)),
	      "the time that they sleep is that of luo_test_sleep, %s: %lld ms", what, sleep);
	check(about(100 * burn / sleep, 100 * BURN_US / SLEEP_US,
		    6000 / (100 + late(preserved, burns + sleeps, sleeps)),
		    150 + late(preserved, burns + sleeps, burns)),
	      "they are in the proportion that was set, %s: %lld %%", what,
	      100 * burn / sleep);
	check(time_in(preserved, "luo_test_sleep", true) < sleep * MS / 5 &&
	      time_in(preserved, "luo_test_burn", false) < burn * MS / 5,
	      "none burns off the CPU or sleeps on it, %s", what);
	check_whole(preserved, what);
}

static void check_others(json_t *root, const char *what)
{
	json_t *flb = row(root, "shared_state", "luo-test-flb-v1", "preserve");
	json_t *subsystem = row(root, "subsystem", "luo-test-first", "prepare");
	json_t *stacks = row(root, "handler", HANDLER, "unpreserve");
	long long took = number(call_row(root, HANDLER, "unpreserve"), "max_ns");

	/* On a busy machine one can be long all the same. */
	check(took > 0 && (took >= LONG_NS) == (stacks != NULL) &&
	      number(stacks, "count") < CALLS,
	      "short calls are left out, %s: at most %lld ms", what, took / MS);
	check(about(time_in(flb, "luo_test_burn", true), BURN_US * 1000LL, 75,
		    125 + late(flb, BURN_US / 1000, BURN_US / 1000)),
	      "FLBs have stacks, %s", what);
	check(about(time_in(subsystem, "luo_test_sleep", false), SLEEP_US * 1000LL, 75,
		    200 + late(subsystem, SLEEP_US / 1000, SLEEP_US / 1000)),
	      "and so have subsystems, %s", what);
}

static void check_memfd(json_t *root, const char *what)
{
	json_t *preserved = row(root, "handler", MEMFD, "preserve");

	check_whole(preserved, what);
	check(about(time_in(preserved, "memfd_luo_preserve", true),
		    number(preserved, "on_cpu_ns"), 90, 100),
	      "functions around the handler are left out, those in it are not, %s", what);
}

/* Microseconds of the lines of the folded stacks that contain a text. */
static long long folded(const char *what)
{
	FILE *f = fopen("/tmp/folded", "r");
	char line[4096];
	long long us = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, what))
			us += atoll(strrchr(line, ' ') + 1);
	}
	if (f)
		fclose(f);
	return us;
}

static void check_few(void)
{
	json_t *root = load("/tmp/few.json"), *memfd;

	memfd = row(root, "handler", MEMFD, "preserve");
	check(file_has("/tmp/few.err", "CAP_SYSLOG") &&
	      strstr(text(json_object_get(root, "stacks"), "missing"), "CAP_SYSLOG"),
	      "without CAP_SYSLOG functions have no names, with a message");
	check_whole(memfd, "without names");
	check(time_in(memfd, "memfd_luo_preserve", true) == 0,
	      "and no stack has one");
	json_decref(root);
}

static void check_none(void)
{
	json_t *root = load("/tmp/none.json"), *stacks = json_object_get(root, "stacks");
	json_t *preserved = row(root, "handler", HANDLER, "preserve");

	check(file_has("/tmp/none.err", "the kernel gives no perf event: ") &&
	      json_is_null(json_object_get(stacks, "period_ns")) &&
	      call_row(root, MEMFD, "preserve"),
	      "without perf events time on a CPU is unknown, with a message");
	if (own_luo())
		check(about(number(preserved, "off_cpu_ns"), CALLS * SLEEP_US * 1000LL, 75,
			    150) && !number(preserved, "on_cpu_ns"),
		      "and time off it is known: %lld ms",
		      number(preserved, "off_cpu_ns") / MS);
	json_decref(root);
}

int main(int argc, char **argv)
{
	json_t *latency, *report, *trace;
	long long us;

	if (argc > 1 && !strcmp(argv[1], "work"))
		return work();
	if (argc > 2 && !strcmp(argv[1], "few"))
		return few(argv + 2);
	if (argc > 3 && !strcmp(argv[1], "limit"))
		return limit(atoi(argv[2]), argv + 3);

	latency = load("/tmp/latency.json");
	report = load("/tmp/report.json");
	trace = json_array_get(json_object_get(report, "traces"), 0);
	check_lost(latency, "latency");
	check_lost(trace, "record");
	check_memfd(latency, "latency");
	check_memfd(trace, "record");
	if (own_luo()) {
		check_proportion(latency, "latency");
		check_proportion(trace, "record");
		check_others(latency, "latency");
		check_others(trace, "record");
		us = folded(HANDLER ";preserve;luo_test_preserve;");
		check(about(us * 1000, number(row(latency, "handler", HANDLER, "preserve"),
					      "on_cpu_ns") +
			    number(row(latency, "handler", HANDLER, "preserve"),
				   "off_cpu_ns"), 97, 103),
		      "folded stacks begin in the handler and have the same time");
		check(file_has("/tmp/report.html", "<title>luo_test_burn: "),
		      "the page has a box of luo_test_burn");
	}
	check(folded("memfd_luo_preserve") > 0, "a folded stack has memfd_luo_preserve");
	check_few();
	check_none();
	json_decref(latency);
	json_decref(report);
	return end_tests();
}
