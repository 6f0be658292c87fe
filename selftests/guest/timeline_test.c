// SPDX-License-Identifier: GPL-2.0

/*
 * The recorder and luotrace timeline against the delays that timeline_agent set and the
 * durations in the trace events.
 */

#include "timeline_test.h"

#include <jansson.h>

#define OP_FREEZE	5
#define OP_RETRIEVE	7
#define PHASE_FREEZE	1
#define PHASE_CANCEL	2
#define PHASE_RESTORE	5
#define MAX_EVENTS	512

struct event {
	char session[64];
	char op[32];
	unsigned long long token, ns;
};

FIXTURE(timeline)
{
	struct liveupdate_recorder r;
	json_t *json;
	struct event events[MAX_EVENTS];
	int nr_events;
};

FIXTURE_SETUP(timeline)
{
	struct event *e = self->events;
	FILE *f;

	ASSERT_TRUE(read_record(&self->r));

	f = fopen(EVENTS, "r");
	ASSERT_NE(NULL, f);
	while (self->nr_events < MAX_EVENTS &&
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
		int later;	/* calls after the events were saved */
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

	/* Frozen twice: in the failed reboot, and by an event of its session. */
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
	/* It happened after the events were saved. */
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

/* Each has its duration; the two shortest were replaced by longer ones. */
TEST_F(timeline, the_longest_sessions_are_kept)
{
	const struct liveupdate_recorder_session *s;
	char name[NAME_LEN];
	size_t i;

	for (i = 0; i < NR_CANCELS; i++) {
		snprintf(name, sizeof(name), "cancel-%u", cancels[i]);
		s = session_of(&self->r.last_out, LIVEUPDATE_SCOPE_AGENT,
			       PHASE_CANCEL, name);
		ASSERT_EQ(IS_LONG(cancels[i]), s != NULL) TH_LOG("%s", name);
		if (s)
			EXPECT_LE(CANCEL_US(cancels[i]) * 1000ULL, s->duration);
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

	/* It calls no handler; only its agent takes time. */
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
	/* The first four files, one of 20 ms and one of 2 s were frozen in it. */
	EXPECT_LE(46000000 + FAIL_US * 1000ULL, p->failed_ns);
	EXPECT_LT(p->failed_ns, p->times[LIVEUPDATE_MARK_REBOOT]);
}

TEST_F(timeline, marks_follow_each_other)
{
	const __u64 *out = self->r.last_out.marks, *in = self->r.last_in.marks;
	int m;

	for (m = 1; m < LIVEUPDATE_NR_MARKS; m++)
		EXPECT_LE(m - 1 < LIVEUPDATE_MARK_START ? out[m - 1] : in[m - 1],
			  m < LIVEUPDATE_MARK_START ? out[m] : in[m])
			TH_LOG("mark %d", m);
	EXPECT_LT(0, out[LIVEUPDATE_MARK_REBOOT]);
	EXPECT_EQ(self->r.last_out.number, self->r.last_in.number);
	EXPECT_EQ(3 + NR_PARALLEL, self->r.last_in.sessions);
	EXPECT_EQ(NR_DELAYS + 1 + NR_PARALLEL, self->r.last_in.files);
	EXPECT_EQ(self->r.last_out.files, self->r.last_in.files);
}

/* Whether the kernels trust their counter; if not, only the kexec is unknown. */
static bool counter(const struct liveupdate_recorder *r)
{
	return r->last_out.clock_stable && r->last_in.clock_stable;
}

/* They do unless the command line says otherwise. */
TEST_F(timeline, the_counter_is_trusted)
{
	char text[4096] = "";
	FILE *f = fopen("/proc/cmdline", "r");

	ASSERT_NE(NULL, f);
	EXPECT_LT(0, fread(text, 1, sizeof(text) - 1, f));
	fclose(f);
	EXPECT_EQ(!strstr(text, "tsc=unstable"), counter(&self->r));
}

TEST_F(timeline, phases_sum_to_the_blackout)
{
	json_t *phase, *ns, *all = json_object_get(self->json, "blackout_ns");
	const char *by = counter(&self->r) ? "counter" : "clock";
	json_int_t sum = 0;
	size_t i;

	json_array_foreach(json_object_get(self->json, "phases"), i, phase) {
		ns = json_object_get(phase, "duration_ns");
		sum += json_integer_value(ns);
		if (i == 3 && !counter(&self->r)) {
			EXPECT_TRUE(json_is_null(ns));
			continue;
		}
		EXPECT_TRUE(json_is_integer(ns)) TH_LOG("phase %zu", i);
		EXPECT_STREQ(by, json_string_value(
			json_object_get(phase, "measured_by")));
	}
	EXPECT_EQ(8, i);
	EXPECT_EQ(sum, json_integer_value(json_object_get(self->json,
							  "known_ns")));
	EXPECT_TRUE(json_is_true(json_object_get(self->json, "finished")));
	if (!counter(&self->r)) {
		EXPECT_TRUE(json_is_null(all));
		return;
	}
	EXPECT_EQ(sum, json_integer_value(all));
	/* From the first mark to the last, by the same clock. */
	EXPECT_EQ(sum, (json_int_t)((unsigned __int128)
		(self->r.last_in.marks[LIVEUPDATE_MARK_FINISHED] -
		 self->r.last_out.marks[LIVEUPDATE_MARK_REBOOT]) * 1000000000 /
		self->r.last_out.clock_hz));
}

/* What an agent does after its last FINISH is no blackout. */
TEST_F(timeline, finish_ends_with_the_last_finish)
{
	FILE *f = fopen(ENDED, "r");
	unsigned long long ended;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fscanf(f, "%llu", &ended));
	fclose(f);
	EXPECT_EQ(1, self->r.last_in.over);
	EXPECT_LE(self->r.last_in.times[LIVEUPDATE_MARK_FINISHED] +
		  IDLE_S * 1000000000ULL, ended);
}

TEST_F(timeline, calls_at_once_are_counted_once)
{
	const struct liveupdate_recorder_row *row =
		row_in(&self->r.last_in, LIVEUPDATE_SCOPE_AGENT, HANDLER,
		       OP_RETRIEVE);
	json_t *restore = json_array_get(json_object_get(self->json, "phases"), 6);
	json_int_t ns = json_integer_value(json_object_get(restore, "duration_ns"));
	json_t *in_calls = json_object_get(restore, "in_calls_ns");

	ASSERT_NE(NULL, row);
	EXPECT_LE(NR_PARALLEL * PARALLEL_US * 1000ULL, row->total);
	EXPECT_LE(PARALLEL_US * 1000ULL, row->wall);
	EXPECT_GT(row->total, row->wall);
	EXPECT_GE(ns, (json_int_t)row->wall);
	/* The agent slept for a second between calls. */
	ASSERT_TRUE(json_is_integer(in_calls));
	EXPECT_LE((json_int_t)row->wall, json_integer_value(in_calls));
	EXPECT_GE(ns - 1000000000, json_integer_value(in_calls));
}

/* A row of JSON, by handler and operation; of a scope if one is given. */
static json_t *json_row(json_t *calls, const char *op, const char *scope)
{
	const char *name;
	json_t *call;
	size_t i;

	json_array_foreach(calls, i, call) {
		name = json_string_value(json_object_get(call, "handler"));
		if (name && !strcmp(name, HANDLER) &&
		    !strcmp(op, json_string_value(json_object_get(call, "op"))) &&
		    (!scope || !strcmp(scope, json_string_value(
				json_object_get(call, "scope")))))
			return call;
	}
	return NULL;
}

static json_int_t max_ns(json_t *row)
{
	return json_integer_value(json_object_get(row, "max_ns"));
}

/* No call of this live update takes 2 s; one of the failed attempt did. */
TEST_F(timeline, a_reboot_that_failed_is_apart)
{
	json_t *failed = json_object_get(self->json, "failed"), *trace;
	json_t *old = json_object_get(self->json, "old_kernel"), *first;
	json_t *report = json_load_file("/tmp/report.json", 0, NULL);
	json_int_t long_ns = FAIL_US * 1000LL;
	char *text;

	EXPECT_EQ(1, json_integer_value(json_object_get(failed, "reboots")));
	EXPECT_EQ(-EDOM, json_integer_value(json_object_get(failed, "last_ret")));
	EXPECT_LE(long_ns, json_integer_value(json_object_get(failed, "last_ns")));
	EXPECT_LE(long_ns, max_ns(json_row(json_object_get(failed, "calls"),
					   "freeze", "failed")));
	first = json_array_get(json_object_get(failed, "slowest"), 0);
	EXPECT_STREQ("failing", json_string_value(
		json_object_get(first, "session")));
	first = json_array_get(json_object_get(failed, "sessions"), 0);
	EXPECT_STREQ("failing", json_string_value(
		json_object_get(first, "session")));

	EXPECT_EQ(NULL, json_row(json_object_get(old, "calls"), "freeze",
				 "failed"));
	EXPECT_GT(long_ns, max_ns(json_row(json_object_get(old, "calls"),
					   "freeze", "reboot")));
	text = json_dumps(json_object_get(self->json, "phases"), 0);
	EXPECT_EQ(NULL, strstr(text, "failing"));
	free(text);

	/* The trace has the same. */
	trace = json_array_get(json_object_get(report, "traces"), 0);
	EXPECT_LE(long_ns, max_ns(json_row(json_object_get(trace, "failed_calls"),
					   "freeze", NULL)));
	EXPECT_GT(long_ns, max_ns(json_row(json_object_get(trace, "calls"),
					   "freeze", NULL)));
	json_decref(report);
}

TEST_F(timeline, the_freeze_is_as_long_as_its_files)
{
	json_t *freeze = json_array_get(json_object_get(self->json, "phases"), 1);
	json_int_t ns = json_integer_value(json_object_get(freeze, "duration_ns"));
	json_t *slowest = json_object_get(freeze, "slowest"), *first;

	EXPECT_LE(SLOW_US * 1000LL, ns);
	/* Without the attempt that failed. */
	EXPECT_GT(FAIL_US * 1000LL, ns);
	/* Only calls inside it; the other session was frozen before. */
	first = json_array_get(slowest, 0);
	EXPECT_STREQ("slow", json_string_value(json_object_get(first, "session")));
	EXPECT_STREQ("77", json_string_value(json_object_get(first, "token")));
	EXPECT_STREQ(HANDLER, json_string_value(json_object_get(first, "handler")));
}

TEST_F(timeline, the_findings_name_the_cause)
{
	char head[8192] = "", line[512];
	FILE *f = fopen("/tmp/timeline.txt", "r");

	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f) && strncmp(line, "old kernel", 10)) {
		ASSERT_GT(sizeof(head), strlen(head) + strlen(line));
		strcat(head, line);
		/* Lines may break between words. */
		head[strlen(head) - 1] = ' ';
	}
	while (fgets(line, sizeof(line), f))
		EXPECT_GE(81, strlen(line)) TH_LOG("%s", line);
	fclose(f);
	EXPECT_NE(NULL, strstr(head, HANDLER)) TH_LOG("%s", head);
	EXPECT_NE(NULL, strstr(head, "session slow")) TH_LOG("%s", head);
	EXPECT_NE(NULL, strstr(head, "token 77")) TH_LOG("%s", head);
	EXPECT_NE(NULL, strstr(head, "1 reboot failed")) TH_LOG("%s", head);
}

