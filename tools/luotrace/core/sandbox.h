/* SPDX-License-Identifier: GPL-2.0 */

/* Takes from luotrace-core all that it does not need to read a core that is open. */

#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

/**
 * sandbox_enter - give up all capabilities, and all system calls but a few
 *
 * What is open can be read and written, and memory allocated; nothing can be opened,
 * created, executed or signalled: such a call fails with EPERM. There is no way back. A
 * kernel without seccomp limits no system calls, which is said on stderr.
 *
 * Return: false, with errno set, if that fails. Part of it may be done.
 */
bool sandbox_enter(void);

#endif
