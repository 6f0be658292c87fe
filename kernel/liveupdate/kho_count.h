/* SPDX-License-Identifier: GPL-2.0 */

/* Counting a KHO call */

#ifndef _LINUX_KHO_COUNT_H
#define _LINUX_KHO_COUNT_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "kho_base.h"

#define KHO_BUCKET_BITS	5
#define KHO_BUCKETS	BIT(KHO_BUCKET_BITS)
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

void kho_count_slow(struct kho_bucket *bucket, enum kho_count what,
		    unsigned long nr_pages, int err);

/* The low bits of the addresses of tasks are all the same. */
static inline struct kho_bucket *kho_bucket(void)
{
	return &kho_buckets[hash_32((unsigned long)current >> 6, KHO_BUCKET_BITS)];
}

/**
 * kho_count - count a call
 * @what:     kind of the call
 * @nr_pages: its pages, 0 if it failed
 * @err:      0 or a negative errno
 *
 * Inlined, as handlers make a call for each page of a file.
 *
 * Context: task context.
 */
static __always_inline void kho_count(enum kho_count what, unsigned long nr_pages,
				      int err)
{
	struct kho_bucket *bucket = kho_bucket();

	if (likely(READ_ONCE(bucket->task) == current)) {
		bucket->account->pages[what] += nr_pages;
		if (likely(++bucket->account->calls[what] < KHO_BATCH && !err))
			return;
	}
	kho_count_slow(bucket, what, nr_pages, err);
}

#endif /* _LINUX_KHO_COUNT_H */
