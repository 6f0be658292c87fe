/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Counting calls: a row for each key, the longest ones of each CPU. A part of
 * luotrace.bpf.c, whose maps and settings it uses.
 */

#ifndef CALLS_BPF_H
#define CALLS_BPF_H

#define MAX_RAISES	64	/* CPUs that win against this one, at most */

/*
 * Some are global functions: the verifier looks at them once, not along each
 * path that leads to them.
 */

/* Where in a histogram a time belongs. */
__noinline __u32 slot_of(__u64 ns)
{
	return lt_slot(ns);
}

/* The shortest of the longest calls of this CPU that @ns is longer than. */
__noinline __u32 place_of(__u64 ns)
{
	struct lt_slowest *s = only(&slowest);
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

/* The shortest of the longest calls of this CPU, if it is shorter than @least. */
__noinline __u64 least_of(__u64 least)
{
	struct lt_slowest *s = only(&slowest);
	__u32 i;

	for (i = 0; s && i < LT_SLOWEST; i++) {
		if (s->calls[i].duration_ns < least)
			least = s->calls[i].duration_ns;
	}
	return least;
}

/* Keep a call if it is among the longest of this CPU; most are not. */
static void keep_slow(const struct lt_slow *call)
{
	struct lt_slowest *s = only(&slowest);
	__u32 at;

	if (!s || call->duration_ns <= s->least_ns)
		return;
	at = place_of(call->duration_ns);
	if (at < LT_SLOWEST)
		s->calls[at] = *call;
	s->least_ns = least_of(~0ULL);
}

/*
 * Raise a value that other CPUs raise, too. One that is raised meanwhile is higher, so
 * that this ends soon: whoever loses has seen another CPU win.
 */
static __always_inline void raise(__u64 *to, __u64 value)
{
	__u64 seen = *(volatile __u64 *)to, found;
	int i;

	for (i = 0; i < MAX_RAISES && value > seen; i++) {
		found = __sync_val_compare_and_swap(to, seen, value);
		if (found == seen)
			return;
		seen = found;
	}
}

static __always_inline void add(struct lt_row *row, __u64 ns, int ret)
{
	__u32 slot = slot_of(ns);

	raise(&row->min_ns, ~ns);
	raise(&row->max_ns, ns);
	__sync_fetch_and_add(&row->count, 1);
	__sync_fetch_and_add(&row->total_ns, ns);
	if (ret < 0)
		__sync_fetch_and_add(&row->errors, 1);
	if (slot < LT_SLOTS)
		__sync_fetch_and_add(&row->slots[slot], 1);
}

static void count(const struct lt_slow *call)
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
		empty = only(&empty_row);
		if (!empty)
			return;
		/* Another CPU may have made the row just now. */
		bpf_map_update_elem(&rows, &key, empty, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&rows, &key);
	}
	if (row) {
		add(row, call->duration_ns, call->ret);
		return;
	}
	row = bpf_map_lookup_elem(&others, &op);
	if (row)
		add(row, call->duration_ns, call->ret);
	l = only(&lost);
	if (l)
		__sync_fetch_and_add(&l->rows, 1);
}

/* Whether the filters let a call be counted. */
static __always_inline _Bool wanted_call(const struct lt_slow *call)
{
	if (want_session[0] && !same(want_session, call->session))
		return 0;
	if (want_handler[0] && !same(want_handler, call->compatible))
		return 0;
	if (!(want_ops & (1ULL << (call->op & 63))) ||
	    call->duration_ns < want_min_ns)
		return 0;
	return !want_errors || call->ret < 0;
}

/* A call is over: count it, stream it. */
static __always_inline void called(__u32 type, __u64 number, struct lt_slow *call)
{
	struct lt_event *e;

	if (!wanted_call(call))
		return;

	if (count_calls) {
		call->ts = bpf_ktime_get_ns();
		count(call);
		keep_slow(call);
	}

	e = begin(type, call->ret);
	if (!e)
		return;
	e->number = number;
	e->call.token = call->token;
	e->call.duration_ns = call->duration_ns;
	e->call.op = call->op;
	__builtin_memcpy(e->session, call->session, sizeof(call->session));
	__builtin_memcpy(e->compatible, call->compatible, sizeof(call->compatible));
	end(e, 1, 0);
}

#endif
