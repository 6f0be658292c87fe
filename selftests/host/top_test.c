// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace top on terminals of 80 and of 200 columns, what it reads of tasks, and the cost of
 * tracing, as TAP.
 *
 *	top_test json	a line of JSON for each sample, for schema_test
 *	top_test screen	a sample on this terminal, until q is pressed
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fmt.h"
#include "hist.h"
#include "json.h"
#include "tap.h"
#include "task_state.h"
#include "top.h"
#include "top_screen.h"
#include "top_view.h"

#define MANY	200

/* Terminals, and how many lines a call takes on each. */
static const struct {
	int columns, each;
} terminals[] = { { 80, 2 }, { 200, 1 } };

static struct top_call calls[MANY] = {
	{
		.known = true, .age_ns = 12340000000, .ran = -1,
		.call = { .ts = 1, .token = 42, .op = 7, .pid = 310, .tid = 311,
			  .comm = "luo_agentd", .session = "vm-large",
			  .compatible = "memfd-v2" },
		.task = { .seen = TASK_SEEN, .state = 'D', .cpu = 1, .frames = 3,
			  .stack = { "msleep", "memfd_luo_retrieve", "luo_call_run" } },
	}, {
		/* A name that would move the cursor, wide letters, the largest token. */
		.known = true, .age_ns = 1500000, .ran = 0.974,
		.call = { .ts = 2, .token = UINT64_MAX, .op = 5, .pid = 4000000,
			  .tid = 4000000, .comm = "a) R\x1b[2J",
			  .session = "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"
				     "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"
				     "\xe6\xbc\xa2 \xff",
			  .compatible = "\x1b[31mred" },
		.task = { .seen = TASK_SEEN, .state = 'R', .cpu = 3, .ran = true },
	}, {
		.known = true, .age_ns = 1000, .ran = -1,
		.call = { .ts = 3, .kind = LT_SUBSYSTEM, .op = 3, .pid = 1, .tid = 1,
			  .comm = "init", .compatible = "luo-recorder" },
		.task = { .seen = TASK_GONE },
	}, {
		.known = false, .age_ns = 61000000000, .ran = -1,
		.call = { .pid = 77, .tid = 78 },
		.task = { .seen = TASK_SEEN, .state = 'S', .cpu = 0, .frames = 1,
			  .stack = { "do_wait" } },
	},
};

static struct tracer_row rows[] = {
	{ .key = { .op = 1, .name = "memfd-v2" } },
	{ .key = { .op = 3, .kind = LT_SUBSYSTEM, .name = "luo recorder" } },
};

static struct top sample = {
	.interval_ns = 2000000000,
	.calls = calls, .nr_calls = 4,
	.rows = rows, .nr_rows = 2,
	.observer = { 2000000, 26, 2000000000 },
};

static void fill_rows(void)
{
	int i;

	if (rows[0].calls.count)
		return;
	for (i = 0; i < 25; i++)
		hist_count(&rows[0].calls, 1000000, i == 7 ? -ENOMEM : 0);
	hist_count(&rows[1].calls, 83, 0);
}

static char *render(const struct top *top, struct top_view view)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	top_text(top, &view, f);
	fclose(f);
	return text;
}

static const char *const want80 =
	"4 in flight, 1 from before luotrace; 26 ended in 2.00s, 1 failed\n"
	"\n"
	"    AGE TASK               SESSION             TOKEN HANDLER       OPERATION\n"
	" >1m01s ?/78               ?                       ? ?             ?\n"
	"        S do_wait\n"
	"  12.3s luo_agentd/311     vm-large               42 memfd-v2      retrieve\n"
	"        D msleep < memfd_luo_retrieve < luo_call_run\n"
	" 1.50ms a)\\x20R\\x1b[2J/40+ \xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"
	"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2+ 184467+ \\x1b[31mred   freeze\n"
	"        R CPU 3, ran 97 %\n"
	" 1.00us init/1             -                       - luo-recorder  prepare\n"
	"        task is gone\n"
	"\n"
	"HANDLER                OPERATION      CALLS/S ERRORS     AVG     P99     MAX\n"
	"memfd-v2               preserve          12.5      1  1.00ms  1.00ms  1.00ms\n"
	"luo\\x20recorder (subs+ prepare            0.5      0    83ns    83ns    83ns\n"
	"\n"
	"luotrace itself: 26 runs of BPF programs, 2.00ms in 2.00s, 0.100 % of one CPU\n";

static const char *const want200 =
	"12.3s luo_agentd/311           vm-large                             42 "
	"memfd-v2             retrieve     D msleep < memfd_luo_retrieve < luo_call_run\n";

/* The number of lines, -1 if one is wider than the terminal. */
static int lines_of(const char *text, int columns)
{
	char line[4096];
	size_t len;
	int n;

	for (n = 0; *text; n++) {
		len = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		if (fmt_columns(line) > columns || strchr(line, '\x1b'))
			return -1;
		text += len + (text[len] == '\n');
	}
	return n;
}

