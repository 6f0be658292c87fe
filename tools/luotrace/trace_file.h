/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Reads a trace that luotrace record has written, or an update that was saved, which is a
 * trace without events. A trace consists of lines of JSON. The first has "event":
 * "start" and says what wrote it and when; a line for each event follows, as luotrace trace
 * --json prints it; the last has "event": "end", with losses, memory, stacks and the record
 * of LUO. Stacks are in a line "event": "stacks", too, when the state is frozen. A trace without an end is complete up to its last line. For the command report.
 */

#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "attempts.h"
#include "event_store.h"
#include "latency.h"
#include "recorder.h"
#include "session_track.h"
#include "update_store.h"

/* The number in the first line; changes when a line changes its meaning. */
#define TRACE_FILE_VERSION	1

/**
 * struct trace_file - a trace that was read
 * @head:     its first line; NULL of an update that was saved
 * @local:    it is of this machine, which an update does not say
 * @events:   all events, their times in ns since the trace began
 * @ended:    it has its last line
 * @update:   the live update that it recorded, NULL for none
 * @life:     the lives of the sessions
 * @attempts: which events belong to failed attempts
 * @latency:  calls, counted from the events; memory and stacks, from the last line
 */
struct trace_file {
	json_t *head;
	bool local;
	struct event_store events;
	bool ended;
	struct update *update;
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
 * trace_file_host - name of the machine
 * @t: the trace
 *
 * Return: the name, to be printed as that of the kernel; NULL if unknown.
 */
const char *trace_file_host(const struct trace_file *t);

/** trace_file_host_id - its id, 32 digits, in the same way */
const char *trace_file_host_id(const struct trace_file *t);

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

/**
 * trace_file_update - a trace that is an update alone
 * @u: the update, which it takes; NULL is fine
 *
 * Return: the trace, for trace_file_free(); NULL if @u is, or after a message.
 */
struct trace_file *trace_file_update(struct update *u);

/** trace_file_record - the record of both kernels; NULL if it has no live update */
const struct liveupdate_recorder *trace_file_record(const struct trace_file *t);

/**
 * trace_file_repeated - whether another trace tells more of the same live update
 * @traces: the traces, in order
 * @nr:	    how many
 * @at:	    the one that is asked about, which has a live update
 *
 * Return: true if a later one, or an update that was saved, is of the same.
 */
bool trace_file_repeated(struct trace_file *const *traces, int nr, int at);

/**
 * trace_file_encode - add the live update that booted this kernel to the last line
 * @u:	 the update, or NULL; it is sealed
 * @end: the last line
 */
void trace_file_encode(struct update *u, json_t *end);

#endif
