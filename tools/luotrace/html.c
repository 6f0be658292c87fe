// SPDX-License-Identifier: GPL-2.0

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "enum_name.h"
#include "fmt.h"
#include "hist.h"
#include "html.h"
#include "html_blackout.h"
#include "html_stacks.h"
#include "html_write.h"
#include "timeline.h"

#define LABEL		240	/* of them for names at its left */
#define LINE		22	/* height of a line in it */
#define MAX_LIVES	200	/* sessions that are drawn */

static const char style[] =
	":root{color-scheme:light dark;--ink:#1a1a1a;--dim:#666;--line:#ccc;"
	"--page:#fff;--mark:#0b57d0;--bad:#b3261e;"
	"--s0:#7b9acc;--s1:#d1495b;--s2:#edae49;--s3:#8d96a3;--s4:#66a182;"
	"--s5:#b79ced;--s6:#2e86ab;--s7:#a1c181;"
	"--on:#f0a868;--off:#92b8dc;--head:#dedede}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--dim:#a0a0a0;"
	"--line:#444;--page:#161616;--mark:#8ab4f8;--bad:#f2b8b5;"
	"--on:#8a4f1a;--off:#2f5780;--head:#3a3a3a}}\n"
	"@media print{:root{--ink:#000;--dim:#444;--line:#999;--page:#fff;"
	"--mark:#000;--bad:#000;--on:#f0a868;--off:#92b8dc;--head:#dedede}section{break-inside:avoid}}\n"
	"body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);"
	"background:var(--page);max-width:62rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\n"
	"table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
	"th,td{text-align:left;padding:.15rem .6rem .15rem 0;"
	"border-bottom:1px solid var(--line);vertical-align:top}\n"
	"th{font-weight:600}.n{text-align:right;white-space:nowrap}.w{white-space:nowrap}.dim{color:var(--dim)}"
	".bad{color:var(--bad)}\n"
	"svg{width:100%;height:auto;display:block;margin:.5rem 0}\n"
	"svg text{fill:var(--ink);font:12px system-ui,sans-serif}\n"
	"svg .dim{fill:var(--dim)}svg .axis{stroke:var(--line)}\n"
	"svg .bar{fill:var(--mark)}svg .life{stroke:var(--mark);stroke-width:3}"
	"svg .dot{fill:var(--mark)}svg .dot.bad{fill:var(--bad)}\n"
	"svg .on{fill:var(--on)}svg .off{fill:var(--off)}svg .head{fill:var(--head)}"
	".flames rect{stroke:var(--page);stroke-width:.6}.flames text{pointer-events:none}\n"
	".sub{padding-left:1.6em}.sub2{padding-left:3.2em}\n"
	"li{margin:.2rem 0}.key{display:inline-block;width:.8em;height:.8em;"
	"margin-right:.4em}\n";

/* A bar for each power of two in use. */
static void draw_hist(const struct lt_row *row, FILE *f)
{
	struct hist_octaves all;
	unsigned int o;
	char ns[FMT_LEN];
	double h, w, width;

	hist_fold(row, &all);
	if (!all.most)
		return;
	w = 220.0 / (all.last - all.first + 1);
	w = w > 24 ? 24 : w;
	width = w * (all.last - all.first + 1);
	width = width < 110 ? 110 : width;
	fprintf(f, "<svg viewBox=\"0 0 %.0f 44\" style=\"width:%.0fpx\" role=img aria-label=\"histogram\">",
		width, width);
	for (o = all.first; o <= all.last; o++) {
		h = 28.0 * all.calls[o] / all.most;
		if (!all.calls[o])
			continue;
		fprintf(f, "<rect class=bar x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s and more: %llu</title></rect>",
			(o - all.first) * w, 30 - (h < 1 ? 1 : h), w - 1,
			h < 1 ? 1 : h, fmt_ns(ns, hist_low(o * LT_SUB)),
			(unsigned long long)all.calls[o]);
	}
	fprintf(f, "<text class=dim x=\"0\" y=\"43\">%s</text>",
		fmt_ns(ns, hist_low(all.first * LT_SUB)));
	fprintf(f, "<text class=dim x=\"%.0f\" y=\"43\" text-anchor=end>%s</text></svg>", width,
		all.last == HIST_OCTAVES - 1 ? "..." :
		fmt_ns(ns, hist_low((all.last + 1) * LT_SUB)));
}

