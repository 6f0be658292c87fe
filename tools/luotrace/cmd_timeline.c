// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "budget.h"
#include "cmd.h"
#include "fmt.h"
#include "json.h"
#include "local_update.h"
#include "msg.h"
#include "recorder.h"
#include "start.h"
#include "timeline.h"
#include "timeline_inside.h"
#include "timeline_steps.h"

static const char timeline_doc[] =
	"Shows where the blackout of the last live update went.\v"
	"Reads what LUO itself recorded in both kernels, or, on a kernel whose LUO has no "
	"recorder, what the black box did, see luotrace-record(8). NUMBER is an update that was saved, see "
	"--list. FILE is a copy of " RECORDER_PATH ", or of a saved update.\n\n"
	"Examples:\n"
	"  luotrace timeline                  after a live update\n"
	"  luotrace timeline --json | jq .blackout_ns\n"
	"  luotrace timeline --list           updates that were saved\n"
	"  luotrace timeline 12               one of them\n"
	"  luotrace timeline --max-blackout 2s --max-phase 'kernel init=1.5s'\n"
	"  luotrace timeline saved-record     of another machine";

enum { KEY_LIST = 256, KEY_DIR, KEY_AGENT, KEY_MAX_BLACKOUT, KEY_MAX_FREEZE, KEY_MAX_PHASE };

struct timeline {
	struct cmd_options o;
	const char *arg;
	const char *dir;
	bool list;
	struct budgets budgets;
	struct probe probe;
};

