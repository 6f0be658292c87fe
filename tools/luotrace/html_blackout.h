/* SPDX-License-Identifier: GPL-2.0 */

/* The blackout as a section of the page. For html.c. */

#ifndef HTML_BLACKOUT_H
#define HTML_BLACKOUT_H

#include <stdbool.h>
#include <stdio.h>

#include "trace_file.h"

/**
 * html_blackout - write the section
 * @t:		a trace or an update, with a record
 * @has_events: whether an event of one of the traces is of its live update
 * @f:		where to
 */
void html_blackout(const struct trace_file *t, bool has_events, FILE *f);

#endif
