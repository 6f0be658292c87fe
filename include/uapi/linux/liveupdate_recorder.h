/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */

/*
 * What /sys/kernel/liveupdate/recorder holds: how the last live update went, in
 * the old kernel and in this one, and what this kernel did so far for the next.
 */

#ifndef _UAPI_LIVEUPDATE_RECORDER_H
#define _UAPI_LIVEUPDATE_RECORDER_H

#include <linux/liveupdate.h>
#include <linux/types.h>

#define LIVEUPDATE_RECORDER_MAGIC	0x5243554cU	/* "LUCR" */

/* Changes with any change below; a reader refuses what it does not know. */
#define LIVEUPDATE_RECORDER_VERSION	3

#define LIVEUPDATE_RECORDER_NAME	48	/* bytes of a handler's name */
#define LIVEUPDATE_RECORDER_RELEASE	64	/* bytes of a kernel's release */
#define LIVEUPDATE_RECORDER_OPS		12	/* operations, as in the trace events */
#define LIVEUPDATE_RECORDER_PHASES	6	/* phases, as in the trace events */
#define LIVEUPDATE_RECORDER_SLOWEST	8	/* longest ones kept of each */
#define LIVEUPDATE_RECORDER_BUCKETS	32	/* of a histogram */
#define LIVEUPDATE_RECORDER_ROWS	192	/* (name, operation, scope) triples */
#define LIVEUPDATE_RECORDER_GIVEN_UP	8	/* names kept of sessions given up */
#define LIVEUPDATE_RECORDER_REFUSED	16	/* parts of the handover kept */
#define LIVEUPDATE_RECORDER_WHAT	16	/* bytes for what a part is */
#define LIVEUPDATE_RECORDER_REASON	32	/* bytes for why it was refused */

/**
 * enum liveupdate_recorder_mark - moments of a live update
 * @LIVEUPDATE_MARK_REBOOT:   old kernel: reboot() enters LUO, before it waits for
 *                            a lock
 * @LIVEUPDATE_MARK_PREPARED: old kernel: all is prepared, freeze begins
 * @LIVEUPDATE_MARK_FROZEN:   old kernel: the handover is written
 * @LIVEUPDATE_MARK_JUMP:     old kernel: its last moment
 * @LIVEUPDATE_MARK_START:    new kernel: it read its command line
 * @LIVEUPDATE_MARK_INIT:     new kernel: the sessions are there, user space comes
 * @LIVEUPDATE_MARK_OPEN:     new kernel: /dev/liveupdate is opened first
 * @LIVEUPDATE_MARK_RESTORED: new kernel: the last file was retrieved
 * @LIVEUPDATE_MARK_FINISHED: new kernel: the last FINISH of a claimed session
 *                            returned; if no session was finished, or files were
 *                            retrieved after it, when the live update was over.
 *                            It says when, not that it is over: @over of &struct
 *                            liveupdate_recorder_part does
 * @LIVEUPDATE_NR_MARKS:      number of marks
 *
 * The spans between them are the parts of the blackout: prepare in reboot,
 * freeze, shutdown, jump and early boot, kernel init, start of user space,
 * restore, finish.
 */
enum liveupdate_recorder_mark {
	LIVEUPDATE_MARK_REBOOT = 0,
	LIVEUPDATE_MARK_PREPARED = 1,
	LIVEUPDATE_MARK_FROZEN = 2,
	LIVEUPDATE_MARK_JUMP = 3,
	LIVEUPDATE_MARK_START = 4,
	LIVEUPDATE_MARK_INIT = 5,
	LIVEUPDATE_MARK_OPEN = 6,
	LIVEUPDATE_MARK_RESTORED = 7,
	LIVEUPDATE_MARK_FINISHED = 8,
	LIVEUPDATE_NR_MARKS = 9,
};

/**
 * enum liveupdate_recorder_kind - who is called
 * @LIVEUPDATE_KIND_HANDLER:   a file handler
 * @LIVEUPDATE_KIND_SUBSYSTEM: a subsystem
 * @LIVEUPDATE_KIND_FLB:       state that files share
 */
enum liveupdate_recorder_kind {
	LIVEUPDATE_KIND_HANDLER = 0,
	LIVEUPDATE_KIND_SUBSYSTEM = 1,
	LIVEUPDATE_KIND_FLB = 2,
};

