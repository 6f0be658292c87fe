/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the agent waited for while user space started, where systemd does not tell: the
 * processes that are still there, by when they were started.
 */

#ifndef START_PROCS_H
#define START_PROCS_H

#include "process.h"
#include "start_chain.h"

/**
 * start_procs_items - stretches between the starts of processes
 * @proc:   the directory /proc
 * @init:   when the kernel started user space, CLOCK_MONOTONIC in ns
 * @opened: when the agent opened the device
 * @agent:  the agent, as it was; @pid 0 if unknown
 * @items:  room for START_CHAIN_ITEMS; disjoint, and between @init and @opened
 *
 * A process that has ended is not seen: what it took is counted as that of the next one.
 *
 * Return: their number.
 */
int start_procs_items(const char *proc, uint64_t init, uint64_t opened,
		      const struct process *agent, struct start_item *items);

#endif
