/* SPDX-License-Identifier: GPL-2.0 */

/* A trace event as a line of text, as JSON, and read from JSON. */

#ifndef EVENT_H
#define EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"
#include "tracer.h"

/* The exit events have all fields of these. */
#define EVENT_ENTERS	(1U << LT_HANDLER_ENTER | 1U << LT_SUBSYSTEM_ENTER | \
			 1U << LT_FLB_ENTER)

/**
 * event_since - ns from @start to @ts
 *
 * Two CPUs can take the time and reserve space concurrently, so that an event can be a
 * little older than the one read before it. Then its time is that of the other one.
 */
static inline uint64_t event_since(uint64_t ts, uint64_t start)
{
	return ts > start ? ts - start : 0;
}

/**
 * event_mask - events that the filters can let pass, a bit for each
 * @options: the filters
 *
 * Return: a mask of enum lt_type. Nothing needs to be attached for the others.
 */
uint32_t event_mask(const struct tracer_options *options);

/** event_urgent - whether hardly any time may be left after this event */
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
 * Return: whether it is a known event with all of its fields.
 */
bool event_from_json(json_t *o, struct lt_event *e);

#endif
