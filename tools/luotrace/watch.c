// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit.h"
#include "event.h"
#include "fmt.h"
#include "msg.h"
#include "watch.h"
#include "words.h"

#define BUFFER_KIB	1024	/* some 4,000 leaks between two looks */
#define NAME_BUF	(4 * LT_NAME_LEN + 1)

struct watch {
	const struct cmd_options *o;
	const char *exec;
	uint64_t start;		/* of the first event, ns */
	bool leaked;
	bool failed;
};

/* One leak: what @e tells, put into words. */
struct leak {
	enum audit_class class;
	char text[AUDIT_TEXT];
};

static bool is_leak(const struct lt_event *e, struct leak *l)
{
	char name[NAME_BUF], compat[NAME_BUF], text[NAME_BUF];

	fmt_name(name, sizeof(name), e->name);
	fmt_name(compat, sizeof(compat), e->compat);
	switch (e->type) {
	case LT_SESSION_LEAK:
		if (e->what == LEAK_DISCARDED)
			return false;
		l->class = e->what == LEAK_CLOSED ? AUDIT_DROPPED : AUDIT_GIVEN_UP;
		snprintf(l->text, sizeof(l->text),
			 e->what == LEAK_CLOSED ?
			 "session %s closed without FINISH, %llu of %llu file%s retrieved" :
			 "session %s is given up for the next live update, %llu of %llu file%s retrieved",
			 name, (unsigned long long)e->bytes,
			 (unsigned long long)e->files, fmt_s(e->files));
		return true;
	case LT_FILE_STATE:
		/* A file of another state, or one that keeps failing, is no news. */
		if (e->ret == -ENOENT && e->new == FILE_INCOMING)
			l->class = AUDIT_NO_HANDLER;
		else if (e->ret < 0 && e->new == FILE_FAILED &&
			 e->old != FILE_FAILED)
			l->class = AUDIT_FAILED;
		else
			return false;
		snprintf(l->text, sizeof(l->text),
			 "session %s token %llu failed with %s, handler %s", name,
			 (unsigned long long)e->token, fmt_errno(e->ret), compat);
		return true;
	case LT_SESSION_FINISH:
		/* One that is finished already is not left. */
		if (e->ret >= 0 || e->new != STATE_UPDATED)
			return false;
		l->class = AUDIT_UNFINISHED;
		snprintf(l->text, sizeof(l->text),
			 "FINISH of session %s failed with %s", name,
			 fmt_errno(e->ret));
		return true;
	case LT_HANDOVER_REJECT:
		l->class = AUDIT_REFUSED;
		snprintf(l->text, sizeof(l->text), "%s %s of the handover refused: %s",
			 compat, name, fmt_name(text, sizeof(text), e->text));
		return true;
	default:
		return false;
	}
}

/* Run the command of --exec with the leak in its environment. */
static void run_command(const struct watch *w, const struct lt_event *e,
			const struct leak *l)
{
	char token[24];
	int status;
	pid_t pid;

	snprintf(token, sizeof(token), "%llu", (unsigned long long)e->token);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		setenv("LUOTRACE_CLASS", audit_class_name(l->class), 1);
		setenv("LUOTRACE_SESSION", e->name, 1);
		setenv("LUOTRACE_TOKEN", token, 1);
		setenv("LUOTRACE_TEXT", l->text, 1);
		execl("/bin/sh", "sh", "-c", w->exec, NULL);
		_exit(127);
	}
	if (pid < 0) {
		msg_error("cannot run '%s': %s", w->exec, strerror(errno));
		return;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return;
	}
	if (status)
		msg_error("'%s' ended with %s %d", w->exec,
			  WIFSIGNALED(status) ? "signal" : "code",
			  WIFSIGNALED(status) ? WTERMSIG(status) :
						WEXITSTATUS(status));
}

static json_t *leak_json(const struct watch *w, const struct lt_event *e,
			 const struct leak *l)
{
	return json_pack("{ss, sI, ss, so, so, so}", "event", "leak",
			 "time_ns", (json_int_t)event_since(e->ts, w->start),
			 "class", audit_class_name(l->class),
			 "session", fmt_json_name(e->name),
			 "token", cmd_json_token(e->token), "text",
			 fmt_json_text(l->text));
}

static void on_event(const struct lt_event *e, void *data)
{
	struct watch *w = data;
	struct leak l;

	if (!w->start)
		w->start = e->ts;
	if (!is_leak(e, &l))
		return;
	w->leaked = true;
	if (w->o->json)
		w->failed |= cmd_json_print(leak_json(w, e, &l), JSON_COMPACT) != 0;
	else
		printf("%13.6f %-10s %s\n", event_since(e->ts, w->start) / 1e9,
		       audit_class_name(l.class), l.text);
	if (w->exec)
		run_command(w, e, &l);
}

int watch_run(struct cmd_options *o, const char *exec, const struct probe *probe,
	      bool (*ready)(void *data), void *data)
{
	struct watch w = { .o = o, .exec = exec };
	struct tracer_lost lost;
	struct tracer *t;

	o->tracer.ops = TRACER_ALL_OPS;
	/* All leaks are failures; that keeps the rest out of the buffer. */
	o->tracer.errors = true;
	o->tracer.buffer_kib = BUFFER_KIB;
	o->tracer.stream = 1U << LT_SESSION_LEAK | 1U << LT_SESSION_FINISH |
			   1U << LT_FILE_STATE | 1U << LT_HANDOVER_REJECT;
	setvbuf(stdout, NULL, _IOLBF, 0);
	t = tracer_open(probe, &o->tracer, on_event, &w);
	if (!t)
		return EXIT_CANNOT;
	if (!ready(data)) {
		tracer_close(t);
		return EXIT_FINDING;
	}
	cmd_tracing();
	if (cmd_loop(t, o->duration_ms, &w.failed) == LOOP_ERROR)
		w.failed = true;
	tracer_read_lost(t, &lost);
	cmd_warn_lost(&lost);
	tracer_close(t);
	return w.leaked || w.failed ? EXIT_FINDING : EXIT_FINE;
}
