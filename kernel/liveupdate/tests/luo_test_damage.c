// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Damaging the handover
 *
 * A test of how a kernel deals with a damaged handover needs a damaged handover. The
 * bytes that LIVEUPDATE_TEST_DAMAGE names are overwritten once the handover is written,
 * before the kexec.
 */

#include <linux/io.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/liveupdate_test.h>

#include "../luo_handover.h"
#include "luo_test_damage.h"

#define LUO_DAMAGE_MAX	64	/* bytes */

static DEFINE_MUTEX(luo_damage_lock);
static struct liveupdate_test_damage luo_damage; /* size 0: none */

/**
 * luo_test_damage_set - LIVEUPDATE_TEST_DAMAGE
 * @arg: struct liveupdate_test_damage
 *
 * Return: 0, -EFAULT, or -EINVAL for an unknown place, a length over 64, or an offset
 *	   outside a block.
 */
int luo_test_damage_set(const void __user *arg)
{
	struct liveupdate_test_damage damage;

	if (copy_from_user(&damage, arg, sizeof(damage)))
		return -EFAULT;
	if (damage.size != sizeof(damage) ||
	    damage.where > LIVEUPDATE_TEST_SUBSYSTEM ||
	    damage.len > LUO_DAMAGE_MAX || damage.reserved ||
	    damage.offset > KHO_BLOCK_SIZE - LUO_DAMAGE_MAX)
		return -EINVAL;

	guard(mutex)(&luo_damage_lock);
	luo_damage = damage;
	return 0;
}

/* Block number @index of a chain, NULL if the chain is shorter. */
static struct kho_block_header_ser *luo_damage_block(u64 data, u32 index)
{
	struct kho_block_header_ser *block;

	while (data) {
		block = phys_to_virt(data);
		if (!index--)
			return block;
		data = block->next;
	}
	return NULL;
}

/* Record number @index of an array, NULL if the array is shorter. */
static void *luo_damage_record(u64 data, u32 index, size_t size)
{
	u32 per_block = LUO_RECORDS_PER_BLOCK(size);
	struct kho_block_header_ser *block;

	block = luo_damage_block(data, index / per_block);
	if (!block || index % per_block >= block->count)
		return NULL;
	return (void *)(block + 1) + index % per_block * size;
}

/* The node of subsystem number @index, NULL if there are fewer. */
static void *luo_damage_subsystem(u32 index)
{
	void *fdt = luo_handover_fdt();
	int parent, node;

	parent = fdt_subnode_offset(fdt, 0, LUO_FDT_SUBSYSTEMS_NODE);
	fdt_for_each_subnode(node, fdt, parent) {
		if (!index--)
			return fdt + fdt_off_dt_struct(fdt) + node;
	}
	return NULL;
}

static struct luo_session_ser *
luo_damage_session(const struct luo_contents *contents, u32 index)
{
	return luo_damage_record(contents->sessions.data, index,
				 sizeof(struct luo_session_ser));
}

static void *luo_damage_find(const struct luo_contents *contents)
{
	const struct luo_array *sessions = &contents->sessions;
	struct luo_session_ser *session;

	if (luo_damage.where == LIVEUPDATE_TEST_TREE)
		return luo_handover_fdt();
	if (luo_damage.where == LIVEUPDATE_TEST_SESSION_BLOCK)
		return luo_damage_block(sessions->data, luo_damage.index);
	if (luo_damage.where == LIVEUPDATE_TEST_SUBSYSTEM)
		return luo_damage_subsystem(luo_damage.index);
	if (luo_damage.where == LIVEUPDATE_TEST_FLB_BLOCK)
		return luo_damage_block(contents->flbs.data, luo_damage.index);
	if (luo_damage.where == LIVEUPDATE_TEST_FLB)
		return luo_damage_record(contents->flbs.data, luo_damage.index,
					 sizeof(struct luo_flb_ser));

	session = luo_damage_session(contents, luo_damage.session);
	if (!session || luo_damage.where == LIVEUPDATE_TEST_SESSION)
		return session;
	if (luo_damage.where == LIVEUPDATE_TEST_FILE_BLOCK)
		return luo_damage_block(session->files, luo_damage.index);
	return luo_damage_record(session->files, luo_damage.index,
				 sizeof(struct luo_file_ser));
}

/* The physical address to write, 0 if the session does not exist. */
static u64 luo_damage_address(const struct luo_contents *contents, void *at)
{
	const struct luo_session_ser *session;

	if (!luo_damage.other)
		return virt_to_phys(at);
	session = luo_damage_session(contents, luo_damage.other - 1);
	return session ? session->files : 0;
}

/**
 * luo_test_damage - damage the handover as requested, once
 * @contents: contents of the handover
 *
 * Context: under luo_state_lock for writing, after the handover is written.
 * Return: 0; -ENOENT if the handover has no such record, block or node; -ERANGE if the
 *	   bytes are not all in the page in which it begins.
 */
int luo_test_damage(const struct luo_contents *contents)
{
	u64 value;
	u32 i;
	u8 *at;

	guard(mutex)(&luo_damage_lock);

	if (!luo_damage.size)
		return 0;

	at = luo_damage_find(contents);
	luo_damage.size = 0;
	if (!at)
		return -ENOENT;

	value = luo_damage.value;
	if (!luo_damage.len) {
		value = luo_damage_address(contents, at);
		luo_damage.len = sizeof(value);
		if (!value)
			return -ENOENT;
	}
	if (offset_in_page(at) + luo_damage.offset + luo_damage.len > PAGE_SIZE)
		return -ERANGE;
	for (i = 0; i < luo_damage.len; i++)
		at[luo_damage.offset + i] = value >> (i % 8 * 8);
	return 0;
}
