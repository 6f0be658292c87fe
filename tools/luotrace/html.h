/* SPDX-License-Identifier: GPL-2.0 */

/* A report as one HTML page without scripts and other files. */

#ifndef HTML_H
#define HTML_H

#include <stdio.h>

#include "trace_file.h"

/**
 * html_page - write the page
 * @traces: in the order in which they were recorded
 * @nr:	    how many, at least one
 * @f:	    where to
 */
void html_page(struct trace_file *const *traces, int nr, FILE *f);

/** html_begin - the head of a page, up to its body; html_end() ends it */
void html_begin(const char *title, FILE *f);

/** html_end - the end of a page */
void html_end(FILE *f);

#endif
