// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Marks of the recorder
 *
 * The time of a mark is recorded with two clocks: the CPU's counter (TSC, arch
 * counter), which keeps counting across kexec, and the kernel's own monotonic clock,
 * which does not, but is correct within one kernel even where the counter is not: its
 * frequency may be unknown, or it may be stepped. The reader, which has the records of
 * both kernels, decides which span to measure with which clock.
 *
 * The last mark of the old kernel is set when the kernel dumps its log for the
 * shutdown, immediately before kexec; the first mark of the new kernel is set when
 * the kernel parses its command line. LIVEUPDATE_MARK_INIT is set after the initcalls,
 * and again when init is executed.
 *
 * A tool that records what the kernel cannot has a session of its own. That session
 * neither begins nor ends a phase: which open of the device was that of an agent shows
 * the first other session that is claimed through it. In the new kernel the calls for
 * the tool's session are not recorded, either: they are no part of a restore.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/mm_types.h>
#include <linux/pid.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include <trace/events/sched.h>

#include "kho_base.h"
#include "luo_recorder_internal.h"

/* The ioctls of all tasks */
static struct luo_busy luo_ioctls = {
	.lock = __SPIN_LOCK_UNLOCKED(luo_ioctls.lock),
};

/* The open of the device; one process at a time has it open. */
static struct luo_moment luo_opened;
static u64 luo_opened_busy;

static bool luo_ended; /* under luo_ioctls.lock */

/**
 * luo_recorder_count_ioctl - account for the start of an ioctl while UPDATED
 *
 * Context: task context.
 */
void luo_recorder_count_ioctl(void)
{
	u64 now = ktime_get_mono_fast_ns();

	luo_busy_begin(&luo_ioctls, now);
	luo_tasks_call(true, now);
}

/**
 * luo_recorder_uncount_ioctl - account for the end of that ioctl
 *
 * Context: task context.
 */
void luo_recorder_uncount_ioctl(void)
{
	u64 now = ktime_get_mono_fast_ns();

	luo_tasks_call(false, now);
	luo_busy_end(&luo_ioctls, now);
}

/* Visits all CPUs. */
static void luo_snapshot_kho(struct liveupdate_recorder_part *record)
{
	struct kho_counts counts;
	int i;

	for (i = 0; i < KHO_NR_COUNTS; i++) {
		counts = kho_counts(i);
		WRITE_ONCE(record->memory[i].calls, counts.calls);
		WRITE_ONCE(record->memory[i].errors, counts.errors);
		WRITE_ONCE(record->memory[i].pages, counts.pages);
	}
}

static u64 luo_ioctls_busy(u64 now)
{
	lockdep_assert_held(&luo_ioctls.lock);

	return luo_ioctls.total + luo_busy_elapsed(&luo_ioctls, now);
}

static void luo_mark_set(struct liveupdate_recorder_part *record,
			 enum liveupdate_recorder_mark mark, struct luo_moment at)
{
	WRITE_ONCE(record->marks[mark], at.counter);
	WRITE_ONCE(record->times[mark], at.now);
}

/* If two tasks set the same mark, the later one takes effect. */
static void luo_mark_in(struct liveupdate_recorder_part *record,
			enum liveupdate_recorder_mark mark, struct luo_moment at)
{
	guard(spinlock)(&luo_ioctls.lock);

	if (at.now < record->times[mark])
		return;
	luo_mark_set(record, mark, at);
	WRITE_ONCE(record->busy[mark], luo_ioctls_busy(at.now));
}

static void luo_mark_out(struct liveupdate_recorder_part *record,
			 enum liveupdate_recorder_mark mark, struct luo_moment at)
{
	if (mark == LIVEUPDATE_MARK_REBOOT) {
		WRITE_ONCE(record->wall_ns, ktime_get_real_ns());
		luo_sample_clock(record);
		luo_test_counter_reboot();
	} else {
		luo_check_clock(record);
	}
	luo_mark_set(record, mark, at);
}

/**
 * luo_recorder_mark - set a mark
 * @mark: the mark, other than LIVEUPDATE_MARK_OPEN
 *
 * The last call takes effect. LIVEUPDATE_MARK_RESTORED is set for each file and
 * LIVEUPDATE_MARK_FINISHED for each session, so they take no snapshot of KHO and visit no
 * tasks; before LIVEUPDATE_MARK_FROZEN more may be preserved.
 *
 * Context: any. LIVEUPDATE_MARK_JUMP is set while the other CPUs are stopped at an
 *	    arbitrary point, possibly in an update of the clock, so this must not
 *	    wait for one.
 */
