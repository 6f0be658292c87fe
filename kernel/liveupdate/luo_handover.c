// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Reading and writing the handover
 *
 * Writing: the page of the tree is allocated at boot and added to KHO once; it always
 * holds a valid tree. reboot() writes the locations of the arrays into it. The arrays
 * grow when sessions are created and files are preserved, so that nothing is allocated
 * on the way to kexec.
 *
 * Reading: nothing is used before it is checked. The tree is checked as a whole
 * (luo_fdt_check()), each property for its length, each address for being memory that
 * the previous kernel preserved and that is not restored yet, each count against the
 * size of what it counts. A block is restored when it is read and freed afterwards,
 * once its seal proves that the page is that block of that array (luo_seal.c). A
 * chain that loops reaches a block that is no longer preserved. So does a chain that
 * leads to the tree, which is restored first and never freed.
 *
 * What is rejected is reported with luo_handover_reject() and left untouched: its
 * memory stays reserved until the next live update, and everything else is accepted.
 * Losing a doubtful page until then is better than giving away the memory of another
 * session. A tree that cannot be read is rejected as a whole, and LUO is ready for the
 * next live update.
 */

#include <kunit/visibility.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "kho_base.h"
#include "luo_handover.h"
#include "luo_notice.h"
#include "luo_recorder.h"
#include "luo_seal.h"
#include "luo_trace.h"

static struct {
	u64 mark_in;		/* key of the seals of incoming blocks */
	u64 mark_out;		/* key of the seals of outgoing blocks */
	const void *fdt_in;	/* checked; NULL if there is no handover */
	void *fdt_out;		/* one preserved page */
} luo_handover;

/**
 * luo_handover_trace_reject - trace an entry that is rejected or kept for later
 * @what:   "tree", "session", "file", "flb" or "subsystem"
 * @name:   name of the entry, or of its session, or "" if unknown
 * @token:  token of the file, 0 for any other entry
 * @reason: a word for the reason
 */
void luo_handover_trace_reject(const char *what, const char *name, u64 token,
			       const char *reason)
{
	luo_emit(luo_handover_reject, luo_number(LUO_DIR_IN), what, name, token,
		 reason);
}

/**
 * luo_handover_reject - report, trace and record an entry that is rejected
 * @what:   as in luo_handover_trace_reject()
 * @name:   as in luo_handover_trace_reject()
 * @token:  as in luo_handover_trace_reject()
 * @reason: as in luo_handover_trace_reject()
 */
void luo_handover_reject(const char *what, const char *name, u64 token,
			 const char *reason)
{
	luo_notice("of the handover rejected", what, reason, name,
		   strcmp(what, "file") ? NULL : &token);
	luo_handover_trace_reject(what, name, token, reason);
	luo_recorder_add_reject(what, name, token, reason);
}

/*
 * Check that the whole tree can be walked: every tag is within the block, nodes are
 * nested, property names are terminated. The kernel's libfdt is built without
 * fdt_check_full(), which does the same.
 */
VISIBLE_IF_KUNIT bool luo_fdt_check(const void *fdt, size_t size)
{
	int offset = 0, next, depth = 0;
	const char *name;
	u32 tag;

	if (size < sizeof(struct fdt_header) || fdt_check_header(fdt) ||
	    fdt_totalsize(fdt) > size || fdt_num_mem_rsv(fdt) < 0)
		return false;

	for (;; offset = next) {
		tag = fdt_next_tag(fdt, offset, &next);
		if (next < 0)
			return false;

		switch (tag) {
		case FDT_BEGIN_NODE:
			depth++;
			break;
		case FDT_END_NODE:
			if (--depth < 0)
				return false;
			break;
		case FDT_PROP:
			if (!depth ||
			    !fdt_getprop_by_offset(fdt, offset, &name, NULL) ||
			    !name)
				return false;
			break;
		case FDT_END:
			return !depth;
		}
	}
}

VISIBLE_IF_KUNIT const char *luo_fdt_u64(const void *fdt, int node,
					 const char *prop, u64 *val)
{
	const void *p;
	int len;

	p = fdt_getprop(fdt, node, prop, &len);
	if (!p)
		return "missing-property";
	if (len != sizeof(*val))
		return "property-size";

	*val = get_unaligned((const u64 *)p);
	return NULL;
}

