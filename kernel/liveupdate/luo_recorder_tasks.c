// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Tasks in the recorder
 *
 * Most of a restore can be spent between the calls of LUO: an agent starts a process,
 * reads, computes, or waits. For the task that opens the device, the tasks that make
 * calls of LUO after it, and their child processes, the recorder divides the time
 * since then: in calls of LUO, on a CPU, waiting for a CPU, and blocked, with the
 * system call and with the task that ended it. Probes on the scheduler's tracepoints
 * do that from the end of boot until the live update is over, for at most
 * LUO_TASKS_MAX. They are removed by a worker, LUO_TASKS_LINGER later: to patch the
 * code of the scheduler takes longer than the FINISH that ends the update.
 *
 * Which process opened the device, and which processes started it, says what user
 * space did before.
 *
 * Cost: a switch between two other tasks tests a bit for each of them. The probes run
 * with a lock of the scheduler held and interrupts off: what they do is bounded, and
 * the only lock that they take, luo_tasks.lock, is a raw spinlock under which no other
 * is taken. They compare the addresses of tasks, and read a task only while it is the
 * current one or is passed to them, so that they need no reference. A begin or an end of
 * a call of LUO takes the lock once, and so does a mark, which costs the same for any
 * number of tasks.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/compat.h>
#include <linux/kallsyms.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <asm/syscall.h>
#include <trace/events/sched.h>

#include "luo_recorder_figures.h"
#include "luo_recorder_internal.h"

#define LUO_TASKS_MAX	(30 * 60 * HZ)	/* a leaked session must not keep the probes */
#define LUO_TASKS_LINGER	HZ	/* removing them is not to delay the agent */

static bool luo_tasks_on;	/* under luo_tasks.lock, as is the next one */
static bool luo_tasks_kept;	/* the device was opened for the restore */
static struct luo_tasks luo_tasks = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(luo_tasks.lock),
};

/* Of the process that has the device open; one at a time has. */
static struct liveupdate_recorder_ancestor
		luo_opened_by[LIVEUPDATE_RECORDER_ANCESTORS];

static int luo_task_syscall(struct task_struct *task)
{
	if (in_compat_syscall())
		return LIVEUPDATE_WAIT_COMPAT;
	return syscall_get_nr(task, task_pt_regs(task));
}

/* The current task gives up its CPU. */
static void luo_task_leave(struct luo_task *t, struct task_struct *task,
			   unsigned int blocked, u64 now)
{
	luo_task_account(t, now);
	luo_task_sample(t, task);
	t->doing = blocked ? LIVEUPDATE_DOING_BLOCKED : LIVEUPDATE_DOING_QUEUED;
	if (blocked)
		t->nr = luo_task_syscall(task);
	if (blocked & TASK_DEAD)
		luo_task_exit(&luo_tasks, t);
}

static void luo_tasks_switch(void *data, bool preempt, struct task_struct *prev,
			     struct task_struct *next, unsigned int prev_state)
{
	struct luo_task *t;
	u64 now;

	if (likely(!luo_task_likely(&luo_tasks, prev) &&
		   !luo_task_likely(&luo_tasks, next)))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks.lock);

	now = ktime_get_mono_fast_ns();
	t = luo_task_get(&luo_tasks, prev);
	if (t)
		luo_task_leave(t, prev, preempt ? 0 : prev_state, now);
	t = luo_task_get(&luo_tasks, next);
	if (t) {
		luo_task_account(t, now);
		t->doing = LIVEUPDATE_DOING_CPU;
	}
}

static void luo_tasks_waking(void *data, struct task_struct *task)
{
	struct luo_task *t;

	if (likely(!luo_task_likely(&luo_tasks, task)))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks.lock);

	t = luo_task_get(&luo_tasks, task);
	/* It can be woken before it has given up its CPU. */
	if (!t || t->doing != LIVEUPDATE_DOING_BLOCKED)
		return;
	if (in_task())
		luo_task_account_wait(t, ktime_get_mono_fast_ns(), current->pid,
				      current->comm);
	else
		luo_task_account_wait(t, ktime_get_mono_fast_ns(),
				      LIVEUPDATE_WAKER_IRQ, "");
	t->doing = LIVEUPDATE_DOING_QUEUED;
}

