// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: The state of the machine
 *
 * NORMAL: no live update is under way. reboot(KEXEC) freezes all outgoing
 * sessions and writes the handover; then the machine is FROZEN and jumps. If
 * anything fails on the way, all of it is undone in reverse, reboot() returns
 * the error, and the machine runs on in the state it had before.
 *
 * UPDATED: this kernel was booted by a live update and still holds incoming
 * sessions. It is NORMAL when the last of them is finished. A live update that
 * starts earlier gives up those that are left.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>

#include "luo_internal.h"

/* See luo_internal.h for what it guards and when it is taken. */
DECLARE_RWSEM(luo_state_lock);

static enum liveupdate_state luo_machine_state = LIVEUPDATE_STATE_NORMAL;

/**
 * luo_state - the state of the machine
 *
 * Context: the answer lasts as long as luo_state_lock is held.
 * Return: NORMAL, FROZEN or UPDATED.
 */
enum liveupdate_state luo_state(void)
{
	return READ_ONCE(luo_machine_state);
}

/* The state changes to @state, or, with an errno, could not change. */
static void luo_state_set(enum luo_dir dir, enum liveupdate_state state,
			  u32 event, int ret)
{
	enum liveupdate_state old = luo_machine_state;

	lockdep_assert_held_write(&luo_state_lock);

	WRITE_ONCE(luo_machine_state, state);
	trace_luo_state(luo_number(dir), old, state, event, ret);
}

/**
 * luo_state_boot - this kernel was booted by a live update
 *
 * Context: once, at boot, when the incoming sessions are there.
 */
void luo_state_boot(void)
{
	scoped_guard(rwsem_write, &luo_state_lock)
		luo_state_set(LUO_DIR_IN, LIVEUPDATE_STATE_UPDATED,
			      LUO_EVENT_BOOT, 0);
	luo_state_settle();
}

/**
 * luo_state_settle - NORMAL again if the last incoming session is finished
 *
 * Context: may sleep, takes luo_state_lock for writing if there is a change to
 *	    make.
 */
void luo_state_settle(void)
{
	if (luo_state() != LIVEUPDATE_STATE_UPDATED ||
	    luo_sessions_count(LUO_DIR_IN))
		return;

	guard(rwsem_write)(&luo_state_lock);

	if (luo_machine_state == LIVEUPDATE_STATE_UPDATED)
		luo_state_set(LUO_DIR_IN, LIVEUPDATE_STATE_NORMAL,
			      LIVEUPDATE_FINISH, 0);
}

static int luo_freeze(struct luo_totals *totals)
{
	struct luo_array sessions;
	int err;

	err = luo_sessions_freeze(&sessions, totals);
	if (err)
		return err;

	err = luo_handover_write(&sessions);
	err = err ?: luo_test_damage(&sessions);
	trace_luo_handover_out(luo_number(LUO_DIR_OUT), totals->sessions,
			       totals->files, totals->bytes, err);
	if (err)
		luo_sessions_unfreeze();
	return err;
}

/**
 * liveupdate_reboot - the last step before the jump into the next kernel
 *
 * kernel_kexec() calls it when nothing else can fail any more. It freezes what
 * is to be preserved and writes the handover.
 *
 * Context: in reboot(2), may sleep, takes luo_state_lock for writing.
 * Return: 0 if the jump can be made, also if live update is off; what a
 *	   handler's freeze returned if it cannot, and nothing has changed.
 */
int liveupdate_reboot(void)
{
	u64 number = luo_number(LUO_DIR_OUT);
	struct luo_totals totals = {};
	int err;

	if (!liveupdate_enabled())
		return 0;

	guard(rwsem_write)(&luo_state_lock);

	trace_luo_phase_begin(number, LUO_SCOPE_GLOBAL, "", LUO_PHASE_FREEZE,
			      luo_sessions_count(LUO_DIR_OUT), 0, 0);
	err = luo_freeze(&totals);
	trace_luo_phase_end(number, LUO_SCOPE_GLOBAL, "", LUO_PHASE_FREEZE,
			    totals.sessions, totals.files, err);
	if (err) {
		pr_err("live update %llu failed, this kernel goes on: %pe\n",
		       number, ERR_PTR(err));
		luo_state_set(LUO_DIR_OUT, luo_machine_state,
			      LIVEUPDATE_FREEZE, err);
		return err;
	}

	luo_sessions_give_up();
	luo_state_set(LUO_DIR_OUT, LIVEUPDATE_STATE_FROZEN, LIVEUPDATE_FREEZE,
		      0);
	pr_info("live update %llu: %llu sessions with %llu files handed over\n",
		number, totals.sessions, totals.files);
	return 0;
}
