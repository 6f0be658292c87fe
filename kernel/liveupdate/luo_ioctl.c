// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: /dev/liveupdate
 *
 * One process at a time may hold the device open; it needs CAP_SYS_ADMIN. Sessions
 * have file descriptors of their own, which can be passed to other processes.
 *
 * All ioctls, on the device and on sessions, are rows of one table; luo_ucmd.c runs
 * them. The calls for files on the device itself act on a session that belongs to the
 * open device, see luo_device.c.
 */

#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>

#include "luo_device.h"
#include "luo_ioctl.h"
#include "luo_recorder.h"
#include "luo_session.h"
#include "luo_state.h"
#include "luo_trace.h"
#include "luo_ucmd.h"

static const struct file_operations luo_session_fops;

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
	static_assert(offsetof(typeof(*arg), token) ==
		      offsetof(struct liveupdate_session_fd_set_event, token));

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

/* All structures with an event have it at the same offset. */
static int luo_setup_event(struct luo_ucmd *ucmd)
{
	static_assert(offsetof(struct liveupdate_ioctl_set_event, event) ==
		      offsetof(struct liveupdate_session_set_event, event));
	static_assert(offsetof(struct liveupdate_ioctl_set_event, event) ==
		      offsetof(struct liveupdate_session_fd_set_event, event));

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

static int luo_ioctl_fd_preserve(struct luo_ucmd *ucmd)
{
	static_assert(offsetof(struct liveupdate_ioctl_fd_preserve, fd) ==
		      offsetof(struct liveupdate_session_preserve_fd, fd));
	static_assert(offsetof(struct liveupdate_ioctl_fd_preserve, token) ==
		      offsetof(struct liveupdate_session_preserve_fd, token));

	return luo_device_preserve(ucmd->file, ucmd->cmd.preserve_fd.token);
}

static int luo_ioctl_fd_unpreserve(struct luo_ucmd *ucmd)
{
	static_assert(offsetof(struct liveupdate_ioctl_fd_unpreserve, token) ==
		      offsetof(struct liveupdate_session_unpreserve_fd, token));

	return luo_device_unpreserve(ucmd->cmd.unpreserve_fd.token);
}

static int luo_ioctl_fd_restore(struct luo_ucmd *ucmd)
{
	static_assert(offsetof(struct liveupdate_ioctl_fd_restore, fd) ==
		      offsetof(struct liveupdate_session_retrieve_fd, fd));
	static_assert(offsetof(struct liveupdate_ioctl_fd_restore, token) ==
		      offsetof(struct liveupdate_session_retrieve_fd, token));

	return luo_device_retrieve(ucmd->cmd.retrieve_fd.token, &ucmd->file);
}

static int luo_ioctl_fd_get_state(struct luo_ucmd *ucmd)
{
	struct liveupdate_ioctl_fd_get_state *arg = &ucmd->cmd.fd_get_state;

	if (arg->incoming > 1)
		return -EINVAL;
	return luo_device_file_state(arg->incoming ? LUO_DIR_IN : LUO_DIR_OUT,
				     arg->token, &arg->state);
}

static int luo_ioctl_session_fd_get_state(struct luo_ucmd *ucmd)
{
	struct liveupdate_session_fd_get_state *arg = &ucmd->cmd.session_fd_get_state;

	return luo_session_file_state(ucmd->session, arg->token, &arg->state);
}

static int luo_ioctl_fd_set_event(struct luo_ucmd *ucmd)
{
	static_assert(offsetof(struct liveupdate_ioctl_fd_set_event, event) ==
		      offsetof(struct liveupdate_session_fd_set_event, event));
	static_assert(offsetof(struct liveupdate_ioctl_fd_set_event, token) ==
		      offsetof(struct liveupdate_session_fd_set_event, token));

	return luo_device_file_event(ucmd->cmd.fd_set_event.token,
				     ucmd->cmd.fd_set_event.event);
}

static int luo_ioctl_session_fd_set_event(struct luo_ucmd *ucmd)
{
	return luo_session_file_event(ucmd->session, ucmd->cmd.fd_set_event.token,
				      ucmd->cmd.fd_set_event.event);
}

static void luo_reject_fd_out(const struct luo_ucmd *ucmd, int err)
{
	luo_device_trace_reject(LUO_DIR_OUT, ucmd->cmd.preserve_fd.token, err);
}

static void luo_reject_fd_in(const struct luo_ucmd *ucmd, int err)
{
	luo_device_trace_reject(LUO_DIR_IN, ucmd->cmd.retrieve_fd.token, err);
}

static void luo_reject_fd_event(const struct luo_ucmd *ucmd, int err)
{
	luo_device_trace_reject(luo_device_event_dir(ucmd->cmd.fd_set_event.event),
				ucmd->cmd.fd_set_event.token, err);
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
	LUO_IOCTL(LIVEUPDATE_IOCTL_FD_PRESERVE, LUO_ON_DEVICE,
		  struct liveupdate_ioctl_fd_preserve, token, 0,
		  luo_setup_preserve_fd, luo_ioctl_fd_preserve, luo_reject_fd_out),
	LUO_IOCTL(LIVEUPDATE_IOCTL_FD_UNPRESERVE, LUO_ON_DEVICE,
		  struct liveupdate_ioctl_fd_unpreserve, token,
		  offsetof(struct liveupdate_ioctl_fd_unpreserve, reserved),
		  NULL, luo_ioctl_fd_unpreserve, luo_reject_fd_out),
	LUO_IOCTL(LIVEUPDATE_IOCTL_FD_RESTORE, LUO_ON_DEVICE,
		  struct liveupdate_ioctl_fd_restore, token, 0,
		  luo_setup_fd, luo_ioctl_fd_restore, luo_reject_fd_in),
	LUO_IOCTL(LIVEUPDATE_IOCTL_FD_GET_STATE,
		  LUO_ON_DEVICE | LUO_UNLOCKED | LUO_RESPONDS,
		  struct liveupdate_ioctl_fd_get_state, token,
		  offsetof(struct liveupdate_ioctl_fd_get_state, reserved),
		  NULL, luo_ioctl_fd_get_state, NULL),
	LUO_IOCTL(LIVEUPDATE_IOCTL_FD_SET_EVENT, LUO_ON_DEVICE,
		  struct liveupdate_ioctl_fd_set_event, token, 0,
		  luo_setup_event, luo_ioctl_fd_set_event, luo_reject_fd_event),
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
	LUO_IOCTL(LIVEUPDATE_SESSION_FD_GET_STATE,
		  LUO_ON_SESSION | LUO_UNLOCKED | LUO_RESPONDS,
		  struct liveupdate_session_fd_get_state, token, 0,
		  NULL, luo_ioctl_session_fd_get_state, NULL),
	LUO_IOCTL(LIVEUPDATE_SESSION_FD_SET_EVENT, LUO_ON_SESSION,
		  struct liveupdate_session_fd_set_event, token, 0,
		  luo_setup_event, luo_ioctl_session_fd_set_event,
		  luo_reject_file),
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

static long luo_ioctl(struct luo_session *session, unsigned int cmd,
		      unsigned long arg)
{
	const struct luo_ioctl_op *op;

	CLASS(luo_recorder_ioctl, counted)();

	op = luo_ioctl_find(cmd, !session);
	if (!op)
		return -ENOTTY;
	return luo_ucmd_run(op, session, (void __user *)arg);
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

static int luo_device_acquire(void)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (atomic_cmpxchg(&luo_device_busy, 0, 1))
		return -EBUSY;
	luo_recorder_open();
	return 0;
}

static int luo_device_open(struct inode *inode, struct file *file)
{
	int err = luo_device_acquire();

	luo_emit(luo_device_open, luo_number(LUO_DIR_OUT), err);
	return err;
}

static int luo_device_release(struct inode *inode, struct file *file)
{
	luo_device_close();
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
	int err = misc_register(&luo_device);

	if (err)
		pr_err("cannot register /dev/%s: %pe\n", luo_device.name, ERR_PTR(err));
	return err;
}
