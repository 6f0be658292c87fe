/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What luo_session.c (one session), luo_session_set.c (which there are) and
 * luo_sessions.c (all of them at once) share.
 */

#ifndef _LINUX_LUO_SESSION_H
#define _LINUX_LUO_SESSION_H

#include <linux/rhashtable-types.h>
#include <linux/sched.h>

#include "luo_internal.h"

/**
 * struct luo_session - one session
 * @name:    zero-padded, the key
 * @node:    in &luo_session_set.by_name
 * @list:    in &luo_session_set.list, in order of creation
 * @state:   NORMAL, PREPARED or FROZEN if outgoing; UPDATED if incoming, NORMAL
 *	     once that is finished
 * @found:   outgoing: the state in which a transition of the machine found it
 * @claimed: incoming: somebody has it open; under &luo_session_set.lock
 * @listed:  it is in its set; under &luo_session_set.lock
 * @began:   when each phase began, ns of the monotonic clock
 * @had:     how many files there were when each phase began
 * @born:    when it was made, ns of the monotonic clock
 * @id:      in &luo_session_set.by_id
 * @claims:  how often it was opened
 * @opened:  when it was opened last, ns of the monotonic clock
 * @closed:  when it was closed last, 0 if it was not
 * @owner:   process that opened it last, as the initial namespace numbers it
 * @comm:    of its thread; these five under &luo_session_set.lock
 * @finish_ret: what the last FINISH led to
 * @rcu:     to free it
 * @files:   its files; &luo_file_set.lock guards the session too
 */
struct luo_session {
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	struct rhash_head node;
	struct list_head list;
	enum liveupdate_state state;
	enum liveupdate_state found;
	bool claimed;
	bool listed;
	u64 began[LUO_PHASE_RESTORE + 1];
	u64 had[LUO_PHASE_RESTORE + 1];
	u64 born;
	unsigned long id;
	u32 claims;
	u64 opened;
	u64 closed;
	pid_t owner;
	char comm[TASK_COMM_LEN];
	int finish_ret;
	struct rcu_head rcu;
	struct luo_file_set files;
};

/**
 * struct luo_session_set - all outgoing or all incoming sessions
 * @lock:    guards the set
 * @by_name: to find one
 * @list:    in order of creation
 * @count:   sessions
 * @by_id:   the sessions by a number that grows, for walks
 * @next_id: the next such number
 * @blocks:  the preserved memory for the records; outgoing only
 */
struct luo_session_set {
	struct mutex lock; /* which there are, which are claimed */
	struct rhashtable by_name;
	struct list_head list;
	u64 count;
	struct xarray by_id;
	unsigned long next_id;
	struct kho_block_set blocks;
};

extern struct luo_session_set luo_sessions[];

void luo_session_set_state(struct luo_session *session,
			   enum liveupdate_state state, u32 event,
			   int ret);
struct luo_session *luo_session_alloc(const char *name, enum luo_dir dir);
void luo_session_free(struct luo_session *session);
int luo_session_add(struct luo_session *session);
void luo_session_remove(struct luo_session *session);
void luo_session_unclaim(struct luo_session *session);
void luo_session_leak(struct luo_session *session,
		      enum luo_leak_reason reason, u64 files, u64 retrieved);
int luo_session_prepare(struct luo_session *session);
int luo_session_freeze(struct luo_session *session);
void luo_session_back(struct luo_session *session,
		      enum liveupdate_state to);
int __luo_session_finish(struct luo_session *session);

#endif /* _LINUX_LUO_SESSION_H */
