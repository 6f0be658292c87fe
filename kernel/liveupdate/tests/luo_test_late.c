// SPDX-License-Identifier: GPL-2.0

/*
 * A module with a file handler, an FLB and a subsystem, each of which hands a fixed value
 * over. Tests load it late and unload it, to check what waits for a module and what
 * pins it. With fail_ms=, its init registers all three, waits, unregisters them and
 * fails. A write to its parameter unregister unregisters the subsystem while it is loaded,
 * in whatever state that is.
 */

#define pr_fmt(fmt) "luo_test_late: " fmt

#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/liveupdate.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#define LUO_LATE_FILE		0xf11e
#define LUO_LATE_FLB		0xf1b
#define LUO_LATE_SUBSYSTEM	0x5b5

/* Value from the previous kernel, 0 if none */
static u64 luo_late_got;
module_param_named(got, luo_late_got, ullong, 0400);
MODULE_PARM_DESC(got, "value that the subsystem got from the previous kernel");

static unsigned int luo_late_fail_ms;
module_param_named(fail_ms, luo_late_fail_ms, uint, 0400);
MODULE_PARM_DESC(fail_ms, "milliseconds, at most 60000, after which init fails; 0 to succeed");

static const struct file_operations luo_late_fops = {
	.owner		= THIS_MODULE,
};

static bool luo_late_can_preserve(struct liveupdate_file_handler *handler,
				  struct file *file)
{
	return file->f_op == &luo_late_fops;
}

static int luo_late_preserve(struct liveupdate_file_op_args *args)
{
	args->serialized_data = LUO_LATE_FILE;
	return 0;
}

static void luo_late_unpreserve(struct liveupdate_file_op_args *args)
{
}

static int luo_late_retrieve(struct liveupdate_file_op_args *args)
{
	struct file *file;

	if (args->serialized_data != LUO_LATE_FILE)
		return -EINVAL;

	file = anon_inode_getfile("[liveupdate_late]", &luo_late_fops, NULL,
				  O_RDWR);
	if (IS_ERR(file))
		return PTR_ERR(file);
	args->file = file;
	return 0;
}

static void luo_late_finish(struct liveupdate_file_op_args *args)
{
}

static const struct liveupdate_file_ops luo_late_ops = {
	.can_preserve	= luo_late_can_preserve,
	.preserve	= luo_late_preserve,
	.unpreserve	= luo_late_unpreserve,
	.retrieve	= luo_late_retrieve,
	.finish		= luo_late_finish,
	.owner		= THIS_MODULE,
};

static struct liveupdate_file_handler luo_late_handler = {
	.ops = &luo_late_ops,
	.compatible = "liveupdate-late-v1",
};

static int luo_late_flb_preserve(struct liveupdate_flb_op_args *args)
{
	args->data = LUO_LATE_FLB;
	return 0;
}

static void luo_late_flb_unpreserve(struct liveupdate_flb_op_args *args)
{
}

static int luo_late_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	return args->data == LUO_LATE_FLB ? 0 : -EINVAL;
}

static void luo_late_flb_finish(struct liveupdate_flb_op_args *args)
{
}

static const struct liveupdate_flb_ops luo_late_flb_ops = {
	.preserve	= luo_late_flb_preserve,
	.unpreserve	= luo_late_flb_unpreserve,
	.retrieve	= luo_late_flb_retrieve,
	.finish		= luo_late_flb_finish,
	.owner		= THIS_MODULE,
};

static struct liveupdate_flb luo_late_flb = {
	.ops = &luo_late_flb_ops,
	.compatible = "luo-late-flb-v1",
};

static int luo_late_sub_prepare(struct liveupdate_subsystem_op_args *args)
{
	args->serialized_data = LUO_LATE_SUBSYSTEM;
	return 0;
}

static void luo_late_sub_boot(struct liveupdate_subsystem_op_args *args)
{
	luo_late_got = args->serialized_data;
}

static const struct liveupdate_subsystem_ops luo_late_sub_ops = {
	.prepare	= luo_late_sub_prepare,
	.boot		= luo_late_sub_boot,
	.owner		= THIS_MODULE,
};

static struct liveupdate_subsystem luo_late_subsystem = {
	.ops = &luo_late_sub_ops,
	.name = "luo-late",
};

static struct miscdevice luo_late_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "liveupdate_late",
	.fops	= &luo_late_fops,
	.mode	= 0600,
};

static bool luo_late_registered; /* the subsystem; under the lock of the parameters */

static int luo_late_unregister(const char *val, const struct kernel_param *kp)
{
	if (!luo_late_registered)
		return -EINVAL;

	luo_late_registered = false;
	liveupdate_unregister_subsystem(&luo_late_subsystem);
	return 0;
}

static const struct kernel_param_ops luo_late_unregister_ops = {
	.set = luo_late_unregister,
};
module_param_cb(unregister, &luo_late_unregister_ops, NULL, 0200);
MODULE_PARM_DESC(unregister, "write anything to unregister the subsystem");

static int __init luo_late_init(void)
{
	int err;

	err = liveupdate_register_file_handler(&luo_late_handler);
	if (err)
		return err;

	err = liveupdate_register_flb(&luo_late_handler, &luo_late_flb);
	if (err)
		goto err_handler;

	err = liveupdate_register_subsystem(&luo_late_subsystem);
	if (err)
		goto err_handler;

	if (luo_late_fail_ms) {
		msleep(min(luo_late_fail_ms, 60000u));
		err = -ENXIO;
		goto err_subsystem;
	}
	err = misc_register(&luo_late_device);
	if (err)
		goto err_subsystem;
	luo_late_registered = true;
	return 0;

err_subsystem:
	liveupdate_unregister_subsystem(&luo_late_subsystem);
err_handler:
	liveupdate_unregister_file_handler(&luo_late_handler);
	return err;
}
module_init(luo_late_init);

static void __exit luo_late_exit(void)
{
	misc_deregister(&luo_late_device);
	if (luo_late_registered)
		liveupdate_unregister_subsystem(&luo_late_subsystem);
	liveupdate_unregister_file_handler(&luo_late_handler);
}
module_exit(luo_late_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A live update test handler that is loaded late");
