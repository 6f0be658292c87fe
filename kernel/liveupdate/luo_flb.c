// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: State that files share
 *
 * File-lifecycle-bound state (FLB) belongs to no single file: the tables of an
 * IOMMU, say, that all devices behind it need. It is registered with the file
 * handlers whose files need it, is preserved with the first of these files,
 * before that file's own preserve, and given back with the last one, after
 * that file's own unpreserve. The way in is in luo_flb_in.c.
 *
 * Who holds the object: get and put count its users, on each side; unpreserve
 * and finish wait for the last one.
 *
 * Unhappy paths: a preserve that fails makes the file's fail, and what was
 * preserved before it for that file is undone in reverse. A file depends on what
 * was registered with its handler when it was preserved, not on what came later:
 * both have a sequence number.
 *
 * One lock for all of it: operations are rare, and without one it is held for
 * a counter.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_flb.h"

DEFINE_MUTEX(luo_flb_lock); /* shared state, and its registry */
LIST_HEAD(luo_flbs);
static u64 luo_flb_seq = 1;
static u64 luo_nr_flbs; /* that are preserved */
static struct kho_block_set luo_flb_blocks;

/**
 * luo_flbs_init - set up the records of shared state
 *
 * Context: once, at boot.
 */
void luo_flbs_init(void)
{
	luo_seal_set_init(&luo_flb_blocks, sizeof(struct luo_flb_ser));
}

int luo_flb_run(struct liveupdate_flb *flb, enum luo_op op, u64 *data,
		void **obj)
{
	bool in = op == LUO_OP_RETRIEVE || op == LUO_OP_FINISH;
	struct liveupdate_flb_op_args args = {
		.flb = flb,
		.data = *data,
		.obj = *obj,
	};
	const struct luo_call call = {
		.kind = LUO_KIND_FLB,
		.slot = luo_recorder_slot(LUO_KIND_FLB, flb->compatible),
		.number = luo_number(in ? LUO_DIR_IN : LUO_DIR_OUT),
		.compatible = flb->compatible,
	};
	u64 start;
	int ret = 0;

	lockdep_assert_held(&luo_flb_lock);

	start = luo_call_enter(&call, op);
	switch (op) {
	case LUO_OP_PRESERVE:
		ret = flb->ops->preserve(&args);
		break;
	case LUO_OP_UNPRESERVE:
		flb->ops->unpreserve(&args);
		break;
	case LUO_OP_RETRIEVE:
		ret = flb->ops->retrieve(&args);
		break;
	default:
		flb->ops->finish(&args);
		break;
	}
	luo_call_exit(&call, op, ret, start);

	if (!ret) {
		*data = args.data;
		*obj = args.obj;
	}
	return ret;
}

/* The first file depends on it. */
static int luo_flb_preserve(struct luo_flb_private *flb)
{
	int err;

	if (!try_module_get(flb->self->ops->owner))
		return -ENODEV;

	err = kho_block_set_grow(&luo_flb_blocks, luo_nr_flbs + 1);
	if (err)
		goto err_module;

	flb->data = 0;
	flb->obj = NULL;
	err = luo_flb_run(flb->self, LUO_OP_PRESERVE, &flb->data, &flb->obj);
	if (err)
		goto err_blocks;

	luo_nr_flbs++;
	flb->preserved = true;
	return 0;

err_blocks:
	kho_block_set_shrink(&luo_flb_blocks, luo_nr_flbs);
err_module:
	module_put(flb->self->ops->owner);
	return err;
}

/* Without a handler it is there for as long as it is preserved. */
static void luo_flb_delist(struct luo_flb_private *flb)
{
	if (!flb->handlers && !flb->preserved)
		list_del(&flb->list);
}

/* Unless somebody depends on it or uses it. */
static void luo_flb_unpreserve(struct luo_flb_private *flb)
{
	struct liveupdate_flb *self = flb->self;

	if (!flb->preserved || flb->files || flb->users)
		return;

	luo_flb_run(self, LUO_OP_UNPRESERVE, &flb->data, &flb->obj);
	flb->preserved = false;
	luo_flb_delist(flb);
	kho_block_set_shrink(&luo_flb_blocks, --luo_nr_flbs);
	module_put(self->ops->owner);
}

