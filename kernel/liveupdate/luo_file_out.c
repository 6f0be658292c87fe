// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Outgoing files
 *
 * When a file is preserved, LUO takes a reference to it and its handler saves it. When
 * it is prepared, the handler saves more, and LUO fills the record of the file, so that
 * this does not happen in the blackout. When it is frozen, the handler makes the saved
 * state final, and LUO fills the record again if its value or its attributes differ.
 * unfreeze, cancel and unpreserve undo these steps, last file first. A step of the set
 * skips the files that have made it by an event of their own, see luo_file_event.c.
 *
 * A preserve that fails leaves nothing preserved. A prepare or a freeze that fails is
 * undone for the files before it, last file first, and the set is as it was.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "luo_attr.h"
#include "luo_file_step.h"
#include "luo_flb.h"
#include "luo_handler.h"
#include "luo_seal.h"

static int __luo_file_preserve(struct luo_file_set *set, struct luo_file *f)
{
	struct luo_call call = luo_file_call(f);
	int err;

	err = luo_file_hash_token(f);
	if (err)
		return err;

	f->fh = luo_handler_get_for(&call, f->file);
	if (IS_ERR(f->fh)) {
		err = PTR_ERR(f->fh);
		f->fh = NULL;
		goto err_token;
	}

	err = luo_file_hash_id(f);
	if (err) {
		err = err == -EEXIST ? -EBUSY : err;
		goto err_token;
	}

	err = luo_file_reserve(f);
	if (err)
		goto err_id;

	err = kho_block_set_grow(&set->blocks, set->count + 1);
	if (err)
		goto err_seq;

	err = luo_flb_file_preserve(f->fh, &f->flb_seq);
	if (err)
		goto err_blocks;

	err = luo_file_call_one(f, LUO_OP_PRESERVE);
	if (err)
		goto err_flbs;

	return 0;

err_flbs:
	luo_flb_file_unpreserve(f->fh, f->flb_seq);
err_blocks:
	kho_block_set_shrink(&set->blocks, set->count);
err_seq:
	luo_file_unreserve(f);
err_id:
	luo_file_unhash_id(f);
err_token:
	luo_file_unhash_token(f);
	return err;
}

/**
 * luo_file_preserve - add a file to an outgoing set
 * @set:   the set
 * @file:  the file; the set takes a reference of its own
 * @token: token of the file, chosen by the agent
 *
 * Context: under @set->lock.
 * Return: 0; -EEXIST if the token is in use; -ENOENT if no handler takes the file;
 *	   -EBUSY if LUO holds the file already; -ENOSPC if the set holds
 *	   LIVEUPDATE_SESSION_MAX_FILES; -ENOMEM; what luo_flb_file_preserve() returns; or
 *	   what the preserve of the handler returned.
 */
int luo_file_preserve(struct luo_file_set *set, struct file *file, u64 token)
{
	struct luo_file *f;
	int err;

	lockdep_assert_held(&set->lock);

	if (set->count >= LIVEUPDATE_SESSION_MAX_FILES) {
		luo_file_trace_reject(set, token, -ENOSPC);
		return -ENOSPC;
	}
	f = kzalloc_obj(*f, GFP_KERNEL_ACCOUNT);
	if (!f) {
		luo_file_trace_reject(set, token, -ENOMEM);
		return -ENOMEM;
	}
	f->token.set = set;
	f->token.token = token;
	f->file = get_file(file);
	f->attr = luo_attr_of(file);

	err = __luo_file_preserve(set, f);
	if (!err) {
		/* Cannot fail, as memory is reserved. */
		luo_file_add(f);
		luo_file_change_state(f, LUO_FILE_PRESERVED, 0);
		return 0;
	}
	WRITE_ONCE(set->pages, set->pages - f->pages);
	luo_file_free(f);
	luo_file_trace_reject(set, token, err);
	return err;
}

static void luo_file_unpreserve_one(struct luo_run *run, struct luo_file *f)
{
	luo_run_call_void(run, f);
	luo_flb_file_unpreserve(f->fh, f->flb_seq);
	/* What FLBs do is not charged to the next file. */
	if (kho_account_used(&run->account))
		kho_account_reset(&run->account);
	luo_file_remove(f);
	luo_run_state(run, f, LUO_FILE_NONE);
	luo_file_free(f);
}

/**
 * luo_file_set_unpreserve - unpreserve and release all files, last preserved first
 * @set: an outgoing set that is neither prepared nor frozen
 *
 * Context: under @set->lock.
 */
