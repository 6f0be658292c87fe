// SPDX-License-Identifier: GPL-2.0

/*
 * The recorder and luotrace timeline against what is known: delays that were
 * set, and durations that the trace events told.
 *
 *	timeline_test hold	a reboot that fails, then slow sessions; what the
 *				events said goes to /state/events
 *	timeline_test		in the next kernel: compares
 */

#include "luo_test.h"

#include <jansson.h>
#include <linux/liveupdate_recorder.h>
#include <linux/reboot.h>
#include <sys/reboot.h>

#define TRACEFS		"/sys/kernel/tracing/"
#define EVENTS		"/state/events"
#define RECORDER	"/sys/kernel/liveupdate/recorder"
#define HANDLER		"liveupdate-test-v1"
#define SLOW_US		150000
#define SLOW_TOKEN	77
#define OP_FREEZE	5
#define PHASE_FREEZE	1
#define PHASE_CANCEL	2
#define PHASE_RESTORE	5
#define MAX_CALLS	16

static const unsigned int delays[] = { 50, 1000, 5000, 20000 };
#define NR_DELAYS	(sizeof(delays) / sizeof(delays[0]))

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	must(fd >= 0 && write(fd, text, strlen(text)) > 0, path);
	close(fd);
}

static int slow_in(enum liveupdate_test_op op, unsigned int us)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = op, .delay_us = us,
	};
	int fd = test_file(1);

	must(fd >= 0 && !call(fd, LIVEUPDATE_TEST_SET, &set), TEST_DEVICE);
	return fd;
}

static int slow_file(unsigned int us)
{
	return slow_in(LIVEUPDATE_TEST_FREEZE, us);
}

/* "session token op duration" of each call of the test handler so far. */
static void save_events(void)
{
	char line[512], session[64], compat[64], op[32];
	unsigned long long token, ns;
	FILE *in = fopen(TRACEFS "trace", "r"), *out = fopen(EVENTS, "w");
	char *at;

	must(in && out, EVENTS);
	while (fgets(line, sizeof(line), in)) {
		at = strstr(line, "luo_handler_exit: ");
		at = at ? strstr(at, "session=") : NULL;
		if (at && sscanf(at, "session=%63s token=%llu compatible=%63s op=%31s ret=%*d duration_ns=%llu",
				 session, &token, compat, op, &ns) == 5 &&
		    !strcmp(compat, HANDLER))
			fprintf(out, "%s %llu %s %llu\n", session, token, op, ns);
	}
	fclose(in);
	fclose(out);
}

/* All of the recorder's file; less than its size if that cannot be. */
static size_t read_record(struct liveupdate_recorder *r)
{
	int fd = open(RECORDER, O_RDONLY);
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, (char *)r + used, sizeof(*r) - used)) > 0)
		used += n;
	close(fd);
	return used;
}

static bool begins_anew(void)
{
	static struct liveupdate_recorder r;
	size_t used = read_record(&r);
	int m;

	for (m = 0; m < LIVEUPDATE_NR_MARKS; m++) {
		if (r.next_out.marks[m] || r.next_out.times[m])
			return false;
	}
	return used == sizeof(r) && r.next_out.failed == 1;
}

/* How long the cancel of each of these sessions takes, in 10 ms. */
static const unsigned int cancels[] = { 3, 1, 4, 2, 6, 5, 8, 7, 10, 9 };
#define NR_CANCELS	(sizeof(cancels) / sizeof(cancels[0]))

static void cancel_sessions(int dev)
{
	char name[NAME_LEN];
	int session, file;
	size_t i;

	for (i = 0; i < NR_CANCELS; i++) {
		snprintf(name, sizeof(name), "cancel-%u", cancels[i]);
		session = create(dev, name);
		file = slow_in(LIVEUPDATE_TEST_CANCEL, cancels[i] * 10000);
		must(!preserve(session, file, i) &&
		     !event(session, true, LIVEUPDATE_PREPARE) &&
		     !event(session, true, LIVEUPDATE_CANCEL), "cancel");
		close(file);
		close(session);
	}
}

