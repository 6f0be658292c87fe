/* SPDX-License-Identifier: GPL-2.0 */

/* Shared by the files of record_part. */

#ifndef RECORD_PART_INTERNAL_H
#define RECORD_PART_INTERNAL_H

#include "intervals.h"
#include "record_part.h"

#define RECORD_NAMES	64	/* handlers, subsystems and FLBs, as many as in the kernel */

/**
 * struct record_name - name that calls are recorded under
 * @kind: enum lt_kind
 * @name: its name
 */
struct record_name {
	uint32_t kind;
	char name[LIVEUPDATE_RECORDER_NAME];
};

/**
 * struct record_part - a record in the making
 * @dir:	 whose record it is
 * @ignore:	 session whose events do not count, "" for none
 * @part:	 the record; @end of calls and sessions is ns of the monotonic clock
 * @names:	 the names; the first one is "", for all that have no room
 * @nr_names:	 number of names in use
 * @row:	 number of the row of each name and operation, 0 if none yet
 * @nr_rows:	 number of rows in use
 * @walls:	 wall time of each row
 * @sessions:	 incoming sessions that are claimed, and not closed; a search tree
 * @last:	 time of the last event of an agent, ns
 * @opened:	 when the device was last opened, ns
 * @busy:	 time in ioctls as of the last event, ns
 * @busy_opened: the same before @opened
 */
struct record_part {
	enum record_dir dir;
	char ignore[LT_NAME_LEN];
	struct liveupdate_recorder_part part;
	struct record_name names[RECORD_NAMES];
	unsigned int nr_names;
	uint8_t row[RECORD_NAMES][LIVEUPDATE_RECORDER_OPS];
	unsigned int nr_rows;
	struct intervals walls[LIVEUPDATE_RECORDER_ROWS];
	void *sessions;
	uint64_t last;
	uint64_t opened;
	uint64_t busy;
	uint64_t busy_opened;
};

/* record_part_add.c */

/** record_part_mark - set a mark, unless it is set to a later time; @busy, @ts: ns */
void record_part_mark(struct record_part *p, enum liveupdate_recorder_mark mark,
		      uint64_t ts, uint64_t busy);

/**
 * record_part_name - copy a name that may lack its end
 * @to:	     filled up with zeros
 * @size:    bytes of @to; a longer name is cut
 * @from:    the name
 * @from_size: its bytes at most
 */
void record_part_name(char *to, size_t size, const char *from, size_t from_size);

/**
 * record_part_topn - keep an entry if it is among the longest
 * @list:  LIVEUPDATE_RECORDER_SLOWEST entries that begin with their duration
 * @entry: the entry
 * @size:  bytes of an entry
 */
void record_part_topn(void *list, const void *entry, size_t size);

/** record_part_row_add - add the calls of a row to another one */
void record_part_row_add(struct liveupdate_recorder_row *to,
			 const struct liveupdate_recorder_row *from);

/* record_part_session.c */

/** record_part_session - an event of an incoming session; false if out of memory */
bool record_part_session(struct record_part *p, const struct lt_event *e);

/** record_part_session_call - the same for a call for one of its files */
bool record_part_session_call(struct record_part *p, const struct lt_event *e);

/** record_part_session_over - end all sessions */
void record_part_session_over(struct record_part *p);

/** record_part_session_free - forget all sessions */
void record_part_session_free(struct record_part *p);

#endif
