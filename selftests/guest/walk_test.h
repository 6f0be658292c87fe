/* SPDX-License-Identifier: GPL-2.0 */

/*
 * How the words of a transition are acted out: where it begins, the call, and what is
 * true around it. A word that is in none of the tables here makes the row fail.
 */

#ifndef WALK_TEST_H
#define WALK_TEST_H

#include "table_test.h"

enum { GLOBAL = false, SESSION = true };

#define LATER		2	/* token of a file after the one of the row */
#define SUBSYSTEM	"luo-test-first"
#define LATE_SUBSYSTEM	"luo-late"
#define TEST_FLB	"luo-test-flb-v1"
#define PREPARING	" to prepare"	/* may follow a condition: not to freeze */
#define BLOCKER		9	/* of one that never can finish */
#define FIRST_OF_DEVICE	1000	/* of files of the device; their rows are added */

/* A row that is walked. */
struct walk {
	const struct transition *t;
	struct object o;
	char call[64];		/* the call alone, */
	const char *condition;	/* and what follows it, or "" */
	bool of_device;		/* the file belongs to the device */
	int dev, session, file;
	int later;		/* a file of the same session */
	int late_session, late_file;	/* of a session that was created later */
	int ret;
};

/* The event that the last word of a call names. */
static inline int event_of(const char *call)
{
	static const char *const words[] = { "PREPARE", "FREEZE", "FINISH", "CANCEL" };
	const char *last = strrchr(call, ' ');
	int e;

	for (e = 0; e < 4; e++)
		if (!strcmp(last ? last + 1 : call, words[e]))
			return e;
	must(false, call);
	return -1;
}

static inline int on_file(struct walk *w, int e)
{
	return w->of_device ? dev_event(w->dev, w->o.token, e) :
			      file_event(w->session, w->o.token, e);
}

static inline int call_global_event(struct walk *w)
{
	return event(w->dev, GLOBAL, event_of(w->call));
}

static inline int call_session_event(struct walk *w)
{
	return event(w->session, SESSION, event_of(w->call));
}

static inline int call_file_event(struct walk *w)
{
	return on_file(w, event_of(w->call));
}

static inline int call_own_event(struct walk *w)
{
	if (!strcmp(w->o.machine, "global"))
		return call_global_event(w);
	return starts(w->o.machine, "session-") ? call_session_event(w) :
						  call_file_event(w);
}

static inline int call_finish(struct walk *w)
{
	return finish(w->session);
}

static inline int call_finish_last_file(struct walk *w)
{
	return file_event(w->session, 1, LIVEUPDATE_FINISH);
}

static inline int call_create(struct walk *w)
{
	w->session = create(w->dev, w->o.name);
	return w->session < 0 ? w->session : 0;
}

static inline int call_claim(struct walk *w)
{
	int fd = claim(w->dev, w->o.name);

	if (fd >= 0)
		w->session = fd;
	return fd < 0 ? fd : 0;
}

/* The global state is that of all of them. */
static inline int call_finish_last(struct walk *w)
{
	return call_claim(w) ?: finish(w->session);
}

static inline int call_preserve(struct walk *w)
{
	return w->of_device ? dev_preserve(w->dev, w->file, w->o.token) :
			      preserve(w->session, w->file, w->o.token);
}

static inline int call_unpreserve(struct walk *w)
{
	return w->of_device ? dev_unpreserve(w->dev, w->o.token) :
			      unpreserve(w->session, w->o.token);
}

