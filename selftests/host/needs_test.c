// SPDX-License-Identifier: GPL-2.0

/* The events that each command needs, as TAP. */

#include "cmd.h"
#include "tap.h"
#include "tracer_needs.h"

#define PER_FILE	(1U << LT_HANDLER_ENTER | 1U << LT_HANDLER_EXIT | 1U << LT_FILE_STATE)

/* Each program on an event that occurs once a file prolongs a freeze. */
static void test_needs(void)
{
	struct probe now = { .errors = { [LT_FILE_STATE] = true, [LT_HANDLER_EXIT] = true } };
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
	check((n.events & PER_FILE) == (1U << LT_HANDLER_ENTER | 1U << LT_HANDLER_EXIT) &&
	      !n.errors && n.events & 1U << LT_KHO_RESTORE,
	      "latency runs for begin and end of a call of a handler");
	latency.errors = true;
	check(!tracer_needs(&latency, &now).errors, "folios are those of all calls");
	latency.count_folios = false;
	check(tracer_needs(&latency, &now).errors == 1U << LT_HANDLER_EXIT,
	      "calls that fail are counted by their own event");
	n = tracer_needs(&top, &now);
	check((n.events & PER_FILE) == (1U << LT_HANDLER_ENTER | 1U << LT_HANDLER_EXIT) &&
	      !n.errors, "top runs for begin and end of each call");
}

int main(void)
{
	puts("TAP version 13");
	test_needs();
	return end_tests();
}
