// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace timeline of a record: the spans of the blackout, unknown ones, their causes;
 * and that an invalid record is rejected. Prints TAP; with a path, writes a record there
 * for the tests of the command line.
 */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blackout_record.h"
#include "timeline.h"
#include "tap.h"

static void test_spans(void)
{
	struct liveupdate_recorder *r = make();
	struct blackout b;
	uint64_t sum = 0;
	bool each = true;
	int s;

	blackout_measure(r, &b);
	for (s = 0; s < SPAN_NR; s++) {
		each = each && b.known[s] && b.ns[s] == (s + 1) * MS;
		sum += b.ns[s];
	}
	check(each, "each span has its length");
	check(b.whole && b.across == ACROSS_KNOWN && sum == b.total && sum == 36 * MS,
	      "they sum to the blackout");

	/* A frequency that does not divide a second, to test rounding. */
	r->last_out.clock_hz = r->last_in.clock_hz = 2596119017ULL;
	blackout_measure(r, &b);
	check(b.hz[0] == 2596119017ULL && b.whole, "the counter of the marks");
	for (sum = 0, s = 0; s < SPAN_NR; s++)
		sum += b.ns[s];
	check(sum == b.total &&
	      sum == (uint64_t)((unsigned __int128)36 * MS * 1000000000 /
				2596119017ULL), "also where ticks are no nanoseconds");
	free(r);
}

/* All but the span across the kexec, each as long as it is. */
static bool halves(const struct blackout *b)
{
	int s;

	for (s = 0; s < SPAN_NR; s++) {
		if (b->known[s] != (s != SPAN_KEXEC) ||
		    (b->known[s] && b->ns[s] != (s + 1) * MS))
			return false;
	}
	return !b->whole && b->total == 32 * MS;
}

static bool headline(const struct liveupdate_recorder *r, const struct blackout *b,
		     const char *want)
{
	char text[TIMELINE_TEXT];

	timeline_headline(r, b, text);
	if (strcmp(text, want))
		printf("# is   '%s'\n# want '%s'\n", text, want);
	return !strcmp(text, want);
}

/* A counter at two rates, going backwards, of a kernel that did not measure it. */
static void test_across(void)
{
	struct liveupdate_recorder *r = make();
	struct blackout b;
	int m;

	check((blackout_measure(r, &b), headline(r, &b, "blackout 36.0ms")),
	      "the headline if all is known");
	r->last_in.clock_hz = HZ + HZ / 500;
	blackout_measure(r, &b);
	check(!b.known[SPAN_KEXEC] && !b.whole && b.known[SPAN_INIT] &&
	      b.known[SPAN_FREEZE] && says(r, &b, "another rate"),
	      "another rate: the span across the kexec is unknown");
	check(headline(r, &b, "blackout at least 31.9ms (the span across the kexec is unknown)"),
	      "the headline with an unknown span");
	r->last_in.clock_hz = HZ + HZ / 2000;
	blackout_measure(r, &b);
	check(b.known[SPAN_KEXEC], "a rate that was measured twice is the same");
	r->last_in.clock_hz = HZ;

	for (m = LIVEUPDATE_MARK_START; m < LIVEUPDATE_NR_MARKS; m++)
		r->last_in.marks[m] -= 2 * HZ;
	blackout_measure(r, &b);
	check(halves(&b) && says(r, &b, "went backwards"),
	      "a counter that went backwards: each half by itself");
	free(r);

	r = make();
	r->last_in.clock_hz = r->last_in.clock_stable = 0;
	blackout_measure(r, &b);
	check(b.whole && b.total == 36 * MS && b.timebase[1] == TIMEBASE_COUNTER,
	      "a kernel that could not measure its counter has the rate of the other");
	r->last_out.clock_stable = 0;
	blackout_measure(r, &b);
	check(halves(&b) && b.timebase[1] == TIMEBASE_CLOCK,
	      "if that one cannot be trusted, each has its own clock");
	free(r);

	r = make();
	r->last_out.clock_hz = r->last_out.clock_stable = 0;
	blackout_measure(r, &b);
	check(b.whole && b.timebase[0] == TIMEBASE_COUNTER,
	      "the rate of the new kernel is used for the old one");
	free(r);
}

