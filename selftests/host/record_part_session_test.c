// SPDX-License-Identifier: GPL-2.0

/*
 * A record that is made from events: marks, and sessions that end in every way; and that
 * its readers accept it. Prints TAP.
 */

#include <errno.h>

#include "blackout.h"
#include "record_part_events.h"
#include "tap.h"

/* Two agents: vm-a ends with FINISH, vm-b is closed. */
static struct record_part *two_agents(const char *own)
{
	struct record_part *p = record_part_new(RECORD_IN, own);

	session(p, LT_SESSION_CREATE, T0 - 5 * MS, "next", 0, 0);
	session(p, LT_SESSION_RETRIEVE, T0 + 1 * MS, "gone", 0, -ENOENT);
	session(p, LT_SESSION_RETRIEVE, T0 + 2 * MS, "vm-a", 0, 0);
	session(p, LT_SESSION_RETRIEVE, T0 + 3 * MS, "vm-b", 0, 0);
	retrieve(p, "vm-a", T0 + 5 * MS, 0);
	retrieve(p, "vm-b", T0 + 8 * MS, 0);
	retrieve(p, "vm-a", T0 + 7 * MS, 0);
	retrieve(p, "vm-b", T0 + 9 * MS, -EIO);
	/* One of vm-a is busy at first. */
	call(p, "vm-a", "memfd-v1", OP_CAN_FINISH, T0 + 10 * MS, T0 + 11 * MS, -EBUSY);
	session(p, LT_SESSION_FINISH, T0 + 12 * MS, "vm-a", 2, -EBUSY);
	call(p, "vm-a", "memfd-v1", OP_CAN_FINISH, T0 + 13 * MS, T0 + 14 * MS, 0);
	call(p, "vm-a", "memfd-v1", OP_CAN_FINISH, T0 + 14 * MS, T0 + 15 * MS, 0);
	call(p, "vm-a", "memfd-v1", OP_FINISH, T0 + 15 * MS, T0 + 16 * MS, 0);
	call(p, "vm-a", "memfd-v1", OP_FINISH, T0 + 16 * MS, T0 + 17 * MS, 0);
	session(p, LT_SESSION_FINISH, T0 + 18 * MS, "vm-a", 0, 0);
	return p;
}

static void close_both(struct record_part *p)
{
	session(p, LT_SESSION_FINISH, T0 + 19 * MS, "vm-a", 0, 0);
	session(p, LT_SESSION_RELEASE, T0 + 20 * MS, "vm-a", 0, 0);
	session(p, LT_SESSION_RELEASE, T0 + 30 * MS, "vm-b", 2, 0);
	call(p, "vm-b", "memfd-v1", OP_CAN_FINISH, T0 + 31 * MS, T0 + 32 * MS, 0);
	call(p, "vm-b", "memfd-v1", OP_FINISH, T0 + 32 * MS, T0 + 33 * MS, 0);
	call(p, "vm-b", "memfd-v1", OP_FINISH, T0 + 34 * MS, T0 + 36 * MS, 0);
}

