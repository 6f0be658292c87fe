// SPDX-License-Identifier: GPL-2.0

/*
 * Reading the tables of the handover, see luo_handover.c.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "kho_base.h"
#include "luo_handover.h"
#include "luo_reject.h"
#include "luo_seal.h"
#include "luo_trace.h"

static struct {
	u64 tables;		/* how many are accepted */
	const void *fdt;	/* checked; NULL if there is no tree */
} luo_in;

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
		*array = (struct luo_array){ .lost = true };
		luo_handover_reject(what, "", 0, reason);
	}
}

/* A subtree that may lead to the arrays */
struct luo_table {
	const char *subtree;
	const void *page;	/* NULL if it cannot be used */
	const char *reason;	/* why, or NULL */
	char compatible[32];	/* what it says it is, or "" */
	u64 number;
	struct luo_array sessions;
	struct luo_array flbs;
};

/* Find the page of a subtree of at least @min bytes. */
static const void *luo_table_find(struct luo_table *table, size_t min, size_t *size)
{
	phys_addr_t phys;
	int err;

	err = kho_retrieve_subtree(table->subtree, &phys, size);
	if (err) {
		table->reason = err == -ENOENT ? "missing" : "subtree";
		return NULL;
	}
	if (*size < min || *size > PAGE_SIZE) {
		table->reason = "subtree-size";
		return NULL;
	}
	if (!kho_incoming(phys, PAGE_SIZE)) {
		table->reason = "not-preserved";
		return NULL;
	}
	return phys_to_virt(phys);
}

/* Take the page over; it is never freed, as debugfs shows it. */
static void luo_table_accept(struct luo_table *table, const void *page)
{
	if (kho_restore_folio(virt_to_phys((void *)page)))
		table->page = page;
	else
		table->reason = "not-preserved";
}

/* Read the table of the base. */
static void luo_table_read_ser(struct luo_table *table)
{
	const struct luo_ser *ser;
	size_t size;

	ser = luo_table_find(table, sizeof(*ser), &size);
	if (!ser)
		return;

	memcpy(table->compatible, ser->compatible, sizeof(ser->compatible));
	if (strncmp(ser->compatible, LUO_ABI_COMPATIBLE, sizeof(ser->compatible))) {
		table->reason = "incompatible";
		return;
	}
	table->number = ser->liveupdate_num;
	table->sessions = (struct luo_array){
		.data = ser->sessions_pa, .count = LUO_COUNT_UNKNOWN, .plain = true,
	};
	table->flbs = (struct luo_array){
		.data = ser->flbs_pa, .count = LUO_COUNT_UNKNOWN, .plain = true,
	};
	luo_table_accept(table, ser);
}

static void luo_table_keep_compatible(struct luo_table *table, const void *fdt)
{
	const char *compatible;
	int len;

	compatible = fdt_getprop(fdt, 0, LUO_FDT_PROP_COMPATIBLE, &len);
	if (compatible && strnlen(compatible, len) < len)
		strscpy(table->compatible, compatible);
}

/* Returns why a tree cannot be used, or NULL. */
static const char *luo_fdt_parse(struct luo_table *table, const void *fdt, size_t size)
{
	const u64 *crc = fdt + LUO_FDT_SIZE;
	const char *reason;
	u64 mark;

	if (!luo_fdt_check(fdt, LUO_FDT_SIZE))
		return "not-a-tree";

	luo_table_keep_compatible(table, fdt);
	reason = luo_fdt_compatible(fdt, 0, LUO_FDT_COMPATIBLE);
	if (reason)
		return reason;
	if (size != PAGE_SIZE || *crc != luo_crc(fdt, LUO_FDT_SIZE))
		return "checksum";

	reason = luo_fdt_u64(fdt, 0, LUO_FDT_PROP_NUMBER, &table->number);
	reason = reason ?: luo_fdt_u64(fdt, 0, LUO_FDT_PROP_MARK, &mark);
	if (!reason)
		luo_seal_set_mark(LUO_DIR_IN, mark);
	return reason;
}

static void luo_table_read_fdt(struct luo_table *table)
{
	const void *fdt;
	size_t size;

	fdt = luo_table_find(table, sizeof(struct fdt_header), &size);
	if (!fdt)
		return;

	table->reason = luo_fdt_parse(table, fdt, size);
	if (table->reason)
		return;
	luo_table_accept(table, fdt);
	if (!table->page)
		return;

	luo_fdt_read_array(fdt, LUO_FDT_SESSION_NODE, LUO_FDT_SESSION_COMPATIBLE,
			   "sessions", &table->sessions);
	luo_fdt_read_array(fdt, LUO_FDT_FLB_NODE, LUO_FDT_FLB_COMPATIBLE, "flbs",
			   &table->flbs);
}

