/* SPDX-License-Identifier: GPL-2.0 */

/* Both tables of a handover: whether they agree, and what each kind of LUO reads. */

#ifndef HANDOVER_TABLES_H
#define HANDOVER_TABLES_H

#include "handover.h"

#define HANDOVER_DIFFERENCES	3	/* number, sessions, FLBs */
#define HANDOVER_SENTENCE	2048	/* bytes, with the names of some subsystems */

/**
 * struct handover_tables - the tables of LUO in one handover
 * @base:     that of the base, NULL if it is not there
 * @tree:     LUO's tree, NULL if it is not there
 * @complete: what is NULL is not there; false if it was only not given
 */
struct handover_tables {
	const struct handover *base;
	const struct handover *tree;
	bool complete;
};

/**
 * struct handover_verdict - what comes of the tables
 * @compared:	    both are good enough to be compared
 * @differences:    what they disagree in
 * @nr_differences: how many
 * @base_luo:	    what a kernel with the base's LUO does with them
 * @this_luo:	    what a kernel with this LUO does with them
 * @base_leaves:    what stays reserved after the base's LUO, until the next live update;
 *		    "" if nothing, or if it is not known
 * @this_leaves:    the same after this LUO
 */
struct handover_verdict {
	bool compared;
	char differences[HANDOVER_DIFFERENCES][128];
	size_t nr_differences;
	char base_luo[HANDOVER_SENTENCE];
	char this_luo[HANDOVER_SENTENCE];
	char base_leaves[HANDOVER_SENTENCE];
	char this_leaves[HANDOVER_SENTENCE];
};

/** handover_judge - fill @v for @t, which has one table at least or is complete */
void handover_judge(const struct handover_tables *t, struct handover_verdict *v);

/** handover_verdict_text - print it */
void handover_verdict_text(const struct handover_tables *t,
			   const struct handover_verdict *v, FILE *f);

/** handover_verdict_json - the same as JSON */
json_t *handover_verdict_json(const struct handover_tables *t,
			      const struct handover_verdict *v);

#endif
