// SPDX-License-Identifier: GPL-2.0

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fmt.h"
#include "inside_record.h"
#include "inside_tasks.h"

#define SYMBOL_BUF	(4 * LIVEUPDATE_RECORDER_SYMBOL + 1)
#define COMM_BUF	(4 * LIVEUPDATE_RECORDER_COMM + 1)

/* Add a part of a phase, in pieces if it is less than all between its ends. */
__attribute__((format(printf, 7, 8)))
static void add(struct inside *to, const struct blackout *b, enum span s, uint64_t from,
		uint64_t end, uint64_t ns, const char *fmt, ...)
{
	struct inside_item item = { .span = s, .source = INSIDE_RECORD, .from = from,
				    .to = end, .ns = ns };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(item.text, sizeof(item.text), fmt, ap);
	va_end(ap);
	inside_add(to, b, &item);
}

/* Calls inside of reboot() never run in parallel. */
static void add_reboot_calls(struct inside *to, const struct liveupdate_recorder *r,
			     const struct blackout *b, enum span s)
{
	const struct liveupdate_recorder_row *row;
	uint64_t ns = 0;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		row = &r->last_out.rows[i];
		if (row->count && row->scope == LIVEUPDATE_SCOPE_REBOOT &&
		    span_has_op(s, row->op))
			ns += row->wall;
	}
	add(to, b, s, 0, b->ns[s], ns, "calls of handlers, subsystems and FLBs");
}

static void add_shutdown(struct inside *to, const struct blackout *b, struct steps steps)
{
	struct inside_item item = { .span = SPAN_SHUTDOWN, .source = INSIDE_BOX,
				    .to = b->ns[SPAN_SHUTDOWN] };
	struct step all[STEPS_MAX];
	int n = timeline_steps_list(steps, all), i;

	for (i = 0; i < n; i++) {
		if (!all[i].label)
			continue;
		item.ns = all[i].ns;
		snprintf(item.text, sizeof(item.text), "%s", all[i].label);
		inside_add(to, b, &item);
	}
}

/* When the counter had a value, ns since the begin of kernel init; false if unknown. */
static bool init_moment(const struct liveupdate_recorder *r, const struct blackout *b,
			uint64_t counter, uint64_t *ns)
{
	uint64_t from, to;

	/* The longest call possible begins with the phase. */
	if (!counter || !span_place(r, b, SPAN_INIT, counter, UINT64_MAX, &from, &to))
		return false;
	*ns = to - from;
	return true;
}

/* What lies between two values of the counter in kernel init; 0 is its begin. */
static void add_init(struct inside *to, const struct liveupdate_recorder *r,
		     const struct blackout *b, uint64_t first, uint64_t last,
		     const char *what)
{
	uint64_t from = 0, end;

	if ((!first || init_moment(r, b, first, &from)) &&
	    init_moment(r, b, last, &end) && end > from)
		add(to, b, SPAN_INIT, from, end, end - from, "%s", what);
}

static void add_longest_initcalls(struct inside *to, const struct liveupdate_recorder *r,
				  const struct blackout *b)
{
	const struct liveupdate_recorder_initcall *c;
	const struct liveupdate_recorder_init *init = &r->inside.init;
	uint64_t shortest = UINT64_MAX, ns = 0, from = 0, end = b->ns[SPAN_INIT], at;
	char name[SYMBOL_BUF], text[FMT_LEN];
	int i, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_INITCALLS; i++) {
		c = &init->longest[i];
		if (!c->duration)
			continue;
		n++;
		ns += c->duration;
		shortest = c->duration < shortest ? c->duration : shortest;
		fmt_name(name, sizeof(name), c->name);
		if (init_moment(r, b, c->end, &at) && at >= c->duration)
			add(to, b, SPAN_INIT, at - c->duration, at, c->duration,
			    "initcall %s", name);
		else
			add(to, b, SPAN_INIT, 0, end, c->duration, "initcall %s", name);
	}
	if (init->count <= (uint64_t)n || init->total <= ns)
		return;
	init_moment(r, b, init->early, &from);
	init_moment(r, b, init->end, &end);
	add(to, b, SPAN_INIT, from, end, init->total - ns,
	    "%llu other initcalls, none longer than %s",
	    (unsigned long long)init->count - n, fmt_ns(text, shortest));
}

static bool has_log(const struct inside *in)
{
	unsigned int i;

	for (i = 0; i < in->n && i < INSIDE_ITEMS; i++) {
		if (in->item[i].source == INSIDE_LOG)
			return true;
	}
	return false;
}

static void add_kernel_init(struct inside *to, const struct liveupdate_recorder *r,
			    const struct blackout *b)
{
	const struct liveupdate_recorder_init *init = &r->inside.init;
	uint64_t idle = init->end, from;

	/* Without a counter initcalls have durations at best, and no place in the phase. */
	if (!init->count || (b->timebase[1] != TIMEBASE_COUNTER && has_log(to)))
		return;
	add_init(to, r, b, 0, init->early,
		 "memory, interrupts, clocks: before the initcalls");
	add_init(to, r, b, init->early_end, init->begin, "start of the other CPUs");
	add_longest_initcalls(to, r, b);
	if (init->initramfs > init->end) {
		add_init(to, r, b, init->end, init->initramfs,
			 "the initcalls are done, the initramfs is not unpacked yet");
		idle = init->initramfs;
	}
	if (init_moment(r, b, idle, &from) && from < b->ns[SPAN_INIT])
		add(to, b, SPAN_INIT, from, b->ns[SPAN_INIT], b->ns[SPAN_INIT] - from,
		    "after that: asynchronous initcalls end, init memory is freed");
}

/* From init to the process that opened the device. */
static void add_ancestors(struct inside *to, const struct liveupdate_recorder *r,
			  const struct blackout *b)
{
	const struct liveupdate_recorder_ancestor *a = r->inside.ancestors;
	char name[COMM_BUF], next[COMM_BUF];
	uint64_t first, begin, end;
	int i;

	if (!span_clock(r, SPAN_USER, &first, &end))
		return;
	for (i = 0; i < LIVEUPDATE_RECORDER_ANCESTORS && a[i].pid; i++) {
		/* The kernel itself was init before. */
		begin = a[i].started > first ? a[i].started : first;
		fmt_name(name, sizeof(name), a[i].comm);
		if (!i)
			inside_add_clock(to, r, b, INSIDE_RECORD, begin, end,
					 "%s (%u), until it opened /dev/liveupdate", name,
					 a[i].pid);
		else if (begin < end)
			inside_add_clock(to, r, b, INSIDE_RECORD, begin, end,
					 "%s (%u), until it started %s (%u)", name,
					 a[i].pid,
					 fmt_name(next, sizeof(next), a[i - 1].comm),
					 a[i - 1].pid);
		end = begin < end ? begin : end;
	}
}

void inside_of_update(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b, struct steps steps)
{
	int s;

	if (steps.inside)
		*to = *steps.inside;
	else
		memset(to, 0, sizeof(*to));
	for (s = SPAN_PREPARE; s <= SPAN_FREEZE; s++)
		add_reboot_calls(to, r, b, s);
	add_shutdown(to, b, steps);
	add(to, b, SPAN_KEXEC, 0, b->ns[SPAN_KEXEC], b->ns[SPAN_KEXEC],
	    "kexec, unpacking the kernel, until it reads its command line");
	add_kernel_init(to, r, b);
	add_ancestors(to, r, b);
	inside_add_tasks(to, r, b);
}
