// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Incoming FLBs
 *
 * Each record of an FLB in the handover makes an incoming FLB. It is retrieved when its
 * object is requested, which may be before the FLB registers with a handler, and
 * finished with the last file that depended on it, after the finish of the file itself.
 *
 * A record says how many files depend on the FLB, but not which. In this kernel the FLB
 * may be registered with another handler than in the previous one, and a file of its
 * handler may be older than its registration there. So it also waits for all files of
 * all handlers that it is registered with, and for all files without a handler.
 *
 * No file depends on an FLB that was handed over because another FLB uses it. As its
 * record does not say which one, it is kept until no incoming file is left at all, and
 * finished after those that files depended on. An FLB on which files depend is finished
 * with the last of them, even if another FLB that uses it did not get it yet.
 *
 * A retrieve that fails keeps failing, and finish is not called then. Files that were
 * lost because their handler never registered do not count any more once the last
 * incoming session is finished: the FLB is finished then, or when it registers, or when
 * its last user puts it.
 *
 * Each one ends with an event: luo_flb_exit of its finish, or luo_handover_reject if it
 * could not be retrieved, or is not finished when the kernel is replaced or live update is
 * turned off at boot. Nothing waits for a callback then, so that one which is under way may
 * still be followed by the finish.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_call.h"
#include "luo_flb.h"
#include "luo_reject.h"

/**
 * struct luo_flb_in - an FLB that was handed over
 * @list:     in the order of the handover; an entry is never removed
 * @name:     compatible string of the FLB
 * @lock:     guards the rest, held across its operations
 * @key:      lock class of @lock, as an operation may take the lock of another FLB
 * @data:     value that preserve returned
 * @obj:      object that retrieve returned
 * @flb:      the FLB, its module pinned, between retrieve and finish; NULL otherwise
 * @files:    number of files that depend on it and are not finished
 * @no_file:  no file depended on it in the previous kernel
 * @users:    calls of liveupdate_flb_get_incoming() that are not put yet
 * @status:   0; 1 once it is retrieved; or the negative errno of the failed retrieve
 * @finished: finish was called, or is not going to be called
 */
struct luo_flb_in {
	struct list_head list;
	char name[LIVEUPDATE_FLB_COMPAT_LENGTH];
	struct mutex lock; /* see above */
	struct lock_class_key key;
	u64 data;
	void *obj;
	struct liveupdate_flb *flb;
	u64 files;
	bool no_file;
	u64 users;
	int status;
	bool finished;
};

static LIST_HEAD(luo_flbs_in); /* under luo_flb_lock */
static bool luo_flbs_lost; /* records of some were rejected; set at boot */
VISIBLE_IF_KUNIT bool luo_flbs_over; /* no incoming file is left */
static atomic_long_t luo_orphans; /* incoming files without a handler */

static struct luo_flb_in *luo_flb_find_in(const char *name)
{
	struct luo_flb_in *in;

	lockdep_assert_held(&luo_flb_lock);

	list_for_each_entry(in, &luo_flbs_in, list) {
		if (!strcmp(in->name, name))
			return in;
	}
	return NULL;
}

VISIBLE_IF_KUNIT const char *luo_flb_deserialize(const void *record, const u64 *words,
						 void *data)
{
	const struct luo_flb_ser *ser = record;
	struct luo_flb_in *in;

	if (!luo_string_ok(ser->name, sizeof(ser->name)))
		return "bad-name";
	if (luo_flb_find_in(ser->name))
		return "duplicate-name";
	in = kzalloc_obj(*in);
	if (!in)
		return "no-memory";

	strscpy(in->name, ser->name);
	luo_flb_lock_init(&in->lock, &in->key, in->name);
	in->data = ser->data;
	in->no_file = words && words[0] >> 32 & LUO_ATTR_NO_FILE;
	in->files = in->no_file ? 0 : ser->count;
	list_add_tail(&in->list, &luo_flbs_in);
	return NULL;
}