static void calls_table(const char *title, const struct tracer_row *rows, int nr,
			FILE *f)
{
	static const char *const kinds[] = { "", " (subsystem)",
					     " (FLB)", "" };
	int i;

	fprintf(f, "<h2>%s</h2>\n<table><tr><th>name<th>operation<th class=n>calls<th class=n>errors<th class=n>p50<th class=n>p99<th class=n>max<th>histogram</tr>\n",
		title);
	for (i = 0; i < nr; i++) {
		const struct tracer_row *row = &rows[i];

		fputs("<tr><td>", f);
		name(f, row->key.name);
		fprintf(f, "%s</td>", kinds[row->key.kind & 3]);
		cell(f, NULL, enum_name(ENUM_OP, row->key.op));
		cell_number(f, row->calls.count);
		fprintf(f, "<td class=\"n%s\">%llu</td>",
			row->calls.errors ? " bad" : "",
			(unsigned long long)row->calls.errors);
		cell_ns(f, hist_percentile(&row->calls, 50));
		cell_ns(f, hist_percentile(&row->calls, 99));
		cell_ns(f, row->calls.max_ns);
		fputs("<td>", f);
		draw_hist(&row->calls, f);
		fputs("</td></tr>\n", f);
	}
	if (!nr)
		fputs("<tr><td colspan=8 class=dim>none</td></tr>\n", f);
	fputs("</table>\n", f);
}

