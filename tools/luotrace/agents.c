// SPDX-License-Identifier: GPL-2.0

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agents.h"
#include "agents.skel.h"
#include "fmt.h"
#include "msg.h"

struct agents_tracer {
	struct agents_bpf *bpf;
};

_Static_assert(AGENTS_TASKS == LIVEUPDATE_RECORDER_TASKS, "tasks");
_Static_assert(AGENTS_WAITS == LIVEUPDATE_RECORDER_WAITS, "what a task waits for");
_Static_assert(AGENTS_ANCESTORS == LIVEUPDATE_RECORDER_ANCESTORS, "ancestors");
_Static_assert(AGENTS_COMM == LIVEUPDATE_RECORDER_COMM, "names of tasks");
_Static_assert((int)AGENTS_DOINGS == LIVEUPDATE_NR_DOINGS, "what a task does");
_Static_assert((int)AGENTS_CALL == LIVEUPDATE_DOING_CALL, "in a call");
_Static_assert((int)AGENTS_CPU == LIVEUPDATE_DOING_CPU, "on a CPU");
_Static_assert((int)AGENTS_QUEUED == LIVEUPDATE_DOING_QUEUED, "waiting for a CPU");
_Static_assert((int)AGENTS_BLOCKED == LIVEUPDATE_DOING_BLOCKED, "blocked");
_Static_assert(AGENTS_WAIT_OUTSIDE == LIVEUPDATE_WAIT_OUTSIDE, "outside of calls");
_Static_assert(AGENTS_WAIT_COMPAT == LIVEUPDATE_WAIT_COMPAT, "another ABI");
_Static_assert(AGENTS_WAKER_NONE == LIVEUPDATE_WAKER_NONE, "woken by nobody");
_Static_assert(AGENTS_WAKER_IRQ == LIVEUPDATE_WAKER_IRQ, "woken by an interrupt");
_Static_assert(AGENTS_IS_AGENT == LIVEUPDATE_TASK_AGENT, "an agent");
_Static_assert(AGENTS_IS_CHILD == LIVEUPDATE_TASK_CHILD, "a child");
_Static_assert(AGENTS_IS_GONE == LIVEUPDATE_TASK_GONE, "a task that has exited");

/* By number, of the architecture that this program is for. */
static const char *const syscalls[] = {
#include "syscall_names.h"
};

/* What is worth having, but not needed. */
enum { WITH_FAULTS = 1, WITH_INTERRUPTS = 2, WITH_ALL = 3 };

static bool load(struct agents_tracer *t, int with)
{
	t->bpf = agents_bpf__open();
	if (!t->bpf)
		return false;
	bpf_program__set_autoload(t->bpf->progs.agents_handle_mm_fault, with & WITH_FAULTS);
	bpf_program__set_autoload(t->bpf->progs.agents_handle_mm_fault_end,
				  with & WITH_FAULTS);
	bpf_program__set_autoload(t->bpf->progs.agents_sched_waking, with & WITH_INTERRUPTS);
	bpf_program__set_autoload(t->bpf->progs.agents_sched_waking_any,
				  !(with & WITH_INTERRUPTS));
	t->bpf->rodata->own_tgid = getpid();
	if (!agents_bpf__load(t->bpf) && !agents_bpf__attach(t->bpf))
		return true;
	agents_bpf__destroy(t->bpf);
	t->bpf = NULL;
	return false;
}

struct agents_tracer *agents_open(void)
{
	struct agents_tracer *t = calloc(1, sizeof(*t));
	int with = WITH_ALL;

	if (!t) {
		msg_error("out of memory");
		return NULL;
	}
	while (with >= 0 && !load(t, with))
		with--;
	if (!t->bpf) {
		msg_error("what agents do between their calls is not traced: %s",
			  strerror(errno));
		free(t);
		return NULL;
	}
	t->bpf->bss->agents_ready = true;
	return t;
}