void luo_recorder_mark(enum liveupdate_recorder_mark mark)
{
	enum luo_dir dir = mark >= LIVEUPDATE_MARK_START ? LUO_DIR_IN :
							   LUO_DIR_OUT;
	struct liveupdate_recorder_part *record = luo_recorders[dir].record;
	struct luo_moment at = luo_now();

	if (!record)
		return;

	if (dir == LUO_DIR_IN)
		luo_mark_in(record, mark, at);
	else
		luo_mark_out(record, mark, at);
	if (mark == LIVEUPDATE_MARK_RESTORED || mark == LIVEUPDATE_MARK_FINISHED)
		luo_tasks_mark(mark, at.now);
	else if (dir == LUO_DIR_IN || mark >= LIVEUPDATE_MARK_FROZEN)
		luo_snapshot_kho(record);
}

static void luo_init_executed(void *data, struct task_struct *task, pid_t old_pid,
			      struct linux_binprm *bprm);

static void luo_init_unregister(struct work_struct *work)
{
	unregister_trace_sched_process_exec(luo_init_executed, NULL);
	luo_initcalls_stop();
}

static DECLARE_WORK(luo_init_work, luo_init_unregister);

/* Only the first exec of init starts user space. */
static void luo_init_executed(void *data, struct task_struct *task, pid_t old_pid,
			      struct linux_binprm *bprm)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_IN].record;
	static bool executed;

	if (!is_global_init(task) || executed)
		return;
	executed = true;
	/* Without an incoming session of an agent it has ended, and the marks are final. */
	if (!smp_load_acquire(&record->over)) {
		WRITE_ONCE(record->wall_ns, ktime_get_real_ns());
		luo_recorder_mark(LIVEUPDATE_MARK_INIT);
	}
	schedule_work(&luo_init_work);
}

/**
 * luo_recorder_await_init - set LIVEUPDATE_MARK_INIT, now and when user space starts
 *
 * After its initcalls the kernel waits for the initramfs, frees its init memory and
 * write-protects its text, none of which is user space's time.
 *
 * Context: late in boot, once.
 */
void __init luo_recorder_await_init(void)
{
	luo_recorder_mark(LIVEUPDATE_MARK_INIT);
	if (!luo_recorders[LUO_DIR_IN].record)
		return;

	luo_initcalls_await_initramfs();
	if (luo_state() == LIVEUPDATE_STATE_UPDATED)
		luo_tasks_start();
	if (register_trace_sched_process_exec(luo_init_executed, NULL)) {
		pr_warn("cannot record when user space starts, only when the initcalls end\n");
		luo_initcalls_stop();
	}
}

/**
 * luo_recorder_open - take the time of an open of the device
 *
 * Context: while the caller has the device open, and no other process has.
 */
void luo_recorder_open(void)
{
	const struct liveupdate_recorder_part *record =
		luo_recorders[LUO_DIR_IN].record;

	luo_opened = luo_now();
	scoped_guard(spinlock, &luo_ioctls.lock)
		luo_opened_busy = luo_ioctls_busy(luo_opened.now);
	if (record)
		luo_tasks_open(&luo_opened,
			       !READ_ONCE(record->times[LIVEUPDATE_MARK_OPEN]));
}

/**
 * luo_recorder_claimed - record that an incoming session of an agent is claimed
 *
 * The first call sets LIVEUPDATE_MARK_OPEN to when the caller opened the device.
 *
 * Context: in an ioctl of the device.
 */
void luo_recorder_claimed(void)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_IN].record;
	const enum liveupdate_recorder_mark mark = LIVEUPDATE_MARK_OPEN;
	bool first;

	if (!record)
		return;

	scoped_guard(spinlock, &luo_ioctls.lock) {
		first = !record->times[mark];
		if (first) {
			luo_mark_set(record, mark, luo_opened);
			WRITE_ONCE(record->busy[mark], luo_opened_busy);
		}
	}
	luo_tasks_claimed(first);
	if (first)
		luo_snapshot_kho(record);
}