/**
 * enum liveupdate_recorder_scope - what calls and sessions are recorded for
 * @LIVEUPDATE_SCOPE_AGENT:   requests of agents: preserving, events of one session,
 *                            closing; everything of the incoming side
 * @LIVEUPDATE_SCOPE_PREPARE: the global PREPARE that is in force
 * @LIVEUPDATE_SCOPE_REBOOT:  the reboot() that went through
 * @LIVEUPDATE_SCOPE_FAILED:  global PREPAREs that failed or were cancelled, reboots
 *                            that failed, and the rollback of both
 * @LIVEUPDATE_NR_SCOPES:     number of scopes
 *
 * When a reboot() fails, the figures of its scope are added to those of
 * @LIVEUPDATE_SCOPE_FAILED and begin anew; so are those of a global PREPARE that
 * fails or is cancelled. A PREPARE stays in force when a reboot() after it fails.
 */
enum liveupdate_recorder_scope {
	LIVEUPDATE_SCOPE_AGENT = 0,
	LIVEUPDATE_SCOPE_PREPARE = 1,
	LIVEUPDATE_SCOPE_REBOOT = 2,
	LIVEUPDATE_SCOPE_FAILED = 3,
	LIVEUPDATE_NR_SCOPES = 4,
};

/**
 * struct liveupdate_recorder_row - the calls of one operation of one part
 * @kind:   enum liveupdate_recorder_kind
 * @op:     the operation, as in the trace events
 * @scope:  enum liveupdate_recorder_scope
 * @reserved: 0
 * @count:  calls, 0 if the row is not in use
 * @errors: of them, failed
 * @total:  ns of all of them
 * @wall:   ns during which at least one of them was under way; calls that run in
 *          parallel are counted once
 * @min:    ns of the shortest
 * @max:    ns of the longest
 * @hist:   calls by duration: of 2^i to 2^(i+1) ns, the last one of all longer
 * @name:   of the handler, subsystem or shared state; "" for all those that had
 *          no room of their own
 */
struct liveupdate_recorder_row {
	__u32		kind;
	__u32		op;
	__u32		scope;
	__u32		reserved;
	__aligned_u64	count;
	__aligned_u64	errors;
	__aligned_u64	total;
	__aligned_u64	wall;
	__aligned_u64	min;
	__aligned_u64	max;
	__u32		hist[LIVEUPDATE_RECORDER_BUCKETS];
	char		name[LIVEUPDATE_RECORDER_NAME];
};

/**
 * struct liveupdate_recorder_call - one long call
 * @duration: ns, 0 if this one is not in use
 * @end:      the counter when it returned
 * @token:    of the file; a handler's call only
 * @kind:     enum liveupdate_recorder_kind
 * @ret:      0 or a negative errno
 * @name:     of the handler, subsystem or shared state
 * @session:  of the file; a handler's call only
 */
