/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _LINUX_KHO_ADDED_H
#define _LINUX_KHO_ADDED_H

#include <linux/gfp.h>
#include <linux/jump_label.h>
#include <linux/types.h>

struct folio;

#ifdef CONFIG_MEMORY_HOTPLUG
DECLARE_STATIC_KEY_FALSE(kho_added_key);

bool kho_added_pages(unsigned long pfn, unsigned long nr_pages);
bool kho_added_vmalloc(const void *ptr);
struct folio *kho_added_folio_alloc(gfp_t gfp, unsigned int order);

/**
 * kho_added - check whether memory was added after the boot
 * @pfn:      first page
 * @nr_pages: number of pages
 *
 * Context: any.
 * Return: true if one of the pages was.
 */
static inline bool kho_added(unsigned long pfn, unsigned long nr_pages)
{
	return static_branch_unlikely(&kho_added_key) && kho_added_pages(pfn, nr_pages);
}
#else
static inline bool kho_added(unsigned long pfn, unsigned long nr_pages)
{
	return false;
}

static inline bool kho_added_vmalloc(const void *ptr)
{
	return false;
}

#define kho_added_folio_alloc(gfp, order)	folio_alloc(gfp, order)
#endif

#endif /* _LINUX_KHO_ADDED_H */
