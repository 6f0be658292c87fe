// SPDX-License-Identifier: GPL-2.0

/*
 * Walks each row of the table of transitions (selftests/tables): brings an object into
 * the state, makes the call, and finds the new state, the errno, and the events of the row
 * once each, and no other one of the object.
 *
 *	transitions_test MODE	the rows of a mode, see modes[]
 *	transitions_test hold K	what those of kernel K need
 *	transitions_test all	whether each row was walked
 */

#include "walk_test.h"

#define LIST	"transitions"

/* Rows that are walked together, in one kernel. */
static const struct mode {
	const char *name;
	int kernel;
	enum { ONE_BY_ONE, TOGETHER, AT_BOOT, AT_KEXEC } how;
} modes[] = {
	{ "out", 0, ONE_BY_ONE },
	{ "kexec-of-normal", 0, AT_KEXEC },
	{ "boot", 1, AT_BOOT },
	{ "in", 1, ONE_BY_ONE },
	{ "finish-fails", 1, TOGETHER },
	{ "kexec-of-updated", 1, AT_KEXEC },
	{ "last", 2, ONE_BY_ONE },
	{ "kexec-of-prepared", 2, AT_KEXEC },
	{ "finish", 3, TOGETHER },
	{ "over", 3, ONE_BY_ONE },
	{ "late", 4, ONE_BY_ONE },
	{ "boot-without", 5, AT_BOOT },
};

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static const char *mode_at_kexec(const struct transition *t)
{
	if (is(t->from, "PREPARED") &&
	    (is(t->machine, "global") || is(t->machine, "subsystem-out")))
		return "kexec-of-prepared";
	return is(t->from, "UPDATED") || strstr(t->machine, "-in") ? "kexec-of-updated" :
								    "kexec-of-normal";
}

/* A global FINISH acts on all sessions, and one that succeeds ends the live update. */
static const char *mode_in(const struct transition *t)
{
	bool global = is(t->machine, "global");
	const char *what = t->what;

	if (is(what, "FINISH of the last session"))
		return "last";
	if (strstr(what, "the live update is finished"))
		return "over";
	/* The subsystem of the module keeps it loaded. */
	if (strstr(what, "its handler has registered") || strstr(what, "module") ||
	    is(what, "unregister"))
		return "late";
	/* It ends with the last file of the device, of which the others have many. */
	if (is(t->from, "finished") && is(what, "close of the device"))
		return "late";
	if (!global && starts(what, "global "))
		what += strlen("global ");
	else if (!global)
		return "in";
	if (is(what, "FINISH"))
		return "finish";
	return is(what, "FINISH, a file cannot finish") ? "finish-fails" : "in";
}

static const char *mode_of(const struct transition *t)
{
	if (is(t->when, "boot"))
		return strstr(t->what, "without") ? "boot-without" : "boot";
	if (is(t->when, "frozen"))
		return mode_at_kexec(t);
	if (is(t->from, "UPDATED") || strstr(t->machine, "-in"))
		return mode_in(t);
	return "out";
}

static const struct mode *find_mode(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(modes); i++)
		if (is(modes[i].name, name))
			return &modes[i];
	return NULL;
}

static const char *id_of(const struct transition *t)
{
	static char id[128];

	snprintf(id, sizeof(id), "%s from %s: %s", t->machine, t->from, t->what);
	return id;
}

static void result(const struct walk *w, bool ok)
{
	walked(LIST, id_of(w->t));
	check(ok, "%s", id_of(w->t));
}

/* Whether the call had the result, the new state and the events of the row. */
static bool verify(struct walk *w, const struct trace *trace)
{
	bool ok = true;

	if (w->ret != w->t->ret) {
		printf("# returned %d, want %d\n", w->ret, w->t->ret);
		ok = false;
	}
	if (!is_in(w, w->t->to)) {
		printf("# %s is not %s\n", w->o.name, w->t->to);
		ok = false;
	}
	return events_are(trace, &w->o, w->t->events, MAX_EVENTS) && ok;
}

