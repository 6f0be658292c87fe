// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Allocations that fail at boot
 *
 * With ``luo_test_fail_boot=FIRST,STEP`` on the command line the allocation of that number
 * fails, and each one that follows STEP after it, of those that LUO makes while it reads
 * what the previous kernel handed over. Each of them has a line in the log, with the
 * functions that it is made by and whether it fails. A failure changes the numbers of those
 * that follow; what proves that each has failed is the log of the kernels with FIRST from 1
 * to STEP.
 *
 * With ``luo_test_fail_boot=FUNCTION`` all allocations fail that are made in a function, until
 * user space runs.
 *
 * Fault injection of the kernel cannot do that: it spares allocations that may sleep unless
 * user space has said otherwise.
 */

#define pr_fmt(fmt) "luo_test: " fmt

#include <linux/array_size.h>
#include <linux/ctype.h>
#include <linux/error-injection.h>
#include <linux/init.h>
#include <linux/gfp.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <trace/events/initcall.h>
#include <trace/events/luo.h>
#include <uapi/linux/liveupdate_recorder.h>

#include "../luo_trace.h"

#define LUO_BOOT_DEPTH	24	/* frames of a stack trace that are looked at */
#define LUO_BOOT_NAMES	3	/* functions of LUO that the log names */
#define LUO_BOOT_OPTIONAL	(__GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN)

/**
 * struct luo_boot_fault - which allocations fail
 * @function: those in a function of this name, or ""
 * @begin:    address of the function
 * @size:     of the function, in bytes
 * @first:    number of the first one, from 1; 0 for none
 * @step:     numbers between two of them, 0 if only the first one fails
 * @seen:     allocations so far
 * @task:     that reads the handover, while it does
 */
static struct luo_boot_fault {
	char function[64];
	unsigned long begin;
	unsigned long size;
	int first;
	int step;
	int seen;
	struct task_struct *task;
} luo_boot_fault;

static int __init luo_boot_parse(char *arg)
{
	int values[3];

	if (!arg)
		return -EINVAL;
	if (!isdigit(*arg)) {
		strscpy(luo_boot_fault.function, arg);
		return 0;
	}
	/* The first element is the number of the others. */
	get_options(arg, ARRAY_SIZE(values), values);
	if (!values[0])
		return -EINVAL;
	luo_boot_fault.first = values[1];
	luo_boot_fault.step = values[0] > 1 ? values[2] : 0;
	return 0;
}
early_param("luo_test_fail_boot", luo_boot_parse);

/* Whether this allocation is made in the function. */
static bool luo_boot_is_in_function(void)
{
	unsigned long frames[LUO_BOOT_DEPTH];
	unsigned int nr, i;

	if (system_state >= SYSTEM_RUNNING)
		return false;
	nr = stack_trace_save(frames, ARRAY_SIZE(frames), 0);
	for (i = 0; i < nr; i++) {
		if (frames[i] - luo_boot_fault.begin < luo_boot_fault.size)
			return true;
	}
	return false;
}

static bool luo_boot_is_nth(int n)
{
	const int first = luo_boot_fault.first, step = luo_boot_fault.step;

	return n == first || (step > 0 && n > first && (n - first) % step == 0);
}

/* Say which functions of LUO, the innermost first, make an allocation. */
static void luo_boot_say(int n, bool fails)
{
	unsigned long frames[LUO_BOOT_DEPTH];
	char name[KSYM_SYMBOL_LEN], text[3 * 64];
	unsigned int nr = stack_trace_save(frames, ARRAY_SIZE(frames), 0), i, names = 0;
	int len = 0;

	text[0] = '\0';
	for (i = 0; i < nr && names < LUO_BOOT_NAMES; i++) {
		sprint_symbol_no_offset(name, frames[i]);
		if (strncmp(name, "luo_", 4) || !strncmp(name, "luo_boot_", 9))
			continue;
		len += scnprintf(text + len, sizeof(text) - len, " %s", name);
		names++;
	}
	pr_info("boot allocation %d %s:%s\n", n, fails ? "fails" : "succeeds", text);
}

