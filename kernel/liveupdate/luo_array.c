// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Arrays of the handover
 *
 * An array is a chain of blocks with records. What another kernel wrote is not believed:
 * no page is restored or freed before it is proven, and no record of this LUO used.
 *
 * If the previous kernel had this LUO, the seal of a block proves the page, and the sum of
 * a record the record (luo_seal.c). An address only says where to look: whether the page
 * there is the next block, its own seal tells. So a wrong address leads nowhere, and a
 * damaged block costs its own records, but not those of the blocks after it as long as one
 * of its two copies of their address is right. A proven block is restored, read and freed.
 * The tail of a proven block is right; if its header differs, only a kernel of the base
 * would have been misled.
 *
 * An array of the base is plain: nothing proves its blocks. Each has to be preserved as a
 * single page, to hold no more records than fit, and not to be part of another array. It is
 * read where it is and never freed: memory that is lost until the next live update is better
 * than memory of another guest that is given away.
 *
 * What is rejected is left untouched and stays reserved until the next live update.
 */

#include <linux/build_bug.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "kho_base.h"
#include "luo_array.h"
#include "luo_notice.h"
#include "luo_reject.h"
#include "luo_seal.h"

static u64 luo_session_sum(u64 owner, const void *record, const u64 *words)
{
	const struct luo_session_ser *ser = record;

	return luo_sum(luo_sum_string(owner, ser->name, sizeof(ser->name)),
		       ser->file_set_ser.files, ser->file_set_ser.count, words[1], 0);
}

static u64 luo_file_sum(u64 owner, const void *record, const u64 *words)
{
	const struct luo_file_ser *ser = record;
	u32 attr = words[0] >> 32;

	return luo_sum(luo_sum_string(owner, ser->compatible, sizeof(ser->compatible)),
		       ser->token, ser->data, attr, attr);
}

static u64 luo_flb_sum(u64 owner, const void *record, const u64 *words)
{
	const struct luo_flb_ser *ser = record;
	u32 attr = words[0] >> 32;

	return luo_sum(luo_sum_string(owner, ser->name, sizeof(ser->name)), ser->data,
		       ser->count, attr, attr);
}

/**
 * struct luo_array_type - the records of a kind of array
 * @what:     for messages and events
 * @size:     of a record, in bytes
 * @string:   size of the string at its beginning
 * @words:    number of words of a record
 * @per_block: number of records in a block of this LUO
 * @sum:      computes the first word of a record
 */
struct luo_array_type {
	const char *what;
	size_t size;
	size_t string;
	unsigned int words;
	unsigned int per_block;
	u64 (*sum)(u64 owner, const void *record, const u64 *words);
};

static const struct luo_array_type luo_array_types[] = {
	[LUO_ARRAY_SESSIONS] = {
		"session", sizeof(struct luo_session_ser),
		LIVEUPDATE_SESSION_NAME_LENGTH, LUO_SESSION_WORDS,
		LUO_SESSIONS_PER_BLOCK, luo_session_sum,
	},
	[LUO_ARRAY_FILES] = {
		"file", sizeof(struct luo_file_ser), LIVEUPDATE_HNDL_COMPAT_LENGTH,
		LUO_FILE_WORDS, LUO_FILES_PER_BLOCK, luo_file_sum,
	},
	[LUO_ARRAY_FLBS] = {
		"flb", sizeof(struct luo_flb_ser), LIVEUPDATE_FLB_COMPAT_LENGTH,
		LUO_FLB_WORDS, LUO_FLBS_PER_BLOCK, luo_flb_sum,
	},
};

/* luo_file_word() is for both. */
static_assert(sizeof(struct luo_flb_ser) == sizeof(struct luo_file_ser));
static_assert(LUO_FLB_WORDS == LUO_FILE_WORDS);

/* Blocks of plain arrays: none is read twice. */
static DEFINE_XARRAY(luo_plain_blocks);

/**
 * struct luo_reader - an array while it is read
 * @array:    the array
 * @kind:     its kind
 * @type:     the type of its records
 * @name:     name of the session that it belongs to, or ""
 * @seal:     of its blocks
 * @fn:	      called for each record
 * @data:     for @fn
 * @block:    physical address of the current block, 0 at the end
 * @number:   number of the current block in its chain
 * @seen:     number of records read
 * @reason:   why the first record or block is rejected, or NULL
 * @blocks:   result
 */
