// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace against known calls:
 *
 *	luotrace_test work	two sessions at once, with set delays and errors
 *	luotrace_test		compare the files that luotrace wrote to /tmp with them
 */

#include "luo_test.h"
#include "luo_json.h"

#include <pthread.h>
#include <sys/wait.h>

#define FILES		10	/* of each session */
#define MANY		300	/* of a third session */
#define BUSY		33334	/* times three calls are over 100,000 */
#define FAILING		3	/* preserve of this one fails first */
#define SLOW		7	/* preserve of this one takes longest */
#define DELAY_US	2000
#define SLOW_US		1000000	/* whatever the host does to the others */
#define MEMFD_BYTES	(1 << 20)
#define PAGE		sysconf(_SC_PAGESIZE)
#define LATE_NS		500000000	/* a sleep may end later on a busy host */
#define AGENTS		"/tmp/agents"
#define CPUS		256	/* of a large machine */

static const char *const sessions[] = { "work-a", "work \"b\"\n" };
/* The names as JSON has them. */
static const char *const spelled[] = { "work-a", "work \"b\"\\x0a" };

static int delayed_file(int i)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set),
		.op = LIVEUPDATE_TEST_PRESERVE,
		.delay_us = i == SLOW ? SLOW_US : DELAY_US,
		.error = i == FAILING ? EIO : 0,
		.nth = 1,
	};
	int fd = test_file(i + 1);

	if (fd < 0 || call(fd, LIVEUPDATE_TEST_SET, &set))
		exit(1);
	return fd;
}

static int work_one(int session)
{
	int i, fd;

	for (i = 0; i < FILES; i++) {
		fd = delayed_file(i);
		if (preserve(session, fd, i) != (i == FAILING ? -EIO : 0))
			return 1;
		if (i == FAILING && preserve(session, fd, i))
			return 1;
	}
	return preserve(session, memfd(MEMFD_BYTES, 1), 100) ? 1 : 0;
}

static void *work_thread(void *session)
{
	return (void *)(long)work_one((long)session);
}

/* Agents have threads; luotrace shows the process. */
static int work_agent(int session)
{
	pthread_t thread;
	void *ret;

	if (session < 0 ||
	    pthread_create(&thread, NULL, work_thread, (void *)(long)session) ||
	    pthread_join(thread, &ret))
		return 1;
	return (long)ret;
}

static int work(void)
{
	int dev = open_device(), fds[2], status, ret = 0, i;
	FILE *f = fopen(AGENTS, "w");
	pid_t pid;

	must(f, AGENTS);
	for (i = 0; i < 2; i++)
		fds[i] = create(dev, sessions[i]);
	for (i = 0; i < 2; i++) {
		pid = fork();
		if (!pid) {
			pin(i);
			_exit(work_agent(fds[i]));
		}
		fprintf(f, "%d\n", pid);
		fflush(f);
	}
	fclose(f);
	for (i = 0; i < 2; i++) {
		wait(&status);
		ret |= status;
	}
	close(fds[0]);
	close(fds[1]);
	return ret ? 1 : 0;
}

/* More files than luotrace has rows. */
static int many(void)
{
	int dev = open_device(), s = create(dev, "many"), i, fd;

	for (i = 0; i < MANY; i++) {
		fd = test_file(i + 1);
		if (preserve(s, fd, i))
			return 1;
		close(fd);
	}
	close(s);
	return 0;
}

static int busy(void)
{
	int dev = open_device(), s = create(dev, "busy"), fd = test_file(1), i;

	for (i = 0; i < BUSY; i++) {
		if (preserve(s, fd, i) || unpreserve(s, i))
			return 1;
	}
	return 0;
}

FIXTURE(output)
{
	json_t *latency;
	json_t *byfile;
	json_t *trace;	/* array of the lines */
};

