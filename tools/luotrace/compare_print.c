// SPDX-License-Identifier: GPL-2.0

/* A comparison as text. */

#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "fmt.h"

#define LABEL		26	/* columns of it */
#define LINE		(4 * COMPARE_LABEL)
#define NAME_BUF	(4 * 64 + 1)

static char *signed_ns(char *buf, int64_t ns)
{
	buf[0] = ns < 0 ? '-' : '+';
	fmt_ns(buf + 1, llabs(ns));
	return buf;
}

static const char *marks(enum verdict verdict)
{
	static const char *const all[] = {
		[VERDICT_UNKNOWN] = " ", [VERDICT_SAME] = " ", [VERDICT_FOLLOWS] = ".",
		[VERDICT_BETTER] = "<", [VERDICT_WORSE] = ">",
	};

	return all[verdict];
}

static void print_sides(const struct compare *c, FILE *f)
{
	const struct compare_side *side;
	char line[LINE], from[NAME_BUF], to[NAME_BUF], name[NAME_BUF];
	uint64_t failed, cancelled;
	int k, i;

	for (k = 0; k < 2; k++) {
		side = c->sides[k];
		for (failed = cancelled = 0, i = 0; i < side->n; i++) {
			failed += side->runs[i].failed;
			cancelled += side->runs[i].cancelled;
		}
		fmt_name(from, sizeof(from), side->runs[0].releases[0]);
		fmt_name(to, sizeof(to), side->runs[0].releases[1]);
		snprintf(line, sizeof(line), "%s, %d live update%s",
			 fmt_text(name, sizeof(name), c->names[k]), side->n,
			 fmt_s(side->n));
		if (*to)
			snprintf(line + strlen(line), sizeof(line) - strlen(line),
				 ", %s -> %s%s", *from ? from : "-", to,
				 side->n > 1 ? " in the first" : "");
		if (failed || cancelled)
			snprintf(line + strlen(line), sizeof(line) - strlen(line),
				 "; before them %llu reboot%s failed, %llu PREPARE%s failed or %s cancelled, which is not in these figures",
				 (unsigned long long)failed, fmt_s(failed),
				 (unsigned long long)cancelled, fmt_s(cancelled),
				 cancelled == 1 ? "was" : "were");
		fmt_wrapped(f, k ? "B: " : "A: ", line);
	}
}

/* The rows that differences are in, and that have it from there; the innermost first. */
static void print_followers(const struct compare *c, FILE *f)
{
	char label[COMPARE_LABEL], line[LINE], a[FMT_LEN], b[FMT_LEN], by[FMT_LEN + 1];
	const struct compare_row *row;
	int i;

	for (i = c->n - 1; i >= 0; i--) {
		row = &c->rows[i];
		if (row->verdict != VERDICT_FOLLOWS)
			continue;
		snprintf(line, sizeof(line), "%s: %s to %s, %s",
			 compare_label(&row->what, label), fmt_ns(a, row->sides[0].median),
			 fmt_ns(b, row->sides[1].median), signed_ns(by, row->change));
		fmt_wrapped(f, "  therefore ", line);
	}
}

static void print_difference(const struct compare_row *row, FILE *f)
{
	char label[COMPARE_LABEL], line[LINE], a[FMT_LEN], b[FMT_LEN], by[FMT_LEN + 1];
	const struct compare_sum *s = row->sides;

	snprintf(line, sizeof(line), "%s: %s to %s, %s %s",
		 compare_label(&row->what, label), fmt_ns(a, s[0].median),
		 fmt_ns(b, s[1].median), fmt_ns(by, llabs(row->change)),
		 row->verdict == VERDICT_WORSE ? "slower" : "faster");
	if (row->own != row->change)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 ", of which %s is not in the other differences",
			 signed_ns(by, row->own));
	if (row->what.of == MEASURE_CALL && s[0].count != s[1].count)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 ", with %llu calls instead of %llu",
			 (unsigned long long)s[1].count, (unsigned long long)s[0].count);
	fmt_wrapped(f, "* ", line);
}

static void print_differences(const struct compare *c, FILE *f)
{
	const struct compare_row **all = compare_differences(c);
	int i;

	fputc('\n', f);
	if (c->worse + c->better)
		fprintf(f, "%d difference%s for the worse, %d for the better, in %d rows\n\n",
			c->worse, fmt_s(c->worse), c->better, c->tested);
	else
		fprintf(f, "no difference that is larger than the noise, in %d rows\n",
			c->tested);
	for (i = 0; all && all[i]; i++)
		print_difference(all[i], f);
	print_followers(c, f);
	free(all);
}

static void print_row(const struct compare_row *row, const char *indent, FILE *f)
{
	char label[COMPARE_LABEL], line[LINE], buf[2][FMT_LEN + 1];
	const struct compare_sum *s = row->sides;
	int used, k;

	snprintf(line, sizeof(line), "%s %s%s", marks(row->verdict), indent,
		 compare_label(&row->what, label));
	used = fmt_padded(f, line, LABEL);
	if (used > LABEL)
		fprintf(f, "\n%*s", LABEL, "");
	for (k = 0; k < 2; k++)
		fprintf(f, " %8s %8s", s[k].known ? fmt_ns(buf[0], s[k].median) : "-",
			s[k].known > 1 ? fmt_ns(buf[1], s[k].spread) : "-");
	if (row->verdict == VERDICT_UNKNOWN)
		fprintf(f, " %8s %7s\n", "-", "-");
	else
		fprintf(f, " %8s %7s\n", signed_ns(buf[0], row->change),
			fmt_ns(buf[1], row->noise));
}

/* In how many live updates a row is known, if not in all; whether one call is long. */
static void print_notes(const struct compare *c, const struct compare_row *row,
			const char *indent, FILE *f)
{
	int k, known, n;

	if (row->one)
		fprintf(f, "  %s  one call of several is longer, the others are not\n",
			indent);
	for (k = 0; k < 2 && row->what.of != MEASURE_FAILED; k++) {
		known = row->sides[k].known;
		n = c->sides[k]->n;
		if (known && known < n)
			fprintf(f, "  %s  %s: known of %d live update%s in %d\n", indent,
				k ? "B" : "A", known, fmt_s(known), n);
	}
}

/* The line before a row, if there is one. */
static const char *heading(const struct measure *what)
{
	switch (what->of) {
	case MEASURE_PHASE:
		return what->span < SPAN_KEXEC ? "old kernel" : "new kernel";
	case MEASURE_CALL:
		return what->span == SPAN_NR ? "calls in no phase of the blackout" : NULL;
	case MEASURE_FAILED:
		return "attempts that failed";
	default:
		return NULL;
	}
}

void compare_text(const struct compare *c, bool colour, FILE *f)
{
	const char *last = NULL, *now, *indent;
	const struct measure *what;
	int i;

	print_sides(c, f);
	fputs(colour ? "\033[1m" : "", f);
	print_differences(c, f);
	fprintf(f, "%s\n%*s %8s %8s %8s %8s %8s %7s\n", colour ? "\033[0m" : "", LABEL,
		"", "A", "spread", "B", "spread", "change", "noise");
	for (i = 0; i < c->n; i++) {
		what = &c->rows[i].what;
		now = heading(what);
		if (now && (!last || strcmp(now, last)))
			fprintf(f, "%s\n", now);
		last = now ? now : last;
		indent = what->of == MEASURE_CALL && what->span < SPAN_NR ? "  " : "";
		print_row(&c->rows[i], indent, f);
		print_notes(c, &c->rows[i], indent, f);
	}
	fputs("\n> slower, < faster by the noise or more; . as a row inside of it is\n", f);
}