static int luo_flb_add_file(struct luo_flb_private *flb)
{
	int err = flb->preserved ? 0 : luo_flb_preserve(flb);

	if (!err)
		flb->files++;
	return err;
}

static void luo_flb_del_file(struct luo_flb_private *flb)
{
	flb->files--;
	luo_flb_unpreserve(flb);
}

/**
 * luo_flbs_preserve - a file is about to be preserved
 * @fh:  its handler
 * @seq: set to what luo_flbs_unpreserve() needs to know
 *
 * Context: may sleep, takes luo_flb_lock.
 * Return: 0; -ENODEV if the module of shared state is on its way out; -ENOMEM;
 *	   or what a preserve returned.
 */
int luo_flbs_preserve(struct liveupdate_file_handler *fh, u64 *seq)
{
	struct list_head *flbs = &ACCESS_PRIVATE(fh, flbs);
	struct luo_flb_link *link;
	int err;

	guard(mutex)(&luo_flb_lock);

	*seq = luo_flb_seq;
	list_for_each_entry(link, flbs, list) {
		err = luo_flb_add_file(link->flb);
		if (err)
			goto err_undo;
	}
	return 0;

err_undo:
	list_for_each_entry_continue_reverse(link, flbs, list)
		luo_flb_del_file(link->flb);
	return err;
}

/**
 * luo_flbs_unpreserve - a file was given back
 * @fh:  its handler
 * @seq: from luo_flbs_preserve()
 *
 * Context: may sleep, takes luo_flb_lock.
 */
void luo_flbs_unpreserve(struct liveupdate_file_handler *fh, u64 seq)
{
	struct luo_flb_link *link;

	guard(mutex)(&luo_flb_lock);

	list_for_each_entry_reverse(link, &ACCESS_PRIVATE(fh, flbs), list) {
		if (link->seq <= seq)
			luo_flb_del_file(link->flb);
	}
}

/**
 * luo_flbs_write - fill the records of all shared state
 * @array: set to where they are
 *
 * Context: under luo_state_lock for writing, when all sessions are frozen.
 */
void luo_flbs_write(struct luo_array *array)
{
	struct luo_flb_private *flb;
	struct kho_block_set_it it;
	struct luo_flb_ser *ser;
	u64 count = 0;

	guard(mutex)(&luo_flb_lock);

	kho_block_set_it_init(&it, &luo_flb_blocks);
	list_for_each_entry(flb, &luo_flbs, list) {
		if (!flb->preserved || !flb->files)
			continue;
		/* There is a record for each, as preserve saw to. */
		ser = kho_block_set_it_reserve_entry(&it);
		strscpy_pad(ser->name, flb->self->compatible);
		ser->data = flb->data;
		ser->count = flb->files;
		count++;
	}
	luo_handover_seal(&luo_flb_blocks, "");
	luo_handover_describe(&luo_flb_blocks, count, array);
}

static struct luo_flb_link *luo_flb_link(struct liveupdate_file_handler *fh,
					 struct luo_flb_private *flb)
{
	struct luo_flb_link *link;

	list_for_each_entry(link, &ACCESS_PRIVATE(fh, flbs), list) {
		if (link->flb == flb)
			return link;
	}
	return NULL;
}

/* -EEXIST if other shared state has the compatible string of @new. */
static int luo_flb_add(struct luo_flb_private *new, struct liveupdate_flb *flb)
{
	struct luo_flb_private *old;

	if (new->handlers || new->preserved)
		return 0;

	list_for_each_entry(old, &luo_flbs, list) {
		if (!strcmp(old->self->compatible, flb->compatible))
			return -EEXIST;
	}
	*new = (struct luo_flb_private) { .self = flb };
	INIT_LIST_HEAD(&new->links);
	list_add_tail(&new->list, &luo_flbs);
	return 0;
}

/**
 * liveupdate_register_flb - files of a handler depend on shared state
 * @fh:	 the handler, registered
 * @flb: the shared state; it stays the caller's and must live until it is
 *	 unregistered from its last handler and given back by its last user
 *
 * Files that are preserved already do not depend on it. If the last incoming
 * session was finished before, what was handed over for it is retrieved and
 * finished before this returns; who wants the object asks for it first.
 *
 * Context: may sleep; without any lock that an operation of @flb takes.
 * Return: 0; -EOPNOTSUPP if live update is off; -EINVAL if the handler is not
 *	   registered, an operation is missing, or the compatible string is empty
 *	   or unterminated; -EEXIST if it is registered with this handler, or
 *	   other shared state has its string; -ENOMEM.
 */
