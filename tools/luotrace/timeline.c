// SPDX-License-Identifier: GPL-2.0

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "fmt.h"
#include "timeline.h"
#include "words.h"

#define BAR		28	/* columns of a bar */
#define TOP		3	/* handlers, sessions and calls under a phase */
#define NAME_BUF	(4 * 64 + 1)

/* A phase that took less is not worth a sentence: share of the whole, ns. */
#define WORTH_SHARE	0.05
#define WORTH_NS	1000000
/* A workload notices this, however long the rest takes. */
#define LONG_NS		50000000

static const char *const kinds[] = { "handler", "subsystem", "shared state" };
static const char *const kind_keys[] = { "handler", "subsystem", "shared_state" };

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

static uint64_t freeze_window(const struct blackout *b)
{
	return b->ns[SPAN_FREEZE] + b->ns[SPAN_SHUTDOWN];
}

/* The scope of what is called inside a span. */
static enum liveupdate_recorder_scope span_scope(enum span s)
{
	return s < SPAN_JUMP ? LIVEUPDATE_SCOPE_REBOOT : LIVEUPDATE_SCOPE_AGENT;
}

int timeline_calls(const struct liveupdate_recorder *r, enum span s,
		   const struct liveupdate_recorder_call **calls,
		   unsigned int *ops, int max)
{
	const struct liveupdate_recorder_part *p = span_part(r, s);
	const struct liveupdate_recorder_call *c;
	int n = 0, op, i, at;

	for (op = 0; op < LIVEUPDATE_RECORDER_OPS; op++) {
		for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
			c = &p->slow_calls[span_scope(s)][op][i];
			if (!span_has_op(s, op) || !c->duration ||
			    !span_holds(r, s, c->end))
				continue;
			for (at = n; at && calls[at - 1]->duration < c->duration;
			     at--) {
				if (at < max) {
					calls[at] = calls[at - 1];
					ops[at] = ops[at - 1];
				}
			}
			if (at < max) {
				calls[at] = c;
				ops[at] = op;
				n += n < max;
			}
		}
	}
	return n;
}

int timeline_sessions(const struct liveupdate_recorder *r, enum span s,
		      const struct liveupdate_recorder_session **sessions,
		      int max)
{
	const struct liveupdate_recorder_part *p = span_part(r, s);
	const struct liveupdate_recorder_session *one;
	int n = 0, i, at;

	if (span_phase(s) < 0)
		return 0;
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		one = &p->slow_sessions[span_scope(s)][span_phase(s)][i];
		/* Restore is over for a session when it is finished. */
		if (!one->duration ||
		    (s != SPAN_RESTORE && !span_holds(r, s, one->end)))
			continue;
		for (at = n; at && sessions[at - 1]->duration < one->duration;
		     at--) {
			if (at < max)
				sessions[at] = sessions[at - 1];
		}
		if (at < max) {
			sessions[at] = one;
			n += n < max;
		}
	}
	return n;
}

int timeline_rows(const struct liveupdate_recorder *r, enum span s,
		  const struct liveupdate_recorder_row **rows, int max)
{
	const struct liveupdate_recorder_part *p = span_part(r, s);
	const struct liveupdate_recorder_row *one;
	int n = 0, i, at;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		one = &p->rows[i];
		if (!one->count || !span_has_op(s, one->op) ||
		    one->scope != span_scope(s))
			continue;
		for (at = n; at && rows[at - 1]->total < one->total; at--) {
			if (at < max)
				rows[at] = rows[at - 1];
		}
		if (at < max) {
			rows[at] = one;
			n += n < max;
		}
	}
	return n;
}

static const char *part_name(char *buf, const char *name)
{
	return *name ? fmt_name(buf, NAME_BUF, name) : "others";
}

struct findings {
	struct finding *all;
	int n;
};

__attribute__((format(printf, 4, 5)))
static void find(struct findings *f, enum finding_class class, uint64_t ns,
		 const char *fmt, ...)
{
	va_list ap;

	if (f->n == TIMELINE_FINDINGS)
		return;
	f->all[f->n].class = class;
	f->all[f->n].ns = ns;
	va_start(ap, fmt);
	vsnprintf(f->all[f->n++].text, TIMELINE_TEXT, fmt, ap);
	va_end(ap);
}

