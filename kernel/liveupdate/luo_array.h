/* SPDX-License-Identifier: GPL-2.0 */

/* The arrays of the handover */

#ifndef _LINUX_LUO_ARRAY_H
#define _LINUX_LUO_ARRAY_H

#include <linux/kho_block.h>
#include <linux/kho/abi/luo.h>

#include "luo_internal.h"

/**
 * struct luo_array - an array of records in the handover
 * @data:  physical address of its first block, 0 if it is empty
 * @pgcnt: number of blocks, for information
 * @count: number of records; LUO_COUNT_UNKNOWN if the previous kernel did not write it
 * @plain: it has neither seals nor sums
 * @lost:  it was rejected as a whole, and is empty
 */
struct luo_array {
	u64 data;
	u64 pgcnt;
	u64 count;
	bool plain;
	bool lost;
};

#define LUO_COUNT_UNKNOWN	U64_MAX

/**
 * struct luo_blocks - result of reading the blocks of an array
 * @restored:   number of blocks that were read and freed
 * @kept:       number of blocks that were read, and stay reserved as nothing proves them
 * @left:       minimum number of blocks that were not read and stay reserved
 * @rejected:   number of rejected records in blocks that were read
 * @incomplete: the array, a block or a record was rejected
 */
struct luo_blocks {
	u64 restored;
	u64 kept;
	u64 left;
	u64 rejected;
	bool incomplete;
};

/*
 * Called for each record of an array. @words are its words, NULL if the array is plain.
 * Returns why the record is rejected, or NULL.
 */
typedef const char *(*luo_record_fn)(const void *record, const u64 *words, void *data);

struct luo_blocks luo_array_read(const struct luo_array *array,
				 enum luo_array_kind kind, const char *name,
				 luo_record_fn fn, void *data);
void luo_array_read_done(void);
void luo_totals_add_blocks(struct luo_totals *totals, const struct luo_blocks *blocks);
void luo_array_set_init(struct kho_block_set *blocks, enum luo_array_kind kind);
void luo_array_from_blocks(const struct kho_block_set *blocks, u64 count,
			   struct luo_array *array);

#endif /* _LINUX_LUO_ARRAY_H */
