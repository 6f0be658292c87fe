/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the programs of luotrace have in common: settings, maps, and how an event is
 * streamed. events.bpf.c and stock.bpf.c have the programs, calls.bpf.c counts calls
 * for both, stacks.bpf.c takes the stacks inside of them; bpftool gen object links them.
 * What is extern here is defined in events.bpf.c, the maps of calls.bpf.c there.
 */

#ifndef COMMON_BPF_H
#define COMMON_BPF_H

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "luotrace.h"

/* Settings, fixed before the programs are loaded. */
extern const volatile char want_session[LT_NAME_LEN];
extern const volatile char want_handler[LT_COMPAT_LEN];
extern const volatile __u64 want_ops;	/* a bit an operation */
extern const volatile __u64 want_min_ns;
extern const volatile _Bool want_errors;
extern const volatile __u32 stream;	/* a bit an enum lt_type */
extern const volatile _Bool whole_sessions;	/* only the session filters what is streamed */
extern const volatile _Bool count_calls;
extern const volatile _Bool count_memory;
extern const volatile __u32 count_by;	/* enum lt_by */
extern const volatile _Bool keep_flights;
extern const volatile _Bool count_folios;

/* Set when everything is attached, so that all programs begin at once. */
extern _Bool ready;

/* Of a kernel without trace events, if that is traced. */
extern __u64 luo_opened;	/* when its device was last opened */

extern struct lt_busy luo_busy;

/* From enum liveupdate_state, _event, enum luo_op, luo_phase, luo_scope and luo_file_state. */
enum { STATE_NORMAL, STATE_PREPARED, STATE_FROZEN, STATE_UPDATED };
enum { EVENT_FREEZE = 1 };
enum { OP_CAN_PRESERVE, OP_PRESERVE, OP_UNPRESERVE, OP_PREPARE, OP_CANCEL, OP_FREEZE,
       OP_UNFREEZE, OP_RETRIEVE, OP_CAN_FINISH, OP_FINISH };
enum { PHASE_PREPARE, PHASE_FREEZE };
enum { SCOPE_GLOBAL, SCOPE_SESSION };
enum { FILE_NONE, FILE_PRESERVED, FILE_INCOMING = 4, FILE_RETRIEVED, FILE_FAILED = 7 };

struct events_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
};

struct lost_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_lost);
};

extern struct events_map events SEC(".maps");
extern struct lost_map lost SEC(".maps");

/* Results of call_known(). */
enum { CALL_NOT_COUNTED, CALL_COUNTED, CALL_LONG };

/**
 * call_known - count a call of a handler by the address of its name
 * @name:        the address
 * @op:          the operation
 * @ret:         0 or a negative errno
 * @duration_ns: of the call
 *
 * Only if nothing but the handler and figures of the call is asked for.
 *
 * Return: CALL_NOT_COUNTED: nothing is done, call_end() follows; CALL_LONG: call_keep()
 * follows.
 */
int call_known(__u64 name, __u32 op, int ret, __u64 duration_ns);

/**
 * known_name - whether the name at the address of an entry is that of the entry
 *
 * In stock.bpf.c, as a kernel function can be used by one of the linked files only.
 */
int known_name(const struct lt_known *k);

/** call_keep - keep a call that is one of the longest of this CPU */
int call_keep(struct lt_slow *call);

/**
 * call_end - a call is over: count it, stream it
 * @type:   the event, an _EXIT of enum lt_type
 * @number: the live update, 0 if unknown
 * @call:   the call; its time stamp is set here
 *
 * A global function: the verifier looks at it once, not along each path that leads
 * to it.
 */
int call_end(__u32 type, __u64 number, struct lt_slow *call);

/**
 * flight_begin - a call begins: keep it until its end
 * @call: the call; its time and its task are set here
 */
int flight_begin(struct lt_flight *call);

/** flight_end - the call of a kind that this task is in is over */
int flight_end(__u32 kind);

