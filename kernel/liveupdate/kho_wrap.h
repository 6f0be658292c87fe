/* SPDX-License-Identifier: GPL-2.0 */

/* Names under which kho_wrap.c compiles functions of kexec_handover.c. */

#ifndef _LINUX_KHO_WRAP_H
#define _LINUX_KHO_WRAP_H

#include <linux/kexec_handover.h>

/* Handlers call these for each page of a file. */
__always_inline typeof(kho_preserve_folio) kho_base_preserve_folio;
__always_inline typeof(kho_unpreserve_folio) kho_base_unpreserve_folio;
__always_inline typeof(kho_restore_folio) kho_base_restore_folio;
extern typeof(kho_preserve_pages) kho_base_preserve_pages;
extern typeof(kho_unpreserve_pages) kho_base_unpreserve_pages;
extern typeof(kho_restore_pages) kho_base_restore_pages;
extern typeof(kho_preserve_vmalloc) kho_base_preserve_vmalloc;
extern typeof(kho_unpreserve_vmalloc) kho_base_unpreserve_vmalloc;
extern typeof(kho_restore_vmalloc) kho_base_restore_vmalloc;
extern typeof(kho_alloc_preserve) kho_base_alloc_preserve;
extern typeof(kho_unpreserve_free) kho_base_unpreserve_free;
extern typeof(kho_restore_free) kho_base_restore_free;
extern typeof(kho_add_subtree) kho_base_add_subtree;
extern typeof(kho_remove_subtree) kho_base_remove_subtree;
extern typeof(kho_retrieve_subtree) kho_base_retrieve_subtree;
extern typeof(kho_memory_init) kho_base_memory_init;

#endif /* _LINUX_KHO_WRAP_H */
