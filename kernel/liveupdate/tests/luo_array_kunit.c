// SPDX-License-Identifier: GPL-2.0

/* The arrays of the handover: their layout, seals and sums, and how they are read. */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../kho_base.h"
#include "luo_kunit.h"
#include "luo_kunit_array.h"

#define LUO_KUNIT_BASE_FILES	63	/* of a block of the base */
#define LUO_KUNIT_BASE_SESSIONS	51

/* A kind of array, and the facts of its blocks that other kernels rely on */
struct luo_kunit_kind {
	const char *what;
	enum luo_array_kind kind;
	const char *name;	/* of the session of the files */
	unsigned int per_block;
	unsigned int base_per_block;
	unsigned int words;	/* of a record */
};

static const struct luo_kunit_kind luo_kunit_kinds[] = {
	{ "sessions", LUO_ARRAY_SESSIONS, "", 42, LUO_KUNIT_BASE_SESSIONS, 2 },
	{ "files", LUO_ARRAY_FILES, "kunit", 56, LUO_KUNIT_BASE_FILES, 1 },
	{ "FLBs", LUO_ARRAY_FLBS, "", 56, LUO_KUNIT_BASE_FILES, 1 },
};

static void luo_kunit_kind_describe(struct kunit *test, const void *param, char *desc)
{
	const struct luo_kunit_kind *kind = param;

	strscpy(desc, kind->what, KUNIT_PARAM_DESC_SIZE);
}

/* With a registered array, KUnit prints how many results will follow. */
static int luo_kunit_kind_init(struct kunit *test)
{
	kunit_register_params_array(test, luo_kunit_kinds, ARRAY_SIZE(luo_kunit_kinds),
				    luo_kunit_kind_describe);
	return 0;
}

/* Read an array of records that are numbered from 0. */
static struct luo_blocks luo_kunit_read(const struct luo_array *array,
					enum luo_array_kind kind, const char *name,
					struct luo_kunit_seen *seen)
{
	*seen = (struct luo_kunit_seen){ .kind = kind };
	return luo_array_read(array, kind, name, luo_kunit_see, seen);
}

/* All records from @from to @to, without @to, were read. */
static bool luo_kunit_saw(const struct luo_kunit_seen *seen, unsigned int from,
			  unsigned int to)
{
	return find_next_zero_bit(seen->seen, to, from) >= to;
}

/* Fill a block set as LUO does, and turn its blocks into those of the previous kernel. */
static void luo_kunit_hand_over(struct kunit *test, const struct luo_kunit_kind *kind,
				unsigned int records, struct luo_kunit_pages *pages,
				struct luo_array *array)
{
	struct kho_block *block, *next;
	struct kho_block_set_it it;
	struct kho_block_set blocks;
	struct luo_kunit_values v;
	struct luo_seal seal;
	unsigned int i;

	luo_array_set_init(&blocks, kind->kind);
	KUNIT_ASSERT_EQ(test, kho_block_set_grow(&blocks, records), 0);
	luo_seal_init(&seal, LUO_DIR_IN, kind->kind, kind->name);
	kho_block_set_it_init(&it, &blocks);
	for (i = 0; i < records; i++) {
		luo_kunit_values(kind->kind, i, &v);
		luo_kunit_put(kind->kind, &seal, kho_block_set_it_reserve_entry(&it), &v);
	}
	luo_seal_blocks(&blocks, LUO_DIR_IN, kind->kind, kind->name);
	luo_array_from_blocks(&blocks, records, array);

	list_for_each_entry_safe(block, next, &blocks.blocks, list) {
		/* The block of FLBs has the number of its pages there. */
		if (kind->kind == LUO_ARRAY_FLBS)
			block->ser->next = 1;
		kho_unpreserve_folio(virt_to_folio(block->ser));
		kho_test_incoming(virt_to_page(block->ser));
		pages->page[pages->nr++] = block->ser;
		kfree(block);
	}
}

