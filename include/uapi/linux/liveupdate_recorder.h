/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */

/*
 * Contents of /sys/kernel/liveupdate/recorder: how the last live update went, in
 * the old kernel and in this one, and what this kernel has done for the next one.
 */

#ifndef _UAPI_LIVEUPDATE_RECORDER_H
#define _UAPI_LIVEUPDATE_RECORDER_H

#include <linux/liveupdate.h>
#include <linux/types.h>

#define LIVEUPDATE_RECORDER_MAGIC	0x5243554cU	/* "LUCR" */

/* Changes with any change below; a reader rejects a version that it does not know. */
#define LIVEUPDATE_RECORDER_VERSION	5

#define LIVEUPDATE_RECORDER_NAME	48	/* size of a handler's name */
#define LIVEUPDATE_RECORDER_RELEASE	64	/* size of a kernel's release */
#define LIVEUPDATE_RECORDER_OPS		12	/* operations, as in the trace events */
#define LIVEUPDATE_RECORDER_PHASES	6	/* phases, as in the trace events */
#define LIVEUPDATE_RECORDER_SLOWEST	8	/* entries in a list of the longest */
#define LIVEUPDATE_RECORDER_BUCKETS	32	/* buckets of a histogram */
#define LIVEUPDATE_RECORDER_ROWS	192	/* (name, operation, scope) triples */
#define LIVEUPDATE_RECORDER_GIVEN_UP	8	/* names of sessions given up */
#define LIVEUPDATE_RECORDER_REFUSED	16	/* rejected entries of the handover */
#define LIVEUPDATE_RECORDER_WHAT	16	/* size of the kind of an entry */
#define LIVEUPDATE_RECORDER_REASON	32	/* size of the reason of a rejection */
#define LIVEUPDATE_RECORDER_PAUSES	32	/* workloads that are paused */
#define LIVEUPDATE_RECORDER_INITCALLS	12	/* the longest initcalls */
#define LIVEUPDATE_RECORDER_SYMBOL	64	/* size of the name of an initcall */
#define LIVEUPDATE_RECORDER_ANCESTORS	8	/* the opener and its ancestors */
#define LIVEUPDATE_RECORDER_TASKS	16	/* agents and their children */
#define LIVEUPDATE_RECORDER_WAITS	6	/* things that a task waits for */
#define LIVEUPDATE_RECORDER_COMM	16	/* size of the name of a task */
#define LIVEUPDATE_RECORDER_SYSCALL	32	/* size of the name of a system call */

/*
 * Session of the tool that records a live update. Incoming it sets no mark, and its calls
 * and phases are not recorded.
 */
#define LIVEUPDATE_RECORDER_SESSION	"luotrace"

/**
 * enum liveupdate_recorder_mark - moments of a live update
 * @LIVEUPDATE_MARK_REBOOT:   old kernel: reboot() enters LUO, before it waits for
 *                            a lock
 * @LIVEUPDATE_MARK_PREPARED: old kernel: everything is prepared, freeze begins
 * @LIVEUPDATE_MARK_FROZEN:   old kernel: the handover is written
 * @LIVEUPDATE_MARK_JUMP:     old kernel: last moment before kexec
 * @LIVEUPDATE_MARK_START:    new kernel: the command line is parsed
 * @LIVEUPDATE_MARK_INIT:     new kernel: init is executed; the end of the initcalls if
 *                            the live update was over by then
 * @LIVEUPDATE_MARK_OPEN:     new kernel: the open of /dev/liveupdate through which the
 *                            first session is claimed; 0 if none is
 * @LIVEUPDATE_MARK_RESTORED: new kernel: the last file was retrieved
 * @LIVEUPDATE_MARK_FINISHED: new kernel: the last FINISH of a claimed session
 *                            returned; if no session was finished, or files were
 *                            retrieved after it, the end of the live update.
 *                            The mark alone does not mean that the live update is
 *                            over: @over of &struct liveupdate_recorder_part does
 * @LIVEUPDATE_NR_MARKS:      number of marks
 *
 * LIVEUPDATE_RECORDER_SESSION does not count as a session of the last three.
 *
 * The spans between the marks make up the blackout: prepare in reboot, freeze,
 * shutdown, kexec and early boot, kernel init, start of user space, restore, finish.
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
 * enum liveupdate_recorder_kind - target of a callback
 * @LIVEUPDATE_KIND_HANDLER:   a file handler
 * @LIVEUPDATE_KIND_SUBSYSTEM: a subsystem
 * @LIVEUPDATE_KIND_FLB:       an FLB
 */
