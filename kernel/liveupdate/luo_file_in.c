// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Incoming files
 *
 * load makes a file from each record of the handover; retrieve has its handler
 * make the open file again; finish lets go of it.
 *
 * Unhappy paths: a retrieve that fails is remembered and keeps failing; the file
 * still takes part in finish, where its handler learns of it. A file whose
 * handler is not there stays until its handler comes; if the set is finished
 * without it, it is refused and its memory stays out of use until the next live
 * update. finish asks all files first and changes nothing if one cannot.
 */

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kho_base.h"
#include "luo_file.h"
#include "luo_flb.h"
#include "luo_handler.h"
#include "luo_notice.h"
#include "luo_recorder.h"

/* Why a record is refused, or NULL. */
static const char *__luo_file_load(struct luo_file_set *set,
				   const struct luo_file_ser *ser)
{
	char compatible[LIVEUPDATE_HNDL_COMPAT_LENGTH] = "";
	struct liveupdate_file_handler *fh;
	struct luo_file *f;
	int err;

	memcpy(compatible, ser->compatible, sizeof(ser->compatible));
	if (!compatible[0])
		return "bad-compatible";

	fh = luo_handler_get(compatible);
	f = kzalloc_flex(*f, orphan, fh ? 0 : sizeof(compatible));
	if (!f) {
		luo_handler_put(fh);
		return "no-memory";
	}

	f->token.set = set;
	f->token.token = ser->token;
	f->data = ser->data;
	f->fh = fh;
	if (!fh)
		memcpy(f->orphan, compatible, sizeof(compatible));

	err = luo_file_hash_token(f);
	if (err)
		goto err_free;
	err = luo_file_add(f);
	if (err)
		goto err_token;

	luo_flb_file_incoming(fh);
	if (!fh)
		WRITE_ONCE(set->orphans, set->orphans + 1);
	luo_file_change_state(f, LUO_FILE_INCOMING, 0);
	if (!fh) {
		/* It is kept: the handler may come. */
		luo_handover_trace_reject("file", set->name, ser->token, "no-handler");
	}
	return NULL;

err_token:
	luo_file_unhash_token(f);
err_free:
	luo_file_free(f);
	return err == -EEXIST ? "duplicate-token" : "no-memory";
}

static void luo_file_deserialize(const void *record, void *data)
{
	const struct luo_file_ser *ser = record;
	struct luo_file_set *set = data;
	const char *why = __luo_file_load(set, ser);

	if (why)
		luo_handover_reject("file", set->name, ser->token, why);
}

/**
 * luo_file_set_deserialize - make the files of an incoming session from its records
 * @set:   an empty incoming set
 * @array: where the records are; they are gone after it
 *
 * What cannot be understood is reported and left out. Of a file whose handler is
 * not there yet only the event tells, and it is kept: its handler may come.
 *
 * Context: at boot, under @set->lock.
 * Return: what luo_handover_read_array() returns.
 */
struct luo_blocks luo_file_set_deserialize(struct luo_file_set *set,
					   const struct luo_array *array)
{
	lockdep_assert_held(&set->lock);

	return luo_handover_read_array(array, sizeof(struct luo_file_ser),
				       "file", set->name, luo_file_deserialize, set);
}

/* Find the handler of an incoming file, which may have come after boot. */
static bool luo_file_bind_handler(struct luo_file *f)
{
	struct luo_file_set *set = f->token.set;

	if (!f->fh) {
		WRITE_ONCE(f->fh, luo_handler_get(f->orphan));
		if (f->fh) {
			WRITE_ONCE(set->orphans, set->orphans - 1);
			luo_flb_file_bind(f->fh);
		}
	}
	return f->fh;
}

static int __luo_file_retrieve(struct luo_file *f)
{
	struct luo_file_set *set;
	int err;

	err = luo_file_run_one(f, LUO_OP_RETRIEVE);
	if (err) {
		f->retrieved = err;
		luo_file_change_state(f, LUO_FILE_FAILED, err);
		return err;
	}

	f->retrieved = 1;
	set = f->token.set;
	WRITE_ONCE(set->retrieved, set->retrieved + 1);
	luo_file_change_state(f, LUO_FILE_RETRIEVED, 0);
	luo_recorder_mark(LIVEUPDATE_MARK_RESTORED);

	/*
	 * The file is whole without it; only its being held by this session
	 * would not be noticed by a preserve.
	 */
	err = luo_file_hash_id(f);
	if (err)
		luo_notice("cannot be told from one that is not held", "file",
			   err == -EEXIST ? "duplicate-id" : "no-memory",
			   set->name, &f->token.token);
	return 0;
}

/**
 * luo_file_retrieve - take a file of an incoming set back
 * @set:   the set
 * @token: its token
 * @filep: set to the file, with a reference for the caller
 *
 * Context: under @set->lock.
 * Return: 0; -ENOENT if there is no such token or no handler for the file; or
 *	   what the handler's retrieve returned, now or the first time.
 */
int luo_file_retrieve(struct luo_file_set *set, u64 token, struct file **filep)
{
	struct luo_file *f;
	int err;

	lockdep_assert_held(&set->lock);

	f = luo_file_find(set, token);
	if (!f) {
		luo_file_trace_reject(set, token, -ENOENT);
		return -ENOENT;
	}
	if (!luo_file_bind_handler(f)) {
		luo_file_change_state(f, f->state, -ENOENT);
		return -ENOENT;
	}
	if (f->retrieved < 0) {
		luo_file_change_state(f, f->state, f->retrieved);
		return f->retrieved;
	}
	if (!f->retrieved) {
		err = __luo_file_retrieve(f);
		if (err)
			return err;
	}

	*filep = get_file(f->file);
	return 0;
}

static void luo_file_finish(struct luo_file *f, struct kho_account *account)
{
	if (f->fh) {
		luo_file_run(f, LUO_OP_FINISH, account);
		luo_flb_file_finish(f->fh);
		luo_file_remove(f);
		luo_file_change_state(f, LUO_FILE_FINISHED, 0);
	} else {
		luo_flb_file_finish(NULL);
		luo_file_remove(f);
		luo_handover_reject("file", f->token.set->name, f->token.token,
				    "no-handler");
		luo_file_change_state(f, LUO_FILE_FAILED, -ENOENT);
	}
	luo_file_free(f);
}

/**
 * luo_file_set_finish - let go of all files of an incoming set
 * @set: the set
 *
 * Context: under @set->lock.
 * Return: 0 and the set is empty, or -EBUSY if a handler cannot finish yet and
 *	   nothing has changed.
 */
int luo_file_set_finish(struct luo_file_set *set)
{
	struct kho_account account __uninitialized;
	struct luo_file *f, *next;
	int err;

	lockdep_assert_held(&set->lock);

	if (!set->count)
		return 0;

	guard(kho_account)(&account);

	list_for_each_entry(f, &set->files, list) {
		if (!luo_file_bind_handler(f))
			continue;
		err = luo_file_run(f, LUO_OP_CAN_FINISH, &account);
		if (err)
			return err;
	}

	list_for_each_entry_safe_reverse(f, next, &set->files, list)
		luo_file_finish(f, &account);
	return 0;
}
