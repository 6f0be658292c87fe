// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "handover_blocks.h"
#include "handover_seal.h"

_Static_assert(sizeof(struct luo_flb_header_ser) == sizeof(struct kho_block_header_ser),
	       "both headers have two u64");

/* What is in the blocks of an array. */
static const struct layout {
	size_t size;		/* of a record, bytes */
	size_t words;		/* of a record */
} layouts[] = {
	[LUO_ARRAY_SESSIONS] = {
		sizeof(struct luo_session_ser), LUO_SESSION_WORDS,
	},
	[LUO_ARRAY_FILES] = {
		sizeof(struct luo_file_ser), LUO_FILE_WORDS,
	},
	[LUO_ARRAY_FLBS] = {
		sizeof(struct luo_flb_ser), LUO_FLB_WORDS,
	},
};

/* A page that is read as a block; @lost: one of the chain is not proven. */
struct block {
	uint64_t at;
	uint64_t next;
	uint64_t count;
	bool lost;
	char data[HANDOVER_PAGE_MAX];
};

__attribute__((format(printf, 4, 5)))
static int malformed(struct handover *h, const struct handover_chain *chain,
		     uint64_t at, const char *fmt, ...)
{
	char why[HANDOVER_PROBLEM];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	handover_problem(h, "block at 0x%" PRIx64 ": %s (%s)", at, why, chain->what);
	return 1;
}

