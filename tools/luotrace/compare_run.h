/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What was measured of single live updates, wherever it is written: updates that were saved,
 * copies of a recorder, the JSON of luotrace timeline, recordings. For the command compare.
 */

#ifndef COMPARE_RUN_H
#define COMPARE_RUN_H

#include "timeline.h"

enum measure_of {
	MEASURE_BLACKOUT,
	MEASURE_WINDOW,		/* freeze and shutdown */
	MEASURE_WORKLOAD,
	MEASURE_PHASE,
	MEASURE_CALL,		/* calls of one operation of one callback target */
	MEASURE_FAILED,		/* the same in attempts that failed */
};

/* Where calls were recorded. */
enum measure_by { BY_OLD_KERNEL, BY_NEW_KERNEL, BY_TRACE, NR_MEASURED_BY };

/**
 * struct measure - something that was measured
 * @of:	     what
 * @span:    the phase, or that of the calls; SPAN_NR for none
 * @by:	     where calls were recorded
 * @kind:    enum liveupdate_recorder_kind of calls
 * @op:	     their operation
 * @scope:   enum liveupdate_recorder_scope of calls
 * @name:    of the callback target or workload
 * @known:   whether @ns is known
 * @ns:	     how long it took; of calls, how long at least one was in progress
 * @count:   number of calls
 * @total:   sum of their durations, ns
 * @longest: the longest of them, ns
 */
struct measure {
	enum measure_of of;
	enum span span;
	enum measure_by by;
	unsigned int kind;
	unsigned int op;
	unsigned int scope;
	char name[LT_NAME_LEN];
	bool known;
	uint64_t ns;
	uint64_t count;
	uint64_t total;
	uint64_t longest;
};

/**
 * struct compare_run - a live update
 * @source:    where it is written
 * @releases:  of the old kernel and the new one, "" if unknown
 * @failed:    reboots that failed before it
 * @cancelled: PREPAREs that failed or were cancelled before it
 * @complete:  whether a target without calls there was not called
 * @all:       what was measured
 * @n:	       how many of it
 */
struct compare_run {
	char *source;
	char releases[2][LIVEUPDATE_RECORDER_RELEASE];
	uint64_t failed;
	uint64_t cancelled;
	bool complete[NR_MEASURED_BY];
	struct measure *all;
	int n;
};

/** struct compare_side - live updates that belong together */
struct compare_side {
	struct compare_run *runs;
	int n;
};

/**
 * compare_side_add - add what an argument leads to
 * @side: the side
 * @arg:  a file, a directory with files, or the number of an update that was saved
 * @dir:  where updates are saved
 *
 * Of a directory the files with names in *.update, *.json and *.luotrace are read.
 *
 * Return: false after a message.
 */
bool compare_side_add(struct compare_side *side, const char *arg, const char *dir);

/** compare_side_free - free its live updates */
void compare_side_free(struct compare_side *side);

#endif
