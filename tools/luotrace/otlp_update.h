/* SPDX-License-Identifier: GPL-2.0 */

/*
 * One live update as a trace: its phases, and what is inside of them. For the parts of
 * otlp.c only.
 */

#ifndef OTLP_UPDATE_H
#define OTLP_UPDATE_H

#include "otlp_write.h"
#include "timeline.h"
#include "trace_clock.h"

#define OTLP_CALLS	(SPAN_NR * 2 * LIVEUPDATE_RECORDER_SLOWEST)
#define OTLP_SESSIONS	(SPAN_NR * LIVEUPDATE_RECORDER_SLOWEST)

/* Parts of the input that spans are of; a file with events has its number, from 0. */
enum { OTLP_OF_RECORD = 1 << 16, OTLP_OF_CALLS, OTLP_OF_SESSIONS, OTLP_OF_WORKLOADS };

/**
 * struct otlp_parent - a span that others can be inside of
 * @id:	   its id
 * @begin: ns since 1970
 * @end:   ns since 1970
 */
struct otlp_parent {
	uint64_t id;
	uint64_t begin;
	uint64_t end;
};

/**
 * struct otlp_call - one of the longest calls of the record
 * @call: the call
 * @op:	  its operation
 * @span: the phase
 * @seen: a trace has it, too
 * @session: the phase of its session that a trace has; no id if none has
 */
struct otlp_call {
	const struct liveupdate_recorder_call *call;
	unsigned int op;
	enum span span;
	bool seen;
	struct otlp_parent session;
};

/**
 * struct otlp_session - one of the sessions of the record that took longest in a phase
 * @session: the session
 * @span:    the phase
 * @seen:    a trace has it, too
 */
struct otlp_session {
	const struct liveupdate_recorder_session *session;
	enum span span;
	bool seen;
};

/**
 * struct otlp_update - a live update
 * @out:	where its trace goes
 * @traces:	all traces
 * @nr:		how many
 * @t:		the one that has its record; NULL for none
 * @number:	its number, 0 if it has none
 * @b:		its blackout
 * @phases:	the phases of it; one without an id is not known
 * @begin:	the first moment of all spans, ns since 1970
 * @end:	the last one
 * @calls:	from the record
 * @nr_calls:	how many
 * @sessions:	from the record
 * @nr_sessions: how many
 */
struct otlp_update {
	struct otlp out;
	struct trace_file *const *traces;
	int nr;
	const struct trace_file *t;
	uint64_t number;
	struct blackout b;
	struct otlp_parent phases[SPAN_NR];
	uint64_t begin;
	uint64_t end;
	struct otlp_call calls[OTLP_CALLS];
	int nr_calls;
	struct otlp_session sessions[OTLP_SESSIONS];
	int nr_sessions;
};

/** otlp_root - the update itself, which nothing is outside of */
struct otlp_parent otlp_root(const struct otlp_update *u);

/**
 * otlp_clip - put a span into another one
 * @p:	   that one
 * @begin: of the span; cut if needed
 * @end:   of the span; cut if needed
 *
 * Two stamps of one moment can differ, so that a span counts as inside if nine tenths of
 * it are.
 *
 * Return: false if it is not inside; then it is not cut.
 */
bool otlp_clip(const struct otlp_parent *p, uint64_t *begin, uint64_t *end);

/** otlp_phase_of - the phase of the blackout that a span is inside of, or the root */
struct otlp_parent otlp_phase_of(const struct otlp_update *u, uint64_t begin,
				 uint64_t end);

/**
 * otlp_put_in - write a span
 * @u:	  the update
 * @p:	  its parent, which it is clipped to
 * @span: the span, without a parent
 */
void otlp_put_in(struct otlp_update *u, const struct otlp_parent *p,
		 struct otlp_span *span);

/**
 * otlp_put_call - write the span of a call
 * @u:	      the update
 * @p:	      its parent
 * @span:     with its id and times, and attributes of its own; without a name
 * @op:	      the operation
 * @kind:     "handler", "subsystem" or "FLB"
 * @target:   the name of the handler, subsystem or FLB
 * @duration: ns, also if it is clipped
 */
void otlp_put_call(struct otlp_update *u, const struct otlp_parent *p,
		   struct otlp_span *span, unsigned int op, const char *kind,
		   const char *target, uint64_t duration);

/** otlp_put_record - write what no trace has of the record: sessions and calls */
void otlp_put_record(struct otlp_update *u);

/** otlp_put_events - write what trace @at has of the update; false if out of memory */
bool otlp_put_events(struct otlp_update *u, int at);

#endif