/**
 * luo_flb_deserialize_all - read the records of FLBs that the previous kernel wrote
 * @array: where the records are; they are freed if they are proven
 *
 * Records that make no sense are reported and skipped.
 *
 * Context: once, at boot.
 * Return: what luo_array_read() returns.
 */
struct luo_blocks luo_flb_deserialize_all(const struct luo_array *array)
{
	struct luo_blocks blocks;

	guard(mutex)(&luo_flb_lock);

	blocks = luo_array_read(array, LUO_ARRAY_FLBS, "", luo_flb_deserialize, NULL);
	luo_flbs_lost = blocks.incomplete;
	return blocks;
}

/* The one after @in, or the first one for NULL. */
static struct luo_flb_in *luo_flb_next_in(struct luo_flb_in *in)
{
	guard(mutex)(&luo_flb_lock);

	if (!in)
		return list_first_entry_or_null(&luo_flbs_in, struct luo_flb_in,
						list);
	return list_is_last(&in->list, &luo_flbs_in) ? NULL :
	       list_next_entry(in, list);
}

static struct luo_flb_in *luo_flb_get_in(const char *name)
{
	guard(mutex)(&luo_flb_lock);

	return luo_flb_find_in(name);
}

static int luo_flb_retrieve(struct liveupdate_flb *flb, struct luo_flb_in *in)
{
	int err;

	lockdep_assert_held(&in->lock);

	if (in->status)
		return min(in->status, 0);
	/* The module may still be in its init, see luo_flb_module_going(). */
	if (!try_module_get(flb->ops->owner))
		return -ENODEV;

	err = luo_call_flb(flb, LUO_OP_RETRIEVE, &in->data, &in->obj);
	in->status = err ?: 1;
	if (err) {
		pr_err("FLB '%s' cannot be retrieved: %pe\n",
		       flb->compatible, ERR_PTR(err));
		module_put(flb->ops->owner);
	} else {
		in->flb = flb;
	}
	return err;
}

/* Whether an incoming file is left that may depend on it. */
static bool luo_flb_awaited(struct liveupdate_flb *flb)
{
	struct luo_flb_out *out;
	struct luo_flb_link *link;

	guard(mutex)(&luo_flb_lock);

	if (atomic_long_read(&luo_orphans))
		return true;
	out = ACCESS_PRIVATE(flb, private).out;
	if (!out || out->self != flb)
		return false;
	list_for_each_entry(link, &out->links, of_flb) {
		if (atomic_long_read(&ACCESS_PRIVATE(link->fh, incoming)))
			return true;
	}
	return false;
}

/* It ends without a call of its finish. */
static void luo_flb_end(struct luo_flb_in *in, const char *reason)
{
	lockdep_assert_held(&in->lock);

	WRITE_ONCE(in->finished, true);
	luo_handover_trace_reject("flb", in->name, 0, reason);
}

/* Unless a file may depend on it or it has a user. */
static void luo_flb_finish(struct liveupdate_flb *flb, struct luo_flb_in *in)
{
	int err;

	lockdep_assert_held(&in->lock);

	if (in->finished || in->files || in->users || luo_flb_awaited(flb))
		return;
	if (in->no_file && !READ_ONCE(luo_flbs_over))
		return;

	err = luo_flb_retrieve(flb, in);
	if (err == -ENODEV && !in->status)
		return;

	if (err) {
		luo_flb_end(in, "not-retrieved");
		return;
	}
	WRITE_ONCE(in->finished, true);
	luo_call_flb(flb, LUO_OP_FINISH, &in->data, &in->obj);
	in->flb = NULL;
	module_put(flb->ops->owner);
}

/**
 * luo_flb_file_incoming - count an incoming file until luo_flb_file_finish()
 * @fh: handler of the file, NULL if it is not registered (yet)
 *
 * Context: any.
 */
void luo_flb_file_incoming(struct liveupdate_file_handler *fh)
{
	atomic_long_inc(fh ? &ACCESS_PRIVATE(fh, incoming) : &luo_orphans);
}

