/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _LINUX_LUO_KHO_H
#define _LINUX_LUO_KHO_H

#include <linux/types.h>

struct task_struct;

bool kho_incoming(phys_addr_t phys, size_t size);

/* What KHO did since the kernel started, in the order of the recorder's memory. */
enum kho_count { KHO_COUNT_PRESERVE, KHO_COUNT_UNPRESERVE, KHO_COUNT_RESTORE,
		 KHO_NR_COUNTS };

/**
 * struct kho_counts - calls of one kind
 * @calls:  calls
 * @errors: of them, failed
 * @pages:  pages of those that did not
 */
struct kho_counts {
	u64 calls;
	u64 errors;
	u64 pages;
};

/**
 * struct kho_account - what one task has KHO do for a while
 * @node:  among those of its bucket
 * @task:  whose calls are counted
 * @pages: of the calls that did not fail, by enum kho_count
 */
struct kho_account {
	struct hlist_node node;
	struct task_struct *task;
	u64 pages[KHO_NR_COUNTS];
};

void kho_account_begin(struct kho_account *account);
void kho_account_end(struct kho_account *account);
struct kho_counts kho_counts(enum kho_count what);
unsigned long kho_preserved_pages(void);

#endif /* _LINUX_LUO_KHO_H */
