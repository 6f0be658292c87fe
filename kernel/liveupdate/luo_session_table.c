// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: The tables of sessions
 *
 * Outgoing and incoming sessions are separate sets with separate names. A set has a
 * hash table of the names and a list in order of creation, along which the ids of the
 * sessions grow. The lock of the set guards which sessions exist and which are open. A
 * walker that races with list changes holds a reference on its current session, see
 * luo_walk.c.
 *
 * All lookups of names take that lock, so the table needs neither RCU nor locks of its
 * own. Its size is fixed: a lookup compares two or three hashes among 10,000
 * sessions, two dozen among 100,000; removing a session takes the same among any number.
 */

#include <linux/err.h>
#include <linux/jhash.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_array.h"
#include "luo_recorder.h"
#include "luo_seal.h"
#include "luo_session.h"

/* A name is hashed once, when it comes from user space. */
static u32 luo_name_seed __ro_after_init;

static u32 luo_name_hash(const char *name)
{
	return jhash(name, strlen(name), luo_name_seed);
}

DEFINE_SPINLOCK(luo_owner_lock); /* who used a session last */

struct luo_session_set luo_sessions[] = {
	[LUO_DIR_OUT] = {
		.lock	= __MUTEX_INITIALIZER(luo_sessions[LUO_DIR_OUT].lock),
		.list	= LIST_HEAD_INIT(luo_sessions[LUO_DIR_OUT].list),
	},
	[LUO_DIR_IN] = {
		.lock	= __MUTEX_INITIALIZER(luo_sessions[LUO_DIR_IN].lock),
		.list	= LIST_HEAD_INIT(luo_sessions[LUO_DIR_IN].list),
	},
};

/**
 * luo_session_init - set up the tables
 *
 * Context: once, at boot.
 */
void __init luo_session_init(void)
{
	luo_name_seed = get_random_u32();
	luo_array_set_init(&luo_sessions[LUO_DIR_OUT].blocks, LUO_ARRAY_SESSIONS);
}

struct luo_session *luo_session_alloc(const char *name, enum luo_dir dir)
{
	struct luo_session *session = kzalloc_obj(*session, GFP_KERNEL_ACCOUNT);
	struct luo_seal seal;

	if (!session)
		return NULL;

	strscpy_pad(session->name, name);
	session->state = dir == LUO_DIR_OUT ? LIVEUPDATE_STATE_NORMAL :
					      LIVEUPDATE_STATE_UPDATED;
	session->rollback_state = session->state;
	session->born_ns = ktime_get_ns();
	if (dir == LUO_DIR_OUT) {
		luo_seal_init(&seal, dir, LUO_ARRAY_SESSIONS, "");
		session->sum = luo_sum_string(seal.owner, session->name,
					      sizeof(session->name));
	}
	refcount_set(&session->refs, 1);
	luo_file_set_init(&session->files, session->name, dir);
	return session;
}

void luo_session_put(struct luo_session *session)
{
	if (!refcount_dec_and_test(&session->refs))
		return;

	put_pid(session->owner);
	kfree(session);
}

/**
 * luo_session_change_owner - make another process the owner of a session
 * @session: the session
 * @pid:     the process, of the calling task
 *
 * Context: any but interrupts.
 */
void luo_session_change_owner(struct luo_session *session, struct pid *pid)
{
	struct pid *old;

	/* A kernel thread closes it on behalf of an unknown process. */
	if (current->flags & PF_KTHREAD)
		return;

	scoped_guard(spinlock, &luo_owner_lock) {
		old = session->owner;
		WRITE_ONCE(session->owner, get_pid(pid));
		get_task_comm(session->comm, current->group_leader);
	}
	put_pid(old);
}

/* Free a session that is in no set; a walk may still hold a reference. */
void luo_session_free(struct luo_session *session)
{
	luo_file_set_destroy(&session->files);
	luo_session_put(session);
}

/* The calling process opens a session, and nothing can fail after this. */
static void luo_session_opened(struct luo_session *session)
{
	session->claims++;
	session->opened_ns = ktime_get_ns();
	luo_session_set_owner(session);
}

static struct luo_session_set *luo_session_set(const struct luo_session *session)
{
	return &luo_sessions[session->files.dir];
}

/* Context: under the lock of the set. */
static struct luo_session *luo_session_find(struct luo_session_set *set, const char *name,
					    u32 hash)
{
	struct luo_session *session;

	lockdep_assert_held(&set->lock);

	hash_for_each_possible(set->by_name, session, node, hash)
		if (session->hash == hash && !strcmp(session->name, name))
			return session;
	return NULL;
}

