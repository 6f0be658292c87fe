/* SPDX-License-Identifier: GPL-2.0 */

/* What the tests of the trace events share: tracefs, and the events' lines. */

#ifndef TRACE_TEST_H
#define TRACE_TEST_H

#include "luo_test.h"

#include <regex.h>

#define TRACEFS		"/sys/kernel/tracing/"
#define NUM		"[0-9]+"
#define MAX_LINES	2048

/* The lines of tracefs, each "event: fields". */
struct trace {
	char *text;
	char *lines[MAX_LINES];
	int nr;
};

static inline char *read_all(const char *path)
{
	size_t size = 1 << 20, used = 0;
	char *buf = malloc(size);
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0 || !buf) {
		perror(path);
		abort();
	}
	while ((n = read(fd, buf + used, size - used - 1)) > 0)
		used += n;
	buf[used] = '\0';
	close(fd);
	return buf;
}

/* Record these events, and no other one. */
static inline void trace_start(const char *const *events)
{
	char path[256];

	write_file(TRACEFS "tracing_on", "0");
	write_file(TRACEFS "events/enable", "0");
	write_file(TRACEFS "trace", "");
	for (; *events; events++) {
		snprintf(path, sizeof(path), TRACEFS "events/%s/enable",
			 *events);
		write_file(path, "1");
		/* Once more what luo_handler_exit is. */
		if (!strcmp(*events, "luo"))
			write_file(TRACEFS "events/luo/luo_handler_calls/enable", "0");
	}
	/* The base's own FLB test has FLBs for every handler; they are left out. */
	write_file(TRACEFS "events/luo/luo_flb_enter/filter", "name ~ \"luo-*\"");
	write_file(TRACEFS "events/luo/luo_flb_exit/filter", "name ~ \"luo-*\"");
	write_file(TRACEFS "tracing_on", "1");
}

static inline void trace_stop(struct trace *t)
{
	char *line, *save, *event;

	write_file(TRACEFS "tracing_on", "0");
	t->text = read_all(TRACEFS "trace");
	t->nr = 0;
	for (line = strtok_r(t->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#')
			continue;
		if (t->nr == MAX_LINES)
			abort();
		event = strstr(line, ": ");
		if (event)
			t->lines[t->nr++] = event + 2;
	}
}

static inline void trace_end(struct trace *t)
{
	write_file(TRACEFS "events/enable", "0");
	free(t->text);
}

static inline bool matches(const char *line, const char *regex)
{
	char anchored[1024];
	regex_t re;
	bool yes;

	snprintf(anchored, sizeof(anchored), "^%s$", regex);
	if (regcomp(&re, anchored, REG_EXTENDED | REG_NOSUB))
		abort();
	yes = !regexec(&re, line, 0, NULL, 0);
	regfree(&re);
	return yes;
}

#define EXPECT_LINES(t, want)					\
	do {								\
		int _i, _n = sizeof(want) / sizeof((want)[0]);		\
									\
		EXPECT_EQ(_n, (t)->nr);					\
		for (_i = 0; _i < _n && _i < (t)->nr; _i++) {		\
			EXPECT_TRUE(matches((t)->lines[_i], (want)[_i])) \
				TH_LOG("line %d: %s; want %s", _i,	\
				       (t)->lines[_i], (want)[_i]);	\
		}							\
	} while (0)

#define FILE_EVENT(event, session, token, compat, old, new, ret)	\
	"luo_file_" event ": number=1 session=" session " token=" token	\
	" compatible=" compat " old=" old " new=" new " ret=" ret
#define FILE_LINE(session, token, compat, old, new, ret)		\
	FILE_EVENT("state", session, token, compat, old, new, ret)
#define FILE_ERROR(session, token, compat, old, new, ret)		\
	FILE_EVENT("error", session, token, compat, old, new, ret)
#define FILE_FAILS(session, token, compat, old, new, ret)		\
	FILE_LINE(session, token, compat, old, new, ret),		\
	FILE_ERROR(session, token, compat, old, new, ret)
#define ENTER(session, token, compat, op)				\
	"luo_handler_enter: number=1 session=" session " token=" token	\
	" compatible=" compat " op=" op
#define RETURN(event, session, token, compat, op, ret)			\
	"luo_handler_" event ": number=1 session=" session " token=" token \
	" compatible=" compat " op=" op " ret=" ret " duration_ns=" NUM
#define CALL(session, token, compat, op, ret)				\
	ENTER(session, token, compat, op),				\
	RETURN("exit", session, token, compat, op, ret)
#define CALL_ERROR(session, token, compat, op, ret)			\
	RETURN("error", session, token, compat, op, ret)
#define CALL_FAILS(session, token, compat, op, ret)			\
	CALL(session, token, compat, op, ret),				\
	CALL_ERROR(session, token, compat, op, ret)
#define TARGET(kind, name, op, ret)					\
	"luo_" kind "_enter: number=1 name=" name " op=" op,		\
	"luo_" kind "_exit: number=1 name=" name " op=" op " ret=" ret	\
	" duration_ns=" NUM
#define FLB(op)		TARGET("flb", "luo-test-flb-v1", op, "0")
#define RECORDER(op)	TARGET("subsystem", "luo-recorder", op, "0")
#define FIRST(op, ret)	TARGET("subsystem", "luo-test-first", op, ret)
#define SECOND(op, ret)	TARGET("subsystem", "luo-test-second", op, ret)
#define SUBSYSTEM_ENTER(name, op)					\
	"luo_subsystem_enter: number=1 name=" name " op=" op
#define SUBSYSTEM_LINE(name, old, new, event)				\
	"luo_subsystem_state: number=1 name=" name			\
	" dir=out old=" old " new=" new " event=" event " ret=0"
#define IS_PREPARED(name)	SUBSYSTEM_LINE(name, "normal", "prepared", "prepare")
#define IS_CANCELLED(name)	SUBSYSTEM_LINE(name, "prepared", "normal", "cancel")
#define SESSION_LINE(event, name, files, ret)				\
	"luo_session_" event ": number=1 name=" name			\
	" dir=out state=normal files=" files " ret=" ret

#define TEST_H	"liveupdate-test-v1"
#define MEMFD_H	"memfd-v[0-9]+"
#define PHASE(edge, scope, name, phase, sessions, files, ret)		\
	"luo_phase_" edge ": number=1 scope=" scope " name=" name	\
	" phase=" phase " sessions=" sessions " files=" files " ret=" ret
#define STATE_LINE(name, old, new, event, ret)				\
	"luo_session_state: number=1 name=" name " dir=out old=" old	\
	" new=" new " event=" event " ret=" ret

#endif
