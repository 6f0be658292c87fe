/* SPDX-License-Identifier: GPL-2.0 */

/*
 * A record of a live update, as the recorder of a kernel makes it, from events: for a
 * kernel whose LUO has no recorder.
 */

#ifndef RECORD_PART_H
#define RECORD_PART_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/liveupdate_recorder.h>
#include "../../bpf/luotrace.h"

/* Whose record it is. */
enum record_dir {
	RECORD_OUT,	/* the old kernel's: what agents preserve */
	RECORD_IN,	/* the new kernel's: what they retrieve and finish */
};

struct record_part;

/**
 * record_part_new - begin a record
 * @dir:	    whose record it is; operations of the other direction are ignored
 * @ignore_session: name of a session whose events do not count, or NULL
 *
 * All is recorded for LIVEUPDATE_SCOPE_AGENT. Of the old kernel, freeze and unfreeze are
 * ignored: they are called in reboot().
 *
 * Return: the record, or NULL if out of memory.
 */
struct record_part *record_part_new(enum record_dir dir, const char *ignore_session);

/** record_part_free - free a record, or NULL */
void record_part_free(struct record_part *p);

/**
 * record_part_event - record an event
 * @p: the record
 * @e: the event; of events that one thread caused, in their order, of others nearly so
 *
 * Return: false if there was no memory to follow its session: that can be missing in the
 *	   list of the longest, and be counted without its files.
 */
bool record_part_event(struct record_part *p, const struct lt_event *e);

/**
 * record_part_over - record that no incoming session is left
 * @p: the record
 *
 * A session whose end is not known has ended with the last call for it.
 */
void record_part_over(struct record_part *p);

/**
 * record_part_get - the record so far
 * @p:		the record
 * @part:	filled, except for what follows
 * @counter_of: the CPU's counter at a time of the monotonic clock in ns, 0 if unknown
 * @data:	passed to @counter_of
 *
 * These members of @part are left as they are: the clock, the number, release, wall_ns,
 * the marks of the old kernel, START and INIT, sessions, files and bytes, failures,
 * sessions given up or discarded, rejected entries, memory. If time in ioctls is not
 * traced, busy[] is 0.
 */
void record_part_get(const struct record_part *p,
		     struct liveupdate_recorder_part *part,
		     uint64_t (*counter_of)(void *data, uint64_t monotonic_ns),
		     void *data);

/**
 * record_part_merge - add the calls and the sessions of another record
 * @to:	    a record of the same kernel
 * @from:   the other one; its lost_calls have no scope and are added each time
 * @scopes: RECORDER_SCOPE() of each scope to add
 *
 * Wall times of a row that is in both are added, as if no call of one ran in parallel
 * with a call of the other. Calls that find no row are added to the shared row of their
 * operation, or to lost_calls.
 */
void record_part_merge(struct liveupdate_recorder_part *to,
		       const struct liveupdate_recorder_part *from,
		       unsigned int scopes);

/**
 * record_part_fail - record that a reboot failed
 * @part: a record; the figures of LIVEUPDATE_SCOPE_REBOOT are moved to
 *	  LIVEUPDATE_SCOPE_FAILED
 *
 * The marks, @failed and what belongs to it are left as they are.
 */
void record_part_fail(struct liveupdate_recorder_part *part);

#endif
