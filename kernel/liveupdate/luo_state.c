// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: The state of the machine
 *
 * NORMAL: no live update is under way. PREPARE has all subsystems and then all
 * outgoing sessions save what they can while the workload runs; the machine is
 * PREPARED, and CANCEL leads back. reboot(KEXEC) prepares what is not prepared
 * yet, freezes all outgoing sessions and then all subsystems, and writes the
 * handover; then the machine is FROZEN and jumps. If anything fails on the way,
 * all of it is undone in reverse, reboot() returns the error, and the machine
 * runs on in the state it had before, its sessions and subsystems too.
 *
 * UPDATED: this kernel was booted by a live update and still holds incoming
 * sessions. It is NORMAL when the last of them is finished, or when FINISH for
 * the whole machine finishes those that are claimed and discards the others. A
 * live update that starts earlier gives up those that are left; it cannot be
 * prepared then.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "luo_flb.h"
#include "luo_handover.h"
#include "luo_recorder.h"
#include "luo_session.h"
#include "luo_state.h"
#include "luo_subsystem.h"
#include "luo_sysfs.h"
#include "luo_trace.h"
#include "tests/luo_test_damage.h"

/* The state changes to @state, or, with an errno, could not change. */
static void luo_state_set(enum luo_dir dir, enum liveupdate_state state,
			  u32 event, int ret)
{
	enum liveupdate_state old = luo_global_state;

	lockdep_assert_held_write(&luo_state_lock);

	WRITE_ONCE(luo_global_state, state);
	luo_emit(luo_state, luo_number(dir), old, state, event, ret);
	if (old != state)
		luo_sysfs_notify();
}

/**
 * luo_state_trace_reject - a transition of the machine is not even tried
 * @event: enum liveupdate_event, or what the caller takes for one
 * @ret:   why, a negative errno
 */
void luo_state_trace_reject(u32 event, int ret)
{
	enum liveupdate_state state = luo_state();

	luo_emit(luo_state, luo_number(event == LIVEUPDATE_FINISH ? LUO_DIR_IN :
								   LUO_DIR_OUT),
		 state, state, event, ret);
}

/**
 * luo_state_init_updated - this kernel was booted by a live update
 *
 * Context: once, at boot, when the incoming sessions are there.
 */
void luo_state_init_updated(void)
{
	scoped_guard(rwsem_write, &luo_state_lock)
		luo_state_set(LUO_DIR_IN, LIVEUPDATE_STATE_UPDATED,
			      LUO_EVENT_BOOT, 0);
	luo_state_check_finished();
}

/*
 * Nothing of the incoming side is left but FLBs and subsystems. @since is when the
 * FINISH began that led to it.
 */
static void luo_finish_remaining(u64 since)
{
	luo_flb_finish_all();
	luo_subsystem_finish_all();
	if (luo_global_state == LIVEUPDATE_STATE_UPDATED)
		luo_recorder_end(since);
}

/**
 * luo_state_init_normal - this kernel was not booted by a live update
 *
 * Or its handover was refused.
 *
 * Context: once, at boot, instead of luo_state_init_updated().
 */
void luo_state_init_normal(void)
{
	guard(rwsem_write)(&luo_state_lock);

	luo_finish_remaining(0);
}

static void luo_state_finish(void)
{
	if (luo_global_state != LIVEUPDATE_STATE_UPDATED)
		return;

	luo_finish_remaining(0);
	luo_state_set(LUO_DIR_IN, LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_FINISH,
		      0);
}

static void luo_state_finish_work_fn(struct work_struct *work)
{
	guard(rwsem_write)(&luo_state_lock);

	luo_state_finish();
}

static DECLARE_WORK(luo_state_finish_work, luo_state_finish_work_fn);

/**
 * luo_state_check_finished - NORMAL again if the last incoming session is finished
 *
 * It is afterwards, unless the caller is killed: then it soon will be.
 *
 * Context: may sleep, takes luo_state_lock for writing if there is a change to
 *	    make.
 */
void luo_state_check_finished(void)
{
	if (luo_state() != LIVEUPDATE_STATE_UPDATED ||
	    luo_session_count(LUO_DIR_IN))
		return;

	if (down_write_killable(&luo_state_lock)) {
		schedule_work(&luo_state_finish_work);
		return;
	}
	luo_state_finish();
	up_write(&luo_state_lock);
}