void agents_close(struct agents_tracer *t)
{
	if (!t)
		return;
	agents_bpf__destroy(t->bpf);
	free(t);
}

const struct agents *agents_get(const struct agents_tracer *t)
{
	return &t->bpf->bss->agents;
}

static void fill_wait(const struct agents_wait *w, struct liveupdate_recorder_wait *to)
{
	const size_t known = sizeof(syscalls) / sizeof(syscalls[0]);

	to->ns = w->ns;
	to->count = w->count;
	to->nr = w->nr;
	to->waker = w->waker;
	memcpy(to->comm, w->comm, sizeof(to->comm));
	to->comm[sizeof(to->comm) - 1] = '\0';
	if (w->count && w->nr >= 0 && (size_t)w->nr < known && syscalls[w->nr])
		strncpy(to->call, syscalls[w->nr], sizeof(to->call) - 1);
}

static void fill_task(const struct agents_task *t, struct liveupdate_recorder_task *to)
{
	int i;

	memset(to, 0, sizeof(*to));
	to->pid = t->pid;
	to->parent = t->parent;
	to->flags = t->flags;
	to->from = t->from;
	to->until = t->until;
	for (i = 0; i < AGENTS_DOINGS; i++)
		to->ns[i] = t->ns[i];
	to->user = t->user;
	to->system = t->system;
	to->minor = t->minor;
	to->major = t->major;
	for (i = 0; i < AGENTS_WAITS; i++)
		fill_wait(&t->waits[i], &to->waits[i]);
	memcpy(to->comm, t->comm, sizeof(to->comm));
	to->comm[sizeof(to->comm) - 1] = '\0';
}

void agents_fill(const struct agents *a, struct liveupdate_recorder_inside *inside)
{
	struct liveupdate_recorder_ancestor *to;
	int i;

	for (i = 0; i < AGENTS_ANCESTORS; i++) {
		to = &inside->ancestors[i];
		memset(to, 0, sizeof(*to));
		to->started = a->opened_by[i].started;
		to->pid = a->opened_by[i].pid;
		memcpy(to->comm, a->opened_by[i].comm, sizeof(to->comm));
		to->comm[sizeof(to->comm) - 1] = '\0';
	}
	for (i = 0; i < AGENTS_TASKS; i++) {
		fill_task(&a->tasks[0][i], &inside->tasks[0][i]);
		fill_task(&a->tasks[1][i], &inside->tasks[1][i]);
	}
	inside->lost_tasks = a->nr > AGENTS_TASKS ? a->nr - AGENTS_TASKS : 0;
}

/* Time in page faults of a task in a phase, which no record has. */
static void add_faults(struct inside *to, const struct blackout *b, enum span s,
		       const struct agents_task *t, const struct agents_task *before)
{
	struct inside_item item = { .span = s, .source = INSIDE_TRACE, .detail = 1,
				    .to = b->ns[s], .ns = t->faults };
	char comm[AGENTS_COMM + 1], name[4 * sizeof(comm)];
	uint64_t n = t->minor + t->major;

	if (before && before->pid == t->pid) {
		item.ns -= before->faults;
		n -= before->minor + before->major;
	}
	snprintf(comm, sizeof(comm), "%.*s", AGENTS_COMM, t->comm);
	snprintf(item.text, sizeof(item.text), "%s (%u) in %llu page fault%s",
		 fmt_name(name, sizeof(name), comm), t->pid, (unsigned long long)n,
		 fmt_s(n));
	inside_add(to, b, &item);
}

void agents_faults(const struct agents *a, struct inside *to, const struct blackout *b)
{
	int i;

	for (i = 0; i < AGENTS_TASKS; i++) {
		add_faults(to, b, SPAN_RESTORE, &a->tasks[0][i], NULL);
		add_faults(to, b, SPAN_FINISH, &a->tasks[1][i], &a->tasks[0][i]);
	}
}
