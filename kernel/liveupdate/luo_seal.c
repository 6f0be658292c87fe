// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Seals of blocks
 *
 * A block of records is found by its address alone. A wrong address may lead to any
 * preserved page: a block of another session, or a page of a guest that looks like a
 * block. Restoring and freeing that page would give away the memory of another
 * session, and following it would give one session the files of another.
 *
 * The last eight bytes of a block are therefore a seal: a keyed hash over the type of
 * the records in the block, their owner, the block's number in the chain and its
 * address. The key is a random number, new for each boot, which the tree hands over;
 * nobody who writes to preserved memory knows it. A page without the right seal is
 * not a block, and is neither restored nor freed nor followed.
 */

#include <linux/io.h>
#include <linux/kho/abi/luo.h>
#include <linux/kho_block.h>
#include <linux/siphash.h>
#include <linux/string.h>

#include "luo_seal.h"

static u64 *luo_seal_at(void *block)
{
	return block + KHO_BLOCK_SIZE - LUO_BLOCK_SEAL_SIZE;
}

static u64 luo_seal_compute(const struct luo_seal *seal, const void *block,
			    u64 number)
{
	const siphash_key_t key = { { seal->mark, seal->record_size } };

	return siphash_3u64(seal->owner, virt_to_phys((void *)block), number,
			    &key);
}

/**
 * luo_seal_init - set up the seal of the blocks of an array
 * @seal:	 the seal
 * @mark:	 mark of the tree
 * @record_size: size of a record in bytes
 * @name:	 name of the session that the files belong to, or ""
 */
void luo_seal_init(struct luo_seal *seal, u64 mark, size_t record_size,
		   const char *name)
{
	/* The size of a record identifies its type. */
	const siphash_key_t key = { { mark, record_size } };

	*seal = (struct luo_seal) {
		.mark = mark,
		.record_size = record_size,
		.owner = siphash(name, strlen(name), &key),
	};
}

/**
 * luo_seal_blocks - seal all blocks of a set
 * @seal:   seal of the blocks
 * @blocks: the set, filled
 */
void luo_seal_blocks(const struct luo_seal *seal,
		     const struct kho_block_set *blocks)
{
	struct kho_block *block;
	u64 number = 0, *at;

	list_for_each_entry(block, &blocks->blocks, list) {
		at = luo_seal_at(block->ser);
		*at = luo_seal_compute(seal, block->ser, number++);
	}
}

/**
 * luo_seal_ok - check whether a preserved page is a certain block
 * @seal:   seal of the blocks of the array
 * @block:  the page
 * @number: number of the block in its chain, from 0
 *
 * Return: true if it is that block of that array.
 */
bool luo_seal_ok(const struct luo_seal *seal, void *block, u64 number)
{
	return *luo_seal_at(block) == luo_seal_compute(seal, block, number);
}

/**
 * luo_seal_set_init - set up a block set whose blocks have room for a seal
 * @blocks:	 the set
 * @record_size: size of a record in bytes
 */
void luo_seal_set_init(struct kho_block_set *blocks, size_t record_size)
{
	kho_block_set_init(blocks, record_size);
	blocks->count_per_block = LUO_RECORDS_PER_BLOCK(record_size);
}
