// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Subsystems
 *
 * A subsystem is a part of the kernel with state that is not in any file. It hands one
 * u64 over: prepare returns it, freeze may change it, and boot receives it in the next
 * kernel, whether the subsystem registers before or after LUO has read the handover. The
 * boot of a module is called once the init of the module has succeeded, so that an init
 * that fails does not lose the value. finish is called when the last incoming session is
 * finished, or right after boot if that happened earlier.
 *
 * What a subsystem needs in this kernel only is its private data. LUO keeps one pointer
 * from prepare to cancel and another one from boot to finish, as a live update may be
 * prepared before the one before is finished.
 *
 * Subsystems are called in order of registration; they prepare before the sessions and
 * freeze after them. Operations that undo or finish are called in reverse order.
 *
 * A prepare or a freeze that fails is undone for the subsystems before it; the others
 * are not called. The value of a subsystem that has not registered by the end of boot is
 * reported and kept for it, but not handed over again. A prepared subsystem is cancelled
 * when it is unregistered; a frozen one belongs to the next kernel and is not called.
 *
 * Everything here runs under luo_state_lock for writing, or at boot.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <kunit/visibility.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_call.h"
#include "luo_handover.h"
#include "luo_module.h"
#include "luo_recorder.h"
#include "luo_reject.h"
#include "luo_subsystem.h"
#include "luo_trace.h"

/**
 * struct luo_subsystem_in - value that the previous kernel handed over for a subsystem
 * @list:  in the order of the handover
 * @name:  of the subsystem
 * @data:  the value
 * @private_data: the subsystem's own, from boot to finish
 * @taken: boot was called with it
 */
struct luo_subsystem_in {
	struct list_head list;
	char name[LIVEUPDATE_SUBSYSTEM_NAME_LENGTH];
	u64 data;
	void *private_data;
	bool taken;
};

static LIST_HEAD(luo_subsystems);
static LIST_HEAD(luo_subsystems_in);
VISIBLE_IF_KUNIT bool luo_subsystems_over; /* the last incoming session is finished */
static atomic_t luo_subsystems_waiting; /* subsystems whose module is in its init */

static void luo_subsystem_failed(struct luo_subsystem_private *s, int err)
{
	pr_err("subsystem '%s' failed: %pe\n", s->self->name, ERR_PTR(err));
}

static void luo_subsystem_trace_state(const char *name, enum luo_dir dir,
				      enum liveupdate_state old,
				      enum liveupdate_state new, u32 event, int ret)
{
	luo_emit(luo_subsystem_state, luo_number(dir), name, dir, old, new, event, ret);
}

/* The outgoing state changes to @state or, if @ret is an errno, fails to. */
static void luo_subsystem_change_state(struct luo_subsystem_private *s,
				       enum liveupdate_state state, u32 event, int ret)
{
	enum liveupdate_state old = s->state;

	s->state = state;
	luo_subsystem_trace_state(s->self->name, LUO_DIR_OUT, old, state, event, ret);
}

/* Call an outgoing operation. */
static int luo_subsystem_call(struct luo_subsystem_private *s, enum luo_op op)
{
	return luo_call_subsystem(s->self, op, &s->data, &s->private_data);
}

static int luo_subsystem_prepare(struct luo_subsystem_private *s)
{
	int err;

	/* Being loaded, or about to be unregistered: as if it were not registered. */
	if (!luo_module_get(s->self->ops->owner))
		return 0;

	s->data = 0;
	err = luo_subsystem_call(s, LUO_OP_PREPARE);
	if (err)
		module_put(s->self->ops->owner);
	luo_subsystem_change_state(s, err ? s->state : LIVEUPDATE_STATE_PREPARED,
				   LIVEUPDATE_PREPARE, err);
	return err;
}

static int luo_subsystem_freeze(struct luo_subsystem_private *s)
{
	int err = luo_subsystem_call(s, LUO_OP_FREEZE);

	luo_subsystem_change_state(s, err ? s->state : LIVEUPDATE_STATE_FROZEN,
				   LIVEUPDATE_FREEZE, err);
	return err;
}

static void luo_subsystem_unfreeze(struct luo_subsystem_private *s)
{
	luo_subsystem_call(s, LUO_OP_UNFREEZE);
	luo_subsystem_change_state(s, LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_CANCEL, 0);
}

