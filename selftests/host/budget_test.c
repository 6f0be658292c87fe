// SPDX-License-Identifier: GPL-2.0

/* Budgets of luotrace timeline: how they are read, which are kept, what breaks one. */

#include "blackout_record.h"
#include "budget.h"
#include "fmt.h"
#include "tap.h"

static void test_times(void)
{
	static const struct {
		const char *text;
		uint64_t ns;	/* 1 if it is rejected */
	} times[] = {
		{ "50ms", 50 * MS }, { "2s", 2 * HZ }, { "1.5s", 1500 * MS },
		{ "800us", 800000 }, { "20ns", 20 }, { "0ms", 0 }, { "0.25us", 250 },
		{ "1.23456789012s", 1234567890 }, { "86400s", 86400 * HZ },
		{ "86401s", 1 }, { "86400.1s", 1 }, { "99999999999999999999s", 1 },
		{ "18446744074s", 1 }, { "5", 1 }, { "", 1 }, { "s", 1 }, { ".5s", 1 },
		{ "1.s", 1 }, { "-1s", 1 }, { "+1s", 1 }, { " 1s", 1 }, { "1 s", 1 },
		{ "1m", 1 }, { "1e3s", 1 }, { "0x1s", 1 }, { "1.5.5s", 1 }, { "2S", 1 },
	};
	uint64_t ns;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		ns = 1;
		if (!fmt_read_ns(times[i].text, &ns))
			ns = 1;
		check(ns == times[i].ns, "'%s' is %llu ns", times[i].text,
		      (unsigned long long)times[i].ns);
	}
}

static void test_names(void)
{
	struct budgets b = { .n = 0 };
	const char *why;
	int i;

	check(!budget_add(&b, BUDGET_PHASE, "kernel init=2s") &&
	      b.all[0].span == SPAN_INIT && b.all[0].max == 2 * HZ, "a phase by its name");
	check(!budget_add(&b, BUDGET_PHASE, "kexec, early boot=1s") &&
	      !budget_add(&b, BUDGET_PHASE, "jump, early boot=1s") &&
	      b.all[1].span == SPAN_KEXEC && b.all[2].span == SPAN_KEXEC,
	      "or by that in JSON");
	why = budget_add(&b, BUDGET_PHASE, "freez=1s");
	check_string(why ? why : "", "unknown phase 'freez', want one of 'prepare in reboot', 'freeze', 'shutdown', 'kexec, early boot', 'kernel init', 'user-space start', 'restore', 'finish'",
		     "an unknown phase is told what there is");
	why = budget_add(&b, BUDGET_PHASE, "freeze");
	check_string(why ? why : "", "'freeze' is not NAME=TIME, such as 'kernel init=2s'",
		     "a phase without a time");
	check(budget_add(&b, BUDGET_PHASE, "=1s") && budget_add(&b, BUDGET_PHASE, "=") &&
	      budget_add(&b, BUDGET_BLACKOUT, "soon") && b.n == 3, "what is wrong is not kept");
	for (i = b.n; i < BUDGETS; i++)
		budget_add(&b, BUDGET_FREEZE, "1s");
	check(b.n == BUDGETS && budget_add(&b, BUDGET_FREEZE, "1s"), "there is an end");
}

/* Compare a verdict and its sentence. */
static void verdict(const struct liveupdate_recorder *r, const struct box_reboot *reboot,
		    struct budget budget, enum budget_verdict want, const char *sentence)
{
	struct steps steps = { .reboot = reboot };
	char text[2 * TIMELINE_TEXT] = "";
	struct budget_result result;
	struct blackout b;

	blackout_measure(r, &b);
	budget_check(&budget, r, &b, steps, &result);
	if (result.verdict != BUDGET_KEPT)
		budget_sentence(&budget, &result, text);
	if (!check(result.verdict == want && !strcmp(text, sentence), "%s",
		   *sentence ? sentence : "a budget is kept"))
		printf("# is %d '%s'\n", result.verdict, text);
}

