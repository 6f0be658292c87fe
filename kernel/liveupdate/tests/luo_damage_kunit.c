// SPDX-License-Identifier: GPL-2.0

/*
 * Handovers with random damage: sessions, their files, FLBs, and a page of a guest that
 * looks like a block. Whatever happens to them, each page is freed once or stays
 * reserved, that of the guest stays as it is, and what is accepted was written so.
 */

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../kho_base.h"
#include "luo_kunit.h"
#include "luo_kunit_array.h"

#define LUO_KUNIT_SEED		20261128ULL
/* With KASAN in an emulated machine, one takes one to two milliseconds. */
#define LUO_KUNIT_DAMAGED	(IS_ENABLED(CONFIG_KASAN) ? 100000 : 2000)
#define LUO_KUNIT_SESSIONS	3
#define LUO_KUNIT_FLB		(LUO_KUNIT_SESSIONS + 1)	/* index of chains */
#define LUO_KUNIT_CHAINS	(LUO_KUNIT_SESSIONS + 2)
#define LUO_KUNIT_FIRST(i)	(1000 * (i))	/* record of chain number i */

/* The sessions, the files of each of them, the FLBs */
static const struct luo_kunit_chain luo_kunit_chains[LUO_KUNIT_CHAINS] = {
	{ LUO_ARRAY_SESSIONS, "", .first = LUO_KUNIT_FIRST(0), .nr_blocks = 3, .per_block = 1 },
	{ LUO_ARRAY_FILES, "kunit-0", .first = LUO_KUNIT_FIRST(1), .nr_blocks = 3,
	  .per_block = 2 },
	{ LUO_ARRAY_FILES, "kunit-1", .first = LUO_KUNIT_FIRST(2), .nr_blocks = 1,
	  .per_block = 4 },
	{ LUO_ARRAY_FILES, "kunit-2", .first = LUO_KUNIT_FIRST(3), .nr_blocks = 2,
	  .per_block = 3 },
	{ LUO_ARRAY_FLBS, "", .first = LUO_KUNIT_FIRST(LUO_KUNIT_FLB), .nr_blocks = 1,
	  .per_block = 3 },
};

/**
 * struct luo_kunit_handover - a handover and what became of it
 * @pages:    of its blocks, then the one of the guest
 * @nr:	      number of its blocks
 * @guest:    that page
 * @copy:     what the guest wrote to it
 * @plain:    as the base writes it
 * @arrays:   by chain
 * @reading:  the chain that is being read
 * @rnd:      where the damage comes from
 * @blocks:   result of all arrays
 * @accepted: records that were accepted as they were written
 * @wrong:    records that were accepted and not written so
 */
struct luo_kunit_handover {
	struct luo_kunit_pages pages;
	unsigned int nr;
	void *guest;
	void *copy;
	bool plain;
	struct luo_array arrays[LUO_KUNIT_CHAINS];
	unsigned int reading;
	struct rnd_state rnd;
	struct luo_blocks blocks;
	u64 accepted;
	u64 wrong;
};

static u32 luo_kunit_below(struct luo_kunit_handover *h, u32 limit)
{
	return prandom_u32_state(&h->rnd) % limit;
}

/* What the record of a session says: where its files are, too. */
static void luo_kunit_session_values(const struct luo_kunit_handover *h, u64 number,
				     struct luo_kunit_values *v)
{
	luo_kunit_values(LUO_ARRAY_SESSIONS, number, v);
	v->value[0] = h->arrays[number + 1].data;
	v->value[1] = h->arrays[number + 1].count;
}

static void luo_kunit_handover_write(struct kunit *test, struct luo_kunit_handover *h)
{
	struct luo_kunit_chain c;
	struct luo_kunit_values v;
	struct luo_seal seal;
	void **blocks = NULL;
	int i;

	for (i = LUO_KUNIT_CHAINS - 1; i >= 0; i--) {
		c = luo_kunit_chains[i];
		c.plain = h->plain;
		blocks = luo_kunit_chain_write(test, &c, &h->pages, &h->arrays[i]);
	}
	luo_seal_init(&seal, LUO_DIR_IN, c.kind, c.name);
	for (i = 0; i < LUO_KUNIT_SESSIONS; i++) {
		luo_kunit_session_values(h, i, &v);
		luo_kunit_put(LUO_ARRAY_SESSIONS, h->plain ? NULL : &seal,
			      luo_kunit_record(LUO_ARRAY_SESSIONS, blocks[i], 0), &v);
	}
	/* The base writes the number of the files alone. */
	if (h->plain) {
		h->arrays[0].count = LUO_COUNT_UNKNOWN;
		h->arrays[LUO_KUNIT_FLB].count = LUO_COUNT_UNKNOWN;
	}
	h->nr = h->pages.nr;
	h->guest = luo_kunit_page(test, &h->pages);
	memcpy(h->guest, h->pages.page[luo_kunit_below(h, h->nr)], PAGE_SIZE);
}

