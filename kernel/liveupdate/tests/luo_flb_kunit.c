// SPDX-License-Identifier: GPL-2.0

/* FLBs whose owner, handler, files or users come and go in an unusual order. */

#include <kunit/test.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/string.h>

#include "../luo_file.h"
#include "../luo_seal.h"
#include "luo_kunit_flb.h"

/* One for each test, as an FLB stays finished. */
static struct liveupdate_flb luo_kunit_flbs[] = {
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-0" },
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-1" },
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-2" },
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-3" },
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-4" },
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-5" },
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-6" },
};

/*
 * One FLB that uses another one: it gets the object of the other one when it is
 * preserved or retrieved, and puts it when it is unpreserved or finished.
 */
static struct liveupdate_flb luo_kunit_used = {
	.ops = &luo_kunit_flb_ops,
	.compatible = LUO_KUNIT_FLB "-used",
};

static struct liveupdate_flb *luo_kunit_target = &luo_kunit_used;

static int luo_kunit_using_preserve(struct liveupdate_flb_op_args *args)
{
	return liveupdate_flb_get_outgoing(luo_kunit_target, &args->obj);
}

static void luo_kunit_using_unpreserve(struct liveupdate_flb_op_args *args)
{
	liveupdate_flb_put_outgoing(luo_kunit_target);
}

static int luo_kunit_using_retrieve(struct liveupdate_flb_op_args *args)
{
	return liveupdate_flb_get_incoming(luo_kunit_target, &args->obj);
}

static void luo_kunit_using_finish(struct liveupdate_flb_op_args *args)
{
	luo_kunit_calls.finish_using++;
	liveupdate_flb_put_incoming(luo_kunit_target);
}

static const struct liveupdate_flb_ops luo_kunit_using_ops = {
	.preserve	= luo_kunit_using_preserve,
	.unpreserve	= luo_kunit_using_unpreserve,
	.retrieve	= luo_kunit_using_retrieve,
	.finish		= luo_kunit_using_finish,
};

static struct liveupdate_flb luo_kunit_using = {
	.ops = &luo_kunit_using_ops,
	.compatible = LUO_KUNIT_FLB "-using",
};

static struct liveupdate_flb luo_kunit_using_first = {
	.ops = &luo_kunit_using_ops,
	.compatible = LUO_KUNIT_FLB "-using-first",
};

static struct liveupdate_flb luo_kunit_limited = {
	.ops = &luo_kunit_flb_ops,
	.compatible = LUO_KUNIT_FLB "-limited",
};

static struct module luo_kunit_module;

static const struct liveupdate_flb_ops luo_kunit_module_ops = {
	.preserve	= luo_kunit_flb_preserve,
	.unpreserve	= luo_kunit_flb_unpreserve,
	.retrieve	= luo_kunit_flb_retrieve,
	.finish		= luo_kunit_flb_finish,
	.owner		= &luo_kunit_module,
};

static struct liveupdate_flb luo_kunit_of_module = {
	.ops = &luo_kunit_module_ops,
	.compatible = LUO_KUNIT_FLB "-of-module",
};

/* All files of the tests belong to the first one. */
static struct liveupdate_file_handler luo_kunit_handlers[] = {
	{ .ops = &luo_kunit_ops, .compatible = "luo-kunit-flb-a" },
	{ .ops = &luo_kunit_ops, .compatible = "luo-kunit-flb-b" },
};

static int luo_kunit_flb_init(struct kunit *test)
{
	int err, i;

	err = luo_kunit_flb_setup(test);
	if (err)
		return err;
	luo_kunit_target = &luo_kunit_used;
	for (i = 0; i < ARRAY_SIZE(luo_kunit_handlers); i++)
		luo_kunit_register(test, &luo_kunit_handlers[i]);
	return 0;
}

static void luo_kunit_flb_preserve_file(struct kunit *test,
					struct luo_file_set *set)
{
	guard(mutex)(&set->lock);

	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, 1), 0);
}

static void luo_kunit_flb_unpreserve_files(struct luo_file_set *set)
{
	guard(mutex)(&set->lock);

	luo_file_set_unpreserve(set);
}

static void luo_kunit_flb_limit(struct kunit *test)
{
	struct liveupdate_file_handler *fh = &luo_kunit_handlers[0];
	struct luo_file_set *set = luo_kunit_set(test, "kunit");
	struct liveupdate_flb *flb = &luo_kunit_limited;
	u64 flbs;

	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, flb), 0);

	guard(mutex)(&set->lock);

	/* Pretend that the block is full. */
	scoped_guard(mutex, &luo_flb_lock) {
		flbs = luo_nr_flbs;
		luo_nr_flbs = LUO_FLBS_PER_BLOCK;
	}
	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.preserve, 0);
	KUNIT_EXPECT_EQ(test, set->count, 0);
	scoped_guard(mutex, &luo_flb_lock) {
		KUNIT_EXPECT_EQ(test, luo_nr_flbs, LUO_FLBS_PER_BLOCK);
		luo_nr_flbs = flbs;
	}
	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, 1), 0);
	luo_file_set_unpreserve(set);
}

