/* SPDX-License-Identifier: GPL-2.0 */

/* Time that intervals cover, those that overlap counted once; in memory of fixed size. */

#ifndef INTERVALS_H
#define INTERVALS_H

#include <stdint.h>

#define INTERVALS_MAX	64

/**
 * struct interval - one or several intervals
 * @begin: ns
 * @end:   ns
 * @busy:  ns between them that are covered
 */
struct interval {
	uint64_t begin;
	uint64_t end;
	uint64_t busy;
};

/**
 * struct intervals - a set of intervals; all zeros is an empty one
 * @n:	number of entries in use
 * @at: disjoint, in order
 *
 * When it is full, the older half is joined by twos. An interval that covers a joined
 * entry, or begins later, is still counted exactly; of an entry that it covers in part,
 * it is taken to cover the same share of @busy.
 */
struct intervals {
	unsigned int n;
	struct interval at[INTERVALS_MAX];
};

/** intervals_add - add the interval from @begin to @end, ns; an empty one is ignored */
void intervals_add(struct intervals *set, uint64_t begin, uint64_t end);

/** intervals_covered - ns between @begin and @end that they cover */
uint64_t intervals_covered(const struct intervals *set, uint64_t begin, uint64_t end);

/** intervals_total - ns that all of them cover */
uint64_t intervals_total(const struct intervals *set);

#endif