static inline int call_retrieve(struct walk *w)
{
	int fd = w->of_device ? dev_restore(w->dev, w->o.token) :
				retrieve(w->session, w->o.token);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static inline int call_close(struct walk *w)
{
	int err = close(w->session) ? -errno : 0;

	w->session = -1;
	return err;
}

static inline int call_close_device(struct walk *w)
{
	int err = close(w->dev) ? -errno : 0;

	w->dev = -1;
	return err;
}

static inline int call_reboot(struct walk *w)
{
	(void)w;
	return reboot_kexec();
}

static inline int call_load(struct walk *w)
{
	(void)w;
	return load_module(LATE_MODULE, "");
}

static inline int call_unregister(struct walk *w)
{
	(void)w;
	write_file("/sys/module/luo_test_late/parameters/unregister", "1");
	return 0;
}

/* The boot is over. */
static inline int call_nothing(struct walk *w)
{
	(void)w;
	return 0;
}

/* In any machine, unless a line before it is for that of the row. */
static const struct {
	const char *machine, *call;
	int (*run)(struct walk *w);
} calls[] = {
	{ "session-in", "FINISH", call_finish },
	{ "session-in", "SET_EVENT FINISH", call_session_event },
	{ NULL, "FINISH of the last session", call_finish_last },
	{ NULL, "PREPARE", call_own_event },
	{ NULL, "FREEZE", call_own_event },
	{ NULL, "FINISH", call_own_event },
	{ NULL, "CANCEL", call_own_event },
	{ NULL, "device PREPARE", call_file_event },
	{ NULL, "device FREEZE", call_file_event },
	{ NULL, "device FINISH", call_file_event },
	{ NULL, "device CANCEL", call_file_event },
	{ NULL, "session PREPARE", call_session_event },
	{ NULL, "session FREEZE", call_session_event },
	{ NULL, "session FINISH", call_finish },
	{ NULL, "session CANCEL", call_session_event },
	{ NULL, "global PREPARE", call_global_event },
	{ NULL, "global FINISH", call_global_event },
	{ NULL, "global CANCEL", call_global_event },
	{ NULL, "FD_SET_EVENT FINISH of the last file", call_finish_last_file },
	{ NULL, "CREATE_SESSION", call_create },
	{ NULL, "RETRIEVE_SESSION", call_claim },
	{ NULL, "PRESERVE_FD", call_preserve },
	{ NULL, "FD_PRESERVE", call_preserve },
	{ NULL, "first FD_PRESERVE", call_preserve },
	{ NULL, "UNPRESERVE_FD", call_unpreserve },
	{ NULL, "FD_UNPRESERVE", call_unpreserve },
	{ NULL, "last FD_UNPRESERVE", call_unpreserve },
	{ NULL, "RETRIEVE_FD", call_retrieve },
	{ NULL, "FD_RESTORE", call_retrieve },
	{ NULL, "first FD_RESTORE", call_retrieve },
	{ NULL, "close", call_close },
	{ NULL, "close while the global state is FROZEN", call_close },
	{ NULL, "close of the device", call_close_device },
	{ NULL, "close of the device while the global state is FROZEN", call_close_device },
	{ NULL, "reboot", call_reboot },
	{ NULL, "boot", call_nothing },
	{ NULL, "load of its module", call_load },
	{ NULL, "unregister", call_unregister },
};

static inline int (*find_call(const struct walk *w))(struct walk *w)
{
	size_t i;

	for (i = 0; i < COUNT(calls); i++)
		if ((!calls[i].machine || !strcmp(calls[i].machine, w->o.machine)) &&
		    !strcmp(calls[i].call, w->call))
			return calls[i].run;
	return NULL;
}

/* The operation that a call makes with an outgoing file last. */
static inline enum liveupdate_test_op op_of(const struct walk *w)
{
	if (strstr(w->call, "PRESERVE"))
		return LIVEUPDATE_TEST_PRESERVE;
	return strstr(w->call, "PREPARE") || strstr(w->condition, PREPARING) ?
	       LIVEUPDATE_TEST_PREPARE : LIVEUPDATE_TEST_FREEZE;
}

static inline void handler_fails(struct walk *w)
{
	/* An incoming file was made so by the previous kernel. */
	if (!strstr(w->o.machine, "-in"))
		must(!test_set(w->file, op_of(w), HANDLER_ERRNO, 0), "the handler");
}

static inline void later_file_fails(struct walk *w)
{
	must(!test_set(w->later, op_of(w), HANDLER_ERRNO, 0), "a later file");
}

static inline void later_session_fails(struct walk *w)
{
	must(!test_set(w->late_file, op_of(w), HANDLER_ERRNO, 0), "a later session");
}

/* Another row may have loaded it: a file finds its handler when it is needed. */
static inline void handler_registers(struct walk *w)
{
	(void)w;
	must(!access(LATE_DEVICE, F_OK) || !load_module(LATE_MODULE, ""), LATE_MODULE);
}

/* Until the error is 0 again. */
static inline void set_target(enum liveupdate_test_target target, const struct walk *w,
			      int error)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .target = target, .op = op_of(w), .error = error,
	};
	int t = test_file(1);

	must(!call(t, LIVEUPDATE_TEST_SET, &set), "a subsystem");
	close(t);
}

