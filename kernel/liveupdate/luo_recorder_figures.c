// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Figures of tasks as of a mark
 *
 * LIVEUPDATE_MARK_RESTORED is set for each file and LIVEUPDATE_MARK_FINISHED for each
 * session; the last one of each counts. So a mark copies no figures, and costs the same
 * for any number of tasks: it notes its time under luo_tasks.lock. What a task had done up
 * to a mark is kept when the task next does something else, which is some 100 bytes, and
 * its list of waits as well if it has waited since it was kept last. For a task that goes
 * on with what it does it is kept when somebody reads the record, or when recording ends.
 *
 * A wait that goes on after a mark is divided there: up to the last mark of each kind it
 * is one that nobody ended.
 */

#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "luo_recorder_figures.h"

static_assert(TASK_COMM_LEN == LIVEUPDATE_RECORDER_COMM);

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

static void luo_wait_add(struct luo_task *t, int waker, const char *comm, u64 ns)
{
	struct liveupdate_recorder_wait *w;

	w = luo_wait_get(&t->figures, t->nr, waker, comm, ns);
	if (!w)
		return;
	memset(t->waits_kept, 0, sizeof(t->waits_kept));
	if (!w->count) {
		w->nr = t->nr;
		w->waker = waker;
		strscpy_pad(w->comm, comm);
	} else if (w->waker != waker) {
		w->waker = LIVEUPDATE_WAKER_SEVERAL;
	}
	w->count++;
	w->ns += ns;
}

static u64 __luo_task_account(struct luo_task *t, u64 now)
{
	u64 ns = now > t->since ? now - t->since : 0;

	t->since += ns;
	t->figures.until += ns;
	t->figures.ns[t->calls ? LIVEUPDATE_DOING_CALL : t->doing] += ns;
	return ns;
}

/**
 * luo_task_account - account for what a task has done since it was last accounted for
 * @t:	 from luo_task_get()
 * @now: current time, in ns
 *
 * Context: under the lock of the tasks.
 */
void luo_task_account(struct luo_task *t, u64 now)
{
	__luo_task_account(t, now);
}

/**
 * luo_task_account_wait - the same for a task that may have waited
 * @t:	   from luo_task_get()
 * @now:   current time, in ns
 * @waker: process ID of the task that ends the wait, or LIVEUPDATE_WAKER_*
 * @comm:  name of that task
 *
 * Context: under the lock of the tasks.
 */
void luo_task_account_wait(struct luo_task *t, u64 now, int waker, const char *comm)
{
	u64 ns = __luo_task_account(t, now);

	if (ns && !t->calls && t->doing == LIVEUPDATE_DOING_BLOCKED)
		luo_wait_add(t, waker, comm, ns);
}

/**
 * luo_task_sample - take the figures of a task, which are not those of calls of LUO
 * @t:	  from luo_task_get()
 * @task: the task, which runs
 *
 * Context: under the lock of the tasks.
 */
