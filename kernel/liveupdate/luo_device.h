/* SPDX-License-Identifier: GPL-2.0 */

/* The session of the device. */

#ifndef _LINUX_LUO_DEVICE_H
#define _LINUX_LUO_DEVICE_H

#include "luo_internal.h"

int luo_device_preserve(struct file *file, u64 token);
int luo_device_unpreserve(u64 token);
int luo_device_retrieve(u64 token, struct file **filep);
int luo_device_file_state(enum luo_dir dir, u64 token, u32 *state);
int luo_device_file_event(u64 token, u32 event);
void luo_device_trace_reject(enum luo_dir dir, u64 token, int ret);
void luo_device_close(void);

/**
 * luo_device_event_dir - which file of the device an event is for
 * @event: enum liveupdate_event
 *
 * Return: the direction of the file.
 */
static inline enum luo_dir luo_device_event_dir(u32 event)
{
	return event == LIVEUPDATE_FINISH ? LUO_DIR_IN : LUO_DIR_OUT;
}

#endif /* _LINUX_LUO_DEVICE_H */
