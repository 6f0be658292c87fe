/* SPDX-License-Identifier: GPL-2.0 */

/* Events, and the record that is made from them. */

#ifndef RECORD_PART_EVENTS_H
#define RECORD_PART_EVENTS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blackout_record.h"
#include "enum_name.h"
#include "record_part.h"

#define T0	(10 * HZ)	/* when the first agent opens the device */
#define AGENT	LIVEUPDATE_SCOPE_AGENT
#define EVENT_TID	58	/* thread of all events */

/* The counter of a test: three ticks a ns, and 7 ticks ahead. */
static inline uint64_t counter_of(void *data, uint64_t ns)
{
	uint64_t *calls = data;

	if (calls)
		(*calls)++;
	return 3 * ns + 7;
}

static inline struct liveupdate_recorder_part *get(const struct record_part *p)
{
	struct liveupdate_recorder_part *part = calloc(1, sizeof(*part));

	record_part_get(p, part, counter_of, NULL);
	return part;
}

/* An event of a time; the device was opened at T0, and is in use one ns of two since. */
static inline struct lt_event event_at(uint32_t type, uint64_t ts, const char *session,
				       int ret)
{
	struct lt_event e = { .ts = ts, .type = type, .ret = ret, .tid = EVENT_TID };

	e.opened = ts < T0 ? T0 - HZ : T0;
	e.busy_ns = 1000 + (ts > T0 ? (ts - T0) / 2 : 0);
	snprintf(e.session, sizeof(e.session), "%s", session);
	return e;
}

static inline void call(struct record_part *p, const char *session, const char *handler,
			uint32_t op, uint64_t begin, uint64_t end, int ret)
{
	struct lt_event e = event_at(LT_HANDLER_EXIT, end, session, ret);

	snprintf(e.compatible, sizeof(e.compatible), "%s", handler);
	e.call.op = op;
	e.call.token = 42;
	e.call.duration_ns = end - begin;
	record_part_event(p, &e);
}

static inline void session(struct record_part *p, uint32_t type, uint64_t ts,
			   const char *name, uint64_t files, int ret)
{
	struct lt_event e = event_at(type, ts, name, ret);

	e.session_op.dir = type != LT_SESSION_CREATE;
	e.session_op.files = files;
	record_part_event(p, &e);
}

static inline int nr_rows(const struct liveupdate_recorder_part *part)
{
	int i, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++)
		n += !!part->rows[i].count;
	return n;
}

static inline void file(struct record_part *p, const char *name, uint64_t ts, int ret)
{
	struct lt_event e = event_at(LT_FILE_STATE, ts, name, ret);

	e.file.old = FILE_INCOMING;
	e.file.new = ret ? FILE_FAILED : FILE_RETRIEVED;
	record_part_event(p, &e);
}

/* A file is retrieved in 1 ms. */
static inline void retrieve(struct record_part *p, const char *name, uint64_t end, int ret)
{
	call(p, name, "memfd-v1", OP_RETRIEVE, end - MS, end, ret);
	file(p, name, end, ret);
}

static inline const struct liveupdate_recorder_session *
slow_session(const struct liveupdate_recorder_part *part, int phase, const char *name)
{
	static const struct liveupdate_recorder_session none;
	const struct liveupdate_recorder_session *all = part->slow_sessions[AGENT][phase];
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		if (all[i].duration && !strcmp(all[i].name, name))
			return &all[i];
	}
	return &none;
}

static inline bool session_is(const struct liveupdate_recorder_part *part, int phase,
			      const char *name, uint64_t begin, uint64_t end,
			      uint64_t files, int ret)
{
	const struct liveupdate_recorder_session *s = slow_session(part, phase, name);

	return s->duration == end - begin && s->end == counter_of(NULL, end) &&
	       s->files == files && s->ret == ret;
}

#endif