static void luo_kunit_roundtrip_of(struct kunit *test, const struct luo_kunit_kind *kind,
				   unsigned int records)
{
	unsigned int nr_blocks = DIV_ROUND_UP(records, kind->per_block);
	unsigned long managed = totalram_pages();
	struct luo_kunit_pages pages = {};
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;
	struct luo_array array;

	luo_kunit_hand_over(test, kind, records, &pages, &array);
	KUNIT_EXPECT_EQ(test, pages.nr, nr_blocks);
	KUNIT_EXPECT_EQ(test, luo_kunit_pages_incoming(&pages), nr_blocks);
	KUNIT_EXPECT_EQ(test, totalram_pages(), managed - nr_blocks);
	blocks = luo_kunit_read(&array, kind->kind, kind->name, &seen);
	KUNIT_EXPECT_EQ(test, seen.nr, records);
	KUNIT_EXPECT_EQ(test, seen.wrong, 0);
	KUNIT_EXPECT_TRUE(test, luo_kunit_saw(&seen, 0, records));
	KUNIT_EXPECT_EQ(test, blocks.restored, nr_blocks);
	KUNIT_EXPECT_EQ(test, blocks.kept, 0);
	KUNIT_EXPECT_EQ(test, blocks.left, 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_pages_incoming(&pages), 0);
	KUNIT_EXPECT_EQ(test, totalram_pages(), managed);
	luo_kunit_pages_free(&pages);
}

/* One, two and three blocks, full and just begun. FLBs have one block. */
static void luo_kunit_roundtrip(struct kunit *test)
{
	const struct luo_kunit_kind *kind = test->param_value;
	unsigned int blocks, max = kind->kind == LUO_ARRAY_FLBS ? 1 : 3;

	for (blocks = 1; blocks <= max; blocks++) {
		luo_kunit_roundtrip_of(test, kind, (blocks - 1) * kind->per_block + 1);
		luo_kunit_roundtrip_of(test, kind, blocks * kind->per_block);
	}
}

static void luo_kunit_empty(struct kunit *test)
{
	const struct luo_kunit_kind *kind = test->param_value;
	struct luo_array array = {};
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;

	blocks = luo_kunit_read(&array, kind->kind, kind->name, &seen);
	KUNIT_EXPECT_EQ(test, seen.nr + seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, blocks.restored + blocks.kept + blocks.left, 0);
}

static void luo_kunit_layout(struct kunit *test)
{
	const struct luo_kunit_kind *kind = test->param_value;
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	void *tail = luo_block_tail(page), *last;
	struct kho_block_set blocks;
	unsigned int i;
	u64 *words, *at;

	luo_array_set_init(&blocks, kind->kind);
	KUNIT_EXPECT_EQ(test, blocks.count_per_block, kind->per_block);
	KUNIT_EXPECT_EQ(test, LUO_BASE_RECORDS_PER_BLOCK(luo_kunit_record_size(kind->kind)),
			kind->base_per_block);
	KUNIT_EXPECT_PTR_EQ(test, tail + sizeof(struct luo_block_tail_ser),
			    page + PAGE_SIZE);

	/* The words are one after the other, behind the last record, up to the tail. */
	last = luo_kunit_record(kind->kind, page, kind->per_block);
	words = tail - kind->per_block * kind->words * sizeof(u64);
	KUNIT_EXPECT_GE(test, (unsigned long)words, (unsigned long)last);
	for (i = 0; i < kind->per_block; i++) {
		at = luo_kunit_words(kind->kind, luo_kunit_record(kind->kind, page, i));
		KUNIT_EXPECT_PTR_EQ(test, at, words);
		words += kind->words;
	}
	KUNIT_EXPECT_PTR_EQ(test, (void *)words, tail);
	free_page((unsigned long)page);
}

/* Each bit of what a sum is made of changes it. */
static void luo_kunit_sums(struct kunit *test)
{
	struct luo_kunit_values v;
	u64 owner = 0x0f1e2d3c4b5a6978ULL;
	u64 word, begun, other, bit;
	unsigned int i;
	u32 attr;

	KUNIT_EXPECT_EQ(test, luo_crc("123456789", 9), 0xcbf43926);

	luo_kunit_values(LUO_ARRAY_FILES, 7, &v);
	attr = v.value[2];
	begun = luo_sum_string(owner, v.string, LIVEUPDATE_HNDL_COMPAT_LENGTH);
	word = luo_sum(begun, v.value[0], v.value[1], v.value[2], attr);
	KUNIT_EXPECT_EQ(test, word >> 32, attr);
	for (i = 0; i < 64; i++) {
		bit = BIT_ULL(i);
		other = luo_sum(begun ^ bit, v.value[0], v.value[1], v.value[2], attr);
		KUNIT_EXPECT_NE(test, (u32)word, (u32)other);
		other = luo_sum(begun, v.value[0] ^ bit, v.value[1], v.value[2], attr);
		KUNIT_EXPECT_NE(test, (u32)word, (u32)other);
		other = luo_sum(begun, v.value[0], v.value[1] ^ bit, v.value[2], attr);
		KUNIT_EXPECT_NE(test, (u32)word, (u32)other);
		other = luo_sum(begun, v.value[0], v.value[1], v.value[2] ^ bit, attr);
		KUNIT_EXPECT_NE(test, (u32)word, (u32)other);
		/* The highest bits of two values do not cancel out. */
		other = luo_sum(begun, v.value[0] ^ bit, v.value[1] ^ BIT_ULL(63),
				v.value[2], attr);
		KUNIT_EXPECT_NE(test, (u32)word, (u32)other);
		other = luo_sum_string(owner ^ bit, v.string,
				       LIVEUPDATE_HNDL_COMPAT_LENGTH);
		KUNIT_EXPECT_NE(test, begun, other);
	}
	for (i = 0; i < 8 * LIVEUPDATE_HNDL_COMPAT_LENGTH; i++) {
		v.string[i / 8] ^= 1 << i % 8;
		other = luo_sum_string(owner, v.string, LIVEUPDATE_HNDL_COMPAT_LENGTH);
		KUNIT_EXPECT_NE(test, begun, other);
		v.string[i / 8] ^= 1 << i % 8;
	}
}

