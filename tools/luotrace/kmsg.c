// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"

int kmsg_open(void)
{
	return open(KMSG_PATH, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* "PRIO,SEQ,US,FLAGS[,MORE];TEXT\n", then lines of a dictionary. */
static bool kmsg_parse(struct kmsg *k)
{
	unsigned long long seq, us;
	unsigned int prio;

	k->text = strchr(k->buf, ';');
	if (!k->text || sscanf(k->buf, "%u,%llu,%llu,", &prio, &seq, &us) != 3)
		return false;
	k->text++;
	k->text[strcspn(k->text, "\n")] = '\0';
	k->kernel = !(prio >> 3);
	k->seq = seq;
	k->us = us;
	return true;
}

bool kmsg_read(int fd, struct kmsg *k)
{
	ssize_t n;

	for (;;) {
		n = read(fd, k->buf, sizeof(k->buf) - 1);
		/* EPIPE: a record was overwritten before it was read; the next one is not. */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return false;
		k->buf[n] = '\0';
		if (kmsg_parse(k))
			return true;
	}
}

bool kmsg_is_init(const struct kmsg *k)
{
	static const char head[] = "Run ", tail[] = " as init process";
	const size_t ends = sizeof(head) - 1 + sizeof(tail) - 1;
	size_t length = strlen(k->text);

	return k->kernel && length >= ends && !strncmp(k->text, head, sizeof(head) - 1) &&
	       !strcmp(k->text + length - (sizeof(tail) - 1), tail);
}
