// SPDX-License-Identifier: GPL-2.0

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracer_stacks.h"
#include "luotrace.skel.h"
#include "msg.h"

/* Not that of the kernel's own ticks: then all samples would be at the same places. */
#define TICKS_HZ	997
#define PERIOD_NS	(1000000000ULL / TICKS_HZ)

struct tracer_stacks {
	uint64_t min_ns;
	int nr_cpus;
	const char *why_none;	/* why there are no clocks, NULL if there are */
	struct bpf_link *links[];
};

struct tracer_stacks *tracer_stacks_choose(struct luotrace_bpf *bpf, uint64_t min_ns)
{
	int nr_cpus = libbpf_num_possible_cpus();
	struct tracer_stacks *s;

	s = nr_cpus > 0 ? calloc(1, sizeof(*s) + nr_cpus * sizeof(s->links[0])) : NULL;
	if (!s) {
		msg_error("out of memory");
		return NULL;
	}
	s->min_ns = min_ns;
	s->nr_cpus = nr_cpus;
	bpf_program__set_autoload(bpf->progs.stacks_tick, true);
	bpf_program__set_autoload(bpf->progs.stacks_switch, true);
	bpf->rodata->want_stacks = true;
	bpf->rodata->want_stacks_ns = min_ns;
	bpf->rodata->stack_period_ns = PERIOD_NS;
	return s;
}

/* A clock of a CPU: a virtual machine may have no counters, but it has this one. */
static struct bpf_link *attach_clock(struct bpf_program *prog, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD_NS,
	};
	struct bpf_link *link;
	int fd, err;

	fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(prog, fd);
	if (!link) {
		err = errno;
		close(fd);
		errno = err;
	}
	return link;
}

void tracer_stacks_attach(struct tracer_stacks *s, struct luotrace_bpf *bpf)
{
	int cpu, nr = 0, err = ENODEV;

	for (cpu = 0; cpu < s->nr_cpus; cpu++) {
		s->links[cpu] = attach_clock(bpf->progs.stacks_tick, cpu);
		nr += s->links[cpu] != NULL;
		/* A CPU that is offline has none. */
		if (!s->links[cpu] && errno != ENODEV)
			err = errno;
	}
	if (nr && err == ENODEV)
		return;
	/* Time on some of the CPUs would be taken for all of it. */
	for (cpu = 0; cpu < s->nr_cpus; cpu++) {
		bpf_link__destroy(s->links[cpu]);
		s->links[cpu] = NULL;
	}
	s->why_none = strerror(err);
	msg_error("stacks lack the time on a CPU, the kernel gives no perf event: %s",
		  s->why_none);
}

/* All entries of a hash: keys and values, for free(). Their number, or -1. */
static int read_hash(struct bpf_map *map, void **keys, void **values)
{
	size_t key_size = bpf_map__key_size(map), size = bpf_map__value_size(map);
	int max = bpf_map__max_entries(map), n = 0;
	char *key, *prev = NULL;

	*keys = calloc(max, key_size);
	*values = calloc(max, size);
	while (*keys && *values && n < max) {
		key = (char *)*keys + n * key_size;
		if (bpf_map__get_next_key(map, prev, key, key_size))
			break;
		prev = key;
		/* Both are still growing, and nothing is ever removed. */
		if (!bpf_map__lookup_elem(map, key, key_size,
					  (char *)*values + n * size, size, 0))
			n++;
	}
	return *keys && *values ? n : -1;
}

static int compare_numbers(const void *a, const void *b)
{
	const struct numbered_stack *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static bool read_stacks(struct bpf_map *map, struct stack_reading *r)
{
	struct lt_stack *stacks;
	__u32 *numbers;
	int i;

	r->nr_stacks = read_hash(map, (void **)&stacks, (void **)&numbers);
	if (r->nr_stacks >= 0)
		r->stacks = calloc(r->nr_stacks + 1, sizeof(*r->stacks));
	for (i = 0; r->stacks && i < r->nr_stacks; i++) {
		r->stacks[i].number = numbers[i];
		r->stacks[i].stack = stacks[i];
	}
	if (r->stacks)
		qsort(r->stacks, r->nr_stacks, sizeof(*r->stacks), compare_numbers);
	free(stacks);
	free(numbers);
	return r->stacks;
}

static bool read_sums(struct bpf_map *map, struct stack_reading *r)
{
	struct lt_stack_key *keys;
	struct lt_stack_sum *sums;
	int i;

	r->nr_sums = read_hash(map, (void **)&keys, (void **)&sums);
	if (r->nr_sums >= 0)
		r->sums = calloc(r->nr_sums + 1, sizeof(*r->sums));
	for (i = 0; r->sums && i < r->nr_sums; i++) {
		r->sums[i].key = keys[i];
		r->sums[i].sum = sums[i];
	}
	free(keys);
	free(sums);
	return r->sums;
}

bool tracer_stacks_read(struct tracer_stacks *s, struct luotrace_bpf *bpf,
			struct stack_reading *r)
{
	memset(r, 0, sizeof(*r));
	r->min_ns = s->min_ns;
	r->period_ns = s->why_none ? 0 : PERIOD_NS;
	r->lost = bpf->bss->stack_lost;
	/* The sums first: each is of a stack that is there by then. */
	if (read_sums(bpf->maps.stack_sums, r) && read_stacks(bpf->maps.stacks, r))
		return true;
	msg_error("out of memory");
	free(r->sums);
	return false;
}

void tracer_stacks_free(struct tracer_stacks *s)
{
	int i;

	for (i = 0; s && i < s->nr_cpus; i++)
		bpf_link__destroy(s->links[i]);
	free(s);
}
