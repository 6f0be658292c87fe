// SPDX-License-Identifier: GPL-2.0

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hist.h"
#include "tracer.h"
#include "luotrace.skel.h"
#include "msg.h"
#include "tracer_box.h"
#include "tracer_flights.h"
#include "tracer_folios.h"
#include "tracer_needs.h"
#include "tracer_rows.h"
#include "tracer_stacks.h"
#include "tracer_stock.h"

struct tracer {
	struct luotrace_bpf *bpf;
	struct tracer_stock *stock;	/* NULL if the kernel has trace events */
	struct tracer_folios *folios;	/* NULL if they are not counted */
	struct tracer_box *box;		/* NULL without a black box */
	struct tracer_stacks *stacks;	/* NULL without stacks */
	struct ring_buffer *ring;
	void (*event)(const struct lt_event *e, void *data);
	void *data;
	int nr_cpus;
	int stats;	/* keeps the statistics of BPF on while it is open, or -1 */
	bool has_stats;
	uint64_t began;
	struct observer attached; /* what had run when everything was attached */
};

static int tracer_on_event(void *ctx, void *data, size_t size)
{
	struct tracer *t = ctx;

	if (size >= sizeof(struct lt_event))
		t->event(data, t->data);
	return 0;
}

static void tracer_choose_one(struct luotrace_bpf *bpf, const char *tracepoint,
			      bool chosen)
{
	struct bpf_program *prog;
	char name[64];

	snprintf(name, sizeof(name), "on_%s", tracepoint);
	prog = bpf_object__find_program_by_name(bpf->obj, name);
	if (prog)
		bpf_program__set_autoload(prog, chosen);
}

/* Leave out programs whose event this kernel does not have, or that is not needed. */
static void tracer_choose(struct luotrace_bpf *bpf, const struct probe *probe,
			  const struct tracer_needs *needs)
{
	int type;

	for (type = 0; type < LT_NR_TYPES; type++) {
		uint32_t event = 1U << type;

		tracer_choose_one(bpf, probe_tracepoint(type), probe->tracepoints[type] &&
				  needs->events & event & ~needs->errors & ~needs->several);
		if (probe_error_tracepoint(type))
			tracer_choose_one(bpf, probe_error_tracepoint(type),
					  needs->errors & event);
		if (probe_several_tracepoint(type))
			tracer_choose_one(bpf, probe_several_tracepoint(type),
					  needs->several & event);
	}
}

/* The same for maps, which take memory, some for every possible CPU. */
static void tracer_choose_maps(struct luotrace_bpf *bpf, const struct probe *probe,
			       const struct tracer_options *options)
{
	bool stock = probe->flavour == FLAVOUR_STOCK;

	bpf_map__set_autocreate(bpf->maps.rows, options->count_calls);
	bpf_map__set_autocreate(bpf->maps.known, options->count_calls);
	bpf_map__set_autocreate(bpf->maps.others, options->count_calls);
	bpf_map__set_autocreate(bpf->maps.empty_row, options->count_calls);
	bpf_map__set_autocreate(bpf->maps.slowest, options->count_calls);
	bpf_map__set_autocreate(bpf->maps.flights, options->keep_flights);
	bpf_map__set_autocreate(bpf->maps.kho, options->count_memory);
	bpf_map__set_autocreate(bpf->maps.folio_tasks, options->count_folios);
	bpf_map__set_autocreate(bpf->maps.folios, options->count_folios);
	bpf_map__set_autocreate(bpf->maps.pieces, options->count_folios);
	bpf_map__set_autocreate(bpf->maps.stock_tasks, stock);
	bpf_map__set_autocreate(bpf->maps.stock_empty, stock);
	bpf_map__set_autocreate(bpf->maps.stack_calls, options->stacks);
	bpf_map__set_autocreate(bpf->maps.stack_call_empty, options->stacks);
	bpf_map__set_autocreate(bpf->maps.stacks, options->stacks);
	bpf_map__set_autocreate(bpf->maps.stack_sums, options->stacks);
	bpf_map__set_autocreate(bpf->maps.stack_buffer, options->stacks);
	bpf_map__set_autocreate(bpf->maps.box_memory, options->box_pages);
	bpf_map__set_autocreate(bpf->maps.box_guests, options->box_pages);
	if (options->buffer_kib)
		bpf_map__set_max_entries(bpf->maps.events,
					 options->buffer_kib * 1024);
}