void luo_task_sample(struct luo_task *t, const struct task_struct *task)
{
	struct liveupdate_recorder_task *to = &t->figures;

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

static void luo_task_keep(struct luo_task *t, enum luo_task_mark mark, u64 now)
{
	const struct liveupdate_recorder_task *from = &t->figures;
	struct liveupdate_recorder_task *to = &t->kept[mark];

	if (!(from->flags & LIVEUPDATE_TASK_GONE))
		luo_task_account_wait(t, now, LIVEUPDATE_WAKER_NONE, "");
	if (t->waits_kept[mark]) {
		memcpy(to, from, offsetof(struct liveupdate_recorder_task, waits));
		memcpy(to->comm, from->comm, sizeof(to->comm));
	} else {
		*to = *from;
		t->waits_kept[mark] = true;
	}
}

/* Keep the figures of a task as of the marks that were set since it was kept last. */
static void luo_task_keep_all(const struct luo_tasks *tasks, struct luo_task *t)
{
	enum luo_task_mark mark;
	int i;

	/* In the order in which they were set */
	mark = tasks->marks[LUO_TASK_RESTORED].nr > tasks->marks[LUO_TASK_FINISHED].nr;
	for (i = 0; i < LUO_NR_TASK_MARKS; i++, mark = !mark) {
		if (tasks->marks[mark].nr > t->nr_marks)
			luo_task_keep(t, mark, tasks->marks[mark].now);
	}
	t->nr_marks = tasks->nr_marks;
}

/**
 * luo_task_get - find a task, to change what is known of it
 * @tasks: the tasks
 * @task:  the task
 *
 * Its figures as of the marks that are set are kept before they change.
 *
 * Context: under the lock of the tasks.
 * Return: what is known of it, or NULL if it is not recorded.
 */
struct luo_task *luo_task_get(struct luo_tasks *tasks, const struct task_struct *task)
{
	struct luo_task *t;
	unsigned int i;

	lockdep_assert_held(&tasks->lock);

	for (i = 0; i < tasks->nr; i++) {
		if (tasks->task[i] != task)
			continue;
		t = &tasks->of[i];
		if (t->nr_marks != tasks->nr_marks)
			luo_task_keep_all(tasks, t);
		return t;
	}
	return NULL;
}

/**
 * luo_task_add - begin to record a task
 * @tasks: the tasks
 * @task:  the task, which is the current one or does not run yet
 * @flags: LIVEUPDATE_TASK_*
 * @doing: what it does
 * @now:   current time, in ns
 *
 * It is in the figures as of the marks that are set from now on.
 *
 * Context: under the lock of the tasks.
 * Return: what is known of it, or NULL if there is no room.
 */
struct luo_task *luo_task_add(struct luo_tasks *tasks, const struct task_struct *task,
			      u32 flags, enum liveupdate_recorder_doing doing, u64 now)
{
	struct luo_task *t;

	lockdep_assert_held(&tasks->lock);

	if (tasks->nr == LIVEUPDATE_RECORDER_TASKS) {
		tasks->lost++;
		return NULL;
	}
	t = &tasks->of[tasks->nr];
	memset(t, 0, sizeof(*t));
	t->doing = doing;
	t->since = now;
	t->user = task->utime;
	t->system = task->stime;
	t->minor = task->min_flt;
	t->major = task->maj_flt;
	t->nr_marks = tasks->nr_marks;
	t->figures.pid = task->pid;
	t->figures.flags = flags;
	t->figures.from = now;
	t->figures.until = now;
	memcpy(t->figures.comm, task->comm, sizeof(t->figures.comm));
	tasks->task[tasks->nr++] = task;
	WRITE_ONCE(tasks->mask, tasks->mask | luo_task_bit(task));
	return t;
}

/**
 * luo_task_exit - record that a task has exited
 * @tasks: the tasks
 * @t:	   from luo_task_get()
 *
 * Context: under the lock of the tasks.
 */
void luo_task_exit(struct luo_tasks *tasks, struct luo_task *t)
{
	lockdep_assert_held(&tasks->lock);

	t->figures.flags |= LIVEUPDATE_TASK_GONE;
	tasks->task[t - tasks->of] = NULL;
}

/**
 * luo_tasks_set_mark - set a mark as of which the figures of all tasks are recorded
 * @tasks: the tasks
 * @mark:  the mark
 * @now:   its time, in ns
 *
 * The last call of each mark takes effect.
 *
 * Context: under the lock of the tasks.
 */
void luo_tasks_set_mark(struct luo_tasks *tasks, enum luo_task_mark mark, u64 now)
{
	lockdep_assert_held(&tasks->lock);

	/* Two tasks may get here in another order than they read the clock. */
	tasks->marks[mark].now = max(tasks->marks[mark].now, now);
	tasks->marks[mark].nr = ++tasks->nr_marks;
}

/**
 * luo_tasks_read - read the figures of all tasks as of the marks
 * @tasks: the tasks
 * @to:	   @lost_tasks and @tasks are set
 *
 * A mark that is set meanwhile may be in the figures of some tasks. The next call reads
 * them all again.
 *
 * Context: any, under luo_recorder_lock.
 * Return: true if a mark was set since the last call, else @to does not change.
 */
bool luo_tasks_read(struct luo_tasks *tasks, struct liveupdate_recorder_inside *to)
{
	enum luo_task_mark mark;
	unsigned int i;
	u64 nr_marks;

	scoped_guard(raw_spinlock_irqsave, &tasks->lock) {
		nr_marks = tasks->nr_marks;
		if (nr_marks == tasks->nr_read)
			return false;
		to->lost_tasks = tasks->lost;
	}

	for (i = 0; i < LIVEUPDATE_RECORDER_TASKS; i++) {
		/* Not for all of them: interrupts are off. */
		guard(raw_spinlock_irqsave)(&tasks->lock);

		if (i >= tasks->nr)
			break;
		luo_task_keep_all(tasks, &tasks->of[i]);
		for (mark = 0; mark < LUO_NR_TASK_MARKS; mark++)
			to->tasks[mark][i] = tasks->of[i].kept[mark];
	}
	tasks->nr_read = nr_marks;
	return true;
}

/**
 * luo_tasks_forget - stop to record all tasks
 * @tasks: the tasks
 *
 * Context: under the lock of the tasks.
 */
void luo_tasks_forget(struct luo_tasks *tasks)
{
	lockdep_assert_held(&tasks->lock);

	tasks->nr = 0;
	tasks->lost = 0;
	WRITE_ONCE(tasks->mask, 0);
}
