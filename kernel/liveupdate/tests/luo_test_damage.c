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

/* A damage, and the bytes that it overwrites */
struct luo_damage {
	struct liveupdate_test_damage ask;
	u8 *at;
};

static DEFINE_MUTEX(luo_damage_lock);
static struct luo_damage luo_damages[LIVEUPDATE_TEST_DAMAGES];
static unsigned int luo_nr_damages;

/**
 * luo_test_damage_set - LIVEUPDATE_TEST_DAMAGE
 * @arg: struct liveupdate_test_damage
 *
 * Return: 0, -EFAULT, -ENOSPC, or -EINVAL for an unknown place, a length over 64, or an
 *	   offset outside a block.
 */
int luo_test_damage_set(const void __user *arg)
{
	struct liveupdate_test_damage damage;

	if (copy_from_user(&damage, arg, sizeof(damage)))
		return -EFAULT;
	if (damage.size != sizeof(damage) ||
	    damage.where > LIVEUPDATE_TEST_TABLE ||
	    damage.len > LUO_DAMAGE_MAX || damage.reserved ||
	    damage.offset >= KHO_BLOCK_SIZE)
		return -EINVAL;

	guard(mutex)(&luo_damage_lock);
	if (luo_nr_damages == LIVEUPDATE_TEST_DAMAGES)
		return -ENOSPC;
	luo_damages[luo_nr_damages++].ask = damage;
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
static void *luo_damage_record(u64 data, u32 index, size_t size, u32 per_block)
{
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
				 sizeof(struct luo_session_ser),
				 LUO_SESSIONS_PER_BLOCK);
}

static void *luo_damage_find(const struct luo_contents *contents,
			     const struct liveupdate_test_damage *ask)
{
	const struct luo_array *sessions = &contents->sessions;
	struct luo_session_ser *session;

	if (ask->where == LIVEUPDATE_TEST_TREE)
		return luo_handover_fdt();
	if (ask->where == LIVEUPDATE_TEST_TABLE)
		return luo_handover_ser();
	if (ask->where == LIVEUPDATE_TEST_SESSION_BLOCK)
		return luo_damage_block(sessions->data, ask->index);
	if (ask->where == LIVEUPDATE_TEST_SUBSYSTEM)
		return luo_damage_subsystem(ask->index);
	if (ask->where == LIVEUPDATE_TEST_FLB_BLOCK)
		return phys_to_virt(contents->flbs.data);
	if (ask->where == LIVEUPDATE_TEST_FLB)
		return luo_damage_record(contents->flbs.data, ask->index,
					 sizeof(struct luo_flb_ser),
					 LUO_FLBS_PER_BLOCK);

	session = luo_damage_session(contents, ask->session);
	if (!session || ask->where == LIVEUPDATE_TEST_SESSION)
		return session;
	if (ask->where == LIVEUPDATE_TEST_FILE_BLOCK)
		return luo_damage_block(session->file_set_ser.files, ask->index);
	return luo_damage_record(session->file_set_ser.files, ask->index,
				 sizeof(struct luo_file_ser), LUO_FILES_PER_BLOCK);
}

/* The physical address to write, 0 if the session does not exist. */
static u64 luo_damage_address(const struct luo_contents *contents,
			      const struct luo_damage *d)
{
	const struct luo_session_ser *session;

	if (!d->ask.other)
		return virt_to_phys(d->at - d->ask.offset);
	if (d->ask.other == LIVEUPDATE_TEST_TO_TREE)
		return virt_to_phys(luo_handover_fdt());
	if (d->ask.other == LIVEUPDATE_TEST_TO_TABLE)
		return virt_to_phys(luo_handover_ser());
	session = luo_damage_session(contents, d->ask.other - 1);
	return session ? session->file_set_ser.files : 0;
}

/* Find the bytes of a damage, and what to write. */
static int luo_damage_prepare(const struct luo_contents *contents, struct luo_damage *d)
{
	u8 *at = luo_damage_find(contents, &d->ask);

	if (!at)
		return -ENOENT;

	d->at = at + d->ask.offset;
	if (!d->ask.len) {
		d->ask.value = luo_damage_address(contents, d);
		d->ask.len = sizeof(d->ask.value);
		if (!d->ask.value)
			return -ENOENT;
	}
	if (offset_in_page(at) + d->ask.offset + d->ask.len > PAGE_SIZE)
		return -ERANGE;
	return 0;
}

static void luo_damage_write(const struct luo_damage *d)
{
	u32 i;

	for (i = 0; i < d->ask.len; i++)
		d->at[i] = d->ask.value >> (i % 8 * 8);
}

/**
 * luo_test_damage - damage the handover as requested, once
 * @contents: contents of the handover
 *
 * All places are found before the first one is overwritten, as that may lead to another.
 *
 * Context: under luo_state_lock for writing, after the handover is written.
 * Return: 0; -ENOENT if the handover has no such record, block or node; -ERANGE if the
 *	   bytes are not all in the page in which it begins. The handover is damaged only
 *	   if 0 is returned.
 */
int luo_test_damage(const struct luo_contents *contents)
{
	struct luo_damage *end, *d;
	int err;

	guard(mutex)(&luo_damage_lock);

	end = luo_damages + luo_nr_damages;
	luo_nr_damages = 0;
	for (d = luo_damages; d < end; d++) {
		err = luo_damage_prepare(contents, d);
		if (err)
			return err;
	}
	for (d = luo_damages; d < end; d++)
		luo_damage_write(d);
	return 0;
}