static void tracer_configure(struct luotrace_bpf *bpf,
			     const struct tracer_options *options)
{
	if (options->session)
		strncpy((char *)bpf->rodata->want_session, options->session,
			LT_NAME_LEN - 1);
	if (options->handler)
		strncpy((char *)bpf->rodata->want_handler, options->handler,
			LT_COMPAT_LEN - 1);
	bpf->rodata->want_ops = options->ops;
	bpf->rodata->want_min_ns = options->min_ns;
	bpf->rodata->want_errors = options->errors;
	bpf->rodata->stream = options->stream;
	bpf->rodata->count_calls = options->count_calls;
	bpf->rodata->count_memory = options->count_memory;
	bpf->rodata->count_folios = options->count_folios;
	bpf->rodata->count_by = options->by;
	bpf->rodata->keep_flights = options->keep_flights;
	bpf->rodata->whole_sessions = options->whole_sessions;
}

#define STATS_PATH	"/proc/sys/kernel/bpf_stats_enabled"

/* Have the kernel measure its BPF programs, which only CAP_SYS_ADMIN may ask for. */
static void tracer_begin_stats(struct tracer *t)
{
	struct observer attached;
	FILE *f;
	int on;

	t->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	t->has_stats = t->stats >= 0;
	f = t->has_stats ? NULL : fopen(STATS_PATH, "re");
	if (f) {
		t->has_stats = fscanf(f, "%d", &on) == 1 && on;
		fclose(f);
	}
	t->began = monotonic_ns();
	/* What is 0 up to now is subtracted. */
	tracer_read_observer(t, &attached);
	t->attached = attached;
}

/* Choose what is needed, before it is loaded; false after a message. */
static bool tracer_prepare(struct tracer *t, const struct probe *probe,
			   const struct tracer_options *options)
{
	const struct tracer_needs needs = tracer_needs(options, probe);

	t->bpf = luotrace_bpf__open();
	if (!t->bpf) {
		msg_error("cannot open the BPF programs: %s", strerror(errno));
		return false;
	}
	tracer_choose(t->bpf, probe, &needs);
	if (probe->flavour == FLAVOUR_STOCK) {
		t->stock = tracer_stock_choose(t->bpf, probe, needs.events);
		if (!t->stock)
			return false;
	}
	if (options->count_folios) {
		t->folios = tracer_folios_choose(t->bpf, probe);
		if (!t->folios)
			return false;
	}
	if (options->box_pages) {
		t->box = tracer_box_choose(t->bpf);
		if (!t->box)
			return false;
	}
	if (options->stacks) {
		t->stacks = tracer_stacks_choose(t->bpf, options->stacks_ns);
		if (!t->stacks)
			return false;
	}
	tracer_choose_maps(t->bpf, probe, options);
	tracer_configure(t->bpf, options);
	return true;
}

/* Undo it. */
static void tracer_unload(struct tracer *t)
{
	tracer_stacks_free(t->stacks);
	tracer_stock_free(t->stock);
	tracer_folios_free(t->folios);
	tracer_box_free(t->box);
	luotrace_bpf__destroy(t->bpf);
	t->stacks = NULL;
	t->stock = NULL;
	t->folios = NULL;
	t->box = NULL;
	t->bpf = NULL;
}

static bool tracer_load(struct tracer *t, const struct probe *probe,
			const struct tracer_options *options)
{
	struct tracer_options without = *options;
	int err;

	if (!tracer_prepare(t, probe, options))
		return false;
	err = luotrace_bpf__load(t->bpf);
	/* A kernel can lack what only stacks need. */
	if (err && options->stacks) {
		msg_error("no stacks: the kernel rejected the programs for them: %s; it needs CONFIG_PERF_EVENTS=y and CONFIG_BPF_EVENTS=y; -v shows its messages",
			  strerror(-err));
		without.stacks = false;
		tracer_unload(t);
		if (!tracer_prepare(t, probe, &without))
			return false;
		err = luotrace_bpf__load(t->bpf);
	}
	if (err)
		msg_error("the kernel rejected the BPF programs: %s; -v shows its messages",
			  strerror(-err));
	return !err;
}

