/* SPDX-License-Identifier: GPL-2.0 */

/* Sessions. */

#ifndef _LINUX_LUO_SESSION_H
#define _LINUX_LUO_SESSION_H

#include <linux/hashtable.h>
#include <linux/llist.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "luo_file.h"

struct luo_session;

void luo_session_init(void);
void luo_session_deserialize_all(const struct luo_array *array,
				 struct luo_totals *totals);
u64 luo_session_count(enum luo_dir dir);
u64 luo_session_count_agents(void);
struct luo_session *luo_session_create(const u8 *name);
struct luo_session *luo_session_claim(const u8 *name);
void luo_session_trace_create(const u8 *name, int ret);
void luo_session_trace_retrieve(const u8 *name, u64 files, int ret);
void luo_session_restore_begin(struct luo_session *session);
void luo_session_close(struct luo_session *session);
int luo_session_release_closed(void);
void luo_session_release(struct luo_session *session);
void luo_session_trace_reject_file(const struct luo_session *session, u64 token,
				   int ret);
void luo_session_trace_reject_event(const struct luo_session *session, u32 event,
				    int ret);
int luo_session_preserve(struct luo_session *session, struct file *file,
			 u64 token);
int luo_session_retrieve(struct luo_session *session, u64 token,
			 struct file **filep);
int luo_session_unpreserve(struct luo_session *session, u64 token);
int luo_session_finish(struct luo_session *session);
enum liveupdate_state luo_session_state(const struct luo_session *session);
int luo_session_event(struct luo_session *session, u32 event);
int luo_session_file_event(struct luo_session *session, u64 token, u32 event);
int luo_session_file_state(const struct luo_session *session, u64 token, u32 *state);
void luo_session_trace_reject_finish(const struct luo_session *session, int ret);
void luo_session_checkpoint_all(void);
int luo_session_prepare_all(void);
void luo_session_cancel_all(void);
void luo_session_serialize_ahead(struct luo_array *array);
int luo_session_freeze_all(struct luo_array *array, struct luo_totals *totals);
void luo_session_rollback_all(void);
int luo_session_finish_all(void);
void luo_session_give_up_all(void);

/* What the files of this layer and luo_walk.c share */

#define LUO_NAME_BITS	12	/* 4096 buckets of a table of names, 32 KiB */

/**
 * struct luo_span - a phase of a session that is under way
 * @files: files of the session when the phase began
 * @began: when it began, ns of the monotonic clock; 0 if the phase is not timed
 */
struct luo_span {
	u64 files;
	u64 began;
};

/**
 * struct luo_session - one session
 * @node:    in &luo_session_set.by_name
 * @hash:    of @name
 * @list:    in &luo_session_set.list, in order of creation
 * @state:   outgoing: NORMAL, PREPARED or FROZEN; incoming: UPDATED, NORMAL once it
 *	     is finished
 * @rollback_state: outgoing: @state, or what it was before a global transition that
 *	     is under way
 * @claimed: incoming: it is open; under &luo_session_set.lock
 * @listed:  it is in its set; under &luo_session_set.lock
 * @id:      grows along @list
 * @refs:    one until the session is freed, one of each walk that is at it
 * @files:   its files; &luo_file_set.lock guards the session too
 * @name:    zero-padded
 * @sum:     outgoing: sum of @name, with which that of its record begins
 * @restore: incoming: the restore, which begins when it is claimed
 * @born_ns: when it was made, ns of the monotonic clock
 * @claims:  how often it was opened
 * @opened_ns: when it was last opened, ns of the monotonic clock
 * @closed_ns: when it was last closed, 0 for never; these three under
 *	     &luo_session_set.lock
 * @owner:   process that last opened, used or closed it, NULL for none; under
 *	     luo_owner_lock
 * @comm:    of @owner at that time
 * @finish_ret: result of the last FINISH
 * @in_closed: in the list of sessions that are closed, but not released yet
 *
 * The fields that a walk of all sessions touches come first.
 */
