// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Files that depend on each other
 *
 * A driver with two kinds of files, each with a handler of its own. A file of
 * /dev/liveupdate_pool has a value: write(2) sets it, read(2) returns it. A file of
 * /dev/liveupdate_client depends on one pool, which LIVEUPDATE_TEST_BIND sets. It hands
 * over the value that the pool had when it was frozen, and read(2) returns that in the
 * next kernel.
 *
 * A client holds a reference on its pool, and the handler of the pool keeps the state of
 * the pool in the pool itself, where the handler of the client finds it. The pool comes
 * first: preserve and freeze of a client return -ENODATA unless its pool is preserved and
 * frozen.
 */

#define pr_fmt(fmt) "luo_test_pair: " fmt

#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/liveupdate.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <uapi/linux/liveupdate_test.h>

/**
 * struct luo_pair_kind - one kind of files of the driver
 * @handler: what LUO knows of it, and passes to the operations
 * @device:  its files are opened from it
 */
struct luo_pair_kind {
	struct liveupdate_file_handler handler;
	struct miscdevice device;
};

/**
 * struct luo_pair_file - a pool or a client
 * @lock:      guards the rest; the lock of a client is taken before that of its pool
 * @pool:      client: the file of its pool, with a reference; NULL if it has none
 * @value:     pool: its value; retrieved client: that of its pool, else 0
 * @preserved: pool: it is preserved
 * @frozen:    pool: it is frozen
 */
struct luo_pair_file {
	struct mutex lock; /* guards the rest */
	struct file *pool;
	u64 value;
	bool preserved;
	bool frozen;
};

static bool luo_pair_can_preserve(struct liveupdate_file_handler *handler,
				  struct file *file)
{
	const struct luo_pair_kind *kind;

	kind = container_of(handler, struct luo_pair_kind, handler);
	return file->f_op == kind->device.fops;
}

static int luo_pool_preserve(struct liveupdate_file_op_args *args)
{
	struct luo_pair_file *pool = args->file->private_data;

	guard(mutex)(&pool->lock);

	pool->preserved = true;
	return 0;
}

static int luo_pool_freeze(struct liveupdate_file_op_args *args)
{
	struct luo_pair_file *pool = args->file->private_data;

	guard(mutex)(&pool->lock);

	pool->frozen = true;
	args->serialized_data = pool->value;
	return 0;
}

static void luo_pool_unfreeze(struct liveupdate_file_op_args *args)
{
	struct luo_pair_file *pool = args->file->private_data;

	guard(mutex)(&pool->lock);

	pool->frozen = false;
}

static void luo_pool_unpreserve(struct liveupdate_file_op_args *args)
{
	struct luo_pair_file *pool = args->file->private_data;

	guard(mutex)(&pool->lock);

	pool->preserved = false;
}

static int luo_client_preserve(struct liveupdate_file_op_args *args)
{
	struct luo_pair_file *client = args->file->private_data, *pool;
	int err;

	guard(mutex)(&client->lock);

	if (!client->pool)
		return -ENODATA;
	pool = client->pool->private_data;

	mutex_lock_nested(&pool->lock, SINGLE_DEPTH_NESTING);
	err = pool->preserved ? 0 : -ENODATA;
	mutex_unlock(&pool->lock);
	return err;
}

static int luo_client_freeze(struct liveupdate_file_op_args *args)
{
	struct luo_pair_file *client = args->file->private_data, *pool;
	int err = 0;

	guard(mutex)(&client->lock);

	pool = client->pool->private_data;

	mutex_lock_nested(&pool->lock, SINGLE_DEPTH_NESTING);
	/* The pool was unpreserved since, or comes after the client. */
	if (pool->frozen)
		args->serialized_data = pool->value;
	else
		err = -ENODATA;
	mutex_unlock(&pool->lock);
	return err;
}

static void luo_client_unpreserve(struct liveupdate_file_op_args *args)
{
}

