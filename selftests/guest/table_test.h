/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the tests that walk the tables of selftests/tables share: the rows, trace events
 * of one object, and which rows were walked in which kernel of the VM.
 */

#ifndef TABLE_TEST_H
#define TABLE_TEST_H

#include "trace_test.h"

#include <sys/wait.h>

#define MAX_EVENTS	8
/* What is left here, the next kernel of the VM has, too. */
#define WALKED		"/state/walked-"
#define FROZEN_US	8000000
#define DEVICE_NAME	LIVEUPDATE_DEVICE_SESSION

/* An ioctl. */
struct call_row {
	const char *name;
	unsigned long cmd;
	const char *on;
	size_t size;
};

/* A transition of one object. */
struct transition {
	int id;
	const char *machine, *from, *what, *to;
	int ret;
	const char *when;
	const char *events[MAX_EVENTS];	/* the first one tells it */
};

/* An errno of one call. */
struct error_row {
	const char *id, *call, *what;
	int ret;
	const char *events[MAX_EVENTS];
	const char *elsewhere;	/* the test that reaches it, or "" */
};

/* What a call returns on the base's LUO and on this one. */
struct difference_row {
	const char *id;
	int base, ours;
};

#include "tables.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* A session, or a file of it; the global state has neither. */
struct object {
	const char *machine;
	char name[NAME_LEN];
	uint64_t token;
};

static inline bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Whether a line of tracefs, debugfs or the table has this "key=value". */
static inline bool has_field(const char *line, const char *field, size_t len)
{
	const char *at = line;

	while ((at = strstr(at, " "))) {
		at += strspn(at, " ");
		if (!strncmp(at, field, len) && (!at[len] || at[len] == ' ' ||
						 at[len] == '\n'))
			return true;
	}
	return false;
}

__attribute__((format(printf, 2, 3)))
static inline bool has(const char *line, const char *fmt, ...)
{
	char field[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(field, sizeof(field), fmt, ap);
	va_end(ap);
	return has_field(line, field, strlen(field));
}

/* Whether a line of tracefs has the name and all fields of an event of the table. */
static inline bool is_event(const char *line, const char *event)
{
	size_t len = strcspn(event, " ");

	if (strncmp(line, event, len) || line[len] != ':')
		return false;
	while (*(event += len) == ' ') {
		event++;
		len = strcspn(event, " ");
		if (!has_field(line, event, len))
			return false;
	}
	return true;
}

/* Whether a line is an event of the object, other than luo_file_error. */
static inline bool is_of(const char *line, const struct object *o)
{
	if (!strcmp(o->machine, "global"))
		return starts(line, "luo_state:");
	if (starts(o->machine, "session-"))
		return starts(line, "luo_session_") && has(line, "name=%s", o->name) &&
		       (!strstr(line, " dir=") || has(line, "dir=%s", o->machine + 8));
	if (starts(o->machine, "subsystem-"))
		return starts(line, "luo_subsystem_state:") &&
		       has(line, "name=%s", o->name) && has(line, "dir=%s", o->machine + 10);
	if (starts(o->machine, "flb-"))
		return (starts(line, "luo_flb_exit:") || starts(line, "luo_handover_reject:")) &&
		       has(line, "name=%s", o->name);
	if (!has(line, "token=%llu", (unsigned long long)o->token))
		return false;
	return (starts(line, "luo_file_state:") && has(line, "session=%s", o->name)) ||
	       (starts(line, "luo_handover_reject:") && has(line, "name=%s", o->name));
}

/* luo_file_error with the same fields follows luo_file_state if it has an errno. */
static inline bool is_followed(const struct trace *t, int i)
{
	const char *state = t->lines[i] + strlen("luo_file_state:"), *next = NULL;

	if (i + 1 < t->nr && starts(t->lines[i + 1], "luo_file_error:"))
		next = t->lines[i + 1] + strlen("luo_file_error:");
	return strstr(state, " ret=-") ? next && !strcmp(next, state) :
					 !next || strcmp(next, state);
}

/* Whether the events of the object are those, each once, and no other one. */
static inline bool events_are(const struct trace *t, const struct object *o,
			      const char *const *events, size_t max)
{
	size_t e, nr = 0, seen[MAX_EVENTS] = {};
	bool ok = true, known;
	int i;

	for (i = 0; i < t->nr; i++) {
		if (!is_of(t->lines[i], o))
			continue;
		for (e = 0, known = false; e < max && events[e]; e++) {
			known |= is_event(t->lines[i], events[e]);
			seen[e] += is_event(t->lines[i], events[e]);
		}
		if (!known)
			printf("# is also  %s\n", t->lines[i]);
		if (starts(t->lines[i], "luo_file_state:") && !is_followed(t, i)) {
			printf("# luo_file_error does not agree: %s\n", t->lines[i]);
			ok = false;
		}
		ok &= known;
		nr++;
	}
	for (e = 0; e < max && events[e]; e++) {
		if (seen[e] != 1)
			printf("# %zu times %s\n", seen[e], events[e]);
		ok &= seen[e] == 1;
	}
	return ok && nr == e;
}

/* Record all events of LUO from now on. */
static inline void trace_all(void)
{
	static const char *const all[] = { "luo", NULL };

	trace_start(all);
}

static inline void trace_again(void)
{
	write_file(TRACEFS "trace", "");
	write_file(TRACEFS "tracing_on", "1");
}

/*
 * Whether debugfs lists the object with this word in its line; a file follows its session.
 * With an empty word: whether it does not list it.
 */
static inline bool is_listed(const struct object *o, const char *word)
{
	char *text = read_all("/sys/kernel/debug/liveupdate/sessions"), *line, *save;
	const char *dir = strchr(o->machine, '-') + 1, *found = NULL;
	bool of_file = starts(o->machine, "file-"), inside = false, yes;

	for (line = strtok_r(text, "\n", &save); line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		if (starts(line, "session=")) {
			inside = !strncmp(line + 8, o->name, strlen(o->name)) &&
				 line[8 + strlen(o->name)] == ' ' && has(line, "dir=%s", dir);
			if (inside && !of_file)
				found = line;
		} else if (inside && of_file && has(line, "token=%llu",
						    (unsigned long long)o->token)) {
			found = line;
		}
	}
	yes = *word ? found && strstr(found, word) : !found;
	free(text);
	return yes;
}

/* Remember that a row was walked, in the list of a test. */
static inline void walked(const char *list, const char *id)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), WALKED "%s", list);
	f = fopen(path, "a");
	must(f && fprintf(f, "%s\n", id) > 0 && !fclose(f), path);
}

