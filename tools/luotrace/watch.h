/* SPDX-License-Identifier: GPL-2.0 */

/* Leaks as they happen, from the trace events. */

#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "cmd.h"

/**
 * watch_run - tell of each new leak until it is time to stop
 * @o:	   what is wanted; of its tracer options the session is used
 * @exec:  command for the shell that is run at each leak, NULL for none
 * @probe: what the kernel offers
 * @ready: called when everything that happens from then on is seen; returns
 *	   whether to go on
 * @data:  for @ready
 *
 * Return: an exit code; EXIT_FINDING if there was a leak.
 */
int watch_run(struct cmd_options *o, const char *exec, const struct probe *probe,
	      bool (*ready)(void *data), void *data);

#endif
