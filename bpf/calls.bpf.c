// SPDX-License-Identifier: GPL-2.0

/*
 * Counting calls in the kernel, by key and operation, with a histogram; the longest ones
 * are kept with what they were for. The table is shared by all CPUs, so that its size
 * does not depend on their number; atomic additions keep it exact with parallel calls.
 * Calls whose key does not fit into the table are counted together.
 *
 * To copy a name and to search for it takes longer than to count. So what is counted by
 * handler, without further questions, is found by the address of the name of the handler;
 * the name itself is only compared, as another module can be loaded to that address.
 */

#include "common.bpf.h"

#define MAX_ATTEMPTS	64	/* to raise a value before all other CPUs have */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LT_MAX_ROWS);
	__type(key, struct lt_key);
	__type(value, struct lt_row);
} rows SEC(".maps");

/* Calls that did not fit, by operation. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LT_MAX_OPS);
	__type(key, __u32);
	__type(value, struct lt_row);
} others SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LT_KNOWN);
	__type(key, __u32);
	__type(value, struct lt_known);
} known SEC(".maps");

/* The initial value of a row, too big for the stack. */
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

/* Slot of a duration in a histogram. */
__noinline __u32 hist_slot(__u64 ns)
{
	return lt_slot(ns);
}

/* Index of the shortest of the longest calls of this CPU, if it is shorter than @ns. */
__noinline __u32 slowest_slot(__u64 ns)
{
	struct lt_slowest *s = lookup_single(&slowest);
	__u32 i, at = LT_SLOWEST;

	if (!s)
		return LT_SLOWEST;
	for (i = 0; i < LT_SLOWEST; i++) {
		if (s->calls[i].duration_ns < ns) {
			ns = s->calls[i].duration_ns;
			at = i;
		}
	}
	return at;
}

/* Duration of the shortest of the longest calls of this CPU, at most @least. */
__noinline __u64 slowest_least(__u64 least)
{
	struct lt_slowest *s = lookup_single(&slowest);
	__u32 i;

	for (i = 0; s && i < LT_SLOWEST; i++) {
		if (s->calls[i].duration_ns < least)
			least = s->calls[i].duration_ns;
	}
	return least;
}

/* Whether a call is one of the longest of this CPU; most are not. */
static __always_inline _Bool is_long(__u64 ns)
{
	struct lt_slowest *s = lookup_single(&slowest);

	return s && ns > s->least_ns;
}

int call_keep(struct lt_slow *call)
{
	struct lt_slowest *s = count_calls ? lookup_single(&slowest) : 0;
	__u32 at;

	if (!s || !call)
		return 0;
	call->ts = bpf_ktime_get_ns();
	at = slowest_slot(call->duration_ns);
	if (at < LT_SLOWEST)
		s->calls[at] = *call;
	s->least_ns = slowest_least(~0ULL);
	return 0;
}

/*
 * Raise a value that other CPUs raise, too. Each attempt that fails has seen another CPU
 * raise it, so that few are needed.
 */
static __always_inline void atomic_max(__u64 *to, __u64 value)
{
	__u64 seen = *(volatile __u64 *)to, found;
	int i;

	for (i = 0; i < MAX_ATTEMPTS && value > seen; i++) {
		found = __sync_val_compare_and_swap(to, seen, value);
		if (found == seen)
			return;
		seen = found;
	}
}

static __always_inline void row_add(struct lt_row *row, __u64 ns, int ret)
{
	__u32 slot = hist_slot(ns);

	atomic_max(&row->min_ns, ~ns);
	atomic_max(&row->max_ns, ns);
	__sync_fetch_and_add(&row->count, 1);
	__sync_fetch_and_add(&row->total_ns, ns);
	if (ret < 0)
		__sync_fetch_and_add(&row->errors, 1);
	if (slot < LT_SLOTS)
		__sync_fetch_and_add(&row->slots[slot], 1);
}

static void call_count(const struct lt_slow *call)
{
	struct lt_key key = { .op = call->op, .kind = call->kind };
	__u32 op = call->op;
	struct lt_row *row, *empty;
	struct lt_lost *l;

	if (count_by == LT_BY_HANDLER || call->kind != LT_HANDLER) {
		__builtin_memcpy(key.name, call->compatible, sizeof(call->compatible));
	} else {
		__builtin_memcpy(key.name, call->session, sizeof(call->session));
		if (count_by == LT_BY_FILE)
			key.token = call->token;
	}

	row = bpf_map_lookup_elem(&rows, &key);
	if (!row) {
		empty = lookup_single(&empty_row);
		if (!empty)
			return;
		/* Another CPU can have created the row meanwhile. */
		bpf_map_update_elem(&rows, &key, empty, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&rows, &key);
	}
	if (row) {
		row_add(row, call->duration_ns, call->ret);
		return;
	}
	row = bpf_map_lookup_elem(&others, &op);
	if (row)
		row_add(row, call->duration_ns, call->ret);
	l = lookup_single(&lost);
	if (l)
		__sync_fetch_and_add(&l->rows, 1);
}

