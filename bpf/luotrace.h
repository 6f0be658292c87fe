/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the BPF programs and the frontend share. Both include it after their own definitions
 * of __u64 and so on.
 */

#ifndef LUOTRACE_H
#define LUOTRACE_H

/*
 * Bytes for the name of a session: an ioctl can pass one that fills all of
 * LIVEUPDATE_SESSION_NAME_LENGTH, which has to differ from one that is a byte shorter.
 */
#define LT_NAME_MAX	64
#define LT_NAME_LEN	72
#define LT_COMPAT_LEN	48	/* bytes, LIVEUPDATE_HNDL_COMPAT_LENGTH */
#define LT_TEXT_LEN	32	/* bytes, reason of luo_handover_reject */

/*
 * Histograms: values up to 15 have a slot each, above that each power of two has 16 slots,
 * so that a slot is at most 1/16 of its value wide. The last slot has all longer values,
 * from 2^40 ns or 18 minutes on.
 */
#define LT_SUB_BITS	4
#define LT_SUB		(1 << LT_SUB_BITS)
#define LT_MAX_BITS	40
#define LT_SLOTS	((LT_MAX_BITS - LT_SUB_BITS + 1) * LT_SUB)

#define LT_MAX_ROWS	256	/* (key, operation) pairs with a row of their own */
#define LT_KNOWN	64	/* (handler, operation) pairs that need no search; a power of two */
#define LT_SLOWEST	10	/* longest calls kept for each CPU */
#define LT_FLIGHTS	1024	/* calls in flight that are kept */
#define LT_COMM_LEN	16	/* bytes, TASK_COMM_LEN */

/* The events: constant, tracepoint. */
#define LT_EVENTS(X)						\
	X(STATE,		luo_state)			\
	X(DEVICE_OPEN,		luo_device_open)		\
	X(MARK,			luo_mark)			\
	X(PHASE_BEGIN,		luo_phase_begin)		\
	X(PHASE_END,		luo_phase_end)			\
	X(SESSION_CREATE,	luo_session_create)		\
	X(SESSION_RETRIEVE,	luo_session_retrieve)		\
	X(SESSION_RELEASE,	luo_session_release)		\
	X(SESSION_FINISH,	luo_session_finish)		\
	X(SESSION_STATE,	luo_session_state)		\
	X(SESSION_LEAK,		luo_session_leak)		\
	X(FILE_STATE,		luo_file_state)			\
	X(HANDLER_ENTER,	luo_handler_enter)		\
	X(HANDLER_EXIT,		luo_handler_exit)		\
	X(SUBSYSTEM_STATE,	luo_subsystem_state)		\
	X(SUBSYSTEM_ENTER,	luo_subsystem_enter)		\
	X(SUBSYSTEM_EXIT,	luo_subsystem_exit)		\
	X(FLB_ENTER,		luo_flb_enter)			\
	X(FLB_EXIT,		luo_flb_exit)			\
	X(HANDOVER_OUT,		luo_handover_out)		\
	X(HANDOVER_IN,		luo_handover_in)		\
	X(HANDOVER_REJECT,	luo_handover_reject)		\
	X(KHO_PRESERVE,		kho_preserve)			\
	X(KHO_UNPRESERVE,	kho_unpreserve)			\
	X(KHO_RESTORE,		kho_restore)			\
	X(KHO_SUBTREE_ADD,	kho_subtree_add)		\
	X(KHO_SUBTREE_REMOVE,	kho_subtree_remove)		\
	X(KHO_SUBTREE_RETRIEVE,	kho_subtree_retrieve)

/* Events that occur for failures alone, with the fields of another one. */
#define LT_ERROR_EVENTS(X)					\
	X(FILE_STATE,		luo_file_error)			\
	X(HANDLER_EXIT,		luo_handler_error)

/* Events that have several of another one. */
#define LT_SEVERAL_EVENTS(X)					\
	X(HANDLER_EXIT,		luo_handler_calls)

#define LT_CALLED_MAX	16	/* calls of a luo_handler_calls */