TEST_F(timeline, latency_fills_in_what_was_recorded)
{
	const struct liveupdate_recorder_part *p = &self->r.last_out;
	const struct liveupdate_recorder_row *one;
	json_t *root = json_load_file("/tmp/latency.json", 0, NULL);
	json_t *recorded = json_object_get(root, "recorded"), *call;
	json_int_t count = 0, total = 0;
	int scope;

	for (scope = 0; scope < LIVEUPDATE_SCOPE_FAILED; scope++) {
		one = row_in(p, scope, HANDLER, OP_FREEZE);
		count += one ? one->count : 0;
		total += one ? one->total : 0;
	}
	EXPECT_EQ(0, json_array_size(json_object_get(root, "calls")));
	EXPECT_EQ(1, json_integer_value(json_object_get(recorded,
							"liveupdate_number")));
	call = json_row(json_object_get(recorded, "calls"), "freeze", NULL);
	EXPECT_LT(0, count);
	EXPECT_EQ(count, json_integer_value(json_object_get(call, "count")));
	EXPECT_EQ(total, json_integer_value(json_object_get(call, "total_ns")));
	EXPECT_GT(FAIL_US * 1000LL, max_ns(call));
	EXPECT_TRUE(json_is_null(json_object_get(call, "p99_ns")));
	call = json_row(json_object_get(recorded, "failed_calls"), "freeze", NULL);
	one = row_in(p, LIVEUPDATE_SCOPE_FAILED, HANDLER, OP_FREEZE);
	ASSERT_NE(NULL, one);
	EXPECT_EQ(one->count, json_integer_value(json_object_get(call, "count")));
	EXPECT_EQ(one->max, max_ns(call));
	json_decref(root);
}

RUN_CASES_MAIN
