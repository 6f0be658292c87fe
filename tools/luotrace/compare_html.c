// SPDX-License-Identifier: GPL-2.0

/* A comparison as a page. */

#include <stdlib.h>

#include "compare.h"
#include "html.h"
#include "html_write.h"

#define PLOT	240	/* units of a drawing of times, without its margins */

static const char *const colours[] = { "--s0", "--s2" };

static void signed_cell(FILE *f, int64_t ns)
{
	char buf[FMT_LEN];

	fprintf(f, "<td class=n>%c%s</td>", ns < 0 ? '-' : '+', fmt_ns(buf, llabs(ns)));
}

static void run_item(const struct compare_run *run, FILE *f)
{
	fputs("<li>", f);
	text(f, run->source);
	fputs(": ", f);
	name(f, *run->releases[0] ? run->releases[0] : "-");
	fputs(" to ", f);
	name(f, *run->releases[1] ? run->releases[1] : "-");
	if (run->failed || run->cancelled)
		fprintf(f, "; before it %llu reboots failed, %llu PREPAREs failed or were cancelled",
			(unsigned long long)run->failed, (unsigned long long)run->cancelled);
	fputs("</li>\n", f);
}

static void sides_list(const struct compare *c, FILE *f)
{
	int k, i, n;

	for (k = 0; k < 2; k++) {
		n = c->sides[k]->n;
		fprintf(f, "<p><span class=key style=\"background:var(%s)\"></span><b>%c</b>: ",
			colours[k], 'A' + k);
		text(f, c->names[k]);
		fprintf(f, ", %d live update%s</p>\n<ul class=dim>\n", n, fmt_s(n));
		for (i = 0; i < n; i++)
			run_item(&c->sides[k]->runs[i], f);
		fputs("</ul>\n", f);
	}
}

static void followers(const struct compare *c, FILE *f)
{
	char label[COMPARE_LABEL], by[FMT_LEN];
	const struct compare_row *row;
	int i;

	for (i = c->n - 1; i >= 0; i--) {
		row = &c->rows[i];
		if (row->verdict != VERDICT_FOLLOWS)
			continue;
		fputs("<li class=dim>therefore ", f);
		text(f, compare_label(&row->what, label));
		fprintf(f, ": %c%s</li>\n", row->change < 0 ? '-' : '+',
			fmt_ns(by, llabs(row->change)));
	}
}

static void differences(const struct compare *c, FILE *f)
{
	const struct compare_row **all = compare_differences(c), **row;
	char label[COMPARE_LABEL], a[FMT_LEN], b[FMT_LEN], by[FMT_LEN];

	fprintf(f, "<p>%d difference%s for the worse, %d for the better, in %d rows</p>\n<ul>\n",
		c->worse, fmt_s(c->worse), c->better, c->tested);
	for (row = all; row && *row; row++) {
		fprintf(f, "<li%s>", (*row)->verdict == VERDICT_WORSE ? " class=bad" : "");
		text(f, compare_label(&(*row)->what, label));
		fprintf(f, ": %s to %s, %s %s", fmt_ns(a, (*row)->sides[0].median),
			fmt_ns(b, (*row)->sides[1].median),
			fmt_ns(by, llabs((*row)->change)),
			(*row)->verdict == VERDICT_WORSE ? "slower" : "faster");
		if ((*row)->own != (*row)->change)
			fprintf(f, ", of which %s is not in the other differences",
				fmt_ns(by, llabs((*row)->own)));
		fputs("</li>\n", f);
	}
	followers(c, f);
	fputs("</ul>\n", f);
	free(all);
}

static uint64_t longest_time(const struct compare *c, const struct compare_row *row)
{
	const struct compare_value *v;
	uint64_t most = 1;
	int k, i;

	for (k = 0; k < 2; k++) {
		v = row->sides[k].values;
		for (i = 0; i < c->sides[k]->n; i++) {
			if (v[i].known && v[i].ns > most)
				most = v[i].ns;
		}
	}
	return most;
}

