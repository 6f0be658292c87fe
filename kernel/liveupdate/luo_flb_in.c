// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Incoming shared state
 *
 * load keeps a record of what the previous kernel handed over. It is retrieved
 * when somebody asks for it, which may be before its owner registers it with a
 * handler, and finished with the last file that depended on it, after that
 * file's own finish.
 *
 * A record that no file depends on was handed over for another FLB that uses it. As
 * the record does not say which, it stays until no incoming file is left.
 *
 * The record says how many files depend on it, but not which. A handler may be
 * registered with it here that was not there, and some of its files may be older
 * than its registration; so it stays until no file of any of its handlers is
 * left, too, and none that is still without its handler.
 *
 * Unhappy paths: a retrieve that failed keeps failing, and there is no finish
 * then. Whatever is left of the files that depend on it when the machine has
 * finished (a handler that never came took files with it) does not count any
 * more, and the state is finished then, or when its owner comes, or lets go of
 * it.
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

/**
 * struct luo_flb_in - shared state that was handed over
 * @list:     in the order of the handover, for good
 * @name:     its compatible string
 * @lock:     guards the rest, held for its operations
 * @key:      a lock class of its own, as an operation may take the lock of another
 * @data:     what preserve returned
 * @obj:      what retrieve returned
 * @flb:      who retrieved it and has it to finish, pinned; or NULL
 * @files:    files that depend on it and are not finished
 * @no_file:  no file depended on it in the previous kernel
 * @users:    callers of liveupdate_flb_get_incoming() that did not put yet
 * @status:   0, 1 once it is retrieved, or the errno of the failed retrieve
 * @finished: it is over
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

VISIBLE_IF_KUNIT void luo_flb_deserialize(const void *record, void *data)
{
	const struct luo_flb_ser *ser = record;
	struct luo_flb_in *in;

	if (!luo_string_ok(ser->name, sizeof(ser->name))) {
		luo_handover_reject("flb", "", 0, "bad-name");
		return;
	}

	if (luo_flb_find_in(ser->name)) {
		luo_handover_reject("flb", ser->name, 0, "duplicate-name");
		return;
	}
	in = kzalloc_obj(*in);
	if (!in) {
		luo_handover_reject("flb", ser->name, 0, "no-memory");
		return;
	}
	strscpy(in->name, ser->name);
	luo_flb_lock_init(&in->lock, &in->key, in->name);
	in->data = ser->data;
	in->files = ser->count;
	in->no_file = !ser->count;
	list_add_tail(&in->list, &luo_flbs_in);
}

/**
 * luo_flb_deserialize_all - read what the previous kernel handed over as shared state
 * @array: where the records are; they are gone after it
 *
 * What cannot be understood is reported and left out.
 *
 * Context: once, at boot.
 * Return: blocks, at least, that were not read and stay reserved.
 */
u64 luo_flb_deserialize_all(const struct luo_array *array)
{
	guard(mutex)(&luo_flb_lock);

	return luo_handover_read_array(array, sizeof(struct luo_flb_ser), "flb",
				       "", luo_flb_deserialize, NULL).left;
}

/* The one after @in, the first one for NULL; they stay for good. */
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
	/* Its owner may ask while it is being loaded, see luo_flb_module_going(). */
	if (!try_module_get(flb->ops->owner))
		return -ENODEV;

	err = luo_call_flb(flb, LUO_OP_RETRIEVE, &in->data, &in->obj);
	in->status = err ?: 1;
	if (err) {
		pr_err("shared state '%s' cannot be retrieved: %pe\n",
		       flb->compatible, ERR_PTR(err));
		module_put(flb->ops->owner);
	} else {
		in->flb = flb;
	}
	return err;
}

/* Whether a file is left that may depend on it. */
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

/* Finish it unless a file may depend on it or somebody uses it. */
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

	in->finished = true;
	if (err)
		return;
	luo_call_flb(flb, LUO_OP_FINISH, &in->data, &in->obj);
	in->flb = NULL;
	module_put(flb->ops->owner);
}

