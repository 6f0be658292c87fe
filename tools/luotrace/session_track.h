/* SPDX-License-Identifier: GPL-2.0 */

/* The life of each session, put together from its events. */

#ifndef LIFE_H
#define LIFE_H

#include <jansson.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

struct life;

/* Lives that a command keeps that may run for months: some 8 MiB. */
#define LIFE_MAX	16384

/**
 * life_new - begin without a session
 * @max: lives that are kept at once, 0 for all; the oldest go first, those of sessions
 *	 that ended before all others
 *
 * Return: to be given to life_free(); NULL if out of memory.
 */
struct life *life_new(size_t max);

/** life_free - NULL is fine */
void life_free(struct life *life);

/**
 * life_event - take notice of an event
 * @life: the lives so far
 * @e:	  any event; only those of sessions and of the machine count
 */
void life_event(struct life *life, const struct lt_event *e);

/**
 * life_number - the live update that the events belong to
 *
 * Return: its number, -1 if no event told.
 */
int64_t life_number(const struct life *life);

/** life_forgotten - how many were not kept for lack of room */
size_t life_forgotten(const struct life *life);

/** life_print - one line a session, on @f */
void life_print(const struct life *life, FILE *f);

/** life_json - the same as an array */
json_t *life_json(const struct life *life);

#endif
