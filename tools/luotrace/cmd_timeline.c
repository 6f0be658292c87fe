// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "msg.h"
#include "recorder.h"
#include "timeline.h"

static const char timeline_doc[] =
	"Shows where the blackout of the last live update went.\v"
	"Reads what LUO itself recorded in both kernels; no tool has to run during the "
	"update. FILE is a copy of " RECORDER_PATH ".\n\n"
	"Examples:\n"
	"  luotrace timeline                  after a live update\n"
	"  luotrace timeline --json | jq .blackout_ns\n"
	"  luotrace timeline saved-record     of another machine";

struct timeline {
	struct cmd_options o;
	const char *path;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct timeline *t = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &t->o;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "too many arguments, want one FILE");
		t->path = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int timeline_show(const struct timeline *t,
			 const struct liveupdate_recorder *r)
{
	struct blackout b;
	struct probe probe;
	json_t *root;
	int ret;

	if (!r->last_in.number) {
		msg_error("%s", recorder_unread_reason(r) ? RECORDER_UNREAD :
			  "this kernel was not booted by a live update, so it has no timeline");
		return EXIT_CANNOT;
	}
	blackout_measure(r, &b);
	if (!t->o.json) {
		timeline_text(r, &b, cmd_color(&t->o), stdout);
		return timeline_failed(r) ? EXIT_FINDING : EXIT_FINE;
	}
	probe_kernel(&probe);
	root = json_head("timeline", &probe);
	timeline_json(r, &b, root);
	ret = json_print(root, JSON_INDENT(2)) ? EXIT_FINE : EXIT_FINDING;
	return ret == EXIT_FINE && timeline_failed(r) ? EXIT_FINDING : ret;
}

int cmd_timeline(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { NULL, parse, "[FILE]", timeline_doc,
		children, NULL, NULL };
	struct timeline t = { 0 };
	struct liveupdate_recorder *r;
	int ret;

	ret = cmd_parse(&argp, argc, argv, &t);
	if (ret >= 0)
		return ret;

	if (!t.path && access(RECORDER_PATH, F_OK)) {
		msg_error(RECORDER_PATH " is missing; it needs a kernel with LUO and its recorder, booted with liveupdate=on");
		return EXIT_CANNOT;
	}
	r = recorder_load(t.path ? t.path : RECORDER_PATH);
	if (!r)
		return EXIT_CANNOT;
	ret = timeline_show(&t, r);
	free(r);
	return ret;
}
