// SPDX-License-Identifier: GPL-2.0

/* How long workloads stood still, from records with known content. Prints TAP. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blackout_record.h"
#include "tap.h"
#include "timeline.h"
#include "workload.h"

/* What is found of each workload, in order; -1 for what is unknown. */
struct want {
	const char *name;
	int64_t ns, to_reboot, to_resume;
};

static bool found(const struct liveupdate_recorder *r, const struct want *want, int nr)
{
	struct workload all[WORKLOADS], *w;
	struct blackout b;
	bool same;
	int i, n;

	blackout_measure(r, &b);
	n = workloads_find(r, &b, all);
	same = n == nr;
	for (i = 0; i < n; i++) {
		w = &all[i];
		same = same && !strcmp(w->name, want[i].name) &&
		       (w->known ? (int64_t)w->ns : -1) == want[i].ns &&
		       (w->paused ? w->to_reboot : -1) == want[i].to_reboot &&
		       (w->resumed ? w->to_resume : -1) == want[i].to_resume;
	}
	for (i = 0; i < n && !same; i++) {
		w = &all[i];
		printf("# is %s: %d %lld, paused %d %lld, resumed %d %lld\n", w->name,
		       w->known, (long long)w->ns, w->paused, (long long)w->to_reboot,
		       w->resumed, (long long)w->to_resume);
	}
	return same;
}

#define FOUND(r, ...)	found(r, (struct want[]){ __VA_ARGS__ },		\
			      sizeof((struct want[]){ __VA_ARGS__ }) / sizeof(struct want))

/* START is 10 ms after REBOOT. */
static void test_known(void)
{
	struct liveupdate_recorder *r = make();

	check(found(r, NULL, 0), "a record without pauses has no workloads");
	add_pauses(r);
	check(FOUND(r, { "vm-large", 3410 * MS, 10 * MS, 3390 * MS },
		    { "vm-small", 50 * MS, 20 * MS, 20 * MS },
		    { ODD_NAME, 41 * MS, -(int64_t)MS / 2, 31 * MS + MS / 2 },
		    { "stranger", -1, -1, HZ }, { "vm-held", -1, 2 * MS, -1 }),
	      "pauses and resumes meet by name, the longest first");
	r->last_out.clock_hz = r->last_in.clock_hz = 2 * HZ;
	r->last_in.pauses[3].resumed_ns /= 2;
	check(FOUND(r, { "vm-large", 1705 * MS, 5 * MS, 1695 * MS },
		    { "vm-small", 25 * MS, 10 * MS, 10 * MS },
		    { ODD_NAME, 20 * MS + MS / 2, -(int64_t)MS / 4, 15 * MS + MS * 3 / 4 },
		    { "stranger", -1, -1, HZ / 2 }, { "vm-held", -1, MS, -1 }),
	      "a tick need not be a nanosecond");
	free(r);
}

/* Each kernel has a clock of its own where the counter cannot be used. */
static void test_unknown(void)
{
	struct liveupdate_recorder *r = make();

	add_pause(r, false, 0, "vm", r->last_out.marks[LIVEUPDATE_MARK_REBOOT] - MS);
	add_pause(r, true, 0, "vm", r->last_in.marks[LIVEUPDATE_MARK_START] + 9 * MS);
	check(FOUND(r, { "vm", 20 * MS, MS, 9 * MS }), "it stood still");
	r->last_in.clock_stable = 0;
	r->last_in.pauses[0].resumed_ns = 8 * MS;
	check(FOUND(r, { "vm", -1, MS, 8 * MS }),
	      "if the new kernel does not trust the counter, its clock tells when");
	r->last_in.clock_stable = 1;
	r->last_in.pauses[0].resumed_ns = 9 * MS;
	r->last_in.pauses[0].resumed = 0;
	check(FOUND(r, { "vm", -1, MS, 9 * MS }), "the same without a counter");
	r->last_in.pauses[0].resumed = r->last_in.marks[LIVEUPDATE_MARK_START] + 4000 * HZ;
	check(FOUND(r, { "vm", -1, MS, 9 * MS }), "or with one that leapt before the resume");
	r->last_in.pauses[0].resumed = r->last_in.marks[LIVEUPDATE_MARK_START] - 1;
	check(FOUND(r, { "vm", -1, MS, 9 * MS }), "or that went back");
	r->last_in.pauses[0].resumed = r->last_in.marks[LIVEUPDATE_MARK_START] + 9 * MS;
	r->last_out.pauses[0].paused_ns -= 2500 * MS;
	check(FOUND(r, { "vm", -1, 2501 * MS, 9 * MS }),
	      "or that stood still after the pause");
	r->last_out.pauses[0].paused_ns = UINT64_MAX;
	r->last_in.pauses[0].resumed_ns = UINT64_MAX;
	check(FOUND(r, { "vm", -1, -(INT64_MAX / 4), INT64_MAX / 4 }),
	      "nonsense is limited");
	free(r);
}