enum lt_type {
#define X(name, tp) LT_##name,
	LT_EVENTS(X)
#undef X
	LT_NR_TYPES,
};

/* Callback targets. LT_OTHERS: calls that did not fit into the table, by operation only. */
enum lt_kind { LT_HANDLER, LT_SUBSYSTEM, LT_FLB, LT_OTHERS };

#define LT_MAX_OPS	16	/* operations of LT_OTHERS */

/**
 * struct lt_event - one event, as it is streamed
 * @ts:         ns of the monotonic clock
 * @number:     the live update; 0 in kho events
 * @type:       enum lt_type
 * @ret:        0 or a negative errno
 * @pid:        process that caused it
 * @tid:        its thread
 * @opened:     when /dev/liveupdate was last opened, ns; 0 if that is not traced
 * @busy_ns:    time since the trace began during which an ioctl of LUO was in progress;
 *              0 if that is not traced
 * @session:    name of the session, "" for none; of the workload in luo_mark
 * @compatible: of the handler; name of the subsystem or FLB
 * @state:      luo_state, luo_session_state, luo_subsystem_state
 * @mark:       luo_mark
 * @phase:      luo_phase_begin, luo_phase_end
 * @session_op: luo_session_create, _retrieve, _release and _finish
 * @leak:       luo_session_leak
 * @file:       luo_file_state
 * @call:       the _enter and _exit events of handlers, subsystems and FLBs
 * @handover:   luo_handover_out, luo_handover_in
 * @reject:     luo_handover_reject
 * @memory:     kho_preserve, kho_unpreserve, kho_restore
 * @subtree:    kho_subtree_add, _remove and _retrieve
 *
 * @type tells which member of the union is in use. Fields have the names of the trace
 * event; those that it does not have are 0.
 */
struct lt_event {
	__u64 ts;
	__u64 number;
	__u32 type;
	__s32 ret;
	__u32 pid;
	__u32 tid;
	__u64 opened;
	__u64 busy_ns;
	char session[LT_NAME_LEN];
	char compatible[LT_COMPAT_LEN];
	union {
		struct {
			__u32 dir;
			__u32 old;
			__u32 new;
			__u32 event;
		} state;
		struct {
			__u32 mark;
		} mark;
		struct {
			__u64 sessions;
			__u64 files;
			__u32 scope;
			__u32 phase;
		} phase;
		struct {
			__u64 files;
			__u32 dir;
			__u32 state;
		} session_op;
		struct {
			__u64 files;
			__u64 retrieved;
			__u64 age_ns;
			__u32 reason;
		} leak;
		struct {
			__u64 token;
			__u32 old;
			__u32 new;
		} file;
		struct {
			__u64 token;
			__u64 duration_ns;
			__u32 op;
		} call;
		struct {
			__u64 sessions;
			__u64 files;
			__u64 bytes;
		} handover;
		struct {
			__u64 token;
			char what[LT_COMPAT_LEN];
			char reason[LT_TEXT_LEN];
		} reject;
		struct {
			__u64 pfn;
			__u64 nr_pages;
			__u32 kind;
		} memory;
		struct {
			__u64 bytes;
			char name[LT_NAME_LEN];
		} subtree;
	};
};

/**
 * struct lt_key - the key that calls are counted by
 * @op:	   the operation
 * @kind:  enum lt_kind
 * @token: of the file, if counting by file
 * @name:  handler, subsystem or FLB; session, or session of the file
 */
struct lt_key {
	__u32 op;
	__u32 kind;
	__u64 token;
	char name[LT_NAME_LEN];
};

/**
 * struct lt_row - the calls of one key
 * @count:  calls
 * @errors: calls that failed
 * @total_ns: of all calls
 * @min_ns: shortest; the BPF programs keep it inverted, so that 0 is none yet
 * @max_ns: longest
 * @slots:  histogram, see LT_SLOTS; 32 bits, as rows are allocated beforehand
 */
struct lt_row {
	__u64 count;
	__u64 errors;
	__u64 total_ns;
	__u64 min_ns;
	__u64 max_ns;
	__u32 slots[LT_SLOTS];
};

