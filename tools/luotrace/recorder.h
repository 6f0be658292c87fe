/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Reads the record that LUO keeps of a live update: one of struct liveupdate_recorder_part
 * for each kernel.
 */

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
 * @path: the file
 *
 * Return: the record, for free(), checked: versions and sizes are those of this luotrace,
 *	   strings are terminated, operations and kinds are known. NULL after a message.
 */
struct liveupdate_recorder *recorder_load(const char *path);

/**
 * recorder_load_local - read the record of this machine
 * @r: set to it, or to NULL if this kernel has no recorder, or had no memory for its record
 *
 * Return: 0, or -1 after a message.
 */
int recorder_load_local(struct liveupdate_recorder **r);

/**
 * recorder_parse - the same for a record in memory
 * @data: the record, aligned or not
 * @size: its bytes
 *
 * Return: a copy for free(), or NULL without a message if it is malformed.
 */
struct liveupdate_recorder *recorder_parse(const void *data, size_t size);

/** recorder_present - whether the record of a kernel is present */
bool recorder_present(const struct liveupdate_recorder_part *part);

/**
 * recorder_unread_reason - why this kernel rejected the handover that booted it
 * @r: the record
 *
 * Return: the kernel's reason, such as "not-a-tree"; NULL if it read the handover, or if
 *	   nothing was handed over.
 */
const char *recorder_unread_reason(const struct liveupdate_recorder *r);

/* The message for that, if the kernel has read no table of the handover. */
#define RECORDER_UNREAD								\
	"This kernel was booted by a live update and rejected its handover as a whole: the "	\
	"sessions that the previous kernel kept are lost; 'luotrace handover' shows what is "	\
	"wrong with it"


/* Bits of scopes. */
#define RECORDER_SCOPE(scope)	(1U << LIVEUPDATE_SCOPE_##scope)
#define RECORDER_ALL_SCOPES	((1U << LIVEUPDATE_NR_SCOPES) - 1)
/* The live update itself, without earlier failed attempts. */
#define RECORDER_UPDATE		(RECORDER_ALL_SCOPES & ~RECORDER_SCOPE(FAILED))

/**
 * recorder_part_invalid - what is wrong with the record of a kernel
 * @p: the record, which must be present
 *
 * Return: NULL if all its strings end, and all it counts is known; else what does not.
 */
const char *recorder_part_invalid(const struct liveupdate_recorder_part *p);

/**
 * recorder_updated - whether this kernel was booted by a live update, as its record says
 * @r: the record
 *
 * A record that luotrace made has no number, and nothing for the next update.
 */
bool recorder_updated(const struct liveupdate_recorder *r);

/**
 * recorder_given_up - incoming sessions of agents that a kernel gave up for the next one
 * @part: its record
 *
 * A black box that nobody took out is not counted. The record has the names of the first
 * LIVEUPDATE_RECORDER_GIVEN_UP only, so that a box behind them is.
 */
uint64_t recorder_given_up(const struct liveupdate_recorder_part *part);

/**
 * recorder_sum - the calls of a kernel, summed over scopes
 * @part:   its record
 * @scopes: RECORDER_SCOPE() of each scope to include
 * @rows:   room for LIVEUPDATE_RECORDER_ROWS; filled in the order of the record. The scope
 *	    of a row is the first one that it includes
 *
 * Return: number of rows, one for each operation of each name.
 */
int recorder_sum(const struct liveupdate_recorder_part *part,
		 unsigned int scopes, struct liveupdate_recorder_row *rows);

/**
 * recorder_rows - the same as rows of the tracer
 * @part:   its record
 * @scopes: as above
 * @rows:   room for LIVEUPDATE_RECORDER_ROWS; their histograms have a slot for each power
 *	    of two
 *
 * Return: number of rows.
 */
int recorder_rows(const struct liveupdate_recorder_part *part,
		  unsigned int scopes, struct tracer_row *rows);

#endif
