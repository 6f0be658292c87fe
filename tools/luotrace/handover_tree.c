// SPDX-License-Identifier: GPL-2.0

/* Decode a tree: that of LUO, or that of KHO. */

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "handover.h"
#include "handover_seal.h"

#define TREE_VERSION		17
#define KHO_COMPATIBLE		"kho-v"
#define KHO_MEMORY_MAP		"preserved-memory-map"
#define KHO_DATA		"preserved-data"
#define KHO_SIZE		"blob-size"

/* Say which field of the header libfdt rejects. */
static void explain_header(struct handover *h, const void *tree, size_t size,
			   int err)
{
	const struct {
		const char *name;
		unsigned int field;	/* offset of the offset */
		uint64_t begin, size;
	} blocks[] = {
		{ "structure", 8, fdt_off_dt_struct(tree),
		  fdt_size_dt_struct(tree) },
		{ "strings", 12, fdt_off_dt_strings(tree),
		  fdt_size_dt_strings(tree) },
		{ "memory reservations", 16, fdt_off_mem_rsvmap(tree), 0 },
	};
	size_t i;

	if (fdt_magic(tree) != FDT_MAGIC) {
		handover_problem(h, "offset 0: magic is 0x%x, want 0x%x",
				 fdt_magic(tree), FDT_MAGIC);
		return;
	}
	if (fdt_totalsize(tree) > size || fdt_totalsize(tree) < FDT_V17_SIZE) {
		handover_problem(h, "offset 4: totalsize is %u, but the tree has %zu bytes",
				 fdt_totalsize(tree), size);
		return;
	}
	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (blocks[i].begin >= FDT_V17_SIZE &&
		    blocks[i].begin + blocks[i].size <= fdt_totalsize(tree))
			continue;
		handover_problem(h, "offset %u: %s of %" PRIu64 " bytes from %" PRIu64 " on are not within the tree",
				 blocks[i].field, blocks[i].name, blocks[i].size,
				 blocks[i].begin);
		return;
	}
	handover_problem(h, "offset 24: bad header: %s",
			 fdt_strerror(err));
}

/*
 * A walk over the structure that goes only forward. libfdt has one, too, but a malformed
 * tree makes some of its versions loop, or follow a null pointer.
 */
struct walk {
	const char *tree;
	size_t at;		/* in the structure block */
	size_t size;		/* of the structure block */
	int depth;
	bool begun;		/* the root node has begun */
};

static uint32_t get_u32(const char *from)
{
	fdt32_t value;

	memcpy(&value, from, sizeof(value));
	return fdt32_to_cpu(value);
}

/* Skip @n bytes and the padding before the next tag. */
static bool skip(struct walk *w, size_t n)
{
	if (n > w->size - w->at)
		return false;
	w->at += n;
	n = -w->at % FDT_TAGSIZE;
	if (n > w->size - w->at)
		return false;
	w->at += n;
	return true;
}

/* A property, after its tag: what is wrong with it, or NULL. */
static const char *walk_property(struct walk *w)
{
	size_t strings = fdt_size_dt_strings(w->tree);
	const char *block = w->tree + fdt_off_dt_struct(w->tree);
	const char *names = w->tree + fdt_off_dt_strings(w->tree);
	uint32_t len, name;

	if (w->size - w->at < 2 * sizeof(uint32_t))
		return "a property is cut";
	len = get_u32(block + w->at);
	name = get_u32(block + w->at + sizeof(uint32_t));
	w->at += 2 * sizeof(uint32_t);
	if (!skip(w, len))
		return "a property is longer than the tree";
	if (name >= strings || !memchr(names + name, '\0', strings - name))
		return "the name of a property is outside of the strings";
	return NULL;
}

static const char *walk_node(struct walk *w)
{
	const char *name = w->tree + fdt_off_dt_struct(w->tree) + w->at;
	const char *end = memchr(name, '\0', w->size - w->at);

	if (!w->depth && w->begun)
		return "a second root node begins";
	w->begun = true;
	w->depth++;
	if (!end || !skip(w, end - name + 1))
		return "the name of a node does not end";
	return NULL;
}

/* One tag: what is wrong with it, or NULL; *@done at the end of the structure. */
static const char *walk_tag(struct walk *w, bool *done)
{
	const char *block = w->tree + fdt_off_dt_struct(w->tree);
	uint32_t tag;

	if (w->size - w->at < FDT_TAGSIZE)
		return "the structure does not end";
	tag = get_u32(block + w->at);
	w->at += FDT_TAGSIZE;
	switch (tag) {
	case FDT_NOP:
		return NULL;
	case FDT_BEGIN_NODE:
		return walk_node(w);
	case FDT_END_NODE:
		return w->depth-- ? NULL : "a node ends that has not begun";
	case FDT_PROP:
		return w->depth ? walk_property(w) :
				  "a property is outside of a node";
	case FDT_END:
		*done = true;
		return w->depth || !w->begun ? "the structure ends inside a node" :
					       NULL;
	default:
		return "not a tag";
	}
}

static bool check_structure(struct handover *h, const void *tree)
{
	struct walk w = { .tree = tree, .size = fdt_size_dt_struct(tree) };
	bool done = false;
	const char *why;
	size_t at;

	while (!done) {
		at = w.at;
		why = walk_tag(&w, &done);
		if (why) {
			handover_problem(h, "offset %zu: %s",
					 fdt_off_dt_struct(tree) + at, why);
			return false;
		}
	}
	return true;
}

