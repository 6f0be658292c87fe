/* SPDX-License-Identifier: GPL-2.0 */

/* Who keeps the black box: one luotrace at a time. */

#ifndef BOX_LOCK_H
#define BOX_LOCK_H

#define BOX_LOCK_DIR	"/run/luotrace"

/**
 * box_lock - become the one that keeps the box
 *
 * The lock ends with the process.
 *
 * Return: a descriptor that holds the lock, -EWOULDBLOCK if another process has it, or
 *	   another negative errno.
 */
int box_lock(void);

#endif