static json_t *load_lines(const char *path)
{
	json_t *all = json_array(), *line;
	FILE *f = fopen(path, "r");

	while (f && (line = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)))
		json_array_append_new(all, line);
	return all;
}

FIXTURE_SETUP(output)
{
	self->latency = json_load_file("/tmp/latency.json", 0, NULL);
	self->byfile = json_load_file("/tmp/byfile.json", 0, NULL);
	self->trace = load_lines("/tmp/trace.json");
	ASSERT_NE(NULL, self->latency);
	ASSERT_NE(NULL, self->byfile);
}

FIXTURE_TEARDOWN(output)
{
	json_decref(self->latency);
	json_decref(self->byfile);
	json_decref(self->trace);
}

static bool is(json_t *o, const char *key, const char *text)
{
	const char *v = json_string_value(json_object_get(o, key));

	return v && !strcmp(v, text);
}

#define TEST_HANDLER	"liveupdate-test-v1"

TEST_F(output, calls_without_a_row_are_counted_together)
{
	json_t *root = json_load_file("/tmp/others.json", 0, NULL), *o;
	long all = 0, others = 0, rows = 0;
	size_t i;

	ASSERT_NE(NULL, root);
	json_array_foreach(json_object_get(root, "calls"), i, o) {
		if (json_object_get(o, "others"))
			others += number(o, "count");
		else
			rows++;
		all += number(o, "count");
	}
	/* Three calls a file; four FLBs are preserved and unpreserved. */
	EXPECT_EQ(3 * MANY + 2 * 4, all);
	EXPECT_EQ(256, rows);
	EXPECT_LT(0, others);
	EXPECT_EQ(others, number(json_object_get(root, "lost"),
				 "calls_in_others"));
	json_decref(root);
}

/* The number of events, and of those that the last line says were dropped. */
static void count_lines(const char *path, long *events, long *dropped)
{
	json_t *lines = load_lines(path), *line;
	size_t i;

	*events = 0;
	*dropped = -1;
	json_array_foreach(lines, i, line) {
		if (is(line, "event", "end"))
			*dropped = number(json_object_get(line, "lost"),
					  "events");
		else if (!is(line, "event", "start"))
			++*events;
	}
	json_decref(lines);
}

TEST_F(output, dropped_events_are_counted_exactly)
{
	long all, none, some, dropped;

	count_lines("/tmp/all.json", &all, &none);
	count_lines("/tmp/tiny.json", &some, &dropped);
	EXPECT_EQ(0, none);
	EXPECT_LT(3 * MANY, all);
	EXPECT_LT(0, dropped);
	EXPECT_EQ(all, some + dropped);
}

TEST_F(output, counts_are_exact_at_100000_calls)
{
	static const char *const ops[] = { "can_preserve", "preserve",
					   "unpreserve" };
	json_t *root = json_load_file("/tmp/busy.json", 0, NULL), *r, *slot;
	long in_hist;
	size_t i, j;

	ASSERT_NE(NULL, root);
	for (i = 0; i < 3; i++) {
		r = call_row(root, TEST_HANDLER, ops[i]);
		EXPECT_EQ(BUSY, number(r, "count")) TH_LOG("%s", ops[i]);
		EXPECT_EQ(0, number(r, "errors"));
		in_hist = 0;
		json_array_foreach(json_object_get(r, "histogram"), j, slot)
			in_hist += number(slot, "count");
		EXPECT_EQ(BUSY, in_hist);
	}
	EXPECT_EQ(0, number(json_object_get(root, "lost"), "missed"));
	json_decref(root);
}

TEST_F(output, flbs_have_their_own_rows)
{
	const char *const ops[] = { "preserve", "unpreserve" };
	json_t *o;
	size_t i, n;
	int found = 0;

	for (n = 0; n < 2; n++) {
		json_array_foreach(json_object_get(self->latency, "calls"), i, o) {
			if (is(o, "shared_state", "luo-test-flb-v1") &&
			    is(o, "op", ops[n]))
				found += number(o, "count");
		}
	}
	EXPECT_LE(2, found);
}