static int hold(void)
{
	int dev = open_device(), known, slow, failing, t;
	size_t i;

	write_file(TRACEFS "events/luo/luo_handler_exit/enable", "1");
	known = create(dev, "known");
	for (i = 0; i < NR_DELAYS; i++)
		must(!preserve(known, slow_file(delays[i]), i), "known");

	/* One reboot that fails after 20 ms. */
	failing = create(dev, "failing");
	t = slow_file(20000);
	test_set(t, LIVEUPDATE_TEST_FREEZE, EDOM, 0);
	must(!preserve(failing, slow_file(20000), 1) && !preserve(failing, t, 2),
	     "failing");
	must(!system("vm-kexec --load"), "vm-kexec --load");
	must(reboot(LINUX_REBOOT_CMD_KEXEC) && errno == EDOM, "reboot");
	must(begins_anew(), "the record begins anew after a reboot that failed");
	close(failing);

	must(!event(known, true, LIVEUPDATE_PREPARE) &&
	     !event(known, true, LIVEUPDATE_FREEZE), "freeze");
	cancel_sessions(dev);
	must(create(dev, "empty") >= 0, "empty");
	slow = create(dev, "slow");
	must(!preserve(slow, slow_file(SLOW_US), SLOW_TOKEN), "slow");
	save_events();
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

struct event {
	char session[64];
	char op[32];
	unsigned long long token, ns;
};

FIXTURE(timeline)
{
	struct liveupdate_recorder r;
	json_t *json;
	struct event events[128];
	int nr_events;
};

FIXTURE_SETUP(timeline)
{
	struct event *e = self->events;
	FILE *f;

	ASSERT_EQ(sizeof(self->r), read_record(&self->r));

	f = fopen(EVENTS, "r");
	ASSERT_NE(NULL, f);
	while (self->nr_events < 128 &&
	       fscanf(f, "%63s %llu %31s %llu", e->session, &e->token, e->op,
		      &e->ns) == 4) {
		e++;
		self->nr_events++;
	}
	fclose(f);
	self->json = json_load_file("/tmp/timeline.json", 0, NULL);
	ASSERT_NE(NULL, self->json);
}

FIXTURE_TEARDOWN(timeline)
{
	json_decref(self->json);
}

static const struct liveupdate_recorder_row *
row_in(const struct liveupdate_recorder_part *p, unsigned int scope,
       const char *name, unsigned int op)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		if (p->rows[i].count && p->rows[i].op == op &&
		    p->rows[i].scope == scope && !strcmp(p->rows[i].name, name))
			return &p->rows[i];
	}
	return NULL;
}

/* The rows of all scopes together. */
static const struct liveupdate_recorder_row *
row_of(const struct liveupdate_recorder_part *p, const char *name,
       unsigned int op)
{
	static struct liveupdate_recorder_row sum;
	const struct liveupdate_recorder_row *row;
	unsigned int scope, i;

	memset(&sum, 0, sizeof(sum));
	for (scope = 0; scope < LIVEUPDATE_NR_SCOPES; scope++) {
		row = row_in(p, scope, name, op);
		if (!row)
			continue;
		sum.count += row->count;
		sum.total += row->total;
		sum.max = row->max > sum.max ? row->max : sum.max;
		for (i = 0; i < LIVEUPDATE_RECORDER_BUCKETS; i++)
			sum.hist[i] += row->hist[i];
	}
	return sum.count ? &sum : NULL;
}

static const struct liveupdate_recorder_call *
slow_call(const struct liveupdate_recorder_part *p, unsigned int scope,
	  unsigned int op, const char *session, unsigned long long token)
{
	const struct liveupdate_recorder_call *c;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		c = &p->slow_calls[scope][op][i];
		if (c->duration && c->token == token &&
		    !strcmp(c->session, session))
			return c;
	}
	return NULL;
}

