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
 * An operation may ask for other shared state: each has a lock of its own, in each
 * direction, which is held for its operations. What LUO knows of a name stays for
 * good, so that who waits for such a lock needs nothing else; there are as many as
 * there are names. The module whose operations are called is pinned meanwhile.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_call.h"
#include "luo_flb.h"
#include "luo_module.h"
#include "luo_seal.h"

DEFINE_MUTEX(luo_flb_lock); /* which there are, with which handlers */
static LIST_HEAD(luo_flbs);
static u64 luo_flb_seq = 1;
static u64 luo_nr_flbs; /* that are preserved */
static struct kho_block_set luo_flb_blocks;

/**
 * luo_flb_init - set up the records of shared state
 *
 * Context: once, at boot.
 */
void luo_flb_init(void)
{
	luo_seal_set_init(&luo_flb_blocks, sizeof(struct luo_flb_ser));
}

/* Room for one more record. -ENODEV if @flb was unregistered meanwhile. */
static int luo_flb_count(struct luo_flb_out *out, struct liveupdate_flb *flb)
{
	int err;

	guard(mutex)(&luo_flb_lock);

	if (out->self != flb)
		return -ENODEV;
	err = kho_block_set_grow(&luo_flb_blocks, luo_nr_flbs + 1);
	if (err)
		return err;

	luo_nr_flbs++;
	out->preserved = true;
	return 0;
}

/* Without a handler it is there for as long as it is preserved. */
static void luo_flb_delist(struct luo_flb_out *out)
{
	lockdep_assert_held(&luo_flb_lock);

	if (!out->handlers && !out->preserved)
		out->self = NULL;
}

static void luo_flb_uncount(struct luo_flb_out *out)
{
	guard(mutex)(&luo_flb_lock);

	out->preserved = false;
	luo_flb_delist(out);
	kho_block_set_shrink(&luo_flb_blocks, --luo_nr_flbs);
}

/* The first file depends on it; the module of @flb is pinned by the caller. */
static int luo_flb_preserve(struct luo_flb_out *out, struct liveupdate_flb *flb)
{
	int err;

	err = luo_flb_count(out, flb);
	if (err)
		return err;

	out->data = 0;
	out->obj = NULL;
	err = luo_call_flb(flb, LUO_OP_PRESERVE, &out->data, &out->obj);
	if (err)
		luo_flb_uncount(out);
	else
		__module_get(flb->ops->owner);
	return err;
}

/* Unless it is handed over, a file depends on it, or it has a user. */
static void luo_flb_unpreserve(struct luo_flb_out *out)
{
	struct module *owner;

	lockdep_assert_held(&out->lock);

	if (!out->preserved || out->frozen || out->files || out->users)
		return;

	owner = out->self->ops->owner;
	luo_call_flb(out->self, LUO_OP_UNPRESERVE, &out->data, &out->obj);
	luo_flb_uncount(out);
	module_put(owner);
}

static int luo_flb_add_file(const struct luo_flb_pin *pin)
{
	struct luo_flb_out *out = pin->out;
	int err;

	/* Its operations may take long, and an agent that waits can be killed. */
	err = mutex_lock_killable(&out->lock);
	if (err)
		return err;

	if (!out->preserved)
		err = luo_flb_preserve(out, pin->flb);
	if (!err)
		out->files++;
	mutex_unlock(&out->lock);
	return err;
}

static void luo_flb_del_file(struct luo_flb_out *out)
{
	guard(mutex)(&out->lock);

	out->files--;
	luo_flb_unpreserve(out);
}

/* Context: under luo_flb_lock. */
static void luo_flb_pin_out(struct luo_flb_pin *pin, struct luo_flb_out *out)
{
	pin->out = out;
	pin->flb = luo_module_get(out->self->ops->owner) ? out->self : NULL;
}

/**
 * luo_flb_unpin - nothing of it is called any more
 * @pin: from any of luo_flb_pin_*()
 */