struct liveupdate_recorder_call {
	__aligned_u64	duration;
	__aligned_u64	end;
	__aligned_u64	token;
	__u32		kind;
	__s32		ret;
	char		name[LIVEUPDATE_RECORDER_NAME];
	char		session[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/**
 * struct liveupdate_recorder_session - one session that took long in a phase
 * @duration: ns, 0 if this one is not in use
 * @end:      the counter when the phase was over
 * @files:    of the session
 * @ret:      0 or a negative errno
 * @reserved: 0
 * @name:     of the session
 */
struct liveupdate_recorder_session {
	__aligned_u64	duration;
	__aligned_u64	end;
	__aligned_u64	files;
	__s32		ret;
	__u32		reserved;
	char		name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/**
 * struct liveupdate_recorder_memory - calls of KHO since the kernel started
 * @calls:  calls
 * @errors: of them, failed
 * @pages:  pages of those that did not
 */
struct liveupdate_recorder_memory {
	__aligned_u64	calls;
	__aligned_u64	errors;
	__aligned_u64	pages;
};

/**
 * struct liveupdate_recorder_refused - a part of the handover that is not served
 * @what:   "tree", "session", "file", "flb", "subsystem"; "" if not in use
 * @reason: a word for why
 * @token:  of a file
 * @name:   its name, or its session's, or "" if that is not known
 */
struct liveupdate_recorder_refused {
	char		what[LIVEUPDATE_RECORDER_WHAT];
	char		reason[LIVEUPDATE_RECORDER_REASON];
	__aligned_u64	token;
	char		name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/**
 * struct liveupdate_recorder_part - what one kernel did for one live update
 * @magic:        LIVEUPDATE_RECORDER_MAGIC, 0 if there is no such part
 * @version:      LIVEUPDATE_RECORDER_VERSION
 * @size:         bytes of this structure
 * @clock_stable: whether that kernel trusts its counter
 * @clock_hz:     ticks of the counter in a second, 0 if that kernel does not know;
 *                both as of when the reboot began, or as of the reading
 * @number:       the live update
 * @release:      of the kernel, as uname -r
 * @marks:        the counter at each moment, whether its frequency is known or not;
 *                0 for one that was not reached (or is the other kernel's), or if
 *                there is no counter
 * @times:        ns of that kernel's own CLOCK_MONOTONIC at the same moments, 0 for
 *                one that was not reached; 0 for LIVEUPDATE_MARK_START, when the
 *                clock does not run yet
 * @busy:         ns, up to the same moments, during which at least one ioctl of LUO
 *                was under way; incoming side only
 * @wall_ns:      wall-clock time, ns since 1970: of LIVEUPDATE_MARK_REBOOT, or of
 *                LIVEUPDATE_MARK_INIT
 * @sessions:     handed over, or read from the handover
 * @files:        of them
 * @bytes:        of preserved memory for the records of them, 0 if unknown
 * @failed:       reboots that entered LUO and failed
 * @failed_ret:   the errno of the last one, negative
 * @over:         1 once the live update is over: the last incoming session is
 *                finished or discarded
 * @failed_ns:    ns that the last one took, with its rollback
 * @cancelled:    global PREPAREs that failed or were cancelled
 * @given_up:     incoming sessions that were given up for this live update
 * @lost_calls:   calls that found no row, not even one for the others
 * @finished:     incoming sessions that their agents finished
 * @finished_files: files of them
 * @discarded:    incoming sessions that nobody had claimed when the machine
 *                finished
 * @nr_refused:   parts of the handover that were refused
 * @memory:       preserve, unpreserve, restore, when the last mark was set; of a
 *                live update that is not finished, when it is read
 * @given_up_names: the first of @given_up
 * @refused:      the first of @nr_refused
 * @slow_calls:   the longest calls of each operation in each scope, in no order
 * @slow_sessions: the sessions that took longest in each phase in each scope, in
 *                no order
 * @rows:         all calls
 *
 * Values are written while they are read; each of them is whole. Whether strings
 * and lists are, @changes of &struct liveupdate_recorder tells.
 */
struct liveupdate_recorder_part {
	__u32		magic;
	__u32		version;
	__u32		size;
	__u32		clock_stable;
	__aligned_u64	clock_hz;
	__aligned_u64	number;
	char		release[LIVEUPDATE_RECORDER_RELEASE];
	__aligned_u64	marks[LIVEUPDATE_NR_MARKS];
	__aligned_u64	times[LIVEUPDATE_NR_MARKS];
	__aligned_u64	busy[LIVEUPDATE_NR_MARKS];
	__aligned_u64	wall_ns;
	__aligned_u64	sessions;
	__aligned_u64	files;
	__aligned_u64	bytes;
	__aligned_u64	failed;
	__s32		failed_ret;
	__u32		over;
	__aligned_u64	failed_ns;
	__aligned_u64	cancelled;
	__aligned_u64	given_up;
	__aligned_u64	lost_calls;
	__aligned_u64	finished;
	__aligned_u64	finished_files;
	__aligned_u64	discarded;
	__aligned_u64	nr_refused;
	struct liveupdate_recorder_memory memory[3];
	char		given_up_names[LIVEUPDATE_RECORDER_GIVEN_UP]
				      [LIVEUPDATE_SESSION_NAME_LENGTH];
	struct liveupdate_recorder_refused refused[LIVEUPDATE_RECORDER_REFUSED];
	struct liveupdate_recorder_call
			slow_calls[LIVEUPDATE_NR_SCOPES]
				  [LIVEUPDATE_RECORDER_OPS]
				  [LIVEUPDATE_RECORDER_SLOWEST];
	struct liveupdate_recorder_session
			slow_sessions[LIVEUPDATE_NR_SCOPES]
				     [LIVEUPDATE_RECORDER_PHASES]
				     [LIVEUPDATE_RECORDER_SLOWEST];
	struct liveupdate_recorder_row rows[LIVEUPDATE_RECORDER_ROWS];
};

/**
 * struct liveupdate_recorder - the whole file
 * @magic:     LIVEUPDATE_RECORDER_MAGIC
 * @version:   LIVEUPDATE_RECORDER_VERSION
 * @size:      bytes of the file
 * @part_size: bytes of each part
 * @changes:   grows whenever a string, a list or a scope changes
 * @reserved:  0
 * @last_out:  what the previous kernel did for the last live update; absent
 *             (magic 0) if none booted this kernel, or if its record is of
 *             another version
 * @last_in:   what this kernel did for it
 * @next_out:  what this kernel did so far for the next one
 *
 * The file is longer than one read() returns. A reader that finds another value of
 * @changes after the last byte than before the first reads again, so that no name
 * is half of one call and half of another.
 */
struct liveupdate_recorder {
	__u32		magic;
	__u32		version;
	__u32		size;
	__u32		part_size;
	__u32		changes;
	__u32		reserved;
	struct liveupdate_recorder_part last_out;
	struct liveupdate_recorder_part last_in;
	struct liveupdate_recorder_part next_out;
};

#endif /* _UAPI_LIVEUPDATE_RECORDER_H */
