// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Modules with callbacks
 *
 * A module registers handlers, subsystems and FLBs in its init, which may still fail
 * afterwards; the module is freed then, even if a reference to it is held. So LUO
 * does not call into a module before its init has succeeded. From then on a file
 * finds its handler when it needs it, and a notifier passes on to subsystems and FLBs
 * what was handed over for them.
 */

#include <linux/notifier.h>

#include "luo_flb.h"
#include "luo_module.h"
#include "luo_subsystem.h"

static int luo_module_changed(struct notifier_block *nb, unsigned long state,
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
	.notifier_call = luo_module_changed,
};

/**
 * luo_module_init - register the module notifier
 *
 * Context: once, at boot, before the first module can be loaded.
 * Return: 0 or the negative errno of register_module_notifier().
 */
int __init luo_module_init(void)
{
	return register_module_notifier(&luo_module_notifier);
}

/**
 * luo_module_exit - unregister the module notifier
 *
 * From then on nothing follows what a module has registered, which it can no longer
 * unregister when live update is off.
 *
 * Context: at boot, if live update is turned off.
 */
void __init luo_module_exit(void)
{
	unregister_module_notifier(&luo_module_notifier);
}