/* A place in a block, more often one that means something */
static u32 luo_kunit_place(struct luo_kunit_handover *h)
{
	u32 tail = PAGE_SIZE - sizeof(struct luo_block_tail_ser);
	u32 words = tail - LUO_SESSIONS_PER_BLOCK * LUO_SESSION_WORDS * sizeof(u64);

	switch (luo_kunit_below(h, 5)) {
	case 0:
		return luo_kunit_below(h, sizeof(struct kho_block_header_ser));
	case 1:
		return sizeof(struct kho_block_header_ser) +
		       luo_kunit_below(h, 4 * sizeof(struct luo_file_ser));
	case 2:
		/* Those of the first records of either size */
		return (luo_kunit_below(h, 2) ? words :
			tail - LUO_FILES_PER_BLOCK * LUO_FILE_WORDS * sizeof(u64)) +
		       luo_kunit_below(h, 4 * sizeof(u64));
	case 3:
		return tail + luo_kunit_below(h, sizeof(struct luo_block_tail_ser));
	default:
		return luo_kunit_below(h, PAGE_SIZE);
	}
}

/* A number that a damaged field may have */
static u64 luo_kunit_number_of(struct luo_kunit_handover *h)
{
	u64 page = virt_to_phys(h->pages.page[luo_kunit_below(h, h->pages.nr)]);

	switch (luo_kunit_below(h, 8)) {
	case 0:
		return 0;
	case 1:
		return U64_MAX;
	case 2:
		return luo_kunit_below(h, 100);
	case 3:
		return page + 8;
	case 4:
		return virt_to_phys(h->copy);
	case 5:
		return (u64)prandom_u32_state(&h->rnd) << 32 | prandom_u32_state(&h->rnd);
	default:
		return page;
	}
}

static void luo_kunit_damage(struct luo_kunit_handover *h)
{
	u8 *block = h->pages.page[luo_kunit_below(h, h->nr)];
	u8 *from = h->pages.page[luo_kunit_below(h, h->pages.nr)];
	u32 at = luo_kunit_place(h), len;

	switch (luo_kunit_below(h, 6)) {
	case 0:
		block[at] ^= 1 << luo_kunit_below(h, 8);
		break;
	case 1:
		block[at] = prandom_u32_state(&h->rnd);
		break;
	case 2:
		len = min_t(u32, luo_kunit_below(h, 256), PAGE_SIZE - at);
		memmove(block + at, from + at, len);
		break;
	case 3:
		memmove(block, from, PAGE_SIZE);
		break;
	case 4:
		len = min_t(u32, luo_kunit_below(h, 256), PAGE_SIZE - at);
		memset(block + at, luo_kunit_below(h, 2) ? 0xff : 0, len);
		break;
	default:
		*(u64 *)(block + round_down(at, sizeof(u64))) = luo_kunit_number_of(h);
		break;
	}
}

/* Whether a record of the current chain was written so. */
static bool luo_kunit_is_written(const struct luo_kunit_handover *h,
				 const struct luo_kunit_values *v, u64 *number)
{
	const struct luo_kunit_chain *c = &luo_kunit_chains[h->reading];
	struct luo_kunit_values want;

	if (luo_kunit_number(v, number) ||
	    *number - c->first >= c->nr_blocks * c->per_block)
		return false;
	if (h->reading)
		luo_kunit_values(c->kind, *number, &want);
	else
		luo_kunit_session_values(h, *number, &want);
	return !memcmp(v, &want, sizeof(want));
}

static void luo_kunit_handover_read(struct luo_kunit_handover *h, unsigned int chain,
				    const struct luo_array *array, const char *name);

/* The luo_record_fn of all arrays */
static const char *luo_kunit_accept(const void *record, const u64 *words, void *data)
{
	struct luo_kunit_handover *h = data;
	struct luo_kunit_values v;
	u64 number = 0;

	luo_kunit_get(luo_kunit_chains[h->reading].kind, record, words, &v);
	if (!luo_string_ok(v.string, sizeof(v.string)))
		return "bad-string";
	if (luo_kunit_is_written(h, &v, &number))
		h->accepted++;
	else if (words)
		h->wrong++;

	/* A session leads to its files, whatever it is. */
	if (!h->reading) {
		const struct luo_array files = {
			.data = v.value[0], .count = v.value[1], .plain = !words,
		};

		luo_kunit_handover_read(h, 1 + number % LUO_KUNIT_SESSIONS, &files,
					v.string);
		h->reading = 0;
	}
	return NULL;
}

