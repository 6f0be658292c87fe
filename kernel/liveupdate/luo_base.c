// SPDX-License-Identifier: GPL-2.0

/*
 * Available to every layer: whether live update is enabled, and the global state with
 * its lock. luo_core.c enables or disables live update, luo_state.c changes the state.
 */

#include <linux/export.h>
#include <linux/kexec_handover.h>

#include "luo_internal.h"

bool luo_enabled;

/* luo_internal.h describes what it protects and when it is taken. */
DECLARE_RWSEM(luo_state_lock);

enum liveupdate_state luo_global_state = LIVEUPDATE_STATE_NORMAL;

/**
 * liveupdate_enabled - check whether live update is enabled
 *
 * Context: any, once early parameters are parsed.
 * Return: true if the kernel was booted with liveupdate=on, KHO is on, and LUO
 *	   is set up successfully.
 */
bool liveupdate_enabled(void)
{
	return luo_enabled && kho_is_enabled();
}
EXPORT_SYMBOL_GPL(liveupdate_enabled);
