/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM luo

#if !defined(_TRACE_LUO_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_LUO_H

#include <linux/tracepoint.h>
#include <linux/types.h>
#include <uapi/linux/liveupdate.h>

/**
 * DOC: LUO trace events
 *
 * Rules that all luo events follow:
 *
 *  - ``number`` is the live update that the event belongs to: for outgoing state the
 *    one in preparation, for incoming state the one that booted this kernel. The
 *    same number in the traces of two kernels means the same live update.
 *  - ``ret`` is 0 or a negative errno; an operation that answers yes or no returns
 *    0 for yes.
 *  - A duration is in nanoseconds of the kernel's monotonic clock. That of a call which
 *    is made for all files of a session is measured with the counter of the CPU, if the
 *    kernel trusts it; the end of prepare and freeze of one file is the start of that of
 *    the next one, so that some 60 instructions of LUO are part of the second.
 *  - A name chosen by user space is escaped when it is recorded: it contains no
 *    space, no equal sign, no quote and no unprintable character, so a name cannot
 *    be mistaken for another field. BPF programs receive it unescaped.
 *  - Every begin has its end and every enter its exit, also on failure. Events are
 *    emitted in the context of the caller, which may sleep, with no spinlock held.
 *    A probe may be preempted, as with any tracepoint: a BPF program misses the
 *    events of a task that preempts it on its CPU, and the kernel counts them
 *    (``recursion_misses`` of the program); a luo_handler_calls is one, however many
 *    calls it has.
 *  - An event that reports a change is emitted after the change.
 *  - A call that is understood but rejected emits the same event as on success, with
 *    the errno, whatever the reason.
 *  - luo_handler_exit and luo_file_state occur once a file. If they have an errno,
 *    luo_handler_error and luo_file_error follow with the same fields: a tracer that is
 *    only interested in failures costs nothing where calls succeed.
 *  - luo_handler_calls is once more what luo_handler_exit is, in prepare and freeze up to
 *    LUO_CALLED_MAX calls at a time: a tracer that only adds up durations does not pay for
 *    an event of each file. Each call is in one of these events, before the global phase
 *    ends: at once, or after at most 15 more, of which only the last one can have taken
 *    longer than 10 ms. A BPF program receives the duration of each, its session and its token.
 */

/*
 * One list per enumeration. The constants, the definitions that user space needs to
 * decode them in a raw trace, and the words in the formats are generated from it.
 */
#define LUO_DIRS						\
	EM(LUO_DIR_OUT,			"out")			\
	E_(LUO_DIR_IN,			"in")

#define LUO_STATES						\
	EM(LIVEUPDATE_STATE_NORMAL,	"normal")		\
	EM(LIVEUPDATE_STATE_PREPARED,	"prepared")		\
	EM(LIVEUPDATE_STATE_FROZEN,	"frozen")		\
	E_(LIVEUPDATE_STATE_UPDATED,	"updated")

#define LUO_EVENTS						\
	EM(LIVEUPDATE_PREPARE,		"prepare")		\
	EM(LIVEUPDATE_FREEZE,		"freeze")		\
	EM(LIVEUPDATE_FINISH,		"finish")		\
	EM(LIVEUPDATE_CANCEL,		"cancel")		\
	E_(LUO_EVENT_BOOT,		"boot")

#define LUO_FILE_STATES						\
	EM(LUO_FILE_NONE,		"none")			\
	EM(LUO_FILE_PRESERVED,		"preserved")		\
	EM(LUO_FILE_PREPARED,		"prepared")		\
	EM(LUO_FILE_FROZEN,		"frozen")		\
	EM(LUO_FILE_INCOMING,		"incoming")		\
	EM(LUO_FILE_RETRIEVED,		"retrieved")		\
	EM(LUO_FILE_FINISHED,		"finished")		\
	E_(LUO_FILE_FAILED,		"failed")

#define LUO_OPS							\
	EM(LUO_OP_CAN_PRESERVE,		"can_preserve")		\
	EM(LUO_OP_PRESERVE,		"preserve")		\
	EM(LUO_OP_UNPRESERVE,		"unpreserve")		\
	EM(LUO_OP_PREPARE,		"prepare")		\
	EM(LUO_OP_CANCEL,		"cancel")		\
	EM(LUO_OP_FREEZE,		"freeze")		\
	EM(LUO_OP_UNFREEZE,		"unfreeze")		\
	EM(LUO_OP_RETRIEVE,		"retrieve")		\
	EM(LUO_OP_CAN_FINISH,		"can_finish")		\
	EM(LUO_OP_FINISH,		"finish")		\
	E_(LUO_OP_BOOT,			"boot")

