// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Events of one file
 *
 * An outgoing file can be prepared, frozen and cancelled apart from its session, and an
 * incoming one finished. A state that its session does not have is the file's own: if a
 * transition of the session fails, the file returns to its own state and not to that of
 * the session. The state stops being its own once the session reaches it or is cancelled.
 *
 * Nothing is done for a file of a frozen session, which is not looked at again before it
 * is handed over.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "luo_file_step.h"

/**
 * luo_file_set_own - give a file a state of its own, or none
 * @f:	 an outgoing file
 * @own: the state, %LUO_FILE_NONE for none
 *
 * Context: the caller owns its set.
 */
void luo_file_set_own(struct luo_file *f, enum luo_file_state own)
{
	struct luo_file_set *set = f->token.set;

	set->apart += (own != LUO_FILE_NONE) - (f->own != LUO_FILE_NONE);
	f->own = own;
}

/**
 * luo_file_set_join - have files follow their session again
 * @set:   an outgoing set
 * @state: a state that the session has reached, as that of a file; files whose own state
 *	   is later keep it
 *
 * Context: the caller owns @set.
 */
void luo_file_set_join(struct luo_file_set *set, enum luo_file_state state)
{
	struct luo_file *f;

	luo_file_set_assert_owned(set);

	if (!set->apart)
		return;
	list_for_each_entry(f, &set->files, list)
		if (f->own <= state)
			luo_file_set_own(f, LUO_FILE_NONE);
}

/* luotrace recognizes calls of handlers by luo_..._call_...(), hence noinline. */
static noinline int luo_file_call_event(struct luo_file *f, const struct luo_file_step *step)
{
	struct luo_run run __uninitialized;
	int err;

	luo_run_begin(&run, LUO_DIR_OUT, false);
	luo_run_set_op(&run, step->op);
	err = luo_run_int(&run, f);
	if (err)
		luo_file_failed(f, err);
	else
		luo_run_state(&run, f, step->to);
	luo_run_end(&run);
	return err;
}

static void luo_file_undo(struct luo_file *f, const struct luo_file_step *step)
{
	struct luo_run run __uninitialized;

	luo_run_begin(&run, LUO_DIR_OUT, false);
	luo_run_set_op(&run, step->rollback);
	luo_run_call_void(&run, f);
	luo_run_state(&run, f, step->from);
	luo_run_end(&run);
}

static int luo_file_cancel_alone(struct luo_file *f)
{
	if (f->state == LUO_FILE_FROZEN)
		luo_file_undo(f, &luo_file_freeze);
	luo_file_undo(f, &luo_file_prepare);
	return 0;
}

static int luo_file_prepare_alone(struct luo_file *f)
{
	return luo_file_call_event(f, &luo_file_prepare);
}

/* If the freeze of a single file fails, it becomes NORMAL, as a session does. */
static int luo_file_freeze_alone(struct luo_file *f)
{
	int err = luo_file_call_event(f, &luo_file_freeze);

	if (err)
		luo_file_undo(f, &luo_file_prepare);
	return err;
}

/* The events of a file, by state. */
static const struct {
	enum luo_file_state state;
	u32 event;
	int (*run)(struct luo_file *f);
} luo_file_events[] = {
	{ LUO_FILE_PRESERVED, LIVEUPDATE_PREPARE, luo_file_prepare_alone },
	{ LUO_FILE_PREPARED, LIVEUPDATE_FREEZE, luo_file_freeze_alone },
	{ LUO_FILE_PREPARED, LIVEUPDATE_CANCEL, luo_file_cancel_alone },
	{ LUO_FILE_FROZEN, LIVEUPDATE_CANCEL, luo_file_cancel_alone },
	{ LUO_FILE_INCOMING, LIVEUPDATE_FINISH, luo_file_finish_one },
	{ LUO_FILE_RETRIEVED, LIVEUPDATE_FINISH, luo_file_finish_one },
	{ LUO_FILE_FAILED, LIVEUPDATE_FINISH, luo_file_finish_one },
};

static int __luo_file_event(struct luo_file *f, u32 event)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(luo_file_events); i++)
		if (luo_file_events[i].state == f->state &&
		    luo_file_events[i].event == event)
			return luo_file_events[i].run(f);

	luo_file_change_state(f, f->state, -EINVAL);
	return -EINVAL;
}

/**
 * luo_file_event - run a transition of one file
 * @set:     its set
 * @token:   its token
 * @event:   enum liveupdate_event
 * @session: outgoing: state of the session, as that of a file
 *
 * Context: under @set->lock.
 * Return: 0; -ENOENT if no file has the token; -EINVAL if its state does not allow the
 *	   event; -EBUSY if its session is frozen, or if its handler cannot finish yet; or
 *	   the error of the handler.
 */
int luo_file_event(struct luo_file_set *set, u64 token, u32 event,
		   enum luo_file_state session)
{
	struct luo_file *f = luo_file_find(set, token);
	int err;

	if (!f) {
		luo_file_trace_reject(set, token, -ENOENT);
		return -ENOENT;
	}
	if (set->dir == LUO_DIR_IN)
		return __luo_file_event(f, event);

	if (session == LUO_FILE_FROZEN) {
		luo_file_change_state(f, f->state, -EBUSY);
		return -EBUSY;
	}
	err = __luo_file_event(f, event);
	luo_file_set_own(f, f->state == session ? LUO_FILE_NONE : f->state);
	return err;
}

/* The state of a file as user space knows it; a file in another state is in no set. */
static const s32 luo_file_uapi_states[] = {
	[LUO_FILE_NONE]		= -ENOENT,
	[LUO_FILE_PRESERVED]	= LIVEUPDATE_STATE_NORMAL,
	[LUO_FILE_PREPARED]	= LIVEUPDATE_STATE_PREPARED,
	[LUO_FILE_FROZEN]	= LIVEUPDATE_STATE_FROZEN,
	[LUO_FILE_INCOMING]	= LIVEUPDATE_STATE_UPDATED,
	[LUO_FILE_RETRIEVED]	= LIVEUPDATE_STATE_UPDATED,
	[LUO_FILE_FINISHED]	= -ENOENT,
	[LUO_FILE_FAILED]	= LIVEUPDATE_STATE_UPDATED,
};

/**
 * luo_file_state - read the state of one file
 * @set:   its set; not followed, so that it may have been freed
 * @token: its token
 * @state: set to its enum liveupdate_state
 *
 * Context: any but interrupts; the answer is stable only under @set->lock.
 * Return: 0, or -ENOENT if no file has the token.
 */
int luo_file_state(const struct luo_file_set *set, u64 token, u32 *state)
{
	struct luo_file *f;
	s32 found;

	guard(rcu)();

	f = luo_file_find_rcu(set, token);
	found = luo_file_uapi_states[f ? READ_ONCE(f->state) : LUO_FILE_NONE];
	if (found < 0)
		return found;
	*state = found;
	return 0;
}