/* The phases inside one kernel are known without a counter. */
static void test_clock(void)
{
	struct liveupdate_recorder *r = make();
	struct blackout b;

	r->last_in.clock_stable = 0;
	blackout_measure(r, &b);
	check(halves(&b) && b.timebase[0] == TIMEBASE_COUNTER &&
	      b.timebase[1] == TIMEBASE_CLOCK && says(r, &b, "new kernel has no reliable counter"),
	      "a counter of the new kernel that cannot be trusted");
	r->last_in.clock_stable = 1;
	r->last_out.clock_stable = 0;
	blackout_measure(r, &b);
	check(halves(&b) && says(r, &b, "old kernel has no reliable counter"),
	      "a counter of the old kernel that cannot be trusted");
	memset(r->last_out.marks, 0, sizeof(r->last_out.marks));
	memset(r->last_in.marks, 0, sizeof(r->last_in.marks));
	blackout_measure(r, &b);
	check(halves(&b), "no counter at all");
	free(r);

	r = make();
	r->last_in.marks[LIVEUPDATE_MARK_OPEN] += 4000 * HZ;
	r->last_in.marks[LIVEUPDATE_MARK_RESTORED] += 4000 * HZ;
	r->last_in.marks[LIVEUPDATE_MARK_FINISHED] += 4000 * HZ;
	blackout_measure(r, &b);
	check(halves(&b) && b.timebase[1] == TIMEBASE_CLOCK,
	      "a counter that was stepped inside of a kernel");
	free(r);

	r = make();
	r->last_out.times[LIVEUPDATE_MARK_JUMP] =
		r->last_out.times[LIVEUPDATE_MARK_FROZEN];
	blackout_measure(r, &b);
	check(b.whole && b.ns[SPAN_SHUTDOWN] == 3 * MS,
	      "a clock that stopped in the shutdown does not contradict the counter");
	free(r);

	r = make();
	memset(&r->last_out, 0, sizeof(r->last_out));
	blackout_measure(r, &b);
	check(!b.known[SPAN_PREPARE] && !b.known[SPAN_KEXEC] &&
	      b.known[SPAN_RESTORE] && !b.whole && b.total == 26 * MS,
	      "no record of the old kernel");
	check(headline(r, &b, "blackout at least 26.0ms (the phases of the old kernel are unknown)"),
	      "the headline without the old kernel");
	free(r);
}

/* The counter has 15 ms from REBOOT to INIT. */
static bool across_is(struct liveupdate_recorder *r, int64_t wall, enum across want)
{
	struct blackout b;

	r->last_out.wall_ns = 1700000000 * HZ;
	r->last_in.wall_ns = r->last_out.wall_ns + wall;
	blackout_measure(r, &b);
	return b.across == want && b.known[SPAN_KEXEC] == (want == ACROSS_KNOWN) &&
	       b.known[SPAN_INIT] && b.ns[SPAN_INIT] == 5 * MS;
}

/* The wall clocks confirm the counter, unless they were set. */
static void test_wall(void)
{
	struct liveupdate_recorder *r = make();
	struct blackout b;

	check(across_is(r, 15 * MS, ACROSS_KNOWN), "wall clocks that agree");
	check(across_is(r, -900 * MS, ACROSS_KNOWN) &&
	      across_is(r, 3 * HZ, ACROSS_KNOWN), "an RTC is coarse");
	check(across_is(r, -3600 * HZ, ACROSS_KNOWN) &&
	      across_is(r, 3600 * HZ, ACROSS_KNOWN) &&
	      across_is(r, -1700000000 * HZ, ACROSS_KNOWN),
	      "a wall clock that was set is ignored");
	check(across_is(r, 60 * HZ, ACROSS_WALL),
	      "a counter that stood still while the wall clock went on");
	free(r);

	r = make();
	delay(r, LIVEUPDATE_MARK_START, 3 * 3600 * HZ);
	r->last_out.wall_ns = 0;
	blackout_measure(r, &b);
	check(b.across == ACROSS_KNOWN, "without a wall clock the counter is used");
	free(r);

	r = make();
	delay(r, LIVEUPDATE_MARK_START, 3 * 3600 * HZ);
	check(across_is(r, 1 * HZ, ACROSS_WALL), "a counter that was stepped by hours");
	blackout_measure(r, &b);
	check(halves(&b) &&
	      says(r, &b, "it is 10800s by the counter, 1.00s by the wall clocks"),
	      "each half by itself, and both are shown");
	free(r);
}

