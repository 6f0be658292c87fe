// SPDX-License-Identifier: GPL-2.0

/*
 * Shared state whose owner, handler or files come and go in another order than
 * usual. As luo_kunit.c, it needs liveupdate=on and a machine that nobody uses.
 */

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/string.h>

#include "../luo_file.h"
#include "../luo_flb.h"

#define LUO_KUNIT_FLB	"luo-kunit-flb-v1"

/* How often each operation was called. */
static struct {
	unsigned int preserve;
	unsigned int unpreserve;
	unsigned int retrieve;
	unsigned int finish;
} luo_kunit_did;

static int luo_kunit_flb_preserve(struct liveupdate_flb_op_args *args)
{
	luo_kunit_did.preserve++;
	args->obj = &luo_kunit_did;
	return 0;
}

static void luo_kunit_flb_unpreserve(struct liveupdate_flb_op_args *args)
{
	luo_kunit_did.unpreserve++;
}

static int luo_kunit_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	luo_kunit_did.retrieve++;
	args->obj = &luo_kunit_did;
	return 0;
}

static void luo_kunit_flb_finish(struct liveupdate_flb_op_args *args)
{
	luo_kunit_did.finish++;
}

static const struct liveupdate_flb_ops luo_kunit_flb_ops = {
	.preserve	= luo_kunit_flb_preserve,
	.unpreserve	= luo_kunit_flb_unpreserve,
	.retrieve	= luo_kunit_flb_retrieve,
	.finish		= luo_kunit_flb_finish,
};

/* One for each test: what is finished in one stays finished. */
static struct liveupdate_flb luo_kunit_flbs[] = {
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-0" },
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-1" },
	{ .ops = &luo_kunit_flb_ops, .compatible = LUO_KUNIT_FLB "-2" },
};

/*
 * One that needs another one, in all of its operations: it asks for it when it is
 * preserved or retrieved, and lets go of it when that is undone or over.
 */
static struct liveupdate_flb luo_kunit_needed = {
	.ops = &luo_kunit_flb_ops,
	.compatible = LUO_KUNIT_FLB "-needed",
};

static int luo_kunit_asking_preserve(struct liveupdate_flb_op_args *args)
{
	return liveupdate_flb_get_outgoing(&luo_kunit_needed, &args->obj);
}

static void luo_kunit_asking_unpreserve(struct liveupdate_flb_op_args *args)
{
	liveupdate_flb_put_outgoing(&luo_kunit_needed);
}

static int luo_kunit_asking_retrieve(struct liveupdate_flb_op_args *args)
{
	return liveupdate_flb_get_incoming(&luo_kunit_needed, &args->obj);
}

static void luo_kunit_asking_finish(struct liveupdate_flb_op_args *args)
{
	liveupdate_flb_put_incoming(&luo_kunit_needed);
}

static const struct liveupdate_flb_ops luo_kunit_asking_ops = {
	.preserve	= luo_kunit_asking_preserve,
	.unpreserve	= luo_kunit_asking_unpreserve,
	.retrieve	= luo_kunit_asking_retrieve,
	.finish		= luo_kunit_asking_finish,
};

static struct liveupdate_flb luo_kunit_asking = {
	.ops = &luo_kunit_asking_ops,
	.compatible = LUO_KUNIT_FLB "-asking",
};

static const struct file_operations luo_kunit_flb_fops = {
	.owner = THIS_MODULE,
};

static bool luo_kunit_can_preserve(struct liveupdate_file_handler *handler,
				   struct file *file)
{
	return file->f_op == &luo_kunit_flb_fops;
}

static int luo_kunit_fine(struct liveupdate_file_op_args *args)
{
	return 0;
}

static void luo_kunit_nothing(struct liveupdate_file_op_args *args)
{
}

static const struct liveupdate_file_ops luo_kunit_ops = {
	.can_preserve	= luo_kunit_can_preserve,
	.preserve	= luo_kunit_fine,
	.unpreserve	= luo_kunit_nothing,
	.retrieve	= luo_kunit_fine,
	.finish		= luo_kunit_nothing,
};

