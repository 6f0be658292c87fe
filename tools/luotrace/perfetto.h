/* SPDX-License-Identifier: GPL-2.0 */

/* A report as a trace that ui.perfetto.dev and chrome://tracing open. */

#ifndef PERFETTO_H
#define PERFETTO_H

#include <stdbool.h>
#include <stdio.h>

#include "trace_file.h"

/**
 * perfetto_write - write the trace, in the Trace Event Format
 * @traces: in the order in which they were recorded
 * @nr:	    how many, at least one
 * @f:	    where to
 *
 * A process of the trace is a recorded kernel, or the blackout as LUO itself recorded it.
 * Each thread of a kernel has a track with its calls, each session one with its phases;
 * spans that would overlap go to a further track. Files and memory are counters. All times
 * are microseconds since the earliest one, on the clock of trace_clock.h.
 *
 * Return: false if it cannot be written, or if out of memory.
 */
bool perfetto_write(struct trace_file *const *traces, int nr, FILE *f);

#endif
