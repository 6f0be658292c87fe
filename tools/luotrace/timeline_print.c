// SPDX-License-Identifier: GPL-2.0

/* The timeline as text. */

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "enum_name.h"
#include "fmt.h"
#include "timeline.h"
#include "timeline_inside.h"
#include "workload.h"

#define BAR		28	/* columns of a bar */
#define TOP		3	/* handlers, sessions and calls under a phase */
#define NAME_BUF	(4 * 64 + 1)

/* 0 is unknown: no clock ran, or it was too coarse. */
static const char *took(char *buf, uint64_t ns)
{
	return ns ? fmt_ns(buf, ns) : "-";
}

/* A line under a phase; a long one is wrapped below its text. */
__attribute__((format(printf, 3, 4)))
static void print_under(FILE *f, const char *time, const char *fmt, ...)
{
	char lead[FMT_LEN + 8], text[4 * NAME_BUF];
	va_list ap;

	snprintf(lead, sizeof(lead), "  %9s   ", time);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fmt_wrapped(f, lead, text);
}

static void print_row(const struct liveupdate_recorder_row *row, FILE *f)
{
	char name[NAME_BUF], ns[FMT_LEN];

	print_under(f, took(ns, row->wall), "%s %s, %s, %llu call%s%s",
		    timeline_kind(row->kind),
		    *row->name ? fmt_name(name, NAME_BUF, row->name) : "others",
		    enum_name(ENUM_OP, row->op), (unsigned long long)row->count,
		    fmt_s(row->count), row->errors ? ", some failed" : "");
}

/* @agent is the task that did it, or NULL. */
static void print_session(const struct timeline_session *s, const char *phase,
			  const struct liveupdate_recorder_task *agent, FILE *f)
{
	const struct liveupdate_recorder_session *one = s->session;
	char name[NAME_BUF], comm[NAME_BUF], ns[FMT_LEN], by[NAME_BUF + 16] = "";

	if (agent)
		snprintf(by, sizeof(by), ", %s (%u)",
			 fmt_name(comm, sizeof(comm), agent->comm), agent->pid);
	print_under(f, fmt_ns(ns, s->ns), "session %s, %s%s%llu file%s%s%s%s",
		    fmt_name(name, sizeof(name), one->name), phase,
		    *phase ? ", " : "", (unsigned long long)one->files,
		    fmt_s(one->files), by, one->ret ? ": " : "",
		    one->ret ? fmt_errno(one->ret) : "");
}

static void print_call(const struct timeline_call *c, FILE *f)
{
	char name[NAME_BUF], session[NAME_BUF], ns[FMT_LEN];

	if (c->call->kind != LIVEUPDATE_KIND_HANDLER)
		return;
	print_under(f, fmt_ns(ns, c->call->duration), "file %s/%llu, %s of %s%s%s",
		    fmt_name(session, sizeof(session), c->call->session),
		    (unsigned long long)c->call->token, enum_name(ENUM_OP, c->op),
		    fmt_name(name, sizeof(name), c->call->name),
		    c->call->ret ? ": " : "",
		    c->call->ret ? fmt_errno(c->call->ret) : "");
}

static void print_span_calls(const struct liveupdate_recorder *r,
			     const struct blackout *b, enum span s, FILE *f)
{
	const struct liveupdate_recorder_row *rows[TOP];
	struct timeline_session sessions[TOP];
	struct timeline_call calls[TOP];
	int i, n;

	n = timeline_rows(r, s, rows, TOP);
	for (i = 0; i < n; i++)
		print_row(rows[i], f);
	n = timeline_sessions(r, b, s, sessions, TOP);
	for (i = 0; i < n; i++)
		print_session(&sessions[i], "",
			      timeline_agent(r, s, sessions[i].session), f);
	n = timeline_calls(r, b, s, calls, TOP);
	for (i = 0; i < n; i++)
		print_call(&calls[i], f);
}

static void print_inside(const struct inside *in, enum span s, FILE *f)
{
	const struct inside_item *items[INSIDE_SHOWN];
	int n = timeline_inside_top(in, s, items), i;
	char ns[FMT_LEN];

	for (i = 0; i < n; i++)
		print_under(f, fmt_ns(ns, items[i]->ns), "%s", items[i]->text);
}

/* How much of all of it has a name, and where the rest is. */
static void print_named(const struct inside *in, const struct blackout *b, FILE *f)
{
	char said[INSIDE_SAID];

	if (timeline_inside_said(in, b, said))
		fmt_wrapped(f, "  ", said);
}

static void print_observer(struct steps steps, FILE *f)
{
	struct observer o = timeline_steps_observer(steps);
	char text[OBSERVER_TEXT];

	if (steps.reboot)
		fmt_wrapped(f, "  ", observer_text(&o, text));
}

