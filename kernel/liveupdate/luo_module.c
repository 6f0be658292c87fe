// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Modules that offer something
 *
 * A module registers handlers, shared state and subsystems in its init, which may
 * fail afterwards: the module is freed then, whoever holds a reference to it. So
 * nothing is bound to a module before its init has succeeded. What it registered is
 * there from then on: a file finds its handler when it is used, and a notifier has
 * subsystems and shared state get what was handed over for them.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>
#include <linux/module.h>
#include <linux/notifier.h>

#include "luo_flb.h"
#include "luo_module.h"
#include "luo_subsystem.h"

/**
 * luo_module_live - whether something of a module can be used
 * @owner: the module, NULL for the kernel itself
 *
 * Return: true unless its init has not succeeded (yet) or it is on its way out. This
 *	   lasts only as long as the module is pinned.
 */
bool luo_module_live(const struct module *owner)
{
	return !owner || READ_ONCE(owner->state) == MODULE_STATE_LIVE;
}

/**
 * luo_module_get - pin a module whose init has succeeded
 * @owner: the module, NULL for the kernel itself
 *
 * Return: true if it is pinned, to be unpinned with module_put().
 */
bool luo_module_get(struct module *owner)
{
	if (!try_module_get(owner))
		return false;
	if (luo_module_live(owner))
		return true;
	module_put(owner);
	return false;
}

static int luo_module_changes(struct notifier_block *nb, unsigned long state,
			      void *data)
{
	const struct module *module = data;

	if (state == MODULE_STATE_LIVE) {
		luo_subsystem_module_live(module);
		luo_flb_module_live(module);
	} else if (state == MODULE_STATE_GOING) {
		luo_flb_module_going(module);
	}
	return NOTIFY_OK;
}

static struct notifier_block luo_module_notifier = {
	.notifier_call = luo_module_changes,
};

/**
 * luo_module_init - hear of modules
 *
 * Context: once, at boot, before the first module can be loaded.
 * Return: 0 or a negative errno of register_module_notifier().
 */
int luo_module_init(void)
{
	return register_module_notifier(&luo_module_notifier);
}
