// SPDX-License-Identifier: GPL-2.0

/*
 * The calls that tasks are in. The frontend adds those that it finds to have begun before
 * the programs were attached; they end like the others. It applies the filters, too: a task
 * in a call that is not here would be taken for one of those.
 */

#include "stacks.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LT_FLIGHTS);
	__type(key, struct lt_flight_key);
	__type(value, struct lt_flight);
} flights SEC(".maps");

int flight_begin(struct lt_flight *call)
{
	struct lt_flight_key key = {};
	struct lt_lost *l;
	__u64 id;

	if (!call)
		return 0;
	if (want_stacks)
		stacks_begin(call);
	if (!keep_flights)
		return 0;

	id = bpf_get_current_pid_tgid();
	call->ts = bpf_ktime_get_ns();
	call->pid = id >> 32;
	call->tid = (__u32)id;
	bpf_get_current_comm(call->comm, sizeof(call->comm));
	key.tid = call->tid;
	key.kind = call->kind;
	if (!bpf_map_update_elem(&flights, &key, call, BPF_ANY))
		return 0;
	l = lookup_single(&lost);
	if (l)
		__sync_fetch_and_add(&l->flights, 1);
	return 0;
}

int flight_end(__u32 kind)
{
	struct lt_flight_key key = { .kind = kind };

	if (want_stacks)
		stacks_end(kind);
	if (!keep_flights)
		return 0;
	key.tid = (__u32)bpf_get_current_pid_tgid();
	bpf_map_delete_elem(&flights, &key);
	return 0;
}
