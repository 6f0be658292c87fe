// SPDX-License-Identifier: GPL-2.0

/* What the record of LUO has inside of the phases: the longest sessions and calls. */

#include <string.h>

#include "enum_name.h"
#include "fmt.h"
#include "json.h"
#include "otlp_update.h"

/* Begin and end of what the record has in a phase, ns since 1970; false if unknown. */
static bool place(const struct otlp_update *u, enum span s, uint64_t end,
		  uint64_t duration, struct otlp_span *span)
{
	const struct liveupdate_recorder *r = trace_file_record(u->t);
	uint64_t from, to, first;

	if (!u->phases[s].id || !span_begin(r, &u->b, s, &first) ||
	    !span_place(r, &u->b, s, end, duration, &from, &to))
		return false;
	span->begin = u->phases[s].begin + (from - first);
	span->end = u->phases[s].begin + (to - first);
	return true;
}

static void put_session(struct otlp_update *u, int at, struct otlp_parent *as)
{
	const struct otlp_session *one = &u->sessions[at];
	struct otlp_span span = {
		.id = otlp_id(&u->out, OTLP_OF_SESSIONS, at),
		.ret = one->session->ret,
	};
	char name[64];

	if (!place(u, one->span, one->session->end, one->session->duration, &span))
		return;
	*as = (struct otlp_parent){ span.id, span.begin, span.end };
	snprintf(name, sizeof(name), "session %s",
		 enum_name(ENUM_PHASE, span_phase(one->span)));
	span.name = name;
	span.attributes = json_object();
	otlp_text(span.attributes, "luo.session", fmt_json_name(one->session->name));
	otlp_number(span.attributes, "luo.files", one->session->files);
	otlp_number(span.attributes, "luo.duration_ns", one->session->duration);
	if (one->session->task)
		otlp_number(span.attributes, "thread.id", one->session->task);
	otlp_put_in(u, &u->phases[one->span], &span);
}

/* The session of a call, as a trace or the record has it; else the phase. */
static struct otlp_parent parent_of(const struct otlp_update *u,
				    const struct otlp_call *c, struct otlp_span *span,
				    const struct otlp_parent *sessions)
{
	int i;

	if (c->session.id && otlp_clip(&c->session, &span->begin, &span->end))
		return c->session;
	for (i = 0; i < u->nr_sessions; i++) {
		if (sessions[i].id && u->sessions[i].span == c->span &&
		    c->call->kind == LIVEUPDATE_KIND_HANDLER &&
		    !strcmp(u->sessions[i].session->name, c->call->session) &&
		    otlp_clip(&sessions[i], &span->begin, &span->end))
			return sessions[i];
	}
	return u->phases[c->span];
}

static void put_call(struct otlp_update *u, int at, const struct otlp_parent *sessions)
{
	const struct otlp_call *c = &u->calls[at];
	struct otlp_span span = {
		.id = otlp_id(&u->out, OTLP_OF_CALLS, at),
		.ret = c->call->ret,
	};
	struct otlp_parent parent;

	if (!place(u, c->span, c->call->end, c->call->duration, &span))
		return;
	parent = parent_of(u, c, &span, sessions);
	span.attributes = json_object();
	if (c->call->kind == LIVEUPDATE_KIND_HANDLER) {
		otlp_text(span.attributes, "luo.session",
			  fmt_json_name(c->call->session));
		otlp_text(span.attributes, "luo.token", json_token(c->call->token));
	}
	otlp_put_call(u, &parent, &span, c->op, timeline_kind(c->call->kind),
		      c->call->name, c->call->duration);
}

void otlp_put_record(struct otlp_update *u)
{
	struct otlp_parent sessions[OTLP_SESSIONS] = { 0 };
	int i;

	for (i = 0; i < u->nr_sessions; i++) {
		if (!u->sessions[i].seen)
			put_session(u, i, &sessions[i]);
	}
	for (i = 0; i < u->nr_calls; i++) {
		if (!u->calls[i].seen)
			put_call(u, i, sessions);
	}
}
