// SPDX-License-Identifier: GPL-2.0

/*
 * What luotrace makes of a record: the spans of the blackout, what is unknown,
 * the findings; and that a record that is none is refused. Prints TAP; with a
 * path it writes a record there, for the command line's tests.
 */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder.h"
#include "timeline.h"

#define HZ	1000000000ULL	/* so that a tick is a nanosecond */
#define MS	1000000ULL

static int tests, failures;

static void check(bool ok, const char *what)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

static void part_init(struct liveupdate_recorder_part *p)
{
	p->magic = LIVEUPDATE_RECORDER_MAGIC;
	p->version = LIVEUPDATE_RECORDER_VERSION;
	p->size = sizeof(*p);
	p->number = 1;
	p->clock_hz = HZ;
	p->clock_stable = 1;
	strcpy(p->release, "7.3.4");
}

/* Two kernels; the spans are 1, 2, 3... ms long, freeze is one slow call. */
static struct liveupdate_recorder *make(void)
{
	struct liveupdate_recorder *r = calloc(1, sizeof(*r));
	struct liveupdate_recorder_call *c;
	struct liveupdate_recorder_row *row;
	uint64_t t = 5 * HZ;
	int m;

	r->magic = LIVEUPDATE_RECORDER_MAGIC;
	r->version = LIVEUPDATE_RECORDER_VERSION;
	r->size = sizeof(*r);
	r->part_size = sizeof(r->last_out);
	part_init(&r->last_out);
	part_init(&r->last_in);
	part_init(&r->next_out);
	for (m = 0; m < LIVEUPDATE_NR_MARKS; m++) {
		t += m * MS;
		(m < LIVEUPDATE_MARK_START ? &r->last_out : &r->last_in)->marks[m] = t;
	}
	r->last_in.over = 1;
	row = &r->last_out.rows[0];
	row->op = 5;
	row->scope = LIVEUPDATE_SCOPE_REBOOT;
	row->count = 3;
	row->total = 1900000;
	row->hist[19] = 2;
	row->hist[20] = 1;
	strcpy(row->name, "vfio-v1");
	/* In no span, and longer than any bucket but the last. */
	row = &r->last_out.rows[1];
	row->kind = LIVEUPDATE_KIND_SUBSYSTEM;
	row->count = row->errors = row->hist[31] = 1;
	row->total = row->max = 12500000000;
	strcpy(row->name, "long");
	c = &r->last_out.slow_calls[LIVEUPDATE_SCOPE_REBOOT][5][0];
	c->duration = 1800000;
	c->end = r->last_out.marks[LIVEUPDATE_MARK_PREPARED] + 1900000;
	c->token = 42;
	strcpy(c->name, "vfio-v1");
	strcpy(c->session, "vm-a");
	/* Longer, but not inside the freeze. */
	c = &r->last_out.slow_calls[LIVEUPDATE_SCOPE_REBOOT][5][1];
	*c = c[-1];
	c->duration = 9 * MS;
	c->end = 1;
	strcpy(c->session, "vm-b");
	return r;
}

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
	check(b.whole && b.jumped && sum == b.total && sum == 36 * MS,
	      "they sum to the blackout");

	/* A frequency that no nanosecond fits, to see what rounding does. */
	r->last_out.clock_hz = r->last_in.clock_hz = 2596119017ULL;
	blackout_measure(r, &b);
	for (sum = 0, s = 0; s < SPAN_NR; s++)
		sum += b.ns[s];
	check(sum == b.total &&
	      sum == (uint64_t)((unsigned __int128)36 * MS * 1000000000 /
				2596119017ULL), "also where ticks are no nanoseconds");
	free(r);
}

static void test_unknown(void)
{
	struct liveupdate_recorder *r = make();
	struct blackout b;

	r->last_in.clock_hz = HZ + HZ / 500;
	blackout_measure(r, &b);
	check(!b.known[SPAN_JUMP] && !b.whole && b.known[SPAN_INIT] &&
	      b.known[SPAN_FREEZE], "another rate: the jump is unknown");
	r->last_in.clock_hz = HZ + HZ / 2000;
	blackout_measure(r, &b);
	check(b.known[SPAN_JUMP], "a rate that was measured twice is the same");
	r->last_in.clock_hz = HZ;

	r->last_in.marks[LIVEUPDATE_MARK_START] = 7;
	blackout_measure(r, &b);
	check(!b.known[SPAN_JUMP] && !b.whole, "a counter that was reset");
	free(r);

	r = make();
	r->last_out.clock_stable = 0;
	blackout_measure(r, &b);
	check(!b.known[SPAN_FREEZE] && !b.known[SPAN_JUMP] && b.known[SPAN_INIT],
	      "a counter that cannot be trusted");
	free(r);

	r = make();
	memset(&r->last_out, 0, sizeof(r->last_out));
	blackout_measure(r, &b);
	check(!b.known[SPAN_PREPARE] && b.known[SPAN_RESTORE] && !b.whole,
	      "no record of the old kernel");
	free(r);
}

