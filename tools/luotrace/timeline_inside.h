/* SPDX-License-Identifier: GPL-2.0 */

/* What is inside of the phases, shown: a part of the timeline. */

#ifndef TIMELINE_INSIDE_H
#define TIMELINE_INSIDE_H

#include <jansson.h>
#include <stdio.h>

#include "inside_record.h"

#define INSIDE_COUNTED	5	/* items of a phase that are shown to people */
#define INSIDE_DETAILS	2	/* and those that explain them */
#define INSIDE_SHOWN	(INSIDE_COUNTED + INSIDE_DETAILS)
#define INSIDE_SAID	512	/* bytes of what timeline_inside_said() says */

/**
 * timeline_inside_said - how much of the blackout has a name, and where the rest is
 * @in:	  the items
 * @b:	  the blackout
 * @text: INSIDE_SAID bytes
 *
 * Return: @text; NULL if no phase is known.
 */
const char *timeline_inside_said(const struct inside *in, const struct blackout *b,
				 char *text);

/**
 * timeline_inside_top - the items of a phase that are shown below it
 * @in:	   the items
 * @s:	   the phase
 * @items: room for INSIDE_SHOWN
 *
 * Those of the phases inside of reboot() are shown as calls and as steps, and kexec has
 * no parts.
 *
 * Return: their number.
 */
int timeline_inside_top(const struct inside *in, enum span s,
			const struct inside_item **items);

/** timeline_inside_json - all of it as JSON, added to @root: inside */
void timeline_inside_json(const struct liveupdate_recorder *r, const struct blackout *b,
			  struct steps steps, json_t *root);

#endif
