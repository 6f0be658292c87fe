// SPDX-License-Identifier: GPL-2.0

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracer.h"
#include "luotrace.skel.h"
#include "msg.h"
#include "tracer_folios.h"

#define NR_PROGRAMS	6
#define LARGE		(2 << 20)	/* bytes of the folios to compare with */

struct tracer_folios {
	struct bpf_program *programs[NR_PROGRAMS];
	struct bpf_link *links[NR_PROGRAMS];
	unsigned int nr;
	bool attached;
};

static void choose(struct tracer_folios *f, struct bpf_program *program)
{
	bpf_program__set_autoload(program, true);
	bpf_program__set_autoattach(program, false);
	f->programs[f->nr++] = program;
}

struct tracer_folios *tracer_folios_choose(struct luotrace_bpf *bpf,
					   const struct probe *probe)
{
	struct tracer_folios *f = calloc(1, sizeof(*f));
	long page = sysconf(_SC_PAGESIZE);

	if (!f) {
		msg_error("out of memory");
		return NULL;
	}
	if (!probe->folios)
		return f;
	bpf->rodata->folio_calls_begin = probe->flavour == FLAVOUR_STOCK;
	if (page < LARGE)
		bpf->rodata->large_order = __builtin_ctzl(LARGE / page);
	choose(f, bpf->progs.folios_kho_preserve_folio);
	choose(f, bpf->progs.folios_kho_unpreserve_folio);
	choose(f, bpf->progs.folios_kho_restore_folio);
	/* Trace events are the ends of the calls. */
	if (probe->tracepoints[LT_KHO_PRESERVE])
		return f;
	choose(f, bpf->progs.folios_kho_preserve_folio_end);
	choose(f, bpf->progs.folios_kho_unpreserve_folio_end);
	choose(f, bpf->progs.folios_kho_restore_folio_end);
	return f;
}

static void detach(struct tracer_folios *f)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++) {
		bpf_link__destroy(f->links[i]);
		f->links[i] = NULL;
	}
}

void tracer_folios_attach(struct tracer_folios *f)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++) {
		f->links[i] = bpf_program__attach(f->programs[i]);
		if (f->links[i])
			continue;
		msg_error("the sizes of folios are unknown, the functions of KHO for them cannot be traced: %s",
			  strerror(errno));
		detach(f);
		return;
	}
	f->attached = f->nr;
}

static void add_folio(struct lt_folio *to, const struct lt_folio *one)
{
	to->calls += one->calls;
	to->timed += one->timed;
	to->ns += one->ns;
}

static void add_pieces(struct lt_pieces *to, const struct lt_pieces *one)
{
	struct lt_pieces sum = one->most > to->most ? *one : *to;

	sum.calls = to->calls + one->calls;
	sum.small = to->small + one->small;
	sum.ns = to->ns + one->ns;
	sum.large = to->large + one->large;
	sum.rest = to->rest + one->rest;
	*to = sum;
}

/* The values of all CPUs for a slot of a map; their size is a multiple of 8. */
static int read_slot(struct bpf_map *map, __u32 slot, void *cpus, size_t size)
{
	int err = bpf_map__lookup_elem(map, &slot, sizeof(slot), cpus, size, 0);

	if (err)
		msg_error("cannot read the map '%s': %s", bpf_map__name(map),
			  strerror(-err));
	return err;
}

static int read_orders(struct luotrace_bpf *bpf, int nr_cpus, struct lt_folio *cpus,
		       struct folios *all)
{
	int cpu, err = 0;
	__u32 slot;

	for (slot = 0; slot < LT_KHO_ACTIONS * LT_ORDERS && !err; slot++) {
		err = read_slot(bpf->maps.folios, slot, cpus, nr_cpus * sizeof(*cpus));
		for (cpu = 0; cpu < nr_cpus && !err; cpu++)
			add_folio(&all->orders[slot / LT_ORDERS][slot % LT_ORDERS],
				  &cpus[cpu]);
	}
	return err;
}

static int read_pieces(struct luotrace_bpf *bpf, int nr_cpus, struct lt_pieces *cpus,
		       struct folios *all)
{
	int cpu, err = 0;
	__u32 slot;

	for (slot = 0; slot < LT_KHO_ACTIONS && !err; slot++) {
		err = read_slot(bpf->maps.pieces, slot, cpus, nr_cpus * sizeof(*cpus));
		for (cpu = 0; cpu < nr_cpus && !err; cpu++)
			add_pieces(&all->pieces[slot], &cpus[cpu]);
	}
	return err;
}

int tracer_folios_read(const struct tracer_folios *f, struct luotrace_bpf *bpf,
		       int nr_cpus, struct folios *all)
{
	void *cpus;
	int err;

	memset(all, 0, sizeof(*all));
	if (!f || !f->attached)
		return 0;
	cpus = calloc(nr_cpus, sizeof(struct lt_pieces));
	if (!cpus) {
		msg_error("out of memory");
		return -ENOMEM;
	}
	all->known = true;
	all->large_order = bpf->rodata->large_order;
	err = read_orders(bpf, nr_cpus, cpus, all);
	if (!err)
		err = read_pieces(bpf, nr_cpus, cpus, all);
	free(cpus);
	return err;
}

void tracer_folios_free(struct tracer_folios *f)
{
	if (!f)
		return;
	detach(f);
	free(f);
}