#define LUO_PHASES						\
	EM(LUO_PHASE_PREPARE,		"prepare")		\
	EM(LUO_PHASE_FREEZE,		"freeze")		\
	EM(LUO_PHASE_CANCEL,		"cancel")		\
	EM(LUO_PHASE_FINISH,		"finish")		\
	EM(LUO_PHASE_BOOT,		"boot")			\
	E_(LUO_PHASE_RESTORE,		"restore")

#define LUO_SCOPES						\
	EM(LUO_SCOPE_GLOBAL,		"global")		\
	E_(LUO_SCOPE_SESSION,		"session")

#define LUO_MARKS						\
	EM(LUO_MARK_PAUSED,		"paused")		\
	EM(LUO_MARK_RESUMED,		"resumed")		\
	E_(LUO_MARK_UNKNOWN,		"unknown")

#define LUO_LEAK_REASONS					\
	EM(LUO_LEAK_CLOSED,		"closed")		\
	EM(LUO_LEAK_DISCARDED,		"discarded")		\
	E_(LUO_LEAK_GIVEN_UP,		"given-up")

#ifndef __LUO_DECLARE_TRACE_ENUMS_ONCE_ONLY
#define __LUO_DECLARE_TRACE_ENUMS_ONCE_ONLY

#undef EM
#undef E_
#define EM(a, b) a,
#define E_(a, b) a

enum luo_dir { LUO_DIRS };
enum luo_file_state { LUO_FILE_STATES };
enum luo_op { LUO_OPS };
enum luo_phase { LUO_PHASES };
enum luo_scope { LUO_SCOPES };
enum luo_leak_reason { LUO_LEAK_REASONS };
enum luo_mark { LUO_MARKS };

/* Changes the global state, too, but user space cannot request it */
enum { LUO_EVENT_BOOT = LIVEUPDATE_CANCEL + 1 };

#define LUO_CALLED_MAX	16	/* calls of one luo_handler_calls */

/**
 * struct luo_called - what a call of a luo_handler_calls was for
 * @session: name of the session, "" if there is none
 * @token:   of the file
 */
struct luo_called {
	const char *session;
	u64 token;
};

size_t luo_trace_name_size(const char *name);
void luo_trace_name(char *to, const char *name);
u64 luo_trace_sum(const u64 *values, unsigned int nr);

#endif /* __LUO_DECLARE_TRACE_ENUMS_ONCE_ONLY */

#undef EM
#undef E_
#define EM(a, b) TRACE_DEFINE_ENUM(a);
#define E_(a, b) TRACE_DEFINE_ENUM(a);

LUO_DIRS
LUO_STATES
LUO_EVENTS
LUO_FILE_STATES
LUO_OPS
LUO_PHASES
LUO_SCOPES
LUO_LEAK_REASONS
LUO_MARKS

#undef EM
#undef E_
#define EM(a, b) { a, b },
#define E_(a, b) { a, b }

/*
 * The global state changed (ret=0), or a change was rejected or failed (ret<0; new
 * is then the state that remains). Tells which state was in effect when another
 * event occurred.
 */
TRACE_EVENT(luo_state,
	    TP_PROTO(u64 number, u32 old, u32 new, u32 event, int ret),
	    TP_ARGS(number, old, new, event, ret),
	    TP_STRUCT__entry(
		__field(u64,	number)
		__field(u32,	old)
		__field(u32,	new)
		__field(u32,	event)
		__field(int,	ret)
	    ),
	    TP_fast_assign(
		__entry->number = number;
		__entry->old = old;
		__entry->new = new;
		__entry->event = event;
		__entry->ret = ret;
	    ),
	    TP_printk("number=%llu old=%s new=%s event=%s ret=%d",
		      __entry->number,
		      __print_symbolic(__entry->old, LUO_STATES),
		      __print_symbolic(__entry->new, LUO_STATES),
		      __print_symbolic(__entry->event, LUO_EVENTS),
		      __entry->ret)
);

