// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>

#include "event.h"
#include "fmt.h"
#include "perfetto.h"
#include "probe.h"
#include "words.h"

static json_t *us(uint64_t ns)
{
	return json_real(ns / 1000.0);
}

static void name_process(json_t *all, int pid, const char *name)
{
	json_array_append_new(all, json_pack("{ss, ss, si, si, s{so}}",
		"name", "process_name", "ph", "M", "pid", pid, "tid", 0,
		"args", "name", fmt_json_text(name)));
}

/* An event with a length, or, with none, a moment. */
static void add(json_t *all, int pid, unsigned int tid, const char *name,
		const char *category, uint64_t start, bool is_span,
		uint64_t duration, json_t *args)
{
	json_t *o = json_pack("{ss, ss, ss, so, si, si}", "name", name, "cat",
			      category, "ph", is_span ? "X" : "i", "ts",
			      us(start), "pid", pid, "tid", (int)tid);

	if (is_span)
		json_object_set_new(o, "dur", us(duration));
	else
		json_object_set_new(o, "s", json_string("t"));
	json_object_set_new(o, "args", args);
	json_array_append_new(all, o);
}

static json_t *event_args(const struct lt_event *e)
{
	json_t *args = event_json(e, 0);

	json_object_del(args, "time_ns");
	return args;
}

/* The begin of a phase whose end is at @i; NULL if the trace began later. */
static const struct lt_event *begin_of(const struct trace_file *t, size_t i)
{
	const struct lt_event *end = &t->events[i], *e;

	while (i--) {
		e = &t->events[i];
		if (e->type == LT_PHASE_BEGIN && e->what == end->what &&
		    e->dir == end->dir && !strcmp(e->name, end->name))
			return e;
	}
	return NULL;
}

static void add_phase(json_t *all, int pid, const struct trace_file *t, size_t i)
{
	const struct lt_event *end = &t->events[i], *begin = begin_of(t, i);
	char name[4 * LT_NAME_LEN + 32], session[4 * LT_NAME_LEN + 1];

	if (!begin)
		return;
	snprintf(name, sizeof(name), "%s%s%s", word(WORDS_PHASE, end->what),
		 end->name[0] ? " " : "",
		 fmt_name(session, sizeof(session), end->name));
	add(all, pid, end->tid, name, "phase", begin->ts, true,
	    end->ts - begin->ts, event_args(end));
}

static void add_trace(json_t *all, int pid, const struct trace_file *t)
{
	const char *kernel = trace_file_kernel(t);
	char name[4 * LT_COMPAT_LEN + 32], compat[4 * LT_COMPAT_LEN + 1];
	const struct lt_event *e;
	size_t i;

	snprintf(name, sizeof(name), "kernel %s", kernel ? kernel : "");
	name_process(all, pid, name);
	for (i = 0; i < t->nr; i++) {
		e = &t->events[i];
		switch (e->type) {
		case LT_HANDLER_EXIT:
		case LT_SUBSYSTEM_EXIT:
		case LT_FLB_EXIT:
			snprintf(name, sizeof(name), "%s %s",
				 word(WORDS_OP, e->what),
				 fmt_name(compat, sizeof(compat), e->compat));
			/* What began before the trace did. */
			add(all, pid, e->tid, name, "call",
			    e->ts > e->duration ? e->ts - e->duration : 0, true,
			    e->duration, event_args(e));
			break;
		case LT_PHASE_BEGIN:
			break;
		case LT_PHASE_END:
			add_phase(all, pid, t, i);
			break;
		default:
			add(all, pid, e->tid, probe_tracepoint(e->type), "event",
			    e->ts, false, 0, event_args(e));
			break;
		}
	}
}

static void add_blackout(json_t *all, int pid, const struct liveupdate_recorder *r)
{
	struct blackout b;
	uint64_t at = 0;
	char name[64];
	int s;

	snprintf(name, sizeof(name), "blackout of live update %llu",
		 (unsigned long long)r->last_in.number);
	name_process(all, pid, name);
	blackout_measure(r, &b);
	for (s = 0; s < SPAN_NR; s++) {
		if (!b.known[s])
			continue;
		add(all, pid, 1, span_name(s), "blackout", at, true, b.ns[s],
		    json_pack("{ss}", "kernel", s < SPAN_JUMP ? "old" : "new"));
		at += b.ns[s];
	}
}

json_t *perfetto_json(struct trace_file *const *traces, int nr)
{
	json_t *all = json_array();
	int i;

	for (i = 0; i < nr; i++) {
		add_trace(all, i + 1, traces[i]);
		if (traces[i]->recorder && traces[i]->recorder->last_in.number)
			add_blackout(all, nr + i + 1, traces[i]->recorder);
	}
	return json_pack("{so, ss, s{ss}}", "traceEvents", all,
			 "displayTimeUnit", "ns", "otherData", "recorded_by",
			 "luotrace");
}