static void print_spans(const struct liveupdate_recorder *r,
			const struct blackout *b, struct steps steps, FILE *f)
{
	char ns[FMT_LEN], bar[BAR + 1], name[NAME_BUF];
	struct inside in;
	int s;

	inside_of_update(&in, r, b, steps);

	for (s = 0; s < SPAN_NR; s++) {
		if (s == SPAN_PREPARE || s == SPAN_KEXEC)
			fprintf(f, "%s kernel %s\n", s ? "new" : "old",
				recorder_present(span_record(r, s)) ?
				fmt_name(name, sizeof(name),
					 span_record(r, s)->release) : "-");
		if (!b->known[s]) {
			fprintf(f, "  %-17s %8s\n", span_label(s), "-");
		} else {
			fprintf(f, "  %-17s %8s %5.1f %% |%-*s|\n",
				span_label(s), fmt_ns(ns, b->ns[s]),
				b->total ? 100.0 * b->ns[s] / b->total : 0, BAR,
				fmt_bar(bar, BAR, b->ns[s],
					b->total ? b->total : 1));
		}
		print_inside(&in, s, f);
		print_span_calls(r, b, s, f);
		if (s == SPAN_SHUTDOWN)
			timeline_steps_text(steps, print_under, f);
	}
	fprintf(f, "  %-17s %8s%s\n", b->whole ? "in all" : "known in all",
		fmt_ns(ns, b->total), b->whole ? "" : "; shares are of this");
	print_named(&in, b, f);
	print_observer(steps, f);
}

/* Earlier failed attempts have figures of their own. */
static void print_failed(const struct liveupdate_recorder_part *p, FILE *f)
{
	const struct liveupdate_recorder_row *rows[TOP];
	struct timeline_session sessions[TOP];
	struct timeline_call calls[TOP];
	char text[TIMELINE_TEXT];
	int phases[TOP], i, n;

	if (!timeline_failures(p, text))
		return;
	fputs("\nearlier attempts that failed\n", f);
	fmt_wrapped(f, "  ", text);
	n = timeline_failed_rows(p, rows, TOP);
	for (i = 0; i < n; i++)
		print_row(rows[i], f);
	n = timeline_failed_sessions(p, sessions, phases, TOP);
	for (i = 0; i < n; i++)
		print_session(&sessions[i], enum_name(ENUM_PHASE, phases[i]), NULL, f);
	n = timeline_failed_calls(p, calls, TOP);
	for (i = 0; i < n; i++)
		print_call(&calls[i], f);
}

/* Why something is unknown, by the box. */
static int print_notes(struct steps steps, FILE *f)
{
	char text[TIMELINE_TEXT];
	int n = 0;

	if (timeline_steps_until(steps, text, sizeof(text))) {
		fmt_wrapped(f, "* ", text);
		n++;
	}
	if (steps.note) {
		fmt_wrapped(f, "* ", steps.note);
		n++;
	}
	return n;
}

/* What a workload felt is what its owner asks first. */
static void print_workloads(const struct liveupdate_recorder *r,
			    const struct blackout *b, FILE *f)
{
	unsigned long long lost = workloads_lost(r);
	struct workload all[WORKLOADS];
	char text[WORKLOAD_TEXT];
	int i, n = workloads_find(r, b, all);

	for (i = 0; i < n && i < TOP; i++)
		fmt_wrapped(f, "", workload_sentence(&all[i], b->over, text));
	if (n > TOP)
		fprintf(f, "... and %d more\n", n - TOP);
	if (lost)
		fprintf(f, "%llu mark%s of workloads found no room in the record\n",
			lost, fmt_s(lost));
}

char *timeline_title(const struct liveupdate_recorder *r, char *title)
{
	if (r->last_in.number)
		snprintf(title, TIMELINE_TITLE, "Live update %llu",
			 (unsigned long long)r->last_in.number);
	else
		snprintf(title, TIMELINE_TITLE, "Live update");
	return title;
}

void timeline_text(const struct liveupdate_recorder *r, const struct blackout *b,
		   struct steps steps, bool colour, FILE *f)
{
	const struct liveupdate_recorder_part *out = &r->last_out;
	struct finding findings[TIMELINE_FINDINGS];
	char line[2 * TIMELINE_TEXT], text[TIMELINE_TEXT], ns[FMT_LEN], when[32];
	char title[TIMELINE_TITLE];
	time_t t = out->wall_ns / 1000000000;
	uint64_t window;
	struct tm tm;
	int i, n;

	strftime(when, sizeof(when), "%F %T UTC", gmtime_r(&t, &tm));
	fputs(colour ? "\033[1m" : "", f);
	print_workloads(r, b, f);
	fprintf(f, "%s%s%s: %llu session%s with %llu file%s\n",
		timeline_title(r, title),
		recorder_present(out) ? " at " : "", recorder_present(out) ? when : "",
		(unsigned long long)r->last_in.sessions,
		fmt_s(r->last_in.sessions),
		(unsigned long long)r->last_in.files, fmt_s(r->last_in.files));
	snprintf(line, sizeof(line), "%s, freeze window %s",
		 timeline_headline(r, b, text),
		 timeline_window(b, &window) ? fmt_ns(ns, window) : "-");
	fmt_wrapped(f, "", line);
	fprintf(f, "%s\n", colour ? "\033[0m" : "");

	n = timeline_findings(r, b, findings);
	for (i = 0; i < n; i++)
		fmt_wrapped(f, "* ", findings[i].text);
	n += print_notes(steps, f);
	if (n)
		fputc('\n', f);
	print_spans(r, b, steps, f);
	print_failed(out, f);
}
