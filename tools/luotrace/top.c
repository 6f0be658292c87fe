// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "msg.h"
#include "top.h"

#define PROC	"/proc"

/* Readings with a look at all tasks, as one that runs at that moment is not found. */
#define SCANS	5

/* What a task had run when its call was last read. */
struct ran {
	unsigned int tid;
	uint64_t began;
	uint64_t ns;
};

struct top_reader {
	struct tracer *t;
	const struct probe *probe;
	const struct tracer_options *options;
	bool visible;
	uint64_t began;
	uint64_t last;
	unsigned int scans;
	uint64_t missed;
	struct ran *ran;
	size_t nr_ran;
	struct tracer_row *rows;
	int nr_rows;
	struct observer observer;
};

/* Whether a task is in a callback. */
static bool in_call(const struct top_reader *r, const struct task_state *s)
{
	int i;

	if (r->probe->flavour != FLAVOUR_STOCK) {
		for (i = 0; i < s->frames; i++) {
			if (probe_luo_calls(s->stack[i]))
				return true;
		}
		return false;
	}
	for (i = 0; i < LT_STOCK_OPS; i++) {
		if (r->probe->stock.ops[i].name[0] &&
		    task_state_in(s, r->probe->stock.ops[i].name))
			return true;
	}
	return false;
}

static void find_earlier(unsigned int pid, unsigned int tid, void *data)
{
	struct top_reader *r = data;
	struct task_state s;

	task_state_read(&s, PROC, pid, tid, UINT64_MAX);
	if (in_call(r, &s))
		tracer_add_flight(r->t, pid, tid);
}

struct top_reader *top_open(struct tracer *t, const struct probe *probe,
			    const struct tracer_options *options)
{
	struct top_reader *r = calloc(1, sizeof(*r));

	if (!r) {
		msg_error("out of memory");
		return NULL;
	}
	r->t = t;
	r->probe = probe;
	r->options = options;
	r->began = r->last = monotonic_ns();
	r->visible = task_state_visible();
	r->scans = SCANS;
	if (!r->visible)
		msg_note("this is a container with processes of its own: what tasks wait for is unknown, and calls in flight that began earlier are");
	return r;
}

/* How much of the time since the last reading the task of a call has run. */
static double share_ran(const struct top_reader *r, const struct top_call *c,
			uint64_t interval)
{
	double share;
	size_t i;

	for (i = 0; i < r->nr_ran && c->task.ran && interval; i++) {
		if (r->ran[i].tid != c->call.tid || r->ran[i].began != c->call.ts ||
		    c->task.ran_ns < r->ran[i].ns)
			continue;
		share = (double)(c->task.ran_ns - r->ran[i].ns) / interval;
		return share < 1 ? share : 1;
	}
	return -1;
}

static void look_at_task(struct top_reader *r, struct top_call *c, uint64_t interval)
{
	uint64_t sleeps = clock_ns(CLOCK_BOOTTIME) - monotonic_ns();

	c->ran = -1;
	if (!r->visible)
		return;
	task_state_read(&c->task, PROC, c->call.pid, c->call.tid,
			c->known ? c->call.ts + sleeps : UINT64_MAX);
	c->ran = share_ran(r, c, interval);
}

/* Whether the filters let a call pass. */
static bool is_wanted(const struct tracer_options *o, const struct top_call *c)
{
	if (c->age_ns < o->min_ns)
		return false;
	return !c->known ||
	       ((!o->session || !strcmp(o->session, c->call.session)) &&
		(!o->handler || !strcmp(o->handler, c->call.compatible)) &&
		o->ops >> c->call.op & 1);
}

/*
 * Whether a call is over although its end was not seen, as with many tasks on a CPU events
 * can be missed. Of a task that runs nothing says so.
 */
static bool is_over(const struct top_reader *r, const struct top_call *c)
{
	if (c->task.seen == TASK_GONE)
		return !c->known || r->missed;
	return c->task.whole && !in_call(r, &c->task);
}

/* Complete a call; false if it is not to be shown. */
static bool complete(struct top_reader *r, struct top_call *c, uint64_t interval,
		     uint64_t now)
{
	uint64_t began;

	c->known = c->call.ts;
	began = c->known ? c->call.ts : r->began;
	c->age_ns = now > began ? now - began : 0;
	if (!is_wanted(r->options, c))
		return false;
	look_at_task(r, c, interval);
	if (!is_over(r, c))
		return true;
	tracer_drop_flight(r->t, &c->call);
	return false;
}

/* Whether a task is in a call that is known; it was not in an earlier one then. */
static bool is_known(const struct lt_flight *flights, int n, unsigned int tid)
{
	int i;

	for (i = 0; i < n; i++) {
		if (flights[i].tid == tid && flights[i].ts)
			return true;
	}
	return false;
}

