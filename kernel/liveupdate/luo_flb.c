// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: File-lifecycle-bound state
 *
 * File-lifecycle-bound state (FLB) is state that several files need and that belongs to
 * none of them, like the tables of an IOMMU, which all devices behind it need. An FLB
 * is registered with the handlers of these files. It is preserved with the first file
 * that depends on it, before the preserve of the file itself, and unpreserved with the
 * last one, after the unpreserve of the file itself. luo_flb_in.c has the incoming side.
 *
 * The object of an FLB has users, which get and put it, on either side: unpreserve and
 * finish wait for the last put. An FLB that has only users is handed over, too.
 *
 * A file depends on the FLBs that are registered with its handler when it is preserved,
 * and not on later ones: registrations and files have increasing numbers.
 *
 * If the preserve of an FLB fails, so does that of the file, and the FLBs that were
 * preserved for it are unpreserved in reverse order.
 *
 * An operation of an FLB may get the object of another one. So each FLB has locks of its
 * own, one for each direction, held across its operations. The entry of a name is never
 * freed, so a task that waits for such a lock needs no reference; there are as many
 * entries as names. The module is pinned while one of its operations is called.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_call.h"
#include "luo_flb.h"
#include "luo_module.h"
#include "luo_seal.h"

DEFINE_MUTEX(luo_flb_lock); /* which FLBs are registered with which handlers */
static LIST_HEAD(luo_flbs);
static u64 luo_flb_seq = 1;
VISIBLE_IF_KUNIT u64 luo_nr_flbs; /* preserved FLBs */
static struct luo_flb_header_ser *luo_flb_block; /* their records, one preserved page */

/**
 * luo_flb_init - set up the records of FLBs
 *
 * Context: once, at boot.
 * Return: 0, or a negative errno of the allocation or of KHO.
 */
int luo_flb_init(void)
{
	void *block = kho_alloc_preserve(KHO_BLOCK_SIZE);

	if (IS_ERR(block))
		return PTR_ERR(block);

	luo_flb_block = block;
	return 0;
}

/**
 * luo_flb_exit - free what luo_flb_init() has set up
 *
 * Context: at boot, if live update is turned off.
 */
void __init luo_flb_exit(void)
{
	if (luo_flb_block)
		kho_unpreserve_free(luo_flb_block);
	luo_flb_block = NULL;
}

/*
 * Count one more record. -ENODEV if @flb was unregistered meanwhile, -ENOSPC if the block
 * is full.
 */
static int luo_flb_count(struct luo_flb_out *out, struct liveupdate_flb *flb)
{
	guard(mutex)(&luo_flb_lock);

	if (out->self != flb)
		return -ENODEV;
	if (luo_nr_flbs == LUO_FLBS_PER_BLOCK)
		return -ENOSPC;

	luo_nr_flbs++;
	out->preserved = true;
	return 0;
}

/* An FLB without a handler is known only as long as it is preserved. */
static void luo_flb_delist(struct luo_flb_out *out)
{
	lockdep_assert_held(&luo_flb_lock);

	if (list_empty(&out->links) && !out->preserved)
		out->self = NULL;
}

static void luo_flb_uncount(struct luo_flb_out *out)
{
	guard(mutex)(&luo_flb_lock);

	out->preserved = false;
	luo_flb_delist(out);
	luo_nr_flbs--;
}

/* For the first file that depends on it. The caller pins the module of @flb. */
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

/* Unless its record is written, a file depends on it, or it has a user. */
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

	/* Its operations may take long; an agent that waits for them can be killed. */
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
 * luo_flb_unpin - unpin the module of an FLB
 * @pin: from one of luo_flb_pin_*()
 */
void luo_flb_unpin(struct luo_flb_pin *pin)
{
	if (pin->flb)
		module_put(pin->flb->ops->owner);
}

/**
 * luo_flb_pin_prev - find and pin the last FLB of a handler up to a number
 * @fh:  the handler
 * @seq: the number
 * @pin: set to the FLB
 *
 * Context: takes luo_flb_lock.
 * Return: true if one is found; @pin->flb is NULL if its module is not live.
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

/* Like luo_flb_pin_prev(), but the first FLB after number @after and up to @seq. */
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
 * luo_flb_file_preserve - preserve the FLBs that a file depends on
 * @fh:  handler of the file
 * @seq: set to the number of the file, for luo_flb_file_unpreserve()
 *
 * Context: may sleep, takes the locks of the FLBs.
 * Return: 0; -ENODEV if the module of an FLB is being loaded or unloaded; -ENOSPC if
 *	   LUO_FLBS_PER_BLOCK are preserved; -EINTR if the caller is killed; or what
 *	   the preserve of an FLB returned.
 */