/* A dot for each live update, a stroke for the median, from 0 on. */
static void plot(const struct compare *c, const struct compare_row *row, FILE *f)
{
	const double unit = (double)PLOT / longest_time(c, row);
	const struct compare_sum *s = row->sides;
	char ns[FMT_LEN];
	int k, i, y;

	fprintf(f, "<svg viewBox=\"-6 0 %d 28\" style=\"width:%dpx\" role=img aria-label=\"times of both sides\"><line class=axis x1=\"0\" y1=\"2\" x2=\"0\" y2=\"26\"/>",
		PLOT + 12, PLOT + 12);
	for (k = 0; k < 2; k++) {
		y = k ? 20 : 8;
		for (i = 0; i < c->sides[k]->n; i++) {
			if (s[k].values[i].known)
				fprintf(f, "<circle cx=\"%.1f\" cy=\"%d\" r=\"3\" style=\"fill:var(%s)\"><title>%s</title></circle>",
					unit * s[k].values[i].ns, y, colours[k],
					fmt_ns(ns, s[k].values[i].ns));
		}
		if (s[k].known)
			fprintf(f, "<line class=life x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>",
				unit * s[k].median, y - 6, unit * s[k].median, y + 6);
	}
	fputs("</svg>", f);
}

static void row_cells(const struct compare *c, const struct compare_row *row, FILE *f)
{
	static const char *const verdicts[] = {
		[VERDICT_UNKNOWN] = "unknown", [VERDICT_SAME] = "",
		[VERDICT_FOLLOWS] = "follows", [VERDICT_BETTER] = "faster",
		[VERDICT_WORSE] = "slower",
	};
	char label[COMPARE_LABEL];
	int k;

	fprintf(f, "<tr><td%s>", row->what.of == MEASURE_CALL && row->what.span < SPAN_NR ?
				 " class=sub" : "");
	text(f, compare_label(&row->what, label));
	fputs("</td>", f);
	for (k = 0; k < 2; k++) {
		if (row->sides[k].known)
			cell_ns(f, row->sides[k].median);
		else
			cell(f, "n", "-");
		if (row->sides[k].known > 1)
			cell_ns(f, row->sides[k].spread);
		else
			cell(f, "n", "-");
	}
	if (row->verdict != VERDICT_UNKNOWN) {
		signed_cell(f, row->change);
		cell_ns(f, row->noise);
	} else {
		fputs("<td class=n>-</td><td class=n>-</td>", f);
	}
	cell(f, row->verdict == VERDICT_WORSE ? "bad" : NULL, row->one ? "one call" :
	     row->what.of == MEASURE_FAILED ? "" : verdicts[row->verdict]);
	fputs("<td>", f);
	plot(c, row, f);
	fputs("</td></tr>\n", f);
}

static void table(const struct compare *c, const char *title, bool failed, FILE *f)
{
	int i, n = 0;

	for (i = 0; i < c->n; i++)
		n += (c->rows[i].what.of == MEASURE_FAILED) == failed;
	if (!n)
		return;
	fprintf(f, "<h2>%s</h2>\n<table><tr><th><th class=n>A<th class=n>spread<th class=n>B<th class=n>spread<th class=n>change<th class=n>noise<th><th>A above, B below, from 0</tr>\n",
		title);
	for (i = 0; i < c->n; i++) {
		if ((c->rows[i].what.of == MEASURE_FAILED) == failed)
			row_cells(c, &c->rows[i], f);
	}
	fputs("</table>\n", f);
}

void compare_html(const struct compare *c, FILE *f)
{
	html_begin("luotrace compare", f);
	fputs("<section><h1>Two sides of live updates</h1>\n", f);
	sides_list(c, f);
	differences(c, f);
	table(c, "Medians of all live updates", false, f);
	table(c, "Attempts that failed", true, f);
	fputs("<p class=dim>The spread is the median distance from the median, the noise what a change has to reach to be a difference.</p>\n</section>\n",
	      f);
	html_end(f);
}
