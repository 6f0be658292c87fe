/* SPDX-License-Identifier: GPL-2.0 */

/* Sessions and files as text, in debugfs */

#ifndef _LINUX_LUO_DEBUGFS_H
#define _LINUX_LUO_DEBUGFS_H

void luo_debugfs_init(void);

#endif /* _LINUX_LUO_DEBUGFS_H */
