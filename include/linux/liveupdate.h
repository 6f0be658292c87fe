/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Live Update Orchestrator: what file handlers, shared state, subsystems and
 * the kexec path call.
 */

#ifndef _LINUX_LIVEUPDATE_H
#define _LINUX_LIVEUPDATE_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kho/abi/luo.h>
#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/liveupdate.h>

struct file;
struct liveupdate_file_handler;
struct liveupdate_flb;
struct luo_flb_out;
struct luo_subsystem_in;
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
	struct list_head __private flbs;
	atomic_long_t __private incoming;
	unsigned int __private slot;
};

/**
 * struct liveupdate_flb_op_args - what an operation of shared state is told
 * @flb:  the shared state
 * @data: the one u64 that the next kernel gets; an output of preserve
 * @obj:  the live object; an output of preserve and of retrieve
 */
struct liveupdate_flb_op_args {
	struct liveupdate_flb *flb;
	u64 data;
	void *obj;
};

/**
 * struct liveupdate_flb_ops - how shared state lives through an update
 * @preserve:   required; the first file that depends on it is preserved
 * @unpreserve: required; the last of them is given back before the jump
 * @retrieve:   required; make the object again in the next kernel: somebody asks
 *              for it, or it is to be finished and nobody has asked
 * @finish:     required; no file that may depend on it is left: none of the
 *              handlers that it is registered with, and none whose handler is not
 *              there (yet). It and @retrieve are called in its registration if
 *              that comes after the last incoming session. Not called if retrieve
 *              failed.
 * @owner:      the module, pinned between preserve and unpreserve, and between
 *              retrieve and finish
 *
 * All operations may sleep; no two of the same shared state and direction run at
 * once. One may ask for the object of other shared state, and put it, as long as that
 * one does not ask for this one. None may register or unregister shared state.
 */
struct liveupdate_flb_ops {
	int (*preserve)(struct liveupdate_flb_op_args *argp);
	void (*unpreserve)(struct liveupdate_flb_op_args *argp);
	int (*retrieve)(struct liveupdate_flb_op_args *argp);
	void (*finish)(struct liveupdate_flb_op_args *argp);
	struct module *owner;
};

/*
 * struct luo_flb_private - shared state on the way out
 * @out: what LUO knows of it
 */
struct luo_flb_private {
	struct luo_flb_out *out;
};

/**
 * struct liveupdate_flb - state that several files share
 * @ops:        what it does
 * @compatible: name and version of the state it hands over, zero-terminated
 *
 * File-lifecycle-bound: it is preserved with the first file that depends on it
 * and finished after the last one. Files depend on it if it is registered with
 * their handler when they are preserved.
 */
struct liveupdate_flb {
	const struct liveupdate_flb_ops *ops;
	const char compatible[LIVEUPDATE_FLB_COMPAT_LENGTH];

	/* private: */
	struct luo_flb_private __private private;
};

/* How many subsystems there can be; their nodes must fit into one page. */
#define LIVEUPDATE_SUBSYSTEM_MAX	32

struct liveupdate_subsystem;

/**
 * struct liveupdate_subsystem_ops - how a kernel part without files lives
 * through an update
 * @prepare:  required; save state, return the one u64 for the next kernel in
 *            @data. The workload may still run.
 * @freeze:   optional; make the saved state final, may change @data. Inside
 *            reboot(2), after all files are frozen.
 * @unfreeze: optional; undo @freeze
 * @cancel:   optional; undo @prepare
 * @boot:     required; in the next kernel, here is what was handed over. Of a module,
 *            once its init has succeeded.
 * @finish:   optional; the last incoming session is finished, let go of what is
 *            left of the handed over state
 * @owner:    the module, pinned between prepare and cancel, and between boot and
 *            finish
 *
 * All operations may sleep and have the machine to themselves: no call of an
 * agent runs. None may register or unregister a subsystem.
 */
