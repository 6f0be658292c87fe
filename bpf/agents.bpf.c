// SPDX-License-Identifier: GPL-2.0

/*
 * What agents do while they restore, between their calls of LUO too, on a kernel whose LUO
 * has no recorder for it: the time of the task that opens the device, of tasks that call
 * LUO after it, and of their children, divided into calls of LUO, on a CPU, waiting for a
 * CPU, and blocked.
 *
 * A task changes an entry of its own when it calls, leaves a CPU or gets one. Another task
 * does only when it wakes it, and then it is blocked: there is no lock. A wakeup at the very
 * moment at which a task goes to sleep can be missed, and then waiting for a CPU counts as
 * blocked.
 */

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "agents.h"

#define CO_RE	__attribute__((preserve_access_index))

#define TASK_DEAD	0x80
#define PF_KTHREAD	0x00200000
#define TS_COMPAT	2	/* x86 */
#define PSR_MODE32	0x10	/* arm64 */
/* Of the count of preemption: in an interrupt, or serving a soft one. */
#define IN_INTERRUPT	0x00ff0100

char LICENSE[] SEC("license") = "GPL";

struct thread_info {
	unsigned int status;	/* x86 */
} CO_RE;

struct task_struct {
	struct thread_info thread_info;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	__u64 start_time;
	__u64 utime;
	__u64 stime;
	unsigned long min_flt;
	unsigned long maj_flt;
	char comm[AGENTS_COMM];
} CO_RE;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long orig_ax;
} CO_RE;

/* A CPU's own; of 8 bytes in some kernels, whose lower half is the same. */
extern const int __preempt_count __ksym __weak;
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	unsigned long pstate;
	int syscallno;
} CO_RE;

struct thread_info___arm64 {
	int preempt_count;
} CO_RE;
#endif

/* Set before the programs are loaded: luotrace, whose own calls are none of an agent. */
const volatile __u32 own_tgid;

/* Set when all programs are attached. */
_Bool agents_ready;

struct agents agents;

/**
 * struct state - what an entry of @now does
 * @task:  address of the task, 0 once it has exited
 * @since: when it began to do that
 * @user:  its figures when they were added last; @system, @minor, @major: the same
 * @fault: when its page fault began, 0 if it is in none
 * @doing: what it does, but for calls of LUO
 * @calls: whether it is in a call of LUO
 * @nr:    the system call in which it is blocked
 */
struct state {
	__u64 task;
	__u64 since;
	__u64 user;
	__u64 system;
	__u64 minor;
	__u64 major;
	__u64 fault;
	__u32 doing;
	__u32 calls;
	__s32 nr;
	__u32 pad;
};

static struct state states[AGENTS_TASKS];
static struct agents_task now_tasks[AGENTS_TASKS];
static __u64 mask;	/* a bit for each remainder of a thread ID */
static _Bool claimed;	/* a session, since the device was opened */

/* The last task that opens the device. */
static __u64 opener, opener_began;

/* False for most tasks that are not recorded. */
static __always_inline _Bool likely_task(int pid)
{
	return mask >> (pid & 63) & 1;
}

static __noinline int task_find(__u64 task)
{
	int i;

	for (i = 0; i < AGENTS_TASKS; i++) {
		if (states[i].task == task)
			return i;
	}
	return -1;
}

/* The time up to now is that of what it has done. Returns it. */
static __always_inline __u64 task_account(struct state *s, struct agents_task *t, __u64 now)
{
	__u64 ns = now > s->since ? now - s->since : 0;
	__u32 doing = s->calls ? AGENTS_CALL : s->doing;

	s->since += ns;
	t->until += ns;
	if (doing < AGENTS_DOINGS)
		t->ns[doing] += ns;
	return ns;
}

/* Add what its figures have grown by, but for calls. */
static __always_inline void task_sample(struct state *s, struct agents_task *t)
{
	struct task_struct *task = (void *)s->task;
	__u64 user = BPF_CORE_READ(task, utime), system = BPF_CORE_READ(task, stime);
	__u64 minor = BPF_CORE_READ(task, min_flt), major = BPF_CORE_READ(task, maj_flt);

	if (!s->calls) {
		t->user += user - s->user;
		t->system += system - s->system;
		t->minor += minor - s->minor;
		t->major += major - s->major;
	}
	s->user = user;
	s->system = system;
	s->minor = minor;
	s->major = major;
	bpf_probe_read_kernel(t->comm, sizeof(t->comm), &task->comm);
}

