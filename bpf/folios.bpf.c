// SPDX-License-Identifier: GPL-2.0

/*
 * Memory that is handed over, by the order of its folios, and how long a call of KHO takes
 * for a folio of each. On functions of KHO that every LUO has; where there are trace events
 * of KHO they are the ends of the calls, so that their programs are not part of the time.
 *
 * For each call of a handler, the folios of order 0 are counted apart: they could have been
 * fewer and larger ones.
 */

#include "common.bpf.h"

#define CO_RE	__attribute__((preserve_access_index))

typedef struct {
	__u64 f;
} memdesc_flags_t;

struct folio {
	memdesc_flags_t flags;
	__u64 _flags_1;
} CO_RE;

enum pageflags { PG_head };

/* Order of the folios that those of order 0 are compared with, 0 for none. */
const volatile __u32 large_order;

/*
 * Whether the begin of each call of a handler is seen. Where there are trace events it is
 * not, as a program there would run for each file of a freeze: folios of a task are those
 * of the call that ends next, unless they are of a subsystem or an FLB.
 */
const volatile _Bool folio_calls_begin;

__u32 folio_pending;

/*
 * What a task does: a call of KHO; in a call of a handler, or of a subsystem or an FLB; and
 * whether there is anything in @actions.
 */
struct folio_task {
	__u64 start;
	__u32 in_call;
	__u32 in_other;
	__u64 pending;
	struct {
		__u64 small;
		__u64 ns;
	} actions[LT_KHO_ACTIONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct folio_task);
} folio_tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LT_KHO_ACTIONS * LT_ORDERS);
	__type(key, __u32);
	__type(value, struct lt_folio);
} folios SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LT_KHO_ACTIONS);
	__type(key, __u32);
	__type(value, struct lt_pieces);
} pieces SEC(".maps");

static __always_inline struct folio_task *folio_task(__u64 flags)
{
	return bpf_task_storage_get(&folio_tasks, bpf_get_current_task_btf(), 0, flags);
}

static __always_inline int folio_begin(void)
{
	struct folio_task *t = ready ? folio_task(BPF_LOCAL_STORAGE_GET_F_CREATE) : 0;

	if (t)
		t->start = bpf_ktime_get_ns();
	return 0;
}

static __always_inline void folio_count(struct folio_task *t, __u32 action, __u32 order,
					__u64 ns)
{
	__u32 slot = action * LT_ORDERS + order;
	struct lt_folio *f = bpf_map_lookup_elem(&folios, &slot);

	if (f) {
		f->calls++;
		f->timed += !!ns;
		f->ns += ns;
	}
	if (!t || !ns || order || t->in_other || (folio_calls_begin && !t->in_call))
		return;
	if (!t->pending)
		__sync_fetch_and_add(&folio_pending, 1);
	t->pending = 1;
	t->actions[action].small++;
	t->actions[action].ns += ns;
}

/* A call of KHO is over; @order is that of the folio, or LT_ORDERS if it failed. */
int folio_end(__u32 action, __u32 order)
{
	__u64 now = bpf_ktime_get_ns(), ns = 0;
	struct folio_task *t;

	if (!count_folios || !ready || action >= LT_KHO_ACTIONS)
		return 0;
	t = folio_task(0);
	if (t && t->start) {
		ns = now - t->start;
		t->start = 0;
	}
	if (order < LT_ORDERS)
		folio_count(t, action, order, ns);
	return 0;
}

static __always_inline void folio_clear(struct folio_task *t)
{
	if (t->pending)
		__sync_fetch_and_add(&folio_pending, -1);
	__builtin_memset(t, 0, sizeof(*t));
}

int folio_call_begin(void)
{
	struct folio_task *t;

	if (!count_folios || !ready)
		return 0;
	t = folio_task(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t)
		return 0;
	folio_clear(t);
	t->in_call = 1;
	return 0;
}

int folio_other(_Bool begins)
{
	struct folio_task *t;

	if (!count_folios || !ready)
		return 0;
	t = folio_task(begins ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (t)
		t->in_other = begins;
	return 0;
}

static __always_inline void pieces_add(__u32 action, __u64 small, __u64 ns,
				       const struct lt_slow *call)
{
	struct lt_pieces *p = bpf_map_lookup_elem(&pieces, &action);

	if (!p || !large_order || !(small >> large_order))
		return;
	p->calls++;
	p->small += small;
	p->ns += ns;
	p->large += small >> large_order;
	p->rest += small & ((1ULL << large_order) - 1);
	if (small <= p->most)
		return;
	p->most = small;
	p->token = call->token;
	__builtin_memcpy(p->session, call->session, sizeof(call->session));
	__builtin_memcpy(p->compatible, call->compatible, sizeof(call->compatible));
}

int folio_call_end(const struct lt_slow *call)
{
	struct folio_task *t;
	__u32 action;
	__u64 ns = 0;

	if (!count_folios || !call)
		return 0;
	t = folio_task(0);
	if (!t || !(t->pending || t->in_call))
		return 0;
	for (action = 0; action < LT_KHO_ACTIONS; action++)
		ns += t->actions[action].ns;
	/* What took longer than the call was before it. */
	if (ns <= call->duration_ns &&
	    (!want_session[0] || name_equal(want_session, call->session)) &&
	    (!want_handler[0] || name_equal(want_handler, call->compatible))) {
		for (action = 0; action < LT_KHO_ACTIONS; action++)
			pieces_add(action, t->actions[action].small, t->actions[action].ns,
				   call);
	}
	folio_clear(t);
	return 0;
}

/* Where there are no trace events, the order is that of the folio itself. */
static __always_inline __u32 order_of(struct folio *folio)
{
	__u64 head = 1ULL << bpf_core_enum_value(enum pageflags, PG_head);

	if (!folio)
		return LT_ORDERS;
	if (!(BPF_CORE_READ(folio, flags.f) & head))
		return 0;
	return BPF_CORE_READ(folio, _flags_1) & 0xff;
}

#define FOLIO_BEGIN(_fn)						\
	SEC("?fentry/" #_fn)						\
	int BPF_PROG(folios_##_fn)					\
	{								\
		return folio_begin();					\
	}

FOLIO_BEGIN(kho_preserve_folio)
FOLIO_BEGIN(kho_unpreserve_folio)
FOLIO_BEGIN(kho_restore_folio)

SEC("?fexit/kho_preserve_folio")
int BPF_PROG(folios_kho_preserve_folio_end, struct folio *folio, int ret)
{
	return folio_end(0, ret ? LT_ORDERS : order_of(folio));
}

SEC("?fexit/kho_unpreserve_folio")
int BPF_PROG(folios_kho_unpreserve_folio_end, struct folio *folio)
{
	return folio_end(1, order_of(folio));
}

SEC("?fexit/kho_restore_folio")
int BPF_PROG(folios_kho_restore_folio_end, __u64 phys, struct folio *folio)
{
	return folio_end(2, order_of(folio));
}
