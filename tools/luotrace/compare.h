/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Two sides of live updates, row by row: phases, callback targets, workloads; and which rows
 * differ by more than the noise. For the command compare.
 */

#ifndef COMPARE_H
#define COMPARE_H

#include <jansson.h>
#include <stdio.h>

#include "compare_run.h"

enum verdict {
	VERDICT_UNKNOWN,	/* not known on one side */
	VERDICT_SAME,		/* no more than the noise */
	VERDICT_FOLLOWS,	/* what is in it has the difference */
	VERDICT_BETTER,
	VERDICT_WORSE,
};

/**
 * struct compare_value - a row of one live update
 * @known:   whether it is known
 * @ns:	     how long it took; 0 for a target that was not called
 * @count:   calls
 * @total:   sum of their durations, ns
 * @longest: the longest of them, ns
 */
struct compare_value {
	bool known;
	uint64_t ns;
	uint64_t count;
	uint64_t total;
	uint64_t longest;
};

/**
 * struct compare_sum - a row of one side
 * @values: of each live update
 * @known:  in how many it is known; the rest is of these
 * @median: ns
 * @spread: median distance from that, ns
 * @count:  median of the calls
 */
struct compare_sum {
	struct compare_value *values;
	int known;
	uint64_t median;
	uint64_t spread;
	uint64_t count;
};

/**
 * struct compare_row - a row
 * @what:    what it is of
 * @sides:   the two sides
 * @change:  ns from the first side's median to that of the second one
 * @noise:   ns that a change has to reach to be a difference
 * @own:     ns of the change that is not of rows inside; of WORSE and BETTER
 * @one:     a longer time is that of one call among several, and so no difference
 * @verdict: the verdict
 */
struct compare_row {
	struct measure what;
	struct compare_sum sides[2];
	int64_t change;
	uint64_t noise;
	int64_t own;
	bool one;
	enum verdict verdict;
};

/**
 * struct compare - a comparison
 * @sides:  what is compared
 * @names:  of the sides, for people
 * @rows:   in the order in which they are shown
 * @n:	    their number
 * @tested: rows with a verdict
 * @worse:  rows that are worse
 * @better: rows that are better
 */
struct compare {
	const struct compare_side *sides[2];
	const char *names[2];
	struct compare_row *rows;
	int n;
	int tested;
	int worse;
	int better;
};

/**
 * compare_sides - compare two sides
 * @c: its sides are set, the rest is zero; the rows are set
 *
 * Return: false if out of memory, after a message.
 */
bool compare_sides(struct compare *c);

/** compare_contains - whether a row is a part of another one */
bool compare_contains(const struct measure *outer, const struct measure *inner);

/** compare_free - free the rows */
void compare_free(struct compare *c);

#define COMPARE_LABEL	(4 * LT_NAME_LEN + 64)

/** compare_label - what a row is of, in COMPARE_LABEL bytes; names as fields of a line */
char *compare_label(const struct measure *what, char *label);

/** compare_differences - rows that are worse or better, the largest change first; NULL ends */
const struct compare_row **compare_differences(const struct compare *c);

/** compare_text - print a comparison in 80 columns */
void compare_text(const struct compare *c, bool colour, FILE *f);

/** compare_json - the same as JSON, for json_decref() */
json_t *compare_json(const struct compare *c);

/** compare_html - the same as a page */
void compare_html(const struct compare *c, FILE *f);

#endif