static bool check_tree(struct handover *h, const void *tree, size_t size)
{
	int err;

	if (size < FDT_V17_SIZE) {
		handover_problem(h, "offset 0: %zu bytes are too few for a flattened device tree",
				 size);
		return false;
	}
	if (fdt_magic(tree) == FDT_MAGIC && fdt_version(tree) < TREE_VERSION) {
		handover_problem(h, "offset 20: version is %u, every kernel with KHO writes %u",
				 fdt_version(tree), TREE_VERSION);
		return false;
	}
	err = fdt_check_header(tree);
	if (err || fdt_totalsize(tree) > size) {
		explain_header(h, tree, size, err);
		return false;
	}
	if (!check_structure(h, tree))
		return false;
	err = fdt_check_full(tree, size);
	if (err)
		handover_problem(h, "offset %u: %s", fdt_off_mem_rsvmap(tree),
				 fdt_strerror(err));
	return !err;
}

/* Offset of a node in the file. */
static unsigned int node_offset(const void *tree, int node)
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
				 node_offset(tree, node), of, name);
	else if (len != sizeof(value))
		handover_problem(h, "offset %td: '%s' of node '%s' has %d bytes, want 8",
				 (const char *)prop - (const char *)tree, name,
				 of, len);
	else
		memcpy(&value, prop, sizeof(value));
	return value;
}

/* Whether the root has a property of eight bytes. */
static bool has_u64(const void *tree, const char *name)
{
	int len;

	return fdt_getprop(tree, 0, name, &len) && len == sizeof(uint64_t);
}

/* The compatible string of a node, checked to be terminated; or NULL. */
static const char *get_compatible(struct handover *h, const void *tree, int node)
{
	const char *text;
	int len;

	text = fdt_getprop(tree, node, LUO_FDT_PROP_COMPATIBLE, &len);
	if (!text) {
		handover_problem(h, "offset %u: node '%s' has no property 'compatible'",
				 node_offset(tree, node), fdt_get_name(tree, node, NULL));
		return NULL;
	}
	if (!len || text[len - 1] || strlen(text) != (size_t)len - 1) {
		handover_problem(h, "offset %td: 'compatible' is not one string that ends",
				 (const char *)text - (const char *)tree);
		return NULL;
	}
	return text;
}

/* A mandatory node of LUO's tree, with that compatible string. */
static int get_node(struct handover *h, const void *tree, const char *name,
		    const char *compatible)
{
	int node = fdt_subnode_offset(tree, 0, name);
	const char *have;

	if (node < 0) {
		handover_problem(h, "offset %u: the tree has no node '%s'",
				 node_offset(tree, 0), name);
		return node;
	}
	have = get_compatible(h, tree, node);
	if (have && strcmp(have, compatible)) {
		handover_problem(h, "offset %u: node '%s' is '%s', this luotrace knows '%s'",
				 node_offset(tree, node), name, have, compatible);
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
	array->present = true;
	array->counted = true;
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

static void check_crc(struct handover *h, const void *tree, size_t size)
{
	h->crc = size < h->page_size ? HANDOVER_CRC_CUT :
		 handover_seal_tree(tree, h->page_size) ? HANDOVER_CRC_RIGHT :
							  HANDOVER_CRC_WRONG;
	if (h->crc == HANDOVER_CRC_WRONG)
		handover_problem(h, "offset %zu: CRC-32 of the tree is wrong",
				 h->page_size - sizeof(uint64_t));
	else if (h->crc == HANDOVER_CRC_CUT)
		handover_problem(h, "offset %zu: the page is cut before the CRC-32 of the tree",
				 size);
}

static int decode_luo(struct handover *h, const void *tree, size_t size)
{
	struct handover_entry *e;
	int parent, node;

	check_crc(h, tree, size);
	h->number = get_u64(h, tree, 0, LUO_FDT_PROP_NUMBER);
	h->mark = get_u64(h, tree, 0, LUO_FDT_PROP_MARK);
	h->has_mark = has_u64(tree, LUO_FDT_PROP_MARK);
	h->usable = h->crc == HANDOVER_CRC_RIGHT && h->has_mark &&
		    has_u64(tree, LUO_FDT_PROP_NUMBER);
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

int handover_decode_tree(struct handover *h, const void *tree, size_t size)
{
	if (!check_tree(h, tree, size))
		return 0;
	h->compatible = get_compatible(h, tree, 0);
	if (!h->compatible)
		return 0;
	if (!strcmp(h->compatible, LUO_FDT_COMPATIBLE)) {
		h->kind = HANDOVER_LUO;
		return decode_luo(h, tree, size);
	}
	if (!strncmp(h->compatible, KHO_COMPATIBLE, strlen(KHO_COMPATIBLE))) {
		h->kind = HANDOVER_KHO;
		h->usable = true;
		return decode_kho(h, tree);
	}
	handover_problem(h, "offset %u: the tree is '%s', this luotrace knows '"
			 LUO_FDT_COMPATIBLE "' and '" KHO_COMPATIBLE "...'",
			 node_offset(tree, 0), h->compatible);
	return 0;
}
