// SPDX-License-Identifier: GPL-2.0

/* Operations of the test handler and of the other test targets behave as they are set. */

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/minmax.h>

#include "luo_test.h"

/**
 * luo_test_op_set - set how an operation behaves
 * @op:  the operation
 * @set: from user space, checked
 *
 * Context: under the lock of the target.
 */
void luo_test_op_set(struct luo_test_op *op,
		     const struct liveupdate_test_set *set)
{
	op->delay_us = set->delay_us;
	op->error = set->error;
	op->nth = set->nth;
}

/**
 * luo_test_op_count - report the calls of all operations of a target
 * @ops: its operations
 * @get: set to the counts
 *
 * Context: under the lock of the target.
 */
void luo_test_op_count(const struct luo_test_op *ops,
		       struct liveupdate_test_get *get)
{
	int i;

	for (i = 0; i < LIVEUPDATE_TEST_NR_OPS; i++)
		get->calls[i] = ops[i].calls;
}

/**
 * luo_test_op_run - count a call and behave as set
 * @op: the operation
 *
 * Context: under the lock of the target, may sleep.
 * Return: 0 or the negative errno that was set.
 */
int luo_test_op_run(struct luo_test_op *op)
{
	/* This kernel has not checked what the previous one handed over. */
	unsigned long delay_us = min(op->delay_us, LIVEUPDATE_TEST_MAX_DELAY_US);

	op->calls++;
	/* By the clock that durations are measured with; jiffies may be late. */
	if (delay_us > 10)
		usleep_range(delay_us, delay_us + 50);
	else
		udelay(delay_us);

	if (!op->error || (op->nth && op->nth != op->calls))
		return 0;
	return -(int)min(op->error, MAX_ERRNO);
}
