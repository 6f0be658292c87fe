// SPDX-License-Identifier: GPL-2.0

/*
 * Programs on the trace events of LUO and KHO. Only events that the frontend wants to
 * read one by one go through the ring buffer; calls can be counted in the kernel, see
 * calls.bpf.c.
 */

#include "box.bpf.h"
#include "stacks.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile char want_session[LT_NAME_LEN];
const volatile char want_handler[LT_COMPAT_LEN];
const volatile __u64 want_ops = ~0ULL;
const volatile __u64 want_min_ns;
const volatile _Bool want_errors;
const volatile __u32 stream;
const volatile _Bool whole_sessions;
const volatile _Bool count_calls;
const volatile _Bool count_memory;
const volatile __u32 count_by;
const volatile _Bool keep_flights;
const volatile _Bool count_folios;

_Bool ready;

__u64 luo_opened;
struct lt_busy luo_busy;

struct events_map events SEC(".maps");
struct lost_map lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LT_KHO_ACTIONS * LT_KHO_KINDS);
	__type(key, __u32);
	__type(value, struct lt_kho);
} kho SEC(".maps");

SEC("tp_btf/luo_state")
int BPF_PROG(on_luo_state, __u64 number, __u32 old, __u32 new, __u32 event,
	     int ret)
{
	struct lt_event *e;

	/* To wake a reader now would prolong the blackout, and it has the box. */
	if (box_rebooting()) {
		if (new == STATE_FROZEN)
			BOX_TIMED(box_frozen());
		return 0;
	}
	e = event_reserve(LT_STATE, ret);
	if (!e)
		return 0;
	e->number = number;
	e->state.old = old;
	e->state.new = new;
	e->state.event = event;
	/* Hardly any time is left to read it. */
	event_commit(e, event_wanted(e, 0), new == STATE_FROZEN ? BPF_RB_FORCE_WAKEUP : 0);
	return 0;
}

