// SPDX-License-Identifier: GPL-2.0

/* Incoming FLBs that end without their finish, and the event that says so. */

#include <kunit/test.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/luo.h>

#include "luo_kunit_flb.h"

/* Events that end the FLB of a test without its finish, by reason. */
struct luo_kunit_ends {
	const struct liveupdate_flb *flb;
	unsigned int not_retrieved;
	unsigned int given_up;
};

static void luo_kunit_flb_ends(void *data, u64 number, const char *what,
			       const char *name, u64 token, const char *reason)
{
	struct luo_kunit_ends *ends = data;

	if (strcmp(what, "flb") || strcmp(name, ends->flb->compatible))
		return;
	ends->not_retrieved += !strcmp(reason, "not-retrieved");
	ends->given_up += !strcmp(reason, "given-up");
}

static int luo_kunit_flb_cannot_retrieve(struct liveupdate_flb_op_args *args)
{
	luo_kunit_calls.retrieve++;
	return -EDOM;
}

static const struct liveupdate_flb_ops luo_kunit_failing_ops = {
	.preserve	= luo_kunit_flb_preserve,
	.unpreserve	= luo_kunit_flb_unpreserve,
	.retrieve	= luo_kunit_flb_cannot_retrieve,
	.finish		= luo_kunit_flb_finish,
};

static struct liveupdate_flb luo_kunit_failing = {
	.ops = &luo_kunit_failing_ops,
	.compatible = LUO_KUNIT_FLB "-failing",
};

/* The reboot comes while it runs. */
static int luo_kunit_flb_retrieve_late(struct liveupdate_flb_op_args *args)
{
	luo_flb_give_up_all();
	args->obj = &luo_kunit_calls;
	return 0;
}

static const struct liveupdate_flb_ops luo_kunit_late_ops = {
	.preserve	= luo_kunit_flb_preserve,
	.unpreserve	= luo_kunit_flb_unpreserve,
	.retrieve	= luo_kunit_flb_retrieve_late,
	.finish		= luo_kunit_flb_finish,
};

static struct liveupdate_flb luo_kunit_late = {
	.ops = &luo_kunit_late_ops,
	.compatible = LUO_KUNIT_FLB "-late",
};

static struct liveupdate_flb luo_kunit_left = {
	.ops = &luo_kunit_flb_ops,
	.compatible = LUO_KUNIT_FLB "-left",
};

static struct liveupdate_file_handler luo_kunit_handler = {
	.ops = &luo_kunit_ops,
	.compatible = "luo-kunit-flb-end",
};

static int luo_kunit_flb_end_init(struct kunit *test)
{
	int err = luo_kunit_flb_setup(test);

	if (!err)
		luo_kunit_register(test, &luo_kunit_handler);
	return err;
}

/* Its retrieve fails when its last file is finished. */
static void luo_kunit_flb_of_failed_retrieve(struct kunit *test)
{
	struct luo_kunit_ends ends = { .flb = &luo_kunit_failing };
	struct liveupdate_file_handler *fh = &luo_kunit_handler;
	struct liveupdate_flb *flb = &luo_kunit_failing;

	KUNIT_ASSERT_EQ(test, register_trace_luo_handover_reject(luo_kunit_flb_ends,
								 &ends), 0);
	luo_kunit_flb_hand_over(test, flb, 1);
	luo_flb_file_incoming(fh);
	KUNIT_EXPECT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	KUNIT_EXPECT_EQ(test, ends.not_retrieved, 0);
	luo_flb_file_finish(fh);
	KUNIT_EXPECT_EQ(test, ends.not_retrieved, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(flb), -EDOM);

	/* It has ended. */
	luo_flb_give_up_all();
	KUNIT_EXPECT_EQ(test, ends.not_retrieved, 1);
	KUNIT_EXPECT_EQ(test, ends.given_up, 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.retrieve, 1);
	unregister_trace_luo_handover_reject(luo_kunit_flb_ends, &ends);
	tracepoint_synchronize_unregister();
	liveupdate_unregister_flb(fh, flb);
}

/* A user that comes, or puts it, after that does not have it finished. */
static void luo_kunit_flb_given_up(struct kunit *test)
{
	struct luo_kunit_ends ends = { .flb = &luo_kunit_left };
	struct liveupdate_flb *flb = &luo_kunit_left;
	void *obj;

	KUNIT_ASSERT_EQ(test, register_trace_luo_handover_reject(luo_kunit_flb_ends,
								 &ends), 0);
	luo_kunit_flb_hand_over(test, flb, 1);
	KUNIT_EXPECT_EQ(test, liveupdate_flb_get_incoming(flb, &obj), 0);
	luo_flb_give_up_all();
	luo_flb_give_up_all();
	KUNIT_EXPECT_EQ(test, ends.given_up, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(flb), -ENODATA);
	liveupdate_flb_put_incoming(flb);
	luo_flb_finish_all();
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);
	KUNIT_EXPECT_EQ(test, ends.given_up, 1);
	KUNIT_EXPECT_EQ(test, ends.not_retrieved, 0);
	unregister_trace_luo_handover_reject(luo_kunit_flb_ends, &ends);
	tracepoint_synchronize_unregister();
}

/* The reboot does not wait for a retrieve. */
static void luo_kunit_flb_given_up_in_use(struct kunit *test)
{
	struct luo_kunit_ends ends = { .flb = &luo_kunit_late };
	struct liveupdate_flb *flb = &luo_kunit_late;

	KUNIT_ASSERT_EQ(test, register_trace_luo_handover_reject(luo_kunit_flb_ends,
								 &ends), 0);
	luo_kunit_flb_hand_over(test, flb, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(flb), 0);
	KUNIT_EXPECT_EQ(test, ends.given_up, 1);
	unregister_trace_luo_handover_reject(luo_kunit_flb_ends, &ends);
	tracepoint_synchronize_unregister();
	luo_flb_finish_all();
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 1);
}

static struct kunit_case luo_kunit_flb_end_cases[] = {
	KUNIT_CASE(luo_kunit_flb_of_failed_retrieve),
	KUNIT_CASE(luo_kunit_flb_given_up),
	KUNIT_CASE(luo_kunit_flb_given_up_in_use),
	{}
};

static struct kunit_suite luo_kunit_flb_end_suite = {
	.name = "liveupdate-flb-end",
	.init = luo_kunit_flb_end_init,
	.exit = luo_kunit_flb_teardown,
	.test_cases = luo_kunit_flb_end_cases,
};

kunit_test_suite(luo_kunit_flb_end_suite);
