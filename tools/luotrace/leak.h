/* SPDX-License-Identifier: GPL-2.0 */

/* Leaks found by events and by audits, and which of them are reported. For audit --watch. */

#ifndef LEAK_H
#define LEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit.h"
#include "tracer.h"

/**
 * struct leak - one leak
 * @class:   what it is
 * @ts:	     when it was found, ns of the monotonic clock
 * @since:   when it began, 0 if unknown
 * @token:   of the file, if it is a file
 * @audited: an audit found it, not an event
 * @session: the session, or another name
 * @text:    a sentence; it never begins with a name
 */
struct leak {
	enum audit_class class;
	uint64_t ts;
	uint64_t since;
	uint64_t token;
	bool audited;
	char session[LT_NAME_LEN];
	char text[AUDIT_TEXT];
};

/**
 * leak_of_event - whether an event is a leak
 * @e: the event
 * @l: filled if it is one
 */
bool leak_of_event(const struct lt_event *e, struct leak *l);

/**
 * leak_each - call a function for each leak that an audit finds
 * @a:	  the audit
 * @ts:	  when it began
 * @fn:	  called for each
 * @data: for @fn
 */
void leak_each(const struct audit *a, uint64_t ts,
	       void (*fn)(const struct leak *l, void *data), void *data);

struct leak_reports;

/** leak_reports_new - an empty set of reported leaks; NULL if out of memory */
struct leak_reports *leak_reports_new(void);

/** leak_reports_free - NULL is fine */
void leak_reports_free(struct leak_reports *t);

/**
 * leak_is_reported - whether a leak has been reported
 *
 * A leak of an event has, if an audit that began later has found it. A leak found by an
 * audit has, unless it began after the report.
 */
bool leak_is_reported(const struct leak_reports *t, const struct leak *l);

/** leak_set_reported - mark a leak as reported; false if out of memory */
bool leak_set_reported(struct leak_reports *t, const struct leak *l);

/**
 * leak_reports_sweep - forget leaks that no longer exist
 * @t:	the reported leaks
 * @ts: begin of the audit whose leaks were marked by leak_set_reported()
 */
void leak_reports_sweep(struct leak_reports *t, uint64_t ts);

#endif
