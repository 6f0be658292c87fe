/* SPDX-License-Identifier: GPL-2.0 */

/* A message on a local socket with a descriptor */

#ifndef SCM_H
#define SCM_H

#include <sys/types.h>

/**
 * scm_send - send data and perhaps a descriptor
 * @sock:  a local socket
 * @data:  to be sent
 * @len:   its bytes
 * @fd:	   descriptor to go with it, -1 for none; stays open here
 * @flags: of sendmsg(2); there is never a SIGPIPE
 *
 * Return: bytes that were sent, or a negative errno.
 */
ssize_t scm_send(int sock, const void *data, size_t len, int fd, int flags);

#endif