static __always_inline _Bool figures_wanted(__u32 op, int ret, __u64 ns)
{
	if (!(want_ops & (1ULL << (op & 63))) || ns < want_min_ns)
		return 0;
	return !want_errors || ret < 0;
}

/* Whether the filters let a call pass. */
static __always_inline _Bool call_wanted(const struct lt_slow *call)
{
	if (want_session[0] && !name_equal(want_session, call->session))
		return 0;
	if (want_handler[0] && !name_equal(want_handler, call->compatible))
		return 0;
	return figures_wanted(call->op, call->ret, call->duration_ns);
}

static __always_inline _Bool is_known(const struct lt_known *k, __u64 at, __u32 op)
{
	return k->at == at && k->key.op == op && known_name(k);
}

/* Fill an entry that is free, unless another CPU does. */
static __noinline int known_fill(struct lt_known *k, __u64 at, __u32 op)
{
	__u32 words;
	long len;

	if (!k || __sync_val_compare_and_swap(&k->state, LT_KNOWN_FREE, LT_KNOWN_CLAIMED))
		return 0;
	len = bpf_probe_read_kernel_str(k->key.name, LT_COMPAT_LEN, (void *)at);
	/* It cannot be read, or is cut. */
	if (len <= 0 || len >= LT_COMPAT_LEN)
		return 0;
	k->at = at;
	k->key.op = op;
	words = ((__u32)len + 7) / 8;
	k->words = words;
	bpf_probe_read_kernel(k->name, words * 8, (void *)at);
	__sync_val_compare_and_swap(&k->state, LT_KNOWN_CLAIMED, LT_KNOWN_READY);
	return 0;
}

/* The entry of a handler and an operation; 0 if it has none. */
static __always_inline struct lt_known *known_get(__u64 name, __u32 op)
{
	/* Names are in structures of more than 64 bytes. */
	__u32 slot = (name / 64 + op) % LT_KNOWN;
	struct lt_known *k = bpf_map_lookup_elem(&known, &slot);

	if (!k)
		return 0;
	if (k->state == LT_KNOWN_FREE)
		known_fill(k, name, op);
	return k->state == LT_KNOWN_READY && is_known(k, name, op) ? k : 0;
}

int call_known(__u64 name, __u32 op, int ret, __u64 duration_ns)
{
	struct lt_known *k;

	if (!count_calls || count_by != LT_BY_HANDLER || want_session[0] || want_handler[0])
		return CALL_NOT_COUNTED;
	if (!figures_wanted(op, ret, duration_ns))
		return CALL_COUNTED;
	k = known_get(name, op);
	if (!k)
		return CALL_NOT_COUNTED;
	row_add(&k->row, duration_ns, ret);
	return is_long(duration_ns) ? CALL_LONG : CALL_COUNTED;
}

int call_end(__u32 type, __u64 number, struct lt_slow *call)
{
	struct lt_event *e;

	if (!call)
		return 0;
	if (!call_wanted(call))
		return 0;

	if (count_calls) {
		call_count(call);
		if (is_long(call->duration_ns))
			call_keep(call);
	}

	e = event_reserve(type, call->ret);
	if (!e)
		return 0;
	e->number = number;
	e->call.token = call->token;
	e->call.duration_ns = call->duration_ns;
	e->call.op = call->op;
	__builtin_memcpy(e->session, call->session, sizeof(call->session));
	__builtin_memcpy(e->compatible, call->compatible, sizeof(call->compatible));
	event_commit(e, 1, 0);
	return 0;
}

/* The durations of the calls of a luo_handler_calls, in ns. */
struct durations {
	__u64 ns[LT_CALLED_MAX];
};

/* What is added to a row once for several calls; @above: a longer one is one of the longest. */
struct sums {
	__u64 total;
	__u64 least;
	__u64 most;
	__u64 above;
	__u32 longest;
};

