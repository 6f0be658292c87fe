// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "perfetto_tracks.h"

#define DEPTH		16	/* spans of a lane that are remembered */
#define MAX_LANES	64	/* of a track; a sane trace has only a few */
/* No thread has a larger number: PID_MAX_LIMIT is 2^22. */
#define FIRST_PLACE	(1U << 23)

/* A lane: its last spans, none of which is inside another. */
struct lane {
	uint32_t place;
	int nr;
	unsigned int room;	/* for spans */
	uint64_t floor;		/* end of the spans that are forgotten */
	struct lane_span {
		uint64_t begin, end;
	} *spans;
};

struct tracks {
	void *tree;
	struct track **list;
	size_t nr;
	uint32_t last_place;
};

struct tracks *tracks_new(void)
{
	struct tracks *all = calloc(1, sizeof(*all));

	if (all)
		all->last_place = FIRST_PLACE;
	return all;
}

static void no_free(void *track)
{
	(void)track;
}

void tracks_free(struct tracks *all)
{
	size_t i;
	int lane;

	if (!all)
		return;
	tdestroy(all->tree, no_free);
	for (i = 0; i < all->nr; i++) {
		for (lane = 0; lane < all->list[i]->nr_lanes; lane++)
			free(all->list[i]->lanes[lane].spans);
		free(all->list[i]->lanes);
		free(all->list[i]);
	}
	free(all->list);
	free(all);
}

static int compare(const void *a, const void *b)
{
	const struct track *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return strncmp(x->name, y->name, LT_NAME_LEN);
}

struct track *tracks_get(struct tracks *all, enum track_kind kind, uint32_t tid,
			 const char *name)
{
	struct track like = { .kind = kind, .tid = tid }, **found, *t, **grown;

	strncpy(like.name, name, LT_NAME_LEN - 1);
	found = tfind(&like, &all->tree, compare);
	if (found)
		return *found;
	grown = reallocarray(all->list, all->nr + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	all->list = grown;
	t = malloc(sizeof(*t));
	if (!t)
		return NULL;
	*t = like;
	memset(t->open, 0xff, sizeof(t->open));
	if (!tsearch(t, &all->tree, compare)) {
		free(t);
		return NULL;
	}
	all->list[all->nr++] = t;
	return t;
}

/*
 * Room for another span: most lanes have one at a time. If there is no more, or no
 * memory, the first one is forgotten. Returns the number of spans that are left.
 */
static int make_room(struct lane *l, int n)
{
	unsigned int room = l->room ? 2 * l->room : 1;
	struct lane_span *grown;

	if (n < (int)l->room)
		return n;
	grown = room <= DEPTH ? reallocarray(l->spans, room, sizeof(*grown)) : NULL;
	if (grown) {
		l->spans = grown;
		l->room = room;
		return n;
	}
	if (!n)
		return -1;
	l->floor = l->spans[0].end;
	memmove(l->spans, l->spans + 1, (n - 1) * sizeof(l->spans[0]));
	return n - 1;
}

/* Add a span to a lane if it fits. */
static bool lane_insert(struct lane *l, uint64_t begin, uint64_t end)
{
	int n = l->nr;

	/*
	 * Spans inside of it. Readers take the first one of those that begin at one
	 * moment for the outer one, and drop what is longer.
	 */
	while (n && l->spans[n - 1].begin > begin && l->spans[n - 1].end <= end)
		n--;
	if (begin < (n ? l->spans[n - 1].end : l->floor))
		return false;
	n = make_room(l, n);
	if (n < 0)
		return false;
	l->spans[n].begin = begin;
	l->spans[n].end = end;
	l->nr = n + 1;
	return true;
}

uint32_t tracks_place(struct tracks *all, struct track *t, uint64_t begin,
		      uint64_t end, bool *is_new)
{
	struct lane *grown;
	int i;

	*is_new = false;
	for (i = 0; i < t->nr_lanes; i++) {
		if (lane_insert(&t->lanes[i], begin, end))
			return t->lanes[i].place;
	}
	if (t->nr_lanes == MAX_LANES)
		return 0;
	grown = reallocarray(t->lanes, t->nr_lanes + 1, sizeof(*grown));
	if (!grown)
		return 0;
	t->lanes = grown;
	grown = &t->lanes[t->nr_lanes++];
	memset(grown, 0, sizeof(*grown));
	grown->place = t->kind == TRACK_THREAD && t->nr_lanes == 1 && t->tid ?
		       t->tid : ++all->last_place;
	*is_new = true;
	return lane_insert(grown, begin, end) ? grown->place : 0;
}

bool tracks_each(struct tracks *all, bool (*fn)(struct track *t, void *data),
		 void *data)
{
	size_t i;

	for (i = 0; i < all->nr; i++) {
		if (!fn(all->list[i], data))
			return false;
	}
	return true;
}
