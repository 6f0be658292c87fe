// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: KHO with trace events
 *
 * This file traces every call that preserves, unpreserves or restores memory and every
 * call that adds, removes or retrieves a subtree, for any caller. It includes the
 * kexec_handover.c of the base with these functions under another name; the functions
 * with the public names call them and emit the event. Memory that KHO preserves for
 * itself within such a call, like the list pages of a vmalloc area, is included in the
 * event of the call. What KHO preserves while it is set up is traced right afterwards.
 *
 * Memory that is allocated to be preserved is charged to the memory cgroup of the
 * caller. So the limit of an agent covers what LUO and file handlers keep for it.
 *
 * At boot, memory of the previous kernel is reserved in longer pieces.
 *
 * Memory that was added after the boot is not preserved.
 */

#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/panic.h>

#define CREATE_TRACE_POINTS
#include <trace/events/kho.h>

#include "kho_added.h"
#include "kho_base.h"
#include "kho_count.h"
#include "kho_wrap.h"

/*
 * At boot, KHO reserves what the previous kernel preserved page by page, in ascending
 * order for each size. The more pieces memblock has, the longer the next one takes, as it
 * looks at all of them. So adjacent pages are collected and reserved as one piece: the
 * 400,000 pages of 100,000 memfds become some thousand pieces. And a piece is inserted
 * where the one before is.
 */
static struct {
	bool collects;
	phys_addr_t start;
	phys_addr_t size;
	unsigned long next; /* the piece before was inserted before this region */
} kho_piece __initdata;

/* Where a piece belongs among the reserved regions. */
static unsigned long __init kho_piece_find(phys_addr_t start)
{
	const struct memblock_region *rgn = memblock.reserved.regions;
	unsigned long i = kho_piece.next;

	if (i && (i > memblock.reserved.cnt || rgn[i - 1].base + rgn[i - 1].size > start))
		i = 0;
	while (i < memblock.reserved.cnt && rgn[i].base + rgn[i].size <= start)
		i++;
	return i;
}

/* Insert a piece, or return false: there is no room, or it is reserved in part. */
static bool __init kho_piece_insert(phys_addr_t start, phys_addr_t size)
{
	struct memblock_type *type = &memblock.reserved;
	unsigned long i = kho_piece_find(start);
	struct memblock_region *rgn = &type->regions[i];

	if (type->cnt + 1 >= type->max ||
	    (i < type->cnt && rgn->base < start + size))
		return false;

	memmove(rgn + 1, rgn, (type->cnt - i) * sizeof(*rgn));
	rgn->base = start;
	rgn->size = size;
	rgn->flags = MEMBLOCK_RSRV_NOINIT;
	memblock_set_region_node(rgn, NUMA_NO_NODE);
	type->cnt++;
	type->total_size += size;
	kho_piece.next = i + 1;
	return true;
}

static void __init kho_piece_end(void)
{
	phys_addr_t start = kho_piece.start, size = kho_piece.size;

	kho_piece.size = 0;
	if (!size || kho_piece_insert(start, size))
		return;

	kho_piece.next = 0;
	/* The page allocator would hand out what guests and records are in. */
	if (memblock_reserve(start, size))
		panic("KHO: no memory to reserve what the previous kernel preserved\n");
	memblock_reserved_mark_noinit(start, size);
}

static int __init kho_piece_reserve(phys_addr_t phys, phys_addr_t size)
{
	if (!kho_piece.collects)
		return memblock_reserve(phys, size);

	if (phys != kho_piece.start + kho_piece.size) {
		kho_piece_end();
		kho_piece.start = phys;
	}
	kho_piece.size += size;
	return 0;
}

/* For a piece that is being collected, kho_piece_end() does it. */
static int __init kho_piece_mark_noinit(phys_addr_t phys, phys_addr_t size)
{
	return kho_piece.collects ? 0 :
	       memblock_reserved_mark_noinit(phys, size);
}

/*
 * If KHO cannot be set up it frees its scratch areas. It has reserved them in a kernel that
 * was not booted by KHO; in one that was, the page allocator has them already.
 */
static unsigned long __init kho_wrap_free_scratch(void *start, void *end, int poison,
						  const char *what)
{
	return is_kho_boot() ? 0 : free_reserved_area(start, end, poison, what);
}

static struct folio *kho_wrap_folio_alloc(gfp_t gfp, unsigned int order)
{
	return kho_added_folio_alloc(gfp, order);
}

