// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: A cycle counter that changes
 *
 * Firmware can set the cycle counter of the CPU back or forward between two kernels, and
 * so can a hypervisor that migrates or resets a machine. An emulator may not let a test
 * do that. With liveupdate_test_counter=VALUE on the command line, before liveupdate=,
 * the recorder reads a counter that starts at VALUE when this kernel starts.
 *
 * The kernel may find out at any time that the counter is not fit for measuring, and its
 * frequency more exactly. With liveupdate_test_counter_late it does so once a reboot has
 * begun.
 */

#include <linux/cache.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/timex.h>

#include "../luo_recorder_internal.h"

#define LUO_TEST_LATE_HZ	1000

static u64 luo_counter_step __ro_after_init;
static bool luo_counter_late __ro_after_init;
static bool luo_counter_reboots;

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

static int __init luo_parse_counter_late(char *arg)
{
	luo_counter_late = true;
	return 0;
}
early_param("liveupdate_test_counter_late", luo_parse_counter_late);

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

/**
 * luo_test_counter_reboot - a reboot has begun, and the counter has been sampled for it
 *
 * Context: any.
 */
void luo_test_counter_reboot(void)
{
	WRITE_ONCE(luo_counter_reboots, true);
}

/**
 * luo_test_counter_hz - frequency of the counter, as far as it is known
 * @hz: the frequency, or 0
 *
 * Context: any.
 * Return: @hz, or another one until a reboot has begun.
 */
u64 luo_test_counter_hz(u64 hz)
{
	if (hz && luo_counter_late && !READ_ONCE(luo_counter_reboots))
		return hz - LUO_TEST_LATE_HZ;
	return hz;
}

/**
 * luo_test_counter_stable - whether the counter is fit for measuring, as far as is known
 *
 * Context: any.
 * Return: true, or false once a reboot has begun.
 */
bool luo_test_counter_stable(void)
{
	return !luo_counter_late || !READ_ONCE(luo_counter_reboots);
}
