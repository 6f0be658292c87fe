// SPDX-License-Identifier: GPL-2.0

/* Decode a handover: find out what it is, and read the arrays if memory is given. */

#include <libfdt.h>
#include <string.h>

#include "handover.h"

/* The first bytes of a table of the base's LUO, before its version. */
#define BASE_FORMAT	"luo-v"

static bool is_base(enum handover_kind kind, const void *table, size_t size)
{
	if (size >= sizeof(fdt32_t) && fdt_magic(table) == FDT_MAGIC)
		return false;
	return kind == HANDOVER_BASE || size == sizeof(struct luo_ser) ||
	       (size >= strlen(BASE_FORMAT) &&
		!memcmp(table, BASE_FORMAT, strlen(BASE_FORMAT)));
}

/* Without a mark nothing in an array of LUO's tree can be proven. */
static bool leads_to_arrays(const struct handover *h)
{
	return h->kind == HANDOVER_LUO ? h->has_mark :
	       h->kind == HANDOVER_BASE && h->usable;
}

static bool is_page_size(size_t size)
{
	return size >= KHO_BLOCK_SIZE && size <= HANDOVER_PAGE_MAX && !(size & (size - 1));
}

/* That of the kernel that wrote the table: LUO's tree is in one page. */
static size_t find_page_size(size_t size, const struct memory *mem)
{
	if (mem && is_page_size(mem->page_size))
		return mem->page_size;
	return is_page_size(size) ? size : KHO_BLOCK_SIZE;
}

int handover_decode(struct handover *h, enum handover_kind kind,
		    const void *table, size_t size, struct memory *mem)
{
	int err = 0;

	memset(h, 0, sizeof(*h));
	h->page_size = find_page_size(size, mem);
	if (is_base(kind, table, size))
		handover_decode_base(h, table, size);
	else
		err = handover_decode_tree(h, table, size);
	if (!err && mem && leads_to_arrays(h))
		err = handover_read_arrays(h, mem);
	return err;
}
