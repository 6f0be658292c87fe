/* SPDX-License-Identifier: GPL-2.0 */

/* Proof that a page is a block of the handover, and that a record is intact */

#ifndef _LINUX_LUO_SEAL_H
#define _LINUX_LUO_SEAL_H

#include <linux/bitops.h>
#include <linux/kho_block.h>
#include <linux/kho/abi/luo.h>
#include <linux/mm.h>
#include <linux/siphash.h>

#include "luo_internal.h"

/**
 * struct luo_seal - key and owner of the blocks of an array
 * @key:   mark of the handover, kind of the array
 * @owner: hash of the name of the session that the files belong to
 */
struct luo_seal {
	siphash_key_t key;
	u64 owner;
};

void luo_seal_set_mark(enum luo_dir dir, u64 mark);
u64 luo_seal_mark(enum luo_dir dir);
void luo_seal_init(struct luo_seal *seal, enum luo_dir dir,
		   enum luo_array_kind kind, const char *name);
void luo_seal_block(const struct luo_seal *seal, void *block, u64 number,
		    u64 next, u64 count);
bool luo_seal_done(const void *block, u64 next, u64 count);
void luo_seal_blocks(const struct kho_block_set *blocks, enum luo_dir dir,
		     enum luo_array_kind kind, const char *name);
bool luo_seal_ok(const struct luo_seal *seal, const void *block, u64 number);
u64 luo_sum_string(u64 owner, const char *string, size_t size);
u32 luo_crc(const void *data, size_t size);

/**
 * luo_block_tail - get the tail of a block
 * @block: the block, a page
 *
 * Return: the tail.
 */
static inline struct luo_block_tail_ser *luo_block_tail(const void *block)
{
	return (void *)block + KHO_BLOCK_SIZE - sizeof(struct luo_block_tail_ser);
}

/**
 * luo_file_word - get the word of a record of a file
 * @record: the record, in its block
 *
 * Also for the record of an FLB, which has the same size.
 *
 * Return: the word.
 */
static inline u64 *luo_file_word(const void *record)
{
	size_t at = offset_in_page(record) - sizeof(struct kho_block_header_ser);
	u64 *words = (u64 *)luo_block_tail((void *)((unsigned long)record & PAGE_MASK));

	return words - LUO_FILES_PER_BLOCK + at / sizeof(struct luo_file_ser);
}

/**
 * luo_session_words - get the words of a record of a session
 * @record: the record, in its block
 *
 * Return: the first word.
 */
static inline u64 *luo_session_words(const void *record)
{
	size_t at = offset_in_page(record) - sizeof(struct kho_block_header_ser);
	u64 *words = (u64 *)luo_block_tail((void *)((unsigned long)record & PAGE_MASK));

	return words - LUO_SESSION_WORDS * LUO_SESSIONS_PER_BLOCK +
	       LUO_SESSION_WORDS * (at / sizeof(struct luo_session_ser));
}

/**
 * luo_sum_add - add a value of a record to its sum
 * @x:	   the owner of the array, or what the values before it gave
 * @value: the value
 *
 * A different value gives a different result: each step can be undone. The halves are
 * swapped as a multiplication moves bits upwards only.
 *
 * Return: what the values so far give.
 */
static inline u64 luo_sum_add(u64 x, u64 value)
{
	return rol64((x ^ value) * LUO_SUM_FACTOR, 32);
}

/**
 * luo_sum_word - first word of a record
 * @x:	  what its values give
 * @attr: %LUO_ATTR_...
 *
 * Return: the word.
 */
static inline u64 luo_sum_word(u64 x, u32 attr)
{
	return (u32)x | (u64)attr << 32;
}

/**
 * luo_sum - first word of a record whose values are all known
 * @x:	  luo_sum_string() of its string
 * @a:	  first of its other values
 * @b:	  second one
 * @c:	  third one
 * @attr: %LUO_ATTR_...
 *
 * Return: the word.
 */
static inline u64 luo_sum(u64 x, u64 a, u64 b, u64 c, u32 attr)
{
	return luo_sum_word(luo_sum_add(luo_sum_add(luo_sum_add(x, a), b), c), attr);
}

#endif /* _LINUX_LUO_SEAL_H */