TEST_F(timeline, rows_are_the_sums_of_the_events)
{
	static const struct {
		const char *word;
		unsigned int op;
		int later;	/* calls that came after the events were saved */
	} ops[] = {
		{ "preserve", 1, 0 }, { "unpreserve", 2, 0 },
		{ "unfreeze", 6, 0 }, { "cancel", 4, 0 }, { "freeze", 5, 1 },
	};
	const struct liveupdate_recorder_row *row;
	unsigned long long count, total, max, calls, last;
	unsigned int hist[LIVEUPDATE_RECORDER_BUCKETS];
	size_t o;
	int i;

	for (o = 0; o < sizeof(ops) / sizeof(ops[0]); o++) {
		count = total = max = calls = 0;
		memset(hist, 0, sizeof(hist));
		for (i = 0; i < self->nr_events; i++) {
			if (strcmp(self->events[i].op, ops[o].word))
				continue;
			count++;
			total += self->events[i].ns;
			hist[63 - __builtin_clzll(self->events[i].ns | 1)]++;
			if (self->events[i].ns > max)
				max = self->events[i].ns;
		}
		row = row_of(&self->r.last_out, HANDLER, ops[o].op);
		ASSERT_NE(NULL, row) TH_LOG("%s", ops[o].word);
		EXPECT_LT(0, count);
		EXPECT_EQ(count + ops[o].later, row->count);
		for (i = 0; i < LIVEUPDATE_RECORDER_BUCKETS; i++)
			calls += row->hist[i];
		EXPECT_EQ(row->count, calls);
		if (ops[o].later) {
			/* What is missing is the one call inside reboot(). */
			last = row->total - total;
			EXPECT_LE(SLOW_US * 1000ULL, last);
			EXPECT_EQ(last > max ? last : max, row->max);
			continue;
		}
		EXPECT_EQ(0, memcmp(hist, row->hist, sizeof(hist)));
		EXPECT_EQ(total, row->total) TH_LOG("%s", ops[o].word);
		EXPECT_EQ(max, row->max) TH_LOG("%s", ops[o].word);
	}
}

TEST_F(timeline, long_calls_are_those_of_the_events)
{
	const struct liveupdate_recorder_part *p = &self->r.last_out;
	const struct liveupdate_recorder_call *c;
	unsigned long long last, seen;
	const __u64 *two[2];
	size_t d;
	int i;

	/* Frozen twice: in the reboot that failed, and singly. */
	for (d = 2; d < NR_DELAYS; d++) {
		two[0] = two[1] = NULL;
		for (i = 0; i < LIVEUPDATE_NR_SCOPES; i++) {
			c = slow_call(p, i, OP_FREEZE, "known", d);
			if (c)
				two[i == LIVEUPDATE_SCOPE_FAILED] = &c->duration;
			EXPECT_EQ(i == LIVEUPDATE_SCOPE_FAILED ||
				  i == LIVEUPDATE_SCOPE_AGENT, c != NULL)
				TH_LOG("delay %zu in scope %d", d, i);
		}
		seen = 0;
		for (i = 0; i < self->nr_events; i++) {
			if (!strcmp(self->events[i].session, "known") &&
			    !strcmp(self->events[i].op, "freeze") &&
			    self->events[i].token == d) {
				last = self->events[i].ns;
				EXPECT_LE(delays[d] * 1000ULL, last);
				ASSERT_NE(NULL, two[seen ^ 1]);
				EXPECT_EQ(last, *two[seen ^ 1]);
				seen++;
			}
		}
		EXPECT_EQ(2, seen);
	}
	c = slow_call(p, LIVEUPDATE_SCOPE_REBOOT, OP_FREEZE, "slow", SLOW_TOKEN);
	ASSERT_NE(NULL, c);
	/* It came after the events were saved. */
	last = row_of(p, HANDLER, OP_FREEZE)->total;
	for (i = 0; i < self->nr_events; i++) {
		if (!strcmp(self->events[i].op, "freeze"))
			last -= self->events[i].ns;
	}
	EXPECT_EQ(last, c->duration);
	EXPECT_STREQ(HANDLER, c->name);
}

static const struct liveupdate_recorder_session *
session_of(const struct liveupdate_recorder_part *p, int scope, int phase,
	   const char *name)
{
	const struct liveupdate_recorder_session *s =
		p->slow_sessions[scope][phase];
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		if (s[i].duration && !strcmp(s[i].name, name))
			return &s[i];
	}
	return NULL;
}

