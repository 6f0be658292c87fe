/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The timeline of a live update, from the record of LUO: its phases, the longest calls of
 * each, and findings in sentences. For the commands timeline and report.
 */

#ifndef TIMELINE_H
#define TIMELINE_H

#include <jansson.h>
#include <stdio.h>

#include "blackout.h"
#include "timeline_steps.h"

#define TIMELINE_FINDINGS	12	/* sentences at most */
#define TIMELINE_TEXT		1024	/* bytes of one, with any two names */

#define TIMELINE_TITLE		40	/* bytes of a title */

/* Faults come first, then what could leave the blackout. */
enum finding_class { FINDING_FAULT, FINDING_SAVING };

/**
 * struct finding - one sentence about a live update
 * @class: what kind of finding it is
 * @ns:	   how much of the blackout could be saved at most; of a fault, how bad it is
 * @text:  the sentence
 */
struct finding {
	enum finding_class class;
	uint64_t ns;
	char text[TIMELINE_TEXT];
};

/**
 * timeline_findings - findings about a live update: faults, the worst first, then what
 *		       could save most, with what to do for it
 * @r:	 the record
 * @b:	 its blackout
 * @all: room for TIMELINE_FINDINGS
 *
 * What would save less than a hundredth of the blackout, or less than a millisecond, is no
 * finding.
 *
 * Return: their number.
 */
int timeline_findings(const struct liveupdate_recorder *r, const struct blackout *b,
		      struct finding *all);

/**
 * timeline_failed - whether the live update has had faults
 * @r: the record
 *
 * Return: true if reboots failed before it, or sessions were given up by it.
 */
bool timeline_failed(const struct liveupdate_recorder *r);

/** timeline_title - "Live update" and its number, if known, in TIMELINE_TITLE bytes */
char *timeline_title(const struct liveupdate_recorder *r, char *title);

/**
 * timeline_headline - duration of the blackout, and what of it is unknown
 * @r:	  the record
 * @b:	  its blackout
 * @text: TIMELINE_TEXT bytes
 *
 * Return: @text.
 */
char *timeline_headline(const struct liveupdate_recorder *r,
			const struct blackout *b, char *text);

/**
 * timeline_failures - earlier failed attempts in a sentence
 * @p:	  the record of the old kernel
 * @text: TIMELINE_TEXT bytes
 *
 * Return: @text, or NULL if nothing failed or was cancelled.
 */
char *timeline_failures(const struct liveupdate_recorder_part *p, char *text);

/** timeline_text - print the timeline in 80 columns on @f; @steps can be all 0 */
void timeline_text(const struct liveupdate_recorder *r, const struct blackout *b,
		   struct steps steps, bool colour, FILE *f);

/** timeline_json - the same as JSON, added to @root */
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
 * @ns:	     its time inside of the phase
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
 * @calls: room for @max
 * @max:   maximum number
 *
 * Return: their number.
 */
int timeline_calls(const struct liveupdate_recorder *r, const struct blackout *b,
		   enum span s, struct timeline_call *calls, int max);

/** timeline_sessions - the same for sessions */
int timeline_sessions(const struct liveupdate_recorder *r,
		      const struct blackout *b, enum span s,
		      struct timeline_session *sessions, int max);

/**
 * timeline_agent - the task in which a phase of a session ended
 * @r:	     the record
 * @s:	     the phase of the blackout
 * @session: from timeline_sessions()
 *
 * Return: its entry of the record; NULL if it has none, as in the old kernel.
 */
const struct liveupdate_recorder_task *
timeline_agent(const struct liveupdate_recorder *r, enum span s,
	       const struct liveupdate_recorder_session *session);

/**
 * timeline_rows - callback targets called in a phase, the slowest first
 * @r:	  the record
 * @s:	  the phase
 * @rows: room for @max
 * @max:  maximum number
 *
 * Return: their number. In the new kernel the figures include calls of the same operation
 *	   outside of the phase.
 */
int timeline_rows(const struct liveupdate_recorder *r, enum span s,
		  const struct liveupdate_recorder_row **rows, int max);

/**
 * timeline_row_ns - time that the calls of a row take of a phase
 * @r:	     the record
 * @b:	     its blackout, in which the phase is known
 * @s:	     the phase
 * @row:     from timeline_rows()
 * @partial: set if the phase can have more calls than those that are counted
 *
 * Return: ns during which at least one of its calls was in progress.
 */
uint64_t timeline_row_ns(const struct liveupdate_recorder *r,
			 const struct blackout *b, enum span s,
			 const struct liveupdate_recorder_row *row,
			 bool *partial);

/** timeline_failed_calls - the longest calls of failed attempts */
int timeline_failed_calls(const struct liveupdate_recorder_part *p,
			  struct timeline_call *calls, int max);

/** timeline_failed_sessions - their sessions; phases are values of ENUM_PHASE */
int timeline_failed_sessions(const struct liveupdate_recorder_part *p,
			     struct timeline_session *sessions, int *phases,
			     int max);

/** timeline_failed_rows - callback targets called in them, the slowest first */
int timeline_failed_rows(const struct liveupdate_recorder_part *p,
			 const struct liveupdate_recorder_row **rows, int max);

/** timeline_kind - "handler", "subsystem" or "FLB" */
const char *timeline_kind(unsigned int kind);

#endif
