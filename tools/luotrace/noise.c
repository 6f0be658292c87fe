// SPDX-License-Identifier: GPL-2.0

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "noise.h"

/* Times that are far from all others: these many, and this many spreads away. */
#define FAR_FROM	10	/* times of both sets; fewer have no such one */
#define FAR_PART	5	/* at most one in so many of a set */
#define FAR_SPREADS	9	/* six standard deviations, if the times are normal */

/* A median errs by so much more than a mean does, if times are spread evenly: sqrt(3). */
#define MEDIAN_ERROR	1.7320508075689

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static int compare_ns(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

uint64_t noise_median(struct noise_set set)
{
	uint64_t low = set.ns[(set.n - 1) / 2], high = set.ns[set.n / 2];

	return low + (high - low) / 2;
}

/* Median distance of all times from the medians of their sets. */
static uint64_t spread_of(const struct noise_set *sets, int nr)
{
	int n = 0, i, k;
	uint64_t *all, median, spread = 0;

	for (k = 0; k < nr; k++)
		n += sets[k].n;
	all = malloc(n * sizeof(*all));
	if (!all)
		return 0;
	for (n = 0, k = 0; k < nr; k++) {
		median = noise_median(sets[k]);
		for (i = 0; i < sets[k].n; i++)
			all[n++] = apart(sets[k].ns[i], median);
	}
	qsort(all, n, sizeof(*all), compare_ns);
	spread = noise_median((struct noise_set){ all, n });
	free(all);
	return spread;
}

uint64_t noise_spread(struct noise_set set)
{
	return spread_of(&set, 1);
}

/* The set without times that are far from its median. */
static struct noise_set without_far(struct noise_set set, uint64_t spread)
{
	const uint64_t median = noise_median(set), most = FAR_SPREADS * spread;
	int left = set.n / FAR_PART;
	uint64_t first, last;

	while (left--) {
		first = apart(set.ns[0], median);
		last = apart(set.ns[set.n - 1], median);
		if (first <= most && last <= most)
			break;
		if (first > last)
			set.ns++;
		set.n--;
	}
	return set;
}

/* Sum of the squares of the distances from the mean. */
static double squares(struct noise_set set)
{
	double mean = 0, sum = 0;
	int i;

	for (i = 0; i < set.n; i++)
		mean += set.ns[i] / (double)set.n;
	for (i = 0; i < set.n; i++)
		sum += (set.ns[i] - mean) * (set.ns[i] - mean);
	return sum;
}

/* Chance of a Student's t beyond -t or t: a finite sum, Abramowitz and Stegun 26.7.3. */
static double beyond(double t, int df)
{
	const double angle = atan(t / sqrt(df)), c = cos(angle) * cos(angle);
	double term = df & 1 ? cos(angle) : 1, sum = 0;
	int i;

	for (i = df & 1 ? 3 : 2; i <= df; i += 2) {
		sum += term;
		term *= c * (i - 1) / i;
	}
	sum *= sin(angle);
	return 1 - (df & 1 ? (angle + sum) * M_2_PI : sum);
}

/* The t that chance exceeds in one of @odds cases. */
static double students_t(double odds, int df)
{
	double low = 0, high = 1e9, t;
	int i;

	for (i = 0; i < 100; i++) {
		t = (low + high) / 2;
		if (beyond(t, df) * odds > 1)
			low = t;
		else
			high = t;
	}
	return high;
}

/* The rule for sets that do not come near each other. */
static double needed_apart(struct noise_set low, struct noise_set high, uint64_t off)
{
	const uint64_t longest = low.ns[low.n - 1];
	const double n = low.n < high.n ? low.n : high.n, least = off / n;
	double gap = NOISE_FACTOR / n * longest;

	gap = gap < least ? least : gap;
	return gap + (longest - noise_median(low)) + (noise_median(high) - high.ns[0]);
}

/* The rule for sets whose spread is known. */
static double needed_spread(struct noise_set low, struct noise_set high, uint64_t off,
			    int rows)
{
	const double least = low.n == 1 || high.n == 1 ? off : NOISE_LEAST_NS;
	const double part = noise_median(low) / (double)NOISE_LEAST_PART;
	const double n = 1.0 / low.n + 1.0 / high.n;
	const struct noise_set both[] = { low, high };
	double needed;
	uint64_t spread;
	int df;

	if (low.n + high.n >= FAR_FROM) {
		spread = spread_of(both, 2);
		low = without_far(low, spread);
		high = without_far(high, spread);
	}
	df = low.n + high.n - 2;
	if (!df)
		return INFINITY;
	needed = students_t((double)NOISE_CHANCE * rows, df) * MEDIAN_ERROR *
		 sqrt(((squares(low) + squares(high)) / df + part * part) * n);
	return needed < least ? least : needed;
}

uint64_t noise_needed(struct noise_set a, struct noise_set b, uint64_t off, int rows)
{
	const bool swap = noise_median(a) > noise_median(b);
	const struct noise_set low = swap ? b : a, high = swap ? a : b;
	const double apart = needed_apart(low, high, off);
	const double spread = needed_spread(low, high, off, rows);
	const double needed = ceil(apart < spread ? apart : spread);

	return needed < (double)INT64_MAX ? needed : INT64_MAX;
}