static void test_known(void)
{
	struct liveupdate_recorder_session *s;
	struct liveupdate_recorder *r = make();

	verdict(r, NULL, (struct budget){ BUDGET_BLACKOUT, 0, 36 * MS }, BUDGET_KEPT, "");
	verdict(r, NULL, (struct budget){ BUDGET_BLACKOUT, 0, 36 * MS - 1 }, BUDGET_BROKEN,
		"budget broken: blackout took 36.0ms, 1ns more than 36.0ms; 8.00ms of it in finish");
	verdict(r, NULL, (struct budget){ BUDGET_FREEZE, 0, 5 * MS }, BUDGET_KEPT, "");
	verdict(r, NULL, (struct budget){ BUDGET_FREEZE, 0, 2 * MS }, BUDGET_BROKEN,
		"budget broken: freeze window took 5.00ms, 3.00ms more than 2.00ms; 1.90ms of it in handler vfio-v1, freeze");
	verdict(r, NULL, (struct budget){ BUDGET_PHASE, SPAN_INIT, 5 * MS }, BUDGET_KEPT, "");
	verdict(r, NULL, (struct budget){ BUDGET_PHASE, SPAN_INIT, 4 * MS }, BUDGET_BROKEN,
		"budget broken: kernel init took 5.00ms, 1.00ms more than 4.00ms");
	verdict(r, NULL, (struct budget){ BUDGET_PHASE, SPAN_FREEZE, MS }, BUDGET_BROKEN,
		"budget broken: freeze took 2.00ms, 1.00ms more than 1.00ms; 1.90ms of it in handler vfio-v1, freeze");
	s = &r->last_out.slow_sessions[LIVEUPDATE_SCOPE_REBOOT][1][0];
	s->duration = 1950000;
	strcpy(s->name, "vm a");
	verdict(r, NULL, (struct budget){ BUDGET_PHASE, SPAN_FREEZE, MS }, BUDGET_BROKEN,
		"budget broken: freeze took 2.00ms, 1.00ms more than 1.00ms; 1.90ms of it in handler vfio-v1, freeze");
	r->last_out.rows[0].wall = 1700000;
	verdict(r, NULL, (struct budget){ BUDGET_PHASE, SPAN_FREEZE, MS }, BUDGET_BROKEN,
		"budget broken: freeze took 2.00ms, 1.00ms more than 1.00ms; 1.95ms of it in session vm\\x20a");
	add_row(&r->last_in, 0, "memfd-v2", 7, LIVEUPDATE_SCOPE_AGENT, 2, 6 * MS);
	delay(r, LIVEUPDATE_MARK_RESTORED, 9 * MS);
	verdict(r, NULL, (struct budget){ BUDGET_BLACKOUT, 0, 20 * MS }, BUDGET_BROKEN,
		"budget broken: blackout took 45.0ms, 25.0ms more than 20.0ms; 16.0ms of it in restore, there 6.00ms in handler memfd-v2, retrieve");
	free(r);
}

/* What is not known is not kept; what is known of it can be too much. */
static void test_unknown(void)
{
	struct liveupdate_recorder *r = make();

	r->last_in.over = 0;
	verdict(r, NULL, (struct budget){ BUDGET_BLACKOUT, 0, 30 * MS }, BUDGET_UNKNOWN,
		"budget unknown: blackout is not known to keep 30.0ms; what is known of it is 28.0ms");
	verdict(r, NULL, (struct budget){ BUDGET_BLACKOUT, 0, 27 * MS }, BUDGET_BROKEN,
		"budget broken: blackout took at least 28.0ms, 1.00ms more than 27.0ms; 7.00ms of it in restore");
	verdict(r, NULL, (struct budget){ BUDGET_PHASE, SPAN_FINISH, HZ }, BUDGET_UNKNOWN,
		"budget unknown: finish is not known to keep 1.00s; it was not measured");
	memset(&r->last_out, 0, sizeof(r->last_out));
	verdict(r, NULL, (struct budget){ BUDGET_FREEZE, 0, HZ }, BUDGET_UNKNOWN,
		"budget unknown: freeze window is not known to keep 1.00s; it was not measured");
	free(r);

	r = make();
	r->last_out.marks[LIVEUPDATE_MARK_JUMP] = r->last_out.times[LIVEUPDATE_MARK_JUMP] = 0;
	verdict(r, NULL, (struct budget){ BUDGET_FREEZE, 0, 9 * MS }, BUDGET_UNKNOWN,
		"budget unknown: freeze window is not known to keep 9.00ms; what is known of it is 2.00ms");
	verdict(r, NULL, (struct budget){ BUDGET_FREEZE, 0, MS }, BUDGET_BROKEN,
		"budget broken: freeze window took at least 2.00ms, 1.00ms more than 1.00ms; 1.90ms of it in handler vfio-v1, freeze");
	free(r);
}