static inline void subsystem_fails(struct walk *w)
{
	set_target(LIVEUPDATE_TEST_ON_FIRST, w, HANDLER_ERRNO);
}

static inline void later_subsystem_fails(struct walk *w)
{
	set_target(LIVEUPDATE_TEST_ON_SECOND, w, HANDLER_ERRNO);
}

/* It was made so when it was preserved, or by the way to the state. */
static inline void as_it_is(struct walk *w)
{
	(void)w;
}

static const struct {
	const char *words;
	void (*make)(struct walk *w);
} conditions[] = {
	{ "", as_it_is },
	{ "a handler fails", handler_fails },
	{ "the handler fails", handler_fails },
	{ "a later file fails", later_file_fails },
	{ "a later session fails", later_session_fails },
	{ "a session fails", handler_fails },
	{ "the subsystem fails", subsystem_fails },
	{ "a subsystem fails", subsystem_fails },
	{ "a later subsystem fails", later_subsystem_fails },
	{ "its session is FROZEN", as_it_is },
	{ "a file cannot finish", as_it_is },
	{ "the handler cannot finish", as_it_is },
	{ "its handler has registered", handler_registers },
	{ "its handler is not registered", as_it_is },
	{ "without sessions", as_it_is },
	{ "its module is not loaded", as_it_is },
	{ "the live update is finished", as_it_is },
};

static inline bool is_condition(const struct walk *w, const char *words)
{
	size_t len = strlen(words);

	return !strncmp(w->condition, words, len) &&
	       (!w->condition[len] || (len && !strcmp(w->condition + len, PREPARING)));
}

static inline void (*find_condition(const struct walk *w))(struct walk *w)
{
	size_t i;

	for (i = 0; i < COUNT(conditions); i++)
		if (is_condition(w, conditions[i].words))
			return conditions[i].make;
	return NULL;
}

/*
 * Events that lead from NORMAL to a state, of the (g)lobal one, the (s)ession or the
 * (f)ile. The first line that fits is taken; one without @before fits every call, with it
 * those that begin or end so.
 */
static const struct {
	const char *machine, *state, *before;
	struct {
		char who;
		int event;
	} events[3];
} ways[] = {
#define P(who)	{ who, LIVEUPDATE_PREPARE }
#define F(who)	{ who, LIVEUPDATE_FREEZE }
#define C(who)	{ who, LIVEUPDATE_CANCEL }
	{ "global", "NORMAL", "", {} },
	{ "global", "PREPARED", "", { P('g') } },
	{ "global", "FROZEN", "", {} },		/* by the reboot */
	{ "subsystem-out", "NORMAL", "", {} },
	{ "subsystem-out", "PREPARED", "", { P('g') } },
	{ "session-out", "none", "", {} },
	{ "session-out", "NORMAL", "", {} },
	{ "session-out", "PREPARED", "global CANCEL", { P('s'), P('g') } },
	{ "session-out", "PREPARED", "close of the device", { P('g') } },
	{ "session-out", "PREPARED", "", { P('s') } },
	{ "session-out", "FROZEN", "global CANCEL", { P('s'), F('s'), P('g') } },
	{ "session-out", "FROZEN", "close of the device while the global state is FROZEN",
	  {} },					/* by the reboot */
	{ "session-out", "FROZEN", "", { P('s'), F('s') } },
	{ "file-out", "none", "", {} },
	{ "file-out", "NORMAL", "session FREEZE", { P('s'), C('f') } },
	{ "file-out", "NORMAL", "", {} },
	{ "file-out", "PREPARED", "session FREEZE", { P('s') } },
	{ "file-out", "PREPARED", "session CANCEL", { P('s') } },
	{ "file-out", "PREPARED", "global CANCEL", { P('f'), P('g') } },
	{ "file-out", "PREPARED", "", { P('f') } },
	{ "file-out", "FROZEN", "its session is FROZEN", { P('s'), F('s') } },
	{ "file-out", "FROZEN", "session CANCEL", { P('s'), F('s') } },
	{ "file-out", "FROZEN", "global CANCEL", { P('f'), F('f'), P('g') } },
	{ "file-out", "FROZEN", "", { P('f'), F('f') } },
#undef P
#undef F
#undef C
};

