// SPDX-License-Identifier: GPL-2.0

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fmt.h"
#include "inside_tasks.h"

#define COMM_BUF	(4 * LIVEUPDATE_RECORDER_COMM + 1)
#define CALL_BUF	(4 * LIVEUPDATE_RECORDER_SYSCALL + 1)

/* What a task did in a phase: @from and @to are ns since its begin. */
struct stay {
	struct liveupdate_recorder_task task;
	enum span span;
	uint64_t from;
	uint64_t to;
	bool counts;
	char name[COMM_BUF];
};

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Whether one or several tasks of that name ended a wait. */
static bool is_task(const struct liveupdate_recorder_wait *w)
{
	return w->waker > 0 || w->waker == LIVEUPDATE_WAKER_SEVERAL;
}

static const struct liveupdate_recorder_wait *
find_wait(const struct liveupdate_recorder_task *task,
	  const struct liveupdate_recorder_wait *like)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_WAITS; i++) {
		if (task->waits[i].count && task->waits[i].nr == like->nr &&
		    is_task(&task->waits[i]) == is_task(like) &&
		    (is_task(like) ? !strcmp(task->waits[i].comm, like->comm) :
				     task->waits[i].waker == like->waker))
			return &task->waits[i];
	}
	return NULL;
}

/* Leave of a task what it did after an earlier state of it. */
static void subtract(struct liveupdate_recorder_task *task,
		     const struct liveupdate_recorder_task *before)
{
	const struct liveupdate_recorder_wait *w;
	int i;

	if (before->pid != task->pid)
		return;
	for (i = 0; i < LIVEUPDATE_NR_DOINGS; i++)
		task->ns[i] = less(task->ns[i], before->ns[i]);
	task->user = less(task->user, before->user);
	task->system = less(task->system, before->system);
	task->minor = less(task->minor, before->minor);
	task->major = less(task->major, before->major);
	for (i = 0; i < LIVEUPDATE_RECORDER_WAITS; i++) {
		w = find_wait(before, &task->waits[i]);
		if (!task->waits[i].count || !w)
			continue;
		task->waits[i].ns = less(task->waits[i].ns, w->ns);
		task->waits[i].count = less(task->waits[i].count, w->count);
	}
	task->from = before->until;
}

/* The stays of a phase. Returns their number. */
static int find_stays(const struct liveupdate_recorder *r, const struct blackout *b,
		      enum span s, struct stay *all)
{
	uint64_t begin, end, from, to;
	struct stay *one = all;
	int i;

	if (!b->known[s] || !span_clock(r, s, &begin, &end))
		return 0;
	for (i = 0; i < LIVEUPDATE_RECORDER_TASKS; i++) {
		one->task = r->inside.tasks[s == SPAN_FINISH][i];
		if (!one->task.pid)
			break;
		if (s == SPAN_FINISH)
			subtract(&one->task, &r->inside.tasks[0][i]);
		from = one->task.from > begin ? one->task.from : begin;
		to = one->task.until < end ? one->task.until : end;
		if (from >= to)
			continue;
		one->span = s;
		/* From the end, by which the length of a phase is measured, too. */
		one->from = less(b->ns[s], end - from);
		one->to = less(b->ns[s], end - to);
		one->counts = false;
		fmt_name(one->name, sizeof(one->name), one->task.comm);
		one++;
	}
	return one - all;
}

/* Time on a CPU in user space: what was charged is samples, of which some are missing. */
static uint64_t user_ns(const struct liveupdate_recorder_task *t)
{
	unsigned __int128 all = (unsigned __int128)t->user + t->system;

	return all ? t->ns[LIVEUPDATE_DOING_CPU] * (unsigned __int128)t->user / all : 0;
}

__attribute__((format(printf, 6, 7)))
static void add(struct inside *to, const struct blackout *b, const struct stay *stay,
		bool detail, uint64_t ns, const char *fmt, ...)
{
	struct inside_item item = { .span = stay->span, .source = INSIDE_RECORD,
				    .detail = detail, .from = stay->from,
				    .to = stay->to, .ns = ns };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(item.text, sizeof(item.text), fmt, ap);
	va_end(ap);
	inside_add(to, b, &item);
}

static const char *call_text(const struct liveupdate_recorder_wait *w, char *text,
			     size_t size)
{
	char name[CALL_BUF];

	if (w->nr == LIVEUPDATE_WAIT_OUTSIDE)
		snprintf(text, size, "outside of system calls");
	else if (w->nr < 0)
		snprintf(text, size, "in a system call");
	else if (!*w->call)
		snprintf(text, size, "in system call %d", w->nr);
	else
		snprintf(text, size, "in %s", fmt_name(name, sizeof(name), w->call));
	return text;
}

