// SPDX-License-Identifier: GPL-2.0

/*
 * Listens to the trace events of LUO and KHO.
 *
 * If the frontend asks for it, calls of handlers are counted in the kernel, by key
 * and operation, with a histogram; the longest ones are kept with what they were for.
 * The table is shared by all CPUs, so that its size does not depend on their number;
 * atomic additions keep it exact with parallel calls. Only events that somebody wants
 * to read one by one go through the ring buffer. Calls whose key does not fit into the
 * table are counted together.
 */

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "luotrace.h"

char LICENSE[] SEC("license") = "GPL";

/* Settings, fixed before the programs are loaded. */
const volatile char want_session[LT_NAME_LEN];
const volatile char want_handler[LT_COMPAT_LEN];
const volatile __u64 want_ops = ~0ULL;	/* a bit an operation */
const volatile __u64 want_min_ns;
const volatile _Bool want_errors;
const volatile __u32 stream;		/* a bit an enum lt_type */
const volatile _Bool whole_sessions;	/* only the session filters what is streamed */
const volatile _Bool count_calls;
const volatile _Bool count_memory;
const volatile __u32 count_by;		/* enum lt_by */

/* Set when everything is attached, so that all programs begin at once. */
_Bool ready;

/* From enum liveupdate_state and enum luo_file_state. */
#define STATE_FROZEN	2
#define FILE_NONE	0

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LT_MAX_ROWS);
	__type(key, struct lt_key);
	__type(value, struct lt_row);
} rows SEC(".maps");

/* The calls that did not fit, by operation. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LT_MAX_OPS);
	__type(key, __u32);
	__type(value, struct lt_row);
} others SEC(".maps");

/* A row too big for the stack, to begin one with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_row);
} empty_row SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_slowest);
} slowest SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LT_KHO_ACTIONS * LT_KHO_KINDS);
	__type(key, __u32);
	__type(value, struct lt_kho);
} kho SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_lost);
} lost SEC(".maps");

static void *only(void *map)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(map, &zero);
}

/* The verifier walks no loop for it, as it would for one written out here. */
#define same(_want, _have)						\
	(!bpf_strncmp((_have), sizeof(_have), (const char *)(_want)))

/* Whether the filter for failures lets an event pass, before room is made for it. */
static __always_inline _Bool wanted_result(__u32 type, int ret)
{
	return !want_errors || whole_sessions || type == LT_STATE || ret < 0;
}

/* Reserve an event if its type is streamed at all, and if its result is wanted. */
static struct lt_event *begin(__u32 type, int ret)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct lt_event *e;
	struct lt_lost *l;

	if (!ready || !(stream & (1U << type)) || !wanted_result(type, ret))
		return 0;

	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		l = only(&lost);
		if (l)
			__sync_fetch_and_add(&l->events, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->ts = bpf_ktime_get_ns();
	e->type = type;
	e->ret = ret;
	e->pid = id >> 32;
	e->tid = (__u32)id;
	return e;
}

static void set_name(char *to, const char *name)
{
	bpf_probe_read_kernel_str(to, LT_NAME_MAX + 1, name);
}

static void set_compat(char *to, const char *compat)
{
	bpf_probe_read_kernel_str(to, LT_COMPAT_LEN, compat);
}

/*
 * Whether the filters let an event pass; if not it is given back. The state of
 * the machine always passes: the frontend may wait for it.
 */
static __always_inline _Bool wanted(struct lt_event *e, _Bool is_call)
{
	if (e->type == LT_STATE)
		return 1;
	if (want_session[0] && !same(want_session, e->session))
		return 0;
	if (whole_sessions)
		return 1;
	if (want_handler[0] && !same(want_handler, e->compatible))
		return 0;
	if (want_ops != ~0ULL && !is_call)
		return 0;
	return 1;
}

static void end(struct lt_event *e, _Bool pass, __u64 flags)
{
	if (pass)
		bpf_ringbuf_submit(e, flags);
	else
		bpf_ringbuf_discard(e, 0);
}

#include "calls.bpf.h"

SEC("tp_btf/luo_state")
int BPF_PROG(on_luo_state, __u64 number, __u32 old, __u32 new, __u32 event,
	     int ret)
{
	struct lt_event *e = begin(LT_STATE, ret);

	if (!e)
		return 0;
	e->number = number;
	e->state.old = old;
	e->state.new = new;
	e->state.event = event;
	/* After this one there is hardly time to be read. */
	end(e, wanted(e, 0), new == STATE_FROZEN ? BPF_RB_FORCE_WAKEUP : 0);
	return 0;
}

static __always_inline int phase(__u32 type, __u64 number, __u32 scope, const char *name,
		 __u32 what, __u64 sessions, __u64 files, int ret)
{
	struct lt_event *e = begin(type, ret);

	if (!e)
		return 0;
	e->number = number;
	e->phase.scope = scope;
	e->phase.phase = what;
	e->phase.sessions = sessions;
	e->phase.files = files;
	set_name(e->session, name);
	end(e, wanted(e, 0), 0);
	return 0;
}

