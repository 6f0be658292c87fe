/* SPDX-License-Identifier: GPL-2.0 */

/* File-lifecycle-bound state. */

#ifndef _LINUX_LUO_FLB_H
#define _LINUX_LUO_FLB_H

#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "luo_handover.h"
#include "luo_trace.h"

int luo_flb_file_preserve(struct liveupdate_file_handler *fh, u64 *seq);
void luo_flb_file_unpreserve(struct liveupdate_file_handler *fh, u64 seq);
void luo_flb_init(void);
void luo_flb_serialize_all(struct luo_array *array);
void luo_flb_rollback_all(void);
u64 luo_flb_deserialize_all(const struct luo_array *array);
void luo_flb_file_incoming(struct liveupdate_file_handler *fh);
void luo_flb_file_bind(struct liveupdate_file_handler *fh);
void luo_flb_file_finish(struct liveupdate_file_handler *fh);
void luo_flb_finish_all(void);
int luo_flb_register(struct liveupdate_file_handler *fh,
		     struct liveupdate_flb *flb);
void luo_flb_unregister(struct liveupdate_file_handler *fh,
			struct liveupdate_flb *flb);
void luo_flb_try_finish(struct liveupdate_flb *flb);
void luo_flb_unregister_all(struct liveupdate_file_handler *fh);
void luo_flb_module_live(const struct module *module);
void luo_flb_module_going(const struct module *module);

/* What luo_flb.c and luo_flb_in.c share */

/**
 * struct luo_flb_out - outgoing shared state of one name, registered or not
 * @list:      in order of registration, for good
 * @name:      its compatible string
 * @lock:      guards @frozen, @files, @users, @data and @obj, held for its operations
 * @key:       a lock class of its own, as an operation may take the lock of another
 * @self:      the shared state; NULL if it is neither registered nor preserved
 * @seq:       number of its registration
 * @links:     to the file handlers that it is registered with
 * @handlers:  how many these are
 * @preserved: preserve was called, unpreserve not yet; changes under both locks
 * @frozen:    its record is written, so it stays preserved
 * @files:     files that depend on it
 * @users:     callers of liveupdate_flb_get_outgoing() that did not put yet
 * @data:      what preserve returned
 * @obj:       what preserve returned
 */
struct luo_flb_out {
	struct list_head list;
	char name[LIVEUPDATE_FLB_COMPAT_LENGTH];
	struct mutex lock; /* see above; the rest is under luo_flb_lock */
	struct lock_class_key key;
	struct liveupdate_flb *self;
	u64 seq;
	struct list_head links;
	u64 handlers;
	bool preserved;
	bool frozen;
	u64 files;
	u64 users;
	u64 data;
	void *obj;
};

/**
 * struct luo_flb_link - shared state is registered with a file handler
 * @list:   in the handler's list, in order of registration
 * @of_flb: in &luo_flb_out.links
 * @fh:     the handler
 * @out:    the shared state
 * @seq:    files of that number or a later one depend on it
 */
struct luo_flb_link {
	struct list_head list;
	struct list_head of_flb;
	struct liveupdate_file_handler *fh;
	struct luo_flb_out *out;
	u64 seq;
};

/**
 * struct luo_flb_pin - shared state whose operations can be called
 * @out: what LUO knows of it
 * @flb: the shared state, its module pinned; NULL if that does not live
 * @seq: number of the link or the registration that led to it
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
extern bool luo_flbs_over;
void luo_flb_deserialize(const void *record, void *data);
#endif

#endif /* _LINUX_LUO_FLB_H */