/* The index of a new entry, AGENTS_TASKS if there is no room. */
static __noinline int task_add(struct task_struct *task, __u32 doing, __u64 now)
{
	__u32 i = agents.nr < AGENTS_TASKS ? __sync_fetch_and_add(&agents.nr, 1) :
					     AGENTS_TASKS;
	struct agents_task *t;
	struct state *s;

	if (i >= AGENTS_TASKS) {
		__sync_fetch_and_add(&agents.nr, 1);
		return AGENTS_TASKS;
	}
	s = &states[i];
	t = &now_tasks[i];
	__builtin_memset(t, 0, sizeof(*t));
	__builtin_memset(s, 0, sizeof(*s));
	s->since = now;
	s->doing = doing;
	s->user = BPF_CORE_READ(task, utime);
	s->system = BPF_CORE_READ(task, stime);
	s->minor = BPF_CORE_READ(task, min_flt);
	s->major = BPF_CORE_READ(task, maj_flt);
	t->pid = BPF_CORE_READ(task, pid);
	t->from = now;
	t->until = now;
	bpf_probe_read_kernel(t->comm, sizeof(t->comm), &task->comm);
	__sync_fetch_and_or(&mask, 1ULL << (t->pid & 63));
	s->task = (__u64)task;
	return i;
}

/* Add a wait to those of a task; the shortest gives way. */
static __noinline int wait_add(struct agents_task *t, __s32 nr, __s32 waker, __u64 ns)
{
	struct agents_wait *w, *to = 0, *shortest = 0;
	int i;

	if (!t)
		return 0;
	for (i = 0; i < AGENTS_WAITS; i++) {
		w = &t->waits[i];
		if (!w->count || (w->nr == nr && w->waker == waker)) {
			to = w;
			break;
		}
		if (!shortest || w->ns < shortest->ns)
			shortest = w;
	}
	if (!to) {
		if (!shortest || ns <= shortest->ns)
			return 0;
		to = shortest;
		to->count = 0;
		to->ns = 0;
	}
	if (!to->count) {
		to->nr = nr;
		to->waker = waker;
		__builtin_memset(to->comm, 0, sizeof(to->comm));
		if (waker > 0)
			bpf_get_current_comm(to->comm, sizeof(to->comm));
	}
	to->count++;
	to->ns += ns;
	return 0;
}

static __always_inline void wait_account(struct state *s, struct agents_task *t, __u64 now,
					 __s32 waker)
{
	__u64 ns = task_account(s, t, now);

	if (ns && !s->calls && s->doing == AGENTS_BLOCKED)
		wait_add(t, s->nr, waker, ns);
}

/* The system call of the current task. */
static __always_inline int syscall_nr(struct task_struct *task)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
		return AGENTS_WAIT_COMPAT;
	return (int)BPF_CORE_READ(regs, orig_ax);
#elif defined(__TARGET_ARCH_arm64)
	if (BPF_CORE_READ(regs, pstate) & PSR_MODE32)
		return AGENTS_WAIT_COMPAT;
	return BPF_CORE_READ(regs, syscallno);
#else
	return AGENTS_WAIT_OUTSIDE;
#endif
}

static __always_inline _Bool in_interrupt(void)
{
#if defined(__TARGET_ARCH_x86)
	const int *count = bpf_this_cpu_ptr(&__preempt_count);

	return *count & IN_INTERRUPT;
#elif defined(__TARGET_ARCH_arm64)
	struct task_struct *task = (void *)bpf_get_current_task();
	struct thread_info___arm64 *info = (void *)&task->thread_info;

	return BPF_CORE_READ(info, preempt_count) & IN_INTERRUPT;
#else
	return 0;
#endif
}

static __always_inline void task_leaves(int i, struct task_struct *task, __u32 blocked,
					__u64 now)
{
	struct agents_task *t = &now_tasks[i & (AGENTS_TASKS - 1)];
	struct state *s = &states[i & (AGENTS_TASKS - 1)];

	task_account(s, t, now);
	task_sample(s, t);
	if (blocked)
		s->nr = syscall_nr(task);
	s->doing = blocked ? AGENTS_BLOCKED : AGENTS_QUEUED;
	if (blocked & TASK_DEAD) {
		t->flags |= AGENTS_IS_GONE;
		s->task = 0;
	}
}

