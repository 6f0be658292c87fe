// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: /dev/liveupdate
 *
 * One process at a time may hold the device open; it needs CAP_SYS_ADMIN. Sessions
 * have file descriptors of their own, which can be passed to other processes.
 *
 * All ioctls, on the device and on sessions, are rows of one table and go through one
 * dispatcher. It copies the structure (also shorter and longer versions of it), checks
 * reserved fields and the direction of the session, takes luo_state_lock for reading
 * and rejects all calls while the global state is FROZEN. Calls that only read a name
 * or a state need neither. The wait for the lock is killable.
 *
 * What a call returns is set up before it runs: the open file, the descriptor, and the
 * response, which is copied while no lock is held, since a page fault of the caller may
 * take long. So a caller that cannot receive a session does not claim it. The
 * descriptor is installed last.
 *
 * A call that is valid, but rejected before it runs, is traced as a failed one.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "luo_ioctl.h"
#include "luo_recorder.h"
#include "luo_session.h"
#include "luo_state.h"

union luo_ucmd_buffer {
	struct liveupdate_ioctl_create_session create;
	struct liveupdate_ioctl_retrieve_session retrieve;
	struct liveupdate_session_preserve_fd preserve_fd;
	struct liveupdate_session_retrieve_fd retrieve_fd;
	struct liveupdate_session_finish finish;
	struct liveupdate_session_get_name get_name;
	struct liveupdate_ioctl_get_state get_state;
	struct liveupdate_ioctl_set_event set_event;
	struct liveupdate_session_unpreserve_fd unpreserve_fd;
	struct liveupdate_session_get_state session_get_state;
	struct liveupdate_session_set_event session_set_event;
};

/**
 * struct luo_ucmd - one ioctl
 * @ubuffer:   the caller's structure
 * @user_size: its size in bytes, as passed by the caller
 * @session:   the session, NULL for the device
 * @file:      returned at @fd, or passed in if @fd is negative; may be NULL
 * @fd:        reserved for @file, or negative
 * @cmd:       copy of the structure, zero where the caller's is shorter
 */
struct luo_ucmd {
	void __user *ubuffer;
	u32 user_size;
	struct luo_session *session;
	struct file *file;
	int fd;
	union luo_ucmd_buffer cmd;
};

/* What an ioctl is for */
#define LUO_ON_DEVICE	BIT(0)
#define LUO_ON_OUT	BIT(1)
#define LUO_ON_IN	BIT(2)
#define LUO_ON_SESSION	(LUO_ON_OUT | LUO_ON_IN)

/* Takes luo_state_lock itself, or only reads */
#define LUO_UNLOCKED	BIT(3)

/* Copies the structure back to the caller */
#define LUO_RESPONDS	BIT(4)

/**
 * struct luo_ioctl_op - one row of the table of ioctls, indexed by number
 * @flags:    LUO_ON_*, LUO_UNLOCKED, LUO_RESPONDS
 * @size:     size of the structure in this kernel, in bytes
 * @min_size: size of its first version, in bytes
 * @zero:     offset of a u32 that must be zero, or 0 for none
 * @setup:    allocates what the call needs, without a lock; may be NULL
 * @execute:  runs it, under luo_state_lock for reading unless LUO_UNLOCKED
 * @reject:   traces that it is rejected; NULL if it changes nothing
 */
struct luo_ioctl_op {
	unsigned int flags;
	unsigned int size;
	unsigned int min_size;
	unsigned int zero;
	int (*setup)(struct luo_ucmd *ucmd);
	int (*execute)(struct luo_ucmd *ucmd);
	void (*reject)(const struct luo_ucmd *ucmd, int err);
};

static const struct file_operations luo_session_fops;

static int luo_ucmd_respond(struct luo_ucmd *ucmd, size_t size)
{
	size = min_t(size_t, size, ucmd->user_size);
	return copy_to_user(ucmd->ubuffer, &ucmd->cmd, size) ? -EFAULT : 0;
}

