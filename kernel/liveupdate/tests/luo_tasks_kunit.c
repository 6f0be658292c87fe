// SPDX-License-Identifier: GPL-2.0

/* The figures of tasks as of the marks of the recorder. */

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../luo_recorder_figures.h"

#define LUO_KUNIT_NR_TASKS	6	/* tasks that do something */
#define LUO_KUNIT_ROUNDS	50
#define LUO_KUNIT_STEPS		200
#define LUO_KUNIT_CALL		7	/* number of a system call */
#define LUO_KUNIT_WAKER		4242	/* process ID of another task */

/**
 * struct luo_kunit_record - tasks, and what is read of them
 * @tasks: the tasks
 * @read:  what was read last
 */
struct luo_kunit_record {
	struct luo_tasks tasks;
	struct liveupdate_recorder_inside read;
};

static struct luo_kunit_record *luo_kunit_record(struct kunit *test)
{
	struct luo_kunit_record *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	raw_spin_lock_init(&r->tasks.lock);
	return r;
}

static struct task_struct *luo_kunit_task(struct kunit *test, int pid)
{
	struct task_struct *task = kunit_kzalloc(test, sizeof(*task), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, task);
	task->pid = pid;
	snprintf(task->comm, sizeof(task->comm), "task-%d", pid);
	return task;
}

static bool luo_kunit_read(struct luo_kunit_record *r)
{
	return luo_tasks_read(&r->tasks, &r->read);
}

static void luo_kunit_mark(struct luo_kunit_record *r, enum luo_task_mark mark, u64 now)
{
	guard(raw_spinlock_irqsave)(&r->tasks.lock);

	luo_tasks_set_mark(&r->tasks, mark, now);
}

static void luo_kunit_add(struct luo_kunit_record *r, const struct task_struct *task,
			  enum liveupdate_recorder_doing doing, u64 now)
{
	struct luo_task *t;

	guard(raw_spinlock_irqsave)(&r->tasks.lock);

	t = luo_task_add(&r->tasks, task, 0, doing, now);
	if (t)
		t->nr = LUO_KUNIT_CALL;
}

/* The task does something else from @now on. */
static void luo_kunit_do(struct luo_kunit_record *r, const struct task_struct *task,
			 enum liveupdate_recorder_doing doing, int waker, u64 now)
{
	struct luo_task *t;

	guard(raw_spinlock_irqsave)(&r->tasks.lock);

	t = luo_task_get(&r->tasks, task);
	if (!t)
		return;
	luo_task_account_wait(t, now, waker, waker > 0 ? "waker" : "");
	luo_task_sample(t, task);
	t->calls = doing == LIVEUPDATE_DOING_CALL;
	if (!t->calls)
		t->doing = doing;
}

static void luo_kunit_exit(struct luo_kunit_record *r, const struct task_struct *task,
			   u64 now)
{
	struct luo_task *t;

	guard(raw_spinlock_irqsave)(&r->tasks.lock);

	t = luo_task_get(&r->tasks, task);
	if (!t)
		return;
	luo_task_account(t, now);
	luo_task_exit(&r->tasks, t);
}

/* How long it waited for @waker, 0 if it did so more than once. */
static u64 luo_kunit_waited(const struct liveupdate_recorder_task *t, int waker)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_WAITS; i++) {
		if (t->waits[i].count == 1 && t->waits[i].waker == waker)
			return t->waits[i].ns;
	}
	return 0;
}

