/* SPDX-License-Identifier: GPL-2.0 */

/* A queue of output for a slow reader, so that tracing does not wait. For watch.c. */

#ifndef OUTQ_H
#define OUTQ_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that can wait: some 100,000 leaks. */
#define OUTQ_MAX	(16 << 20)

/**
 * struct outq - a queue of output
 * @fd:	  where it is written
 * @text: the text
 * @at:	  bytes of it that are written
 * @used: bytes of @text
 * @room: allocated bytes
 */
struct outq {
	int fd;
	char *text;
	size_t at;
	size_t used;
	size_t room;
};

/** outq_left - bytes that are not written yet */
size_t outq_left(const struct outq *q);

/** outq_add - queue a text and a newline; false if out of memory */
bool outq_add(struct outq *q, const char *text);

/**
 * outq_write - write as much as possible without blocking
 *
 * Return: 0, or a negative errno; then the rest is dropped.
 */
int outq_write(struct outq *q);

/** outq_free - drop the rest */
void outq_free(struct outq *q);

#endif