static void test_marks(void)
{
	struct lt_event e = event_at(LT_FILE_STATE, T0 + 9 * MS, "vm-b", -EIO);
	struct record_part *p = two_agents(NULL);
	struct liveupdate_recorder_part *part;
	const __u64 *times, *busy, *marks;
	int m;

	/* Neither of them is a file that is restored. */
	e.file.new = FILE_RETRIEVED;
	record_part_event(p, &e);
	e.ret = 0;
	e.file.new = FILE_PRESERVED;
	record_part_event(p, &e);
	part = get(p);
	times = part->times;
	busy = part->busy;
	marks = part->marks;

	check(times[LIVEUPDATE_MARK_OPEN] == T0 && busy[LIVEUPDATE_MARK_OPEN] == 1000,
	      "the first claim says when its agent opened the device");
	check(times[LIVEUPDATE_MARK_RESTORED] == T0 + 8 * MS &&
	      busy[LIVEUPDATE_MARK_RESTORED] == 1000 + 4 * MS,
	      "the last file that was retrieved");
	check(times[LIVEUPDATE_MARK_FINISHED] == T0 + 18 * MS &&
	      busy[LIVEUPDATE_MARK_FINISHED] == 1000 + 9 * MS && part->finished == 1 &&
	      part->finished_files == 2 && !part->over, "the last FINISH");
	for (m = LIVEUPDATE_MARK_OPEN; m < LIVEUPDATE_NR_MARKS; m++) {
		if (marks[m] != counter_of(NULL, times[m]))
			break;
	}
	check(m == LIVEUPDATE_NR_MARKS, "marks by the counter");
	free(part);

	close_both(p);
	session(p, LT_SESSION_CREATE, T0 + 38 * MS, "next", 0, 0);
	part = get(p);
	check(part->finished == 2 && part->finished_files == 4,
	      "a session that is closed is finished; another FINISH is none");
	check(part->times[LIVEUPDATE_MARK_FINISHED] == T0 + 36 * MS,
	      "when its last file was");
	record_part_over(p);
	free(part);
	part = get(p);
	check(part->over && part->finished == 2 &&
	      part->times[LIVEUPDATE_MARK_FINISHED] == T0 + 36 * MS,
	      "the live update is over");
	session(p, LT_SESSION_RETRIEVE, T0 + 40 * MS, "later", 0, 0);
	free(part);
	part = get(p);
	check(part->times[LIVEUPDATE_MARK_OPEN] == T0, "a later claim does not open it");
	free(part);
	record_part_free(p);
}

static void test_sessions(void)
{
	struct record_part *p = two_agents(NULL);
	struct liveupdate_recorder_part *part;
	int phase, i, n = 0;

	close_both(p);
	part = get(p);
	check(session_is(part, PHASE_RESTORE, "vm-a", T0 + 2 * MS, T0 + 18 * MS, 2, 0),
	      "a restore ends with FINISH");
	check(session_is(part, PHASE_RESTORE, "vm-b", T0 + 3 * MS, T0 + 36 * MS, 2, 0),
	      "a restore ends with the last file when it is closed");
	check(session_is(part, PHASE_FINISH, "vm-b", T0 + 31 * MS, T0 + 36 * MS, 2, 0),
	      "that is a finish, too");
	check(slow_session(part, PHASE_RESTORE, "vm-a")->task == EVENT_TID,
	      "in the thread of its last event");
	check(part->slow_sessions[AGENT][PHASE_FINISH][1].duration == 5 * MS &&
	      part->slow_sessions[AGENT][PHASE_FINISH][1].files == 2,
	      "a second FINISH begins anew");
	for (phase = 0; phase < LIVEUPDATE_RECORDER_PHASES; phase++) {
		for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++)
			n += !!part->slow_sessions[AGENT][phase][i].duration;
	}
	check(n == 5, "two restores, three finishes");
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		if (part->slow_sessions[AGENT][PHASE_FINISH][i].ret)
			break;
	}
	check(i < LIVEUPDATE_RECORDER_SLOWEST &&
	      part->slow_sessions[AGENT][PHASE_FINISH][i].ret == -EBUSY &&
	      part->slow_sessions[AGENT][PHASE_FINISH][i].files == 2 &&
	      part->slow_sessions[AGENT][PHASE_FINISH][i].duration == 2 * MS,
	      "one of them failed");
	free(part);
	record_part_free(p);
}