/* open(2) of /dev/liveupdate returned: one process at a time can have it open. */
TRACE_EVENT(luo_device_open,
	    TP_PROTO(u64 number, int ret),
	    TP_ARGS(number, ret),
	    TP_STRUCT__entry(
		__field(u64,	number)
		__field(int,	ret)
	    ),
	    TP_fast_assign(
		__entry->number = number;
		__entry->ret = ret;
	    ),
	    TP_printk("number=%llu ret=%d", __entry->number, __entry->ret)
);

/*
 * An agent marked a workload as paused or resumed, or could not; of a name that is not
 * valid the event has what comes before the first byte that is not. If the first word is
 * another one (mark=unknown), the name is that of the whole text.
 */
TRACE_EVENT(luo_mark,
	    TP_PROTO(u64 number, const char *name, u32 mark, int ret),
	    TP_ARGS(number, name, mark, ret),
	    TP_STRUCT__entry(
		__field(u64,	number)
		__field(u32,	mark)
		__field(int,	ret)
		__dynamic_array(char, name, luo_trace_name_size(name))
	    ),
	    TP_fast_assign(
		__entry->number = number;
		__entry->mark = mark;
		__entry->ret = ret;
		luo_trace_name(__get_dynamic_array(name), name);
	    ),
	    TP_printk("number=%llu name=%s mark=%s ret=%d", __entry->number,
		      __get_str(name), __print_symbolic(__entry->mark, LUO_MARKS),
		      __entry->ret)
);

DECLARE_EVENT_CLASS(luo_phase_class,
		    TP_PROTO(u64 number, u32 scope, const char *name, u32 phase,
			     u64 sessions, u64 files, int ret),
		    TP_ARGS(number, scope, name, phase, sessions, files, ret),
		    TP_STRUCT__entry(
			__field(u64,	number)
			__field(u64,	sessions)
			__field(u64,	files)
			__field(u32,	scope)
			__field(u32,	phase)
			__field(int,	ret)
			__dynamic_array(char, name, luo_trace_name_size(name))
		    ),
		    TP_fast_assign(
			__entry->number = number;
			__entry->sessions = sessions;
			__entry->files = files;
			__entry->scope = scope;
			__entry->phase = phase;
			__entry->ret = ret;
			luo_trace_name(__get_dynamic_array(name), name);
		    ),
		    TP_printk("number=%llu scope=%s name=%s phase=%s sessions=%llu files=%llu ret=%d",
			      __entry->number,
			      __print_symbolic(__entry->scope, LUO_SCOPES),
			      __get_str(name),
			      __print_symbolic(__entry->phase, LUO_PHASES),
			      __entry->sessions, __entry->files, __entry->ret)
);

/*
 * A phase begins, globally (scope=global, no name) or for one session; sessions and
 * files are the numbers that it will process, ret is always 0.
 */
DEFINE_EVENT(luo_phase_class, luo_phase_begin,
	     TP_PROTO(u64 number, u32 scope, const char *name, u32 phase,
		      u64 sessions, u64 files, int ret),
	     TP_ARGS(number, scope, name, phase, sessions, files, ret)
);

/*
 * A phase ended. The time between the two events is the duration of the phase; the
 * callbacks between them account for it.
 */
DEFINE_EVENT(luo_phase_class, luo_phase_end,
	     TP_PROTO(u64 number, u32 scope, const char *name, u32 phase,
		      u64 sessions, u64 files, int ret),
	     TP_ARGS(number, scope, name, phase, sessions, files, ret)
);

DECLARE_EVENT_CLASS(luo_session_class,
		    TP_PROTO(u64 number, const char *name, u32 dir, u32 state, u64 files,
			     int ret),
		    TP_ARGS(number, name, dir, state, files, ret),
		    TP_STRUCT__entry(
			__field(u64,	number)
			__field(u64,	files)
			__field(u32,	dir)
			__field(u32,	state)
			__field(int,	ret)
			__dynamic_array(char, name, luo_trace_name_size(name))
		    ),
		    TP_fast_assign(
			__entry->number = number;
			__entry->files = files;
			__entry->dir = dir;
			__entry->state = state;
			__entry->ret = ret;
			luo_trace_name(__get_dynamic_array(name), name);
		    ),
		    TP_printk("number=%llu name=%s dir=%s state=%s files=%llu ret=%d",
			      __entry->number, __get_str(name),
			      __print_symbolic(__entry->dir, LUO_DIRS),
			      __print_symbolic(__entry->state, LUO_STATES),
			      __entry->files, __entry->ret)
);

