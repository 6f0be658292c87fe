// SPDX-License-Identifier: GPL-2.0

#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "whole.h"

#define NR_LAST		1024	/* descriptors of pages that are read */
#define NR_BITS		(1 << 20)

/*
 * The header of a file of makedumpfile, as 64-bit machines write it, and the one in its
 * second block. Only what is needed here has a name.
 */
struct dump_header {
	char signature[8];
	uint8_t before[420];
	uint32_t block_size;
	uint32_t sub_blocks;
	uint32_t bitmap_blocks;
};

struct dump_sub_header {
	uint64_t phys_base;
	uint32_t level;
	uint32_t split;
};

/* Of one page, after the bitmaps. */
struct dump_page {
	uint64_t offset;
	uint32_t size;
	uint32_t flags;
	uint64_t page_flags;
};

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return pread(fd, to, size, offset) == (ssize_t)size;
}

static bool is_dump(kdump_ctx_t *dump, int fd, struct dump_header *h)
{
	kdump_num_t page_size;

	if (!read_at(fd, h, sizeof(*h), 0) || memcmp(h->signature, "KDUMP   ", 8))
		return false;
	h->block_size = kdump_d32toh(dump, h->block_size);
	h->sub_blocks = kdump_d32toh(dump, h->sub_blocks);
	h->bitmap_blocks = kdump_d32toh(dump, h->bitmap_blocks);
	/* Not so in the header of a 32-bit machine. */
	return kdump_get_number_attr(dump, KDUMP_ATTR_PAGE_SIZE, &page_size) == KDUMP_OK &&
	       h->block_size == page_size;
}

static bool read_sub(kdump_ctx_t *dump, int fd, const struct dump_header *h,
		     struct dump_sub_header *sub)
{
	if (!h->sub_blocks || !read_at(fd, sub, sizeof(*sub), h->block_size))
		return false;
	sub->level = kdump_d32toh(dump, sub->level);
	return true;
}

unsigned int whole_dump_level(kdump_ctx_t *dump, int fd)
{
	struct dump_sub_header sub;
	struct dump_header h;

	return is_dump(dump, fd, &h) && read_sub(dump, fd, &h, &sub) ? sub.level & 31 : 0;
}

/* libkdumpfile 0.5.6 changed the arguments of kdump_get_typed_attr(). */
kdump_bmp_t *whole_bitmap(kdump_ctx_t *dump, const char *key)
{
	kdump_attr_t map;

	return kdump_get_attr(dump, key, &map) == KDUMP_OK && map.type == KDUMP_BITMAP ?
	       map.val.bitmap : NULL;
}

/* Pages in the file: each has a descriptor. */
static uint64_t count_pages(kdump_ctx_t *dump)
{
	static unsigned long bits[NR_BITS / 8 / sizeof(long)];
	kdump_bmp_t *map = whole_bitmap(dump, KDUMP_ATTR_FILE_PAGEMAP);
	uint64_t nr = 0, first;
	size_t i;

	for (first = 0; map && kdump_bmp_find_set(map, &first) == KDUMP_OK;
	     first += NR_BITS) {
		if (kdump_bmp_get_bits(map, first, first + NR_BITS - 1,
				       (unsigned char *)bits) != KDUMP_OK)
			break;
		for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
			nr += __builtin_popcountl(bits[i]);
	}
	return nr;
}

/* Where the data of the last pages ends. Pages of zeros share one, so look at many. */
static uint64_t last_end(kdump_ctx_t *dump, int fd, uint64_t table, uint64_t nr)
{
	uint64_t from = nr > NR_LAST ? nr - NR_LAST : 0, end, last = 0;
	struct dump_page pages[NR_LAST];
	size_t i;

	if (!read_at(fd, pages, (nr - from) * sizeof(pages[0]),
		     table + from * sizeof(pages[0])))
		return 0;
	for (i = 0; i < nr - from; i++) {
		end = kdump_d64toh(dump, pages[i].offset) + kdump_d32toh(dump, pages[i].size);
		if (end > last)
			last = end;
	}
	return last;
}

/* Bytes that a file of makedumpfile needs. */
static uint64_t dump_size(kdump_ctx_t *dump, int fd, const struct dump_header *h,
			  uint64_t have)
{
	uint64_t table = (1ULL + h->sub_blocks + h->bitmap_blocks) * h->block_size, end, nr;
	struct dump_sub_header sub;

	/* Without its bitmaps, its pages cannot be counted; a part has not all of them. */
	if (table > have || (read_sub(dump, fd, h, &sub) && sub.split))
		return table;
	nr = count_pages(dump);
	end = last_end(dump, fd, table, nr);
	table += nr * sizeof(struct dump_page);
	return end > table ? end : table;
}

/* Bytes that an ELF core needs. */
static uint64_t elf_size(Elf *elf)
{
	uint64_t need = 0;
	GElf_Phdr p;
	size_t nr, i;

	if (elf_getphdrnum(elf, &nr))
		return 0;
	for (i = 0; i < nr; i++) {
		if (gelf_getphdr(elf, i, &p) && p.p_type == PT_LOAD &&
		    p.p_offset + p.p_filesz > need)
			need = p.p_offset + p.p_filesz;
	}
	return need;
}

static uint64_t needed_size(kdump_ctx_t *dump, int fd, uint64_t have)
{
	struct dump_header h;
	uint64_t need = 0;
	Elf *elf;

	if (is_dump(dump, fd, &h))
		return dump_size(dump, fd, &h, have);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		need = elf_size(elf);
	elf_end(elf);
	return need;
}

bool whole_check(kdump_ctx_t *dump, int fd, char *why, size_t len)
{
	struct stat st;
	uint64_t need;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return true;
	need = needed_size(dump, fd, st.st_size);
	if (need <= (uint64_t)st.st_size)
		return true;
	snprintf(why, len, "is cut: it has %" PRIu64 " bytes, its headers need %" PRIu64,
		 (uint64_t)st.st_size, need);
	return false;
}