TEST_F(output, calls_and_errors_are_exact)
{
	json_t *p = call_row(self->latency, TEST_HANDLER, "preserve");

	EXPECT_EQ(2 * (FILES + 1), number(p, "count"));
	EXPECT_EQ(2, number(p, "errors"));
	p = call_row(self->latency, TEST_HANDLER, "unpreserve");
	EXPECT_EQ(2 * FILES, number(p, "count"));
	EXPECT_EQ(0, number(p, "errors"));
	EXPECT_EQ(NULL, call_row(self->latency, TEST_HANDLER, "freeze"));
	EXPECT_EQ(0, number(json_object_get(self->latency, "lost"), "events"));
	EXPECT_EQ(0, number(json_object_get(self->latency, "lost"), "missed"));
}

TEST_F(output, times_are_those_that_were_set)
{
	json_t *p = call_row(self->latency, TEST_HANDLER, "preserve");

	EXPECT_LE(DELAY_US * 1000, number(p, "min_ns"));
	EXPECT_GE(DELAY_US * 1000 + LATE_NS, number(p, "p50_ns"));
	EXPECT_LE(DELAY_US * 1000, number(p, "p50_ns"));
	EXPECT_LE(SLOW_US * 1000, number(p, "max_ns"));
	EXPECT_GE(SLOW_US * 1000 + LATE_NS, number(p, "max_ns"));
}

TEST_F(output, figures_agree_with_the_events_call_by_call)
{
	long count = 0, total = 0, max = 0, ns;
	json_t *p = call_row(self->latency, TEST_HANDLER, "preserve"), *e;
	size_t i;

	json_array_foreach(self->trace, i, e) {
		if (!is(e, "event", "luo_handler_exit") ||
		    !is(e, "op", "preserve") ||
		    !is(e, "compatible", TEST_HANDLER))
			continue;
		ns = number(e, "duration_ns");
		count++;
		total += ns;
		max = ns > max ? ns : max;
	}
	EXPECT_EQ(count, number(p, "count"));
	EXPECT_EQ(total, number(p, "total_ns"));
	EXPECT_EQ(max, number(p, "max_ns"));
}

/* That of @n calls or events at least. */
static bool cost_is_known(json_t *o, long n)
{
	json_t *cost = json_object_get(o, "observer");
	long long runs = number(cost, "runs"), ns = number(cost, "run_ns");

	printf("# %lld runs, %lld ns, of %ld\n", runs, ns, n);
	return runs >= n && ns >= runs && ns < number(cost, "observed_ns") &&
	       json_is_real(json_object_get(cost, "share"));
}

TEST_F(output, what_tracing_cost_is_known)
{
	json_t *record = load_lines("/tmp/two.luotrace");
	json_t *last = json_array_get(record, json_array_size(record) - 1);
	size_t events = json_array_size(self->trace) - 2;

	EXPECT_TRUE(cost_is_known(self->latency, 4 * (FILES + 1)));
	EXPECT_TRUE(cost_is_known(json_array_get(self->trace, events + 1), events));
	EXPECT_TRUE(is(last, "event", "end"));
	EXPECT_LE(0, number(json_object_get(last, "observer"), "run_ns"));
	json_decref(record);
}

TEST_F(output, a_pid_is_that_of_the_process)
{
	long pids[2] = {}, seen[2] = {};
	FILE *f = fopen(AGENTS, "r");
	json_t *e;
	size_t i;
	int n;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(2, fscanf(f, "%ld %ld", &pids[0], &pids[1]));
	fclose(f);
	json_array_foreach(self->trace, i, e) {
		if (!is(e, "event", "luo_handler_exit") || !is(e, "op", "preserve"))
			continue;
		n = is(e, "session", spelled[1]);
		EXPECT_EQ(pids[n], number(e, "pid"));
		EXPECT_LT(0, number(e, "tid"));
		EXPECT_NE(pids[n], number(e, "tid"));
		seen[n]++;
	}
	EXPECT_LT(FILES, seen[0]);
	EXPECT_LT(FILES, seen[1]);
}

