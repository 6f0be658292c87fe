// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "json.h"
#include "msg.h"
#include "top.h"
#include "top_screen.h"
#include "top_view.h"

/* Until the first reading, and until it is looked whether to stop. */
#define FIRST_MS	200
#define KEY_MS		100

static const char top_doc[] =
	"Shows the calls that tasks are in at this moment: how long already, and what they "
	"wait for; and how many calls have ended, by handler.\v"
	"Shows it anew every INTERVAL seconds (1), COUNT times. On a terminal: q ends it, "
	"s sorts by the next column, p pauses. STATE is that of ps: R runs or waits for a "
	"CPU, S and D sleep, in the function of the kernel that follows.\n\n"
	"Examples:\n"
	"  luotrace top                    on a terminal\n"
	"  luotrace top --once             what hangs?\n"
	"  luotrace top -b 10 >> top.log   every ten seconds\n"
	"  luotrace top --json 5 | jq -c '.in_flight[] | [.age_ns, .task.stack]'";

struct top_cmd {
	struct cmd_options o;
	struct top_view view;
	bool batch;
	uint64_t interval_ms;
	uint64_t count;
	bool frozen;
	struct tracer *t;
	struct top_reader *reader;
	const struct probe *probe;
};

static void on_event(const struct lt_event *e, void *data)
{
	struct top_cmd *cmd = data;

	if (e->type == LT_STATE && e->state.new == STATE_FROZEN)
		cmd->frozen = true;
}

static enum top_sort parse_sort(const char *arg, struct argp_state *state)
{
	int i;

	for (i = 0; i < TOP_NR_SORTS; i++) {
		if (!strcmp(top_sort_name(i), arg))
			return i;
	}
	argp_error(state, "cannot sort by '%s', want age, task, session or handler", arg);
	return TOP_BY_AGE;
}

enum { KEY_SORT = 512, KEY_ONCE };

