/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Loads and attaches the BPF programs of luotrace. For commands that trace.
 *
 * tracer_open(), then tracer_poll() until the end of the trace, then the tracer_read_*()
 * functions, then tracer_close().
 */

#ifndef TRACER_H
#define TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"
#include "../../bpf/box.h"
#include "folios.h"
#include "observer.h"
#include "probe.h"

/**
 * struct tracer_options - what to trace
 * @session: only this session, NULL for all
 * @handler: only this handler, NULL for all
 * @ops:     a bit for each operation
 * @min_ns:  only handler calls of at least this duration
 * @errors:  only failures
 * @stream:  a bit for each enum lt_type to stream to tracer_poll()
 * @buffer_kib: size of the buffer for streamed events; 0: as built
 * @count_calls: count calls, for tracer_read_rows() and tracer_read_slowest()
 * @count_folios: count folios by order, for tracer_read_folios(); with @count_memory and
 *	    @count_calls or what streams calls
 * @keep_flights: keep the calls that tasks are in, for tracer_read_flights()
 * @count_memory: count marked memory, for tracer_read_kho()
 * @by:	     how to count calls
 * @box_pages: BOX_REBOOT_PAGES pages of memory that a reboot is recorded in, NULL for none;
 *	     what happens in that reboot is not streamed then
 * @whole_sessions: of what is streamed only @session is a filter, so that the lives of
 *	     sessions are whole
 * @stacks:  take stacks inside calls, for tracer_read_stacks(); @errors does not filter them
 * @stacks_ns: only inside calls of at least this duration, whatever @min_ns is
 *
 * Changes of the global state are streamed whatever the filters are. Only what is needed is
 * attached and allocated.
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
	bool keep_flights;
	bool count_memory;
	bool count_folios;
	enum lt_by by;
	bool whole_sessions;
	void *box_pages;
	bool stacks;
	uint64_t stacks_ns;
};

#define TRACER_ALL_OPS	UINT64_MAX

struct tracer;

/**
 * struct tracer_row - the calls of one key
 * @key:   the key
 * @calls: its calls on all CPUs
 */
struct tracer_row {
	struct lt_key key;
	struct lt_row calls;
};

#define TRACER_UNKNOWN	UINT64_MAX	/* losses of a trace without an end */

/**
 * struct tracer_lost - what was lost, or TRACER_UNKNOWN
 * @events: events that did not fit into the ring buffer
 * @rows:   calls counted under LT_OTHERS
 * @flights: calls that were not kept while they were in flight
 * @missed: events that hit while the same program ran on that CPU; one of several calls is
 *          one
 * @functions: functions of a stock LUO that cannot be traced
 */
struct tracer_lost {
	uint64_t events;
	uint64_t rows;
	uint64_t flights;
	uint64_t missed;
	uint64_t functions;
};

/**
 * tracer_open - load and attach
 * @probe:   what the kernel offers
 * @options: what to trace
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
 * tracer_poll - wait for events and pass them to the callback
 * @t:	     the tracer
 * @wait_ms: maximum time
 *
 * Return: 0, or a negative errno; -EINTR after a signal.
 */
int tracer_poll(struct tracer *t, int wait_ms);

/** tracer_fd - a descriptor that is readable when tracer_poll() has events */
int tracer_fd(const struct tracer *t);

/**
 * tracer_read_rows - read the counted calls
 * @t:	  the tracer
 * @rows: set to an array, to be freed by the caller; sorted by name, token,
 *	  operation
 *
 * Return: the number of rows, or a negative errno after a message.
 */
int tracer_read_rows(struct tracer *t, struct tracer_row **rows);

/**
 * tracer_rows_since - the calls since an earlier reading
 * @rows:	the calls now; reduced to those since then
 * @nr:		number of rows
 * @earlier:	the calls then
 * @nr_earlier: number of rows
 *
 * Return: the number of rows that have a call since then.
 */