void luo_file_set_unpreserve(struct luo_file_set *set)
{
	struct luo_run run __uninitialized;
	struct luo_file *f, *next;

	lockdep_assert_held(&set->lock);

	if (!set->count)
		return;

	luo_run_begin(&run, LUO_DIR_OUT, false);
	luo_run_set_op(&run, LUO_OP_UNPRESERVE);
	list_for_each_entry_safe_reverse(f, next, &set->files, list)
		luo_file_unpreserve_one(&run, f);
	luo_run_end(&run);
	kho_block_set_shrink(&set->blocks, 0);
}

/**
 * luo_file_unpreserve - unpreserve and release one file
 * @set:   an outgoing set that is neither prepared nor frozen
 * @token: token of the file
 *
 * Context: under @set->lock.
 * Return: 0; -ENOENT if no file has the token; -EBUSY if the file itself is prepared or
 *	   frozen.
 */
int luo_file_unpreserve(struct luo_file_set *set, u64 token)
{
	struct luo_file *f = luo_file_find(set, token);
	struct luo_run run __uninitialized;

	if (!f) {
		luo_file_trace_reject(set, token, -ENOENT);
		return -ENOENT;
	}
	if (f->state != LUO_FILE_PRESERVED) {
		luo_file_change_state(f, f->state, -EBUSY);
		return -EBUSY;
	}

	luo_run_begin(&run, LUO_DIR_OUT, false);
	luo_run_set_op(&run, LUO_OP_UNPRESERVE);
	luo_file_unpreserve_one(&run, f);
	luo_run_end(&run);
	kho_block_set_shrink(&set->blocks, set->count);
	return 0;
}

const struct luo_file_step luo_file_prepare = {
	LUO_OP_PREPARE, LUO_OP_CANCEL, LUO_FILE_PRESERVED, LUO_FILE_PREPARED,
	false
};

/* The state that a file returns to as its session returns to @to. */
static enum luo_file_state luo_file_rollback_state(const struct luo_file *f,
						   enum luo_file_state to)
{
	return f->own == LUO_FILE_NONE ? to : f->own;
}

/* Undo a step for the files that have made it, last file first. */
static void luo_file_step_rollback(struct luo_file_set *set,
				   const struct luo_file_step *step,
				   enum luo_file_state to, struct luo_run *run)
{
	struct luo_file *f;

	luo_run_set_op(run, step->rollback);
	list_for_each_entry_reverse(f, &set->files, list) {
		if (f->state != step->to || luo_file_rollback_state(f, to) >= step->to)
			continue;
		luo_run_call_void(run, f);
		luo_run_state(run, f, step->from);
	}
}

static void __luo_file_set_rollback(struct luo_file_set *set, enum luo_file_state from,
				    enum luo_file_state to, struct luo_run *run)
{
	if (from == LUO_FILE_FROZEN || set->apart)
		luo_file_step_rollback(set, &luo_file_freeze, to, run);
	if (to == LUO_FILE_PRESERVED || set->apart)
		luo_file_step_rollback(set, &luo_file_prepare, to, run);
}

/**
 * luo_file_set_rollback - return the files of a session to an earlier state
 * @set:  an outgoing set
 * @from: state of the session, as that of a file
 * @to:	  the state, as that of a file; files with a state of their own return to that
 *
 * Context: the caller owns @set.
 */
void luo_file_set_rollback(struct luo_file_set *set, enum luo_file_state from,
			   enum luo_file_state to)
{
	struct luo_run run __uninitialized;

	luo_file_set_assert_owned(set);

	if (!set->count)
		return;

	luo_run_begin(&run, LUO_DIR_OUT, false);
	__luo_file_set_rollback(set, from, to, &run);
	luo_run_end(&run);
}

/**
 * luo_file_seal - complete the record of a file and its sum
 * @f: a file of a prepared set
 *
 * Context: the caller owns its set.
 */
void luo_file_seal(struct luo_file *f)
{
	u32 attr = f->attr ? luo_attr_final(f->file, f->attr, &f->seen) : 0;

	f->record->data = f->data;
	*f->word = luo_sum_word(luo_sum_add(luo_sum_add(f->sum, f->data), attr), attr);
}

/**
 * luo_file_failed - report that a step of a file has failed
 * @f:	 the file, whose state stays as it is
 * @err: the negative errno of its handler
 */
