/* SPDX-License-Identifier: GPL-2.0 */

/* The steps of a reboot below LUO, from the black box: a part of the timeline. */

#ifndef TIMELINE_STEPS_H
#define TIMELINE_STEPS_H

#include <jansson.h>
#include <stdio.h>

#include "observer.h"
#include "update_store.h"

/**
 * struct steps - what the box says of an update
 * @reboot: the reboot in steps, NULL if it is not known
 * @note:   why something of the new kernel is unknown, NULL if nothing is
 * @old:    the record of the old kernel is that of the box
 * @inside: what was collected of the phases of the new kernel, NULL if nothing was
 */
struct steps {
	const struct box_reboot *reboot;
	const char *note;
	bool old;
	const struct inside *inside;
};

/** timeline_steps - what the box says of an update; valid as long as it */
struct steps timeline_steps(const struct update *u);

/**
 * struct step - a step of the shutdown, or a device below the step of devices
 * @ns:	     its duration
 * @label:   what it is, NULL for a device
 * @devices: devices that were shut down in it, 0 in another step
 * @device:  the device
 */
struct step {
	uint64_t ns;
	const char *label;
	uint64_t devices;
	struct box_device device;
};

#define STEPS_MAX	(BOX_NR_STEPS + STEPS_DEVICES)
#define STEPS_DEVICES	3	/* devices that are shown */

/**
 * timeline_steps_list - the steps of the shutdown whose durations are known
 * @s:	   the steps
 * @steps: room for STEPS_MAX; in order, the longest devices after their step
 *
 * Return: how many.
 */
int timeline_steps_list(struct steps s, struct step *steps);

/**
 * timeline_steps_text - print what took the shutdown its time, below its phase
 * @s:	   the steps
 * @under: prints a line below a phase
 * @f:	   where to
 */
void timeline_steps_text(struct steps s,
			 void (*under)(FILE *f, const char *time, const char *fmt, ...),
			 FILE *f);

/** timeline_steps_until - until when the box saw, as a sentence; NULL if to the end */
const char *timeline_steps_until(struct steps s, char *text, size_t size);

/**
 * timeline_steps_observer - what the box cost the reboot
 * @s: the steps
 *
 * The run time of its programs in the task that rebooted. One of 32 runs of those at calls,
 * sessions and devices was timed, and stands for the others; each time that the box was
 * written out was, but for the first, which is before the blackout, and the last. Runs that
 * recorded nothing are not counted.
 *
 * Return: the figures, unknown without a box.
 */
struct observer timeline_steps_observer(struct steps s);

/** timeline_steps_json - the same as JSON, added to @root: from new_kernel_note on */
void timeline_steps_json(struct steps s, json_t *root);

#endif
