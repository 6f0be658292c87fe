// SPDX-License-Identifier: GPL-2.0

#include <string.h>
#include <time.h>

#include "enum_name.h"
#include "html_blackout.h"
#include "html_write.h"
#include "timeline_inside.h"
#include "workload.h"

/* The blackout as one bar. */
static void draw_spans(const struct blackout *b, FILE *f)
{
	double x = 0, w;
	int s;

	fprintf(f, "<svg viewBox=\"0 0 %d 60\" role=img aria-label=\"phases of the blackout\">\n",
		WIDTH);
	for (s = 0; s < SPAN_NR && b->total; s++) {
		if (!b->known[s])
			continue;
		w = (double)b->ns[s] / b->total * WIDTH;
		fprintf(f, "<rect x=\"%.2f\" y=\"4\" width=\"%.2f\" height=\"36\" style=\"fill:var(--s%d)\"><title>%s</title></rect>\n",
			x, w < 0.5 ? 0.5 : w, s, span_label(s));
		/* With its name, if that fits. */
		if (w > 7.0 * strlen(span_label(s)))
			fprintf(f, "<text x=\"%.2f\" y=\"55\">%s</text>\n", x,
				span_label(s));
		x += w;
	}
	fputs("</svg>\n", f);
}

/* The callback targets, with their times; 0 is unknown. */
static void rows_text(const struct liveupdate_recorder_row **rows, int n, FILE *f)
{
	char ns[FMT_LEN];
	int i;

	for (i = 0; i < n; i++) {
		name(f, *rows[i]->name ? rows[i]->name : "others");
		fprintf(f, " %s %s%s", enum_name(ENUM_OP, rows[i]->op),
			rows[i]->wall ? fmt_ns(ns, rows[i]->wall) : "-",
			i + 1 < n ? ", " : "");
	}
}

/* @n is how many callback targets are before it. */
static void longest_text(const struct timeline_call *c, int n, FILE *f)
{
	char ns[FMT_LEN];

	if (c->call->kind != LIVEUPDATE_KIND_HANDLER)
		return;
	fprintf(f, "%slongest %s: session ", n ? "; " : "",
		fmt_ns(ns, c->call->duration));
	name(f, c->call->session);
	fprintf(f, " token %llu", (unsigned long long)c->call->token);
}

static void span_rows(const struct liveupdate_recorder *r, const struct blackout *b,
		      enum span s, FILE *f)
{
	const struct liveupdate_recorder_row *rows[3];
	struct timeline_call longest;
	int n = timeline_rows(r, s, rows, 3);

	rows_text(rows, n, f);
	if (timeline_calls(r, b, s, &longest, 1))
		longest_text(&longest, n, f);
}

/* Earlier failed attempts have a paragraph of their own. */
static void failed_section(const struct liveupdate_recorder_part *p, FILE *f)
{
	const struct liveupdate_recorder_row *rows[3];
	struct timeline_session session;
	struct timeline_call longest;
	char said[TIMELINE_TEXT], ns[FMT_LEN];
	int phase, n;

	if (!timeline_failures(p, said))
		return;
	fputs("<h2>Earlier attempts that failed</h2>\n<p class=bad>", f);
	text(f, said);
	fputs("</p>\n<p class=dim>", f);
	n = timeline_failed_rows(p, rows, 3);
	rows_text(rows, n, f);
	if (timeline_failed_calls(p, &longest, 1))
		longest_text(&longest, n, f);
	if (timeline_failed_sessions(p, &session, &phase, 1)) {
		fprintf(f, "; %s in %s: session ", fmt_ns(ns, session.ns),
			enum_name(ENUM_PHASE, phase));
		name(f, session.session->name);
	}
	fputs("</p>\n", f);
}

static void workload_list(const struct liveupdate_recorder *r,
			  const struct blackout *b, FILE *f)
{
	unsigned long long lost = workloads_lost(r);
	struct workload all[WORKLOADS];
	char line[WORKLOAD_TEXT];
	int i, n = workloads_find(r, b, all);

	if (!n && !lost)
		return;
	fputs("<ul>\n", f);
	for (i = 0; i < n; i++) {
		fputs("<li><b>", f);
		text(f, workload_sentence(&all[i], b->over, line));
		fputs("</b></li>\n", f);
	}
	if (lost)
		fprintf(f, "<li class=bad>%llu mark%s of workloads found no room in the record</li>\n",
			lost, fmt_s(lost));
	fputs("</ul>\n", f);
}

static void blackout_head(const struct liveupdate_recorder *r, const struct blackout *b,
			  FILE *f)
{
	char when[32], line[TIMELINE_TEXT], title[TIMELINE_TITLE];
	time_t t = r->last_out.wall_ns / 1000000000;
	struct tm tm;

	strftime(when, sizeof(when), "%F %T UTC", gmtime_r(&t, &tm));
	fprintf(f, "<section><h1>%s: %s</h1>\n<p class=dim>", timeline_title(r, title),
		timeline_headline(r, b, line));
	if (recorder_present(&r->last_out)) {
		fprintf(f, "%s, ", when);
		name(f, r->last_out.release);
		fputs(" to ", f);
	}
	name(f, r->last_in.release);
	fprintf(f, ", %llu session%s with %llu file%s</p>\n",
		(unsigned long long)r->last_in.sessions,
		fmt_s(r->last_in.sessions),
		(unsigned long long)r->last_in.files, fmt_s(r->last_in.files));
	workload_list(r, b, f);
}

