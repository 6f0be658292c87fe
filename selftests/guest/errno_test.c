// SPDX-License-Identifier: GPL-2.0

/*
 * Walks each row of the table of errors (selftests/tables): makes the call so that it
 * returns this errno, and finds the trace event of the row once, its other ones once for
 * each object, and no further one of a call that is rejected.
 *
 *	errno_test out		before a live update
 *	errno_test hold		sessions for the next kernel
 *	errno_test in		in it
 *	errno_test frozen	live-update again, with calls while the state is FROZEN
 *	errno_test all		whether each row was walked
 *
 * Every row has a function, or the table says which other test reaches it.
 */

#include "errno_acts.h"

#define LIST	"errors"
#define MAX_NTH	100

static const struct act *find_act(const struct error_row *row)
{
	size_t i;

	for (i = 0; i < COUNT(acts); i++)
		if ((!acts[i].call || !strcmp(acts[i].call, row->call)) &&
		    !strcmp(acts[i].what, row->what))
			return &acts[i];
	return NULL;
}

/* Whether a line is an event that tells of a call. */
static bool is_of_call(const char *line)
{
	static const char *const names[] = {
		"luo_session_", "luo_state:", "luo_file_state:", "luo_subsystem_state:",
		"luo_device_open:", "luo_mark:",
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (starts(line, names[i]))
			return true;
	return false;
}

/* luo_file_error only repeats luo_file_state. */
static bool is_rejection(const char *line)
{
	return is_of_call(line) && strstr(line, " ret=-");
}

/* Whether the rejection is one of the row, counted there, and the only one of its object. */
static bool is_of_row(const struct trace *t, int i, const struct error_row *row, int *seen)
{
	bool known = false;
	int e;

	for (e = 0; e < MAX_EVENTS && row->events[e] && !known; e++) {
		known = is_event(t->lines[i], row->events[e]);
		seen[e] += known;
	}
	for (e = 0; e < i; e++)
		known &= !!strcmp(t->lines[e], t->lines[i]);
	if (!known)
		printf("# is also %s\n", t->lines[i]);
	return known;
}

/*
 * Whether the event of the row was recorded once, the others that it has for each object,
 * and no further rejection.
 */
static bool is_traced(const struct trace *t, const struct error_row *row)
{
	int i, seen[MAX_EVENTS] = {};
	bool ok = true;

	for (i = 0; i < t->nr; i++) {
		if (is_rejection(t->lines[i]))
			ok &= is_of_row(t, i, row, seen);
		if (!starts(t->lines[i], "luo_file_state:") || is_followed(t, i))
			continue;
		printf("# luo_file_error does not agree: %s\n", t->lines[i]);
		ok = false;
	}
	for (i = 0; i < MAX_EVENTS && row->events[i]; i++) {
		if (i ? seen[i] : seen[i] == 1)
			continue;
		printf("# %d times %s\n", seen[i], row->events[i]);
		ok = false;
	}
	return ok;
}

/* Whether the call has the events of the row, if it returned what it should. */
static bool has_events(const struct row *r, int ret)
{
	struct trace trace;
	bool ok = true;

	trace_stop(&trace);
	if (ret == r->row->ret)
		ok = is_traced(&trace, r->row);
	free(trace.text);
	return ok;
}

/* Make the call; its @nth allocation or copy fails, if it has so many. */
static bool is_hit(const struct act *act, const struct row *r, int nth, int *ret, bool *ok)
{
	uint64_t pages = preserved_pages();
	bool hit;

	trace_again();
	fail_nth_of(r->c->nth, nth);
	*ret = act->run(r);
	hit = nth_was_hit(r->c->nth);
	*ok = has_events(r, *ret);
	/* Copies fail with EFAULT. */
	if (*ret < 0 && *ret != r->row->ret && *ret != -EFAULT) {
		printf("# allocation %d: returned %d\n", nth, *ret);
		*ok = false;
	}
	if (*ret < 0 && preserved_pages() != pages) {
		printf("# allocation %d: pages stay preserved\n", nth);
		*ok = false;
	}
	return hit;
}

/*
 * Make the call with its first allocation failing, then with the second one, until none
 * fails, or the failure of one is final.
 */
static bool is_swept(const struct act *act, const struct row *r)
{
	int ret, n, failures = 0;
	bool ok = true, one, hit;

	if (act->prepare)
		act->prepare(r);
	for (n = 1; n < MAX_NTH; n++) {
		hit = is_hit(act, r, n, &ret, &one);
		ok &= one;
		failures += ret == r->row->ret;
		if (ret >= 0 && act->undo)
			act->undo(r, ret);
		if (!hit || (failures && !act->undo))
			break;
	}
	printf("# %d failed\n", failures);
	/* Without a fault it succeeds. */
	return ok && failures && n < MAX_NTH && (hit || ret >= 0);
}

static void walk(const struct act *act, const struct error_row *row, struct context *c)
{
	struct row r = { .row = row, .call = find_call(row->call), .c = c };
	bool ok;
	int ret;

	begin(&r);
	if (!strcmp(row->what, "memory")) {
		ok = is_swept(act, &r);
	} else {
		trace_again();
		ret = act->run(&r);
		ok = has_events(&r, ret);
		if (ret != row->ret)
			printf("# returned %d, want %d\n", ret, row->ret);
		ok &= ret == row->ret;
	}
	check(ok, "%s", row->id);
	walked(LIST, row->id);
	end(&r);
}

static int walk_all(const char *mode, struct context *c)
{
	const struct act *act;
	size_t i;

	for (i = 0; i < COUNT(error_rows); i++) {
		act = find_act(&error_rows[i]);
		if (*error_rows[i].elsewhere)
			continue;
		if (!act)
			check(false, "%s: nobody knows how", error_rows[i].id);
		else if (!strcmp(act->mode, mode))
			walk(act, &error_rows[i], c);
	}
	return end_tests();
}

static int frozen(struct context *c)
{
	int ret;

	must(!mark_text("paused " PAUSED), "paused");
	c->dev = open_device();
	c->file = test_file(1);
	c->out = create(c->dev, "out");
	c->in = claim(c->dev, "in");
	must(c->out >= 0 && c->in >= 0, "sessions");
	c->stays = true;
	reboot_in_child(c->dev);
	ret = walk_all("frozen", c);
	if (!ret)
		say_done("frozen");
	return ret;
}

/* Whether each row was walked once; those in FROZEN are in the kernel log. */
static int all(void)
{
	const struct act *act;
	size_t i;

	for (i = 0; i < COUNT(error_rows); i++) {
		act = find_act(&error_rows[i]);
		if (!*error_rows[i].elsewhere && act && strcmp(act->mode, "frozen"))
			check(times_walked(LIST, error_rows[i].id) == 1, "walked: %s",
			      error_rows[i].id);
	}
	return end_tests();
}

int main(int argc, char **argv)
{
	const char *mode = argc == 2 ? argv[1] : "";
	struct context c = { .dev = -1, .out = -1, .in = -1, .file = -1 };

	if (!strcmp(mode, "hold"))
		return hold_all();
	puts("KTAP version 1");
	if (!strcmp(mode, "all"))
		return all();
	must(!system("vm-kexec --load"), "vm-kexec");
	allocations_may_fail();
	c.nth = open_fail_nth();
	c.mark = mark_file();
	trace_all();
	return strcmp(mode, "frozen") ? walk_all(mode, &c) : frozen(&c);
}