struct luo_reader {
	const struct luo_array *array;
	enum luo_array_kind kind;
	const struct luo_array_type *type;
	const char *name;
	struct luo_seal seal;
	luo_record_fn fn;
	void *data;
	u64 block;
	u64 number;
	u64 seen;
	const char *reason;
	struct luo_blocks blocks;
};

/* Reject a record, or a block or the whole array if @record is NULL. */
static void luo_reader_reject(struct luo_reader *r, const void *record,
			      const char *reason)
{
	const char *name = r->name;
	u64 token = 0;

	r->reason = r->reason ?: reason;
	r->blocks.rejected += !!record;
	r->blocks.incomplete = true;
	if (record && r->kind == LUO_ARRAY_FILES)
		token = ((const struct luo_file_ser *)record)->token;
	else if (record && luo_string_ok(record, r->type->string))
		name = record;
	luo_handover_record_reject(r->type->what, name, token, reason);
}

static void luo_reader_record(struct luo_reader *r, const void *record,
			      const u64 *words)
{
	const char *reason = NULL;

	r->seen++;
	if (words && words[0] != r->type->sum(r->seal.owner, record, words))
		reason = "sum";
	reason = reason ?: r->fn(record, words, r->data);
	if (reason)
		luo_reader_reject(r, record, reason);
}

static void luo_reader_records(struct luo_reader *r, const void *block, u64 count)
{
	const void *record = block + sizeof(struct kho_block_header_ser);
	const u64 *words = NULL;
	u64 i;

	if (!r->array->plain)
		words = (u64 *)luo_block_tail(block) -
			r->type->per_block * r->type->words;
	for (i = 0; i < count; i++) {
		luo_reader_record(r, record + i * r->type->size,
				  words ? words + i * r->type->words : NULL);
	}
}

/* What the header of a proven block has to be, for those who read nothing else. */
static bool luo_reader_header_ok(const struct luo_reader *r,
				 const struct kho_block_header_ser *head,
				 const struct luo_block_tail_ser *tail)
{
	/* In the block of FLBs the field is the number of its pages. */
	u64 next = r->kind == LUO_ARRAY_FLBS ? 1 : tail->next;

	return head->next == next && head->count == tail->count;
}

/* Whether a page is the block after the current one. */
static bool luo_reader_is_next(const struct luo_reader *r, u64 block)
{
	return kho_incoming(block, KHO_BLOCK_SIZE) &&
	       luo_seal_ok(&r->seal, phys_to_virt(block), r->number + 1);
}

/*
 * Where a chain goes on after a block that is not proven. If the block is damaged, one of
 * the copies of the address may have survived, and that page is proven to be the next one.
 */
static u64 luo_reader_after_damage(const struct luo_reader *r,
				   const struct kho_block_header_ser *head,
				   const struct luo_block_tail_ser *tail)
{
	if (luo_reader_is_next(r, tail->next))
		return tail->next;
	return luo_reader_is_next(r, head->next) ? head->next : 0;
}

/* Read and free the current block. Returns why that cannot be done, or NULL. */
static const char *luo_reader_proven(struct luo_reader *r)
{
	const struct kho_block_header_ser *head = phys_to_virt(r->block);
	const struct luo_block_tail_ser *tail = luo_block_tail(head);
	struct folio *folio;

	if (!luo_seal_ok(&r->seal, head, r->number)) {
		r->block = luo_reader_after_damage(r, head, tail);
		return "not-a-block";
	}
	if (tail->count > r->type->per_block) {
		r->block = tail->next;
		return "block-count";
	}
	folio = kho_restore_folio(r->block);
	if (!folio) {
		r->block = 0;
		return "not-preserved";
	}

	if (!luo_reader_header_ok(r, head, tail)) {
		luo_handover_record_reject(r->type->what, r->name, 0, "block-header");
		luo_notice("blocks of the handover had a wrong header, nothing is lost",
			   r->type->what, NULL, r->name, NULL);
	}
	luo_reader_records(r, head, tail->count);
	r->block = tail->next;
	r->blocks.restored++;
	folio_put(folio);
	return NULL;
}