static bool luo_boot_fails(gfp_t gfp)
{
	bool fails;

	if (in_hardirq() || in_serving_softirq() || gfp & __GFP_NOFAIL)
		return false;
	/* Of a debugging aid, or the first try of a cache: nobody notices. */
	if ((gfp & LUO_BOOT_OPTIONAL) == LUO_BOOT_OPTIONAL)
		return false;
	if (luo_boot_fault.size) {
		fails = luo_boot_is_in_function();
		if (fails)
			luo_boot_say(++luo_boot_fault.seen, fails);
		return fails;
	}
	if (current != luo_boot_fault.task)
		return false;
	fails = luo_boot_is_nth(++luo_boot_fault.seen);
	luo_boot_say(luo_boot_fault.seen, fails);
	return fails;
}

static struct kprobe luo_boot_probes[2];

/* As either function is entered: whether an object of a cache, or pages, cannot be had. */
static int luo_boot_allocates(struct kprobe *probe, struct pt_regs *regs)
{
	/* int should_failslab(cache, gfp), bool should_fail_alloc_page(gfp, order) */
	bool slab = probe == luo_boot_probes;

	if (!luo_boot_fails((__force gfp_t)regs_get_kernel_argument(regs, slab)))
		return 0;
	regs_set_return_value(regs, slab ? -ENOMEM : true);
	override_function_with_return(regs);
	return 1;
}

NOKPROBE_SYMBOL(luo_boot_allocates);

/* With it the probe is not optimized, and may change where the function returns. */
static void luo_boot_after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

NOKPROBE_SYMBOL(luo_boot_after);

static struct kprobe luo_boot_probes[2] = {
	{ .symbol_name = "should_failslab" },
	{ .symbol_name = "should_fail_alloc_page" },
};

static bool luo_boot_is_early(initcall_t fn)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, (unsigned long)fn);
	return !strcmp(name, "luo_early_init");
}

static void luo_boot_initcall_start(void *data, initcall_t fn)
{
	if (luo_boot_is_early(fn))
		luo_boot_fault.task = current;
}

static void luo_boot_initcall_finish(void *data, initcall_t fn, int ret)
{
	if (luo_boot_is_early(fn))
		luo_boot_fault.task = NULL;
}

static void luo_boot_phase_begin(void *data, u64 number, u32 scope, const char *name,
				 u32 phase, u64 sessions, u64 files, int ret)
{
	if (phase == LUO_PHASE_BOOT)
		luo_boot_fault.task = current;
}

static void luo_boot_phase_end(void *data, u64 number, u32 scope, const char *name,
			       u32 phase, u64 sessions, u64 files, int ret)
{
	if (phase != LUO_PHASE_BOOT)
		return;
	luo_boot_fault.task = NULL;
	pr_info("boot allocations: %d\n", luo_boot_fault.seen);
}

/* Linked before LUO, so that it comes before luo_early_init(). */
static int __init luo_boot_fault_init(void)
{
	int i, err = 0;

	if (!luo_boot_fault.first && !*luo_boot_fault.function)
		return 0;
	if (*luo_boot_fault.function) {
		luo_boot_fault.begin = kallsyms_lookup_name(luo_boot_fault.function);
		if (!luo_boot_fault.begin ||
		    !kallsyms_lookup_size_offset(luo_boot_fault.begin, &luo_boot_fault.size,
						 NULL)) {
			pr_err("no function '%s'\n", luo_boot_fault.function);
			return -ENOENT;
		}
	}
	for (i = 0; i < ARRAY_SIZE(luo_boot_probes) && !err; i++) {
		luo_boot_probes[i].pre_handler = luo_boot_allocates;
		luo_boot_probes[i].post_handler = luo_boot_after;
		err = register_kprobe(&luo_boot_probes[i]);
	}
	err = err ?: register_trace_initcall_start(luo_boot_initcall_start, NULL);
	err = err ?: register_trace_initcall_finish(luo_boot_initcall_finish, NULL);
	err = err ?: register_trace_luo_phase_begin(luo_boot_phase_begin, NULL);
	err = err ?: register_trace_luo_phase_end(luo_boot_phase_end, NULL);
	if (err)
		pr_err("boot allocations cannot fail: %d\n", err);
	return err;
}
pure_initcall(luo_boot_fault_init);
