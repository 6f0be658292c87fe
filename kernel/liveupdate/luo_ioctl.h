/* SPDX-License-Identifier: GPL-2.0 */

/* /dev/liveupdate. */

#ifndef _LINUX_LUO_IOCTL_H
#define _LINUX_LUO_IOCTL_H

int luo_ioctl_init(void);

#endif /* _LINUX_LUO_IOCTL_H */
