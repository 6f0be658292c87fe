/* SPDX-License-Identifier: GPL-2.0 */

/* What the previous kernel left and nobody finished: what it is, what to do. */

#ifndef AUDIT_H
#define AUDIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "inventory.h"
#include "recorder.h"

/* Bytes of one sentence, at most: that of the names of what was given up. */
#define AUDIT_TEXT	(512 + 4 * INV_NAME_LEN * (LIVEUPDATE_RECORDER_GIVEN_UP + 1))

/* How a session, or another thing that was left, stands. */
enum audit_class {
	AUDIT_CLAIMED,		/* held by its agent: no leak */
	AUDIT_WAITING,		/* not claimed, but younger than --max-age: none */
	AUDIT_UNCLAIMED,	/* nobody has claimed it */
	AUDIT_DROPPED,		/* claimed, closed without FINISH */
	AUDIT_UNFINISHED,	/* FINISH refused, or held longer than --max-age */
	AUDIT_FAILED,		/* a file cannot be retrieved */
	AUDIT_NO_HANDLER,	/* a file whose handler this kernel lacks */
	AUDIT_REJECTED,		/* a part of the handover that is not served */
	AUDIT_GIVEN_UP,		/* sessions that the kernel before gave up */
	AUDIT_NR,
};

/* Those from here on are findings. */
#define AUDIT_LEAKS	AUDIT_UNCLAIMED

/**
 * struct audit - what is audited
 * @inv:      what there is
 * @recorder: what LUO recorded, NULL if this kernel has no record
 * @now:      ns of the monotonic clock, when @inv was read
 * @max_age:  ns that a session may be left alone or held; 0: unclaimed is a leak at
 *            once, and held may be for ever
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
 * struct audit_sums - all of it in figures
 * @sessions: incoming sessions that are left
 * @files:    of them
 * @pages:    that KHO keeps or kept for them
 * @pages_unknown: sessions whose pages nobody knows
 * @by_class: sessions and other things, by class
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

/** audit_class - how a session stands */
enum audit_class audit_class(const struct audit *a, const struct inv_session *s);

/** audit_sum - add it up */
void audit_sum(const struct audit *a, struct audit_sums *sums);

/**
 * audit_found - whether there is anything of the session that is audited
 * @a:	  the audit
 * @sums: what audit_sum() added up
 *
 * Return: false only if a session was asked for that is known not to be there.
 */
bool audit_found(const struct audit *a, const struct audit_sums *sums);

/**
 * audit_unknown - whether the lists could not be read as a whole, and no leak was seen
 * @a:	  the audit
 * @sums: of it
 *
 * Nothing can be called clean or missing then.
 */
bool audit_unknown(const struct audit *a, const struct audit_sums *sums);

/**
 * audit_files - the files of a session
 * @a:  the audit
 * @s:  the session
 * @nr: set to how many there are
 */
const struct inv_file *audit_files(const struct audit *a,
				   const struct inv_session *s, size_t *nr);

/** audit_file_state - "unclaimed", "retrieved", "failed" or "no-handler" */
const char *audit_file_state(const struct inv_file *f);

/**
 * audit_explain - what is the matter with a session, and what to do
 * @a:	 the audit
 * @s:	 a session that is a finding
 * @buf: AUDIT_TEXT bytes
 */
void audit_explain(const struct audit *a, const struct inv_session *s, char *buf);

/** audit_explain_unread - the same where nobody knows which sessions came */
void audit_explain_unread(char *buf);

/** audit_explain_rejected - the same for a part of the handover */
void audit_explain_rejected(const struct liveupdate_recorder_refused *refused,
			    char *buf);

/** audit_explain_given_up - the same for the sessions that were given up */
void audit_explain_given_up(const struct liveupdate_recorder_part *out, char *buf);

/** audit_text - everything for people, verdict first, on @f */
void audit_text(const struct audit *a, const struct audit_sums *sums,
		bool colour, FILE *f);

/** audit_json - everything for programs, added to @root */
void audit_json(const struct audit *a, const struct audit_sums *sums,
		json_t *root);

#endif
