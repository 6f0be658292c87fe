// SPDX-License-Identifier: GPL-2.0

/* What a trace has of a live update: all calls, and the phases that they are in. */

#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "fmt.h"
#include "json.h"
#include "otlp_update.h"
#include "perfetto_tracks.h"

/* A track has the number of the event that began each phase instead of its time. */
#define NOT_OPEN	UINT64_MAX

/*
 * @ends has, for each event that begins a phase, the number of the one that ends it; 0 if
 * none does.
 */
struct walk {
	struct otlp_update *u;
	const struct trace_file *t;
	int at;
	uint64_t base;
	size_t *ends;
	struct tracks *tracks;
};

static const struct lt_event *get(const struct walk *w, size_t event,
				  struct lt_event *room)
{
	return event_store_get(&w->t->events, event, room);
}

static uint64_t time_of(const struct walk *w, size_t event)
{
	struct lt_event room;

	return w->base + get(w, event, &room)->ts;
}

/* A phase of the update. */
static bool is_phase(const struct walk *w, const struct lt_event *e)
{
	return e->number == w->u->number && e->phase.phase < TRACK_PHASES &&
	       (e->type == LT_PHASE_BEGIN || e->type == LT_PHASE_END);
}

static struct track *track_of(const struct walk *w, const struct lt_event *e)
{
	return tracks_get(w->tracks, *e->session ? TRACK_SESSION : TRACK_GLOBAL, 0,
			  e->session);
}

/* Find the end of each phase. */
static bool match_phases(struct walk *w)
{
	struct lt_event room;
	const struct lt_event *e;
	struct track *track;
	uint64_t *open;
	size_t i;

	for (i = 0; i < w->t->events.nr; i++) {
		e = get(w, i, &room);
		if (!is_phase(w, e))
			continue;
		track = track_of(w, e);
		if (!track)
			return false;
		open = &track->open[e->phase.phase];
		if (e->type == LT_PHASE_END && *open != NOT_OPEN)
			w->ends[*open] = i;
		*open = e->type == LT_PHASE_BEGIN ? i : NOT_OPEN;
	}
	return true;
}

static bool starts_over(struct walk *w)
{
	tracks_free(w->tracks);
	w->tracks = tracks_new();
	return w->tracks;
}

/*
 * The phase in progress on a track that began last, before event @from, and ends after
 * event @to; NOT_OPEN for none.
 */
static uint64_t innermost(const struct walk *w, const struct track *track, size_t from,
			  size_t to)
{
	uint64_t found = NOT_OPEN, open;
	int phase;

	for (phase = 0; track && phase < TRACK_PHASES; phase++) {
		open = track->open[phase];
		if (open != NOT_OPEN && open <= from && w->ends[open] >= to &&
		    w->ends[open] && (found == NOT_OPEN || open > found))
			found = open;
	}
	return found;
}

/* The phase of the blackout that a phase of all sessions, or of one, is a part of. */
static const struct otlp_parent *own_phase(const struct otlp_update *u,
					   unsigned int phase, uint64_t begin,
					   uint64_t end)
{
	int s;

	for (s = 0; s < SPAN_NR; s++) {
		if (u->phases[s].id && span_phase(s) == (int)phase &&
		    begin < u->phases[s].end && end > u->phases[s].begin)
			return &u->phases[s];
	}
	return NULL;
}

/* A phase of all sessions. Returns whether the blackout has it, which is then set. */
static bool place_global(const struct walk *w, size_t begin, struct otlp_parent *as,
			 struct otlp_parent *parent)
{
	struct lt_event room;
	const struct otlp_parent *own;

	*as = (struct otlp_parent){ otlp_id(&w->u->out, w->at, begin), time_of(w, begin),
				    time_of(w, w->ends[begin]) };
	own = own_phase(w->u, get(w, begin, &room)->phase.phase, as->begin, as->end);
	if (own && otlp_clip(own, &as->begin, &as->end)) {
		*as = *own;
		return true;
	}
	*parent = otlp_phase_of(w->u, as->begin, as->end);
	otlp_clip(parent, &as->begin, &as->end);
	return false;
}

/* What events @from to @to, of no session's phase, are inside of; they are clipped. */
static struct otlp_parent around(const struct walk *w, size_t from, size_t to,
				 uint64_t *begin, uint64_t *end)
{
	uint64_t global = innermost(w, tracks_get(w->tracks, TRACK_GLOBAL, 0, ""), from,
				    to);
	struct otlp_parent as, parent;

	if (global != NOT_OPEN) {
		place_global(w, global, &as, &parent);
		if (otlp_clip(&as, begin, end))
			return as;
	}
	parent = otlp_phase_of(w->u, *begin, *end);
	otlp_clip(&parent, begin, end);
	return parent;
}

/* The phase of a session, cut to the part that the blackout has of it, if any. */
static struct otlp_parent place_session(const struct walk *w, size_t begin,
					struct otlp_parent *parent)
{
	struct lt_event room;
	struct otlp_parent as = { otlp_id(&w->u->out, w->at, begin), time_of(w, begin),
				  time_of(w, w->ends[begin]) };
	const struct otlp_parent *own;

	own = own_phase(w->u, get(w, begin, &room)->phase.phase, as.begin, as.end);
	if (own) {
		as.begin = as.begin > own->begin ? as.begin : own->begin;
		as.end = as.end < own->end ? as.end : own->end;
		*parent = *own;
		return as;
	}
	*parent = around(w, begin, w->ends[begin], &as.begin, &as.end);
	return as;
}

