// SPDX-License-Identifier: GPL-2.0

/*
 * What can be tested without user space. Needs liveupdate=on and a machine that
 * nobody uses: the tests run at boot, before the first process.
 */

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kthread.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../kho_base.h"
#include "../luo_file.h"
#include "../luo_handler.h"
#include "../luo_seal.h"
#include "../luo_state.h"
#include "../luo_walk.h"

static int luo_kunit_init(struct kunit *test)
{
	KUNIT_ASSERT_TRUE_MSG(test, liveupdate_enabled(), "live update is off");
	KUNIT_ASSERT_EQ(test, luo_state(), LIVEUPDATE_STATE_NORMAL);
	return 0;
}

/* The tree of a handover with as many subsystems as there can be. */
static void *luo_kunit_tree(struct kunit *test)
{
	char (*names)[LIVEUPDATE_SUBSYSTEM_NAME_LENGTH];
	struct luo_contents *contents;
	void *copy;
	int i;

	contents = kunit_kzalloc(test, sizeof(*contents), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, contents);
	names = kunit_kcalloc(test, LIVEUPDATE_SUBSYSTEM_MAX, sizeof(*names),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, names);
	copy = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);

	contents->sessions.count = 3;
	contents->nr_values = LIVEUPDATE_SUBSYSTEM_MAX;
	for (i = 0; i < LIVEUPDATE_SUBSYSTEM_MAX; i++) {
		memset(names[i], 'n', sizeof(names[i]) - 1);
		names[i][0] = 'a' + i % 26;
		names[i][1] = 'a' + i / 26;
		contents->values[i].name = names[i];
		contents->values[i].data = i;
	}
	KUNIT_ASSERT_EQ(test, luo_handover_serialize(contents), 0);
	memcpy(copy, luo_handover_fdt(), PAGE_SIZE);

	memset(contents, 0, sizeof(*contents));
	KUNIT_ASSERT_EQ(test, luo_handover_serialize(contents), 0);
	return copy;
}

static void luo_kunit_tree_is_whole(struct kunit *test)
{
	const void *fdt = luo_kunit_tree(test);
	int parent, node, n = 0;
	u64 val;

	KUNIT_EXPECT_TRUE(test, luo_fdt_check(fdt, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, luo_fdt_u64(fdt, 0, LUO_FDT_PROP_NUMBER, &val));
	KUNIT_EXPECT_EQ(test, val, luo_number(LUO_DIR_OUT));

	node = fdt_subnode_offset(fdt, 0, LUO_FDT_SESSION_NODE);
	KUNIT_ASSERT_GT(test, node, 0);
	KUNIT_EXPECT_NULL(test, luo_fdt_u64(fdt, node, LUO_FDT_PROP_COUNT,
					    &val));
	KUNIT_EXPECT_EQ(test, val, 3);

	parent = fdt_subnode_offset(fdt, 0, LUO_FDT_SUBSYSTEMS_NODE);
	fdt_for_each_subnode(node, fdt, parent) {
		KUNIT_EXPECT_NULL(test, luo_fdt_u64(fdt, node,
						    LUO_FDT_PROP_DATA, &val));
		KUNIT_EXPECT_EQ(test, val, n++);
	}
	KUNIT_EXPECT_EQ(test, n, LIVEUPDATE_SUBSYSTEM_MAX);
}

static void luo_kunit_tree_too_short(struct kunit *test)
{
	const void *fdt = luo_kunit_tree(test);
	size_t size;

	for (size = 0; size < fdt_totalsize(fdt); size++)
		KUNIT_EXPECT_FALSE(test, luo_fdt_check(fdt, size));
}

/* No byte leads out of the page, whatever it is; what is whole is readable. */
static void luo_kunit_tree_damaged(struct kunit *test)
{
	u8 *fdt = luo_kunit_tree(test);
	size_t size = fdt_totalsize(fdt), at;
	const u8 values[] = { 0, 1, 0x7f, 0xff };
	int refused = 0, node, i;
	u64 val;
	u8 old;

	for (at = 0; at < size; at++) {
		old = fdt[at];
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			fdt[at] = values[i];
			if (!luo_fdt_check(fdt, PAGE_SIZE)) {
				refused++;
				continue;
			}
			fdt_for_each_subnode(node, fdt, 0)
				luo_fdt_u64(fdt, node, LUO_FDT_PROP_DATA, &val);
		}
		fdt[at] = old;
	}
	KUNIT_EXPECT_GT(test, refused, 100);

	fdt[0] ^= 1;
	KUNIT_EXPECT_FALSE(test, luo_fdt_check(fdt, PAGE_SIZE));
}

