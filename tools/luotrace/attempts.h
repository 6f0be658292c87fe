/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Which events of a trace belong to failed attempts at a live update. trace_file.c counts
 * their calls apart.
 */

#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"

/**
 * struct attempts - failed attempts in a trace
 * @ranges:  first and last event of each failed attempt, in order
 * @nr:	     how many
 * @begin:   first event of the phase in progress, SIZE_MAX for none
 * @prepare: first and last event of the PREPARE in force
 * @held:    whether one is in force
 */
struct attempts {
	size_t (*ranges)[2];
	size_t nr;
	size_t begin;
	size_t prepare[2];
	bool held;
};

/** attempts_init - initialise before the first event */
void attempts_init(struct attempts *a);

/** attempts_free - free what attempts_event() allocated */
void attempts_free(struct attempts *a);

/**
 * attempts_event - process the next event
 * @a:	the attempts
 * @e:	the event
 * @at: its number, from 0
 *
 * An attempt is a global PREPARE or a reboot(), from its first phase to the event that
 * tells whether the state was reached. A PREPARE that a CANCEL rolls back has failed, too.
 *
 * Return: false if out of memory.
 */
bool attempts_event(struct attempts *a, const struct lt_event *e, size_t at);

/** attempts_failed - whether event @at belongs to a failed attempt */
bool attempts_failed(const struct attempts *a, size_t at);

#endif