void luo_file_failed(struct luo_file *f, int err)
{
	const char *session = f->token.set->name;

	pr_err_ratelimited("session '%*pEhp' token %llu: '%s' failed: %pe\n",
			   (int)strlen(session), session, f->token.token,
			   f->fh->compatible, ERR_PTR(err));
	luo_file_change_state(f, f->state, err);
}

/**
 * luo_file_step_failed - roll a step back for the files that have made it
 * @set:  the set
 * @f:	  the file that failed
 * @step: the step
 * @run:  the run of its operation; afterwards that of the rollback
 * @err:  the negative errno of the call
 *
 * Context: the caller owns @set.
 */
void luo_file_step_failed(struct luo_file_set *set, struct luo_file *f,
			  const struct luo_file_step *step, struct luo_run *run, int err)
{
	luo_file_failed(f, err);
	__luo_file_set_rollback(set, step->to, step->from, run);
}

/* Make one step. luotrace recognizes calls of handlers by luo_..._call_...(). */
static noinline int luo_file_call_step(struct luo_file *f, const struct luo_file_step *step,
				       struct luo_run *run)
{
	int err = luo_run_int(run, f);

	if (!err)
		luo_run_state(run, f, step->to);
	return err;
}

/**
 * luo_file_step_apart - make a step with a file that is not in the state before it
 * @f:	  the file, which has made the step already, or missed the one before
 * @step: the step
 * @run:  a run of its operation
 *
 * Context: the caller owns its set.
 * Return: 0 or what the handler returned; its state is that of the last step that it
 *	   made.
 */
int luo_file_step_apart(struct luo_file *f, const struct luo_file_step *step,
			struct luo_run *run)
{
	int err;

	if (f->state >= step->to)
		return 0;

	luo_run_set_op(run, luo_file_prepare.op);
	err = luo_file_call_step(f, &luo_file_prepare, run);
	if (err)
		return err;
	luo_run_set_op(run, step->op);
	return luo_file_call_step(f, step, run);
}

/*
 * Fill the records of all files; a freeze only changes what it finds changed. Cannot
 * fail, as preserve has made room for each record. The records stay where they are, as no
 * file is added or removed while the set is prepared.
 */
static void luo_file_set_serialize(struct luo_file_set *set)
{
	struct kho_block_set_it it;
	struct luo_seal seal;
	struct luo_file *f;

	luo_seal_init(&seal, LUO_DIR_OUT, LUO_ARRAY_FILES, set->name);
	kho_block_set_it_init(&it, &set->blocks);
	list_for_each_entry(f, &set->files, list) {
		f->record = kho_block_set_it_reserve_entry(&it);
		f->word = luo_file_word(f->record);
		strscpy_pad(f->record->compatible, f->fh->compatible);
		f->record->token = f->token.token;
		f->sum = luo_sum_add(luo_sum_string(seal.owner, f->record->compatible,
						    sizeof(f->record->compatible)),
				     f->token.token);
		luo_file_seal(f);
	}
	luo_seal_blocks(&set->blocks, LUO_DIR_OUT, LUO_ARRAY_FILES, set->name);
}

/* luotrace recognizes calls of handlers by luo_..._call_...(), hence noinline. */
static noinline int luo_file_call_prepare(struct luo_file_set *set, struct luo_run *run)
{
	return luo_file_set_make(set, &luo_file_prepare, run);
}

/**
 * luo_file_set_prepare - have all files save more of their state
 * @set: an outgoing set that is neither prepared nor frozen
 * @run: for LUO_OP_PREPARE
 *
 * Their records are filled.
 *
 * Context: the caller owns @set. If it fails, @run is for the rollback.
 * Return: 0; or what the prepare of a handler returned, and all files are as before.
 */
int luo_file_set_prepare(struct luo_file_set *set, struct luo_run *run)
{
	int err = luo_file_call_prepare(set, run);

	if (!err)
		luo_file_set_serialize(set);
	return err;
}

/**
 * luo_file_call_freeze - make the state of all files of one session final
 * @set: a prepared set
 * @run: a run of LUO_OP_FREEZE
 *
 * luo_session_freeze_all() does it for all sessions.
 *
 * Context: the caller owns @set. If it fails, @run is one of the rollback.
 * Return: 0; or what the freeze of a handler returned, and all files are as before.
 */
noinline int luo_file_call_freeze(struct luo_file_set *set, struct luo_run *run)
{
	return luo_file_set_freeze(set, run);
}
