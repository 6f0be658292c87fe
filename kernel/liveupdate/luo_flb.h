/* SPDX-License-Identifier: GPL-2.0 */

/* File-lifecycle-bound state. */

#ifndef _LINUX_LUO_FLB_H
#define _LINUX_LUO_FLB_H

#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "luo_array.h"
#include "luo_trace.h"

int luo_flb_file_preserve(struct liveupdate_file_handler *fh, u64 *seq);
void luo_flb_file_unpreserve(struct liveupdate_file_handler *fh, u64 seq);
int luo_flb_init(void);
void luo_flb_exit(void);
void luo_flb_serialize_all(struct luo_array *array, bool last);
void luo_flb_rollback_all(void);
struct luo_blocks luo_flb_deserialize_all(const struct luo_array *array);
void luo_flb_file_incoming(struct liveupdate_file_handler *fh);
void luo_flb_file_bind(struct liveupdate_file_handler *fh);
void luo_flb_file_finish(struct liveupdate_file_handler *fh);
void luo_flb_finish_all(void);
void luo_flb_give_up_all(void);
int luo_flb_register(struct liveupdate_file_handler *fh,
		     struct liveupdate_flb *flb);
void luo_flb_unregister(struct liveupdate_file_handler *fh,
			struct liveupdate_flb *flb);
void luo_flb_try_finish(struct liveupdate_flb *flb);
void luo_flb_unregister_all(struct liveupdate_file_handler *fh);
void luo_flb_module_live(const struct module *module);
void luo_flb_module_going(const struct module *module);

/* Shared by luo_flb.c and luo_flb_in.c */

/**
 * struct luo_flb_out - outgoing side of the FLB of a name, registered or not
 * @list:      in order of registration; an entry is never removed
 * @name:      compatible string of the FLB
 * @lock:      guards @frozen, @files, @users, @data and @obj; held across its operations
 * @key:       lock class of @lock, as an operation may take the lock of another FLB
 * @self:      the FLB; NULL if it is neither registered nor preserved
 * @seq:       number of its registration
 * @links:     &struct luo_flb_link to the file handlers that it is registered with
 * @preserved: preserve was called, unpreserve was not; changes under both locks
 * @frozen:    its record is written, so it stays preserved
 * @files:     number of files that depend on it
 * @users:     calls of liveupdate_flb_get_outgoing() that are not put yet
 * @data:      value that preserve returned
 * @obj:       object that preserve returned
 */
struct luo_flb_out {
	struct list_head list;
	char name[LIVEUPDATE_FLB_COMPAT_LENGTH];
	struct mutex lock; /* see above; the rest is under luo_flb_lock */
	struct lock_class_key key;
	struct liveupdate_flb *self;
	u64 seq;
	struct list_head links;
	bool preserved;
	bool frozen;
	u64 files;
	u64 users;
	u64 data;
	void *obj;
};

/**
 * struct luo_flb_link - registration of an FLB with a file handler
 * @list:   in the list of the handler, in order of registration
 * @of_flb: in &luo_flb_out.links
 * @fh:     the handler
 * @out:    the FLB
 * @seq:    number of the registration; files with this number or a later one depend on
 *	    the FLB
 */
struct luo_flb_link {
	struct list_head list;
	struct list_head of_flb;
	struct liveupdate_file_handler *fh;
	struct luo_flb_out *out;
	u64 seq;
};

/**
 * struct luo_flb_pin - an FLB whose operations can be called
 * @out: outgoing side of the FLB
 * @flb: the FLB, its module pinned; NULL if the module is not live
 * @seq: number of the link or the registration that led to the FLB
 */
struct luo_flb_pin {
	struct luo_flb_out *out;
	struct liveupdate_flb *flb;
	u64 seq;
};

extern struct mutex luo_flb_lock;

static inline void luo_flb_lock_init(struct mutex *lock,
				     struct lock_class_key *key,
				     const char *name)
{
	mutex_init(lock);
	lockdep_register_key(key);
	lockdep_set_class_and_name(lock, key, name);
}

bool luo_flb_pin_prev(struct liveupdate_file_handler *fh, u64 seq,
		      struct luo_flb_pin *pin);
bool luo_flb_pin_last(u64 before, const struct module *module,
		      struct luo_flb_pin *pin);
void luo_flb_unpin(struct luo_flb_pin *pin);
#if IS_ENABLED(CONFIG_KUNIT)
extern u64 luo_nr_flbs;
extern bool luo_flbs_over;
const char *luo_flb_deserialize(const void *record, const u64 *words, void *data);
#endif

#endif /* _LINUX_LUO_FLB_H */
