/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _LINUX_KHO_BASE_H
#define _LINUX_KHO_BASE_H

#include <linux/cleanup.h>
#include <linux/types.h>

struct page;
struct task_struct;

int kho_incoming_order(phys_addr_t phys);
bool kho_incoming(phys_addr_t phys, size_t size);
#if IS_ENABLED(CONFIG_LIVEUPDATE_KUNIT_TEST)
void kho_test_incoming(struct page *page);
#endif

/* Kinds of KHO calls, in the order of the memory figures of the recorder. */
enum kho_count { KHO_COUNT_PRESERVE, KHO_COUNT_UNPRESERVE, KHO_COUNT_RESTORE,
		 KHO_NR_COUNTS };

/**
 * struct kho_counts - calls of one kind
 * @calls:  number of calls
 * @errors: number of calls that failed
 * @pages:  pages of the calls that did not fail
 */
struct kho_counts {
	u64 calls;
	u64 errors;
	u64 pages;
};

/**
 * struct kho_account - pages of the KHO calls of one task
 * @node:    in the list of its bucket
 * @task:    the task whose calls are counted
 * @pages:   pages of the calls that did not fail, by enum kho_count
 * @counted: so many of them are in kho_counts(), too
 * @left:    KHO_BATCH minus the calls that are not in kho_counts() yet, by enum kho_count
 */
struct kho_account {
	struct hlist_node node;
	struct task_struct *task;
	u64 pages[KHO_NR_COUNTS];
	u64 counted[KHO_NR_COUNTS];
	u64 left[KHO_NR_COUNTS];
};

/**
 * kho_account_used - check whether an account has counted anything
 * @account: an open account of the calling task
 *
 * Return: true if it has.
 */
static inline bool kho_account_used(const struct kho_account *account)
{
	return account->pages[KHO_COUNT_PRESERVE] | account->pages[KHO_COUNT_UNPRESERVE] |
	       account->pages[KHO_COUNT_RESTORE];
}

void kho_account_reset(struct kho_account *account);
void kho_account_begin(struct kho_account *account);
void kho_account_end(struct kho_account *account);

DEFINE_GUARD(kho_account, struct kho_account *, kho_account_begin(_T),
	     kho_account_end(_T))

struct kho_counts kho_counts(enum kho_count what);
unsigned long kho_preserved_pages(void);

#endif /* _LINUX_KHO_BASE_H */
