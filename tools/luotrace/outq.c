// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outq.h"

/* A pipe that is writable takes at least PIPE_BUF. */
#define AT_ONCE	4096

size_t outq_left(const struct outq *q)
{
	return q->used - q->at;
}

bool outq_add(struct outq *q, const char *text)
{
	size_t len = strlen(text), room;
	char *grown;

	if (q->used + len + 1 > q->room) {
		if (q->at)
			memmove(q->text, q->text + q->at, outq_left(q));
		q->used = outq_left(q);
		q->at = 0;
		room = 2 * (q->used + len + 1);
		grown = room > q->room ? realloc(q->text, room) : q->text;
		if (!grown)
			return false;
		q->text = grown;
		q->room = room > q->room ? room : q->room;
	}
	memcpy(q->text + q->used, text, len);
	q->text[q->used + len] = '\n';
	q->used += len + 1;
	return true;
}

int outq_write(struct outq *q)
{
	struct pollfd p = { .fd = q->fd, .events = POLLOUT };
	size_t left;
	ssize_t n;

	/* The descriptor stays blocking: other processes can have it, too. */
	while (outq_left(q) && poll(&p, 1, 0) > 0) {
		left = outq_left(q);
		n = write(q->fd, q->text + q->at, left < AT_ONCE ? left : AT_ONCE);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR) {
			q->at = q->used;
			return -errno;
		}
		if (n > 0)
			q->at += n;
	}
	return 0;
}

void outq_free(struct outq *q)
{
	free(q->text);
	q->text = NULL;
	q->at = q->used = q->room = 0;
}