/* Each as long as it should be, but for the two shortest, whose places others took. */
TEST_F(timeline, the_longest_sessions_are_kept)
{
	const struct liveupdate_recorder_session *s;
	char name[NAME_LEN];
	size_t i;

	for (i = 0; i < NR_CANCELS; i++) {
		snprintf(name, sizeof(name), "cancel-%u", cancels[i]);
		s = session_of(&self->r.last_out, LIVEUPDATE_SCOPE_AGENT,
			       PHASE_CANCEL, name);
		ASSERT_EQ(cancels[i] > NR_CANCELS - LIVEUPDATE_RECORDER_SLOWEST,
			  s != NULL) TH_LOG("%s", name);
		if (s)
			EXPECT_LE(cancels[i] * 10000000ULL, s->duration);
	}
}

TEST_F(timeline, long_sessions_are_kept)
{
	const struct liveupdate_recorder_session *s;

	s = session_of(&self->r.last_out, LIVEUPDATE_SCOPE_REBOOT, PHASE_FREEZE,
		       "slow");
	ASSERT_NE(NULL, s);
	EXPECT_LE(SLOW_US * 1000ULL, s->duration);
	EXPECT_EQ(1, s->files);
	EXPECT_EQ(0, s->ret);

	/* Nobody is called for it; only its agent takes time. */
	EXPECT_EQ(NULL, session_of(&self->r.last_out, LIVEUPDATE_SCOPE_REBOOT,
				   PHASE_FREEZE, "empty"));
	s = session_of(&self->r.last_in, LIVEUPDATE_SCOPE_AGENT, PHASE_RESTORE,
		       "empty");
	ASSERT_NE(NULL, s);
	EXPECT_EQ(0, s->files);
}

TEST_F(timeline, the_reboot_that_failed_is_recorded_as_such)
{
	const struct liveupdate_recorder_part *p = &self->r.last_out;

	EXPECT_EQ(1, p->failed);
	EXPECT_EQ(-EDOM, p->failed_ret);
	/* The first four files and one of 20 ms were frozen in it. */
	EXPECT_LE(46000000, p->failed_ns);
	EXPECT_LT(p->failed_ns, p->times[LIVEUPDATE_MARK_REBOOT]);
}

TEST_F(timeline, moments_follow_each_other)
{
	const __u64 *out = self->r.last_out.marks, *in = self->r.last_in.marks;
	int m;

	for (m = 1; m < LIVEUPDATE_NR_MARKS; m++)
		EXPECT_LE(m - 1 < LIVEUPDATE_MARK_START ? out[m - 1] : in[m - 1],
			  m < LIVEUPDATE_MARK_START ? out[m] : in[m])
			TH_LOG("mark %d", m);
	EXPECT_LT(0, out[LIVEUPDATE_MARK_REBOOT]);
	EXPECT_EQ(self->r.last_out.number, self->r.last_in.number);
	EXPECT_EQ(3, self->r.last_in.sessions);
	EXPECT_EQ(NR_DELAYS + 1, self->r.last_in.files);
	EXPECT_EQ(self->r.last_out.files, self->r.last_in.files);
}

TEST_F(timeline, phases_sum_to_the_blackout)
{
	json_t *phase, *ns;
	json_int_t sum = 0;
	size_t i;

	json_array_foreach(json_object_get(self->json, "phases"), i, phase) {
		ns = json_object_get(phase, "duration_ns");
		EXPECT_TRUE(json_is_integer(ns)) TH_LOG("phase %zu", i);
		sum += json_integer_value(ns);
	}
	EXPECT_EQ(8, i);
	EXPECT_EQ(sum, json_integer_value(json_object_get(self->json,
							  "blackout_ns")));
	/* From the first moment to the last, by the same clock. */
	EXPECT_EQ(sum, (json_int_t)((unsigned __int128)
		(self->r.last_in.marks[LIVEUPDATE_MARK_FINISHED] -
		 self->r.last_out.marks[LIVEUPDATE_MARK_REBOOT]) * 1000000000 /
		self->r.last_out.clock_hz));
}

