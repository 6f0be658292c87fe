// SPDX-License-Identifier: GPL-2.0

/* The files of a session: how they are found, their limit, their records. */

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/swab.h>

#include "../kho_base.h"
#include "../luo_file_step.h"
#include "../luo_seal.h"
#include "luo_kunit.h"

static int luo_kunit_prepare(struct liveupdate_file_op_args *args)
{
	args->private_data = kho_alloc_preserve(PAGE_SIZE);
	return PTR_ERR_OR_ZERO(args->private_data);
}

static void luo_kunit_cancel(struct liveupdate_file_op_args *args)
{
	kho_unpreserve_free(args->private_data);
}

static const struct file_operations luo_kunit_anon_fops;

/* Each file preserves one page when it is prepared. */
static const struct liveupdate_file_ops luo_kunit_file_ops = {
	.can_preserve	= luo_kunit_can_preserve,
	.preserve	= luo_kunit_succeed,
	.unpreserve	= luo_kunit_ignore,
	.prepare	= luo_kunit_prepare,
	.cancel		= luo_kunit_cancel,
	.retrieve	= luo_kunit_succeed,
	.finish		= luo_kunit_ignore,
};

static struct liveupdate_file_handler luo_kunit_file_handler = {
	.ops = &luo_kunit_file_ops,
	.compatible = "luo-kunit-v1",
};

static int luo_kunit_prepare_all(struct luo_file_set *set)
{
	struct luo_run run __uninitialized;
	int err;

	luo_run_begin(&run, LUO_DIR_OUT, false);
	luo_run_set_op(&run, LUO_OP_PREPARE);
	err = luo_file_set_prepare(set, &run);
	luo_run_end(&run);
	return err;
}

static void luo_kunit_files(struct kunit *test)
{
	unsigned long pages = kho_preserved_pages();
	struct luo_file_set *set = luo_kunit_set(test, "kunit");
	struct luo_file_set *other = luo_kunit_set(test, "other");
	struct luo_file *f;
	u64 i;

	luo_kunit_register(test, &luo_kunit_file_handler);

	guard(mutex)(&set->lock);

	for (i = 0; i < LUO_KUNIT_MANY; i++)
		KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, i << 32), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, 1ULL << 32), -EEXIST);
	KUNIT_EXPECT_EQ(test, luo_file_preserve(set, luo_file_find(set, 0)->file,
						1), -EBUSY);
	KUNIT_EXPECT_EQ(test, set->count, LUO_KUNIT_MANY);

	for (i = 1; i < LUO_KUNIT_MANY; i += 2)
		KUNIT_EXPECT_EQ(test, luo_file_unpreserve(set, i << 32), 0);
	for (i = 0; i < LUO_KUNIT_MANY; i++)
		KUNIT_EXPECT_EQ(test, !luo_file_find(set, i << 32), i % 2);
	KUNIT_EXPECT_EQ(test, luo_file_unpreserve(set, 1ULL << 32), -ENOENT);

	/* Each file is charged for its own page, and its record is filled. */
	KUNIT_ASSERT_EQ(test, luo_kunit_prepare_all(set), 0);
	KUNIT_EXPECT_EQ(test, set->pages, set->count);
	for (i = 0; i < LUO_KUNIT_MANY; i += 2) {
		f = luo_file_find(set, i << 32);
		KUNIT_EXPECT_EQ(test, f->pages, 1);
		KUNIT_EXPECT_EQ(test, f->record->token, i << 32);
	}
	luo_file_set_rollback(set, LUO_FILE_PREPARED, LUO_FILE_PRESERVED);
	KUNIT_EXPECT_EQ(test, set->pages, 0);

	/* A token belongs to its set. */
	mutex_lock_nested(&other->lock, SINGLE_DEPTH_NESTING);
	KUNIT_EXPECT_NULL(test, luo_file_find(other, 0));
	mutex_unlock(&other->lock);

	luo_file_set_unpreserve(set);
	KUNIT_EXPECT_EQ(test, set->count, 0);
	KUNIT_EXPECT_EQ(test, kho_preserved_pages(), pages);
}

static void luo_kunit_files_limit(struct kunit *test)
{
	struct luo_file_set *set = luo_kunit_set(test, "kunit");

	luo_kunit_register(test, &luo_kunit_file_handler);

	guard(mutex)(&set->lock);

	/* Pretend that the set is full. */
	set->count = LIVEUPDATE_SESSION_MAX_FILES;
	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, set->count, LIVEUPDATE_SESSION_MAX_FILES);
	set->count = 0;
	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, 1), 0);
	luo_file_set_unpreserve(set);
}

/* What the handler restored cannot have the attributes that the file had. */
static void luo_kunit_files_attributes(struct kunit *test)
{
	const u32 sealed = LUO_ATTR_KNOWN | LUO_ATTR_READ | LUO_ATTR_WRITE |
			   F_SEAL_WRITE << LUO_ATTR_SEALS_SHIFT;
	struct file *file = shmem_file_setup("luo-kunit", 0, EMPTY_VMA_FLAGS);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, mapping_map_writable(file->f_mapping), 0);
	KUNIT_EXPECT_EQ(test, luo_attr_apply(&file, sealed), -EBUSY);
	KUNIT_EXPECT_EQ(test, SHMEM_I(file_inode(file))->seals, F_SEAL_SEAL);
	mapping_unmap_writable(file->f_mapping);
	KUNIT_EXPECT_EQ(test, luo_attr_apply(&file, sealed), 0);
	fput(file);

	file = anon_inode_getfile("[luo_kunit]", &luo_kunit_anon_fops, NULL, O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, luo_attr_apply(&file, sealed), -EINVAL);
	fput(file);
}