static bool read_calls(struct top_reader *r, struct top *top, uint64_t now)
{
	struct lt_flight *flights = NULL;
	int i, n;

	if (r->visible && r->scans && r->scans--)
		task_state_each(PROC, find_earlier, r);
	n = tracer_read_flights(r->t, &flights);
	if (n < 0)
		return false;
	top->calls = calloc(n + 1, sizeof(*top->calls));
	for (i = 0; top->calls && i < n; i++) {
		if (!flights[i].ts && is_known(flights, n, flights[i].tid))
			continue;
		top->calls[top->nr_calls].call = flights[i];
		top->nr_calls += complete(r, &top->calls[top->nr_calls],
					  top->interval_ns, now);
	}
	free(flights);
	if (!top->calls)
		msg_error("out of memory");
	return top->calls;
}

static bool keep_ran(struct top_reader *r, const struct top *top)
{
	struct ran *ran = calloc(top->nr_calls + 1, sizeof(*ran));
	int i;

	if (!ran)
		return false;
	free(r->ran);
	r->ran = ran;
	r->nr_ran = 0;
	for (i = 0; i < top->nr_calls; i++) {
		if (top->calls[i].task.ran)
			ran[r->nr_ran++] = (struct ran){
				top->calls[i].call.tid, top->calls[i].call.ts,
				top->calls[i].task.ran_ns };
	}
	return true;
}

/* The calls since the last reading; @r keeps all of them for the next one. */
static bool read_rows(struct top_reader *r, struct top *top)
{
	struct tracer_row *rows = NULL, *since;
	int nr = tracer_read_rows(r->t, &rows);

	if (nr < 0)
		return false;
	since = calloc(nr + 1, sizeof(*since));
	if (!since) {
		msg_error("out of memory");
		free(rows);
		return false;
	}
	memcpy(since, rows, nr * sizeof(*since));
	top->rows = since;
	top->nr_rows = tracer_rows_since(since, nr, r->rows, r->nr_rows);
	free(r->rows);
	r->rows = rows;
	r->nr_rows = nr;
	return true;
}

bool top_read(struct top_reader *r, struct top *top)
{
	uint64_t now = monotonic_ns();
	struct observer observer;

	memset(top, 0, sizeof(*top));
	top->interval_ns = now - r->last;
	tracer_read_lost(r->t, &top->lost);
	/* A begin that was missed is found like one before tracing. */
	if (top->lost.missed != r->missed)
		r->scans = SCANS;
	r->missed = top->lost.missed;
	if (!read_rows(r, top) || !read_calls(r, top, now) || !keep_ran(r, top)) {
		top_free(top);
		return false;
	}
	tracer_read_observer(r->t, &observer);
	top->observer = observer_since(&observer, &r->observer);
	r->observer = observer;
	r->last = now;
	top_order(top, TOP_BY_AGE);
	return true;
}

void top_free(struct top *top)
{
	free(top->calls);
	free(top->rows);
	memset(top, 0, sizeof(*top));
}

void top_close(struct top_reader *r)
{
	if (!r)
		return;
	free(r->ran);
	free(r->rows);
	free(r);
}

static int by_age(const struct top_call *a, const struct top_call *b)
{
	if (a->known != b->known)
		return a->known ? 1 : -1;
	return a->age_ns > b->age_ns ? -1 : a->age_ns < b->age_ns;
}

static int by_task(const struct top_call *a, const struct top_call *b)
{
	return a->call.tid < b->call.tid ? -1 : a->call.tid > b->call.tid;
}

static int by_session(const struct top_call *a, const struct top_call *b)
{
	return strncmp(a->call.session, b->call.session, LT_NAME_LEN);
}

static int by_handler(const struct top_call *a, const struct top_call *b)
{
	return strncmp(a->call.compatible, b->call.compatible, LT_COMPAT_LEN);
}

static int (*const orders[TOP_NR_SORTS])(const struct top_call *a,
					 const struct top_call *b) = {
	[TOP_BY_AGE] = by_age,
	[TOP_BY_TASK] = by_task,
	[TOP_BY_SESSION] = by_session,
	[TOP_BY_HANDLER] = by_handler,
};

static int compare_calls(const void *a, const void *b, void *sort)
{
	int c = orders[*(enum top_sort *)sort](a, b);

	return c ? c : by_age(a, b);
}

void top_order(struct top *top, enum top_sort sort)
{
	if (top->nr_calls)
		qsort_r(top->calls, top->nr_calls, sizeof(*top->calls), compare_calls,
			&sort);
}