/**
 * luo_flb_file_incoming - an incoming file is there; luo_flb_file_finish() follows
 * @fh: its handler, NULL if that is not there (yet)
 *
 * Context: any.
 */
void luo_flb_file_incoming(struct liveupdate_file_handler *fh)
{
	atomic_long_inc(fh ? &ACCESS_PRIVATE(fh, incoming) : &luo_orphans);
}

/**
 * luo_flb_file_bind - an incoming file has found its handler
 * @fh: the handler
 *
 * Context: may sleep, takes luo_flb_lock: nobody sees it counted at neither.
 */
void luo_flb_file_bind(struct liveupdate_file_handler *fh)
{
	guard(mutex)(&luo_flb_lock);

	atomic_long_dec(&luo_orphans);
	atomic_long_inc(&ACCESS_PRIVATE(fh, incoming));
}

/* One file less depends on it; what is not there is finished when it comes. */
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
 * luo_flb_file_finish - an incoming file is finished
 * @fh: its handler, NULL if that did not come
 *
 * Context: may sleep, takes the locks of the shared state.
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

/**
 * luo_flb_finish_all - no incoming file is left
 *
 * Context: under luo_state_lock for writing; takes the locks of the shared state.
 */
void luo_flb_finish_all(void)
{
	struct luo_flb_pin pin;
	u64 before = U64_MAX;
	struct luo_flb_in *in;

	WRITE_ONCE(luo_flbs_over, true);
	for (in = luo_flb_next_in(NULL); in; in = luo_flb_next_in(in)) {
		guard(mutex)(&in->lock);
		in->files = 0;
	}
	while (luo_flb_pin_last(before, NULL, &pin)) {
		if (pin.flb)
			luo_flb_try_finish(pin.flb);
		luo_flb_unpin(&pin);
		before = pin.seq;
	}
	/* Somebody asked for these and never registered them. */
	for (in = luo_flb_next_in(NULL); in; in = luo_flb_next_in(in)) {
		guard(mutex)(&in->lock);
		if (in->flb)
			luo_flb_finish(in->flb, in);
	}
}

/**
 * luo_flb_try_finish - finish what was handed over for shared state, if it is time to
 * @flb: registered, its module pinned or being loaded by the caller
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
 * luo_flb_module_live - the init of a module has succeeded
 * @module: the module
 *
 * Context: may sleep, takes the locks of its shared state.
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
 * luo_flb_module_going - a module is about to be freed
 * @module: the module
 *
 * One that can be unloaded has nothing to finish. One whose init failed may have asked
 * for its object in it: that is over then, as nobody could be told to finish it later.
 *
 * Context: may sleep, takes the locks of its shared state.
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
		in->finished = true;
		luo_call_flb(in->flb, LUO_OP_FINISH, &in->data, &in->obj);
		in->flb = NULL;
	}
}

/**
 * liveupdate_flb_get_incoming - the object that was handed over
 * @flb:  the shared state
 * @objp: set to the object, which stays until liveupdate_flb_put_incoming()
 *
 * The first call has it retrieved. From then on @flb must live until its finish,
 * registered or not; its owner is pinned for that.
 *
 * Context: may sleep; in an operation of other shared state, too, but not in one of
 *	    @flb. From the time on when the pure initcalls are done.
 * Return: 0; -EOPNOTSUPP if live update is off; -ENODATA if no shared state was
 *	   handed over, or this one is finished; -ENOENT if others were handed
 *	   over, but this one was not; -ENODEV if its module is on its way out;
 *	   or what its retrieve returned, now or the first time.
 */
int liveupdate_flb_get_incoming(struct liveupdate_flb *flb, void **objp)
{
	struct luo_flb_in *in;
	int err;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;

	in = luo_flb_get_in(flb->compatible);
	if (!in)
		return luo_flb_next_in(NULL) ? -ENOENT : -ENODATA;

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
 * liveupdate_flb_put_incoming - the object is not used any more
 * @flb: the shared state
 *
 * Context: may sleep; once for each successful get.
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
