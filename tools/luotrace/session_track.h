/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Tracks sessions through their events: when each one was created, claimed, frozen, finished
 * and so on. For the commands latency, record and report.
 */

#ifndef SESSION_TRACK_H
#define SESSION_TRACK_H

#include <jansson.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

struct session_track;

/* Sessions to keep in a command that can run for months: some 8 MiB. */
#define SESSION_TRACK_MAX	16384

/**
 * session_track_new - start tracking, without a session
 * @max: sessions to keep, 0 for all; beyond that the oldest are dropped, sessions that
 *	 have ended before all others
 *
 * Return: for session_track_free(); NULL if out of memory.
 */
struct session_track *session_track_new(size_t max);

/** session_track_free - NULL is fine */
void session_track_free(struct session_track *track);

/**
 * session_track_event - process an event
 * @track: the sessions so far
 * @e:	   any event; only those of sessions and files, and their numbers, count
 */
void session_track_event(struct session_track *track, const struct lt_event *e);

/**
 * session_track_set_files - set the number of files of an outgoing session
 * @track: the sessions so far
 * @name:  the session; ignored if it has had no event
 * @files: the number of its files
 */
void session_track_set_files(struct session_track *track, const char *name, uint64_t files);

/**
 * session_track_number - the live update that the events belong to
 *
 * Return: its number, -1 if no event has one.
 */
int64_t session_track_number(const struct session_track *track);

/** session_track_forgotten - number of sessions dropped for lack of room */
size_t session_track_forgotten(const struct session_track *track);

/** session_track_print - print a line for each session on @f */
void session_track_print(const struct session_track *track, FILE *f);

/** session_track_count - number of sessions */
size_t session_track_count(const struct session_track *track);

/** session_track_last - time of the last step of all, ns since the first event */
uint64_t session_track_last(const struct session_track *track);

/**
 * session_track_json - the same as session_track_print() as an array
 * @track: the sessions
 * @max:   how many at most, the first ones
 */
json_t *session_track_json(const struct session_track *track, size_t max);

/** session_track_write - print that array with all sessions, which may be many, on @f */
void session_track_write(const struct session_track *track, FILE *f);

#endif
