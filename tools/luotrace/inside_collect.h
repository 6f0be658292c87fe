/* SPDX-License-Identifier: GPL-2.0 */

/* Asks the running system what was inside of the phases of the update that booted it. */

#ifndef INSIDE_COLLECT_H
#define INSIDE_COLLECT_H

#include "update_store.h"

/**
 * inside_collect - add to @inside of an update what this system can tell
 * @u: the update that booted this kernel
 *
 * A source that has told something is not asked again: later there is less left to see.
 */
void inside_collect(struct update *u);

/** inside_forget - remove what a source has told, so that it is asked again */
void inside_forget(struct inside *in, enum inside_source source);

#endif