void luo_flb_unpin(struct luo_flb_pin *pin)
{
	if (pin->flb)
		module_put(pin->flb->ops->owner);
}

/**
 * luo_flb_pin_prev - the last link of a handler up to a number
 * @fh:  the handler
 * @seq: the number
 * @pin: set to what it leads to; its module is pinned if that can be
 *
 * Context: takes luo_flb_lock.
 * Return: true if there is one; @pin->flb is NULL if its module does not live.
 */
bool luo_flb_pin_prev(struct liveupdate_file_handler *fh, u64 seq,
		      struct luo_flb_pin *pin)
{
	struct luo_flb_link *link;

	guard(mutex)(&luo_flb_lock);

	list_for_each_entry_reverse(link, &ACCESS_PRIVATE(fh, flbs), list) {
		if (link->seq > seq)
			continue;
		luo_flb_pin_out(pin, link->out);
		pin->seq = link->seq;
		return true;
	}
	return false;
}

/* As luo_flb_pin_prev(), the first link behind number @after and up to @seq. */
static bool luo_flb_pin_next(struct liveupdate_file_handler *fh, u64 after,
			     u64 seq, struct luo_flb_pin *pin)
{
	struct luo_flb_link *link;

	guard(mutex)(&luo_flb_lock);

	list_for_each_entry(link, &ACCESS_PRIVATE(fh, flbs), list) {
		if (link->seq <= after || link->seq > seq)
			continue;
		luo_flb_pin_out(pin, link->out);
		pin->seq = link->seq;
		return true;
	}
	return false;
}

/**
 * luo_flb_file_preserve - a file is about to be preserved
 * @fh:  its handler
 * @seq: set to what luo_flb_file_unpreserve() needs to know
 *
 * Context: may sleep, takes the locks of the shared state.
 * Return: 0; -ENODEV if the module of shared state is being loaded or on its way
 *	   out; -ENOMEM; or what a preserve returned.
 */
int luo_flb_file_preserve(struct liveupdate_file_handler *fh, u64 *seq)
{
	struct luo_flb_pin pin;
	u64 done = 0;
	int err;

	scoped_guard(mutex, &luo_flb_lock) {
		*seq = luo_flb_seq;
	}
	while (luo_flb_pin_next(fh, done, *seq, &pin)) {
		err = pin.flb ? luo_flb_add_file(&pin) : -ENODEV;
		luo_flb_unpin(&pin);
		if (err) {
			luo_flb_file_unpreserve(fh, done);
			return err;
		}
		done = pin.seq;
	}
	return 0;
}

/**
 * luo_flb_file_unpreserve - a file was given back
 * @fh:  its handler
 * @seq: from luo_flb_file_preserve()
 *
 * Context: may sleep, takes luo_flb_lock.
 */
void luo_flb_file_unpreserve(struct liveupdate_file_handler *fh, u64 seq)
{
	struct luo_flb_pin pin;

	/* Their modules are pinned for as long as they are preserved. */
	while (luo_flb_pin_prev(fh, seq, &pin)) {
		luo_flb_del_file(pin.out);
		luo_flb_unpin(&pin);
		seq = pin.seq - 1;
	}
}

/* The first preserved FLB that was registered after *@seq, which moves on to it. */
static struct luo_flb_out *luo_flb_next_preserved(u64 *seq)
{
	struct luo_flb_out *out;

	guard(mutex)(&luo_flb_lock);

	list_for_each_entry(out, &luo_flbs, list) {
		if (out->preserved && out->seq > *seq) {
			*seq = out->seq;
			return out;
		}
	}
	return NULL;
}

/* None of them is unpreserved from here on. Waits for one that is just now. */
static void luo_flb_freeze_all(void)
{
	struct luo_flb_out *out;
	u64 seq = 0;

	while ((out = luo_flb_next_preserved(&seq))) {
		guard(mutex)(&out->lock);
		out->frozen = out->preserved;
	}
}

