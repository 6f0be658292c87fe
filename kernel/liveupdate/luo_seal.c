// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Seals and sums
 *
 * A block of records is found by its address alone. A wrong address may lead to any
 * preserved page: a block of another session, or a page of a guest that looks like a
 * block. Restoring and freeing that page would give away the memory of another
 * session, and following it would give one session the files of another.
 *
 * A block therefore ends with a seal: a keyed hash over the kind of its records, their
 * owner, the number of the block in its chain, its address, that of the next block, and
 * the number of its records. The key is a random number, new for each boot, which the tree hands
 * over; nobody who writes to preserved memory knows it. A page without the right seal is
 * not a block, and is neither restored nor freed.
 *
 * The seal does not depend on the records, so that a damaged record does not cost the
 * others. Each record has a sum, which depends on its owner, too. It is a chain of
 * multiplications and not a CRC, as the freeze adds what it knows last to each file: two
 * multiplications instead of a call, or of instructions that need the FPU.
 */

#include <linux/crc32.h>
#include <linux/io.h>
#include <linux/kho_block.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "luo_seal.h"

static u64 luo_marks[2]; /* by enum luo_dir, set at boot */

/**
 * luo_seal_set_mark - set the key of all seals and sums of a handover
 * @dir:  incoming or outgoing
 * @mark: the mark that the tree hands over
 *
 * Context: once, at boot, before any block of it is sealed or checked.
 */
void luo_seal_set_mark(enum luo_dir dir, u64 mark)
{
	luo_marks[dir] = mark;
}

/**
 * luo_seal_mark - get the key of all seals and sums of a handover
 * @dir: incoming or outgoing
 *
 * Return: the mark.
 */
u64 luo_seal_mark(enum luo_dir dir)
{
	return luo_marks[dir];
}

/**
 * luo_seal_init - set up the seal of the blocks of an array
 * @seal: the seal
 * @dir:  incoming or outgoing
 * @kind: kind of the array
 * @name: name of the session that the files belong to, or ""
 */
void luo_seal_init(struct luo_seal *seal, enum luo_dir dir,
		   enum luo_array_kind kind, const char *name)
{
	seal->key = (siphash_key_t){ { luo_marks[dir], kind } };
	seal->owner = siphash(name, strlen(name), &seal->key);
}

static u64 luo_seal_compute(const struct luo_seal *seal, const void *block,
			    u64 number)
{
	const struct luo_block_tail_ser *tail = luo_block_tail(block);

	return siphash_4u64(seal->owner, virt_to_phys((void *)block), tail->next,
			    (number << 32) + tail->count, &seal->key);
}

/**
 * luo_seal_block - write the tail of a block
 * @seal:   seal of the array
 * @block:  the block
 * @number: its number in the chain, from 0
 * @next:   physical address of the next block, or 0
 * @count:  number of its records
 */
void luo_seal_block(const struct luo_seal *seal, void *block, u64 number,
		    u64 next, u64 count)
{
	struct luo_block_tail_ser *tail = luo_block_tail(block);

	tail->next = next;
	tail->count = count;
	tail->seal = luo_seal_compute(seal, block, number);
}

/**
 * luo_seal_done - check whether a block has a tail already
 * @block: the block of a set, zero when it was added
 * @next:  physical address of the next block, or 0
 * @count: number of its records
 *
 * A block stays at its place in its set as long as it exists, so that its seal depends
 * only on these two.
 *
 * Return: true if luo_seal_block() has written the same tail.
 */
bool luo_seal_done(const void *block, u64 next, u64 count)
{
	const struct luo_block_tail_ser *tail = luo_block_tail(block);

	return tail->seal && tail->next == next && tail->count == count;
}

/**
 * luo_seal_blocks - write the tails of all blocks of a set
 * @blocks: the set, filled
 * @dir:    direction whose key is used
 * @kind:   kind of the array
 * @name:   name of the session that the files belong to, or ""
 *
 * Does nothing for those that have been written and do not change, so that reboot() need
 * not do what PREPARE has done.
 */
void luo_seal_blocks(const struct kho_block_set *blocks, enum luo_dir dir,
		     enum luo_array_kind kind, const char *name)
{
	struct luo_seal seal;
	struct kho_block *block;
	bool init = false;
	u64 number = 0;

	list_for_each_entry(block, &blocks->blocks, list) {
		if (!luo_seal_done(block->ser, block->ser->next, block->ser->count)) {
			if (!init)
				luo_seal_init(&seal, dir, kind, name);
			init = true;
			luo_seal_block(&seal, block->ser, number, block->ser->next,
				       block->ser->count);
		}
		number++;
	}
}

/**
 * luo_seal_ok - check whether a preserved page is a certain block
 * @seal:   seal of the array
 * @block:  the page
 * @number: number of the block in its chain, from 0
 *
 * Return: true if it is that block of that array, and its tail is right.
 */
bool luo_seal_ok(const struct luo_seal *seal, const void *block, u64 number)
{
	return luo_block_tail(block)->seal == luo_seal_compute(seal, block, number);
}

/**
 * luo_sum_string - begin the sum of a record with its string field
 * @owner:  owner of the array
 * @string: the field, with all bytes after the end of the string
 * @size:   of the field, a multiple of 8
 *
 * Return: what the field gives, for luo_sum_add().
 */
u64 luo_sum_string(u64 owner, const char *string, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += sizeof(u64))
		owner = luo_sum_add(owner, get_unaligned((const u64 *)(string + i)));
	return owner;
}

/**
 * luo_crc - CRC-32 of data, as zlib computes it
 * @data: the data
 * @size: in bytes
 *
 * Return: the CRC.
 */
u32 luo_crc(const void *data, size_t size)
{
	return ~crc32_le(~0, data, size);
}