int tracer_rows_since(struct tracer_row *rows, int nr,
		      const struct tracer_row *earlier, int nr_earlier);

/**
 * tracer_read_slowest - the longest calls so far, longest first
 * @t:	   the tracer
 * @calls: room for @max
 * @max:   maximum number, up to LT_SLOWEST
 *
 * Return: their number, or a negative errno after a message.
 */
int tracer_read_slowest(struct tracer *t, struct lt_slow *calls,
			unsigned int max);

/**
 * tracer_read_flights - the calls that tasks are in at this moment, the oldest first
 * @t:	     the tracer
 * @flights: set to an array, to be freed by the caller
 *
 * Return: their number, or a negative errno after a message.
 */
int tracer_read_flights(struct tracer *t, struct lt_flight **flights);

/**
 * tracer_add_flight - add a call in flight that began before tracing did
 * @t:	 the tracer
 * @pid: the process that is in it
 * @tid: its thread; ignored if it is in a call that is known
 */
void tracer_add_flight(struct tracer *t, unsigned int pid, unsigned int tid);

/** tracer_drop_flight - a call in flight is over, although its end was not seen */
void tracer_drop_flight(struct tracer *t, const struct lt_flight *call);

/**
 * tracer_read_kho - read the counts of marked memory
 * @t:	 the tracer
 * @sum: by action (preserve, unpreserve, restore) and kind of memory
 *
 * Return: 0, or a negative errno after a message.
 */
int tracer_read_kho(struct tracer *t,
		    struct lt_kho sum[LT_KHO_ACTIONS][LT_KHO_KINDS]);

/* Time by target, operation and stack. */
struct stack_sum {
	struct lt_stack_key key;
	struct lt_stack_sum sum;
};

/* A stack, and the number that sums have for it. */
struct numbered_stack {
	__u32 number;
	struct lt_stack stack;
};

/**
 * struct stack_reading - the stacks inside long calls so far
 * @sums:      time by target, operation and stack, in no order
 * @nr_sums:   their number
 * @stacks:    the stacks, by number
 * @nr_stacks: their number
 * @lost:      what found no room
 * @min_ns:    duration from which on a call is a long one
 * @period_ns: time between two samples of what runs, 0 if there are none
 */
struct stack_reading {
	struct stack_sum *sums;
	int nr_sums;
	struct numbered_stack *stacks;
	int nr_stacks;
	struct lt_stack_lost lost;
	uint64_t min_ns;
	uint64_t period_ns;
};

/**
 * tracer_read_stacks - read the stacks inside long calls
 * @t: the tracer
 * @r: set to them; its two arrays are to be freed
 *
 * Return: false if there are none to read; if they were requested, after a message.
 */
bool tracer_read_stacks(struct tracer *t, struct stack_reading *r);

/**
 * tracer_read_folios - read the counts of folios
 * @t:	 the tracer
 * @all: filled
 *
 * Return: 0, or a negative errno after a message.
 */
int tracer_read_folios(struct tracer *t, struct folios *all);

/**
 * tracer_skipped - a function of a stock LUO that cannot be traced
 * @t:	the tracer
 * @nr: counted from 0
 *
 * Return: its name, NULL after the last one.
 */
const char *tracer_skipped(const struct tracer *t, unsigned int nr);

/** tracer_guests_fd - the map that guests are kept in, see guests.h; -1 without box */
int tracer_guests_fd(const struct tracer *t);

/** tracer_box_failed - the last reboot that failed, its field failed written last */
const struct box_reboot *tracer_box_failed(const struct tracer *t);

/** tracer_box - the reboot in progress or the last one, as recorded; not NULL if @box_pages */
const struct box_reboot *tracer_box(const struct tracer *t);

/** tracer_read_observer - read what tracing has cost so far */
void tracer_read_observer(struct tracer *t, struct observer *o);

/** tracer_read_lost - read the losses so far */
void tracer_read_lost(struct tracer *t, struct tracer_lost *lost);

#endif