static int luo_pair_retrieve(struct liveupdate_file_op_args *args)
{
	const struct luo_pair_kind *kind;
	struct luo_pair_file *f;
	struct file *file;

	f = kzalloc_obj(*f, GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	f->value = args->serialized_data;

	kind = container_of(args->handler, struct luo_pair_kind, handler);
	file = anon_inode_getfile(kind->device.name, kind->device.fops, f, O_RDWR);
	if (IS_ERR(file)) {
		kfree(f);
		return PTR_ERR(file);
	}
	args->file = file;
	return 0;
}

static void luo_pair_finish(struct liveupdate_file_op_args *args)
{
}

static const struct liveupdate_file_ops luo_pool_ops = {
	.can_preserve	= luo_pair_can_preserve,
	.preserve	= luo_pool_preserve,
	.unpreserve	= luo_pool_unpreserve,
	.freeze		= luo_pool_freeze,
	.unfreeze	= luo_pool_unfreeze,
	.retrieve	= luo_pair_retrieve,
	.finish		= luo_pair_finish,
	.owner		= THIS_MODULE,
};

static const struct liveupdate_file_ops luo_client_ops = {
	.can_preserve	= luo_pair_can_preserve,
	.preserve	= luo_client_preserve,
	.unpreserve	= luo_client_unpreserve,
	.freeze		= luo_client_freeze,
	.retrieve	= luo_pair_retrieve,
	.finish		= luo_pair_finish,
	.owner		= THIS_MODULE,
};

static int luo_pair_open(struct inode *inode, struct file *file)
{
	struct luo_pair_file *f = kzalloc_obj(*f, GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	file->private_data = f;
	return 0;
}

static int luo_pair_release(struct inode *inode, struct file *file)
{
	struct luo_pair_file *f = file->private_data;

	if (f->pool)
		fput(f->pool);
	kfree(f);
	return 0;
}

static ssize_t luo_pair_read(struct file *file, char __user *to, size_t len,
			     loff_t *pos)
{
	struct luo_pair_file *f = file->private_data;
	loff_t start = 0;

	guard(mutex)(&f->lock);

	return simple_read_from_buffer(to, len, &start, &f->value, sizeof(f->value));
}

static ssize_t luo_pool_write(struct file *file, const char __user *from, size_t len,
			      loff_t *pos)
{
	struct luo_pair_file *pool = file->private_data;
	u64 value;

	if (len != sizeof(value))
		return -EINVAL;
	if (copy_from_user(&value, from, sizeof(value)))
		return -EFAULT;

	guard(mutex)(&pool->lock);

	if (pool->frozen)
		return -EBUSY;
	pool->value = value;
	return len;
}

static const struct file_operations luo_pool_fops = {
	.owner		= THIS_MODULE,
	.open		= luo_pair_open,
	.release	= luo_pair_release,
	.read		= luo_pair_read,
	.write		= luo_pool_write,
};

static int luo_client_bind(struct luo_pair_file *client, int fd)
{
	struct file *pool __free(fput) = fget(fd);

	if (!pool)
		return -EBADF;
	if (pool->f_op != &luo_pool_fops)
		return -EINVAL;

	guard(mutex)(&client->lock);

	if (client->pool)
		return -EBUSY;
	client->pool = no_free_ptr(pool);
	return 0;
}

static long luo_client_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != LIVEUPDATE_TEST_BIND)
		return -ENOTTY;
	return luo_client_bind(file->private_data, arg);
}

static const struct file_operations luo_client_fops = {
	.owner		= THIS_MODULE,
	.open		= luo_pair_open,
	.release	= luo_pair_release,
	.read		= luo_pair_read,
	.unlocked_ioctl	= luo_client_ioctl,
};

#define LUO_PAIR_KIND(_name, _compatible)					\
	{									\
		.handler = {							\
			.ops = &luo_##_name##_ops,				\
			.compatible = _compatible,				\
		},								\
		.device = {							\
			.minor = MISC_DYNAMIC_MINOR,				\
			.name = "liveupdate_" #_name,				\
			.fops = &luo_##_name##_fops,				\
			.mode = 0600,						\
		},								\
	}

static struct luo_pair_kind luo_pair_kinds[] = {
	LUO_PAIR_KIND(pool, "liveupdate-pool-v1"),
	LUO_PAIR_KIND(client, "liveupdate-client-v1"),
};

static int luo_pair_register(struct luo_pair_kind *kind)
{
	int err;

	err = liveupdate_register_file_handler(&kind->handler);
	if (err)
		return err;

	err = misc_register(&kind->device);
	if (err)
		liveupdate_unregister_file_handler(&kind->handler);
	return err;
}

static void luo_pair_unregister(struct luo_pair_kind *kind)
{
	misc_deregister(&kind->device);
	liveupdate_unregister_file_handler(&kind->handler);
}

static int __init luo_pair_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(luo_pair_kinds); i++) {
		err = luo_pair_register(&luo_pair_kinds[i]);
		if (err)
			goto err_kinds;
	}
	return 0;

err_kinds:
	while (i--)
		luo_pair_unregister(&luo_pair_kinds[i]);
	return err;
}
module_init(luo_pair_init);

static void __exit luo_pair_exit(void)
{
	int i;

	for (i = ARRAY_SIZE(luo_pair_kinds) - 1; i >= 0; i--)
		luo_pair_unregister(&luo_pair_kinds[i]);
}
module_exit(luo_pair_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A live update test driver whose files depend on each other");
