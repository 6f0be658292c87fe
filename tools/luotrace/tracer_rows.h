/* SPDX-License-Identifier: GPL-2.0 */

/* The maps that calls are counted in, for tracer.c. */

#ifndef TRACER_ROWS_H
#define TRACER_ROWS_H

struct luotrace_bpf;
struct tracer_row;

/** tracer_rows_read - see tracer_read_rows() */
int tracer_rows_read(struct luotrace_bpf *bpf, struct tracer_row **rows);

#endif
