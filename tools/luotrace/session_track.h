/* SPDX-License-Identifier: GPL-2.0 */

/* The life of each session, put together from its events. */

#ifndef SESSION_TRACK_H
#define SESSION_TRACK_H

#include <jansson.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

struct session_track;

/* Lives that a command keeps that may run for months: some 8 MiB. */
#define SESSION_TRACK_MAX	16384

/**
 * session_track_new - begin without a session
 * @max: lives that are kept at once, 0 for all; the oldest go first, those of sessions
 *	 that ended before all others
 *
 * Return: to be given to session_track_free(); NULL if out of memory.
 */
struct session_track *session_track_new(size_t max);

/** session_track_free - NULL is fine */
void session_track_free(struct session_track *track);

/**
 * session_track_event - take notice of an event
 * @life: the lives so far
 * @e:	  any event; only those of sessions and of the machine count
 */
void session_track_event(struct session_track *track, const struct lt_event *e);

/**
 * session_track_number - the live update that the events belong to
 *
 * Return: its number, -1 if no event told.
 */
int64_t session_track_number(const struct session_track *track);

/** session_track_forgotten - how many were not kept for lack of room */
size_t session_track_forgotten(const struct session_track *track);

/** session_track_print - one line a session, on @f */
void session_track_print(const struct session_track *track, FILE *f);

/** session_track_json - the same as an array */
json_t *session_track_json(const struct session_track *track);

#endif
