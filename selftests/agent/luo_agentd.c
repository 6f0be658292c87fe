// SPDX-License-Identifier: GPL-2.0

/*
 * The agent of a host with guests, a model for those who write one.
 *
 *	luo_agentd			own /dev/liveupdate: give a session to each keeper
 *					of a guest (luo_keeper), carry out live updates
 *	luo_agentd update [COMMAND]	replace the kernel: by COMMAND, or at once by
 *					reboot(2); the next kernel is loaded before
 *	luo_agentd list			the guests, and what is known of each
 *	luo_agentd forget NAME		stop waiting for a guest without a keeper; what is
 *					preserved of it is lost
 *
 * It can be killed at any moment and started again: the keepers hold their sessions, too,
 * and come back. If COMMAND fails, the guests are resumed once it and everything it started
 * have ended; if it succeeds, they are resumed unless the kernel is replaced within three
 * minutes. It must not close the descriptors that it inherits.
 *
 * Exit codes: 0, 1 there was no update, 2 usage.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libluo.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

#define CLIENTS	1024
#define DAY_MS	86400000
#define LOCK	AGENT_DIR "/agent.lock"

/* Who is connected: first the agent's own sockets, then keepers and operators */
enum {
	AT_LISTEN,
	AT_COMMAND,
	AT_CLIENTS,
};

struct server {
	struct agent agent;
	struct pollfd polled[AT_CLIENTS + CLIENTS];
	int count;
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "luo_agentd: cannot %s: %s\n", what, strerror(-err));
	return err;
}

static struct guest *find_guest(struct agent *a, const char *name)
{
	struct guest *g;

	for (g = a->guests; g && strcmp(g->name, name); g = g->next)
		;
	return g;
}

static struct guest *guest_of(struct agent *a, int sock)
{
	struct guest *g;

	for (g = a->guests; g && g->sock != sock; g = g->next)
		;
	return g;
}

struct guest *agent_add(struct agent *a, const char *name)
{
	struct guest *g = find_guest(a, name);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->session = -1;
	g->sock = -1;
	g->next = a->guests;
	a->guests = g;
	return g;
}

static void remove_guest(struct agent *a, struct guest *g)
{
	struct guest **at = &a->guests;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	if (g->session >= 0)
		close(g->session);
	free(g);
}

/* That of the previous kernel if there is one, else a new one. */
static int open_session(struct guest *g)
{
	int dev = agent_device(), session;
	bool incoming;

	if (dev < 0)
		return dev;
	session = luo_session_retrieve(dev, g->name);
	incoming = session >= 0;
	if (session == -ENOENT)
		session = luo_session_create(dev, g->name);
	close(dev);
	if (session < 0)
		return session;
	g->session = session;
	g->incoming = incoming;
	g->created = !incoming;
	return 0;
}

static int send_session(int sock, struct guest *g, int err)
{
	struct agent_msg answer = { .verb = AGENT_SESSION, .result = err };

	strcpy(answer.name, g->name);
	answer.flags = (g->incoming ? AGENT_INCOMING : 0) | (g->created ? AGENT_NEW : 0);
	g->created = false;
	return agent_send(sock, &answer, err ? -1 : g->session);
}

/* A keeper has come, perhaps after one that was killed. */
static int welcome(struct agent *a, int sock, const struct agent_msg *msg, int fd)
{
	struct agent_msg resume = { .verb = AGENT_RESUME };
	struct guest *g = agent_add(a, msg->name);
	int err = 0;

	if (!g)
		return -ENOMEM;
	if (g->sock >= 0)
		return send_session(sock, g, -EBUSY);
	if (g->session < 0 && fd >= 0) {
		g->session = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		g->incoming = msg->flags & AGENT_INCOMING;
		err = g->session < 0 ? -errno : 0;
	} else if (g->session < 0) {
		err = open_session(g);
	}
	if (err)
		return send_session(sock, g, err);
	g->sock = sock;
	agent_names_done(a);
	/* There is no update: what one before has left is undone. */
	update_cancel_all(a);
	err = send_session(sock, g, 0);
	return err ? err : agent_send(sock, &resume, -1);
}

static int cmd_hello(struct agent *a, int sock, struct agent_msg *msg, int fd)
{
	return *msg->name ? welcome(a, sock, msg, fd) : -EPROTO;
}

static int cmd_done(struct agent *a, int sock, struct agent_msg *msg, int fd)
{
	struct guest *g = guest_of(a, sock);

	(void)fd;
	if (!g)
		return -EPROTO;
	update_answer(a, g, msg);
	return 0;
}