/* Reserve a descriptor. All structures that return one have it at the same offset. */
static int luo_setup_fd(struct luo_ucmd *ucmd)
{
	struct liveupdate_session_retrieve_fd *arg = &ucmd->cmd.retrieve_fd;

	static_assert(offsetof(typeof(*arg), fd) ==
		      offsetof(struct liveupdate_ioctl_create_session, fd));
	static_assert(offsetof(typeof(*arg), fd) ==
		      offsetof(struct liveupdate_ioctl_retrieve_session, fd));

	ucmd->fd = get_unused_fd_flags(O_CLOEXEC);
	if (ucmd->fd < 0)
		return ucmd->fd;

	arg->fd = ucmd->fd;
	return 0;
}

/* Create the file of a session, without the session, and reserve a descriptor. */
static int luo_setup_session(struct luo_ucmd *ucmd)
{
	static const char kind[] = "[luo_session] ";
	char name[sizeof(kind) + LIVEUPDATE_SESSION_NAME_LENGTH] __uninitialized;
	struct file *file;

	static_assert(offsetof(struct liveupdate_ioctl_create_session, name) ==
		      offsetof(struct liveupdate_ioctl_retrieve_session, name));

	strscpy(name, kind);
	strscpy(name + strlen(kind), ucmd->cmd.create.name,
		LIVEUPDATE_SESSION_NAME_LENGTH);
	file = anon_inode_getfile(name, &luo_session_fops, NULL, O_RDWR);
	if (IS_ERR(file))
		return PTR_ERR(file);

	ucmd->file = file;
	return luo_setup_fd(ucmd);
}

static int luo_ioctl_create_session(struct luo_ucmd *ucmd)
{
	const u8 *name = ucmd->cmd.create.name;
	struct luo_session *session;

	if (luo_state() == LIVEUPDATE_STATE_PREPARED) {
		luo_session_trace_create(name, -EAGAIN);
		return -EAGAIN;
	}
	session = luo_session_create(name);
	luo_session_trace_create(name, PTR_ERR_OR_ZERO(session));
	if (IS_ERR(session))
		return PTR_ERR(session);

	ucmd->file->private_data = session;
	return 0;
}

static void luo_reject_create_session(const struct luo_ucmd *ucmd, int err)
{
	luo_session_trace_create(ucmd->cmd.create.name, err);
}

static int luo_ioctl_retrieve_session(struct luo_ucmd *ucmd)
{
	const u8 *name = ucmd->cmd.retrieve.name;
	struct luo_session *session;

	session = luo_session_claim(name);
	if (IS_ERR(session)) {
		luo_session_trace_retrieve(name, 0, PTR_ERR(session));
		return PTR_ERR(session);
	}
	luo_session_restore_begin(session);
	luo_recorder_claimed(luo_session_name(session));

	ucmd->file->private_data = session;
	return 0;
}

static void luo_reject_retrieve_session(const struct luo_ucmd *ucmd, int err)
{
	luo_session_trace_retrieve(ucmd->cmd.retrieve.name, 0, err);
}

/* All structures with a token have it at the same offset. */
static void luo_reject_file(const struct luo_ucmd *ucmd, int err)
{
	const struct liveupdate_session_preserve_fd *arg = &ucmd->cmd.preserve_fd;

	static_assert(offsetof(typeof(*arg), token) ==
		      offsetof(struct liveupdate_session_retrieve_fd, token));
	static_assert(offsetof(typeof(*arg), token) ==
		      offsetof(struct liveupdate_session_unpreserve_fd, token));

	luo_session_trace_reject_file(ucmd->session, arg->token, err);
}

static int luo_setup_preserve_fd(struct luo_ucmd *ucmd)
{
	ucmd->file = fget(ucmd->cmd.preserve_fd.fd);
	return ucmd->file ? 0 : -EBADF;
}

static int luo_ioctl_preserve_fd(struct luo_ucmd *ucmd)
{
	return luo_session_preserve(ucmd->session, ucmd->file,
				    ucmd->cmd.preserve_fd.token);
}

static int luo_ioctl_retrieve_fd(struct luo_ucmd *ucmd)
{
	return luo_session_retrieve(ucmd->session, ucmd->cmd.retrieve_fd.token,
				    &ucmd->file);
}

static int luo_ioctl_finish(struct luo_ucmd *ucmd)
{
	return luo_session_finish(ucmd->session);
}

