/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What agents do while they restore, between their calls of LUO too, on a kernel whose LUO
 * has no recorder for it.
 */

#ifndef AGENTS_TOOL_H
#define AGENTS_TOOL_H

#include <linux/liveupdate_recorder.h>
#include <linux/types.h>
#include "../../bpf/agents.h"
#include "inside.h"

struct agents_tracer;

/**
 * agents_open - begin to trace agents, before any of them opens the device
 *
 * Tasks of this process are none.
 *
 * Return: for agents_close(), or NULL after a message.
 */
struct agents_tracer *agents_open(void);

/** agents_close - stop; NULL is fine */
void agents_close(struct agents_tracer *t);

/** agents_get - what they did so far */
const struct agents *agents_get(const struct agents_tracer *t);

/**
 * agents_fill - put it into a record as the kernel's own recorder would
 * @a:	  from agents_get()
 * @inside: of the record of the new kernel
 */
void agents_fill(const struct agents *a, struct liveupdate_recorder_inside *inside);

/**
 * agents_faults - add their time in page faults outside of calls of LUO, as details
 * @a:	from agents_get()
 * @to: where to
 * @b:	the blackout, which is over
 */
void agents_faults(const struct agents *a, struct inside *to, const struct blackout *b);

#endif
