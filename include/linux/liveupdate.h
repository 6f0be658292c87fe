/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Live Update Orchestrator: what file handlers and the kexec path call.
 */

#ifndef _LINUX_LIVEUPDATE_H
#define _LINUX_LIVEUPDATE_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kho/abi/luo.h>
#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/liveupdate.h>

struct file;
struct liveupdate_file_handler;
struct module;

/**
 * struct liveupdate_file_op_args - what a file operation is told and returns
 * @handler:         the handler called
 * @retrieve_status: for can_finish and finish: 0 if retrieve was never called,
 *                   1 if it succeeded, its negative errno if it failed
 * @file:            the file; for retrieve an output, with one reference; NULL
 *                   for can_finish and finish unless it was retrieved
 * @serialized_data: the one u64 that the next kernel gets; preserve sets it,
 *                   prepare and freeze may change it
 * @private_data:    the handler's own pointer, set by preserve, for the
 *                   operations of this kernel only
 */
struct liveupdate_file_op_args {
	struct liveupdate_file_handler *handler;
	int retrieve_status;
	struct file *file;
	u64 serialized_data;
	void *private_data;
};

/**
 * struct liveupdate_file_ops - how one kind of file lives through an update
 * @can_preserve: required; whether this handler takes @file. Cheap, changes
 *                nothing, is asked for files of every kind.
 * @preserve:     required; save what can be saved while the workload runs.
 * @unpreserve:   required; undo @preserve.
 * @prepare:      optional; save more of it: the agent says that the live update
 *                is near. The workload may still run.
 * @cancel:       optional; undo @prepare.
 * @freeze:       optional; make the saved state final. Most often inside
 *                reboot(2), in the blackout.
 * @unfreeze:     optional; undo @freeze.
 * @retrieve:     required; make the file again in the next kernel.
 * @can_finish:   optional; whether @finish may be called now.
 * @finish:       required; let go of what is left of the handed over state.
 *                Where @retrieve was never called, that is all of it.
 * @get_id:       optional; a number that is the same for all descriptors and
 *                open files of what is preserved (an inode's address, say).
 *                Without it the open file itself counts.
 * @owner:        the module, pinned as long as one of its files is known
 *
 * All operations may sleep and are called without a spinlock held. No two run
 * at once for the same file and none runs twice for the same step. They are
 * called in the order in which the files were preserved, those that undo or
 * finish in the reverse order. A negative errno of an operation that can fail
 * goes to the caller of the system call.
 */
struct liveupdate_file_ops {
	bool (*can_preserve)(struct liveupdate_file_handler *handler,
			     struct file *file);
	int (*preserve)(struct liveupdate_file_op_args *args);
	void (*unpreserve)(struct liveupdate_file_op_args *args);
	int (*prepare)(struct liveupdate_file_op_args *args);
	void (*cancel)(struct liveupdate_file_op_args *args);
	int (*freeze)(struct liveupdate_file_op_args *args);
	void (*unfreeze)(struct liveupdate_file_op_args *args);
	int (*retrieve)(struct liveupdate_file_op_args *args);
	bool (*can_finish)(struct liveupdate_file_op_args *args);
	void (*finish)(struct liveupdate_file_op_args *args);
	unsigned long (*get_id)(struct file *file);
	struct module *owner;
};

/**
 * struct liveupdate_file_handler - a handler for one kind of file
 * @ops:        what it does
 * @compatible: name and version of the state it hands over, zero-terminated;
 *              the next kernel finds its handler by it. It must change when the
 *              meaning of the u64 of preserve changes.
 */
struct liveupdate_file_handler {
	const struct liveupdate_file_ops *ops;
	const char compatible[LIVEUPDATE_HNDL_COMPAT_LENGTH];

	/* private: */
	struct list_head __private list;
};

#ifdef CONFIG_LIVEUPDATE

bool liveupdate_enabled(void);
int liveupdate_reboot(void);

int liveupdate_register_file_handler(struct liveupdate_file_handler *fh);
void liveupdate_unregister_file_handler(struct liveupdate_file_handler *fh);

#else /* !CONFIG_LIVEUPDATE */

static inline bool liveupdate_enabled(void)
{
	return false;
}

static inline int liveupdate_reboot(void)
{
	return 0;
}

static inline int
liveupdate_register_file_handler(struct liveupdate_file_handler *fh)
{
	return -EOPNOTSUPP;
}

static inline void
liveupdate_unregister_file_handler(struct liveupdate_file_handler *fh)
{
}

#endif /* CONFIG_LIVEUPDATE */

#endif /* _LINUX_LIVEUPDATE_H */
