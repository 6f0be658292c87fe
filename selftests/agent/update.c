// SPDX-License-Identifier: GPL-2.0

/*
 * A live update, step by step: the keepers are asked whether their guests can be paused,
 * LUO prepares while the guests run, the guests are paused all at once, the kernel is
 * replaced. Whatever fails, all guests are resumed at once.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libluo.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define ANSWER_MS	60000	/* for a keeper, which gives its VMM less */
#define COMMAND_MS	180000	/* until the kernel must have been replaced */
#define BUSY_TRIES	1000	/* of 10 ms until the device must be free */

int64_t agent_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int agent_device(void)
{
	const struct timespec span = { .tv_nsec = 10000000 };
	int i, dev;

	for (i = 0; (dev = luo_open()) == -EBUSY && i < BUSY_TRIES; i++)
		nanosleep(&span, NULL);
	return dev;
}

__attribute__((format(printf, 3, 4)))
static void fail(struct update *u, int err, const char *format, ...)
{
	va_list args;

	/* The first reason is the one that matters. */
	if (u->result)
		return;
	u->result = err;
	va_start(args, format);
	vsnprintf(u->text, sizeof(u->text), format, args);
	va_end(args);
}

/* Ask a keeper; the answer comes to update_answer(). */
static void ask(struct agent *a, struct guest *g, enum agent_verb verb)
{
	struct agent_msg msg = { .verb = verb };
	int err;

	snprintf(msg.name, sizeof(msg.name), "%s", g->name);
	err = g->sock < 0 ? -ENOTCONN : agent_send(g->sock, &msg, -1);
	g->asked = err ? 0 : verb;
	if (err && verb != AGENT_RESUME)
		fail(&a->update, err, "guest '%s' has no keeper", g->name);
}

static bool is_awaited(const struct agent *a)
{
	const struct guest *g;

	for (g = a->guests; g; g = g->next)
		if (g->asked)
			return true;
	return false;
}

static void set_phase(struct agent *a, enum update_phase phase)
{
	a->update.phase = phase;
	a->update.deadline = agent_now() + (phase == UPDATE_REBOOT ? COMMAND_MS : ANSWER_MS);
}

static int prepare_each(struct agent *a)
{
	struct guest *g;
	int err;

	for (g = a->guests; g; g = g->next) {
		err = luo_session_set_event(g->session, LUO_EVENT_PREPARE);
		if (err)
			return err;
	}
	return 0;
}

static void prepare(struct agent *a)
{
	int dev, err;

	a->update.session = agent_hand_over(a);
	if (a->update.session < 0) {
		fail(&a->update, a->update.session, "cannot preserve the names of the guests: %s",
		     strerror(-a->update.session));
		return;
	}
	dev = agent_device();
	err = dev < 0 ? dev : luo_set_event(dev, LUO_EVENT_PREPARE);
	if (dev >= 0)
		close(dev);
	/* A session of the previous kernel that nobody has finished keeps it UPDATED. */
	if (err == -EBUSY)
		err = prepare_each(a);
	/* A stock kernel has no such state: it prepares when it is replaced. */
	if (err && err != -EOPNOTSUPP)
		fail(&a->update, err, "LUO cannot prepare: %s", strerror(-err));
}

void update_cancel_all(struct agent *a)
{
	enum luo_state state;
	struct guest *g;
	int dev = agent_device();

	if (dev >= 0) {
		if (!luo_get_state(dev, &state) && state == LUO_STATE_PREPARED)
			luo_set_event(dev, LUO_EVENT_CANCEL);
		close(dev);
	}
	for (g = a->guests; g; g = g->next)
		if (g->session >= 0 && !g->incoming &&
		    !luo_session_get_state(g->session, &state) &&
		    state != LUO_STATE_NORMAL)
			luo_session_set_event(g->session, LUO_EVENT_CANCEL);
}

/*
 * In the child, which has a lock of the agent: one that is started anew waits for its end.
 * It has the sessions, too, so that they last if agent and keepers are killed meanwhile.
 */
static void replace(struct agent *a, int held)
{
	struct guest *g;

	setpgid(0, 0);
	if (!*a->update.command) {
		reboot(LINUX_REBOOT_CMD_KEXEC);
		_exit(errno);
	}
	fcntl(held, F_SETFD, 0);
	fcntl(a->update.session, F_SETFD, 0);
	for (g = a->guests; g; g = g->next)
		fcntl(g->session, F_SETFD, 0);
	execl("/bin/sh", "sh", "-c", a->update.command, NULL);
	_exit(127);
}

/* The end of a pipe tells when the command, and all that it has started, have ended. */
static void replace_kernel(struct agent *a)
{
	struct update *u = &a->update;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC)) {
		fail(u, -errno, "cannot make a pipe: %s", strerror(errno));
		return;
	}
	u->pid = fork();
	if (!u->pid)
		replace(a, ends[1]);
	if (u->pid < 0)
		fail(u, -errno, "cannot start what replaces the kernel: %s",
		     strerror(errno));
	close(ends[1]);
	if (u->pid < 0)
		close(ends[0]);
	else
		u->running = ends[0];
}

static void end(struct agent *a)
{
	struct agent_msg msg = { .verb = AGENT_DONE, .result = a->update.result };

	snprintf(msg.text, sizeof(msg.text), "no live update: %.200s; all guests run on",
		 a->update.text);
	fprintf(stderr, "luo_agentd: %s\n", msg.text);
	agent_send(a->update.operator, &msg, -1);
	a->update.operator = -1;
	a->update.phase = UPDATE_IDLE;
}

