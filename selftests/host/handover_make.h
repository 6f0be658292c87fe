/* SPDX-License-Identifier: GPL-2.0 */

/*
 * A handover as include/linux/kho/abi/luo.h describes it, in pages of the test: both
 * tables, blocks, words and tails. Hashes and offsets are the test's own, so that it
 * does not agree with a mistake of the tool.
 */

#ifndef HANDOVER_MAKE_H
#define HANDOVER_MAKE_H

#include <libfdt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handover.h"

#ifndef PAGE
#define PAGE	4096
#endif

/* The pages, from address PAGE on in this order. */
enum {
	SESSIONS, SESSIONS_2, FILES_A, FILES_A2, FILES_B, FLBS, GUEST, BASE, TREE, KHO_TREE,
	PAGES
};

#define AT(page)	((uint64_t)PAGE * ((page) + 1))

static unsigned char pages[PAGES][PAGE];
static void *const tree = pages[TREE];

/* Offsets in a block. */
#define RECORDS		16
#define TAIL		(PAGE - 24)	/* next, count, seal */
#define SESSION_SIZE	80	/* name[64], files, count */
#define SESSION_WORDS	(TAIL - (PAGE == 4096 ? 42 : 682) * 16)
#define FILE_SIZE	64	/* compatible[48], data, token */
#define A_FILE(i, at)	(RECORDS + (i) * FILE_SIZE + (at))
#define FLB_SIZE	64	/* name[48], data, count */
#define WORDS		(TAIL - (PAGE == 4096 ? 56 : 909) * 8)	/* of files and FLBs */

#define MARK		0x0123456789abcdefULL

static void put(int page, unsigned int at, uint64_t value)
{
	memcpy(pages[page] + at, &value, sizeof(value));
}

