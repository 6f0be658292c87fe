/* SPDX-License-Identifier: GPL-2.0 */

/* What systemd says of itself, by systemctl. */

#ifndef SYSTEMCTL_H
#define SYSTEMCTL_H

#include <stdbool.h>

#define SYSTEMCTL_ARGS	32	/* most */

/** systemctl_booted - whether systemd is the first process of this system */
bool systemctl_booted(void);

/**
 * systemctl_show - run systemctl show, without a shell
 * @args: what follows "show", at most SYSTEMCTL_ARGS, then NULL
 * @why:  set to why there is no answer, if there is none
 *
 * Return: what it printed, for free(); NULL if it failed, or had no end in five seconds.
 */
char *systemctl_show(const char *const *args, const char **why);

#endif
