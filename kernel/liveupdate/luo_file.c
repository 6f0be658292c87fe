// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Files
 *
 * A file set holds the files of one session in order of preservation. It does not know
 * the session; the caller holds the lock of the set around every call here.
 *
 * luo_file_out.c has the operations on outgoing files, luo_file_in.c those on incoming
 * files.
 *
 * Two hash tables for the files of all sets find a file by (set, token) and by (handler,
 * id): the cost of a lookup does not depend on the number of files. The second table
 * holds every file that LUO has a reference to, outgoing or incoming, so that no file
 * is preserved twice.
 */

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kho_base.h"
#include "luo_call.h"
#include "luo_file.h"
#include "luo_handler.h"
#include "luo_recorder.h"

/*
 * Both keys are two words, for which this is cheaper than jhash(). The table takes the low
 * bits of the result, so that each bit of a key must reach them: hence the shift.
 */
VISIBLE_IF_KUNIT u32 luo_file_key_hash(const void *data, u32 len, u32 seed)
{
	const u64 *key = data;
	u64 hash = (key[0] ^ seed) * GOLDEN_RATIO_64 + key[1];

	hash *= GOLDEN_RATIO_64;
	hash ^= hash >> 32;
	return hash * GOLDEN_RATIO_64 >> 32;
}

/*
 * Buckets that a hash table starts with (32 KiB). A table grows on the CPU of the
 * agent that fills it, at some microseconds an entry, but not before it holds 3,000.
 * Tables never shrink: moving what is left again and again while sessions end costs
 * more than the memory, 2 MiB for 100,000 entries.
 */
#define LUO_MIN_BUCKETS	4096

static const struct rhashtable_params luo_by_token_params = {
	.hashfn			= luo_file_key_hash,
	.head_offset		= offsetof(struct luo_file, by_token),
	.key_offset		= offsetof(struct luo_file, token),
	.key_len		= sizeof(struct luo_token_key),
	.min_size		= LUO_MIN_BUCKETS,
};

static const struct rhashtable_params luo_by_id_params = {
	.hashfn			= luo_file_key_hash,
	.head_offset		= offsetof(struct luo_file, by_id),
	.key_offset		= offsetof(struct luo_file, id),
	.key_len		= sizeof(struct luo_id_key),
	.min_size		= LUO_MIN_BUCKETS,
};

static struct rhashtable luo_files_by_token;
static struct rhashtable luo_files_by_id;

/**
 * luo_file_init - set up the hash tables
 *
 * Context: once, at boot.
 * Return: 0 or -ENOMEM.
 */
int luo_file_init(void)
{
	int err;

	err = rhashtable_init(&luo_files_by_token, &luo_by_token_params);
	if (err)
		return err;

	err = rhashtable_init(&luo_files_by_id, &luo_by_id_params);
	if (err)
		rhashtable_destroy(&luo_files_by_token);
	return err;
}

const char *luo_file_compatible(const struct luo_file *f)
{
	return f->fh ? f->fh->compatible : f->orphan;
}

struct luo_call luo_file_call(const struct luo_file *f)
{
	const struct luo_file_set *set = f->token.set;

	return (struct luo_call) {
		.kind = LUO_KIND_HANDLER,
		.session = set->name,
		.tool = set->tool,
		.token = f->token.token,
		.compatible = luo_file_compatible(f),
		.slot = f->fh ? ACCESS_PRIVATE(f->fh, slot) : 0,
	};
}

/* Keep the result for status queries. */
void luo_file_record_result(struct luo_file *f, enum luo_op op, int err)
{
	struct luo_file_set *set = f->token.set;

	/* A file whose preserve fails is not in a set. */
	if (err == f->ret || (!err && op != f->ret_op) ||
	    op == LUO_OP_PRESERVE)
		return;
	if (!f->ret != !err)
		WRITE_ONCE(set->failed, set->failed + (err ? 1 : -1));
	WRITE_ONCE(f->ret_op, op);
	WRITE_ONCE(f->ret, err);
}

