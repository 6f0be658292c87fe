// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Incoming files
 *
 * Each record in the handover makes a file. When the file is retrieved, its handler
 * restores the open file; when the set is finished, LUO releases all of its files.
 *
 * A retrieve that fails keeps failing. The file is still finished, and its handler
 * learns then that retrieve failed. A file whose handler is not registered waits for it.
 * If the handler has not registered by the time the set is finished, the file is
 * rejected, and its memory stays reserved until the next live update. The set is not
 * finished, and nothing changes, if the handler of one file says that it cannot finish.
 */

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_attr.h"
#include "luo_file.h"
#include "luo_flb.h"
#include "luo_handler.h"
#include "luo_notice.h"
#include "luo_recorder.h"
#include "luo_run.h"
#include "luo_reject.h"

/* Returns why a record is rejected, or NULL. */
static const char *luo_file_deserialize(const void *record, const u64 *words,
					void *data)
{
	const struct luo_file_ser *ser = record;
	struct luo_file_set *set = data;
	struct liveupdate_file_handler *fh;
	struct luo_file *f;
	int err;

	if (!luo_string_ok(ser->compatible, sizeof(ser->compatible)))
		return "bad-compatible";

	fh = luo_handler_get(ser->compatible);
	f = kzalloc_flex(*f, orphan, fh ? 0 : sizeof(ser->compatible));
	if (!f) {
		luo_handler_put(fh);
		return "no-memory";
	}

	f->token.set = set;
	f->token.token = ser->token;
	f->data = ser->data;
	f->attr = words ? words[0] >> 32 : 0;
	f->fh = fh;
	if (!fh)
		memcpy(f->orphan, ser->compatible, sizeof(ser->compatible));

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
		/* It is kept, as the handler may register later. */
		luo_handover_trace_reject("file", set->name, ser->token, "no-handler");
	}
	return NULL;

err_token:
	luo_file_unhash_token(f);
err_free:
	luo_file_free(f);
	return err == -EEXIST ? "duplicate-token" : "no-memory";
}

/**
 * luo_file_set_deserialize - make the files of an incoming session from their records
 * @set:   an empty incoming set
 * @array: where the records are; they are freed if they are proven
 *
 * Records that make no sense are reported and skipped. A file whose handler is not
 * registered yet is traced and kept, as the handler may register later.
 *
 * Context: at boot, under @set->lock.
 * Return: what luo_array_read() returns.
 */
struct luo_blocks luo_file_set_deserialize(struct luo_file_set *set,
					   const struct luo_array *array)
{
	lockdep_assert_held(&set->lock);

	return luo_array_read(array, LUO_ARRAY_FILES, set->name, luo_file_deserialize,
			      set);
}

/* Find the handler of an incoming file, which may have registered after boot. */
static bool luo_file_bind_handler(struct luo_file *f)
{
	struct luo_file_set *set = f->token.set;

	if (!f->fh) {
		WRITE_ONCE(f->fh, luo_handler_get(f->orphan));
		if (f->fh) {
			WRITE_ONCE(set->orphans, set->orphans - 1);
			luo_flb_file_bind(f->fh);
			luo_file_change_state(f, f->state, 0);
		}
	}
	return f->fh;
}

static int __luo_file_retrieve(struct luo_file *f)
{
	struct luo_file_set *set;
	int err;

	err = luo_file_call_one(f, LUO_OP_RETRIEVE);
	if (err) {
		f->retrieved = err;
		luo_file_change_state(f, LUO_FILE_FAILED, err);
		return err;
	}

	f->retrieved = 1;
	set = f->token.set;
	WRITE_ONCE(set->retrieved, set->retrieved + 1);
	luo_file_change_state(f, LUO_FILE_RETRIEVED, 0);
	luo_recorder_restored(set->tool);
	return 0;
}

/* Nobody gets the file before. If it fails, the next retrieve tries again. */
static int luo_file_complete(struct luo_file *f)
{
	int err;

	if (f->id.fh)
		return 0;

	err = luo_attr_apply(&f->file, f->attr);
	if (err) {
		luo_file_change_state(f, f->state, err);
		return err;
	}
	/*
	 * Not fatal: the file is restored, but preserve does not notice that this
	 * session holds it already.
	 */
	err = luo_file_hash_id(f);
	if (err)
		luo_notice("is not protected from being preserved twice", "file",
			   err == -EEXIST ? "duplicate-id" : "no-memory",
			   f->token.set->name, &f->token.token);
	return 0;
}