static int cmd_renew(struct agent *a, int sock, struct agent_msg *msg, int fd)
{
	struct guest *g = guest_of(a, sock);
	int err;

	(void)msg;
	(void)fd;
	if (!g)
		return -EPROTO;
	if (g->session >= 0)
		close(g->session);
	g->session = -1;
	err = open_session(g);
	agent_names_done(a);
	return send_session(sock, g, err);
}

static int cmd_bye(struct agent *a, int sock, struct agent_msg *msg, int fd)
{
	struct guest *g = guest_of(a, sock);

	(void)msg;
	(void)fd;
	if (!g)
		return -EPROTO;
	g->sock = -1;
	update_lost(a, g);
	remove_guest(a, g);
	return 0;
}

static int cmd_update(struct agent *a, int sock, struct agent_msg *msg, int fd)
{
	(void)fd;
	update_begin(a, sock, msg->text);
	return 0;
}

static int cmd_forget(struct agent *a, int sock, struct agent_msg *msg, int fd)
{
	struct agent_msg done = { .verb = AGENT_DONE };
	struct guest *g = find_guest(a, msg->name);

	(void)fd;
	if (!g || g->sock >= 0) {
		done.result = g ? -EBUSY : -ENOENT;
		strcpy(done.text, g ? "the guest has a keeper" : "there is no such guest");
	} else {
		if (g->incoming && g->session < 0)
			open_session(g);
		if (g->incoming && g->session >= 0)
			luo_session_finish(g->session);
		remove_guest(a, g);
		agent_names_done(a);
	}
	return agent_send(sock, &done, -1);
}

static int cmd_list(struct agent *a, int sock, struct agent_msg *msg, int fd)
{
	struct agent_msg done = { .verb = AGENT_DONE };
	struct guest *g;
	int err = 0;

	(void)msg;
	(void)fd;
	for (g = a->guests; g && !err; g = g->next) {
		struct agent_msg one = { .verb = AGENT_SESSION };

		snprintf(one.name, sizeof(one.name), "%s", g->name);
		one.flags = (g->incoming ? AGENT_INCOMING : 0) |
			    (g->sock >= 0 ? AGENT_KEPT : 0);
		err = agent_send(sock, &one, -1);
	}
	return err ? err : agent_send(sock, &done, -1);
}

static int (* const commands[])(struct agent *a, int sock, struct agent_msg *msg, int fd) = {
	[AGENT_HELLO]		= cmd_hello,
	[AGENT_DONE]		= cmd_done,
	[AGENT_RENEW]		= cmd_renew,
	[AGENT_BYE]		= cmd_bye,
	[AGENT_UPDATE]		= cmd_update,
	[AGENT_LIST]		= cmd_list,
	[AGENT_FORGET]		= cmd_forget,
};

static int serve(struct agent *a, int sock)
{
	struct agent_msg msg;
	int fd, err = agent_receive(sock, &msg, &fd);

	if (err)
		return err;
	err = -EPROTO;
	/* A client that hung up while it waited for the update to end */
	if (a->update.phase != UPDATE_IDLE && !guest_of(a, sock))
		msg.verb = 0;
	if (msg.verb < sizeof(commands) / sizeof(commands[0]) && commands[msg.verb])
		err = commands[msg.verb](a, sock, &msg, fd);
	if (fd >= 0)
		close(fd);
	return err;
}

static void drop(struct server *s, int i)
{
	int sock = s->polled[i].fd;
	struct guest *g = guest_of(&s->agent, sock);

	close(sock);
	s->polled[i] = s->polled[--s->count];
	if (s->agent.update.operator == sock)
		s->agent.update.operator = -1;
	if (g) {
		g->sock = -1;
		update_lost(&s->agent, g);
	}
}

static void welcome_client(struct server *s)
{
	const struct timeval limit = { .tv_sec = 1 };
	int sock = accept4(s->polled[AT_LISTEN].fd, NULL, NULL, SOCK_CLOEXEC);

	if (sock < 0)
		return;
	/* A client that does not read must not keep the agent from the others. */
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (s->count == AT_CLIENTS + CLIENTS) {
		close(sock);
		return;
	}
	s->polled[s->count].fd = sock;
	s->polled[s->count].events = POLLIN;
	s->polled[s->count++].revents = 0;
}

/* During an update only the keepers that take part are listened to. */
static void choose(struct server *s)
{
	bool idle = s->agent.update.phase == UPDATE_IDLE;
	int i;

	s->polled[AT_COMMAND].fd = s->agent.update.running;
	for (i = AT_CLIENTS; i < s->count; i++)
		s->polled[i].events = idle || guest_of(&s->agent, s->polled[i].fd) ?
				      POLLIN : 0;
}

