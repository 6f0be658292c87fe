// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace top against calls that hang, with this LUO and with that of the base.
 *
 *	top_test hang	a call takes HANG_MS
 *	top_test many	SESSIONS calls at the same time
 *	top_test	compare, as TAP
 */

#include "luo_test.h"
#include "luo_json.h"

#include <pthread.h>
#include <sys/prctl.h>

#define HANG_MS		30000
#define MANY_MS		12000
#define SESSIONS	200
#define TOKEN		18446744073709551615ULL
#define TOKEN_TEXT	"18446744073709551615"
/* A name that would move the cursor of a terminal, and what luotrace makes of it. */
#define NAME		"vm\x1b[2J \xc3\xa4\xff"
#define NAME_TEXT	"vm\\x1b[2J \xc3\xa4\\xff"
#define COMM		"top) R 1"
#define MODULE_DEVICE	"/dev/luo_test_module"
#define MODULE_DELAY	"/sys/module/luo_test_module/parameters/delay_ms"

static bool is_own(void)
{
	return !access(TEST_DEVICE, F_OK);
}

/* The handler, and the function that it sleeps in. */
static const char *handler(void)
{
	return is_own() ? "liveupdate-test-v1" : "luo-test-module-v1";
}

static const char *sleeps_in(void)
{
	return is_own() ? "luo_test_op_run" : "luo_module_preserve";
}

/* A file whose preserve takes a time, and fails with @error, on this LUO only. */
static int slow_file(unsigned int ms, int error)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = LIVEUPDATE_TEST_PRESERVE,
		.delay_us = 1000 * ms, .error = error,
	};
	char text[16];
	int fd;

	if (is_own()) {
		fd = test_file(1);
		must(fd >= 0 && !call(fd, LIVEUPDATE_TEST_SET, &set), "test file");
		return fd;
	}
	snprintf(text, sizeof(text), "%u", ms);
	write_file(MODULE_DELAY, text);
	fd = open(MODULE_DEVICE, O_RDWR | O_CLOEXEC);
	must(fd >= 0, "module");
	return fd;
}

static void hang(int dev)
{
	int session = create(dev, NAME), fd = slow_file(HANG_MS, 0), note;

	must(session >= 0, "create");
	prctl(PR_SET_NAME, COMM);
	note = open("/tmp/hangs.new", O_WRONLY | O_CREAT, 0644);
	must(dprintf(note, "%d hangs\n", getpid()) > 0 &&
	     !rename("/tmp/hangs.new", "/tmp/hangs"), "note");
	must(!preserve(session, fd, TOKEN), "preserve");
}

static int sessions[SESSIONS], files[SESSIONS];

static void *preserve_one(void *data)
{
	long i = (long)data;

	/* The last one fails, with the handler that can. */
	must(preserve(sessions[i], files[i], i) ==
	     (i == SESSIONS - 1 && is_own() ? -EDOM : 0), "preserve");
	return NULL;
}

static void many(int dev)
{
	pthread_t threads[SESSIONS];
	char name[32];
	long i;

	for (i = 0; i < SESSIONS; i++) {
		snprintf(name, sizeof(name), "session-%ld", i);
		sessions[i] = create(dev, name);
		files[i] = slow_file(MANY_MS, i == SESSIONS - 1 ? EDOM : 0);
		must(sessions[i] >= 0, "create");
	}
	for (i = 0; i < SESSIONS; i++)
		must(!pthread_create(&threads[i], NULL, preserve_one, (void *)i),
		     "thread");
	for (i = 0; i < SESSIONS; i++)
		pthread_join(threads[i], NULL);
}

/* All readings of a file, as an array. */
static json_t *readings(const char *path)
{
	json_t *all = json_array(), *one;
	FILE *f = fopen(path, "r");

	while (f && (one = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)))
		json_array_append_new(all, one);
	if (f)
		fclose(f);
	return all;
}

