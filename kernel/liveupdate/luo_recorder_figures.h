/* SPDX-License-Identifier: GPL-2.0 */

/* Figures of the tasks that the recorder records */

#ifndef _LINUX_LUO_RECORDER_FIGURES_H
#define _LINUX_LUO_RECORDER_FIGURES_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <uapi/linux/liveupdate_recorder.h>

/* The marks that figures are recorded for, as in &liveupdate_recorder_inside.tasks */
enum luo_task_mark { LUO_TASK_RESTORED, LUO_TASK_FINISHED, LUO_NR_TASK_MARKS };

/**
 * struct luo_task - a task that is recorded
 * @doing: what it does, but for calls of LUO
 * @calls: whether it is in a call of LUO
 * @nr:    system call in which it is blocked
 * @since: when it began to do that, in ns
 * @user:  its figures when they were added to @figures last
 * @system: the same
 * @minor: the same
 * @major: the same
 * @nr_marks: &luo_tasks.nr_marks when its figures were kept last
 * @waits_kept: by mark: the waits in @kept are those in @figures
 * @figures: what it has done up to @since
 * @kept:  by mark: what it had done up to the mark
 */
struct luo_task {
	enum liveupdate_recorder_doing doing;
	bool calls;
	int nr;
	u64 since;
	u64 user;
	u64 system;
	u64 minor;
	u64 major;
	u64 nr_marks;
	bool waits_kept[LUO_NR_TASK_MARKS];
	struct liveupdate_recorder_task figures;
	struct liveupdate_recorder_task kept[LUO_NR_TASK_MARKS];
};

/**
 * struct luo_tasks - the tasks that are recorded
 * @lock:     taken with a lock of the scheduler held; protects the other members
 * @nr:       number of tasks
 * @lost:     number of tasks that found no room
 * @nr_marks: number of marks that were set
 * @nr_read:  the same when the figures as of the marks were last read; under
 *	      luo_recorder_lock
 * @marks:    by mark: when it was set last, in ns, and &luo_tasks.nr_marks then
 * @task:     the tasks, never dereferenced by way of this; NULL once one has exited
 * @of:       what is known of each
 * @mask:     a bit for each remainder of a process ID. Each switch between tasks reads
 *	      it, so it is not beside what each mark writes
 */
struct luo_tasks {
	raw_spinlock_t lock; /* all of this */
	unsigned int nr;
	u64 lost;
	u64 nr_marks;
	u64 nr_read;
	struct {
		u64 now;
		u64 nr;
	} marks[LUO_NR_TASK_MARKS];
	const struct task_struct *task[LIVEUPDATE_RECORDER_TASKS];
	struct luo_task of[LIVEUPDATE_RECORDER_TASKS];
	u64 mask;
};

static inline u64 luo_task_bit(const struct task_struct *task)
{
	return BIT_ULL(task->pid & 63);
}

/* False for most tasks that are not recorded. */
static inline bool luo_task_likely(const struct luo_tasks *tasks,
				   const struct task_struct *task)
{
	return READ_ONCE(tasks->mask) & luo_task_bit(task);
}

struct luo_task *luo_task_get(struct luo_tasks *tasks, const struct task_struct *task);
struct luo_task *luo_task_add(struct luo_tasks *tasks, const struct task_struct *task,
			      u32 flags, enum liveupdate_recorder_doing doing, u64 now);
void luo_task_sample(struct luo_task *t, const struct task_struct *task);
void luo_task_account(struct luo_task *t, u64 now);
void luo_task_account_wait(struct luo_task *t, u64 now, int waker, const char *comm);
void luo_task_exit(struct luo_tasks *tasks, struct luo_task *t);
void luo_tasks_set_mark(struct luo_tasks *tasks, enum luo_task_mark mark, u64 now);
bool luo_tasks_read(struct luo_tasks *tasks, struct liveupdate_recorder_inside *to);
void luo_tasks_forget(struct luo_tasks *tasks);

#endif /* _LINUX_LUO_RECORDER_FIGURES_H */
