// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "json.h"
#include "msg.h"
#include "recorder.h"
#include "watch.h"

static const char audit_doc[] =
	"Shows what the previous kernel handed over and nothing has finished.\v"
	"Exit code 0 if nothing is leaked, 1 if something is. It also finds what happened "
	"before it was started.\n\n"
	"Examples:\n"
	"  luotrace audit                     what is unfinished, and what to do\n"
	"  luotrace audit --max-age 300       agents have five minutes\n"
	"  luotrace audit --json | jq .findings\n"
	"  luotrace audit --watch --exec 'logger -p err -- \"$LUOTRACE_TEXT\"'";

struct audit_cmd {
	struct cmd_options o;
	uint64_t max_age;
	bool files;
	bool watch;
	const char *exec;
	struct probe probe;
	int ret;
};

enum { KEY_MAX_AGE = 256, KEY_FILES, KEY_WATCH, KEY_EXEC };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct audit_cmd *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->o;
		return 0;
	case 's':
		c->o.tracer.session = cmd_parse_name(arg, INV_NAME_LEN, "session",
						     state);
		return 0;
	case 'd':
		c->o.duration_ms = 1000 * cmd_parse_number(arg, "seconds", 1000000,
							   state);
		return 0;
	case 't':
		c->o.timestamps = true;
		return 0;
	case KEY_MAX_AGE:
		c->max_age = 1000000000 * cmd_parse_number(arg, "seconds", 1000000000,
							   state);
		return 0;
	case KEY_FILES:
		c->files = true;
		return 0;
	case KEY_WATCH:
		c->watch = true;
		return 0;
	case KEY_EXEC:
		c->exec = arg;
		return 0;
	case ARGP_KEY_END:
		if (!c->watch && (c->exec || c->o.duration_ms || c->o.timestamps))
			argp_error(state, "--exec, --duration and --timestamps go with --watch");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int print(const struct audit_cmd *c, const struct audit *a)
{
	struct audit_sums sums;
	json_t *root;

	audit_sum(a, &sums);
	if (!c->o.json) {
		audit_text(a, &sums, cmd_color(&c->o), stdout);
	} else {
		root = json_head("audit", &c->probe);
		audit_json(a, &sums, root);
		if (!json_print(root, c->watch ? JSON_COMPACT : JSON_INDENT(2)))
			return EXIT_FINDING;
	}
	if (audit_unknown(a, &sums))
		return EXIT_CANNOT;
	/* A name that no session has is most often a typing error, and not clean. */
	if (!audit_found(a, &sums))
		return EXIT_USAGE;
	return sums.leaks ? EXIT_FINDING : EXIT_FINE;
}

/* The state of this moment: printed if @shown, passed to @use unless that is NULL. */
static bool audit_snapshot(void *ctx, bool shown,
			   void (*use)(const struct audit *a, void *data), void *data)
{
	struct audit_cmd *c = ctx;
	struct inventory inv = {};
	struct audit a = {
		.inv = &inv,
		.max_age = c->max_age,
		.session = c->o.tracer.session,
	};
	struct liveupdate_recorder *recorder;

	/* What luotrace recorded on another LUO has nothing of rejected entries. */
	if (recorder_load_local(&recorder) ||
	    inventory_read(&c->probe, &inv, enum_value(ENUM_DIR, "in"), !c->files)) {
		free(recorder);
		c->ret = EXIT_CANNOT;
		return false;
	}
	a.recorder = recorder;
	a.now = monotonic_ns();
	if (shown)
		c->ret = print(c, &a);
	if (use)
		use(&a, data);
	inventory_free(&inv);
	free(recorder);
	return c->ret != EXIT_USAGE;
}

static int audit_run(struct audit_cmd *c)
{
	const struct watch_options wo = {
		.o = &c->o,
		.exec = c->exec,
		.max_age = c->max_age,
		.audit = audit_snapshot,
		.ctx = c,
	};
	int ret;

	if (!c->watch) {
		audit_snapshot(c, true, NULL, NULL);
		return c->ret;
	}
	ret = watch_run(&wo, &c->probe);
	return c->ret == EXIT_FINE ? ret : c->ret;
}

int cmd_audit(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "session", 's', "NAME", 0, "Only this session", 1 },
		{ "max-age", KEY_MAX_AGE, "SECONDS", 0,
		  "A session may stay unclaimed, or be held, for this long",
		  1 },
		{ "files", KEY_FILES, NULL, 0,
		  "List every file, not only those with a problem",
		  1 },
		{ "watch", KEY_WATCH, NULL, 0,
		  "Keep running, and print each leak: the present ones, and new ones as they happen",
		  2 },
		{ "timestamps", 't', NULL, 0,
		  "Print the wall clock of each new leak, too", 2 },
		{ "exec", KEY_EXEC, "COMMAND", 0,
		  "Run this at each leak, for at most 30 s, with LUOTRACE_CLASS, _SESSION, _TOKEN and _TEXT in its environment",
		  2 },
		{ "duration", 'd', "SECONDS", 0, "Stop watching after this time",
		  2 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, NULL, audit_doc,
		children, NULL, NULL };
	struct audit_cmd c = {};
	const char *why_not;
	int ret;

	ret = cmd_parse(&argp, argc, argv, &c);
	if (ret >= 0)
		return ret;
	probe_kernel(&c.probe);
	why_not = probe_why_no_audit(&c.probe);
	if (!why_not && c.watch)
		why_not = c.probe.flavour == FLAVOUR_STOCK ?
			  "this kernel's Live Update Orchestrator has no trace events for leaks; run luotrace audit without --watch" :
			  probe_why_no_trace(&c.probe);
	if (why_not) {
		msg_error("%s", why_not);
		return EXIT_CANNOT;
	}
	return audit_run(&c);
}