struct liveupdate_subsystem_ops {
	int (*prepare)(struct liveupdate_subsystem *subsystem, u64 *data);
	int (*freeze)(struct liveupdate_subsystem *subsystem, u64 *data);
	void (*unfreeze)(struct liveupdate_subsystem *subsystem, u64 *data);
	void (*cancel)(struct liveupdate_subsystem *subsystem, u64 data);
	void (*boot)(struct liveupdate_subsystem *subsystem, u64 data);
	void (*finish)(struct liveupdate_subsystem *subsystem, u64 data);
	struct module *owner;
};

/*
 * struct luo_subsystem_private - state of a subsystem
 * @list:   in order of registration
 * @self:   the subsystem
 * @state:  NORMAL, PREPARED or FROZEN
 * @rollback_state: the state that a failed transition of the global state brings it
 *	    back to
 * @data:   what prepare or freeze returned
 * @booted: what boot got, for finish; NULL if there is nothing to finish
 * @waits:  the init of its module has not succeeded yet
 */
struct luo_subsystem_private {
	struct list_head list;
	struct liveupdate_subsystem *self;
	enum liveupdate_state state;
	enum liveupdate_state rollback_state;
	u64 data;
	struct luo_subsystem_in *booted;
	bool waits;
};

/**
 * struct liveupdate_subsystem - a kernel part with state that is not in files
 * @ops:  what it does
 * @name: what the next kernel finds it by: lower-case letters, digits, and any
 *        of "-_." inside; zero-terminated. It must change when the meaning of
 *        the u64 does.
 */
struct liveupdate_subsystem {
	const struct liveupdate_subsystem_ops *ops;
	const char name[LIVEUPDATE_SUBSYSTEM_NAME_LENGTH];

	/* private: */
	struct luo_subsystem_private __private private;
};

#ifdef CONFIG_LIVEUPDATE

bool liveupdate_enabled(void);
int liveupdate_reboot(void);

int liveupdate_register_file_handler(struct liveupdate_file_handler *fh);
void liveupdate_unregister_file_handler(struct liveupdate_file_handler *fh);

int liveupdate_register_flb(struct liveupdate_file_handler *fh,
			    struct liveupdate_flb *flb);
void liveupdate_unregister_flb(struct liveupdate_file_handler *fh,
			       struct liveupdate_flb *flb);
int liveupdate_flb_get_incoming(struct liveupdate_flb *flb, void **objp);
void liveupdate_flb_put_incoming(struct liveupdate_flb *flb);
int liveupdate_flb_get_outgoing(struct liveupdate_flb *flb, void **objp);
void liveupdate_flb_put_outgoing(struct liveupdate_flb *flb);

int liveupdate_register_subsystem(struct liveupdate_subsystem *subsystem);
void liveupdate_unregister_subsystem(struct liveupdate_subsystem *subsystem);

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

static inline int liveupdate_register_flb(struct liveupdate_file_handler *fh,
					  struct liveupdate_flb *flb)
{
	return -EOPNOTSUPP;
}

static inline void liveupdate_unregister_flb(struct liveupdate_file_handler *fh,
					     struct liveupdate_flb *flb)
{
}

static inline int liveupdate_flb_get_incoming(struct liveupdate_flb *flb,
					      void **objp)
{
	return -EOPNOTSUPP;
}

static inline void liveupdate_flb_put_incoming(struct liveupdate_flb *flb)
{
}

static inline int liveupdate_flb_get_outgoing(struct liveupdate_flb *flb,
					      void **objp)
{
	return -EOPNOTSUPP;
}

static inline void liveupdate_flb_put_outgoing(struct liveupdate_flb *flb)
{
}

static inline int
liveupdate_register_subsystem(struct liveupdate_subsystem *subsystem)
{
	return -EOPNOTSUPP;
}

static inline void
liveupdate_unregister_subsystem(struct liveupdate_subsystem *subsystem)
{
}

#endif /* CONFIG_LIVEUPDATE */

#endif /* _LINUX_LIVEUPDATE_H */
