// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: A counter that was stepped at the kexec
 *
 * Firmware, and a hypervisor that migrates or resets a machine, can set the counter
 * of the CPU back or forward while no kernel looks. An emulator may not let a test
 * do so. liveupdate_test_counter=VALUE on the command line, in front of liveupdate=,
 * makes the recorder read a counter that begins with VALUE when this kernel begins.
 */

#include <linux/cache.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/timex.h>

#include "../luo_recorder_internal.h"

static u64 luo_counter_step __ro_after_init;

static int __init luo_parse_counter(char *arg)
{
	u64 value;
	int err;

	err = kstrtou64(arg, 0, &value);
	if (!err)
		luo_counter_step = value - get_cycles();
	return err;
}
early_param("liveupdate_test_counter", luo_parse_counter);

/**
 * luo_test_counter - how far the counter was stepped before this kernel began
 *
 * Context: any.
 * Return: ticks to add to what the counter says, modulo 2^64.
 */
u64 luo_test_counter(void)
{
	return luo_counter_step;
}