/* A thread is recorded once it calls LUO. */
static void luo_tasks_fork(void *data, struct task_struct *parent,
			   struct task_struct *child)
{
	struct luo_task *t;

	if (likely(!luo_task_likely(&luo_tasks, parent)) ||
	    !thread_group_leader(child))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks.lock);

	if (!luo_tasks_on || !luo_task_get(&luo_tasks, parent))
		return;
	t = luo_task_add(&luo_tasks, child, LIVEUPDATE_TASK_CHILD,
			 LIVEUPDATE_DOING_QUEUED, ktime_get_mono_fast_ns());
	if (t)
		t->figures.parent = parent->pid;
}

/* No task is added any more, no mark set. Returns whether there is anything to end. */
static bool luo_tasks_end(void)
{
	bool on;

	guard(raw_spinlock_irqsave)(&luo_tasks.lock);

	on = luo_tasks_on;
	WRITE_ONCE(luo_tasks_on, false);
	return on;
}

static void luo_tasks_unregister(struct work_struct *work)
{
	luo_tasks_end();
	scoped_guard(spinlock, &luo_recorder_lock) {
		if (luo_tasks_read(&luo_tasks, &luo_inside))
			luo_recorder_changes++;
		guard(raw_spinlock_irqsave)(&luo_tasks.lock);
		luo_tasks_forget(&luo_tasks);
	}
	unregister_trace_sched_process_fork(luo_tasks_fork, NULL);
	unregister_trace_sched_waking(luo_tasks_waking, NULL);
	unregister_trace_sched_switch(luo_tasks_switch, NULL);
}

static DECLARE_DELAYED_WORK(luo_tasks_work, luo_tasks_unregister);

static int __init luo_tasks_register(void)
{
	int err;

	err = register_trace_sched_switch(luo_tasks_switch, NULL);
	if (err)
		return err;
	err = register_trace_sched_waking(luo_tasks_waking, NULL);
	if (err)
		goto unregister_switch;
	err = register_trace_sched_process_fork(luo_tasks_fork, NULL);
	if (err)
		goto unregister_waking;
	return 0;

unregister_waking:
	unregister_trace_sched_waking(luo_tasks_waking, NULL);
unregister_switch:
	unregister_trace_sched_switch(luo_tasks_switch, NULL);
	return err;
}

/**
 * luo_tasks_start - begin to record tasks that call LUO
 *
 * Context: late in boot, once, if there is something to restore.
 */
void __init luo_tasks_start(void)
{
	int err = luo_tasks_register();

	if (err) {
		pr_warn("cannot record tasks: %pe\n", ERR_PTR(err));
		return;
	}
	WRITE_ONCE(luo_tasks_on, true);
	schedule_delayed_work(&luo_tasks_work, LUO_TASKS_MAX);
}

/**
 * luo_tasks_stop - end what luo_tasks_start() began
 *
 * What the tasks have done up to the marks is read when somebody reads the record, or
 * shortly after by a worker. The caller is the agent, whose workload waits.
 *
 * Context: any, once the marks are final.
 */
void luo_tasks_stop(void)
{
	if (luo_tasks_end())
		mod_delayed_work(system_percpu_wq, &luo_tasks_work, LUO_TASKS_LINGER);
}

/**
 * luo_tasks_call - account for begin or end of a call of LUO
 * @begin: whether it begins
 * @now:   current time, in ns
 *
 * Context: in the task that makes the call.
 */
void luo_tasks_call(bool begin, u64 now)
{
	struct luo_task *t;

	if (!READ_ONCE(luo_tasks_on))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks.lock);

	t = luo_task_get(&luo_tasks, current);
	if (!t && begin && luo_tasks_on && luo_tasks_kept)
		t = luo_task_add(&luo_tasks, current, 0, LIVEUPDATE_DOING_CPU, now);
	if (!t)
		return;
	luo_task_account(t, now);
	luo_task_sample(t, current);
	t->calls = begin;
}

/* The process of the current task and its ancestors. */
static void luo_find_ancestors(struct liveupdate_recorder_ancestor *to)
{
	const struct task_struct *task;
	int i;

	memset(to, 0, LIVEUPDATE_RECORDER_ANCESTORS * sizeof(*to));

	guard(rcu)();

	task = current->group_leader;
	for (i = 0; i < LIVEUPDATE_RECORDER_ANCESTORS && task->pid; i++) {
		to[i].started = task->start_time;
		to[i].pid = task->pid;
		memcpy(to[i].comm, task->comm, sizeof(to[i].comm));
		task = rcu_dereference(task->real_parent)->group_leader;
	}
}

