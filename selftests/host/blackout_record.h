/* SPDX-License-Identifier: GPL-2.0 */

/* A record with known content. */

#ifndef BLACKOUT_RECORD_H
#define BLACKOUT_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/liveupdate_recorder.h>

#include "timeline.h"

#define HZ	1000000000ULL	/* so that a tick is a nanosecond */
#define MS	1000000ULL

static inline void part_init(struct liveupdate_recorder_part *p)
{
	p->magic = LIVEUPDATE_RECORDER_MAGIC;
	p->version = LIVEUPDATE_RECORDER_VERSION;
	p->size = sizeof(*p);
	p->number = 1;
	p->clock_hz = HZ;
	p->clock_stable = 1;
	strcpy(p->release, "7.3.4");
}

static inline struct liveupdate_recorder_part *
part_at(struct liveupdate_recorder *r, int m)
{
	return m < LIVEUPDATE_MARK_START ? &r->last_out : &r->last_in;
}

/* A mark by the counter, and by the clock of its kernel, which began at START. */
static inline void set_mark(struct liveupdate_recorder *r, int m, uint64_t at)
{
	struct liveupdate_recorder_part *p = part_at(r, m);

	p->marks[m] = at;
	p->times[m] = m < LIVEUPDATE_MARK_START ? at - 2 * HZ :
		      at - r->last_in.marks[LIVEUPDATE_MARK_START];
}

/* All marks from one on are later; the clock of the new kernel begins at START. */
static inline void delay(struct liveupdate_recorder *r, int from, uint64_t ns)
{
	int m;

	for (m = from; m < LIVEUPDATE_NR_MARKS; m++) {
		part_at(r, m)->marks[m] += ns;
		if (m < LIVEUPDATE_MARK_START || from > LIVEUPDATE_MARK_START)
			part_at(r, m)->times[m] += ns;
	}
}

static inline struct liveupdate_recorder_row *
add_row(struct liveupdate_recorder_part *p, int at, const char *name, unsigned int op,
	enum liveupdate_recorder_scope scope, uint64_t count, uint64_t ns)
{
	struct liveupdate_recorder_row *row = &p->rows[at];

	row->op = op;
	row->scope = scope;
	row->count = count;
	row->total = row->wall = ns;
	row->min = row->max = ns / count;
	strcpy(row->name, name);
	return row;
}

static inline struct liveupdate_recorder_call *
add_call(struct liveupdate_recorder_part *p, unsigned int op,
	 enum liveupdate_recorder_scope scope, int at, const char *name,
	 const char *session, uint64_t end, uint64_t ns)
{
	struct liveupdate_recorder_call *c = &p->slow_calls[scope][op][at];

	c->duration = ns;
	c->end = end;
	c->token = 42;
	strcpy(c->name, name);
	strcpy(c->session, session);
	return c;
}

static inline struct liveupdate_recorder_session *
add_session(struct liveupdate_recorder_part *p, unsigned int phase,
	    enum liveupdate_recorder_scope scope, int at, const char *name, uint64_t end,
	    uint64_t ns)
{
	struct liveupdate_recorder_session *s = &p->slow_sessions[scope][phase][at];

	s->duration = ns;
	s->end = end;
	s->files = 2;
	strcpy(s->name, name);
	return s;
}

/* Two kernels; the spans are 1, 2, 3... ms long, freeze is one slow call. */
static inline struct liveupdate_recorder *make(void)
{
	struct liveupdate_recorder *r = calloc(1, sizeof(*r));
	struct liveupdate_recorder_row *row;
	uint64_t t = 5 * HZ;
	int m;

	r->magic = LIVEUPDATE_RECORDER_MAGIC;
	r->version = LIVEUPDATE_RECORDER_VERSION;
	r->size = sizeof(*r);
	r->part_size = sizeof(r->last_out);
	part_init(&r->last_out);
	part_init(&r->last_in);
	part_init(&r->next_out);
	for (m = 0; m < LIVEUPDATE_NR_MARKS; m++) {
		t += m * MS;
		set_mark(r, m, t);
	}
	r->last_in.over = 1;
	row = add_row(&r->last_out, 0, "vfio-v1", 5, LIVEUPDATE_SCOPE_REBOOT, 3,
		      1900000);
	row->hist[19] = 2;
	row->hist[20] = 1;
	/* In no span, and longer than any bucket but the last. */
	row = add_row(&r->last_out, 1, "long", 0, LIVEUPDATE_SCOPE_AGENT, 1,
		      12500000000);
	row->kind = LIVEUPDATE_KIND_SUBSYSTEM;
	row->errors = row->hist[31] = 1;
	add_call(&r->last_out, 5, LIVEUPDATE_SCOPE_REBOOT, 0, "vfio-v1", "vm-a",
		 r->last_out.marks[LIVEUPDATE_MARK_PREPARED] + 1900000, 1800000);
	/* Longer, but not of this reboot. */
	add_call(&r->last_out, 5, LIVEUPDATE_SCOPE_AGENT, 0, "vfio-v1", "vm-b", 1,
		 9 * MS);
	return r;
}

