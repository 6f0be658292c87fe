/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Whether two sets of times differ by more than they differ among themselves. For the
 * command compare.
 *
 * The times of a row are compared by their medians. A difference is what one of two rules
 * says is one:
 *
 * - Every time of one set is many times as long as each of the other set: NOISE_FACTOR and
 *   once more where each set has one time, half of NOISE_FACTOR and once more where each has
 *   two, and so on. And it is longer by what a single time can be off: NOISE_CALLS_NS if it is
 *   of calls, which are timed one by one, NOISE_PHASE_NS if whatever runs at that time is in
 *   it; by half of that where each set has two times, and so on.
 * - The medians differ by more than is to be expected of the spread inside of the sets
 *   (Student's t, of the standard error of a median), in one of NOISE_CHANCE comparisons of
 *   equal sets, whatever the number of rows. Few times can be equal by chance, so the spread
 *   is taken to be one part in NOISE_LEAST_PART of the median more; single ones of many that
 *   are far from all others do not count for it. A difference is NOISE_LEAST_NS at least;
 *   what a single time can be off, if one set has only one.
 */

#ifndef NOISE_H
#define NOISE_H

#include <stdint.h>

#define NOISE_FACTOR		9
#define NOISE_CALLS_NS		15000000
#define NOISE_PHASE_NS		600000000
#define NOISE_CHANCE		1000
#define NOISE_LEAST_NS		100000
#define NOISE_LEAST_PART	50

/**
 * struct noise_set - times of one row
 * @ns: in ascending order
 * @n:	how many, at least one
 */
struct noise_set {
	const uint64_t *ns;
	int n;
};

/** noise_median - the middle of the times, or the middle between two */
uint64_t noise_median(struct noise_set set);

/** noise_spread - median distance from the median, ns */
uint64_t noise_spread(struct noise_set set);

/**
 * noise_needed - what the medians of two sets have to differ by
 * @a:	  one set
 * @b:	  the other one
 * @off:  what a single time can be off, ns
 * @rows: how many rows are compared together
 *
 * Return: ns; medians that are at least so far apart are different.
 */
uint64_t noise_needed(struct noise_set a, struct noise_set b, uint64_t off, int rows);

#endif