static struct liveupdate_file_handler luo_kunit_handlers[] = {
	{ .ops = &luo_kunit_ops, .compatible = "luo-kunit-flb-a" },
	{ .ops = &luo_kunit_ops, .compatible = "luo-kunit-flb-b" },
};

static int luo_kunit_flb_init(struct kunit *test)
{
	int i, err;

	KUNIT_ASSERT_TRUE_MSG(test, liveupdate_enabled(), "live update is off");
	memset(&luo_kunit_did, 0, sizeof(luo_kunit_did));
	for (i = 0; i < ARRAY_SIZE(luo_kunit_handlers); i++) {
		err = liveupdate_register_file_handler(&luo_kunit_handlers[i]);
		KUNIT_ASSERT_EQ(test, err, 0);
	}
	return 0;
}

static void luo_kunit_flb_exit(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(luo_kunit_handlers); i++)
		liveupdate_unregister_file_handler(&luo_kunit_handlers[i]);
}

/* As if the previous kernel had handed it over, for one file. */
static void luo_kunit_flb_hand_over(struct liveupdate_flb *flb)
{
	struct luo_flb_ser record = { .count = 1 };

	strscpy_pad(record.name, flb->compatible);
	scoped_guard(mutex, &luo_flb_lock)
		luo_flb_deserialize(&record, NULL);
}

static void luo_kunit_flb_outlives_its_handler(struct kunit *test)
{
	struct liveupdate_file_handler *fh = &luo_kunit_handlers[0];
	struct liveupdate_flb *flb = &luo_kunit_flbs[0];
	struct luo_file_set *set;
	struct file *file;
	void *obj;

	set = kunit_kzalloc(test, sizeof(*set), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, set);
	luo_file_set_init(set, "kunit", LUO_DIR_OUT);
	file = anon_inode_getfile("[luo_kunit]", &luo_kunit_flb_fops, NULL, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));

	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	scoped_guard(mutex, &set->lock)
		KUNIT_EXPECT_EQ(test, luo_file_preserve(set, file, 1), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.preserve, 1);
	KUNIT_ASSERT_EQ(test, liveupdate_flb_get_outgoing(flb, &obj), 0);
	scoped_guard(mutex, &set->lock)
		luo_file_set_unpreserve(set);

	/* Its user has it still, when the handler is gone and when it is back. */
	liveupdate_unregister_file_handler(fh);
	KUNIT_ASSERT_EQ(test, liveupdate_register_file_handler(fh), 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	scoped_guard(mutex, &set->lock)
		KUNIT_EXPECT_EQ(test, luo_file_preserve(set, file, 1), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.preserve, 1);
	scoped_guard(mutex, &set->lock)
		luo_file_set_unpreserve(set);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.unpreserve, 0);
	liveupdate_unregister_flb(fh, flb);
	liveupdate_flb_put_outgoing(flb);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.unpreserve, 1);

	/* It is in no list any more. */
	KUNIT_EXPECT_EQ(test, liveupdate_register_flb(fh, flb), 0);
	KUNIT_EXPECT_EQ(test, liveupdate_flb_get_outgoing(flb, &obj), -ENOENT);
	liveupdate_unregister_flb(fh, flb);
	fput(file);
}

static void luo_kunit_flb_waits_for_all_handlers(struct kunit *test)
{
	struct liveupdate_file_handler *fh = luo_kunit_handlers;
	struct liveupdate_flb *flb = &luo_kunit_flbs[1];
	void *obj;

	luo_kunit_flb_hand_over(flb);
	luo_flb_file_incoming(&fh[0]);
	luo_flb_file_incoming(NULL);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(&fh[0], flb), 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(&fh[1], flb), 0);

	/* One file depends on it, and nobody knows whether it is this one. */
	luo_flb_file_finish(&fh[0]);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 0);
	KUNIT_EXPECT_EQ(test, liveupdate_flb_get_incoming(flb, &obj), 0);
	liveupdate_flb_put_incoming(flb);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 0);
	/* The other one has found its handler. */
	luo_flb_file_bind(&fh[1]);
	KUNIT_EXPECT_EQ(test, liveupdate_flb_get_incoming(flb, &obj), 0);
	liveupdate_flb_put_incoming(flb);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 0);
	luo_flb_file_finish(&fh[1]);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.retrieve, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 1);
	KUNIT_EXPECT_EQ(test, liveupdate_flb_get_incoming(flb, &obj), -ENODATA);
}