/* One task runs on after both marks, one is woken between them. */
static void luo_kunit_as_of_marks(struct kunit *test)
{
	struct luo_kunit_record *r = luo_kunit_record(test);
	struct task_struct *runs = luo_kunit_task(test, 1);
	struct task_struct *waits = luo_kunit_task(test, 2);
	const struct liveupdate_recorder_task *restored, *finished;

	luo_kunit_add(r, runs, LIVEUPDATE_DOING_CPU, 100);
	luo_kunit_add(r, waits, LIVEUPDATE_DOING_BLOCKED, 100);
	KUNIT_EXPECT_FALSE(test, luo_kunit_read(r));
	luo_kunit_mark(r, LUO_TASK_RESTORED, 150);
	luo_kunit_mark(r, LUO_TASK_RESTORED, 200);
	luo_kunit_do(r, waits, LIVEUPDATE_DOING_QUEUED, LUO_KUNIT_WAKER, 230);
	luo_kunit_mark(r, LUO_TASK_FINISHED, 270);
	luo_kunit_do(r, waits, LIVEUPDATE_DOING_CPU, 0, 300);

	KUNIT_EXPECT_TRUE(test, luo_kunit_read(r));
	restored = r->read.tasks[LUO_TASK_RESTORED];
	finished = r->read.tasks[LUO_TASK_FINISHED];
	KUNIT_EXPECT_EQ(test, restored[0].pid, 1);
	KUNIT_EXPECT_EQ(test, restored[0].until, 200);
	KUNIT_EXPECT_EQ(test, restored[0].ns[LIVEUPDATE_DOING_CPU], 100);
	KUNIT_EXPECT_EQ(test, finished[0].until, 270);
	KUNIT_EXPECT_EQ(test, finished[0].ns[LIVEUPDATE_DOING_CPU], 170);

	KUNIT_EXPECT_STREQ(test, restored[1].comm, "task-2");
	KUNIT_EXPECT_EQ(test, restored[1].until, 200);
	KUNIT_EXPECT_EQ(test, restored[1].ns[LIVEUPDATE_DOING_BLOCKED], 100);
	KUNIT_EXPECT_EQ(test, restored[1].ns[LIVEUPDATE_DOING_QUEUED], 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_waited(&restored[1], LIVEUPDATE_WAKER_NONE), 100);
	KUNIT_EXPECT_EQ(test, luo_kunit_waited(&restored[1], LUO_KUNIT_WAKER), 0);
	KUNIT_EXPECT_EQ(test, finished[1].ns[LIVEUPDATE_DOING_BLOCKED], 130);
	KUNIT_EXPECT_EQ(test, finished[1].ns[LIVEUPDATE_DOING_QUEUED], 40);
	KUNIT_EXPECT_EQ(test, finished[1].ns[LIVEUPDATE_DOING_CPU], 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_waited(&finished[1], LIVEUPDATE_WAKER_NONE), 100);
	KUNIT_EXPECT_EQ(test, luo_kunit_waited(&finished[1], LUO_KUNIT_WAKER), 30);
	KUNIT_EXPECT_FALSE(test, luo_kunit_read(r));
}

/* The name and what is sampled of a task are those that were known at the mark. */
static void luo_kunit_samples(struct kunit *test)
{
	struct luo_kunit_record *r = luo_kunit_record(test);
	struct task_struct *task = luo_kunit_task(test, 1);
	const struct liveupdate_recorder_task *restored, *finished;

	task->utime = 1000;
	luo_kunit_add(r, task, LIVEUPDATE_DOING_CPU, 100);
	task->utime = 1003;
	task->min_flt = 5;
	luo_kunit_do(r, task, LIVEUPDATE_DOING_CALL, 0, 200);
	luo_kunit_mark(r, LUO_TASK_RESTORED, 210);
	luo_kunit_mark(r, LUO_TASK_FINISHED, 210);
	/* In a call of LUO */
	task->utime = 1500;
	task->stime = 20;
	luo_kunit_do(r, task, LIVEUPDATE_DOING_CPU, 0, 220);
	task->utime = 1510;
	task->min_flt = 9;
	strscpy(task->comm, "renamed");
	luo_kunit_do(r, task, LIVEUPDATE_DOING_CALL, 0, 300);
	luo_kunit_mark(r, LUO_TASK_FINISHED, 350);

	KUNIT_EXPECT_TRUE(test, luo_kunit_read(r));
	restored = r->read.tasks[LUO_TASK_RESTORED];
	finished = r->read.tasks[LUO_TASK_FINISHED];
	KUNIT_EXPECT_STREQ(test, restored->comm, "task-1");
	KUNIT_EXPECT_STREQ(test, finished->comm, "renamed");
	KUNIT_EXPECT_EQ(test, restored->user, 3);
	KUNIT_EXPECT_EQ(test, restored->minor, 5);
	KUNIT_EXPECT_EQ(test, restored->ns[LIVEUPDATE_DOING_CALL], 10);
	KUNIT_EXPECT_EQ(test, finished->user, 13);
	KUNIT_EXPECT_EQ(test, finished->system, 0);
	KUNIT_EXPECT_EQ(test, finished->minor, 9);
	KUNIT_EXPECT_EQ(test, finished->ns[LIVEUPDATE_DOING_CALL], 70);
	KUNIT_EXPECT_EQ(test, finished->ns[LIVEUPDATE_DOING_CPU], 180);
}

