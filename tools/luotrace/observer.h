/* SPDX-License-Identifier: GPL-2.0 */

/* What tracing itself costs. For all commands that trace, and for report. */

#ifndef OBSERVER_H
#define OBSERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OBSERVER_UNKNOWN	UINT64_MAX
#define OBSERVER_TEXT		160

/**
 * struct observer - the run time of luotrace's BPF programs, from the kernel's statistics
 * @run_ns:	 time that they ran, the sum over programs and CPUs; or OBSERVER_UNKNOWN
 * @runs:	 how often; or OBSERVER_UNKNOWN
 * @observed_ns: time that was traced; or OBSERVER_UNKNOWN
 *
 * What a call of a program costs beside its run time is not in it.
 */
struct observer {
	uint64_t run_ns;
	uint64_t runs;
	uint64_t observed_ns;
};

#define OBSERVER_NOTHING	\
	((struct observer){ OBSERVER_UNKNOWN, OBSERVER_UNKNOWN, OBSERVER_UNKNOWN })

/** observer_since - what it cost since an earlier reading */
struct observer observer_since(const struct observer *now, const struct observer *earlier);

/** observer_sum - what two traces cost together; unknown if one of them is */
struct observer observer_sum(const struct observer *a, const struct observer *b);

/**
 * observer_text - all of it in one line
 * @o:	 the figures
 * @buf: OBSERVER_TEXT bytes
 *
 * Return: @buf.
 */
char *observer_text(const struct observer *o, char *buf);

/** observer_json - the same as an object; what is unknown is null */
json_t *observer_json(const struct observer *o);

/** observer_read - read that object; unknown if it is NULL or null */
struct observer observer_read(json_t *object);

#endif