/* The root is closed and opened again: balanced in the end, but no tree. */
static void luo_kunit_tree_closed_early(struct kunit *test)
{
	/* The words of one node of a subsystem: tag, name, property, end */
	static const u32 words[15] = {
		FDT_END_NODE, FDT_END_NODE, FDT_END_NODE, FDT_BEGIN_NODE, 0,
		FDT_BEGIN_NODE, 0, FDT_BEGIN_NODE, 0, FDT_NOP, FDT_NOP, FDT_NOP,
		FDT_NOP, FDT_NOP, FDT_NOP,
	};
	void *fdt = luo_kunit_tree(test);
	int parent, node, i;
	fdt32_t *at;

	parent = fdt_subnode_offset(fdt, 0, LUO_FDT_SUBSYSTEMS_NODE);
	node = fdt_first_subnode(fdt, parent);
	KUNIT_ASSERT_GT(test, node, 0);
	at = fdt + fdt_off_dt_struct(fdt) + node;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		at[i] = cpu_to_fdt32(words[i]);
	KUNIT_EXPECT_FALSE(test, luo_fdt_check(fdt, PAGE_SIZE));
}

static void luo_kunit_properties(struct kunit *test)
{
	const void *fdt = luo_kunit_tree(test);
	u64 val;

	KUNIT_EXPECT_STREQ(test, luo_fdt_u64(fdt, 0, "no-such", &val),
			   "missing-property");
	KUNIT_EXPECT_STREQ(test, luo_fdt_u64(fdt, 0, LUO_FDT_PROP_COMPATIBLE,
					     &val), "property-size");
}

static void luo_kunit_strings(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, luo_string_ok("abc", 4));
	KUNIT_EXPECT_FALSE(test, luo_string_ok("abc", 3));
	KUNIT_EXPECT_FALSE(test, luo_string_ok("", 1));
}

static void luo_kunit_names(struct kunit *test)
{
	static const struct {
		const char *name;
		const char *shown;
	} names[] = {
		{ "plain-name.1", "plain-name.1" },
		{ "a b", "a\\040b" },
		{ "ret=0", "ret\\0750" },
		{ "q\"\n", "q\\\"\\n" },
		{ "\xff\\", "\\377\\\\" },
	};
	char shown[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		KUNIT_EXPECT_EQ(test, luo_trace_name_size(names[i].name),
				strlen(names[i].shown) + 1);
		luo_trace_name(shown, names[i].name);
		KUNIT_EXPECT_STREQ(test, shown, names[i].shown);
	}
}

/* Each event in each state that a machine without sessions can be in. */
static void luo_kunit_machine(struct kunit *test)
{
	static const struct {
		enum liveupdate_state from;
		u32 event;
		int ret;
		enum liveupdate_state to;
	} rows[] = {
		{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_FREEZE, -EINVAL,
		  LIVEUPDATE_STATE_NORMAL },
		{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_FINISH, -EINVAL,
		  LIVEUPDATE_STATE_NORMAL },
		{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_CANCEL, -EINVAL,
		  LIVEUPDATE_STATE_NORMAL },
		{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_PREPARE, 0,
		  LIVEUPDATE_STATE_PREPARED },
		{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_PREPARE, -EINVAL,
		  LIVEUPDATE_STATE_PREPARED },
		{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_FREEZE, -EINVAL,
		  LIVEUPDATE_STATE_PREPARED },
		{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_FINISH, -EINVAL,
		  LIVEUPDATE_STATE_PREPARED },
		{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_CANCEL, 0,
		  LIVEUPDATE_STATE_NORMAL },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_ASSERT_EQ(test, luo_state(), rows[i].from);
		KUNIT_EXPECT_EQ(test, luo_state_event(rows[i].event),
				rows[i].ret);
		KUNIT_ASSERT_EQ(test, luo_state(), rows[i].to);
	}
}