static void said(FILE *f, const char *sentence)
{
	if (!sentence)
		return;
	fputs("<li>", f);
	text(f, sentence);
	fputs("</li>\n", f);
}

static void findings_list(const struct liveupdate_recorder *r, const struct blackout *b,
			  struct steps steps, FILE *f)
{
	struct finding findings[TIMELINE_FINDINGS];
	struct observer o = timeline_steps_observer(steps);
	char until[TIMELINE_TEXT], observer[OBSERVER_TEXT];
	int n = timeline_findings(r, b, findings), i;

	fputs("<ul>\n", f);
	for (i = 0; i < n; i++) {
		fprintf(f, "<li%s>", findings[i].class == FINDING_FAULT ?
					     " class=bad" : "");
		text(f, findings[i].text);
		fputs("</li>\n", f);
	}
	said(f, timeline_steps_until(steps, until, sizeof(until)));
	said(f, steps.note);
	said(f, steps.reboot ? observer_text(&o, observer) : NULL);
	fputs("</ul>\n", f);
}

/* The steps of the shutdown, in rows below it. */
static void steps_rows(struct steps steps, const struct blackout *b, FILE *f)
{
	struct step all[STEPS_MAX];
	int n = timeline_steps_list(steps, all), i;
	char ns[FMT_LEN];

	for (i = 0; i < n; i++) {
		fprintf(f, "<tr class=dim><td class=\"w %s\">", all[i].label ? "sub" : "sub2");
		if (all[i].label)
			fputs(all[i].label, f);
		else
			name(f, all[i].device.name);
		fprintf(f, "</td><td></td><td class=n>%s</td><td class=n>%.1f %%</td><td>",
			fmt_ns(ns, all[i].ns), b->total ? 100.0 * all[i].ns / b->total : 0);
		if (all[i].devices)
			fprintf(f, "%llu devices, the longest below",
				(unsigned long long)all[i].devices);
		else if (!all[i].label && *all[i].device.driver) {
			fputs("driver ", f);
			name(f, all[i].device.driver);
		} else if (!all[i].label) {
			fputs("no driver", f);
		}
		fputs("</td></tr>\n", f);
	}
}

/* What is inside of a phase of the new kernel, in rows below it. */
static void inside_rows(const struct inside *in, enum span s, const struct blackout *b,
			FILE *f)
{
	const struct inside_item *items[INSIDE_SHOWN];
	int n = timeline_inside_top(in, s, items), i;
	char ns[FMT_LEN];

	for (i = 0; i < n; i++) {
		fprintf(f, "<tr class=dim><td class=%s>", items[i]->detail ? "sub2" : "sub");
		text(f, items[i]->text);
		fprintf(f, "</td><td></td><td class=n>%s</td><td class=n>%.1f %%</td><td></td></tr>\n",
			fmt_ns(ns, items[i]->ns),
			b->total ? 100.0 * items[i]->ns / b->total : 0);
	}
}

static void span_row(const struct liveupdate_recorder *r, const struct blackout *b,
		     enum span s, FILE *f)
{
	char ns[FMT_LEN];

	fprintf(f, "<tr><td class=w><span class=key style=\"background:var(--s%d)\"></span>%s</td><td>%s</td>",
		s, span_label(s), s < SPAN_KEXEC ? "old" : "new");
	if (b->known[s])
		fprintf(f, "<td class=n>%s</td><td class=n>%.1f %%</td>",
			fmt_ns(ns, b->ns[s]), b->total ? 100.0 * b->ns[s] / b->total : 0);
	else
		fputs("<td class=n>-</td><td class=n>-</td>", f);
	fputs("<td class=dim>", f);
	span_rows(r, b, s, f);
	fputs("</td></tr>\n", f);
}

void html_blackout(const struct trace_file *t, bool has_events, FILE *f)
{
	const struct liveupdate_recorder *r = trace_file_record(t);
	struct steps steps = timeline_steps(t->update);
	char ns[FMT_LEN], named[INSIDE_SAID];
	struct blackout b;
	struct inside in;
	int s;

	blackout_measure(r, &b);
	inside_of_update(&in, r, &b, steps);
	blackout_head(r, &b, f);
	if (!has_events)
		fputs("<p class=bad>No event below is of this live update.</p>\n",
		      f);
	findings_list(r, &b, steps, f);
	draw_spans(&b, f);
	fputs("<table><tr><th>phase<th>kernel<th class=n>time<th class=n>share<th>slowest</tr>\n",
	      f);
	for (s = 0; s < SPAN_NR; s++) {
		span_row(r, &b, s, f);
		inside_rows(&in, s, &b, f);
		if (s == SPAN_SHUTDOWN)
			steps_rows(steps, &b, f);
	}
	fprintf(f, "<tr><th>%s<th><th class=n>%s<th><th></tr></table>\n",
		b.whole ? "in all" : "known in all; shares are of this",
		fmt_ns(ns, b.total));
	if (timeline_inside_said(&in, &b, named)) {
		fputs("<p>", f);
		text(f, named);
		fputs("</p>\n", f);
	}
	failed_section(&r->last_out, f);
	fputs("</section>\n", f);
}
