/* SPDX-License-Identifier: GPL-2.0 */

/* The black box as a service: luotrace record --carry. */

#ifndef CARRY_H
#define CARRY_H

#include "probe.h"

/**
 * carry_run - keep a black box until a signal to stop arrives
 * @probe: what the kernel offers
 * @dir:   where updates are saved
 *
 * Saves the update that booted this kernel, and keeps a box for the next one. The device is
 * open only while the session of the box is made.
 *
 * Return: an exit code.
 */
int carry_run(const struct probe *probe, const char *dir);

#endif