#define LUO_KUNIT_MANY	300

static void luo_kunit_sessions(struct kunit *test)
{
	unsigned long pages = kho_preserved_pages();
	struct luo_session **sessions;
	u8 name[LIVEUPDATE_SESSION_NAME_LENGTH] = "";
	int i;

	sessions = kunit_kcalloc(test, LUO_KUNIT_MANY, sizeof(*sessions),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sessions);

	guard(rwsem_read)(&luo_state_lock);

	for (i = 0; i < LUO_KUNIT_MANY; i++) {
		snprintf(name, sizeof(name), "session %d", i);
		sessions[i] = luo_session_create(name);
		KUNIT_ASSERT_FALSE(test, IS_ERR(sessions[i]));
	}
	KUNIT_EXPECT_EQ(test, luo_session_count(LUO_DIR_OUT), LUO_KUNIT_MANY);

	for (i = 0; i < LUO_KUNIT_MANY; i++) {
		snprintf(name, sizeof(name), "session %d", i);
		KUNIT_EXPECT_EQ(test, PTR_ERR(luo_session_create(name)),
				-EEXIST);
		/* The incoming ones are another set. */
		KUNIT_EXPECT_EQ(test, PTR_ERR(luo_session_claim(name)),
				-ENOENT);
	}
	memset(name, 'x', sizeof(name));
	KUNIT_EXPECT_EQ(test, PTR_ERR(luo_session_create(name)), -EINVAL);

	/* From the middle, so that neither end of the list is special. */
	for (i = 0; i < LUO_KUNIT_MANY; i++)
		luo_session_release(sessions[(i + 100) % LUO_KUNIT_MANY]);
	KUNIT_EXPECT_EQ(test, luo_session_count(LUO_DIR_OUT), 0);
	KUNIT_EXPECT_EQ(test, kho_preserved_pages(), pages);
}

#define LUO_KUNIT_WALKED	6

/* A walk over sessions, some of which go while it is at them or before it comes. */
static void luo_kunit_walk(struct kunit *test)
{
	static const int gone[LUO_KUNIT_WALKED] = { [1] = 1, [2] = 1, [4] = 3 };
	struct luo_session *sessions[LUO_KUNIT_WALKED];
	struct luo_session_info info;
	struct luo_walk walk = {};
	u8 name[LIVEUPDATE_SESSION_NAME_LENGTH] = "";
	int i, j;

	guard(rwsem_read)(&luo_state_lock);

	for (i = 0; i < LUO_KUNIT_WALKED; i++) {
		snprintf(name, sizeof(name), "walked %d", i);
		sessions[i] = luo_session_create(name);
		KUNIT_ASSERT_FALSE(test, IS_ERR(sessions[i]));
	}

	/* It comes to 0, 1, 3 and 5; at 1 go 1 and 2, at 3 goes 4. */
	for (i = 0; i < LUO_KUNIT_WALKED; i++) {
		if (gone[i] && gone[i] != i)
			continue;
		KUNIT_ASSERT_TRUE(test, luo_walk_session(&walk, &info));
		snprintf(name, sizeof(name), "walked %d", i);
		KUNIT_EXPECT_STREQ(test, info.name, name);
		for (j = 0; j < LUO_KUNIT_WALKED; j++) {
			if (i && gone[j] == i)
				luo_session_release(sessions[j]);
		}
		luo_walk_next_session(&walk);
	}
	KUNIT_EXPECT_FALSE(test, luo_walk_session(&walk, &info));
	KUNIT_EXPECT_FALSE(test, luo_walk_session(&walk, &info));

	/* From the beginning; what it is at goes, and then all others. */
	luo_walk_end(&walk);
	KUNIT_ASSERT_TRUE(test, luo_walk_session(&walk, &info));
	KUNIT_EXPECT_STREQ(test, info.name, "walked 0");
	for (i = 0; i < LUO_KUNIT_WALKED; i++) {
		if (gone[i])
			continue;
		luo_session_release(sessions[i]);
		if (i)
			continue;
		KUNIT_ASSERT_TRUE(test, luo_walk_session(&walk, &info));
		KUNIT_EXPECT_STREQ(test, info.name, "walked 3");
	}
	KUNIT_EXPECT_FALSE(test, luo_walk_session(&walk, NULL));
	luo_walk_end(&walk);
}