SEC("tp_btf/sched_switch")
int BPF_PROG(agents_sched_switch, _Bool preempt, struct task_struct *prev,
	     struct task_struct *next, unsigned int prev_state)
{
	struct state *s;
	__u64 now;
	int i;

	if (!mask || (!likely_task(prev->pid) && !likely_task(next->pid)))
		return 0;
	now = bpf_ktime_get_ns();
	i = task_find((__u64)prev);
	if (i >= 0)
		task_leaves(i, prev, preempt ? 0 : prev_state, now);
	i = task_find((__u64)next);
	if (i < 0)
		return 0;
	s = &states[i & (AGENTS_TASKS - 1)];
	wait_account(s, &now_tasks[i & (AGENTS_TASKS - 1)], now, AGENTS_WAKER_NONE);
	s->doing = AGENTS_CPU;
	return 0;
}

static __always_inline int waking(struct task_struct *task, int waker)
{
	struct state *s;
	int i;

	if (!likely_task(task->pid))
		return 0;
	i = task_find((__u64)task);
	if (i < 0)
		return 0;
	s = &states[i & (AGENTS_TASKS - 1)];
	if (s->doing != AGENTS_BLOCKED)
		return 0;
	wait_account(s, &now_tasks[i & (AGENTS_TASKS - 1)], bpf_ktime_get_ns(), waker);
	s->doing = AGENTS_QUEUED;
	return 0;
}

/*
 * One of the two. A kernel that hides where the count of preemption is does not load the
 * first one; then nobody can tell an interrupt from the task that it has interrupted.
 */
