// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: The global state
 *
 * NORMAL: no live update is under way. PREPARE has all subsystems and then all
 * outgoing sessions save what they can while the workload runs; the global state
 * becomes PREPARED, and CANCEL leads back to NORMAL. reboot(KEXEC) prepares what is
 * not prepared yet, freezes all outgoing sessions and then all subsystems, and
 * serializes the handover; the state becomes FROZEN and the kernel enters kexec. If
 * any step fails, all steps are rolled back in reverse order, reboot() returns the
 * error, and the global state, the sessions and the subsystems are as before.
 *
 * UPDATED: a live update booted this kernel, which still holds incoming sessions.
 * The state becomes NORMAL when the last of them is finished, or when a global FINISH
 * finishes the claimed ones and discards the others. A live update that starts
 * earlier gives up the remaining sessions; it cannot be prepared ahead. This is also
 * so while only LIVEUPDATE_RECORDER_SESSION is left: for the recorder the live update
 * is over then, but the session holds preserved memory like any other.
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

/* The state changes to @state or, if @ret is an errno, fails to. */
static void luo_state_set(enum luo_dir dir, enum liveupdate_state state,
			  u32 event, int ret)
{
	enum liveupdate_state old = luo_global_state;

	lockdep_assert_held_write(&luo_state_lock);

	WRITE_ONCE(luo_global_state, state);
	luo_emit(luo_state, luo_number(dir), old, state, event, ret);
	/* Nobody can do anything about FROZEN, and pollers would run in the blackout. */
	if (old != state && state != LIVEUPDATE_STATE_FROZEN)
		luo_sysfs_notify();
}

/**
 * luo_state_trace_reject - trace a global transition that is rejected
 * @event: enum liveupdate_event, or whatever the caller passed
 * @ret:   the reason, a negative errno
 */
void luo_state_trace_reject(u32 event, int ret)
{
	enum liveupdate_state state = luo_state();

	luo_emit(luo_state, luo_number(event == LIVEUPDATE_FINISH ? LUO_DIR_IN :
								   LUO_DIR_OUT),
		 state, state, event, ret);
}

/**
 * luo_state_init_updated - enter UPDATED: a live update booted this kernel
 *
 * Context: once, at boot, after the incoming sessions are made.
 */
void luo_state_init_updated(void)
{
	guard(rwsem_write)(&luo_state_lock);

	luo_state_set(LUO_DIR_IN, LIVEUPDATE_STATE_UPDATED, LUO_EVENT_BOOT, 0);
}

/**
 * luo_state_init_done - end the live update if no session of an agent is incoming
 *
 * Context: once, at boot, after LIVEUPDATE_MARK_INIT was first set, as nothing ends before
 *	    that; or before live update is turned off.
 */
void luo_state_init_done(void)
{
	scoped_guard(rwsem_read, &luo_state_lock)
		luo_state_check_over();
	luo_state_check_finished();
}

/*
 * Only FLBs and subsystems of the incoming side remain: finish them. @since is when
 * the FINISH began that got here, 0 if none did.
 */
static void luo_finish_remaining(u64 since)
{
	luo_flb_finish_all();
	luo_subsystem_finish_all();
	if (luo_global_state == LIVEUPDATE_STATE_UPDATED)
		luo_recorder_end(since);
}

/**
 * luo_state_init_normal - stay NORMAL: no live update booted this kernel
 *
 * Or its handover was rejected.
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
 * luo_state_check_over - end the record if only LIVEUPDATE_RECORDER_SESSION is left
 *
 * The state stays UPDATED until that is finished, too.
 *
 * Context: under luo_state_lock: a global FINISH is complete, and so are its marks.
 */
void luo_state_check_over(void)
{
	lockdep_assert_held(&luo_state_lock);

	if (luo_global_state != LIVEUPDATE_STATE_UPDATED ||
	    luo_session_count_agents() || !luo_session_count(LUO_DIR_IN))
		return;
	/* The FINISH that ended it has set the mark. */
	luo_recorder_end(U64_MAX);
}

/**
 * luo_state_check_finished - become NORMAL if the last incoming session is finished
 *
 * If the caller is killed while it waits for the lock, a worker does it shortly after.
 *
 * Context: may sleep, takes luo_state_lock for writing if the state changes.
 */
