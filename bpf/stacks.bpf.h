/* SPDX-License-Identifier: GPL-2.0 */

/* What the programs that see calls tell stacks.bpf.c. */

#ifndef STACKS_BPF_H
#define STACKS_BPF_H

#include "common.bpf.h"

extern const volatile _Bool want_stacks;

/**
 * stacks_begin - a call begins in this task
 * @call: its operation, target and session; the other fields are not used
 *
 * A global function, as call_end().
 */
int stacks_begin(const struct lt_flight *call);

/* The call of a kind that this task is in is over. */
int stacks_end(__u32 kind);

#endif
