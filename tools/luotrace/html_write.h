/* SPDX-License-Identifier: GPL-2.0 */

/* How text, names and cells become HTML. For the parts of the page only. */

#ifndef HTML_WRITE_H
#define HTML_WRITE_H

#include <stdint.h>
#include <stdio.h>

#include "fmt.h"
#include "timeline.h"

#define NAME_BUF	(4 * LT_NAME_LEN + 1)
#define WIDTH		960	/* units of a drawing */

/* Text without markup. */
static inline void quoted(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '>')
			fputs("&gt;", f);
		else if (*s == '&')
			fputs("&amp;", f);
		else if (*s == '\'')
			fputs("&#39;", f);
		else if (*s == '"')
			fputs("&quot;", f);
		else
			fputc(*s, f);
	}
}

/* A sentence with spelled names. */
static inline void text(FILE *f, const char *s)
{
	char spelled[4 * TIMELINE_TEXT];

	quoted(f, fmt_text(spelled, sizeof(spelled), s));
}

/* A name, spelled. */
static inline void name(FILE *f, const char *s)
{
	char spelled[NAME_BUF];

	quoted(f, fmt_label(spelled, sizeof(spelled), s));
}

/* Cells of a table; @class can be NULL. */
static inline void cell(FILE *f, const char *class, const char *value)
{
	fprintf(f, "<td%s%s>", class ? " class=" : "", class ? class : "");
	text(f, value);
	fputs("</td>", f);
}

static inline void cell_name(FILE *f, const char *value)
{
	fputs("<td>", f);
	name(f, value);
	fputs("</td>", f);
}

static inline void cell_ns(FILE *f, uint64_t ns)
{
	char buf[FMT_LEN];

	cell(f, "n", fmt_ns(buf, ns));
}

static inline void cell_number(FILE *f, uint64_t n)
{
	fprintf(f, "<td class=n>%llu</td>", (unsigned long long)n);
}

#endif
