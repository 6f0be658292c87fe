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
 * LUO_TASKS_MAX.
 *
 * Which process opened the device, and which processes started it, says what user
 * space did before.
 *
 * Cost: a switch between two other tasks tests a bit for each of them. The probes run
 * with a lock of the scheduler held and interrupts off: what they do is bounded, and
 * the only lock that they take, luo_tasks_lock, is a raw spinlock under which no other
 * is taken. They compare the addresses of tasks, and read a task only while it is the
 * current one or is passed to them, so that they need no reference.
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

#include "luo_recorder_internal.h"

static_assert(TASK_COMM_LEN == LIVEUPDATE_RECORDER_COMM);

#define LUO_TASKS_MAX	(30 * 60 * HZ)	/* a leaked session must not keep the probes */

/**
 * struct luo_task - a task that is recorded
 * @task:  the task, never dereferenced by way of this; NULL once it has exited
 * @doing: what it does, but for calls of LUO
 * @calls: whether it is in a call of LUO
 * @nr:    system call in which it is blocked
 * @since: when it began to do that, in ns
 * @user:  its figures when they were added to the record last
 * @system: the same
 * @minor: the same
 * @major: the same
 */
struct luo_task {
	const struct task_struct *task;
	enum liveupdate_recorder_doing doing;
	bool calls;
	int nr;
	u64 since;
	u64 user;
	u64 system;
	u64 minor;
	u64 major;
};

/* Taken with a lock of the scheduler held; protects what follows. */
static DEFINE_RAW_SPINLOCK(luo_tasks_lock);

static bool luo_tasks_on;
static bool luo_tasks_kept;	/* the device was opened for the restore */
static unsigned int luo_nr_tasks;
static u64 luo_tasks_mask;	/* a bit for each remainder of a process ID */
static u64 luo_tasks_lost;
static struct luo_task luo_tasks[LIVEUPDATE_RECORDER_TASKS];
static struct liveupdate_recorder_task luo_task_records[LIVEUPDATE_RECORDER_TASKS];

/* Of the process that has the device open; one at a time has. */
static struct liveupdate_recorder_ancestor
		luo_opened_by[LIVEUPDATE_RECORDER_ANCESTORS];

static u64 luo_task_bit(const struct task_struct *task)
{
	return BIT_ULL(task->pid & 63);
}

/* False for most tasks that are not recorded. */
static bool luo_task_likely(const struct task_struct *task)
{
	return READ_ONCE(luo_tasks_mask) & luo_task_bit(task);
}

static struct luo_task *luo_task_find(const struct task_struct *task)
{
	unsigned int i;

	lockdep_assert_held(&luo_tasks_lock);

	for (i = 0; i < luo_nr_tasks; i++) {
		if (luo_tasks[i].task == task)
			return &luo_tasks[i];
	}
	return NULL;
}

static struct liveupdate_recorder_task *luo_task_record(const struct luo_task *t)
{
	return &luo_task_records[t - luo_tasks];
}

static struct luo_task *luo_task_add(const struct task_struct *task, u32 flags,
				     enum liveupdate_recorder_doing doing, u64 now)
{
	struct liveupdate_recorder_task *to;
	struct luo_task *t;

	lockdep_assert_held(&luo_tasks_lock);

	if (luo_nr_tasks == LIVEUPDATE_RECORDER_TASKS) {
		luo_tasks_lost++;
		return NULL;
	}
	t = &luo_tasks[luo_nr_tasks++];
	*t = (struct luo_task){
		.task = task,
		.doing = doing,
		.since = now,
		.user = task->utime,
		.system = task->stime,
		.minor = task->min_flt,
		.major = task->maj_flt,
	};
	to = luo_task_record(t);
	memset(to, 0, sizeof(*to));
	to->pid = task->pid;
	to->flags = flags;
	to->from = now;
	to->until = now;
	memcpy(to->comm, task->comm, sizeof(to->comm));
	WRITE_ONCE(luo_tasks_mask, luo_tasks_mask | luo_task_bit(task));
	return t;
}

