/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the previous kernel handed over and nothing has finished, and what to do about it.
 * For the commands audit and metrics; audit_print.c has the output.
 */

#ifndef AUDIT_H
#define AUDIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "inventory.h"
#include "recorder.h"

/* Bytes of one sentence, at most: the one with the names of sessions given up. */
#define AUDIT_TEXT	(512 + 4 * INV_NAME_LEN * (LIVEUPDATE_RECORDER_GIVEN_UP + 1))

/* The condition of a session, or of a rejected or given-up entry. */
enum audit_class {
	AUDIT_CLAIMED,		/* held by its agent: no leak */
	AUDIT_WAITING,		/* not claimed, younger than --max-age: no leak */
	AUDIT_BOX,		/* the black box of luotrace itself: no leak */
	AUDIT_UNCLAIMED,	/* never claimed */
	AUDIT_DROPPED,		/* claimed, closed without FINISH */
	AUDIT_UNFINISHED,	/* FINISH failed, or held longer than --max-age */
	AUDIT_FAILED,		/* a file cannot be retrieved */
	AUDIT_NO_HANDLER,	/* a file without a handler in this kernel */
	AUDIT_REJECTED,		/* an entry of the handover that LUO rejected */
	AUDIT_GIVEN_UP,		/* sessions that the previous kernel gave up */
	AUDIT_NR,
};

/* All classes from here on are findings. */
#define AUDIT_LEAKS	AUDIT_UNCLAIMED

/**
 * struct audit - what is audited
 * @inv:      incoming sessions and files
 * @recorder: what LUO recorded, NULL if this kernel has no record
 * @now:      ns of the monotonic clock, when @inv was read
 * @max_age:  ns that a session may stay unclaimed, or be held; 0: an unclaimed session is
 *            a leak at once, a session can be held for any time
 * @session:  only this one, NULL for all
 */
struct audit {
	const struct inventory *inv;
	const struct liveupdate_recorder *recorder;
	uint64_t now;
	uint64_t max_age;
	const char *session;
};

/**
 * struct audit_sums - the audit in figures
 * @sessions: unfinished incoming sessions
 * @files:    their files
 * @pages:    that KHO keeps or kept for them
 * @pages_unknown: sessions whose number of pages is unknown
 * @by_class: sessions and entries, by class
 * @leaks:    findings
 */
struct audit_sums {
	uint64_t sessions;
	uint64_t files;
	uint64_t pages;
	uint64_t pages_unknown;
	uint64_t by_class[AUDIT_NR];
	uint64_t leaks;
};

/** audit_class_name - "dropped", say */
const char *audit_class_name(enum audit_class c);

/** audit_selects - whether a session of that name is audited */
bool audit_selects(const struct audit *a, const char *name);

/**
 * audit_selects_given_up - whether a session that was given up is audited
 * @a: the audit, with a record
 * @i: its place among the names in the record, less than LIVEUPDATE_RECORDER_GIVEN_UP
 *
 * A black box that nobody took out is given up, too, but is no finding.
 */
bool audit_selects_given_up(const struct audit *a, unsigned int i);

/** audit_class - the condition of a session */
enum audit_class audit_class(const struct audit *a, const struct inv_session *s);

/** audit_sum - add it up */
void audit_sum(const struct audit *a, struct audit_sums *sums);

/**
 * audit_found - whether the audited session exists
 * @a:	  the audit
 * @sums: what audit_sum() added up
 *
 * Return: false only if a session was named and is known not to exist.
 */
bool audit_found(const struct audit *a, const struct audit_sums *sums);

/**
 * audit_unknown - whether the lists could not be read completely, without a leak in them
 * @a:	  the audit
 * @sums: of it
 *
 * Then nothing can be reported as clean or missing.
 */
bool audit_unknown(const struct audit *a, const struct audit_sums *sums);

/**
 * audit_files - the files of a session
 * @a:  the audit
 * @s:  the session
 * @nr: set to their number
 */
const struct inv_file *audit_files(const struct audit *a,
				   const struct inv_session *s, size_t *nr);

/** audit_file_state - "unclaimed", "retrieved", "failed" or "no-handler" */
const char *audit_file_state(const struct inv_file *f);

/**
 * audit_explain - what is wrong with a session, and what to do
 * @a:	 the audit
 * @s:	 a session that is a finding
 * @buf: AUDIT_TEXT bytes
 */
void audit_explain(const struct audit *a, const struct inv_session *s, char *buf);

/** audit_explain_unread - the same if LUO has not read the handover yet */
void audit_explain_unread(char *buf);

/** audit_explain_rejected - the same for a rejected entry of the handover */
void audit_explain_rejected(const struct liveupdate_recorder_refused *refused,
			    char *buf);

/** audit_explain_given_up - the same for sessions given up */
void audit_explain_given_up(const struct liveupdate_recorder_part *out, char *buf);

/** audit_text - everything for people, verdict first, on @f */
void audit_text(const struct audit *a, const struct audit_sums *sums,
		bool colour, FILE *f);

/** audit_json - everything for programs, added to @root */
void audit_json(const struct audit *a, const struct audit_sums *sums,
		json_t *root);

#endif
