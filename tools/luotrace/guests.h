/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Guests of KVM as workloads: when they stood still, without a mark by anybody. A guest has
 * the name of the session that its process, or the parent of that, preserves or claims.
 */

#ifndef GUESTS_H
#define GUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/liveupdate_recorder.h>
#include <linux/types.h>
#include "../../bpf/box.h"
#include "../../bpf/luotrace.h"

#define GUESTS_OWNERS	256	/* processes whose session is known */

/**
 * struct guests_owner - the session of a process
 * @tgid: the process, 0 if the entry is not in use
 * @several: 1 if it has had several sessions: then the guests of its children cannot be told
 * @name: the last session that it preserved a file in, or claimed
 */
struct guests_owner {
	uint32_t tgid;
	uint32_t several;
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

/** guests_owner_event - learn from an event whose session is whose */
void guests_owner_event(struct guests_owner owners[GUESTS_OWNERS],
			const struct lt_event *e);

/**
 * guests_fill - add guests to the workloads of a record
 * @part:   the record; a workload that is marked stays as it is
 * @in:	    whether it is that of the new kernel
 * @guests: the guests
 * @nr:	    how many
 * @owners: whose session is whose
 * @counter_of: the counter at a time, 0 if unknown
 * @data:   for @counter_of
 *
 * Guests whose session is not known are left out, and those that still ran when the reboot
 * began, as nobody saw them stop.
 */
void guests_fill(struct liveupdate_recorder_part *part, bool in,
		 const struct box_guest *guests, int nr,
		 const struct guests_owner owners[GUESTS_OWNERS],
		 uint64_t (*counter_of)(void *data, uint64_t ns), void *data);

struct guests;

/** guests_present - whether KVM is in use here; its module can be loaded at any time */
bool guests_present(void);

/**
 * guests_open - begin to trace guests
 * @map_fd: the map that they are kept in, see bpf/box.bpf.c
 *
 * Return: for guests_close(), or NULL after a message.
 */
struct guests *guests_open(int map_fd);

/** guests_close - stop; NULL is fine */
void guests_close(struct guests *g);

/**
 * guests_read - read the guests so far
 * @map_fd: the map
 * @all:    room for @max
 * @max:    maximum number
 *
 * Return: their number.
 */
int guests_read(int map_fd, struct box_guest *all, int max);

#endif