enum liveupdate_recorder_kind {
	LIVEUPDATE_KIND_HANDLER = 0,
	LIVEUPDATE_KIND_SUBSYSTEM = 1,
	LIVEUPDATE_KIND_FLB = 2,
};

/**
 * enum liveupdate_recorder_scope - purpose that calls and sessions are recorded for
 * @LIVEUPDATE_SCOPE_AGENT:   requests of agents: preserving, events of one session,
 *                            closing; everything incoming
 * @LIVEUPDATE_SCOPE_PREPARE: the global PREPARE that is in effect
 * @LIVEUPDATE_SCOPE_REBOOT:  the reboot() that succeeded
 * @LIVEUPDATE_SCOPE_FAILED:  global PREPAREs that failed or were cancelled, reboots
 *                            that failed, and the rollback of both
 * @LIVEUPDATE_NR_SCOPES:     number of scopes
 *
 * When a reboot() fails, the figures of its scope are added to those of
 * @LIVEUPDATE_SCOPE_FAILED and start again from zero; so are those of a global
 * PREPARE that fails or is cancelled. A PREPARE stays in effect when a later reboot()
 * fails.
 */
enum liveupdate_recorder_scope {
	LIVEUPDATE_SCOPE_AGENT = 0,
	LIVEUPDATE_SCOPE_PREPARE = 1,
	LIVEUPDATE_SCOPE_REBOOT = 2,
	LIVEUPDATE_SCOPE_FAILED = 3,
	LIVEUPDATE_NR_SCOPES = 4,
};

/**
 * struct liveupdate_recorder_row - calls of one operation of one callback target
 * @kind:   enum liveupdate_recorder_kind
 * @op:     the operation, as in the trace events
 * @scope:  enum liveupdate_recorder_scope
 * @reserved: 0
 * @count:  number of calls, 0 if the row is unused
 * @errors: number of calls that failed
 * @total:  total duration of all calls, in ns
 * @wall:   time during which at least one call was in progress, in ns; calls that
 *          run in parallel are counted once
 * @min:    shortest duration, in ns
 * @max:    longest duration, in ns
 * @hist:   calls by duration: bucket i counts those of 2^i to 2^(i+1) ns, the last
 *          bucket all longer ones, too
 * @name:   of the handler, subsystem or FLB; "" for the row shared by all targets
 *          that found no row of their own
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
 * struct liveupdate_recorder_call - one of the longest calls
 * @duration: in ns, 0 if the entry is unused
 * @end:      counter at the return of the call
 * @token:    of the file; file handlers only
 * @kind:     enum liveupdate_recorder_kind
 * @ret:      0 or a negative errno
 * @name:     of the handler, subsystem or FLB
 * @session:  of the file; file handlers only
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
 * struct liveupdate_recorder_session - one of the sessions that took longest in a phase
 * @duration: in ns, 0 if the entry is unused
 * @end:      counter at the end of the phase
 * @files:    number of files in the session
 * @ret:      0 or a negative errno
 * @task:     thread ID of the task in which the phase ended, 0 if it is not known
 * @name:     of the session
 */