/* Whether a span is long enough to be spoken of. */
static bool worth(const struct blackout *b, enum span s)
{
	return b->known[s] && b->ns[s] >= WORTH_NS &&
	       b->ns[s] >= WORTH_SHARE * b->total;
}

/* Who makes a span as long as it is, if it is one. */
static void find_culprit(struct findings *f, const struct liveupdate_recorder *r,
			 const struct blackout *b, enum span s)
{
	const struct liveupdate_recorder_row *row;
	const struct liveupdate_recorder_call *call;
	char name[NAME_BUF], session[NAME_BUF], took[FMT_LEN], longest[FMT_LEN];
	char where[2 * NAME_BUF + 64] = "";
	unsigned int op;
	uint64_t ns;

	if (!b->known[s] || b->ns[s] < WORTH_NS ||
	    !timeline_rows(r, s, &row, 1))
		return;
	/* Not all of its calls were in the span. */
	ns = row->total < b->ns[s] ? row->total : b->ns[s];
	if (ns < b->ns[s] / 4 || (ns < b->total / 100 && ns < LONG_NS))
		return;
	if (timeline_calls(r, s, &call, &op, 1) &&
	    !strcmp(call->name, row->name)) {
		snprintf(where, sizeof(where), "; the longest call took %s",
			 fmt_ns(longest, call->duration));
		if (call->kind == LIVEUPDATE_KIND_HANDLER)
			snprintf(where + strlen(where),
				 sizeof(where) - strlen(where),
				 ": session %s token %llu",
				 fmt_name(session, sizeof(session),
					  call->session),
				 (unsigned long long)call->token);
	}
	find(f, FINDING_CULPRIT, ns, "%s %s is %.0f %% of %s (%s)%s",
	     kinds[row->kind], part_name(name, row->name),
	     percent(ns, b->ns[s]), span_name(s), fmt_ns(took, ns), where);
}

/* What of a span in user space's hands was spent in the kernel's. */
static void find_agent(struct findings *f, const struct liveupdate_recorder *r,
		       const struct blackout *b, enum span s)
{
	const struct liveupdate_recorder_row *rows[LIVEUPDATE_RECORDER_ROWS];
	char all[FMT_LEN], calls[FMT_LEN];
	uint64_t ns = 0;
	int i, n;

	if (!worth(b, s))
		return;
	n = timeline_rows(r, s, rows, LIVEUPDATE_RECORDER_ROWS);
	for (i = 0; i < n; i++)
		ns += rows[i]->total;
	if (ns >= b->ns[s])
		return;
	find(f, FINDING_MACHINE, b->ns[s],
	     "%s is %.0f %% of the blackout (%s): %s in the kernel, the rest is the agent's own work",
	     span_name(s), percent(b->ns[s], b->total), fmt_ns(all, b->ns[s]),
	     fmt_ns(calls, ns));
}

