// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: A cycle counter that changes across kexec
 *
 * Firmware can set the cycle counter of the CPU back or forward between two kernels, and
 * so can a hypervisor that migrates or resets a machine. An emulator may not let a test
 * do that. With liveupdate_test_counter=VALUE on the command line, before liveupdate=,
 * the recorder reads a counter that starts at VALUE when this kernel starts.
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
 * luo_test_counter - offset of the cycle counter
 *
 * Context: any.
 * Return: ticks to add to the value of the counter, modulo 2^64.
 */
u64 luo_test_counter(void)
{
	return luo_counter_step;
}
