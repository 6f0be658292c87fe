// SPDX-License-Identifier: GPL-2.0

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "intervals.h"

const char *inside_source_name(unsigned int source)
{
	static const char *const names[INSIDE_SOURCES] = {
		[INSIDE_RECORD] = "recorder",
		[INSIDE_BOX] = "box",
		[INSIDE_TRACE] = "trace",
		[INSIDE_SYSTEMD] = "systemd",
		[INSIDE_PROC] = "proc",
		[INSIDE_LOG] = "log",
	};

	return source < INSIDE_SOURCES ? names[source] : "unknown";
}

/* Room for an item of that length: a shorter one gives way. NULL if none is. */
static struct inside_item *room_for(struct inside *in, uint64_t ns)
{
	struct inside_item *shortest = in->item;
	unsigned int i;

	if (in->n < INSIDE_ITEMS)
		return &in->item[in->n++];
	in->lost++;
	for (i = 1; i < INSIDE_ITEMS; i++) {
		if (in->item[i].ns < shortest->ns)
			shortest = &in->item[i];
	}
	return shortest->ns < ns ? shortest : NULL;
}

void inside_add(struct inside *to, const struct blackout *b,
		const struct inside_item *item)
{
	struct inside_item cut = *item, *at;
	uint64_t beyond;

	if (item->span >= SPAN_NR || item->source >= INSIDE_SOURCES ||
	    !b->known[item->span])
		return;
	if (cut.from >= cut.to || cut.from >= b->ns[cut.span])
		return;
	if (cut.ns > cut.to - cut.from)
		cut.ns = cut.to - cut.from;
	if (cut.to > b->ns[cut.span]) {
		/* Pieces may all have been in what is cut off. */
		beyond = cut.to - b->ns[cut.span];
		cut.ns = cut.ns > beyond ? cut.ns - beyond : 0;
		cut.to = b->ns[cut.span];
	}
	if (!cut.ns)
		return;
	cut.text[INSIDE_TEXT - 1] = '\0';
	at = room_for(to, cut.ns);
	if (at)
		*at = cut;
}

/*
 * A time by the clock as ns since the begin of a phase. From its end: while a kernel
 * starts, its clock does not run yet.
 */
static uint64_t in_span(const struct blackout *b, int s, uint64_t clock, uint64_t end)
{
	return b->ns[s] > end - clock ? b->ns[s] - (end - clock) : 0;
}

void inside_add_clock(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b, enum inside_source source,
		      uint64_t begin, uint64_t end, const char *fmt, ...)
{
	struct inside_item item = { .source = source };
	uint64_t first, last;
	va_list ap;
	int s;

	va_start(ap, fmt);
	vsnprintf(item.text, sizeof(item.text), fmt, ap);
	va_end(ap);
	for (s = SPAN_INIT; s < SPAN_NR; s++) {
		if (!b->known[s] || !span_clock(r, s, &first, &last) ||
		    begin >= last || end <= first)
			continue;
		item.span = s;
		item.from = in_span(b, s, begin > first ? begin : first, last);
		item.to = in_span(b, s, end < last ? end : last, last);
		item.ns = item.to - item.from;
		inside_add(to, b, &item);
	}
}

void inside_sanitize(struct inside *in)
{
	struct inside_item *one;
	unsigned int i, n = 0;

	for (i = 0; i < in->n && i < INSIDE_ITEMS; i++) {
		one = &in->item[i];
		if (one->span >= SPAN_NR || one->source >= INSIDE_SOURCES ||
		    one->from >= one->to || one->ns > one->to - one->from)
			continue;
		one->text[INSIDE_TEXT - 1] = '\0';
		in->item[n++] = *one;
	}
	in->n = n;
}

static bool is_whole(const struct inside_item *item)
{
	return item->ns == item->to - item->from;
}

static bool overlap(const struct inside_item *a, const struct inside_item *b)
{
	return a->from < b->to && b->from < a->to;
}

/* The items of a source in a phase that count. Returns their number. */
static int select_items(const struct inside *in, int s, unsigned int source, bool whole,
			const struct inside_item **items)
{
	const struct inside_item *one;
	unsigned int i;
	int n = 0;

	for (i = 0; i < in->n && i < INSIDE_ITEMS; i++) {
		one = &in->item[i];
		if (one->span == (unsigned int)s && one->source == source &&
		    !one->detail && is_whole(one) == whole)
			items[n++] = one;
	}
	return n;
}

/*
 * What pieces name: no more than their stretch has left, beside what is covered already
 * and the pieces before it. Afterwards their stretch is covered.
 */
static uint64_t pieces_ns(const struct inside_item **items, int n,
			  struct intervals *taken)
{
	uint64_t named[INSIDE_ITEMS], total = 0, room, used;
	int i, j;

	for (i = 0; i < n; i++) {
		room = items[i]->to - items[i]->from;
		used = intervals_covered(taken, items[i]->from, items[i]->to);
		for (j = 0; j < i; j++)
			used += overlap(items[i], items[j]) ? named[j] : 0;
		room = room > used ? room - used : 0;
		named[i] = items[i]->ns < room ? items[i]->ns : room;
		total += named[i];
	}
	for (i = 0; i < n; i++)
		intervals_add(taken, items[i]->from, items[i]->to);
	return total;
}

static uint64_t span_named(const struct inside *in, int s)
{
	const struct inside_item *items[INSIDE_ITEMS];
	struct intervals taken = { 0 };
	uint64_t named = 0, before;
	unsigned int source;
	int i, n;

	for (source = 0; source < INSIDE_SOURCES; source++) {
		before = intervals_total(&taken);
		n = select_items(in, s, source, true, items);
		for (i = 0; i < n; i++)
			intervals_add(&taken, items[i]->from, items[i]->to);
		named += intervals_total(&taken) - before;
		n = select_items(in, s, source, false, items);
		named += pieces_ns(items, n, &taken);
	}
	return named;
}

void inside_measure(const struct inside *in, const struct blackout *b,
		    struct inside_sum *sum)
{
	int s;

	memset(sum, 0, sizeof(*sum));
	for (s = 0; s < SPAN_NR; s++) {
		if (!b->known[s])
			continue;
		sum->named[s] = span_named(in, s);
		if (sum->named[s] > b->ns[s])
			sum->named[s] = b->ns[s];
		sum->total += sum->named[s];
	}
}

static bool before(const struct inside_item *a, const struct inside_item *b)
{
	return a->detail != b->detail ? !a->detail : a->ns > b->ns;
}

int inside_top(const struct inside *in, enum span s, const struct inside_item **items,
	       int max)
{
	const struct inside_item *one;
	unsigned int i;
	int n = 0, at;

	for (i = 0; i < in->n && i < INSIDE_ITEMS; i++) {
		one = &in->item[i];
		if (one->span != s)
			continue;
		for (at = n; at && before(one, items[at - 1]); at--) {
			if (at < max)
				items[at] = items[at - 1];
		}
		if (at == max)
			continue;
		items[at] = one;
		n += n < max;
	}
	return n;
}