/* A function of its own, as the verifier would follow all paths through all calls. */
__noinline int sums_add(struct sums *sums, struct lt_row *row, __u64 ns, __u32 bit)
{
	__u32 slot = hist_slot(ns);

	if (!sums || !row)
		return 0;
	sums->total += ns;
	if (ns < sums->least)
		sums->least = ns;
	if (ns > sums->most)
		sums->most = ns;
	if (ns > sums->above)
		sums->longest |= bit;
	if (slot < LT_SLOTS)
		__sync_fetch_and_add(&row->slots[slot], 1);
	return 0;
}

/*
 * Count several calls of a handler. The last one returned @ret, the others succeeded. Returns
 * a bit for each that is one of the longest of this CPU.
 */
__noinline __u32 calls_count(struct lt_row *row, const struct durations *d, __u32 nr, int ret)
{
	struct lt_slowest *s = lookup_single(&slowest);
	struct sums sums = { .least = ~0ULL };
	__u32 i;

	if (!row || !d || !s)
		return 0;
	sums.above = s->least_ns;
	for (i = 0; i < LT_CALLED_MAX && i < nr; i++)
		sums_add(&sums, row, d->ns[i], 1U << i);
	atomic_max(&row->min_ns, ~sums.least);
	atomic_max(&row->max_ns, sums.most);
	__sync_fetch_and_add(&row->count, nr);
	__sync_fetch_and_add(&row->total_ns, sums.total);
	if (ret < 0)
		__sync_fetch_and_add(&row->errors, 1);
	return sums.longest;
}

/* A function of its own, as the verifier would follow each combination of bits. */
__noinline __u32 has_bit(__u32 bits, __u32 i)
{
	return bits >> (i & 31) & 1;
}

struct luo_called {
	const char *session;
	__u64 token;
} __attribute__((preserve_access_index));

/* What is done for a few calls only; @counted: as call_known() returns. */
static __noinline int call_single(const struct luo_called *called, const char *compatible,
				  struct lt_slow *call, int counted, _Bool last)
{
	const char *session;

	if (!call)
		return 0;
	bpf_core_read(&session, sizeof(session), &called->session);
	bpf_core_read(&call->token, sizeof(call->token), &called->token);
	set_name(call->session, session);
	set_compat(call->compatible, compatible);
	if (counted == CALL_NOT_COUNTED)
		call_end(LT_HANDLER_EXIT, 0, call);
	else if (counted == CALL_LONG)
		call_keep(call);
	if (last && count_folios && folio_pending)
		folio_call_end(call);
	return 0;
}

/*
 * In the place of luo_handler_exit, for who only counts calls by handler: see
 * tracer_needs(). It takes more stack than there is, but kernels that have the event give
 * such a program one of its own.
 */
SEC("?tp_btf/luo_handler_calls")
int BPF_PROG(on_luo_handler_calls, __u64 number, const char *compatible, __u32 op, int ret,
	     __u32 nr, const __u64 *durations_ns, const struct luo_called *calls)
{
	const __u64 stride = bpf_core_type_size(struct luo_called);
	struct durations d = {};
	__u64 size = nr * sizeof(d.ns[0]);
	__u32 longest = 0, single, i;
	int counted = CALL_COUNTED;
	struct lt_slow call;
	struct lt_known *k;
	struct lt_lost *l;

	if (!ready || !nr)
		return 0;
	/* Else the compiler bounds nr, from which the verifier does not conclude. */
	barrier_var(size);
	if (size > sizeof(d)) {
		/* Of a later kernel, which has more calls in an event. */
		l = lookup_single(&lost);
		if (l)
			__sync_fetch_and_add(&l->events, 1);
		return 0;
	}
	bpf_probe_read_kernel(&d, size, durations_ns);
	if (want_ops & (1ULL << (op & 63))) {
		k = known_get((__u64)compatible, op);
		if (k)
			longest = calls_count(&k->row, &d, nr, ret);
		else
			counted = CALL_NOT_COUNTED;
	}
	single = counted == CALL_COUNTED ? longest : (1U << nr) - 1;
	if (count_folios && folio_pending)
		single |= 1U << (nr - 1);
	for (i = 0; single && i < LT_CALLED_MAX; i++) {
		if (!has_bit(single, i))
			continue;
		__builtin_memset(&call, 0, sizeof(call));
		call.duration_ns = d.ns[i];
		call.op = op;
		call.ret = i == nr - 1 ? ret : 0;
		call_single((const void *)calls + i * stride, compatible, &call,
			    has_bit(longest, i) ? CALL_LONG : counted, i == nr - 1);
	}
	return 0;
}