/* A session that the record need not show; calls that only the record has are in it. */
static void mark_session(struct otlp_update *u, const struct lt_event *e,
			 const struct otlp_parent *phase, const struct otlp_parent *as)
{
	struct otlp_session *one;
	struct otlp_call *c;

	for (one = u->sessions; one < u->sessions + u->nr_sessions; one++) {
		if (u->phases[one->span].id == phase->id &&
		    !strcmp(one->session->name, e->session))
			one->seen = true;
	}
	for (c = u->calls; c < u->calls + u->nr_calls; c++) {
		if (u->phases[c->span].id == phase->id &&
		    c->call->kind == LIVEUPDATE_KIND_HANDLER &&
		    !strcmp(c->call->session, e->session))
			c->session = *as;
	}
}

static void put_phase(const struct walk *w, size_t begin)
{
	struct lt_event room;
	const struct lt_event *e = get(w, w->ends[begin], &room);
	const char *phase = enum_name(ENUM_PHASE, e->phase.phase);
	struct otlp_span span = { .ret = e->ret };
	struct otlp_parent as, parent;
	char name[64];

	if (!*e->session && place_global(w, begin, &as, &parent))
		return;
	if (*e->session) {
		as = place_session(w, begin, &parent);
		mark_session(w->u, e, &parent, &as);
	}
	span.id = as.id;
	span.begin = as.begin;
	span.end = as.end;
	snprintf(name, sizeof(name), "%s%s", *e->session ? "session " : "", phase);
	span.name = name;
	span.attributes = json_object();
	if (*e->session)
		otlp_text(span.attributes, "luo.session", fmt_json_name(e->session));
	otlp_number(span.attributes, "luo.files", e->phase.files);
	otlp_number(span.attributes, "luo.duration_ns",
		    time_of(w, w->ends[begin]) - time_of(w, begin));
	otlp_number(span.attributes, "thread.id", e->tid);
	otlp_put_in(w->u, &parent, &span);
}

static void phase_event(const struct walk *w, size_t i)
{
	struct lt_event room;
	const struct lt_event *e = get(w, i, &room);
	uint64_t *open = &track_of(w, e)->open[e->phase.phase];

	if (e->type == LT_PHASE_BEGIN) {
		*open = i;
		return;
	}
	if (*open != NOT_OPEN && w->ends[*open] == i)
		put_phase(w, *open);
	*open = NOT_OPEN;
}

static void mark_call(struct otlp_update *u, const struct lt_event *e)
{
	struct otlp_call *c;

	for (c = u->calls; c < u->calls + u->nr_calls; c++) {
		if (c->call->duration == e->call.duration_ns && c->op == e->call.op &&
		    c->call->token == e->call.token &&
		    !strcmp(c->call->session, e->session) &&
		    !strcmp(c->call->name, e->compatible))
			c->seen = true;
	}
}

/* What a call is inside of; it is clipped. */
static struct otlp_parent call_parent(const struct walk *w, size_t i,
				      struct otlp_span *span)
{
	struct lt_event room;
	const struct lt_event *e = get(w, i, &room);
	uint64_t session = NOT_OPEN;
	struct otlp_parent as, parent;

	if (*e->session)
		session = innermost(w, tracks_get(w->tracks, TRACK_SESSION, 0,
						  e->session), i, i);
	if (session != NOT_OPEN) {
		as = place_session(w, session, &parent);
		if (otlp_clip(&as, &span->begin, &span->end))
			return as;
	}
	return around(w, i, i, &span->begin, &span->end);
}

static void put_call(const struct walk *w, size_t i)
{
	struct lt_event room;
	const struct lt_event *e = get(w, i, &room);
	const unsigned int kind = e->type == LT_HANDLER_EXIT ? LIVEUPDATE_KIND_HANDLER :
				  e->type == LT_FLB_EXIT ? LIVEUPDATE_KIND_FLB :
				  LIVEUPDATE_KIND_SUBSYSTEM;
	struct otlp_span span = {
		.id = otlp_id(&w->u->out, w->at, i),
		.end = time_of(w, i),
		.ret = e->ret,
	};
	struct otlp_parent parent;

	span.begin = e->call.duration_ns < span.end ? span.end - e->call.duration_ns : 0;
	parent = call_parent(w, i, &span);
	mark_call(w->u, e);
	span.attributes = json_object();
	if (kind == LIVEUPDATE_KIND_HANDLER) {
		otlp_text(span.attributes, "luo.session", fmt_json_name(e->session));
		otlp_text(span.attributes, "luo.token", json_token(e->call.token));
	}
	otlp_number(span.attributes, "process.pid", e->pid);
	otlp_number(span.attributes, "thread.id", e->tid);
	otlp_put_call(w->u, &parent, &span, e->call.op, timeline_kind(kind),
		      e->compatible, e->call.duration_ns);
}

static void put_all(const struct walk *w)
{
	struct lt_event room;
	const struct lt_event *e;
	size_t i;

	for (i = 0; i < w->t->events.nr; i++) {
		e = get(w, i, &room);
		if (is_phase(w, e))
			phase_event(w, i);
		else if (e->number == w->u->number &&
			 (e->type == LT_HANDLER_EXIT || e->type == LT_SUBSYSTEM_EXIT ||
			  e->type == LT_FLB_EXIT))
			put_call(w, i);
	}
}

bool otlp_put_events(struct otlp_update *u, int at)
{
	struct walk w = {
		.u = u, .t = u->traces[at], .at = at,
		.base = trace_clock_begin(u->traces, u->nr, at),
		.ends = calloc(u->traces[at]->events.nr + 1, sizeof(*w.ends)),
	};
	bool ok = w.ends && starts_over(&w) && match_phases(&w) && starts_over(&w);

	if (ok)
		put_all(&w);
	tracks_free(w.tracks);
	free(w.ends);
	return ok;
}
