// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: The tables of sessions
 *
 * Outgoing and incoming sessions are separate sets with separate names. A set has a
 * hash table of the names and a list in order of creation, along which the ids of the
 * sessions grow. The lock of the set guards which sessions exist and which are open. A
 * walker that races with list changes holds a reference on its current session, see
 * luo_walk.c.
 */

#include <linux/err.h>
#include <linux/jhash.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_array.h"
#include "luo_recorder.h"
#include "luo_seal.h"
#include "luo_session.h"

/* A name is hashed once, when it comes from user space. */
static u32 luo_name_seed __ro_after_init;

static struct luo_name_key luo_name_key(const char *name)
{
	return (struct luo_name_key){
		.name = name,
		.hash = jhash(name, strlen(name), luo_name_seed),
	};
}

static u32 luo_key_hash(const void *data, u32 len, u32 seed)
{
	return ((const struct luo_name_key *)data)->hash ^ seed;
}

static u32 luo_session_hash(const void *data, u32 len, u32 seed)
{
	return luo_key_hash(&((const struct luo_session *)data)->key, len, seed);
}

static int luo_session_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct luo_name_key *key = arg->key;
	const struct luo_session *session = obj;

	return key->hash != session->key.hash ||
	       strcmp(key->name, session->name);
}

static const struct rhashtable_params luo_by_name_params = {
	.head_offset		= offsetof(struct luo_session, node),
	.hashfn			= luo_key_hash,
	.obj_hashfn		= luo_session_hash,
	.obj_cmpfn		= luo_session_cmp,
	.min_size		= LUO_MIN_BUCKETS,
};

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
 * Return: 0 or -ENOMEM.
 */
int __init luo_session_init(void)
{
	int err;

	luo_name_seed = get_random_u32();
	luo_array_set_init(&luo_sessions[LUO_DIR_OUT].blocks, LUO_ARRAY_SESSIONS);
	err = rhashtable_init(&luo_sessions[LUO_DIR_OUT].by_name,
			      &luo_by_name_params);
	if (err)
		return err;

	err = rhashtable_init(&luo_sessions[LUO_DIR_IN].by_name,
			      &luo_by_name_params);
	if (err)
		rhashtable_destroy(&luo_sessions[LUO_DIR_OUT].by_name);
	return err;
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

/* Add a session to its set. -EEXIST if the name is taken. */
int luo_session_add(struct luo_session *session)
{
	struct luo_session_set *set = luo_session_set(session);
	int err;

	session->key = luo_name_key(session->name);

	guard(mutex)(&set->lock);

	err = rhashtable_lookup_insert_key(&set->by_name, &session->key,
					   &session->node, luo_by_name_params);
	if (err)
		return err;

	if (session->files.dir == LUO_DIR_OUT) {
		err = kho_block_set_grow(&set->blocks, set->count + 1);
		if (err)
			goto err_name;
		luo_session_opened(session);
	}

	session->id = set->next_id++;
	list_add_tail(&session->list, &set->list);
	WRITE_ONCE(set->count, set->count + 1);
	if (!luo_recorder_owns(session->name))
		WRITE_ONCE(set->agents, set->agents + 1);
	session->listed = true;
	return 0;

err_name:
	rhashtable_remove_fast(&set->by_name, &session->node,
			       luo_by_name_params);
	return err;
}

void luo_session_remove(struct luo_session *session)
{
	struct luo_session_set *set = luo_session_set(session);

	guard(mutex)(&set->lock);

	rhashtable_remove_fast(&set->by_name, &session->node,
			       luo_by_name_params);
	list_del(&session->list);
	WRITE_ONCE(set->count, set->count - 1);
	if (!luo_recorder_owns(session->name))
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
 *	   -EEXIST if the name is taken, -ENOMEM.
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

/* Context: under the lock of the set. */
static struct luo_session *luo_session_find(struct luo_session_set *set, const char *name)
{
	const struct luo_name_key key = luo_name_key(name);

	return rhashtable_lookup_fast(&set->by_name, &key, luo_by_name_params);
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

	set->device = luo_session_find(set, LIVEUPDATE_DEVICE_SESSION);
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

	lockdep_assert_held(&luo_state_lock);

	if (!luo_string_ok(name, LIVEUPDATE_SESSION_NAME_LENGTH))
		return ERR_PTR(-EINVAL);

	guard(mutex)(&set->lock);

	session = luo_session_find(set, name);
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