/* For %*pEhp: what another kernel wrote may have any bytes. */
static int luo_table_len(const struct luo_table *table)
{
	return strlen(table->compatible);
}

static bool luo_table_missing(const struct luo_table *table)
{
	return table->reason && !strcmp(table->reason, "missing");
}

static void luo_table_reject(const struct luo_table *table, const char *what)
{
	if (table->reason && !luo_table_missing(table))
		luo_handover_record_reject(what, table->compatible, 0, table->reason);
}

/* Compare two tables that lead to the same arrays, unless one is damaged. */
static void luo_tables_compare(const struct luo_table *ser, const struct luo_table *fdt)
{
	if (ser->page && (ser->number != fdt->number ||
			  ser->sessions.data != fdt->sessions.data ||
			  ser->flbs.data != fdt->flbs.data)) {
		luo_handover_record_reject("table", ser->compatible, 0, "disagrees");
		pr_warn("the two tables of the handover disagree, '%s' is believed\n",
			fdt->compatible);
	} else if (!ser->page) {
		luo_table_reject(ser, "table");
		pr_warn("table '%*pEhp' of the handover is not used (%s), '%s' is\n",
			luo_table_len(ser), ser->compatible, ser->reason, fdt->compatible);
	}
}

/* One line with all that a person needs to find a kernel that understands it. */
static int luo_tables_reject(const struct luo_table *ser, const struct luo_table *fdt)
{
	if (luo_table_missing(ser) && luo_table_missing(fdt))
		return -ENOENT;

	luo_table_reject(ser, "table");
	/* Without an accepted tree, this says that all of the handover is rejected. */
	luo_handover_record_reject("tree", fdt->compatible, 0, fdt->reason);
	pr_err("handover rejected: '%*pEhp' (%s) and '%*pEhp' (%s), this kernel knows '%s' and '%s'\n",
	       luo_table_len(ser), ser->compatible, ser->reason,
	       luo_table_len(fdt), fdt->compatible, fdt->reason,
	       LUO_ABI_COMPATIBLE, LUO_FDT_COMPATIBLE);
	return -EINVAL;
}

/**
 * luo_handover_read - read where the previous kernel's arrays are
 * @sessions: set to the array of its sessions; empty if there are none, and lost if the array
 *	      is rejected
 * @flbs:     the same for FLBs
 *
 * The tree of this LUO is believed if it is there and intact, else the table of the
 * base. Neither is ever freed: debugfs shows both.
 *
 * Context: once, at boot, after the page allocator is up.
 * Return: 0 if a handover was read; -ENOENT if there is none; -EINVAL if it was
 *	   rejected as a whole.
 */
int luo_handover_read(struct luo_array *sessions, struct luo_array *flbs)
{
	struct luo_table ser = { .subtree = LUO_KHO_ENTRY_NAME };
	struct luo_table fdt = { .subtree = LUO_FDT_SUBTREE };
	const struct luo_table *use;

	*sessions = (struct luo_array){};
	*flbs = (struct luo_array){};

	luo_table_read_ser(&ser);
	luo_table_read_fdt(&fdt);
	if (!ser.page && !fdt.page) {
		int err = luo_tables_reject(&ser, &fdt);

		sessions->lost = err == -EINVAL;
		flbs->lost = sessions->lost;
		return err;
	}

	if (fdt.page) {
		luo_tables_compare(&ser, &fdt);
	} else {
		luo_table_reject(&fdt, "tree");
		if (!luo_table_missing(&fdt))
			pr_warn("tree '%*pEhp' of the handover is not used (%s), '%s' is: nothing proves its records\n",
				luo_table_len(&fdt), fdt.compatible, fdt.reason,
				ser.compatible);
	}
	use = fdt.page ? &fdt : &ser;
	luo_number_init(use->number);
	luo_in.fdt = fdt.page;
	luo_in.tables = !!fdt.page + !!ser.page;
	*sessions = use->sessions;
	*flbs = use->flbs;
	return 0;
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
	const void *fdt = luo_in.fdt;
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

/**
 * luo_handover_bytes_in - memory of the tables that were accepted
 *
 * Return: the size in bytes.
 */
u64 luo_handover_bytes_in(void)
{
	return luo_in.tables * PAGE_SIZE;
}

/**
 * liveupdate_incoming_order - check an address that the previous kernel handed over
 * @phys: physical address
 *
 * What a handler or a subsystem finds in its own handed-over data was written by another
 * kernel, and may be damaged. Call this function before an address of it is restored or
 * read.
 *
 * Context: any, once the page structures are set up.
 * Return: the order of the block of pages that begins at @phys, which the previous kernel
 *	   preserved and nobody restored yet; -ENOENT if there is none.
 */
int liveupdate_incoming_order(phys_addr_t phys)
{
	return kho_incoming_order(phys);
}
EXPORT_SYMBOL_GPL(liveupdate_incoming_order);
