// SPDX-License-Identifier: GPL-2.0

/*
 * Where long calls spend their time: the kernel stack of the task at each tick of a clock
 * while it runs, and when it is switched out, for as long as it has no CPU. Time is added
 * up by target, operation and stack.
 *
 * Whether a call is long is known when it has been. Until then its stacks are held with it,
 * and dropped if it ends before; from then on they are added at once. A call of an FLB
 * inside the call of a handler is part of the latter.
 *
 * Only one program at a time has the call of a task: the task itself, a clock that
 * interrupts it, or the switch from or to it.
 */

#include "stacks.bpf.h"

#define barrier()	asm volatile("" ::: "memory")

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

const volatile _Bool want_stacks;
const volatile __u64 want_stacks_ns;	/* a call of this duration is long */
const volatile __u64 stack_period_ns = 1; /* between two ticks; not 0 */

/* Calls in progress, so that a switch between other tasks costs next to nothing. */
__u32 nr_stack_calls;
struct lt_stack_lost stack_lost;
/* Different stacks so far. */
static __u32 nr_stacks;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LT_STACK_CALLS);
	__type(key, __u32);
	__type(value, struct lt_stack_call);
} stack_calls SEC(".maps");

/* The initial value, too big for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_stack_call);
} stack_call_empty SEC(".maps");

/*
 * By all of its frames: a map of stack traces has one place for all stacks of a hash and
 * loses the others.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LT_STACKS);
	__type(key, struct lt_stack);
	__type(value, __u32);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LT_STACK_SUMS);
	__type(key, struct lt_stack_key);
	__type(value, struct lt_stack_sum);
} stack_sums SEC(".maps");

/* Its users have interrupts disabled. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_stack);
} stack_buffer SEC(".maps");

/* The key is that of the call: another one would be on the stack. */
static __always_inline void sum_add(struct lt_stack_call *c, __u32 stack, __u32 off,
				    __u64 ns, __u64 count)
{
	struct lt_stack_sum fresh = {}, *sum;

	c->key.stack = stack;
	c->key.off = off;
	sum = bpf_map_lookup_elem(&stack_sums, &c->key);
	if (!sum) {
		/* Another CPU can have created it meanwhile. */
		bpf_map_update_elem(&stack_sums, &c->key, &fresh, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&stack_sums, &c->key);
	}
	if (!sum) {
		__sync_fetch_and_add(&stack_lost.stacks, count);
		return;
	}
	__sync_fetch_and_add(&sum->ns, ns);
	__sync_fetch_and_add(&sum->count, count);
}

/* Number of the stack of this task, from 1; 0 if it cannot be had. */
static __u32 stack_number(void *ctx)
{
	struct lt_stack *s = lookup_single(&stack_buffer);
	__u32 *found, number;

	if (!s)
		return 0;
	__builtin_memset(s, 0, sizeof(*s));
	if (bpf_get_stack(ctx, s->ips, sizeof(s->ips), 0) <= 0)
		return 0;
	found = bpf_map_lookup_elem(&stacks, s);
	if (found)
		return *found;
	number = __sync_fetch_and_add(&nr_stacks, 1) + 1;
	if (!bpf_map_update_elem(&stacks, s, &number, BPF_NOEXIST))
		return number;
	/* Another CPU has added it, or it found no room. */
	found = bpf_map_lookup_elem(&stacks, s);
	return found ? *found : 0;
}

/* Hold a stack with a call that is not long yet. */
static void call_hold(struct lt_stack_call *c, __u32 stack, __u32 off, __u64 ns)
{
	__u32 i;

	for (i = 0; i < LT_HELD_STACKS; i++) {
		if (i >= c->nr)
			break;
		if (c->held[i].stack == stack && c->held[i].off == off)
			break;
	}
	if (i >= LT_HELD_STACKS) {
		__sync_fetch_and_add(&stack_lost.stacks, 1);
		return;
	}
	if (i >= c->nr) {
		c->held[i].stack = stack;
		c->held[i].off = off;
		c->held[i].sum.ns = 0;
		c->held[i].sum.count = 0;
		c->nr = i + 1;
	}
	c->held[i].sum.ns += ns;
	c->held[i].sum.count++;
}

