// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: File handlers
 *
 * A file handler saves and restores one kind of file. Once it is registered, any file
 * of that kind can be preserved, and any file that a previous kernel handed over under
 * the compatible string of the handler can be retrieved, even if the module of the
 * handler is loaded long after boot. While the init of that module runs, the handler is
 * not used, as the init may still fail.
 *
 * A file pins the module of its handler from preserve on, or from when an incoming file
 * finds its handler, until LUO releases the file.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>
#include <linux/list_private.h>
#include <linux/rwsem.h>
#include <linux/string.h>

#include "luo_call.h"
#include "luo_handler.h"
#include "luo_module.h"
#include "luo_recorder.h"

static DECLARE_RWSEM(luo_handler_lock);
static LIST_HEAD(luo_handlers);

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

/**
 * luo_handler_registered - check whether this handler is registered
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
 * luo_handler_get_for - find and pin the handler that takes a file
 * @call: what the handlers are asked for; its handler is changed
 * @file: the file
 *
 * Context: takes luo_handler_lock, may sleep.
 * Return: the handler, to be released with luo_handler_put(), or ERR_PTR(-ENOENT) if
 *	   none takes the file.
 */
struct liveupdate_file_handler *luo_handler_get_for(struct luo_call *call,
						    struct file *file)
{
	struct liveupdate_file_handler *fh;

	guard(rwsem_read)(&luo_handler_lock);

	list_private_for_each_entry(fh, &luo_handlers, list) {
		if (!luo_module_get(fh->ops->owner))
			continue;
		call->compatible = fh->compatible;
		call->slot = ACCESS_PRIVATE(fh, slot);
		if (luo_call_can_preserve(call, fh, file))
			return fh;
		module_put(fh->ops->owner);
	}
	return ERR_PTR(-ENOENT);
}

/**
 * luo_handler_get - find and pin the handler with a compatible string
 * @compatible: the string, zero-terminated
 *
 * Context: takes luo_handler_lock, may sleep.
 * Return: the handler, to be released with luo_handler_put(), or NULL if none is
 *	   registered (yet).
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