/*
 * CREATE_SESSION returned: an outgoing session was created, or could not be. At boot: an
 * incoming session was made from the handover, with so many files.
 */
DEFINE_EVENT(luo_session_class, luo_session_create,
	     TP_PROTO(u64 number, const char *name, u32 dir, u32 state, u64 files,
		      int ret),
	     TP_ARGS(number, name, dir, state, files, ret)
);

/* RETRIEVE_SESSION returned: an incoming session was claimed, or could not be. */
DEFINE_EVENT(luo_session_class, luo_session_retrieve,
	     TP_PROTO(u64 number, const char *name, u32 dir, u32 state, u64 files,
		      int ret),
	     TP_ARGS(number, name, dir, state, files, ret)
);

/*
 * The last descriptor of a session was closed; files is the number that it still
 * held. An outgoing session ends here, an incoming one that is not finished leaks.
 * With ret=-EAGAIN the global state is frozen: the session stays unchanged for the
 * next kernel.
 */
DEFINE_EVENT(luo_session_class, luo_session_release,
	     TP_PROTO(u64 number, const char *name, u32 dir, u32 state, u64 files,
		      int ret),
	     TP_ARGS(number, name, dir, state, files, ret)
);

/* FINISH returned: the files of the session were released, or could not be. */
DEFINE_EVENT(luo_session_class, luo_session_finish,
	     TP_PROTO(u64 number, const char *name, u32 dir, u32 state, u64 files,
		      int ret),
	     TP_ARGS(number, name, dir, state, files, ret)
);

DECLARE_EVENT_CLASS(luo_state_class,
		    TP_PROTO(u64 number, const char *name, u32 dir, u32 old, u32 new,
			     u32 event, int ret),
		    TP_ARGS(number, name, dir, old, new, event, ret),
		    TP_STRUCT__entry(
			__field(u64,	number)
			__field(u32,	dir)
			__field(u32,	old)
			__field(u32,	new)
			__field(u32,	event)
			__field(int,	ret)
			__dynamic_array(char, name, luo_trace_name_size(name))
		    ),
		    TP_fast_assign(
			__entry->number = number;
			__entry->dir = dir;
			__entry->old = old;
			__entry->new = new;
			__entry->event = event;
			__entry->ret = ret;
			luo_trace_name(__get_dynamic_array(name), name);
		    ),
		    TP_printk("number=%llu name=%s dir=%s old=%s new=%s event=%s ret=%d",
			      __entry->number, __get_str(name),
			      __print_symbolic(__entry->dir, LUO_DIRS),
			      __print_symbolic(__entry->old, LUO_STATES),
			      __print_symbolic(__entry->new, LUO_STATES),
			      __print_symbolic(__entry->event, LUO_EVENTS),
			      __entry->ret)
);

/*
 * The state of a session changed (ret=0), or the change failed (ret<0; new is then
 * the current state).
 */
DEFINE_EVENT(luo_state_class, luo_session_state,
	     TP_PROTO(u64 number, const char *name, u32 dir, u32 old, u32 new,
		      u32 event, int ret),
	     TP_ARGS(number, name, dir, old, new, event, ret)
);

/*
 * The state of a subsystem changed or, with ret<0, a change failed; also if the subsystem
 * has no callback for it. An incoming value takes it from normal to updated (event=boot)
 * and back (event=finish), whatever its outgoing state. With event=freeze and
 * ret=-ECANCELED an incoming value was given up at the next live update: it was not
 * finished, or nothing has received it.
 */
DEFINE_EVENT(luo_state_class, luo_subsystem_state,
	     TP_PROTO(u64 number, const char *name, u32 dir, u32 old, u32 new,
		      u32 event, int ret),
	     TP_ARGS(number, name, dir, old, new, event, ret)
);

/*
 * An incoming session lost its owner before FINISH: it was closed and can be claimed
 * again, discarded without having been claimed, or given up at the next live update.
 * retrieved is the number of files that the agent had retrieved; age_ns is the time
 * since this kernel read the session from the handover.
 */