static long hung_pid(void)
{
	FILE *f = fopen("/tmp/hangs", "r");
	long pid = 0;

	must(f && fscanf(f, "%ld", &pid) == 1, "/tmp/hangs");
	fclose(f);
	return pid;
}

/* Whether the task of a call sleeps in the handler. */
static bool sleeps(json_t *c)
{
	json_t *task = json_object_get(c, "task"), *function;
	const char *state = text(task, "state");
	bool found = false;
	size_t i;

	json_array_foreach(json_object_get(task, "stack"), i, function)
		found |= !strcmp(json_string_value(function), sleeps_in());
	return found && (*state == 'S' || *state == 'D');
}

TEST(a_call_that_hangs_is_seen_while_it_hangs)
{
	json_t *all = readings("/tmp/top.json"), *reading, *calls, *c;
	long long age, last = 0, pid = hung_pid();
	int seen = 0, rising = 0, sleeping = 0;
	size_t i;

	json_array_foreach(all, i, reading) {
		calls = json_object_get(reading, "in_flight");
		c = json_array_get(calls, 0);
		if (!c)
			continue;
		EXPECT_EQ(1, json_array_size(calls));
		EXPECT_STREQ(NAME_TEXT, text(c, "session"));
		EXPECT_STREQ(TOKEN_TEXT, text(c, "token"));
		EXPECT_STREQ(handler(), text(c, "handler"));
		EXPECT_STREQ("preserve", text(c, "op"));
		EXPECT_STREQ(COMM, text(c, "comm"));
		EXPECT_EQ(pid, number(c, "pid"));
		EXPECT_EQ(pid, number(c, "tid"));
		EXPECT_TRUE(json_is_false(json_object_get(c, "began_before")));
		sleeping += sleeps(c);
		age = number(c, "age_ns");
		/* Each reading is an interval later. */
		rising += !seen || age >= last + number(reading, "interval_ns") / 2;
		/* A sleep ends late on a busy machine. */
		EXPECT_GE(2 * HANG_MS * 1000000LL, age);
		last = age;
		seen++;
	}
	TH_LOG("%d readings, the last age %lld ms", seen, last / 1000000);
	EXPECT_LE(4, seen);
	EXPECT_EQ(seen, rising);
	/* It can run at its very begin and end. */
	EXPECT_LE(seen - 2, sleeping);
	EXPECT_LE((HANG_MS - 5000) * 1000000LL, last);
	json_decref(all);
}

/* The row of an operation in a reading. */
static json_t *ended_row(json_t *reading, const char *op)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(reading, "ended"), i, o) {
		if (!strcmp(text(o, "op"), op) && !strcmp(text(o, "handler"), handler()))
			return o;
	}
	return NULL;
}

TEST(a_call_that_has_ended_is_counted_once)
{
	json_t *all = readings("/tmp/top.json"), *reading, *row, *last;
	long long calls = 0;
	size_t i;

	json_array_foreach(all, i, reading) {
		row = ended_row(reading, "preserve");
		if (!row)
			continue;
		calls += number(row, "count");
		EXPECT_LE(HANG_MS * 1000000LL, number(row, "max_ns"));
		EXPECT_EQ(0, number(row, "errors"));
	}
	EXPECT_EQ(1, calls);
	last = json_array_get(all, json_array_size(all) - 1);
	EXPECT_EQ(0, json_array_size(json_object_get(last, "in_flight")));
	json_decref(all);
}

TEST(a_filter_leaves_it_out)
{
	json_t *all = readings("/tmp/other.json"), *reading;
	size_t i;

	EXPECT_LE(4, json_array_size(all));
	json_array_foreach(all, i, reading)
		EXPECT_EQ(0, json_array_size(json_object_get(reading, "in_flight")));
	json_decref(all);
}