/**
 * folio_end - KHO has preserved, unpreserved or restored a folio
 * @action: which of them, 0 to 2
 * @order:  of the folio, LT_ORDERS if that failed
 */
int folio_end(__u32 action, __u32 order);

/** folio_call_begin - a call of a handler begins: count its folios; without trace events */
int folio_call_begin(void);

/* Tasks with folios of a call of a handler that is not over. */
extern __u32 folio_pending;

/** folio_other - a call of a subsystem or an FLB begins, or it ends */
int folio_other(_Bool begins);

/** folio_call_end - it is over; @call: what it was for */
int folio_call_end(const struct lt_slow *call);

/* The value of a map that has only one. */
static __always_inline void *lookup_single(void *map)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(map, &zero);
}

/* A helper, as the verifier would have to walk an open-coded loop. */
#define name_equal(_want, _have)						\
	(!bpf_strncmp((_have), sizeof(_have), (const char *)(_want)))

/* Whether the filter for failures lets an event pass, before it is reserved. */
static __always_inline _Bool result_wanted(__u32 type, int ret)
{
	return !want_errors || whole_sessions || type == LT_STATE || ret < 0;
}

extern const volatile _Bool box_wanted;

/* The task that is in reboot(), while it is; 0 if none is. */
extern __u64 box_task;

/* Whether this task is rebooting, and the box records it. */
static __always_inline _Bool box_rebooting(void)
{
	/* Read inline, unlike the number of the task. */
	return box_wanted && box_task && box_task == bpf_get_current_task();
}

/* Reserve an event if its type is streamed, and if its result passes the filter. */
static __always_inline struct lt_event *event_reserve(__u32 type, int ret)
{
	struct lt_event *e;
	struct lt_lost *l;
	__u64 id;

	/* The box records what the task that reboots does. */
	if (!ready || box_rebooting() || !(stream & (1U << type)) || !result_wanted(type, ret))
		return 0;

	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		l = lookup_single(&lost);
		if (l)
			__sync_fetch_and_add(&l->events, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	id = bpf_get_current_pid_tgid();
	e->ts = bpf_ktime_get_ns();
	e->type = type;
	e->ret = ret;
	e->pid = id >> 32;
	e->tid = (__u32)id;
	e->opened = luo_opened;
	e->busy_ns = luo_busy.total;
	if (luo_busy.depth > 0 && e->ts > luo_busy.since)
		e->busy_ns += e->ts - luo_busy.since;
	return e;
}

static __always_inline void set_name(char *to, const char *name)
{
	bpf_probe_read_kernel_str(to, LT_NAME_MAX + 1, name);
}

static __always_inline void set_compat(char *to, const char *compat)
{
	bpf_probe_read_kernel_str(to, LT_COMPAT_LEN, compat);
}

/*
 * Whether the filters let an event pass; if not it is discarded. Changes of the global state
 * always pass: the frontend can wait for them.
 */
static __always_inline _Bool event_wanted(struct lt_event *e, _Bool is_call)
{
	if (e->type == LT_STATE)
		return 1;
	if (want_session[0] && !name_equal(want_session, e->session))
		return 0;
	if (whole_sessions)
		return 1;
	if (want_handler[0] && !name_equal(want_handler, e->compatible))
		return 0;
	if (want_ops != ~0ULL && !is_call)
		return 0;
	return 1;
}

static __always_inline void event_commit(struct lt_event *e, _Bool pass, __u64 flags)
{
	if (pass)
		bpf_ringbuf_submit(e, flags);
	else
		bpf_ringbuf_discard(e, 0);
}

static __always_inline int session_event(__u32 type, __u64 number, const char *name,
					 __u32 dir, __u32 state, __u64 files, int ret)
{
	struct lt_event *e = event_reserve(type, ret);

	if (!e)
		return 0;
	e->number = number;
	e->session_op.dir = dir;
	e->session_op.state = state;
	e->session_op.files = files;
	set_name(e->session, name);
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

#endif