/* Tasks come and go between the marks; each has the same index as of both. */
static void luo_kunit_come_and_go(struct kunit *test)
{
	struct luo_kunit_record *r = luo_kunit_record(test);
	const struct liveupdate_recorder_task *restored, *finished;
	struct task_struct *task;
	int i;

	restored = r->read.tasks[LUO_TASK_RESTORED];
	finished = r->read.tasks[LUO_TASK_FINISHED];
	task = luo_kunit_task(test, 1);
	luo_kunit_add(r, task, LIVEUPDATE_DOING_CPU, 100);
	luo_kunit_mark(r, LUO_TASK_RESTORED, 150);
	luo_kunit_exit(r, task, 180);
	for (i = 1; i <= LIVEUPDATE_RECORDER_TASKS; i++)
		luo_kunit_add(r, luo_kunit_task(test, i + 1), LIVEUPDATE_DOING_QUEUED,
			      200);
	KUNIT_EXPECT_TRUE(test, luo_kunit_read(r));
	KUNIT_EXPECT_EQ(test, r->read.lost_tasks, 1);
	KUNIT_EXPECT_EQ(test, restored[0].flags, 0);
	KUNIT_EXPECT_EQ(test, restored[0].until, 150);
	KUNIT_EXPECT_EQ(test, restored[1].pid, 0);
	KUNIT_EXPECT_EQ(test, finished[0].pid, 0);

	luo_kunit_mark(r, LUO_TASK_FINISHED, 250);
	KUNIT_EXPECT_TRUE(test, luo_kunit_read(r));
	KUNIT_EXPECT_EQ(test, restored[0].until, 150);
	KUNIT_EXPECT_EQ(test, restored[1].pid, 0);
	KUNIT_EXPECT_EQ(test, finished[0].pid, 1);
	KUNIT_EXPECT_EQ(test, finished[0].flags, LIVEUPDATE_TASK_GONE);
	KUNIT_EXPECT_EQ(test, finished[0].until, 180);
	for (i = 1; i < LIVEUPDATE_RECORDER_TASKS; i++) {
		KUNIT_EXPECT_EQ(test, finished[i].pid, i + 1);
		KUNIT_EXPECT_EQ(test, finished[i].ns[LIVEUPDATE_DOING_QUEUED], 50);
	}
}

/* What is recorded after the tasks were forgotten has nothing of what was before. */
static void luo_kunit_forget(struct kunit *test)
{
	struct luo_kunit_record *r = luo_kunit_record(test);
	struct task_struct *task = luo_kunit_task(test, 1);
	const struct liveupdate_recorder_task *restored, *finished;

	luo_kunit_add(r, task, LIVEUPDATE_DOING_BLOCKED, 100);
	luo_kunit_mark(r, LUO_TASK_FINISHED, 150);
	luo_kunit_do(r, task, LIVEUPDATE_DOING_CPU, LUO_KUNIT_WAKER, 200);
	scoped_guard(raw_spinlock_irqsave, &r->tasks.lock)
		luo_tasks_forget(&r->tasks);
	luo_kunit_do(r, task, LIVEUPDATE_DOING_BLOCKED, 0, 300);
	luo_kunit_add(r, task, LIVEUPDATE_DOING_CPU, 400);
	luo_kunit_mark(r, LUO_TASK_RESTORED, 500);

	KUNIT_EXPECT_TRUE(test, luo_kunit_read(r));
	restored = r->read.tasks[LUO_TASK_RESTORED];
	finished = r->read.tasks[LUO_TASK_FINISHED];
	KUNIT_EXPECT_EQ(test, restored->from, 400);
	KUNIT_EXPECT_EQ(test, restored->ns[LIVEUPDATE_DOING_CPU], 100);
	KUNIT_EXPECT_EQ(test, restored->ns[LIVEUPDATE_DOING_BLOCKED], 0);
	KUNIT_EXPECT_EQ(test, restored->waits[0].count, 0);
	KUNIT_EXPECT_EQ(test, finished->pid, 0);
}

/* Two tasks set marks in another order than they read the clock. */
static void luo_kunit_mark_order(struct kunit *test)
{
	struct luo_kunit_record *r = luo_kunit_record(test);
	struct task_struct *task = luo_kunit_task(test, 1);

	luo_kunit_add(r, task, LIVEUPDATE_DOING_CPU, 100);
	luo_kunit_mark(r, LUO_TASK_FINISHED, 200);
	luo_kunit_mark(r, LUO_TASK_FINISHED, 190);
	luo_kunit_mark(r, LUO_TASK_RESTORED, 300);
	luo_kunit_do(r, task, LIVEUPDATE_DOING_CALL, 0, 400);
	KUNIT_EXPECT_TRUE(test, luo_kunit_read(r));
	KUNIT_EXPECT_EQ(test, r->read.tasks[LUO_TASK_FINISHED][0].until, 200);
	KUNIT_EXPECT_EQ(test, r->read.tasks[LUO_TASK_RESTORED][0].until, 300);
}

/* A mark costs the same for any number of tasks: it changes nothing of any. */
static void luo_kunit_mark_changes_no_task(struct kunit *test)
{
	struct luo_kunit_record *r = luo_kunit_record(test);
	size_t size = sizeof(r->tasks.of);
	void *before = kunit_kzalloc(test, size, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, before);
	for (i = 0; i < LIVEUPDATE_RECORDER_TASKS; i++)
		luo_kunit_add(r, luo_kunit_task(test, i + 1), LIVEUPDATE_DOING_BLOCKED,
			      100);
	memcpy(before, r->tasks.of, size);
	luo_kunit_mark(r, LUO_TASK_RESTORED, 200);
	luo_kunit_mark(r, LUO_TASK_FINISHED, 300);
	KUNIT_EXPECT_MEMEQ(test, before, r->tasks.of, size);
}

