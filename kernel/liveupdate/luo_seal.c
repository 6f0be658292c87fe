// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Seals of blocks
 *
 * Nothing but an address says which page a block of records is in. A wrong one may
 * lead to any preserved page: a block of another session, or a page of a guest that
 * looks like a block. Restoring and freeing that page gives another session's memory
 * away, and following it gives one session the files of another.
 *
 * So the last eight bytes of a block are a seal: a keyed hash over what the block
 * holds records of, whose they are, its number in the chain and its address. The key
 * is a random number of this boot, which the tree hands over; nobody who writes to
 * preserved memory knows it. A page without the right seal is not a block, and is
 * neither restored nor freed nor followed.
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
 * luo_seal_init - how the blocks of an array are sealed
 * @seal:	 set up
 * @mark:	 from the tree of the handover
 * @record_size: bytes of a record
 * @name:	 of the session whose files they are, or ""
 */
void luo_seal_init(struct luo_seal *seal, u64 mark, size_t record_size,
		   const char *name)
{
	/* The size of a record tells what kind it is of. */
	const siphash_key_t key = { { mark, record_size } };

	*seal = (struct luo_seal) {
		.mark = mark,
		.record_size = record_size,
		.owner = siphash(name, strlen(name), &key),
	};
}

/**
 * luo_seal_blocks - seal all blocks of a set
 * @seal:   how
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
 * luo_seal_ok - whether a preserved page is a block
 * @seal:   how it is sealed if it is
 * @block:  the page
 * @number: of the block in its chain, from 0
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
 * @record_size: bytes of a record
 */
void luo_seal_set_init(struct kho_block_set *blocks, size_t record_size)
{
	kho_block_set_init(blocks, record_size);
	blocks->count_per_block = LUO_RECORDS_PER_BLOCK(record_size);
}