/* Sessions that end in other ways, or were claimed before anything was traced. */
static void test_ends(void)
{
	struct record_part *p = record_part_new(RECORD_IN, NULL);
	struct lt_event e = event_at(LT_SESSION_RELEASE, T0 + 2 * MS, "old", 0);
	struct liveupdate_recorder_part *part;

	e.session_op.files = 3;
	record_part_event(p, &e);
	session(p, LT_SESSION_RELEASE, T0 + 2 * MS, "done", 0, 0);
	session(p, LT_SESSION_FINISH, T0 + 2 * MS, "never", 1, -EINVAL);
	part = get(p);
	check(!part->finished && !part->times[LIVEUPDATE_MARK_FINISHED],
	      "an outgoing session, and one that was finished before, do not count");
	free(part);

	session(p, LT_SESSION_RETRIEVE, T0 + 3 * MS, "empty", 0, 0);
	session(p, LT_SESSION_RELEASE, T0 + 5 * MS, "empty", 0, 0);
	part = get(p);
	check(part->finished == 1 && !part->finished_files &&
	      part->times[LIVEUPDATE_MARK_FINISHED] == T0 + 5 * MS &&
	      session_is(part, PHASE_RESTORE, "empty", T0 + 3 * MS, T0 + 5 * MS, 0, 0),
	      "an empty one is finished as it is closed");
	free(part);

	session(p, LT_SESSION_RETRIEVE, T0 + 10 * MS, "stuck", 0, 0);
	session(p, LT_SESSION_RELEASE, T0 + 20 * MS, "stuck", 3, 0);
	call(p, "stuck", "h", OP_CAN_FINISH, T0 + 21 * MS, T0 + 22 * MS, -EBUSY);
	part = get(p);
	check(part->finished == 1 &&
	      session_is(part, PHASE_RESTORE, "stuck", T0 + 10 * MS, T0 + 22 * MS, 3,
			 -ECANCELED) &&
	      session_is(part, PHASE_FINISH, "stuck", T0 + 21 * MS, T0 + 22 * MS, 3,
			 -EBUSY), "one that cannot finish as it is closed is not");
	free(part);

	session(p, LT_SESSION_FINISH, T0 + 30 * MS, "before", 5, 0);
	session(p, LT_SESSION_FINISH, T0 + 31 * MS, "before", 0, 0);
	call(p, "earlier", "h", OP_FINISH, T0 + 32 * MS, T0 + 33 * MS, 0);
	session(p, LT_SESSION_FINISH, T0 + 34 * MS, "earlier", 0, 0);
	part = get(p);
	check(part->finished == 3 && part->finished_files == 6 &&
	      part->times[LIVEUPDATE_MARK_FINISHED] == T0 + 34 * MS &&
	      !slow_session(part, PHASE_RESTORE, "before")->duration &&
	      session_is(part, PHASE_FINISH, "earlier", T0 + 32 * MS, T0 + 34 * MS, 1, 0),
	      "claimed before it was traced: finished once, its restore is unknown");
	free(part);

	/* The same name again, of the next live update. */
	session(p, LT_SESSION_RETRIEVE, T0 + 40 * MS, "before", 0, 0);
	session(p, LT_SESSION_FINISH, T0 + 42 * MS, "before", 0, 0);
	part = get(p);
	check(part->finished == 4 && session_is(part, PHASE_RESTORE, "before",
						T0 + 40 * MS, T0 + 42 * MS, 0, 0),
	      "a claim begins anew");
	free(part);
	record_part_over(p);
	part = get(p);
	check(part->finished == 4, "what does not count does not in the end, either");
	free(part);
	record_part_free(p);
}

