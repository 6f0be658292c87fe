/* SPDX-License-Identifier: GPL-2.0 */

/* Arrays as a previous kernel hands them over, for the KUnit suites. */

#ifndef _LINUX_LUO_KUNIT_ARRAY_H
#define _LINUX_LUO_KUNIT_ARRAY_H

#include "../luo_array.h"
#include "../luo_seal.h"

struct kunit;

#define LUO_KUNIT_PAGES		16	/* of a pool */
#define LUO_KUNIT_RECORDS	256	/* of an array, at most */

/**
 * struct luo_kunit_values - what a record says
 * @string: name or compatible string, padded with zeros
 * @value:  a file: token, data, attributes; a session: files, count, pages; an FLB:
 *	    data, count, attributes; the last one is 0 if the array is plain
 */
struct luo_kunit_values {
	char string[LIVEUPDATE_SESSION_NAME_LENGTH];
	u64 value[3];
};

/**
 * struct luo_kunit_pages - pages that the previous kernel "preserved"
 * @page: the pages
 * @nr:	  their number
 */
struct luo_kunit_pages {
	void *page[LUO_KUNIT_PAGES];
	unsigned int nr;
};

/**
 * struct luo_kunit_chain - an array that is to be written
 * @kind:      of its records
 * @name:      of the session that it belongs to, or ""
 * @plain:     without seals and sums, as the base writes it
 * @first:     number of its first record
 * @nr_blocks: number of its blocks
 * @per_block: number of records in each of them
 */
struct luo_kunit_chain {
	enum luo_array_kind kind;
	const char *name;
	bool plain;
	u64 first;
	unsigned int nr_blocks;
	unsigned int per_block;
};

/**
 * struct luo_kunit_seen - what luo_kunit_see() has seen of an array
 * @kind:  of the records
 * @first: number of the first record
 * @seen:  the records, by their number from @first
 * @nr:	   their number
 * @wrong: records that were not written, not so, came twice or in another order
 * @last:  number of the last one, from @first
 */
struct luo_kunit_seen {
	enum luo_array_kind kind;
	u64 first;
	DECLARE_BITMAP(seen, LUO_KUNIT_RECORDS);
	unsigned int nr;
	unsigned int wrong;
	u64 last;
};

int luo_kunit_array_init(struct kunit *test);
void luo_kunit_array_exit(struct kunit *test);

size_t luo_kunit_record_size(enum luo_array_kind kind);
void *luo_kunit_record(enum luo_array_kind kind, void *block, unsigned int i);
u64 *luo_kunit_words(enum luo_array_kind kind, const void *record);

void luo_kunit_values(enum luo_array_kind kind, u64 number, struct luo_kunit_values *v);
void luo_kunit_put(enum luo_array_kind kind, const struct luo_seal *seal, void *record,
		   const struct luo_kunit_values *v);
void luo_kunit_get(enum luo_array_kind kind, const void *record, const u64 *words,
		   struct luo_kunit_values *v);
int luo_kunit_number(const struct luo_kunit_values *v, u64 *number);

void *luo_kunit_page(struct kunit *test, struct luo_kunit_pages *pages);
unsigned int luo_kunit_pages_incoming(const struct luo_kunit_pages *pages);
void luo_kunit_pages_free(struct luo_kunit_pages *pages);

void luo_kunit_chain_fill(const struct luo_kunit_chain *c, void **blocks,
			  struct luo_array *array);
void **luo_kunit_chain_write(struct kunit *test, const struct luo_kunit_chain *c,
			     struct luo_kunit_pages *pages, struct luo_array *array);

const char *luo_kunit_see(const void *record, const u64 *words, void *data);

#endif /* _LINUX_LUO_KUNIT_ARRAY_H */
