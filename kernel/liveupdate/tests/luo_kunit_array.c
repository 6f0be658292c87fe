// SPDX-License-Identifier: GPL-2.0

/*
 * Arrays as a previous kernel hands them over. Each record has a number, from which
 * follows all that it says: a record that was read tells whether it was written so.
 */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../kho_base.h"
#include "../luo_notice.h"
#include "luo_kunit.h"
#include "luo_kunit_array.h"

#define LUO_KUNIT_STRING	"kunit-"

static u64 luo_kunit_mark; /* to be restored */

/**
 * luo_kunit_array_init - set the key of the arrays, which luo_kunit_array_exit() undoes
 * @test: the test that is about to run
 *
 * Return: 0; the test fails otherwise.
 */
int luo_kunit_array_init(struct kunit *test)
{
	luo_kunit_mark = luo_seal_mark(LUO_DIR_IN);
	luo_seal_set_mark(LUO_DIR_IN, 0x0123456789abcdefULL);
	return luo_kunit_init(test);
}

/**
 * luo_kunit_array_exit - end a test of arrays
 * @test: the test
 */
void luo_kunit_array_exit(struct kunit *test)
{
	luo_array_read_done();
	luo_seal_set_mark(LUO_DIR_IN, luo_kunit_mark);
	/* What was rejected is not to take the place of the notices of other tests. */
	luo_notice_flush();
}

/**
 * luo_kunit_record_size - size of a record
 * @kind: of the record
 *
 * Return: the size in bytes.
 */
size_t luo_kunit_record_size(enum luo_array_kind kind)
{
	return kind == LUO_ARRAY_SESSIONS ? sizeof(struct luo_session_ser) :
					    sizeof(struct luo_file_ser);
}

/**
 * luo_kunit_record - get a record of a block
 * @kind:  of the record
 * @block: the block
 * @i:	   index of the record
 *
 * Return: the record.
 */
void *luo_kunit_record(enum luo_array_kind kind, void *block, unsigned int i)
{
	return block + sizeof(struct kho_block_header_ser) +
	       i * luo_kunit_record_size(kind);
}

/**
 * luo_kunit_words - get the words of a record
 * @kind:   of the record
 * @record: the record, in its block
 *
 * Return: the first word.
 */
u64 *luo_kunit_words(enum luo_array_kind kind, const void *record)
{
	return kind == LUO_ARRAY_SESSIONS ? luo_session_words(record) :
					    luo_file_word(record);
}

/**
 * luo_kunit_values - what the record with a number says
 * @kind:   of the record
 * @number: the number, which is the token of a file
 * @v:	    set to the values
 */
void luo_kunit_values(enum luo_array_kind kind, u64 number, struct luo_kunit_values *v)
{
	u64 mixed = (number + 1) * 0xd6e8feb86659fd93ULL;

	*v = (struct luo_kunit_values){};
	snprintf(v->string, sizeof(v->string), LUO_KUNIT_STRING "%llu", number);
	v->value[0] = kind == LUO_ARRAY_FILES ? number : mixed;
	v->value[1] = mixed >> 7;
	v->value[2] = mixed >> 33;
}

/**
 * luo_kunit_put - write a record
 * @kind:   of the record
 * @seal:   of its array, NULL if the array is plain
 * @record: the record, in its block
 * @v:	    what it says
 */
void luo_kunit_put(enum luo_array_kind kind, const struct luo_seal *seal, void *record,
		   const struct luo_kunit_values *v)
{
	size_t size = LIVEUPDATE_HNDL_COMPAT_LENGTH;
	struct luo_session_ser *session = record;
	struct luo_file_ser *file = record;
	struct luo_flb_ser *flb = record;
	u32 attr = v->value[2];
	u64 *words;

	switch (kind) {
	case LUO_ARRAY_SESSIONS:
		size = sizeof(session->name);
		attr = 0;
		session->file_set_ser.files = v->value[0];
		session->file_set_ser.count = v->value[1];
		break;
	case LUO_ARRAY_FILES:
		file->token = v->value[0];
		file->data = v->value[1];
		break;
	case LUO_ARRAY_FLBS:
		flb->data = v->value[0];
		flb->count = v->value[1];
		break;
	}
	memcpy(record, v->string, size);
	if (!seal)
		return;

	words = luo_kunit_words(kind, record);
	words[0] = luo_sum(luo_sum_string(seal->owner, record, size), v->value[0],
			   v->value[1], v->value[2], attr);
	if (kind == LUO_ARRAY_SESSIONS)
		words[1] = v->value[2];
}

/**
 * luo_kunit_get - read a record
 * @kind:   of the record
 * @record: the record
 * @words:  its words, NULL if its array is plain
 * @v:	    set to what it says
 */
void luo_kunit_get(enum luo_array_kind kind, const void *record, const u64 *words,
		   struct luo_kunit_values *v)
{
	const struct luo_session_ser *session = record;
	const struct luo_file_ser *file = record;
	const struct luo_flb_ser *flb = record;
	size_t size = sizeof(file->compatible);

