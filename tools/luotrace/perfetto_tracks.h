/* SPDX-License-Identifier: GPL-2.0 */

/* Tracks of a trace for Perfetto, on which spans nest but never overlap. */

#ifndef PERFETTO_TRACKS_H
#define PERFETTO_TRACKS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

#define TRACK_PHASES	8	/* kinds of phases, at most */

/* Owner of a track. */
enum track_kind { TRACK_THREAD, TRACK_SESSION, TRACK_GLOBAL };

/**
 * struct track - the tracks of a thread, of a session, or of all
 * @kind:  kind of owner
 * @tid:   of a thread
 * @name:  of a session
 * @open:  when each phase in progress began, ~0 for the others
 */
struct track {
	enum track_kind kind;
	uint32_t tid;
	char name[LT_NAME_LEN];
	uint64_t open[TRACK_PHASES];
	/* The rest is private to perfetto_tracks.c. */
	struct lane *lanes;
	int nr_lanes;
};

struct tracks;

/** tracks_new - NULL if out of memory */
struct tracks *tracks_new(void);

/** tracks_free - NULL is fine */
void tracks_free(struct tracks *all);

/**
 * tracks_get - find or create a track
 * @all:  the tracks
 * @kind: kind of owner
 * @tid:  of a thread, or 0
 * @name: of a session, or ""
 *
 * Return: the track, NULL if out of memory.
 */
struct track *tracks_get(struct tracks *all, enum track_kind kind, uint32_t tid,
			 const char *name);

/**
 * tracks_place - find a lane for a span
 * @all:   the tracks
 * @t:	   one of them
 * @begin: of the span; spans are added in the order of their ends
 * @end:   of the span
 * @is_new: set if the lane is new
 *
 * Return: number of the lane, the same for spans of @t that do not overlap or are nested;
 *	   0 if there are too many.
 */
uint32_t tracks_place(struct tracks *all, struct track *t, uint64_t begin,
		      uint64_t end, bool *is_new);

/** tracks_each - call @fn for each track; @fn returns false to stop */
bool tracks_each(struct tracks *all, bool (*fn)(struct track *t, void *data),
		 void *data);

#endif