/**
 * luo_flb_file_bind - count an incoming file for the handler that it has found
 * @fh: the handler
 *
 * Context: may sleep; takes luo_flb_lock, so that the file is always counted once.
 */
void luo_flb_file_bind(struct liveupdate_file_handler *fh)
{
	guard(mutex)(&luo_flb_lock);

	atomic_long_dec(&luo_orphans);
	atomic_long_inc(&ACCESS_PRIVATE(fh, incoming));
}

/* If the FLB is not registered, it is finished when it registers. */
static void luo_flb_drop_file(const struct luo_flb_pin *pin)
{
	struct luo_flb_in *in = luo_flb_get_in(pin->out->name);

	if (!in)
		return;

	guard(mutex)(&in->lock);

	if (in->files)
		in->files--;
	if (pin->flb)
		luo_flb_finish(pin->flb, in);
}

/**
 * luo_flb_file_finish - finish the FLBs that no incoming file depends on any more
 * @fh: handler of the file that was finished, NULL if it never registered
 *
 * Context: may sleep, takes the locks of the FLBs.
 */
void luo_flb_file_finish(struct liveupdate_file_handler *fh)
{
	struct luo_flb_pin pin;
	u64 seq = U64_MAX;

	if (!fh) {
		atomic_long_dec(&luo_orphans);
		return;
	}

	scoped_guard(mutex, &luo_flb_lock)
		atomic_long_dec(&ACCESS_PRIVATE(fh, incoming));
	while (luo_flb_pin_prev(fh, seq, &pin)) {
		luo_flb_drop_file(&pin);
		luo_flb_unpin(&pin);
		seq = pin.seq - 1;
	}
}

/* Finish the registered FLBs that nothing keeps, last first. */
static void luo_flb_finish_registered(void)
{
	struct luo_flb_pin pin;
	u64 before = U64_MAX;
	struct luo_flb_in *in;

	while (luo_flb_pin_last(before, NULL, &pin)) {
		in = pin.flb ? luo_flb_get_in(pin.flb->compatible) : NULL;
		if (in) {
			guard(mutex)(&in->lock);
			luo_flb_finish(pin.flb, in);
		}
		luo_flb_unpin(&pin);
		before = pin.seq;
	}
}

/**
 * luo_flb_finish_all - finish all FLBs, as no incoming file is left
 *
 * Context: under luo_state_lock for writing; takes the locks of the FLBs.
 */
void luo_flb_finish_all(void)
{
	struct luo_flb_in *in;

	for (in = luo_flb_next_in(NULL); in; in = luo_flb_next_in(in)) {
		guard(mutex)(&in->lock);
		in->files = 0;
	}
	/* Those with files first: their retrieve may need the others. */
	luo_flb_finish_registered();
	WRITE_ONCE(luo_flbs_over, true);
	luo_flb_finish_registered();
	/* Some were retrieved, but never registered. */
	for (in = luo_flb_next_in(NULL); in; in = luo_flb_next_in(in)) {
		guard(mutex)(&in->lock);
		if (in->flb)
			luo_flb_finish(in->flb, in);
	}
}

static void luo_flb_give_up(struct luo_flb_in *in)
{
	if (READ_ONCE(in->finished))
		return;
	/* A callback that is under way, and may not return, must not hold up the kexec. */
	if (!mutex_trylock(&in->lock)) {
		luo_handover_trace_reject("flb", in->name, 0, "given-up");
		return;
	}
	if (!in->finished)
		luo_flb_end(in, "given-up");
	mutex_unlock(&in->lock);
}

/**
 * luo_flb_give_up_all - trace that incoming FLBs end with this kernel
 *
 * Those that are not finished are not going to be.
 *
 * Context: under luo_state_lock for writing, when kexec is certain, or live update is turned
 *	    off at boot; takes luo_flb_lock, does not wait for the callbacks of FLBs.
 */
void luo_flb_give_up_all(void)
{
	struct luo_flb_in *in;

	/* The reverse of the usual order: the locks of the FLBs are only tried. */
	guard(mutex)(&luo_flb_lock);

	list_for_each_entry(in, &luo_flbs_in, list)
		luo_flb_give_up(in);
}