struct luo_session {
	struct hlist_node node;
	u32 hash;
	struct list_head list;
	enum liveupdate_state state;
	enum liveupdate_state rollback_state;
	bool claimed;
	bool listed;
	unsigned long id;
	refcount_t refs;
	struct luo_file_set files;
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	u64 sum;
	struct luo_span restore;
	u64 born_ns;
	u32 claims;
	u64 opened_ns;
	u64 closed_ns;
	struct pid *owner;
	char comm[TASK_COMM_LEN];
	int finish_ret;
	struct llist_node in_closed;
};

/**
 * struct luo_session_set - all outgoing or all incoming sessions
 * @lock:    guards the set
 * @by_name: the sessions by name
 * @list:    the sessions in order of creation
 * @count:   number of sessions
 * @agents:  the same without the incoming one of the tool that records
 * @device:  incoming: the session LIVEUPDATE_DEVICE_SESSION, NULL for none
 * @next_id: the next &luo_session.id
 * @blocks:  preserved memory for the records; outgoing only
 */
struct luo_session_set {
	struct mutex lock; /* which sessions exist, which are claimed */
	DECLARE_HASHTABLE(by_name, LUO_NAME_BITS);
	struct list_head list;
	u64 count;
	u64 agents;
	struct luo_session *device;
	unsigned long next_id;
	struct kho_block_set blocks;
};

extern struct luo_session_set luo_sessions[];
extern spinlock_t luo_owner_lock;

void luo_session_change_owner(struct luo_session *session, struct pid *pid);

/**
 * luo_session_set_owner - make the calling process the owner of a session
 * @session: the session, which the process opens, uses or closes
 *
 * Context: any but interrupts.
 */
static inline void luo_session_set_owner(struct luo_session *session)
{
	struct pid *pid = task_tgid(current);

	if (READ_ONCE(session->owner) != pid)
		luo_session_change_owner(session, pid);
}

/**
 * luo_session_name - get the name of a session
 * @session: the session
 *
 * Return: the name, padded with zeros to its full size, valid as long as the session.
 */
static inline const char *luo_session_name(const struct luo_session *session)
{
	return session->name;
}

/**
 * luo_session_dir - get the direction of a session
 * @session: the session
 *
 * Return: outgoing or incoming.
 */
static inline enum luo_dir luo_session_dir(const struct luo_session *session)
{
	return session->files.dir;
}

/* The state changes to @state or, if @ret is an errno, fails to. */
static __always_inline void luo_session_change_state(struct luo_session *session,
						     enum liveupdate_state state,
						     u32 event, int ret)
{
	enum liveupdate_state old = session->state;

	WRITE_ONCE(session->state, state);
	luo_emit(luo_session_state, luo_number(session->files.dir), session->name,
		 session->files.dir, old, state, event, ret);
}

/* The state that files have in a session that is in @state. */
static inline enum luo_file_state luo_session_files_state(enum liveupdate_state state)
{
	static_assert(LIVEUPDATE_STATE_PREPARED - LIVEUPDATE_STATE_NORMAL ==
		      LUO_FILE_PREPARED - LUO_FILE_PRESERVED);
	static_assert(LIVEUPDATE_STATE_FROZEN - LIVEUPDATE_STATE_NORMAL ==
		      LUO_FILE_FROZEN - LUO_FILE_PRESERVED);

	return LUO_FILE_PRESERVED + (state - LIVEUPDATE_STATE_NORMAL);
}

struct luo_session *luo_session_alloc(const char *name, enum luo_dir dir);
void luo_session_free(struct luo_session *session);
void luo_session_put(struct luo_session *session);
int luo_session_add(struct luo_session *session);
void luo_session_find_device(void);
void luo_session_remove(struct luo_session *session);
void luo_session_unclaim(struct luo_session *session);
void luo_session_restore_end(struct luo_session *session, int ret);
void luo_session_leak(struct luo_session *session,
		      enum luo_leak_reason reason, u64 files, u64 retrieved);
void luo_session_rollback(struct luo_session *session,
			  enum liveupdate_state to);
void luo_session_cancel(struct luo_session *session);
int __luo_session_finish(struct luo_session *session);

#endif /* _LINUX_LUO_SESSION_H */