static void resume(struct agent *a)
{
	struct guest *g;

	set_phase(a, UPDATE_RESUME);
	for (g = a->guests; g; g = g->next) {
		if (g->paused)
			ask(a, g, AGENT_RESUME);
		g->paused = false;
	}
	/* They run meanwhile. */
	if (a->update.session >= 0)
		close(a->update.session);
	a->update.session = -1;
	update_cancel_all(a);
	if (!is_awaited(a))
		end(a);
}

static void pause_all(struct agent *a)
{
	struct guest *g;

	set_phase(a, UPDATE_PAUSE);
	for (g = a->guests; g; g = g->next) {
		g->paused = true;
		ask(a, g, AGENT_PAUSE);
	}
}

/* All have answered, or there is nothing to wait for. */
static void next_phase(struct agent *a)
{
	struct update *u = &a->update;

	if (u->phase == UPDATE_RESUME) {
		end(a);
		return;
	}
	if (u->phase == UPDATE_CHECK && !u->result)
		prepare(a);
	if (u->phase == UPDATE_CHECK && !u->result) {
		pause_all(a);
		if (is_awaited(a))
			return;
	}
	if (u->phase == UPDATE_PAUSE && !u->result) {
		set_phase(a, UPDATE_REBOOT);
		replace_kernel(a);
		if (!u->result)
			return;
	}
	resume(a);
}

void update_begin(struct agent *a, int operator, const char *command)
{
	struct update *u = &a->update;
	char unkept[AGENT_NAME];
	struct guest *g;
	int found;

	u->operator = operator;
	u->result = 0;
	u->text[0] = '\0';
	snprintf(u->command, sizeof(u->command), "%s", command);
	set_phase(a, UPDATE_CHECK);
	found = agent_find_unkept(a, unkept);
	if (found < 0)
		fail(u, found, "cannot look for VMMs in " AGENT_DIR ": %s", strerror(-found));
	else if (found)
		fail(u, -EAGAIN, "guest '%s' has no keeper", unkept);
	for (g = a->guests; g; g = g->next) {
		if (g->incoming)
			fail(u, -EBUSY, "guest '%s' is not restored yet%s", g->name,
			     g->sock < 0 ? ", and has no keeper" : "");
		else
			ask(a, g, AGENT_CHECK);
	}
	if (!is_awaited(a))
		next_phase(a);
}

/* Once the update has failed, those that are paused do not wait for the others. */
static void advance(struct agent *a)
{
	enum update_phase phase = a->update.phase;

	if (!is_awaited(a) || (phase == UPDATE_PAUSE && a->update.result))
		next_phase(a);
}

void update_answer(struct agent *a, struct guest *g, const struct agent_msg *msg)
{
	/* A keeper that has just come answers that it has resumed its guest, too. */
	if (!g->asked || g->asked != msg->flags)
		return;
	g->asked = 0;
	if (msg->result)
		fail(&a->update, msg->result, "guest '%s': %s", g->name, msg->text);
	advance(a);
}

void update_lost(struct agent *a, struct guest *g)
{
	g->asked = 0;
	g->paused = false;
	if (a->update.phase == UPDATE_IDLE)
		return;
	/* The next keeper resumes it, once the update is over. */
	fail(&a->update, -ECONNRESET, "guest '%s' has lost its keeper", g->name);
	if (a->update.phase != UPDATE_REBOOT)
		advance(a);
}

void update_late(struct agent *a)
{
	struct update *u = &a->update;
	struct guest *g;

	if (u->phase == UPDATE_REBOOT) {
		fail(u, -ETIMEDOUT, "the kernel was not replaced after %d s",
		     COMMAND_MS / 1000);
		if (u->running < 0) {
			next_phase(a);
			return;
		}
		/* The guests are resumed when all of it has ended. */
		fprintf(stderr, "luo_agentd: %s, killing '%s' and what it has started\n",
			u->text, u->command);
		kill(-u->pid, SIGKILL);
		u->deadline = INT64_MAX;
		return;
	}
	for (g = a->guests; g; g = g->next) {
		if (g->asked)
			fail(u, -ETIMEDOUT, "guest '%s': no answer of its keeper", g->name);
		g->asked = 0;
	}
	next_phase(a);
}

/* Why a command that should not have ended has. */
static const char *ended(const struct update *u, int status, char *text, size_t size)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	if (*u->command)
		snprintf(text, size, "'%.100s' ended with %d", u->command, code);
	else
		snprintf(text, size, "reboot(2): %s", strerror(code));
	return text;
}

void update_ended(struct agent *a)
{
	struct update *u = &a->update;
	char text[AGENT_TEXT];
	int status = 0;

	close(u->running);
	u->running = -1;
	if (!waitpid(u->pid, &status, WNOHANG)) {
		/* It has closed what it inherited, but runs. */
		u->running = syscall(SYS_pidfd_open, u->pid, 0);
		return;
	}
	/* "systemctl kexec" returns before the kernel is replaced. */
	if (*u->command && WIFEXITED(status) && !WEXITSTATUS(status) &&
	    u->deadline != INT64_MAX)
		return;
	fail(u, -ECANCELED, "%s", ended(u, status, text, sizeof(text)));
	next_phase(a);
}
