/* SPDX-License-Identifier: GPL-2.0 */

/* Proof that a page is a block of the handover */

#ifndef _LINUX_LUO_SEAL_H
#define _LINUX_LUO_SEAL_H

#include <linux/kho_block.h>

/**
 * struct luo_seal - seal of the blocks of an array
 * @mark:	 mark of the tree
 * @record_size: size of a record in bytes
 * @owner:	 hash of the name of the session that the files belong to
 */
struct luo_seal {
	u64 mark;
	u64 record_size;
	u64 owner;
};

void luo_seal_init(struct luo_seal *seal, u64 mark, size_t record_size,
		   const char *name);
void luo_seal_blocks(const struct luo_seal *seal,
		     const struct kho_block_set *blocks);
bool luo_seal_ok(const struct luo_seal *seal, void *block, u64 number);
void luo_seal_set_init(struct kho_block_set *blocks, size_t record_size);

#endif /* _LINUX_LUO_SEAL_H */
