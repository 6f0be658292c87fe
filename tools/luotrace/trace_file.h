/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Reads a trace that luotrace record has written: lines of JSON. The first has "event":
 * "start" and says what wrote it and when; a line for each event follows, as luotrace trace
 * --json prints it; the last has "event": "end", with losses, memory, and the record of
 * LUO. A trace without an end is complete up to its last line. For the command report.
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
 * @nr:	      their number
 * @ended:    it has its last line
 * @recorder: the record of LUO, NULL for none
 * @life:     the lives of the sessions
 * @attempts: which events belong to failed attempts
 * @latency:  calls, counted from the events; memory, from the last line
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
 * @path: the file
 *
 * Return: the trace, for trace_file_free(), or NULL after a message with the line.
 */
struct trace_file *trace_file_read(const char *path);

/**
 * trace_file_kernel - release of the traced kernel
 * @t: the trace
 *
 * Return: the release, unescaped, so it has to go through fmt_text(); NULL if unknown.
 */
const char *trace_file_kernel(const struct trace_file *t);

/**
 * trace_file_numbers - the live updates of the events
 * @t:	   the trace
 * @first: set to the lowest number, 0 if no event has one
 * @last:  set to the highest
 */
void trace_file_numbers(const struct trace_file *t, uint64_t *first,
			uint64_t *last);

/** trace_file_lost - number of lost events, TRACER_UNKNOWN if the trace has no end */
uint64_t trace_file_lost(const struct trace_file *t);

/** trace_file_free - NULL is fine */
void trace_file_free(struct trace_file *t);

/** trace_file_encode_recorder - the record of LUO for the last line, or null */
json_t *trace_file_encode_recorder(void);

#endif
