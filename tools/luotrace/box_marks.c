// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "box_marks.h"

static uint32_t mark_crc(const struct box_mark *mark)
{
	struct box_mark copy = *mark;

	copy.crc = 0;
	return crc32(0, (const Bytef *)&copy, sizeof(copy));
}

static bool mark_valid(const struct box_mark *mark)
{
	return mark->number && mark->crc == mark_crc(mark) && *mark->name &&
	       memchr(mark->name, '\0', sizeof(mark->name));
}

static uint64_t last_number(const struct box_marks *marks)
{
	uint64_t last = 0;
	int i;

	for (i = 0; i < BOX_MARKS_ENTRIES; i++) {
		if (marks->entries[i].number > last && mark_valid(&marks->entries[i]))
			last = marks->entries[i].number;
	}
	return last;
}

void box_marks_add(struct box_marks *marks, const char *name, bool paused, uint64_t ns)
{
	struct box_mark mark = {
		.number = last_number(marks) + 1,
		.ns = ns,
		.paused = paused,
	};
	struct box_mark *to = &marks->entries[mark.number % BOX_MARKS_ENTRIES];

	strncpy(mark.name, name, sizeof(mark.name) - 1);
	mark.crc = mark_crc(&mark);
	/* Until the whole is there, it is none. */
	__atomic_store_n(&to->crc, ~mark.crc, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	to->number = mark.number;
	to->ns = mark.ns;
	to->paused = mark.paused;
	memcpy(to->name, mark.name, sizeof(to->name));
	__atomic_store_n(&to->crc, mark.crc, __ATOMIC_RELEASE);
}

static struct liveupdate_recorder_pause *
find_pause(struct liveupdate_recorder_part *part, const char *name)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		if (!strcmp(part->pauses[i].name, name))
			return &part->pauses[i];
	}
	return NULL;
}

void box_marks_put(struct liveupdate_recorder_part *part, bool in, const char *name,
		   uint64_t ns, uint64_t counter)
{
	struct liveupdate_recorder_pause *p = find_pause(part, name);

	if (p)
		return;
	p = find_pause(part, "");
	if (!p) {
		part->lost_pauses++;
		return;
	}
	strncpy(p->name, name, sizeof(p->name) - 1);
	if (in) {
		p->resumed = counter;
		p->resumed_ns = ns;
	} else {
		p->paused = counter;
		p->paused_ns = ns;
	}
}

void box_marks_merge(struct liveupdate_recorder_part *to,
		     const struct liveupdate_recorder_part *from)
{
	const struct liveupdate_recorder_pause *p;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		p = &from->pauses[i];
		if (*p->name)
			box_marks_put(to, !p->paused_ns, p->name,
				      p->paused_ns ? p->paused_ns : p->resumed_ns,
				      p->paused_ns ? p->paused : p->resumed);
	}
}

static int compare_marks(const void *a, const void *b)
{
	const struct box_mark *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* Whether a workload was paused by this kernel's marks before the one at @at, and is. */
static bool paused_before(const struct box_mark *all, int at)
{
	int i;

	for (i = at - 1; i >= 0; i--) {
		if (!strcmp(all[i].name, all[at].name))
			return all[i].paused;
	}
	return false;
}

static bool is_last_of_name(const struct box_mark *all, int n, int at)
{
	int i;

	for (i = at + 1; i < n; i++) {
		if (!strcmp(all[i].name, all[at].name))
			return false;
	}
	return true;
}

void box_marks_fill(const struct box_marks *marks, bool in,
		    struct liveupdate_recorder_part *part,
		    uint64_t (*counter_of)(void *data, uint64_t ns), void *data)
{
	struct box_mark all[BOX_MARKS_ENTRIES];
	int i, n = 0;

	part->lost_pauses = 0;
	for (i = 0; i < BOX_MARKS_ENTRIES; i++) {
		all[n] = marks->entries[i];
		n += mark_valid(&all[n]);
	}
	qsort(all, n, sizeof(*all), compare_marks);
	for (i = 0; i < n; i++) {
		if (in ? all[i].paused || paused_before(all, i) :
			 !all[i].paused || !is_last_of_name(all, n, i))
			continue;
		box_marks_put(part, in, all[i].name, all[i].ns,
			      counter_of(data, all[i].ns));
	}
}
