/* SPDX-License-Identifier: GPL-2.0 */

/* The files of one session. */

#ifndef _LINUX_LUO_FILE_H
#define _LINUX_LUO_FILE_H

#include <linux/kho_block.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <linux/xarray.h>

#include "luo_array.h"
#include "luo_attr.h"
#include "luo_trace.h"

struct kho_account;
struct luo_run;

/**
 * struct luo_file_set - the files of one session
 * @lock:   guards the set, its files and the session they belong to
 * @name:   of the session, padded with zeros to its full size
 * @dir:    outgoing or incoming
 * @tool:   incoming: its session is that of the tool that records
 * @files:  &struct luo_file, in order of preservation
 * @count:  number of files
 * @by_seq: the files by increasing number, for walks without the lock
 * @next:   the next such number
 * @retrieved: incoming: number of retrieved files
 * @failed: number of files whose last operation failed
 * @orphans: incoming: number of files that have not found their handler
 * @finished: incoming: number of files that were finished by an event of their own
 * @apart:  outgoing: number of files with a state of their own
 * @pages:  outgoing: pages preserved for its files; incoming: the same as the previous
 *	    kernel reported it, LUO_PAGES_UNKNOWN if it did not or that cannot be true
 * @blocks: outgoing: preserved memory for the records
 */
struct luo_file_set {
	struct mutex lock; /* the session's */
	const char *name;
	enum luo_dir dir;
	bool tool;
	struct list_head files;
	u64 count;
	struct xarray by_seq;
	unsigned long next;
	u64 retrieved;
	u64 failed;
	u64 orphans;
	u64 finished;
	u64 apart;
	u64 pages;
	struct kho_block_set blocks;
};

#define LUO_PAGES_UNKNOWN	U64_MAX

/* The caller owns the set: it has its lock, or all sessions. */
static inline void luo_file_set_assert_owned(const struct luo_file_set *set)
{
	lockdep_assert(lockdep_is_held(&set->lock) ||
		       lockdep_is_held_type(&luo_state_lock, 0));
}

void luo_file_trace_reject(const struct luo_file_set *set, u64 token, int ret);
void luo_file_trace_reject_in(enum luo_dir dir, const char *session, u64 token, int ret);
int luo_file_init(void);
void luo_file_set_init(struct luo_file_set *set, const char *name,
		       enum luo_dir dir);
void luo_file_set_destroy(struct luo_file_set *set);
int luo_file_preserve(struct luo_file_set *set, struct file *file, u64 token);
void luo_file_set_unpreserve(struct luo_file_set *set);
int luo_file_unpreserve(struct luo_file_set *set, u64 token);
int luo_file_set_prepare(struct luo_file_set *set, struct luo_run *run);
int luo_file_call_freeze(struct luo_file_set *set, struct luo_run *run);
void luo_file_set_rollback(struct luo_file_set *set, enum luo_file_state from,
			   enum luo_file_state to);
void luo_file_set_join(struct luo_file_set *set, enum luo_file_state state);
int luo_file_event(struct luo_file_set *set, u64 token, u32 event,
		   enum luo_file_state session);
int luo_file_state(const struct luo_file_set *set, u64 token, u32 *state);
struct luo_blocks luo_file_set_deserialize(struct luo_file_set *set,
					   const struct luo_array *array);
int luo_file_retrieve(struct luo_file_set *set, u64 token, struct file **filep);
int luo_file_set_finish(struct luo_file_set *set);
void luo_file_set_give_up(const struct luo_file_set *set);

/* Shared by luo_file.c, luo_file_out.c and luo_file_in.c */

struct luo_token_key {
	struct luo_file_set *set;
	u64 token;
};

struct luo_id_key {
	const struct liveupdate_file_handler *fh;
	unsigned long id;
};

