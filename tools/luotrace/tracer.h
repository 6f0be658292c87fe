/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The BPF programs, loaded and attached.
 *
 * tracer_open(), then tracer_poll() until it says to stop, then the
 * tracer_read_*() functions, then tracer_close().
 */

#ifndef TRACER_H
#define TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"
#include "probe.h"

/**
 * struct tracer_options - what is wanted
 * @session: only this session, NULL for all
 * @handler: only this handler, NULL for all
 * @ops:     a bit for each operation wanted
 * @min_ns:  only handler calls that took this long
 * @errors:  only what failed
 * @stream:  a bit for each enum lt_type that tracer_poll() shall give
 * @buffer_kib: size of the buffer for what is streamed; 0: as built
 * @count_calls: calls are counted, for tracer_read_rows() and tracer_read_slowest()
 * @count_memory: marked memory is counted, for tracer_read_kho()
 * @by:	     how calls are counted
 * @lives:   of what is streamed only @session is a filter, so that the lives of
 *	     sessions are whole
 *
 * The state of the machine is streamed whatever the filters are. Only what is needed for
 * this is attached and allocated.
 */
struct tracer_options {
	const char *session;
	const char *handler;
	uint64_t ops;
	uint64_t min_ns;
	bool errors;
	uint32_t stream;
	uint32_t buffer_kib;
	bool count_calls;
	bool count_memory;
	enum lt_by by;
	bool whole_sessions;
};

#define TRACER_ALL_OPS	UINT64_MAX

struct tracer;

/**
 * struct tracer_row - the calls of one key
 * @key:  what they have in common
 * @calls: the calls, of all CPUs
 */
struct tracer_row {
	struct lt_key key;
	struct lt_row calls;
};

#define TRACER_UNKNOWN	UINT64_MAX	/* of what was lost, of a trace without an end */

/**
 * struct tracer_lost - what was lost, or TRACER_UNKNOWN
 * @events: events that did not fit into the ring buffer
 * @rows:   calls that are counted under LT_OTHERS
 * @missed: events that came while the same program ran on that CPU
 * @functions: of a stock LUO, to which nothing could be attached
 */
struct tracer_lost {
	uint64_t events;
	uint64_t rows;
	uint64_t missed;
	uint64_t functions;
};

/**
 * tracer_open - load and attach
 * @probe:   what the kernel offers
 * @options: what is wanted
 * @event:   called for each streamed event, in order for each CPU
 * @data:    for @event
 *
 * Return: the tracer, or NULL after a message.
 */
struct tracer *tracer_open(const struct probe *probe,
			   const struct tracer_options *options,
			   void (*event)(const struct lt_event *e, void *data),
			   void *data);

/** tracer_close - detach and free; NULL is fine */
void tracer_close(struct tracer *t);

/**
 * tracer_poll - wait for events and hand them on
 * @t:	     the tracer
 * @wait_ms: at most so long
 *
 * Return: 0, or a negative errno; -EINTR after a signal.
 */
int tracer_poll(struct tracer *t, int wait_ms);

/** tracer_fd - readable when there are events for tracer_poll() */
int tracer_fd(const struct tracer *t);

/**
 * tracer_read_rows - what was counted so far
 * @t:	  the tracer
 * @rows: set to an array, to be freed by the caller; sorted by name, token,
 *	  operation
 *
 * Return: the number of rows, or a negative errno after a message.
 */
int tracer_read_rows(struct tracer *t, struct tracer_row **rows);

/**
 * tracer_read_slowest - the longest calls so far, longest first
 * @t:	   the tracer
 * @calls: room for them
 * @max:   at most so many, up to LT_SLOWEST
 *
 * Return: how many there are, or a negative errno after a message.
 */
int tracer_read_slowest(struct tracer *t, struct lt_slow *calls,
			unsigned int max);

/**
 * tracer_read_kho - memory that was marked so far
 * @t:	 the tracer
 * @sum: by action (preserve, unpreserve, restore) and kind of memory
 *
 * Return: 0, or a negative errno after a message.
 */
int tracer_read_kho(struct tracer *t,
		    struct lt_kho sum[LT_KHO_ACTIONS][LT_KHO_KINDS]);

/**
 * tracer_skipped - a function of a stock LUO to which nothing could be attached
 * @t:	the tracer
 * @nr: counted from 0
 *
 * Return: its name, NULL after the last one.
 */
const char *tracer_skipped(const struct tracer *t, unsigned int nr);

/** tracer_read_lost - what was lost so far */
void tracer_read_lost(struct tracer *t, struct tracer_lost *lost);

#endif
