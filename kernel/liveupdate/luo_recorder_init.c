// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Initcalls in the recorder
 *
 * Between LIVEUPDATE_MARK_START and LIVEUPDATE_MARK_INIT the kernel sets up memory and
 * CPUs, runs the initcalls of its image one after the other, and waits for the
 * initramfs. Probes on the tracepoints of the initcalls find the longest ones, count the
 * others, and take the time of the first and of the last, so that each stretch of the
 * phase has a name. They are removed when user space starts.
 *
 * Cost: two readings of the counter for an initcall, and the look-up of a symbol for one
 * that is among the longest so far.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/async.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kallsyms.h>
#include <linux/sched.h>
#include <trace/events/initcall.h>

#include "luo_recorder_internal.h"

/* Written by the one task that runs initcalls, as is luo_inside.init but @initramfs. */
static struct luo_topn_min luo_initcalls_min;
static u64 luo_initcall_since;	/* luo_stamp(), 0 if none runs */
static bool luo_initcalls_on;

static void luo_initcall_level(void *data, const char *level)
{
	if (!luo_inside.init.begin)
		luo_inside.init.begin = luo_counter();
}

/* A module, whose initcall is traced as well, is loaded by another task. */
static void luo_initcall_begin(void *data, initcall_t func)
{
	if (is_global_init(current))
		luo_initcall_since = luo_stamp();
}

static void luo_initcall_keep(initcall_t func, u64 duration, u64 end)
{
	struct liveupdate_recorder_initcall *to;
	char name[KSYM_SYMBOL_LEN];

	static_assert(!offsetof(struct liveupdate_recorder_initcall, duration));

	sprint_symbol_no_offset(name, (unsigned long)func);

	guard(spinlock)(&luo_recorder_lock);

	luo_recorder_changes++;
	to = &luo_inside.init.longest[luo_initcalls_min.at];
	to->duration = duration;
	to->end = end;
	strscpy_pad(to->name, name);
	luo_topn_find_min(&luo_initcalls_min, luo_inside.init.longest, sizeof(*to),
			  LIVEUPDATE_RECORDER_INITCALLS);
}

static void luo_initcall_end(void *data, initcall_t func, int ret)
{
	struct liveupdate_recorder_init *init = &luo_inside.init;
	u64 duration, end;

	/* The initcall that registered the probes has no begin. */
	if (!is_global_init(current) || !luo_initcall_since)
		return;

	duration = luo_stamp_age(luo_initcall_since);
	luo_initcall_since = 0;
	end = luo_counter();
	init->count++;
	init->total += duration;
	if (init->begin)
		init->end = end;
	else
		init->early_end = end;
	if (duration > luo_initcalls_min.duration)
		luo_initcall_keep(func, duration, end);
}

/* Ahead of the probe of initcall_debug, which prints. */
static int __init luo_initcall_end_register(void)
{
#ifdef CONFIG_TRACEPOINTS
	return register_trace_prio_initcall_finish(luo_initcall_end, NULL,
						   TRACEPOINT_DEFAULT_PRIO + 1);
#else
	return -EOPNOTSUPP;
#endif
}

static int __init luo_initcalls_register(void)
{
	int err;

	err = register_trace_initcall_start(luo_initcall_begin, NULL);
	if (err)
		return err;
	err = luo_initcall_end_register();
	if (err)
		goto start;
	err = register_trace_initcall_level(luo_initcall_level, NULL);
	if (err)
		goto finish;
	return 0;

finish:
	unregister_trace_initcall_finish(luo_initcall_end, NULL);
start:
	unregister_trace_initcall_start(luo_initcall_begin, NULL);
	return err;
}

/**
 * luo_initcalls_start - begin to record initcalls
 *
 * Context: in an initcall, once.
 */
void __init luo_initcalls_start(void)
{
	int err = luo_initcalls_register();

	if (err) {
		pr_warn("cannot record initcalls: %pe\n", ERR_PTR(err));
		return;
	}
	luo_inside.init.early = luo_counter();
	luo_initcalls_on = true;
}

static void __init luo_initramfs_unpacked(void *data, async_cookie_t cookie)
{
	wait_for_initramfs();
	WRITE_ONCE(luo_inside.init.initramfs, luo_counter());
}

/**
 * luo_initcalls_await_initramfs - take the time when the initramfs is unpacked
 *
 * The kernel waits for it after the initcalls, and for all asynchronous functions of boot
 * before it frees its init memory.
 *
 * Context: late in boot, once.
 */
void __init luo_initcalls_await_initramfs(void)
{
	if (luo_initcalls_on)
		async_schedule(luo_initramfs_unpacked, NULL);
}

/**
 * luo_initcalls_stop - end what luo_initcalls_start() began
 *
 * Context: task context, once: after the last initcall, or in the one in which live update is
 *	    turned off.
 */
void luo_initcalls_stop(void)
{
	if (!luo_initcalls_on)
		return;
	luo_initcalls_on = false;
	unregister_trace_initcall_level(luo_initcall_level, NULL);
	unregister_trace_initcall_finish(luo_initcall_end, NULL);
	unregister_trace_initcall_start(luo_initcall_begin, NULL);
}
