// SPDX-License-Identifier: GPL-2.0

/* Sorts calls, sessions and rows of a record into phases, longest first. */

#include <stdlib.h>
#include <string.h>

#include "timeline.h"

#define NR_CALLS	(LIVEUPDATE_RECORDER_OPS * LIVEUPDATE_RECORDER_SLOWEST)

const char *timeline_kind(unsigned int kind)
{
	static const char *const kinds[] = { "handler", "subsystem",
					     "FLB" };

	return kinds[kind % 3];
}

bool timeline_window(const struct blackout *b, uint64_t *ns)
{
	*ns = b->ns[SPAN_FREEZE] + b->ns[SPAN_SHUTDOWN];
	return b->known[SPAN_FREEZE] && b->known[SPAN_SHUTDOWN];
}

/* Insert a call if it is among the longest. Returns their number. */
static int keep_call(struct timeline_call *calls, int n, int max,
		     const struct liveupdate_recorder_call *c, unsigned int op)
{
	int at;

	for (at = n; at && calls[at - 1].call->duration < c->duration; at--) {
		if (at < max)
			calls[at] = calls[at - 1];
	}
	if (at == max)
		return n;
	calls[at] = (struct timeline_call){ c, op };
	return n < max ? n + 1 : n;
}

/* The same for a session and its phase. */
static int keep_session(struct timeline_session *sessions, int *phases, int n,
			int max, struct timeline_session one, int phase)
{
	int at;

	for (at = n; at && sessions[at - 1].ns < one.ns; at--) {
		if (at >= max)
			continue;
		sessions[at] = sessions[at - 1];
		if (phases)
			phases[at] = phases[at - 1];
	}
	if (at == max)
		return n;
	sessions[at] = one;
	if (phases)
		phases[at] = phase;
	return n < max ? n + 1 : n;
}

static int keep_row(const struct liveupdate_recorder_row **rows, int n, int max,
		    const struct liveupdate_recorder_row *one)
{
	int at;

	for (at = n; at && rows[at - 1]->wall < one->wall; at--) {
		if (at < max)
			rows[at] = rows[at - 1];
	}
	if (at == max)
		return n;
	rows[at] = one;
	return n < max ? n + 1 : n;
}

/*
 * Whether all calls of an operation belong to a phase: those of a reboot() do, and the last
 * retrieve of a file ends the restore. Those for luotrace's own session are not recorded.
 */
static bool always_in(enum span s, unsigned int kind)
{
	return span_scope(s) == LIVEUPDATE_SCOPE_REBOOT ||
	       (s == SPAN_RESTORE && kind == LIVEUPDATE_KIND_HANDLER);
}

static bool call_in(const struct liveupdate_recorder *r, const struct blackout *b,
		    enum span s, const struct liveupdate_recorder_call *c)
{
	uint64_t from, to;

	return always_in(s, c->kind) ||
	       span_place(r, b, s, c->end, c->duration, &from, &to);
}

int timeline_calls(const struct liveupdate_recorder *r, const struct blackout *b,
		   enum span s, struct timeline_call *calls, int max)
{
	const struct liveupdate_recorder_part *p = span_record(r, s);
	const struct liveupdate_recorder_call *c;
	int n = 0, op, i;

	for (op = 0; op < LIVEUPDATE_RECORDER_OPS; op++) {
		for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
			c = &p->slow_calls[span_scope(s)][op][i];
			if (span_has_op(s, op) && c->duration &&
			    call_in(r, b, s, c))
				n = keep_call(calls, n, max, c, op);
		}
	}
	return n;
}

int timeline_sessions(const struct liveupdate_recorder *r,
		      const struct blackout *b, enum span s,
		      struct timeline_session *sessions, int max)
{
	const struct liveupdate_recorder_part *p = span_record(r, s);
	const struct liveupdate_recorder_session *one;
	uint64_t from, to, ns;
	int n = 0, i;

	if (span_phase(s) < 0)
		return 0;
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		one = &p->slow_sessions[span_scope(s)][span_phase(s)][i];
		ns = one->duration;
		if (!ns)
			continue;
		/* The restore of a session lasts until it is finished, later than its files. */
		if (span_scope(s) != LIVEUPDATE_SCOPE_REBOOT) {
			if (!span_place(r, b, s, one->end, ns, &from, &to))
				continue;
			ns = to - from;
		}
		n = keep_session(sessions, NULL, n, max,
				 (struct timeline_session){ one, ns }, 0);
	}
	return n;
}