int liveupdate_register_flb(struct liveupdate_file_handler *fh,
			    struct liveupdate_flb *flb)
{
	const struct liveupdate_flb_ops *ops = flb->ops;
	struct luo_flb_private *private = &ACCESS_PRIVATE(flb, private);
	struct luo_flb_link *link;
	int err;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;

	if (!ops->preserve || !ops->unpreserve || !ops->retrieve ||
	    !ops->finish || !luo_handler_registered(fh) ||
	    !luo_string_ok(flb->compatible, sizeof(flb->compatible)))
		return -EINVAL;

	link = kzalloc_obj(*link);
	if (!link)
		return -ENOMEM;

	guard(mutex)(&luo_flb_lock);

	err = luo_flb_link(fh, private) ? -EEXIST : luo_flb_add(private, flb);
	if (err) {
		kfree(link);
		return err;
	}
	link->fh = fh;
	link->flb = private;
	link->seq = ++luo_flb_seq;
	list_add_tail(&link->list, &ACCESS_PRIVATE(fh, flbs));
	list_add_tail(&link->of_flb, &private->links);
	private->handlers++;
	luo_flb_came(flb);
	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_register_flb);

static void luo_flb_unlink(struct luo_flb_link *link)
{
	struct luo_flb_private *flb = link->flb;

	list_del(&link->list);
	list_del(&link->of_flb);
	kfree(link);
	flb->handlers--;
	luo_flb_delist(flb);
}

/**
 * liveupdate_unregister_flb - files of a handler do not depend on it any more
 * @fh:	 the handler
 * @flb: the shared state, registered with it
 *
 * A module calls it when it is unloaded, which it cannot be as long as the
 * state is preserved, or retrieved and not finished. Does nothing if live update
 * is off.
 *
 * Context: may sleep; no file of the handler may be preserved.
 */
void liveupdate_unregister_flb(struct liveupdate_file_handler *fh,
			       struct liveupdate_flb *flb)
{
	struct luo_flb_link *link;

	if (!liveupdate_enabled())
		return;

	guard(mutex)(&luo_flb_lock);

	link = luo_flb_link(fh, &ACCESS_PRIVATE(flb, private));
	if (link)
		luo_flb_unlink(link);
}
EXPORT_SYMBOL_GPL(liveupdate_unregister_flb);

/**
 * luo_flbs_forget - a handler is unregistered
 * @fh: the handler
 *
 * Context: may sleep, takes luo_flb_lock.
 */
void luo_flbs_forget(struct liveupdate_file_handler *fh)
{
	struct luo_flb_link *link, *next;

	guard(mutex)(&luo_flb_lock);

	list_for_each_entry_safe(link, next, &ACCESS_PRIVATE(fh, flbs), list)
		luo_flb_unlink(link);
}

/**
 * liveupdate_flb_get_outgoing - the object that will be handed over
 * @flb:  the shared state
 * @objp: set to the object, which stays until liveupdate_flb_put_outgoing()
 *
 * Context: may sleep, not in an operation of shared state.
 * Return: 0; -EOPNOTSUPP if live update is off; -ENOENT if no preserved file
 *	   depends on it.
 */
int liveupdate_flb_get_outgoing(struct liveupdate_flb *flb, void **objp)
{
	struct luo_flb_private *private = &ACCESS_PRIVATE(flb, private);

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;

	guard(mutex)(&luo_flb_lock);

	if (!private->preserved)
		return -ENOENT;

	private->users++;
	*objp = private->obj;
	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_flb_get_outgoing);

/**
 * liveupdate_flb_put_outgoing - the object is not used any more
 * @flb: the shared state
 *
 * Context: may sleep; once for each successful get.
 */
void liveupdate_flb_put_outgoing(struct liveupdate_flb *flb)
{
	struct luo_flb_private *private = &ACCESS_PRIVATE(flb, private);

	guard(mutex)(&luo_flb_lock);

	if (WARN_ON_ONCE(!private->users))
		return;

	private->users--;
	luo_flb_unpreserve(private);
}
EXPORT_SYMBOL_GPL(liveupdate_flb_put_outgoing);