/* Add a session to its set. -EEXIST if the name is taken, -ENOSPC if the set is full. */
int luo_session_add(struct luo_session *session)
{
	struct luo_session_set *set = luo_session_set(session);
	int err;

	session->hash = luo_name_hash(session->name);

	guard(mutex)(&set->lock);

	if (luo_session_find(set, session->name, session->hash))
		return -EEXIST;
	if (session->files.dir == LUO_DIR_OUT) {
		err = kho_block_set_grow(&set->blocks, set->count + 1);
		if (err)
			return err;
		luo_session_opened(session);
	}

	hash_add(set->by_name, &session->node, session->hash);
	session->id = set->next_id++;
	list_add_tail(&session->list, &set->list);
	WRITE_ONCE(set->count, set->count + 1);
	if (!session->files.tool)
		WRITE_ONCE(set->agents, set->agents + 1);
	session->listed = true;
	return 0;
}

void luo_session_remove(struct luo_session *session)
{
	struct luo_session_set *set = luo_session_set(session);

	guard(mutex)(&set->lock);

	hash_del(&session->node);
	list_del(&session->list);
	WRITE_ONCE(set->count, set->count - 1);
	if (!session->files.tool)
		WRITE_ONCE(set->agents, set->agents - 1);
	session->listed = false;
	if (set->device == session)
		WRITE_ONCE(set->device, NULL);
	if (session->files.dir == LUO_DIR_OUT)
		kho_block_set_shrink(&set->blocks, set->count);
}

/**
 * luo_session_create - create an outgoing session
 * @name: LIVEUPDATE_SESSION_NAME_LENGTH bytes from user space
 *
 * Context: under luo_state_lock for reading, not while FROZEN.
 * Return: the session, to be closed with luo_session_close(); ERR_PTR() of -EINVAL
 *	   for an empty or unterminated name, -EAGAIN while the global state is PREPARED,
 *	   -EEXIST if the name is taken, -ENOSPC if a handover has no room for another
 *	   session, -ENOMEM.
 */
struct luo_session *luo_session_create(const u8 *name)
{
	struct luo_session *session;
	int err;

	lockdep_assert_held(&luo_state_lock);

	if (luo_state() == LIVEUPDATE_STATE_PREPARED)
		return ERR_PTR(-EAGAIN);
	if (!luo_string_ok(name, LIVEUPDATE_SESSION_NAME_LENGTH))
		return ERR_PTR(-EINVAL);

	session = luo_session_alloc(name, LUO_DIR_OUT);
	if (!session)
		return ERR_PTR(-ENOMEM);

	err = luo_session_add(session);
	if (err) {
		luo_session_free(session);
		return ERR_PTR(err);
	}
	return session;
}

/**
 * luo_session_find_device - look for an incoming session LIVEUPDATE_DEVICE_SESSION
 *
 * Context: once, at boot.
 */
void luo_session_find_device(void)
{
	struct luo_session_set *set = &luo_sessions[LUO_DIR_IN];

	guard(mutex)(&set->lock);

	set->device = luo_session_find(set, LIVEUPDATE_DEVICE_SESSION,
				       luo_name_hash(LIVEUPDATE_DEVICE_SESSION));
}

/**
 * luo_session_claim - claim an incoming session
 * @name: LIVEUPDATE_SESSION_NAME_LENGTH bytes from user space
 *
 * A claim leaves traces and cannot be undone: the caller allocates whatever else it
 * needs before.
 *
 * Context: under luo_state_lock for reading, not while FROZEN.
 * Return: the session, to be closed with luo_session_close(); ERR_PTR() of -EINVAL
 *	   for an empty or unterminated name, -ENOENT if no session has that name,
 *	   -EBUSY if it is claimed.
 */
struct luo_session *luo_session_claim(const u8 *name)
{
	struct luo_session_set *set = &luo_sessions[LUO_DIR_IN];
	struct luo_session *session;
	u32 hash;

	lockdep_assert_held(&luo_state_lock);

	if (!luo_string_ok(name, LIVEUPDATE_SESSION_NAME_LENGTH))
		return ERR_PTR(-EINVAL);
	hash = luo_name_hash(name);

	guard(mutex)(&set->lock);

	session = luo_session_find(set, name, hash);
	if (!session)
		return ERR_PTR(-ENOENT);
	if (session->claimed)
		return ERR_PTR(-EBUSY);

	session->claimed = true;
	luo_session_opened(session);
	return session;
}

/* The last descriptor of an unfinished session is closed. */
void luo_session_unclaim(struct luo_session *session)
{
	guard(mutex)(&luo_sessions[LUO_DIR_IN].lock);

	session->claimed = false;
	session->closed_ns = ktime_get_ns();
}