/* The steps of a box last 100, 200... us, with one device. */
static void test_steps(void)
{
	struct liveupdate_recorder *r = make();
	static struct box_reboot reboot;
	uint64_t at = HZ;
	int i;

	for (i = 0; i < BOX_NR_STEPS; i++)
		reboot.steps[i] = at += i * MS / 10;
	reboot.last = at;
	verdict(r, &reboot, (struct budget){ BUDGET_PHASE, SPAN_SHUTDOWN, MS }, BUDGET_BROKEN,
		"budget broken: shutdown took 3.00ms, 2.00ms more than 1.00ms; 800us of it in interrupts, other CPUs stopped");
	reboot.nr_devices = 1;
	reboot.devices[0].duration = 900000;
	strcpy(reboot.devices[0].name, "0000:00:04.0");
	verdict(r, &reboot, (struct budget){ BUDGET_FREEZE, 0, MS }, BUDGET_BROKEN,
		"budget broken: freeze window took 5.00ms, 4.00ms more than 1.00ms; 1.90ms of it in handler vfio-v1, freeze");
	verdict(r, &reboot, (struct budget){ BUDGET_PHASE, SPAN_SHUTDOWN, MS }, BUDGET_BROKEN,
		"budget broken: shutdown took 3.00ms, 2.00ms more than 1.00ms; 900us of it in device 0000:00:04.0");
	free(r);
}

/* An initcall of 2 ms in a kernel init of 5 ms; then a callback of 1.5 ms and of 0.5 ms. */
static void test_named(void)
{
	struct liveupdate_recorder *r = make();
	const uint64_t begin = r->last_in.marks[LIVEUPDATE_MARK_START];
	struct liveupdate_recorder_init *init = &r->inside.init;
	const struct budget budget = { BUDGET_PHASE, SPAN_INIT, 4 * MS };

	init->begin = begin + MS;
	init->end = begin + 4 * MS;
	init->count = 1;
	init->total = init->longest[0].duration = 2 * MS;
	init->longest[0].end = begin + 3 * MS;
	strcpy(init->longest[0].name, "slow_init");
	verdict(r, NULL, budget, BUDGET_BROKEN,
		"budget broken: kernel init took 5.00ms, 1.00ms more than 4.00ms; 2.00ms of it in initcall slow_init");
	add_row(&r->last_in, 0, "a", 10, LIVEUPDATE_SCOPE_AGENT, 1, 1500000)->kind =
		LIVEUPDATE_KIND_SUBSYSTEM;
	add_call(&r->last_in, 10, LIVEUPDATE_SCOPE_AGENT, 0, "a", "", begin + 3 * MS,
		 1500000)->kind = LIVEUPDATE_KIND_SUBSYSTEM;
	verdict(r, NULL, budget, BUDGET_BROKEN,
		"budget broken: kernel init took 5.00ms, 1.00ms more than 4.00ms; 1.50ms of it in subsystem a, boot");
	r->last_in.slow_calls[LIVEUPDATE_SCOPE_AGENT][10][0].duration = 500000;
	verdict(r, NULL, budget, BUDGET_BROKEN,
		"budget broken: kernel init took 5.00ms, 1.00ms more than 4.00ms; 2.00ms of it in initcall slow_init");
	free(r);
}

int main(void)
{
	puts("TAP version 13");
	test_times();
	test_names();
	test_known();
	test_unknown();
	test_steps();
	test_named();
	return end_tests();
}
