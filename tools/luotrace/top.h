/* SPDX-License-Identifier: GPL-2.0 */

/* Which calls tasks are in, and how many have ended since the last reading. */

#ifndef TOP_H
#define TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "probe.h"
#include "task_state.h"
#include "tracer.h"

/**
 * struct top_call - a call in flight
 * @call:   the call; of one that is not @known only the task
 * @known:  it began while luotrace traced
 * @age_ns: how long it takes already; at least, if it is not @known
 * @task:   what its task does
 * @ran:    share of the time since the last reading that its task was on a CPU, 0 to 1;
 *	    below 0 if unknown, as in the first reading of a call
 */
struct top_call {
	struct lt_flight call;
	bool known;
	uint64_t age_ns;
	struct task_state task;
	double ran;
};

/* How calls in flight are sorted. */
enum top_sort { TOP_BY_AGE, TOP_BY_TASK, TOP_BY_SESSION, TOP_BY_HANDLER, TOP_NR_SORTS };

/**
 * struct top - one reading
 * @interval_ns: since the last reading, or since tracing began
 * @calls:	 calls in flight; those that are not known are the oldest
 * @nr_calls:	 their number
 * @rows:	 calls that ended since the last reading, by handler and operation
 * @nr_rows:	 number of rows
 * @lost:	 what was lost so far
 * @observer:	 what tracing cost since the last reading
 */
struct top {
	uint64_t interval_ns;
	struct top_call *calls;
	int nr_calls;
	struct tracer_row *rows;
	int nr_rows;
	struct tracer_lost lost;
	struct observer observer;
};

struct top_reader;

/**
 * top_open - begin to read
 * @t:	    from tracer_open(), with @keep_flights and @count_calls
 * @probe:  what the kernel offers
 * @options: of tracer_open(); a call in flight is left out if it is younger than @min_ns, or
 *	    if the other filters do not let it pass
 *
 * The first readings look at all tasks for those that were in a call already.
 *
 * Return: for top_close(); NULL after a message.
 */
struct top_reader *top_open(struct tracer *t, const struct probe *probe,
			    const struct tracer_options *options);

/**
 * top_read - read
 * @r:	 the reader
 * @top: filled, to be given to top_free()
 *
 * Return: false after a message.
 */
bool top_read(struct top_reader *r, struct top *top);

/** top_free - free what top_read() filled */
void top_free(struct top *top);

/** top_close - end; NULL is fine */
void top_close(struct top_reader *r);

/** top_order - sort the calls of a reading; equal ones by age */
void top_order(struct top *top, enum top_sort sort);

#endif
