// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Reading and writing the handover
 *
 * Two KHO subtrees lead to the arrays of sessions and FLBs: the table of the base, so that
 * its LUO can read what this one hands over and the other way round, and a tree with what
 * only this LUO has. include/linux/kho/abi/luo.h describes both, luo_array.c reads the
 * arrays.
 *
 * Writing: the pages of table and tree are allocated at boot and added to KHO once; they
 * are always valid. PREPARE writes the locations of the arrays into them, and reboot()
 * writes them again only if they differ. The arrays grow when sessions are created and
 * files are preserved, so that nothing is allocated on the way to kexec.
 *
 * Reading: the tree is used if its checksum is right, as it has the key that proves each
 * block and each record. Otherwise the table of the base is used, and what can be checked
 * without the key. If both are there and disagree, the tree is right. If neither can be
 * understood, the handover is rejected as a whole, and LUO is ready for the next live
 * update.
 */

#include <linux/err.h>
#include <linux/kexec_handover.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/string.h>

#include "luo_handover.h"
#include "luo_seal.h"
#include "luo_trace.h"

static struct {
	void *fdt;		/* one preserved page */
	struct luo_ser *ser;	/* one preserved page */
	struct luo_contents written; /* the contents of both */
	bool valid;		/* @written is what is in them */
} luo_out;

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

static int luo_fdt_serialize(const struct luo_contents *contents)
{
	u64 number = luo_number(LUO_DIR_OUT), mark = luo_seal_mark(LUO_DIR_OUT);
	void *fdt = luo_out.fdt;
	u64 *crc = fdt + LUO_FDT_SIZE;
	int err;

	err = fdt_create(fdt, LUO_FDT_SIZE);
	err = err ?: fdt_finish_reservemap(fdt);
	err = err ?: fdt_begin_node(fdt, "");
	err = err ?: fdt_property_string(fdt, LUO_FDT_PROP_COMPATIBLE,
					 LUO_FDT_COMPATIBLE);
	err = err ?: fdt_property(fdt, LUO_FDT_PROP_NUMBER, &number,
				  sizeof(number));
	err = err ?: fdt_property(fdt, LUO_FDT_PROP_MARK, &mark, sizeof(mark));
	err = err ?: luo_fdt_write_array(fdt, LUO_FDT_SESSION_NODE,
					 LUO_FDT_SESSION_COMPATIBLE,
					 &contents->sessions);
	err = err ?: luo_fdt_write_array(fdt, LUO_FDT_FLB_NODE,
					 LUO_FDT_FLB_COMPATIBLE,
					 &contents->flbs);
	err = err ?: luo_fdt_write_values(fdt, contents);
	err = err ?: fdt_end_node(fdt);
	err = err ?: fdt_finish(fdt);
	*crc = luo_crc(fdt, LUO_FDT_SIZE);

	return err ? -ENOSPC : 0;
}

static bool luo_array_same(const struct luo_array *a, const struct luo_array *b)
{
	return a->data == b->data && a->pgcnt == b->pgcnt && a->count == b->count;
}

static bool luo_contents_same(const struct luo_contents *a, const struct luo_contents *b)
{
	unsigned int i;

	if (!luo_array_same(&a->sessions, &b->sessions) ||
	    !luo_array_same(&a->flbs, &b->flbs) || a->nr_values != b->nr_values)
		return false;
	for (i = 0; i < a->nr_values; i++) {
		if (a->values[i].name != b->values[i].name ||
		    a->values[i].data != b->values[i].data)
			return false;
	}
	return true;
}

/**
 * luo_handover_serialize - write table and tree for the next kernel
 * @contents: contents of both; if they have them already, nothing is written
 *
 * Context: at boot, and under luo_state_lock for writing.
 * Return: 0, or -ENOSPC if the tree does not fit into its page, which is large
 *	   enough for LIVEUPDATE_SUBSYSTEM_MAX subsystems.
 */
int luo_handover_serialize(const struct luo_contents *contents)
{
	struct luo_ser *ser = luo_out.ser;
	int err;

	if (luo_out.valid && luo_contents_same(contents, &luo_out.written))
		return 0;

	strscpy_pad(ser->compatible, LUO_ABI_COMPATIBLE);
	ser->liveupdate_num = luo_number(LUO_DIR_OUT);
	ser->sessions_pa = contents->sessions.data;
	ser->flbs_pa = contents->flbs.data;
	err = luo_fdt_serialize(contents);
	luo_out.valid = !err;
	luo_out.written = *contents;
	return err;
}

/**
 * luo_handover_forget_values - notice that the name of a subsystem may change
 *
 * Contents with the same names are written again.
 *
 * Context: under luo_state_lock for writing.
 */
void luo_handover_forget_values(void)
{
	luo_out.valid = false;
}

/**
 * luo_handover_bytes_out - preserved memory of the tables and the FLBs
 *
 * Return: the size in bytes.
 */
u64 luo_handover_bytes_out(void)
{
	/* Two tables, and a block of FLBs even if there are none */
	return 3 * PAGE_SIZE;
}

/**
 * luo_handover_fdt - get the tree for the next kernel
 *
 * Return: its page.
 */
void *luo_handover_fdt(void)
{
	return luo_out.fdt;
}

/**
 * luo_handover_ser - get the table of the base for the next kernel
 *
 * Return: the table, in a page of its own.
 */
struct luo_ser *luo_handover_ser(void)
{
	return luo_out.ser;
}

static int luo_handover_alloc_out(void)
{
	void *fdt, *ser;

	fdt = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(fdt))
		return PTR_ERR(fdt);

	ser = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(ser)) {
		kho_unpreserve_free(fdt);
		return PTR_ERR(ser);
	}
	luo_out.fdt = fdt;
	luo_out.ser = ser;
	return 0;
}

static void luo_handover_free_out(void)
{
	kho_unpreserve_free(luo_out.ser);
	kho_unpreserve_free(luo_out.fdt);
	luo_out.ser = NULL;
	luo_out.fdt = NULL;
}

/**
 * luo_handover_init_out - set up an empty handover for the next kernel
 *
 * Context: once, at boot, after luo_handover_read().
 * Return: 0, or a negative errno of the allocation or of KHO.
 */
int luo_handover_init_out(void)
{
	static const struct luo_contents none;
	int err;

	err = luo_handover_alloc_out();
	if (err)
		return err;

	luo_seal_set_mark(LUO_DIR_OUT, get_random_u64());
	err = luo_handover_serialize(&none);
	if (err)
		goto err_free;
	err = kho_add_subtree(LUO_KHO_ENTRY_NAME, luo_out.ser,
			      sizeof(struct luo_ser));
	if (err)
		goto err_free;
	err = kho_add_subtree(LUO_FDT_SUBTREE, luo_out.fdt, PAGE_SIZE);
	if (err)
		goto err_subtree;
	return 0;

err_subtree:
	kho_remove_subtree(luo_out.ser);
err_free:
	luo_handover_free_out();
	return err;
}

/**
 * luo_handover_exit_out - hand nothing over to the next kernel
 *
 * Context: at boot, if live update is turned off. Does nothing unless
 *	    luo_handover_init_out() has succeeded.
 */
void __init luo_handover_exit_out(void)
{
	if (!luo_out.fdt)
		return;
	kho_remove_subtree(luo_out.fdt);
	kho_remove_subtree(luo_out.ser);
	luo_handover_free_out();
}