const struct liveupdate_recorder_task *
timeline_agent(const struct liveupdate_recorder *r, enum span s,
	       const struct liveupdate_recorder_session *session)
{
	const struct liveupdate_recorder_task *tasks = r->inside.tasks[1];
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_TASKS && s > SPAN_KEXEC; i++) {
		if (session->task && tasks[i].pid == session->task)
			return &tasks[i];
	}
	return NULL;
}

int timeline_rows(const struct liveupdate_recorder *r, enum span s,
		  const struct liveupdate_recorder_row **rows, int max)
{
	const struct liveupdate_recorder_part *p = span_record(r, s);
	int n = 0, i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		if (p->rows[i].count && p->rows[i].scope == span_scope(s) &&
		    span_has_op(s, p->rows[i].op))
			n = keep_row(rows, n, max, &p->rows[i]);
	}
	return n;
}

static int compare_begins(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Total time covered by the intervals. */
static uint64_t union_ns(uint64_t (*all)[2], int n)
{
	uint64_t ns = 0, end = 0;
	int i;

	qsort(all, n, sizeof(*all), compare_begins);
	for (i = 0; i < n; i++) {
		if (all[i][1] <= end)
			continue;
		ns += all[i][1] - (all[i][0] > end ? all[i][0] : end);
		end = all[i][1];
	}
	return ns;
}

uint64_t timeline_row_ns(const struct liveupdate_recorder *r,
			 const struct blackout *b, enum span s,
			 const struct liveupdate_recorder_row *row,
			 bool *partial)
{
	const struct liveupdate_recorder_call *c =
		span_record(r, s)->slow_calls[row->scope][row->op];
	uint64_t in[LIVEUPDATE_RECORDER_SLOWEST][2], listed = 0, ns;
	int i, n = 0;

	*partial = false;
	if (always_in(s, row->kind))
		return row->wall < b->ns[s] ? row->wall : b->ns[s];
	/* Whether a call is in the phase is known only for the longest ones. */
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		if (!c[i].duration || c[i].kind != row->kind ||
		    strcmp(c[i].name, row->name))
			continue;
		listed++;
		n += span_place(r, b, s, c[i].end, c[i].duration, &in[n][0],
				&in[n][1]);
	}
	*partial = listed < row->count;
	ns = union_ns(in, n);
	return ns < b->ns[s] ? ns : b->ns[s];
}

int timeline_failed_calls(const struct liveupdate_recorder_part *p,
			  struct timeline_call *calls, int max)
{
	const struct liveupdate_recorder_call *c;
	int n = 0, i;

	for (i = 0; i < NR_CALLS; i++) {
		c = &p->slow_calls[LIVEUPDATE_SCOPE_FAILED]
				  [i / LIVEUPDATE_RECORDER_SLOWEST]
				  [i % LIVEUPDATE_RECORDER_SLOWEST];
		if (c->duration)
			n = keep_call(calls, n, max, c,
				      i / LIVEUPDATE_RECORDER_SLOWEST);
	}
	return n;
}

int timeline_failed_sessions(const struct liveupdate_recorder_part *p,
			     struct timeline_session *sessions, int *phases,
			     int max)
{
	const struct liveupdate_recorder_session *one;
	int n = 0, phase, i;

	for (phase = 0; phase < LIVEUPDATE_RECORDER_PHASES; phase++) {
		for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
			one = &p->slow_sessions[LIVEUPDATE_SCOPE_FAILED][phase][i];
			if (one->duration)
				n = keep_session(sessions, phases, n, max,
						 (struct timeline_session){
							 one, one->duration },
						 phase);
		}
	}
	return n;
}

int timeline_failed_rows(const struct liveupdate_recorder_part *p,
			 const struct liveupdate_recorder_row **rows, int max)
{
	int n = 0, i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		if (p->rows[i].count &&
		    p->rows[i].scope == LIVEUPDATE_SCOPE_FAILED)
			n = keep_row(rows, n, max, &p->rows[i]);
	}
	return n;
}