static void luo_kunit_flb_module_not_live(struct kunit *test)
{
	struct liveupdate_file_handler *fh = &luo_kunit_handlers[0];
	struct luo_file_set *set = luo_kunit_set(test, "kunit");

	luo_kunit_module.state = MODULE_STATE_GOING;
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, &luo_kunit_of_module), 0);

	guard(mutex)(&set->lock);

	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.preserve, 0);
	KUNIT_EXPECT_EQ(test, set->count, 0);
	liveupdate_unregister_flb(fh, &luo_kunit_of_module);
	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, 1), 0);
	luo_file_set_unpreserve(set);
}

static void luo_kunit_flb_outlives_its_handler(struct kunit *test)
{
	struct liveupdate_file_handler *fh = &luo_kunit_handlers[0];
	struct luo_file_set *set = luo_kunit_set(test, "kunit");
	struct liveupdate_flb *flb = &luo_kunit_flbs[0];
	void *obj;

	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	luo_kunit_flb_preserve_file(test, set);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.preserve, 1);
	KUNIT_ASSERT_EQ(test, liveupdate_flb_get_outgoing(flb, &obj), 0);
	luo_kunit_flb_unpreserve_files(set);

	/* It has a user while its handler is unregistered and registered again. */
	liveupdate_unregister_file_handler(fh);
	KUNIT_ASSERT_EQ(test, liveupdate_register_file_handler(fh), 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	luo_kunit_flb_preserve_file(test, set);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.preserve, 1);
	luo_kunit_flb_unpreserve_files(set);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.unpreserve, 0);
	liveupdate_unregister_flb(fh, flb);
	liveupdate_flb_put_outgoing(flb);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.unpreserve, 1);

	/* LUO has forgotten it. */
	KUNIT_EXPECT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	KUNIT_EXPECT_EQ(test, liveupdate_flb_get_outgoing(flb, &obj), -ENOENT);
	liveupdate_unregister_flb(fh, flb);
}

static void luo_kunit_flb_waits_for_all_handlers(struct kunit *test)
{
	struct liveupdate_file_handler *fh = luo_kunit_handlers;
	struct liveupdate_flb *flb = &luo_kunit_flbs[1];

	luo_kunit_flb_hand_over(test, flb, 1);
	luo_flb_file_incoming(&fh[0]);
	luo_flb_file_incoming(NULL);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(&fh[0], flb), 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(&fh[1], flb), 0);

	/* One file depends on it, but perhaps not this one. */
	luo_flb_file_finish(&fh[0]);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(flb), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);
	/* The other file finds its handler. */
	luo_flb_file_bind(&fh[1]);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(flb), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);
	luo_flb_file_finish(&fh[1]);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.retrieve, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(flb), -ENODATA);
}

static void luo_kunit_flb_uses_another(struct kunit *test)
{
	struct liveupdate_file_handler *fh = &luo_kunit_handlers[0];
	struct luo_file_set *set = luo_kunit_set(test, "kunit");
	void *obj;

	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, &luo_kunit_used), 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, &luo_kunit_using), 0);

	luo_kunit_flb_preserve_file(test, set);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.preserve, 1);
	KUNIT_ASSERT_EQ(test,
			liveupdate_flb_get_outgoing(&luo_kunit_using, &obj), 0);
	KUNIT_EXPECT_PTR_EQ(test, obj, &luo_kunit_calls);
	/* The user of one keeps both. */
	luo_kunit_flb_unpreserve_files(set);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.unpreserve, 0);
	liveupdate_flb_put_outgoing(&luo_kunit_using);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.unpreserve, 1);

	luo_kunit_flb_hand_over(test, &luo_kunit_used, 1);
	luo_kunit_flb_hand_over(test, &luo_kunit_using, 1);
	luo_flb_file_incoming(fh);
	KUNIT_EXPECT_EQ(test,
			liveupdate_flb_get_incoming(&luo_kunit_using, &obj), 0);
	KUNIT_EXPECT_PTR_EQ(test, obj, &luo_kunit_calls);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.retrieve, 1);
	luo_flb_file_finish(fh);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);
	liveupdate_flb_put_incoming(&luo_kunit_using);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 1);
}

