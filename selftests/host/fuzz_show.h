/* SPDX-License-Identifier: GPL-2.0 */

/* All that luotrace shows of a live update and of a trace. */

#ifndef FUZZ_SHOW_H
#define FUZZ_SHOW_H

#include "audit.h"
#include "fuzz_main.h"
#include "html.h"
#include "metrics.h"
#include "otlp.h"
#include "perfetto.h"
#include "stacks.h"
#include "timeline.h"
#include "timeline_inside.h"
#include "trace_file.h"

/* As luotrace timeline and metrics show it. */
static inline void show_timeline(const struct trace_file *t)
{
	const struct liveupdate_recorder *r = trace_file_record(t);
	json_t *root = json_object();
	struct blackout b;

	blackout_measure(r, &b);
	timeline_text(r, &b, timeline_steps(t->update), false, fuzz_null());
	timeline_json(r, &b, root);
	timeline_steps_json(timeline_steps(t->update), root);
	timeline_inside_json(r, &b, timeline_steps(t->update), root);
	json_decref(root);
}

static inline void show_metrics(const struct trace_file *t)
{
	struct audit audit = { .recorder = trace_file_record(t) };
	struct probe probe = {};
	struct metrics m = { .probe = &probe, .audit = &audit, .number = -1 };

	metrics_write(&m, fuzz_null());
}

/* The calls of its events. */
static inline void show_calls(const struct trace_file *t)
{
	json_t *root = json_object();

	latency_calls(&t->latency, true, fuzz_null());
	latency_calls_json(&t->latency, true, root);
	latency_failed_json(&t->latency, true, root);
	session_track_write(t->track, fuzz_null());
	stacks_folded(t->latency.stacks, fuzz_null());
	json_decref(root);
}

/* In one way, or in all from 5 on: each takes as long as all else. It is freed. */
static inline void show_trace(struct trace_file *t, unsigned int how)
{
	if (!t)
		abort();
	if (trace_file_record(t) && (!how || how > 4))
		show_timeline(t);
	if (trace_file_record(t) && (how == 1 || how > 4))
		show_metrics(t);
	if (how == 2 || how > 4)
		html_page(&t, 1, fuzz_null());
	if (how == 3 || how > 4)
		perfetto_write(&t, 1, fuzz_null());
	if (how == 4 || how > 4)
		otlp_write(&t, 1, fuzz_null());
	if (t->head)
		show_calls(t);
	trace_file_free(t);
}

#endif
