// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Test handler
 *
 * The files of /dev/liveupdate_test can be preserved, and a test sets how each of their
 * operations behaves: how long it takes, and which call of it fails with which errno. So
 * tests can reach each error path, and compare the figures of a tracer with known ones.
 * include/uapi/linux/liveupdate_test.h describes what can be set.
 *
 * Preserve allocates one page for the state of a file, and freeze copies the state to it.
 * What is set for retrieve, can_finish and finish takes effect in the next kernel.
 * luo_test_targets.c has two subsystems and an FLB that can be set in the same way.
 */

#define pr_fmt(fmt) "luo_test: " fmt

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../kho_base.h"
#include "../luo_internal.h"
#include "luo_test.h"
#include "luo_test_damage.h"

/**
 * struct luo_test_ser - state of a file that is handed over
 * @cookie: value that the test has set
 * @ops:    behaviour of its operations
 */
struct luo_test_ser {
	u64 cookie;
	struct luo_test_op ops[LIVEUPDATE_TEST_NR_OPS];
};

/**
 * struct luo_test_file - one open file
 * @lock: guards @ser
 * @ser:  state of the file
 */
struct luo_test_file {
	struct mutex lock; /* guards @ser */
	struct luo_test_ser ser;
};

static const struct file_operations luo_test_fops;
static const bool luo_test_can_fail[LIVEUPDATE_TEST_NR_OPS] = {
	[LIVEUPDATE_TEST_PRESERVE]	= true,
	[LIVEUPDATE_TEST_PREPARE]	= true,
	[LIVEUPDATE_TEST_FREEZE]	= true,
	[LIVEUPDATE_TEST_RETRIEVE]	= true,
	[LIVEUPDATE_TEST_CAN_FINISH]	= true,
};

static int luo_test_file_run(struct luo_test_file *tf,
			     enum liveupdate_test_op nr)
{
	guard(mutex)(&tf->lock);

	return luo_test_op_run(&tf->ser.ops[nr]);
}

static bool luo_test_can_preserve(struct liveupdate_file_handler *handler,
				  struct file *file)
{
	return file->f_op == &luo_test_fops;
}

static int luo_test_preserve(struct liveupdate_file_op_args *args)
{
	struct luo_test_file *tf = args->file->private_data;
	struct luo_test_ser *ser;
	int err;

	err = luo_test_file_run(tf, LIVEUPDATE_TEST_PRESERVE);
	if (err)
		return err;

	ser = kho_alloc_preserve(sizeof(*ser));
	if (IS_ERR(ser))
		return PTR_ERR(ser);

	args->serialized_data = virt_to_phys(ser);
	args->private_data = ser;
	return 0;
}

static void luo_test_unpreserve(struct liveupdate_file_op_args *args)
{
	luo_test_file_run(args->file->private_data,
			  LIVEUPDATE_TEST_UNPRESERVE);
	kho_unpreserve_free(args->private_data);
}

static int luo_test_prepare(struct liveupdate_file_op_args *args)
{
	return luo_test_file_run(args->file->private_data,
				 LIVEUPDATE_TEST_PREPARE);
}

static void luo_test_cancel(struct liveupdate_file_op_args *args)
{
	luo_test_file_run(args->file->private_data, LIVEUPDATE_TEST_CANCEL);
}

static int luo_test_freeze(struct liveupdate_file_op_args *args)
{
	struct luo_test_file *tf = args->file->private_data;
	struct luo_test_ser *ser = args->private_data;
	int err;

	err = luo_test_file_run(tf, LIVEUPDATE_TEST_FREEZE);
	if (err)
		return err;

	guard(mutex)(&tf->lock);
	*ser = tf->ser;
	return 0;
}

static void luo_test_unfreeze(struct liveupdate_file_op_args *args)
{
	luo_test_file_run(args->file->private_data,
			  LIVEUPDATE_TEST_UNFREEZE);
}

static struct luo_test_file *luo_test_alloc(void)
{
	struct luo_test_file *tf = kzalloc_obj(*tf, GFP_KERNEL_ACCOUNT);

	if (tf)
		mutex_init(&tf->lock);
	return tf;
}

static int luo_test_retrieve_file(struct liveupdate_file_op_args *args,
				  struct luo_test_ser *ser)
{
	struct luo_test_file *tf;
	struct file *file;
	int err;

	err = luo_test_op_run(&ser->ops[LIVEUPDATE_TEST_RETRIEVE]);
	if (err)
		return err;

	tf = luo_test_alloc();
	if (!tf)
		return -ENOMEM;
	tf->ser = *ser;

	file = anon_inode_getfile("[liveupdate_test]", &luo_test_fops, tf,
				  O_RDWR);
	if (IS_ERR(file)) {
		kfree(tf);
		return PTR_ERR(file);
	}
	args->file = file;
	return 0;
}

/* What was handed over, NULL if the address is wrong: nothing proves one of the base. */
static struct luo_test_ser *luo_test_incoming(u64 data)
{
	if (liveupdate_incoming_order(data) != get_order(sizeof(struct luo_test_ser)))
		return NULL;
	return phys_to_virt(data);
}

static int luo_test_retrieve(struct liveupdate_file_op_args *args)
{
	struct luo_test_ser *ser = luo_test_incoming(args->serialized_data);
	int err;

	if (!ser)
		return -EINVAL;
	err = luo_test_retrieve_file(args, ser);
	kho_restore_free(ser);
	return err;
}

