/* SPDX-License-Identifier: GPL-2.0 */

/* Many events in little memory: each name once, and of an event what its type has. */

#ifndef EVENT_STORE_H
#define EVENT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

struct packed_event;

/**
 * struct event_store - events in order; all zeros is an empty one
 * @events:   the events
 * @nr:	      their number
 * @names:    each name that events have, by its number
 * @nr_names: how many
 * @tree:     the same, to be searched
 */
struct event_store {
	struct packed_event *events;
	size_t nr;
	const char **names;
	uint32_t nr_names;
	void *tree;
};

/**
 * event_store_add - add an event
 * @s: the store
 * @e: the event; @opened and @busy_ns are not kept
 *
 * Return: false if out of memory.
 */
bool event_store_add(struct event_store *s, const struct lt_event *e);

/**
 * event_store_get - get an event
 * @s:	the store
 * @at: its number, from 0
 * @e:	filled
 *
 * Return: @e.
 */
const struct lt_event *event_store_get(const struct event_store *s, size_t at,
				       struct lt_event *e);

/** event_store_free - free what is in a store */
void event_store_free(struct event_store *s);

#endif