static int by_address(const void *a, const void *b)
{
	return (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

/*
 * A block without a seal belongs to the first array that leads to it. Returns 0, 1 if it
 * belongs to another one, -ENOMEM.
 */
static int claim_page(struct handover *h, const struct handover_chain *chain,
		      uint64_t at)
{
	const void *key = (const void *)(uintptr_t)at;

	if (tfind(key, &h->blocks, by_address))
		return malformed(h, chain, at, "is a second time in an array");
	return tsearch(key, &h->blocks, by_address) ? 0 : -ENOMEM;
}

/* Returns 0, 1 if it cannot be read, -ENOMEM. */
static int read_page(struct handover *h, struct memory *mem,
		     const struct handover_chain *chain, struct block *b)
{
	int ret = 0;

	h->nr_blocks++;
	if (b->at % h->page_size)
		return malformed(h, chain, b->at, "address does not begin a page");
	if (h->kind == HANDOVER_BASE)
		ret = claim_page(h, chain, b->at);
	if (ret)
		return ret;
	if (!mem->read(mem, b->at, b->data, h->page_size))
		return malformed(h, chain, b->at, "%s", mem->why);
	return 0;
}

/* The header as the base reads it; that of FLBs has their number of blocks for @next. */
static void read_header(const struct handover_chain *chain, struct block *b)
{
	struct kho_block_header_ser head;

	memcpy(&head, b->data, sizeof(head));
	b->next = head.next;
	b->count = head.count;
	if (chain->kind == LUO_ARRAY_FLBS && b->next == 1)
		b->next = 0;
}

/* A block without a seal, as the base reads it. */
static int read_plain(struct handover *h, const struct handover_chain *chain,
		      struct block *b)
{
	size_t room = LUO_BASE_RECORDS_IN(h->page_size, layouts[chain->kind].size);

	read_header(chain, b);
	if (b->count > room)
		return malformed(h, chain, b->at, "has %" PRIu64 " records, but room for %zu",
				 b->count, room);
	if (chain->kind == LUO_ARRAY_FLBS && b->next)
		return malformed(h, chain, b->at, "has %" PRIu64 " pages, every kernel writes 1",
				 b->next);
	return 0;
}

static size_t room_of(const struct handover *h, const struct layout *l)
{
	return LUO_RECORDS_IN(h->page_size, l->size, l->words);
}

static void read_tail(const struct handover *h, const char *data,
		      struct luo_block_tail_ser *tail)
{
	memcpy(tail, data + h->page_size - sizeof(*tail), sizeof(*tail));
}

/* Whether a page is proven to be the next block of a chain. */
static bool is_next(const struct handover *h, struct memory *mem,
		    const struct handover_chain *chain,
		    const struct handover_seal *seal, uint64_t at)
{
	struct luo_block_tail_ser tail;
	char data[HANDOVER_PAGE_MAX];

	if (!at || at % h->page_size || !mem->read(mem, at, data, h->page_size))
		return false;
	read_tail(h, data, &tail);
	return handover_seal_block(seal, at, chain->nr_blocks + 1, &tail) == tail.seal;
}

/*
 * A block that is not proven: its records are lost, but one of its two addresses of the
 * next block may be right, as the kernel finds out, too.
 */
static int read_damaged(struct handover *h, struct memory *mem,
			const struct handover_chain *chain,
			const struct handover_seal *seal, struct block *b)
{
	struct luo_block_tail_ser tail;

	malformed(h, chain, b->at, "seal is wrong");
	read_header(chain, b);
	read_tail(h, b->data, &tail);
	if (is_next(h, mem, chain, seal, tail.next))
		b->next = tail.next;
	else if (!is_next(h, mem, chain, seal, b->next))
		return 1;
	b->count = 0;
	b->lost = true;
	return 0;
}

/* A block with a seal: its tail is proven, its header is not. */
static int read_proven(struct handover *h, struct memory *mem,
		       const struct handover_chain *chain,
		       const struct handover_seal *seal, struct block *b)
{
	size_t room = room_of(h, &layouts[chain->kind]);
	struct luo_block_tail_ser tail;

	read_tail(h, b->data, &tail);
	if (handover_seal_block(seal, b->at, chain->nr_blocks, &tail) != tail.seal)
		return read_damaged(h, mem, chain, seal, b);
	if (tail.count > room)
		return malformed(h, chain, b->at, "tail has %" PRIu64 " records, but room for %zu",
				 (uint64_t)tail.count, room);
	h->nr_proven_blocks++;
	read_header(chain, b);
	if (b->next != tail.next)
		malformed(h, chain, b->at, "header leads to 0x%" PRIx64 ", but its sealed tail to 0x%" PRIx64,
			  b->next, (uint64_t)tail.next);
	if (b->count != tail.count)
		malformed(h, chain, b->at, "header has %" PRIu64 " records, but its sealed tail %" PRIu64,
			  b->count, (uint64_t)tail.count);
	b->next = tail.next;
	b->count = tail.count;
	return 0;
}

static void fill_record(const struct handover *h, const struct handover_seal *seal,
			const struct layout *l, const struct block *b, size_t i,
			struct handover_record *r)
{
	const char *words = b->data + h->page_size - sizeof(struct luo_block_tail_ser) -
			    room_of(h, l) * l->words * sizeof(uint64_t);

	memset(r, 0, sizeof(*r));
	memcpy(r, b->data + sizeof(struct kho_block_header_ser) + i * l->size, l->size);
	if (!seal)
		return;
	memcpy(r->words, words + i * l->words * sizeof(uint64_t),
	       l->words * sizeof(uint64_t));
	r->proof = handover_seal_record(seal, r, r->words) == (uint32_t)r->words[0] ?
		   HANDOVER_PROVEN : HANDOVER_DAMAGED;
}

static int add_records(struct handover *h, struct handover_chain *chain,
		       const struct handover_seal *seal, const struct block *b)
{
	struct handover_record *all;
	size_t i;

	if (!b->count)
		return 0;
	all = reallocarray(chain->records, chain->nr + b->count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	chain->records = all;
	for (i = 0; i < b->count; i++) {
		fill_record(h, seal, &layouts[chain->kind], b, i, &all[chain->nr]);
		h->nr_records++;
		h->nr_proven += all[chain->nr++].proof == HANDOVER_PROVEN;
	}
	return 0;
}

/* Whether what was announced was found. */
static void check_counts(struct handover *h, const struct handover_chain *chain)
{
	if (chain->pgcnt != HANDOVER_UNKNOWN && chain->nr_blocks != chain->pgcnt)
		handover_problem(h, "%s: %" PRIu64 " blocks, %" PRIu64 " announced",
				 chain->what, chain->nr_blocks, chain->pgcnt);
	if (chain->count != HANDOVER_UNKNOWN && chain->nr != chain->count)
		handover_problem(h, "%s: %zu records, %" PRIu64 " announced",
				 chain->what, chain->nr, chain->count);
}

int handover_read_chain(struct handover *h, struct memory *mem,
			struct handover_chain *chain)
{
	bool sealed = h->kind == HANDOVER_LUO;
	struct handover_seal seal;
	struct block b = { .next = chain->at };
	int ret = 0;

	if (sealed)
		handover_seal_init(&seal, h->mark, chain->kind, chain->name);
	while (b.next && !ret) {
		b.at = b.next;
		ret = read_page(h, mem, chain, &b);
		if (!ret)
			ret = sealed ? read_proven(h, mem, chain, &seal, &b) :
				       read_plain(h, chain, &b);
		if (ret)
			break;
		ret = add_records(h, chain, sealed ? &seal : NULL, &b);
		chain->nr_blocks++;
	}
	if (ret < 0)
		return ret;
	if (!ret && !b.lost)
		check_counts(h, chain);
	return 0;
}