static void test_text(void)
{
	char *text;

	fill_rows();
	top_order(&sample, TOP_BY_AGE);
	text = render(&sample, (struct top_view){ .columns = 80 });
	check_string(text, want80, "80 columns");
	free(text);
	text = render(&sample, (struct top_view){ .columns = 200 });
	check(strstr(text, want200) && strstr(text, "STATE, WAITS IN"),
	      "200 columns have a line for each call");
	check(strstr(text, "184467440+ ") && lines_of(text, 200) == 13,
	      "and cut what is wider");
	free(text);
	text = render(&sample, (struct top_view){ });
	check(strstr(text, " 18446744073709551615 \\x1b[31mred ") &&
	      strstr(text, "\\x20\\xff "), "without a terminal nothing is cut");
	free(text);
	text = render(&sample, (struct top_view){ .columns = 80, .paused = true });
	check(strstr(text, "1 failed; PAUSED\n"), "a pause is said");
	free(text);
	text = render(&(struct top){ .interval_ns = 1, .observer = OBSERVER_NOTHING },
		      (struct top_view){ .columns = 80 });
	check_string(text, "0 in flight; 0 ended in 1ns, 0 failed\n\n"
		     "no call is in flight\n\nno call has ended\n\n"
		     "luotrace itself: run time of its BPF programs unknown\n",
		     "nothing happens");
	free(text);
}

/* More calls than a terminal has lines. */
static void test_many(void)
{
	struct top many = sample;
	char *text, more[32];
	int i, lines;
	size_t t;

	for (i = 4; i < MANY; i++) {
		calls[i] = calls[1];
		snprintf(calls[i].call.session, LT_NAME_LEN, "session-%d", i);
		calls[i].age_ns = i;
	}
	many.nr_calls = MANY;
	many.lost.flights = 3;
	top_order(&many, TOP_BY_AGE);
	for (t = 0; t < 2; t++) {
		for (lines = 10; lines <= 60; lines += 5) {
			text = render(&many, (struct top_view){
				.columns = terminals[t].columns, .lines = lines });
			i = lines_of(text, terminals[t].columns);
			check(i > lines - terminals[t].each - 1 && i <= lines,
			      "%d calls in %d lines of %d columns are %d lines", MANY,
			      lines, terminals[t].columns, i);
			snprintf(more, sizeof(more), "... and %d more\n", MANY -
				 (lines - 11) / terminals[t].each);
			check(lines < 20 || strstr(text, more),
			      "%s", strtok(more, "\n"));
			check((lines < 15 || strstr(text, "preserve          12.5      1")) &&
			      strstr(text, "3 calls not shown while in flight, more than 1024"),
			      "and what has ended and what is lost are there");
			free(text);
		}
	}
}

static void test_order(void)
{
	static const struct {
		enum top_sort sort;
		unsigned int tid;
		const char *name;
	} wants[] = {
		{ TOP_BY_AGE, 78, "age" }, { TOP_BY_TASK, 1, "task" },
		{ TOP_BY_SESSION, 78, "session" }, { TOP_BY_HANDLER, 78, "handler" },
	};
	size_t i;

	for (i = 0; i < TOP_NR_SORTS; i++) {
		top_order(&sample, wants[i].sort);
		check(sample.calls[0].call.tid == wants[i].tid &&
		      !strcmp(top_sort_name(i), wants[i].name),
		      "sorted by %s", wants[i].name);
	}
	check(!top_sort_name(TOP_NR_SORTS), "there is no other order");
}