static bool tracer_attach(struct tracer *t, const struct tracer_options *options)
{
	int err;

	t->ring = ring_buffer__new(bpf_map__fd(t->bpf->maps.events),
				   tracer_on_event, t, NULL);
	if (!t->ring) {
		msg_error("cannot map the ring buffer: %s", strerror(errno));
		return false;
	}
	err = luotrace_bpf__attach(t->bpf);
	if (err) {
		msg_error("cannot attach to the trace events: %s",
			  strerror(-err));
		return false;
	}
	if (t->stock)
		tracer_stock_attach(t->stock);
	if (t->folios)
		tracer_folios_attach(t->folios);
	if (t->box && !tracer_box_attach(t->box, t->bpf, options->box_pages))
		return false;
	if (t->stacks)
		tracer_stacks_attach(t->stacks, t->bpf);
	/* The box must not prolong the blackout. */
	if (!options->box_pages)
		tracer_begin_stats(t);
	t->bpf->bss->ready = true;
	return true;
}

struct tracer *tracer_open(const struct probe *probe,
			   const struct tracer_options *options,
			   void (*event)(const struct lt_event *e, void *data),
			   void *data)
{
	struct tracer *t = calloc(1, sizeof(*t));

	if (!t) {
		msg_error("out of memory");
		return NULL;
	}
	t->event = event;
	t->data = data;
	t->stats = -1;

	t->nr_cpus = libbpf_num_possible_cpus();
	if (t->nr_cpus < 0) {
		msg_error("cannot get the number of CPUs: %s",
			  strerror(-t->nr_cpus));
		goto fail;
	}
	if (tracer_load(t, probe, options) && tracer_attach(t, options))
		return t;

fail:
	tracer_close(t);
	return NULL;
}

void tracer_close(struct tracer *t)
{
	if (!t)
		return;
	ring_buffer__free(t->ring);
	tracer_unload(t);
	if (t->stats >= 0)
		close(t->stats);
	free(t);
}

int tracer_poll(struct tracer *t, int wait_ms)
{
	int n = ring_buffer__poll(t->ring, wait_ms);

	return n < 0 ? n : 0;
}

int tracer_guests_fd(const struct tracer *t)
{
	return t->box ? bpf_map__fd(t->bpf->maps.box_guests) : -1;
}

const struct box_reboot *tracer_box_failed(const struct tracer *t)
{
	return t->box ? &t->bpf->bss->box_failed.reboot : NULL;
}

const struct box_reboot *tracer_box(const struct tracer *t)
{
	return t->box ? &t->bpf->bss->box.reboot : NULL;
}

int tracer_fd(const struct tracer *t)
{
	return ring_buffer__epoll_fd(t->ring);
}

/* Read the values of all CPUs for a key of a map: an array, to be freed. */
static void *tracer_percpu(struct tracer *t, struct bpf_map *map,
			   const void *key, size_t key_size)
{
	size_t size = bpf_map__value_size(map);
	size_t all = ((size + 7) & ~(size_t)7) * t->nr_cpus;
	void *values = calloc(1, all);
	int err;

	if (!values) {
		msg_error("out of memory");
		return NULL;
	}
	err = bpf_map__lookup_elem(map, key, key_size, values, all, 0);
	if (err) {
		msg_error("cannot read the map '%s': %s", bpf_map__name(map),
			  strerror(-err));
		free(values);
		return NULL;
	}
	return values;
}

int tracer_read_rows(struct tracer *t, struct tracer_row **rows)
{
	return tracer_rows_read(t->bpf, rows);
}

int tracer_rows_since(struct tracer_row *rows, int nr,
		      const struct tracer_row *earlier, int nr_earlier)
{
	int i, j, n = 0;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < nr_earlier &&
		     memcmp(&earlier[j].key, &rows[i].key, sizeof(rows[i].key)); j++)
			;
		if (j < nr_earlier)
			hist_subtract(&rows[i].calls, &earlier[j].calls);
		if (rows[i].calls.count)
			rows[n++] = rows[i];
	}
	return n;
}

static int tracer_compare_slow(const void *a, const void *b)
{
	const struct lt_slow *x = a, *y = b;

	if (x->duration_ns != y->duration_ns)
		return x->duration_ns < y->duration_ns ? 1 : -1;
	return x->ts < y->ts ? -1 : x->ts > y->ts;
}

