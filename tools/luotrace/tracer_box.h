/* SPDX-License-Identifier: GPL-2.0 */

/* The BPF programs of the black box, which record a reboot. For tracer.c. */

#ifndef TRACER_BOX_H
#define TRACER_BOX_H

#include <stdbool.h>

struct luotrace_bpf;
struct tracer_box;

/**
 * tracer_box_choose - choose the programs that this kernel has functions for
 * @bpf: opened, not loaded
 *
 * Return: for tracer_box_attach(), or NULL after a message.
 */
struct tracer_box *tracer_box_choose(struct luotrace_bpf *bpf);

/**
 * tracer_box_attach - attach them, and pass the pages to them
 * @b:	   from tracer_box_choose()
 * @bpf:   loaded
 * @pages: BOX_REBOOT_PAGES pages of memory that stay mapped
 *
 * A step that cannot be attached to is missing from the record.
 *
 * Return: whether what the box cannot do without is attached; else after a message.
 */
bool tracer_box_attach(struct tracer_box *b, struct luotrace_bpf *bpf, void *pages);

/** tracer_box_free - detach; NULL is fine */
void tracer_box_free(struct tracer_box *b);

#endif