static const char *luo_fdt_compatible(const void *fdt, int node,
				      const char *compatible)
{
	int err = fdt_node_check_compatible(fdt, node, compatible);

	return err ? "incompatible" : NULL;
}

static const char *luo_fdt_parse_array(const void *fdt, const char *name,
				       const char *compatible,
				       struct luo_array *array)
{
	const char *reason;
	int node;

	node = fdt_subnode_offset(fdt, 0, name);
	if (node < 0)
		return "missing-node";

	reason = luo_fdt_compatible(fdt, node, compatible);
	reason = reason ?: luo_fdt_u64(fdt, node, LUO_FDT_PROP_COUNT, &array->count);
	reason = reason ?: luo_fdt_u64(fdt, node, LUO_FDT_PROP_DATA, &array->data);
	reason = reason ?: luo_fdt_u64(fdt, node, LUO_FDT_PROP_PGCNT, &array->pgcnt);
	return reason;
}

/* Set @array to the contents of a node of the tree; empty if the node is rejected. */
static void luo_fdt_read_array(const void *fdt, const char *name,
			       const char *compatible, const char *what,
			       struct luo_array *array)
{
	const char *reason = luo_fdt_parse_array(fdt, name, compatible, array);

	if (reason) {
		*array = (struct luo_array){};
		luo_handover_reject(what, "", 0, reason);
	}
}

/**
 * luo_handover_read - read the tree of the previous kernel
 * @sessions: set to the array of its sessions; empty if there are none or the array
 *	      is rejected
 * @flbs:     the same for FLBs
 *
 * The tree itself is never freed: debugfs shows it.
 *
 * Context: once, at boot, after the page allocator is up.
 * Return: 0 if a handover was read; -ENOENT if there is none; -EINVAL if it was
 *	   rejected as a whole.
 */
int luo_handover_read(struct luo_array *sessions, struct luo_array *flbs)
{
	const char *reason;
	phys_addr_t phys;
	const void *fdt;
	size_t size;
	u64 number;
	int err;

	*sessions = (struct luo_array){};
	*flbs = (struct luo_array){};

	err = kho_retrieve_subtree(LUO_FDT_SUBTREE, &phys, &size);
	if (err == -ENOENT)
		return err;
	if (err) {
		reason = "subtree";
		goto reject;
	}
	if (!kho_incoming(phys, size)) {
		reason = "not-preserved";
		goto reject;
	}

	fdt = phys_to_virt(phys);
	if (!luo_fdt_check(fdt, size)) {
		reason = "not-a-tree";
		goto reject;
	}

	reason = luo_fdt_compatible(fdt, 0, LUO_FDT_COMPATIBLE);
	reason = reason ?: luo_fdt_u64(fdt, 0, LUO_FDT_PROP_NUMBER, &number);
	reason = reason ?: luo_fdt_u64(fdt, 0, LUO_FDT_PROP_MARK,
				       &luo_handover.mark_in);
	if (reason)
		goto reject;
	if (!kho_restore_folio(phys)) {
		reason = "not-preserved";
		goto reject;
	}
	luo_number_init(number);
	luo_handover.fdt_in = fdt;

	luo_fdt_read_array(fdt, LUO_FDT_SESSION_NODE,
			   LUO_FDT_SESSION_COMPATIBLE, "sessions", sessions);
	luo_fdt_read_array(fdt, LUO_FDT_FLB_NODE, LUO_FDT_FLB_COMPATIBLE, "flbs",
			   flbs);
	return 0;

reject:
	luo_handover_reject("tree", "", 0, reason);
	return -EINVAL;
}

static void luo_fdt_read_value(const void *fdt, int node, luo_value_fn fn)
{
	char name[LIVEUPDATE_SUBSYSTEM_NAME_LENGTH] = "";
	const char *reason, *s;
	u64 data;
	int len;

	s = fdt_get_name(fdt, node, &len);
	if (!s || !len || len >= sizeof(name)) {
		reason = "bad-name";
	} else {
		strscpy(name, s);
		reason = luo_fdt_u64(fdt, node, LUO_FDT_PROP_DATA, &data);
	}
	reason = reason ?: fn(name, data);
	if (reason)
		luo_handover_reject("subsystem", name, 0, reason);
}