static void luo_subsystem_cancel(struct luo_subsystem_private *s)
{
	luo_subsystem_call(s, LUO_OP_CANCEL);
	s->private_data = NULL;
	luo_subsystem_change_state(s, LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_CANCEL, 0);
	module_put(s->self->ops->owner);
}

/* Apply a step to all subsystems in state @from. */
static int luo_subsystem_apply_all(enum liveupdate_state from,
				   int (*step)(struct luo_subsystem_private *s))
{
	struct luo_subsystem_private *s;
	int err;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry(s, &luo_subsystems, list) {
		if (s->state != from)
			continue;
		err = step(s);
		if (err) {
			luo_subsystem_failed(s, err);
			return err;
		}
	}
	return 0;
}

/**
 * luo_subsystem_checkpoint_all - make the current states those to roll back to
 *
 * Context: under luo_state_lock for writing, after a transition that succeeded.
 */
void luo_subsystem_checkpoint_all(void)
{
	struct luo_subsystem_private *s;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry(s, &luo_subsystems, list)
		s->rollback_state = s->state;
}

/**
 * luo_subsystem_prepare_all - prepare the subsystems that are NORMAL
 *
 * Context: under luo_state_lock for writing. luo_subsystem_rollback_all() undoes it,
 *	    even if it fails half-way.
 * Return: 0, or what a prepare returned.
 */
int luo_subsystem_prepare_all(void)
{
	return luo_subsystem_apply_all(LIVEUPDATE_STATE_NORMAL,
				       luo_subsystem_prepare);
}

/**
 * luo_subsystem_freeze_all - freeze all subsystems
 *
 * Context: under luo_state_lock for writing. luo_subsystem_unfreeze_all() undoes it,
 *	    even if it fails half-way.
 * Return: 0, or what a freeze returned.
 */
int luo_subsystem_freeze_all(void)
{
	return luo_subsystem_apply_all(LIVEUPDATE_STATE_PREPARED,
				       luo_subsystem_freeze);
}

/**
 * luo_subsystem_unfreeze_all - undo luo_subsystem_freeze_all(), last first
 *
 * Context: under luo_state_lock for writing.
 */
void luo_subsystem_unfreeze_all(void)
{
	struct luo_subsystem_private *s;

	list_for_each_entry_reverse(s, &luo_subsystems, list) {
		if (s->state == LIVEUPDATE_STATE_FROZEN)
			luo_subsystem_unfreeze(s);
	}
}

/**
 * luo_subsystem_rollback_all - roll the subsystems back, last first, to the states before
 * the global transition
 *
 * Context: under luo_state_lock for writing, after luo_subsystem_unfreeze_all().
 */
void luo_subsystem_rollback_all(void)
{
	struct luo_subsystem_private *s;

	list_for_each_entry_reverse(s, &luo_subsystems, list) {
		if (s->state > s->rollback_state)
			luo_subsystem_cancel(s);
	}
}

/**
 * luo_subsystem_cancel_all - roll all subsystems back to NORMAL, last first
 *
 * Context: under luo_state_lock for writing.
 */
void luo_subsystem_cancel_all(void)
{
	struct luo_subsystem_private *s;

	list_for_each_entry(s, &luo_subsystems, list)
		s->rollback_state = LIVEUPDATE_STATE_NORMAL;
	luo_subsystem_rollback_all();
}

/**
 * luo_subsystem_serialize_all - collect the values that the subsystems hand over
 * @out:   its values are set
 * @state: state of the subsystems that do: FROZEN, or PREPARED if their values may still
 *	   change
 *
 * Context: under luo_state_lock for writing.
 */
void luo_subsystem_serialize_all(struct luo_contents *out,
				 enum liveupdate_state state)
{
	struct luo_subsystem_private *s;

	out->nr_values = 0;
	list_for_each_entry(s, &luo_subsystems, list) {
		if (s->state != state)
			continue;
		out->values[out->nr_values++] = (struct luo_value) {
			.name = s->self->name,
			.data = s->data,
		};
	}
}

static struct luo_subsystem_in *luo_subsystem_find_in(const char *name)
{
	struct luo_subsystem_in *in;

