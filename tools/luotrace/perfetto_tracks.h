/* SPDX-License-Identifier: GPL-2.0 */

/* The tracks of a drawing: on each, spans are side by side or inside each other. */

#ifndef PERFETTO_TRACKS_H
#define PERFETTO_TRACKS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

#define TRACK_PHASES	8	/* kinds of phases, at most */

/* Whose a track is. */
enum track_kind { TRACK_THREAD, TRACK_SESSION, TRACK_GLOBAL };

/**
 * struct track - what belongs to a thread, a session, or the machine
 * @kind:  whose it is
 * @tid:   of a thread
 * @name:  of a session
 * @open:  when each phase began, and ~0 for one that did not
 */
struct track {
	enum track_kind kind;
	uint32_t tid;
	char name[LT_NAME_LEN];
	uint64_t open[TRACK_PHASES];
	/* The rest is for tracks.c. */
	struct lane *lanes;
	int nr_lanes;
};

struct tracks;

/** tracks_new - NULL if there is no memory */
struct tracks *tracks_new(void);

/** tracks_free - NULL is fine */
void tracks_free(struct tracks *all);

/**
 * tracks_get - a track, which is made if it is not there
 * @all:  the tracks
 * @kind: whose
 * @tid:  of a thread, or 0
 * @name: of a session, or ""
 *
 * Return: the track, NULL if there is no memory.
 */
struct track *tracks_get(struct tracks *all, enum track_kind kind, uint32_t tid,
			 const char *name);

/**
 * tracks_place - where a span has its place
 * @all:   the tracks
 * @t:	   one of them
 * @begin: of the span; spans come in the order of their ends
 * @end:   of the span
 * @is_new: set if nothing was there before
 *
 * Return: a number for the place, the same for spans of @t that are side by side or
 *	   inside each other; 0 if there is none.
 */
uint32_t tracks_place(struct tracks *all, struct track *t, uint64_t begin,
		      uint64_t end, bool *is_new);

/** tracks_each - call @fn for each track; @fn returns false to stop */
bool tracks_each(struct tracks *all, bool (*fn)(struct track *t, void *data),
		 void *data);

#endif