static void luo_phase_begin(enum luo_dir dir, enum luo_phase phase)
{
	luo_emit(luo_phase_begin, luo_number(dir), LUO_SCOPE_GLOBAL, "", phase,
		 luo_session_count(dir), 0, 0);
}

static void luo_phase_end(enum luo_dir dir, enum luo_phase phase, u64 files,
			  int ret)
{
	luo_emit(luo_phase_end, luo_number(dir), LUO_SCOPE_GLOBAL, "", phase,
		 luo_session_count(dir), files, ret);
}

static int luo_prepare(void)
{
	int err;

	luo_phase_begin(LUO_DIR_OUT, LUO_PHASE_PREPARE);
	err = luo_subsystem_prepare_all();
	err = err ?: luo_session_prepare_all();
	luo_phase_end(LUO_DIR_OUT, LUO_PHASE_PREPARE, 0, err);
	return err;
}

/* All that luo_prepare() and luo_freeze() did, however far they came. */
static void luo_state_rollback(void)
{
	luo_subsystem_unfreeze_all();
	luo_session_rollback_all();
	luo_subsystem_rollback_all();
}

static int luo_event_prepare(void)
{
	int err;

	luo_recorder_scope(LIVEUPDATE_SCOPE_PREPARE);
	err = luo_prepare();
	if (err) {
		luo_recorder_scope(LIVEUPDATE_SCOPE_FAILED);
		luo_state_rollback();
		luo_recorder_cancelled();
	} else {
		luo_session_checkpoint_all();
		luo_subsystem_checkpoint_all();
	}
	luo_recorder_scope(LIVEUPDATE_SCOPE_AGENT);
	return err;
}

static int luo_event_cancel(void)
{
	luo_recorder_scope(LIVEUPDATE_SCOPE_FAILED);
	luo_phase_begin(LUO_DIR_OUT, LUO_PHASE_CANCEL);
	luo_session_cancel_all();
	luo_subsystem_cancel_all();
	luo_phase_end(LUO_DIR_OUT, LUO_PHASE_CANCEL, 0, 0);
	luo_recorder_cancelled();
	luo_recorder_scope(LIVEUPDATE_SCOPE_AGENT);
	return 0;
}

static int luo_event_finish(void)
{
	u64 since = ktime_get_ns();
	int err;

	luo_phase_begin(LUO_DIR_IN, LUO_PHASE_FINISH);
	err = luo_session_finish_all();
	if (!err)
		luo_finish_remaining(since);
	luo_phase_end(LUO_DIR_IN, LUO_PHASE_FINISH, 0, err);
	return err;
}

static int luo_event_busy(void)
{
	return -EBUSY;
}

/* Which events the machine knows, by state. */
static const struct {
	enum liveupdate_state from;
	u32 event;
	enum liveupdate_state to;
	enum luo_dir dir;
	int (*run)(void);
} luo_events[] = {
	{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_PREPARE,
	  LIVEUPDATE_STATE_PREPARED, LUO_DIR_OUT, luo_event_prepare },
	{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_CANCEL,
	  LIVEUPDATE_STATE_NORMAL, LUO_DIR_OUT, luo_event_cancel },
	{ LIVEUPDATE_STATE_UPDATED, LIVEUPDATE_FINISH,
	  LIVEUPDATE_STATE_NORMAL, LUO_DIR_IN, luo_event_finish },
	{ LIVEUPDATE_STATE_UPDATED, LIVEUPDATE_PREPARE,
	  LIVEUPDATE_STATE_UPDATED, LUO_DIR_OUT, luo_event_busy },
};

static int __luo_state_event(u32 event)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(luo_events); i++) {
		if (luo_events[i].from != luo_global_state ||
		    luo_events[i].event != event)
			continue;
		err = luo_events[i].run();
		luo_state_set(luo_events[i].dir, err ? luo_global_state :
						       luo_events[i].to,
			      event, err);
		return err;
	}
	luo_state_trace_reject(event, -EINVAL);
	return -EINVAL;
}