static void test_unfinished(void)
{
	struct liveupdate_recorder *r = make();
	struct blackout b;

	/* Each FINISH sets the mark; the last one is not known yet. */
	r->last_in.over = 0;
	blackout_measure(r, &b);
	check(b.known[SPAN_RESTORE] && !b.known[SPAN_FINISH] && !b.whole && !b.over,
	      "not finished yet");
	check(says(r, &b, "is not finished") &&
	      headline(r, &b, "blackout at least 28.0ms (it is not over)"),
	      "the text says so");
	set_mark(r, LIVEUPDATE_MARK_FINISHED,
		 r->last_in.marks[LIVEUPDATE_MARK_RESTORED] - MS);
	blackout_measure(r, &b);
	check(b.timebase[1] == TIMEBASE_COUNTER && b.known[SPAN_RESTORE],
	      "one session is finished before the last file of another");
	r->last_in.marks[LIVEUPDATE_MARK_RESTORED] = 0;
	r->last_in.times[LIVEUPDATE_MARK_RESTORED] = 0;
	r->last_in.marks[LIVEUPDATE_MARK_FINISHED] = 0;
	r->last_in.times[LIVEUPDATE_MARK_FINISHED] = 0;
	blackout_measure(r, &b);
	check(b.known[SPAN_USER] && !b.known[SPAN_RESTORE],
	      "nothing retrieved yet");
	r->last_in.clock_hz = r->last_in.clock_stable = 0;
	r->last_out.clock_stable = 0;
	blackout_measure(r, &b);
	check(headline(r, &b, "blackout at least 17.0ms (the span across the kexec is unknown, it is not over)"),
	      "an unknown mark is not taken for another one");
	free(r);

	r = make();
	r->last_in.clock_hz = r->last_in.clock_stable = 0;
	r->last_out.clock_stable = 0;
	blackout_measure(r, &b);
	check(b.over && !says(r, &b, "not finished"),
	      "it is finished, whatever the counter is");
	free(r);

	r = make();
	r->last_in.marks[LIVEUPDATE_MARK_RESTORED] = 0;
	r->last_in.times[LIVEUPDATE_MARK_RESTORED] = 0;
	blackout_measure(r, &b);
	check(b.whole && !b.ns[SPAN_RESTORE] && b.ns[SPAN_FINISH] == 15 * MS,
	      "finished without a file");
	/* A live update without sessions is over before the first open. */
	r->last_in.marks[LIVEUPDATE_MARK_OPEN] = 0;
	r->last_in.times[LIVEUPDATE_MARK_OPEN] = 0;
	set_mark(r, LIVEUPDATE_MARK_FINISHED,
		 r->last_in.marks[LIVEUPDATE_MARK_INIT] + 9 * MS);
	blackout_measure(r, &b);
	check(b.whole && b.ns[SPAN_USER] == 9 * MS && !b.ns[SPAN_RESTORE] &&
	      !b.ns[SPAN_FINISH], "finished without a session");
	check(!says(r, &b, "the agent came"), "for which no agent had to come");
	free(r);
}