/* Its only user keeps it: it is handed over, and a put does not unpreserve it then. */
static void luo_kunit_flb_has_only_a_user(struct kunit *test)
{
	struct liveupdate_file_handler *fh = &luo_kunit_handlers[0];
	struct luo_file_set *set = luo_kunit_set(test, "kunit");
	struct liveupdate_flb *flb = &luo_kunit_flbs[4];
	struct kho_block_header_ser *block;
	struct luo_flb_ser *record;
	struct luo_array array;
	void *obj;

	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	luo_kunit_flb_preserve_file(test, set);
	KUNIT_ASSERT_EQ(test, liveupdate_flb_get_outgoing(flb, &obj), 0);
	luo_kunit_flb_unpreserve_files(set);

	guard(rwsem_write)(&luo_state_lock);

	luo_flb_serialize_all(&array, true);
	KUNIT_EXPECT_EQ(test, array.count, 1);
	if (array.count) {
		block = phys_to_virt(array.data);
		record = (struct luo_flb_ser *)(block + 1);
		KUNIT_EXPECT_EQ(test, block->count, 1);
		KUNIT_EXPECT_STREQ(test, record->name, flb->compatible);
		/* Of the base's LUO, 0 would be freed already. */
		KUNIT_EXPECT_EQ(test, record->count, 1);
		KUNIT_EXPECT_EQ(test, *luo_file_word(record) >> 32, LUO_ATTR_NO_FILE);
	}
	liveupdate_flb_put_outgoing(flb);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.unpreserve, 0);
	luo_flb_rollback_all();
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.unpreserve, 1);
}

/* One that no file depends on stays for users that have not got it yet. */
static void luo_kunit_flb_of_no_file(struct kunit *test)
{
	struct liveupdate_file_handler *fh = &luo_kunit_handlers[0];
	struct liveupdate_flb *flb = &luo_kunit_flbs[5];

	luo_kunit_flb_hand_over(test, flb, 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(flb), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.retrieve, 1);
	luo_flb_file_incoming(fh);
	luo_flb_file_finish(fh);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(flb), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);
	liveupdate_unregister_flb(fh, flb);
}

/*
 * The file of an FLB is lost, so that the end of all incoming files is what has it
 * retrieved: the FLB that it uses, registered after it, must not be finished by then.
 */
static void luo_kunit_flb_used_is_finished_last(struct kunit *test)
{
	struct liveupdate_flb *used = &luo_kunit_flbs[6];

	luo_kunit_target = used;
	luo_kunit_flb_hand_over(test, &luo_kunit_using_first, 1);
	luo_kunit_flb_hand_over(test, used, 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(luo_kunit_handlers,
						      &luo_kunit_using_first), 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(luo_kunit_handlers, used), 0);

	luo_flb_finish_all();
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish_using, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.retrieve, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 1);
	liveupdate_unregister_flb(luo_kunit_handlers, used);
	liveupdate_unregister_flb(luo_kunit_handlers, &luo_kunit_using_first);
}

static void luo_kunit_flb_without_handler(struct kunit *test)
{
	struct liveupdate_flb *flb = &luo_kunit_flbs[2];
	struct liveupdate_flb *late = &luo_kunit_flbs[3];
	struct liveupdate_flb *no_file = &luo_kunit_flbs[5];

	luo_kunit_flb_hand_over(test, flb, 1);
	luo_kunit_flb_hand_over(test, late, 1);
	KUNIT_ASSERT_EQ(test, luo_kunit_flb_touch_incoming(flb), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.retrieve, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 0);

	/* One was retrieved, but never registered; so was the one of no file before. */
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(no_file), 0);
	luo_flb_finish_all();
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 2);
	KUNIT_EXPECT_EQ(test, luo_kunit_flb_touch_incoming(no_file), -ENODATA);

	/* The other one is registered only now. */
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(luo_kunit_handlers, late),
			0);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.retrieve, 2);
	KUNIT_EXPECT_EQ(test, luo_kunit_calls.finish, 3);
	liveupdate_unregister_flb(luo_kunit_handlers, late);
}

static struct kunit_case luo_kunit_flb_cases[] = {
	KUNIT_CASE(luo_kunit_flb_limit),
	KUNIT_CASE(luo_kunit_flb_module_not_live),
	KUNIT_CASE(luo_kunit_flb_uses_another),
	KUNIT_CASE(luo_kunit_flb_outlives_its_handler),
	KUNIT_CASE(luo_kunit_flb_waits_for_all_handlers),
	KUNIT_CASE(luo_kunit_flb_has_only_a_user),
	KUNIT_CASE(luo_kunit_flb_of_no_file),
	KUNIT_CASE(luo_kunit_flb_without_handler),
	/* After those whose FLBs are not finished yet. */
	KUNIT_CASE(luo_kunit_flb_used_is_finished_last),
	{}
};

static struct kunit_suite luo_kunit_flb_suite = {
	.name = "liveupdate-flb",
	.init = luo_kunit_flb_init,
	.exit = luo_kunit_flb_teardown,
	.test_cases = luo_kunit_flb_cases,
};

kunit_test_suite(luo_kunit_flb_suite);