static void luo_kunit_handover_read(struct luo_kunit_handover *h, unsigned int chain,
				    const struct luo_array *array, const char *name)
{
	struct luo_blocks blocks;

	h->reading = chain;
	blocks = luo_array_read(array, luo_kunit_chains[chain].kind, name,
				luo_kunit_accept, h);
	h->blocks.restored += blocks.restored;
	h->blocks.kept += blocks.kept;
	h->blocks.left += blocks.left;
}

/* Read the handover of a number as it is, then a damaged one. */
static void luo_kunit_handover_try(struct kunit *test, struct luo_kunit_handover *h,
				   unsigned int damages)
{
	unsigned int i, incoming;

	h->accepted = 0;
	h->wrong = 0;
	h->blocks = (struct luo_blocks){};
	luo_kunit_handover_write(test, h);
	for (i = 0; i < damages; i++)
		luo_kunit_damage(h);
	memcpy(h->copy, h->guest, PAGE_SIZE);

	luo_kunit_handover_read(h, LUO_KUNIT_FLB, &h->arrays[LUO_KUNIT_FLB], "");
	luo_kunit_handover_read(h, 0, &h->arrays[0], "");
	luo_array_read_done();

	incoming = luo_kunit_pages_incoming(&h->pages);
	if (h->wrong || h->blocks.restored != h->pages.nr - incoming ||
	    !kho_incoming(virt_to_phys(h->guest), PAGE_SIZE) ||
	    memcmp(h->copy, h->guest, PAGE_SIZE) || (h->plain && h->blocks.restored))
		KUNIT_FAIL(test, "%llu records wrong, %llu blocks restored, %u of %u pages not",
			   h->wrong, h->blocks.restored, incoming, h->pages.nr);
	luo_kunit_pages_free(&h->pages);
}

static struct luo_kunit_handover *luo_kunit_handover(struct kunit *test, bool plain)
{
	struct luo_kunit_handover *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->copy = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h->copy);
	h->plain = plain;
	prandom_seed_state(&h->rnd, LUO_KUNIT_SEED);
	return h;
}

/* Without damage, all is accepted. */
static void luo_kunit_undamaged(struct kunit *test)
{
	struct luo_kunit_handover *h = luo_kunit_handover(test, false);
	unsigned int i, records = 0;

	for (i = 0; i < LUO_KUNIT_CHAINS; i++)
		records += luo_kunit_chains[i].nr_blocks * luo_kunit_chains[i].per_block;
	luo_kunit_handover_try(test, h, 0);
	KUNIT_EXPECT_EQ(test, h->accepted, records);
	KUNIT_EXPECT_EQ(test, h->blocks.restored, h->nr);
	KUNIT_EXPECT_EQ(test, h->blocks.left, 0);
}

static void luo_kunit_damaged(struct kunit *test)
{
	struct luo_kunit_handover *h = luo_kunit_handover(test, false);
	u64 accepted = 0, restored = 0, left = 0;
	unsigned int i;

	kunit_info(test, "seed %llu, %d handovers\n", LUO_KUNIT_SEED, LUO_KUNIT_DAMAGED);
	for (i = 0; i < LUO_KUNIT_DAMAGED; i++) {
		/* One of ten is the base's. */
		h->plain = i % 10 == 9;
		luo_kunit_handover_try(test, h, 1 + luo_kunit_below(h, 4));
		accepted += h->accepted;
		restored += h->blocks.restored;
		left += h->blocks.left;
		if (test->status == KUNIT_FAILURE) {
			kunit_info(test, "handover %u\n", i);
			break;
		}
		cond_resched();
	}
	kunit_info(test, "%llu records accepted, %llu blocks restored, %llu left\n",
		   accepted, restored, left);
	/* The damage was neither none nor total. */
	KUNIT_EXPECT_GT(test, accepted, 5 * i);
	KUNIT_EXPECT_GT(test, restored, i);
	KUNIT_EXPECT_GT(test, left, i / 10);
}

static struct kunit_case luo_kunit_damage_cases[] = {
	KUNIT_CASE(luo_kunit_undamaged),
	KUNIT_CASE_SLOW(luo_kunit_damaged),
	{}
};

static struct kunit_suite luo_kunit_damage_suite = {
	.name = "liveupdate-damage",
	.init = luo_kunit_array_init,
	.exit = luo_kunit_array_exit,
	.test_cases = luo_kunit_damage_cases,
};

kunit_test_suite(luo_kunit_damage_suite);
