// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Closing sessions
 *
 * An outgoing session ends with its last descriptor; an incoming session that is not
 * finished can be claimed again. Neither changes while the global state is FROZEN.
 *
 * A process that exits does not wait for a global transition, which may itself wait
 * for a handler. Its sessions are released once the transition is over, and before the
 * next ioctl or transition runs.
 */

#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "luo_notice.h"
#include "luo_session.h"

static LLIST_HEAD(luo_closed); /* closed, but not released yet */
static DEFINE_MUTEX(luo_closed_lock); /* their release */
static atomic_t luo_nr_closed; /* their number, with those that are being released */

static void luo_session_release_out(struct luo_session *session)
{
	u64 files = session->files.count;

	luo_session_remove(session);
	/* Nobody else has it any more. */
	if (files || session->state != LIVEUPDATE_STATE_NORMAL) {
		guard(mutex)(&session->files.lock);
		luo_session_cancel(session);
		luo_file_set_unpreserve(&session->files);
	}
	luo_emit(luo_session_release, luo_number(LUO_DIR_OUT), session->name,
		 LUO_DIR_OUT, session->state, files, 0);
	luo_session_free(session);
}

static void luo_session_leave(struct luo_session *session)
{
	luo_session_unclaim(session);
	luo_notice("closed without finish, can be claimed again", "session", NULL,
		   session->name, NULL);
}

/* The next owner may finish and close it at any time. */
static void luo_session_release_leaked(struct luo_session *session)
{
	refcount_inc(&session->refs);
	scoped_guard(mutex, &session->files.lock) {
		luo_session_leave(session);
		luo_emit(luo_session_release, luo_number(LUO_DIR_IN), session->name,
			 LUO_DIR_IN, session->state, session->files.count, 0);
		luo_session_restore_end(session, -ECANCELED);
		luo_session_leak(session, LUO_LEAK_CLOSED, session->files.count,
				 session->files.retrieved);
	}
	luo_session_put(session);
}

static void luo_session_release_in(struct luo_session *session)
{
	/* Only its descriptor and global transitions finish a session that is claimed. */
	if (session->listed) {
		luo_session_release_leaked(session);
		return;
	}
	luo_emit(luo_session_release, luo_number(LUO_DIR_IN), session->name, LUO_DIR_IN,
		 session->state, session->files.count, 0);
	luo_session_free(session);
}

/**
 * luo_session_release - release a session whose last descriptor is closed
 * @session: the session; may be freed
 *
 * Context: under luo_state_lock, not while FROZEN.
 */
void luo_session_release(struct luo_session *session)
{
	lockdep_assert_held(&luo_state_lock);

	if (session->files.dir == LUO_DIR_OUT)
		luo_session_release_out(session);
	else
		luo_session_release_in(session);
}

/* While FROZEN a session stays as it is: only trace that it is closed. */
static void luo_session_trace_frozen(struct luo_session *session)
{
	luo_emit(luo_session_release, luo_number(session->files.dir), session->name,
		 session->files.dir, session->state, session->files.count, -EAGAIN);
}

static void __luo_session_release_closed(struct llist_node *list)
{
	struct luo_session *session, *next;

	llist_for_each_entry_safe(session, next, llist_reverse_order(list),
				  in_closed) {
		if (luo_state() == LIVEUPDATE_STATE_FROZEN)
			luo_session_trace_frozen(session);
		else
			luo_session_release(session);
		atomic_dec(&luo_nr_closed);
	}
}

/**
 * luo_session_release_closed - release the sessions closed during a transition
 *
 * Waits if another task does: their names are free afterwards.
 *
 * Context: under luo_state_lock.
 * Return: 0 or -EINTR if the caller is killed.
 */
int luo_session_release_closed(void)
{
	int err;

	lockdep_assert_held(&luo_state_lock);

	if (!atomic_read(&luo_nr_closed))
		return 0;
	err = mutex_lock_killable(&luo_closed_lock);
	if (err)
		return err;
	__luo_session_release_closed(llist_del_all(&luo_closed));
	mutex_unlock(&luo_closed_lock);
	return 0;
}

static void luo_closed_work_fn(struct work_struct *work)
{
	guard(rwsem_read)(&luo_state_lock);

	luo_session_release_closed();
}

static DECLARE_WORK(luo_closed_work, luo_closed_work_fn);

/* Take luo_state_lock, unless that takes long and the process is exiting. */
static bool luo_session_close_lock(void)
{
	if (down_read_trylock(&luo_state_lock))
		return true;
	if (current->flags & (PF_EXITING | PF_KTHREAD))
		return false;
	return !down_read_killable(&luo_state_lock);
}

/**
 * luo_session_close - close the last descriptor of a session
 * @session: the session; may be freed
 *
 * Context: may sleep, takes luo_state_lock for reading.
 */
void luo_session_close(struct luo_session *session)
{
	luo_session_set_owner(session);
	if (!luo_session_close_lock()) {
		atomic_inc(&luo_nr_closed);
		llist_add(&session->in_closed, &luo_closed);
		schedule_work(&luo_closed_work);
		return;
	}
	if (luo_state() == LIVEUPDATE_STATE_FROZEN)
		luo_session_trace_frozen(session);
	else
		luo_session_release(session);
	up_read(&luo_state_lock);
}