static inline int find_way(const struct walk *w)
{
	size_t i;

	for (i = 0; i < COUNT(ways); i++)
		if (!strcmp(ways[i].machine, w->o.machine) &&
		    !strcmp(ways[i].state, w->t->from) &&
		    (!*ways[i].before || !strcmp(ways[i].before, w->call) ||
		     !strcmp(ways[i].before, w->condition)))
			return i;
	return -1;
}

static inline bool is_global(const char *word)
{
	char *text = read_all("/sys/kernel/liveupdate/state");
	bool yes;

	text[strcspn(text, "\n")] = '\0';
	yes = !strcasecmp(text, word);
	free(text);
	return yes;
}

/* A step to go. */
static inline int step(struct walk *w, char who, int e)
{
	/* A row that is walked together with this one may have made it. */
	if (who == 'g')
		return is_global("PREPARED") ? 0 : event(w->dev, GLOBAL, e);
	return who == 's' ? event(w->session, SESSION, e) : on_file(w, e);
}

/* Make a new object, and bring it into the state. */
static inline void begin_out(struct walk *w)
{
	/* A subsystem is there; it needs no session but one that fails. */
	bool none = !strcmp(w->t->from, "none") ||
		    (starts(w->o.machine, "subsystem-") &&
		     !is_condition(w, "a session fails"));
	int way = find_way(w), i, err = 0;

	if (!strcmp(w->call, "unregister"))
		handler_registers(w);
	w->file = test_file(1);
	if (!w->of_device && !(none && !starts(w->o.machine, "file-")))
		must(!call_create(w), w->o.name);
	if (!none)
		must(!call_preserve(w), "preserve");
	if (starts(w->o.machine, "file-") && !w->of_device) {
		w->later = test_file(2);
		must(!preserve(w->session, w->later, LATER), "preserve later");
	}
	if (strstr(w->t->what, "later session")) {
		w->late_session = create(w->dev, "late");
		w->late_file = test_file(3);
		must(!preserve(w->late_session, w->late_file, 1), "late");
	}
	for (i = 0; !err && i < 3 && ways[way].events[i].who; i++)
		err = step(w, ways[way].events[i].who, ways[way].events[i].event);
	must(!err, "the way to the state");
}

/* What an incoming object needs to be in its state. */
static const struct {
	const char *state;
	bool claims, finishes, retrieves, fails;
} claims[] = {
	{ "unclaimed" }, { "claimed", true }, { "given-up", true },
	{ "finished", true, .finishes = true },
	{ "incoming", true }, { "waiting", true }, { "retrieved", true, .retrieves = true },
	{ "failed", true, .retrieves = true, .fails = true },
	{ "none" }, { "UPDATED" }, { "NORMAL" },
};

static inline int find_claim(const struct walk *w)
{
	size_t i;

	for (i = 0; i < COUNT(claims); i++)
		if (!strcmp(claims[i].state, w->t->from))
			return i;
	return -1;
}

/* Bring what the previous kernel has handed over into the state. */
static inline void begin_in(struct walk *w)
{
	int i = find_claim(w);

	/* While the global state is UPDATED, only an outgoing session can fail. */
	if (!strcmp(w->condition, "a handler fails")) {
		w->session = create(w->dev, "fails");
		w->file = test_file(1);
		must(!preserve(w->session, w->file, 1), "fails");
	}
	/* Others are claimed by none. */
	if (claims[i].claims && !w->of_device &&
	    (starts(w->o.machine, "session-") || starts(w->o.machine, "file-")))
		must(!call_claim(w), w->o.name);
	/* The session of the device is claimed by a call for a file. */
	if (claims[i].retrieves || (claims[i].claims && w->of_device &&
				    starts(w->o.machine, "session-")))
		must(call_retrieve(w) == (claims[i].fails ? -HANDLER_ERRNO : 0), "retrieve");
	if (claims[i].finishes)
		must(!(w->of_device ? on_file(w, LIVEUPDATE_FINISH) : finish(w->session)),
		     "finish");
}

