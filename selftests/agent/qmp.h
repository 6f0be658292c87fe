/* SPDX-License-Identifier: GPL-2.0 */

/* The control socket of QEMU (QMP), as far as a keeper needs it. */

#ifndef QMP_H
#define QMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define QMP_TEXT	256

/* How the last migration went, as events said */
enum qmp_migrated {
	QMP_ACTIVE,
	QMP_COMPLETED,
	QMP_FAILED,
};

/**
 * struct qmp - connection to a VMM
 * @sock:     its socket, -1 if there is none
 * @pid:      the VMM
 * @major:    version of QEMU, since qmp_greet()
 * @deadline: by which all answers that are awaited must have come, CLOCK_MONOTONIC in ms
 * @id:	      of the last command
 * @migrated: set to QMP_ACTIVE directly before a migration is started
 * @error:    what the VMM said of the last command that failed
 * @used:     bytes in @buffer
 * @buffer:   what was received and is not a whole line
 */
struct qmp {
	int sock;
	pid_t pid;
	int major;
	int64_t deadline;
	int id;
	enum qmp_migrated migrated;
	char error[QMP_TEXT];
	size_t used;
	char buffer[1 << 16];
};

/** qmp_limit - set how long all of the following calls together may take, in ms */
void qmp_limit(struct qmp *q, int ms);

/**
 * qmp_connect - connect to a VMM
 * @q:	  filled, with the process of the VMM
 * @path: of its socket
 *
 * Return: 0 or a negative errno: -ENOENT or -ECONNREFUSED without a VMM, -EAGAIN if too
 *	   many wait for it.
 */
int qmp_connect(struct qmp *q, const char *path);

/** qmp_greet - agree with the VMM on how to talk; 0 or a negative errno, -ETIMEDOUT */
int qmp_greet(struct qmp *q);

/** qmp_close - end the connection; the VMM runs on */
void qmp_close(struct qmp *q);

/**
 * qmp_send - send a command without waiting for its answer
 * @q:	     connection
 * @command: name
 * @args:    its arguments, or NULL; the reference is taken
 * @fd:	     descriptor to go with it, or -1
 *
 * Return: a number for qmp_answer(), or a negative errno.
 */
int qmp_send(struct qmp *q, const char *command, json_t *args, int fd);

/**
 * qmp_answer - wait for the answer to a command
 * @q:	    connection
 * @id:	    of the command; answers to earlier ones are ignored. A negative one is returned.
 * @answer: what it returned, to be released by the caller; may be NULL
 *
 * Return: 0 or a negative errno: -EREMOTEIO if the VMM rejected the command, see @q->error;
 *	   -ETIMEDOUT, -ECONNRESET.
 */
int qmp_answer(struct qmp *q, int id, json_t **answer);

/** qmp_drain - read what the VMM has to say, without waiting */
void qmp_drain(struct qmp *q);

/**
 * qmp_await_migration - wait until a migration has ended, in or out
 * @q: connection; its capability "events" is set
 *
 * Return: 0 or a negative errno, -EREMOTEIO if it failed.
 */
int qmp_await_migration(struct qmp *q);

/** qmp_call - qmp_send() and qmp_answer() */
int qmp_call(struct qmp *q, const char *command, json_t *args, int fd, json_t **answer);

#endif
