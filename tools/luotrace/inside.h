/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What is inside of the phases of a blackout: items with a name and a time, from several
 * sources, and how much of the blackout they name. What nobody has named stays unknown.
 */

#ifndef INSIDE_H
#define INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "blackout.h"

#define INSIDE_ITEMS	96	/* of one set */
#define INSIDE_TEXT	320	/* bytes of a text, with any two names */

/*
 * Where an item is from. The order is that of trust: what an earlier source has named, a
 * later one does not name again.
 */
enum inside_source {
	INSIDE_RECORD,		/* the kernel's recorder, and the calls of LUO */
	INSIDE_BOX,		/* the black box: the steps of the reboot */
	INSIDE_TRACE,		/* luotrace's BPF programs in the new kernel: agents */
	INSIDE_SYSTEMD,		/* systemd's own stamps */
	INSIDE_PROC,		/* start times of processes */
	INSIDE_LOG,		/* the kernel's log */
	INSIDE_SOURCES,
};

/**
 * struct inside_item - something that took time of a phase
 * @span:   enum span
 * @source: enum inside_source
 * @from:   begin of the stretch in which it was, ns since the begin of the phase
 * @to:	    its end, the same; more than @from
 * @ns:	    how much of the stretch it took, wall-clock time. If that is less than all of
 *	    it, it was there in pieces that nobody has listed, such as "287 other
 *	    initcalls"; pieces are disjoint from all other items of the same source. Time
 *	    of several CPUs or of overlapping calls is counted once by the source
 * @detail: 1 if it explains other items, such as what a process did that an agent waited
 *	    for: it is shown, not counted
 * @text:   what it is, printable: names of others by fmt_name()
 *
 * Integers only, and of fixed size: it is saved on disk.
 */
struct inside_item {
	uint32_t span;
	uint32_t source;
	uint32_t detail;
	uint32_t reserved;
	uint64_t from;
	uint64_t to;
	uint64_t ns;
	char text[INSIDE_TEXT];
};

/**
 * struct inside - a set of items; all zeros is an empty one
 * @n:	  number of entries in use
 * @lost: items that found no room; the shortest items go first, and they count as unknown
 * @item: unordered
 */
struct inside {
	uint32_t n;
	uint32_t lost;
	struct inside_item item[INSIDE_ITEMS];
};

/**
 * typedef inside_fn - a source: adds what it knows of an update
 * @to:	  where to, by the functions below
 * @r:	  the record; of a kernel without recorder, what the box and the tracer have put
 *	  together (marks and times of the new kernel may be 0: not known)
 * @b:	  its blackout
 * @data: the source's own
 */
typedef void inside_fn(struct inside *to, const struct liveupdate_recorder *r,
		       const struct blackout *b, const void *data);

/**
 * inside_add - add an item of a phase
 * @to:	    where to
 * @b:	    the blackout. An item of a phase that is not known is ignored, what is outside
 *	    of the phase is cut off
 * @item:   the item
 */
void inside_add(struct inside *to, const struct blackout *b,
		const struct inside_item *item);

/**
 * inside_add_clock - add a stretch of the new kernel by its own clock
 * @to:	    where to
 * @r:	    the record
 * @b:	    the blackout
 * @source: enum inside_source
 * @begin:  CLOCK_MONOTONIC of the new kernel, ns; the clock of its log and the start
 *	    times of /proc/PID/stat differ little from it
 * @end:    the same
 * @fmt:    the text, as of printf
 *
 * A stretch of several phases becomes an item of each; one of no known phase none.
 */
void inside_add_clock(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b, enum inside_source source,
		      uint64_t begin, uint64_t end, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));

/**
 * struct inside_sum - how much of a blackout has a name
 * @named: ns of each phase that items name, those that overlap counted once; never more
 *	   than the phase
 * @total: of all known phases
 */
struct inside_sum {
	uint64_t named[SPAN_NR];
	uint64_t total;
};

/** inside_sanitize - drop what cannot be shown of a set from a file, end its texts */
void inside_sanitize(struct inside *in);

/** inside_source_name - such as "recorder", in JSON */
const char *inside_source_name(unsigned int source);

/** inside_measure - what the items of a set name of a blackout */
void inside_measure(const struct inside *in, const struct blackout *b,
		    struct inside_sum *sum);

/**
 * inside_top - the longest items of a phase
 * @in:	   the set
 * @s:	   the phase
 * @items: room for @max; the longest first, those that explain others after all of them
 * @max:   maximum number
 *
 * Return: their number.
 */
int inside_top(const struct inside *in, enum span s, const struct inside_item **items,
	       int max);

#endif
