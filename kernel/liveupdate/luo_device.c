// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: The session of the device
 *
 * An agent that needs no sessions preserves files with the device itself. They are in a
 * session like any other, named LIVEUPDATE_DEVICE_SESSION, which the open device holds as
 * a descriptor holds another session: the outgoing one ends when the device is closed; an
 * incoming one that is not finished by then can be claimed again, by the next process
 * that opens the device.
 *
 * The outgoing session exists only while it holds a file, so that an agent which has
 * changed its mind does not hand an empty session over. The incoming session is claimed
 * by the first call for one of its files: a process that opens the device for something
 * else does not take it.
 */

#include <linux/err.h>

#include "luo_device.h"
#include "luo_session.h"

/* Padded, as trace events copy all of a name. */
static const char luo_device_name[LIVEUPDATE_SESSION_NAME_LENGTH] =
	LIVEUPDATE_DEVICE_SESSION;

/**
 * struct luo_device_slot - a session of the open device
 * @lock:    which one it is; held while a call uses it
 * @session: the session, NULL for none
 */
struct luo_device_slot {
	struct mutex lock; /* the session of this direction */
	struct luo_session *session;
};

static struct luo_device_slot luo_device_slots[] = {
	[LUO_DIR_OUT] = {
		.lock = __MUTEX_INITIALIZER(luo_device_slots[LUO_DIR_OUT].lock),
	},
	[LUO_DIR_IN] = {
		.lock = __MUTEX_INITIALIZER(luo_device_slots[LUO_DIR_IN].lock),
	},
};

/**
 * luo_device_trace_reject - trace a call for a file that is rejected
 * @dir:   of the file
 * @token: as passed by the caller
 * @ret:   the reason, a negative errno
 */
void luo_device_trace_reject(enum luo_dir dir, u64 token, int ret)
{
	luo_file_trace_reject_in(dir, luo_device_name, token, ret);
}

static struct luo_session *luo_device_create(void)
{
	struct luo_session *session = luo_session_create((const u8 *)luo_device_name);

	if (!IS_ERR(session))
		luo_session_trace_create((const u8 *)luo_device_name, 0);
	return session;
}

static struct luo_session *luo_device_claim(void)
{
	struct luo_session *session = luo_session_claim((const u8 *)luo_device_name);

	if (!IS_ERR(session))
		luo_session_restore_begin(session);
	return session;
}

static struct luo_session *luo_device_none(void)
{
	return ERR_PTR(-ENOENT);
}

/* Get the session, or one from @open, with the lock held unless it is an ERR_PTR(). */
static struct luo_session *luo_device_lock(enum luo_dir dir, u64 token,
					   struct luo_session *(*open)(void))
{
	struct luo_device_slot *slot = &luo_device_slots[dir];
	struct luo_session *session;
	int err;

	lockdep_assert_held(&luo_state_lock);

	err = mutex_lock_killable(&slot->lock);
	if (err) {
		luo_device_trace_reject(dir, token, err);
		return ERR_PTR(err);
	}
	session = slot->session ?: open();
	if (IS_ERR(session)) {
		mutex_unlock(&slot->lock);
		luo_device_trace_reject(dir, token, PTR_ERR(session));
		return session;
	}
	WRITE_ONCE(slot->session, session);
	luo_session_set_owner(session);
	return session;
}

static void luo_device_unlock(enum luo_dir dir)
{
	struct luo_device_slot *slot = &luo_device_slots[dir];
	struct luo_session *session = slot->session;

	if (dir == LUO_DIR_OUT && !session->files.count) {
		WRITE_ONCE(slot->session, NULL);
		luo_session_release(session);
	}
	mutex_unlock(&slot->lock);
}

/**
 * luo_device_preserve - preserve a file in the outgoing session of the device
 * @file:  the file
 * @token: the agent's name for it
 *
 * Context: under luo_state_lock for reading, not while FROZEN.
 * Return: 0; -EINTR if the caller is killed; what luo_session_create() returns for the
 *	   first file; or what luo_session_preserve() returns.
 */
