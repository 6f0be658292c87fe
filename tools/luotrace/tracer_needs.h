/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The events that options of a tracer need: a BPF program that only returns costs, too, and
 * those of handlers and files run for each file of a freeze.
 */

#ifndef TRACER_NEEDS_H
#define TRACER_NEEDS_H

#include <stdint.h>

#include "probe.h"

struct tracer_options;

/* The events of calls of handlers, subsystems and FLBs. */
#define TRACER_CALLS	(1U << LT_HANDLER_EXIT | 1U << LT_SUBSYSTEM_EXIT | \
			 1U << LT_FLB_EXIT)

/* No event: opens of the device and ioctls, for struct lt_event.opened and .busy_ns. */
#define TRACER_BUSY	(1U << 31)

/**
 * struct tracer_needs - the events to attach to, a bit for each enum lt_type
 * @events: the events
 * @errors: those for which the event is needed that occurs for failures alone
 * @several: those for which the event is needed that has several at a time
 */
struct tracer_needs {
	uint32_t events;
	uint32_t errors;
	uint32_t several;
};

/**
 * tracer_needs - find out which events are needed
 * @options: what is traced
 * @probe:   what the kernel offers
 */
struct tracer_needs tracer_needs(const struct tracer_options *options,
				 const struct probe *probe);

#endif
