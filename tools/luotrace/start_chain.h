/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the agent waited for while user space started, by systemd's own stamps: systemd
 * itself, then the chain of units each of which began when the one before it was ready, as
 * systemd-analyze critical-chain finds it.
 */

#ifndef START_CHAIN_H
#define START_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "inside.h"

#define START_CHAIN_ITEMS	64	/* at most */
#define START_CHAIN_UNIT	256	/* bytes of a unit's name */

/**
 * struct start_item - a stretch of the start of user space
 * @from: CLOCK_MONOTONIC, ns
 * @to:	  the same
 * @text: what it is, names of units as fmt_name() spells them
 */
struct start_item {
	uint64_t from;
	uint64_t to;
	char text[INSIDE_TEXT];
};

/**
 * start_chain_unit - the unit that a process belongs to
 * @cgroup: the file /proc/PID/cgroup
 * @unit:   START_CHAIN_UNIT bytes, set to it
 *
 * Return: false if it belongs to none.
 */
bool start_chain_unit(const char *cgroup, char *unit);

/**
 * start_chain_unit_of - the unit of a process that may have ended, by what systemd knows
 * @pid:     its process ID
 * @started: CLOCK_MONOTONIC when it was created, ns
 * @unit:    START_CHAIN_UNIT bytes, set to it
 *
 * Return: false if it is not the last main process of any unit.
 */
bool start_chain_unit_of(int pid, uint64_t started, char *unit);

/**
 * start_chain_items - ask systemd
 * @init:   when the kernel started user space, CLOCK_MONOTONIC in ns
 * @opened: when the agent opened the device
 * @agent:  its unit, "" if unknown
 * @items:  room for START_CHAIN_ITEMS; disjoint, and between @init and @opened
 * @why:    set to why the chain of units is unknown, NULL if it is not
 *
 * A device that was opened before the first service began was opened by systemd itself,
 * which has waited for no unit.
 *
 * Return: their number.
 */
int start_chain_items(uint64_t init, uint64_t opened, const char *agent,
		      struct start_item *items, const char **why);

#endif
