// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Moments of the recorder
 *
 * A moment is recorded by two clocks: the CPU's counter (TSC, arch counter), which
 * goes on over kexec, and the kernel's own monotonic clock, which does not but is
 * right within one kernel even where the counter is not: its frequency may be
 * unknown, or it may be stepped. The reader decides with the records of both
 * kernels in hand which span is known by which clock.
 *
 * The last moment of the old kernel is when it dumps its log for the shutdown, the
 * last thing that a kernel does before it jumps; the first one of the new kernel is
 * when it reads its command line.
 */

#include <linux/timekeeping.h>

#include "kho_base.h"
#include "luo_recorder_internal.h"

/* The ioctls of all tasks. */
static struct luo_busy luo_ioctls = {
	.lock = __SPIN_LOCK_UNLOCKED(luo_ioctls.lock),
};

/**
 * luo_recorder_ioctl_begin - an ioctl of LUO begins
 *
 * Return: for luo_recorder_ioctl_end().
 */
bool luo_recorder_ioctl_begin(void)
{
	if (luo_state() != LIVEUPDATE_STATE_UPDATED)
		return false;

	luo_busy_begin(&luo_ioctls, ktime_get_ns());
	return true;
}

/**
 * luo_recorder_ioctl_end - it ends
 * @counted: what luo_recorder_ioctl_begin() returned
 */
void luo_recorder_ioctl_end(bool counted)
{
	if (counted)
		luo_busy_end(&luo_ioctls, ktime_get_ns());
}

/* Walks all CPUs. */
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

/* Of two tasks at the same mark the later one counts. */
static void luo_mark_in(struct liveupdate_recorder_part *record,
			enum liveupdate_recorder_mark mark, u64 counter, u64 now)
{
	guard(spinlock)(&luo_ioctls.lock);

	if (now < record->times[mark])
		return;
	WRITE_ONCE(record->marks[mark], counter);
	WRITE_ONCE(record->times[mark], now);
	WRITE_ONCE(record->busy[mark],
		   luo_ioctls.total + luo_busy_elapsed(&luo_ioctls, now));
}

static void luo_mark_out(struct liveupdate_recorder_part *record,
			 enum liveupdate_recorder_mark mark, u64 counter, u64 now)
{
	if (mark == LIVEUPDATE_MARK_REBOOT) {
		WRITE_ONCE(record->wall_ns, ktime_get_real_ns());
		luo_sample_clock(record);
	}
	WRITE_ONCE(record->marks[mark], counter);
	WRITE_ONCE(record->times[mark], now);
}

/**
 * luo_recorder_mark - a moment of a live update is reached
 * @mark: which
 *
 * Of LIVEUPDATE_MARK_OPEN the first one counts, of all others the last one.
 * LIVEUPDATE_MARK_RESTORED is set with each file and LIVEUPDATE_MARK_FINISHED with
 * each session, so that is all that they do.
 *
 * Context: any. The last one is reached when other CPUs are stopped wherever they
 *	    were, maybe in an update of the clock, which must not be waited for.
 */
void luo_recorder_mark(enum liveupdate_recorder_mark mark)
{
	enum luo_dir dir = mark >= LIVEUPDATE_MARK_START ? LUO_DIR_IN :
							   LUO_DIR_OUT;
	struct liveupdate_recorder_part *record = luo_recorders[dir].record;
	u64 counter = luo_counter(), now = ktime_get_mono_fast_ns();

	if (!record)
		return;
	if (mark == LIVEUPDATE_MARK_OPEN &&
	    (READ_ONCE(record->times[mark]) || READ_ONCE(record->over)))
		return;

	if (dir == LUO_DIR_IN)
		luo_mark_in(record, mark, counter, now);
	else
		luo_mark_out(record, mark, counter, now);
	if (mark != LIVEUPDATE_MARK_RESTORED && mark != LIVEUPDATE_MARK_FINISHED)
		luo_snapshot_kho(record);
}

/**
 * luo_recorder_end - the live update that booted this kernel is over
 * @since: ns, when the FINISH began that ended it
 *
 * If that FINISH finished a session, its end is the end of the blackout; if it
 * discarded what nobody had claimed, that was earlier.
 *
 * Context: under luo_state_lock for writing.
 */
void luo_recorder_end(u64 since)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_IN].record;
	u64 finished;

	if (!record)
		return;

	finished = record->times[LIVEUPDATE_MARK_FINISHED];
	if (!finished || finished >= since ||
	    finished < record->times[LIVEUPDATE_MARK_RESTORED])
		luo_recorder_mark(LIVEUPDATE_MARK_FINISHED);
	luo_snapshot_kho(record);
	WRITE_ONCE(record->over, 1);
}

/**
 * luo_recorder_refresh - what is known by now
 *
 * Context: any, when the record is set up.
 */
void luo_recorder_refresh(void)
{
	struct liveupdate_recorder_part *in = luo_recorders[LUO_DIR_IN].record;
	struct liveupdate_recorder_part *out = luo_recorders[LUO_DIR_OUT].record;

	if (in)
		luo_sample_clock(in);
	if (out && !READ_ONCE(out->times[LIVEUPDATE_MARK_REBOOT]))
		luo_sample_clock(out);
	if (in && luo_state() == LIVEUPDATE_STATE_UPDATED)
		luo_snapshot_kho(in);
}

/**
 * luo_recorder_failed - a reboot that entered LUO failed and is rolled back
 * @err: why, a negative errno
 *
 * Context: in reboot(2), under luo_state_lock for writing unless it was killed
 *	    before it had it.
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
 * luo_recorder_cancelled - a global PREPARE failed or is cancelled
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
 * luo_recorder_finished - an incoming session is finished
 * @files:   it had
 * @claimed: whether anybody had claimed it
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
