/* SPDX-License-Identifier: GPL-2.0 */

/* Which events of a trace belong to attempts at a live update that failed. */

#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"

/**
 * struct attempts - what failed in a trace
 * @ranges:  first and last event of each attempt that failed, in order
 * @nr:	     how many
 * @begin:   where the phase began that is under way, SIZE_MAX for none
 * @prepare: first and last event of the PREPARE that is in force
 * @held:    whether there is one
 */
struct attempts {
	size_t (*ranges)[2];
	size_t nr;
	size_t begin;
	size_t prepare[2];
	bool held;
};

/** attempts_init - before the first event */
void attempts_init(struct attempts *a);

/** attempts_free - what attempts_event() took */
void attempts_free(struct attempts *a);

/**
 * attempts_event - look at the next event
 * @a:	the attempts
 * @e:	the event
 * @at: its number, from 0
 *
 * An attempt is a global PREPARE or a reboot(): from the first phase that begins to
 * the state that is reached, or is not. What a CANCEL undoes has failed too.
 *
 * Return: false if there is no memory.
 */
bool attempts_event(struct attempts *a, const struct lt_event *e, size_t at);

/** attempts_failed - whether event @at is of an attempt that failed */
bool attempts_failed(const struct attempts *a, size_t at);

#endif
