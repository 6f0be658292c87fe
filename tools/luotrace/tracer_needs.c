// SPDX-License-Identifier: GPL-2.0

#include <stddef.h>

#include "tracer.h"
#include "tracer_needs.h"

#define ENTERS	(1U << LT_HANDLER_ENTER | 1U << LT_SUBSYSTEM_ENTER | 1U << LT_FLB_ENTER)

/* Not the begin of a call of a handler: its folios are counted when it ends. */
#define FOLIOS	(TRACER_CALLS | 1U << LT_SUBSYSTEM_ENTER | 1U << LT_FLB_ENTER)

#define MEMORY	(1U << LT_KHO_PRESERVE | 1U << LT_KHO_UNPRESERVE | \
		 1U << LT_KHO_RESTORE)

#define BOX	(TRACER_CALLS | TRACER_BUSY | 1U << LT_PHASE_BEGIN | \
		 1U << LT_PHASE_END)

/*
 * The events of each option beside what is streamed; and whether it is for failures alone
 * with the option errors.
 */
static const struct {
	size_t option;
	uint32_t events;
	bool filtered;
} options_need[] = {
	{ offsetof(struct tracer_options, count_calls), TRACER_CALLS, true },
	{ offsetof(struct tracer_options, keep_flights), ENTERS | TRACER_CALLS, false },
	{ offsetof(struct tracer_options, stacks), ENTERS | TRACER_CALLS, false },
	{ offsetof(struct tracer_options, count_folios), FOLIOS, false },
	{ offsetof(struct tracer_options, count_memory), MEMORY, false },
};

/* The events whose calls are only counted, by handler and all of them. */
static uint32_t needs_counts(const struct tracer_options *options)
{
	if (!options->count_calls || options->by != LT_BY_HANDLER || options->session ||
	    options->handler || options->min_ns || options->errors ||
	    options->keep_flights || options->stacks || options->box_pages)
		return 0;
	return TRACER_CALLS & ~options->stream;
}

struct tracer_needs tracer_needs(const struct tracer_options *options,
				 const struct probe *probe)
{
	/* With whole sessions only the session filters what is streamed. */
	uint32_t all = options->whole_sessions ? options->stream : 0;
	struct tracer_needs needs = { .events = options->stream };
	unsigned int i;

	if (options->box_pages)
		all |= BOX;
	for (i = 0; i < sizeof(options_need) / sizeof(options_need[0]); i++) {
		if (!*((const bool *)options + options_need[i].option))
			continue;
		needs.events |= options_need[i].events;
		if (!options_need[i].filtered)
			all |= options_need[i].events;
	}
	needs.events |= all;
	for (i = 0; i < LT_NR_TYPES; i++) {
		if (options->errors)
			needs.errors |= (uint32_t)probe->errors[i] << i;
		needs.several |= (uint32_t)probe->several[i] << i;
	}
	needs.errors &= needs.events & ~all;
	needs.several &= needs.events & needs_counts(options);
	return needs;
}