/**
 * luo_state_event - move the machine on
 * @event: enum liveupdate_event
 *
 * Context: may sleep, takes luo_state_lock for writing.
 * Return: 0; -EINVAL if the state does not allow the event; -EBUSY for PREPARE
 *	   while UPDATED, or if a session cannot finish yet; -EAGAIN once the
 *	   machine is frozen; -EINTR if the caller is killed; or what a handler
 *	   returned.
 */
int luo_state_event(u32 event)
{
	int err = down_write_killable(&luo_state_lock);

	if (err) {
		luo_state_trace_reject(event, err);
		return err;
	}
	if (luo_global_state == LIVEUPDATE_STATE_FROZEN) {
		err = -EAGAIN;
		luo_state_trace_reject(event, err);
	} else {
		err = __luo_state_event(event);
	}
	up_write(&luo_state_lock);
	return err;
}

/* All the way to a written handover. What fails is undone by the caller. */
static int luo_freeze(struct luo_totals *totals)
{
	static struct luo_contents contents; /* under luo_state_lock */
	int err;

	err = luo_prepare();
	if (err)
		return err;

	luo_recorder_mark(LIVEUPDATE_MARK_PREPARED);
	luo_phase_begin(LUO_DIR_OUT, LUO_PHASE_FREEZE);
	err = luo_session_freeze_all(&contents.sessions, totals);
	err = err ?: luo_subsystem_freeze_all();
	if (!err) {
		luo_flb_serialize_all(&contents.flbs);
		luo_subsystem_serialize_all(&contents);
		totals->bytes += contents.flbs.pgcnt * KHO_BLOCK_SIZE;
		err = luo_handover_serialize(&contents);
		err = err ?: luo_test_damage(&contents);
		luo_emit(luo_handover_out, luo_number(LUO_DIR_OUT),
			 totals->sessions, totals->files,
			 totals->bytes, err);
	}
	luo_phase_end(LUO_DIR_OUT, LUO_PHASE_FREEZE, totals->files, err);
	return err;
}

static int luo_reboot(void)
{
	u64 number = luo_number(LUO_DIR_OUT);
	struct luo_totals totals = {};
	int err;

	luo_recorder_scope(LIVEUPDATE_SCOPE_REBOOT);
	err = luo_freeze(&totals);
	if (err) {
		luo_recorder_scope(LIVEUPDATE_SCOPE_FAILED);
		luo_state_rollback();
		luo_recorder_failed(err);
		luo_recorder_scope(LIVEUPDATE_SCOPE_AGENT);
		pr_err("live update %llu failed, this kernel goes on: %pe\n",
		       number, ERR_PTR(err));
		luo_state_set(LUO_DIR_OUT, luo_global_state,
			      LIVEUPDATE_FREEZE, err);
		return err;
	}

	luo_session_give_up_all();
	luo_recorder_totals(LUO_DIR_OUT, &totals);
	luo_recorder_mark(LIVEUPDATE_MARK_FROZEN);
	luo_state_set(LUO_DIR_OUT, LIVEUPDATE_STATE_FROZEN, LIVEUPDATE_FREEZE,
		      0);
	/* No word here: a serial console would print it while everybody waits. */
	return 0;
}

/**
 * liveupdate_reboot - the last step before the jump into the next kernel
 *
 * kernel_kexec() calls it when nothing else can fail any more. It prepares and
 * freezes what is to be preserved and writes the handover.
 *
 * Context: in reboot(2), may sleep, takes luo_state_lock for writing.
 * Return: 0 if the jump can be made, also if live update is off; -EINTR if the
 *	   caller is killed while it waits for a call of an agent; what a handler's
 *	   or a subsystem's prepare or freeze returned if it cannot. Nothing has
 *	   changed then.
 */
int liveupdate_reboot(void)
{
	int err;

	if (!liveupdate_enabled())
		return 0;

	/* What it waits for is part of the blackout. */
	luo_recorder_mark(LIVEUPDATE_MARK_REBOOT);

	err = down_write_killable(&luo_state_lock);
	if (err) {
		luo_recorder_failed(err);
		luo_state_trace_reject(LIVEUPDATE_FREEZE, err);
		return err;
	}
	err = luo_reboot();
	up_write(&luo_state_lock);
	return err;
}