static unsigned long kho_wrap_zeroed_page(gfp_t gfp)
{
	struct folio *folio = kho_added_folio_alloc(gfp | __GFP_ZERO, 0);

	return folio ? (unsigned long)folio_address(folio) : 0;
}

#undef folio_alloc
#undef get_zeroed_page
#define folio_alloc			kho_wrap_folio_alloc
#define get_zeroed_page			kho_wrap_zeroed_page
#define free_reserved_area		kho_wrap_free_scratch
#define memblock_reserve		kho_piece_reserve
#define memblock_reserved_mark_noinit	kho_piece_mark_noinit
#define kho_memory_init			kho_base_memory_init
#define kho_preserve_folio	kho_base_preserve_folio
#define kho_unpreserve_folio	kho_base_unpreserve_folio
#define kho_restore_folio	kho_base_restore_folio
#define kho_preserve_pages	kho_base_preserve_pages
#define kho_unpreserve_pages	kho_base_unpreserve_pages
#define kho_restore_pages	kho_base_restore_pages
#define kho_preserve_vmalloc	kho_base_preserve_vmalloc
#define kho_unpreserve_vmalloc	kho_base_unpreserve_vmalloc
#define kho_restore_vmalloc	kho_base_restore_vmalloc
#define kho_alloc_preserve	kho_base_alloc_preserve
#define kho_unpreserve_free	kho_base_unpreserve_free
#define kho_restore_free	kho_base_restore_free
#define kho_add_subtree		kho_base_add_subtree
#define kho_remove_subtree	kho_base_remove_subtree
#define kho_retrieve_subtree	kho_base_retrieve_subtree

/* kexec_handover.c defines its own. */
#undef pr_fmt
#include "kexec_handover.c"

#undef folio_alloc
#undef get_zeroed_page
#undef free_reserved_area
#undef memblock_reserve
#undef memblock_reserved_mark_noinit
#undef kho_memory_init
#undef kho_preserve_folio
#undef kho_unpreserve_folio
#undef kho_restore_folio
#undef kho_preserve_pages
#undef kho_unpreserve_pages
#undef kho_restore_pages
#undef kho_preserve_vmalloc
#undef kho_unpreserve_vmalloc
#undef kho_restore_vmalloc
#undef kho_alloc_preserve
#undef kho_unpreserve_free
#undef kho_restore_free
#undef kho_add_subtree
#undef kho_remove_subtree
#undef kho_retrieve_subtree

/**
 * kho_memory_init - reserve the memory that the previous kernel preserved
 *
 * Reserves the scratch areas instead if no kernel has preserved memory.
 *
 * Context: once, at boot, before memblock hands its memory to the page allocator.
 */
void __init kho_memory_init(void)
{
	kho_piece.collects = true;
	kho_base_memory_init();
	kho_piece_end();
	kho_piece.collects = false;
}