static void test_over(void)
{
	struct record_part *p = record_part_new(RECORD_IN, NULL);
	struct liveupdate_recorder_part *part;

	/* The handler of its files is not traced; the other one's end was lost. */
	session(p, LT_SESSION_RETRIEVE, T0 + 2 * MS, "a", 0, 0);
	session(p, LT_SESSION_RETRIEVE, T0 + 3 * MS, "lost", 0, 0);
	file(p, "a", T0 + 4 * MS, 0);
	call(p, "lost", "h", OP_CAN_FINISH, T0 + 4 * MS, T0 + 5 * MS, -EBUSY);
	session(p, LT_SESSION_RELEASE, T0 + 5 * MS, "a", 2, 0);
	record_part_over(p);
	part = get(p);
	check(part->finished == 2 && part->finished_files == 2 &&
	      part->times[LIVEUPDATE_MARK_FINISHED] == T0 + 5 * MS &&
	      session_is(part, PHASE_RESTORE, "a", T0 + 2 * MS, T0 + 5 * MS, 2, 0) &&
	      !slow_session(part, PHASE_RESTORE, "lost")->duration &&
	      !slow_session(part, PHASE_FINISH, "lost")->duration,
	      "in the end all sessions are finished");
	free(part);
	record_part_free(p);

	p = record_part_new(RECORD_IN, NULL);
	session(p, LT_SESSION_RETRIEVE, T0 + 2 * MS, "a", 0, 0);
	session(p, LT_SESSION_FINISH, T0 + 3 * MS, "a", 0, 0);
	file(p, "unseen", T0 + 4 * MS, 0);
	call(p, "unseen", "h", OP_RETRIEVE, T0 + 5 * MS, T0 + 6 * MS, -EIO);
	record_part_over(p);
	part = get(p);
	check(part->times[LIVEUPDATE_MARK_FINISHED] == T0 + 6 * MS,
	      "a file that was retrieved after the last FINISH is before the end");
	free(part);
	record_part_free(p);

	p = record_part_new(RECORD_IN, NULL);
	record_part_over(p);
	session(p, LT_SESSION_RETRIEVE, T0 + 2 * MS, "a", 0, 0);
	part = get(p);
	check(part->over && !part->times[LIVEUPDATE_MARK_FINISHED] &&
	      !part->marks[LIVEUPDATE_MARK_FINISHED] &&
	      !part->times[LIVEUPDATE_MARK_OPEN], "without an event the end is unknown");
	free(part);
	record_part_free(p);
}

/* luotrace's own session: claimed and finished before, between and after the others. */
static void test_own(void)
{
	struct record_part *p = record_part_new(RECORD_IN, "luotrace");
	struct liveupdate_recorder_part *part;
	struct lt_event e;

	/* It opens the device before, is in its calls for 600 ns then. */
	e = event_at(LT_SESSION_RETRIEVE, T0 - 10 * MS, "luotrace", 0);
	e.opened = T0 - 11 * MS;
	e.busy_ns = 600;
	record_part_event(p, &e);
	retrieve(p, "luotrace", T0 - 9 * MS, 0);
	e = event_at(LT_SESSION_RETRIEVE, T0 + 400, "luotrace-", 0);
	e.busy_ns = 1100;
	record_part_event(p, &e);
	part = get(p);
	check(part->times[LIVEUPDATE_MARK_OPEN] == T0 &&
	      part->busy[LIVEUPDATE_MARK_OPEN] == 1000 &&
	      !part->times[LIVEUPDATE_MARK_RESTORED] && !nr_rows(part),
	      "the tool's own session sets no mark");
	free(part);
	session(p, LT_SESSION_FINISH, T0 + 2 * MS, "luotrace-", 0, 0);
	call(p, "luotrace", "h", OP_FINISH, T0 + 2 * MS, T0 + 3 * MS, 0);
	session(p, LT_SESSION_FINISH, T0 + 4 * MS, "luotrace", 1, 0);
	session(p, LT_SESSION_RELEASE, T0 + 5 * MS, "luotrace", 1, 0);
	record_part_over(p);
	part = get(p);
	check(part->finished == 1 && !part->finished_files && !nr_rows(part) &&
	      part->times[LIVEUPDATE_MARK_FINISHED] == T0 + 2 * MS,
	      "nor does it count");
	free(part);
	record_part_free(p);
}