/* A step of one task or a mark, in both records; the first is read after each mark. */
static void luo_kunit_step(struct luo_kunit_record **r, struct task_struct **task,
			   struct rnd_state *rnd, u64 now)
{
	u32 what = prandom_u32_state(rnd) % 16, n = prandom_u32_state(rnd);
	struct task_struct *one = task[n % LUO_KUNIT_NR_TASKS];
	int i;

	one->utime += n >> 28;
	one->stime += n >> 29;
	one->min_flt += n >> 30;
	snprintf(one->comm, sizeof(one->comm), "task-%u", n >> 29);
	for (i = 0; i < 2; i++) {
		if (what < 12)
			luo_kunit_do(r[i], one, what % LIVEUPDATE_NR_DOINGS,
				     what < 6 ? LUO_KUNIT_WAKER : LIVEUPDATE_WAKER_IRQ,
				     now);
		else if (what < 15)
			luo_kunit_mark(r[i], n >> 31, now);
		else if (n >> 31)
			luo_kunit_add(r[i], one, LIVEUPDATE_DOING_BLOCKED, now);
		else
			luo_kunit_exit(r[i], one, now);
	}
	if (what >= 12 && what < 15)
		luo_kunit_read(r[0]);
}

/* Reading divides a wait that goes on at marks that another one of its kind follows. */
static void luo_kunit_count_once(struct liveupdate_recorder_inside *inside)
{
	struct liveupdate_recorder_task *task = inside->tasks[0];
	struct liveupdate_recorder_wait *w;
	int i, j;

	for (i = 0; i < LUO_NR_TASK_MARKS * LIVEUPDATE_RECORDER_TASKS; i++) {
		for (j = 0; j < LIVEUPDATE_RECORDER_WAITS; j++) {
			w = &task[i].waits[j];
			if (w->waker == LIVEUPDATE_WAKER_NONE)
				w->count = !!w->count;
		}
	}
}

/* When the figures are read makes no difference. */
static void luo_kunit_reading(struct kunit *test)
{
	struct luo_kunit_record *r[] = { luo_kunit_record(test), luo_kunit_record(test) };
	struct task_struct *task[LUO_KUNIT_NR_TASKS];
	struct rnd_state rnd;
	u64 now = 1;
	int i, j;

	prandom_seed_state(&rnd, 22);
	for (i = 0; i < LUO_KUNIT_NR_TASKS; i++)
		task[i] = luo_kunit_task(test, i + 1);

	for (i = 0; i < LUO_KUNIT_ROUNDS; i++) {
		for (j = 0; j < 2; j++) {
			guard(raw_spinlock_irqsave)(&r[j]->tasks.lock);
			luo_tasks_forget(&r[j]->tasks);
			memset(&r[j]->read, 0, sizeof(r[j]->read));
			luo_task_add(&r[j]->tasks, task[0], 0, LIVEUPDATE_DOING_CPU, now);
		}
		for (j = 0; j < LUO_KUNIT_STEPS; j++) {
			now += prandom_u32_state(&rnd) % 1000;
			luo_kunit_step(r, task, &rnd, now);
		}
		luo_kunit_mark(r[0], LUO_TASK_FINISHED, now);
		luo_kunit_mark(r[1], LUO_TASK_FINISHED, now);
		KUNIT_EXPECT_TRUE(test, luo_kunit_read(r[0]));
		KUNIT_EXPECT_TRUE(test, luo_kunit_read(r[1]));
		luo_kunit_count_once(&r[0]->read);
		luo_kunit_count_once(&r[1]->read);
		KUNIT_EXPECT_NE(test, r[0]->read.tasks[LUO_TASK_FINISHED][0].pid, 0);
		KUNIT_EXPECT_TRUE_MSG(test, !memcmp(&r[0]->read, &r[1]->read,
						    sizeof(r[0]->read)),
				      "round %d", i);
	}
}

static struct kunit_case luo_kunit_task_cases[] = {
	KUNIT_CASE(luo_kunit_as_of_marks),
	KUNIT_CASE(luo_kunit_samples),
	KUNIT_CASE(luo_kunit_come_and_go),
	KUNIT_CASE(luo_kunit_forget),
	KUNIT_CASE(luo_kunit_mark_order),
	KUNIT_CASE(luo_kunit_mark_changes_no_task),
	KUNIT_CASE(luo_kunit_reading),
	{}
};

static struct kunit_suite luo_kunit_task_suite = {
	.name = "liveupdate-tasks",
	.test_cases = luo_kunit_task_cases,
};

kunit_test_suite(luo_kunit_task_suite);