#define LT_COMPAT_WORDS	(LT_COMPAT_LEN / 8)

/**
 * struct lt_known - the calls of one handler, found by its address
 * @state: whether @key is complete, see enum lt_known_state
 * @words: words of @name up to its end
 * @at:    address of its name
 * @name:  its memory, with what follows the name in the last word
 * @key:   as that of a row
 * @row:   its calls
 */
struct lt_known {
	__u32 state;
	__u32 words;
	__u64 at;
	__u64 name[LT_COMPAT_WORDS];
	struct lt_key key;
	struct lt_row row;
};

enum lt_known_state { LT_KNOWN_FREE, LT_KNOWN_CLAIMED, LT_KNOWN_READY };

/**
 * struct lt_slow - one long call
 * @duration_ns: its duration; 0 if the entry is not in use
 * @ts:	         when it ended
 * @token:       of the file
 * @op:	         the operation
 * @ret:         0 or a negative errno
 * @kind:        enum lt_kind
 * @pad:         0
 * @session:     of a handler's call
 * @compatible:  handler, subsystem or FLB
 */
struct lt_slow {
	__u64 duration_ns;
	__u64 ts;
	__u64 token;
	__u32 op;
	__s32 ret;
	__u32 kind;
	__u32 pad;
	char session[LT_NAME_LEN];
	char compatible[LT_COMPAT_LEN];
};

/**
 * struct lt_flight_key - what tells calls in flight apart
 * @tid:  the thread
 * @kind: enum lt_kind; an FLB can be called from within a call of a handler
 */
struct lt_flight_key {
	__u32 tid;
	__u32 kind;
};

/**
 * struct lt_flight - a call in flight
 * @ts:         when it began; 0 if before the programs were attached: the frontend has
 *		found its task, and all but that is unknown
 * @number:     the live update, 0 if unknown
 * @token:      of the file
 * @op:         the operation
 * @kind:       enum lt_kind
 * @pid:        process that is in the call
 * @tid:        its thread
 * @comm:       name of the thread when it began
 * @session:    of a handler's call
 * @compatible: handler, subsystem or FLB
 */
struct lt_flight {
	__u64 ts;
	__u64 number;
	__u64 token;
	__u32 op;
	__u32 kind;
	__u32 pid;
	__u32 tid;
	char comm[LT_COMM_LEN];
	char session[LT_NAME_LEN];
	char compatible[LT_COMPAT_LEN];
};

/* The longest calls of one CPU, unordered, and the duration of the shortest of them. */
struct lt_slowest {
	__u64 least_ns;
	struct lt_slow calls[LT_SLOWEST];
};

#define LT_KHO_ACTIONS	3	/* preserve, unpreserve, restore */
#define LT_KHO_KINDS	3	/* enum kho_kind */

/* Calls that marked or unmarked memory, on one CPU. */
struct lt_kho {
	__u64 calls;
	__u64 errors;
	__u64 pages;
};

#define LT_ORDERS	20	/* of folios; that of 1 GiB is 18 */

/**
 * struct lt_folio - calls of KHO for folios of one order that did not fail, on one CPU
 * @calls: calls
 * @timed: those whose begin was seen
 * @ns:    time that these took
 */
struct lt_folio {
	__u64 calls;
	__u64 timed;
	__u64 ns;
};

/**
 * struct lt_pieces - what handlers did page by page, on one CPU
 * @calls: calls of handlers with pages enough for a large folio
 * @small: folios of order 0 in them
 * @ns:    time that KHO took for these
 * @large: large folios that they would fill, by call
 * @rest:  folios of order 0 that would remain beside those
 * @most:  folios of order 0 in the call that had most
 * @token: its file
 * @session: its session
 * @compatible: its handler
 */
struct lt_pieces {
	__u64 calls;
	__u64 small;
	__u64 ns;
	__u64 large;
	__u64 rest;
	__u64 most;
	__u64 token;
	char session[LT_NAME_LEN];
	char compatible[LT_COMPAT_LEN];
};