SEC("?tp_btf/sched_waking")
int BPF_PROG(agents_sched_waking, struct task_struct *task)
{
	return waking(task, in_interrupt() ? AGENTS_WAKER_IRQ :
					     (int)bpf_get_current_pid_tgid());
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(agents_sched_waking_any, struct task_struct *task)
{
	return waking(task, AGENTS_WAKER_NONE);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(agents_sched_process_fork, struct task_struct *parent,
	     struct task_struct *child)
{
	int i;

	if (!likely_task(parent->pid) || task_find((__u64)parent) < 0)
		return 0;
	i = task_add(child, AGENTS_QUEUED, bpf_ktime_get_ns());
	if (i >= 0 && i < AGENTS_TASKS) {
		now_tasks[i].flags |= AGENTS_IS_CHILD;
		now_tasks[i].parent = parent->pid;
	}
	return 0;
}

static __always_inline _Bool is_own(void)
{
	return !agents_ready || bpf_get_current_pid_tgid() >> 32 == own_tgid;
}

static __always_inline int call_begins(void)
{
	__u64 task = bpf_get_current_task(), now = bpf_ktime_get_ns();
	int i;

	/* Before the device was opened, nobody restores. */
	if (is_own() || !agents.opened_by[0].pid)
		return 0;
	i = task_find(task);
	if (i < 0)
		i = task_add((void *)task, AGENTS_CPU, now);
	if (i < 0 || i >= AGENTS_TASKS)
		return 0;
	task_account(&states[i], &now_tasks[i], now);
	task_sample(&states[i], &now_tasks[i]);
	states[i].calls = 1;
	now_tasks[i].flags |= AGENTS_IS_AGENT;
	return 0;
}

static __always_inline int call_ends(void)
{
	__u64 task = bpf_get_current_task();
	int i;

	if (is_own())
		return 0;
	i = task_find(task);
	if (i < 0 || i >= AGENTS_TASKS)
		return 0;
	task_account(&states[i], &now_tasks[i], bpf_ktime_get_ns());
	task_sample(&states[i], &now_tasks[i]);
	states[i].calls = 0;
	return 0;
}

static __noinline int keep_ancestors(void)
{
	struct task_struct *task = (void *)bpf_get_current_task(), *parent;
	struct agents_ancestor *a;
	int i;

	for (i = 0; i < AGENTS_ANCESTORS; i++) {
		a = &agents.opened_by[i];
		__builtin_memset(a, 0, sizeof(*a));
		if (!task)
			continue;
		a->pid = BPF_CORE_READ(task, tgid);
		a->started = BPF_CORE_READ(task, start_time);
		bpf_probe_read_kernel(a->comm, sizeof(a->comm), &task->comm);
		parent = BPF_CORE_READ(task, real_parent);
		/* The first process is a child of the kernel's own. */
		task = a->pid > 1 && parent != task ? parent : 0;
	}
	return 0;
}

SEC("fentry/luo_open")
int BPF_PROG(agents_luo_open)
{
	if (is_own())
		return 0;
	opener = bpf_get_current_task();
	opener_began = bpf_ktime_get_ns();
	return 0;
}

/* The restore begins: with the open that a session is claimed through. */
SEC("fexit/luo_open")
int BPF_PROG(agents_luo_open_end, void *inode, void *file, int ret)
{
	__u64 task = bpf_get_current_task(), now = bpf_ktime_get_ns();
	int i;

	if (is_own() || ret || claimed)
		return 0;
	for (i = 0; i < AGENTS_TASKS; i++)
		states[i].task = 0;
	mask = 0;
	agents.nr = 0;
	keep_ancestors();
	i = task_add((void *)task, AGENTS_CPU, opener == task ? opener_began : now);
	if (i < 0 || i >= AGENTS_TASKS)
		return 0;
	now_tasks[i].flags = AGENTS_IS_AGENT;
	/* The open is a call, too. */
	states[i].calls = 1;
	task_account(&states[i], &now_tasks[i], now);
	states[i].calls = 0;
	return 0;
}

#define CALL(_fn)							\
	SEC("fentry/" #_fn)						\
	int BPF_PROG(agents_##_fn)					\
	{								\
		return call_begins();					\
	}								\
									\
	SEC("fexit/" #_fn)						\
	int BPF_PROG(agents_##_fn##_end)				\
	{								\
		return call_ends();					\
	}

CALL(luo_ioctl)
CALL(luo_session_ioctl)

SEC("fexit/luo_session_retrieve")
int BPF_PROG(agents_luo_session_retrieve, const char *name, void *filep, int ret)
{
	if (!is_own() && !ret)
		claimed = 1;
	return 0;
}

/* Take an entry as it is now: copy it again if it is changed meanwhile. */
static __noinline int keep_task(__u32 when, __u32 i, __u64 now)
{
	struct agents_task *t;
	struct state s;
	int tries;

	if (when > 1 || i >= AGENTS_TASKS)
		return 0;
	t = &agents.tasks[when][i];
	for (tries = 0; tries < 3; tries++) {
		s = states[i];
		bpf_probe_read_kernel(t, sizeof(*t), &now_tasks[i]);
		if (*(volatile __u64 *)&states[i].since == s.since)
			break;
	}
	if (!s.task)
		return 0;
	task_sample(&s, t);
	wait_account(&s, t, now, AGENTS_WAKER_NONE);
	return 0;
}

static __always_inline int keep(__u32 when)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 i;

	for (i = 0; i < AGENTS_TASKS && i < agents.nr; i++)
		keep_task(when, i, now);
	return 0;
}

SEC("fexit/luo_retrieve_file")
int BPF_PROG(agents_luo_retrieve_file, void *set, __u64 token, void *filep, int ret)
{
	return is_own() || ret ? 0 : keep(0);
}

SEC("fexit/luo_session_finish")
int BPF_PROG(agents_luo_session_finish, void *session, void *ucmd, int ret)
{
	return is_own() || ret ? 0 : keep(1);
}

SEC("?fentry/handle_mm_fault")
int BPF_PROG(agents_handle_mm_fault)
{
	int i, pid = bpf_get_current_pid_tgid();

	if (!likely_task(pid))
		return 0;
	i = task_find(bpf_get_current_task());
	if (i >= 0 && i < AGENTS_TASKS && !states[i].calls)
		states[i].fault = bpf_ktime_get_ns();
	return 0;
}

SEC("?fexit/handle_mm_fault")
int BPF_PROG(agents_handle_mm_fault_end)
{
	int i, pid = bpf_get_current_pid_tgid();

	if (!likely_task(pid))
		return 0;
	i = task_find(bpf_get_current_task());
	if (i < 0 || i >= AGENTS_TASKS || !states[i].fault)
		return 0;
	now_tasks[i].faults += bpf_ktime_get_ns() - states[i].fault;
	states[i].fault = 0;
	return 0;
}
