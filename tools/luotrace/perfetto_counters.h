/* SPDX-License-Identifier: GPL-2.0 */

/* Files and memory, counted along the events of a trace for Perfetto. */

#ifndef PERFETTO_COUNTERS_H
#define PERFETTO_COUNTERS_H

#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

#define COUNTERS_STATES		8	/* states of a file, at most */
#define COUNTERS_CHANGED	2	/* series that an event changes, at most */

/**
 * struct counters - what was counted so far; zero it, but for @page_size
 * @files:     files of the trace in each state
 * @preserved: bytes
 * @restored:  bytes
 * @page_size: bytes of a page of the traced machine, 0 for this one
 */
struct counters {
	uint64_t files[COUNTERS_STATES];
	uint64_t preserved;
	uint64_t restored;
	uint64_t page_size;
};

/**
 * struct counter - a new value
 * @name:   of the counter
 * @series: one of those that are drawn together
 * @value:  files, or bytes
 */
struct counter {
	const char *name;
	const char *series;
	uint64_t value;
};

/**
 * counters_event - count an event
 * @c:	     the counters
 * @e:	     the event
 * @changed: room for COUNTERS_CHANGED; set to the values that it changes
 *
 * A file is counted from its first change of state in the trace on.
 *
 * Return: how many.
 */
int counters_event(struct counters *c, const struct lt_event *e,
		   struct counter *changed);

#endif
