/* SPDX-License-Identifier: GPL-2.0 */

/* Output that waits for its reader, so that nothing else has to. */

#ifndef OUTQ_H
#define OUTQ_H

#include <stdbool.h>
#include <stddef.h>

/* What may wait: some 100,000 leaks. */
#define OUTQ_MAX	(16 << 20)

/**
 * struct outq - what is not written yet
 * @fd:	  where to
 * @text: the text
 * @at:	  of it, written
 * @used: bytes of @text
 * @room: for so many
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

/** outq_add - have a text and a newline written; false if there is no memory */
bool outq_add(struct outq *q, const char *text);

/**
 * outq_write - write what the reader takes without delay
 *
 * Return: 0, or a negative errno; what is left is lost then.
 */
int outq_write(struct outq *q);

/** outq_free - forget what is left */
void outq_free(struct outq *q);

#endif
