/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Live Update Orchestrator: the interface for file handlers, FLBs, subsystems and the
 * kexec path.
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
 * struct liveupdate_file_op_args - arguments and results of a file operation
 * @handler:         the handler that is called
 * @retrieve_status: for can_finish and finish: 0 if retrieve was not called, 1 if it
 *                   succeeded, its negative errno if it failed
 * @file:            the file; an output of retrieve, with one reference; NULL for
 *                   can_finish and finish unless the file was retrieved
 * @serialized_data: the u64 that is handed over to the next kernel; preserve sets it,
 *                   prepare and freeze may change it
 * @private_data:    a pointer for the handler itself, set by preserve and valid in this
 *                   kernel only
 */
struct liveupdate_file_op_args {
	struct liveupdate_file_handler *handler;
	int retrieve_status;
	struct file *file;
	u64 serialized_data;
	void *private_data;
};

/**
 * struct liveupdate_file_ops - operations of a file handler
 * @can_preserve: required; return whether the handler takes @file. It is called for
 *                files of any kind, so it is cheap and changes nothing.
 * @preserve:     required; save what can be saved while the workload runs.
 * @unpreserve:   required; undo @preserve.
 * @prepare:      optional; save more state, as a live update is imminent. The workload
 *                may still run.
 * @cancel:       optional; undo @prepare.
 * @freeze:       optional; make the saved state final. Usually called inside
 *                reboot(2), during the blackout.
 * @unfreeze:     optional; undo @freeze.
 * @retrieve:     required; restore the file in the next kernel.
 * @can_finish:   optional; return whether @finish may be called now.
 * @finish:       required; release what is left of the state that was handed over,
 *                which is all of it if @retrieve was not called.
 * @get_id:       optional; return a number that is the same for all open files of what
 *                is preserved, the address of an inode for example. Without it each
 *                open file counts as another one.
 * @owner:        the module, pinned while LUO holds one of its files
 *
 * All operations may sleep and are called without a spinlock held. They never run in
 * parallel for the same file, and none is called twice for the same step. They are
 * called in the order in which the files were preserved; those that undo or finish are
 * called in reverse order. If an operation fails, its errno is returned from the system
 * call. Documentation/core-api/liveupdate/locking.rst says what they may take and call.
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
 * @ops:        its operations
 * @compatible: name and version of the state that it hands over, zero-terminated. The
 *              next kernel finds the handler of a file by it. It must change if the
 *              meaning of the u64 that is handed over changes.
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
 * struct liveupdate_flb_op_args - arguments and results of an FLB operation
 * @flb:  the FLB
 * @data: the u64 that is handed over to the next kernel; an output of preserve
 * @obj:  the object in this kernel; an output of preserve and of retrieve
 */
struct liveupdate_flb_op_args {
	struct liveupdate_flb *flb;
	u64 data;
	void *obj;
};

/**
 * struct liveupdate_flb_ops - operations of an FLB
 * @preserve:   required; called before the first file that depends on the FLB is
 *              preserved.
 * @unpreserve: required; called after the last of these files is unpreserved and the
 *              last user has put the object; not between the serialization of the
 *              handover and a failure of reboot().
 * @retrieve:   required; restore the object in the next kernel. Called when the object
 *              is requested for the first time, or before @finish if it never was.
 * @finish:     required; called when no incoming file is left that may depend on the
 *              FLB: no file of a handler that it is registered with, and no file whose
 *              handler is not registered (yet). If the FLB registers only after the
 *              last incoming session is finished, @retrieve and @finish are called
 *              from the registration. An FLB on which no file depended is finished
 *              when no incoming file is left at all. Not called if @retrieve failed.
 * @owner:      the module, pinned between preserve and unpreserve, and between
 *              retrieve and finish
 *
 * All operations may sleep. Those of the same FLB and the same direction never run in
 * parallel. An operation may get and put the object of another FLB, unless the
 * operations of that one do the same with this one. No operation may register or
 * unregister an FLB.
 */
