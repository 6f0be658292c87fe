/* SPDX-License-Identifier: GPL-2.0 */

/* The command of audit --exec: one run for each leak, one after the other. */

#ifndef HOOK_H
#define HOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "leak.h"

/* A run that takes longer is killed, with all that it started. */
#define HOOK_SECONDS	30

/* Runs that may wait for the one before. */
#define HOOK_MAX	65536

struct hook;

/**
 * hook_new - no run yet
 * @command:  for the shell
 * @limit_ms: what a run may take
 *
 * Return: to be given to hook_free(); NULL after a message.
 */
struct hook *hook_new(const char *command, unsigned int limit_ms);

/**
 * hook_add - run it for a leak, when the runs before have ended
 *
 * The leak is told in its environment, never in its arguments: LUOTRACE_CLASS, _SESSION,
 * _TOKEN and _TEXT. What it prints goes to stderr.
 *
 * Return: false if there is no room for one more.
 */
bool hook_add(struct hook *h, const struct leak *l);

/** hook_poll - end the run that is over, or too long; begin the next one */
void hook_poll(struct hook *h);

/** hook_fd - readable when the run ends; -1 for none */
int hook_fd(const struct hook *h);

/** hook_left - runs that have not ended; 0 if @h is NULL */
size_t hook_left(const struct hook *h);

/** hook_free - kill what still runs; NULL is fine */
void hook_free(struct hook *h);

#endif