static void find_spans(struct findings *f, const struct liveupdate_recorder *r,
		       const struct blackout *b)
{
	char ns[FMT_LEN];
	int s;

	if (b->known[SPAN_PREPARE] && b->ns[SPAN_PREPARE] >= WORTH_NS)
		find(f, FINDING_CULPRIT, b->ns[SPAN_PREPARE],
		     "prepare ran inside reboot: %s could leave the blackout; have the agent send PREPARE before it",
		     fmt_ns(ns, b->ns[SPAN_PREPARE]));
	for (s = 0; s < SPAN_NR; s++)
		find_culprit(f, r, b, s);
	find_agent(f, r, b, SPAN_RESTORE);
	find_agent(f, r, b, SPAN_FINISH);
	if (worth(b, SPAN_SHUTDOWN))
		find(f, FINDING_MACHINE, b->ns[SPAN_SHUTDOWN],
		     "shutdown of devices and CPUs is %.0f %% of the blackout (%s)",
		     percent(b->ns[SPAN_SHUTDOWN], b->total),
		     fmt_ns(ns, b->ns[SPAN_SHUTDOWN]));
	if (worth(b, SPAN_JUMP))
		find(f, FINDING_MACHINE, b->ns[SPAN_JUMP],
		     "jump and early boot are %.0f %% of the blackout (%s): unpacking the kernel, setting up memory",
		     percent(b->ns[SPAN_JUMP], b->total),
		     fmt_ns(ns, b->ns[SPAN_JUMP]));
	if (worth(b, SPAN_INIT))
		find(f, FINDING_MACHINE, b->ns[SPAN_INIT],
		     "kernel init is %.0f %% of the blackout (%s); initcall_debug on its command line says which",
		     percent(b->ns[SPAN_INIT], b->total),
		     fmt_ns(ns, b->ns[SPAN_INIT]));
	if (worth(b, SPAN_USER))
		find(f, FINDING_MACHINE, b->ns[SPAN_USER],
		     "the agent came %s after kernel init, %.0f %% of the blackout; start it earlier",
		     fmt_ns(ns, b->ns[SPAN_USER]),
		     percent(b->ns[SPAN_USER], b->total));
}

/* What went wrong, or cannot be told; it comes first. */
static void find_faults(struct findings *f, const struct liveupdate_recorder *r,
			const struct blackout *b)
{
	const struct liveupdate_recorder_part *out = &r->last_out;
	char ns[FMT_LEN];

	if (!recorder_has(out))
		find(f, FINDING_FAULT, 4,
		     "the previous kernel left no record that this one can read: its part is unknown");
	else if (!b->jumped)
		find(f, FINDING_FAULT, 4,
		     "the counter did not go on over the jump: that span is unknown");
	if (!r->last_in.over)
		find(f, FINDING_FAULT, 3,
		     "the live update is not finished: sessions wait to be claimed or finished");
	if (out->failed)
		find(f, FINDING_FAULT, 2,
		     "%llu reboots failed before this one, the last with %s after %s",
		     (unsigned long long)out->failed, fmt_errno(out->failed_ret),
		     fmt_ns(ns, out->failed_ns));
	if (out->given_up)
		find(f, FINDING_FAULT, 1,
		     "%llu sessions of the update before were given up by it",
		     (unsigned long long)out->given_up);
}

bool timeline_failed(const struct liveupdate_recorder *r)
{
	return r->last_out.failed || r->last_out.given_up;
}

static int compare_findings(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->class != y->class)
		return (int)x->class - (int)y->class;
	return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

int timeline_find(const struct liveupdate_recorder *r, const struct blackout *b,
		  struct finding *all)
{
	struct findings f = { .all = all };

	find_faults(&f, r, b);
	find_spans(&f, r, b);
	qsort(all, f.n, sizeof(*all), compare_findings);
	return f.n;
}

static void print_span_calls(const struct liveupdate_recorder *r, enum span s,
			     FILE *f)
{
	const struct liveupdate_recorder_session *sessions[TOP];
	const struct liveupdate_recorder_call *calls[TOP];
	const struct liveupdate_recorder_row *rows[TOP];
	char name[NAME_BUF], session[NAME_BUF], ns[FMT_LEN];
	unsigned int ops[TOP];
	int i, n;

	n = timeline_rows(r, s, rows, TOP);
	for (i = 0; i < n; i++)
		fprintf(f, "  %9s   %s %s, %s, %llu calls%s\n",
			fmt_ns(ns, rows[i]->total), kinds[rows[i]->kind],
			part_name(name, rows[i]->name),
			word(WORDS_OP, rows[i]->op),
			(unsigned long long)rows[i]->count,
			rows[i]->errors ? ", some failed" : "");
	n = timeline_sessions(r, s, sessions, TOP);
	for (i = 0; i < n; i++)
		fprintf(f, "  %9s   session %s, %llu files%s%s\n",
			fmt_ns(ns, sessions[i]->duration),
			fmt_name(name, sizeof(name), sessions[i]->name),
			(unsigned long long)sessions[i]->files,
			sessions[i]->ret ? ": " : "",
			sessions[i]->ret ? fmt_errno(sessions[i]->ret) : "");
	n = timeline_calls(r, s, calls, ops, TOP);
	for (i = 0; i < n; i++) {
		if (calls[i]->kind != LIVEUPDATE_KIND_HANDLER)
			continue;
		fprintf(f, "  %9s   file %s/%llu, %s of %s%s%s\n",
			fmt_ns(ns, calls[i]->duration),
			fmt_name(session, sizeof(session), calls[i]->session),
			(unsigned long long)calls[i]->token,
			word(WORDS_OP, ops[i]),
			part_name(name, calls[i]->name),
			calls[i]->ret ? ": " : "",
			calls[i]->ret ? fmt_errno(calls[i]->ret) : "");
	}
}

