/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The ioctls of /dev/liveupdate as functions. Each returns 0 or a descriptor,
 * or a negative errno.
 */

#ifndef LUO_LIB_H
#define LUO_LIB_H

#include <stdint.h>

/**
 * luo_open - open /dev/liveupdate
 *
 * One process can have it open; it is needed only to open sessions.
 *
 * Return: a descriptor; -ENOENT if the kernel has no LUO or was not booted with
 *	   liveupdate=on, -EBUSY if another agent has it, -EPERM.
 */
int luo_open(void);

/**
 * luo_create_session - open a new outgoing session
 * @dev:  from luo_open()
 * @name: at most 63 bytes
 *
 * Return: the session's descriptor, to be held until the kexec; closing it
 *	   unpreserves all files.
 */
int luo_create_session(int dev, const char *name);

/**
 * luo_retrieve_session - claim a session of the previous kernel
 * @dev:  from luo_open()
 * @name: as it was created
 *
 * Return: the session's descriptor.
 */
int luo_retrieve_session(int dev, const char *name);

/**
 * luo_preserve_fd - preserve a file
 * @session: an outgoing session
 * @fd:      the file
 * @token:   its name in the next kernel
 */
int luo_preserve_fd(int session, int fd, uint64_t token);

/**
 * luo_retrieve_fd - retrieve a file
 * @session: a claimed session
 * @token:   its name
 *
 * Return: the file's descriptor.
 */
int luo_retrieve_fd(int session, uint64_t token);

/**
 * luo_finish - finish a session after its files are retrieved
 * @session: a claimed session
 */
int luo_finish(int session);

#endif