static const struct file_operations luo_kunit_fops = {
	.owner = THIS_MODULE,
};

static bool luo_kunit_can_preserve(struct liveupdate_file_handler *handler,
				   struct file *file)
{
	return file->f_op == &luo_kunit_fops;
}

static int luo_kunit_preserve(struct liveupdate_file_op_args *args)
{
	return 0;
}

static void luo_kunit_nothing(struct liveupdate_file_op_args *args)
{
}

static int luo_kunit_retrieve(struct liveupdate_file_op_args *args)
{
	return -EOPNOTSUPP;
}

static int luo_kunit_prepare(struct liveupdate_file_op_args *args)
{
	args->private_data = kho_alloc_preserve(PAGE_SIZE);
	return PTR_ERR_OR_ZERO(args->private_data);
}

static void luo_kunit_cancel(struct liveupdate_file_op_args *args)
{
	kho_unpreserve_free(args->private_data);
}

static const struct liveupdate_file_ops luo_kunit_ops = {
	.can_preserve	= luo_kunit_can_preserve,
	.preserve	= luo_kunit_preserve,
	.unpreserve	= luo_kunit_nothing,
	.prepare	= luo_kunit_prepare,
	.cancel		= luo_kunit_cancel,
	.retrieve	= luo_kunit_retrieve,
	.finish		= luo_kunit_nothing,
};

static struct liveupdate_file_handler luo_kunit_handler = {
	.ops = &luo_kunit_ops,
	.compatible = "luo-kunit-v1",
};

