// SPDX-License-Identifier: GPL-2.0

/*
 * Counts of KHO calls, of all tasks and of those that ask for their own. kho_count.h has
 * what runs for each call.
 */

#include <linux/bug.h>
#include <linux/percpu.h>
#include <linux/string.h>

#include "kho_count.h"

static DEFINE_PER_CPU(struct kho_counts, kho_counters[KHO_NR_COUNTS]);

struct kho_bucket kho_buckets[KHO_BUCKETS] = {
	[0 ... KHO_BUCKETS - 1] = {
		.lock = __SPIN_LOCK_UNLOCKED(kho_buckets.lock),
	},
};

/* Add to the counters of all tasks what is not there yet. */
static void kho_account_count(struct kho_account *account)
{
	int i;

	for (i = 0; i < KHO_NR_COUNTS; i++) {
		if (account->left[i] == KHO_BATCH)
			continue;
		this_cpu_add(kho_counters[i].calls, KHO_BATCH - account->left[i]);
		this_cpu_add(kho_counters[i].pages,
			     account->pages[i] - account->counted[i]);
		account->left[i] = KHO_BATCH;
		account->counted[i] = account->pages[i];
	}
}

/**
 * kho_account_reset - restart an account at zero
 * @account: an open account of the calling task
 *
 * Context: task context.
 */
void kho_account_reset(struct kho_account *account)
{
	kho_account_count(account);
	memset(account->pages, 0, sizeof(account->pages));
	memset(account->counted, 0, sizeof(account->counted));
}

/**
 * kho_account_begin - start to count the KHO calls of the calling task
 * @account: the account, usually on the stack; in use until kho_account_end()
 *
 * Context: task context; a task has one account at a time.
 */
void kho_account_begin(struct kho_account *account)
{
	struct kho_bucket *bucket = kho_bucket();
	int i;

	memset(account, 0, sizeof(*account));
	account->task = current;
	for (i = 0; i < KHO_NR_COUNTS; i++)
		account->left[i] = KHO_BATCH;
	WARN_ON_ONCE(READ_ONCE(bucket->task) == current);
	if (!cmpxchg(&bucket->task, NULL, current)) {
		bucket->account = account;
		return;
	}

	guard(spinlock)(&bucket->lock);
	hlist_add_head(&account->node, &bucket->others);
}

/**
 * kho_account_end - stop to count; the account keeps its figures
 * @account: from kho_account_begin(), called by the same task
 *
 * Context: task context.
 */
void kho_account_end(struct kho_account *account)
{
	struct kho_bucket *bucket = kho_bucket();

	kho_account_count(account);
	if (READ_ONCE(bucket->task) == current) {
		/* Pairs with the cmpxchg() of the next owner. */
		smp_store_release(&bucket->task, NULL);
		return;
	}

	guard(spinlock)(&bucket->lock);
	hlist_del(&account->node);
}

/* For a task that has no account or does not own the bucket. */
static noinline void kho_account_other(struct kho_bucket *bucket,
				       enum kho_count what, unsigned long nr_pages)
{
	struct kho_account *account;

	/* An account of this task would have been added by this task itself. */
	if (!nr_pages || hlist_empty(&bucket->others))
		return;

	guard(spinlock)(&bucket->lock);
	hlist_for_each_entry(account, &bucket->others, node) {
		if (account->task == current) {
			account->pages[what] += nr_pages;
			return;
		}
	}
}

/**
 * kho_count_slow - what kho_count() does rarely
 * @what:     kind of the call
 * @nr_pages: its pages
 *
 * For tasks without an account of their own, and once in KHO_BATCH calls.
 */
void kho_count_slow(enum kho_count what, unsigned long nr_pages)
{
	struct kho_bucket *bucket = kho_bucket();

	if (READ_ONCE(bucket->task) == current) {
		kho_account_count(bucket->account);
		return;
	}
	kho_account_other(bucket, what, nr_pages);
	this_cpu_inc(kho_counters[what].calls);
	this_cpu_add(kho_counters[what].pages, nr_pages);
}

/**
 * kho_count_error - count a call that failed
 * @what: kind of the call
 *
 * Context: any.
 */
void kho_count_error(enum kho_count what)
{
	this_cpu_inc(kho_counters[what].calls);
	this_cpu_inc(kho_counters[what].errors);
}

/**
 * kho_counts - number of KHO calls since boot
 * @what: the kind of calls
 *
 * Context: any.
 * Return: the counts of all CPUs; calls that are running may be counted in part, and
 *	   fewer than KHO_BATCH calls of each task that has an account open are missing.
 */
struct kho_counts kho_counts(enum kho_count what)
{
	struct kho_counts sum = {}, *one;
	int cpu;

	for_each_possible_cpu(cpu) {
		one = per_cpu_ptr(&kho_counters[what], cpu);
		/* The CPU keeps counting: a call more or less does not matter. */
		sum.calls += data_race(one->calls);
		/* As above. */
		sum.errors += data_race(one->errors);
		/* As above. */
		sum.pages += data_race(one->pages);
	}
	return sum;
}

/**
 * kho_preserved_pages - amount of memory that is preserved for the next kernel
 *
 * Context: any.
 * Return: number of pages, of all callers together.
 */
unsigned long kho_preserved_pages(void)
{
	return kho_counts(KHO_COUNT_PRESERVE).pages -
	       kho_counts(KHO_COUNT_UNPRESERVE).pages;
}

