/* SPDX-License-Identifier: GPL-2.0 */

/* audit --watch: leaks as trace events report them, and audits for what these miss. */

#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "audit.h"
#include "cmd.h"

/**
 * struct watch_options - how to watch
 * @o:	     options; of those for the tracer only the session is used
 * @exec:    shell command to run at each leak, NULL for none
 * @max_age: ns that a session may stay unclaimed, or be held; 0 for any time
 * @audit:   audit this machine and pass the audit to @use with @data. @first: print it, too.
 *	     Returns false after a message.
 * @ctx:     for @audit
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
 * watch_run - report each leak until the duration is over, or a signal arrives
 * @wo:	   options
 * @probe: what the kernel offers
 *
 * Return: an exit code; EXIT_FINDING after a leak.
 */
int watch_run(const struct watch_options *wo, const struct probe *probe);

#endif
