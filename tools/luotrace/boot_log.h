/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What took the kernel its time until it started user space, from the kernel log: the
 * initcalls that initcall_debug has timed, and the longest stretches without a message.
 */

#ifndef BOOT_LOG_H
#define BOOT_LOG_H

#include <stdint.h>

#include "inside.h"

#define BOOT_LOG_LONGEST	56	/* initcalls and stretches that are listed */
/* With the other initcalls, and what the clock of the log has missed. */
#define BOOT_LOG_ITEMS		(BOOT_LOG_LONGEST + 2)

/**
 * boot_log_items - read the log, and list what took longest
 * @fd:    from kmsg_open(), or a socket of packets
 * @items: room for BOOT_LOG_ITEMS; unordered. Their times are those of the log, in ns
 * @init:  set to the time of the log at which user space was started
 *
 * A stretch without a message is named after the message before it, without the time that
 * is in initcalls. Next to records that were overwritten there is none: what happened then
 * is unknown.
 * What the clock of the log has missed is a detail: it is not known where that was.
 *
 * Return: their number, 0 if the log does not tell when user space was started.
 */
int boot_log_items(int fd, struct inside_item *items, uint64_t *init);

/** boot_log_collect - add what the log of this kernel tells of its own start */
void boot_log_collect(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b);

#endif