int luo_device_preserve(struct file *file, u64 token)
{
	struct luo_session *session;
	int err;

	session = luo_device_lock(LUO_DIR_OUT, token, luo_device_create);
	if (IS_ERR(session))
		return PTR_ERR(session);
	err = luo_session_preserve(session, file, token);
	luo_device_unlock(LUO_DIR_OUT);
	return err;
}

/**
 * luo_device_unpreserve - unpreserve one file of the outgoing session of the device
 * @token: the agent's name for it
 *
 * Context: under luo_state_lock for reading, not while FROZEN.
 * Return: 0; -ENOENT without a session; -EINTR if the caller is killed; or what
 *	   luo_session_unpreserve() returns.
 */
int luo_device_unpreserve(u64 token)
{
	struct luo_session *session;
	int err;

	session = luo_device_lock(LUO_DIR_OUT, token, luo_device_none);
	if (IS_ERR(session))
		return PTR_ERR(session);
	err = luo_session_unpreserve(session, token);
	luo_device_unlock(LUO_DIR_OUT);
	return err;
}

/**
 * luo_device_retrieve - retrieve a file of the incoming session of the device
 * @token: the agent's name for it
 * @filep: set to the file, with a reference
 *
 * Context: under luo_state_lock for reading, not while FROZEN.
 * Return: 0; -EINTR if the caller is killed; what luo_session_claim() returns for the
 *	   first file; or what luo_session_retrieve() returns.
 */
int luo_device_retrieve(u64 token, struct file **filep)
{
	struct luo_session *session;
	int err;

	session = luo_device_lock(LUO_DIR_IN, token, luo_device_claim);
	if (IS_ERR(session))
		return PTR_ERR(session);
	err = luo_session_retrieve(session, token, filep);
	luo_device_unlock(LUO_DIR_IN);
	return err;
}

/**
 * luo_device_file_event - run a transition of one file of the device
 * @token: the agent's name for it
 * @event: enum liveupdate_event
 *
 * Context: under luo_state_lock for reading, not while FROZEN.
 * Return: 0; -EINTR if the caller is killed; -ENOENT without a session; what
 *	   luo_session_claim() returns; or what luo_session_file_event() returns.
 */
int luo_device_file_event(u64 token, u32 event)
{
	enum luo_dir dir = luo_device_event_dir(event);
	struct luo_session *session;
	int err;

	session = luo_device_lock(dir, token, dir == LUO_DIR_IN ? luo_device_claim :
								   luo_device_none);
	if (IS_ERR(session))
		return PTR_ERR(session);
	err = luo_session_file_event(session, token, event);
	luo_device_unlock(dir);
	return err;
}

/**
 * luo_device_file_state - read the state of one file of the device
 * @dir:   its direction; an incoming one need not be claimed
 * @token: the agent's name for it
 * @state: set to its enum liveupdate_state
 *
 * Context: any but interrupts.
 * Return: 0, or -ENOENT if there is no such file.
 */
int luo_device_file_state(enum luo_dir dir, u64 token, u32 *state)
{
	/* Not followed, only compared: it may be freed at any time. */
	const struct luo_session *session =
		dir == LUO_DIR_IN ? READ_ONCE(luo_sessions[LUO_DIR_IN].device) :
				    READ_ONCE(luo_device_slots[LUO_DIR_OUT].session);

	return session ? luo_file_state(&session->files, token, state) : -ENOENT;
}

/**
 * luo_device_close - close the sessions of the device, as the device is closed
 *
 * Context: may sleep, takes luo_state_lock for reading; no call on the device runs.
 */
void luo_device_close(void)
{
	struct luo_session *session;
	enum luo_dir dir;

	for (dir = LUO_DIR_OUT; dir <= LUO_DIR_IN; dir++) {
		session = luo_device_slots[dir].session;
		WRITE_ONCE(luo_device_slots[dir].session, NULL);
		if (session)
			luo_session_close(session);
	}
}
