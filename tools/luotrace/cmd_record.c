// SPDX-License-Identifier: GPL-2.0

#include <string.h>
#include <time.h>

#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "event.h"
#include "json.h"
#include "recording.h"
#include "trace_file.h"

static const char record_doc[] =
	"Records the trace events of LUO in a file, for luotrace report.\v"
	"Every event is written at once, and flushed to the disk every second and when "
	"a live update begins: if luotrace is killed, or a live update ends it, the file "
	"has what it saw. An existing FILE is replaced when tracing has begun, not before. Record in both kernels, into two files that outlive the kexec, and "
	"give both to luotrace report.\n\n"
	"Examples:\n"
	"  luotrace record -o before.luotrace\n"
	"  luotrace record -o after.luotrace -d 60";

struct record {
	struct cmd_options o;
	const char *path;
	struct recording *out;
	uint64_t start;
	bool stop;
	bool failed;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record *r = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->o;
		return 0;
	case 'o':
		r->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!r->path)
			argp_error(state, "no output file; want --output FILE");
		if (r->o.json)
			argp_error(state, "the file is always JSON, and nothing goes to stdout");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void write_line(struct record *r, json_t *line)
{
	if (recording_line(r->out, line))
		return;
	/* After the disk is full only gaps would follow. */
	r->failed = true;
	r->stop = true;
}

static void on_event(const struct lt_event *e, void *data)
{
	struct record *r = data;

	if (e->type >= LT_NR_TYPES)
		return;
	if (e->type == LT_STATE && e->state.new == STATE_FROZEN && r->o.until_frozen)
		r->stop = true;
	if (!r->failed)
		write_line(r, event_json(e, r->start));
	if (event_urgent(e))
		recording_sync(r->out);
}

static json_t *head_json(struct record *r, const struct probe *probe)
{
	json_t *head = json_head("record", probe);

	r->start = monotonic_ns();
	json_object_set_new(head, "event", json_string("start"));
	json_object_set_new(head, "trace_version",
			    json_integer(TRACE_FILE_VERSION));
	json_object_set_new(head, "wall_clock_ns",
			    json_integer(clock_ns(CLOCK_REALTIME)));
	json_object_set_new(head, "monotonic_ns", json_integer(r->start));
	return head;
}

static json_t *end_json(struct tracer *t, const struct probe *probe,
			const struct tracer_lost *lost)
{
	struct latency latency = { .has_kho = probe->tracepoints[LT_KHO_PRESERVE] };
	json_t *end = json_object();

	json_object_set_new(end, "event", json_string("end"));
	json_object_set_new(end, "lost", json_lost(lost));
	json_object_set_new(end, "kho", latency.has_kho &&
			    !tracer_read_kho(t, latency.kho) ?
			    latency_kho_json(&latency) : json_null());
	json_object_set_new(end, "recorder", trace_file_encode_recorder());
	return end;
}

static int record_run(struct record *r, const struct probe *probe)
{
	struct tracer_lost lost;
	struct tracer *t;

	t = tracer_open(probe, &r->o.tracer, on_event, r);
	if (!t)
		return EXIT_CANNOT;
	if (!recording_publish(r->out)) {
		tracer_close(t);
		return EXIT_FINDING;
	}
	cmd_start_tracing();
	if (cmd_loop(t, r->o.duration_ms, &r->stop) == LOOP_ERROR)
		r->failed = true;
	tracer_read_lost(t, &lost);
	if (!r->failed)
		write_line(r, end_json(t, probe, &lost));
	cmd_warn_lost(&lost);
	tracer_close(t);
	return r->failed ? EXIT_FINDING : EXIT_FINE;
}

int cmd_record(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "output", 'o', "FILE", 0, "Output file, required", 0 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_trace_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, NULL, record_doc,
		children, NULL, NULL };
	struct record r = { .o.tracer.ops = TRACER_ALL_OPS };
	struct probe probe;
	int ret;

	ret = cmd_parse_traced(&argp, argc, argv, &r, &probe);
	if (ret >= 0)
		return ret;

	r.o.tracer.stream = cmd_stream_mask(false) & event_mask(&r.o.tracer);
	r.o.tracer.count_memory = true;
	r.out = recording_new(r.path);
	if (!r.out)
		return EXIT_FINDING;
	write_line(&r, head_json(&r, &probe));
	ret = r.failed ? EXIT_FINDING : record_run(&r, &probe);
	if (!recording_close(r.out))
		ret = EXIT_FINDING;
	return ret;
}