/**
 * luo_flb_serialize_all - fill the records of all preserved FLBs
 * @array: set to where the records are
 *
 * An FLB that no file depends on (any more) is handed over too, as another FLB may use
 * it. liveupdate_flb_put_outgoing() does not unpreserve any of them from here on.
 *
 * Context: under luo_state_lock for writing, when all sessions are frozen; takes the
 *	    locks of the FLBs. luo_flb_rollback_all() undoes it.
 */
void luo_flb_serialize_all(struct luo_array *array)
{
	struct kho_block_set_it it;
	struct luo_flb_out *out;
	struct luo_flb_ser *ser;
	u64 count = 0;

	lockdep_assert_held_write(&luo_state_lock);

	luo_flb_freeze_all();

	guard(mutex)(&luo_flb_lock);

	kho_block_set_it_init(&it, &luo_flb_blocks);
	list_for_each_entry(out, &luo_flbs, list) {
		if (!out->preserved)
			continue;
		/* Cannot fail: preserve has made room for a record. */
		ser = kho_block_set_it_reserve_entry(&it);
		strscpy_pad(ser->name, out->name);
		ser->data = out->data;
		ser->count = out->files;
		count++;
	}
	luo_handover_seal_blocks(&luo_flb_blocks, "");
	luo_array_from_blocks(&luo_flb_blocks, count, array);
}

/**
 * luo_flb_rollback_all - undo luo_flb_serialize_all()
 *
 * Context: under luo_state_lock for writing; takes the locks of the FLBs.
 */
void luo_flb_rollback_all(void)
{
	struct luo_flb_out *out;
	u64 seq = 0;

	lockdep_assert_held_write(&luo_state_lock);

	while ((out = luo_flb_next_preserved(&seq))) {
		guard(mutex)(&out->lock);
		out->frozen = false;
		luo_flb_unpreserve(out);
	}
}

static struct luo_flb_link *luo_flb_find_link(struct liveupdate_file_handler *fh,
					      struct liveupdate_flb *flb)
{
	struct luo_flb_link *link;

	list_for_each_entry(link, &ACCESS_PRIVATE(fh, flbs), list) {
		if (link->out->self == flb)
			return link;
	}
	return NULL;
}

static struct luo_flb_out *luo_flb_find_out(const char *name)
{
	struct luo_flb_out *out;

	list_for_each_entry(out, &luo_flbs, list) {
		if (!strcmp(out->name, name))
			return out;
	}
	return NULL;
}

/*
 * What there is of the name of @flb; it is @flb's from now on. -EEXIST if other shared
 * state has it. @new is used if there is nothing yet.
 */
static struct luo_flb_out *luo_flb_add(struct liveupdate_flb *flb,
				       struct luo_flb_out **new)
{
	struct luo_flb_out *out = luo_flb_find_out(flb->compatible);

	if (out && out->self)
		return out->self == flb ? out : ERR_PTR(-EEXIST);
	if (out) {
		list_move_tail(&out->list, &luo_flbs);
	} else {
		out = no_free_ptr(*new);
		strscpy(out->name, flb->compatible);
		luo_flb_lock_init(&out->lock, &out->key, out->name);
		INIT_LIST_HEAD(&out->links);
		list_add_tail(&out->list, &luo_flbs);
	}
	out->self = flb;
	out->seq = ++luo_flb_seq;
	WRITE_ONCE(ACCESS_PRIVATE(flb, private).out, out);
	return out;
}

/**
 * luo_flb_register - register an FLB with a handler
 * @fh:	 the handler, registered
 * @flb: the FLB, checked
 *
 * Context: may sleep, takes luo_flb_lock.
 * Return: 0; -EEXIST if @flb is registered with this handler, or if another FLB has its
 *	   compatible string; -ENOMEM.
 */
int luo_flb_register(struct liveupdate_file_handler *fh,
		     struct liveupdate_flb *flb)
{
	struct luo_flb_link *link __free(kfree) = kzalloc_obj(*link);
	struct luo_flb_out *new __free(kfree) = kzalloc_obj(*new);
	struct luo_flb_out *out;

	if (!link || !new)
		return -ENOMEM;