static void put(const char *dir, const char *file, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

#define STAT(_comm, _state)						\
	"78 (" _comm ") " _state " 1 78 78 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 " \
	"5000 1 1 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0\n"

static void count_task(unsigned int pid, unsigned int tid, void *data)
{
	*(int *)data += pid == 77 && tid == 78;
}

static void test_task(void)
{
	char proc[] = "/tmp/luotrace-top-XXXXXX", dir[256], text[TASK_TEXT];
	uint64_t hour = 3600000000000;
	struct task_state s;
	int n = 0;

	check(mkdtemp(proc), "a directory");
	snprintf(dir, sizeof(dir), "%s/77", proc);
	mkdir(dir, 0755);
	strcat(dir, "/task");
	mkdir(dir, 0755);
	strcat(dir, "/78");
	mkdir(dir, 0755);
	task_state_each(proc, count_task, &n);
	check(n == 1, "each task");

	put(dir, "stat", STAT("a) R 1 (b", "D"));
	put(dir, "wchan", "msleep");
	task_state_read(&s, proc, 77, 78, hour);
	check_string(task_state_text(&s, -1, text), "D msleep", "without its stack");
	check(!s.ran && s.cpu == 3, "the time that it ran is unknown");
	check(!s.whole, "and where it is called from");
	put(dir, "schedstat", "123456 789 3\n");
	put(dir, "stack", "[<0>] msleep+0x1e/0x30\n[<0>] slow_op+0x1/0x2 [module]\n"
	    "[<ffffffff81000000>] luo_call_run+0x1/0x2\n");
	task_state_read(&s, proc, 77, 78, hour);
	check_string(task_state_text(&s, -1, text), "D msleep < slow_op < luo_call_run",
		     "with its stack");
	check(s.ran && s.ran_ns == 123456 && s.whole, "the time that it ran");
	check(task_state_in(&s, "slow_op") && !task_state_in(&s, "slow"), "the functions");
	task_state_read(&s, proc, 77, 78, 49 * 1000000000ULL);
	check(s.seen == TASK_GONE, "a task that began later is another one");
	put(dir, "stat", STAT("x", "R"));
	task_state_read(&s, proc, 77, 78, hour);
	check(!s.frames, "the stack of a task that runs is none");
	check_string(task_state_text(&s, 0.5, text), "R CPU 3, ran 50 %", "it runs");
	check_string(task_state_text(&s, -1, text), "R CPU 3", "how long is unknown");
	put(dir, "stat", STAT("x", "Z"));
	task_state_read(&s, proc, 77, 78, hour);
	check_string(task_state_text(&s, -1, text), "task is gone", "a zombie");
	put(dir, "stat", "nonsense");
	task_state_read(&s, proc, 77, 78, hour);
	check_string(task_state_text(&s, -1, text), "unknown", "nonsense");
	task_state_read(&s, proc, 77, 79, hour);
	check(s.seen == TASK_GONE, "no such task");
}

static void print_json(void)
{
	struct probe probe = { .release = "7.3.4" };
	json_t *root = json_head("top", &probe);

	fill_rows();
	top_json(&sample, root);
	json_print(root, JSON_COMPACT);
}

static void test_json(void)
{
	json_t *root = json_object(), *c;

	fill_rows();
	top_order(&sample, TOP_BY_AGE);
	top_json(&sample, root);
	c = json_array_get(json_object_get(root, "in_flight"), 0);
	check(json_is_true(json_object_get(c, "began_before")) &&
	      json_is_null(json_object_get(c, "session")) &&
	      json_is_null(json_object_get(c, "token")) &&
	      json_is_null(json_object_get(c, "op")), "what is unknown is null");
	c = json_array_get(json_object_get(root, "in_flight"), 2);
	check(!strcmp(json_string_value(json_object_get(c, "token")),
		      "18446744073709551615") &&
	      json_real_value(json_object_get(json_object_get(c, "task"), "ran")) == 0.974,
	      "what is known is not");
	json_decref(root);
}

/* What is unknown of the cost of tracing stays unknown. */
static void test_observer(void)
{
	struct observer now = { 5000000, 70, 2000000000 }, earlier = { 4000000, 60, 0 };
	struct observer since = observer_since(&now, &earlier), none = OBSERVER_NOTHING;
	struct observer tiny = { 10, 1, 2000000000 };
	char text[OBSERVER_TEXT];
	json_t *json;

	check_string(observer_text(&since, text),
		     "luotrace itself: 10 runs of BPF programs, 1.00ms in 2.00s, 0.050 % of one CPU",
		     "cost of an interval");
	check_string(observer_text(&tiny, text),
		     "luotrace itself: 1 run of BPF programs, 10ns in 2.00s, below 0.001 % of one CPU",
		     "hardly any cost");
	json = observer_json(&since);
	check(json_real_value(json_object_get(json, "share")) == 0.0005,
	      "the same as JSON");
	since = observer_read(json);
	check(since.run_ns == 1000000 && since.runs == 10 &&
	      since.observed_ns == 2000000000, "which is read again");
	json_decref(json);
	since = observer_since(&now, &none);
	check_string(observer_text(&since, text),
		     "luotrace itself: run time of its BPF programs unknown",
		     "an unknown cost");
	json = observer_json(&since);
	check(json_is_null(json_object_get(json, "run_ns")) &&
	      json_is_null(json_object_get(json, "share")), "is null");
	json_decref(json);
	since = observer_read(NULL);
	check(since.run_ns == OBSERVER_UNKNOWN, "that of an older file is unknown");
}

static int screen(void)
{
	struct top_view view = {};
	char *text;
	int key;

	fill_rows();
	if (!top_screen_open(true))
		return 1;
	do {
		view.columns = top_screen_columns();
		view.lines = top_screen_lines() - 1;
		top_order(&sample, view.sort);
		text = render(&sample, view);
		top_screen_draw(text, "q quit");
		free(text);
		key = top_screen_key(10000);
		if (key == 's')
			view.sort = (view.sort + 1) % TOP_NR_SORTS;
	} while (key != 'q');
	top_screen_close();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "screen"))
		return screen();
	if (argc > 1) {
		print_json();
		return 0;
	}
	puts("TAP version 13");
	test_text();
	test_order();
	test_json();
	test_task();
	test_observer();
	test_many();
	return end_tests();
}
