/* SPDX-License-Identifier: GPL-2.0 */

/* What was traced, now or in a file: for people and for programs. */

#ifndef LATENCY_H
#define LATENCY_H

#include <jansson.h>
#include <stdio.h>

#include "session_track.h"
#include "tracer.h"

/**
 * struct latency - one reading
 * @by:	     how the calls are counted
 * @rows:    the calls
 * @nr_rows: how many rows
 * @slow:    the longest calls, longest first
 * @nr_slow: how many
 * @kho:     memory that was marked
 * @has_kho: the kernel has the events for it
 * @page_size: bytes of a page of the machine that was traced, 0 for this one
 * @life:    the sessions
 * @lost:    what was lost
 * @frozen:  the machine was frozen when it was taken
 * @recorded: calls of the last live update that the kernel before this one
 *	      recorded, with a histogram of powers of two; NULL for none
 * @nr_recorded: how many rows
 * @recorded_failed: the same of attempts before it that failed or were cancelled
 * @nr_recorded_failed: how many rows
 * @recorded_number: the live update
 * @failed: calls of attempts in a trace that failed; they are not among @rows
 * @nr_failed: how many rows
 * @failed_slow: the longest of them, longest first
 * @nr_failed_slow: how many
 */
struct latency {
	enum lt_by by;
	struct tracer_row *rows;
	int nr_rows;
	struct lt_slow slow[LT_SLOWEST];
	int nr_slow;
	struct lt_kho kho[LT_KHO_ACTIONS][LT_KHO_KINDS];
	bool has_kho;
	uint64_t page_size;
	const struct session_track *track;
	struct tracer_lost lost;
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
};

/** latency_calls - latency_text() of a file: without what was recorded, or is unknown */
void latency_calls(const struct latency *l, bool hist, FILE *f);

/** latency_kho_json - calls that marked memory, an array */
json_t *latency_kho_json(const struct latency *l);

/** latency_failed_json - calls in a trace of attempts that failed, added to @root */
void latency_failed_json(const struct latency *l, bool hist, json_t *root);

/**
 * latency_read_kho - read that array
 * @l:   its memory is set; it has none if @all is null
 * @all: the array, from a file
 *
 * Return: false if it is none of these.
 */
bool latency_read_kho(struct latency *l, json_t *all);

/** latency_table - the table of calls alone */
void latency_table(const struct latency *l, FILE *f);

/**
 * latency_text - everything, for people
 * @l:	  the reading
 * @hist: with histograms
 * @f:	  where to
 */
void latency_text(const struct latency *l, bool hist, FILE *f);

/**
 * latency_json - everything, added to a JSON output
 * @l:	  the reading
 * @hist: with histograms
 * @root: from json_head()
 */
void latency_json(const struct latency *l, bool hist, json_t *root);

#endif
