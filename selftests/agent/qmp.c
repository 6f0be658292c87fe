// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "qmp.h"
#include "scm.h"

#define DRAIN_LINES	1000	/* at a time */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void qmp_limit(struct qmp *q, int ms)
{
	q->deadline = now_ms() + ms;
}

/* Receive a whole line. It stays in the buffer until the next call, of length @len. */
static int receive_line(struct qmp *q, size_t *len)
{
	struct pollfd p = { .fd = q->sock, .events = POLLIN };
	char *end;

	while (!(end = memchr(q->buffer, '\n', q->used))) {
		int64_t left = q->deadline - now_ms();
		ssize_t n;

		if (q->used == sizeof(q->buffer))
			return -EMSGSIZE;
		if (poll(&p, 1, left > 0 ? left : 0) <= 0) {
			if (left <= 0)
				return -ETIMEDOUT;
			continue;
		}
		n = recv(q->sock, q->buffer + q->used, sizeof(q->buffer) - q->used,
			 MSG_DONTWAIT);
		if (!n)
			return -ECONNRESET;
		if (n > 0)
			q->used += n;
		else if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	*len = end + 1 - q->buffer;
	return 0;
}

/* The next message, which is the caller's. */
static int receive(struct qmp *q, json_t **msg)
{
	size_t len = 0;
	int err = receive_line(q, &len);

	if (err)
		return err;
	*msg = json_loadb(q->buffer, len, 0, NULL);
	q->used -= len;
	memmove(q->buffer, q->buffer + len, q->used);
	return *msg ? 0 : -EPROTO;
}

/* Nobody has asked for it: the guest has lost all that it did not write to a disk. */
static void say_reset(const struct qmp *q, const json_t *msg, const char *why)
{
	const json_t *at = json_object_get(msg, "timestamp");

	fprintf(stderr, "luo_keeper: the guest of process %d was reset at %lld.%06lld: %s\n",
		q->pid, (long long)json_integer_value(json_object_get(at, "seconds")),
		(long long)json_integer_value(json_object_get(at, "microseconds")),
		why ? why : "QEMU does not say why");
}

/* Of the events the end of a migration and a reset are of interest. */
static void note_event(struct qmp *q, const json_t *msg)
{
	const json_t *data = json_object_get(msg, "data");
	const char *event = json_string_value(json_object_get(msg, "event"));
	const char *status = json_string_value(json_object_get(data, "status"));

	if (event && !strcmp(event, "RESET"))
		say_reset(q, msg, json_string_value(json_object_get(data, "reason")));
	if (!event || !status || strcmp(event, "MIGRATION"))
		return;
	if (!strcmp(status, "completed"))
		q->migrated = QMP_COMPLETED;
	else if (!strcmp(status, "failed") || !strcmp(status, "cancelled"))
		q->migrated = QMP_FAILED;
}

int qmp_await_migration(struct qmp *q)
{
	json_t *msg;
	int err;

	while (q->migrated == QMP_ACTIVE) {
		err = receive(q, &msg);
		if (err)
			return err;
		note_event(q, msg);
		json_decref(msg);
	}
	if (q->migrated == QMP_COMPLETED)
		return 0;
	snprintf(q->error, sizeof(q->error), "the migration failed");
	return -EREMOTEIO;
}

void qmp_drain(struct qmp *q)
{
	json_t *msg;
	int i;

	q->deadline = 0;
	for (i = 0; i < DRAIN_LINES && !receive(q, &msg); i++) {
		note_event(q, msg);
		json_decref(msg);
	}
}

int qmp_send(struct qmp *q, const char *command, json_t *args, int fd)
{
	json_t *root = json_pack("{ss, si, so*}", "execute", command, "id", q->id + 1,
				 "arguments", args);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	ssize_t n, len;

	json_decref(root);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	n = scm_send(q->sock, text, len, fd, MSG_DONTWAIT);
	free(text);
	if (n < 0)
		return n;
	return n == len ? ++q->id : -EIO;
}

/* The answer to a command, of which the caller is the owner. */
static int receive_answer(struct qmp *q, int id, json_t **msg)
{
	json_t *of;
	int err;

	for (;;) {
		err = receive(q, msg);
		if (err)
			return err;
		of = json_object_get(*msg, "id");
		if (of && json_integer_value(of) == id)
			return 0;
		note_event(q, *msg);
		json_decref(*msg);
	}
}

int qmp_answer(struct qmp *q, int id, json_t **answer)
{
	json_t *msg, *value;
	int err = id < 0 ? id : receive_answer(q, id, &msg);

	if (err)
		return err;
	value = json_object_get(msg, "error");
	if (value) {
		const char *text = json_string_value(json_object_get(value, "desc"));

		snprintf(q->error, sizeof(q->error), "%s", text ? text : "no reason");
		err = -EREMOTEIO;
	} else if (answer) {
		*answer = json_incref(json_object_get(msg, "return"));
	}
	json_decref(msg);
	return err;
}

int qmp_call(struct qmp *q, const char *command, json_t *args, int fd, json_t **answer)
{
	return qmp_answer(q, qmp_send(q, command, args, fd), answer);
}

int qmp_connect(struct qmp *q, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int err;

	q->used = 0;
	q->error[0] = '\0';
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	q->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->sock < 0)
		return -errno;
	/* Whoever listens there is the VMM. */
	if (!connect(q->sock, (struct sockaddr *)&at, sizeof(at)) &&
	    !getsockopt(q->sock, SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
		q->pid = cred.pid;
		return 0;
	}
	err = -errno;
	qmp_close(q);
	return err;
}

int qmp_greet(struct qmp *q)
{
	json_t *greeting;
	int err = receive(q, &greeting);

	if (err)
		return err;
	err = json_unpack(greeting, "{s{s{s{si}}}}", "QMP", "version", "qemu",
			  "major", &q->major);
	json_decref(greeting);
	return err ? -EPROTO : qmp_call(q, "qmp_capabilities", NULL, -1, NULL);
}

void qmp_close(struct qmp *q)
{
	if (q->sock >= 0)
		close(q->sock);
	q->sock = -1;
}
