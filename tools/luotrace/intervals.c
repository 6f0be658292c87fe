// SPDX-License-Identifier: GPL-2.0

#include <string.h>

#include "intervals.h"

#define HALF	(INTERVALS_MAX / 2)

/* Covered time of an entry within @ns of its length. */
static uint64_t share(const struct interval *i, uint64_t ns)
{
	return (unsigned __int128)i->busy * ns / (i->end - i->begin);
}

static void intervals_make_room(struct intervals *set)
{
	struct interval *at = set->at;
	unsigned int i;

	for (i = 0; i < HALF; i += 2)
		at[i / 2] = (struct interval){ at[i].begin, at[i + 1].end,
					       at[i].busy + at[i + 1].busy };
	memmove(&at[HALF / 2], &at[HALF], HALF * sizeof(*at));
	set->n -= HALF / 2;
}

/* Extend an interval over the ends of what it overlaps. */
static void interval_absorb(struct interval *new, const struct interval *first,
			    const struct interval *last)
{
	if (first->begin < new->begin) {
		new->busy += share(first, new->begin - first->begin);
		new->begin = first->begin;
	}
	if (last->end > new->end) {
		new->busy += share(last, last->end - new->end);
		new->end = last->end;
	}
}

void intervals_add(struct intervals *set, uint64_t begin, uint64_t end)
{
	struct interval new = { begin, end, end - begin };
	unsigned int from, to;

	if (end <= begin)
		return;
	if (set->n == INTERVALS_MAX)
		intervals_make_room(set);

	/* Most are near the end. */
	for (to = set->n; to && set->at[to - 1].begin > end; to--)
		;
	for (from = to; from && set->at[from - 1].end >= begin; from--)
		;
	if (from < to)
		interval_absorb(&new, &set->at[from], &set->at[to - 1]);
	memmove(&set->at[from + 1], &set->at[to], (set->n - to) * sizeof(new));
	set->at[from] = new;
	set->n += 1 + from - to;
}

uint64_t intervals_covered(const struct intervals *set, uint64_t begin, uint64_t end)
{
	uint64_t covered = 0, from, to;
	unsigned int i;

	for (i = 0; i < set->n; i++) {
		from = set->at[i].begin > begin ? set->at[i].begin : begin;
		to = set->at[i].end < end ? set->at[i].end : end;
		if (from < to)
			covered += share(&set->at[i], to - from);
	}
	return covered;
}

uint64_t intervals_total(const struct intervals *set)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < set->n; i++)
		total += set->at[i].busy;
	return total;
}
