/* SPDX-License-Identifier: GPL-2.0 */

/* Reading and writing the handover */

#ifndef _LINUX_LUO_HANDOVER_H
#define _LINUX_LUO_HANDOVER_H

#include <linux/kho_block.h>

#include "luo_internal.h"

/**
 * struct luo_array - an array of records in the handover
 * @data:  physical address of its first block, 0 if it is empty
 * @pgcnt: number of blocks
 * @count: number of records in use
 */
struct luo_array {
	u64 data;
	u64 pgcnt;
	u64 count;
};

/**
 * struct luo_blocks - result of reading the blocks of an array
 * @restored: number of blocks that were read and freed
 * @left:     minimum number of blocks that were not read and stay reserved
 */
struct luo_blocks {
	u64 restored;
	u64 left;
};

/**
 * struct luo_value - value that a subsystem hands over
 * @name: name of the subsystem
 * @data: its value
 */
struct luo_value {
	const char *name;
	u64 data;
};

/**
 * struct luo_contents - contents of the tree
 * @sessions:  array of the sessions
 * @flbs:      array of the FLBs
 * @values:    values of the subsystems
 * @nr_values: number of these values
 */
struct luo_contents {
	struct luo_array sessions;
	struct luo_array flbs;
	struct luo_value values[LIVEUPDATE_SUBSYSTEM_MAX];
	unsigned int nr_values;
};

/* Called for each record of an array; reports what it rejects itself. */
typedef void (*luo_record_fn)(const void *record, void *data);

/* Called for the value of each subsystem; returns why it is rejected, or NULL. */
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
