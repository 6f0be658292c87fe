/* SPDX-License-Identifier: GPL-2.0 */

/* Leaks as they happen, from the trace events; audits find what these do not tell. */

#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "audit.h"
#include "cmd.h"

/**
 * struct watch_options - how to watch
 * @o:	     what is wanted; of its tracer options the session is used
 * @exec:    command for the shell that is run at each leak, NULL for none
 * @max_age: ns that a session may be left alone or held, 0 for ever
 * @look:    audit what there is: give it to @use with @data. @first: print it, too.
 *	     Returns false after a message.
 * @ctx:     for @look
 */
struct watch_options {
	struct cmd_options *o;
	const char *exec;
	uint64_t max_age;
	bool (*audit)(void *ctx, bool first,
		      void (*use)(const struct audit *a, void *data), void *data);
	void *ctx;
};

/**
 * watch_run - tell of each leak until it is time to stop
 * @wo:	   how
 * @probe: what the kernel offers
 *
 * Return: an exit code; EXIT_FINDING if there was a leak.
 */
int watch_run(const struct watch_options *wo, const struct probe *probe);

#endif