/* Take the figures of the current task, which are not those of calls of LUO. */
static void luo_task_sample(struct luo_task *t, const struct task_struct *task)
{
	struct liveupdate_recorder_task *to = luo_task_record(t);

	if (!t->calls) {
		to->user += task->utime - t->user;
		to->system += task->stime - t->system;
		to->minor += task->min_flt - t->minor;
		to->major += task->maj_flt - t->major;
	}
	t->user = task->utime;
	t->system = task->stime;
	t->minor = task->min_flt;
	t->major = task->maj_flt;
	memcpy(to->comm, task->comm, sizeof(to->comm));
}

static bool luo_wait_is(const struct liveupdate_recorder_wait *w, int nr, int waker,
			const char *comm)
{
	if (w->nr != nr)
		return false;
	if (waker <= 0)
		return w->waker == waker;
	/* Some agents start a process for each thing that they wait for. */
	return (w->waker > 0 || w->waker == LIVEUPDATE_WAKER_SEVERAL) &&
	       !strncmp(w->comm, comm, sizeof(w->comm));
}

/* The entry of a system call and of who ended it, else one to replace, else NULL. */
static struct liveupdate_recorder_wait *
luo_wait_get(struct liveupdate_recorder_task *to, int nr, int waker, const char *comm,
	     u64 ns)
{
	struct liveupdate_recorder_wait *shortest = NULL, *w = to->waits;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_WAITS; i++, w++) {
		if (!w->count || luo_wait_is(w, nr, waker, comm))
			return w;
		if (!shortest || w->ns < shortest->ns)
			shortest = w;
	}
	if (ns <= shortest->ns)
		return NULL;
	memset(shortest, 0, sizeof(*shortest));
	return shortest;
}

static void luo_wait_add(struct liveupdate_recorder_task *to, int nr, int waker,
			 const char *comm, u64 ns)
{
	struct liveupdate_recorder_wait *w = luo_wait_get(to, nr, waker, comm, ns);

	if (!w)
		return;
	if (!w->count) {
		w->nr = nr;
		w->waker = waker;
		strscpy_pad(w->comm, comm);
	} else if (w->waker != waker) {
		w->waker = LIVEUPDATE_WAKER_SEVERAL;
	}
	w->count++;
	w->ns += ns;
}

/* Account for what a task has done up to now. Returns for how long, in ns. */
static u64 luo_task_account(struct luo_task *t, u64 now)
{
	struct liveupdate_recorder_task *to = luo_task_record(t);
	u64 ns = now > t->since ? now - t->since : 0;

	lockdep_assert_held(&luo_tasks_lock);

	t->since += ns;
	to->until += ns;
	to->ns[t->calls ? LIVEUPDATE_DOING_CALL : t->doing] += ns;
	return ns;
}

/* Account for a wait with the task that ends it, if one does. */
static void luo_task_account_wait(struct luo_task *t, u64 now, int waker,
				  const char *comm)
{
	u64 ns = luo_task_account(t, now);

	if (ns && !t->calls && t->doing == LIVEUPDATE_DOING_BLOCKED)
		luo_wait_add(luo_task_record(t), t->nr, waker, comm, ns);
}

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
	if (blocked & TASK_DEAD) {
		luo_task_record(t)->flags |= LIVEUPDATE_TASK_GONE;
		t->task = NULL;
	}
}

static void luo_tasks_switch(void *data, bool preempt, struct task_struct *prev,
			     struct task_struct *next, unsigned int prev_state)
{
	struct luo_task *t;
	u64 now;

	if (likely(!luo_task_likely(prev) && !luo_task_likely(next)))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks_lock);

	now = ktime_get_mono_fast_ns();
	t = luo_task_find(prev);
	if (t)
		luo_task_leave(t, prev, preempt ? 0 : prev_state, now);
	t = luo_task_find(next);
	if (t) {
		luo_task_account(t, now);
		t->doing = LIVEUPDATE_DOING_CPU;
	}
}

