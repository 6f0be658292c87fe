/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Walks over all sessions and files while they change. BPF programs access the
 * structures under the names used here.
 */

#ifndef _LINUX_LUO_WALK_H
#define _LINUX_LUO_WALK_H

#include "luo_session.h"

/**
 * struct luo_session_info - snapshot of a session
 * @id:        its number within its direction; grows with each session
 * @name:      its name
 * @dir:       enum luo_dir
 * @state:     enum liveupdate_state
 * @files:     number of its files
 * @retrieved: incoming: number of files retrieved
 * @failed:    number of files whose last operation failed
 * @orphans:   incoming: number of files without a handler
 * @pages:     memory that KHO preserves or preserved for the files, in pages;
 *             LUO_PAGES_UNKNOWN if the previous kernel did not record it
 * @born_ns:   time of its creation, in ns of the monotonic clock
 * @opened_ns: time of the last open, 0 for never
 * @closed_ns: time of the last close, 0 for never
 * @claims:    number of opens
 * @open:      1 if a process has it open
 * @owner:     process that opened, used or closed it last, numbered by the initial
 *             namespace; 0 if none did, or if it is open and that process has exited
 * @finish_ret: result of its last FINISH, 0 if there was none
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
 * struct luo_file_info - snapshot of a file
 * @session_id: number of its session
 * @session:    name of its session
 * @compatible: compatible string of its handler
 * @token:      the agent's name for it
 * @pages:      memory that KHO preserves for it, in pages; incoming: memory that it
 *              got back, LUO_PAGES_UNKNOWN before it is retrieved
 * @dir:        enum luo_dir
 * @state:      enum luo_file_state
 * @handler:    1 if its handler is registered
 * @ret:        result of its last failed operation, until that operation succeeds
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
 * struct luo_walk - position of a walk; zeros for the beginning
 * @set:     the incoming sessions first, then the outgoing ones
 * @session: current session, with a reference; NULL before the first one
 * @done:    true if the walk is to advance to the next session
 * @file:    number of the current file in the session
 *
 * Between two calls a walk holds no lock, only a reference on its current session,
 * which luo_walk_end() drops. It visits each session and each file that exists during
 * the whole walk exactly once, and no other one twice.
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