int luo_flb_file_preserve(struct liveupdate_file_handler *fh, u64 *seq)
{
	struct luo_flb_pin pin;
	u64 done = 0;
	int err;

	/* An FLB with this number, if it is being registered, is waited for below. */
	*seq = READ_ONCE(luo_flb_seq);
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
 * luo_flb_file_unpreserve - undo luo_flb_file_preserve()
 * @fh:  handler of the file
 * @seq: from luo_flb_file_preserve()
 *
 * Context: may sleep, takes the locks of the FLBs.
 */
void luo_flb_file_unpreserve(struct liveupdate_file_handler *fh, u64 seq)
{
	struct luo_flb_pin pin;

	/* Their modules are pinned while they are preserved. */
	while (luo_flb_pin_prev(fh, seq, &pin)) {
		luo_flb_del_file(pin.out);
		luo_flb_unpin(&pin);
		seq = pin.seq - 1;
	}
}

/* The first preserved FLB whose number is greater than *@seq, which is set to it. */
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

/* No FLB is unpreserved from here on. Waits for one that is being unpreserved. */
static void luo_flb_freeze_all(void)
{
	struct luo_flb_out *out;
	u64 seq = 0;

	while ((out = luo_flb_next_preserved(&seq))) {
		guard(mutex)(&out->lock);
		out->frozen = out->preserved;
	}
}

/* Context: under luo_flb_lock. */
static void luo_flb_serialize(const struct luo_flb_out *out, u64 owner,
			      struct luo_flb_ser *ser)
{
	u32 attr = out->files ? 0 : LUO_ATTR_NO_FILE;

	strscpy_pad(ser->name, out->name);
	ser->data = out->data;
	ser->count = out->files ?: 1;
	*luo_file_word(ser) = luo_sum(luo_sum_string(owner, ser->name, sizeof(ser->name)),
				      ser->data, ser->count, attr, attr);
}

static void luo_flb_seal(u64 count)
{
	struct luo_seal seal;

	if (luo_seal_done(luo_flb_block, 0, count))
		return;
	luo_seal_init(&seal, LUO_DIR_OUT, LUO_ARRAY_FLBS, "");
	luo_seal_block(&seal, luo_flb_block, 0, 0, count);
}

/**
 * luo_flb_serialize_all - fill the records of all preserved FLBs
 * @array: set to where the records are
 * @last:  all sessions are frozen; else only the array is set and its block sealed, as
 *	   they will be if no FLB is preserved or unpreserved any more
 *
 * This includes FLBs on which no file depends (any more), as another FLB may use them.
 * liveupdate_flb_put_outgoing() does not unpreserve any FLB from here on if @last.
 *
 * Context: under luo_state_lock for writing; takes luo_flb_lock and, if @last, the locks
 *	    of the FLBs. luo_flb_rollback_all() undoes it then.
 */
void luo_flb_serialize_all(struct luo_array *array, bool last)
{
	struct luo_flb_ser *ser = (struct luo_flb_ser *)(luo_flb_block + 1);
	struct luo_flb_out *out;
	struct luo_seal seal;
	u64 count = 0;

	lockdep_assert_held_write(&luo_state_lock);

	if (last)
		luo_flb_freeze_all();

	guard(mutex)(&luo_flb_lock);

	list_for_each_entry(out, &luo_flbs, list) {
		/* It may change without @last, and is read again with it. */
		if (!data_race(out->preserved))
			continue;
		if (last && !count)
			luo_seal_init(&seal, LUO_DIR_OUT, LUO_ARRAY_FLBS, "");
		/* There is room: preserve counts the records. */
		if (last)
			luo_flb_serialize(out, seal.owner, &ser[count]);
		count++;
	}
	luo_flb_block->pgcnt = 1;
	luo_flb_block->count = count;
	luo_flb_seal(count);
	*array = (struct luo_array){
		.data = virt_to_phys(luo_flb_block), .pgcnt = 1, .count = count,
	};
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
 * Find or make the entry for the name of @flb, and make @flb its FLB. *@new is used if
 * the name has no entry. -EEXIST if the entry belongs to another FLB.
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
	WRITE_ONCE(luo_flb_seq, luo_flb_seq + 1);
	out->seq = luo_flb_seq;
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
	WRITE_ONCE(luo_flb_seq, luo_flb_seq + 1);
	link->seq = luo_flb_seq;
	list_add_tail(&link->list, &ACCESS_PRIVATE(fh, flbs));
	list_add_tail(&no_free_ptr(link)->of_flb, &out->links);
	return 0;
}

static void luo_flb_unlink(struct luo_flb_link *link)
{
	struct luo_flb_out *out = link->out;

	list_del(&link->list);
	list_del(&link->of_flb);
	kfree(link);
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
 * luo_flb_unregister_all - unregister all FLBs from a handler
 * @fh: the handler, which is being unregistered
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
 * luo_flb_pin_last - find and pin the last registered FLB before a number
 * @before: the number, a &luo_flb_pin.seq, or U64_MAX for the very last one
 * @module: consider only FLBs of this module; NULL for those of any
 * @pin:    set to the FLB
 *
 * Context: takes luo_flb_lock.
 * Return: true if one is found; @pin->flb is NULL if its module is not live.
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
 * liveupdate_flb_get_outgoing - get the object that is going to be handed over
 * @flb:  the FLB
 * @objp: set to the object, which is valid until liveupdate_flb_put_outgoing()
 *
 * Context: may sleep; may be called from an operation of another FLB, but not from one
 *	    of @flb.
 * Return: 0; -EOPNOTSUPP if live update is off; -ENOENT if @flb is not preserved.
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
 * liveupdate_flb_put_outgoing - release the object
 * @flb: the FLB
 *
 * The last put unpreserves the FLB if no file depends on it. While reboot(KEXEC)
 * serializes the handover, the FLB stays preserved; it is unpreserved if reboot() fails.
 *
 * Context: may sleep; called once for each successful get.
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
