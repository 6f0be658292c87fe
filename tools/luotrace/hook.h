/* SPDX-License-Identifier: GPL-2.0 */

/* Runs the command of audit --exec once for each leak, one run at a time. */

#ifndef HOOK_H
#define HOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "leak.h"

/* A run that takes longer is killed, with all processes of its group. */
#define HOOK_SECONDS	30

/* Runs that can wait for the one in progress. */
#define HOOK_MAX	65536

struct hook;

/**
 * hook_new - create a queue of runs
 * @command:  for the shell
 * @limit_ms: maximum duration of a run
 *
 * Return: to be given to hook_free(); NULL after a message.
 */
struct hook *hook_new(const char *command, unsigned int limit_ms);

/**
 * hook_add - run the command for a leak, after all earlier runs
 *
 * Its environment describes the leak, its arguments never do: LUOTRACE_CLASS, _SESSION,
 * _TOKEN and _TEXT. Its output goes to stderr.
 *
 * Return: false if the queue is full.
 */
bool hook_add(struct hook *h, const struct leak *l);

/** hook_poll - reap the run, or kill it if it takes too long; begin the next one */
void hook_poll(struct hook *h);

/** hook_fd - readable when the run ends; -1 for none */
int hook_fd(const struct hook *h);

/** hook_left - number of runs that have not ended; 0 if @h is NULL */
size_t hook_left(const struct hook *h);

/** hook_free - kill the run in progress; NULL is fine */
void hook_free(struct hook *h);

#endif
