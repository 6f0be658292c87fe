/* SPDX-License-Identifier: GPL-2.0 */

/* What the record of a live update says, for people and for programs. */

#ifndef TIMELINE_H
#define TIMELINE_H

#include <jansson.h>
#include <stdio.h>

#include "recorder.h"

#define TIMELINE_FINDINGS	12	/* sentences at most */
#define TIMELINE_TEXT		1024	/* bytes of one, with any two names, at most */

/* What went wrong comes first, then who can be made faster, then the machine. */
enum finding_class { FINDING_FAULT, FINDING_CULPRIT, FINDING_MACHINE };

/**
 * struct finding - one sentence about a live update
 * @class: what kind of finding it is
 * @ns:	   how much of the blackout it explains
 * @text:  the sentence
 */
struct finding {
	enum finding_class class;
	uint64_t ns;
	char text[TIMELINE_TEXT];
};

/**
 * timeline_find - what to know about a live update, worst first
 * @r:	 the record
 * @b:	 its blackout
 * @all: TIMELINE_FINDINGS places
 *
 * Return: how many there are.
 */
int timeline_find(const struct liveupdate_recorder *r, const struct blackout *b,
		  struct finding *all);

/**
 * timeline_failed - whether the live update did not go as it should
 * @r: the record
 *
 * Return: true if reboots failed before it, or sessions were given up by it.
 */
bool timeline_failed(const struct liveupdate_recorder *r);

/** timeline_text - the timeline for people, in 80 columns, on @f */
void timeline_text(const struct liveupdate_recorder *r, const struct blackout *b,
		   bool colour, FILE *f);

/** timeline_json - the same for programs, added to @root */
void timeline_json(const struct liveupdate_recorder *r, const struct blackout *b,
		   json_t *root);

/**
 * timeline_calls - the longest calls inside a span, longest first
 * @r:	   the record
 * @s:	   the span
 * @calls: @max places
 * @ops:   the operation of each
 * @max:   how many at most
 *
 * Return: how many there are.
 */
int timeline_calls(const struct liveupdate_recorder *r, enum span s,
		   const struct liveupdate_recorder_call **calls,
		   unsigned int *ops, int max);

/**
 * timeline_sessions - the sessions that took longest in a span, longest first
 * @r:	      the record
 * @s:	      the span
 * @sessions: @max places
 * @max:      how many at most
 *
 * Return: how many there are.
 */
int timeline_sessions(const struct liveupdate_recorder *r, enum span s,
		      const struct liveupdate_recorder_session **sessions,
		      int max);

/**
 * timeline_rows - who was called in a span, the one that took most first
 * @r:	  the record
 * @s:	  the span
 * @rows: @max places
 * @max:  how many at most
 *
 * Return: how many there are.
 */
int timeline_rows(const struct liveupdate_recorder *r, enum span s,
		  const struct liveupdate_recorder_row **rows, int max);

#endif