static void luo_tasks_waking(void *data, struct task_struct *task)
{
	struct luo_task *t;

	if (likely(!luo_task_likely(task)))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks_lock);

	t = luo_task_find(task);
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

	if (likely(!luo_task_likely(parent)) || !thread_group_leader(child))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks_lock);

	if (!luo_task_find(parent))
		return;
	t = luo_task_add(child, LIVEUPDATE_TASK_CHILD, LIVEUPDATE_DOING_QUEUED,
			 ktime_get_mono_fast_ns());
	if (t)
		luo_task_record(t)->parent = parent->pid;
}

static void luo_tasks_unregister(struct work_struct *work)
{
	scoped_guard(raw_spinlock_irqsave, &luo_tasks_lock) {
		WRITE_ONCE(luo_tasks_on, false);
		luo_nr_tasks = 0;
		WRITE_ONCE(luo_tasks_mask, 0);
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
 * Context: any, once the marks are final.
 */
void luo_tasks_stop(void)
{
	bool on;

	scoped_guard(raw_spinlock_irqsave, &luo_tasks_lock) {
		on = luo_tasks_on;
		WRITE_ONCE(luo_tasks_on, false);
	}
	if (on)
		mod_delayed_work(system_percpu_wq, &luo_tasks_work, 0);
}

/**
 * luo_tasks_call - account for begin or end of a call of LUO
 * @begin: whether it begins
 *
 * Context: in the task that makes the call.
 */
void luo_tasks_call(bool begin)
{
	struct luo_task *t;
	u64 now;

	if (!READ_ONCE(luo_tasks_on))
		return;

	guard(raw_spinlock_irqsave)(&luo_tasks_lock);

	now = ktime_get_mono_fast_ns();
	t = luo_task_find(current);
	if (!t && begin && luo_tasks_on && luo_tasks_kept)
		t = luo_task_add(current, 0, LIVEUPDATE_DOING_CPU, now);
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

	guard(raw_spinlock_irqsave)(&luo_tasks_lock);

	luo_nr_tasks = 0;
	luo_tasks_lost = 0;
	WRITE_ONCE(luo_tasks_mask, 0);
	luo_tasks_kept = true;
	luo_task_add(current, 0, LIVEUPDATE_DOING_CPU, at->now);
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

	guard(raw_spinlock_irqsave)(&luo_tasks_lock);

	t = luo_task_find(current);
	if (t)
		luo_task_record(t)->flags |= LIVEUPDATE_TASK_AGENT;
}

/**
 * luo_tasks_mark - copy what the tasks have done up to a mark into the record
 * @mark: LIVEUPDATE_MARK_RESTORED or LIVEUPDATE_MARK_FINISHED
 * @now:  its time, in ns
 *
 * Context: in the task that sets the mark.
 */
void luo_tasks_mark(enum liveupdate_recorder_mark mark, u64 now)
{
	struct liveupdate_recorder_task *to =
		luo_inside.tasks[mark == LIVEUPDATE_MARK_FINISHED];
	struct luo_task *t;

	if (!READ_ONCE(luo_tasks_on))
		return;

	guard(spinlock)(&luo_recorder_lock);
	guard(raw_spinlock_irqsave)(&luo_tasks_lock);

	luo_recorder_changes++;
	for (t = luo_tasks; t < luo_tasks + luo_nr_tasks; t++, to++) {
		if (t->task)
			luo_task_account_wait(t, now, LIVEUPDATE_WAKER_NONE, "");
		if (t->task == current) {
			luo_task_record(t)->flags |= LIVEUPDATE_TASK_AGENT;
			luo_task_sample(t, current);
		}
		*to = *luo_task_record(t);
	}
	luo_inside.lost_tasks = luo_tasks_lost;
}

static void luo_wait_name(struct liveupdate_recorder_wait *w)
{
	char symbol[KSYM_SYMBOL_LEN];
	/* A mark can write the entry meanwhile, which is found out below. */
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
 * luo_tasks_refresh - look up names of system calls
 *
 * Context: any, before the record is read.
 */
void luo_tasks_refresh(void)
{
	struct liveupdate_recorder_task *task = luo_inside.tasks[0];
	int i, j;

	for (i = 0; i < 2 * LIVEUPDATE_RECORDER_TASKS; i++) {
		for (j = 0; j < LIVEUPDATE_RECORDER_WAITS; j++)
			luo_wait_name(&task[i].waits[j]);
	}
}