/* The same for a block of a plain array, which is not freed. */
static const char *luo_reader_plain(struct luo_reader *r)
{
	const struct kho_block_header_ser *head = phys_to_virt(r->block);
	u64 block = r->block;
	int err;

	r->block = 0;
	if (head->count > (KHO_BLOCK_SIZE - sizeof(*head)) / r->type->size ||
	    (r->kind == LUO_ARRAY_FLBS && head->next != 1))
		return "block-count";
	if (r->array->count != LUO_COUNT_UNKNOWN &&
	    head->count > r->array->count - r->seen)
		return "count";
	/* What is rejected so far may be a block of another array, which is read later. */
	err = xa_insert(&luo_plain_blocks, PHYS_PFN(block), xa_mk_value(1),
			GFP_KERNEL);
	if (err)
		return err == -EBUSY ? "block-twice" : "no-memory";

	luo_reader_records(r, head, head->count);
	if (r->kind != LUO_ARRAY_FLBS)
		r->block = head->next;
	r->blocks.kept++;
	return NULL;
}

static void luo_reader_block(struct luo_reader *r)
{
	const char *reason;

	if (!kho_incoming(r->block, KHO_BLOCK_SIZE)) {
		reason = "not-preserved";
		r->block = 0;
	} else if (r->array->plain) {
		reason = luo_reader_plain(r);
	} else {
		reason = luo_reader_proven(r);
	}
	r->number++;
	if (reason) {
		r->blocks.left++;
		luo_reader_reject(r, NULL, reason);
	}
}

static void luo_reader_report(const struct luo_reader *r)
{
	const char *what = r->type->what;

	if (r->reason)
		luo_notice(r->kind == LUO_ARRAY_FILES ?
			   "records of the handover rejected, by session" :
			   "records of the handover rejected",
			   what, r->reason, r->name, NULL);
}

/**
 * luo_array_read - read all records of an array and free what is proven to be its blocks
 * @array: the array
 * @kind:  its kind
 * @name:  name of the session that it belongs to, or ""
 * @fn:	   called for each record that is intact, or plain, in order
 * @data:  for @fn
 *
 * Context: at boot, may sleep.
 * Return: the number of blocks and rejected records found.
 */
struct luo_blocks luo_array_read(const struct luo_array *array,
				 enum luo_array_kind kind, const char *name,
				 luo_record_fn fn, void *data)
{
	struct luo_reader r = {
		.array = array,
		.kind = kind,
		.type = &luo_array_types[kind],
		.name = name,
		.fn = fn,
		.data = data,
		.block = array->data,
		.blocks.incomplete = array->lost,
	};

	luo_seal_init(&r.seal, LUO_DIR_IN, kind, name);
	/* A block has a number, or is not read twice: the chain has an end. */
	while (r.block)
		luo_reader_block(&r);
	/* If a block is rejected, that is known. */
	if (!r.blocks.left && array->count != LUO_COUNT_UNKNOWN && r.seen != array->count)
		luo_reader_reject(&r, NULL, "count");
	luo_reader_report(&r);
	return r.blocks;
}

/**
 * luo_totals_add_blocks - add the blocks of an array that was read
 * @totals: totals of the handover
 * @blocks: from luo_array_read()
 */
void luo_totals_add_blocks(struct luo_totals *totals, const struct luo_blocks *blocks)
{
	totals->bytes += (blocks->restored + blocks->kept) * KHO_BLOCK_SIZE;
	totals->kept += blocks->kept;
	totals->reserved += blocks->left;
	totals->rejected += blocks->rejected;
}

/**
 * luo_array_read_done - forget which pages were read, as no more arrays are
 *
 * Context: once, at boot, may sleep.
 */
void luo_array_read_done(void)
{
	xa_destroy(&luo_plain_blocks);
}

/**
 * luo_array_set_init - set up a block set whose blocks have room for words and a tail
 * @blocks: the set
 * @kind:   kind of the array
 */
void luo_array_set_init(struct kho_block_set *blocks, enum luo_array_kind kind)
{
	kho_block_set_init(blocks, luo_array_types[kind].size);
	blocks->count_per_block = luo_array_types[kind].per_block;
}

/**
 * luo_array_from_blocks - describe a block set as an array of the handover
 * @blocks: the block set, filled
 * @count:  number of its records
 * @array:  set to the description
 */
void luo_array_from_blocks(const struct kho_block_set *blocks, u64 count,
			   struct luo_array *array)
{
	*array = (struct luo_array){
		.data = count ? blocks->head_pa : 0,
		.pgcnt = count ? blocks->nblocks : 0,
		.count = count,
	};
}
