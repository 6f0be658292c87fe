/* SPDX-License-Identifier: GPL-2.0 */

/* The chain of blocks of one array, proven or plain. For handover_arrays.c. */

#ifndef HANDOVER_BLOCKS_H
#define HANDOVER_BLOCKS_H

#include "handover.h"

#define HANDOVER_NAME	(4 * LIVEUPDATE_SESSION_NAME_LENGTH + 1)	/* as text */
#define HANDOVER_UNKNOWN	UINT64_MAX

/**
 * struct handover_chain - an array to be read
 * @kind:   what its records describe
 * @name:   of the session that the files belong to, else ""
 * @at:	    physical address of the first block, 0 if the array is empty
 * @count:  announced records, or HANDOVER_UNKNOWN
 * @pgcnt:  announced blocks, or HANDOVER_UNKNOWN
 * @what:   for messages: sessions, FLBs, or files of a session
 * @nr_blocks: set to the number of blocks read
 * @records: set to the records, for free()
 * @nr:	    set to the number of records
 */
struct handover_chain {
	enum luo_array_kind kind;
	const char *name;
	uint64_t at;
	uint64_t count;
	uint64_t pgcnt;
	char what[HANDOVER_NAME + 32];
	uint64_t nr_blocks;
	struct handover_record *records;
	size_t nr;
};

/**
 * handover_read_chain - read all blocks of an array
 * @h:	   the handover: its kind says whether the blocks have seals
 * @mem:   memory
 * @chain: the array; @chain->records is to be freed also after a failure
 *
 * Return: 0, also if the chain is malformed or cut, see @h->problems; -ENOMEM.
 */
int handover_read_chain(struct handover *h, struct memory *mem,
			struct handover_chain *chain);

#endif
