/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Which sessions and files there are, one after the other, while they change.
 * BPF programs get the structures by their names here.
 */

#ifndef _LINUX_LUO_WALK_H
#define _LINUX_LUO_WALK_H

#include "luo_session.h"

/**
 * struct luo_session_info - one session, as it was a moment ago
 * @id:        its number in its direction; grows with each session
 * @name:      its name
 * @dir:       enum luo_dir
 * @state:     enum liveupdate_state
 * @files:     its files
 * @retrieved: incoming: of them, taken back
 * @failed:    of them, whose last operation failed
 * @orphans:   incoming: of them, without handler
 * @pages:     memory that KHO keeps or kept for the files, LUO_PAGES_UNKNOWN if
 *             the previous kernel did not say
 * @born_ns:   when it was made, ns of the monotonic clock
 * @opened_ns: when it was opened last, 0 for never
 * @closed_ns: when it was closed last, 0 for never
 * @claims:    how often it was opened
 * @open:      whether somebody has it open
 * @owner:     process that opened, used or closed it last, numbered by the initial
 *             namespace; 0 if nobody did, or if it is open and that process is gone
 * @finish_ret: what its last FINISH led to, 0 if there was none
 * @comm:      of @owner
 */
struct luo_session_info {
	u64 id;
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	u32 dir;
	u32 state;
	u64 files;
	u64 retrieved;
	u64 failed;
	u64 orphans;
	u64 pages;
	u64 born_ns;
	u64 opened_ns;
	u64 closed_ns;
	u32 claims;
	u32 open;
	s32 owner;
	s32 finish_ret;
	char comm[TASK_COMM_LEN];
};

/**
 * struct luo_file_info - one file, as it was a moment ago
 * @session_id: of its session
 * @session:    the session's name
 * @compatible: of its handler
 * @token:      the agent's name for it
 * @pages:      memory that KHO keeps for it; incoming: that it got back,
 *              LUO_PAGES_UNKNOWN before it is retrieved
 * @dir:        enum luo_dir
 * @state:      enum luo_file_state
 * @handler:    whether it has found its handler
 * @ret:        what its last failed operation returned, until that succeeds
 * @ret_op:     enum luo_op: that operation, if @ret is not 0
 */
struct luo_file_info {
	u64 session_id;
	char session[LIVEUPDATE_SESSION_NAME_LENGTH];
	char compatible[LIVEUPDATE_HNDL_COMPAT_LENGTH];
	u64 token;
	u64 pages;
	u32 dir;
	u32 state;
	u32 handler;
	s32 ret;
	u32 ret_op;
};

/**
 * struct luo_walk - where a walk is; zeros for the beginning
 * @set:     incoming sessions first, then the outgoing ones
 * @session: where it is in the set, with a reference; NULL before the first one
 * @done:    it is done with that session
 * @file:    number in the session
 *
 * Between two calls a walk holds no lock, only the memory of one session, which
 * luo_walk_end() lets go of. It comes to each session and each file that is there
 * all the time once, and to none twice.
 */
struct luo_walk {
	unsigned int set;
	struct luo_session *session;
	bool done;
	unsigned long file;
};

bool luo_walk_session(struct luo_walk *walk, struct luo_session_info *info);
bool luo_walk_file_of(struct luo_walk *walk, struct luo_file_info *info);
bool luo_walk_file(struct luo_walk *walk, struct luo_file_info *info);
void luo_walk_next_session(struct luo_walk *walk);
void luo_walk_end(struct luo_walk *walk);

#endif /* _LINUX_LUO_WALK_H */