static int luo_ioctl_get_name(struct luo_ucmd *ucmd)
{
	struct liveupdate_session_get_name *arg = &ucmd->cmd.get_name;

	static_assert(sizeof(arg->name) == LIVEUPDATE_SESSION_NAME_LENGTH);

	memcpy(arg->name, luo_session_name(ucmd->session), sizeof(arg->name));
	return 0;
}

static int luo_ioctl_unpreserve_fd(struct luo_ucmd *ucmd)
{
	return luo_session_unpreserve(ucmd->session,
				      ucmd->cmd.unpreserve_fd.token);
}

static int luo_ioctl_get_state(struct luo_ucmd *ucmd)
{
	struct liveupdate_ioctl_get_state *arg = &ucmd->cmd.get_state;

	arg->state = luo_state();
	return 0;
}

static int luo_ioctl_session_get_state(struct luo_ucmd *ucmd)
{
	struct liveupdate_session_get_state *arg = &ucmd->cmd.session_get_state;

	arg->state = luo_session_state(ucmd->session);
	return 0;
}

/* Both structures have the event at the same offset. */
static int luo_setup_event(struct luo_ucmd *ucmd)
{
	static_assert(offsetof(struct liveupdate_ioctl_set_event, event) ==
		      offsetof(struct liveupdate_session_set_event, event));

	return ucmd->cmd.set_event.event > LIVEUPDATE_CANCEL ? -EOPNOTSUPP : 0;
}

static int luo_ioctl_set_event(struct luo_ucmd *ucmd)
{
	return luo_state_event(ucmd->cmd.set_event.event);
}

static void luo_reject_set_event(const struct luo_ucmd *ucmd, int err)
{
	luo_state_trace_reject(ucmd->cmd.set_event.event, err);
}

static int luo_ioctl_session_set_event(struct luo_ucmd *ucmd)
{
	return luo_session_event(ucmd->session,
				 ucmd->cmd.session_set_event.event);
}

static void luo_reject_session_set_event(const struct luo_ucmd *ucmd, int err)
{
	luo_session_trace_reject_event(ucmd->session,
				       ucmd->cmd.session_set_event.event, err);
}

static void luo_reject_finish(const struct luo_ucmd *ucmd, int err)
{
	luo_session_trace_reject_finish(ucmd->session, err);
}

#define LUO_IOCTL(_cmd, _flags, _struct, _last, _zero, _setup, _fn, _reject)	\
	[_IOC_NR(_cmd)] = {						\
		.flags = (_flags),					\
		.size = sizeof(_struct) +				\
			BUILD_BUG_ON_ZERO(sizeof(union luo_ucmd_buffer) < \
					  sizeof(_struct)),		\
		.min_size = offsetofend(_struct, _last),		\
		.zero = (_zero),					\
		.setup = (_setup),					\
		.execute = (_fn),					\
		.reject = (_reject),					\
	}

