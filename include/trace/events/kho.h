/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kho

#if !defined(_TRACE_KHO_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KHO_H

#include <linux/tracepoint.h>
#include <linux/types.h>

/**
 * DOC: KHO trace events
 *
 * The events cover memory that is preserved across kexec, regardless of the caller.
 * ``caller`` is the return address of the call, shown as a symbol. ``pfn`` is the
 * first page frame; for vmalloc memory, whose pages are scattered, it is the page
 * that holds their list. ``nr_pages`` counts pages of PAGE_SIZE bytes, for vmalloc
 * memory including those of the list; it is 0 if the call failed. The pages of all
 * kho_preserve events minus those of all kho_unpreserve events are the pages
 * currently preserved.
 */

#define KHO_KINDS						\
	EM(KHO_KIND_FOLIO,	"folio")			\
	EM(KHO_KIND_PAGES,	"pages")			\
	E_(KHO_KIND_VMALLOC,	"vmalloc")

#ifndef __KHO_DECLARE_TRACE_ENUMS_ONCE_ONLY
#define __KHO_DECLARE_TRACE_ENUMS_ONCE_ONLY

#undef EM
#undef E_
#define EM(a, b) a,
#define E_(a, b) a

enum kho_kind { KHO_KINDS };

#endif /* __KHO_DECLARE_TRACE_ENUMS_ONCE_ONLY */

#undef EM
#undef E_
#define EM(a, b) TRACE_DEFINE_ENUM(a);
#define E_(a, b) TRACE_DEFINE_ENUM(a);

KHO_KINDS

#undef EM
#undef E_
#define EM(a, b) { a, b },
#define E_(a, b) { a, b }

DECLARE_EVENT_CLASS(kho_memory_class,
		    TP_PROTO(u32 kind, unsigned long pfn, unsigned long nr_pages, int ret,
			     unsigned long caller),
		    TP_ARGS(kind, pfn, nr_pages, ret, caller),
		    TP_STRUCT__entry(
			__field(unsigned long,	pfn)
			__field(unsigned long,	nr_pages)
			__field(unsigned long,	caller)
			__field(u32,		kind)
			__field(int,		ret)
		    ),
		    TP_fast_assign(
			__entry->pfn = pfn;
			__entry->nr_pages = nr_pages;
			__entry->caller = caller;
			__entry->kind = kind;
			__entry->ret = ret;
		    ),
		    TP_printk("kind=%s pfn=0x%lx nr_pages=%lu ret=%d caller=%pS",
			      __print_symbolic(__entry->kind, KHO_KINDS),
			      __entry->pfn, __entry->nr_pages, __entry->ret,
			      (void *)__entry->caller)
);

/* Memory was preserved for the next kernel, or could not be. */
DEFINE_EVENT(kho_memory_class, kho_preserve,
	     TP_PROTO(u32 kind, unsigned long pfn, unsigned long nr_pages, int ret,
		      unsigned long caller),
	     TP_ARGS(kind, pfn, nr_pages, ret, caller)
);

/* Memory is no longer preserved; no kexec took place. */
DEFINE_EVENT(kho_memory_class, kho_unpreserve,
	     TP_PROTO(u32 kind, unsigned long pfn, unsigned long nr_pages, int ret,
		      unsigned long caller),
	     TP_ARGS(kind, pfn, nr_pages, ret, caller)
);

/* Memory preserved by the previous kernel became ordinary memory of this one. */
DEFINE_EVENT(kho_memory_class, kho_restore,
	     TP_PROTO(u32 kind, unsigned long pfn, unsigned long nr_pages, int ret,
		      unsigned long caller),
	     TP_ARGS(kind, pfn, nr_pages, ret, caller)
);

DECLARE_EVENT_CLASS(kho_subtree_class,
		    TP_PROTO(const char *name, u64 bytes, int ret),
		    TP_ARGS(name, bytes, ret),
		    TP_STRUCT__entry(
			__field(u64,	bytes)
			__field(int,	ret)
			__string(name, name)
		    ),
		    TP_fast_assign(
			__entry->bytes = bytes;
			__entry->ret = ret;
			__assign_str(name);
		    ),
		    TP_printk("name=%s bytes=%llu ret=%d",
			      __get_str(name), __entry->bytes, __entry->ret)
);

/* A named blob was added to the handover. */
DEFINE_EVENT(kho_subtree_class, kho_subtree_add,
	     TP_PROTO(const char *name, u64 bytes, int ret),
	     TP_ARGS(name, bytes, ret)
);

/* A named blob was removed from the handover; ret=-ENOENT if it was not present. */
DEFINE_EVENT(kho_subtree_class, kho_subtree_remove,
	     TP_PROTO(const char *name, u64 bytes, int ret),
	     TP_ARGS(name, bytes, ret)
);

/* A named blob of the previous kernel was looked up. */
DEFINE_EVENT(kho_subtree_class, kho_subtree_retrieve,
	     TP_PROTO(const char *name, u64 bytes, int ret),
	     TP_ARGS(name, bytes, ret)
);

#undef EM
#undef E_

#endif /* _TRACE_KHO_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
