// SPDX-License-Identifier: GPL-2.0

/* What both readers of a handover use: handover_tree.c and handover_arrays.c. */

#include <stdarg.h>
#include <stdlib.h>

#include "fmt.h"
#include "handover.h"

void handover_problem(struct handover *h, const char *fmt, ...)
{
	char text[HANDOVER_PROBLEM];
	va_list ap;

	if (h->nr_problems < HANDOVER_PROBLEMS) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		/* Names from the tree can have any bytes. */
		fmt_text(h->problems[h->nr_problems], HANDOVER_PROBLEM, text);
	}
	h->nr_problems++;
}

void handover_free(struct handover *h)
{
	size_t i;

	for (i = 0; i < h->nr_sessions; i++)
		free(h->sessions[i].files);
	free(h->sessions);
	free(h->flbs);
	free(h->entries);
}
