/* SPDX-License-Identifier: GPL-2.0 */

/* Modules that register handlers, subsystems or FLBs. */

#ifndef _LINUX_LUO_MODULE_H
#define _LINUX_LUO_MODULE_H

#include <linux/module.h>

/**
 * luo_module_live - check whether the callbacks of a module can be called
 * @owner: the module, NULL for the kernel itself
 *
 * Return: false if the init of the module has not succeeded (yet) or if the module is
 *	   being unloaded. True may change unless the module is pinned.
 */
static inline bool luo_module_live(const struct module *owner)
{
	return !owner || READ_ONCE(owner->state) == MODULE_STATE_LIVE;
}

/**
 * luo_module_get - pin a module whose init has succeeded
 * @owner: the module, NULL for the kernel itself
 *
 * Return: true if it is pinned; module_put() unpins it.
 */
static inline bool luo_module_get(struct module *owner)
{
	if (!try_module_get(owner))
		return false;
	if (luo_module_live(owner))
		return true;
	module_put(owner);
	return false;
}

int luo_module_init(void);
void luo_module_exit(void);

#endif /* _LINUX_LUO_MODULE_H */