/* Failed attempts have their own figures, and are no cause in this live update. */
static void test_failed(void)
{
	const struct liveupdate_recorder_row *rows[4];
	struct finding all[TIMELINE_FINDINGS];
	struct liveupdate_recorder *r = make();
	struct timeline_session session;
	struct timeline_call calls[4];
	char text[TIMELINE_TEXT];
	struct blackout b;
	int n, phase;

	add_row(&r->last_out, 5, "slow-v1", 5, LIVEUPDATE_SCOPE_FAILED, 1, 2 * HZ);
	add_row(&r->last_out, 6, "slow-v1", 5, LIVEUPDATE_SCOPE_AGENT, 1, 3 * HZ);
	add_call(&r->last_out, 5, LIVEUPDATE_SCOPE_FAILED, 0, "slow-v1", "vm-c",
		 r->last_out.marks[LIVEUPDATE_MARK_PREPARED] + MS, 2 * HZ);
	r->last_out.slow_sessions[LIVEUPDATE_SCOPE_FAILED][1][0].duration = 2 * HZ;
	r->last_out.failed = 1;
	r->last_out.failed_ret = -5;
	r->last_out.failed_ns = 2 * HZ;
	blackout_measure(r, &b);
	n = timeline_rows(r, SPAN_FREEZE, rows, 4);
	check(n == 1 && !strcmp(rows[0]->name, "vfio-v1"),
	      "rows of a reboot that failed are not those of the freeze");
	n = timeline_calls(r, &b, SPAN_FREEZE, calls, 4);
	check(n == 1 && !strcmp(calls[0].call->session, "vm-a"),
	      "nor are its calls, nor those of agents");
	check(!timeline_sessions(r, &b, SPAN_FREEZE, &session, 1),
	      "nor are its sessions");
	n = timeline_findings(r, &b, all);
	check(n > 1 && !strcmp(all[0].text,
	      "1 reboot failed before this one, with Input/output error after 2.00s; its calls are counted apart"),
	      "the failed attempt comes first, one of one");
	check(says(r, &b, "handler vfio-v1 is 95 % of freeze"),
	      "the cause is a call of this reboot");
	check(timeline_failed_rows(&r->last_out, rows, 4) == 1 &&
	      rows[0]->wall == 2 * HZ &&
	      timeline_failed_calls(&r->last_out, calls, 4) == 1 &&
	      !strcmp(calls[0].call->session, "vm-c") &&
	      timeline_failed_sessions(&r->last_out, &session, &phase, 1) == 1 &&
	      phase == 1, "they have places of their own");
	r->last_out.failed = 2;
	r->last_out.failed_ns = 0;
	r->last_out.cancelled = 1;
	timeline_findings(r, &b, all);
	check(!strcmp(all[0].text,
	      "2 reboots failed before this one, the last with Input/output error; their calls are counted apart"),
	      "two attempts of unknown duration");
	check(!strcmp(timeline_failures(&r->last_out, text),
	      "2 reboots failed, the last with Input/output error; 1 PREPARE failed or was cancelled"),
	      "the cancelled PREPARE is printed with it");
	r->last_out.failed = r->last_out.cancelled = 0;
	check(!timeline_failures(&r->last_out, text), "nothing failed");
	free(r);
}

