/* SPDX-License-Identifier: GPL-2.0 */

/* What one kernel writes and the next one reads. */

#ifndef _LINUX_LUO_HANDOVER_H
#define _LINUX_LUO_HANDOVER_H

#include <linux/kho_block.h>

#include "luo_internal.h"

/**
 * struct luo_array - an array of records in the handover
 * @data:  physical address of its first block, 0 if there is none
 * @pgcnt: blocks
 * @count: records in use
 */
struct luo_array {
	u64 data;
	u64 pgcnt;
	u64 count;
};

/**
 * struct luo_blocks - what became of the blocks of an array
 * @restored: that were read and freed
 * @left:     that were not read and stay reserved, at least
 */
struct luo_blocks {
	u64 restored;
	u64 left;
};

/**
 * struct luo_value - what one subsystem hands over
 * @name: of the subsystem
 * @data: its value
 */
struct luo_value {
	const char *name;
	u64 data;
};

/**
 * struct luo_contents - what a handover says
 * @sessions:  where the sessions are
 * @flbs:      where the shared state is
 * @values:    of the subsystems
 * @nr_values: how many
 */
struct luo_contents {
	struct luo_array sessions;
	struct luo_array flbs;
	struct luo_value values[LIVEUPDATE_SUBSYSTEM_MAX];
	unsigned int nr_values;
};

/* Called for each record of an array; what it refuses it reports itself. */
typedef void (*luo_record_fn)(const void *record, void *data);

/* Called for the value of each subsystem; returns why it is refused, or NULL. */
typedef const char *(*luo_value_fn)(const char *name, u64 data);

int luo_handover_read(struct luo_array *sessions, struct luo_array *flbs);
void luo_handover_read_values(luo_value_fn fn);
struct luo_blocks
luo_handover_read_array(const struct luo_array *array, size_t record_size,
			const char *what, const char *name, luo_record_fn fn,
			void *data);
void luo_handover_trace_reject(const char *what, const char *name, u64 token,
			       const char *reason);
void luo_handover_reject(const char *what, const char *name, u64 token,
			 const char *reason);
int luo_handover_init_out(void);
int luo_handover_serialize(const struct luo_contents *contents);
void *luo_handover_fdt(void);
void luo_handover_seal_blocks(const struct kho_block_set *blocks, const char *name);
void luo_array_from_blocks(const struct kho_block_set *blocks, u64 count,
			   struct luo_array *array);
#if IS_ENABLED(CONFIG_KUNIT)
bool luo_fdt_check(const void *fdt, size_t size);
const char *luo_fdt_u64(const void *fdt, int node, const char *prop, u64 *val);
#endif

#endif /* _LINUX_LUO_HANDOVER_H */