SEC("tp_btf/luo_device_open")
int BPF_PROG(on_luo_device_open, __u64 number, int ret)
{
	struct lt_event *e = event_reserve(LT_DEVICE_OPEN, ret);

	if (!e)
		return 0;
	e->number = number;
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

SEC("tp_btf/luo_mark")
int BPF_PROG(on_luo_mark, __u64 number, const char *name, __u32 mark, int ret)
{
	struct lt_event *e = event_reserve(LT_MARK, ret);

	if (!e)
		return 0;
	e->number = number;
	e->mark.mark = mark;
	set_name(e->session, name);
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

static __always_inline int phase_event(__u32 type, __u64 number, __u32 scope,
				       const char *name, __u32 what, __u64 sessions,
				       __u64 files, int ret)
{
	struct lt_event *e = event_reserve(type, ret);

	if (!e)
		return 0;
	e->number = number;
	e->phase.scope = scope;
	e->phase.phase = what;
	e->phase.sessions = sessions;
	e->phase.files = files;
	set_name(e->session, name);
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

/* When the task that reboots began with a session. */
static __u64 phase_began;

static __always_inline void phase_box_begin(__u32 scope, __u32 what)
{
	if (scope == SCOPE_SESSION)
		phase_began = bpf_ktime_get_ns();
	else if (what == PHASE_FREEZE)
		box_prepared();
}

SEC("tp_btf/luo_phase_begin")
int BPF_PROG(on_luo_phase_begin, __u64 number, __u32 scope, const char *name,
	     __u32 what, __u64 sessions, __u64 files, int ret)
{
	if (box_rebooting()) {
		BOX_TIMED(phase_box_begin(scope, what));
		return 0;
	}
	return phase_event(LT_PHASE_BEGIN, number, scope, name, what, sessions, files,
			   ret);
}

static __always_inline void phase_session_end(const char *name, __u32 what, __u64 files,
					      int ret)
{
	struct box_work work = {};

	work.list = what == PHASE_PREPARE ? BOX_PREPARE :
		    what == PHASE_FREEZE ? BOX_FREEZE : BOX_OTHER;
	bpf_probe_read_kernel_str(work.session.name, sizeof(work.session.name), name);
	work.session.end = bpf_ktime_get_ns();
	work.session.duration = work.session.end - phase_began;
	work.session.files = files;
	work.session.ret = ret;
	box_session_end(&work);
}

SEC("tp_btf/luo_phase_end")
int BPF_PROG(on_luo_phase_end, __u64 number, __u32 scope, const char *name,
	     __u32 what, __u64 sessions, __u64 files, int ret)
{
	if (box_rebooting()) {
		if (scope == SCOPE_SESSION)
			BOX_TIMED(phase_session_end(name, what, files, ret));
		return 0;
	}
	return phase_event(LT_PHASE_END, number, scope, name, what, sessions, files,
			   ret);
}

#define SESSION_PROG(_tp, _type)					\
	SEC("tp_btf/" #_tp)						\
	int BPF_PROG(on_##_tp, __u64 number, const char *name,		\
		     __u32 dir, __u32 state, __u64 files, int ret)	\
	{								\
		return session_event(_type, number, name, dir, state, files,	\
				     ret);					\
	}

SESSION_PROG(luo_session_create, LT_SESSION_CREATE)
SESSION_PROG(luo_session_retrieve, LT_SESSION_RETRIEVE)
SESSION_PROG(luo_session_release, LT_SESSION_RELEASE)
SESSION_PROG(luo_session_finish, LT_SESSION_FINISH)

static __always_inline int state_event(__u32 type, __u64 number, const char *name,
				       __u32 dir, __u32 old, __u32 new, __u32 event,
				       int ret)
{
	struct lt_event *e = event_reserve(type, ret);

	if (!e)
		return 0;
	e->number = number;
	e->state.dir = dir;
	e->state.old = old;
	e->state.new = new;
	e->state.event = event;
	if (type == LT_SESSION_STATE)
		set_name(e->session, name);
	else
		set_compat(e->compatible, name);
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

#define STATE_PROG(_tp, _type)						\
	SEC("tp_btf/" #_tp)						\
	int BPF_PROG(on_##_tp, __u64 number, const char *name, __u32 dir, \
		     __u32 old, __u32 new, __u32 event, int ret)	\
	{								\
		return state_event(_type, number, name, dir, old, new, event, ret); \
	}

STATE_PROG(luo_session_state, LT_SESSION_STATE)
STATE_PROG(luo_subsystem_state, LT_SUBSYSTEM_STATE)

SEC("tp_btf/luo_session_leak")
int BPF_PROG(on_luo_session_leak, __u64 number, const char *name, __u64 files,
	     __u64 retrieved, __u64 age_ns, __u32 reason)
{
	/* A leak is an error, though the event carries no errno. */
	struct lt_event *e = event_reserve(LT_SESSION_LEAK, -1);

	if (!e)
		return 0;
	e->number = number;
	e->leak.files = files;
	e->leak.retrieved = retrieved;
	e->leak.age_ns = age_ns;
	e->leak.reason = reason;
	set_name(e->session, name);
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

static __always_inline int file_event(__u64 number, const char *name, __u64 token,
				      const char *compatible, __u32 old, __u32 new,
				      int ret)
{
	struct lt_event *e;

	/* For whole sessions only the number of files matters. */
	if (whole_sessions && old != FILE_NONE && new != FILE_NONE)
		return 0;
	e = event_reserve(LT_FILE_STATE, ret);
	if (!e)
		return 0;
	e->number = number;
	e->file.token = token;
	e->file.old = old;
	e->file.new = new;
	set_name(e->session, name);
	set_compat(e->compatible, compatible);
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

/* One of the two, see tracer_choose(). */
#define FILE_PROG(_section, _tp)					\
	SEC(_section #_tp)						\
	int BPF_PROG(on_##_tp, __u64 number, const char *name, __u64 token, \
		     const char *compatible, __u32 old, __u32 new, int ret) \
	{								\
		return file_event(number, name, token, compatible, old, new, ret); \
	}

FILE_PROG("tp_btf/", luo_file_state)
FILE_PROG("?tp_btf/", luo_file_error)

static __always_inline void flight_of(__u64 number, const char *session, __u64 token,
				      const char *name, __u32 op, __u32 kind)
{
	struct lt_flight call = {
		.number = number,
		.token = token,
		.op = op,
		.kind = kind,
	};

	if ((!keep_flights && !want_stacks) || !ready)
		return;
	if (session)
		set_name(call.session, session);
	set_compat(call.compatible, name);
	flight_begin(&call);
}

SEC("tp_btf/luo_handler_enter")
int BPF_PROG(on_luo_handler_enter, __u64 number, const char *name, __u64 token,
	     const char *compatible, __u32 op)
{
	struct lt_event *e;

	flight_of(number, name, token, compatible, op, LT_HANDLER);
	e = event_reserve(LT_HANDLER_ENTER, 0);
	if (!e)
		return 0;
	e->number = number;
	e->call.token = token;
	e->call.op = op;
	set_name(e->session, name);
	set_compat(e->compatible, compatible);
	event_commit(e, event_wanted(e, 1) && want_ops & (1ULL << (op & 63)), 0);
	return 0;
}

/* Targets of the last calls in the task that reboots. */
static struct box_known box_known[BOX_ROWS];

/* A call of the task that reboots. */
static __always_inline void box_exit(const char *name, __u32 op, __u32 kind, int ret,
				     __u64 duration_ns, const char *session, __u64 token)
{
	/* Targets are larger than 64 bytes. */
	struct box_known *known = &box_known[(((__u64)name >> 6) + op) % BOX_ROWS];
	struct lt_slow call = {};

	if (known->target != (__u64)name || known->op != op ||
	    known->began != box.reboot.began) {
		known->target = (__u64)name;
		known->began = box.reboot.began;
		known->op = op;
		known->row = box_row((__u64)name, op, kind);
	}
	if (!box_count(known, duration_ns, ret))
		return;
	call.ts = bpf_ktime_get_ns();
	call.duration_ns = duration_ns;
	call.token = token;
	call.op = op;
	call.kind = kind;
	call.ret = ret;
	set_compat(call.compatible, name);
	if (session)
		set_name(call.session, session);
	box_keep(&call);
}

/* It runs for each file of a freeze: what it does not need is not loaded. */
static __always_inline int handler_exit(__u64 number, const char *name, __u64 token,
					const char *compatible, __u32 op, int ret,
					__u64 duration_ns)
{
	struct lt_slow call;
	int counted = CALL_NOT_COUNTED;

	if (!ready)
		return 0;
	if (box_rebooting()) {
		BOX_TIMED(box_exit(compatible, op, LT_HANDLER, ret, duration_ns, name, token));
		return 0;
	}
	if (keep_flights || want_stacks)
		flight_end(LT_HANDLER);
	if (count_calls && !(stream & 1U << LT_HANDLER_EXIT))
		counted = call_known((__u64)compatible, op, ret, duration_ns);
	if (counted == CALL_COUNTED && !(count_folios && folio_pending))
		return 0;

	__builtin_memset(&call, 0, sizeof(call));
	call.duration_ns = duration_ns;
	call.token = token;
	call.op = op;
	call.ret = ret;
	set_name(call.session, name);
	set_compat(call.compatible, compatible);
	if (count_folios && folio_pending)
		folio_call_end(&call);
	if (counted == CALL_NOT_COUNTED)
		call_end(LT_HANDLER_EXIT, number, &call);
	else if (counted == CALL_LONG)
		call_keep(&call);
	return 0;
}

#define HANDLER_EXIT_PROG(_section, _tp)				\
	SEC(_section #_tp)						\
	int BPF_PROG(on_##_tp, __u64 number, const char *name, __u64 token, \
		     const char *compatible, __u32 op, int ret, __u64 duration_ns) \
	{								\
		return handler_exit(number, name, token, compatible, op, ret, \
				    duration_ns);			\
	}

HANDLER_EXIT_PROG("tp_btf/", luo_handler_exit)
HANDLER_EXIT_PROG("?tp_btf/", luo_handler_error)

static __always_inline int target_enter(__u32 type, __u32 kind, __u64 number,
					const char *name, __u32 op)
{
	struct lt_event *e;

	if (count_folios)
		folio_other(1);
	flight_of(number, 0, 0, name, op, kind);
	e = event_reserve(type, 0);
	if (!e)
		return 0;
	e->number = number;
	e->call.op = op;
	set_compat(e->compatible, name);
	event_commit(e, event_wanted(e, 1) && want_ops & (1ULL << (op & 63)), 0);
	return 0;
}

static __always_inline int target_exit(__u32 type, __u32 kind, __u64 number,
				       const char *name, __u32 op, int ret,
				       __u64 duration_ns)
{
	struct lt_slow call = {
		.duration_ns = duration_ns,
		.op = op,
		.ret = ret,
		.kind = kind,
	};

	if (!ready)
		return 0;
	if (box_rebooting()) {
		BOX_TIMED(box_exit(name, op, kind, ret, duration_ns, 0, 0));
		return 0;
	}
	if (count_folios)
		folio_other(0);
	if (keep_flights || want_stacks)
		flight_end(kind);
	set_compat(call.compatible, name);
	call_end(type, number, &call);
	return 0;
}

SEC("tp_btf/luo_subsystem_enter")
int BPF_PROG(on_luo_subsystem_enter, __u64 number, const char *name, __u32 op)
{
	return target_enter(LT_SUBSYSTEM_ENTER, LT_SUBSYSTEM, number, name, op);
}

SEC("tp_btf/luo_subsystem_exit")
int BPF_PROG(on_luo_subsystem_exit, __u64 number, const char *name, __u32 op,
	     int ret, __u64 duration_ns)
{
	return target_exit(LT_SUBSYSTEM_EXIT, LT_SUBSYSTEM, number, name, op, ret,
			   duration_ns);
}

SEC("tp_btf/luo_flb_enter")
int BPF_PROG(on_luo_flb_enter, __u64 number, const char *name, __u32 op)
{
	return target_enter(LT_FLB_ENTER, LT_FLB, number, name, op);
}

SEC("tp_btf/luo_flb_exit")
int BPF_PROG(on_luo_flb_exit, __u64 number, const char *name, __u32 op, int ret,
	     __u64 duration_ns)
{
	return target_exit(LT_FLB_EXIT, LT_FLB, number, name, op, ret,
			   duration_ns);
}

static __always_inline int handover_event(__u32 type, __u64 number, __u64 sessions,
					  __u64 files, __u64 bytes, int ret)
{
	struct lt_event *e = event_reserve(type, ret);

	if (!e)
		return 0;
	e->number = number;
	e->handover.sessions = sessions;
	e->handover.files = files;
	e->handover.bytes = bytes;
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

SEC("tp_btf/luo_handover_out")
int BPF_PROG(on_luo_handover_out, __u64 number, __u64 sessions, __u64 files,
	     __u64 bytes, int ret)
{
	return handover_event(LT_HANDOVER_OUT, number, sessions, files, bytes, ret);
}

SEC("tp_btf/luo_handover_in")
int BPF_PROG(on_luo_handover_in, __u64 number, __u64 sessions, __u64 files,
	     __u64 bytes, int ret)
{
	return handover_event(LT_HANDOVER_IN, number, sessions, files, bytes, ret);
}

SEC("tp_btf/luo_handover_reject")
int BPF_PROG(on_luo_handover_reject, __u64 number, const char *what,
	     const char *name, __u64 token, const char *reason)
{
	/* So is a reject. */
	struct lt_event *e = event_reserve(LT_HANDOVER_REJECT, -1);

	if (!e)
		return 0;
	e->number = number;
	e->reject.token = token;
	set_name(e->session, name);
	set_compat(e->reject.what, what);
	bpf_probe_read_kernel_str(e->reject.reason, sizeof(e->reject.reason), reason);
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

/* From enum kho_kind. */
enum { KHO_FOLIO };

/* The order of a number of pages, a power of two. */
static __always_inline __u32 order_of(__u64 pages)
{
	__u32 order = 0;

	if (pages >> 16) { order += 16; pages >>= 16; }
	if (pages >> 8) { order += 8; pages >>= 8; }
	if (pages >> 4) { order += 4; pages >>= 4; }
	if (pages >> 2) { order += 2; pages >>= 2; }
	return order + (pages >> 1);
}

static __always_inline int memory_event(__u32 type, __u32 action, __u32 kind,
					__u64 pfn, __u64 nr_pages, int ret)
{
	__u32 slot = action * LT_KHO_KINDS + kind;
	struct lt_event *e;
	struct lt_kho *k;

	if (!ready)
		return 0;
	if (kind == KHO_FOLIO)
		folio_end(action, nr_pages ? order_of(nr_pages) : LT_ORDERS);
	k = count_memory ? bpf_map_lookup_elem(&kho, &slot) : 0;
	if (k) {
		k->calls++;
		k->pages += nr_pages;
		if (ret < 0)
			k->errors++;
	}

	e = event_reserve(type, ret);
	if (!e)
		return 0;
	e->memory.kind = kind;
	e->memory.pfn = pfn;
	e->memory.nr_pages = nr_pages;
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

#define MEMORY_PROG(_tp, _type, _action)				\
	SEC("tp_btf/" #_tp)						\
	int BPF_PROG(on_##_tp, __u32 kind, unsigned long pfn,		\
		     unsigned long nr_pages, int ret)			\
	{								\
		return memory_event(_type, _action, kind, pfn, nr_pages, ret); \
	}

MEMORY_PROG(kho_preserve, LT_KHO_PRESERVE, 0)
MEMORY_PROG(kho_unpreserve, LT_KHO_UNPRESERVE, 1)
MEMORY_PROG(kho_restore, LT_KHO_RESTORE, 2)

static __always_inline int subtree_event(__u32 type, const char *name, __u64 bytes, int ret)
{
	struct lt_event *e = event_reserve(type, ret);

	if (!e)
		return 0;
	e->subtree.bytes = bytes;
	set_name(e->subtree.name, name);
	event_commit(e, event_wanted(e, 0), 0);
	return 0;
}

#define SUBTREE_PROG(_tp, _type)					\
	SEC("tp_btf/" #_tp)						\
	int BPF_PROG(on_##_tp, const char *name, __u64 bytes, int ret)	\
	{								\
		return subtree_event(_type, name, bytes, ret);		\
	}

SUBTREE_PROG(kho_subtree_add, LT_KHO_SUBTREE_ADD)
SUBTREE_PROG(kho_subtree_remove, LT_KHO_SUBTREE_REMOVE)
SUBTREE_PROG(kho_subtree_retrieve, LT_KHO_SUBTREE_RETRIEVE)