/* A workload that is paused in the old kernel, or resumed in the new one. */
static inline void add_pause(struct liveupdate_recorder *r, bool resumed, int at,
			     const char *name, uint64_t counter)
{
	struct liveupdate_recorder_pause *p;

	if (resumed) {
		p = &r->last_in.pauses[at];
		p->resumed = counter;
		p->resumed_ns = counter - r->last_in.marks[LIVEUPDATE_MARK_START];
	} else {
		p = &r->last_out.pauses[at];
		p->paused = counter;
		p->paused_ns = counter - 2 * HZ;
	}
	strcpy(p->name, name);
}

/*
 * Both wall clocks; sessions with calls: a freeze in the old kernel, restores in the new
 * one, of which one ends after its phase; calls that failed, that began before the phase,
 * and before that of their session.
 */
static inline void add_spans(struct liveupdate_recorder *r)
{
	const uint64_t frozen = r->last_out.marks[LIVEUPDATE_MARK_FROZEN];
	const uint64_t open = r->last_in.marks[LIVEUPDATE_MARK_OPEN];
	struct liveupdate_recorder_part *in = &r->last_in;

	r->last_out.wall_ns = 1700000050 * HZ;
	in->wall_ns = 1700000050 * HZ + 15 * MS;
	add_session(&r->last_out, 1, LIVEUPDATE_SCOPE_REBOOT, 0, "vm-a", frozen - MS / 20,
		    1900000);
	add_session(in, 5, LIVEUPDATE_SCOPE_AGENT, 0, "vm-a", open + 9 * MS, 8 * MS);
	add_session(in, 5, LIVEUPDATE_SCOPE_AGENT, 1, "vm-b", open + 6 * MS, 2 * MS)->ret = -5;
	add_call(in, 7, LIVEUPDATE_SCOPE_AGENT, 0, "memfd-v2", "vm-a", open + 5 * MS,
		 3 * MS)->token = ~0ULL;
	add_call(in, 7, LIVEUPDATE_SCOPE_AGENT, 1, "memfd-v2", "vm-b", open + 5 * MS,
		 MS / 2)->ret = -12;
	add_call(in, 7, LIVEUPDATE_SCOPE_AGENT, 2, "memfd-v2", "vm-c", open + MS, 2 * MS);
	add_call(in, 7, LIVEUPDATE_SCOPE_AGENT, 3, "memfd-v2", "vm-b", open + 3 * MS, MS);
	add_call(in, 10, LIVEUPDATE_SCOPE_AGENT, 0, "luo-recorder", "",
		 in->marks[LIVEUPDATE_MARK_INIT] - MS, MS)->kind = LIVEUPDATE_KIND_SUBSYSTEM;
}

#define ODD_NAME	"<vm> \xff"

/* The first three stood still for 3410, 50 and 41 ms; the others are half known. */
static inline void add_pauses(struct liveupdate_recorder *r)
{
	const uint64_t reboot = r->last_out.marks[LIVEUPDATE_MARK_REBOOT];
	const uint64_t start = r->last_in.marks[LIVEUPDATE_MARK_START];

	add_pause(r, false, 0, "vm-small", reboot - 20 * MS);
	add_pause(r, false, 1, "vm-large", reboot - 10 * MS);
	add_pause(r, false, 2, "vm-held", reboot - 2 * MS);
	add_pause(r, false, 3, ODD_NAME, reboot + MS / 2);
	add_pause(r, true, 0, ODD_NAME, reboot + 41 * MS + MS / 2);
	add_pause(r, true, 1, "stranger", start + HZ);
	add_pause(r, true, 2, "vm-small", reboot + 30 * MS);
	add_pause(r, true, 3, "vm-large", reboot + 3400 * MS);
}

/* Whether one of the findings has this text. */
static inline bool says(const struct liveupdate_recorder *r, const struct blackout *b,
		 const char *what)
{
	struct finding all[TIMELINE_FINDINGS];
	int i, n = timeline_findings(r, b, all);

	for (i = 0; i < n; i++) {
		if (strstr(all[i].text, what))
			return true;
	}
	return false;
}

#endif
