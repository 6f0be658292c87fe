/* SPDX-License-Identifier: GPL-2.0 */

/* Sessions. */

#ifndef _LINUX_LUO_SESSION_H
#define _LINUX_LUO_SESSION_H

#include <linux/llist.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "luo_file.h"

struct luo_session;

int luo_session_init(void);
void luo_session_deserialize_all(const struct luo_array *array,
				 struct luo_totals *totals);
u64 luo_session_count(enum luo_dir dir);
struct luo_session *luo_session_create(const u8 *name);
struct luo_session *luo_session_claim(const u8 *name);
void luo_session_trace_create(const u8 *name, int ret);
void luo_session_trace_retrieve(const u8 *name, u64 files, int ret);
void luo_session_restore_begin(struct luo_session *session);
void luo_session_set_owner(struct luo_session *session);
void luo_session_close(struct luo_session *session);
void luo_session_release_closed(void);
void luo_session_release(struct luo_session *session);
void luo_session_trace_reject_file(const struct luo_session *session, u64 token,
				   int ret);
void luo_session_trace_reject_event(const struct luo_session *session, u32 event,
				    int ret);
const char *luo_session_name(const struct luo_session *session);
enum luo_dir luo_session_dir(const struct luo_session *session);
int luo_session_preserve(struct luo_session *session, struct file *file,
			 u64 token);
int luo_session_retrieve(struct luo_session *session, u64 token,
			 struct file **filep);
int luo_session_unpreserve(struct luo_session *session, u64 token);
int luo_session_finish(struct luo_session *session);
enum liveupdate_state luo_session_state(const struct luo_session *session);
int luo_session_event(struct luo_session *session, u32 event);
void luo_session_trace_reject_finish(const struct luo_session *session, int ret);
void luo_session_checkpoint_all(void);
int luo_session_prepare_all(void);
void luo_session_cancel_all(void);
int luo_session_freeze_all(struct luo_array *array, struct luo_totals *totals);
void luo_session_rollback_all(void);
int luo_session_finish_all(void);
void luo_session_give_up_all(void);

/* What the files of this layer, and a walk, share */

/**
 * struct luo_name_key - what a session is found by
 * @name: its name
 * @hash: of that
 */
struct luo_name_key {
	const char *name;
	u32 hash;
};

/**
 * struct luo_span - a phase of a session that is under way
 * @files: files that there were when it began
 * @began: when that was, ns of the monotonic clock; 0 if nobody will ask
 */
struct luo_span {
	u64 files;
	u64 began;
};

/**
 * struct luo_session - one session
 * @node:    in &luo_session_set.by_name
 * @key:     of @name
 * @list:    in &luo_session_set.list, in order of creation
 * @state:   NORMAL, PREPARED or FROZEN if outgoing; UPDATED if incoming, NORMAL
 *	     once that is finished
 * @settled: outgoing: its state, or the one to which it goes back if a transition of
 *	     the machine that is under way fails
 * @claimed: incoming: somebody has it open; under &luo_session_set.lock
 * @listed:  it is in its set; under &luo_session_set.lock
 * @id:      grows along the list
 * @refs:    one until it is freed, and one of each walk that is there
 * @files:   its files; &luo_file_set.lock guards the session too
 * @name:    zero-padded
 * @restore: incoming: since it was claimed
 * @born:    when it was made, ns of the monotonic clock
 * @claims:  how often it was opened
 * @opened:  when it was opened last, ns of the monotonic clock
 * @closed:  when it was closed last, 0 if it was not; these three under
 *	     &luo_session_set.lock
 * @owner:   process that opened, used or closed it last, NULL if none did; under
 *	     luo_owner_lock
 * @comm:    of @owner when it did so
 * @finish_ret: what the last FINISH led to
 * @in_closed: closed, but not released yet
 *
 * What a walk of all sessions needs is together, at the beginning.
 */
struct luo_session {
	struct rhash_head node;
	struct luo_name_key key;
	struct list_head list;
	enum liveupdate_state state;
	enum liveupdate_state rollback_state;
	bool claimed;
	bool listed;
	unsigned long id;
	refcount_t refs;
	struct luo_file_set files;
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	struct luo_span restore;
	u64 born;
	u32 claims;
	u64 opened;
	u64 closed;
	struct pid *owner;
	char comm[TASK_COMM_LEN];
	int finish_ret;
	struct llist_node in_closed;
};

/**
 * struct luo_session_set - all outgoing or all incoming sessions
 * @lock:    guards the set
 * @by_name: to find one
 * @list:    in order of creation
 * @count:   sessions
 * @next_id: the next &luo_session.id
 * @blocks:  the preserved memory for the records; outgoing only
 */
struct luo_session_set {
	struct mutex lock; /* which there are, which are claimed */
	struct rhashtable by_name;
	struct list_head list;
	u64 count;
	unsigned long next_id;
	struct kho_block_set blocks;
};

extern struct luo_session_set luo_sessions[];
extern spinlock_t luo_owner_lock;

void luo_session_change_state(struct luo_session *session,
			      enum liveupdate_state state, u32 event,
			      int ret);
struct luo_session *luo_session_alloc(const char *name, enum luo_dir dir);
void luo_session_free(struct luo_session *session);
void luo_session_put(struct luo_session *session);
int luo_session_add(struct luo_session *session);
void luo_session_remove(struct luo_session *session);
void luo_session_unclaim(struct luo_session *session);
void luo_session_restore_end(struct luo_session *session, int ret);
void luo_session_leak(struct luo_session *session,
		      enum luo_leak_reason reason, u64 files, u64 retrieved);
int luo_session_prepare(struct luo_session *session);
int luo_session_freeze(struct luo_session *session);
void luo_session_rollback(struct luo_session *session,
			  enum liveupdate_state to);
int __luo_session_finish(struct luo_session *session);

#endif /* _LINUX_LUO_SESSION_H */
