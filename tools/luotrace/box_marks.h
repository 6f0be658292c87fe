/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Marks of workloads in the black box: a ring of entries in the box's memory, written by a
 * thread that listens for them, so that a mark just before reboot() is there. For kernels
 * without a recorder; one with a recorder takes marks itself.
 */

#ifndef BOX_MARKS_H
#define BOX_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/liveupdate_recorder.h>

#define BOX_MARKS_ENTRIES	512
#define BOX_MARKS_NAME		64

/**
 * struct box_mark - a mark
 * @number: counts the marks, from 1 on; 0 if the entry is not in use
 * @ns:     when, ns of the monotonic clock
 * @paused: 1 for paused, 0 for resumed
 * @crc:    CRC-32 of all the rest, written last
 * @name:   of the workload, padded with zeros
 */
struct box_mark {
	uint64_t number;
	uint64_t ns;
	uint32_t paused;
	uint32_t crc;
	char name[BOX_MARKS_NAME];
};

/* The ring; mark n is in entry n % BOX_MARKS_ENTRIES. */
struct box_marks {
	struct box_mark entries[BOX_MARKS_ENTRIES];
};

/** box_marks_add - add a mark; not by two threads at once */
void box_marks_add(struct box_marks *marks, const char *name, bool paused, uint64_t ns);

/**
 * box_marks_fill - what the marks say of one side of an update
 * @marks: the ring
 * @in:	   the new kernel's side: workloads that were resumed without having been paused
 *	   there. Else the old kernel's: those that are paused and not resumed
 * @part:  pauses are added to it, unless it has one of that name
 * @counter_of: the counter at a time, 0 if unknown
 * @data:  for @counter_of
 *
 * A damaged entry, or one that is being written, is skipped.
 */
void box_marks_fill(const struct box_marks *marks, bool in,
		    struct liveupdate_recorder_part *part,
		    uint64_t (*counter_of)(void *data, uint64_t ns), void *data);

/**
 * box_marks_put - add a pause to a record, unless it has one of that name
 * @part: the record
 * @in:	  whether it is the new kernel's
 * @name: of the workload
 * @ns:	  when it was paused or resumed
 * @counter: the same as the counter
 */
void box_marks_put(struct liveupdate_recorder_part *part, bool in, const char *name,
		   uint64_t ns, uint64_t counter);

/** box_marks_merge - add the workloads of another record of the same kernel that it lacks */
void box_marks_merge(struct liveupdate_recorder_part *to,
		     const struct liveupdate_recorder_part *from);

struct box_listener;

/**
 * box_marks_listen - begin to listen for marks
 * @marks: where to add them
 *
 * Return: for box_marks_stop(), NULL after a message.
 */
struct box_listener *box_marks_listen(struct box_marks *marks);

/** box_marks_stop - stop listening; NULL is fine */
void box_marks_stop(struct box_listener *l);

#endif