static const struct luo_ioctl_op luo_ioctl_ops[] = {
	LUO_IOCTL(LIVEUPDATE_IOCTL_CREATE_SESSION, LUO_ON_DEVICE,
		  struct liveupdate_ioctl_create_session, name, 0,
		  luo_setup_session, luo_ioctl_create_session,
		  luo_reject_create_session),
	LUO_IOCTL(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, LUO_ON_DEVICE,
		  struct liveupdate_ioctl_retrieve_session, name, 0,
		  luo_setup_session, luo_ioctl_retrieve_session,
		  luo_reject_retrieve_session),
	LUO_IOCTL(LIVEUPDATE_SESSION_PRESERVE_FD, LUO_ON_OUT,
		  struct liveupdate_session_preserve_fd, token, 0,
		  luo_setup_preserve_fd, luo_ioctl_preserve_fd,
		  luo_reject_file),
	LUO_IOCTL(LIVEUPDATE_SESSION_RETRIEVE_FD, LUO_ON_IN,
		  struct liveupdate_session_retrieve_fd, token, 0,
		  luo_setup_fd, luo_ioctl_retrieve_fd, luo_reject_file),
	LUO_IOCTL(LIVEUPDATE_SESSION_FINISH, LUO_ON_IN,
		  struct liveupdate_session_finish, reserved,
		  offsetof(struct liveupdate_session_finish, reserved),
		  NULL, luo_ioctl_finish, luo_reject_finish),
	LUO_IOCTL(LIVEUPDATE_SESSION_GET_NAME,
		  LUO_ON_SESSION | LUO_UNLOCKED | LUO_RESPONDS,
		  struct liveupdate_session_get_name, name,
		  offsetof(struct liveupdate_session_get_name, reserved),
		  NULL, luo_ioctl_get_name, NULL),
	LUO_IOCTL(LIVEUPDATE_IOCTL_GET_STATE,
		  LUO_ON_DEVICE | LUO_UNLOCKED | LUO_RESPONDS,
		  struct liveupdate_ioctl_get_state, state, 0,
		  NULL, luo_ioctl_get_state, NULL),
	LUO_IOCTL(LIVEUPDATE_IOCTL_SET_EVENT, LUO_ON_DEVICE | LUO_UNLOCKED,
		  struct liveupdate_ioctl_set_event, event, 0,
		  luo_setup_event, luo_ioctl_set_event,
		  luo_reject_set_event),
	LUO_IOCTL(LIVEUPDATE_SESSION_UNPRESERVE_FD, LUO_ON_OUT,
		  struct liveupdate_session_unpreserve_fd, token,
		  offsetof(struct liveupdate_session_unpreserve_fd, reserved),
		  NULL, luo_ioctl_unpreserve_fd, luo_reject_file),
	LUO_IOCTL(LIVEUPDATE_SESSION_GET_STATE,
		  LUO_ON_SESSION | LUO_UNLOCKED | LUO_RESPONDS,
		  struct liveupdate_session_get_state, state, 0,
		  NULL, luo_ioctl_session_get_state, NULL),
	LUO_IOCTL(LIVEUPDATE_SESSION_SET_EVENT, LUO_ON_SESSION,
		  struct liveupdate_session_set_event, event, 0,
		  luo_setup_event, luo_ioctl_session_set_event,
		  luo_reject_session_set_event),
};

static const struct luo_ioctl_op *luo_ioctl_find(unsigned int cmd,
						 bool on_device)
{
	const struct luo_ioctl_op *op;
	unsigned int nr = _IOC_NR(cmd);

	if (cmd != _IO(LIVEUPDATE_IOCTL_TYPE, nr) ||
	    nr >= ARRAY_SIZE(luo_ioctl_ops))
		return NULL;

	op = &luo_ioctl_ops[array_index_nospec(nr, ARRAY_SIZE(luo_ioctl_ops))];
	if (!op->execute)
		return NULL;
	return on_device == !!(op->flags & LUO_ON_DEVICE) ? op : NULL;
}

static int luo_ucmd_copy_in(struct luo_ucmd *ucmd, const struct luo_ioctl_op *op)
{
	int err;

	err = get_user(ucmd->user_size, (u32 __user *)ucmd->ubuffer);
	if (err)
		return err;
	if (ucmd->user_size < op->min_size)
		return -EINVAL;
	/* Do not search up to 4 GiB for a byte that is not zero. */
	if (ucmd->user_size > PAGE_SIZE)
		return -E2BIG;

	err = copy_struct_from_user(&ucmd->cmd, op->size, ucmd->ubuffer,
				    ucmd->user_size);
	if (err)
		return err;

	if (op->zero && *(u32 *)((void *)&ucmd->cmd + op->zero))
		return -EINVAL;
	return 0;
}

/* Check that the ioctl is one for sessions of this direction. */
static bool luo_ioctl_dir_ok(const struct luo_ucmd *ucmd,
			     const struct luo_ioctl_op *op)
{
	if (!ucmd->session)
		return true;
	return op->flags & (luo_session_dir(ucmd->session) == LUO_DIR_OUT ?
			 LUO_ON_OUT : LUO_ON_IN);
}

/* Allocate what the call needs, and copy what it returns to the caller. */
static int luo_ioctl_setup(struct luo_ucmd *ucmd, const struct luo_ioctl_op *op)
{
	int err;

	if (!luo_ioctl_dir_ok(ucmd, op))
		return -EOPNOTSUPP;

	err = op->setup ? op->setup(ucmd) : 0;
	if (!err && ucmd->fd >= 0)
		err = luo_ucmd_respond(ucmd, op->size);
	return err;
}

