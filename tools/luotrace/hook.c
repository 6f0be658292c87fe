// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "hook.h"
#include "msg.h"

struct run {
	struct run *next;
	enum audit_class class;
	uint64_t token;
	char session[LT_NAME_LEN];
	char text[];
};

struct hook {
	const char *command;
	uint64_t limit_ns;
	struct run *first;	/* that waits */
	struct run **last;
	size_t waiting;
	pid_t pid;		/* of the run, and of its group; 0 for none */
	int pidfd;
	uint64_t deadline;
	bool killed;
};

struct hook *hook_new(const char *command, unsigned int limit_ms)
{
	struct hook *h = calloc(1, sizeof(*h));

	if (!h) {
		msg_error("out of memory");
		return NULL;
	}
	h->command = command;
	h->limit_ns = limit_ms * 1000000ULL;
	h->last = &h->first;
	h->pidfd = -1;
	return h;
}

bool hook_add(struct hook *h, const struct leak *l)
{
	size_t len = strlen(l->text) + 1;
	struct run *run;

	if (h->waiting >= HOOK_MAX)
		return false;
	run = malloc(sizeof(*run) + len);
	if (!run)
		return false;
	run->next = NULL;
	run->class = l->class;
	run->token = l->token;
	memcpy(run->session, l->session, sizeof(run->session));
	memcpy(run->text, l->text, len);
	*h->last = run;
	h->last = &run->next;
	h->waiting++;
	return true;
}

/* The run inherits no signal handling of this process, and no terminal. */
static void child(const struct hook *h, const struct run *run)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	char token[24];
	size_t i;
	int fd;

	setpgid(0, 0);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	fd = open("/dev/null", O_RDONLY);
	if (fd >= 0)
		dup2(fd, STDIN_FILENO);
	/* Standard output is for leaks, in JSON for a program. */
	dup2(STDERR_FILENO, STDOUT_FILENO);
	snprintf(token, sizeof(token), "%llu", (unsigned long long)run->token);
	setenv("LUOTRACE_CLASS", audit_class_name(run->class), 1);
	setenv("LUOTRACE_SESSION", run->session, 1);
	setenv("LUOTRACE_TOKEN", token, 1);
	setenv("LUOTRACE_TEXT", run->text, 1);
	/* A command that begins with a dash is a command. */
	execl("/bin/sh", "sh", "-c", "--", h->command, NULL);
	_exit(127);
}

static void begin(struct hook *h)
{
	struct run *run = h->first;

	h->first = run->next;
	if (!h->first)
		h->last = &h->first;
	h->waiting--;

	h->pid = fork();
	if (!h->pid)
		child(h, run);
	free(run);
	if (h->pid < 0) {
		msg_error("cannot run '%s': %s", h->command, strerror(errno));
		h->pid = 0;
		return;
	}
	/* Here, too: it can be killed before it has done so itself. */
	setpgid(h->pid, h->pid);
	h->pidfd = syscall(SYS_pidfd_open, h->pid, 0);
	h->deadline = monotonic_ns() + h->limit_ns;
	h->killed = false;
}

static void kill_run(struct hook *h)
{
	kill(-h->pid, SIGKILL);
	h->killed = true;
}

static void ended(struct hook *h, int status)
{
	if (h->killed)
		msg_error("'%s' took longer than %g s and was killed", h->command,
			  h->limit_ns / 1e9);
	else if (status)
		msg_error("'%s' ended with %s %d", h->command,
			  WIFSIGNALED(status) ? "signal" : "code",
			  WIFSIGNALED(status) ? WTERMSIG(status) :
						WEXITSTATUS(status));
	if (h->pidfd >= 0)
		close(h->pidfd);
	h->pidfd = -1;
	h->pid = 0;
}

void hook_poll(struct hook *h)
{
	int status = 0;
	pid_t pid;

	if (h->pid) {
		pid = waitpid(h->pid, &status, WNOHANG);
		if (pid == h->pid || (pid < 0 && errno == ECHILD))
			ended(h, status);
		else if (!h->killed && monotonic_ns() >= h->deadline)
			kill_run(h);
	}
	if (!h->pid && h->first)
		begin(h);
}

int hook_fd(const struct hook *h)
{
	return h ? h->pidfd : -1;
}

size_t hook_left(const struct hook *h)
{
	return h ? h->waiting + (h->pid > 0) : 0;
}

void hook_free(struct hook *h)
{
	struct run *run;

	if (!h)
		return;
	/* No wait: a run that cannot be killed must not block this process. */
	if (h->pid)
		kill_run(h);
	if (h->pidfd >= 0)
		close(h->pidfd);
	while (h->first) {
		run = h->first;
		h->first = run->next;
		free(run);
	}
	free(h);
}
