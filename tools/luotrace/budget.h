/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Budgets of a live update: how long its blackout, its freeze window and its phases may
 * take, and what broke one. For the command timeline.
 */

#ifndef BUDGET_H
#define BUDGET_H

#include <jansson.h>

#include "timeline.h"

#define BUDGETS		32	/* of one command at most */

enum budget_of { BUDGET_BLACKOUT, BUDGET_FREEZE, BUDGET_PHASE };

/**
 * struct budget - how long something may take
 * @of:	  what
 * @span: the phase, of BUDGET_PHASE
 * @max:  ns, with which it is still kept
 */
struct budget {
	enum budget_of of;
	enum span span;
	uint64_t max;
};

/** struct budgets - all that a command was given */
struct budgets {
	struct budget all[BUDGETS];
	int n;
};

/* What is not known to be kept is not. */
enum budget_verdict { BUDGET_KEPT, BUDGET_BROKEN, BUDGET_UNKNOWN };

/**
 * struct budget_result - whether a budget is kept
 * @verdict: that
 * @known:   whether it is known how long it took
 * @ns:	     how long; if that is not known, the part of it that is
 * @part:    the longest phase, callback target, session or step in it, "" if none is known
 * @part_ns: its time
 */
struct budget_result {
	enum budget_verdict verdict;
	bool known;
	uint64_t ns;
	char part[TIMELINE_TEXT];
	uint64_t part_ns;
};

/**
 * budget_add - add a budget as it was written
 * @b:	 the budgets
 * @of:	 what it is of
 * @arg: TIME, or NAME=TIME of a phase
 *
 * Return: NULL, or what is wrong with it, in a static buffer.
 */
const char *budget_add(struct budgets *b, enum budget_of of, const char *arg);

/**
 * budget_check - whether a budget is kept
 * @budget: the budget
 * @r:	    the record
 * @b:	    its blackout
 * @steps:  the steps of the shutdown, can be all 0
 * @result: filled
 */
void budget_check(const struct budget *budget, const struct liveupdate_recorder *r,
		  const struct blackout *b, struct steps steps,
		  struct budget_result *result);

/** budget_sentence - a result that is not "kept", in 2 * TIMELINE_TEXT bytes */
char *budget_sentence(const struct budget *budget, const struct budget_result *result,
		      char *text);

/** budget_json - the same as JSON, whatever the verdict */
json_t *budget_json(const struct budget *budget, const struct budget_result *result);

#endif
