/* SPDX-License-Identifier: GPL-2.0 */

/* Arithmetic on the rows and histograms of bpf/luotrace.h. */

#ifndef HIST_H
#define HIST_H

#include <linux/types.h>
#include <stdint.h>

#include "../../bpf/luotrace.h"

/**
 * hist_count - add a call
 * @row: the calls so far
 * @ns:	 its duration
 * @ret: its result
 */
void hist_count(struct lt_row *row, uint64_t ns, int ret);

/** hist_low - the smallest value of a slot, ns */
uint64_t hist_low(unsigned int slot);

/** hist_high - the largest value of a slot, ns */
uint64_t hist_high(unsigned int slot);

/**
 * hist_percentile - the value that a share of all values does not exceed
 * @row: the calls
 * @p:	 the share, above 0, at most 100
 *
 * Return: ns, exact to the width of a slot (1/16 of the value) and within the
 *	   row's minimum and maximum.
 */
uint64_t hist_percentile(const struct lt_row *row, double p);

/** hist_add - add the calls of another row */
void hist_add(struct lt_row *row, const struct lt_row *other);

/**
 * hist_subtract - the calls since an earlier reading
 * @row:     the calls now; reduced to those since then
 * @earlier: the calls then
 *
 * The minimum and maximum of the difference are known to the width of a slot.
 */
void hist_subtract(struct lt_row *row, const struct lt_row *earlier);

#define HIST_OCTAVES	(LT_SLOTS / LT_SUB)

/**
 * struct hist_octaves - a histogram with a bar for each power of two
 * @calls: calls by octave, whose smallest value is hist_low(octave * LT_SUB)
 * @most:  the largest of these
 * @first: the first octave with a call
 * @last:  the last one; below @first if there is no call
 */
struct hist_octaves {
	uint64_t calls[HIST_OCTAVES];
	uint64_t most;
	unsigned int first;
	unsigned int last;
};

/** hist_fold - fold the slots of a row into octaves */
void hist_fold(const struct lt_row *row, struct hist_octaves *to);

#endif