/* Like luo_emit(): the arguments are evaluated only if the event is on. */
#define kho_emit(event, ...)						\
do {									\
	if (trace_##event##_enabled())					\
		trace_##event(__VA_ARGS__);				\
} while (0)

/**
 * kho_incoming_order - order of a preserved block
 * @phys: physical address
 *
 * Context: any, once the page structures are set up.
 * Return: the order of the block that begins at @phys, which the previous kernel
 *	   preserved and nobody restored yet; -ENOENT if none does.
 */
int kho_incoming_order(phys_addr_t phys)
{
	struct page *page = pfn_to_online_page(PHYS_PFN(phys));
	union kho_page_info info;

	if (!page || !IS_ALIGNED(phys, PAGE_SIZE))
		return -ENOENT;

	info.page_private = page->private;
	return info.magic == KHO_PAGE_MAGIC ? info.order : -ENOENT;
}

/**
 * kho_incoming - check that the previous kernel preserved a piece of memory
 * @phys: physical address
 * @size: size in bytes
 *
 * LUO checks each address that it finds in a handover before it reads from there.
 *
 * Context: any, once the page structures are set up.
 * Return: true if a preserved block begins at @phys, has the order of an allocation of
 *	   @size bytes, and is not restored yet.
 */
bool kho_incoming(phys_addr_t phys, size_t size)
{
	int order = kho_incoming_order(phys);

	return order >= 0 && order <= MAX_PAGE_ORDER && size &&
	       order == get_order(size);
}

#if IS_ENABLED(CONFIG_LIVEUPDATE_KUNIT_TEST)
/**
 * kho_test_incoming - pretend that the previous kernel preserved a page
 * @page: allocated, of order 0, with one reference and no user
 *
 * The caller may write to the page. Restoring it makes it an ordinary page again.
 *
 * Context: task context.
 */
void kho_test_incoming(struct page *page)
{
	union kho_page_info info = { .order = 0, .magic = KHO_PAGE_MAGIC };

	/* What is preserved is not managed at boot. Restoring the page adds it. */
	adjust_managed_page_count(page, -1);
	page->private = info.page_private;
}
#endif

/*
 * Data pages and list pages of a vmalloc preservation: a full list page is followed by
 * another one. The number is computed, as list pages from another kernel are not to be
 * trusted.
 */
static unsigned long kho_vmalloc_nr_pages(const struct kho_vmalloc *preservation)
{
	unsigned long blocks = preservation->total_pages >> preservation->order;

	return preservation->total_pages + blocks / KHO_VMALLOC_SIZE + 1;
}

static unsigned long kho_vmalloc_pfn(const struct kho_vmalloc *preservation)
{
	return PHYS_PFN(preservation->first.phys);
}

/*
 * Handlers call the next three for each page of a file, so the functions of the base are
 * inlined with all that they call, which makes up for most of what counting costs. Events
 * are not, as their arguments need registers, which each call would have to save.
 */
static noinline void kho_trace_preserve(unsigned long pfn, unsigned long nr_pages, int err,
					unsigned long caller)
{
	kho_emit(kho_preserve, KHO_KIND_FOLIO, pfn, nr_pages, err, caller);
}

static noinline void kho_trace_unpreserve(unsigned long pfn, unsigned long nr_pages,
					  unsigned long caller)
{
	kho_emit(kho_unpreserve, KHO_KIND_FOLIO, pfn, nr_pages, 0, caller);
}

static noinline void kho_trace_restore(unsigned long pfn, unsigned long nr_pages, int err,
				       unsigned long caller)
{
	kho_emit(kho_restore, KHO_KIND_FOLIO, pfn, nr_pages, err, caller);
}

int __flatten kho_preserve_folio(struct folio *folio)
{
	int err = -EADDRNOTAVAIL;

	if (!kho_added(folio_pfn(folio), folio_nr_pages(folio)))
		err = kho_base_preserve_folio(folio);
	if (unlikely(err)) {
		kho_count_error(KHO_COUNT_PRESERVE);
		kho_trace_preserve(folio_pfn(folio), 0, err, _RET_IP_);
		return err;
	}
	kho_count(KHO_COUNT_PRESERVE, folio_nr_pages(folio));
	if (trace_kho_preserve_enabled())
		kho_trace_preserve(folio_pfn(folio), folio_nr_pages(folio), 0, _RET_IP_);
	return 0;
}
EXPORT_SYMBOL_GPL(kho_preserve_folio);

void __flatten kho_unpreserve_folio(struct folio *folio)
{
	kho_base_unpreserve_folio(folio);
	kho_count(KHO_COUNT_UNPRESERVE, folio_nr_pages(folio));
	if (trace_kho_unpreserve_enabled())
		kho_trace_unpreserve(folio_pfn(folio), folio_nr_pages(folio), _RET_IP_);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_folio);

struct folio __flatten *kho_restore_folio(phys_addr_t phys)
{
	struct folio *folio = kho_base_restore_folio(phys);

	if (unlikely(!folio)) {
		kho_count_error(KHO_COUNT_RESTORE);
		kho_trace_restore(PHYS_PFN(phys), 0, -ENOENT, _RET_IP_);
		return NULL;
	}
	kho_count(KHO_COUNT_RESTORE, folio_nr_pages(folio));
	if (trace_kho_restore_enabled())
		kho_trace_restore(PHYS_PFN(phys), folio_nr_pages(folio), 0, _RET_IP_);
	return folio;
}
EXPORT_SYMBOL_GPL(kho_restore_folio);

int kho_preserve_pages(struct page *page, unsigned long nr_pages)
{
	int err = kho_added(page_to_pfn(page), nr_pages) ? -EADDRNOTAVAIL :
		  kho_base_preserve_pages(page, nr_pages);

	kho_count_result(KHO_COUNT_PRESERVE, nr_pages, err);
	kho_emit(kho_preserve, KHO_KIND_PAGES, page_to_pfn(page),
		 err ? 0 : nr_pages, err, _RET_IP_);
	return err;
}
EXPORT_SYMBOL_GPL(kho_preserve_pages);

void kho_unpreserve_pages(struct page *page, unsigned long nr_pages)
{
	kho_base_unpreserve_pages(page, nr_pages);
	kho_count(KHO_COUNT_UNPRESERVE, nr_pages);
	kho_emit(kho_unpreserve, KHO_KIND_PAGES, page_to_pfn(page), nr_pages, 0,
		 _RET_IP_);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_pages);

struct page *kho_restore_pages(phys_addr_t phys, unsigned long nr_pages)
{
	struct page *page = kho_base_restore_pages(phys, nr_pages);
	int err = page ? 0 : -ENOENT;

	kho_count_result(KHO_COUNT_RESTORE, nr_pages, err);
	kho_emit(kho_restore, KHO_KIND_PAGES, PHYS_PFN(phys), page ? nr_pages : 0,
		 err, _RET_IP_);
	return page;
}
EXPORT_SYMBOL_GPL(kho_restore_pages);

int kho_preserve_vmalloc(void *ptr, struct kho_vmalloc *preservation)
{
	int err = kho_added_vmalloc(ptr) ? -EADDRNOTAVAIL :
		  kho_base_preserve_vmalloc(ptr, preservation);
	unsigned long nr_pages = err ? 0 : kho_vmalloc_nr_pages(preservation);

	kho_count_result(KHO_COUNT_PRESERVE, nr_pages, err);
	kho_emit(kho_preserve, KHO_KIND_VMALLOC,
		 err ? 0 : kho_vmalloc_pfn(preservation), nr_pages, err,
		 _RET_IP_);
	return err;
}
EXPORT_SYMBOL_GPL(kho_preserve_vmalloc);

void kho_unpreserve_vmalloc(struct kho_vmalloc *preservation)
{
	unsigned long nr_pages = kho_vmalloc_nr_pages(preservation);
	unsigned long pfn = kho_vmalloc_pfn(preservation);

	kho_base_unpreserve_vmalloc(preservation);
	kho_count(KHO_COUNT_UNPRESERVE, nr_pages);
	kho_emit(kho_unpreserve, KHO_KIND_VMALLOC, pfn, nr_pages, 0, _RET_IP_);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_vmalloc);

void *kho_restore_vmalloc(const struct kho_vmalloc *preservation)
{
	void *ptr = kho_base_restore_vmalloc(preservation);
	/* What could be restored is valid. */
	unsigned long nr_pages = ptr ? kho_vmalloc_nr_pages(preservation) : 0;
	int err = ptr ? 0 : -ENOMEM;

	kho_count_result(KHO_COUNT_RESTORE, nr_pages, err);
	kho_emit(kho_restore, KHO_KIND_VMALLOC, kho_vmalloc_pfn(preservation),
		 nr_pages, err, _RET_IP_);
	return ptr;
}
EXPORT_SYMBOL_GPL(kho_restore_vmalloc);

/* Like kho_base_alloc_preserve(), and charges the memory cgroup of the caller. */
static void *kho_alloc_charged(size_t size)
{
	void *mem = kho_base_alloc_preserve(size);
	struct folio *folio;

	if (IS_ERR(mem))
		return mem;

	folio = virt_to_folio(mem);
	/* It is uncharged when it is freed. */
	if (memcg_kmem_charge_page(folio_page(folio, 0), GFP_KERNEL,
				   folio_order(folio))) {
		kho_base_unpreserve_free(mem);
		return ERR_PTR(-ENOMEM);
	}
	return mem;
}

void *kho_alloc_preserve(size_t size)
{
	void *mem = kho_alloc_charged(size);
	unsigned long nr_pages;

	if (IS_ERR(mem)) {
		kho_count_error(KHO_COUNT_PRESERVE);
		kho_emit(kho_preserve, KHO_KIND_FOLIO, 0, 0, PTR_ERR(mem),
			 _RET_IP_);
		return mem;
	}

	nr_pages = folio_nr_pages(virt_to_folio(mem));
	kho_count(KHO_COUNT_PRESERVE, nr_pages);
	kho_emit(kho_preserve, KHO_KIND_FOLIO, PHYS_PFN(virt_to_phys(mem)),
		 nr_pages, 0, _RET_IP_);
	return mem;
}
EXPORT_SYMBOL_GPL(kho_alloc_preserve);

void kho_unpreserve_free(void *mem)
{
	unsigned long nr_pages;

	if (!mem)
		return;

	nr_pages = folio_nr_pages(virt_to_folio(mem));
	kho_base_unpreserve_free(mem);
	kho_count(KHO_COUNT_UNPRESERVE, nr_pages);
	kho_emit(kho_unpreserve, KHO_KIND_FOLIO, PHYS_PFN(virt_to_phys(mem)),
		 nr_pages, 0, _RET_IP_);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_free);

void kho_restore_free(void *mem)
{
	int order;

	if (!mem)
		return;

	order = kho_incoming_order(virt_to_phys(mem));
	kho_base_restore_free(mem);
	kho_count_result(KHO_COUNT_RESTORE, order < 0 ? 0 : 1UL << order, min(order, 0));
	kho_emit(kho_restore, KHO_KIND_FOLIO, PHYS_PFN(virt_to_phys(mem)),
		 order < 0 ? 0 : 1UL << order,
		 order < 0 ? order : 0, _RET_IP_);
}
EXPORT_SYMBOL_GPL(kho_restore_free);

int kho_add_subtree(const char *name, void *blob, size_t size)
{
	int err = kho_base_add_subtree(name, blob, size);

	kho_emit(kho_subtree_add, name, size, err);
	return err;
}
EXPORT_SYMBOL_GPL(kho_add_subtree);

/*
 * kho_init() preserves the root of the tree and what the base itself hands over, by
 * functions of the base. Trace that, as if it happened now.
 */
static void __init kho_trace_init(void *mem)
{
	struct folio *folio = virt_to_folio(mem);

	kho_emit(kho_preserve, KHO_KIND_FOLIO, folio_pfn(folio), folio_nr_pages(folio), 0,
		 (unsigned long)kho_init);
}

static int __init kho_trace_init_all(void)
{
	const u64 *phys, *size;
	int off;

	/* KHO is off, or its own set-up has failed. */
	if (!kho_out.fdt)
		return 0;

	/* A base may allocate it by kzalloc(). */
	if (kho_added(PHYS_PFN(virt_to_phys(kho_out.radix_tree.root)), 1)) {
		pr_warn("disabled: what leads to all else is in memory that was added; use memhp_default_state=online_movable\n");
		kho_enable = false;
		return 0;
	}

	guard(mutex)(&kho_out.lock);

	kho_trace_init(kho_out.fdt);
	fdt_for_each_subnode(off, kho_out.fdt, 0) {
		phys = fdt_getprop(kho_out.fdt, off, KHO_SUB_TREE_PROP_NAME, NULL);
		size = fdt_getprop(kho_out.fdt, off, KHO_SUB_TREE_SIZE_PROP_NAME, NULL);
		if (!phys)
			continue;
		kho_trace_init(phys_to_virt(get_unaligned(phys)));
		kho_emit(kho_subtree_add, fdt_get_name(kho_out.fdt, off, NULL),
			 size ? get_unaligned(size) : 0, 0);
	}
	return 0;
}

/* Of the same level as kho_init(), and therefore next. */
fs_initcall(kho_trace_init_all);

/* Find the name of the node that kho_remove_subtree() gets the address of. */
static int kho_find_subtree(void *blob, char *name, size_t len, u64 *size)
{
	phys_addr_t phys = virt_to_phys(blob);
	const u64 *val;
	int off;

	guard(mutex)(&kho_out.lock);

	fdt_for_each_subnode(off, kho_out.fdt, 0) {
		val = fdt_getprop(kho_out.fdt, off, KHO_SUB_TREE_PROP_NAME,
				  NULL);
		if (!val || get_unaligned(val) != phys)
			continue;

		strscpy(name, fdt_get_name(kho_out.fdt, off, NULL), len);
		val = fdt_getprop(kho_out.fdt, off, KHO_SUB_TREE_SIZE_PROP_NAME,
				  NULL);
		*size = val ? get_unaligned(val) : 0;
		return 0;
	}
	return -ENOENT;
}

void kho_remove_subtree(void *blob)
{
	char name[64] = "";
	u64 size = 0;
	int err;

	err = kho_find_subtree(blob, name, sizeof(name), &size);
	kho_base_remove_subtree(blob);
	kho_emit(kho_subtree_remove, name, size, err);
}
EXPORT_SYMBOL_GPL(kho_remove_subtree);

int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size)
{
	size_t len = 0;
	int err;

	err = kho_base_retrieve_subtree(name, phys, &len);
	if (!err && size)
		*size = len;

	kho_emit(kho_subtree_retrieve, name, len, err);
	return err;
}
EXPORT_SYMBOL_GPL(kho_retrieve_subtree);
