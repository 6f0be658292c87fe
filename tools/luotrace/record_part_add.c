// SPDX-License-Identifier: GPL-2.0

/* How values are added to a record. */

#include <string.h>

#include "record_part_internal.h"

void record_part_name(char *to, size_t size, const char *from, size_t from_size)
{
	size_t len = strnlen(from, from_size < size ? from_size : size - 1);

	memset(to, 0, size);
	memcpy(to, from, len);
}

void record_part_mark(struct record_part *p, enum liveupdate_recorder_mark mark,
		      uint64_t ts, uint64_t busy)
{
	if (ts < p->part.times[mark])
		return;
	p->part.times[mark] = ts;
	p->part.busy[mark] = busy;
}

void record_part_row_add(struct liveupdate_recorder_row *to,
			 const struct liveupdate_recorder_row *from)
{
	int i;

	to->count += from->count;
	to->errors += from->errors;
	to->total += from->total;
	to->wall += from->wall;
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	for (i = 0; i < LIVEUPDATE_RECORDER_BUCKETS; i++)
		to->hist[i] += from->hist[i];
}

void record_part_topn(void *list, const void *entry, size_t size)
{
	const uint64_t *duration = entry;
	uint64_t *shortest = list, *at;
	int i;

	for (i = 1; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		at = (void *)((char *)list + i * size);
		if (*at < *shortest)
			shortest = at;
	}
	if (*duration > *shortest)
		memcpy(shortest, entry, size);
}
