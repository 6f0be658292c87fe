// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "clock.h"
#include "counter.h"
#include "perf_clock.h"

#define NS		1000000000ULL
#define TRIES		8
#define LINE_MIN_NS	10000000ULL	/* of a line whose rate is used */
#define SOURCES		"/sys/devices/system/clocksource/clocksource0/available_clocksource"

uint64_t counter_now(void)
{
#if defined(__x86_64__)
	/* Not before what precedes it is done. */
	_mm_lfence();
	return __rdtsc();
#elif defined(__aarch64__)
	uint64_t counter;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r" (counter) : : "memory");
	return counter;
#else
	return 0;
#endif
}

void counter_pair_read(struct counter_pair *p)
{
	uint64_t least = UINT64_MAX, before, gap, ns;
	int i;

	for (i = 0; i < TRIES; i++) {
		before = counter_now();
		ns = monotonic_ns();
		/* Large, if the thread moved to a CPU whose counter is behind. */
		gap = counter_now() - before;
		if (i && gap >= least)
			continue;
		least = gap;
		p->counter = before + gap / 2;
		p->monotonic_ns = ns;
	}
}

bool counter_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (list += strspn(list, " \n"); *list; list += strspn(list, " \n")) {
		if (strcspn(list, " \n") == length && !strncmp(list, name, length))
			return true;
		list += strcspn(list, " \n");
	}
	return false;
}

#if defined(__x86_64__)
/*
 * The kernel takes a TSC that it does not trust, or no longer, off the list. In the first
 * seconds the TSC has the second name.
 */
static bool is_trusted(void)
{
	char list[256] = "";
	FILE *f = fopen(SOURCES, "re");
	bool ok = f && fgets(list, sizeof(list), f) &&
		  (counter_listed(list, "tsc") || counter_listed(list, "tsc-early"));

	if (f)
		fclose(f);
	return ok;
}

static uint64_t counter_hz(void)
{
	struct perf_scale s;

	/* The kernel counts in kHz. */
	return perf_scale_read(&s) ? (perf_scale_hz(&s) + 500) / 1000 * 1000 : 0;
}
#elif defined(__aarch64__)
static bool is_trusted(void)
{
	return true;
}

static uint64_t counter_hz(void)
{
	uint64_t hz;

	asm volatile("mrs %0, cntfrq_el0" : "=r" (hz));
	return hz;
}
#else
static bool is_trusted(void)
{
	return false;
}

static uint64_t counter_hz(void)
{
	return 0;
}
#endif

bool counter_clock(uint64_t *hz, bool *stable)
{
	*hz = counter_hz();
	*stable = *hz && is_trusted();
	return *hz;
}

bool counter_of_log(int64_t log_ns, uint64_t *counter)
{
	struct perf_scale s;

	return perf_scale_read(&s) && perf_scale_counter(&s, log_ns, counter);
}

void counter_line_begin(struct counter_line *line, const struct counter_pair *first)
{
	bool stable;

	line->first = *first;
	line->last = *first;
	counter_clock(&line->hz, &stable);
}

void counter_line_update(struct counter_line *line, const struct counter_pair *last)
{
	line->last = *last;
}

/* The time between the pairs; 0 if it is too short for a rate, or the counter went back. */
static uint64_t line_span(const struct counter_line *line)
{
	const struct counter_pair *a = &line->first, *b = &line->last;

	if (b->monotonic_ns < a->monotonic_ns || b->counter <= a->counter ||
	    b->monotonic_ns - a->monotonic_ns < LINE_MIN_NS)
		return 0;
	return b->monotonic_ns - a->monotonic_ns;
}

/* The ticks that @ns before the first pair take, or after one of them. */
static unsigned __int128 line_ticks(const struct counter_line *line, uint64_t span,
				    uint64_t ns)
{
	uint64_t near = span && (!line->hz || ns < span) ? ns : span;
	unsigned __int128 ticks = (unsigned __int128)(ns - near) * line->hz / NS;

	if (span)
		ticks += (unsigned __int128)near *
			 (line->last.counter - line->first.counter) / span;
	return ticks;
}

uint64_t counter_line_at(const struct counter_line *line, uint64_t monotonic_ns)
{
	uint64_t span = line_span(line);
	const struct counter_pair *from = &line->first;
	unsigned __int128 ticks;

	if (!from->counter || (!span && !line->hz))
		return 0;
	if (monotonic_ns < from->monotonic_ns) {
		ticks = line_ticks(line, span, from->monotonic_ns - monotonic_ns);
		return ticks < from->counter ? from->counter - (uint64_t)ticks : 0;
	}
	if (span && monotonic_ns > line->last.monotonic_ns)
		from = &line->last;
	ticks = line_ticks(line, span, monotonic_ns - from->monotonic_ns);
	return ticks <= UINT64_MAX - from->counter ? from->counter + (uint64_t)ticks : 0;
}
