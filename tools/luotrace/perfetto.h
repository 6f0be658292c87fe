/* SPDX-License-Identifier: GPL-2.0 */

/* A report as a trace that ui.perfetto.dev and chrome://tracing open. */

#ifndef PERFETTO_H
#define PERFETTO_H

#include <jansson.h>

#include "trace_file.h"

/**
 * perfetto_json - make the trace
 * @traces: in the order in which they were recorded
 * @nr:	    how many, at least one
 *
 * A process of the trace is a recorded kernel, or the blackout as LUO itself
 * recorded it; a thread is a thread of that kernel. All times are microseconds
 * since the beginning of that process's record.
 *
 * Return: the object, in the Trace Event Format.
 */
json_t *perfetto_json(struct trace_file *const *traces, int nr);

#endif
