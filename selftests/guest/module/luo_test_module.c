// SPDX-License-Identifier: GPL-2.0

/*
 * A file handler in a module, for a kernel with the base's own LUO: luotrace must find its
 * functions, too. The base exports no function to register a handler, so the module looks
 * it up; this is for tests only. It cannot be unloaded.
 *
 * A file that was written to cannot be frozen. No file can be retrieved, and none can be
 * finished before a retrieve was tried.
 *
 * On demand the module also creates situations that luotrace would meet only by chance: a
 * list of sessions while one of them is removed, and a function that cannot be traced; and
 * it prolongs the time between the freeze and the kexec.
 */

#define pr_fmt(fmt) "luo_test_module: " fmt

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/liveupdate.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/reboot.h>

static atomic_t luo_module_files;

static ssize_t luo_module_write(struct file *file, const char __user *from,
				size_t len, loff_t *pos)
{
	file->private_data = NULL;
	return len;
}

static const struct file_operations luo_module_fops = {
	.owner = THIS_MODULE,
	.write = luo_module_write,
};

static struct miscdevice luo_module_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "luo_test_module",
	.fops = &luo_module_fops,
};

static bool luo_module_can_preserve(struct liveupdate_file_handler *handler,
				    struct file *file)
{
	return file->f_op == &luo_module_fops;
}

static unsigned int luo_module_delay_ms;
module_param_named(delay_ms, luo_module_delay_ms, uint, 0600);
MODULE_PARM_DESC(delay_ms, "duration of each preserve");

static int luo_module_preserve(struct liveupdate_file_op_args *args)
{
	msleep(luo_module_delay_ms);
	args->serialized_data = atomic_inc_return(&luo_module_files);
	return 0;
}

static int luo_module_freeze(struct liveupdate_file_op_args *args)
{
	/* misc_open() has set it. */
	return args->file->private_data ? 0 : -EDOM;
}

static void luo_module_unfreeze(struct liveupdate_file_op_args *args)
{
}

static void luo_module_unpreserve(struct liveupdate_file_op_args *args)
{
}

static int luo_module_retrieve(struct liveupdate_file_op_args *args)
{
	return -EOPNOTSUPP;
}

static bool luo_module_can_finish(struct liveupdate_file_op_args *args)
{
	return args->retrieve_status;
}

static void luo_module_finish(struct liveupdate_file_op_args *args)
{
}

/* It has the arguments of an operation, but no program can be attached to it. */
static notrace __used void
luo_module_untraceable(struct liveupdate_file_op_args *args)
{
}

static const struct liveupdate_file_ops luo_module_ops = {
	.can_preserve = luo_module_can_preserve,
	.preserve = luo_module_preserve,
	.unpreserve = luo_module_unpreserve,
	.freeze = luo_module_freeze,
	.unfreeze = luo_module_unfreeze,
	.retrieve = luo_module_retrieve,
	.can_finish = luo_module_can_finish,
	.finish = luo_module_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler luo_module_handler = {
	.ops = &luo_module_ops,
	.compatible = "luo-test-module-v1",
};

/*
 * Set what follows the first entry of a list: nothing, or memory that was an entry and is
 * zeroed now; "heal" restores the list.
 */
static int luo_module_tear(const char *val, const struct kernel_param *kp)
{
	static struct list_head *first, *second;
	static u64 gone[64];
	unsigned long head;
	char how[8];

	if (sscanf(val, "%lx %7s", &head, how) != 2)
		return -EINVAL;
	if (!first) {
		first = ((struct list_head *)head)->next;
		second = first->next;
	}
	if (!strcmp(how, "end")) {
		first->next = NULL;
	} else if (!strcmp(how, "gone")) {
		first->next = (struct list_head *)&gone[32];
	} else {
		first->next = second;
		first = NULL;
	}
	return 0;
}

static const struct kernel_param_ops luo_module_tear_ops = {
	.set = luo_module_tear,
};
module_param_cb(tear, &luo_module_tear_ops, NULL, 0200);
MODULE_PARM_DESC(tear, "address of a list, then end, gone or heal");

static unsigned int luo_module_frozen_ms;
module_param_named(frozen_ms, luo_module_frozen_ms, uint, 0400);
MODULE_PARM_DESC(frozen_ms, "duration of a reboot notifier");

static bool luo_module_rebooting;
module_param_named(rebooting, luo_module_rebooting, bool, 0400);
MODULE_PARM_DESC(rebooting, "whether this notifier was called");

/* LUO has frozen everything before. */
static int luo_module_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	WRITE_ONCE(luo_module_rebooting, true);
	msleep(luo_module_frozen_ms);
	return NOTIFY_DONE;
}

static struct notifier_block luo_module_reboot_nb = {
	.notifier_call = luo_module_reboot,
};

static void *luo_module_find(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *found;

	if (register_kprobe(&probe))
		return NULL;
	found = probe.addr;
	unregister_kprobe(&probe);
	return found;
}

static int __init luo_module_init(void)
{
	int (*reg)(struct liveupdate_file_handler *handler) =
		luo_module_find("liveupdate_register_file_handler");
	int err;

	if (!reg)
		return -ENOENT;
	err = misc_register(&luo_module_device);
	if (err)
		return err;
	err = reg(&luo_module_handler);
	if (err)
		misc_deregister(&luo_module_device);
	return err ?: register_reboot_notifier(&luo_module_reboot_nb);
}
module_init(luo_module_init);

MODULE_DESCRIPTION("Live update test handler for the base's own LUO");
MODULE_LICENSE("GPL");