/* Nine parallel retrieves of 100 ms each, in a restore of 1 s. */
static void test_shares(void)
{
	struct liveupdate_recorder *r = make();
	struct liveupdate_recorder_session *s;
	struct liveupdate_recorder_row *row;
	struct timeline_session session;
	struct timeline_call call;
	struct blackout b;
	uint64_t restored, ns;
	bool partial;

	delay(r, LIVEUPDATE_MARK_RESTORED, 993 * MS);
	row = add_row(&r->last_in, 0, "memfd-v2", 7, LIVEUPDATE_SCOPE_AGENT, 9,
		      900 * MS);
	row->wall = 100 * MS;
	r->last_in.busy[LIVEUPDATE_MARK_OPEN] = 5 * MS;
	r->last_in.busy[LIVEUPDATE_MARK_RESTORED] = 755 * MS;
	blackout_measure(r, &b);
	ns = timeline_row_ns(r, &b, SPAN_RESTORE, row, &partial);
	check(b.ns[SPAN_RESTORE] == 1000 * MS && ns == 100 * MS && !partial,
	      "parallel calls are a share of the wall clock: 10 %%");
	check(says(r, &b, "handler memfd-v2 is 10 % of restore (100ms)"), "10 %% are told");
	row->wall = 600 * MS;
	check(says(r, &b, "handler memfd-v2 is 60 % of restore (600ms)"),
	      "60 %% are");
	check(says(r, &b, "restore is 97 % of the blackout (1.00s), 250ms of it outside of calls of LUO: have the agent retrieve"),
	      "an agent is the cause only of time outside of calls");
	r->last_in.clock_hz = 0;
	r->last_out.clock_stable = 0;
	blackout_measure(r, &b);
	check(says(r, &b, "restore is 98 % of what is known of the blackout"),
	      "a share of the known time is marked");
	free(r);

	/* A session is restored until it is finished, later than its last file. */
	r = make();
	restored = r->last_in.marks[LIVEUPDATE_MARK_RESTORED];
	s = &r->last_in.slow_sessions[LIVEUPDATE_SCOPE_AGENT][5][0];
	s->duration = 14 * MS;
	s->end = restored + 8 * MS;
	strcpy(s->name, "vm-a");
	blackout_measure(r, &b);
	check(timeline_sessions(r, &b, SPAN_RESTORE, &session, 1) == 1 &&
	      session.ns == 6 * MS, "a session takes of a phase what is in it");

	/* One session is finished before the last file of another one is retrieved. */
	row = add_row(&r->last_in, 0, "memfd-v2", 9, LIVEUPDATE_SCOPE_AGENT, 2,
		      9 * MS);
	add_call(&r->last_in, 9, LIVEUPDATE_SCOPE_AGENT, 0, "memfd-v2", "vm-a",
		 restored - MS, 5 * MS);
	add_call(&r->last_in, 9, LIVEUPDATE_SCOPE_AGENT, 1, "memfd-v2", "vm-b",
		 restored + 7 * MS, 4 * MS);
	ns = timeline_row_ns(r, &b, SPAN_FINISH, row, &partial);
	check(ns == 4 * MS && !partial && says(r, &b, "memfd-v2 is 50 % of finish"),
	      "finish is the cause of its own calls");
	check(timeline_calls(r, &b, SPAN_FINISH, &call, 1) == 1 &&
	      !strcmp(call.call->session, "vm-b"), "and shows them alone");
	add_call(&r->last_in, 9, LIVEUPDATE_SCOPE_AGENT, 2, "memfd-v2", "vm-c",
		 restored + 8 * MS, 4 * MS);
	row->count = 9;
	ns = timeline_row_ns(r, &b, SPAN_FINISH, row, &partial);
	check(ns == 5 * MS && partial &&
	      says(r, &b, "memfd-v2 is at least 62 % of finish"),
	      "parallel calls are counted once, and not all are known");
	free(r);
}

/* Write a record to a file and read it again. */
static bool rejected(const struct liveupdate_recorder *r, size_t size)
{
	char path[] = "/tmp/recorder.XXXXXX";
	struct liveupdate_recorder *back;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	if (fwrite(r, 1, size, f) != size)
		abort();
	fclose(f);
	back = recorder_load(path);
	remove(path);
	free(back);
	return !back;
}

static void test_load(void)
{
	struct liveupdate_recorder *r = make(), *two = calloc(2, sizeof(*r));

	check(!rejected(r, sizeof(*r)), "a record is read");
	check(rejected(r, sizeof(*r) - 1), "a truncated one is rejected");
	check(rejected(r, 3), "a few bytes are rejected");
	memcpy(two, r, sizeof(*r));
	check(rejected(two, sizeof(*r) + 1), "one that is too long is rejected");
	free(two);
	r->version++;
	check(rejected(r, sizeof(*r)), "another version is rejected");
	r->version--;
	r->last_in.size--;
	check(rejected(r, sizeof(*r)), "a record of another size is rejected");
	r->last_in.size++;
	memset(r->last_out.rows[3].name, 'x', sizeof(r->last_out.rows[3].name));
	check(rejected(r, sizeof(*r)), "a name without an end is rejected");
	memset(r->last_out.rows[3].name, 0, sizeof(r->last_out.rows[3].name));
	r->next_out.rows[5].op = LIVEUPDATE_RECORDER_OPS;
	check(rejected(r, sizeof(*r)), "an unknown operation is rejected");
	r->next_out.rows[5].op = 0;
	r->next_out.rows[5].scope = LIVEUPDATE_NR_SCOPES;
	check(rejected(r, sizeof(*r)), "an unknown scope is rejected");
	r->next_out.rows[5].scope = 0;
	memset(r->last_in.pauses[31].name, 'x', sizeof(r->last_in.pauses[31].name));
	check(rejected(r, sizeof(*r)), "a workload without an end is rejected");
	free(r);
}

