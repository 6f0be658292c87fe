/* SPDX-License-Identifier: GPL-2.0 */

/* /sys/kernel/liveupdate */

#ifndef _LINUX_LUO_SYSFS_H
#define _LINUX_LUO_SYSFS_H

int luo_sysfs_init(void);
void luo_sysfs_exit(void);
void luo_sysfs_notify(void);

#endif /* _LINUX_LUO_SYSFS_H */
