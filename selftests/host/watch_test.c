// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace audit --watch: the command that runs for each leak, output that waits for its
 * reader, leaks that are already reported. As TAP.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enum_name.h"
#include "hook.h"
#include "leak.h"
#include "outq.h"
#include "tap.h"

#define MANY	20000

static const char *text_of(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static void run_all(struct hook *h, int seconds)
{
	struct pollfd p = { .events = POLLIN };
	int i;

	for (i = 0; i < 100 * seconds && hook_left(h); i++) {
		hook_poll(h);
		p.fd = hook_fd(h);
		poll(&p, 1, 10);
	}
}

static void test_hook(void)
{
	struct leak l = { .class = AUDIT_DROPPED, .token = UINT64_MAX,
			  .session = "-rf --x", .text = "session -rf" };
	struct hook *h;

	h = hook_new("echo \"$LUOTRACE_CLASS/$LUOTRACE_SESSION/$LUOTRACE_TOKEN/$LUOTRACE_TEXT\" >> out; wc -c >> out",
		     30000);
	check(hook_add(h, &l) && hook_add(h, &l) && hook_left(h) == 2, "two runs wait");
	run_all(h, 30);
	check(!hook_left(h) && !strcmp(text_of("out"),
		"dropped/-rf --x/18446744073709551615/session -rf\n0\n"
		"dropped/-rf --x/18446744073709551615/session -rf\n0\n"),
	      "each has its leak in its environment, and no input");
	hook_free(h);

	/* An option of the shell would be "exit on a failure", which prints nothing. */
	h = hook_new("-e; echo went on > dash", 30000);
	hook_add(h, &l);
	run_all(h, 30);
	check(!strcmp(text_of("dash"), "went on\n"), "a command that begins with a dash");
	hook_free(h);
}

/* The output of a command is not mixed with the leaks. */
static void test_hook_output(void)
{
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	int a = open("stdout", O_WRONLY | O_CREAT, 0600);
	int b = open("stderr", O_WRONLY | O_CREAT | O_APPEND, 0600);
	struct leak l = { .text = "x" };
	struct hook *h = hook_new("echo noise", 30000);

	dup2(a, STDOUT_FILENO);
	dup2(b, STDERR_FILENO);
	hook_add(h, &l);
	run_all(h, 30);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(a);
	close(b);
	close(out);
	close(err);
	hook_free(h);
	check(!strcmp(text_of("stdout"), ""), "a run prints nothing on standard output");
	check(!strcmp(text_of("stderr"), "noise\n"), "its output is on standard error");
}

static bool is_running(const char *path)
{
	pid_t pid = atoi(text_of(path));
	char stat[64], state = 0;
	FILE *f;

	if (pid <= 0)
		return false;
	snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
	f = fopen(stat, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d %*s %c", &state) != 1)
		state = 0;
	fclose(f);
	return state && state != 'Z' && state != 'X';
}

static void test_hook_hangs(void)
{
	struct leak l = { .text = "x" };
	struct hook *h = hook_new("sleep 1000 & echo $! > pid; wait", 500);
	int i;

	hook_add(h, &l);
	hook_poll(h);
	for (i = 0; i < 3000 && !*text_of("pid"); i++)
		usleep(10000);
	check(is_running("pid"), "a run hangs");
	run_all(h, 60);
	check(!hook_left(h), "it has a time limit");
	for (i = 0; i < 500 && is_running("pid"); i++)
		usleep(10000);
	check(!is_running("pid"), "its children are ended, too");
	hook_free(h);

	unlink("pid");
	h = hook_new("sleep 1000 & echo $! > pid; wait", 1000000);
	hook_add(h, &l);
	hook_add(h, &l);
	hook_poll(h);
	for (i = 0; i < 3000 && !*text_of("pid"); i++)
		usleep(10000);
	hook_free(h);
	for (i = 0; i < 500 && is_running("pid"); i++)
		usleep(10000);
	check(!is_running("pid"), "the end of the watch ends one that hangs");
}

static void test_outq(void)
{
	struct outq q = {};
	char line[64], *got;
	size_t at = 0, len = 0;
	int p[2], i, err = 0;
	ssize_t n;
	bool ok = true;

	if (pipe(p))
		exit(1);
	q.fd = p[1];
	/* Without a reader, this must return. */
	for (i = 0; i < MANY; i++) {
		snprintf(line, sizeof(line), "leak %d", i);
		ok = ok && outq_add(&q, line);
		err |= outq_write(&q);
	}
	check(ok && !err && outq_left(&q), "a reader that does not read blocks nothing");
	got = malloc(MANY * sizeof(line));
	while (outq_left(&q)) {
		n = read(p[0], got + len, 4096);
		len += n > 0 ? n : 0;
		err |= outq_write(&q);
	}
	close(p[1]);
	while ((n = read(p[0], got + len, 4096)) > 0)
		len += n;
	for (i = 0; i < MANY && ok; i++) {
		snprintf(line, sizeof(line), "leak %d\n", i);
		ok = at + strlen(line) <= len && !memcmp(got + at, line, strlen(line));
		at += strlen(line);
	}
	check(ok && at == len && !err, "when it reads, it gets all, in order");
	free(got);
	outq_free(&q);
	close(p[0]);

	q.fd = open("/dev/full", O_WRONLY);
	outq_add(&q, "x");
	check(outq_write(&q) == -ENOSPC && !outq_left(&q), "a full disk is noticed");
	close(q.fd);
	outq_free(&q);
}

#define SECOND	1000000000ULL

static void test_told(void)
{
	struct leak_reports *t = leak_reports_new();
	struct leak event = { .class = AUDIT_DROPPED, .ts = 100 * SECOND,
			      .session = "vm" };
	struct leak found = { .class = AUDIT_DROPPED, .ts = 200 * SECOND,
			      .since = 100 * SECOND, .audited = true,
			      .session = "vm" };

	check(!leak_is_reported(t, &event), "no leak is reported");
	leak_set_reported(t, &event);
	check(leak_is_reported(t, &found), "an audit does not repeat the leak of an event");
	check(!leak_is_reported(t, &event), "another event is another leak");
	found.since = 150 * SECOND;
	check(!leak_is_reported(t, &found), "an audit reports it if it happened again");
	leak_set_reported(t, &found);
	check(leak_is_reported(t, &found), "once");
	event.ts = 199 * SECOND;
	check(leak_is_reported(t, &event), "an earlier event is the same leak");
	event.ts = 201 * SECOND;
	check(!leak_is_reported(t, &event), "a later one is another leak");

	found.ts = 300 * SECOND;
	leak_set_reported(t, &found);
	leak_reports_sweep(t, 300 * SECOND);
	check(leak_is_reported(t, &found), "a leak that remains stays reported");
	leak_reports_sweep(t, 301 * SECOND);
	check(!leak_is_reported(t, &found), "a cured leak is forgotten");
	leak_reports_free(t);
}

static void test_leaks(void)
{
	struct lt_event e = { .type = LT_HANDOVER_REJECT, .session = "-x",
			      .reject = { .what = "-rf", .reason = "why" } };
	struct leak l;

	check(leak_of_event(&e, &l) && l.class == AUDIT_REJECTED &&
	      !strcmp(l.text, "refused -rf -x of the handover: why"),
	      "no sentence begins with a name");
	strcpy(e.reject.what, "flb");
	strcpy(e.reject.reason, "given-up");
	check(!leak_of_event(&e, &l), "an FLB goes with its sessions");
	strcpy(e.reject.reason, "not-retrieved");
	check(leak_of_event(&e, &l), "but one that cannot be retrieved is a leak");
	memset(&e.reject, 0, sizeof(e.reject));
	e.type = LT_SESSION_LEAK;
	e.leak.reason = LEAK_DISCARDED;
	check(!leak_of_event(&e, &l), "a discarded session is no leak");
	e.leak.reason = LEAK_CLOSED;
	check(leak_of_event(&e, &l) && l.class == AUDIT_DROPPED, "a dropped one is a leak");
	strcpy(e.session, "luotrace");
	check(!leak_of_event(&e, &l), "the black box is none");
	e.type = LT_HANDOVER_REJECT;
	check(leak_of_event(&e, &l), "but memory of one that was rejected is");
}

int main(void)
{
	char dir[] = "/tmp/watch.XXXXXX", command[64];

	puts("TAP version 13");
	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	test_hook();
	test_hook_output();
	test_hook_hangs();
	test_outq();
	test_told();
	test_leaks();
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	if (system(command))
		return 1;
	return end_tests();
}
