/* SPDX-License-Identifier: GPL-2.0 */

/* The record that LUO keeps of a live update, and what it says of the blackout. */

#ifndef RECORDER_H
#define RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/liveupdate_recorder.h>

#include "tracer.h"

#define RECORDER_PATH	"/sys/kernel/liveupdate/recorder"

/**
 * recorder_load - read a record
 * @path: where from
 *
 * Return: the record, checked: versions and sizes are those of this luotrace,
 *	   strings end, operations and kinds are known; to be given to free().
 *	   NULL after a message.
 */
struct liveupdate_recorder *recorder_load(const char *path);

/**
 * recorder_here - the record of this machine
 * @r: set to it, or to NULL if this kernel has no recorder
 *
 * Return: 0, or -1 after a message.
 */
int recorder_here(struct liveupdate_recorder **r);

/**
 * recorder_check - the same for a record in memory
 * @data: the record, in whatever place
 * @size: its bytes
 *
 * Return: a copy for free(), or NULL after no message if it is not one.
 */
struct liveupdate_recorder *recorder_check(const void *data, size_t size);

/** recorder_has - whether a part is there */
bool recorder_has(const struct liveupdate_recorder_part *part);

/* Bits of scopes. */
#define RECORDER_SCOPE(scope)	(1U << LIVEUPDATE_SCOPE_##scope)
#define RECORDER_ALL_SCOPES	((1U << LIVEUPDATE_NR_SCOPES) - 1)

/**
 * recorder_sum - the calls of a part, those of several scopes together
 * @part:   the part
 * @scopes: RECORDER_SCOPE() of each scope that counts
 * @rows:   LIVEUPDATE_RECORDER_ROWS places; filled in the order of the record. The
 *	    scope of a row is that of the first one that is in it
 *
 * Return: how many there are, each operation of each name once.
 */
int recorder_sum(const struct liveupdate_recorder_part *part,
		 unsigned int scopes, struct liveupdate_recorder_row *rows);

/**
 * recorder_rows - the calls of a part, as the tracer gives calls
 * @part: the part
 * @rows: LIVEUPDATE_RECORDER_ROWS places; filled in the order of the record, all
 *	  scopes together, a slot for each power of two in their histograms
 *
 * Return: how many there are.
 */
int recorder_rows(const struct liveupdate_recorder_part *part,
		  struct tracer_row *rows);

/* The parts of the blackout, in order. */
enum span {
	SPAN_PREPARE,
	SPAN_FREEZE,
	SPAN_SHUTDOWN,
	SPAN_JUMP,
	SPAN_INIT,
	SPAN_USER,
	SPAN_RESTORE,
	SPAN_FINISH,
	SPAN_NR,
};

/**
 * struct blackout - when what was
 * @known:     whether a span is; one that is not was not measured, or is not over
 * @ns:        length of each span that is known
 * @whole:     whether all spans are known
 * @total:     ns of all known spans
 * @jumped:    the counter goes on over the jump
 */
struct blackout {
	bool known[SPAN_NR];
	uint64_t ns[SPAN_NR];
	bool whole;
	uint64_t total;
	bool jumped;
};

/**
 * blackout_measure - how long each part of the last blackout was
 * @r: the record
 * @b: filled
 */
void blackout_measure(const struct liveupdate_recorder *r, struct blackout *b);

/** span_name - "freeze", say */
const char *span_name(enum span s);

/** span_part - the part of the record that has the calls of a span */
const struct liveupdate_recorder_part *
span_part(const struct liveupdate_recorder *r, enum span s);

/** span_has_op - whether an operation is called in a span */
bool span_has_op(enum span s, unsigned int op);

/** span_phase - the phase of a session in a span, -1 for none */
int span_phase(enum span s);

/**
 * span_holds - whether a moment is in a span
 * @r:	     the record
 * @s:	     the span
 * @counter: the moment, in ticks of the counter of the span's kernel
 */
bool span_holds(const struct liveupdate_recorder *r, enum span s,
		uint64_t counter);

#endif