	list_for_each_entry(in, &luo_subsystems_in, list) {
		if (!strcmp(in->name, name))
			return in;
	}
	return NULL;
}

static void luo_subsystem_finish(struct luo_subsystem_private *s)
{
	struct luo_subsystem_in *in = s->booted;

	if (!in)
		return;

	luo_call_subsystem(s->self, LUO_OP_FINISH, &in->data, &in->private_data);
	in->private_data = NULL;
	s->booted = NULL;
	luo_subsystem_trace_state(in->name, LUO_DIR_IN, LIVEUPDATE_STATE_UPDATED,
				  LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_FINISH, 0);
	module_put(s->self->ops->owner);
}

/* Call boot with what was handed over for it, if its module is live. */
static void luo_subsystem_boot(struct luo_subsystem_private *s)
{
	struct luo_subsystem_in *in = luo_subsystem_find_in(s->self->name);

	if (!in || in->taken || !luo_module_get(s->self->ops->owner))
		return;

	in->taken = true;
	s->booted = in;
	luo_recorder_del_reject("subsystem", in->name);
	luo_call_subsystem(s->self, LUO_OP_BOOT, &in->data, &in->private_data);
	luo_subsystem_trace_state(in->name, LUO_DIR_IN, LIVEUPDATE_STATE_NORMAL,
				  LIVEUPDATE_STATE_UPDATED, LUO_EVENT_BOOT, 0);
	if (luo_subsystems_over)
		luo_subsystem_finish(s);
}

VISIBLE_IF_KUNIT const char *luo_subsystem_deserialize(const char *name, u64 data)
{
	struct luo_subsystem_in *in;

	if (luo_subsystem_find_in(name))
		return "duplicate-name";
	in = kzalloc_obj(*in);
	if (!in)
		return "no-memory";

	strscpy(in->name, name);
	in->data = data;
	list_add_tail(&in->list, &luo_subsystems_in);
	return NULL;
}

/**
 * luo_subsystem_deserialize_all - read the values that the previous kernel handed over
 *
 * Context: once, at boot, after luo_handover_read().
 */
void luo_subsystem_deserialize_all(void)
{
	struct luo_subsystem_private *s;

	luo_handover_read_values(luo_subsystem_deserialize);

	list_for_each_entry(s, &luo_subsystems, list)
		luo_subsystem_boot(s);
}

/**
 * luo_subsystem_module_live - boot the subsystems of a module whose init has succeeded
 * @module: the module
 *
 * Context: may sleep; takes luo_state_lock for writing if any module has registered a
 *	    subsystem in an init that was still running.
 */
void luo_subsystem_module_live(const struct module *module)
{
	struct luo_subsystem_private *s;

	/* Its own subsystems have registered before, in the same task. */
	if (!atomic_read(&luo_subsystems_waiting))
		return;

	guard(rwsem_write)(&luo_state_lock);

	list_for_each_entry(s, &luo_subsystems, list) {
		if (!s->waits || s->self->ops->owner != module)
			continue;
		s->waits = false;
		atomic_dec(&luo_subsystems_waiting);
		luo_subsystem_boot(s);
	}
}

/**
 * luo_subsystem_report_all - report values whose subsystem is not registered (yet)
 *
 * Context: once, at the end of boot. Takes luo_state_lock for writing.
 */
void luo_subsystem_report_all(void)
{
	struct luo_subsystem_in *in;

	/* A module may become live at any time. */
	guard(rwsem_write)(&luo_state_lock);

	list_for_each_entry(in, &luo_subsystems_in, list) {
		if (!in->taken)
			luo_handover_reject("subsystem", in->name, 0,
					    "no-subsystem");
	}
}

/**
 * luo_subsystem_finish_all - finish all subsystems after the last incoming session
 *
 * Context: under luo_state_lock for writing.
 */
void luo_subsystem_finish_all(void)
{
	struct luo_subsystem_private *s;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry_reverse(s, &luo_subsystems, list)
		luo_subsystem_finish(s);
	luo_subsystems_over = true;
}

