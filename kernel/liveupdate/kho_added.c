// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Memory that was added after the boot
 *
 * The next kernel starts with the memory that the firmware described at boot. Memory that
 * was added since is unknown to it while it reserves what was preserved, and is handed to
 * its page allocator as free memory later. It would not start with a preserved page there.
 * So preserving such a page fails with EADDRNOTAVAIL, and what KHO itself allocates to hand
 * it over is memory of the boot.
 *
 * Memory that is brought online as movable has no such pages: the kernel allocates nothing
 * there that it hands over, and handlers that pin a file move it elsewhere.
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/kexec_handover.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/vmalloc.h>

#include "kho_added.h"

DEFINE_STATIC_KEY_FALSE(kho_added_key);

/**
 * kho_added_pages - kho_added() where some memory was added
 * @pfn:      first page
 * @nr_pages: number of pages
 *
 * Context: any.
 * Return: true if one of the pages was added after the boot.
 */
bool kho_added_pages(unsigned long pfn, unsigned long nr_pages)
{
	const unsigned long end = pfn + nr_pages;

	for (; pfn < end; pfn = SECTION_ALIGN_DOWN(pfn) + PAGES_PER_SECTION) {
		if (!early_section(__pfn_to_section(pfn)))
			return true;
	}
	return false;
}

/**
 * kho_added_vmalloc - the same for memory of vmalloc()
 * @ptr: its address
 *
 * Context: task context, takes locks of vmalloc.
 * Return: true if one of its pages was added after the boot.
 */
bool kho_added_vmalloc(const void *ptr)
{
	const struct vm_struct *vm;
	unsigned int i;

	if (!static_branch_unlikely(&kho_added_key))
		return false;
	vm = find_vm_area(ptr);
	for (i = 0; vm && i < vm->nr_pages; i++) {
		if (kho_added_pages(page_to_pfn(vm->pages[i]), 1))
			return true;
	}
	return false;
}

/* Whether a folio cannot be handed over; it is freed then. */
static bool kho_added_drop(struct folio *folio)
{
	if (!folio || !kho_added(folio_pfn(folio), folio_nr_pages(folio)))
		return false;
	folio_put(folio);
	return true;
}

/**
 * kho_added_folio_alloc - allocate memory that can be handed over
 * @gfp:   of any zone
 * @order: order of the folio
 *
 * Memory below 4 GiB is the last resort, as hardly any machine adds some there.
 *
 * Context: as of @gfp.
 * Return: the folio, NULL if there is none.
 */
struct folio *kho_added_folio_alloc(gfp_t gfp, unsigned int order)
{
	struct folio *folio = folio_alloc(gfp, order);

	if (!kho_added_drop(folio))
		return folio;
	folio = folio_alloc(gfp | __GFP_DMA32 | __GFP_NOWARN, order);
	return kho_added_drop(folio) ? NULL : folio;
}

/* After mem_hotplug_begin(), which takes cpus_read_lock(). */
static int kho_added_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct memory_notify *memory = data;

	if (action != MEM_GOING_ONLINE || static_key_enabled(&kho_added_key) ||
	    early_section(__pfn_to_section(memory->start_pfn)))
		return NOTIFY_OK;
	pr_info("memory was added after the boot: the next kernel does not know it, nothing there can be preserved\n");
	static_branch_enable_cpuslocked(&kho_added_key);
	return NOTIFY_OK;
}

static struct notifier_block kho_added_block = { .notifier_call = kho_added_notify };

/* Before ACPI adds what is plugged in at boot. */
static int __init kho_added_init(void)
{
	return kho_is_enabled() ? register_memory_notifier(&kho_added_block) : 0;
}
core_initcall(kho_added_init);
