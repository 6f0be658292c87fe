/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What is recorded of the update that booted this kernel, wherever that is: the kernel's own
 * recorder, what luotrace record --carry has saved, or the box that nobody has taken out yet.
 */

#ifndef LOCAL_UPDATE_H
#define LOCAL_UPDATE_H

#include <stdbool.h>

#include "probe.h"
#include "update_store.h"

/**
 * local_update - the update that booted this kernel
 * @probe: what the kernel offers
 * @dir:   where updates are saved
 * @take:  whether to take a box out of its session, which opens the device
 * @u:	   set to it, for free(); NULL if this kernel was not booted by an update, or if
 *	   nothing recorded it
 *
 * Where the kernel has a recorder, that is the first source; a box tells of an old kernel
 * without one, and of the steps of its reboot. What is taken out is saved, if it can be.
 *
 * Return: 0, or -1 after a message.
 */
int local_update(const struct probe *probe, const char *dir, bool take, struct update **u);

/**
 * local_update_record - the same as a record, for commands that only want figures
 * @probe: what the kernel offers
 * @r:	   set to it, for free(), or to NULL
 *
 * Return: 0, or -1 after a message.
 */
int local_update_record(const struct probe *probe, struct liveupdate_recorder **r);

#endif
