/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Places traces and the blackout between them on one clock, the wall clock of the old
 * kernel. For the formats of report that are read by other programs.
 */

#ifndef TRACE_CLOCK_H
#define TRACE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "blackout.h"
#include "trace_file.h"

/**
 * trace_clock_has_blackout - whether a trace tells of a blackout that is to be shown
 * @traces: the traces, in order
 * @nr:	    how many
 * @at:	    the one that is asked about
 *
 * Return: false if it has none, if another one tells more of the same, and for the first
 *	   of several traces, which is of the old kernel.
 */
bool trace_clock_has_blackout(struct trace_file *const *traces, int nr, int at);

/**
 * trace_clock_span - when a phase of a blackout began
 * @t:	   the trace that has its record
 * @b:	   the blackout
 * @s:	   the phase
 * @begin: set to ns since 1970
 *
 * Return: false if that is unknown.
 */
bool trace_clock_span(const struct trace_file *t, const struct blackout *b, enum span s,
		      uint64_t *begin);

/**
 * trace_clock_begin - when a trace began
 * @traces: the traces, in order
 * @nr:	    how many
 * @at:	    the one that is asked about, which has events
 *
 * The wall clock can be set while a kernel runs, or between the kernels. A kernel whose
 * marks are in the record of a blackout is placed relative to it by its own monotonic
 * clock, to the nanosecond.
 *
 * Return: ns since 1970.
 */
uint64_t trace_clock_begin(struct trace_file *const *traces, int nr, int at);

#endif
