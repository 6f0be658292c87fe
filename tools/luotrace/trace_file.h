/* SPDX-License-Identifier: GPL-2.0 */

/*
 * A trace that is kept: lines of JSON. The first has "event": "start" and says
 * what wrote it and when; one line an event follows, as luotrace trace --json
 * prints it; the last has "event": "end", with what was lost, memory, and the
 * record of LUO's own recorder. A trace without end is whole up to there.
 */

#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "attempts.h"
#include "latency.h"
#include "recorder.h"
#include "session_track.h"

/* The number in the first line; changes when a line changes its meaning. */
#define TRACE_FILE_VERSION	1

/**
 * struct trace_file - a trace that was read
 * @head:     its first line
 * @events:   all events, their times in ns since the trace began
 * @nr:	      how many
 * @ended:    its last line is there
 * @recorder: the record of LUO's recorder, NULL if there is none
 * @life:     the lives of the sessions
 * @attempts: which of the events are of attempts that failed
 * @latency:  calls, counted from the events; memory, if there is an end
 */
struct trace_file {
	json_t *head;
	struct lt_event *events;
	size_t nr;
	bool ended;
	struct liveupdate_recorder *recorder;
	struct session_track *track;
	struct attempts attempts;
	struct latency latency;
};

/**
 * trace_file_read - read a trace
 * @path: where from
 *
 * Return: the trace, for trace_file_free(), or NULL after a message that names
 *	   the line.
 */
struct trace_file *trace_file_read(const char *path);

/**
 * trace_file_kernel - the release of the kernel that was traced
 * @t: the trace
 *
 * Return: it, for fmt_text() as whatever came from a file; NULL if the trace does not
 *	   tell.
 */
const char *trace_file_kernel(const struct trace_file *t);

/**
 * trace_file_numbers - the live updates that the events are of
 * @t:	   the trace
 * @first: set to the lowest number, 0 if no event has one
 * @last:  set to the highest
 */
void trace_file_numbers(const struct trace_file *t, uint64_t *first,
			uint64_t *last);

/** trace_file_lost - events that the trace lost, TRACER_UNKNOWN if it does not tell */
uint64_t trace_file_lost(const struct trace_file *t);

/** trace_file_free - NULL is fine */
void trace_file_free(struct trace_file *t);

/** trace_file_encode_recorder - the recorder's record for the last line, or null */
json_t *trace_file_encode_recorder(void);

#endif
