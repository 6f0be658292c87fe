// SPDX-License-Identifier: GPL-2.0

/* What all readers of a handover use. */

#define _GNU_SOURCE	/* tdestroy() */

#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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
		/* Names from the table can have any bytes. */
		fmt_text(h->problems[h->nr_problems], HANDOVER_PROBLEM, text);
	}
	h->nr_problems++;
}

const char *handover_field(char *buf, const char *field, size_t size)
{
	memcpy(buf, field, size);
	buf[size] = '\0';
	return buf;
}

uint32_t handover_attributes(const struct handover_record *r)
{
	return r->words[0] >> 32;
}

/* The keys are addresses in another machine. */
static void free_nothing(void *key)
{
	(void)key;
}

void handover_free(struct handover *h)
{
	size_t i;

	for (i = 0; i < h->nr_sessions; i++)
		free(h->sessions[i].files);
	free(h->sessions);
	free(h->flbs);
	free(h->entries);
	tdestroy(h->blocks, free_nothing);
}