static int luo_kunit_open_error;

static int luo_kunit_open_fails(struct inode *inode, struct file *file)
{
	return luo_kunit_open_error;
}

static const struct file_operations luo_kunit_full_fops = {
	.open = luo_kunit_open_fails,
};

/* What the handler restored is opened again for its access mode, by the next call, too. */
static void luo_kunit_files_reopen(struct kunit *test)
{
	struct file *file = shmem_file_setup("luo-kunit", 0, EMPTY_VMA_FLAGS), *first = file;
	const u32 reading = LUO_ATTR_KNOWN | LUO_ATTR_READ;
	const struct file_operations *fops;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	fops = file->f_op;
	file->f_op = &luo_kunit_full_fops;
	file_inode(file)->i_fop = &luo_kunit_full_fops;
	luo_kunit_open_error = -ENFILE;
	KUNIT_EXPECT_EQ(test, luo_attr_apply(&file, reading), -ENFILE);
	KUNIT_EXPECT_PTR_EQ(test, file, first);
	luo_kunit_open_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, luo_attr_apply(&file, reading), -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, file, first);

	file->f_op = fops;
	file_inode(file)->i_fop = fops;
	KUNIT_EXPECT_EQ(test, luo_attr_apply(&file, reading), 0);
	KUNIT_EXPECT_PTR_NE(test, file, first);
	KUNIT_EXPECT_FALSE(test, file->f_mode & FMODE_WRITE);
	fput(file);
}

static void luo_kunit_expect_sealed(struct kunit *test, const struct luo_file *f,
				    u64 owner, u64 data)
{
	const struct luo_file_ser *record = f->record;
	u64 sum = luo_sum_string(owner, record->compatible, sizeof(record->compatible));

	KUNIT_EXPECT_EQ(test, record->data, data);
	KUNIT_EXPECT_EQ(test, *luo_file_word(record),
			luo_sum(sum, record->token, data, 0, 0));
	KUNIT_EXPECT_TRUE(test, luo_file_sealed(f));
}

/* PREPARE completes the records; what a freeze changes is noticed and sealed again. */
static void luo_kunit_files_sealed(struct kunit *test)
{
	struct luo_file_set *set = luo_kunit_set(test, "kunit");
	struct luo_file *f;
	struct luo_seal seal;
	u64 i;

	luo_kunit_register(test, &luo_kunit_file_handler);
	luo_seal_init(&seal, LUO_DIR_OUT, LUO_ARRAY_FILES, "kunit");

	guard(mutex)(&set->lock);

	for (i = 0; i < LUO_KUNIT_MANY; i++)
		KUNIT_ASSERT_EQ(test, luo_kunit_preserve(set, i), 0);
	KUNIT_ASSERT_EQ(test, luo_kunit_prepare_all(set), 0);
	list_for_each_entry(f, &set->files, list) {
		luo_kunit_expect_sealed(test, f, seal.owner, 0);
		f->data = f->token.token + 1;
		KUNIT_EXPECT_FALSE(test, luo_file_sealed(f));
		luo_file_seal(f);
		luo_kunit_expect_sealed(test, f, seal.owner, f->token.token + 1);
	}
	luo_file_set_rollback(set, LUO_FILE_PREPARED, LUO_FILE_PRESERVED);
	luo_file_set_unpreserve(set);
}

#define LUO_KUNIT_BITS	12
#define LUO_KUNIT_CHAIN	12	/* a random spread has 6 to 8 */

/* Tokens that differ in any bits are spread over all buckets, which are low bits. */
static void luo_kunit_files_hashed(struct kunit *test)
{
	unsigned int keys = 1 << LUO_KUNIT_BITS, shift, i, longest;
	u8 *chains = kunit_kzalloc(test, 1 << LUO_KUNIT_BITS, GFP_KERNEL);
	struct luo_token_key key = { .set = luo_kunit_set(test, "kunit") };
	u32 hash;

	KUNIT_ASSERT_NOT_NULL(test, chains);
	for (shift = 0; shift <= 64; shift += 4) {
		memset(chains, 0, keys);
		longest = 0;
		for (i = 0; i < keys; i++) {
			key.token = shift == 64 ? swab64(i) : rol64(i, shift);
			hash = luo_file_key_hash(&key, sizeof(key), 0x12345678);
			/* As rhashtable, which keeps some bits for itself */
			longest = max_t(unsigned int, longest, ++chains[(hash >> 4) % keys]);
		}
		KUNIT_EXPECT_LE_MSG(test, longest, LUO_KUNIT_CHAIN, "shift %u", shift);
	}
}

static struct kunit_case luo_kunit_file_cases[] = {
	KUNIT_CASE(luo_kunit_files),
	KUNIT_CASE(luo_kunit_files_limit),
	KUNIT_CASE(luo_kunit_files_attributes),
	KUNIT_CASE(luo_kunit_files_reopen),
	KUNIT_CASE(luo_kunit_files_sealed),
	KUNIT_CASE(luo_kunit_files_hashed),
	{}
};

static struct kunit_suite luo_kunit_file_suite = {
	.name = "liveupdate-files",
	.init = luo_kunit_init,
	.test_cases = luo_kunit_file_cases,
};

kunit_test_suite(luo_kunit_file_suite);
