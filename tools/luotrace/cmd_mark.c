// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "enum_name.h"
#include "fmt.h"
#include "inventory.h"
#include "json.h"
#include "luotrace_mark.h"
#include "msg.h"
#include "recorder.h"

#define NAME_BUF	(4 * LUOTRACE_MARK_NAME + 1)

static const char mark_doc[] =
	"Marks a workload as paused or resumed, so that the timeline of a live update says "
	"how long it stood still.\v"
	"SESSION is the name of the workload; the name of its session is best. Agents that "
	"are programs include luotrace_mark.h instead.\n\n"
	"Exit code 0 if the mark is accepted, 1 if it was rejected, 3 if nothing here "
	"records marks.\n\n"
	"Examples:\n"
	"  luotrace mark vm-large paused      before the reboot\n"
	"  luotrace mark vm-large resumed     in the new kernel\n"
	"  luotrace timeline                  vm-large stood still for 3.41s";

struct mark {
	struct cmd_options o;
	const char *name;
	const char *word;
	bool paused;
};

static void parse_word(struct mark *m, const char *arg, const struct argp_state *state)
{
	if (strcmp(arg, "paused") && strcmp(arg, "resumed"))
		argp_error(state, "'%s' is neither paused nor resumed", arg);
	m->word = arg;
	m->paused = !strcmp(arg, "paused");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct mark *m = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &m->o;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "too many arguments, want SESSION paused|resumed");
		if (state->arg_num)
			parse_word(m, arg, state);
		else
			m->name = cmd_parse_name(arg, LUOTRACE_MARK_NAME, "workload", state);
		if (strchr(m->name, '\n'))
			argp_error(state, "the name of a workload has no newline");
		return 0;
	case ARGP_KEY_END:
		if (!m->word)
			argp_error(state, "want SESSION paused|resumed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Report why the mark is not recorded. */
static int report(const struct mark *m, int err)
{
	char name[NAME_BUF];

	fmt_name(name, sizeof(name), m->name);
	switch (-err) {
	case EOPNOTSUPP:
		msg_error("nothing records marks here: " LUOTRACE_MARK_FILE " is missing, which needs a kernel with LUO and its recorder, booted with liveupdate=on; nor does 'luotrace record --carry' run, which listens on " LUOTRACE_MARK_SOCKET);
		return EXIT_CANNOT;
	case ENODEV:
		msg_error("nothing records marks here: this kernel has no record, as memory was short at boot");
		return EXIT_CANNOT;
	case EACCES:
	case EPERM:
		msg_error("cannot mark %s: %s; run luotrace as root", name, strerror(-err));
		return EXIT_CANNOT;
	case ENOENT:
		msg_error("%s is not paused, and this kernel was not booted by a live update: nothing is recorded",
			  name);
		return EXIT_FINDING;
	case ENOSPC:
		msg_error("the record has room for %d workloads, %s is not one of them",
			  LIVEUPDATE_RECORDER_PAUSES, name);
		return EXIT_FINDING;
	default:
		msg_error("cannot mark %s: %s", name, strerror(-err));
		return EXIT_FINDING;
	}
}

/* A name that no session has can be a mistake. */
static void warn_no_session(const struct mark *m, const struct probe *probe)
{
	struct inventory inv = {};
	char name[NAME_BUF];
	bool found = false;
	size_t i;

	if (probe_why_no_audit(probe) ||
	    inventory_read(probe, &inv, enum_value(ENUM_DIR, "out"), false))
		return;
	for (i = 0; i < inv.nr_sessions && !found; i++)
		found = !strcmp(inv.sessions[i].name, m->name);
	if (!found)
		msg_note("no outgoing session is named %s; its pause is recorded all the same",
			 fmt_name(name, sizeof(name), m->name));
	inventory_free(&inv);
}

static bool has_pause(const struct liveupdate_recorder_part *p, const char *workload)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		if (!strcmp(p->pauses[i].name, workload))
			return true;
	}
	return false;
}

/* So can one that is marked in the new kernel only. */
static void warn_not_paused(const struct mark *m)
{
	struct liveupdate_recorder *r;
	char name[NAME_BUF];

	if (recorder_load_local(&r) || !r)
		return;
	if (recorder_present(&r->last_out) && has_pause(&r->last_in, m->name) &&
	    !has_pause(&r->last_out, m->name))
		msg_note("%s was not marked as paused in the previous kernel: how long it stood still stays unknown",
			 fmt_name(name, sizeof(name), m->name));
	free(r);
}

static int mark_json(const struct mark *m, const struct probe *probe, bool by_kernel)
{
	json_t *root = json_head("mark", probe);

	json_object_set_new(root, "workload", fmt_json_name(m->name));
	json_object_set_new(root, "mark", json_string(m->word));
	json_object_set_new(root, "recorded_by",
			    json_string(by_kernel ? "kernel" : "box"));
	return json_print(root, JSON_INDENT(2)) ? EXIT_FINE : EXIT_FINDING;
}

int cmd_mark(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { NULL, parse, "SESSION paused|resumed", mark_doc,
		children, NULL, NULL };
	struct mark m = {};
	struct probe probe;
	bool by_kernel;
	int ret, err;

	ret = cmd_parse(&argp, argc, argv, &m);
	if (ret >= 0)
		return ret;

	err = luotrace_mark(m.name, m.paused);
	if (err)
		return report(&m, err);

	/* The agent may wait: nothing that takes long, unless somebody reads it. */
	by_kernel = !access(LUOTRACE_MARK_FILE, F_OK);
	if (msg_quiet && !m.o.json)
		return EXIT_FINE;
	probe_kernel(&probe);
	if (by_kernel && !msg_quiet) {
		if (m.paused)
			warn_no_session(&m, &probe);
		else
			warn_not_paused(&m);
	}
	return m.o.json ? mark_json(&m, &probe, by_kernel) : EXIT_FINE;
}