/**
 * luo_flb_try_finish - finish an FLB if no incoming file is left
 * @flb: the FLB, registered; its module is pinned, or being loaded by the caller
 *
 * Context: may sleep, takes the lock of @flb.
 */
void luo_flb_try_finish(struct liveupdate_flb *flb)
{
	struct luo_flb_in *in = luo_flb_get_in(flb->compatible);

	if (!in || !READ_ONCE(luo_flbs_over))
		return;

	guard(mutex)(&in->lock);

	luo_flb_finish(flb, in);
}

/**
 * luo_flb_module_live - finish the FLBs of a module whose init has succeeded
 * @module: the module
 *
 * Context: may sleep, takes the locks of its FLBs.
 */
void luo_flb_module_live(const struct module *module)
{
	struct luo_flb_pin pin;
	u64 before = U64_MAX;

	while (luo_flb_pin_last(before, module, &pin)) {
		if (pin.flb)
			luo_flb_try_finish(pin.flb);
		luo_flb_unpin(&pin);
		before = pin.seq;
	}
}

/**
 * luo_flb_module_going - finish the FLBs of a module that is about to be freed
 * @module: the module
 *
 * A module that can be unloaded has no FLB to finish. But one whose init failed may have
 * retrieved an object in it, and cannot be called later.
 *
 * Context: may sleep, takes the locks of its FLBs.
 */
void luo_flb_module_going(const struct module *module)
{
	struct luo_flb_in *in;

	for (in = luo_flb_next_in(NULL); in; in = luo_flb_next_in(in)) {
		guard(mutex)(&in->lock);
		if (!in->flb || in->flb->ops->owner != module)
			continue;
		WARN_ON_ONCE(in->users);
		in->users = 0;
		WRITE_ONCE(in->finished, true);
		luo_call_flb(in->flb, LUO_OP_FINISH, &in->data, &in->obj);
		in->flb = NULL;
	}
}

/**
 * liveupdate_flb_get_incoming - get the object that was handed over
 * @flb:  the FLB
 * @objp: set to the object, which is valid until liveupdate_flb_put_incoming()
 *
 * The first call retrieves the object. From then on @flb must exist until it is
 * finished, registered or not; its module is pinned for that time.
 *
 * Context: may sleep; may be called from an operation of another FLB, but not from one
 *	    of @flb. Not before the pure initcalls are done.
 * Return: 0; -EOPNOTSUPP if live update is off; -ENODATA if no FLB was handed over, or
 *	   if this one is finished; -ENOENT if others were handed over, but not this
 *	   one, or if it may be among those that were rejected; -ENODEV if its module is
 *	   being unloaded; or what its retrieve returned, now or the first time.
 */
int liveupdate_flb_get_incoming(struct liveupdate_flb *flb, void **objp)
{
	struct luo_flb_in *in;
	int err;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;

	in = luo_flb_get_in(flb->compatible);
	if (!in)
		return luo_flbs_lost || luo_flb_next_in(NULL) ? -ENOENT : -ENODATA;

	guard(mutex)(&in->lock);

	if (in->finished)
		return in->status < 0 ? in->status : -ENODATA;

	err = luo_flb_retrieve(flb, in);
	if (err)
		return err;

	in->users++;
	*objp = in->obj;
	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_flb_get_incoming);

/**
 * liveupdate_flb_put_incoming - release the object
 * @flb: the FLB
 *
 * Context: may sleep; called once for each successful get.
 */
void liveupdate_flb_put_incoming(struct liveupdate_flb *flb)
{
	struct luo_flb_in *in = luo_flb_get_in(flb->compatible);

	if (WARN_ON_ONCE(!in))
		return;

	guard(mutex)(&in->lock);

	if (WARN_ON_ONCE(!in->users))
		return;

	in->users--;
	luo_flb_finish(flb, in);
}
EXPORT_SYMBOL_GPL(liveupdate_flb_put_incoming);