struct liveupdate_recorder_session {
	__aligned_u64	duration;
	__aligned_u64	end;
	__aligned_u64	files;
	__s32		ret;
	__u32		task;
	char		name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/**
 * struct liveupdate_recorder_memory - calls of KHO since the kernel started
 * @calls:  number of calls
 * @errors: number of calls that failed
 * @pages:  pages of the calls that succeeded
 */
struct liveupdate_recorder_memory {
	__aligned_u64	calls;
	__aligned_u64	errors;
	__aligned_u64	pages;
};

/**
 * struct liveupdate_recorder_refused - rejected entry of the handover
 * @what:   "tree", "table", "sessions", "flbs", "subsystems", "session", "file", "flb",
 *	    "subsystem"; "" if the entry is unused
 * @reason: a word for the reason
 * @token:  of a file
 * @name:   of the entry, or of its session, or "" if unknown
 */
struct liveupdate_recorder_refused {
	char		what[LIVEUPDATE_RECORDER_WHAT];
	char		reason[LIVEUPDATE_RECORDER_REASON];
	__aligned_u64	token;
	char		name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/**
 * struct liveupdate_recorder_pause - workload that stands still for the live update
 * @paused:     counter when it was paused; 0 if there is no counter, or it was not
 *              marked as paused in this kernel
 * @resumed:    the same when it was resumed
 * @paused_ns:  the kernel's own CLOCK_MONOTONIC when it was paused, in ns; 0 if it was
 *              not marked as paused in this kernel
 * @resumed_ns: the same when it was resumed
 * @name:       of the workload, as its agent wrote it to /sys/kernel/liveupdate/mark;
 *              "" if the entry is unused, as are all after it
 *
 * An outgoing record has workloads that are paused, an incoming record workloads that
 * are resumed. The name connects them; it need not be that of a session.
 */
struct liveupdate_recorder_pause {
	__aligned_u64	paused;
	__aligned_u64	resumed;
	__aligned_u64	paused_ns;
	__aligned_u64	resumed_ns;
	char		name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/**
 * struct liveupdate_recorder_initcall - one of the longest initcalls
 * @duration: in ns, 0 if the entry is unused
 * @end:      counter when it returned
 * @name:     symbol of the function; its address if the kernel has no symbols
 */
struct liveupdate_recorder_initcall {
	__aligned_u64	duration;
	__aligned_u64	end;
	char		name[LIVEUPDATE_RECORDER_SYMBOL];
};

/**
 * struct liveupdate_recorder_init - the initcalls of the kernel image
 * @early:     counter when the first initcall that is recorded began
 * @early_end: counter when the last one before the other CPUs are brought up returned
 * @begin:     counter when the first one after that began
 * @end:       counter when the last one returned
 * @initramfs: counter when the initramfs was found unpacked
 * @count:     number of initcalls, 0 if they were not recorded
 * @total:     total duration of all initcalls, in ns; they run one after the other
 * @longest:   the longest of them, unordered
 *
 * A counter is 0 if that moment was not reached, or if there is no counter. What
 * initcalls leave to threads of their own is not part of them.
 */
struct liveupdate_recorder_init {
	__aligned_u64	early;
	__aligned_u64	early_end;
	__aligned_u64	begin;
	__aligned_u64	end;
	__aligned_u64	initramfs;
	__aligned_u64	count;
	__aligned_u64	total;
	struct liveupdate_recorder_initcall longest[LIVEUPDATE_RECORDER_INITCALLS];
};

/**
 * struct liveupdate_recorder_ancestor - process that opened the device, or an ancestor
 * @started: the kernel's own CLOCK_MONOTONIC when it was created, in ns
 * @pid:     its process ID, 0 if the entry is unused
 * @reserved: 0
 * @comm:    its name
 */
struct liveupdate_recorder_ancestor {
	__aligned_u64	started;
	__u32		pid;
	__u32		reserved;
	char		comm[LIVEUPDATE_RECORDER_COMM];
};

/**
 * enum liveupdate_recorder_doing - what a task does
 * @LIVEUPDATE_DOING_CALL:    it is in an ioctl of LUO, running or not
 * @LIVEUPDATE_DOING_CPU:     it runs
 * @LIVEUPDATE_DOING_QUEUED:  it could run, but waits for a CPU
 * @LIVEUPDATE_DOING_BLOCKED: it waits for something else
 * @LIVEUPDATE_NR_DOINGS:     number of values
 */
enum liveupdate_recorder_doing {
	LIVEUPDATE_DOING_CALL = 0,
	LIVEUPDATE_DOING_CPU = 1,
	LIVEUPDATE_DOING_QUEUED = 2,
	LIVEUPDATE_DOING_BLOCKED = 3,
	LIVEUPDATE_NR_DOINGS = 4,
};

#define LIVEUPDATE_WAIT_OUTSIDE	(-1)	/* in no system call, such as in a page fault */
#define LIVEUPDATE_WAIT_COMPAT	(-2)	/* in a system call of another ABI */
#define LIVEUPDATE_WAKER_SEVERAL (-2)	/* several tasks of the same name */
#define LIVEUPDATE_WAKER_NONE	(-1)	/* it was still waiting */
#define LIVEUPDATE_WAKER_IRQ	0	/* an interrupt */

/**
 * struct liveupdate_recorder_wait - what a task waited for
 * @ns:    total time in ns
 * @count: number of times, 0 if the entry is unused
 * @nr:    number of the system call in which it waited, or LIVEUPDATE_WAIT_*
 * @waker: process ID of the task that woke it, or LIVEUPDATE_WAKER_*
 * @comm:  name of that task
 * @call:  name of the system call, "" if the kernel has no symbols
 */
struct liveupdate_recorder_wait {
	__aligned_u64	ns;
	__aligned_u64	count;
	__s32		nr;
	__s32		waker;
	char		comm[LIVEUPDATE_RECORDER_COMM];
	char		call[LIVEUPDATE_RECORDER_SYSCALL];
};

#define LIVEUPDATE_TASK_AGENT	0x1U	/* has claimed, retrieved or finished */
#define LIVEUPDATE_TASK_CHILD	0x2U	/* was created by a task in the list */
#define LIVEUPDATE_TASK_GONE	0x4U	/* has exited */

/**
 * struct liveupdate_recorder_task - task that calls LUO, or a child of one
 * @pid:      its thread ID, 0 if the entry is unused
 * @parent:   thread ID of the task that created it, if it is a child
 * @flags:    LIVEUPDATE_TASK_*
 * @reserved: 0
 * @from:     the kernel's own CLOCK_MONOTONIC in ns when its first call of LUO began, its
 *            open of the device, or, of a child, when it was created
 * @until:    the same when the entry was written, or when it exited
 * @ns:       time between them by enum liveupdate_recorder_doing, in ns; together they
 *            are all of it
 * @user:     time outside of calls of LUO that the kernel charged as that of user space,
 *            in ns, as a rule by samples of the timer tick; only its ratio to @system is
 *            that of the time on a CPU
 * @system:   the same of the kernel
 * @minor:    page faults without input or output outside of these calls
 * @major:    the same with it
 * @waits:    what it waited for longest outside of calls of LUO, unordered; what is
 *            missing to LIVEUPDATE_DOING_BLOCKED are others
 * @comm:     its name
 */
struct liveupdate_recorder_task {
	__u32		pid;
	__u32		parent;
	__u32		flags;
	__u32		reserved;
	__aligned_u64	from;
	__aligned_u64	until;
	__aligned_u64	ns[LIVEUPDATE_NR_DOINGS];
	__aligned_u64	user;
	__aligned_u64	system;
	__aligned_u64	minor;
	__aligned_u64	major;
	struct liveupdate_recorder_wait waits[LIVEUPDATE_RECORDER_WAITS];
	char		comm[LIVEUPDATE_RECORDER_COMM];
};

/**
 * struct liveupdate_recorder_part - record of one kernel for one live update
 * @magic:        LIVEUPDATE_RECORDER_MAGIC, 0 if there is no such record
 * @version:      LIVEUPDATE_RECORDER_VERSION
 * @size:         size of this structure in bytes
 * @clock_stable: 1 if the kernel trusts its counter
 * @clock_hz:     frequency of the counter, 0 if the kernel does not know it; this
 *                and @clock_stable are sampled when the reboot begins or, before
 *                that, when the record is read
 * @number:       number of the live update
 * @release:      of the kernel, as uname -r
 * @marks:        the counter at each mark, whether or not its frequency is known;
 *                0 for a mark that was not reached (or belongs to the other kernel),
 *                or if there is no counter
 * @times:        the kernel's own CLOCK_MONOTONIC at the same marks, in ns; 0 for a
 *                mark that was not reached, and for LIVEUPDATE_MARK_START, when the
 *                clock does not run yet
 * @busy:         time before the same marks during which at least one ioctl of LUO
 *                was in progress, in ns; incoming only
 * @wall_ns:      wall-clock time of LIVEUPDATE_MARK_REBOOT (outgoing) or
 *                LIVEUPDATE_MARK_INIT (incoming), in ns since 1970
 * @sessions:     number of sessions handed over, or read from the handover, with
 *                LIVEUPDATE_RECORDER_SESSION
 * @files:        number of files in these sessions
 * @bytes:        preserved memory that describes them, in bytes, 0 if unknown
 * @failed:       number of reboots that entered LUO and failed
 * @failed_ret:   errno of the last failed reboot, negative
 * @over:         1 once the live update is over: the last incoming session other than
 *                LIVEUPDATE_RECORDER_SESSION is finished or discarded
 * @failed_ns:    duration of the last failed reboot with its rollback, in ns
 * @cancelled:    number of global PREPAREs that failed or were cancelled
 * @given_up:     number of incoming sessions given up for this live update, without
 *                LIVEUPDATE_RECORDER_SESSION
 * @lost_calls:   number of calls that found no row, not even the shared one
 * @finished:     number of incoming sessions finished by their agents
 * @finished_files: number of files in these sessions
 * @discarded:    number of incoming sessions that were unclaimed at the global
 *                FINISH; like @finished and @finished_files without
 *                LIVEUPDATE_RECORDER_SESSION
 * @nr_refused:   number of rejected entries of the handover
 * @memory:       preserve, unpreserve, restore, as of the last mark; as of the
 *                reading if the live update is not finished
 * @given_up_names: names of the first of the sessions in @given_up
 * @refused:      the first of the entries in @nr_refused
 * @slow_calls:   longest calls of each operation in each scope, unordered
 * @slow_sessions: sessions that took longest in each phase in each scope, unordered
 * @rows:         all calls
 * @lost_pauses:  number of workloads that found no room in @pauses; one that tries
 *                again counts again
 * @pauses:       workloads that are paused (outgoing) or resumed (incoming), each name
 *                once. A reboot that fails does not change them
 *
 * The kernel updates values while they are read; each value is consistent in itself.
 * @changes of &struct liveupdate_recorder tells whether strings and lists are, too.
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
	__aligned_u64	lost_pauses;
	struct liveupdate_recorder_pause pauses[LIVEUPDATE_RECORDER_PAUSES];
};

/**
 * struct liveupdate_recorder_inside - what the new kernel did outside of LUO
 * @init:       the initcalls, between LIVEUPDATE_MARK_START and LIVEUPDATE_MARK_INIT
 * @ancestors:  the process that opened the device at LIVEUPDATE_MARK_OPEN, its parent,
 *              and so on
 * @lost_tasks: number of tasks that found no room in @tasks
 * @tasks:      tasks of the restore since LIVEUPDATE_MARK_OPEN: [0] as of
 *              LIVEUPDATE_MARK_RESTORED, [1] as of LIVEUPDATE_MARK_FINISHED, by the same
 *              index in both; empty if the kernel cannot record them, or did no longer,
 *              since the live update took too long
 *
 * This is not handed over.
 */
struct liveupdate_recorder_inside {
	struct liveupdate_recorder_init init;
	struct liveupdate_recorder_ancestor ancestors[LIVEUPDATE_RECORDER_ANCESTORS];
	__aligned_u64	lost_tasks;
	struct liveupdate_recorder_task tasks[2][LIVEUPDATE_RECORDER_TASKS];
};

/**
 * struct liveupdate_recorder - the whole file
 * @magic:     LIVEUPDATE_RECORDER_MAGIC
 * @version:   LIVEUPDATE_RECORDER_VERSION
 * @size:      size of the file in bytes
 * @part_size: size of each record in bytes
 * @changes:   incremented whenever a string, a list or a scope changes, and with
 *             @over of &struct liveupdate_recorder_part
 * @reserved:  0
 * @last_out:  record of the previous kernel for the last live update; absent
 *             (magic 0) if no kernel handed over to this one, or if its record has
 *             another version
 * @last_in:   record of this kernel for the last live update
 * @next_out:  record of this kernel for the next live update, so far
 * @inside:    what else this kernel did during the last live update
 *
 * The file is longer than what one read() returns. A reader that finds a different
 * value of @changes after the last byte than before the first reads the file again,
 * so that no name is a mix of two calls.
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
	struct liveupdate_recorder_inside inside;
};

#endif /* _UAPI_LIVEUPDATE_RECORDER_H */
