/* SPDX-License-Identifier: GPL-2.0 */

/* What the agent waited for while user space started: who it is, and whom to ask. */

#ifndef START_H
#define START_H

#include <stdbool.h>

#include "inside.h"

/**
 * start_agent_set - the unit of the agent, from the command line
 * @unit: its name, without the suffix of a service or with any
 *
 * Return: false if no unit can have that name.
 */
bool start_agent_set(const char *unit);

/** start_agent_given - whether there is one from the command line */
bool start_agent_given(void);

/** start_agent_claimed - a process has claimed a session; the first one is the agent */
void start_agent_claimed(int pid);

/** start_systemd_collect - what systemd's stamps tell, where it is the first process */
void start_systemd_collect(struct inside *to, const struct liveupdate_recorder *r,
			   const struct blackout *b);

/** start_procs_collect - what the start times of processes tell, elsewhere */
void start_procs_collect(struct inside *to, const struct liveupdate_recorder *r,
			 const struct blackout *b);

#endif