SEC("tp_btf/luo_phase_begin")
int BPF_PROG(on_luo_phase_begin, __u64 number, __u32 scope, const char *name,
	     __u32 what, __u64 sessions, __u64 files, int ret)
{
	return phase(LT_PHASE_BEGIN, number, scope, name, what, sessions, files,
		     ret);
}

SEC("tp_btf/luo_phase_end")
int BPF_PROG(on_luo_phase_end, __u64 number, __u32 scope, const char *name,
	     __u32 what, __u64 sessions, __u64 files, int ret)
{
	return phase(LT_PHASE_END, number, scope, name, what, sessions, files,
		     ret);
}

static __always_inline int session(__u32 type, __u64 number, const char *name, __u32 dir,
		   __u32 state, __u64 files, int ret)
{
	struct lt_event *e = begin(type, ret);

	if (!e)
		return 0;
	e->number = number;
	e->session_op.dir = dir;
	e->session_op.state = state;
	e->session_op.files = files;
	set_name(e->session, name);
	end(e, wanted(e, 0), 0);
	return 0;
}

#define SESSION_PROG(_tp, _type)					\
	SEC("tp_btf/" #_tp)						\
	int BPF_PROG(on_##_tp, __u64 number, const char *name,		\
		     __u32 dir, __u32 state, __u64 files, int ret)	\
	{								\
		return session(_type, number, name, dir, state, files,	\
			       ret);					\
	}

SESSION_PROG(luo_session_create, LT_SESSION_CREATE)
SESSION_PROG(luo_session_retrieve, LT_SESSION_RETRIEVE)
SESSION_PROG(luo_session_release, LT_SESSION_RELEASE)
SESSION_PROG(luo_session_finish, LT_SESSION_FINISH)

SEC("tp_btf/luo_session_state")
int BPF_PROG(on_luo_session_state, __u64 number, const char *name, __u32 dir,
	     __u32 old, __u32 new, __u32 event, int ret)
{
	struct lt_event *e = begin(LT_SESSION_STATE, ret);

	if (!e)
		return 0;
	e->number = number;
	e->state.dir = dir;
	e->state.old = old;
	e->state.new = new;
	e->state.event = event;
	set_name(e->session, name);
	end(e, wanted(e, 0), 0);
	return 0;
}

SEC("tp_btf/luo_session_leak")
int BPF_PROG(on_luo_session_leak, __u64 number, const char *name, __u64 files,
	     __u64 retrieved, __u64 age_ns, __u32 reason)
{
	/* A leak is an error, though the event carries no errno. */
	struct lt_event *e = begin(LT_SESSION_LEAK, -1);

	if (!e)
		return 0;
	e->number = number;
	e->leak.files = files;
	e->leak.retrieved = retrieved;
	e->leak.age_ns = age_ns;
	e->leak.reason = reason;
	set_name(e->session, name);
	end(e, wanted(e, 0), 0);
	return 0;
}

SEC("tp_btf/luo_file_state")
int BPF_PROG(on_luo_file_state, __u64 number, const char *name, __u64 token,
	     const char *compatible, __u32 old, __u32 new, int ret)
{
	struct lt_event *e;

	/* A life needs to know how many files there are, not how they do. */
	if (whole_sessions && old != FILE_NONE && new != FILE_NONE)
		return 0;
	e = begin(LT_FILE_STATE, ret);
	if (!e)
		return 0;
	e->number = number;
	e->file.token = token;
	e->file.old = old;
	e->file.new = new;
	set_name(e->session, name);
	set_compat(e->compatible, compatible);
	end(e, wanted(e, 0), 0);
	return 0;
}

SEC("tp_btf/luo_handler_enter")
int BPF_PROG(on_luo_handler_enter, __u64 number, const char *name, __u64 token,
	     const char *compatible, __u32 op)
{
	struct lt_event *e = begin(LT_HANDLER_ENTER, 0);

	if (!e)
		return 0;
	e->number = number;
	e->call.token = token;
	e->call.op = op;
	set_name(e->session, name);
	set_compat(e->compatible, compatible);
	end(e, wanted(e, 1) && want_ops & (1ULL << (op & 63)), 0);
	return 0;
}

SEC("tp_btf/luo_handler_exit")
int BPF_PROG(on_luo_handler_exit, __u64 number, const char *name, __u64 token,
	     const char *compatible, __u32 op, int ret, __u64 duration_ns)
{
	struct lt_slow call = {
		.duration_ns = duration_ns,
		.token = token,
		.op = op,
		.ret = ret,
	};

	if (!ready)
		return 0;
	set_name(call.session, name);
	set_compat(call.compatible, compatible);
	called(LT_HANDLER_EXIT, number, &call);
	return 0;
}

static __always_inline int part_enter(__u32 type, __u64 number, const char *name,
				      __u32 op)
{
	struct lt_event *e = begin(type, 0);

	if (!e)
		return 0;
	e->number = number;
	e->call.op = op;
	set_compat(e->compatible, name);
	end(e, wanted(e, 1) && want_ops & (1ULL << (op & 63)), 0);
	return 0;
}

static __always_inline int part_exit(__u32 type, __u32 kind, __u64 number,
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
	set_compat(call.compatible, name);
	called(type, number, &call);
	return 0;
}

SEC("tp_btf/luo_subsystem_enter")
int BPF_PROG(on_luo_subsystem_enter, __u64 number, const char *name, __u32 op)
{
	return part_enter(LT_SUBSYSTEM_ENTER, number, name, op);
}

SEC("tp_btf/luo_subsystem_exit")
int BPF_PROG(on_luo_subsystem_exit, __u64 number, const char *name, __u32 op,
	     int ret, __u64 duration_ns)
{
	return part_exit(LT_SUBSYSTEM_EXIT, LT_SUBSYSTEM, number, name, op, ret,
			 duration_ns);
}

SEC("tp_btf/luo_flb_enter")
int BPF_PROG(on_luo_flb_enter, __u64 number, const char *name, __u32 op)
{
	return part_enter(LT_FLB_ENTER, number, name, op);
}

SEC("tp_btf/luo_flb_exit")
int BPF_PROG(on_luo_flb_exit, __u64 number, const char *name, __u32 op, int ret,
	     __u64 duration_ns)
{
	return part_exit(LT_FLB_EXIT, LT_FLB, number, name, op, ret,
			 duration_ns);
}

static __always_inline int handover(__u32 type, __u64 number, __u64 sessions, __u64 files,
		    __u64 bytes, int ret)
{
	struct lt_event *e = begin(type, ret);

	if (!e)
		return 0;
	e->number = number;
	e->handover.sessions = sessions;
	e->handover.files = files;
	e->handover.bytes = bytes;
	end(e, wanted(e, 0), 0);
	return 0;
}

SEC("tp_btf/luo_handover_out")
int BPF_PROG(on_luo_handover_out, __u64 number, __u64 sessions, __u64 files,
	     __u64 bytes, int ret)
{
	return handover(LT_HANDOVER_OUT, number, sessions, files, bytes, ret);
}

SEC("tp_btf/luo_handover_in")
int BPF_PROG(on_luo_handover_in, __u64 number, __u64 sessions, __u64 files,
	     __u64 bytes, int ret)
{
	return handover(LT_HANDOVER_IN, number, sessions, files, bytes, ret);
}

SEC("tp_btf/luo_handover_reject")
int BPF_PROG(on_luo_handover_reject, __u64 number, const char *what,
	     const char *name, __u64 token, const char *reason)
{
	/* So is a refusal. */
	struct lt_event *e = begin(LT_HANDOVER_REJECT, -1);

	if (!e)
		return 0;
	e->number = number;
	e->reject.token = token;
	set_name(e->session, name);
	set_compat(e->reject.what, what);
	bpf_probe_read_kernel_str(e->reject.reason, sizeof(e->reject.reason), reason);
	end(e, wanted(e, 0), 0);
	return 0;
}

static __always_inline int memory(__u32 type, __u32 action, __u32 kind, __u64 pfn,
		  __u64 nr_pages, int ret)
{
	__u32 slot = action * LT_KHO_KINDS + kind;
	struct lt_event *e;
	struct lt_kho *k;

	if (!ready)
		return 0;
	k = count_memory ? bpf_map_lookup_elem(&kho, &slot) : 0;
	if (k) {
		k->calls++;
		k->pages += nr_pages;
		if (ret < 0)
			k->errors++;
	}

	e = begin(type, ret);
	if (!e)
		return 0;
	e->memory.kind = kind;
	e->memory.pfn = pfn;
	e->memory.nr_pages = nr_pages;
	end(e, wanted(e, 0), 0);
	return 0;
}

#define MEMORY_PROG(_tp, _type, _action)				\
	SEC("tp_btf/" #_tp)						\
	int BPF_PROG(on_##_tp, __u32 kind, unsigned long pfn,		\
		     unsigned long nr_pages, int ret)			\
	{								\
		return memory(_type, _action, kind, pfn, nr_pages, ret); \
	}

MEMORY_PROG(kho_preserve, LT_KHO_PRESERVE, 0)
MEMORY_PROG(kho_unpreserve, LT_KHO_UNPRESERVE, 1)
MEMORY_PROG(kho_restore, LT_KHO_RESTORE, 2)

static __always_inline int subtree(__u32 type, const char *name, __u64 bytes, int ret)
{
	struct lt_event *e = begin(type, ret);

	if (!e)
		return 0;
	e->subtree.bytes = bytes;
	set_name(e->subtree.name, name);
	end(e, wanted(e, 0), 0);
	return 0;
}

#define SUBTREE_PROG(_tp, _type)					\
	SEC("tp_btf/" #_tp)						\
	int BPF_PROG(on_##_tp, const char *name, __u64 bytes, int ret)	\
	{								\
		return subtree(_type, name, bytes, ret);		\
	}

SUBTREE_PROG(kho_subtree_add, LT_KHO_SUBTREE_ADD)
SUBTREE_PROG(kho_subtree_remove, LT_KHO_SUBTREE_REMOVE)
SUBTREE_PROG(kho_subtree_retrieve, LT_KHO_SUBTREE_RETRIEVE)

#include "stock.bpf.h"
