// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: File handlers
 *
 * A handler knows one kind of file: how to save it and how to make it again.
 * It registers once; from then on every file of its kind can be preserved, and
 * every file that a previous kernel handed over under its compatible string
 * can be retrieved, also if the handler's module comes only after boot. The handler
 * of a module whose init has not succeeded yet is not there: it may fail.
 *
 * A file pins its handler's module from preserve, or from the moment the
 * incoming file finds its handler, until LUO lets go of the file.
 *
 * Every operation is called from luo_handler_run(), which is where it is traced
 * and timed. can_preserve, whose shape is another, is called and traced in
 * luo_handler_get_for(). get_id only reads a number and is not traced.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/list_private.h>
#include <linux/module.h>
#include <linux/string.h>

#include "luo_call.h"
#include "luo_handler.h"
#include "luo_module.h"
#include "luo_recorder.h"

static DECLARE_RWSEM(luo_handler_lock);
static LIST_HEAD(luo_handlers);

typedef int (*luo_op_int)(struct liveupdate_file_op_args *args);
typedef void (*luo_op_void)(struct liveupdate_file_op_args *args);
typedef bool (*luo_op_bool)(struct liveupdate_file_op_args *args);

enum luo_op_kind { LUO_RETURNS_INT, LUO_RETURNS_VOID, LUO_RETURNS_BOOL };

#define LUO_OP(_op, _kind)						\
	{ .kind = (_kind),						\
	  .offset = offsetof(struct liveupdate_file_ops, _op) }

static const struct {
	enum luo_op_kind kind;
	size_t offset;
} luo_ops[] = {
	[LUO_OP_PRESERVE]	= LUO_OP(preserve,	LUO_RETURNS_INT),
	[LUO_OP_UNPRESERVE]	= LUO_OP(unpreserve,	LUO_RETURNS_VOID),
	[LUO_OP_PREPARE]	= LUO_OP(prepare,	LUO_RETURNS_INT),
	[LUO_OP_CANCEL]		= LUO_OP(cancel,	LUO_RETURNS_VOID),
	[LUO_OP_FREEZE]		= LUO_OP(freeze,	LUO_RETURNS_INT),
	[LUO_OP_UNFREEZE]	= LUO_OP(unfreeze,	LUO_RETURNS_VOID),
	[LUO_OP_RETRIEVE]	= LUO_OP(retrieve,	LUO_RETURNS_INT),
	[LUO_OP_CAN_FINISH]	= LUO_OP(can_finish,	LUO_RETURNS_BOOL),
	[LUO_OP_FINISH]		= LUO_OP(finish,	LUO_RETURNS_VOID),
};

static const void *luo_handler_fn(const struct liveupdate_file_handler *fh,
				  enum luo_op op)
{
	return *(const void **)((const void *)fh->ops + luo_ops[op].offset);
}

/**
 * luo_handler_has - whether a handler has an operation
 * @fh: the handler
 * @op: any operation but can_preserve
 *
 * Return: true if it has.
 */
bool luo_handler_has(const struct liveupdate_file_handler *fh, enum luo_op op)
{
	return luo_handler_fn(fh, op);
}

/**
 * luo_handler_run - call one operation of a handler
 * @call: what the events say about it
 * @op:   any operation that the handler has, but can_preserve
 * @args: what the handler is told; @args->handler is the one to call
 *
 * Context: may sleep; the caller sees to it that no other operation runs for
 *	    the same file.
 * Return: 0, the operation's negative errno, or -EBUSY for a "no".
 */
int luo_handler_run(const struct luo_call *call, enum luo_op op,
		    struct liveupdate_file_op_args *args)
{
	const void *fn = luo_handler_fn(args->handler, op);
	int ret = 0;
	u64 start;

	start = luo_call_enter(call, op);
	switch (luo_ops[op].kind) {
	case LUO_RETURNS_INT:
		ret = ((luo_op_int)fn)(args);
		break;
	case LUO_RETURNS_VOID:
		((luo_op_void)fn)(args);
		break;
	case LUO_RETURNS_BOOL:
		ret = ((luo_op_bool)fn)(args) ? 0 : -EBUSY;
		break;
	}
	luo_call_exit(call, op, ret, start);

	return ret;
}

