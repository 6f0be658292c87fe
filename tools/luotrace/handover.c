// SPDX-License-Identifier: GPL-2.0

/* The trees; what is behind them is in handover_arrays.c. */

#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "handover.h"

#define KHO_COMPATIBLE		"kho-v"
#define KHO_MEMORY_MAP		"preserved-memory-map"
#define KHO_DATA		"preserved-data"
#define KHO_SIZE		"blob-size"

void handover_problem(struct handover *h, const char *fmt, ...)
{
	va_list ap;

	if (h->nr_problems < HANDOVER_PROBLEMS) {
		va_start(ap, fmt);
		vsnprintf(h->problems[h->nr_problems], HANDOVER_PROBLEM, fmt, ap);
		va_end(ap);
	}
	h->nr_problems++;
}

/* Fields of the header, each a big-endian u32, and what they may be. */
static const struct {
	const char *name;
	unsigned int offset;
} header_fields[] = {
	{ "magic", 0 }, { "totalsize", 4 }, { "off_dt_struct", 8 },
	{ "off_dt_strings", 12 }, { "off_mem_rsvmap", 16 }, { "version", 20 },
	{ "last_comp_version", 24 }, { "size_dt_strings", 32 },
	{ "size_dt_struct", 36 },
};

/* A header that libfdt refuses: show the field that is most likely why. */
static void blame_header(struct handover *h, const void *tree, size_t size,
			 int err)
{
	static const unsigned int by_error[][2] = {
		{ FDT_ERR_BADMAGIC, 0 }, { FDT_ERR_BADVERSION, 5 },
		{ FDT_ERR_TRUNCATED, 1 },
	};
	size_t i;

	if (fdt_magic(tree) == FDT_MAGIC && fdt_totalsize(tree) > size) {
		handover_problem(h, "offset 4: totalsize is %u, but there are %zu bytes",
				 fdt_totalsize(tree), size);
		return;
	}
	for (i = 0; i < sizeof(by_error) / sizeof(by_error[0]); i++) {
		if (-err != (int)by_error[i][0])
			continue;
		handover_problem(h, "offset %u: %s: %s",
				 header_fields[by_error[i][1]].offset,
				 header_fields[by_error[i][1]].name,
				 fdt_strerror(err));
		return;
	}
	handover_problem(h, "offset 8: the header's offsets or sizes lie outside of the tree: %s",
			 fdt_strerror(err));
}

/* The header is fine and the structure is not: find the tag that is wrong. */
static void blame_structure(struct handover *h, const void *tree, int err)
{
	int offset = 0, next = 0, depth = 0;
	uint32_t tag;

	do {
		offset = next;
		tag = fdt_next_tag(tree, offset, &next);
		if (tag == FDT_BEGIN_NODE)
			depth++;
		else if (tag == FDT_END_NODE)
			depth--;
	} while (next >= 0 && tag != FDT_END && depth >= 0 && depth < 1000);
	handover_problem(h, "offset %u: %s", fdt_off_dt_struct(tree) + offset,
			 depth < 0 ? "a node ends that did not begin" :
			 fdt_strerror(next < 0 ? next : err));
}

static bool check_tree(struct handover *h, const void *tree, size_t size)
{
	int err;

	if (size < FDT_V1_SIZE) {
		handover_problem(h, "offset 0: %zu bytes are too few for a flattened device tree",
				 size);
		return false;
	}
	err = fdt_check_full(tree, size);
	if (!err)
		return true;
	if (fdt_check_header(tree) || fdt_totalsize(tree) > size)
		blame_header(h, tree, size, err);
	else
		blame_structure(h, tree, err);
	return false;
}

/* Where a node is in the file, for people. */
static unsigned int place(const void *tree, int node)
{
	return fdt_off_dt_struct(tree) + node;
}

/* A property of eight bytes, in the byte order of the machine that wrote it. */
static uint64_t get_u64(struct handover *h, const void *tree, int node,
			const char *name)
{
	const char *of = fdt_get_name(tree, node, NULL);
	const void *prop;
	uint64_t value = 0;
	int len;

	prop = fdt_getprop(tree, node, name, &len);
	if (!prop)
		handover_problem(h, "offset %u: node '%s' has no property '%s'",
				 place(tree, node), of, name);
	else if (len != sizeof(value))
		handover_problem(h, "offset %td: '%s' of node '%s' has %d bytes, want 8",
				 (const char *)prop - (const char *)tree, name,
				 of, len);
	else
		memcpy(&value, prop, sizeof(value));
	return value;
}