/* How often it was. */
static inline int times_walked(const char *list, const char *id)
{
	char path[64], *text, *line, *save;
	int n = 0;

	snprintf(path, sizeof(path), WALKED "%s", list);
	text = read_all(path);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += !strcmp(line, id);
	free(text);
	return n;
}

/* Whether a task sleeps uninterruptibly. */
static inline bool is_asleep(pid_t pid)
{
	char path[32], *text, *name_end;
	bool yes;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text = read_all(path);
	name_end = strrchr(text, ')');
	yes = name_end && name_end[1] && name_end[2] == 'D';
	free(text);
	return yes;
}

/*
 * In a child, reboot; the caller goes on while the global state is FROZEN, for
 * FROZEN_US. The state can be read before its event is recorded: the child has done both
 * when it sleeps.
 */
static inline void reboot_in_child(int dev)
{
	struct liveupdate_test_frozen hold = {
		.size = sizeof(hold), .delay_us = FROZEN_US,
	};
	int t = test_file(1);
	pid_t pid;

	must(!call(t, LIVEUPDATE_TEST_FROZEN, &hold), "LIVEUPDATE_TEST_FROZEN");
	close(t);
	pid = fork();
	if (!pid) {
		/* A session that the caller closes is open nowhere else. */
		syscall(SYS_close_range, 3, ~0U, 0);
		_exit(reboot_kexec() != 0);
	}
	while (state(dev, false) != LIVEUPDATE_STATE_FROZEN || !is_asleep(pid))
		usleep(1000);
}

/* The runner expects this line of a program whose results nobody waits for. */
static inline void say_done(const char *what)
{
	FILE *f = fopen("/dev/kmsg", "w");

	must(f && fprintf(f, "%s: %s: done\n", program_invocation_short_name, what) > 0 &&
	     !fclose(f), "/dev/kmsg");
	usleep(200000);
}

#endif