/* The reader looks at each bit of a record and of its words. */
static void luo_kunit_record_bits(struct kunit *test)
{
	const struct luo_kunit_kind *kind = test->param_value;
	struct luo_kunit_chain c = {
		.kind = kind->kind, .name = kind->name, .nr_blocks = 1, .per_block = 3,
	};
	struct luo_kunit_pages pages = {};
	struct luo_kunit_seen seen;
	size_t size, bits, i;
	struct luo_array array;
	void **blocks, *at;

	size = luo_kunit_record_size(kind->kind);
	bits = 8 * (size + kind->words * sizeof(u64));
	for (i = 0; i < bits; i++) {
		blocks = luo_kunit_chain_write(test, &c, &pages, &array);
		at = luo_kunit_record(kind->kind, blocks[0], 1);
		if (i < 8 * size)
			((u8 *)at)[i / 8] ^= 1 << i % 8;
		else
			((u8 *)luo_kunit_words(kind->kind, at))[i / 8 - size] ^= 1 << i % 8;
		luo_kunit_read(&array, kind->kind, kind->name, &seen);
		if (seen.nr != 2 || seen.wrong || !test_bit(0, seen.seen) ||
		    !test_bit(2, seen.seen))
			KUNIT_FAIL(test, "bit %zu: %u records, %u wrong", i, seen.nr,
				   seen.wrong);
		luo_kunit_pages_free(&pages);
	}
}

static void luo_kunit_owner(enum luo_array_kind kind, u64 mark,
			    const char *name, struct luo_seal *seal)
{
	u64 old = luo_seal_mark(LUO_DIR_IN);

	luo_seal_set_mark(LUO_DIR_IN, mark);
	luo_seal_init(seal, LUO_DIR_IN, kind, name);
	luo_seal_set_mark(LUO_DIR_IN, old);
}

/* A seal is valid for one array of one handover, one page and one place in the chain. */
static void luo_kunit_seals(struct kunit *test)
{
	u64 *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	u64 *copy = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	u64 *tail, mark = 0x5555aaaa5555aaaaULL, sum;
	struct luo_seal seal, other[4];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	tail = (u64 *)luo_block_tail(page);
	luo_kunit_owner(LUO_ARRAY_FILES, mark, "a", &seal);
	luo_kunit_owner(LUO_ARRAY_FILES, mark, "b", &other[0]);
	luo_kunit_owner(LUO_ARRAY_FILES, mark ^ 1, "a", &other[1]);
	luo_kunit_owner(LUO_ARRAY_SESSIONS, mark, "a", &other[2]);
	luo_kunit_owner(LUO_ARRAY_FLBS, mark, "a", &other[3]);

	luo_seal_block(&seal, page, 5, 0x123000, 7);
	KUNIT_EXPECT_TRUE(test, luo_seal_ok(&seal, page, 5));
	KUNIT_EXPECT_FALSE(test, luo_seal_ok(&seal, page, 4));
	KUNIT_EXPECT_FALSE(test, luo_seal_ok(&seal, page, 6));
	memcpy(copy, page, PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, luo_seal_ok(&seal, copy, 5));

	sum = luo_sum(seal.owner, 1, 2, 3, 4);
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		KUNIT_EXPECT_FALSE(test, luo_seal_ok(&other[i], page, 5));
		KUNIT_EXPECT_NE(test, (u32)sum,
				(u32)luo_sum(other[i].owner, 1, 2, 3, 4));
	}

	for (i = 0; i < 8 * sizeof(struct luo_block_tail_ser); i++) {
		tail[i / 64] ^= BIT_ULL(i % 64);
		KUNIT_EXPECT_FALSE(test, luo_seal_ok(&seal, page, 5));
		tail[i / 64] ^= BIT_ULL(i % 64);
	}
	KUNIT_EXPECT_TRUE(test, luo_seal_ok(&seal, page, 5));
}

