/* SPDX-License-Identifier: GPL-2.0 */

/* Counting a KHO call */

#ifndef _LINUX_KHO_COUNT_H
#define _LINUX_KHO_COUNT_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "kho_base.h"

#define KHO_BUCKETS	32
#define KHO_BATCH	512	/* calls of a task before they are in kho_counts() */

/**
 * struct kho_bucket - accounts of some of the tasks
 * @task:    the first of the tasks, which owns the bucket, or NULL
 * @account: its account, which it alone accesses
 * @lock:    guards @others
 * @others:  accounts of the other tasks
 */
struct kho_bucket {
	struct task_struct *task;
	struct kho_account *account;
	spinlock_t lock; /* others */
	struct hlist_head others;
};

extern struct kho_bucket kho_buckets[];

void kho_count_slow(enum kho_count what, unsigned long nr_pages);
void kho_count_error(enum kho_count what);

/* The low bits of the addresses of tasks are all the same; a task is about a page. */
static inline struct kho_bucket *kho_bucket(void)
{
	return &kho_buckets[((unsigned long)current >> PAGE_SHIFT) % KHO_BUCKETS];
}

/**
 * kho_count - count a call that succeeded
 * @what:     kind of the call
 * @nr_pages: its pages
 *
 * Inlined, as handlers make a call for each page of a file.
 *
 * Context: task context.
 */
static __always_inline void kho_count(enum kho_count what, unsigned long nr_pages)
{
	struct kho_bucket *bucket = kho_bucket();
	struct kho_account *account;

	if (likely(READ_ONCE(bucket->task) == current)) {
		account = bucket->account;
		account->pages[what] += nr_pages;
		if (likely(--account->left[what]))
			return;
	}
	kho_count_slow(what, nr_pages);
}

/* The same, or kho_count_error() if @err is an errno. */
static inline void kho_count_result(enum kho_count what, unsigned long nr_pages, int err)
{
	if (err)
		kho_count_error(what);
	else
		kho_count(what, nr_pages);
}

#endif /* _LINUX_KHO_COUNT_H */
