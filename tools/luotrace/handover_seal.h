/* SPDX-License-Identifier: GPL-2.0 */

/* Seals of blocks and sums of records, as include/linux/kho/abi/luo.h defines them. */

#ifndef HANDOVER_SEAL_H
#define HANDOVER_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kho/abi/luo.h>

/**
 * struct handover_seal - what the blocks of one array are sealed with
 * @mark:  of the tree
 * @kind:  of the array
 * @owner: of the array
 */
struct handover_seal {
	uint64_t mark;
	enum luo_array_kind kind;
	uint64_t owner;
};

/**
 * handover_seal_init - seal of the blocks of an array
 * @seal: filled
 * @mark: of the tree
 * @kind: of the array
 * @name: of the session that the files belong to, else ""
 */
void handover_seal_init(struct handover_seal *seal, uint64_t mark,
			enum luo_array_kind kind, const char *name);

/**
 * handover_seal_block - the seal that a block must have
 * @seal:   of its array
 * @at:     its physical address
 * @number: its number in the chain, from 0
 * @tail:   its tail
 */
uint64_t handover_seal_block(const struct handover_seal *seal, uint64_t at,
			     uint64_t number, const struct luo_block_tail_ser *tail);

/**
 * handover_seal_record - the sum that a record must have
 * @seal:   of its array
 * @record: the record
 * @words:  its words
 */
uint32_t handover_seal_record(const struct handover_seal *seal, const void *record,
			      const uint64_t *words);

/** handover_seal_tree - whether the CRC-32 at the end of a page is right */
bool handover_seal_tree(const void *page, size_t page_size);

#endif
