// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Test subsystems and test FLB
 *
 * Two subsystems, and an FLB on which all files of the test handler depend. Each hands a
 * cookie over, and a test sets how its operations behave, through any file of
 * /dev/liveupdate_test. A subsystem keeps what it has prepared as its private data.
 */

#include <linux/err.h>
#include <linux/container_of.h>
#include <linux/liveupdate.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "luo_test.h"

/**
 * struct luo_test_target - a subsystem or the FLB
 * @lock:   guards the rest
 * @ops:    behaviour of its operations
 * @cookie: value that it hands over
 * @got:    value that the previous kernel handed over, 0 if none
 */
struct luo_test_target {
	struct mutex lock; /* guards the rest */
	struct luo_test_op ops[LIVEUPDATE_TEST_NR_OPS];
	u64 cookie;
	u64 got;
};

/**
 * struct luo_test_subsystem - a test subsystem
 * @subsystem: what LUO knows of it, and passes to its operations
 * @target:    what a test sets
 */
struct luo_test_subsystem {
	struct liveupdate_subsystem subsystem;
	struct luo_test_target target;
};

static int luo_test_target_run(struct luo_test_target *target,
			       enum liveupdate_test_op nr)
{
	guard(mutex)(&target->lock);

	return luo_test_op_run(&target->ops[nr]);
}

static const struct liveupdate_subsystem_ops luo_test_subsystem_ops;

static struct luo_test_subsystem luo_test_first = {
	.subsystem = { .ops = &luo_test_subsystem_ops, .name = "luo-test-first" },
	.target.lock = __MUTEX_INITIALIZER(luo_test_first.target.lock),
};

static struct luo_test_subsystem luo_test_second = {
	.subsystem = { .ops = &luo_test_subsystem_ops, .name = "luo-test-second" },
	.target.lock = __MUTEX_INITIALIZER(luo_test_second.target.lock),
};

static struct luo_test_target *
luo_test_sub_target(const struct liveupdate_subsystem_op_args *args)
{
	return &container_of(args->subsystem, struct luo_test_subsystem,
			     subsystem)->target;
}

static int luo_test_sub_prepare(struct liveupdate_subsystem_op_args *args)
{
	struct luo_test_target *target = luo_test_sub_target(args);
	u64 *saved;
	int err;

	WARN_ON_ONCE(args->private_data);
	err = luo_test_target_run(target, LIVEUPDATE_TEST_PREPARE);
	if (err)
		return err;

	saved = kmemdup(&target->cookie, sizeof(target->cookie), GFP_KERNEL);
	if (!saved)
		return -ENOMEM;

	args->private_data = saved;
	args->serialized_data = *saved;
	return 0;
}

static int luo_test_sub_freeze(struct liveupdate_subsystem_op_args *args)
{
	const u64 *saved = args->private_data;
	int err;

	err = luo_test_target_run(luo_test_sub_target(args), LIVEUPDATE_TEST_FREEZE);
	if (err)
		return err;

	args->serialized_data = *saved + 1;
	return 0;
}

static void luo_test_sub_unfreeze(struct liveupdate_subsystem_op_args *args)
{
	const u64 *saved = args->private_data;

	luo_test_target_run(luo_test_sub_target(args), LIVEUPDATE_TEST_UNFREEZE);
	args->serialized_data = *saved;
}

static void luo_test_sub_cancel(struct liveupdate_subsystem_op_args *args)
{
	const u64 *saved = args->private_data;

	luo_test_target_run(luo_test_sub_target(args), LIVEUPDATE_TEST_CANCEL);
	WARN_ON_ONCE(args->serialized_data != *saved);
	kfree(saved);
}

static void luo_test_sub_boot(struct liveupdate_subsystem_op_args *args)
{
	struct luo_test_target *target = luo_test_sub_target(args);

	WARN_ON_ONCE(args->private_data);
	target->got = args->serialized_data;
	args->private_data = &target->got;
	luo_test_target_run(target, LIVEUPDATE_TEST_BOOT);
}

static void luo_test_sub_finish(struct liveupdate_subsystem_op_args *args)
{
	const u64 *got = args->private_data;

	WARN_ON_ONCE(args->serialized_data != *got);
	luo_test_target_run(luo_test_sub_target(args), LIVEUPDATE_TEST_FINISH);
}

static const struct liveupdate_subsystem_ops luo_test_subsystem_ops = {
	.prepare	= luo_test_sub_prepare,
	.freeze		= luo_test_sub_freeze,
	.unfreeze	= luo_test_sub_unfreeze,
	.cancel		= luo_test_sub_cancel,
	.boot		= luo_test_sub_boot,
	.finish		= luo_test_sub_finish,
};

static struct luo_test_target luo_test_flb_target = {
	.lock = __MUTEX_INITIALIZER(luo_test_flb_target.lock),
};

static int luo_test_flb_preserve(struct liveupdate_flb_op_args *args)
{
	args->data = luo_test_flb_target.cookie;
	args->obj = &luo_test_flb_target.cookie;
	return luo_test_target_run(&luo_test_flb_target, LIVEUPDATE_TEST_PRESERVE);
}

