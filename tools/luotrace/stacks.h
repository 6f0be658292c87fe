/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Where long calls spent their time, by the names of functions: as JSON, from which text,
 * folded stacks and the drawing on the page are made. For the commands latency, record and
 * report.
 */

#ifndef STACKS_H
#define STACKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "ksyms.h"
#include "tracer.h"

/**
 * stacks_json - stacks with names
 * @r: as read from the kernel
 * @k: its functions
 *
 * Return: an object, or NULL if out of memory. Calls with most time come first, and so do
 *	   the stacks of each.
 */
json_t *stacks_json(const struct stack_reading *r, const struct ksyms *k);

/**
 * stacks_names - the names of this kernel's functions
 *
 * Return: as ksyms_load(); if there are none, or out of memory, after a message.
 */
struct ksyms *stacks_names(void);

/**
 * stacks_read - read the stacks of a tracer
 * @t: the tracer
 * @k: from stacks_names() when it began; read again for a module that was loaded later
 *
 * Return: as stacks_json(); null if there are none.
 */
json_t *stacks_read(struct tracer *t, struct ksyms **k);

/** stacks_valid - whether a value of a file is null, or what stacks_json() makes */
bool stacks_valid(json_t *stacks);

/** stacks_target - "handler", "subsystem" or "shared_state": the key of its target */
const char *stacks_target(json_t *call);

/** stacks_text - print the longest ones; nothing if @stacks is null */
void stacks_text(json_t *stacks, FILE *f);

/**
 * stacks_folded - print a line for each stack, for programs that draw flame graphs
 * @stacks: the stacks, or null
 * @f:	    where to
 *
 * A line is target, operation and functions from the outermost one on, separated by
 * semicolons, a space, and the time in microseconds. A stack off the CPU ends in
 * "[off-CPU]".
 */
void stacks_folded(json_t *stacks, FILE *f);

#endif
