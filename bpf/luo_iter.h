/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Records that the programs on the iterators luo_session and luo_file write. Programs and
 * frontend include it after their own definitions of __u64 and so on.
 */

#ifndef LUO_ITER_H
#define LUO_ITER_H

#define INV_NAME_LEN	64	/* bytes, LIVEUPDATE_SESSION_NAME_LENGTH */
#define INV_COMPAT_LEN	48	/* bytes, LIVEUPDATE_HNDL_COMPAT_LENGTH */
#define INV_COMM_LEN	16	/* bytes, TASK_COMM_LEN */

#define INV_UNKNOWN	(~0ULL)	/* the kernel does not know the number of pages */

/**
 * struct inv_session - one session
 * @id:         its number in its direction
 * @files:      its files
 * @retrieved:  files that are retrieved
 * @failed:     files whose last operation failed
 * @orphans:    files without a handler
 * @pages:      memory that KHO keeps or kept for the files, or INV_UNKNOWN
 * @born_ns:    when it was created, ns of the monotonic clock
 * @opened_ns:  when it was opened last, 0 for never
 * @closed_ns:  when it was closed last, 0 for never
 * @dir:        direction
 * @state:      state
 * @claims:     how often it was opened
 * @open:       whether a process has it open
 * @owner:      process that opened it last
 * @finish_ret: result of its last FINISH
 * @comm:       of @owner
 * @name:       its name
 */
struct inv_session {
	__u64 id;
	__u64 files;
	__u64 retrieved;
	__u64 failed;
	__u64 orphans;
	__u64 pages;
	__u64 born_ns;
	__u64 opened_ns;
	__u64 closed_ns;
	__u32 dir;
	__u32 state;
	__u32 claims;
	__u32 open;
	__s32 owner;
	__s32 finish_ret;
	char comm[INV_COMM_LEN];
	char name[INV_NAME_LEN];
};

/**
 * struct inv_file - one file
 * @session_id: of its session
 * @token:   the agent's name for it
 * @pages:   memory that KHO keeps for it; incoming: that was restored, or INV_UNKNOWN
 * @dir:     direction
 * @state:   state
 * @handler: whether it has a handler
 * @ret:     result of its last failed operation
 * @ret_op:  that operation, if @ret is not 0
 * @pad:     0
 * @compatible: of its handler
 */
struct inv_file {
	__u64 session_id;
	__u64 token;
	__u64 pages;
	__u32 dir;
	__u32 state;
	__u32 handler;
	__s32 ret;
	__u32 ret_op;
	__u32 pad;
	char compatible[INV_COMPAT_LEN];
};

#endif