static void luo_test_flb_unpreserve(struct liveupdate_flb_op_args *args)
{
	WARN_ON_ONCE(args->obj != &luo_test_flb_target.cookie);
	luo_test_target_run(&luo_test_flb_target, LIVEUPDATE_TEST_UNPRESERVE);
}

static int luo_test_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	luo_test_flb_target.got = args->data;
	args->obj = &luo_test_flb_target.got;
	return luo_test_target_run(&luo_test_flb_target, LIVEUPDATE_TEST_RETRIEVE);
}

static void luo_test_flb_finish(struct liveupdate_flb_op_args *args)
{
	WARN_ON_ONCE(args->obj != &luo_test_flb_target.got);
	luo_test_target_run(&luo_test_flb_target, LIVEUPDATE_TEST_FINISH);
}

static const struct liveupdate_flb_ops luo_test_flb_ops = {
	.preserve	= luo_test_flb_preserve,
	.unpreserve	= luo_test_flb_unpreserve,
	.retrieve	= luo_test_flb_retrieve,
	.finish		= luo_test_flb_finish,
};

static struct liveupdate_flb luo_test_flb = {
	.ops = &luo_test_flb_ops,
	.compatible = "luo-test-flb-v1",
};

static struct luo_test_target *const luo_test_targets[] = {
	[LIVEUPDATE_TEST_ON_FIRST]  = &luo_test_first.target,
	[LIVEUPDATE_TEST_ON_SECOND] = &luo_test_second.target,
	[LIVEUPDATE_TEST_ON_FLB]    = &luo_test_flb_target,
};

/**
 * luo_test_target_set - LIVEUPDATE_TEST_SET for a target other than a file
 * @set: from user space, checked
 */
void luo_test_target_set(const struct liveupdate_test_set *set)
{
	struct luo_test_target *target = luo_test_targets[set->target];

	guard(mutex)(&target->lock);
	luo_test_op_set(&target->ops[set->op], set);
	target->ops[set->op].calls = 0;
}

/**
 * luo_test_target_get - LIVEUPDATE_TEST_GET for a target other than a file
 * @get: from user space, checked; its results are set
 */
void luo_test_target_get(struct liveupdate_test_get *get)
{
	struct luo_test_target *target = luo_test_targets[get->target];

	guard(mutex)(&target->lock);
	if (get->cookie)
		target->cookie = get->cookie;
	get->cookie = target->got;
	luo_test_op_count(target->ops, get);
}

/**
 * luo_test_object - LIVEUPDATE_TEST_OBJECT
 * @arg: struct liveupdate_test_object
 *
 * Return: 0, -EFAULT, -EINVAL, or what getting the object returns.
 */
int luo_test_object(void __user *arg)
{
	struct liveupdate_test_object object;
	void *obj = NULL;
	int err = 0;

	if (copy_from_user(&object, arg, sizeof(object)))
		return -EFAULT;
	if (object.size != sizeof(object))
		return -EINVAL;

	switch (object.op) {
	case LIVEUPDATE_TEST_GET_INCOMING:
		err = liveupdate_flb_get_incoming(&luo_test_flb, &obj);
		break;
	case LIVEUPDATE_TEST_PUT_INCOMING:
		liveupdate_flb_put_incoming(&luo_test_flb);
		break;
	case LIVEUPDATE_TEST_GET_OUTGOING:
		err = liveupdate_flb_get_outgoing(&luo_test_flb, &obj);
		break;
	case LIVEUPDATE_TEST_PUT_OUTGOING:
		liveupdate_flb_put_outgoing(&luo_test_flb);
		break;
	default:
		err = -EINVAL;
		break;
	}
	if (err)
		return err;

	object.value = obj ? *(u64 *)obj : 0;
	return copy_to_user(arg, &object, sizeof(object)) ? -EFAULT : 0;
}

/**
 * luo_test_targets_exit - undo luo_test_targets_init()
 * @fh: the test handler
 */
void luo_test_targets_exit(struct liveupdate_file_handler *fh)
{
	liveupdate_unregister_subsystem(&luo_test_second.subsystem);
	liveupdate_unregister_subsystem(&luo_test_first.subsystem);
	liveupdate_unregister_flb(fh, &luo_test_flb);
}

/**
 * luo_test_targets_init - register the subsystems and the FLB
 * @fh: the test handler, registered
 *
 * Return: 0 or the negative errno of a registration.
 */
int luo_test_targets_init(struct liveupdate_file_handler *fh)
{
	int err;

	err = liveupdate_register_flb(fh, &luo_test_flb);
	if (err)
		return err;

	err = liveupdate_register_subsystem(&luo_test_first.subsystem);
	if (err)
		goto err_flb;

	err = liveupdate_register_subsystem(&luo_test_second.subsystem);
	if (err)
		goto err_first;
	return 0;

err_first:
	liveupdate_unregister_subsystem(&luo_test_first.subsystem);
err_flb:
	liveupdate_unregister_flb(fh, &luo_test_flb);
	return err;
}
