// SPDX-License-Identifier: GPL-2.0

/* The events that each command needs, and the rows of calls that are counted, as TAP. */

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "hist.h"
#include "session_track.h"
#include "tap.h"
#include "tracer_needs.h"

#define PER_FILE	(1U << LT_HANDLER_ENTER | 1U << LT_HANDLER_EXIT | 1U << LT_FILE_STATE)

/* What several calls at a time do not tell. */
static void test_single(struct tracer_options latency, const struct probe *probe)
{
	enum { CASES = 9 };
	struct tracer_options o[CASES];
	int i, n = 0;

	for (i = 0; i < CASES; i++)
		o[i] = latency;
	o[n++].session = "vm";
	o[n++].handler = "memfd";
	o[n++].min_ns = 1;
	o[n++].errors = true;
	o[n++].by = LT_BY_FILE;
	o[n++].stacks = true;
	o[n++].keep_flights = true;
	o[n++].box_pages = &o;
	o[n++].stream |= 1U << LT_HANDLER_EXIT;
	for (i = 0; i < n && !tracer_needs(&o[i], probe).several; i++)
		;
	check(n == CASES && i == n, "what asks for more runs for each call (%d)", i);
}

/* Each program on an event that occurs once a file prolongs a freeze. */
static void test_needs(void)
{
	struct probe now = { .errors = { [LT_FILE_STATE] = true, [LT_HANDLER_EXIT] = true },
			     .several = { [LT_HANDLER_EXIT] = true } };
	struct tracer_options watch = {
		.ops = TRACER_ALL_OPS, .errors = true,
		.stream = 1U << LT_SESSION_LEAK | 1U << LT_FILE_STATE,
	};
	struct tracer_options trace = { .ops = TRACER_ALL_OPS, .stream = cmd_stream_mask(true) };
	struct tracer_options latency = {
		.ops = TRACER_ALL_OPS, .whole_sessions = true, .count_calls = true,
		.count_folios = true, .count_memory = true,
		.stream = 1U << LT_STATE | 1U << LT_SESSION_CREATE,
	};
	struct tracer_options top = { .ops = TRACER_ALL_OPS, .keep_flights = true,
				      .errors = true };
	struct probe old = {};
	struct tracer_needs n = tracer_needs(&watch, &now);

	check(n.events == watch.stream && n.errors == 1U << LT_FILE_STATE,
	      "audit --watch runs for files that fail");
	n = tracer_needs(&watch, &old);
	check(n.events == watch.stream && !n.errors,
	      "of a kernel without events for failures each event is needed");
	n = tracer_needs(&trace, &now);
	check(n.events == trace.stream && !n.errors, "trace runs for each event");
	trace.errors = true;
	n = tracer_needs(&trace, &now);
	check((n.events & PER_FILE & ~n.errors) == 0 && n.events & 1U << LT_FLB_EXIT,
	      "trace --errors runs for no file that does not fail");
	n = tracer_needs(&latency, &now);
	check((n.events & PER_FILE) == 1U << LT_HANDLER_EXIT && !n.errors &&
	      n.events & 1U << LT_FLB_ENTER && n.events & 1U << LT_KHO_RESTORE,
	      "latency runs for calls of handlers, and for no file");
	check(n.several == 1U << LT_HANDLER_EXIT, "for several of them at a time");
	check(!tracer_needs(&latency, &old).several,
	      "of a kernel without such an event for each of them");
	test_single(latency, &now);
	latency.errors = true;
	check(!tracer_needs(&latency, &now).errors, "folios are those of all calls");
	latency.count_folios = false;
	check(tracer_needs(&latency, &now).errors == 1U << LT_HANDLER_EXIT,
	      "calls that fail are counted by their own event");
	n = tracer_needs(&top, &now);
	check((n.events & PER_FILE) == (1U << LT_HANDLER_ENTER | 1U << LT_HANDLER_EXIT) &&
	      !n.errors, "top runs for begin and end of each call");
}

/* Calls of a handler that are counted in two places are one row. */
static void test_hist_add(void)
{
	struct lt_row one = {}, other = {}, empty = {};

	hist_count(&one, 100, 0);
	hist_count(&other, 5000, -1);
	hist_count(&other, 7, 0);
	hist_add(&one, &other);
	check(one.count == 3 && one.errors == 1 && one.total_ns == 5107 &&
	      one.min_ns == 7 && one.max_ns == 5000 && one.slots[lt_slot(7)] == 1 &&
	      one.slots[lt_slot(100)] == 1 && one.slots[lt_slot(5000)] == 1,
	      "rows add up");
	hist_add(&one, &empty);
	check(one.count == 3 && one.min_ns == 7, "no calls change nothing");
	hist_add(&empty, &one);
	check(empty.count == 3 && empty.min_ns == 7 && empty.max_ns == 5000,
	      "a row without calls becomes the other one");
}

/* What no event has counted is set. */
static void test_set_files(void)
{
	struct session_track *track = session_track_new(0);
	struct lt_event e = { .type = LT_SESSION_CREATE };
	json_t *all;

	strcpy(e.session, "vm");
	session_track_event(track, &e);
	session_track_set_files(track, "vm", 3);
	session_track_set_files(track, "other", 4);
	all = session_track_json(track, SIZE_MAX);
	check(json_array_size(all) == 1 &&
	      json_integer_value(json_object_get(json_array_get(all, 0), "files")) == 3,
	      "a session has the files that it is said to have");
	json_decref(all);
	e.type = LT_SESSION_RELEASE;
	e.session_op.files = 2;
	session_track_event(track, &e);
	session_track_set_files(track, "vm", 9);
	all = session_track_json(track, SIZE_MAX);
	check(json_integer_value(json_object_get(json_array_get(all, 0), "files")) == 2,
	      "one that has ended keeps its own");
	json_decref(all);
	session_track_free(track);
}

int main(void)
{
	puts("TAP version 13");
	test_needs();
	test_hist_add();
	test_set_files();
	return end_tests();
}