/* Returns 0 with luo_state_lock held for reading. */
static int luo_ioctl_lock(void)
{
	int err = down_read_killable(&luo_state_lock);

	if (err)
		return err;
	if (luo_state() == LIVEUPDATE_STATE_FROZEN) {
		up_read(&luo_state_lock);
		return -EAGAIN;
	}
	luo_session_release_closed();
	return 0;
}

static int luo_ioctl_execute(struct luo_ucmd *ucmd,
			     const struct luo_ioctl_op *op)
{
	bool locked = !(op->flags & LUO_UNLOCKED);
	int err;

	err = luo_ioctl_setup(ucmd, op);
	if (!err && locked)
		err = luo_ioctl_lock();
	if (err) {
		if (op->reject)
			op->reject(ucmd, err);
		return err;
	}

	err = op->execute(ucmd);
	if (locked) {
		luo_state_check_over();
		up_read(&luo_state_lock);
	}
	if (!err && op->flags & LUO_RESPONDS)
		err = luo_ucmd_respond(ucmd, op->size);
	return err;
}

/* Install the descriptor, or release what the failed call does not need. */
static void luo_ioctl_complete(const struct luo_ucmd *ucmd, int err)
{
	if (ucmd->fd >= 0 && !err) {
		fd_install(ucmd->fd, ucmd->file);
		return;
	}
	if (ucmd->fd >= 0)
		put_unused_fd(ucmd->fd);
	if (ucmd->file)
		fput(ucmd->file);
}

static long luo_ioctl(struct luo_session *session, unsigned int cmd,
		      unsigned long arg)
{
	const struct luo_ioctl_op *op;
	struct luo_ucmd ucmd __uninitialized;
	int err;

	CLASS(luo_recorder_ioctl, counted)();

	op = luo_ioctl_find(cmd, !session);
	if (!op)
		return -ENOTTY;

	/* luo_ucmd_copy_in() sets all of ucmd.cmd. */
	ucmd.ubuffer = (void __user *)arg;
	ucmd.session = session;
	ucmd.file = NULL;
	ucmd.fd = -1;

	err = luo_ucmd_copy_in(&ucmd, op);
	if (err)
		return err;
	if (session)
		luo_session_set_owner(session);

	err = luo_ioctl_execute(&ucmd, op);
	luo_ioctl_complete(&ucmd, err);
	if (!(op->flags & LUO_UNLOCKED))
		luo_state_check_finished();
	return err;
}

static long luo_session_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	return luo_ioctl(file->private_data, cmd, arg);
}

static int luo_session_fop_release(struct inode *inode, struct file *file)
{
	/* The ioctl that created the file may have failed. */
	if (file->private_data)
		luo_session_close(file->private_data);
	return 0;
}

static const struct file_operations luo_session_fops = {
	.owner		= THIS_MODULE,
	.release	= luo_session_fop_release,
	.unlocked_ioctl	= luo_session_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static atomic_t luo_device_busy = ATOMIC_INIT(0);

static int luo_device_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (atomic_cmpxchg(&luo_device_busy, 0, 1))
		return -EBUSY;
	luo_recorder_open();
	return 0;
}

static int luo_device_release(struct inode *inode, struct file *file)
{
	/* What the next process sets is not seen by calls of this one. */
	atomic_set_release(&luo_device_busy, 0);
	return 0;
}

static long luo_device_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	return luo_ioctl(NULL, cmd, arg);
}

static const struct file_operations luo_device_fops = {
	.owner		= THIS_MODULE,
	.open		= luo_device_open,
	.release	= luo_device_release,
	.unlocked_ioctl	= luo_device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice luo_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "liveupdate",
	.fops	= &luo_device_fops,
	.mode	= 0600,
};

/**
 * luo_ioctl_init - register /dev/liveupdate
 *
 * Context: once, at boot, after everything else is set up.
 * Return: 0 or a negative errno of misc_register().
 */
int luo_ioctl_init(void)
{
	return misc_register(&luo_device);
}
