// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: How an ioctl runs
 *
 * One dispatcher for all ioctls, on the device and on sessions. It copies the structure
 * (also shorter and longer versions of it), checks reserved fields and the direction of
 * the session, takes luo_state_lock for reading and rejects all calls while the global
 * state is FROZEN. Calls that only read a name or a state need neither. The wait for the
 * lock is killable.
 *
 * What a call returns is set up before it runs: the open file, the descriptor, and the
 * response, which is copied while no lock is held, since a page fault of the caller may
 * take long. So a caller that cannot receive a session does not claim it. The
 * descriptor is installed last.
 *
 * A call that is valid, but rejected before it runs, is traced as a failed one.
 */

#include <linux/file.h>
#include <linux/uaccess.h>

#include "luo_session.h"
#include "luo_state.h"
#include "luo_ucmd.h"

static int luo_ucmd_respond(struct luo_ucmd *ucmd, size_t size)
{
	size = min_t(size_t, size, ucmd->user_size);
	return copy_to_user(ucmd->ubuffer, &ucmd->cmd, size) ? -EFAULT : 0;
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
static bool luo_ucmd_dir_ok(const struct luo_ucmd *ucmd,
			    const struct luo_ioctl_op *op)
{
	if (!ucmd->session)
		return true;
	return op->flags & (luo_session_dir(ucmd->session) == LUO_DIR_OUT ?
			 LUO_ON_OUT : LUO_ON_IN);
}

/* Allocate what the call needs, and copy what it returns to the caller. */
static int luo_ucmd_setup(struct luo_ucmd *ucmd, const struct luo_ioctl_op *op)
{
	int err;

	if (!luo_ucmd_dir_ok(ucmd, op))
		return -EOPNOTSUPP;

	err = op->setup ? op->setup(ucmd) : 0;
	if (!err && ucmd->fd >= 0)
		err = luo_ucmd_respond(ucmd, op->size);
	return err;
}

/* Returns 0 with luo_state_lock held for reading. */
static int luo_ucmd_lock(void)
{
	int err = down_read_killable(&luo_state_lock);

	if (err)
		return err;
	err = luo_state() == LIVEUPDATE_STATE_FROZEN ? -EAGAIN :
						       luo_session_release_closed();
	if (err)
		up_read(&luo_state_lock);
	return err;
}

static int luo_ucmd_execute(struct luo_ucmd *ucmd,
			    const struct luo_ioctl_op *op)
{
	bool locked = !(op->flags & LUO_UNLOCKED);
	int err;

	err = luo_ucmd_setup(ucmd, op);
	if (!err && locked)
		err = luo_ucmd_lock();
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
static void luo_ucmd_complete(const struct luo_ucmd *ucmd, int err)
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

/**
 * luo_ucmd_run - run an ioctl
 * @op:	     its row of the table
 * @session: the session, NULL for the device
 * @ubuffer: the caller's structure
 *
 * Context: may sleep, takes luo_state_lock.
 * Return: 0 or a negative errno.
 */
long luo_ucmd_run(const struct luo_ioctl_op *op, struct luo_session *session,
		  void __user *ubuffer)
{
	/* luo_ucmd_copy_in() sets all of ucmd.cmd. */
	struct luo_ucmd ucmd __uninitialized;
	int err;

	ucmd.ubuffer = ubuffer;
	ucmd.session = session;
	ucmd.file = NULL;
	ucmd.fd = -1;

	err = luo_ucmd_copy_in(&ucmd, op);
	if (err)
		return err;
	if (session)
		luo_session_set_owner(session);

	err = luo_ucmd_execute(&ucmd, op);
	luo_ucmd_complete(&ucmd, err);
	if (!(op->flags & LUO_UNLOCKED))
		luo_state_check_finished();
	return err;
}
