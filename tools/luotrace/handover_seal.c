// SPDX-License-Identifier: GPL-2.0

#include <sodium.h>
#include <string.h>
#include <zlib.h>

#include "handover_seal.h"

/*
 * SipHash-2-4 with the key of an array. The kernel hashes native u64, which are
 * little-endian on each machine with LUO.
 */
static uint64_t hash(uint64_t mark, enum luo_array_kind kind, const void *data,
		     size_t size)
{
	const uint64_t key[2] = { mark, kind };
	uint64_t result;

	_Static_assert(sizeof(key) == crypto_shorthash_KEYBYTES, "size of the key");
	_Static_assert(sizeof(result) == crypto_shorthash_BYTES, "size of the hash");
	crypto_shorthash((unsigned char *)&result, data, size,
			 (const unsigned char *)key);
	return result;
}

void handover_seal_init(struct handover_seal *seal, uint64_t mark,
			enum luo_array_kind kind, const char *name)
{
	seal->mark = mark;
	seal->kind = kind;
	seal->owner = hash(mark, kind, name, strlen(name));
}

uint64_t handover_seal_block(const struct handover_seal *seal, uint64_t at,
			     uint64_t number, const struct luo_block_tail_ser *tail)
{
	const uint64_t data[] = {
		seal->owner, at, tail->next, (number << 32) + tail->count,
	};

	return hash(seal->mark, seal->kind, data, sizeof(data));
}

static uint64_t sum_add(uint64_t x, uint64_t value)
{
	x = (x ^ value) * LUO_SUM_FACTOR;
	return x << 32 | x >> 32;
}

static uint32_t sum(uint64_t owner, const void *string, size_t size,
		    const uint64_t values[3])
{
	uint64_t x = owner, word;
	size_t i;

	for (i = 0; i < size; i += sizeof(word)) {
		memcpy(&word, (const char *)string + i, sizeof(word));
		x = sum_add(x, word);
	}
	for (i = 0; i < 3; i++)
		x = sum_add(x, values[i]);
	return x;
}

uint32_t handover_seal_record(const struct handover_seal *seal, const void *record,
			      const uint64_t *words)
{
	const struct luo_session_ser *session = record;
	const struct luo_file_ser *file = record;
	const struct luo_flb_ser *flb = record;
	const uint64_t attributes = words[0] >> 32;

	switch (seal->kind) {
	case LUO_ARRAY_SESSIONS:
		return sum(seal->owner, session->name, sizeof(session->name),
			   (const uint64_t[]){ session->file_set_ser.files,
					       session->file_set_ser.count, words[1] });
	case LUO_ARRAY_FILES:
		return sum(seal->owner, file->compatible, sizeof(file->compatible),
			   (const uint64_t[]){ file->token, file->data, attributes });
	case LUO_ARRAY_FLBS:
		break;
	}
	return sum(seal->owner, flb->name, sizeof(flb->name),
		   (const uint64_t[]){ flb->data, flb->count, attributes });
}

bool handover_seal_tree(const void *page, size_t page_size)
{
	size_t size = page_size - sizeof(uint64_t);
	uint64_t stored;

	memcpy(&stored, (const char *)page + size, sizeof(stored));
	return stored == crc32(0, page, size);
}
