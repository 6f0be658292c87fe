// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Staying frozen
 *
 * Between the freeze and the kexec, other processes still run on other CPUs for a moment.
 * LIVEUPDATE_TEST_FROZEN makes this moment longer, so that a test can check what they
 * see.
 */

#include <linux/delay.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/uaccess.h>

#include "../luo_internal.h"
#include "luo_test.h"

static u32 luo_frozen_us;

static int luo_test_reboot(struct notifier_block *nb, unsigned long action,
			   void *data)
{
	u32 delay = READ_ONCE(luo_frozen_us);

	if (delay && luo_state() == LIVEUPDATE_STATE_FROZEN)
		fsleep(delay);
	return NOTIFY_DONE;
}

static struct notifier_block luo_test_reboot_nb = {
	.notifier_call = luo_test_reboot,
};

/**
 * luo_test_frozen - LIVEUPDATE_TEST_FROZEN
 * @arg: struct liveupdate_test_frozen
 *
 * Return: 0, -EFAULT or -EINVAL.
 */
int luo_test_frozen(const void __user *arg)
{
	struct liveupdate_test_frozen frozen;

	if (copy_from_user(&frozen, arg, sizeof(frozen)))
		return -EFAULT;
	if (frozen.size != sizeof(frozen))
		return -EINVAL;

	WRITE_ONCE(luo_frozen_us, frozen.delay_us);
	return 0;
}

/**
 * luo_test_frozen_init - register the reboot notifier, which sleeps
 *
 * Context: once, at boot.
 * Return: 0 or a negative errno.
 */
int __init luo_test_frozen_init(void)
{
	return register_reboot_notifier(&luo_test_reboot_nb);
}

/**
 * luo_test_frozen_exit - undo luo_test_frozen_init()
 *
 * Context: once, at boot.
 */
void __init luo_test_frozen_exit(void)
{
	unregister_reboot_notifier(&luo_test_reboot_nb);
}
