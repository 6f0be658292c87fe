// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Sessions
 *
 * A session is a named set of files that goes through a live update as a unit. An
 * agent holds it by a file descriptor.
 *
 * Outgoing sessions belong to their descriptor: closing it, in any state, rolls the
 * session back, unpreserves all its files and removes it from the handover. Agents
 * prepare and freeze their sessions one by one, or a global transition does so for all
 * of them in order of creation and skips those that are prepared or frozen already. If
 * one session fails, those before it roll back, last first, to the state that they had
 * before the transition. Single files can be ahead of their session or behind it, see
 * luo_file_event.c.
 *
 * Incoming sessions belong to this kernel until they are finished. The handover is
 * deserialized into sessions at boot, agents claim them by name and finish them. A
 * session that is closed unfinished is leaked: the kernel reports it, keeps its files,
 * and it can be claimed again. The next live update gives up the incoming sessions
 * that remain; it does not hand them on.
 *
 * While the global state is FROZEN nothing of a session changes, not even by closing
 * it: it belongs to the next kernel.
 */

#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/string.h>

#include "luo_recorder.h"
#include "luo_session.h"
#include "luo_session_step.h"

/* Without files a phase calls nothing, and only a restore takes time. */
static bool luo_span_timed(const struct luo_span *span, enum luo_phase phase)
{
	return span->files || phase == LUO_PHASE_RESTORE;
}

static struct luo_span luo_session_phase_begin(struct luo_session *session,
					       enum luo_phase phase)
{
	struct luo_span span = { .files = session->files.count };

	if (luo_span_timed(&span, phase))
		span.began = ktime_get_ns();
	luo_emit(luo_phase_begin, luo_number(session->files.dir),
		 LUO_SCOPE_SESSION, session->name, phase, 1,
		 session->files.count, 0);
	return span;
}

static void luo_session_phase_end(struct luo_session *session,
				  enum luo_phase phase,
				  const struct luo_span *span, int ret)
{
	if (luo_span_timed(span, phase))
		luo_recorder_session(session->files.dir, phase, session->name,
				     span->files, ret,
				     ktime_get_ns() - span->began);
	luo_emit(luo_phase_end, luo_number(session->files.dir), LUO_SCOPE_SESSION,
		 session->name, phase, 1, session->files.count, ret);
}

/* A name from user space may be unterminated if a call fails because of that. */
static const char *luo_name_terminate(char *to, const u8 *name)
{
	strscpy(to, name, LIVEUPDATE_SESSION_NAME_LENGTH);
	return to;
}

/**
 * luo_session_trace_create - trace the outcome of CREATE_SESSION
 * @name: LIVEUPDATE_SESSION_NAME_LENGTH bytes from user space
 * @ret:  what the call returns
 */
void luo_session_trace_create(const u8 *name, int ret)
{
	char shown[LIVEUPDATE_SESSION_NAME_LENGTH] __uninitialized;

	luo_emit(luo_session_create, luo_number(LUO_DIR_OUT),
		 luo_name_terminate(shown, name), LUO_DIR_OUT,
		 LIVEUPDATE_STATE_NORMAL, 0, ret);
}

/**
 * luo_session_trace_retrieve - trace the outcome of RETRIEVE_SESSION
 * @name:  LIVEUPDATE_SESSION_NAME_LENGTH bytes from user space
 * @files: files of the session, 0 if the call fails
 * @ret:   what the call returns
 */
void luo_session_trace_retrieve(const u8 *name, u64 files, int ret)
{
	char shown[LIVEUPDATE_SESSION_NAME_LENGTH] __uninitialized;

	luo_emit(luo_session_retrieve, luo_number(LUO_DIR_IN),
		 luo_name_terminate(shown, name), LUO_DIR_IN,
		 LIVEUPDATE_STATE_UPDATED, files, ret);
}

/**
 * luo_session_restore_begin - the restore of a session begins, as it is claimed
 * @session: the session, just claimed
 *
 * Context: may sleep, takes the session's lock: a close that is still under way is
 *	    traced first.
 */
