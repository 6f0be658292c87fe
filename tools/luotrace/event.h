/* SPDX-License-Identifier: GPL-2.0 */

/* One trace event as a line of text and as JSON, there and back. */

#ifndef EVENT_H
#define EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"
#include "tracer.h"

/* The exit events have all that these have. */
#define EVENT_ENTERS	(1U << LT_HANDLER_ENTER | 1U << LT_SUBSYSTEM_ENTER | \
			 1U << LT_FLB_ENTER)

/**
 * event_since - ns from @start to @ts
 *
 * Two CPUs take the time and a place in the buffer at once: an event that is read
 * after another one can be a little older. Its time is that of the other one, then.
 */
static inline uint64_t event_since(uint64_t ts, uint64_t start)
{
	return ts > start ? ts - start : 0;
}

/**
 * event_mask - events of which the filters can let one pass, a bit for each
 * @options: the filters
 *
 * Return: a mask of enum lt_type. Nothing needs to be attached for the others.
 */
uint32_t event_mask(const struct tracer_options *options);

/** event_urgent - whether there may be hardly any time left after this event */
bool event_urgent(const struct lt_event *e);

/**
 * event_text - print an event as a line
 * @e:	   the event
 * @start: time that is 0, ns
 * @out:   where to
 */
void event_text(const struct lt_event *e, uint64_t start, FILE *out);

/** event_json - an event as an object; arguments as above */
json_t *event_json(const struct lt_event *e, uint64_t start);

/**
 * event_from_json - make an event from what event_json() made of it
 * @o: an object
 * @e: filled; its time is that of the object
 *
 * Return: whether it is an event that is known, with all of its fields. A name
 *	   that was no UTF-8 comes back escaped.
 */
bool event_from_json(json_t *o, struct lt_event *e);

#endif