/* The kernel fills a missing record with zeros; a file may have any content. */
static void test_absent(void)
{
	struct liveupdate_recorder *r = make(), *read;

	r->last_out.magic = 0;
	r->last_out.rows[0].kind = 0x10000000;
	memset(r->last_out.release, 'x', sizeof(r->last_out.release));
	read = recorder_parse(r, sizeof(*r));
	check(read && !recorder_present(&read->last_out) &&
	      !read->last_out.rows[0].kind && !read->last_out.release[0] &&
	      recorder_present(&read->last_in), "a missing record is empty");
	free(read);
	free(r);
}

/* With failed attempts before it, and with an untrusted counter. */
static void write_failed(struct liveupdate_recorder *r)
{
	struct liveupdate_recorder_part *p = &r->last_out;
	struct liveupdate_recorder_session *s;

	add_row(p, 2, "slow-v1", 5, LIVEUPDATE_SCOPE_FAILED, 1, 2 * HZ);
	add_call(p, 5, LIVEUPDATE_SCOPE_FAILED, 0, "slow-v1", "vm-c", 1, 2 * HZ);
	s = &p->slow_sessions[LIVEUPDATE_SCOPE_FAILED][1][0];
	s->duration = 2 * HZ + 5 * MS;
	s->files = 1;
	s->ret = -5;
	strcpy(s->name, "vm-c");
	add_call(p, 5, LIVEUPDATE_SCOPE_FAILED, 1, "slow-v1", "vm-with-a-long-name", 1,
		 HZ)->ret = -33;
	p->failed = 1;
	p->failed_ret = -5;
	p->failed_ns = 2 * HZ + 10 * MS;
	p->cancelled = 1;
	/* A call that was too short for the clock. */
	add_row(&r->last_in, 0, "luo-recorder", 10, LIVEUPDATE_SCOPE_AGENT, 1, 0)->kind =
		LIVEUPDATE_KIND_SUBSYSTEM;
	r->last_in.clock_hz = 0;
	p->clock_stable = 0;
}

/* @how: "", "failed", "pauses", "spans", "clocks", whose wall clock is known, or "reset" */
static int write_record(const char *path, unsigned int given_up, const char *how)
{
	struct liveupdate_recorder *r = make();
	FILE *f = fopen(path, "w");
	int err;

	r->last_out.given_up = given_up;
	if (!strcmp(how, "failed"))
		write_failed(r);
	if (!strcmp(how, "pauses"))
		add_pauses(r);
	if (!strcmp(how, "spans")) {
		add_spans(r);
		add_pauses(r);
	}
	if (!strcmp(how, "clocks") || !strcmp(how, "reset"))
		r->last_out.wall_ns = 1700000050 * HZ;
	if (!strcmp(how, "reset")) {
		r->last_in.wall_ns = r->last_out.wall_ns + 5 * MS;
		delay(r, LIVEUPDATE_MARK_START, -4 * HZ);
	}
	err = !f || fwrite(r, sizeof(*r), 1, f) != 1 || fclose(f);
	free(r);
	return err;
}

int main(int argc, char **argv)
{
	if (argc >= 3)
		return write_record(argv[1], strtoul(argv[2], NULL, 10),
				    argc > 3 ? argv[3] : "");
	/* Rejected records are printed, too. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	puts("TAP version 13");
	test_spans();
	test_across();
	test_clock();
	test_wall();
	test_unfinished();
	test_failed();
	test_shares();
	test_load();
	test_absent();
	return end_tests();
}
