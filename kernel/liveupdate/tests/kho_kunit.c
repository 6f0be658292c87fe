// SPDX-License-Identifier: GPL-2.0

/* How KHO counts: by task, and the pages of a vmalloc area. */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kthread.h>
#include <linux/vmalloc.h>

#include "../kho_count.h"
#include "luo_kunit.h"

/* More than buckets, so that some tasks share one. */
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

/* All accounts are open at the same time; each counts the calls of its own task. */
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

/* What a task counts for itself is in the counts of all tasks, too, whatever the number. */
static void luo_kunit_batches(struct kunit *test)
{
	static_assert(KHO_COUNT_PRESERVE == 0 && KHO_COUNT_UNPRESERVE == 1);

	static const unsigned int numbers[] = {
		1, KHO_BATCH - 1, KHO_BATCH, KHO_BATCH + 1, 3 * KHO_BATCH + 7,
	};
	struct page *page = alloc_page(GFP_KERNEL);
	struct kho_counts before[2], after[2];
	struct kho_account account;
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (j = 0; j < ARRAY_SIZE(before); j++)
			before[j] = kho_counts(j);
		kho_account_begin(&account);
		for (j = 0; j < numbers[i]; j++) {
			KUNIT_ASSERT_EQ(test, kho_preserve_pages(page, 1), 0);
			kho_unpreserve_pages(page, 1);
			/* As after each file */
			if (j == numbers[i] / 2)
				kho_account_reset(&account);
		}
		for (j = 0; j < ARRAY_SIZE(after); j++) {
			after[j] = kho_counts(j);
			KUNIT_EXPECT_LT(test, before[j].calls + numbers[i] -
					after[j].calls, KHO_BATCH);
		}
		kho_account_end(&account);
		for (j = 0; j < ARRAY_SIZE(after); j++) {
			after[j] = kho_counts(j);
			KUNIT_EXPECT_EQ(test, after[j].calls - before[j].calls,
					numbers[i]);
			KUNIT_EXPECT_EQ(test, after[j].pages - before[j].pages,
					numbers[i]);
			KUNIT_EXPECT_EQ(test, account.pages[j],
					numbers[i] - numbers[i] / 2 - 1);
		}
	}
	__free_page(page);
}

/* The pages of a vmalloc area are counted, and those of the lists of them. */
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

static struct kunit_case luo_kunit_kho_cases[] = {
	KUNIT_CASE(luo_kunit_accounts),
	KUNIT_CASE(luo_kunit_batches),
	KUNIT_CASE(luo_kunit_vmalloc),
	{}
};

static struct kunit_suite luo_kunit_kho_suite = {
	.name = "liveupdate-kho",
	.init = luo_kunit_init,
	.test_cases = luo_kunit_kho_cases,
};

kunit_test_suite(luo_kunit_kho_suite);