/**
 * luo_file_retrieve - restore a file of an incoming set
 * @set:   the set
 * @token: token of the file
 * @filep: set to the file, with a reference for the caller
 *
 * Context: under @set->lock.
 * Return: 0; -ENOENT if no file has the token, or if the handler of the file is not
 *	   registered; what the retrieve of the handler returned, now or the first
 *	   time; or what luo_attr_apply() returns.
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
	err = luo_file_complete(f);
	if (err)
		return err;

	*filep = get_file(f->file);
	return 0;
}

static void luo_file_finish(struct luo_run *run, struct luo_file *f)
{
	if (f->fh) {
		luo_run_call_void(run, f);
		luo_flb_file_finish(f->fh);
		/* What FLBs do is not charged to the next file. */
		if (kho_account_used(&run->account))
			kho_account_reset(&run->account);
		luo_file_remove(f);
		luo_run_state(run, f, LUO_FILE_FINISHED);
	} else {
		luo_flb_file_finish(NULL);
		luo_file_remove(f);
		luo_handover_reject("file", f->token.set->name, f->token.token,
				    "no-handler");
		luo_file_change_state(f, LUO_FILE_FAILED, -ENOENT);
	}
	luo_file_free(f);
}

static int luo_file_set_can_finish(struct luo_file_set *set, struct luo_run *run)
{
	struct luo_file *f;
	int err;

	luo_run_set_op(run, LUO_OP_CAN_FINISH);
	list_for_each_entry(f, &set->files, list) {
		if (!luo_file_bind_handler(f))
			continue;
		err = luo_run_call_bool(run, f);
		if (err)
			return err;
	}
	return 0;
}

static void __luo_file_set_finish(struct luo_file_set *set, struct luo_run *run)
{
	struct luo_file *f, *next;

	luo_run_set_op(run, LUO_OP_FINISH);
	list_for_each_entry_safe_reverse(f, next, &set->files, list)
		luo_file_finish(run, f);
}

/**
 * luo_file_set_give_up - trace that files end with this kernel
 * @set: an incoming set, which is not finished
 *
 * Context: the caller owns @set.
 */
void luo_file_set_give_up(const struct luo_file_set *set)
{
	const struct luo_file *f;

	luo_file_set_assert_owned(set);

	/* This is in the blackout. */
	if (!trace_luo_file_state_enabled() && !trace_luo_file_error_enabled())
		return;
	list_for_each_entry(f, &set->files, list)
		luo_file_trace_state(LUO_DIR_IN, set->name, f->token.token,
				     luo_file_compatible(f), f->state, LUO_FILE_NONE,
				     -ECANCELED);
}

/**
 * luo_file_finish_one - finish and release one file
 * @f: an incoming file; freed
 *
 * Context: under the lock of its set.
 * Return: 0; -EBUSY if its handler cannot finish yet, and nothing has changed.
 */
int luo_file_finish_one(struct luo_file *f)
{
	struct luo_file_set *set = f->token.set;
	struct luo_run run __uninitialized;
	int err = 0;

	luo_run_begin(&run, LUO_DIR_IN, set->tool);
	luo_run_set_op(&run, LUO_OP_CAN_FINISH);
	if (luo_file_bind_handler(f))
		err = luo_run_call_bool(&run, f);
	if (!err) {
		luo_run_set_op(&run, LUO_OP_FINISH);
		luo_file_finish(&run, f);
		set->finished++;
	} else {
		luo_file_change_state(f, f->state, err);
	}
	luo_run_end(&run);
	return err;
}

/**
 * luo_file_set_finish - finish and release all files of an incoming set
 * @set: the set
 *
 * Context: under @set->lock.
 * Return: 0, and the set is empty; -EBUSY if a handler cannot finish yet, and nothing
 *	   has changed.
 */
int luo_file_set_finish(struct luo_file_set *set)
{
	struct luo_run run __uninitialized;
	int err;

	lockdep_assert_held(&set->lock);

	if (!set->count)
		return 0;

	luo_run_begin(&run, LUO_DIR_IN, set->tool);
	err = luo_file_set_can_finish(set, &run);
	if (!err)
		__luo_file_set_finish(set, &run);
	luo_run_end(&run);
	return err;
}