static void luo_kunit_flb_without_handler(struct kunit *test)
{
	struct liveupdate_flb *flb = &luo_kunit_flbs[2];
	struct liveupdate_flb later = {
		.ops = &luo_kunit_flb_ops,
		.compatible = LUO_KUNIT_FLB "-3",
	};
	void *obj;

	luo_kunit_flb_hand_over(flb);
	luo_kunit_flb_hand_over(&later);
	KUNIT_ASSERT_EQ(test, liveupdate_flb_get_incoming(flb, &obj), 0);
	liveupdate_flb_put_incoming(flb);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.retrieve, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 0);

	/* Who asked for it is not registered when the machine finishes. */
	luo_flb_finish_all();
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 1);

	/* And this one comes only after that. */
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(luo_kunit_handlers, &later),
			0);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.retrieve, 2);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 2);
	liveupdate_unregister_flb(luo_kunit_handlers, &later);
}

static void luo_kunit_flb_asks_for_another(struct kunit *test)
{
	struct liveupdate_file_handler *fh = &luo_kunit_handlers[0];
	struct luo_file_set *set;
	struct file *file;
	void *obj;

	set = kunit_kzalloc(test, sizeof(*set), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, set);
	luo_file_set_init(set, "kunit", LUO_DIR_OUT);
	file = anon_inode_getfile("[luo_kunit]", &luo_kunit_flb_fops, NULL, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, &luo_kunit_needed), 0);
	KUNIT_ASSERT_EQ(test, liveupdate_register_flb(fh, &luo_kunit_asking), 0);

	scoped_guard(mutex, &set->lock)
		KUNIT_EXPECT_EQ(test, luo_file_preserve(set, file, 1), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.preserve, 1);
	KUNIT_ASSERT_EQ(test,
			liveupdate_flb_get_outgoing(&luo_kunit_asking, &obj), 0);
	KUNIT_EXPECT_PTR_EQ(test, obj, &luo_kunit_did);
	/* The one that is used keeps the one that it needs. */
	scoped_guard(mutex, &set->lock)
		luo_file_set_unpreserve(set);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.unpreserve, 0);
	liveupdate_flb_put_outgoing(&luo_kunit_asking);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.unpreserve, 1);

	luo_kunit_flb_hand_over(&luo_kunit_needed);
	luo_kunit_flb_hand_over(&luo_kunit_asking);
	luo_flb_file_incoming(fh);
	KUNIT_EXPECT_EQ(test,
			liveupdate_flb_get_incoming(&luo_kunit_asking, &obj), 0);
	KUNIT_EXPECT_PTR_EQ(test, obj, &luo_kunit_did);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.retrieve, 1);
	luo_flb_file_finish(fh);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 0);
	liveupdate_flb_put_incoming(&luo_kunit_asking);
	KUNIT_EXPECT_EQ(test, luo_kunit_did.finish, 1);
	fput(file);
}

static struct kunit_case luo_kunit_flb_cases[] = {
	KUNIT_CASE(luo_kunit_flb_asks_for_another),

	KUNIT_CASE(luo_kunit_flb_outlives_its_handler),
	KUNIT_CASE(luo_kunit_flb_waits_for_all_handlers),
	KUNIT_CASE(luo_kunit_flb_without_handler),
	{}
};

static struct kunit_suite luo_kunit_flb_suite = {
	.name = "liveupdate-flb",
	.init = luo_kunit_flb_init,
	.exit = luo_kunit_flb_exit,
	.test_cases = luo_kunit_flb_cases,
};

kunit_test_suite(luo_kunit_flb_suite);