static void print_spans(const struct liveupdate_recorder *r,
			const struct blackout *b, FILE *f)
{
	char ns[FMT_LEN], bar[BAR + 1], name[NAME_BUF];
	int s;

	for (s = 0; s < SPAN_NR; s++) {
		if (s == SPAN_PREPARE || s == SPAN_JUMP)
			fprintf(f, "%s kernel %s\n", s ? "new" : "old",
				recorder_has(span_part(r, s)) ?
				fmt_name(name, sizeof(name),
					 span_part(r, s)->release) : "-");
		if (!b->known[s]) {
			fprintf(f, "  %-17s %8s\n", span_name(s), "-");
		} else {
			fprintf(f, "  %-17s %8s %5.1f %% |%-*s|\n",
				span_name(s), fmt_ns(ns, b->ns[s]),
				percent(b->ns[s], b->total), BAR,
				fmt_bar(bar, BAR, b->ns[s],
					b->total ? b->total : 1));
		}
		print_span_calls(r, s, f);
	}
	fprintf(f, "  %-17s %8s%s\n", "in all", fmt_ns(ns, b->total),
		b->whole ? "" : ", without what is unknown (-)");
}

void timeline_text(const struct liveupdate_recorder *r, const struct blackout *b,
		   bool colour, FILE *f)
{
	const struct liveupdate_recorder_part *out = &r->last_out;
	struct finding findings[TIMELINE_FINDINGS];
	char total[FMT_LEN], window[FMT_LEN], when[32];
	time_t t = out->wall_ns / 1000000000;
	struct tm tm;
	int i, n;

	strftime(when, sizeof(when), "%F %T UTC", gmtime_r(&t, &tm));
	fprintf(f, "%sLive update %llu%s%s: %llu sessions with %llu files\n",
		colour ? "\033[1m" : "", (unsigned long long)r->last_in.number,
		recorder_has(out) ? " at " : "", recorder_has(out) ? when : "",
		(unsigned long long)r->last_in.sessions,
		(unsigned long long)r->last_in.files);
	fprintf(f, "blackout %s%s, freeze window %s%s\n\n",
		fmt_ns(total, b->total), b->whole ? "" : " that is known",
		b->known[SPAN_FREEZE] && b->known[SPAN_SHUTDOWN] ?
		fmt_ns(window, freeze_window(b)) : "-",
		colour ? "\033[0m" : "");

	n = timeline_find(r, b, findings);
	for (i = 0; i < n; i++)
		fmt_wrapped(f, "* ", findings[i].text);
	if (n)
		fputc('\n', f);
	print_spans(r, b, f);
}

static json_t *time_json(bool known, uint64_t ns)
{
	return known ? json_integer(ns) : json_null();
}

