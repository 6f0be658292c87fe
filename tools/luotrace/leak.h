/* SPDX-License-Identifier: GPL-2.0 */

/* Leaks, from events and from audits, and which of them are told already. */

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
 * @ts:	     when it was seen, ns of the monotonic clock
 * @since:   when it began, 0 if that is unknown
 * @token:   of the file, if it is about one
 * @audited: an audit found it, not an event
 * @session: the session, or another name
 * @text:    a sentence; it begins with a word of this program, not with a name
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
 * leak_each - all leaks that an audit finds
 * @a:	  the audit
 * @ts:	  when it began
 * @fn:	  called for each
 * @data: for @fn
 */
void leak_each(const struct audit *a, uint64_t ts,
	       void (*fn)(const struct leak *l, void *data), void *data);

struct leak_reports;

/** leak_reports_new - none is told; NULL if out of memory */
struct leak_reports *leak_reports_new(void);

/** leak_reports_free - NULL is fine */
void leak_reports_free(struct leak_reports *t);

/**
 * leak_is_reported - whether a leak is told already
 *
 * An event is, if an audit that began later has found it. What an audit finds is, unless
 * it began after it was told.
 */
bool leak_is_reported(const struct leak_reports *t, const struct leak *l);

/** leak_set_reported - that it is told; false if out of memory */
bool leak_set_reported(struct leak_reports *t, const struct leak *l);

/**
 * leak_reports_sweep - forget those that are cured
 * @t:	what is told
 * @ts: when the audit began for whose leaks leak_set_reported() was called
 */
void leak_reports_sweep(struct leak_reports *t, uint64_t ts);

#endif
