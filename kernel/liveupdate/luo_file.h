/* SPDX-License-Identifier: GPL-2.0 */

/* What luo_file.c (files), luo_file_out.c and luo_file_in.c share. */

#ifndef _LINUX_LUO_FILE_H
#define _LINUX_LUO_FILE_H

#include <linux/rhashtable-types.h>

#include "luo_internal.h"

struct kho_account;

struct luo_token_key {
	struct luo_file_set *set;
	u64 token;
};

struct luo_id_key {
	const struct liveupdate_file_handler *fh;
	unsigned long id;
};

/**
 * struct luo_file - one file that is preserved or was handed over
 * @by_token:	node in luo_files_by_token
 * @by_id:	node in luo_files_by_id, as long as @file is not NULL
 * @token:	the set and the agent's name for the file
 * @id:		the handler and what it calls the file; the handler is NULL in
 *		an incoming file that did not find it yet
 * @list:	in &luo_file_set.files
 * @fh:		the handler, pinned
 * @file:	the open file, with a reference; NULL until it is retrieved
 * @data:	the u64 that is handed over
 * @flb_seq:	outgoing: it depends on the shared state that its handler had then
 * @private:	the handler's own
 * @state:	where it is
 * @retrieved:	0, 1 once it is retrieved, or the errno of the failed retrieve
 * @seq:	its number in &luo_file_set.by_seq
 * @record:	outgoing: what is handed over of it, as long as it is prepared
 * @pages:	outgoing: preserved for it; incoming: restored for it
 * @ret:	0, or the negative errno of the last operation that failed, until
 *		that one succeeds
 * @ret_op:	that operation
 * @rcu:	to free it
 * @orphan:	the compatible string of an incoming file that came without its
 *		handler
 *
 * What luo_walk.c shows it reads under RCU alone.
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
	u64 pages;
	int ret;
	enum luo_op ret_op;
	struct rcu_head rcu;
	char orphan[];
};

struct luo_call luo_file_call(const struct luo_file *f);
const char *luo_file_compatible(const struct luo_file *f);
int luo_file_run(struct luo_file *f, enum luo_op op, struct kho_account *account);
int luo_file_run_one(struct luo_file *f, enum luo_op op);
void luo_file_change_state(struct luo_file *f, enum luo_file_state state,
			   int ret);
struct luo_file *luo_file_find(struct luo_file_set *set, u64 token);
int luo_file_reserve(struct luo_file *f);
int luo_file_add(struct luo_file *f);
int luo_file_hash_token(struct luo_file *f);
void luo_file_unhash_token(struct luo_file *f);
void luo_file_unhash_id(struct luo_file *f);
int luo_file_hash_id(struct luo_file *f);
void luo_file_remove(struct luo_file *f);
void luo_file_free(struct luo_file *f);

#endif /* _LINUX_LUO_FILE_H */