TRACE_EVENT(luo_session_leak,
	    TP_PROTO(u64 number, const char *name, u64 files, u64 retrieved,
		     u64 age_ns, u32 reason),
	    TP_ARGS(number, name, files, retrieved, age_ns, reason),
	    TP_STRUCT__entry(
		__field(u64,	number)
		__field(u64,	files)
		__field(u64,	retrieved)
		__field(u64,	age_ns)
		__field(u32,	reason)
		__dynamic_array(char, name, luo_trace_name_size(name))
	    ),
	    TP_fast_assign(
		__entry->number = number;
		__entry->files = files;
		__entry->retrieved = retrieved;
		__entry->age_ns = age_ns;
		__entry->reason = reason;
		luo_trace_name(__get_dynamic_array(name), name);
	    ),
	    TP_printk("number=%llu name=%s files=%llu retrieved=%llu age_ns=%llu reason=%s",
		      __entry->number, __get_str(name), __entry->files,
		      __entry->retrieved, __entry->age_ns,
		      __print_symbolic(__entry->reason, LUO_LEAK_REASONS))
);

DECLARE_EVENT_CLASS(luo_file_state_class,
		    TP_PROTO(u64 number, const char *session, u64 token,
			     const char *compatible, u32 old, u32 new, int ret),
		    TP_ARGS(number, session, token, compatible, old, new, ret),
		    TP_STRUCT__entry(
			__field(u64,	number)
			__field(u64,	token)
			__field(u32,	old)
			__field(u32,	new)
			__field(int,	ret)
			__dynamic_array(char, session, luo_trace_name_size(session))
			__dynamic_array(char, compatible, luo_trace_name_size(compatible))
		    ),
		    TP_fast_assign(
			__entry->number = number;
			__entry->token = token;
			__entry->old = old;
			__entry->new = new;
			__entry->ret = ret;
			luo_trace_name(__get_dynamic_array(session), session);
			luo_trace_name(__get_dynamic_array(compatible), compatible);
		    ),
		    TP_printk("number=%llu session=%s token=%llu compatible=%s old=%s new=%s ret=%d",
			      __entry->number, __get_str(session), __entry->token,
			      __get_str(compatible),
			      __print_symbolic(__entry->old, LUO_FILE_STATES),
			      __print_symbolic(__entry->new, LUO_FILE_STATES),
			      __entry->ret)
);

/*
 * The state of a file changed: preserved, prepared, frozen and back for outgoing
 * files; incoming, retrieved, finished for incoming ones; failed if a handler or the
 * handover caused a failure, with the errno. From incoming to incoming, with ret=0, the
 * file has found its handler. To none, with ret=-ECANCELED, an incoming file was given up
 * at the next live update.
 */
DEFINE_EVENT(luo_file_state_class, luo_file_state,
	     TP_PROTO(u64 number, const char *session, u64 token,
		      const char *compatible, u32 old, u32 new, int ret),
	     TP_ARGS(number, session, token, compatible, old, new, ret)
);

/* Follows luo_file_state if ret<0. */
DEFINE_EVENT(luo_file_state_class, luo_file_error,
	     TP_PROTO(u64 number, const char *session, u64 token,
		      const char *compatible, u32 old, u32 new, int ret),
	     TP_ARGS(number, session, token, compatible, old, new, ret)
);

/*
 * A callback of a handler is about to be called for a file. The event distinguishes a
 * handler that hangs from one that is not called.
 */
TRACE_EVENT(luo_handler_enter,
	    TP_PROTO(u64 number, const char *session, u64 token,
		     const char *compatible, u32 op),
	    TP_ARGS(number, session, token, compatible, op),
	    TP_STRUCT__entry(
		__field(u64,	number)
		__field(u64,	token)
		__field(u32,	op)
		__dynamic_array(char, session, luo_trace_name_size(session))
		__dynamic_array(char, compatible, luo_trace_name_size(compatible))
	    ),
	    TP_fast_assign(
		__entry->number = number;
		__entry->token = token;
		__entry->op = op;
		luo_trace_name(__get_dynamic_array(session), session);
		luo_trace_name(__get_dynamic_array(compatible), compatible);
	    ),
	    TP_printk("number=%llu session=%s token=%llu compatible=%s op=%s",
		      __entry->number, __get_str(session), __entry->token,
		      __get_str(compatible),
		      __print_symbolic(__entry->op, LUO_OPS))
);

