/* SPDX-License-Identifier: GPL-2.0 */

/* What luo_flb.c (registry, and the way out) and luo_flb_in.c share. */

#ifndef _LINUX_LUO_FLB_H
#define _LINUX_LUO_FLB_H

#include "luo_internal.h"

/**
 * struct luo_flb_link - shared state is registered with a file handler
 * @list:   in the handler's list, in order of registration
 * @of_flb: in &luo_flb_private.links
 * @fh:     the handler
 * @flb:    the shared state
 * @seq:    files of that number or a later one depend on it
 */
struct luo_flb_link {
	struct list_head list;
	struct list_head of_flb;
	struct liveupdate_file_handler *fh;
	struct luo_flb_private *flb;
	u64 seq;
};

extern struct mutex luo_flb_lock;
extern struct list_head luo_flbs;

int luo_flb_run(struct liveupdate_flb *flb, enum luo_op op, u64 *data,
		void **obj);
void luo_flb_came(struct liveupdate_flb *flb);
#if IS_ENABLED(CONFIG_KUNIT)
void luo_flb_load(const void *record, void *data);
#endif

#endif /* _LINUX_LUO_FLB_H */
