/* SPDX-License-Identifier: GPL-2.0 */

/* Calls to the callbacks of handlers, subsystems and FLBs. */

#ifndef _LINUX_LUO_CALL_H
#define _LINUX_LUO_CALL_H

#include "luo_internal.h"

const void *luo_call_fn(enum luo_kind kind, const void *ops, enum luo_op op);
bool luo_call_has(enum luo_kind kind, const void *ops, enum luo_op op);
bool luo_call_has_required(enum luo_kind kind, const void *ops);
int luo_call_run(const struct luo_call *call, enum luo_op op, const void *ops,
		 void *self, void *arg);
int luo_call_subsystem(struct liveupdate_subsystem *subsystem, enum luo_op op,
		       u64 *data, void **private);
int luo_call_flb(struct liveupdate_flb *flb, enum luo_op op, u64 *data,
		 void **obj);

/**
 * luo_call_handler - call an operation of a file handler
 * @call: what it is called for
 * @op:   any operation that the handler has, except can_preserve
 * @args: passed to the operation; @args->handler is the handler
 *
 * Context: may sleep; the caller makes sure that no other operation runs for the
 *	    same file.
 * Return: 0, the negative errno of the operation, or -EBUSY if can_finish says no.
 */
static inline int luo_call_handler(const struct luo_call *call, enum luo_op op,
				   struct liveupdate_file_op_args *args)
{
	return luo_call_run(call, op, args->handler->ops, args->handler, args);
}

/**
 * luo_call_can_preserve - ask a file handler whether it takes a file
 * @call: what it is called for
 * @fh:   the handler
 * @file: the file
 *
 * Context: may sleep.
 * Return: true if it does.
 */
static inline bool luo_call_can_preserve(const struct luo_call *call,
					 struct liveupdate_file_handler *fh,
					 struct file *file)
{
	return !luo_call_run(call, LUO_OP_CAN_PRESERVE, fh->ops, fh, file);
}

#endif /* _LINUX_LUO_CALL_H */
