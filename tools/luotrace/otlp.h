/* SPDX-License-Identifier: GPL-2.0 */

/* A report as traces that an OpenTelemetry collector takes. */

#ifndef OTLP_H
#define OTLP_H

#include <stdbool.h>
#include <stdio.h>

#include "trace_file.h"

/**
 * otlp_write - write the traces, as messages of OTLP in JSON
 * @traces: in the order in which they were recorded
 * @nr:	    how many, at least one
 * @f:	    where to
 *
 * A live update is a trace over both kernels: its root is the update, below it are the
 * phases of the blackout, the sessions in them, and their calls; all times are those of
 * trace_clock.h. Of a kernel without a trace it has what the record of LUO has, the
 * longest sessions and calls. A message is a line of less than 1 MiB; a trace can have
 * several. The ids follow from the update: two reports of it have the same ones.
 *
 * Return: false if it cannot be written, or if out of memory.
 */
bool otlp_write(struct trace_file *const *traces, int nr, FILE *f);

#endif