static void test_unfinished(void)
{
	struct liveupdate_recorder *r = make();
	struct blackout b;

	r->last_in.marks[LIVEUPDATE_MARK_FINISHED] = 0;
	blackout_measure(r, &b);
	check(b.known[SPAN_RESTORE] && !b.known[SPAN_FINISH] && !b.whole,
	      "not finished yet");
	r->last_in.marks[LIVEUPDATE_MARK_RESTORED] = 0;
	blackout_measure(r, &b);
	check(b.known[SPAN_USER] && !b.known[SPAN_RESTORE],
	      "nothing retrieved yet");
	free(r);

	r = make();
	r->last_in.marks[LIVEUPDATE_MARK_RESTORED] = 0;
	blackout_measure(r, &b);
	check(b.whole && !b.ns[SPAN_RESTORE] && b.ns[SPAN_FINISH] == 15 * MS,
	      "finished without a file");
	/* An update without sessions is over before anybody comes. */
	r->last_in.marks[LIVEUPDATE_MARK_FINISHED] =
		r->last_in.marks[LIVEUPDATE_MARK_INIT];
	blackout_measure(r, &b);
	check(b.whole && !b.ns[SPAN_USER] && !b.ns[SPAN_RESTORE] &&
	      !b.ns[SPAN_FINISH], "finished without a session");
	free(r);
}

static void test_findings(void)
{
	const struct liveupdate_recorder_call *calls[4];
	struct finding all[TIMELINE_FINDINGS];
	struct liveupdate_recorder *r = make();
	struct blackout b;
	unsigned int ops[4];
	int n, m;

	blackout_measure(r, &b);
	n = timeline_calls(r, SPAN_FREEZE, calls, ops, 4);
	check(n == 1 && !strcmp(calls[0]->session, "vm-a"),
	      "only calls inside the span");
	n = timeline_find(r, &b, all);
	check(n > 1 && all[0].class == FINDING_CULPRIT &&
	      !strcmp(all[0].text,
		      "handler vfio-v1 is 95 % of freeze (1.90ms); the longest call took 1.80ms: session vm-a token 42"),
	      "who is slow comes first");
	r->last_out.failed = 2;
	r->last_out.failed_ret = -5;
	r->last_out.failed_ns = 30 * MS;
	n = timeline_find(r, &b, all);
	check(n > 1 && !strcmp(all[0].text,
	      "2 reboots failed before this one, the last with Input/output error after 30.0ms"),
	      "what failed comes before it");
	free(r);

	/* What a workload notices is told however slowly the machine boots. */
	r = make();
	r->last_out.rows[0].total = 60 * MS;
	for (m = LIVEUPDATE_MARK_FROZEN; m < LIVEUPDATE_NR_MARKS; m++)
		(m < LIVEUPDATE_MARK_START ? &r->last_out : &r->last_in)->marks[m] +=
			(m < LIVEUPDATE_MARK_START ? 60 : 20000) * MS;
	blackout_measure(r, &b);
	timeline_find(r, &b, all);
	check(!strncmp(all[0].text, "handler vfio-v1", 15), "60 ms are told beside 20 s");
	r->last_out.rows[0].total = 40 * MS;
	timeline_find(r, &b, all);
	check(strncmp(all[0].text, "handler vfio-v1", 15), "40 ms are not");
	free(r);
}

/* Each of them is written to a file and read back. */
static bool refused(const struct liveupdate_recorder *r, size_t size)
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

	check(!refused(r, sizeof(*r)), "a record is read");
	check(refused(r, sizeof(*r) - 1), "one that is cut is refused");
	check(refused(r, 3), "a few bytes are refused");
	memcpy(two, r, sizeof(*r));
	check(refused(two, sizeof(*r) + 1), "one that is too long is refused");
	free(two);
	r->version++;
	check(refused(r, sizeof(*r)), "another version is refused");
	r->version--;
	r->last_in.size--;
	check(refused(r, sizeof(*r)), "a part of another size is refused");
	r->last_in.size++;
	memset(r->last_out.rows[3].name, 'x', sizeof(r->last_out.rows[3].name));
	check(refused(r, sizeof(*r)), "a name without an end is refused");
	memset(r->last_out.rows[3].name, 0, sizeof(r->last_out.rows[3].name));
	r->next_out.rows[5].op = LIVEUPDATE_RECORDER_OPS;
	check(refused(r, sizeof(*r)), "an unknown operation is refused");
	free(r);
}

/* The kernel fills a part that is not there with zeros; a file may be anything. */
static void test_absent(void)
{
	struct liveupdate_recorder *r = make(), *read;

	r->last_out.magic = 0;
	r->last_out.rows[0].kind = 0x10000000;
	memset(r->last_out.release, 'x', sizeof(r->last_out.release));
	read = recorder_check(r, sizeof(*r));
	check(read && !recorder_has(&read->last_out) &&
	      !read->last_out.rows[0].kind && !read->last_out.release[0] &&
	      recorder_has(&read->last_in), "a part that is not there is empty");
	free(read);
	free(r);
}

static int write_record(const char *path, unsigned int given_up, bool clocks)
{
	struct liveupdate_recorder *r = make();
	FILE *f = fopen(path, "w");
	int failed;

	r->last_out.given_up = given_up;
	if (clocks) {
		r->last_out.wall_ns = 1700000050000000000;
		r->last_in.times[LIVEUPDATE_MARK_OPEN] = 3000000000;
	}
	failed = !f || fwrite(r, sizeof(*r), 1, f) != 1 || fclose(f);
	free(r);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc >= 3)
		return write_record(argv[1], strtoul(argv[2], NULL, 10), argc > 3);
	/* What is refused is told there, too. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	puts("TAP version 13");
	test_spans();
	test_unknown();
	test_unfinished();
	test_findings();
	test_load();
	test_absent();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