/* The compatible string of a node, which ends; or NULL. */
static const char *get_compatible(struct handover *h, const void *tree, int node)
{
	const char *text;
	int len;

	text = fdt_getprop(tree, node, LUO_FDT_PROP_COMPATIBLE, &len);
	if (!text) {
		handover_problem(h, "offset %u: node '%s' has no property 'compatible'",
				 place(tree, node), fdt_get_name(tree, node, NULL));
		return NULL;
	}
	if (!len || text[len - 1] || strlen(text) != (size_t)len - 1) {
		handover_problem(h, "offset %td: 'compatible' is not one string that ends",
				 (const char *)text - (const char *)tree);
		return NULL;
	}
	return text;
}

/* A node of LUO's tree that has to be there, with that compatible string. */
static int get_node(struct handover *h, const void *tree, const char *name,
		    const char *compatible)
{
	int node = fdt_subnode_offset(tree, 0, name);
	const char *have;

	if (node < 0) {
		handover_problem(h, "offset %u: the tree has no node '%s'",
				 place(tree, 0), name);
		return node;
	}
	have = get_compatible(h, tree, node);
	if (have && strcmp(have, compatible)) {
		handover_problem(h, "offset %u: node '%s' is '%s', this luotrace knows '%s'",
				 place(tree, node), name, have, compatible);
		return -1;
	}
	return have ? node : -1;
}

static void get_array(struct handover *h, const void *tree, const char *name,
		      const char *compatible, struct handover_array *array)
{
	int node = get_node(h, tree, name, compatible);

	if (node < 0)
		return;
	array->there = true;
	array->count = get_u64(h, tree, node, LUO_FDT_PROP_COUNT);
	array->data = get_u64(h, tree, node, LUO_FDT_PROP_DATA);
	array->pgcnt = get_u64(h, tree, node, LUO_FDT_PROP_PGCNT);
}

/* Room for one more entry. */
static struct handover_entry *add_entry(struct handover *h)
{
	struct handover_entry *all;

	all = realloc(h->entries, (h->nr_entries + 1) * sizeof(*all));
	if (!all)
		return NULL;
	h->entries = all;
	all += h->nr_entries++;
	memset(all, 0, sizeof(*all));
	return all;
}

static int decode_luo(struct handover *h, const void *tree)
{
	struct handover_entry *e;
	int parent, node;

	h->number = get_u64(h, tree, 0, LUO_FDT_PROP_NUMBER);
	get_array(h, tree, LUO_FDT_SESSION_NODE, LUO_FDT_SESSION_COMPATIBLE,
		  &h->sessions_at);
	get_array(h, tree, LUO_FDT_FLB_NODE, LUO_FDT_FLB_COMPATIBLE, &h->flbs_at);
	parent = get_node(h, tree, LUO_FDT_SUBSYSTEMS_NODE,
			  LUO_FDT_SUBSYSTEMS_COMPATIBLE);
	if (parent < 0)
		return 0;
	fdt_for_each_subnode(node, tree, parent) {
		e = add_entry(h);
		if (!e)
			return -ENOMEM;
		e->name = fdt_get_name(tree, node, NULL);
		e->data = get_u64(h, tree, node, LUO_FDT_PROP_DATA);
	}
	return 0;
}

static int decode_kho(struct handover *h, const void *tree)
{
	struct handover_entry *e;
	int node;

	h->memory_map = get_u64(h, tree, 0, KHO_MEMORY_MAP);
	fdt_for_each_subnode(node, tree, 0) {
		e = add_entry(h);
		if (!e)
			return -ENOMEM;
		e->name = fdt_get_name(tree, node, NULL);
		e->data = get_u64(h, tree, node, KHO_DATA);
		e->size = get_u64(h, tree, node, KHO_SIZE);
	}
	return 0;
}

int handover_decode(struct handover *h, const void *tree, size_t size,
		    struct memory *mem)
{
	int err;

	memset(h, 0, sizeof(*h));
	if (!check_tree(h, tree, size))
		return 0;
	h->compatible = get_compatible(h, tree, 0);
	if (!h->compatible)
		return 0;
	if (!strcmp(h->compatible, LUO_FDT_COMPATIBLE)) {
		h->kind = HANDOVER_LUO;
		err = decode_luo(h, tree);
		if (!err && mem)
			err = handover_read_arrays(h, mem);
		return err;
	}
	if (!strncmp(h->compatible, KHO_COMPATIBLE, strlen(KHO_COMPATIBLE))) {
		h->kind = HANDOVER_KHO;
		return decode_kho(h, tree);
	}
	handover_problem(h, "offset %u: the tree is '%s', this luotrace knows '"
			 LUO_FDT_COMPATIBLE "' and '" KHO_COMPATIBLE "...'",
			 place(tree, 0), h->compatible);
	return 0;
}

void handover_free(struct handover *h)
{
	size_t i;

	for (i = 0; i < h->nr_sessions; i++)
		free(h->sessions[i].files);
	free(h->sessions);
	free(h->flbs);
	free(h->entries);
}