/* What a damaged byte of the middle block may cost: the records from @from to @to */
struct luo_kunit_loss {
	unsigned int from;
	unsigned int to;
	bool block;
};

static struct luo_kunit_loss luo_kunit_loss(const struct luo_kunit_kind *kind,
					    unsigned int records, size_t at)
{
	size_t words = PAGE_SIZE - sizeof(struct luo_block_tail_ser) -
		       kind->per_block * kind->words * sizeof(u64);
	size_t head = sizeof(struct kho_block_header_ser), i = records;

	if (at >= PAGE_SIZE - sizeof(struct luo_block_tail_ser))
		return (struct luo_kunit_loss){ 0, records, true };
	if (at >= words)
		i = (at - words) / (kind->words * sizeof(u64));
	else if (at >= head)
		i = (at - head) / luo_kunit_record_size(kind->kind);
	/* The header and what is not used cost nothing. */
	if (i >= records)
		return (struct luo_kunit_loss){};
	return (struct luo_kunit_loss){ i, i + 1 };
}

/* Read a chain whose middle block has another byte at @at. */
static void luo_kunit_byte(struct kunit *test, const struct luo_kunit_kind *kind,
			   size_t at, u8 flip)
{
	/* The block of FLBs is alone. */
	unsigned int damaged = kind->kind == LUO_ARRAY_FLBS ? 0 : 1;
	struct luo_kunit_chain c = {
		.kind = kind->kind, .name = kind->name,
		.nr_blocks = 2 * damaged + 1, .per_block = 5,
	};
	struct luo_kunit_loss loss = luo_kunit_loss(kind, c.per_block, at);
	unsigned int all = c.nr_blocks * c.per_block;
	unsigned int first = damaged * c.per_block;
	struct luo_kunit_pages pages = {};
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;
	struct luo_array array;
	void **block;
	bool ok;

	block = luo_kunit_chain_write(test, &c, &pages, &array);
	((u8 *)block[damaged])[at] ^= flip;
	blocks = luo_kunit_read(&array, kind->kind, kind->name, &seen);
	ok = !seen.wrong && seen.nr == all - (loss.to - loss.from) &&
	     luo_kunit_saw(&seen, 0, first + loss.from) &&
	     luo_kunit_saw(&seen, first + loss.to, all) &&
	     blocks.restored == c.nr_blocks - loss.block && blocks.left == loss.block &&
	     luo_kunit_pages_incoming(&pages) == loss.block;
	if (!ok)
		KUNIT_FAIL(test, "byte %zu ^ %#x: %u of %u records, %u wrong, %llu blocks left",
			   at, flip, seen.nr, all, seen.wrong, blocks.left);
	luo_kunit_pages_free(&pages);
}

static void luo_kunit_bytes(struct kunit *test)
{
	static const u8 flips[] = { 0x01, 0x10, 0xff };
	const struct luo_kunit_kind *kind = test->param_value;
	unsigned int i;
	size_t at;

	for (at = 0; at < PAGE_SIZE; at++) {
		for (i = 0; i < ARRAY_SIZE(flips); i++)
			luo_kunit_byte(test, kind, at, flips[i]);
		cond_resched();
	}
}

/* A block that belongs elsewhere is neither read nor freed. */
static void luo_kunit_other_arrays(struct kunit *test)
{
	struct luo_kunit_chain c = {
		.kind = LUO_ARRAY_FILES, .name = "a", .nr_blocks = 3, .per_block = 5,
	};
	struct luo_kunit_pages pages = {};
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;
	struct luo_array array;
	void **block;

	block = luo_kunit_chain_write(test, &c, &pages, &array);
	blocks = luo_kunit_read(&array, LUO_ARRAY_FILES, "b", &seen);
	KUNIT_EXPECT_EQ(test, seen.nr + seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, blocks.restored, 0);
	blocks = luo_kunit_read(&array, LUO_ARRAY_SESSIONS, "a", &seen);
	KUNIT_EXPECT_EQ(test, seen.nr + seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, blocks.restored, 0);
	/* Not from its second block on, either. */
	array.data = virt_to_phys(block[1]);
	blocks = luo_kunit_read(&array, LUO_ARRAY_FILES, "a", &seen);
	KUNIT_EXPECT_EQ(test, seen.nr + seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, blocks.restored, 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_pages_incoming(&pages), 3);
	luo_kunit_pages_free(&pages);
}