static int wait_ms(const struct update *u)
{
	int64_t left = u->deadline - agent_now();

	if (u->phase == UPDATE_IDLE)
		return -1;
	return left < 0 ? 0 : left < DAY_MS ? left : DAY_MS;
}

static int run(struct server *s)
{
	int i;

	for (;;) {
		struct update *u = &s->agent.update;

		choose(s);
		if (poll(s->polled, s->count, wait_ms(u)) < 0) {
			if (errno == EINTR)
				continue;
			return fail("wait", -errno);
		}
		for (i = s->count - 1; i >= AT_CLIENTS; i--)
			if (s->polled[i].revents && serve(&s->agent, s->polled[i].fd))
				drop(s, i);
		if (s->polled[AT_COMMAND].revents && u->running >= 0)
			update_ended(&s->agent);
		if (!wait_ms(u))
			update_late(&s->agent);
		if (s->polled[AT_LISTEN].revents)
			welcome_client(s);
	}
}

/* One agent at a time, and none while the command of an earlier one replaces the kernel. */
static int lock(void)
{
	int fd;

	if (mkdir(AGENT_DIR, 0700) && errno != EEXIST)
		return fail("create " AGENT_DIR, -errno);
	/* Not close-on-exec: the command has it. */
	fd = open(LOCK, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return fail("open " LOCK, -errno);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		fprintf(stderr,
			"luo_agentd: waiting for another agent, or what it replaces the kernel with, to end\n");
		if (flock(fd, LOCK_EX))
			return fail("lock " LOCK, -errno);
	}
	return 0;
}

static int run_agent(void)
{
	static struct server s = {
		.agent.names = -1,
		.agent.update = { .operator = -1, .running = -1, .session = -1 },
		.count = AT_CLIENTS,
	};
	int dev, err;

	if (lock())
		return 1;
	dev = agent_device();
	if (dev < 0) {
		fail("open /dev/liveupdate (boot with kho=on liveupdate=on, run as root)", dev);
		return 1;
	}
	close(dev);
	err = agent_take_over(&s.agent);
	if (err)
		fail("get the names of the guests of the previous kernel", err);
	s.polled[AT_LISTEN].events = s.polled[AT_COMMAND].events = POLLIN;
	s.polled[AT_COMMAND].fd = -1;
	s.polled[AT_LISTEN].fd = agent_listen();
	if (s.polled[AT_LISTEN].fd < 0) {
		fail("listen at " AGENT_SOCKET, s.polled[AT_LISTEN].fd);
		return 1;
	}
	return run(&s) ? 1 : 0;
}

/* Ask the agent, print the guests that it names, then its result. */
static int ask(struct agent_msg *msg)
{
	int sock = agent_connect(), err, fd;

	if (sock < 0) {
		fail("connect to the agent; is luo_agentd running?", sock);
		return 1;
	}
	err = agent_send(sock, msg, -1);
	while (!err && !(err = agent_receive(sock, msg, &fd)) && msg->verb != AGENT_DONE)
		printf("%s%s%s\n", msg->name, msg->flags & AGENT_INCOMING ? " incoming" : "",
		       msg->flags & AGENT_KEPT ? "" : " without a keeper");
	if (err)
		fail("get an answer; the agent may have been killed, see luotrace timeline",
		     err);
	else if (msg->result)
		fprintf(stderr, "luo_agentd: %s\n", msg->text);
	close(sock);
	return err || msg->result ? 1 : 0;
}

static int ask_update(const char *command)
{
	struct agent_msg msg = { .verb = AGENT_UPDATE };

	if (strlen(command) >= sizeof(msg.text)) {
		fprintf(stderr, "luo_agentd: the command has more than %d bytes\n",
			AGENT_TEXT - 1);
		return 2;
	}
	strcpy(msg.text, command);
	return ask(&msg);
}

static int ask_list(const char *unused)
{
	struct agent_msg msg = { .verb = AGENT_LIST };

	(void)unused;
	return ask(&msg);
}

static int ask_forget(const char *name)
{
	struct agent_msg msg = { .verb = AGENT_FORGET };

	snprintf(msg.name, sizeof(msg.name), "%s", name);
	return ask(&msg);
}

static const struct {
	const char *name;
	int least, most;	/* arguments */
	int (*run)(const char *argument);
} modes[] = {
	{ "update", 0, 1, ask_update },
	{ "list", 0, 0, ask_list },
	{ "forget", 1, 1, ask_forget },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 1)
		return run_agent();
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name) && argc - 2 >= modes[i].least &&
		    argc - 2 <= modes[i].most)
			return modes[i].run(argc > 2 ? argv[2] : "");
	fprintf(stderr, "usage: luo_agentd [update [COMMAND] | list | forget NAME]\n");
	return 2;
}
