/* SPDX-License-Identifier: GPL-2.0 */

/* Modules that register handlers, subsystems or FLBs. */

#ifndef _LINUX_LUO_MODULE_H
#define _LINUX_LUO_MODULE_H

#include <linux/types.h>

struct module;

bool luo_module_live(const struct module *owner);
bool luo_module_get(struct module *owner);
int luo_module_init(void);

#endif /* _LINUX_LUO_MODULE_H */