static json_t *calls_json(const struct liveupdate_recorder *r, enum span s)
{
	const struct liveupdate_recorder_call *calls[2 * LIVEUPDATE_RECORDER_SLOWEST];
	unsigned int ops[2 * LIVEUPDATE_RECORDER_SLOWEST];
	json_t *all = json_array(), *o;
	int i, n;

	n = timeline_calls(r, s, calls, ops, 2 * LIVEUPDATE_RECORDER_SLOWEST);
	for (i = 0; i < n; i++) {
		o = json_pack("{sI, ss, so, si}",
			      "duration_ns", (json_int_t)calls[i]->duration,
			      "op", word(WORDS_OP, ops[i]),
			      kind_keys[calls[i]->kind % 3],
			      fmt_json_name(calls[i]->name),
			      "ret", calls[i]->ret);
		if (calls[i]->kind == LIVEUPDATE_KIND_HANDLER) {
			json_object_set_new(o, "session",
					    fmt_json_name(calls[i]->session));
			json_object_set_new(o, "token",
					    cmd_json_token(calls[i]->token));
		}
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *rows_json(const struct liveupdate_recorder_part *p)
{
	struct liveupdate_recorder_row sums[LIVEUPDATE_RECORDER_ROWS];
	const struct liveupdate_recorder_row *row;
	json_t *all = json_array();
	int i, n = recorder_sum(p, RECORDER_ALL_SCOPES, sums);

	for (i = 0; i < n; i++) {
		row = &sums[i];
		json_array_append_new(all,
			json_pack("{so, ss, sI, sI, sI, sI, sI}",
				  kind_keys[row->kind % 3],
				  fmt_json_name(*row->name ? row->name : "others"),
				  "op", word(WORDS_OP, row->op),
				  "count", (json_int_t)row->count,
				  "errors", (json_int_t)row->errors,
				  "total_ns", (json_int_t)row->total,
				  "min_ns", (json_int_t)row->min,
				  "max_ns", (json_int_t)row->max));
	}
	return all;
}

static json_t *part_json(const struct liveupdate_recorder_part *p)
{
	static const char *const actions[] = { "preserve", "unpreserve",
					       "restore" };
	json_t *memory;
	int i;

	if (!recorder_has(p))
		return json_null();
	memory = json_array();
	for (i = 0; i < 3; i++)
		json_array_append_new(memory,
			json_pack("{ss, sI, sI, sI}", "action", actions[i],
				  "calls", (json_int_t)p->memory[i].calls,
				  "errors", (json_int_t)p->memory[i].errors,
				  "pages", (json_int_t)p->memory[i].pages));
	return json_pack("{so, sI, sI, sI, sI, sI, sI, sI, so, so}",
			 "release", fmt_json_name(p->release), "number", (json_int_t)p->number,
			 "sessions", (json_int_t)p->sessions,
			 "files", (json_int_t)p->files,
			 "bytes", (json_int_t)p->bytes,
			 "failed_reboots", (json_int_t)p->failed,
			 "given_up", (json_int_t)p->given_up,
			 "lost_calls", (json_int_t)p->lost_calls,
			 "kho", memory, "calls", rows_json(p));
}

void timeline_json(const struct liveupdate_recorder *r, const struct blackout *b,
		   json_t *root)
{
	json_t *phases = json_array(), *said = json_array();
	struct finding findings[TIMELINE_FINDINGS];
	int s, i, n;

	for (s = 0; s < SPAN_NR; s++)
		json_array_append_new(phases,
			json_pack("{ss, ss, so, so}", "phase", span_name(s),
				  "kernel", s < SPAN_JUMP ? "old" : "new",
				  "duration_ns", time_json(b->known[s], b->ns[s]),
				  "slowest", calls_json(r, s)));
	n = timeline_find(r, b, findings);
	for (i = 0; i < n; i++)
		json_array_append_new(said, fmt_json_text(findings[i].text));

	json_object_set_new(root, "liveupdate_number",
			    json_integer(r->last_in.number));
	json_object_set_new(root, "blackout_ns", time_json(b->whole, b->total));
	json_object_set_new(root, "freeze_window_ns",
			    time_json(b->known[SPAN_FREEZE] &&
				      b->known[SPAN_SHUTDOWN],
				      freeze_window(b)));
	json_object_set_new(root, "phases", phases);
	json_object_set_new(root, "findings", said);
	json_object_set_new(root, "old_kernel", part_json(&r->last_out));
	json_object_set_new(root, "new_kernel", part_json(&r->last_in));
}
