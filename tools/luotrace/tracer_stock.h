/* SPDX-License-Identifier: GPL-2.0 */

/* Attaches the programs for a kernel whose LUO has no trace events. For tracer.c. */

#ifndef TRACER_STOCK_H
#define TRACER_STOCK_H

#include <stdint.h>

#include "probe.h"
#include "tracer_needs.h"

struct luotrace_bpf;
struct tracer_stock;

/**
 * tracer_stock_choose - choose a pair of programs for each function
 * @bpf:   opened, not yet loaded
 * @probe: of FLAVOUR_STOCK
 * @needs: the events needed, a bit for each enum lt_type
 *
 * A function that cannot be traced is left out, with a message.
 *
 * Return: for tracer_stock_free(), or NULL after a message.
 */
struct tracer_stock *tracer_stock_choose(struct luotrace_bpf *bpf,
					 const struct probe *probe, uint32_t needs);

/** tracer_stock_attach - attach them, after they are loaded; also with a message */
void tracer_stock_attach(struct tracer_stock *s);

/**
 * tracer_stock_skipped - a function that is not traced
 * @s:	NULL for a kernel with trace events
 * @nr: counted from 0
 *
 * Return: its name, NULL after the last one.
 */
const char *tracer_stock_skipped(const struct tracer_stock *s, unsigned int nr);

/** tracer_stock_free - detach and free; NULL is fine */
void tracer_stock_free(struct tracer_stock *s);

#endif