/* Charge the file for pages that its handler has preserved or restored. */
void luo_file_charge(struct luo_file *f, struct kho_account *account)
{
	struct luo_file_set *set = f->token.set;
	u64 pages;

	if (set->dir == LUO_DIR_IN) {
		WRITE_ONCE(f->pages, f->pages + account->pages[KHO_COUNT_RESTORE]);
	} else {
		pages = account->pages[KHO_COUNT_PRESERVE] -
			account->pages[KHO_COUNT_UNPRESERVE];
		WRITE_ONCE(f->pages, f->pages + pages);
		WRITE_ONCE(set->pages, set->pages + pages);
	}
	kho_account_reset(account);
}

/* Call a required operation for one file; luo_run.h calls for many. */
int luo_file_call_one(struct luo_file *f, enum luo_op op)
{
	struct liveupdate_file_op_args args = {
		.handler = f->fh,
		.retrieve_status = f->retrieved,
		.file = f->file,
		.serialized_data = f->data,
		.private_data = f->private,
	};
	const struct luo_call call = luo_file_call(f);
	struct kho_account account __uninitialized;
	int err;

	scoped_guard(kho_account, &account) {
		err = luo_call_handler(&call, op, &args);
		luo_file_charge(f, &account);
	}
	luo_file_record_result(f, op, err);
	if (err)
		return err;

	f->file = args.file;
	f->data = args.serialized_data;
	f->private = args.private_data;
	return 0;
}

/* Trace a change of state, and again as a failure if @ret is an errno. */
void luo_file_trace_state(enum luo_dir dir, const char *session, u64 token,
			  const char *compatible, enum luo_file_state old,
			  enum luo_file_state new, int ret)
{
	luo_emit(luo_file_state, luo_number(dir), session, token, compatible, old, new,
		 ret);
	if (unlikely(ret))
		luo_emit(luo_file_error, luo_number(dir), session, token, compatible,
			 old, new, ret);
}

/* Change the state to @state and trace it; with an errno, trace why it has not changed. */
void luo_file_change_state(struct luo_file *f, enum luo_file_state state,
			   int ret)
{
	enum luo_file_state old = f->state;

	WRITE_ONCE(f->state, state);
	luo_file_trace_state(f->token.set->dir, f->token.set->name, f->token.token,
			     luo_file_compatible(f), old, state, ret);
}

/**
 * luo_file_trace_reject - trace that a call is rejected before its file has a state
 * @set:   the set
 * @token: token of the file, as given by the caller
 * @ret:   the reason, a negative errno
 */
void luo_file_trace_reject(const struct luo_file_set *set, u64 token, int ret)
{
	luo_file_trace_reject_in(set->dir, set->name, token, ret);
}

/**
 * luo_file_trace_reject_in - trace that a call is rejected before its session is found
 * @dir:     direction of the session
 * @session: its name, padded with zeros to its full size
 * @token:   token of the file, as given by the caller
 * @ret:     the reason, a negative errno
 */
void luo_file_trace_reject_in(enum luo_dir dir, const char *session, u64 token, int ret)
{
	luo_file_trace_state(dir, session, token, "", LUO_FILE_NONE, LUO_FILE_NONE, ret);
}

struct luo_file *luo_file_find(struct luo_file_set *set, u64 token)
{
	struct luo_token_key key = { .set = set, .token = token };

	lockdep_assert_held(&set->lock);

	return rhashtable_lookup_fast(&luo_files_by_token, &key,
				      luo_by_token_params);
}

/* Under RCU; @set is not followed and may have been freed. */
struct luo_file *luo_file_find_rcu(const struct luo_file_set *set, u64 token)
{
	struct luo_token_key key = { .set = (void *)set, .token = token };

	return rhashtable_lookup(&luo_files_by_token, &key, luo_by_token_params);
}