/* A sealed chain that leads to itself: a block has one number, and is restored once. */
static void luo_kunit_sealed_loop(struct kunit *test)
{
	struct luo_kunit_chain c = {
		.kind = LUO_ARRAY_FILES, .name = "a", .nr_blocks = 3, .per_block = 5,
	};
	struct luo_kunit_pages pages = {};
	struct kho_block_header_ser *head;
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;
	struct luo_array array;
	void **block;

	block = luo_kunit_chain_write(test, &c, &pages, &array);
	/* Both copies of the address, as if it were right */
	head = block[1];
	head->next = virt_to_phys(block[1]);
	luo_block_tail(head)->next = head->next;
	blocks = luo_kunit_read(&array, LUO_ARRAY_FILES, "a", &seen);
	KUNIT_EXPECT_EQ(test, seen.nr, 5);
	KUNIT_EXPECT_EQ(test, seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, blocks.restored, 1);
	KUNIT_EXPECT_EQ(test, blocks.left, 1);
	KUNIT_EXPECT_EQ(test, luo_kunit_pages_incoming(&pages), 2);
	luo_kunit_pages_free(&pages);
}

/* No address that is not that of a preserved page is read from. */
static void luo_kunit_addresses(struct kunit *test)
{
	const struct luo_kunit_kind *kind = test->param_value;
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	struct luo_array array = { .count = 1 };
	struct luo_kunit_pages pages = {};
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;
	u64 addresses[] = {
		1, PAGE_SIZE, virt_to_phys(page),
		virt_to_phys(luo_kunit_page(test, &pages)) + 8,
		U64_MAX, U64_MAX & PAGE_MASK, BIT_ULL(63), BIT_ULL(52),
		PFN_PHYS(max_pfn),
	};
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(addresses); i++) {
		array.data = addresses[i / 2];
		array.plain = i % 2;
		blocks = luo_kunit_read(&array, kind->kind, kind->name, &seen);
		KUNIT_EXPECT_EQ(test, seen.nr + seen.wrong, 0);
		KUNIT_EXPECT_EQ(test, blocks.restored + blocks.kept, 0);
		KUNIT_EXPECT_EQ(test, blocks.left, 1);
	}
	KUNIT_EXPECT_EQ(test, luo_kunit_pages_incoming(&pages), 1);
	luo_kunit_pages_free(&pages);
	free_page((unsigned long)page);
}

static struct luo_kunit_chain luo_kunit_plain(const struct luo_kunit_kind *kind)
{
	return (struct luo_kunit_chain){
		.kind = kind->kind, .name = kind->name, .plain = true,
		.nr_blocks = kind->kind == LUO_ARRAY_FLBS ? 1 : 3,
		.per_block = kind->base_per_block,
	};
}

/* What the base's LUO writes is read, and nothing of it is freed. */
static void luo_kunit_base(struct kunit *test)
{
	struct luo_kunit_chain c = luo_kunit_plain(test->param_value);
	unsigned int all = c.nr_blocks * c.per_block, i;
	struct luo_kunit_pages pages = {};
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;
	struct luo_array array;

	luo_kunit_chain_write(test, &c, &pages, &array);
	/* The base writes how many files a session has, not how many sessions there are. */
	for (i = 0; i < 2; i++) {
		array.count = i ? LUO_COUNT_UNKNOWN : all;
		blocks = luo_kunit_read(&array, c.kind, c.name, &seen);
		KUNIT_EXPECT_EQ(test, seen.nr, all);
		KUNIT_EXPECT_EQ(test, seen.wrong, 0);
		KUNIT_EXPECT_EQ(test, blocks.kept, c.nr_blocks);
		KUNIT_EXPECT_EQ(test, blocks.restored + blocks.left, 0);
		luo_array_read_done();
	}
	KUNIT_EXPECT_EQ(test, luo_kunit_pages_incoming(&pages), c.nr_blocks);
	luo_kunit_pages_free(&pages);
}