static void add_wait(struct inside *to, const struct blackout *b, const struct stay *stay,
		     const struct liveupdate_recorder_wait *w)
{
	char call[CALL_BUF + 16], comm[COMM_BUF];

	call_text(w, call, sizeof(call));
	if (w->waker == LIVEUPDATE_WAKER_IRQ)
		add(to, b, stay, !stay->counts, w->ns,
		    "%s blocked %s, until an interrupt", stay->name, call);
	else if (w->waker == LIVEUPDATE_WAKER_SEVERAL)
		add(to, b, stay, !stay->counts, w->ns,
		    "%s blocked %s, woken by %s, %llu times", stay->name, call,
		    fmt_name(comm, sizeof(comm), w->comm), (unsigned long long)w->count);
	else if (w->waker < 0)
		add(to, b, stay, !stay->counts, w->ns, "%s blocked %s", stay->name, call);
	else
		add(to, b, stay, !stay->counts, w->ns, "%s blocked %s, woken by %s (%d)",
		    stay->name, call, fmt_name(comm, sizeof(comm), w->comm), w->waker);
}

/* The partition of the time that an agent was there. */
static void add_agent(struct inside *to, const struct blackout *b,
		      const struct stay *stay)
{
	const struct liveupdate_recorder_task *t = &stay->task;
	uint64_t cpu = t->ns[LIVEUPDATE_DOING_CPU];
	uint64_t user = user_ns(t);
	const bool detail = !stay->counts;
	int i;

	add(to, b, stay, detail, t->ns[LIVEUPDATE_DOING_CALL], "%s (%u) in calls of LUO",
	    stay->name, t->pid);
	add(to, b, stay, detail, user, "%s (%u) ran in user space", stay->name, t->pid);
	add(to, b, stay, detail, cpu - user, "%s (%u) ran%s, %llu page fault%s",
	    stay->name, t->pid, t->user || t->system ? " in the kernel" : "",
	    (unsigned long long)(t->minor + t->major), fmt_s(t->minor + t->major));
	add(to, b, stay, detail, t->ns[LIVEUPDATE_DOING_QUEUED],
	    "%s (%u) waited for a CPU", stay->name, t->pid);
	for (i = 0; i < LIVEUPDATE_RECORDER_WAITS; i++)
		add_wait(to, b, stay, &t->waits[i]);
}

/* A child, which its parent may have waited for. */
static void add_child(struct inside *to, const struct blackout *b,
		      const struct stay *stay)
{
	const struct liveupdate_recorder_task *t = &stay->task;
	uint64_t cpu = t->ns[LIVEUPDATE_DOING_CPU];
	uint64_t user = user_ns(t);
	char in_user[FMT_LEN], in_kernel[FMT_LEN], queued[FMT_LEN];
	bool split = t->user || t->system;

	add(to, b, stay, true, stay->to - stay->from,
	    "child %s (%u): user %s, kernel %s, no CPU %s, %llu faults",
	    stay->name, t->pid, split ? fmt_ns(in_user, user) : "-",
	    split ? fmt_ns(in_kernel, cpu - user) : "-",
	    fmt_ns(queued, t->ns[LIVEUPDATE_DOING_QUEUED]),
	    (unsigned long long)(t->minor + t->major));
}

static bool overlaps_counted(const struct stay *all, int n, const struct stay *one)
{
	int i;

	for (i = 0; i < n; i++) {
		if (all[i].counts && all[i].from < one->to && one->from < all[i].to)
			return true;
	}
	return false;
}

/* The longest stays of agents count, as far as they do not overlap. */
static void choose(struct stay *all, int n)
{
	struct stay *best;
	int i;

	do {
		best = NULL;
		for (i = 0; i < n; i++) {
			if (!(all[i].task.flags & LIVEUPDATE_TASK_AGENT) ||
			    all[i].counts || overlaps_counted(all, n, &all[i]))
				continue;
			if (!best || all[i].to - all[i].from > best->to - best->from)
				best = &all[i];
		}
		if (best)
			best->counts = true;
	} while (best);
}

/* Without tasks it is known only that LUO was called, not by whom. */
static void add_calls(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b, enum span s)
{
	struct stay all = { .span = s, .to = b->ns[s] };
	uint64_t ns;

	if (b->known[s] && span_in_calls(r, s, &ns))
		add(to, b, &all, false, ns, "calls of LUO");
}

void inside_add_tasks(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b)
{
	struct stay all[LIVEUPDATE_RECORDER_TASKS];
	int s, i, n;

	for (s = SPAN_RESTORE; s <= SPAN_FINISH; s++) {
		n = find_stays(r, b, s, all);
		choose(all, n);
		if (!n)
			add_calls(to, r, b, s);
		for (i = 0; i < n; i++) {
			if (all[i].task.flags & LIVEUPDATE_TASK_AGENT)
				add_agent(to, b, &all[i]);
			else if (all[i].task.flags & LIVEUPDATE_TASK_CHILD)
				add_child(to, b, &all[i]);
		}
	}
}