static void add_budget(struct timeline *t, enum budget_of of, const char *arg,
		       const struct argp_state *state)
{
	const char *why = budget_add(&t->budgets, of, arg);

	if (why)
		argp_error(state, "%s", why);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct timeline *t = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &t->o;
		return 0;
	case KEY_LIST:
		t->list = true;
		return 0;
	case KEY_DIR:
		t->dir = arg;
		return 0;
	case KEY_MAX_BLACKOUT:
	case KEY_MAX_FREEZE:
	case KEY_MAX_PHASE:
		add_budget(t, key - KEY_MAX_BLACKOUT + BUDGET_BLACKOUT, arg, state);
		return 0;
	case KEY_AGENT:
		if (!start_agent_set(arg))
			argp_error(state, "'%s' is not the name of a unit", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "too many arguments, want one NUMBER or FILE");
		t->arg = arg;
		return 0;
	case ARGP_KEY_END:
		if (t->list && t->arg)
			argp_error(state, "--list shows all updates; want no NUMBER or FILE with it");
		if (t->list && t->budgets.n)
			argp_error(state, "--list shows all updates; want no budget with it");
		if (start_agent_given() && (t->list || t->arg))
			argp_error(state, "--agent asks this system; want no --list, NUMBER or FILE with it");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Why there is nothing to show. */
static int report_none(const struct timeline *t)
{
	if (t->probe.flavour == FLAVOUR_STOCK)
		msg_error("nothing recorded the live update that booted this kernel, if one did; 'luotrace record --carry' has to run in the kernel before, see luotrace-box.service");
	else
		msg_error(RECORDER_PATH " is missing; it needs a kernel with LUO and its recorder, booted with liveupdate=on");
	return EXIT_CANNOT;
}

/* Say which budgets are not kept, add all verdicts to @root, if there is one. */
static int check_budgets(const struct timeline *t, const struct update *u,
			 const struct blackout *b, json_t *root)
{
	json_t *all = root ? json_array() : NULL;
	char text[2 * TIMELINE_TEXT];
	struct budget_result result;
	int ret = EXIT_FINE, i;

	for (i = 0; i < t->budgets.n; i++) {
		budget_check(&t->budgets.all[i], &u->record, b, timeline_steps(u), &result);
		if (root)
			json_array_append_new(all, budget_json(&t->budgets.all[i], &result));
		if (result.verdict == BUDGET_KEPT)
			continue;
		ret = EXIT_BUDGET;
		/* The last lines of a terminal that has both outputs. */
		fflush(stdout);
		msg_error("%s", budget_sentence(&t->budgets.all[i], &result, text));
	}
	if (root)
		json_object_set_new(root, "budgets", all);
	return ret;
}

static int timeline_show(const struct timeline *t, const struct update *u)
{
	const struct liveupdate_recorder *r = &u->record;
	int failed = timeline_failed(r) ? EXIT_FINDING : EXIT_FINE, ret;
	struct blackout b;
	json_t *root;

	if (!update_present(u)) {
		msg_error("%s", recorder_unread_reason(r) ? RECORDER_UNREAD :
			  "this kernel was not booted by a live update, so it has no timeline");
		return EXIT_CANNOT;
	}
	blackout_measure(r, &b);
	if (!t->o.json) {
		timeline_text(r, &b, timeline_steps(u), cmd_color(&t->o), stdout);
		ret = check_budgets(t, u, &b, NULL);
		return ret == EXIT_FINE ? failed : ret;
	}
	root = json_head("timeline", &t->probe);
	timeline_json(r, &b, root);
	timeline_steps_json(timeline_steps(u), root);
	timeline_inside_json(r, &b, timeline_steps(u), root);
	ret = check_budgets(t, u, &b, root);
	if (!json_print(root, JSON_INDENT(2)))
		return EXIT_FINDING;
	return ret == EXIT_FINE ? failed : ret;
}

/* The update that was asked for; NULL after a message. */
static struct update *load(const struct timeline *t)
{
	struct liveupdate_recorder *r;
	unsigned int number;
	struct update *u;

	if (!t->arg) {
		if (local_update(&t->probe, t->dir, true, &u))
			return NULL;
		if (!u)
			report_none(t);
		return u;
	}
	if (update_store_number(t->arg, &number))
		return update_store_load(t->dir, number);
	if (update_store_is_update(t->arg))
		return update_store_load_file(t->arg);
	r = recorder_load(t->arg);
	u = r ? calloc(1, sizeof(*u)) : NULL;
	if (u)
		u->record = *r;
	else if (r)
		msg_error("out of memory");
	free(r);
	return u;
}

static void list_text(unsigned int number, const struct update *u)
{
	char when[32], total[FMT_LEN], freeze[FMT_LEN], name[4 * 64 + 1], to[4 * 64 + 1];
	const struct liveupdate_recorder *r = &u->record;
	time_t stored = u->stored_ns / 1000000000;
	struct blackout b;
	struct tm tm;

	blackout_measure(r, &b);
	strftime(when, sizeof(when), "%F %T UTC", gmtime_r(&stored, &tm));
	printf("%6u  %s  %8s%s  %8s  %s -> %s\n", number, when, fmt_ns(total, b.total),
	       b.whole ? " " : "+",
	       b.known[SPAN_FREEZE] ? fmt_ns(freeze, b.ns[SPAN_FREEZE]) : "-",
	       recorder_present(&r->last_out) ?
	       fmt_name(name, sizeof(name), r->last_out.release) : "-",
	       fmt_name(to, sizeof(to), r->last_in.release));
}

static json_t *known_json(bool known, uint64_t ns)
{
	return known ? json_integer(ns) : json_null();
}

static json_t *release_json(const struct liveupdate_recorder_part *p)
{
	return recorder_present(p) ? fmt_json_name(p->release) : json_null();
}

static json_t *list_json(unsigned int number, const struct update *u)
{
	const struct liveupdate_recorder *r = &u->record;
	struct blackout b;

	blackout_measure(r, &b);
	return json_pack("{si, sI, so, sI, so, so, so}", "number", number, "stored_ns",
			 (json_int_t)u->stored_ns, "blackout_ns",
			 known_json(b.whole, b.total), "known_ns", (json_int_t)b.total,
			 "freeze_ns", known_json(b.known[SPAN_FREEZE], b.ns[SPAN_FREEZE]),
			 "old_release", release_json(&r->last_out), "new_release",
			 release_json(&r->last_in));
}

static int timeline_list(const struct timeline *t)
{
	unsigned int numbers[UPDATE_STORE_MAX];
	int n = update_store_list(t->dir, numbers), i, ret = EXIT_FINE;
	json_t *all = t->o.json ? json_array() : NULL, *root;
	struct update *u;

	if (n < 0)
		return EXIT_CANNOT;
	if (!t->o.json)
		printf("%s", n ? "number  saved                    blackout     freeze  kernels\n" :
				 "no update is saved\n");
	for (i = 0; i < n; i++) {
		u = update_store_load(t->dir, numbers[i]);
		if (!u)
			ret = EXIT_FINDING;
		else if (t->o.json)
			json_array_append_new(all, list_json(numbers[i], u));
		else
			list_text(numbers[i], u);
		free(u);
	}
	if (!t->o.json)
		return ret;
	root = json_head("timeline-list", &t->probe);
	json_object_set_new(root, "updates", all);
	return json_print(root, JSON_INDENT(2)) ? ret : EXIT_FINDING;
}

int cmd_timeline(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "list", KEY_LIST, NULL, 0, "List the updates that were saved", 0 },
		{ "dir", KEY_DIR, "DIR", 0,
		  "Saved updates are in DIR instead of " UPDATE_STORE_DIR, 0 },
		{ "agent", KEY_AGENT, "UNIT", 0,
		  "Show what systemd did before it started UNIT, which the agent is of", 0 },
		{ "max-blackout", KEY_MAX_BLACKOUT, "TIME", 0,
		  "End with 4 if the blackout took longer, such as 2s or 800ms", 1 },
		{ "max-freeze", KEY_MAX_FREEZE, "TIME", 0,
		  "The same of the freeze window", 1 },
		{ "max-phase", KEY_MAX_PHASE, "NAME=TIME", 0,
		  "The same of a phase; can be given again", 1 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, "[NUMBER|FILE]", timeline_doc,
		children, NULL, NULL };
	struct timeline t = { .dir = UPDATE_STORE_DIR };
	struct update *u;
	int ret;

	ret = cmd_parse(&argp, argc, argv, &t);
	if (ret >= 0)
		return ret;
	probe_kernel(&t.probe);
	if (t.list)
		return timeline_list(&t);
	u = load(&t);
	if (!u)
		return EXIT_CANNOT;
	ret = timeline_show(&t, u);
	free(u);
	return ret;
}