static bool luo_handler_can_preserve(const struct luo_call *call,
				     struct liveupdate_file_handler *fh,
				     struct file *file)
{
	struct luo_call asked = *call;
	bool yes;
	u64 start;

	asked.compatible = fh->compatible;
	asked.slot = ACCESS_PRIVATE(fh, slot);
	start = luo_call_enter(&asked, LUO_OP_CAN_PRESERVE);
	yes = fh->ops->can_preserve(fh, file);
	luo_call_exit(&asked, LUO_OP_CAN_PRESERVE, yes ? 0 : -ENOENT, start);

	return yes;
}

/**
 * luo_handler_get_for - find and pin the handler that takes a file
 * @call: what the events say about it; its compatible is not used
 * @file: the file
 *
 * Context: takes luo_handler_lock, may sleep.
 * Return: the handler, to be given back with luo_handler_put(), or
 *	   ERR_PTR(-ENOENT) if none takes the file.
 */
struct liveupdate_file_handler *luo_handler_get_for(const struct luo_call *call,
						    struct file *file)
{
	struct liveupdate_file_handler *fh;

	guard(rwsem_read)(&luo_handler_lock);

	list_private_for_each_entry(fh, &luo_handlers, list) {
		if (!luo_module_get(fh->ops->owner))
			continue;
		if (luo_handler_can_preserve(call, fh, file))
			return fh;
		module_put(fh->ops->owner);
	}
	return ERR_PTR(-ENOENT);
}

/* Context: under luo_handler_lock. */
static struct liveupdate_file_handler *luo_handler_find(const char *compatible)
{
	struct liveupdate_file_handler *fh;

	lockdep_assert_held(&luo_handler_lock);

	list_private_for_each_entry(fh, &luo_handlers, list) {
		if (!strcmp(fh->compatible, compatible))
			return fh;
	}
	return NULL;
}

/**
 * luo_handler_get - find and pin a handler by its compatible string
 * @compatible: the string, zero-terminated
 *
 * Context: takes luo_handler_lock, may sleep.
 * Return: the handler, to be given back with luo_handler_put(), or NULL if
 *	   there is none (yet).
 */
struct liveupdate_file_handler *luo_handler_get(const char *compatible)
{
	struct liveupdate_file_handler *fh;

	guard(rwsem_read)(&luo_handler_lock);

	fh = luo_handler_find(compatible);
	if (fh && !luo_module_get(fh->ops->owner))
		fh = NULL;
	return fh;
}

/**
 * luo_handler_put - unpin a handler
 * @fh: from luo_handler_get() or luo_handler_get_for(), or NULL
 */
void luo_handler_put(struct liveupdate_file_handler *fh)
{
	if (fh)
		module_put(fh->ops->owner);
}

/**
 * luo_handler_registered - whether this handler is registered
 * @fh: the handler
 *
 * Context: takes luo_handler_lock, may sleep.
 * Return: true if it is.
 */
bool luo_handler_registered(const struct liveupdate_file_handler *fh)
{
	guard(rwsem_read)(&luo_handler_lock);

	return luo_handler_find(fh->compatible) == fh;
}

/**
 * luo_handler_register - add a handler
 * @fh: the handler, checked
 *
 * Context: takes luo_handler_lock, may sleep.
 * Return: 0, or -EEXIST if a handler with its compatible string is registered.
 */
int luo_handler_register(struct liveupdate_file_handler *fh)
{
	guard(rwsem_write)(&luo_handler_lock);

	if (luo_handler_find(fh->compatible)) {
		pr_err("a file handler '%s' is registered already\n",
		       fh->compatible);
		return -EEXIST;
	}
	INIT_LIST_HEAD(&ACCESS_PRIVATE(fh, flbs));
	atomic_long_set(&ACCESS_PRIVATE(fh, incoming), 0);
	ACCESS_PRIVATE(fh, slot) = luo_recorder_slot(LUO_KIND_HANDLER,
						     fh->compatible);
	list_add_tail(&ACCESS_PRIVATE(fh, list), &luo_handlers);
	return 0;
}

/**
 * luo_handler_unregister - remove a handler
 * @fh: a registered handler that no file uses
 *
 * Context: takes luo_handler_lock, may sleep.
 */
void luo_handler_unregister(struct liveupdate_file_handler *fh)
{
	guard(rwsem_write)(&luo_handler_lock);

	list_del(&ACCESS_PRIVATE(fh, list));
}