	guard(mutex)(&luo_flb_lock);

	if (luo_flb_find_link(fh, flb))
		return -EEXIST;
	out = luo_flb_add(flb, &new);
	if (IS_ERR(out))
		return PTR_ERR(out);

	link->fh = fh;
	link->out = out;
	link->seq = ++luo_flb_seq;
	list_add_tail(&link->list, &ACCESS_PRIVATE(fh, flbs));
	list_add_tail(&no_free_ptr(link)->of_flb, &out->links);
	out->handlers++;
	return 0;
}

static void luo_flb_unlink(struct luo_flb_link *link)
{
	struct luo_flb_out *out = link->out;

	list_del(&link->list);
	list_del(&link->of_flb);
	kfree(link);
	out->handlers--;
	luo_flb_delist(out);
}

/**
 * luo_flb_unregister - unregister an FLB from a handler
 * @fh:	 the handler
 * @flb: the FLB
 *
 * Context: may sleep, takes luo_flb_lock.
 */
void luo_flb_unregister(struct liveupdate_file_handler *fh,
			struct liveupdate_flb *flb)
{
	struct luo_flb_link *link;

	guard(mutex)(&luo_flb_lock);

	link = luo_flb_find_link(fh, flb);
	if (link)
		luo_flb_unlink(link);
}

/**
 * luo_flb_unregister_all - a handler is unregistered
 * @fh: the handler
 *
 * Context: may sleep, takes luo_flb_lock.
 */
void luo_flb_unregister_all(struct liveupdate_file_handler *fh)
{
	struct luo_flb_link *link, *next;

	guard(mutex)(&luo_flb_lock);

	list_for_each_entry_safe(link, next, &ACCESS_PRIVATE(fh, flbs), list)
		luo_flb_unlink(link);
}

/**
 * luo_flb_pin_last - the shared state that was registered last, of those before
 * @before: a number of luo_flb_pin.seq, U64_MAX for the very last
 * @module: of that module only, NULL for any
 * @pin:    set to it; its module is pinned if that can be
 *
 * Context: takes luo_flb_lock.
 * Return: true if there is one; @pin->flb is NULL if its module does not live.
 */
bool luo_flb_pin_last(u64 before, const struct module *module,
		      struct luo_flb_pin *pin)
{
	struct luo_flb_out *out;

	guard(mutex)(&luo_flb_lock);

	list_for_each_entry_reverse(out, &luo_flbs, list) {
		if (!out->self || out->seq >= before ||
		    (module && out->self->ops->owner != module))
			continue;
		luo_flb_pin_out(pin, out);
		pin->seq = out->seq;
		return true;
	}
	return false;
}

static struct luo_flb_out *luo_flb_out(struct liveupdate_flb *flb)
{
	return READ_ONCE(ACCESS_PRIVATE(flb, private).out);
}

/**
 * liveupdate_flb_get_outgoing - the object that will be handed over
 * @flb:  the shared state
 * @objp: set to the object, which stays until liveupdate_flb_put_outgoing()
 *
 * Context: may sleep; in an operation of other shared state, too, but not in one of
 *	    @flb.
 * Return: 0; -EOPNOTSUPP if live update is off; -ENOENT if no preserved file
 *	   depends on it.
 */
int liveupdate_flb_get_outgoing(struct liveupdate_flb *flb, void **objp)
{
	struct luo_flb_out *out;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;
	out = luo_flb_out(flb);
	if (!out)
		return -ENOENT;

	guard(mutex)(&out->lock);

	if (!out->preserved || out->self != flb)
		return -ENOENT;

	out->users++;
	*objp = out->obj;
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
	struct luo_flb_out *out = luo_flb_out(flb);

	if (WARN_ON_ONCE(!out))
		return;

	guard(mutex)(&out->lock);

	if (WARN_ON_ONCE(!out->users))
		return;

	out->users--;
	luo_flb_unpreserve(out);
}
EXPORT_SYMBOL_GPL(liveupdate_flb_put_outgoing);