/* A counter that goes on is known only if the wall clocks do not contradict it. */
static void test_across(void)
{
	struct liveupdate_recorder *r = make();

	delay(r, LIVEUPDATE_MARK_START, 100 * HZ);
	add_pause(r, false, 0, "vm", r->last_out.marks[LIVEUPDATE_MARK_REBOOT] - MS);
	add_pause(r, true, 0, "vm", r->last_in.marks[LIVEUPDATE_MARK_START] + 9 * MS);
	check(FOUND(r, { "vm", 100 * HZ + 20 * MS, MS, 9 * MS }), "100 s in the kexec");
	r->last_out.wall_ns = 1700000000 * HZ;
	r->last_in.wall_ns = 1700000001 * HZ;
	check(FOUND(r, { "vm", -1, MS, 9 * MS }), "unknown if that was a second");
	free(r);
}

static char *text_of(const struct liveupdate_recorder *r)
{
	struct blackout b;
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	blackout_measure(r, &b);
	timeline_text(r, &b, (struct steps){ 0 }, false, f);
	fclose(f);
	return text;
}

static void begins(const struct liveupdate_recorder *r, const char *want, const char *what)
{
	char *text = text_of(r);

	if (!check(!strncmp(text, want, strlen(want)), "%s", what))
		printf("# is %.*s\n", (int)strcspn(text, "*"), text);
	free(text);
}

static void test_text(void)
{
	struct liveupdate_recorder *r = make();

	begins(r, "Live update 1 at", "without pauses the headline is first");
	add_pauses(r);
	begins(r, "vm-large stood still for 3.41s\nvm-small stood still for 50.0ms\n"
	       "<vm>\\x20\\xff stood still for 41.0ms\n... and 2 more\nLive update 1 at",
	       "the first line is the workload's own");
	r->last_out.lost_pauses = 1;
	r->last_in.lost_pauses = 2;
	memset(r->last_out.pauses, 0, sizeof(r->last_out.pauses));
	memset(r->last_in.pauses + 2, 0, 2 * sizeof(r->last_in.pauses[0]));
	add_pause(r, false, 0, "vm-held", r->last_out.marks[LIVEUPDATE_MARK_REBOOT] + MS);
	begins(r, "stranger: not marked as paused, resumed 1.00s after the new kernel started; how\n"
	       "long it stood still is unknown\n"
	       "<vm>\\x20\\xff: not marked as paused, resumed 31.5ms after the new kernel started;\n"
	       "how long it stood still is unknown\n"
	       "vm-held: paused 1.00ms after the begin of the reboot, not marked as resumed\n"
	       "3 marks of workloads found no room in the record\nLive",
	       "what is half known is said to be");
	r->last_in.over = 0;
	r->last_out.lost_pauses = 0;
	r->last_in.lost_pauses = 1;
	memset(r->last_in.pauses, 0, sizeof(r->last_in.pauses));
	add_pause(r, false, 0, "vm-held", r->last_out.marks[LIVEUPDATE_MARK_REBOOT] - MS);
	begins(r, "vm-held: paused 1.00ms before the reboot, not resumed yet\n"
	       "1 mark of workloads found no room in the record\nLive",
	       "a live update that is not over may resume it");
	r->last_out.clock_stable = 0;
	add_pause(r, true, 0, "vm-held", r->last_in.marks[LIVEUPDATE_MARK_START] + MS);
	begins(r, "vm-held: paused, resumed 1.00ms after the new kernel started; how long it stood\n"
	       "still is unknown\n", "without a counter the time across the kexec is unknown");
	free(r);
}

int main(void)
{
	puts("TAP version 13");
	test_known();
	test_unknown();
	test_across();
	test_text();
	return end_tests();
}