/**
 * luo_recorder_restored - record that a file is retrieved
 * @tool: whether its session is that of the tool
 *
 * Context: any.
 */
void luo_recorder_restored(bool tool)
{
	if (!tool)
		luo_recorder_mark(LIVEUPDATE_MARK_RESTORED);
}

/**
 * luo_recorder_end - record that the live update that booted this kernel is over
 * @since: start of the FINISH that ended it, in ns
 *
 * If that FINISH finished a session, its end is the end of the blackout; if it only
 * discarded unclaimed sessions, the blackout ended earlier. Only the first call takes
 * effect: the session of the tool may be finished later.
 *
 * Context: under luo_state_lock, and no session of an agent is left.
 */
void luo_recorder_end(u64 since)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_IN].record;
	u64 finished;

	if (!record || READ_ONCE(record->over))
		return;

	scoped_guard(spinlock, &luo_ioctls.lock) {
		if (luo_ended)
			return;
		luo_ended = true;
	}

	finished = READ_ONCE(record->times[LIVEUPDATE_MARK_FINISHED]);
	if (!finished || finished >= since ||
	    finished < READ_ONCE(record->times[LIVEUPDATE_MARK_RESTORED]))
		luo_recorder_mark(LIVEUPDATE_MARK_FINISHED);
	luo_snapshot_kho(record);

	guard(spinlock)(&luo_recorder_lock);

	/* A reader that has the marks of before reads them again. */
	luo_recorder_changes++;
	/* After the marks, which are final with it. */
	smp_store_release(&record->over, 1);
	luo_tasks_stop();
}

/**
 * luo_recorder_refresh - update what changes without a call to the recorder
 *
 * Context: any, after the record is set up.
 */
void luo_recorder_refresh(void)
{
	struct liveupdate_recorder_part *in = luo_recorders[LUO_DIR_IN].record;
	struct liveupdate_recorder_part *out = luo_recorders[LUO_DIR_OUT].record;

	luo_tasks_refresh();
	if (in)
		luo_sample_clock(in);
	if (out && !READ_ONCE(out->times[LIVEUPDATE_MARK_REBOOT]))
		luo_sample_clock(out);
	if (in && !READ_ONCE(in->over) && luo_state() == LIVEUPDATE_STATE_UPDATED)
		luo_snapshot_kho(in);
}

/**
 * luo_recorder_failed - record that a reboot that entered LUO failed
 * @err: the reason, a negative errno
 *
 * Context: in reboot(2), under luo_state_lock for writing unless the task was killed
 *	    while it waited for the lock. The rollback is complete.
 */
void luo_recorder_failed(int err)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_OUT].record;
	int mark;

	if (!record)
		return;

	WRITE_ONCE(record->failed, record->failed + 1);
	WRITE_ONCE(record->failed_ret, err);
	WRITE_ONCE(record->failed_ns, ktime_get_mono_fast_ns() -
		   record->times[LIVEUPDATE_MARK_REBOOT]);
	luo_recorder_move(LIVEUPDATE_SCOPE_REBOOT);
	for (mark = 0; mark <= LIVEUPDATE_MARK_JUMP; mark++) {
		WRITE_ONCE(record->marks[mark], 0);
		WRITE_ONCE(record->times[mark], 0);
	}
	WRITE_ONCE(record->wall_ns, 0);
}

/**
 * luo_recorder_cancelled - record that a global PREPARE failed or was cancelled
 *
 * Context: under luo_state_lock for writing.
 */
void luo_recorder_cancelled(void)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_OUT].record;

	if (!record)
		return;

	WRITE_ONCE(record->cancelled, record->cancelled + 1);
	luo_recorder_move(LIVEUPDATE_SCOPE_PREPARE);
}

/**
 * luo_recorder_finished - record that an incoming session of an agent is finished
 * @files:   number of files in the session
 * @claimed: true if it was claimed, false if it is discarded
 *
 * Context: any.
 */
void luo_recorder_finished(u64 files, bool claimed)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_IN].record;

	if (!record)
		return;

	luo_record_add(claimed ? &record->finished : &record->discarded, 1);
	if (!claimed)
		return;
	if (files)
		luo_record_add(&record->finished_files, files);
	luo_recorder_mark(LIVEUPDATE_MARK_FINISHED);
}