static void slow_table(const char *title, const struct lt_slow *calls, int nr,
		       FILE *f)
{
	char token[24];
	int i;

	fprintf(f, "<h2>%s</h2>\n<table><tr><th class=n>time<th>operation<th>name<th>session<th class=n>token<th>result</tr>\n",
		title);
	for (i = 0; i < nr; i++) {
		const struct lt_slow *c = &calls[i];

		fputs("<tr>", f);
		cell_ns(f, c->duration_ns);
		cell(f, NULL, enum_name(ENUM_OP, c->op));
		cell_name(f, c->compatible);
		cell_name(f, c->kind == LT_HANDLER ? c->session : "");
		snprintf(token, sizeof(token), "%llu",
			 (unsigned long long)c->token);
		cell(f, "n", c->kind == LT_HANDLER ? token : "");
		cell(f, c->ret ? "bad" : NULL, c->ret ? fmt_errno(c->ret) : "");
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
}

static void draw_session(json_t *life, int line, uint64_t end, FILE *f)
{
	json_t *steps = json_object_get(life, "life"), *step;
	double x, first = -1, y = line * LINE + 14, unit;
	const char *what;
	size_t i;

	unit = (double)(WIDTH - LABEL - 10) / (end ? end : 1);
	fprintf(f, "<text x=\"0\" y=\"%.0f\">", y + 4);
	text(f, json_string_value(json_object_get(life, "session")));
	step = json_array_get(steps, json_array_size(steps) - 1);
	what = json_string_value(json_object_get(step, "what"));
	fprintf(f, "<tspan class=dim> %s, %lld file%s: %s</tspan></text>",
		json_string_value(json_object_get(life, "dir")),
		(long long)json_integer_value(json_object_get(life, "files")),
		fmt_s(json_integer_value(json_object_get(life, "files"))),
		what ? what : "-");
	json_array_foreach(steps, i, step) {
		x = LABEL + unit * json_integer_value(json_object_get(step,
								      "time_ns"));
		if (first >= 0)
			fprintf(f, "<line class=life x1=\"%.1f\" y1=\"%.0f\" x2=\"%.1f\" y2=\"%.0f\"/>",
				first, y, x, y);
		first = x;
	}
	json_array_foreach(steps, i, step) {
		what = json_string_value(json_object_get(step, "what"));
		x = LABEL + unit * json_integer_value(json_object_get(step,
								      "time_ns"));
		fprintf(f, "<circle class=\"dot%s\" cx=\"%.1f\" cy=\"%.0f\" r=\"5\"><title>%s after %.3f s</title></circle>",
			json_integer_value(json_object_get(step, "ret")) ||
			!strcmp(what, "leaked") ? " bad" : "", x, y, what,
			json_integer_value(json_object_get(step, "time_ns")) / 1e9);
	}
	fputc('\n', f);
}

static void draw_sessions(const struct session_track *all, FILE *f)
{
	json_t *lives = session_track_json(all, MAX_LIVES), *life;
	size_t nr = session_track_count(all), i;
	uint64_t end = session_track_last(all);
	char ns[FMT_LEN];

	fputs("<h2>Sessions</h2>\n", f);
	if (nr > MAX_LIVES)
		fprintf(f, "<p class=dim>The first %d of %zu.</p>\n", MAX_LIVES,
			nr);
	nr = nr > MAX_LIVES ? MAX_LIVES : nr;
	fprintf(f, "<svg viewBox=\"0 0 %d %zu\" role=img aria-label=\"lives of sessions\">\n",
		WIDTH, nr * LINE + 24);
	json_array_foreach(lives, i, life)
		draw_session(life, i, end, f);
	fprintf(f, "<line class=axis x1=\"%d\" y1=\"%zu\" x2=\"%d\" y2=\"%zu\"/><text class=dim x=\"%d\" y=\"%zu\">0</text><text class=dim x=\"%d\" y=\"%zu\" text-anchor=end>%s after the first event</text></svg>\n",
		LABEL, nr * LINE + 6, WIDTH, nr * LINE + 6, LABEL,
		nr * LINE + 20, WIDTH, nr * LINE + 20, fmt_ns(ns, end));
	json_decref(lives);
}

static void kho_table(const struct latency *l, FILE *f)
{
	json_t *kho = latency_kho_json(l), *row;
	char size[FMT_LEN];
	size_t i;

	fputs("<h2>Memory marked for the next kernel</h2>\n<table><tr><th>action<th>kind<th class=n>calls<th class=n>errors<th class=n>pages<th class=n>size</tr>\n",
	      f);
	json_array_foreach(kho, i, row) {
		if (!json_integer_value(json_object_get(row, "calls")))
			continue;
		fputs("<tr>", f);
		cell(f, NULL, json_string_value(json_object_get(row, "action")));
		cell(f, NULL, json_string_value(json_object_get(row, "kind")));
		cell_number(f, json_integer_value(json_object_get(row, "calls")));
		cell_number(f, json_integer_value(json_object_get(row, "errors")));
		cell_number(f, json_integer_value(json_object_get(row, "pages")));
		cell(f, "n", fmt_bytes(size, json_integer_value(
					json_object_get(row, "bytes"))));
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
	json_decref(kho);
}

static void folio_table(const struct latency *l, FILE *f)
{
	json_t *all = latency_folios_json(l), *row;
	char size[FMT_LEN], ns[FMT_LEN];
	const char *action;
	json_t *each;
	size_t i;

	fputs("<h2>That memory by the size of its folios</h2>\n<table><tr><th>action<th class=n>folio<th class=n>calls<th class=n>pages<th class=n>size<th class=n>each</tr>\n",
	      f);
	json_array_foreach(json_object_get(all, "orders"), i, row) {
		fputs("<tr>", f);
		cell(f, NULL, json_string_value(json_object_get(row, "action")));
		cell(f, "n", fmt_bytes(size, json_integer_value(
					json_object_get(row, "folio_bytes"))));
		cell_number(f, json_integer_value(json_object_get(row, "calls")));
		cell_number(f, json_integer_value(json_object_get(row, "pages")));
		cell(f, "n", fmt_bytes(size, json_integer_value(
					json_object_get(row, "bytes"))));
		each = json_object_get(row, "avg_ns");
		cell(f, "n", json_is_integer(each) ?
		     fmt_ns(ns, json_integer_value(each)) : "-");
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
	json_array_foreach(json_object_get(all, "pieces"), i, row) {
		action = json_string_value(json_object_get(row, "action"));
		if (!folios_worth(&l->folios, folios_action_of(action)))
			continue;
		fputs("<p>", f);
		text(f, json_string_value(json_object_get(row, "text")));
		fputs(".</p>\n", f);
	}
	json_decref(all);
}

static void trace_section(const struct trace_file *t, FILE *f)
{
	const char *kernel = trace_file_kernel(t);
	time_t at = json_integer_value(json_object_get(t->head, "wall_clock_ns")) /
		    1000000000;
	const struct latency *l = &t->latency;
	uint64_t first, last;
	char when[32], observer[OBSERVER_TEXT];
	struct tm tm;

	strftime(when, sizeof(when), "%F %T UTC", gmtime_r(&at, &tm));
	trace_file_numbers(t, &first, &last);
	fputs("<section><h1>Traced in ", f);
	text(f, kernel ? kernel : "a kernel");
	fprintf(f, "</h1>\n<p class=dim>from %s, %zu event%s", when, t->events.nr,
		fmt_s(t->events.nr));
	if (first)
		fprintf(f, " of live update%s %llu", fmt_s(last - first + 1),
			(unsigned long long)first);
	if (last != first)
		fprintf(f, " to %llu", (unsigned long long)last);
	fprintf(f, "%s</p>\n", t->ended ? "" :
		"; the trace has no end, luotrace record was killed");
	if (trace_file_lost(t) == TRACER_UNKNOWN)
		fputs("<p class=bad>Lost events: unknown, the trace has no end.</p>\n",
		      f);
	else if (trace_file_lost(t))
		fprintf(f, "<p class=bad>%llu event%s lost.</p>\n",
			(unsigned long long)trace_file_lost(t),
			trace_file_lost(t) == 1 ? " was" : "s were");
	fputs("<p class=dim>", f);
	text(f, observer_text(&l->observer, observer));
	fputs(".</p>\n", f);
	draw_sessions(t->track, f);
	calls_table("Calls", l->rows, l->nr_rows, f);
	slow_table("Longest calls", l->slow, l->nr_slow, f);
	if (l->nr_failed) {
		calls_table("Calls in attempts that failed or were cancelled",
			    l->failed, l->nr_failed, f);
		slow_table("Longest calls in them", l->failed_slow,
			   l->nr_failed_slow, f);
	}
	html_stacks(l->stacks, f);
	if (t->latency.has_kho)
		kho_table(&t->latency, f);
	if (t->latency.folios.known)
		folio_table(&t->latency, f);
	fputs("</section>\n", f);
}

/* Whether the traces have events of that live update. */
static bool any_events(struct trace_file *const *traces, int nr, uint64_t number)
{
	struct lt_event room;
	size_t e;
	int i;

	for (i = 0; i < nr; i++) {
		for (e = 0; e < traces[i]->events.nr; e++) {
			if (event_store_get(&traces[i]->events, e, &room)->number == number)
				return true;
		}
	}
	return false;
}

void html_begin(const char *title, FILE *f)
{
	fprintf(f, "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n"
		"<meta name=viewport content=\"width=device-width\">\n"
		"<title>%s</title>\n<style>\n%s</style></head>\n<body>\n", title, style);
}

void html_end(FILE *f)
{
	fputs("</body></html>\n", f);
}

void html_page(struct trace_file *const *traces, int nr, FILE *f)
{
	const struct liveupdate_recorder *r;
	int i, events = 0;

	for (i = 0; i < nr; i++)
		events += traces[i]->head != NULL;
	html_begin("luotrace report", f);
	for (i = 0; i < nr; i++) {
		r = trace_file_record(traces[i]);
		if (r && !trace_file_repeated(traces, nr, i))
			html_blackout(traces[i], !events || !r->last_in.number ||
					 any_events(traces, nr, r->last_in.number), f);
	}
	for (i = 0; i < nr; i++) {
		if (traces[i]->head)
			trace_section(traces[i], f);
	}
	html_end(f);
}