/* How debugfs shows a state: "" for an object that it does not show. */
static const struct {
	const char *machine, *state, *word, *also;
} states[] = {
	/* No file shows those of subsystems and FLBs. */
	{ "subsystem-out", "NORMAL", "", NULL },
	{ "subsystem-out", "PREPARED", "", NULL },
	{ "subsystem-out", "FROZEN", "", NULL },
	{ "subsystem-in", "waiting", "", NULL },
	{ "subsystem-in", "UPDATED", "", NULL },
	{ "subsystem-in", "given-up", "", NULL },
	{ "subsystem-in", "finished", "", NULL },
	{ "flb-in", "incoming", "", NULL },
	{ "flb-in", "given-up", "", NULL },
	{ "flb-in", "finished", "", NULL },
	{ "session-out", "none", "", "" },
	{ "session-out", "NORMAL", " state=normal ", " open=1 " },
	{ "session-out", "PREPARED", " state=prepared ", " open=1 " },
	{ "session-out", "FROZEN", " state=frozen ", "" },
	{ "session-in", "none", "", "" },
	{ "session-in", "unclaimed", " state=updated ", " open=0 " },
	{ "session-in", "claimed", " state=updated ", " open=1 " },
	{ "session-in", "given-up", " state=updated ", "" },
	{ "session-in", "finished", "", "" },
	{ "file-out", "none", "", "" },
	{ "file-out", "NORMAL", " state=preserved ", "" },
	{ "file-out", "PREPARED", " state=prepared ", "" },
	{ "file-out", "FROZEN", " state=frozen ", "" },
	{ "file-in", "none", "", "" },
	{ "file-in", "incoming", " state=incoming ", " handler=1 " },
	{ "file-in", "waiting", " state=incoming ", " handler=0 " },
	{ "file-in", "retrieved", " state=retrieved ", " handler=1 " },
	{ "file-in", "failed", " state=failed ", " handler=1 " },
	{ "file-in", "given-up", "", NULL },	/* in any state */
	{ "file-in", "gone", "", "" },
};

static inline int find_state(const char *machine, const char *state)
{
	size_t i;

	for (i = 0; i < COUNT(states); i++)
		if (!strcmp(states[i].machine, machine) && !strcmp(states[i].state, state))
			return i;
	return -1;
}

static inline bool is_in(const struct walk *w, const char *word)
{
	int i = find_state(w->o.machine, word);

	if (!strcmp(w->o.machine, "global"))
		return is_global(word);
	if (!states[i].also)
		return true;
	/* A process with its descriptor still sees one that is finished. */
	if (!strcmp(word, "finished") && !w->of_device &&
	    state(w->session, SESSION) != LIVEUPDATE_STATE_NORMAL)
		return false;
	return is_listed(&w->o, states[i].word) &&
	       (!*states[i].also || is_listed(&w->o, states[i].also));
}

/* Split the words of a row; whether all of them are known. */
static inline bool understand(struct walk *w, const struct transition *t)
{
	bool incoming = strstr(t->machine, "-in") || !strcmp(t->from, "UPDATED");
	size_t len = strcspn(t->what, ",");

	*w = (struct walk) {
		.t = t, .dev = -1, .session = -1, .file = -1, .later = -1,
		.late_session = -1, .late_file = -1,
		.condition = t->what[len] ? t->what + len + 2 : "",
		.of_device = strstr(t->what, "FD_PRESERVE") || starts(t->what, "device ") ||
			     strstr(t->what, "FD_UNPRESERVE") ||
			     strstr(t->what, "FD_RESTORE") ||
			     strstr(t->what, "close of the device"),
		.o = { .machine = t->machine, .token = 1 },
	};
	snprintf(w->call, sizeof(w->call), "%.*s", (int)len, t->what);
	snprintf(w->o.name, sizeof(w->o.name), w->of_device ? DEVICE_NAME : "r%d", t->id);
	if (starts(t->machine, "subsystem-"))
		snprintf(w->o.name, sizeof(w->o.name), "%s",
			 strstr(t->what, "module") || !strcmp(t->what, "unregister") ?
			 LATE_SUBSYSTEM : SUBSYSTEM);
	if (starts(t->machine, "flb-"))
		strcpy(w->o.name, TEST_FLB);
	if (w->of_device && incoming)
		w->o.token = FIRST_OF_DEVICE + t->id;
	return find_call(w) && find_condition(w) &&
	       (!strcmp(t->machine, "global") ||
		(find_state(t->machine, t->from) >= 0 && find_state(t->machine, t->to) >= 0)) &&
	       (incoming || !strcmp(w->call, "boot") ? find_claim(w) : find_way(w)) >= 0;
}

#endif