DECLARE_EVENT_CLASS(luo_handler_exit_class,
		    TP_PROTO(u64 number, const char *session, u64 token,
			     const char *compatible, u32 op, int ret, u64 duration_ns),
		    TP_ARGS(number, session, token, compatible, op, ret, duration_ns),
		    TP_STRUCT__entry(
			__field(u64,	number)
			__field(u64,	token)
			__field(u64,	duration_ns)
			__field(u32,	op)
			__field(int,	ret)
			__dynamic_array(char, session, luo_trace_name_size(session))
			__dynamic_array(char, compatible, luo_trace_name_size(compatible))
		    ),
		    TP_fast_assign(
			__entry->number = number;
			__entry->token = token;
			__entry->duration_ns = duration_ns;
			__entry->op = op;
			__entry->ret = ret;
			luo_trace_name(__get_dynamic_array(session), session);
			luo_trace_name(__get_dynamic_array(compatible), compatible);
		    ),
		    TP_printk("number=%llu session=%s token=%llu compatible=%s op=%s ret=%d duration_ns=%llu",
			      __entry->number, __get_str(session), __entry->token,
			      __get_str(compatible),
			      __print_symbolic(__entry->op, LUO_OPS),
			      __entry->ret, __entry->duration_ns)
);

/*
 * A callback of a handler returned: its return value and its duration. This event
 * alone is sufficient for latency figures.
 */
DEFINE_EVENT(luo_handler_exit_class, luo_handler_exit,
	     TP_PROTO(u64 number, const char *session, u64 token,
		      const char *compatible, u32 op, int ret, u64 duration_ns),
	     TP_ARGS(number, session, token, compatible, op, ret, duration_ns)
);

/* Follows luo_handler_exit if ret<0. */
DEFINE_EVENT(luo_handler_exit_class, luo_handler_error,
	     TP_PROTO(u64 number, const char *session, u64 token,
		      const char *compatible, u32 op, int ret, u64 duration_ns),
	     TP_ARGS(number, session, token, compatible, op, ret, duration_ns)
);

/*
 * Callbacks of a handler for one operation, @nr of them one after the other, have
 * returned. The last one returned @ret, the others succeeded. If one has preserved,
 * unpreserved or restored memory, it is the last one.
 */
TRACE_EVENT(luo_handler_calls,
	    TP_PROTO(u64 number, const char *compatible, u32 op, int ret, u32 nr,
		     const u64 *durations_ns, const struct luo_called *calls),
	    TP_ARGS(number, compatible, op, ret, nr, durations_ns, calls),
	    TP_STRUCT__entry(
		__field(u64,	number)
		__field(u64,	total_ns)
		__field(u32,	op)
		__field(int,	ret)
		__field(u32,	nr)
		__dynamic_array(char, compatible, luo_trace_name_size(compatible))
	    ),
	    TP_fast_assign(
		__entry->number = number;
		__entry->total_ns = luo_trace_sum(durations_ns, nr);
		__entry->op = op;
		__entry->ret = ret;
		__entry->nr = nr;
		luo_trace_name(__get_dynamic_array(compatible), compatible);
	    ),
	    TP_printk("number=%llu compatible=%s op=%s ret=%d nr=%u total_ns=%llu",
		      __entry->number, __get_str(compatible),
		      __print_symbolic(__entry->op, LUO_OPS), __entry->ret,
		      __entry->nr, __entry->total_ns)
);

DECLARE_EVENT_CLASS(luo_callback_enter_class,
		    TP_PROTO(u64 number, const char *name, u32 op),
		    TP_ARGS(number, name, op),
		    TP_STRUCT__entry(
			__field(u64,	number)
			__field(u32,	op)
			__dynamic_array(char, name, luo_trace_name_size(name))
		    ),
		    TP_fast_assign(
			__entry->number = number;
			__entry->op = op;
			luo_trace_name(__get_dynamic_array(name), name);
		    ),
		    TP_printk("number=%llu name=%s op=%s", __entry->number,
			      __get_str(name),
			      __print_symbolic(__entry->op, LUO_OPS))
);

DECLARE_EVENT_CLASS(luo_callback_exit_class,
		    TP_PROTO(u64 number, const char *name, u32 op, int ret,
			     u64 duration_ns),
		    TP_ARGS(number, name, op, ret, duration_ns),
		    TP_STRUCT__entry(
			__field(u64,	number)
			__field(u64,	duration_ns)
			__field(u32,	op)
			__field(int,	ret)
			__dynamic_array(char, name, luo_trace_name_size(name))
		    ),
		    TP_fast_assign(
			__entry->number = number;
			__entry->duration_ns = duration_ns;
			__entry->op = op;
			__entry->ret = ret;
			luo_trace_name(__get_dynamic_array(name), name);
		    ),
		    TP_printk("number=%llu name=%s op=%s ret=%d duration_ns=%llu",
			      __entry->number, __get_str(name),
			      __print_symbolic(__entry->op, LUO_OPS),
			      __entry->ret, __entry->duration_ns)
);