	*v = (struct luo_kunit_values){};
	v->value[2] = words ? words[0] >> 32 : 0;
	switch (kind) {
	case LUO_ARRAY_SESSIONS:
		size = sizeof(session->name);
		v->value[0] = session->file_set_ser.files;
		v->value[1] = session->file_set_ser.count;
		v->value[2] = words ? words[1] : 0;
		break;
	case LUO_ARRAY_FILES:
		v->value[0] = file->token;
		v->value[1] = file->data;
		break;
	case LUO_ARRAY_FLBS:
		v->value[0] = flb->data;
		v->value[1] = flb->count;
		break;
	}
	memcpy(v->string, record, size);
}

/**
 * luo_kunit_number - get the number of a record
 * @v:	    what it says
 * @number: set to the number that its string has
 *
 * Return: 0, or -EINVAL or -ERANGE if it has none.
 */
int luo_kunit_number(const struct luo_kunit_values *v, u64 *number)
{
	size_t len = strlen(LUO_KUNIT_STRING);

	if (!luo_string_ok(v->string, sizeof(v->string)) ||
	    strncmp(v->string, LUO_KUNIT_STRING, len))
		return -EINVAL;
	return kstrtou64(v->string + len, 10, number);
}

/**
 * luo_kunit_page - add a page that the previous kernel "preserved"
 * @test:  the test
 * @pages: the pool
 *
 * Return: the page, zeroed.
 */
void *luo_kunit_page(struct kunit *test, struct luo_kunit_pages *pages)
{
	struct page *page;

	KUNIT_ASSERT_LT(test, pages->nr, LUO_KUNIT_PAGES);
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, page);
	kho_test_incoming(page);
	pages->page[pages->nr] = page_address(page);
	return pages->page[pages->nr++];
}

/**
 * luo_kunit_pages_incoming - count the pages that were not restored
 * @pages: the pool
 *
 * Return: their number.
 */
unsigned int luo_kunit_pages_incoming(const struct luo_kunit_pages *pages)
{
	unsigned int i, nr = 0;

	for (i = 0; i < pages->nr; i++)
		nr += kho_incoming(virt_to_phys(pages->page[i]), PAGE_SIZE);
	return nr;
}

/**
 * luo_kunit_pages_free - free the pages that were not restored
 * @pages: the pool, which is empty then
 */
void luo_kunit_pages_free(struct luo_kunit_pages *pages)
{
	phys_addr_t phys;

	while (pages->nr) {
		phys = virt_to_phys(pages->page[--pages->nr]);
		if (kho_incoming(phys, PAGE_SIZE))
			folio_put(kho_restore_folio(phys));
	}
}

/**
 * luo_kunit_chain_fill - write an array into pages
 * @c:	    the array
 * @blocks: one page for each of its blocks
 * @array:  set to its description
 */
void luo_kunit_chain_fill(const struct luo_kunit_chain *c, void **blocks,
			  struct luo_array *array)
{
	struct kho_block_header_ser *head;
	struct luo_kunit_values v;
	u64 next, number = c->first;
	struct luo_seal seal;
	unsigned int i, j;

	luo_seal_init(&seal, LUO_DIR_IN, c->kind, c->name);
	for (i = 0; i < c->nr_blocks; i++) {
		head = blocks[i];
		next = i + 1 < c->nr_blocks ? virt_to_phys(blocks[i + 1]) : 0;
		head->next = c->kind == LUO_ARRAY_FLBS ? 1 : next;
		head->count = c->per_block;
		for (j = 0; j < c->per_block; j++) {
			luo_kunit_values(c->kind, number++, &v);
			luo_kunit_put(c->kind, c->plain ? NULL : &seal,
				      luo_kunit_record(c->kind, head, j), &v);
		}
		if (!c->plain)
			luo_seal_block(&seal, head, i, next, c->per_block);
	}
	*array = (struct luo_array){
		.data = virt_to_phys(blocks[0]),
		.pgcnt = c->nr_blocks,
		.count = number - c->first,
		.plain = c->plain,
	};
}

/**
 * luo_kunit_chain_write - write an array into new pages
 * @test:  the test
 * @c:	   the array
 * @pages: the pool that its pages are added to
 * @array: set to its description
 *
 * Return: its blocks.
 */
void **luo_kunit_chain_write(struct kunit *test, const struct luo_kunit_chain *c,
			     struct luo_kunit_pages *pages, struct luo_array *array)
{
	void **blocks = &pages->page[pages->nr];
	unsigned int i;

	for (i = 0; i < c->nr_blocks; i++)
		luo_kunit_page(test, pages);
	luo_kunit_chain_fill(c, blocks, array);
	return blocks;
}

/**
 * luo_kunit_see - luo_record_fn that checks and counts records
 * @record: the record
 * @words:  its words
 * @data:   &struct luo_kunit_seen
 *
 * Return: NULL.
 */
const char *luo_kunit_see(const void *record, const u64 *words, void *data)
{
	struct luo_kunit_values v, want;
	struct luo_kunit_seen *s = data;
	u64 number, at;

	luo_kunit_get(s->kind, record, words, &v);
	if (luo_kunit_number(&v, &number)) {
		s->wrong++;
		return NULL;
	}
	luo_kunit_values(s->kind, number, &want);
	if (!words)
		want.value[2] = 0;
	at = number - s->first;
	if (memcmp(&v, &want, sizeof(v)) || at >= LUO_KUNIT_RECORDS ||
	    (s->nr && at <= s->last)) {
		s->wrong++;
		return NULL;
	}
	__set_bit(at, s->seen);
	s->last = at;
	s->nr++;
	return NULL;
}
