// SPDX-License-Identifier: GPL-2.0

/* FLBs that count the calls of their operations, for the KUnit suites. */

#include <kunit/test.h>
#include <linux/string.h>

#include "../luo_seal.h"
#include "luo_kunit_flb.h"

struct luo_kunit_calls luo_kunit_calls;

/**
 * luo_kunit_flb_preserve - count a call, and have something as the object
 * @args: its object is set
 *
 * Return: 0.
 */
int luo_kunit_flb_preserve(struct liveupdate_flb_op_args *args)
{
	luo_kunit_calls.preserve++;
	args->obj = &luo_kunit_calls;
	return 0;
}

/**
 * luo_kunit_flb_unpreserve - count a call
 * @args: not used
 */
void luo_kunit_flb_unpreserve(struct liveupdate_flb_op_args *args)
{
	luo_kunit_calls.unpreserve++;
}

/**
 * luo_kunit_flb_retrieve - count a call, and have the same object
 * @args: its object is set
 *
 * Return: 0.
 */
int luo_kunit_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	luo_kunit_calls.retrieve++;
	args->obj = &luo_kunit_calls;
	return 0;
}

/**
 * luo_kunit_flb_finish - count a call
 * @args: not used
 */
void luo_kunit_flb_finish(struct liveupdate_flb_op_args *args)
{
	luo_kunit_calls.finish++;
}

const struct liveupdate_flb_ops luo_kunit_flb_ops = {
	.preserve	= luo_kunit_flb_preserve,
	.unpreserve	= luo_kunit_flb_unpreserve,
	.retrieve	= luo_kunit_flb_retrieve,
	.finish		= luo_kunit_flb_finish,
};

/**
 * luo_kunit_flb_setup - check that LUO is on and idle, count from zero
 * @test: the test that is about to run
 *
 * Makes LUO believe that incoming files are left, although nothing was handed over.
 *
 * Return: 0; the test fails otherwise.
 */
int luo_kunit_flb_setup(struct kunit *test)
{
	memset(&luo_kunit_calls, 0, sizeof(luo_kunit_calls));
	WRITE_ONCE(luo_flbs_over, false);
	return luo_kunit_init(test);
}

/**
 * luo_kunit_flb_teardown - undo luo_kunit_flb_setup()
 * @test: the test that has run
 */
void luo_kunit_flb_teardown(struct kunit *test)
{
	WRITE_ONCE(luo_flbs_over, true);
}

/**
 * luo_kunit_flb_hand_over - pretend that the previous kernel handed an FLB over
 * @test:  the test
 * @flb:   the FLB
 * @files: that depend on it; 0 if it had only users
 */
void luo_kunit_flb_hand_over(struct kunit *test, struct liveupdate_flb *flb, u64 files)
{
	u64 words[LUO_FLB_WORDS] = { (u64)(files ? 0 : LUO_ATTR_NO_FILE) << 32 };
	struct luo_flb_ser record = { .count = files ?: 1 };

	strscpy_pad(record.name, flb->compatible);

	guard(mutex)(&luo_flb_lock);

	KUNIT_EXPECT_NULL(test, luo_flb_deserialize(&record, words, NULL));
}

/**
 * luo_kunit_flb_touch_incoming - get the incoming object and put it at once
 * @flb: the FLB
 *
 * Return: what liveupdate_flb_get_incoming() returns.
 */
int luo_kunit_flb_touch_incoming(struct liveupdate_flb *flb)
{
	void *obj;
	int err;

	err = liveupdate_flb_get_incoming(flb, &obj);
	if (!err)
		liveupdate_flb_put_incoming(flb);
	return err;
}