struct liveupdate_flb_ops {
	int (*preserve)(struct liveupdate_flb_op_args *argp);
	void (*unpreserve)(struct liveupdate_flb_op_args *argp);
	int (*retrieve)(struct liveupdate_flb_op_args *argp);
	void (*finish)(struct liveupdate_flb_op_args *argp);
	struct module *owner;
};

/*
 * struct luo_flb_private - what LUO stores in an FLB
 * @out: its outgoing state; NULL until it registers
 */
struct luo_flb_private {
	struct luo_flb_out *out;
};

/**
 * struct liveupdate_flb - file-lifecycle-bound state (FLB)
 * @ops:        its operations
 * @compatible: name and version of the state that it hands over, zero-terminated
 *
 * An FLB is state that several files need. It is preserved before the first file that
 * depends on it, and finished after the last one. A file depends on the FLBs that are
 * registered with its handler when it is preserved.
 */
struct liveupdate_flb {
	const struct liveupdate_flb_ops *ops;
	const char compatible[LIVEUPDATE_FLB_COMPAT_LENGTH];

	/* private: */
	struct luo_flb_private __private private;
};

/* The maximum number of subsystems: their nodes must fit into one page. */
#define LIVEUPDATE_SUBSYSTEM_MAX	32

struct liveupdate_subsystem;

/**
 * struct liveupdate_subsystem_op_args - arguments and results of a subsystem operation
 * @subsystem:       the subsystem that is called
 * @serialized_data: the u64 that is handed over to the next kernel; prepare sets it,
 *                   freeze and unfreeze may change it
 * @private_data:    a pointer for the subsystem itself, valid in this kernel only: set
 *                   by prepare for the operations up to cancel, and by boot for finish;
 *                   NULL when prepare and boot are called
 */
struct liveupdate_subsystem_op_args {
	struct liveupdate_subsystem *subsystem;
	u64 serialized_data;
	void *private_data;
};

/**
 * struct liveupdate_subsystem_ops - operations of a subsystem
 * @prepare:  required; save state that is handed over to the next kernel. The workload
 *            may still run.
 * @freeze:   optional; make the saved state final. Called inside reboot(2), after all
 *            files are frozen.
 * @unfreeze: optional; undo @freeze.
 * @cancel:   optional; undo @prepare.
 * @boot:     required; called in the next kernel with the u64 that was handed over. For
 *            a module, called once its init has succeeded.
 * @finish:   optional; the last incoming session is finished: release what is left of
 *            the state that was handed over.
 * @owner:    the module, pinned between prepare and cancel, and between boot and
 *            finish
 *
 * All operations may sleep. Apart from GET_NAME, GET_STATE and FD_GET_STATE, no ioctl of
 * an agent runs at the same time. No operation may register or unregister a subsystem. If
 * an operation fails, what it has changed in its arguments is dropped.
 */
struct liveupdate_subsystem_ops {
	int (*prepare)(struct liveupdate_subsystem_op_args *args);
	int (*freeze)(struct liveupdate_subsystem_op_args *args);
	void (*unfreeze)(struct liveupdate_subsystem_op_args *args);
	void (*cancel)(struct liveupdate_subsystem_op_args *args);
	void (*boot)(struct liveupdate_subsystem_op_args *args);
	void (*finish)(struct liveupdate_subsystem_op_args *args);
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
 * @private_data: the subsystem's own, from prepare to cancel
 * @booted: what boot was called with, for finish; NULL if there is nothing to finish
 * @waits:  the init of its module has not succeeded yet
 */
struct luo_subsystem_private {
	struct list_head list;
	struct liveupdate_subsystem *self;
	enum liveupdate_state state;
	enum liveupdate_state rollback_state;
	u64 data;
	void *private_data;
	struct luo_subsystem_in *booted;
	bool waits;
};

/**
 * struct liveupdate_subsystem - a part of the kernel with state that is not in files
 * @ops:  its operations
 * @name: the next kernel finds the subsystem by it: lower-case letters and digits, and
 *        "-", "_" and "." except at the start; zero-terminated. It must change if the
 *        meaning of the u64 that is handed over changes.
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
int liveupdate_incoming_order(phys_addr_t phys);

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

static inline int liveupdate_incoming_order(phys_addr_t phys)
{
	return -ENOENT;
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
