/* SPDX-License-Identifier: GPL-2.0 */

/* The programs of folios.bpf.c, for tracer.c. */

#ifndef TRACER_FOLIOS_H
#define TRACER_FOLIOS_H

#include "probe.h"
#include "tracer.h"

struct luotrace_bpf;
struct tracer_folios;

/**
 * tracer_folios_choose - choose the programs to load
 * @bpf:   opened, not loaded
 * @probe: what the kernel offers
 *
 * Return: for tracer_folios_free(); NULL after a message.
 */
struct tracer_folios *tracer_folios_choose(struct luotrace_bpf *bpf,
					   const struct probe *probe);

/**
 * tracer_folios_attach - attach them, all or, after a message, none
 * @f: the programs
 */
void tracer_folios_attach(struct tracer_folios *f);

/**
 * tracer_folios_read - read what they have counted
 * @f:	     the programs; if they are NULL or not attached nothing is known
 * @bpf:     loaded
 * @nr_cpus: number of possible CPUs
 * @all:     filled
 *
 * Return: 0, or a negative errno after a message.
 */
int tracer_folios_read(const struct tracer_folios *f, struct luotrace_bpf *bpf,
		       int nr_cpus, struct folios *all);

/** tracer_folios_free - detach them; NULL is fine */
void tracer_folios_free(struct tracer_folios *f);

#endif