/**
 * luo_tasks_open - begin to record the task that opened the device
 * @at:    when
 * @first: whether no session of an agent is claimed yet
 *
 * Who opened it before, and claimed none, is no agent.
 *
 * Context: in that task.
 */
void luo_tasks_open(const struct luo_moment *at, bool first)
{
	if (!first || !READ_ONCE(luo_tasks_on))
		return;

	luo_find_ancestors(luo_opened_by);

	guard(raw_spinlock_irqsave)(&luo_tasks.lock);

	luo_tasks_forget(&luo_tasks);
	luo_tasks_kept = true;
	luo_task_add(&luo_tasks, current, 0, LIVEUPDATE_DOING_CPU, at->now);
}

/**
 * luo_tasks_claimed - record that the current task restores
 * @first: whether it is the first claim of a session of an agent
 *
 * Context: in an ioctl of LUO.
 */
void luo_tasks_claimed(bool first)
{
	struct luo_task *t;

	if (!READ_ONCE(luo_tasks_on))
		return;

	if (first) {
		guard(spinlock)(&luo_recorder_lock);
		luo_recorder_changes++;
		memcpy(luo_inside.ancestors, luo_opened_by, sizeof(luo_opened_by));
	}

	guard(raw_spinlock_irqsave)(&luo_tasks.lock);

	t = luo_task_get(&luo_tasks, current);
	if (t)
		t->figures.flags |= LIVEUPDATE_TASK_AGENT;
}

/**
 * luo_tasks_mark - record what the tasks have done up to a mark
 * @mark: LIVEUPDATE_MARK_RESTORED or LIVEUPDATE_MARK_FINISHED
 * @now:  its time, in ns
 *
 * Context: in the task that sets the mark, in a call of LUO.
 */
void luo_tasks_mark(enum liveupdate_recorder_mark mark, u64 now)
{
	struct luo_task *t;

	static_assert(LIVEUPDATE_MARK_FINISHED - LIVEUPDATE_MARK_RESTORED ==
		      LUO_TASK_FINISHED - LUO_TASK_RESTORED);

	if (!READ_ONCE(luo_tasks_on))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks.lock);

	if (!luo_tasks_on)
		return;
	t = luo_task_get(&luo_tasks, current);
	if (t)
		t->figures.flags |= LIVEUPDATE_TASK_AGENT;
	luo_tasks_set_mark(&luo_tasks, mark - LIVEUPDATE_MARK_RESTORED, now);
}

static void luo_wait_name(struct liveupdate_recorder_wait *w)
{
	char symbol[KSYM_SYMBOL_LEN];
	/* Another reader can write the entry meanwhile, which is found out below. */
	int nr = data_race(w->nr);
	const char *name;

	/* The same */
	if (!data_race(w->count) || data_race(w->call[0]) || nr < 0 ||
	    nr >= NR_syscalls)
		return;
	sprint_symbol_no_offset(symbol, (unsigned long)sys_call_table[nr]);
	/* Such as __x64_sys_read */
	name = strstr(symbol, "sys_");
	if (!name)
		return;

	guard(spinlock)(&luo_recorder_lock);

	if (w->nr != nr)
		return;
	luo_recorder_changes++;
	strscpy(w->call, name + strlen("sys_"));
}

/**
 * luo_tasks_refresh - complete the record up to the last marks
 *
 * Context: any, before the record is read.
 */
void luo_tasks_refresh(void)
{
	struct liveupdate_recorder_task *task = luo_inside.tasks[0];
	int i, j;

	scoped_guard(spinlock, &luo_recorder_lock) {
		if (luo_tasks_read(&luo_tasks, &luo_inside))
			luo_recorder_changes++;
	}

	for (i = 0; i < 2 * LIVEUPDATE_RECORDER_TASKS; i++) {
		for (j = 0; j < LIVEUPDATE_RECORDER_WAITS; j++)
			luo_wait_name(&task[i].waits[j]);
	}
}
