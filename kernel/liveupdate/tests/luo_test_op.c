// SPDX-License-Identifier: GPL-2.0

/* Operations of the test handler and of the other test targets behave as they are set. */

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched.h>

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
	op->burn_us = set->burn_us;
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

/* A function of its own for each kind of delay, which stack traces name. */
static noinline void luo_test_sleep(unsigned long us)
{
	/* By the clock that durations are measured with; jiffies may be late. */
	if (us > 10)
		usleep_range(us, us + 50);
	else
		udelay(us);
	/* Not the last call, which would take over the stack frame. */
	barrier();
}

static noinline void luo_test_burn(unsigned long us)
{
	u64 end = ktime_get_ns() + us * NSEC_PER_USEC;

	while (ktime_get_ns() < end) {
		cpu_relax();
		cond_resched();
	}
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
	op->calls++;
	/* This kernel has not checked what the previous one handed over. */
	luo_test_sleep(min(op->delay_us, LIVEUPDATE_TEST_MAX_DELAY_US));
	luo_test_burn(min(op->burn_us, LIVEUPDATE_TEST_MAX_DELAY_US));

	if (!op->error || (op->nth && op->nth != op->calls))
		return 0;
	return -(int)min(op->error, MAX_ERRNO);
}
