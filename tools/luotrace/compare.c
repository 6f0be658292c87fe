// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "enum_name.h"
#include "fmt.h"
#include "msg.h"
#include "noise.h"

/* The part of a change that calls other than the longest one have to have. */
#define ONE_CALL	4

static bool same_measure(const struct measure *a, const struct measure *b)
{
	return a->of == b->of && a->span == b->span && a->by == b->by &&
	       a->kind == b->kind && a->op == b->op && a->scope == b->scope &&
	       !strcmp(a->name, b->name);
}

bool compare_contains(const struct measure *outer, const struct measure *inner)
{
	const bool phase = inner->of == MEASURE_PHASE ||
			   (inner->of == MEASURE_CALL && inner->span < SPAN_NR);

	switch (outer->of) {
	case MEASURE_WORKLOAD:
		return inner->of == MEASURE_BLACKOUT || phase;
	case MEASURE_BLACKOUT:
		return phase;
	case MEASURE_WINDOW:
		return phase && (inner->span == SPAN_FREEZE || inner->span == SPAN_SHUTDOWN);
	case MEASURE_PHASE:
		return inner->of == MEASURE_CALL && inner->span == outer->span;
	case MEASURE_CALL:
		/* A handler can have its FLB called. */
		return inner->of == MEASURE_CALL && inner->kind == LIVEUPDATE_KIND_FLB &&
		       outer->kind == LIVEUPDATE_KIND_HANDLER && inner->by == outer->by &&
		       inner->op == outer->op && inner->scope == outer->scope;
	case MEASURE_FAILED:
		break;
	}
	return false;
}

static struct compare_row *find_row(struct compare *c, const struct measure *what)
{
	struct compare_row *grown, *row;
	int i, k;

	for (i = 0; i < c->n; i++) {
		if (same_measure(&c->rows[i].what, what))
			return &c->rows[i];
	}
	grown = reallocarray(c->rows, c->n + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	c->rows = grown;
	row = &grown[c->n];
	memset(row, 0, sizeof(*row));
	row->what = *what;
	for (k = 0; k < 2; k++)
		row->sides[k].values = calloc(c->sides[k]->n,
					      sizeof(struct compare_value));
	c->n++;
	return row->sides[0].values && row->sides[1].values ? row : NULL;
}

static bool fill_rows(struct compare *c)
{
	const struct compare_run *run;
	const struct measure *m;
	struct compare_row *row;
	int k, i, j;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < c->sides[k]->n; i++) {
			run = &c->sides[k]->runs[i];
			for (j = 0; j < run->n; j++) {
				m = &run->all[j];
				row = find_row(c, m);
				if (!row)
					return false;
				row->sides[k].values[i] = (struct compare_value){
					m->known, m->ns, m->count, m->total, m->longest,
				};
			}
		}
	}
	return true;
}