static void luo_subsystem_give_up(const struct luo_subsystem_in *in,
				  enum liveupdate_state state)
{
	luo_subsystem_trace_state(in->name, LUO_DIR_IN, state, LIVEUPDATE_STATE_NORMAL,
				  LIVEUPDATE_FREEZE, -ECANCELED);
}

/**
 * luo_subsystem_give_up_all - trace that incoming values end with this kernel
 *
 * Context: under luo_state_lock for writing, when kexec is certain, or live update is turned
 *	    off at boot.
 */
void luo_subsystem_give_up_all(void)
{
	const struct luo_subsystem_private *s;
	const struct luo_subsystem_in *in;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry(s, &luo_subsystems, list) {
		if (s->booted)
			luo_subsystem_give_up(s->booted, LIVEUPDATE_STATE_UPDATED);
	}
	list_for_each_entry(in, &luo_subsystems_in, list) {
		if (!in->taken)
			luo_subsystem_give_up(in, LIVEUPDATE_STATE_NORMAL);
	}
}

/* It becomes the name of a node in the tree of the handover. */
static bool luo_subsystem_name_ok(const char *name)
{
	const char *c;

	if (!luo_string_ok(name, LIVEUPDATE_SUBSYSTEM_NAME_LENGTH) ||
	    !(islower(*name) || isdigit(*name)))
		return false;

	for (c = name; *c; c++) {
		if (!islower(*c) && !isdigit(*c) && !strchr("-_.", *c))
			return false;
	}
	return true;
}

/**
 * liveupdate_register_subsystem - register a subsystem
 * @subsystem: the subsystem; it still belongs to the caller and must exist until it is
 *	       unregistered
 *
 * If the previous kernel handed a value over for it, its boot operation is called before
 * this function returns, or once the init of the calling module has succeeded.
 *
 * Context: may sleep; any time after early parameters are parsed. Takes
 *	    luo_state_lock for writing.
 * Return: 0; -EOPNOTSUPP if live update is off; -EINVAL if a required operation is
 *	   missing or the name is not valid; -EEXIST if a subsystem of that name is
 *	   registered; -ENOSPC if LIVEUPDATE_SUBSYSTEM_MAX are registered.
 */
int liveupdate_register_subsystem(struct liveupdate_subsystem *subsystem)
{
	struct luo_subsystem_private *new = &ACCESS_PRIVATE(subsystem, private);
	struct luo_subsystem_private *s;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;

	if (!luo_call_has_required(LUO_KIND_SUBSYSTEM, subsystem->ops) ||
	    !luo_subsystem_name_ok(subsystem->name))
		return -EINVAL;

	guard(rwsem_write)(&luo_state_lock);

	list_for_each_entry(s, &luo_subsystems, list) {
		if (!strcmp(s->self->name, subsystem->name))
			return -EEXIST;
	}
	if (list_count_nodes(&luo_subsystems) == LIVEUPDATE_SUBSYSTEM_MAX)
		return -ENOSPC;

	*new = (struct luo_subsystem_private) { .self = subsystem };
	list_add_tail(&new->list, &luo_subsystems);
	new->waits = !luo_module_live(subsystem->ops->owner);
	if (new->waits)
		atomic_inc(&luo_subsystems_waiting);
	else
		luo_subsystem_boot(new);
	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_register_subsystem);

/**
 * liveupdate_unregister_subsystem - unregister a subsystem
 * @subsystem: a registered subsystem
 *
 * The subsystem is cancelled if it is prepared, and finished if it was booted and not
 * finished. A module calls this function when it is unloaded, which cannot happen in
 * these two cases. Does nothing if live update is off.
 *
 * Context: may sleep. Takes luo_state_lock for writing.
 */
void liveupdate_unregister_subsystem(struct liveupdate_subsystem *subsystem)
{
	struct luo_subsystem_private *s = &ACCESS_PRIVATE(subsystem, private);

	if (!liveupdate_enabled())
		return;

	guard(rwsem_write)(&luo_state_lock);

	if (s->state == LIVEUPDATE_STATE_PREPARED)
		luo_subsystem_cancel(s);
	luo_subsystem_finish(s);
	if (s->waits)
		atomic_dec(&luo_subsystems_waiting);
	list_del(&s->list);
	luo_handover_forget_values();
}
EXPORT_SYMBOL_GPL(liveupdate_unregister_subsystem);
