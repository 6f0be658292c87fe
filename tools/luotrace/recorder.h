/* SPDX-License-Identifier: GPL-2.0 */

/* The record that LUO keeps of a live update. */

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
 * recorder_load_local - the record of this machine
 * @r: set to it, or to NULL if this kernel has no recorder
 *
 * Return: 0, or -1 after a message.
 */
int recorder_load_local(struct liveupdate_recorder **r);

/**
 * recorder_parse - the same for a record in memory
 * @data: the record, in whatever place
 * @size: its bytes
 *
 * Return: a copy for free(), or NULL after no message if it is not one.
 */
struct liveupdate_recorder *recorder_parse(const void *data, size_t size);

/** recorder_present - whether a part is there */
bool recorder_present(const struct liveupdate_recorder_part *part);

/**
 * recorder_unread_reason - why the handover that booted this kernel could not be read
 * @r: the record
 *
 * Return: the kernel's word for it, such as "not-a-tree" if the previous kernel had
 *	   another LUO; NULL if it was read, or there was none.
 */
const char *recorder_unread_reason(const struct liveupdate_recorder *r);

/* What to say then. */
#define RECORDER_UNREAD								\
	"This kernel was booted by a live update whose handover it cannot read: the previous " \
	"kernel had another LUO, and the sessions that it kept are lost; 'luotrace handover' " \
	"shows what there is"

/* Bits of scopes. */
#define RECORDER_SCOPE(scope)	(1U << LIVEUPDATE_SCOPE_##scope)
#define RECORDER_ALL_SCOPES	((1U << LIVEUPDATE_NR_SCOPES) - 1)
/* All that is of the live update, and not of an attempt before it that failed. */
#define RECORDER_UPDATE		(RECORDER_ALL_SCOPES & ~RECORDER_SCOPE(FAILED))

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
 * recorder_rows - the same, as the tracer gives calls
 * @part:   the part
 * @scopes: as above
 * @rows:   LIVEUPDATE_RECORDER_ROWS places; a slot for each power of two in their
 *	    histograms
 *
 * Return: how many there are.
 */
int recorder_rows(const struct liveupdate_recorder_part *part,
		  unsigned int scopes, struct tracer_row *rows);

#endif