/* A target without calls took no time, where all calls are recorded. */
static void fill_uncalled(const struct compare *c, struct compare_row *row)
{
	struct compare_value *v;
	int k, i;

	if (row->what.of != MEASURE_CALL)
		return;
	for (k = 0; k < 2; k++) {
		for (i = 0; i < c->sides[k]->n; i++) {
			v = &row->sides[k].values[i];
			if (!v->count && c->sides[k]->runs[i].complete[row->what.by])
				v->known = true;
		}
	}
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Whether a row is the outermost one inside of another that has a difference. */
static bool explains(const struct compare *c, const struct compare_row *row,
		     const struct compare_row *inner)
{
	const struct compare_row *between;
	int i;

	if (inner->verdict < VERDICT_FOLLOWS || !compare_contains(&row->what, &inner->what))
		return false;
	for (i = 0; i < c->n; i++) {
		between = &c->rows[i];
		if (between->verdict >= VERDICT_FOLLOWS &&
		    compare_contains(&row->what, &between->what) &&
		    compare_contains(&between->what, &inner->what))
			return false;
	}
	return true;
}

/*
 * The known times of a side, sorted, without those of the rows inside that have a difference.
 * Returns how many; @ns has room for all.
 */
static int known_times(const struct compare *c, const struct compare_row *row, int side,
		       bool without, uint64_t *ns)
{
	const struct compare_value *v = row->sides[side].values, *in;
	int n = 0, i, k;
	uint64_t one;
	bool known;

	for (i = 0; i < c->sides[side]->n; i++) {
		known = v[i].known;
		one = v[i].ns;
		for (k = 0; without && k < c->n; k++) {
			if (!explains(c, row, &c->rows[k]))
				continue;
			in = &c->rows[k].sides[side].values[i];
			known = known && in->known;
			one -= in->ns < one ? in->ns : one;
		}
		if (known)
			ns[n++] = one;
	}
	qsort(ns, n, sizeof(*ns), compare_u64);
	return n;
}

static bool sum_side(const struct compare *c, struct compare_row *row, int side)
{
	struct compare_sum *sum = &row->sides[side];
	uint64_t *ns = calloc(c->sides[side]->n, sizeof(*ns));
	int i, n = 0;

	if (!ns)
		return false;
	sum->known = known_times(c, row, side, false, ns);
	if (sum->known) {
		sum->median = noise_median((struct noise_set){ ns, sum->known });
		sum->spread = noise_spread((struct noise_set){ ns, sum->known });
	}
	for (i = 0; i < c->sides[side]->n; i++) {
		if (sum->values[i].known)
			ns[n++] = sum->values[i].count;
	}
	qsort(ns, n, sizeof(*ns), compare_u64);
	if (n)
		sum->count = noise_median((struct noise_set){ ns, n });
	free(ns);
	return true;
}

/* A row that both sides know, and that is not of attempts that failed. */
static bool is_tested(const struct compare_row *row)
{
	return row->what.of != MEASURE_FAILED && row->sides[0].known && row->sides[1].known;
}

/* Median over live updates of the calls' time, with or without the longest call of each. */
static double calls_time(const struct compare *c, const struct compare_row *row, int side,
			 bool longest)
{
	const struct compare_value *v = row->sides[side].values;
	uint64_t *ns = calloc(c->sides[side]->n, sizeof(*ns));
	double median = 0;
	int n = 0, i;

	for (i = 0; ns && i < c->sides[side]->n; i++) {
		if (v[i].known)
			ns[n++] = v[i].total - (longest ? 0 : v[i].longest);
	}
	if (n) {
		qsort(ns, n, sizeof(*ns), compare_u64);
		median = noise_median((struct noise_set){ ns, n });
	}
	free(ns);
	return median;
}

/*
 * Whether one long call among several makes the difference between a single live update and
 * others: it can have been interrupted, and no other live update of its side tells.
 */
static bool is_one_call(const struct compare *c, const struct compare_row *row)
{
	const int longer = row->sides[1].median > row->sides[0].median;
	double all, others;

	if (row->what.of != MEASURE_CALL || row->sides[longer].count < 2 ||
	    (c->sides[0]->n > 1 && c->sides[1]->n > 1))
		return false;
	all = calls_time(c, row, longer, true) - calls_time(c, row, !longer, true);
	others = calls_time(c, row, longer, false) - calls_time(c, row, !longer, false);
	return ONE_CALL * others < all;
}

/* Whether the times differ; without those of the rows inside, if that is wanted. */
static bool differs(const struct compare *c, struct compare_row *row, bool without,
		    int64_t *change, uint64_t *noise)
{
	const uint64_t off = row->what.of == MEASURE_CALL ? NOISE_CALLS_NS : NOISE_PHASE_NS;
	uint64_t *ns[2], medians[2] = { 0 };
	struct noise_set sets[2];
	bool ok = true;
	int k;

	for (k = 0; k < 2; k++) {
		ns[k] = calloc(c->sides[k]->n, sizeof(*ns[k]));
		sets[k] = (struct noise_set){ ns[k], 0 };
		if (ns[k])
			sets[k].n = known_times(c, row, k, without, ns[k]);
		ok = ok && sets[k].n;
		if (sets[k].n)
			medians[k] = noise_median(sets[k]);
	}
	if (ok) {
		*change = medians[1] - medians[0];
		*noise = noise_needed(sets[0], sets[1], off, c->tested);
		ok = (uint64_t)llabs(*change) >= *noise;
	}
	free(ns[0]);
	free(ns[1]);
	return ok;
}

static bool has_difference_inside(const struct compare *c, const struct compare_row *row)
{
	int i;

	for (i = 0; i < c->n; i++) {
		if (explains(c, row, &c->rows[i]))
			return true;
	}
	return false;
}

static void judge(const struct compare *c, struct compare_row *row)
{
	uint64_t noise;

	if (!is_tested(row))
		return;
	row->verdict = VERDICT_SAME;
	if (!differs(c, row, false, &row->change, &row->noise))
		return;
	row->one = is_one_call(c, row);
	if (row->one)
		return;
	row->own = row->change;
	if (has_difference_inside(c, row) && !differs(c, row, true, &row->own, &noise))
		row->verdict = VERDICT_FOLLOWS;
	else
		row->verdict = row->own > 0 ? VERDICT_WORSE : VERDICT_BETTER;
}

/* What is inside of other rows comes before them. */
static void judge_all(struct compare *c)
{
	static const enum measure_of order[] = {
		MEASURE_CALL, MEASURE_PHASE, MEASURE_WINDOW, MEASURE_BLACKOUT,
		MEASURE_WORKLOAD,
	};
	size_t k;
	int i, flb;

	for (i = 0; i < c->n; i++)
		c->tested += is_tested(&c->rows[i]);
	for (k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (flb = 1; flb >= 0; flb--) {
			for (i = 0; i < c->n; i++) {
				if (c->rows[i].what.of == order[k] &&
				    (c->rows[i].what.kind == LIVEUPDATE_KIND_FLB) == flb)
					judge(c, &c->rows[i]);
			}
		}
	}
	for (i = 0; i < c->n; i++) {
		c->worse += c->rows[i].verdict == VERDICT_WORSE;
		c->better += c->rows[i].verdict == VERDICT_BETTER;
	}
}

static uint64_t larger_median(const struct compare_row *row)
{
	return row->sides[0].median > row->sides[1].median ? row->sides[0].median :
							     row->sides[1].median;
}

/* Workloads, the whole, phases with their calls, other calls, attempts that failed. */
static int compare_rows(const void *a, const void *b)
{
	static const int places[] = {
		[MEASURE_WORKLOAD] = 0, [MEASURE_BLACKOUT] = 1, [MEASURE_WINDOW] = 2,
		[MEASURE_PHASE] = 3, [MEASURE_CALL] = 3, [MEASURE_FAILED] = 4,
	};
	const struct compare_row *x = a, *y = b;
	uint64_t one = larger_median(x), other = larger_median(y);

	if (places[x->what.of] != places[y->what.of])
		return places[x->what.of] - places[y->what.of];
	if (x->what.span != y->what.span)
		return (int)x->what.span - (int)y->what.span;
	if (x->what.of != y->what.of)
		return (int)x->what.of - (int)y->what.of;
	if (one != other)
		return one < other ? 1 : -1;
	return strcmp(x->what.name, y->what.name);
}

bool compare_sides(struct compare *c)
{
	bool ok = fill_rows(c);
	int i;

	for (i = 0; ok && i < c->n; i++) {
		fill_uncalled(c, &c->rows[i]);
		ok = sum_side(c, &c->rows[i], 0) && sum_side(c, &c->rows[i], 1);
	}
	if (!ok) {
		msg_error("out of memory");
		return false;
	}
	judge_all(c);
	qsort(c->rows, c->n, sizeof(*c->rows), compare_rows);
	return true;
}

void compare_free(struct compare *c)
{
	int i;

	for (i = 0; i < c->n; i++) {
		free(c->rows[i].sides[0].values);
		free(c->rows[i].sides[1].values);
	}
	free(c->rows);
}

char *compare_label(const struct measure *what, char *label)
{
	char name[4 * LT_NAME_LEN + 1];

	switch (what->of) {
	case MEASURE_WORKLOAD:
		snprintf(label, COMPARE_LABEL, "workload %s",
			 fmt_name(name, sizeof(name), what->name));
		break;
	case MEASURE_BLACKOUT:
		snprintf(label, COMPARE_LABEL, "blackout");
		break;
	case MEASURE_WINDOW:
		snprintf(label, COMPARE_LABEL, "freeze window");
		break;
	case MEASURE_PHASE:
		snprintf(label, COMPARE_LABEL, "%s", span_label(what->span));
		break;
	case MEASURE_CALL:
	case MEASURE_FAILED:
		snprintf(label, COMPARE_LABEL, "%s %s, %s", timeline_kind(what->kind),
			 *what->name ? fmt_name(name, sizeof(name), what->name) : "others",
			 enum_name(ENUM_OP, what->op));
		break;
	}
	return label;
}

static int compare_changes(const void *a, const void *b)
{
	const struct compare_row *x = *(const struct compare_row *const *)a;
	const struct compare_row *y = *(const struct compare_row *const *)b;
	long long one = llabs(x->own), other = llabs(y->own);

	return one < other ? 1 : one > other ? -1 : 0;
}

const struct compare_row **compare_differences(const struct compare *c)
{
	const struct compare_row **all = calloc(c->n + 1, sizeof(*all));
	int i, n = 0;

	for (i = 0; all && i < c->n; i++) {
		if (c->rows[i].verdict >= VERDICT_BETTER)
			all[n++] = &c->rows[i];
	}
	if (n)
		qsort(all, n, sizeof(*all), compare_changes);
	return all;
}
