/* SPDX-License-Identifier: GPL-2.0 */

/* Attaches the programs that take stacks inside calls, and reads them. For tracer.c. */

#ifndef TRACER_STACKS_H
#define TRACER_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer.h"

struct luotrace_bpf;
struct tracer_stacks;

/**
 * tracer_stacks_choose - choose the programs, before they are loaded
 * @bpf:    opened, not yet loaded
 * @min_ns: stacks of calls that take this time or longer
 *
 * Return: for tracer_stacks_free(), or NULL after a message.
 */
struct tracer_stacks *tracer_stacks_choose(struct luotrace_bpf *bpf, uint64_t min_ns);

/**
 * tracer_stacks_attach - attach the clocks, after the programs are loaded
 * @s:	 what was chosen
 * @bpf: loaded
 *
 * Without them, after a message, only time without a CPU is known.
 */
void tracer_stacks_attach(struct tracer_stacks *s, struct luotrace_bpf *bpf);

/** tracer_stacks_read - implements tracer_read_stacks() */
bool tracer_stacks_read(struct tracer_stacks *s, struct luotrace_bpf *bpf,
			struct stack_reading *r);

/** tracer_stacks_free - detach and free; NULL is fine */
void tracer_stacks_free(struct tracer_stacks *s);

#endif
