/* SPDX-License-Identifier: GPL-2.0 */

/* What agents did between their calls of LUO, from the record. For inside_record.c. */

#ifndef INSIDE_TASKS_H
#define INSIDE_TASKS_H

#include "inside.h"

/**
 * inside_add_tasks - add what the agents did to restore and finish
 * @to: where to
 * @r:	the record
 * @b:	its blackout
 *
 * Of agents at the same time, what the one did counts that was there longest; what others
 * and their children did is shown. Without such a record only the calls of LUO are known.
 */
void inside_add_tasks(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b);

#endif
