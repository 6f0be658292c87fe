// SPDX-License-Identifier: GPL-2.0

/*
 * The findings of luotrace timeline: each in a case that is made for it, and not in one that
 * would save a nanosecond less than what is worth it; their order. Prints TAP.
 */

#include "blackout_record.h"
#include "tap.h"
#include "timeline.h"

static bool is_sorted(const struct finding *all, int n)
{
	int i;

	for (i = 1; i < n; i++) {
		if (all[i].class < all[i - 1].class ||
		    (all[i].class == all[i - 1].class && all[i].ns > all[i - 1].ns))
			return false;
	}
	return true;
}

static void test_findings(void)
{
	struct finding all[TIMELINE_FINDINGS];
	struct liveupdate_recorder *r = make();
	struct blackout b;
	int n;

	blackout_measure(r, &b);
	n = timeline_findings(r, &b, all);
	check(n == 8 && is_sorted(all, n), "what could save most comes first");
	check(says(r, &b, "handler vfio-v1 is 95 % of freeze (1.90ms), the longest call 1.80ms of session vm-a token 42: do in prepare what need not wait"),
	      "a finding says what to do");
	r->last_out.given_up = 1;
	check(says(r, &b, "1 session of the previous update was given up by it"),
	      "one session");
	r->last_out.given_up = 2;
	check(says(r, &b, "2 sessions of the previous update were given up by it"),
	      "two sessions");
	free(r);
}

/* Without a record of a kernel it is said which one left none. */
static void test_no_record(void)
{
	struct liveupdate_recorder *r = make();
	struct blackout b;

	blackout_measure(r, &b);
	check(!says(r, &b, "left no record"), "both kernels left a record");
	r->last_out.magic = 0;
	blackout_measure(r, &b);
	check(says(r, &b, "the previous kernel left no record"), "the old one left none");
	free(r);
}

/* An initcall is named where it is known which one took longest. */
static void test_initcall(void)
{
	struct liveupdate_recorder *r = make();
	struct liveupdate_recorder_initcall *c = r->inside.init.longest;
	struct blackout b;

	c[0].duration = MS;
	strcpy(c[0].name, "short_init");
	c[3].duration = 2 * MS;
	strcpy(c[3].name, "slow_init");
	blackout_measure(r, &b);
	check(says(r, &b, "the longest initcall is slow_init (2.00ms)") &&
	      !says(r, &b, "boot with initcall_debug"), "the longest initcall is named");
	free(r);
}

/* Make a phase last @ns, and another one what is left of @total. */
static void stretch(struct liveupdate_recorder *r, enum span s, uint64_t ns, uint64_t total)
{
	const enum span other = s == SPAN_INIT ? SPAN_KEXEC : SPAN_INIT;
	struct blackout b;

	blackout_measure(r, &b);
	delay(r, s + 1, ns - b.ns[s]);
	delay(r, other + 1, total - (b.total + ns - b.ns[s]));
}

/* Each finding is of a phase, or of a callback in one. */
static const struct {
	enum span span;
	const char *says, *how;
	int op;			/* of the callback, 0 for none */
	unsigned int kind;
	bool outside;		/* only what the agent spends outside of calls counts */
} savings[] = {
	{ SPAN_PREPARE, "prepare in reboot is", "send PREPARE before the reboot", .op = 0 },
	{ SPAN_SHUTDOWN, "shutdown of devices and CPUs is", "detach devices", .op = 0 },
	{ SPAN_KEXEC, "kexec and early boot are", "compress the kernel with LZ4", .op = 0 },
	{ SPAN_INIT, "kernel init is", "boot with initcall_debug", .op = 0 },
	{ SPAN_USER, "user-space start is", "start the agent earlier", .op = 0 },
	{ SPAN_RESTORE, "restore is", "have the agent retrieve all files before",
	  .outside = true },
	{ SPAN_FINISH, "finish is", "start the workloads' processes before",
	  .outside = true },
	{ SPAN_FREEZE, "handler a-v1 is", "do in prepare", .op = 5 },
	{ SPAN_RESTORE, "handler a-v1 is", "retrieve sessions in parallel", .op = 7 },
	{ SPAN_FINISH, "FLB a-v1 is", "have it answer from what it knows", .op = 8,
	  .kind = LIVEUPDATE_KIND_FLB },
	{ SPAN_FINISH, "handler a-v1 is", "finish sessions in parallel", .op = 9 },
	{ SPAN_INIT, "subsystem a-v1 is", "move what it does to when its state", .op = 10,
	  .kind = LIVEUPDATE_KIND_SUBSYSTEM },
};

/* A record of @total ns in which finding @i would save @ns. */
static struct liveupdate_recorder *make_saving(size_t i, uint64_t ns, uint64_t total)
{
	const enum span s = savings[i].span;
	struct liveupdate_recorder *r = make();
	struct liveupdate_recorder_part *p = s < SPAN_KEXEC ? &r->last_out : &r->last_in;
	uint64_t phase = savings[i].op || savings[i].outside ? ns + total / 4 : ns;
	int m;

	memset(r->last_out.rows, 0, sizeof(r->last_out.rows));
	memset(r->last_out.slow_calls, 0, sizeof(r->last_out.slow_calls));
	stretch(r, s, phase, total);
	if (savings[i].op) {
		add_row(p, 0, "a-v1", savings[i].op, span_scope(s), 1, ns)->kind =
			savings[i].kind;
		add_call(p, savings[i].op, span_scope(s), 0, "a-v1", "vm-a",
			 part_at(r, s + 1)->marks[s + 1], ns)->kind = savings[i].kind;
	}
	/* Calls of LUO take what is left of the phase. */
	for (m = s + 1; savings[i].outside && m < LIVEUPDATE_NR_MARKS; m++)
		p->busy[m] = phase - ns;
	return r;
}

static void test_savings(void)
{
	static const struct {
		uint64_t total, least;
	} sizes[] = { { 10 * HZ, 100 * MS }, { 60 * MS, MS } };
	struct liveupdate_recorder *r;
	char want[100];
	struct blackout b;
	bool found;
	size_t i, k;

	for (i = 0; i < sizeof(savings) / sizeof(savings[0]); i++) {
		for (k = 0; k < 2; k++) {
			r = make_saving(i, sizes[k].least, sizes[k].total);
			blackout_measure(r, &b);
			snprintf(want, sizeof(want), "(%s)", k ? "1.00ms" : "100ms");
			found = says(r, &b, savings[i].says) && says(r, &b, savings[i].how);
			check(b.total == sizes[k].total && found &&
			      (savings[i].outside || says(r, &b, want)),
			      "'%s' is found if it would save %s", savings[i].how, want);
			free(r);
			r = make_saving(i, sizes[k].least - 1, sizes[k].total);
			blackout_measure(r, &b);
			check(b.total == sizes[k].total && !says(r, &b, savings[i].how),
			      "not if that is a nanosecond less");
			free(r);
		}
	}
}

int main(void)
{
	puts("TAP version 13");
	test_findings();
	test_no_record();
	test_initcall();
	test_savings();
	return end_tests();
}