static bool luo_test_can_finish(struct liveupdate_file_op_args *args)
{
	struct luo_test_ser *ser;

	if (args->retrieve_status < 0)
		return true;
	if (!args->retrieve_status) {
		ser = luo_test_incoming(args->serialized_data);
		return !ser || !luo_test_op_run(&ser->ops[LIVEUPDATE_TEST_CAN_FINISH]);
	}
	return !luo_test_file_run(args->file->private_data,
				  LIVEUPDATE_TEST_CAN_FINISH);
}

static void luo_test_finish(struct liveupdate_file_op_args *args)
{
	struct luo_test_ser *ser;

	if (args->retrieve_status < 0)
		return;
	if (args->retrieve_status) {
		luo_test_file_run(args->file->private_data,
				  LIVEUPDATE_TEST_FINISH);
		return;
	}
	ser = luo_test_incoming(args->serialized_data);
	if (!ser)
		return;
	luo_test_op_run(&ser->ops[LIVEUPDATE_TEST_FINISH]);
	kho_restore_free(ser);
}

static const struct liveupdate_file_ops luo_test_ops = {
	.can_preserve	= luo_test_can_preserve,
	.preserve	= luo_test_preserve,
	.unpreserve	= luo_test_unpreserve,
	.prepare	= luo_test_prepare,
	.cancel		= luo_test_cancel,
	.freeze		= luo_test_freeze,
	.unfreeze	= luo_test_unfreeze,
	.retrieve	= luo_test_retrieve,
	.can_finish	= luo_test_can_finish,
	.finish		= luo_test_finish,
	.owner		= THIS_MODULE,
};

static struct liveupdate_file_handler luo_test_handler = {
	.ops = &luo_test_ops,
	.compatible = "liveupdate-test-v1",
};

static int luo_test_open(struct inode *inode, struct file *file)
{
	struct luo_test_file *tf = luo_test_alloc();

	if (!tf)
		return -ENOMEM;

	file->private_data = tf;
	return 0;
}

static int luo_test_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static int luo_test_set(struct luo_test_file *tf, void __user *arg)
{
	struct liveupdate_test_set set;

	if (copy_from_user(&set, arg, sizeof(set)))
		return -EFAULT;
	if (set.size != sizeof(set) ||
	    set.target >= LIVEUPDATE_TEST_NR_TARGETS ||
	    set.op >= LIVEUPDATE_TEST_NR_OPS || set.error > MAX_ERRNO ||
	    set.delay_us > LIVEUPDATE_TEST_MAX_DELAY_US ||
	    set.burn_us > LIVEUPDATE_TEST_MAX_DELAY_US || set.reserved)
		return -EINVAL;
	if (set.error && !luo_test_can_fail[set.op])
		return -EINVAL;
	if (set.target != LIVEUPDATE_TEST_ON_FILE) {
		luo_test_target_set(&set);
		return 0;
	}

	guard(mutex)(&tf->lock);
	luo_test_op_set(&tf->ser.ops[set.op], &set);
	return 0;
}

static int luo_test_get(struct luo_test_file *tf, void __user *arg)
{
	struct liveupdate_test_get get;

	if (copy_from_user(&get, arg, sizeof(get)))
		return -EFAULT;
	if (get.size != sizeof(get) ||
	    get.target >= LIVEUPDATE_TEST_NR_TARGETS)
		return -EINVAL;

	if (get.target == LIVEUPDATE_TEST_ON_FILE) {
		guard(mutex)(&tf->lock);
		if (get.cookie)
			tf->ser.cookie = get.cookie;
		get.cookie = tf->ser.cookie;
		luo_test_op_count(tf->ser.ops, &get);
	} else {
		luo_test_target_get(&get);
	}
	return copy_to_user(arg, &get, sizeof(get)) ? -EFAULT : 0;
}

static int luo_test_pages(void __user *arg)
{
	struct liveupdate_test_pages pages;

	if (copy_from_user(&pages, arg, sizeof(pages)))
		return -EFAULT;
	if (pages.size != sizeof(pages) || pages.reserved)
		return -EINVAL;

	pages.pages = kho_preserved_pages();
	return copy_to_user(arg, &pages, sizeof(pages)) ? -EFAULT : 0;
}

static long luo_test_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	struct luo_test_file *tf = file->private_data;

	switch (cmd) {
	case LIVEUPDATE_TEST_SET:
		return luo_test_set(tf, (void __user *)arg);
	case LIVEUPDATE_TEST_GET:
		return luo_test_get(tf, (void __user *)arg);
	case LIVEUPDATE_TEST_DAMAGE:
		return luo_test_damage_set((void __user *)arg);
	case LIVEUPDATE_TEST_OBJECT:
		return luo_test_object((void __user *)arg);
	case LIVEUPDATE_TEST_PAGES:
		return luo_test_pages((void __user *)arg);
	case LIVEUPDATE_TEST_FROZEN:
		return luo_test_frozen((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations luo_test_fops = {
	.owner		= THIS_MODULE,
	.open		= luo_test_open,
	.release	= luo_test_release,
	.unlocked_ioctl	= luo_test_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice luo_test_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "liveupdate_test",
	.fops	= &luo_test_fops,
	.mode	= 0600,
};

static int __init luo_test_init(void)
{
	int err;

	if (!liveupdate_enabled())
		return 0;

	err = liveupdate_register_file_handler(&luo_test_handler);
	if (err)
		return err;

	err = luo_test_targets_init(&luo_test_handler);
	if (err)
		goto err_handler;

	err = luo_test_frozen_init();
	if (err)
		goto err_targets;

	err = misc_register(&luo_test_device);
	if (err)
		goto err_frozen;
	return 0;

err_frozen:
	luo_test_frozen_exit();
err_targets:
	luo_test_targets_exit(&luo_test_handler);
err_handler:
	liveupdate_unregister_file_handler(&luo_test_handler);
	return err;
}
late_initcall(luo_test_init);