/* Whether the object is in the state before the call. */
static bool begin(struct walk *w, int dev)
{
	bool ok;

	w->dev = dev;
	if (strstr(w->t->machine, "-in") || is(w->t->from, "UPDATED"))
		begin_in(w);
	else
		begin_out(w);
	/* The way to some is the reboot. */
	ok = is_in(w, w->t->from) || (is(w->t->when, "frozen") && !is(w->call, "reboot"));
	if (!ok)
		printf("# %s is not %s before\n", w->o.name, w->t->from);
	find_condition(w)(w);
	return ok;
}

static void end(struct walk *w)
{
	const int fds[] = { w->file, w->later, w->late_file, w->late_session };
	size_t i;

	if (w->session >= 0 && strstr(w->o.machine, "-in"))
		finish(w->session);
	if (w->session >= 0)
		close(w->session);
	for (i = 0; i < COUNT(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (w->dev < 0)
		w->dev = open_device();
	event(w->dev, GLOBAL, LIVEUPDATE_CANCEL);
	close(w->dev);
	/* A later row may need all of it. */
	if (is(w->call, "unregister") && strstr(w->o.machine, "-out"))
		must(!unload_module("luo_test_late"), LATE_MODULE);
	if (strstr(w->condition, "subsystem fails")) {
		set_target(LIVEUPDATE_TEST_ON_FIRST, w, 0);
		set_target(LIVEUPDATE_TEST_ON_SECOND, w, 0);
	}
}

static void walk_one(struct walk *w)
{
	struct trace trace;
	bool ok;

	ok = begin(w, open_device());
	trace_again();
	w->ret = find_call(w)(w);
	trace_stop(&trace);
	result(w, verify(w, &trace) && ok);
	free(trace.text);
	end(w);
}

/* All rows are of one event of the global state. */
static void walk_together(struct walk *w, size_t nr)
{
	int dev = open_device(), ret;
	struct trace trace;
	bool ok = true;
	size_t i;

	for (i = 0; i < nr; i++)
		ok &= begin(&w[i], dev);
	trace_again();
	ret = event(dev, GLOBAL, LIVEUPDATE_FINISH);
	trace_stop(&trace);
	for (i = 0; i < nr; i++) {
		w[i].ret = ret;
		result(&w[i], verify(&w[i], &trace) && ok);
	}
}

/* What KHO preserves before its tracepoints are set up: the root of its tree, and itself. */
static void check_kho(const struct trace *t)
{
	int i, pages = 0, trees = 0;

	for (i = 0; i < t->nr; i++) {
		pages += starts(t->lines[i], "kho_preserve:") &&
			 strstr(t->lines[i], "ret=0 caller=kho_init");
		trees += starts(t->lines[i], "kho_subtree_add:") &&
			 has(t->lines[i], "name=kexec-metadata") && has(t->lines[i], "ret=0");
	}
	check(pages == 2, "KHO preserves its root and its metadata (%d)", pages);
	check(trees == 1, "KHO adds its metadata (%d)", trees);
}

/* The kernel has recorded since it was started: see the command line in tests.toml. */
static void walk_boot(struct walk *w, size_t nr)
{
	struct trace trace;
	size_t i;

	trace_stop(&trace);
	for (i = 0; i < nr; i++)
		result(&w[i], verify(&w[i], &trace));
	check_kho(&trace);
}

/* Preserve what a row of the next kernel needs. */
static void hold_one(int dev, const struct walk *w, bool stays)
{
	bool waits = is(w->t->from, "waiting") || is(w->t->to, "waiting");
	int s, file;

	if (waits && access(LATE_DEVICE, F_OK))
		must(!load_module(LATE_MODULE, ""), LATE_MODULE);
	file = waits ? open(LATE_DEVICE, O_RDWR | O_CLOEXEC) : test_file(1);
	must(file >= 0, LATE_DEVICE);
	if (is(w->t->from, "failed") || strstr(w->condition, "fails"))
		must(!test_set(file, LIVEUPDATE_TEST_RETRIEVE, HANDLER_ERRNO, 0), "fails");
	if (!waits && (stays || strstr(w->condition, "cannot finish")))
		must(!test_set(file, LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 0), "stays");
	if (w->of_device) {
		must(!dev_preserve(dev, file, w->o.token), "FD_PRESERVE");
		return;
	}
	s = create(dev, w->o.name);
	must(s >= 0 && !preserve(s, file, w->o.token), w->o.name);
	if (waits && stays) {
		file = test_file(1);
		must(!test_set(file, LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 0) &&
		     !preserve(s, file, BLOCKER), "blocker");
	}
}

static void hold_all(int dev, int kernel)
{
	const struct mode *mode;
	struct walk w;
	size_t i;

	for (i = 0; i < COUNT(transitions); i++) {
		mode = find_mode(mode_of(&transitions[i]));
		if (mode->kernel != kernel || !understand(&w, &transitions[i]))
			continue;
		/* Of the global state only the last session is needed. */
		if (is(mode->name, "last") || starts(w.t->machine, "session-in") ||
		    starts(w.t->machine, "file-in"))
			hold_one(dev, &w, mode->how == AT_KEXEC);
	}
}

/* Between the freeze and the kexec. Nobody waits for this, see the log in tests.toml. */
static void walk_kexec(const struct mode *mode, struct walk *w, size_t nr)
{
	int dev = open_device();
	struct trace trace;
	bool ok = true;
	size_t i;

	hold_all(dev, mode->kernel + 1);
	for (i = 0; i < nr; i++)
		ok &= begin(&w[i], dev);
	must(!system("vm-kexec --load"), "vm-kexec");
	trace_again();
	reboot_in_child(dev);
	trace_stop(&trace);
	for (i = 0; i < nr; i++) {
		w[i].ret = 0;
		if (is(w[i].call, "reboot"))
			check(verify(&w[i], &trace) && ok, "%s", id_of(w[i].t));
	}
	for (i = 0; i < nr; i++) {
		if (is(w[i].call, "reboot"))
			continue;
		free(trace.text);
		trace_again();
		w[i].ret = find_call(&w[i])(&w[i]);
		trace_stop(&trace);
		check(verify(&w[i], &trace), "%s", id_of(w[i].t));
	}
	if (!failures)
		say_done(mode->name);
}

static int walk_mode(const struct mode *mode)
{
	static struct walk w[COUNT(transitions)];
	size_t i, nr = 0;

	for (i = 0; i < COUNT(transitions); i++) {
		if (!is(mode_of(&transitions[i]), mode->name))
			continue;
		if (understand(&w[nr], &transitions[i]))
			nr++;
		else
			check(false, "%s: a word is unknown", id_of(&transitions[i]));
	}
	puts("KTAP version 1");
	if (mode->how == AT_BOOT) {
		walk_boot(w, nr);
		return end_tests();
	}
	if (mode->how == ONE_BY_ONE)
		must(!system("vm-kexec --load"), "vm-kexec");
	trace_all();
	if (mode->how == TOGETHER)
		walk_together(w, nr);
	else if (mode->how == AT_KEXEC)
		walk_kexec(mode, w, nr);
	for (i = 0; mode->how == ONE_BY_ONE && i < nr; i++)
		walk_one(&w[i]);
	return end_tests();
}

/* Whether each row was walked once; those at the kexec are in the kernel log. */
static int all(void)
{
	const char *id;
	size_t i;

	puts("KTAP version 1");
	for (i = 0; i < COUNT(transitions); i++) {
		id = id_of(&transitions[i]);
		if (find_mode(mode_of(&transitions[i]))->how != AT_KEXEC)
			check(times_walked(LIST, id) == 1, "walked: %s", id);
	}
	return end_tests();
}

int main(int argc, char **argv)
{
	if (argc == 3 && is(argv[1], "hold")) {
		hold_all(open_device(), atoi(argv[2]));
		return hold_until_kexec();
	}
	if (argc == 2 && is(argv[1], "all"))
		return all();
	must(argc == 2 && find_mode(argv[1]), "a mode");
	return walk_mode(find_mode(argv[1]));
}
