// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carry.h"
#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "host.h"
#include "json.h"
#include "local_update.h"
#include "recording.h"
#include "stacks.h"
#include "trace_file.h"
#include "update_store.h"

static const char record_doc[] =
	"Records the trace events of LUO in a file, for luotrace report.\v"
	"Every event is written at once, and flushed to the disk every second and when "
	"a live update begins: if luotrace is killed, or a live update ends it, the file "
	"has what it saw. An existing FILE is replaced when tracing has begun, not before. Record in both kernels, into two files that outlive the kexec, and "
	"give both to luotrace report.\n\n"
	"With --carry it is a service instead, the black box: it keeps a record in memory that "
	"is handed over to the next kernel in a session of its own, written up to the kexec "
	"itself, and there it is saved for luotrace timeline. It needs no other tracer, and no "
	"kernel with a recorder. It closes /dev/liveupdate before it says that it is ready.\n\n"
	"Examples:\n"
	"  luotrace record --carry            started by luotrace-box.service\n"
	"  luotrace record -o before.luotrace\n"
	"  luotrace record --stacks -o before.luotrace\n"
	"  luotrace record -o after.luotrace -d 60";

struct record {
	struct cmd_options o;
	const char *path;
	bool carry;
	bool kho;
	const char *dir;
	struct recording *out;
	struct tracer *tracer;
	struct ksyms *names;	/* of functions, for stacks */
	uint64_t start;
	bool stop;
	bool failed;
};

enum { KEY_CARRY = 256, KEY_DIR };

/* What only makes sense for a trace. */
static bool has_filter(const struct cmd_options *o)
{
	const struct tracer_options *t = &o->tracer;

	return t->session || t->handler || t->ops != TRACER_ALL_OPS || t->min_ns ||
	       t->errors || t->stacks || t->buffer_kib || o->duration_ms ||
	       o->until_frozen || o->json;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record *r = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->o;
		state->child_inputs[1] = &r->o;
		return 0;
	case 'o':
		r->path = arg;
		return 0;
	case 'k':
		r->kho = true;
		return 0;
	case KEY_CARRY:
		r->carry = true;
		return 0;
	case KEY_DIR:
		r->dir = arg;
		return 0;
	case ARGP_KEY_END:
		if (r->carry && r->path)
			argp_error(state, "--carry saves updates in a directory, see --dir; want no --output");
		if (r->carry && (has_filter(&r->o) || r->kho))
			argp_error(state, "--carry records everything until it is stopped; want no filter, duration or format with it");
		if (r->carry)
			return 0;
		if (r->dir)
			argp_error(state, "--dir is where --carry saves updates; want --carry");
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

/* The end that has the stacks may not be reached. */
static void on_frozen(struct record *r)
{
	if (r->o.until_frozen)
		r->stop = true;
	else if (r->o.tracer.stacks && !r->failed)
		write_line(r, json_pack("{ss, so}", "event", "stacks", "stacks",
					stacks_read(r->tracer, &r->names)));
}

static void on_event(const struct lt_event *e, void *data)
{
	struct record *r = data;

	if (e->type >= LT_NR_TYPES)
		return;
	if (!r->failed)
		write_line(r, event_json(e, r->start));
	if (e->type == LT_STATE && e->state.new == STATE_FROZEN)
		on_frozen(r);
	if (event_urgent(e))
		recording_sync(r->out);
}

static json_t *head_json(struct record *r, const struct probe *probe)
{
	json_t *head = json_head("record", probe);
	char name[HOST_NAME_LEN], id[HOST_ID_LEN];

	r->start = monotonic_ns();
	json_object_set_new(head, "event", json_string("start"));
	json_object_set_new(head, "host", host_name(name) ? fmt_json_name(name) :
							    json_null());
	json_object_set_new(head, "host_id", host_id(id) ? json_string(id) :
							   json_null());
	json_object_set_new(head, "trace_version",
			    json_integer(TRACE_FILE_VERSION));
	json_object_set_new(head, "wall_clock_ns",
			    json_integer(clock_ns(CLOCK_REALTIME)));
	json_object_set_new(head, "monotonic_ns", json_integer(r->start));
	return head;
}

static json_t *end_json(struct record *r, const struct probe *probe,
			const struct tracer_lost *lost,
			const struct observer *observer)
{
	struct latency latency = { .has_kho = probe->tracepoints[LT_KHO_PRESERVE] };
	struct update *u = NULL;
	json_t *end = json_object();

	local_update(probe, UPDATE_STORE_DIR, false, &u);
	json_object_set_new(end, "event", json_string("end"));
	json_object_set_new(end, "lost", json_lost(lost));
	json_object_set_new(end, "observer", observer_json(observer));
	json_object_set_new(end, "kho", latency.has_kho &&
			    !tracer_read_kho(r->tracer, latency.kho) ?
			    latency_kho_json(&latency) : json_null());
	if (r->o.tracer.stacks)
		json_object_set_new(end, "stacks", stacks_read(r->tracer, &r->names));
	tracer_read_folios(r->tracer, &latency.folios);
	json_object_set_new(end, "folios", latency_folios_json(&latency));
	trace_file_encode(u, end);
	free(u);
	return end;
}

static int record_run(struct record *r, const struct probe *probe)
{
	struct tracer_lost lost;
	struct observer observer;
	int ret = EXIT_FINDING;

	r->tracer = tracer_open(probe, &r->o.tracer, on_event, r);
	if (!r->tracer)
		return EXIT_CANNOT;
	if (!recording_publish(r->out))
		goto close;
	if (r->o.tracer.stacks)
		r->names = stacks_names();
	cmd_start_tracing();
	if (cmd_loop(r->tracer, r->o.duration_ms, &r->stop) == LOOP_ERROR)
		r->failed = true;
	tracer_read_lost(r->tracer, &lost);
	tracer_read_observer(r->tracer, &observer);
	if (!r->failed)
		write_line(r, end_json(r, probe, &lost, &observer));
	cmd_warn_lost(&lost);
	cmd_note_observer(&observer);
	if (!r->failed)
		ret = EXIT_FINE;

close:
	ksyms_free(r->names);
	tracer_close(r->tracer);
	return ret;
}

int cmd_record(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "output", 'o', "FILE", 0, "Output file, required without --carry", 0 },
		{ "kho", 'k', NULL, 0,
		  "Also memory that is preserved and restored (many lines)", 0 },
		{ "carry", KEY_CARRY, NULL, 0,
		  "Keep a black box that the next kernel gets", 0 },
		{ "dir", KEY_DIR, "DIR", 0,
		  "Save updates in DIR instead of " UPDATE_STORE_DIR, 0 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_trace_argp, 0, NULL, 0 },
		{ &cmd_stacks_argp, 0, NULL, 0 },
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

	if (r.carry)
		return carry_run(&probe, r.dir ? r.dir : UPDATE_STORE_DIR);
	r.o.tracer.stream = cmd_stream_mask(r.kho) & event_mask(&r.o.tracer);
	r.o.tracer.count_memory = true;
	r.o.tracer.count_folios = true;
	r.out = recording_new(r.path);
	if (!r.out)
		return EXIT_FINDING;
	write_line(&r, head_json(&r, &probe));
	ret = r.failed ? EXIT_FINDING : record_run(&r, &probe);
	if (!recording_close(r.out))
		ret = EXIT_FINDING;
	return ret;
}
