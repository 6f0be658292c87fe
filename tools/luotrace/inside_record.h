/* SPDX-License-Identifier: GPL-2.0 */

/* What the record of LUO and the black box say of what is inside of the phases. */

#ifndef INSIDE_RECORD_H
#define INSIDE_RECORD_H

#include "inside.h"
#include "timeline_steps.h"

/**
 * inside_of_update - all that is known of what is inside of the phases of an update
 * @to:	   filled
 * @r:	   its record
 * @b:	   its blackout
 * @steps: what the box says, and what was collected when the update was saved
 */
void inside_of_update(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b, struct steps steps);

#endif