/*
 * On a kernel whose LUO has no trace events: the maximum number of traced functions, those
 * with the arguments of an operation first, then those of can_preserve; and their return
 * types.
 */
#define LT_STOCK_ARGS	24
#define LT_STOCK_OPS	32

enum { LT_RETURNS_VOID, LT_RETURNS_INT, LT_RETURNS_BOOL };

/* What was lost on one CPU. */
struct lt_lost {
	__u64 events;	/* the ring buffer was full */
	__u64 rows;	/* calls in LT_OTHERS for lack of room */
	__u64 flights;	/* calls that were in flight and not kept, for lack of room */
};

/* Time with an ioctl of LUO in progress: ns so far, since when, and how many are. */
struct lt_busy {
	__u64 total;
	__u64 since;
	__s64 depth;
};

/* How calls are counted. */
enum lt_by { LT_BY_HANDLER, LT_BY_SESSION, LT_BY_FILE };

/*
 * Stacks inside long calls, see stacks.bpf.c: frames of a stack, different stacks, sums,
 * calls at the same time, and different stacks of a call that is not long yet.
 */
#define LT_STACK_FRAMES	64
#define LT_STACKS	4096
#define LT_STACK_SUMS	8192
#define LT_STACK_CALLS	512
#define LT_HELD_STACKS 64

/* Return addresses, the innermost first, zeros after the last one. */
struct lt_stack {
	__u64 ips[LT_STACK_FRAMES];
};

/**
 * struct lt_stack_key - what time in a call is added up by
 * @stack: number of the stack, from 1; 0 for the calls themselves
 * @off:   whether the task had no CPU, in which case it is the stack that it left it with
 * @op:    the operation
 * @kind:  enum lt_kind
 * @name:  handler, subsystem or FLB
 */
struct lt_stack_key {
	__u32 stack;
	__u32 off;
	__u32 op;
	__u32 kind;
	char name[LT_COMPAT_LEN];
};

/* Time, and of how many samples, times without a CPU, or calls it is. */
struct lt_stack_sum {
	__u64 ns;
	__u64 count;
};

/**
 * struct lt_stack_call - a call in progress, by task
 * @began:     ns of the monotonic clock
 * @seen:      up to when its time is accounted for
 * @key:       what it is added up by; stack and off are set for each sum
 * @off_stack: stack with which the task was switched out, 0 while it runs
 * @live:      whether stacks are taken
 * @nr:        entries of @held in use
 * @held:      stacks so far, for as long as the call may turn out to be a short one
 */
struct lt_stack_call {
	__u64 began;
	__u64 seen;
	struct lt_stack_key key;
	__u32 off_stack;
	__u32 live;
	__u32 nr;
	__u32 pad;
	struct {
		__u32 stack;
		__u32 off;
		struct lt_stack_sum sum;
	} held[LT_HELD_STACKS];
};

/* What found no room. Whether the call is a long one may not be known by then. */
struct lt_stack_lost {
	__u64 stacks;	/* samples, and times without a CPU */
	__u64 calls;	/* calls whose stacks could not be taken */
};

/* Slot of a value in a histogram. */
static inline __u32 lt_slot(__u64 v)
{
	__u32 bits = 0, slot;
	__u64 t = v;

	if (v < LT_SUB)
		return v;

	/* Position of the highest bit, for which BPF has no instruction. */
	if (t >> 32) { bits += 32; t >>= 32; }
	if (t >> 16) { bits += 16; t >>= 16; }
	if (t >> 8) { bits += 8; t >>= 8; }
	if (t >> 4) { bits += 4; t >>= 4; }
	if (t >> 2) { bits += 2; t >>= 2; }
	if (t >> 1)
		bits += 1;

	slot = (bits - LT_SUB_BITS + 1) * LT_SUB +
	       ((v >> (bits - LT_SUB_BITS)) & (LT_SUB - 1));
	return slot < LT_SLOTS ? slot : LT_SLOTS - 1;
}

#endif