int tracer_read_slowest(struct tracer *t, struct lt_slow *calls,
			unsigned int max)
{
	unsigned int n = 0, all = t->nr_cpus * LT_SLOWEST;
	struct lt_slowest *cpus;
	struct lt_slow *flat;
	__u32 zero = 0;
	int cpu;

	cpus = tracer_percpu(t, t->bpf->maps.slowest, &zero, sizeof(zero));
	flat = calloc(all, sizeof(*flat));
	if (!cpus || !flat) {
		free(cpus);
		free(flat);
		return -EIO;
	}
	for (cpu = 0; cpu < t->nr_cpus; cpu++)
		memcpy(flat + cpu * LT_SLOWEST, cpus[cpu].calls,
		       sizeof(cpus[cpu].calls));
	qsort(flat, all, sizeof(*flat), tracer_compare_slow);
	while (n < max && n < all && flat[n].duration_ns) {
		calls[n] = flat[n];
		n++;
	}
	free(cpus);
	free(flat);
	return n;
}

int tracer_read_flights(struct tracer *t, struct lt_flight **flights)
{
	return tracer_flights_read(t->bpf->maps.flights, flights);
}

void tracer_add_flight(struct tracer *t, unsigned int pid, unsigned int tid)
{
	tracer_flights_add(t->bpf->maps.flights, pid, tid);
}

void tracer_drop_flight(struct tracer *t, const struct lt_flight *call)
{
	tracer_flights_drop(t->bpf->maps.flights, call);
}

int tracer_read_kho(struct tracer *t,
		    struct lt_kho sum[LT_KHO_ACTIONS][LT_KHO_KINDS])
{
	struct lt_kho *cpus, *to;
	__u32 slot;
	int cpu;

	memset(sum, 0, sizeof(*to) * LT_KHO_ACTIONS * LT_KHO_KINDS);
	for (slot = 0; slot < LT_KHO_ACTIONS * LT_KHO_KINDS; slot++) {
		cpus = tracer_percpu(t, t->bpf->maps.kho, &slot, sizeof(slot));
		if (!cpus)
			return -EIO;
		to = &sum[slot / LT_KHO_KINDS][slot % LT_KHO_KINDS];
		for (cpu = 0; cpu < t->nr_cpus; cpu++) {
			to->calls += cpus[cpu].calls;
			to->errors += cpus[cpu].errors;
			to->pages += cpus[cpu].pages;
		}
		free(cpus);
	}
	return 0;
}

bool tracer_read_stacks(struct tracer *t, struct stack_reading *r)
{
	return t->stacks && tracer_stacks_read(t->stacks, t->bpf, r);
}

int tracer_read_folios(struct tracer *t, struct folios *all)
{
	return tracer_folios_read(t->folios, t->bpf, t->nr_cpus, all);
}

const char *tracer_skipped(const struct tracer *t, unsigned int nr)
{
	return tracer_stock_skipped(t->stock, nr);
}

/* What the kernel knows of all programs together. */
static void tracer_sum_programs(struct tracer *t, struct bpf_prog_info *sum)
{
	struct bpf_program *prog;
	struct bpf_prog_info info;
	__u32 len;

	memset(sum, 0, sizeof(*sum));
	bpf_object__for_each_program(prog, t->bpf->obj) {
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		if (bpf_program__fd(prog) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		sum->recursion_misses += info.recursion_misses;
		sum->run_time_ns += info.run_time_ns;
		sum->run_cnt += info.run_cnt;
	}
}

void tracer_read_observer(struct tracer *t, struct observer *o)
{
	struct bpf_prog_info sum;

	*o = OBSERVER_NOTHING;
	if (t->began)
		o->observed_ns = monotonic_ns() - t->began;
	if (!t->has_stats)
		return;
	tracer_sum_programs(t, &sum);
	o->run_ns = sum.run_time_ns - t->attached.run_ns;
	o->runs = sum.run_cnt - t->attached.runs;
}

void tracer_read_lost(struct tracer *t, struct tracer_lost *lost)
{
	struct bpf_prog_info sum;
	struct lt_lost *cpus;
	__u32 zero = 0;
	int cpu;

	memset(lost, 0, sizeof(*lost));
	while (tracer_skipped(t, lost->functions))
		lost->functions++;
	cpus = tracer_percpu(t, t->bpf->maps.lost, &zero, sizeof(zero));
	for (cpu = 0; cpus && cpu < t->nr_cpus; cpu++) {
		lost->events += cpus[cpu].events;
		lost->rows += cpus[cpu].rows;
		lost->flights += cpus[cpu].flights;
	}
	free(cpus);

	tracer_sum_programs(t, &sum);
	lost->missed = sum.recursion_misses;
}
