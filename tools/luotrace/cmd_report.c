// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "fmt.h"
#include "html.h"
#include "json.h"
#include "msg.h"
#include "otlp.h"
#include "perfetto.h"
#include "stacks.h"
#include "timeline.h"
#include "timeline_inside.h"
#include "trace_file.h"

#define MAX_FILES	16

static const char report_doc[] =
	"Shows what luotrace record has recorded, or an update that was saved.\v"
	"FILEs are the traces of one live update in order: of the old kernel, of the new "
	"one. NUMBER is an update that 'luotrace record --carry' saved, see luotrace timeline "
	"--list; FILE can be such an update, too. Without an option it prints text.\n\n"
	"Examples:\n"
	"  luotrace report before.luotrace after.luotrace\n"
	"  luotrace report --html -o page.html before.luotrace after.luotrace\n"
	"  luotrace report --html -o page.html 12\n"
	"  luotrace report --perfetto after.luotrace > trace.json\n"
	"  luotrace report --otlp before.luotrace after.luotrace > update.jsonl";

enum format { TEXT, JSON, HTML, PERFETTO, OTLP, FOLDED };

struct show {
	struct cmd_options o;
	enum format format;
	bool hist;
	const char *output;
	const char *dir;
	const char *paths[MAX_FILES];
	struct trace_file *traces[MAX_FILES];
	int nr;
};