void luo_session_restore_begin(struct luo_session *session)
{
	guard(mutex)(&session->files.lock);

	luo_session_trace_retrieve((const u8 *)session->name, session->files.count, 0);
	session->restore = luo_session_phase_begin(session, LUO_PHASE_RESTORE);
	if (!session->files.tool)
		luo_recorder_claimed();
}

/**
 * luo_session_restore_end - the restore of a claimed session ends
 * @session: the session
 * @ret:     0 if the session is finished, -ECANCELED if it is closed or given up
 *
 * Context: under the session's lock, or luo_state_lock for writing.
 */
void luo_session_restore_end(struct luo_session *session, int ret)
{
	luo_session_phase_end(session, LUO_PHASE_RESTORE, &session->restore, ret);
}

void luo_session_leak(struct luo_session *session,
		      enum luo_leak_reason reason, u64 files, u64 retrieved)
{
	luo_emit(luo_session_leak, luo_number(LUO_DIR_IN), session->name, files,
		 retrieved, ktime_get_ns() - session->born_ns, reason);
}

static const struct luo_session_step luo_session_freeze = {
	LUO_PHASE_FREEZE, LUO_OP_FREEZE, luo_file_call_freeze,
	LIVEUPDATE_STATE_FROZEN, LIVEUPDATE_FREEZE
};

static int luo_session_make_alone(struct luo_session *session,
				  const struct luo_session_step *step)
{
	struct luo_run run __uninitialized;
	int err;

	lockdep_assert_held(&session->files.lock);

	luo_run_begin(&run, LUO_DIR_OUT, false);
	luo_run_set_op(&run, step->op);
	err = luo_session_make(session, step, &run);
	luo_run_end(&run);
	return err;
}

static void __luo_session_rollback(struct luo_session *session, enum luo_file_state from,
				   enum liveupdate_state to)
{
	struct luo_span span;

	luo_file_set_assert_owned(&session->files);

	span = luo_session_phase_begin(session, LUO_PHASE_CANCEL);
	luo_file_set_rollback(&session->files, from, luo_session_files_state(to));
	luo_session_phase_end(session, LUO_PHASE_CANCEL, &span, 0);
	if (session->state != to)
		luo_session_change_state(session, to, LIVEUPDATE_CANCEL, 0);
}

/* Roll an outgoing session back to an earlier state; files may have one of their own. */
void luo_session_rollback(struct luo_session *session,
			  enum liveupdate_state to)
{
	if (session->state > to)
		__luo_session_rollback(session, luo_session_files_state(session->state),
				       to);
}

/* Roll an outgoing session and all its files back to NORMAL. */
void luo_session_cancel(struct luo_session *session)
{
	bool apart = session->files.apart;

	luo_file_set_join(&session->files, LUO_FILE_FROZEN);
	if (apart)
		__luo_session_rollback(session, LUO_FILE_FROZEN, LIVEUPDATE_STATE_NORMAL);
	else
		luo_session_rollback(session, LIVEUPDATE_STATE_NORMAL);
}

/**
 * luo_session_trace_reject_file - trace a call for a file that is rejected
 * @session: the session
 * @token:   of the file, as passed by the caller
 * @ret:     the reason, a negative errno
 */
void luo_session_trace_reject_file(const struct luo_session *session, u64 token,
				   int ret)
{
	luo_file_trace_reject(&session->files, token, ret);
}

/**
 * luo_session_trace_reject_event - trace a transition of a session that is rejected
 * @session: the session
 * @event:   enum liveupdate_event, or whatever the caller passed
 * @ret:     the reason, a negative errno
 */
void luo_session_trace_reject_event(const struct luo_session *session, u32 event,
				    int ret)
{
	enum liveupdate_state state = READ_ONCE(session->state);

	luo_emit(luo_session_state, luo_number(session->files.dir), session->name,
		 session->files.dir, state, state, event, ret);
}

/* Lock an outgoing session to add or remove files: it must be NORMAL. */
static int luo_session_lock_out(struct luo_session *session, u64 token)
{
	int err = mutex_lock_killable(&session->files.lock);

	if (!err && session->state != LIVEUPDATE_STATE_NORMAL) {
		mutex_unlock(&session->files.lock);
		err = -EBUSY;
	}
	if (err)
		luo_session_trace_reject_file(session, token, err);
	return err;
}