TEST(a_call_that_began_before_is_found_and_unknown)
{
	json_t *all = readings("/tmp/late.json"), *c;
	size_t i;

	ASSERT_EQ(2, json_array_size(all));
	for (i = 0; i < 2; i++) {
		c = json_array_get(json_object_get(json_array_get(all, i), "in_flight"),
				   0);
		ASSERT_NE(NULL, c);
		EXPECT_TRUE(json_is_true(json_object_get(c, "began_before")));
		EXPECT_TRUE(json_is_null(json_object_get(c, "session")));
		EXPECT_TRUE(json_is_null(json_object_get(c, "token")));
		EXPECT_TRUE(json_is_null(json_object_get(c, "op")));
		EXPECT_TRUE(json_is_null(json_object_get(c, "handler")));
		EXPECT_EQ(hung_pid(), number(c, "tid"));
		EXPECT_TRUE(sleeps(c));
		EXPECT_GE(HANG_MS * 1000000LL, number(c, "age_ns"));
	}
	EXPECT_TRUE(file_has("/tmp/late.txt", "1 in flight, 1 from before luotrace"));
	EXPECT_TRUE(file_has("/tmp/late.txt", sleeps_in()));
	json_decref(all);
}

TEST(what_tracing_cost_is_known)
{
	json_t *all = readings("/tmp/many.json"), *reading, *cost;
	long long runs = 0, run_ns = 0, observed = 0;
	size_t i;

	json_array_foreach(all, i, reading) {
		cost = json_object_get(reading, "observer");
		EXPECT_LT(0, number(cost, "observed_ns"));
		EXPECT_LE(0, number(cost, "runs"));
		EXPECT_LE(0, number(cost, "run_ns"));
		runs += number(cost, "runs");
		run_ns += number(cost, "run_ns");
		observed += number(cost, "observed_ns");
	}
	TH_LOG("%lld runs, %lld us of %lld ms", runs, run_ns / 1000, observed / 1000000);
	/* Each call has a begin and an end. */
	EXPECT_LE(2 * SESSIONS, runs);
	EXPECT_LT(runs, run_ns);
	EXPECT_LT(run_ns, observed);
	json_decref(all);
}

TEST(each_of_many_calls_is_seen)
{
	json_t *all = readings("/tmp/many.json"), *reading, *calls, *c;
	size_t i, j, most = 0, ended = 0;
	long long errors = 0, missed;
	bool seen[SESSIONS];
	int nr;

	json_array_foreach(all, i, reading) {
		c = ended_row(reading, "preserve");
		ended += c ? number(c, "count") : 0;
		errors += c ? number(c, "errors") : 0;
		calls = json_object_get(reading, "in_flight");
		memset(seen, 0, sizeof(seen));
		json_array_foreach(calls, j, c) {
			if (!json_is_string(json_object_get(c, "handler")))
				continue;
			ASSERT_EQ(1, sscanf(text(c, "session"), "session-%d", &nr));
			ASSERT_TRUE(nr >= 0 && nr < SESSIONS && !seen[nr]);
			seen[nr] = true;
			EXPECT_EQ(nr, atoi(text(c, "token")));
		}
		if (json_array_size(calls) > most)
			most = json_array_size(calls);
	}
	EXPECT_EQ(SESSIONS, most);
	reading = json_array_get(all, json_array_size(all) - 1);
	missed = number(json_object_get(reading, "lost"), "missed");
	TH_LOG("%zu in flight at most, %zu ended, %lld events missed", most, ended, missed);
	EXPECT_GE(SESSIONS, ended);
	EXPECT_LE(SESSIONS, ended + missed);
	EXPECT_GE(is_own(), errors);
	EXPECT_EQ(0, json_array_size(json_object_get(reading, "in_flight")));
	json_decref(all);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "hang"))
		hang(open_device());
	else if (argc > 1 && !strcmp(argv[1], "many"))
		many(open_device());
	else
		return run_cases(argc, argv, NULL);
	return 0;
}