/**
 * luo_handover_read_values - read the values of the previous kernel's subsystems
 * @fn: called for each value
 *
 * Context: at boot, after luo_handover_read().
 */
void luo_handover_read_values(luo_value_fn fn)
{
	const void *fdt = luo_handover.fdt_in;
	const char *reason;
	int parent, node;

	if (!fdt)
		return;

	parent = fdt_subnode_offset(fdt, 0, LUO_FDT_SUBSYSTEMS_NODE);
	if (parent < 0)
		reason = "missing-node";
	else
		reason = luo_fdt_compatible(fdt, parent,
					    LUO_FDT_SUBSYSTEMS_COMPATIBLE);
	if (reason) {
		luo_handover_reject("subsystems", "", 0, reason);
		return;
	}
	fdt_for_each_subnode(node, fdt, parent)
		luo_fdt_read_value(fdt, node, fn);
}

/* Return why a page is not the block with that number, or NULL if it is. */
static const char *luo_check_block(u64 block, const struct luo_seal *seal,
				   u64 number)
{
	struct kho_block_header_ser *head;

	if (!kho_incoming(block, KHO_BLOCK_SIZE))
		return "not-preserved";
	head = phys_to_virt(block);
	if (!luo_seal_ok(seal, head, number))
		return "not-a-block";
	if (head->count > LUO_RECORDS_PER_BLOCK(seal->record_size))
		return "block-count";
	return NULL;
}

/*
 * Read a checked block: call @fn for its records, free it, and advance *@block to the
 * next one. Returns the reason if it cannot be restored, or NULL.
 */
static const char *luo_handover_read_block(u64 *block, size_t record_size,
					   luo_record_fn fn, void *data, u64 *seen)
{
	const struct kho_block_header_ser *head;
	struct folio *folio;
	u64 i;

	folio = kho_restore_folio(*block);
	if (!folio)
		return "not-preserved";

	head = folio_address(folio);
	for (i = 0; i < head->count; i++)
		fn((const void *)(head + 1) + i * record_size, data);

	*seen += head->count;
	*block = head->next;
	folio_put(folio);
	return NULL;
}

/**
 * luo_handover_read_array - read all records of an array and free its blocks
 * @array:	 the array
 * @record_size: size of a record in bytes
 * @what:	 "session", "file" or "flb", for rejected entries
 * @name:	 name of the session that the array belongs to, or ""
 * @fn:		 called for each record, in order; the record is freed afterwards
 * @data:	 for @fn
 *
 * Records before a damaged block are accepted, those after it are lost.
 *
 * Context: at boot, may sleep.
 * Return: the number of blocks actually found, regardless of the number in @array.
 */
struct luo_blocks
luo_handover_read_array(const struct luo_array *array, size_t record_size,
			const char *what, const char *name, luo_record_fn fn,
			void *data)
{
	u64 block = array->data, seen = 0;
	struct luo_blocks blocks = {};
	const char *reason = NULL;
	struct luo_seal seal;

	luo_seal_init(&seal, luo_handover.mark_in, record_size, name);
	while (block && !reason) {
		if (blocks.restored == array->pgcnt)
			reason = "too-many-blocks";
		reason = reason ?: luo_check_block(block, &seal, blocks.restored);
		reason = reason ?: luo_handover_read_block(&block, record_size, fn,
							   data, &seen);
		blocks.restored += !reason;
	}
	if (!reason && blocks.restored < array->pgcnt)
		reason = "too-few-blocks";
	if (!reason && seen != array->count)
		reason = "count";
	if (reason)
		luo_handover_reject(what, name, 0, reason);
	/* The announced number may be the damaged value; one block is certain. */
	blocks.left = block ? 1 : 0;
	return blocks;
}

/**
 * luo_handover_seal_blocks - seal the blocks of an array
 * @blocks: the block set, filled
 * @name:   name of the session that the files belong to, or ""
 */
void luo_handover_seal_blocks(const struct kho_block_set *blocks, const char *name)
{
	struct luo_seal seal;

	luo_seal_init(&seal, luo_handover.mark_out, blocks->entry_size, name);
	luo_seal_blocks(&seal, blocks);
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
	array->data = count ? blocks->head_pa : 0;
	array->pgcnt = count ? blocks->nblocks : 0;
	array->count = count;
}