enum { KEY_HTML = 1024, KEY_PERFETTO, KEY_OTLP, KEY_FOLDED, KEY_HIST, KEY_DIR };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct show *s = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &s->o;
		return 0;
	case KEY_HTML:
		s->format = HTML;
		return 0;
	case KEY_PERFETTO:
		s->format = PERFETTO;
		return 0;
	case KEY_OTLP:
		s->format = OTLP;
		return 0;
	case KEY_FOLDED:
		s->format = FOLDED;
		return 0;
	case KEY_HIST:
		s->hist = true;
		return 0;
	case KEY_DIR:
		s->dir = arg;
		return 0;
	case 'o':
		s->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (s->nr == MAX_FILES)
			argp_error(state, "too many files, want at most %d",
				   MAX_FILES);
		s->paths[s->nr++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (!s->nr)
			argp_error(state, "no file; want one that luotrace record wrote, or the number of an update");
		if (s->o.json && s->format == TEXT)
			s->format = JSON;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_head(const struct trace_file *t, FILE *f)
{
	char name[4 * LT_NAME_LEN + 1];
	const char *kernel = trace_file_kernel(t);
	uint64_t first, last;

	if (!t->head)
		return;
	trace_file_numbers(t, &first, &last);
	fprintf(f, "Trace of kernel %s: %zu event%s",
		kernel ? fmt_text(name, sizeof(name), kernel) : "-", t->events.nr,
		fmt_s(t->events.nr));
	if (first)
		fprintf(f, " of live update%s %llu", fmt_s(last - first + 1),
			(unsigned long long)first);
	if (last != first)
		fprintf(f, " to %llu", (unsigned long long)last);
	fprintf(f, "%s\n\n", t->ended ? "" : ", without an end");
}

static void print_one(const struct show *s, const struct trace_file *t, FILE *f)
{
	const struct liveupdate_recorder *r = trace_file_record(t);
	struct blackout b;

	print_head(t, f);
	if (r) {
		blackout_measure(r, &b);
		timeline_text(r, &b, timeline_steps(t->update),
			      cmd_color(&s->o) && f == stdout, f);
		fputc('\n', f);
	}
	if (t->head)
		latency_calls(&t->latency, s->hist, f);
}

/* Without the sessions. */
static json_t *one_json(const struct show *s, const struct trace_file *t)
{
	const struct liveupdate_recorder *r = trace_file_record(t);
	const char *kernel = trace_file_kernel(t);
	json_t *o = json_object();
	struct blackout b;

	latency_calls_json(&t->latency, s->hist, o);
	latency_failed_json(&t->latency, s->hist, o);
	json_object_set_new(o, "kernel", kernel ? fmt_json_text(kernel) :
						  json_null());
	json_object_set_new(o, "events", json_integer(t->events.nr));
	json_object_set_new(o, "ended", json_boolean(t->ended));
	if (r) {
		json_t *timeline = json_object();

		blackout_measure(r, &b);
		timeline_json(r, &b, timeline);
		timeline_steps_json(timeline_steps(t->update), timeline);
		timeline_inside_json(r, &b, timeline_steps(t->update), timeline);
		json_object_set_new(o, "timeline", timeline);
	}
	return o;
}

/* Of many sessions the objects would take more memory than all else. */
static void print_json(const struct show *s, FILE *f)
{
	json_t *one;
	int i;

	fprintf(f, "{\n \"schema\": %d,\n \"command\": \"report\",\n \"traces\": [",
		JSON_SCHEMA);
	for (i = 0; i < s->nr; i++) {
		one = one_json(s, s->traces[i]);
		fputs(i ? ", {" : "{", f);
		json_write(one, JSON_INDENT(1) | JSON_EMBED, f);
		json_decref(one);
		fputs(",\n \"sessions\": ", f);
		session_track_write(s->traces[i]->track, f);
		fputs("}", f);
	}
	fputs("]\n}\n", f);
}

static bool show(const void *data, FILE *f)
{
	const struct show *s = data;
	int i;

	switch (s->format) {
	case TEXT:
		for (i = 0; i < s->nr; i++)
			print_one(s, s->traces[i], f);
		return true;
	case HTML:
		html_page(s->traces, s->nr, f);
		return true;
	case PERFETTO:
		return perfetto_write(s->traces, s->nr, f);
	case OTLP:
		return otlp_write(s->traces, s->nr, f);
	case FOLDED:
		for (i = 0; i < s->nr; i++)
			stacks_folded(s->traces[i]->latency.stacks, f);
		return true;
	case JSON:
		print_json(s, f);
		return true;
	}
	return true;
}

static struct trace_file *read_one(const struct show *s, const char *arg)
{
	struct trace_file *t;
	unsigned int number;

	if (!update_store_number(arg, &number))
		return trace_file_read(arg);
	t = trace_file_update(update_store_load(s->dir, number));
	if (t)
		t->local = !strcmp(s->dir, UPDATE_STORE_DIR);
	return t;
}

int cmd_report(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "html", KEY_HTML, NULL, 0, "One HTML page with diagrams", 1 },
		{ "perfetto", KEY_PERFETTO, NULL, 0,
		  "A trace for ui.perfetto.dev", 1 },
		{ "otlp", KEY_OTLP, NULL, 0,
		  "Traces for an OpenTelemetry collector, JSON", 1 },
		{ "folded", KEY_FOLDED, NULL, 0,
		  "Stacks of long calls, a line each", 1 },
		{ "hist", KEY_HIST, NULL, 0, "Add histograms", 1 },
		{ "output", 'o', "FILE", 0, "Output file instead of stdout", 1 },
		{ "dir", KEY_DIR, "DIR", 0,
		  "Saved updates are in DIR instead of " UPDATE_STORE_DIR, 1 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, "FILE|NUMBER...", report_doc,
		children, NULL, NULL };
	struct show s = { .format = TEXT, .dir = UPDATE_STORE_DIR };
	int ret, i;

	ret = cmd_parse(&argp, argc, argv, &s);
	if (ret >= 0)
		return ret;
	for (i = 0; i < s.nr; i++) {
		s.traces[i] = read_one(&s, s.paths[i]);
		if (!s.traces[i])
			break;
	}
	ret = i < s.nr ? EXIT_CANNOT : cmd_write(s.output, show, &s);
	while (i--)
		trace_file_free(s.traces[i]);
	return ret;
}