TEST_F(output, the_histogram_holds_all_calls)
{
	json_t *p = call_row(self->latency, TEST_HANDLER, "preserve"), *slot;
	long sum = 0;
	size_t i;

	json_array_foreach(json_object_get(p, "histogram"), i, slot) {
		EXPECT_LE(number(slot, "low_ns"), number(slot, "high_ns"));
		sum += number(slot, "count");
	}
	EXPECT_EQ(2 * (FILES + 1), sum);
}

TEST_F(output, the_longest_calls_come_first_with_their_files)
{
	json_t *slow = json_object_get(self->latency, "slowest"), *o;
	size_t i;

	ASSERT_LE(2, json_array_size(slow));
	for (i = 0; i < 2; i++) {
		o = json_array_get(slow, i);
		EXPECT_TRUE(is(o, "token", "7"));
		EXPECT_TRUE(is(o, "op", "preserve"));
		EXPECT_TRUE(is(o, "session", spelled[0]) ||
			    is(o, "session", spelled[1]));
	}
	for (i = 1; i < json_array_size(slow); i++)
		EXPECT_GE(number(json_array_get(slow, i - 1), "duration_ns"),
			  number(json_array_get(slow, i), "duration_ns"));
}

TEST_F(output, memory_is_counted_and_unpreserved)
{
	long preserved = 0, given_back = 0;
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(self->latency, "kho"), i, o) {
		EXPECT_EQ(number(o, "pages") * PAGE, number(o, "bytes"));
		EXPECT_EQ(0, number(o, "errors"));
		if (is(o, "action", "preserve"))
			preserved += number(o, "pages");
		else if (is(o, "action", "unpreserve"))
			given_back += number(o, "pages");
	}
	EXPECT_LE(2 * (MEMFD_BYTES / PAGE + FILES), preserved);
	EXPECT_EQ(preserved, given_back);
}

TEST_F(output, lifetimes_of_sessions_are_shown)
{
	json_t *lives = json_object_get(self->latency, "sessions"), *o, *steps;
	size_t i;

	ASSERT_EQ(2, json_array_size(lives));
	json_array_foreach(lives, i, o) {
		EXPECT_TRUE(is(o, "session", spelled[i]));
		EXPECT_TRUE(is(o, "dir", "out"));
		EXPECT_EQ(FILES + 1, number(o, "files"));
		steps = json_object_get(o, "life");
		EXPECT_EQ(2, json_array_size(steps));
		EXPECT_TRUE(is(json_array_get(steps, 0), "what", "created"));
		EXPECT_TRUE(is(json_array_get(steps, 1), "what", "closed"));
	}
	EXPECT_EQ(1, number(self->latency, "liveupdate_number"));
}

TEST_F(output, filters_let_only_the_slow_files_pass)
{
	json_t *calls = json_object_get(self->byfile, "calls"), *o;
	size_t i;

	json_array_foreach(calls, i, o) {
		EXPECT_TRUE(is(o, "op", "preserve"));
		EXPECT_LE(5000000, number(o, "min_ns"));
		/* the average is rounded down */
		EXPECT_EQ(number(o, "avg_ns"),
			  number(o, "total_ns") / number(o, "count"));
	}
	/* These two are slow for certain, others may be. */
	EXPECT_LE(2, json_array_size(calls));
}

TEST_F(output, the_trace_begins_and_ends)
{
	size_t n = json_array_size(self->trace);
	json_t *end = json_array_get(self->trace, n - 1);

	EXPECT_TRUE(is(json_array_get(self->trace, 0), "event", "start"));
	EXPECT_EQ(1, number(json_array_get(self->trace, 0), "schema"));
	EXPECT_TRUE(is(end, "event", "end"));
	EXPECT_EQ(0, number(json_object_get(end, "lost"), "events"));
}