static void parse_argument(struct top_cmd *cmd, const char *arg, struct argp_state *state)
{
	if (state->arg_num > 1)
		argp_error(state, "too many arguments, want INTERVAL [COUNT]");
	if (state->arg_num)
		cmd->count = cmd_parse_number(arg, "times", 1000000, state);
	else
		cmd->interval_ms = 1000 * cmd_parse_number(arg, "seconds", 1000000,
							   state);
	if (state->arg_num ? !cmd->count : !cmd->interval_ms)
		argp_error(state, state->arg_num ? "COUNT is at least 1" :
			   "INTERVAL is at least 1 second");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top_cmd *cmd = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &cmd->o;
		return 0;
	case 'b':
		cmd->batch = true;
		return 0;
	case KEY_ONCE:
		cmd->batch = true;
		cmd->count = 1;
		return 0;
	case KEY_SORT:
		cmd->view.sort = parse_sort(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		parse_argument(cmd, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (cmd->o.tracer.errors)
			argp_error(state, "a call in flight has no result yet; want no --errors");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Whether to go on after @n readings. */
static bool goes_on(const struct top_cmd *cmd, uint64_t n)
{
	return !(cmd->count && n == cmd->count) && !cmd_signalled() &&
	       !(cmd->o.until_frozen && cmd->frozen);
}

static int print(const struct top_cmd *cmd, struct top *top)
{
	json_t *root;

	top_order(top, cmd->view.sort);
	if (cmd->o.json) {
		root = json_head("top", cmd->probe);
		top_json(top, root);
		return json_print(root, JSON_COMPACT) ? EXIT_FINE : EXIT_FINDING;
	}
	top_text(top, &cmd->view, stdout);
	putchar('\n');
	return cmd_flush();
}

static int run_batch(struct top_cmd *cmd)
{
	uint64_t left = cmd->o.duration_ms, wait, n = 0;
	struct tracer_lost lost = {};
	struct top top = {};
	int ret;

	do {
		wait = cmd->interval_ms;
		if (left && left < wait)
			wait = left;
		if (cmd_loop(cmd->t, wait, cmd->o.until_frozen ? &cmd->frozen : NULL) ==
		    LOOP_ERROR || !top_read(cmd->reader, &top))
			return EXIT_FINDING;
		ret = print(cmd, &top);
		lost = top.lost;
		top_free(&top);
		left -= cmd->o.duration_ms ? wait : 0;
		n++;
	} while (ret == EXIT_FINE && goes_on(cmd, n) && !(cmd->o.duration_ms && !left));
	cmd_warn_lost(&lost);
	return ret;
}

static bool draw(struct top_cmd *cmd, struct top *top)
{
	char last[128], *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return false;
	/* The last line is for the keys. */
	cmd->view.columns = top_screen_columns();
	cmd->view.lines = top_screen_lines() - 1;
	top_order(top, cmd->view.sort);
	top_text(top, &cmd->view, f);
	fclose(f);
	snprintf(last, sizeof(last), "q quit  s sort (by %s)  p %s",
		 top_sort_name(cmd->view.sort), cmd->view.paused ? "go on" : "pause");
	top_screen_draw(text, last);
	free(text);
	return true;
}

/* Handle a key. Returns whether to draw again. */
static bool on_key(struct top_cmd *cmd, int key)
{
	if (key == 's')
		cmd->view.sort = (cmd->view.sort + 1) % TOP_NR_SORTS;
	else if (key == 'p' || key == ' ')
		cmd->view.paused = !cmd->view.paused;
	return key != TOP_NO_KEY;
}

static uint64_t now_ms(void)
{
	return monotonic_ns() / 1000000;
}

static int run_screen(struct top_cmd *cmd)
{
	uint64_t now = now_ms(), next = now + FIRST_MS, n = 0;
	uint64_t end = cmd->o.duration_ms ? now + cmd->o.duration_ms : UINT64_MAX;
	struct top top = {}, read;
	bool changed = true, ok = true;
	int key = TOP_NO_KEY;

	while (ok && goes_on(cmd, n) && key != 'q' && now < end) {
		if (now >= next && !cmd->view.paused) {
			ok = top_read(cmd->reader, &read);
			if (!ok)
				break;
			top_free(&top);
			top = read;
			next = now + cmd->interval_ms;
			changed = true;
			n++;
		}
		ok = !(changed && n) || draw(cmd, &top);
		key = top_screen_key(KEY_MS);
		changed = on_key(cmd, key);
		tracer_poll(cmd->t, 0);
		now = now_ms();
	}
	top_screen_close();
	cmd_warn_lost(&top.lost);
	top_free(&top);
	return ok ? EXIT_FINE : EXIT_FINDING;
}

static int top_run(struct top_cmd *cmd)
{
	int ret = EXIT_CANNOT;

	cmd->t = tracer_open(cmd->probe, &cmd->o.tracer, on_event, cmd);
	if (!cmd->t)
		return EXIT_CANNOT;
	cmd->reader = top_open(cmd->t, cmd->probe, &cmd->o.tracer);
	if (cmd->reader && cmd->batch) {
		setvbuf(stdout, NULL, _IOLBF, 0);
		cmd_start_tracing();
		ret = run_batch(cmd);
	} else if (cmd->reader) {
		cmd_start_tracing();
		if (top_screen_open(cmd_color(&cmd->o)))
			ret = run_screen(cmd);
	}
	top_close(cmd->reader);
	tracer_close(cmd->t);
	return ret;
}

int cmd_top(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "batch", 'b', NULL, 0,
		  "Print, as it is without a terminal; names are not cut", 3 },
		{ "once", KEY_ONCE, NULL, 0, "Print once, after an INTERVAL", 3 },
		{ "sort", KEY_SORT, "WHAT", 0,
		  "Sort by age (default), task, session or handler", 3 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_trace_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, "[INTERVAL [COUNT]]",
		top_doc, children, NULL, NULL };
	struct top_cmd cmd = {
		.interval_ms = 1000,
		.o.tracer = {
			.ops = TRACER_ALL_OPS,
			.count_calls = true,
			.keep_flights = true,
			.stream = 1U << LT_STATE,
		},
	};
	struct probe probe;
	int ret;

	ret = cmd_parse_traced(&argp, argc, argv, &cmd, &probe);
	if (ret >= 0)
		return ret;
	cmd.probe = &probe;
	cmd.batch |= cmd.o.json || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	return top_run(&cmd);
}
