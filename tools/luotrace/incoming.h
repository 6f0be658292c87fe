/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The update that booted this kernel, while agents restore: the box of the old kernel is
 * taken out of its session, this kernel's half is added, and both are saved.
 */

#ifndef INCOMING_H
#define INCOMING_H

#include <stdbool.h>

#include "black_box.h"
#include "probe.h"
#include "update_store.h"

struct incoming;

/**
 * incoming_take - take the box of the old kernel out of its session
 * @dev:     the device, open
 * @box:     filled
 * @session: set to the session, which is not finished yet; -1 if there is none
 *
 * A box that cannot be read is reported, and is none; its session is set nevertheless, so
 * that it can be finished.
 *
 * Return: whether there is a box.
 */
bool incoming_take(int dev, struct black_box *box, int *session);

/**
 * incoming_begin - begin with the update that booted this kernel
 * @probe:  what the kernel offers
 * @dir:    where updates are saved
 * @traced: whether events are passed to incoming_event() from now on
 *
 * Whether there was one can become known later, see incoming_present().
 *
 * Return: for the calls below, or NULL after a message.
 */
struct incoming *incoming_begin(const struct probe *probe, const char *dir, bool traced);

/** incoming_add_box - add the box of the old kernel, from incoming_take() */
void incoming_add_box(struct incoming *in, const struct black_box *box);

/**
 * incoming_add_marks - add the marks of workloads of this kernel
 * @in:    the update
 * @marks: all so far
 * @guests: guests of this kernel
 * @nr:	   how many
 * @owners: whose session is whose
 *
 * Return: whether there are more than at the last call.
 */
bool incoming_add_marks(struct incoming *in, const struct box_marks *marks,
			const struct box_guest *guests, int nr,
			const struct guests_owner owners[GUESTS_OWNERS]);

/** incoming_present - whether this kernel was booted by an update, as far as is known now */
bool incoming_present(const struct incoming *in);

/** incoming_event - record an event */
void incoming_event(struct incoming *in, const struct lt_event *e);

/**
 * incoming_update - the update, as far as it is known now
 * @in: the update
 *
 * Reads the sessions that are left. The result stays valid until the next call.
 */
struct update *incoming_update(struct incoming *in);

/** incoming_save - save it if it is present; false after a message */
bool incoming_save(struct incoming *in);

/** incoming_over - whether no session of an agent was left at the last incoming_update() */
bool incoming_over(const struct incoming *in);

/** incoming_free - free it; NULL is fine */
void incoming_free(struct incoming *in);

#endif