static int luo_fdt_write_array(void *fdt, const char *name,
			       const char *compatible,
			       const struct luo_array *array)
{
	int err;

	err = fdt_begin_node(fdt, name);
	err = err ?: fdt_property_string(fdt, LUO_FDT_PROP_COMPATIBLE,
					 compatible);
	err = err ?: fdt_property(fdt, LUO_FDT_PROP_COUNT, &array->count,
				  sizeof(array->count));
	err = err ?: fdt_property(fdt, LUO_FDT_PROP_DATA, &array->data,
				  sizeof(array->data));
	err = err ?: fdt_property(fdt, LUO_FDT_PROP_PGCNT, &array->pgcnt,
				  sizeof(array->pgcnt));
	return err ?: fdt_end_node(fdt);
}

static int luo_fdt_write_value(void *fdt, const struct luo_value *value)
{
	int err;

	err = fdt_begin_node(fdt, value->name);
	err = err ?: fdt_property(fdt, LUO_FDT_PROP_DATA, &value->data,
				  sizeof(value->data));
	return err ?: fdt_end_node(fdt);
}

static int luo_fdt_write_values(void *fdt, const struct luo_contents *contents)
{
	unsigned int i;
	int err;

	err = fdt_begin_node(fdt, LUO_FDT_SUBSYSTEMS_NODE);
	err = err ?: fdt_property_string(fdt, LUO_FDT_PROP_COMPATIBLE,
					 LUO_FDT_SUBSYSTEMS_COMPATIBLE);
	for (i = 0; i < contents->nr_values; i++)
		err = err ?: luo_fdt_write_value(fdt, &contents->values[i]);
	return err ?: fdt_end_node(fdt);
}

/**
 * luo_handover_serialize - write the tree for the next kernel
 * @contents: contents of the tree
 *
 * Context: at boot, and under luo_state_lock for writing.
 * Return: 0, or -ENOSPC if the tree does not fit into its page, which is large
 *	   enough for LIVEUPDATE_SUBSYSTEM_MAX subsystems.
 */
int luo_handover_serialize(const struct luo_contents *contents)
{
	u64 number = luo_number(LUO_DIR_OUT);
	void *fdt = luo_handover.fdt_out;
	int err;

	err = fdt_create(fdt, PAGE_SIZE);
	err = err ?: fdt_finish_reservemap(fdt);
	err = err ?: fdt_begin_node(fdt, "");
	err = err ?: fdt_property_string(fdt, LUO_FDT_PROP_COMPATIBLE,
					 LUO_FDT_COMPATIBLE);
	err = err ?: fdt_property(fdt, LUO_FDT_PROP_NUMBER, &number,
				  sizeof(number));
	err = err ?: fdt_property(fdt, LUO_FDT_PROP_MARK, &luo_handover.mark_out,
				  sizeof(luo_handover.mark_out));
	err = err ?: luo_fdt_write_array(fdt, LUO_FDT_SESSION_NODE,
					 LUO_FDT_SESSION_COMPATIBLE,
					 &contents->sessions);
	err = err ?: luo_fdt_write_array(fdt, LUO_FDT_FLB_NODE,
					 LUO_FDT_FLB_COMPATIBLE,
					 &contents->flbs);
	err = err ?: luo_fdt_write_values(fdt, contents);
	err = err ?: fdt_end_node(fdt);
	err = err ?: fdt_finish(fdt);

	return err ? -ENOSPC : 0;
}

/**
 * luo_handover_fdt - get the tree for the next kernel
 *
 * Return: its page.
 */
void *luo_handover_fdt(void)
{
	return luo_handover.fdt_out;
}

/**
 * luo_handover_init_out - set up an empty tree for the next kernel
 *
 * Context: once, at boot, after luo_handover_read().
 * Return: 0, or a negative errno of the allocation or of KHO.
 */
int luo_handover_init_out(void)
{
	static const struct luo_contents none;
	void *fdt;
	int err;

	fdt = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(fdt))
		return PTR_ERR(fdt);

	luo_handover.fdt_out = fdt;
	luo_handover.mark_out = get_random_u64();
	err = luo_handover_serialize(&none);
	err = err ?: kho_add_subtree(LUO_FDT_SUBTREE, fdt, PAGE_SIZE);
	if (err) {
		luo_handover.fdt_out = NULL;
		kho_unpreserve_free(fdt);
	}
	return err;
}
