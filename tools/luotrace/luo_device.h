/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The calls of LUO that luotrace makes itself, the same on every LUO. All return a negative
 * errno if they fail, without a message.
 */

#ifndef LUO_DEVICE_H
#define LUO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/** luo_open_device - open the device; -EBUSY if another process has it open */
int luo_open_device(void);

/**
 * luo_report_device - report why the device cannot be opened
 * @err:     from luo_open_device()
 * @why_off: of struct probe
 *
 * A process that holds it is named.
 */
void luo_report_device(int err, const char *why_off);

/** luo_device_held - whether this process has the device open */
bool luo_device_held(void);

/** luo_create_session - create an outgoing session; its descriptor */
int luo_create_session(int dev, const char *name);

/** luo_claim_session - claim an incoming session; its descriptor, -ENOENT if there is none */
int luo_claim_session(int dev, const char *name);

/** luo_preserve_file - preserve a file in an outgoing session */
int luo_preserve_file(int session, int fd, uint64_t token);

/** luo_retrieve_file - retrieve a file of an incoming session; its descriptor */
int luo_retrieve_file(int session, uint64_t token);

/** luo_finish_session - finish an incoming session */
int luo_finish_session(int session);

#endif
