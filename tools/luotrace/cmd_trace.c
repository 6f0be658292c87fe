// SPDX-License-Identifier: GPL-2.0

#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "json.h"
#include "msg.h"

static const char trace_doc[] =
	"Prints the trace events of LUO as they happen, one line each.\v"
	"Stops on Ctrl-C. A time is in seconds since the first event.\n\n"
	"Examples:\n"
	"  luotrace trace                        everything but memory\n"
	"  luotrace trace -s vm-a --min-us 1000  slow calls of one session\n"
	"  luotrace trace -t                     beside journalctl -o short-iso-precise\n"
	"  luotrace trace --errors --json        what fails, for a program";

struct trace {
	struct cmd_options o;
	bool kho;
	uint64_t start;
	bool stop;
	bool failed;
};

static void failed(struct trace *tr)
{
	tr->failed = true;
	tr->stop = true;
}

static void print_json(struct trace *tr, json_t *o)
{
	if (!json_print(o, JSON_COMPACT))
		failed(tr);
}

static void print_event(struct trace *tr, const struct lt_event *e)
{
	uint64_t wall = tr->o.timestamps ? wall_ns(e->ts) : 0;
	char when[FMT_WALL];
	json_t *o;

	if (tr->o.json) {
		o = event_json(e, tr->start);
		if (wall)
			json_object_set_new(o, "wall_clock_ns", json_integer(wall));
		print_json(tr, o);
		return;
	}
	if (wall)
		printf("%s ", fmt_wall(when, wall));
	event_text(e, tr->start, stdout);
}

/* Changes of the global state are streamed even if the filters exclude them. */
static bool wanted(const struct trace *tr, const struct lt_event *e)
{
	const struct tracer_options *t = &tr->o.tracer;

	return e->type != LT_STATE || (event_mask(t) & 1U << LT_STATE &&
				       (!t->errors || e->ret < 0));
}

static void on_event(const struct lt_event *e, void *data)
{
	struct trace *tr = data;

	if (e->type >= LT_NR_TYPES)
		return;
	if (e->type == LT_STATE && e->state.new == STATE_FROZEN && tr->o.until_frozen)
		tr->stop = true;
	if (!wanted(tr, e) || tr->failed)
		return;
	if (!tr->start)
		tr->start = e->ts;
	print_event(tr, e);
	/* The reader is gone. */
	if (ferror(stdout))
		failed(tr);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct trace *tr = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &tr->o;
		return 0;
	case 't':
		tr->o.timestamps = true;
		return 0;
	case 'k':
		tr->kho = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int trace_run(struct trace *tr, const struct probe *probe)
{
	struct tracer_lost lost;
	struct observer observer;
	struct tracer *t;
	json_t *end;

	t = tracer_open(probe, &tr->o.tracer, on_event, tr);
	if (!t)
		return EXIT_CANNOT;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (tr->o.json) {
		json_t *head = json_head("trace", probe);

		json_object_set_new(head, "event", json_string("start"));
		print_json(tr, head);
	}
	cmd_start_tracing();
	if (cmd_loop(t, tr->o.duration_ms, &tr->stop) == LOOP_ERROR)
		tr->failed = true;
	tracer_read_lost(t, &lost);
	tracer_read_observer(t, &observer);
	if (tr->o.json && !tr->failed) {
		end = json_object();
		json_object_set_new(end, "event", json_string("end"));
		json_object_set_new(end, "lost", json_lost(&lost));
		json_object_set_new(end, "observer", observer_json(&observer));
		print_json(tr, end);
	}
	cmd_warn_lost(&lost);
	cmd_note_observer(&observer);
	tracer_close(t);
	return tr->failed ? EXIT_FINDING : EXIT_FINE;
}

int cmd_trace(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "timestamps", 't', NULL, 0, "Print the wall clock, too", 1 },
		{ "kho", 'k', NULL, 0,
		  "Also memory that is preserved and restored (many lines)", 1 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_trace_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, NULL, trace_doc,
		children, NULL, NULL };
	struct trace tr = { .o.tracer.ops = TRACER_ALL_OPS };
	struct probe probe;
	int ret;

	ret = cmd_parse_traced(&argp, argc, argv, &tr, &probe);
	if (ret >= 0)
		return ret;

	tr.o.tracer.stream = cmd_stream_mask(tr.kho) & event_mask(&tr.o.tracer);
	/* Not printed, but waited for. */
	if (tr.o.until_frozen)
		tr.o.tracer.stream |= 1U << LT_STATE;
	return trace_run(&tr, &probe);
}