/**
 * luo_session_preserve - preserve a file in an outgoing session
 * @session: the session
 * @file:    the file
 * @token:   the agent's name for it
 *
 * Context: under luo_state_lock for reading.
 * Return: 0; -EBUSY if the session is not NORMAL; -EINTR if the caller is killed;
 *	   or what luo_file_preserve() returns.
 */
int luo_session_preserve(struct luo_session *session, struct file *file,
			 u64 token)
{
	int err = luo_session_lock_out(session, token);

	if (err)
		return err;
	err = luo_file_preserve(&session->files, file, token);
	mutex_unlock(&session->files.lock);
	return err;
}

/**
 * luo_session_unpreserve - unpreserve one file of an outgoing session
 * @session: the session
 * @token:   the agent's name for it
 *
 * Context: under luo_state_lock for reading.
 * Return: 0; -EBUSY if the session is not NORMAL; -EINTR if the caller is killed;
 *	   -ENOENT if the session has no such token.
 */
int luo_session_unpreserve(struct luo_session *session, u64 token)
{
	int err = luo_session_lock_out(session, token);

	if (err)
		return err;
	err = luo_file_unpreserve(&session->files, token);
	mutex_unlock(&session->files.lock);
	return err;
}

/**
 * luo_session_state - read the state of a session
 * @session: the session
 *
 * Context: any; the answer is stable only under the session's lock.
 * Return: the state, NORMAL for an incoming session that is finished.
 */
enum liveupdate_state luo_session_state(const struct luo_session *session)
{
	return READ_ONCE(session->state);
}

/**
 * luo_session_retrieve - retrieve a file of an incoming session
 * @session: the session
 * @token:   the agent's name for it
 * @filep:   set to the file, with a reference
 *
 * Context: under luo_state_lock for reading.
 * Return: -EINTR if the caller is killed, or what luo_file_retrieve() returns.
 */
int luo_session_retrieve(struct luo_session *session, u64 token,
			 struct file **filep)
{
	int err = mutex_lock_killable(&session->files.lock);

	if (err) {
		luo_session_trace_reject_file(session, token, err);
		return err;
	}
	err = luo_file_retrieve(&session->files, token, filep);
	mutex_unlock(&session->files.lock);
	return err;
}

/* Context: under the session's lock. */
int __luo_session_finish(struct luo_session *session)
{
	struct luo_span span;
	int err;

	span = luo_session_phase_begin(session, LUO_PHASE_FINISH);
	err = luo_file_set_finish(&session->files);
	WRITE_ONCE(session->finish_ret, err);
	luo_session_phase_end(session, LUO_PHASE_FINISH, &span, err);
	luo_session_change_state(session, err ? session->state :
					     LIVEUPDATE_STATE_NORMAL,
				 LIVEUPDATE_FINISH, err);
	if (!err) {
		if (session->claimed)
			luo_session_restore_end(session, 0);
		if (!session->files.tool)
			luo_recorder_finished(span.files + session->files.finished,
					      session->claimed);
		luo_session_remove(session);
	}
	luo_emit(luo_session_finish, luo_number(LUO_DIR_IN), session->name,
		 LUO_DIR_IN, session->state, span.files, err);
	return err;
}

static int luo_session_cancel_alone(struct luo_session *session)
{
	luo_session_cancel(session);
	return 0;
}

static int luo_session_prepare_alone(struct luo_session *session)
{
	return luo_session_make_alone(session, &luo_session_prepare);
}

/* If the freeze of a single session fails, it becomes NORMAL. */
static int luo_session_freeze_alone(struct luo_session *session)
{
	int err = luo_session_make_alone(session, &luo_session_freeze);

	if (err)
		luo_session_rollback(session, LIVEUPDATE_STATE_NORMAL);
	return err;
}

/* The events of a session, by direction and state. */
static const struct {
	enum luo_dir dir;
	enum liveupdate_state state;
	u32 event;
	int (*run)(struct luo_session *session);
} luo_session_events[] = {
	{ LUO_DIR_OUT, LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_PREPARE,
	  luo_session_prepare_alone },
	{ LUO_DIR_OUT, LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_FREEZE,
	  luo_session_freeze_alone },
	{ LUO_DIR_OUT, LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_CANCEL,
	  luo_session_cancel_alone },
	{ LUO_DIR_OUT, LIVEUPDATE_STATE_FROZEN, LIVEUPDATE_CANCEL,
	  luo_session_cancel_alone },
	{ LUO_DIR_IN, LIVEUPDATE_STATE_UPDATED, LIVEUPDATE_FINISH,
	  __luo_session_finish },
};