/* A callback of a subsystem is about to be called: prepare, freeze, boot and so on. */
DEFINE_EVENT(luo_callback_enter_class, luo_subsystem_enter,
	     TP_PROTO(u64 number, const char *name, u32 op),
	     TP_ARGS(number, name, op)
);

/* A callback of a subsystem returned: its return value and its duration. */
DEFINE_EVENT(luo_callback_exit_class, luo_subsystem_exit,
	     TP_PROTO(u64 number, const char *name, u32 op, int ret,
		      u64 duration_ns),
	     TP_ARGS(number, name, op, ret, duration_ns)
);

/*
 * A callback of an FLB is about to be called: preserve with the first file that
 * depends on it, unpreserve with the last, retrieve or finish. These events, between
 * or before those of the handler of a file, separate the cost of the FLB from that of
 * the file.
 */
DEFINE_EVENT(luo_callback_enter_class, luo_flb_enter,
	     TP_PROTO(u64 number, const char *name, u32 op),
	     TP_ARGS(number, name, op)
);

/* A callback of an FLB returned: its return value and its duration. */
DEFINE_EVENT(luo_callback_exit_class, luo_flb_exit,
	     TP_PROTO(u64 number, const char *name, u32 op, int ret,
		      u64 duration_ns),
	     TP_ARGS(number, name, op, ret, duration_ns)
);

DECLARE_EVENT_CLASS(luo_handover_class,
		    TP_PROTO(u64 number, u64 sessions, u64 files, u64 bytes, int ret),
		    TP_ARGS(number, sessions, files, bytes, ret),
		    TP_STRUCT__entry(
			__field(u64,	number)
			__field(u64,	sessions)
			__field(u64,	files)
			__field(u64,	bytes)
			__field(int,	ret)
		    ),
		    TP_fast_assign(
			__entry->number = number;
			__entry->sessions = sessions;
			__entry->files = files;
			__entry->bytes = bytes;
			__entry->ret = ret;
		    ),
		    TP_printk("number=%llu sessions=%llu files=%llu bytes=%llu ret=%d",
			      __entry->number, __entry->sessions, __entry->files,
			      __entry->bytes, __entry->ret)
);

/*
 * The handover was written, or could not be: its contents, and the preserved memory
 * for its tree and its arrays in bytes.
 */
DEFINE_EVENT(luo_handover_class, luo_handover_out,
	     TP_PROTO(u64 number, u64 sessions, u64 files, u64 bytes, int ret),
	     TP_ARGS(number, sessions, files, bytes, ret)
);

/* The handover was read at boot; ret<0 if it was rejected as a whole. */
DEFINE_EVENT(luo_handover_class, luo_handover_in,
	     TP_PROTO(u64 number, u64 sessions, u64 files, u64 bytes, int ret),
	     TP_ARGS(number, sessions, files, bytes, ret)
);

/*
 * An entry of the handover was rejected and all others were accepted, or the entry is
 * kept until its handler or its subsystem registers, or an FLB ends without its finish:
 * its kind (tree, table, sessions, flbs, subsystems as a whole; session, file, flb,
 * subsystem), its own name or that of its session and the token of the file as far as
 * they could be read, and the reason.
 */
TRACE_EVENT(luo_handover_reject,
	    TP_PROTO(u64 number, const char *what, const char *name, u64 token,
		     const char *reason),
	    TP_ARGS(number, what, name, token, reason),
	    TP_STRUCT__entry(
		__field(u64,	number)
		__field(u64,	token)
		__string(what, what)
		__dynamic_array(char, name, luo_trace_name_size(name))
		__string(reason, reason)
	    ),
	    TP_fast_assign(
		__entry->number = number;
		__entry->token = token;
		__assign_str(what);
		luo_trace_name(__get_dynamic_array(name), name);
		__assign_str(reason);
	    ),
	    TP_printk("number=%llu what=%s name=%s token=%llu reason=%s",
		      __entry->number, __get_str(what), __get_str(name),
		      __entry->token, __get_str(reason))
);

#undef EM
#undef E_

#endif /* _TRACE_LUO_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