int luo_file_hash_token(struct luo_file *f)
{
	return rhashtable_lookup_insert_fast(&luo_files_by_token, &f->by_token,
					     luo_by_token_params);
}

int luo_file_hash_id(struct luo_file *f)
{
	f->id.fh = f->fh;
	f->id.id = f->fh->ops->get_id ? f->fh->ops->get_id(f->file) :
					(unsigned long)f->file;

	return rhashtable_lookup_insert_fast(&luo_files_by_id, &f->by_id,
					     luo_by_id_params);
}

void luo_file_unhash_token(struct luo_file *f)
{
	rhashtable_remove_fast(&luo_files_by_token, &f->by_token,
			       luo_by_token_params);
}

void luo_file_unhash_id(struct luo_file *f)
{
	rhashtable_remove_fast(&luo_files_by_id, &f->by_id, luo_by_id_params);
}

/* Release a file that is not in a table or a list any more. */
void luo_file_free(struct luo_file *f)
{
	if (f->file)
		fput(f->file);
	luo_handler_put(f->fh);
	kfree_rcu(f, rcu);
}

/* Reserve memory for adding a file, so that luo_file_add() cannot fail. */
int luo_file_reserve(struct luo_file *f)
{
	struct luo_file_set *set = f->token.set;

	return xa_reserve(&set->by_seq, set->next, GFP_KERNEL);
}

/* Undo luo_file_reserve(). */
void luo_file_unreserve(struct luo_file *f)
{
	struct luo_file_set *set = f->token.set;

	xa_release(&set->by_seq, set->next);
}

/* Add a file to its set. */
int luo_file_add(struct luo_file *f)
{
	struct luo_file_set *set = f->token.set;
	int err;

	f->seq = set->next;
	err = xa_err(xa_store(&set->by_seq, f->seq, f, GFP_KERNEL));
	if (err)
		return err;

	set->next++;
	list_add_tail(&f->list, &set->files);
	WRITE_ONCE(set->count, set->count + 1);
	return 0;
}

/* Remove a file from its set. It is not found any more, except by walks under RCU. */
void luo_file_remove(struct luo_file *f)
{
	struct luo_file_set *set = f->token.set;

	xa_erase(&set->by_seq, f->seq);
	list_del(&f->list);
	WRITE_ONCE(set->count, set->count - 1);
	if (set->dir == LUO_DIR_OUT)
		WRITE_ONCE(set->pages, set->pages - f->pages);
	if (f->ret)
		WRITE_ONCE(set->failed, set->failed - 1);
	if (f->retrieved > 0)
		WRITE_ONCE(set->retrieved, set->retrieved - 1);
	if (!f->fh)
		WRITE_ONCE(set->orphans, set->orphans - 1);
	if (f->file)
		luo_file_unhash_id(f);
	luo_file_unhash_token(f);
}

/**
 * luo_file_set_init - set up an empty set
 * @set:  the set, zeroed
 * @name: of the session that it belongs to, padded with zeros to its full size; must
 *	  exist as long as the set
 * @dir:  outgoing or incoming
 */
void luo_file_set_init(struct luo_file_set *set, const char *name,
		       enum luo_dir dir)
{
	mutex_init(&set->lock);
	set->name = name;
	set->dir = dir;
	set->tool = dir == LUO_DIR_IN && luo_recorder_owns(name);
	INIT_LIST_HEAD(&set->files);
	xa_init_flags(&set->by_seq, XA_FLAGS_ACCOUNT);
	luo_array_set_init(&set->blocks, LUO_ARRAY_FILES);
}

/**
 * luo_file_set_destroy - destroy a set
 * @set: the set, empty
 */
void luo_file_set_destroy(struct luo_file_set *set)
{
	WARN_ON_ONCE(!list_empty(&set->files) || set->apart);
	/* A store that failed may have left a node without an entry. */
	if (!xa_empty(&set->by_seq))
		xa_destroy(&set->by_seq);
	kho_block_set_destroy(&set->blocks);
	mutex_destroy(&set->lock);
}