static int luo_kunit_add(struct luo_file_set *set, u64 token)
{
	struct file *file;
	int err;

	file = anon_inode_getfile("[luo_kunit]", &luo_kunit_fops, NULL, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = luo_file_preserve(set, file, token);
	fput(file);
	return err;
}

static void luo_kunit_files(struct kunit *test)
{
	unsigned long pages = kho_preserved_pages();
	struct luo_file_set *set, *other;
	struct luo_file *f;
	u64 i;

	set = kunit_kzalloc(test, 2 * sizeof(*set), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, set);
	other = set + 1;
	luo_file_set_init(set, "kunit", LUO_DIR_OUT);
	luo_file_set_init(other, "other", LUO_DIR_OUT);
	KUNIT_ASSERT_EQ(test,
			liveupdate_register_file_handler(&luo_kunit_handler), 0);

	guard(mutex)(&set->lock);

	for (i = 0; i < LUO_KUNIT_MANY; i++)
		KUNIT_EXPECT_EQ(test, luo_kunit_add(set, i << 32), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_add(set, 1ULL << 32), -EEXIST);
	KUNIT_EXPECT_EQ(test, luo_file_preserve(set, luo_file_find(set, 0)->file,
						1), -EBUSY);
	KUNIT_EXPECT_EQ(test, set->count, LUO_KUNIT_MANY);

	for (i = 1; i < LUO_KUNIT_MANY; i += 2)
		KUNIT_EXPECT_EQ(test, luo_file_unpreserve(set, i << 32), 0);
	for (i = 0; i < LUO_KUNIT_MANY; i++)
		KUNIT_EXPECT_EQ(test, !luo_file_find(set, i << 32), i % 2);
	KUNIT_EXPECT_EQ(test, luo_file_unpreserve(set, 1ULL << 32), -ENOENT);

	/* Each file is charged with its own page, and its record is filled. */
	KUNIT_ASSERT_EQ(test, luo_file_set_prepare(set), 0);
	KUNIT_EXPECT_EQ(test, set->pages, set->count);
	for (i = 0; i < LUO_KUNIT_MANY; i += 2) {
		f = luo_file_find(set, i << 32);
		KUNIT_EXPECT_EQ(test, f->pages, 1);
		KUNIT_EXPECT_EQ(test, f->record->token, i << 32);
	}
	luo_file_set_cancel(set);
	KUNIT_EXPECT_EQ(test, set->pages, 0);

	/* A token belongs to its set. */
	mutex_lock_nested(&other->lock, SINGLE_DEPTH_NESTING);
	KUNIT_EXPECT_NULL(test, luo_file_find(other, 0));
	mutex_unlock(&other->lock);

	luo_file_set_unpreserve(set);
	KUNIT_EXPECT_EQ(test, set->count, 0);
	KUNIT_EXPECT_EQ(test, kho_preserved_pages(), pages);
	liveupdate_unregister_file_handler(&luo_kunit_handler);
}

/* As if there were as many files as there can be. */
static void luo_kunit_files_limit(struct kunit *test)
{
	struct luo_file_set *set = kunit_kzalloc(test, sizeof(*set), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, set);
	luo_file_set_init(set, "kunit", LUO_DIR_OUT);
	KUNIT_ASSERT_EQ(test,
			liveupdate_register_file_handler(&luo_kunit_handler), 0);

	guard(mutex)(&set->lock);

	set->count = LIVEUPDATE_SESSION_MAX_FILES;
	KUNIT_EXPECT_EQ(test, luo_kunit_add(set, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, set->count, LIVEUPDATE_SESSION_MAX_FILES);
	set->count = 0;
	KUNIT_EXPECT_EQ(test, luo_kunit_add(set, 1), 0);
	luo_file_set_unpreserve(set);
	liveupdate_unregister_file_handler(&luo_kunit_handler);
}

/* A page is one block only: of its array, of that session, at that place. */
static void luo_kunit_seals(struct kunit *test)
{
	struct luo_seal seal, other;
	struct kho_block_set blocks;
	struct kho_block *block;
	u64 number = 0;

	luo_seal_set_init(&blocks, sizeof(struct luo_file_ser));
	KUNIT_ASSERT_EQ(test, kho_block_set_grow(&blocks, 3 *
						 blocks.count_per_block), 0);
	luo_seal_init(&seal, 1, sizeof(struct luo_file_ser), "a");
	luo_seal_blocks(&seal, &blocks);
	list_for_each_entry(block, &blocks.blocks, list) {
		KUNIT_EXPECT_TRUE(test, luo_seal_ok(&seal, block->ser, number));
		KUNIT_EXPECT_FALSE(test, luo_seal_ok(&seal, block->ser,
						     number + 1));
		luo_seal_init(&other, 1, sizeof(struct luo_file_ser), "b");
		KUNIT_EXPECT_FALSE(test, luo_seal_ok(&other, block->ser, number));
		luo_seal_init(&other, 2, sizeof(struct luo_file_ser), "a");
		KUNIT_EXPECT_FALSE(test, luo_seal_ok(&other, block->ser, number));
		luo_seal_init(&other, 1, sizeof(struct luo_flb_ser), "a");
		KUNIT_EXPECT_FALSE(test, luo_seal_ok(&other, block->ser, number));
		number++;
	}
	KUNIT_EXPECT_EQ(test, number, 3);
	kho_block_set_destroy(&blocks);
}

/* More than there are buckets, so that some share one. */
#define LUO_KUNIT_TASKS		100

struct luo_kunit_task {
	struct task_struct *task;
	struct kho_account account;
	unsigned int nr_pages;
	struct completion opened;
	struct completion *go;
	struct completion done;
	int ret;
};

static int luo_kunit_account(void *data)
{
	struct luo_kunit_task *t = data;
	struct page *page;
	unsigned int i;

	kho_account_begin(&t->account);
	complete(&t->opened);
	wait_for_completion(t->go);
	for (i = 0; i < t->nr_pages && !t->ret; i++) {
		page = alloc_page(GFP_KERNEL);
		t->ret = page ? kho_preserve_pages(page, 1) : -ENOMEM;
		if (!t->ret)
			kho_unpreserve_pages(page, 1);
		if (page)
			__free_page(page);
	}
	kho_account_end(&t->account);
	complete(&t->done);
	return 0;
}

/* All accounts are open at once; each counts what its own task does. */
static void luo_kunit_accounts(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(go);
	struct luo_kunit_task *t;
	int i, nr;

	t = kunit_kcalloc(test, LUO_KUNIT_TASKS, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);

	for (nr = 0; nr < LUO_KUNIT_TASKS; nr++) {
		init_completion(&t[nr].opened);
		init_completion(&t[nr].done);
		t[nr].go = &go;
		t[nr].nr_pages = nr;
		t[nr].task = kthread_run(luo_kunit_account, &t[nr], "luo_kunit");
		if (IS_ERR(t[nr].task))
			break;
		wait_for_completion(&t[nr].opened);
	}
	KUNIT_EXPECT_EQ(test, nr, LUO_KUNIT_TASKS);
	complete_all(&go);
	for (i = 0; i < nr; i++) {
		wait_for_completion(&t[i].done);
		KUNIT_EXPECT_EQ(test, t[i].ret, 0);
		KUNIT_EXPECT_EQ(test, t[i].account.pages[KHO_COUNT_PRESERVE], i);
		KUNIT_EXPECT_EQ(test, t[i].account.pages[KHO_COUNT_UNPRESERVE], i);
		KUNIT_EXPECT_EQ(test, t[i].account.pages[KHO_COUNT_RESTORE], 0);
	}
}

/* What is counted for a vmalloc area is what is there: its pages, and those of lists. */
static void luo_kunit_vmalloc(struct kunit *test)
{
	static const unsigned long sizes[] = {
		1, KHO_VMALLOC_SIZE - 1, KHO_VMALLOC_SIZE, KHO_VMALLOC_SIZE + 1,
	};
	unsigned long before = kho_preserved_pages(), lists;
	struct kho_vmalloc_chunk *chunk;
	struct kho_vmalloc area;
	void *mem;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		mem = vmalloc(sizes[i] << PAGE_SHIFT);
		KUNIT_ASSERT_NOT_NULL(test, mem);
		KUNIT_ASSERT_EQ(test, kho_preserve_vmalloc(mem, &area), 0);
		lists = 0;
		for (chunk = KHOSER_LOAD_PTR(area.first); chunk;
		     chunk = KHOSER_LOAD_PTR(chunk->hdr.next))
			lists++;
		KUNIT_EXPECT_EQ(test, kho_preserved_pages(),
				before + sizes[i] + lists);
		kho_unpreserve_vmalloc(&area);
		KUNIT_EXPECT_EQ(test, kho_preserved_pages(), before);
		vfree(mem);
	}
}

static struct kunit_case luo_kunit_cases[] = {
	KUNIT_CASE(luo_kunit_tree_is_whole),
	KUNIT_CASE(luo_kunit_tree_too_short),
	KUNIT_CASE(luo_kunit_tree_damaged),
	KUNIT_CASE(luo_kunit_tree_closed_early),
	KUNIT_CASE(luo_kunit_properties),
	KUNIT_CASE(luo_kunit_strings),
	KUNIT_CASE(luo_kunit_names),
	KUNIT_CASE(luo_kunit_machine),
	KUNIT_CASE(luo_kunit_sessions),
	KUNIT_CASE(luo_kunit_walk),
	KUNIT_CASE(luo_kunit_files),
	KUNIT_CASE(luo_kunit_files_limit),
	KUNIT_CASE(luo_kunit_seals),
	KUNIT_CASE(luo_kunit_accounts),
	KUNIT_CASE(luo_kunit_vmalloc),
	{}
};

static struct kunit_suite luo_kunit_suite = {
	.name = "liveupdate",
	.init = luo_kunit_init,
	.test_cases = luo_kunit_cases,
};

kunit_test_suite(luo_kunit_suite);
