/* SPDX-License-Identifier: GPL-2.0 */

/* What the record of a live update says, for people and for programs. */

#ifndef TIMELINE_H
#define TIMELINE_H

#include <jansson.h>
#include <stdio.h>

#include "blackout.h"

#define TIMELINE_FINDINGS	12	/* sentences at most */
#define TIMELINE_TEXT		1024	/* bytes of one, with any two names, at most */

/* What went wrong comes first, then who can be made faster, then the machine. */
enum finding_class { FINDING_FAULT, FINDING_TARGET, FINDING_MACHINE };

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
 * timeline_findings - what to know about a live update, worst first
 * @r:	 the record
 * @b:	 its blackout
 * @all: TIMELINE_FINDINGS places
 *
 * Return: how many there are.
 */
int timeline_findings(const struct liveupdate_recorder *r, const struct blackout *b,
		      struct finding *all);

/**
 * timeline_failed - whether the live update did not go as it should
 * @r: the record
 *
 * Return: true if reboots failed before it, or sessions were given up by it.
 */
bool timeline_failed(const struct liveupdate_recorder *r);

/**
 * timeline_headline - how long the blackout was, and what of it is unknown
 * @r:	  the record
 * @b:	  its blackout
 * @text: TIMELINE_TEXT bytes
 *
 * Return: @text.
 */
char *timeline_headline(const struct liveupdate_recorder *r,
			const struct blackout *b, char *text);

/**
 * timeline_failures - what failed before, in a sentence
 * @p:	  what the kernel did before the live update
 * @text: TIMELINE_TEXT bytes
 *
 * Return: @text, or NULL if nothing failed or was cancelled.
 */
char *timeline_failures(const struct liveupdate_recorder_part *p, char *text);

/** timeline_text - the timeline for people, in 80 columns, on @f */
void timeline_text(const struct liveupdate_recorder *r, const struct blackout *b,
		   bool colour, FILE *f);

/** timeline_json - the same for programs, added to @root */
void timeline_json(const struct liveupdate_recorder *r, const struct blackout *b,
		   json_t *root);

/** timeline_window - ns of freeze and shutdown; false if that is unknown */
bool timeline_window(const struct blackout *b, uint64_t *ns);

/**
 * struct timeline_call - one of the longest calls
 * @call: the call
 * @op:	  its operation
 */
struct timeline_call {
	const struct liveupdate_recorder_call *call;
	unsigned int op;
};

/**
 * struct timeline_session - one of the longest sessions
 * @session: the session
 * @ns:	     what of its time is inside of the phase
 */
struct timeline_session {
	const struct liveupdate_recorder_session *session;
	uint64_t ns;
};

/**
 * timeline_calls - the longest calls inside a phase, longest first
 * @r:	   the record
 * @b:	   its blackout
 * @s:	   the phase
 * @calls: @max places
 * @max:   how many at most
 *
 * Return: how many there are.
 */
int timeline_calls(const struct liveupdate_recorder *r, const struct blackout *b,
		   enum span s, struct timeline_call *calls, int max);

/** timeline_sessions - the sessions that took longest inside a phase; as above */
int timeline_sessions(const struct liveupdate_recorder *r,
		      const struct blackout *b, enum span s,
		      struct timeline_session *sessions, int max);

/**
 * timeline_rows - who was called in a phase, the one that took most first
 * @r:	  the record
 * @s:	  the phase
 * @rows: @max places
 * @max:  how many at most
 *
 * Return: how many there are. In the new kernel calls of the same operation outside
 *	   of the phase are in their figures too.
 */
int timeline_rows(const struct liveupdate_recorder *r, enum span s,
		  const struct liveupdate_recorder_row **rows, int max);

/**
 * timeline_row_ns - what the calls of a row take of a phase
 * @r:	     the record
 * @b:	     its blackout, in which the phase is known
 * @s:	     the phase
 * @row:     from timeline_rows()
 * @partial: set if there may be more calls in the phase than those that are counted
 *
 * Return: ns during which at least one of its calls was under way.
 */
uint64_t timeline_row_ns(const struct liveupdate_recorder *r,
			 const struct blackout *b, enum span s,
			 const struct liveupdate_recorder_row *row,
			 bool *partial);

/** timeline_failed_calls - the longest calls of attempts that failed; as above */
int timeline_failed_calls(const struct liveupdate_recorder_part *p,
			  struct timeline_call *calls, int max);

/** timeline_failed_sessions - their sessions; the phase is in the order of events */
int timeline_failed_sessions(const struct liveupdate_recorder_part *p,
			     struct timeline_session *sessions, int *phases,
			     int max);

/** timeline_failed_rows - who was called in them, the one that took most first */
int timeline_failed_rows(const struct liveupdate_recorder_part *p,
			 const struct liveupdate_recorder_row **rows, int max);

/** timeline_kind - "handler", "subsystem" or "shared state" */
const char *timeline_kind(unsigned int kind);

#endif