/* Context: under the session's lock. */
static int __luo_session_event(struct luo_session *session, u32 event)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(luo_session_events); i++) {
		if (luo_session_events[i].dir != session->files.dir ||
		    luo_session_events[i].state != session->state ||
		    luo_session_events[i].event != event)
			continue;
		err = luo_session_events[i].run(session);
		session->rollback_state = session->state;
		if (session->files.dir == LUO_DIR_OUT)
			luo_file_set_join(&session->files,
					  luo_session_files_state(session->state));
		return err;
	}
	luo_session_trace_reject_event(session, event, -EINVAL);
	return -EINVAL;
}

/**
 * luo_session_event - run a transition of one session
 * @session: the session
 * @event:   enum liveupdate_event
 *
 * Context: under luo_state_lock for reading.
 * Return: 0; -EINVAL if its state does not allow the event; -EBUSY if a handler
 *	   cannot finish yet; -EINTR if the caller is killed; or the error of a
 *	   callback.
 */
int luo_session_event(struct luo_session *session, u32 event)
{
	int err = mutex_lock_killable(&session->files.lock);

	if (err) {
		luo_session_trace_reject_event(session, event, err);
		return err;
	}
	err = __luo_session_event(session, event);
	mutex_unlock(&session->files.lock);
	return err;
}

static int __luo_session_file_event(struct luo_session *session, u64 token, u32 event)
{
	enum luo_file_state state = LUO_FILE_INCOMING;
	int err;

	if (session->files.dir == LUO_DIR_OUT)
		state = luo_session_files_state(session->state);
	err = luo_file_event(&session->files, token, event, state);
	if (!err && event == LIVEUPDATE_FINISH && !session->files.count)
		return __luo_session_finish(session);
	return err;
}

/**
 * luo_session_file_event - run a transition of one file of a session
 * @session: the session; finished with its last file
 * @token:   the agent's name for the file
 * @event:   enum liveupdate_event
 *
 * Context: under luo_state_lock for reading.
 * Return: -EINTR if the caller is killed, or what luo_file_event() returns.
 */
int luo_session_file_event(struct luo_session *session, u64 token, u32 event)
{
	int err = mutex_lock_killable(&session->files.lock);

	if (err) {
		luo_session_trace_reject_file(session, token, err);
		return err;
	}
	err = __luo_session_file_event(session, token, event);
	mutex_unlock(&session->files.lock);
	return err;
}

/**
 * luo_session_file_state - read the state of one file of a session
 * @session: the session
 * @token:   the agent's name for the file
 * @state:   set to its enum liveupdate_state
 *
 * Context: any but interrupts; the answer is stable only under the session's lock.
 * Return: 0, or -ENOENT if the session has no such token.
 */
int luo_session_file_state(const struct luo_session *session, u64 token, u32 *state)
{
	return luo_file_state(&session->files, token, state);
}

/**
 * luo_session_trace_reject_finish - trace a FINISH of a session that is rejected
 * @session: the session
 * @ret:     the reason, a negative errno
 */
void luo_session_trace_reject_finish(const struct luo_session *session, int ret)
{
	luo_emit(luo_session_finish, luo_number(session->files.dir), session->name,
		 session->files.dir, luo_session_state(session), 0, ret);
}

/**
 * luo_session_finish - finish an incoming session and release its files
 * @session: the session
 *
 * Context: under luo_state_lock for reading.
 * Return: 0; -EINVAL if it is finished already; -EBUSY if a handler cannot
 *	   finish yet, then nothing has changed; -EINTR if the caller is killed.
 */
int luo_session_finish(struct luo_session *session)
{
	int err = luo_session_event(session, LIVEUPDATE_FINISH);

	if (err == -EINVAL || err == -EINTR)
		luo_session_trace_reject_finish(session, err);
	return err;
}