void luo_state_check_finished(void)
{
	if (luo_state() != LIVEUPDATE_STATE_UPDATED || luo_session_count(LUO_DIR_IN))
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

/* Undo luo_prepare() and what luo_freeze() did to files and subsystems. */
static void luo_state_rollback(void)
{
	luo_subsystem_unfreeze_all();
	luo_session_rollback_all();
	luo_subsystem_rollback_all();
}

static struct luo_contents luo_contents; /* under luo_state_lock */

/* Write the handover as it will be if nothing changes, so that the reboot need not. */
static int luo_serialize_ahead(void)
{
	luo_session_serialize_ahead(&luo_contents.sessions);
	luo_flb_serialize_all(&luo_contents.flbs, false);
	luo_subsystem_serialize_all(&luo_contents, LIVEUPDATE_STATE_PREPARED);
	return luo_handover_serialize(&luo_contents);
}

static int luo_event_prepare(void)
{
	int err;

	luo_recorder_scope(LIVEUPDATE_SCOPE_PREPARE);
	err = luo_prepare();
	err = err ?: luo_serialize_ahead();
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
	if (err)
		luo_state_check_over();
	else
		luo_finish_remaining(since);
	luo_phase_end(LUO_DIR_IN, LUO_PHASE_FINISH, 0, err);
	return err;
}

static int luo_event_busy(void)
{
	return -EBUSY;
}

/* The global events, by state. */
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

/*
 * Returns 0 with luo_state_lock held for writing. A session that is closed has no part in
 * the transition, even if the worker that releases it has not run yet.
 */
static int luo_state_lock_killable(void)
{
	int err = down_write_killable(&luo_state_lock);

	if (err)
		return err;
	err = luo_session_release_closed();
	if (err)
		up_write(&luo_state_lock);
	return err;
}

/**
 * luo_state_event - run a global transition
 * @event: enum liveupdate_event
 *
 * Context: may sleep, takes luo_state_lock for writing.
 * Return: 0; -EINVAL if the state does not allow the event; -EBUSY for PREPARE
 *	   while UPDATED, or if a session cannot finish yet; -EAGAIN while FROZEN;
 *	   -EINTR if the caller is killed; or the error of a callback.
 */
int luo_state_event(u32 event)
{
	int err = luo_state_lock_killable();

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

/* Prepare, freeze and serialize. The caller rolls back if this fails. */
static int luo_freeze(struct luo_totals *totals)
{
	int err;

	err = luo_prepare();
	if (err)
		return err;

	luo_recorder_mark(LIVEUPDATE_MARK_PREPARED);
	luo_phase_begin(LUO_DIR_OUT, LUO_PHASE_FREEZE);
	err = luo_session_freeze_all(&luo_contents.sessions, totals);
	err = err ?: luo_subsystem_freeze_all();
	if (!err) {
		luo_flb_serialize_all(&luo_contents.flbs, true);
		luo_subsystem_serialize_all(&luo_contents, LIVEUPDATE_STATE_FROZEN);
		err = luo_handover_serialize(&luo_contents);
		err = err ?: luo_test_damage(&luo_contents);
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
		luo_flb_rollback_all();
		luo_state_rollback();
		luo_recorder_failed(err);
		luo_recorder_scope(LIVEUPDATE_SCOPE_AGENT);
		pr_err("live update %llu failed, this kernel keeps running: %pe\n",
		       number, ERR_PTR(err));
		luo_state_set(LUO_DIR_OUT, luo_global_state,
			      LIVEUPDATE_FREEZE, err);
		return err;
	}

	luo_session_give_up_all();
	luo_flb_give_up_all();
	luo_subsystem_give_up_all();
	luo_recorder_totals(LUO_DIR_OUT, &totals);
	luo_recorder_mark(LIVEUPDATE_MARK_FROZEN);
	luo_state_set(LUO_DIR_OUT, LIVEUPDATE_STATE_FROZEN, LIVEUPDATE_FREEZE,
		      0);
	/* Print nothing: a serial console would prolong the blackout. */
	return 0;
}

/**
 * liveupdate_reboot - freeze all state and serialize the handover before kexec
 *
 * kernel_kexec() calls it after everything else that can fail.
 *
 * Context: in reboot(2), may sleep, takes luo_state_lock for writing.
 * Return: 0 if kexec can go on, also if live update is off; -EINTR if the caller is
 *	   killed while it waits for an ioctl; or the error of a prepare or freeze
 *	   callback. On error nothing has changed.
 */
int liveupdate_reboot(void)
{
	int err;

	if (!liveupdate_enabled())
		return 0;

	/* The wait for the lock is part of the blackout. */
	luo_recorder_mark(LIVEUPDATE_MARK_REBOOT);

	err = luo_state_lock_killable();
	if (err) {
		luo_recorder_failed(err);
		luo_state_trace_reject(LIVEUPDATE_FREEZE, err);
		return err;
	}
	err = luo_reboot();
	up_write(&luo_state_lock);
	return err;
}