static uint64_t get(int page, unsigned int at)
{
	uint64_t value;

	memcpy(&value, pages[page] + at, sizeof(value));
	return value;
}

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline void sip_rounds(uint64_t v[4], int n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

/* SipHash-2-4. */
static uint64_t sip(uint64_t k0, uint64_t k1, const void *data, size_t size)
{
	uint64_t v[4] = {
		k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL,
		k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL,
	};
	uint64_t word;
	size_t i;

	for (i = 0; i <= size / 8; i++) {
		word = i == size / 8 ? (uint64_t)size << 56 : 0;
		memcpy(&word, (const char *)data + 8 * i, i == size / 8 ? size % 8 : 8);
		v[3] ^= word;
		sip_rounds(v, 2);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint32_t crc(const void *data, size_t size)
{
	const unsigned char *p = data;
	uint32_t c = ~0U;
	int bit;

	while (size--) {
		c ^= *p++;
		for (bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
	}
	return ~c;
}

static uint64_t owner_of(unsigned int kind, const char *name)
{
	return sip(MARK, kind, name, strlen(name));
}

/* Write the tail of a block. */
static inline void seal_block(int page, unsigned int kind, const char *name, uint64_t number,
		       uint64_t next, uint64_t count)
{
	uint64_t data[4] = {
		owner_of(kind, name), AT(page), next, (number << 32) + count,
	};

	put(page, TAIL, next);
	put(page, TAIL + 8, count);
	put(page, TAIL + 16, sip(MARK, kind, data, sizeof(data)));
}

static inline uint64_t sum_step(uint64_t x, uint64_t value)
{
	x = (x ^ value) * 0x9e3779b97f4a7c15ULL;
	return x << 32 | x >> 32;
}

/* Write the first word of a record: its sum, under its attributes. */
static inline void sum_record(int page, unsigned int word, uint64_t owner, unsigned int string,
		       size_t size, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t x = owner;
	size_t i;

	for (i = 0; i < size; i += 8)
		x = sum_step(x, get(page, string + i));
	x = sum_step(sum_step(sum_step(x, a), b), c);
	put(page, word, (get(page, word) & ~0xffffffffULL) | (uint32_t)x);
}

static inline void put_session(int page, int i, const char *name, uint64_t files,
			uint64_t count, uint64_t held)
{
	unsigned int at = RECORDS + i * SESSION_SIZE, word = SESSION_WORDS + i * 16;

	strncpy((char *)pages[page] + at, name, 64);
	put(page, at + 64, files);
	put(page, at + 72, count);
	put(page, word + 8, held);
	sum_record(page, word, owner_of(1, ""), at, 64, files, count, held);
}

static inline void put_file(int page, int i, const char *session, const char *compatible,
		     uint64_t data, uint64_t token, uint32_t attributes)
{
	unsigned int at = RECORDS + i * FILE_SIZE, word = WORDS + i * 8;

	strncpy((char *)pages[page] + at, compatible, 48);
	put(page, at + 48, data);
	put(page, at + 56, token);
	put(page, word, (uint64_t)attributes << 32);
	sum_record(page, word, owner_of(2, session), at, 48, token, data, attributes);
}

static inline void put_flb(int i, const char *name, uint64_t data, uint64_t count,
		    uint32_t attributes)
{
	unsigned int at = RECORDS + i * FLB_SIZE, word = WORDS + i * 8;

	strncpy((char *)pages[FLBS] + at, name, 48);
	put(FLBS, at + 48, data);
	put(FLBS, at + 56, count);
	put(FLBS, word, (uint64_t)attributes << 32);
	sum_record(FLBS, word, owner_of(3, ""), at, 48, data, count, attributes);
}

/* A block of sessions or files with its header, sealed. */
static inline void finish_block(int page, unsigned int kind, const char *name, uint64_t number,
			 uint64_t next, uint64_t count)
{
	put(page, 0, next);
	put(page, 8, count);
	seal_block(page, kind, name, number, next, count);
}

static inline void put_prop(const char *name, uint64_t value)
{
	fdt_property(tree, name, &value, sizeof(value));
}

static inline void put_array(const char *node, const char *compatible, uint64_t count,
		      uint64_t data, uint64_t pgcnt)
{
	fdt_begin_node(tree, node);
	fdt_property_string(tree, "compatible", compatible);
	put_prop("count", count);
	put_prop("data", data);
	put_prop("pgcnt", pgcnt);
	fdt_end_node(tree);
}

/* The CRC-32 of the tree, after a change of it. */
static inline void seal_tree(void)
{
	put(TREE, PAGE - 8, crc(tree, PAGE - 8));
}

static inline void make_tree(void)
{
	fdt_create(tree, PAGE - 8);
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	fdt_property_string(tree, "compatible", "luo-fdt-v1");
	put_prop("liveupdate-number", 3);
	put_prop("mark", MARK);
	put_array("luo-session", "luo-session-v1", 2, AT(SESSIONS), 2);
	put_array("luo-flb", "luo-flb-v1", 2, AT(FLBS), 1);
	fdt_begin_node(tree, "luo-subsystems");
	fdt_property_string(tree, "compatible", "luo-subsystems-v1");
	fdt_begin_node(tree, "luo-recorder");
	put_prop("data", 0x7000);
	fdt_end_node(tree);
	fdt_end_node(tree);
	fdt_end_node(tree);
	fdt_finish(tree);
	seal_tree();
}

static inline void make_base(void)
{
	memcpy(pages[BASE], "luo-v5\0", 8);
	put(BASE, 8, 3);
	put(BASE, 16, AT(SESSIONS));
	put(BASE, 24, AT(FLBS));
}

/*
 * Two sessions, each in a block of its own: "a" with two files in one block and one in
 * the next, "b" with one; two FLBs, the second without a file.
 */
static inline void make(void)
{
	memset(pages, 0, sizeof(pages));
	put_session(SESSIONS, 0, "a", AT(FILES_A), 3, 5);
	put_session(SESSIONS_2, 0, "b", AT(FILES_B), 1, 6);
	/* A memfd of mode 0600 with the seals grow and shrink, opened to read and write */
	put_file(FILES_A, 0, "a", "memfd-v2", 0x10, 1, 0xc0306180);
	/* Opened to append, without seals; those of the third are not known */
	put_file(FILES_A, 1, "a", "other-v1", 0x20, 2, 0x806001ff);
	put_file(FILES_A2, 0, "a", "memfd-v2", 0x30, 3, 0x40306180);
	put_file(FILES_B, 0, "b", "vfio-v1", 0x40, 1, 0);
	put_flb(0, "shared-v1", 9, 3, 0);
	put_flb(1, "used-v1", 10, 1, 1);
	finish_block(SESSIONS, 1, "", 0, AT(SESSIONS_2), 1);
	finish_block(SESSIONS_2, 1, "", 1, 0, 1);
	finish_block(FILES_A, 2, "a", 0, AT(FILES_A2), 2);
	finish_block(FILES_A2, 2, "a", 1, 0, 1);
	finish_block(FILES_B, 2, "b", 0, 0, 1);
	put(FLBS, 0, 1);
	put(FLBS, 8, 2);
	seal_block(FLBS, 3, "", 0, 0, 2);
	memset(pages[GUEST], 0x5a, PAGE);
	make_tree();
	make_base();
}

/* KHO's tree with both tables. */
static inline void make_kho(void)
{
	static const struct {
		const char *name;
		int page;
		uint64_t size;
	} subtrees[] = { { "LUO", BASE, 32 }, { "LUO-FDT", TREE, PAGE } };
	void *kho = pages[KHO_TREE];
	uint64_t value = 0x3000;
	size_t i;

	fdt_create(kho, PAGE);
	fdt_finish_reservemap(kho);
	fdt_begin_node(kho, "");
	fdt_property_string(kho, "compatible", "kho-v4");
	fdt_property(kho, "preserved-memory-map", &value, sizeof(value));
	for (i = 0; i < 2; i++) {
		fdt_begin_node(kho, subtrees[i].name);
		value = AT(subtrees[i].page);
		fdt_property(kho, "preserved-data", &value, sizeof(value));
		fdt_property(kho, "blob-size", &subtrees[i].size, sizeof(uint64_t));
		fdt_end_node(kho);
	}
	fdt_end_node(kho);
	fdt_finish(kho);
}

static bool test_read(struct memory *mem, uint64_t phys, void *to, size_t size)
{
	(void)mem;
	if (phys < PAGE || phys + size > PAGE * (PAGES + 1) || phys + size < phys)
		return false;
	memcpy(to, pages[0] + phys - PAGE, size);
	return true;
}

static struct memory memory = { .read = test_read, .why = "is not in memory", .page_size = PAGE };

static inline void decode_base(struct handover *h, struct memory *mem)
{
	if (handover_decode(h, HANDOVER_BASE, pages[BASE], 32, mem))
		abort();
}

static inline void decode_tree(struct handover *h, struct memory *mem)
{
	if (handover_decode(h, HANDOVER_NEITHER, tree, PAGE, mem))
		abort();
}

static inline int write_file(const char *dir, const char *name, const void *head, size_t head_size,
		      const void *data, size_t size)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(head, 1, head_size, f) != head_size ||
	    fwrite(data, 1, size, f) != size || fclose(f)) {
		perror(path);
		return 1;
	}
	return 0;
}

#endif