/* Time in ioctls before the device was opened, from what is known. */
static void test_busy(void)
{
	static const struct {
		uint64_t opened, before, busy, at, want;
		const char *what;
	} rows[] = {
		{ T0, 500, 50500, T0, 500, "what the last event before says" },
		{ T0, 500, 100700, T0, 700, "at most the time since then less" },
		{ 0, 500, 50500, T0 + 100000, 50500, "as of the claim if it is unknown" },
		{ T0 + 200000, 500, 50500, T0 + 100000, 50500, "never later than the claim" },
		{ 0, 0, 0, T0 + 100000, 0, "not traced" },
	};
	struct liveupdate_recorder_part *part;
	struct record_part *p;
	struct lt_event e, late;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		p = record_part_new(RECORD_IN, "own");
		e = event_at(LT_SESSION_RETRIEVE, T0 - MS, "own", 0);
		e.opened = rows[i].opened ? T0 - 2 * MS : 0;
		e.busy_ns = rows[i].before;
		record_part_event(p, &e);
		/* The agent has opened it; an event before that arrives late. */
		late = e;
		e.opened = rows[i].opened;
		e.busy_ns += e.busy_ns ? 20 : 0;
		record_part_event(p, &e);
		record_part_event(p, &late);
		e = event_at(LT_SESSION_RETRIEVE, T0 + 100000, "a", 0);
		e.opened = rows[i].opened;
		e.busy_ns = rows[i].busy;
		record_part_event(p, &e);
		/* The next agent. */
		e = event_at(LT_SESSION_RETRIEVE, T0 + 9 * MS, "b", 0);
		e.opened = T0 + 8 * MS;
		record_part_event(p, &e);
		part = get(p);
		check(part->times[LIVEUPDATE_MARK_OPEN] == rows[i].at &&
		      part->busy[LIVEUPDATE_MARK_OPEN] == rows[i].want,
		      "time in ioctls: %s", rows[i].what);
		free(part);
		record_part_free(p);
	}
}

/* Readers take it for a record of a kernel; its caller adds what it knows. */
static void test_readers(void)
{
	struct liveupdate_recorder *r = make(), *parsed;
	struct liveupdate_recorder_part in = r->last_in, out = r->last_out, *part;
	struct record_part *p = two_agents("own"), *q = record_part_new(RECORD_OUT, NULL);
	struct blackout b;
	uint64_t ns;

	close_both(p);
	record_part_over(p);
	call(q, "vm-a", "memfd-v1", OP_PRESERVE, T0, T0 + MS, 0);
	part = &r->last_in;
	record_part_get(p, part, counter_of, NULL);
	record_part_get(q, &r->last_out, counter_of, NULL);
	check(part->clock_hz == in.clock_hz && part->number == in.number &&
	      part->marks[LIVEUPDATE_MARK_INIT] == in.marks[LIVEUPDATE_MARK_INIT] &&
	      part->times[LIVEUPDATE_MARK_INIT] == in.times[LIVEUPDATE_MARK_INIT] &&
	      !strcmp(part->release, in.release) &&
	      !memcmp(r->last_out.marks, out.marks, 5 * sizeof(out.marks[0])),
	      "what the caller knows is left as it is");

	part->clock_hz = r->last_out.clock_hz = 3 * HZ;
	part->marks[LIVEUPDATE_MARK_START] = counter_of(NULL, 20 * MS);
	part->marks[LIVEUPDATE_MARK_INIT] = counter_of(NULL, T0 - 15 * MS);
	part->times[LIVEUPDATE_MARK_INIT] = T0 - 15 * MS;
	parsed = recorder_parse(r, sizeof(*r));
	check(parsed, "the record is accepted");
	if (parsed) {
		blackout_measure(parsed, &b);
		check(b.over && b.known[SPAN_USER] && b.ns[SPAN_USER] == 15 * MS &&
		      b.known[SPAN_RESTORE] && b.ns[SPAN_RESTORE] == 8 * MS &&
		      b.known[SPAN_FINISH] && b.ns[SPAN_FINISH] == 28 * MS,
		      "user-space start, restore and finish");
		check(b.timebase[1] == TIMEBASE_COUNTER && b.ns[SPAN_INIT] == T0 - 35 * MS,
		      "by the counter");
		check(span_in_calls(parsed, SPAN_RESTORE, &ns) && ns == 4 * MS &&
		      span_in_calls(parsed, SPAN_FINISH, &ns) && ns == 14 * MS,
		      "time in ioctls of each");
	}
	free(parsed);
	record_part_free(p);
	record_part_free(q);
	free(r);
}

int main(void)
{
	test_marks();
	test_sessions();
	test_ends();
	test_over();
	test_own();
	test_busy();
	test_readers();
	return end_tests();
}