TEST_F(timeline, the_freeze_is_as_long_as_its_files)
{
	json_t *freeze = json_array_get(json_object_get(self->json, "phases"), 1);
	json_int_t ns = json_integer_value(json_object_get(freeze, "duration_ns"));
	json_t *slowest = json_object_get(freeze, "slowest"), *first;

	EXPECT_LE(SLOW_US * 1000LL, ns);
	EXPECT_GT(2 * SLOW_US * 1000LL, ns);
	/* Only what was called inside it; the other session was frozen before. */
	first = json_array_get(slowest, 0);
	EXPECT_STREQ("slow", json_string_value(json_object_get(first, "session")));
	EXPECT_STREQ("77", json_string_value(json_object_get(first, "token")));
	EXPECT_STREQ(HANDLER, json_string_value(json_object_get(first, "handler")));
}

TEST_F(timeline, the_first_ten_lines_name_the_cause)
{
	char head[4096] = "", line[512];
	FILE *f = fopen("/tmp/timeline.txt", "r");
	int i;

	ASSERT_NE(NULL, f);
	for (i = 0; i < 10 && fgets(line, sizeof(line), f); i++) {
		strcat(head, line);
		/* Lines may be broken between words. */
		head[strlen(head) - 1] = ' ';
	}
	while (fgets(line, sizeof(line), f))
		EXPECT_GE(81, strlen(line)) TH_LOG("%s", line);
	fclose(f);
	EXPECT_NE(NULL, strstr(head, HANDLER)) TH_LOG("%s", head);
	EXPECT_NE(NULL, strstr(head, "session slow")) TH_LOG("%s", head);
	EXPECT_NE(NULL, strstr(head, "token 77")) TH_LOG("%s", head);
	EXPECT_NE(NULL, strstr(head, "1 reboots failed")) TH_LOG("%s", head);
}

TEST_F(timeline, latency_fills_in_what_was_recorded)
{
	const struct liveupdate_recorder_row *row =
		row_of(&self->r.last_out, HANDLER, OP_FREEZE);
	json_t *root = json_load_file("/tmp/latency.json", 0, NULL);
	json_t *recorded = json_object_get(root, "recorded"), *call;
	int found = 0;
	size_t i;

	EXPECT_EQ(0, json_array_size(json_object_get(root, "calls")));
	EXPECT_EQ(1, json_integer_value(json_object_get(recorded,
							"liveupdate_number")));
	json_array_foreach(json_object_get(recorded, "calls"), i, call) {
		const char *name = json_string_value(json_object_get(call, "handler"));
		const char *op = json_string_value(json_object_get(call, "op"));

		if (!name || strcmp(name, HANDLER) || strcmp(op, "freeze"))
			continue;
		found++;
		EXPECT_EQ(row->count, json_integer_value(
				json_object_get(call, "count")));
		EXPECT_EQ(row->total, json_integer_value(
				json_object_get(call, "total_ns")));
		EXPECT_EQ(row->max, json_integer_value(
				json_object_get(call, "max_ns")));
		EXPECT_TRUE(json_is_null(json_object_get(call, "p99_ns")));
	}
	EXPECT_EQ(1, found);
	json_decref(root);
}

/* Pages that were restored, as the record of this kernel says. */
static uint64_t restored(void)
{
	static struct liveupdate_recorder r;

	must(read_record(&r) == sizeof(r), RECORDER);
	return r.last_in.memory[2].pages;
}

static int restore(void)
{
	static const char *const names[] = { "known", "slow" };
	int dev = open_device(), s, i;
	uint64_t before;

	for (i = 0; i < 2; i++) {
		s = claim(dev, names[i]);
		must(s >= 0, names[i]);
		before = restored();
		must(retrieve(s, i ? SLOW_TOKEN : 0) >= 0, "retrieve");
		must(restored() > before,
		     "the record counts as long as the live update is not finished");
		must(!finish(s), "finish");
		close(s);
	}
	s = claim(dev, "empty");
	must(s >= 0 && !finish(s), "empty");
	close(s);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "restore"))
		return restore();
	return test_harness_run(argc, argv);
}