/* What a command has loaded, and would allocate with CPUS possible CPUs. */
struct cost {
	int programs;
	long kib;
};

/* BPF_MAP_TYPE_PERCPU_HASH, _PERCPU_ARRAY, _LRU_PERCPU_HASH */
static bool per_cpu(long type)
{
	return type == 5 || type == 6 || type == 10;
}

static long map_bytes(long type, long value, long entries, long memlock)
{
	if (per_cpu(type))
		return (value + 7) / 8 * 8 * entries * CPUS;
	return memlock;
}

static struct cost cost_of(const char *name)
{
	long type = 0, value = 0, entries = 0, memlock = 0, n, bytes = 0;
	struct cost cost = {};
	char line[128];
	FILE *f;

	snprintf(line, sizeof(line), "/tmp/%s.cost", name);
	f = fopen(line, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "fd:", 3))
			type = 0;
		else if (sscanf(line, "prog_type: %ld", &n) == 1)
			cost.programs++;
		else if (sscanf(line, "map_type: %ld", &n) == 1)
			type = n;
		else if (sscanf(line, "value_size: %ld", &n) == 1)
			value = n;
		else if (sscanf(line, "max_entries: %ld", &n) == 1)
			entries = n;
		else if (sscanf(line, "memlock: %ld", &n) == 1)
			memlock = n;
		/* The last line of a map. */
		else if (sscanf(line, "map_id: %ld", &n) == 1 && type)
			bytes += map_bytes(type, value, entries, memlock);
	}
	if (f)
		fclose(f);
	cost.kib = bytes / 1024;
	return cost;
}

TEST(a_command_loads_only_what_it_shows)
{
	/* Programs, and the most KiB with 256 CPUs; the buffer is 4096 of them. */
	static const struct {
		const char *name;
		int programs;
		long kib;
	} wants[] = {
		{ "watch", 4, 1536 },
		{ "trace", 19, 4608 },
		{ "one", 1, 4608 },
		{ "record", 27, 5120 },
		{ "latency", 19, 7680 },
	};
	struct cost cost;
	size_t i;

	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		cost = cost_of(wants[i].name);
		TH_LOG("%s: %d programs, %ld KiB", wants[i].name, cost.programs,
		       cost.kib);
		EXPECT_EQ(wants[i].programs, cost.programs);
		EXPECT_GE(wants[i].kib, cost.kib);
		EXPECT_LT(0, cost.kib);
	}
}

TEST(check_finds_everything)
{
	json_t *c = json_load_file("/tmp/check.json", 0, NULL);

	ASSERT_NE(NULL, c);
	EXPECT_TRUE(is(c, "flavour", "traced"));
	EXPECT_EQ(22, number(c, "luo_events"));
	EXPECT_EQ(6, number(c, "kho_events"));
	EXPECT_TRUE(json_is_true(json_object_get(c, "works")));
	EXPECT_TRUE(json_is_true(json_object_get(c, "kho")));
	EXPECT_EQ(0, json_array_size(json_object_get(c, "missing_events")));
	json_decref(c);
}

TEST(a_user_without_permission_gets_a_message)
{
	char text[256] = "";
	FILE *f = fopen("/tmp/nobody", "r");

	ASSERT_NE(NULL, f);
	EXPECT_LT(0, fread(text, 1, sizeof(text) - 1, f));
	EXPECT_STREQ("luotrace: BPF needs CAP_BPF and CAP_PERFMON; run luotrace as root\n3\n",
		     text);
	fclose(f);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "work"))
		return work();
	if (argc == 2 && !strcmp(argv[1], "busy"))
		return busy();
	if (argc == 2 && !strcmp(argv[1], "many"))
		return many();
	return run_cases(argc, argv, NULL);
}
