/* SPDX-License-Identifier: GPL-2.0 */

/* How an ioctl runs. */

#ifndef _LINUX_LUO_UCMD_H
#define _LINUX_LUO_UCMD_H

#include <linux/bits.h>
#include <linux/types.h>
#include <uapi/linux/liveupdate.h>

struct file;
struct luo_session;

/*
 * The structures. Those of FD_PRESERVE, FD_UNPRESERVE, FD_RESTORE and FD_SET_EVENT are as
 * those of the same calls on a session.
 */
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
	struct liveupdate_ioctl_fd_get_state fd_get_state;
	struct liveupdate_session_fd_get_state session_fd_get_state;
	struct liveupdate_session_fd_set_event fd_set_event;
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

long luo_ucmd_run(const struct luo_ioctl_op *op, struct luo_session *session,
		  void __user *ubuffer);

#endif /* _LINUX_LUO_UCMD_H */