/* The call is a long one: add up what was held. */
static void call_commit(struct lt_stack_call *c)
{
	__u32 i;

	for (i = 0; i < LT_HELD_STACKS; i++) {
		if (i >= c->nr)
			break;
		sum_add(c, c->held[i].stack, c->held[i].off, c->held[i].sum.ns,
			c->held[i].sum.count);
	}
	c->nr = 0;
}

static void call_add(struct lt_stack_call *c, __u32 stack, __u32 off, __u64 ns, __u64 now)
{
	if (!stack) {
		__sync_fetch_and_add(&stack_lost.stacks, 1);
		return;
	}
	if (now - c->began < want_stacks_ns) {
		call_hold(c, stack, off, ns);
		return;
	}
	if (c->nr)
		call_commit(c);
	sum_add(c, stack, off, ns, 1);
}

static __always_inline struct lt_stack_call *call_of(__u32 tid)
{
	struct lt_stack_call *c = bpf_map_lookup_elem(&stack_calls, &tid);

	return c && c->live ? c : 0;
}

int stacks_begin(const struct lt_flight *call)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct lt_stack_call *c, *empty;

	if (!want_stacks || !call)
		return 0;
	c = bpf_map_lookup_elem(&stack_calls, &tid);
	if (c && c->live && call->kind == LT_FLB)
		return 0;
	/* The end of an earlier one can have been missed. */
	if (c)
		c->live = 0;
	if (want_session[0] && !name_equal(want_session, call->session))
		return 0;
	if (want_handler[0] && !name_equal(want_handler, call->compatible))
		return 0;
	if (!ready || !(want_ops & (1ULL << (call->op & 63))))
		return 0;

	if (!c) {
		empty = lookup_single(&stack_call_empty);
		if (!empty)
			return 0;
		bpf_map_update_elem(&stack_calls, &tid, empty, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&stack_calls, &tid);
		if (!c) {
			__sync_fetch_and_add(&stack_lost.calls, 1);
			return 0;
		}
		__sync_fetch_and_add(&nr_stack_calls, 1);
	}
	barrier();
	c->nr = 0;
	c->off_stack = 0;
	c->key.op = call->op;
	c->key.kind = call->kind;
	__builtin_memcpy(c->key.name, call->compatible, sizeof(c->key.name));
	c->began = bpf_ktime_get_ns();
	c->seen = c->began;
	barrier();
	c->live = 1;
	return 0;
}

int stacks_end(__u32 kind)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct lt_stack_call *c;
	__u64 ns;

	if (!want_stacks)
		return 0;
	c = call_of(tid);
	if (!c || c->key.kind != kind)
		return 0;
	c->live = 0;
	barrier();
	ns = bpf_ktime_get_ns() - c->began;
	if (ns >= want_stacks_ns) {
		call_commit(c);
		sum_add(c, 0, 0, ns, 1);
	}
	bpf_map_delete_elem(&stack_calls, &tid);
	__sync_fetch_and_add(&nr_stack_calls, -1);
	return 0;
}

/*
 * A tick stands for the time since the previous one. A machine that is busy, or a virtual
 * one that has no CPU, skips ticks.
 */
SEC("?perf_event")
int stacks_tick(void *ctx)
{
	__u64 now = bpf_ktime_get_ns(), periods = 0;
	struct lt_stack_call *c;

	if (!nr_stack_calls)
		return 0;
	c = call_of(bpf_get_current_pid_tgid());
	if (!c || c->off_stack)
		return 0;
	if (now > c->seen)
		periods = (now - c->seen) / stack_period_ns;
	c->seen = now;
	if (!periods)
		periods = 1;
	call_add(c, stack_number(ctx), 0, periods * stack_period_ns, now);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(stacks_switch, _Bool preempt, struct task_struct *prev,
	     struct task_struct *next)
{
	__u64 now;
	struct lt_stack_call *c;

	if (!nr_stack_calls)
		return 0;
	now = bpf_ktime_get_ns();
	c = call_of(prev->pid);
	if (c) {
		c->off_stack = stack_number(ctx);
		c->seen = now;
		if (!c->off_stack)
			__sync_fetch_and_add(&stack_lost.stacks, 1);
	}
	c = call_of(next->pid);
	if (c && c->off_stack) {
		call_add(c, c->off_stack, 1, now > c->seen ? now - c->seen : 0, now);
		c->off_stack = 0;
	}
	if (c)
		c->seen = now;
	return 0;
}