/* A block with more records than fit, and one with more than the array has */
static void luo_kunit_base_too_many(struct kunit *test)
{
	struct luo_kunit_chain c = luo_kunit_plain(test->param_value);
	unsigned int last = c.nr_blocks - 1, i;
	struct kho_block_header_ser *head;
	struct luo_kunit_pages pages = {};
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;
	struct luo_array array;
	void **block;

	block = luo_kunit_chain_write(test, &c, &pages, &array);
	head = block[last];
	for (i = 0; i < 3; i++) {
		head->count = i == 0 ? c.per_block + 1 : i == 1 ? U64_MAX : c.per_block;
		array.count = i == 2 ? c.nr_blocks * c.per_block - 1 : LUO_COUNT_UNKNOWN;
		blocks = luo_kunit_read(&array, c.kind, c.name, &seen);
		KUNIT_EXPECT_EQ(test, seen.nr, last * c.per_block);
		KUNIT_EXPECT_EQ(test, seen.wrong, 0);
		KUNIT_EXPECT_EQ(test, blocks.kept, last);
		KUNIT_EXPECT_EQ(test, blocks.left, 1);
		luo_array_read_done();
	}
	KUNIT_EXPECT_EQ(test, luo_kunit_pages_incoming(&pages), c.nr_blocks);
	luo_kunit_pages_free(&pages);
}

/* A chain of the base ends where it leads to a block that was read, in any array. */
static void luo_kunit_base_twice(struct kunit *test)
{
	struct luo_kunit_chain c = {
		.kind = LUO_ARRAY_FILES, .name = "a", .plain = true, .nr_blocks = 3,
		.per_block = LUO_KUNIT_BASE_FILES,
	};
	struct luo_kunit_pages pages = {};
	struct kho_block_header_ser *head;
	struct luo_kunit_seen seen;
	struct luo_blocks blocks;
	struct luo_array array;
	unsigned int i;
	void **block;

	block = luo_kunit_chain_write(test, &c, &pages, &array);
	array.count = LUO_COUNT_UNKNOWN;
	head = block[2];
	for (i = 0; i < 3; i++) {
		head->next = virt_to_phys(block[i]);
		blocks = luo_kunit_read(&array, LUO_ARRAY_FILES, "a", &seen);
		KUNIT_EXPECT_EQ(test, seen.nr, 3 * LUO_KUNIT_BASE_FILES);
		KUNIT_EXPECT_EQ(test, seen.wrong, 0);
		KUNIT_EXPECT_EQ(test, blocks.kept, 3);
		KUNIT_EXPECT_EQ(test, blocks.left, 1);

		/* They are the files of one session. */
		blocks = luo_kunit_read(&array, LUO_ARRAY_FILES, "b", &seen);
		KUNIT_EXPECT_EQ(test, seen.nr + seen.wrong, 0);
		KUNIT_EXPECT_EQ(test, blocks.kept, 0);
		luo_array_read_done();
	}
	KUNIT_EXPECT_EQ(test, luo_kunit_pages_incoming(&pages), 3);
	luo_kunit_pages_free(&pages);
}

#define LUO_KUNIT_CASE_KINDS(test)						\
	KUNIT_CASE_PARAM_WITH_INIT(test, kunit_array_gen_params,		\
				   luo_kunit_kind_init, NULL)

static struct kunit_case luo_kunit_array_cases[] = {
	LUO_KUNIT_CASE_KINDS(luo_kunit_roundtrip),
	LUO_KUNIT_CASE_KINDS(luo_kunit_empty),
	LUO_KUNIT_CASE_KINDS(luo_kunit_layout),
	KUNIT_CASE(luo_kunit_sums),
	LUO_KUNIT_CASE_KINDS(luo_kunit_record_bits),
	KUNIT_CASE(luo_kunit_seals),
	LUO_KUNIT_CASE_KINDS(luo_kunit_bytes),
	KUNIT_CASE(luo_kunit_other_arrays),
	KUNIT_CASE(luo_kunit_sealed_loop),
	LUO_KUNIT_CASE_KINDS(luo_kunit_addresses),
	LUO_KUNIT_CASE_KINDS(luo_kunit_base),
	LUO_KUNIT_CASE_KINDS(luo_kunit_base_too_many),
	KUNIT_CASE(luo_kunit_base_twice),
	{}
};

static struct kunit_suite luo_kunit_array_suite = {
	.name = "liveupdate-array",
	.init = luo_kunit_array_init,
	.exit = luo_kunit_array_exit,
	.test_cases = luo_kunit_array_cases,
};

kunit_test_suite(luo_kunit_array_suite);
