/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The table of calls and their latencies, as text and JSON. For the commands latency,
 * record and report.
 */

#ifndef LATENCY_H
#define LATENCY_H

#include <jansson.h>
#include <stdio.h>

#include "folios.h"
#include "session_track.h"
#include "tracer.h"

/**
 * struct latency - one reading
 * @by:	     how calls are counted
 * @at:	     when, ns of the monotonic clock; 0 in a trace file
 * @rows:    the calls
 * @nr_rows: number of rows
 * @slow:    the longest calls, longest first
 * @nr_slow: their number
 * @kho:     memory that was marked
 * @has_kho: the kernel has the events for it
 * @folios:  the same memory by order of its folios
 * @page_size: bytes of a page of the traced machine, 0 for this one
 * @track:   the sessions
 * @lost:    what was lost
 * @observer: what tracing cost
 * @frozen:  the global state was frozen at that time
 * @recorded: calls of the last live update in the previous kernel, from LUO's record, with
 *	      a histogram of powers of two; NULL for none
 * @nr_recorded: number of rows
 * @recorded_failed: the same of earlier attempts that failed or were cancelled
 * @nr_recorded_failed: number of rows
 * @recorded_number: the live update
 * @failed: calls of failed attempts in a trace; not among @rows
 * @nr_failed: number of rows
 * @failed_slow: the longest of them, longest first
 * @nr_failed_slow: their number
 * @stacks: where long calls spent their time, see stacks.h; NULL is as null
 */
struct latency {
	enum lt_by by;
	uint64_t at;
	struct tracer_row *rows;
	int nr_rows;
	struct lt_slow slow[LT_SLOWEST];
	int nr_slow;
	struct lt_kho kho[LT_KHO_ACTIONS][LT_KHO_KINDS];
	bool has_kho;
	struct folios folios;
	uint64_t page_size;
	const struct session_track *track;
	struct tracer_lost lost;
	struct observer observer;
	bool frozen;
	const struct tracer_row *recorded;
	int nr_recorded;
	const struct tracer_row *recorded_failed;
	int nr_recorded_failed;
	uint64_t recorded_number;
	struct tracer_row *failed;
	int nr_failed;
	struct lt_slow failed_slow[LT_SLOWEST];
	int nr_failed_slow;
	json_t *stacks;
};

/** latency_calls - latency_text() of a trace file: no recorded calls, no unknown memory */
void latency_calls(const struct latency *l, bool hist, FILE *f);

/** latency_kho_json - calls that marked memory, an array */
json_t *latency_kho_json(const struct latency *l);

/** latency_folios_json - the same by order of folios, an object or null */
json_t *latency_folios_json(const struct latency *l);

/** latency_failed_json - calls of failed attempts in a trace, added to @root */
void latency_failed_json(const struct latency *l, bool hist, json_t *root);

/**
 * latency_read_kho - read that array
 * @l:   its memory is set; none if @all is null
 * @all: the array, from a file
 *
 * Return: false if it is malformed.
 */
bool latency_read_kho(struct latency *l, json_t *all);

/** latency_table - the table of calls, and what tracing cost */
void latency_table(const struct latency *l, FILE *f);

/**
 * latency_text - print all of it
 * @l:	  the reading
 * @hist: with histograms
 * @f:	  where to
 */
void latency_text(const struct latency *l, bool hist, FILE *f);

/**
 * latency_json - the same as JSON, added to an output
 * @l:	  the reading
 * @hist: with histograms
 * @root: from json_head()
 */
void latency_json(const struct latency *l, bool hist, json_t *root);

/** latency_calls_json - latency_json() without the sessions */
void latency_calls_json(const struct latency *l, bool hist, json_t *root);

#endif
