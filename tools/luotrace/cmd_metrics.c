// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "json.h"
#include "local_update.h"
#include "metrics.h"
#include "msg.h"
#include "textfile.h"

#define SYSFS		"/sys/kernel/liveupdate/"

static const char metrics_doc[] =
	"Writes what is known about live updates as metrics, in the text format of "
	"OpenMetrics.\v"
	"--textfile is for the node exporter's textfile collector: the file is replaced "
	"atomically. FILE is a copy of " RECORDER_PATH ", for metrics of what "
	"another machine recorded.\n\n"
	"Examples:\n"
	"  luotrace metrics\n"
	"  luotrace metrics --textfile /var/lib/prometheus/node-exporter/luo.prom";

struct metrics_cmd {
	struct cmd_options o;
	const char *textfile;
	const char *path;
	uint64_t max_age;
};

enum { KEY_TEXTFILE = 256, KEY_MAX_AGE };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct metrics_cmd *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->o;
		return 0;
	case KEY_TEXTFILE:
		c->textfile = arg;
		return 0;
	case KEY_MAX_AGE:
		c->max_age = 1000000000 * cmd_parse_number(arg, "seconds", 1000000000,
							   state);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "too many arguments, want one FILE");
		c->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (c->o.json && c->textfile)
			argp_error(state, "--textfile is for a collector that does not read --json");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A short file of sysfs without its end of line; "" if it cannot be read. */
static void read_word(const char *path, char *to, int size)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(to, size, f))
		*to = '\0';
	to[strcspn(to, "\n")] = '\0';
	if (f)
		fclose(f);
}

static bool write_metrics(const void *data, FILE *f)
{
	metrics_write(data, f);
	return true;
}

static int print_json(const struct metrics *m)
{
	json_t *root = json_head("metrics", m->probe);
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	if (!f) {
		msg_error("out of memory");
		json_decref(root);
		return EXIT_FINDING;
	}
	metrics_write(m, f);
	fclose(f);
	json_object_set_new(root, "metrics", metrics_json(text));
	free(text);
	return json_print(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) ?
	       EXIT_FINE : EXIT_FINDING;
}

/* All that can be read of this machine. */
static int gather(struct metrics *m, struct audit *a, struct inventory *in,
		  struct inventory *out)
{
	const char *why_not = probe_why_no_audit(m->probe);
	char number[32];

	read_word(SYSFS "state", m->state, sizeof(m->state));
	read_word(SYSFS "number", number, sizeof(number));
	m->number = *number ? atoll(number) : -1;
	if (!why_not) {
		if (inventory_read(m->probe, in, enum_value(ENUM_DIR, "in"), false) ||
		    inventory_read(m->probe, out, enum_value(ENUM_DIR, "out"), true))
			return EXIT_CANNOT;
		/* Figures of some sessions would be taken for those of all. */
		if (in->torn || out->torn)
			return EXIT_CANNOT;
		a->inv = in;
		m->outgoing = out;
	} else if (!a->recorder) {
		msg_error("%s", why_not);
		return EXIT_CANNOT;
	} else {
		msg_note("without sessions: %s", why_not);
	}
	return EXIT_FINE;
}

static int metrics_run(struct metrics_cmd *c, const struct probe *probe)
{
	struct audit a = { .max_age = c->max_age, .now = monotonic_ns() };
	/* Metrics of another machine's record are of that machine's kernel. */
	struct probe named = *probe;
	struct metrics m = { .probe = &named, .audit = &a, .number = -1 };
	struct inventory in = {}, out = {};
	struct liveupdate_recorder *r = NULL;
	int ret = EXIT_FINE;

	if (c->path)
		r = recorder_load(c->path);
	if (c->path ? !r : local_update_record(probe, &r))
		return EXIT_CANNOT;
	a.recorder = r;
	if (c->path)
		memcpy(named.release, r->last_in.release, sizeof(r->last_in.release));
	if (!c->path)
		ret = gather(&m, &a, &in, &out);
	if (ret == EXIT_FINE && c->textfile)
		ret = textfile_replace(c->textfile, TEXTFILE_METRICS, write_metrics, &m) ?
		      EXIT_FINE : EXIT_FINDING;
	else if (ret == EXIT_FINE && c->o.json)
		ret = print_json(&m);
	else if (ret == EXIT_FINE)
		metrics_write(&m, stdout);
	inventory_free(&in);
	inventory_free(&out);
	free(r);
	return ret;
}

int cmd_metrics(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "textfile", KEY_TEXTFILE, "PATH", 0,
		  "Write to this file, which is replaced atomically", 1 },
		{ "max-age", KEY_MAX_AGE, "SECONDS", 0,
		  "As in luotrace audit: how long a session may stay unclaimed, or be held", 1 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, "[FILE]", metrics_doc,
		children, NULL, NULL };
	struct metrics_cmd c = {};
	struct probe probe;
	int ret;

	ret = cmd_parse(&argp, argc, argv, &c);
	if (ret >= 0)
		return ret;
	probe_kernel(&probe);
	return metrics_run(&c, &probe);
}