/**
 * struct luo_file - a file that is preserved or was handed over
 * @by_token:	node in luo_files_by_token
 * @by_id:	node in luo_files_by_id, as long as @file is not NULL
 * @token:	the set and the token of the file, which the agent chose
 * @id:		the handler and its number for the file; valid with @by_id, else zeros
 * @list:	in &luo_file_set.files
 * @fh:		the handler, pinned; NULL if an incoming file has not found it yet
 * @file:	the open file, with a reference; NULL until it is retrieved
 * @data:	the u64 that is handed over
 * @flb_seq:	outgoing: number from luo_flb_file_preserve()
 * @private:	private data of the handler
 * @state:	state of the file
 * @retrieved:	0; 1 once it is retrieved; or the negative errno of the failed retrieve
 * @seq:	number in &luo_file_set.by_seq
 * @record:	outgoing: its record in the handover, while it is prepared
 * @word:	outgoing: the word of @record
 * @sum:	outgoing: sum of what the freeze cannot change of @record
 * @pages:	pages that are preserved (outgoing) or restored (incoming) for it
 * @attr:	outgoing: from luo_attr_of(); incoming: %LUO_ATTR_... that
 *		the file gets when it is retrieved
 * @seen:	outgoing: what @attr was completed from for @record
 * @ret:	0, or the negative errno of the last operation that failed, until that
 *		operation succeeds
 * @ret_op:	enum luo_op: the operation of @ret
 * @own:	outgoing: enum luo_file_state that events of this file alone led to and that
 *		its session does not have; %LUO_FILE_NONE if the file follows its session
 * @rcu:	frees it
 * @orphan:	incoming: compatible string, if no handler was registered for it at boot
 *
 * luo_walk.c reads it under RCU alone. With a handler it fills three cache lines, which
 * are an object of kmalloc().
 */
struct luo_file {
	struct rhash_head by_token;
	struct rhash_head by_id;
	struct luo_token_key token;
	struct luo_id_key id;
	struct list_head list;
	struct liveupdate_file_handler *fh;
	struct file *file;
	u64 data;
	u64 flb_seq;
	void *private;
	enum luo_file_state state;
	int retrieved;
	unsigned long seq;
	struct luo_file_ser *record;
	u64 *word;
	u64 sum;
	u64 pages;
	u32 attr;
	struct luo_attr_seen seen;
	int ret;
	u8 ret_op;
	u8 own;
	struct rcu_head rcu;
	char orphan[];
};

#ifdef CONFIG_64BIT
static_assert(sizeof(struct luo_file) <= 192);
#endif

struct luo_call luo_file_call(const struct luo_file *f);
const char *luo_file_compatible(const struct luo_file *f);
void luo_file_record_result(struct luo_file *f, enum luo_op op, int err);
void luo_file_charge(struct luo_file *f, struct kho_account *account);
int luo_file_call_one(struct luo_file *f, enum luo_op op);
void luo_file_trace_state(enum luo_dir dir, const char *session, u64 token,
			  const char *compatible, enum luo_file_state old,
			  enum luo_file_state new, int ret);
void luo_file_change_state(struct luo_file *f, enum luo_file_state state,
			   int ret);
struct luo_file *luo_file_find(struct luo_file_set *set, u64 token);
struct luo_file *luo_file_find_rcu(const struct luo_file_set *set, u64 token);
int luo_file_reserve(struct luo_file *f);
void luo_file_unreserve(struct luo_file *f);
int luo_file_add(struct luo_file *f);
int luo_file_hash_token(struct luo_file *f);
void luo_file_unhash_token(struct luo_file *f);
void luo_file_unhash_id(struct luo_file *f);
int luo_file_hash_id(struct luo_file *f);
void luo_file_remove(struct luo_file *f);
void luo_file_free(struct luo_file *f);
void luo_file_seal(struct luo_file *f);
void luo_file_set_own(struct luo_file *f, enum luo_file_state own);
int luo_file_finish_one(struct luo_file *f);

#if IS_ENABLED(CONFIG_KUNIT)
u32 luo_file_key_hash(const void *data, u32 len, u32 seed);
#endif

#endif /* _LINUX_LUO_FILE_H */
