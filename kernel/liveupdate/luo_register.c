// SPDX-License-Identifier: GPL-2.0

/*
 * The registration of file handlers and FLBs, which is where the two meet. Subsystems
 * register in luo_subsystem.c.
 */

#include <linux/errno.h>
#include <linux/export.h>
#include <linux/rcupdate.h>

#include "luo_call.h"
#include "luo_flb.h"
#include "luo_handler.h"
#include "luo_module.h"

/**
 * liveupdate_register_file_handler - register a handler for one kind of file
 * @fh: the handler; it still belongs to the caller and must exist until it is
 *	unregistered
 *
 * Context: may sleep; any time after early parameters are parsed.
 * Return: 0; -EOPNOTSUPP if live update is off; -EINVAL if a required operation is
 *	   missing or the compatible string is empty or unterminated; -EEXIST if a
 *	   handler with that string is registered.
 */
int liveupdate_register_file_handler(struct liveupdate_file_handler *fh)
{
	int err;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;

	if (!luo_call_has_required(LUO_KIND_HANDLER, fh->ops) ||
	    !luo_string_ok(fh->compatible, sizeof(fh->compatible)))
		return -EINVAL;

	err = luo_handler_register(fh);
	if (err)
		return err;

	liveupdate_test_register(fh);
	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_register_file_handler);

/**
 * liveupdate_unregister_file_handler - unregister a handler
 * @fh: a registered handler
 *
 * A module calls it when it is unloaded, which cannot happen while one of its files
 * is preserved or incoming. All FLBs are unregistered from the handler. Does nothing if
 * live update is off.
 *
 * Context: may sleep.
 */
void liveupdate_unregister_file_handler(struct liveupdate_file_handler *fh)
{
	if (!liveupdate_enabled())
		return;

	luo_handler_unregister(fh);
	luo_flb_unregister_all(fh);
	/* A walk of the files may still read its compatible string. */
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(liveupdate_unregister_file_handler);

/**
 * liveupdate_register_flb - make the files of a handler depend on an FLB
 * @fh:	 the handler, registered
 * @flb: the FLB; it still belongs to the caller and must exist until it is
 *	 unregistered from its last handler and, if it was preserved, its unpreserve has
 *	 returned, which may be later than the last liveupdate_flb_put_outgoing()
 *
 * Files that are preserved already do not depend on it. If the last incoming session
 * is finished already, what was handed over for the FLB is retrieved and finished
 * before this function returns, or once the init of the calling module has succeeded.
 * A caller that wants the object gets it first.
 *
 * Context: may sleep; the caller holds no lock that an operation of @flb takes.
 * Return: 0; -EOPNOTSUPP if live update is off; -EINVAL if the handler is not
 *	   registered, an operation is missing, or the compatible string is empty or
 *	   unterminated; -EEXIST if @flb is registered with this handler, or if another
 *	   FLB has its string; -ENOMEM.
 */
int liveupdate_register_flb(struct liveupdate_file_handler *fh,
			    struct liveupdate_flb *flb)
{
	int err;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;

	if (!luo_call_has_required(LUO_KIND_FLB, flb->ops) ||
	    !luo_handler_registered(fh) ||
	    !luo_string_ok(flb->compatible, sizeof(flb->compatible)))
		return -EINVAL;

	err = luo_flb_register(fh, flb);
	if (err)
		return err;

	/* Otherwise luo_flb_module_live() does it. */
	if (luo_module_live(flb->ops->owner))
		luo_flb_try_finish(flb);
	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_register_flb);

/**
 * liveupdate_unregister_flb - make the files of a handler independent of an FLB
 * @fh:	 the handler
 * @flb: the FLB, registered with it
 *
 * A module calls it when it is unloaded, which cannot happen while its FLB is
 * preserved, or retrieved and not finished. Does nothing if live update is off.
 *
 * Context: may sleep; no file of the handler may be preserved.
 */
void liveupdate_unregister_flb(struct liveupdate_file_handler *fh,
			       struct liveupdate_flb *flb)
{
	if (liveupdate_enabled())
		luo_flb_unregister(fh, flb);
}
EXPORT_SYMBOL_GPL(liveupdate_unregister_flb);
