/* SPDX-License-Identifier: GPL-2.0 */

/* What the guest tests read of LUO's recorder. */

#ifndef LUO_RECORDER_H
#define LUO_RECORDER_H

#include "luo_test.h"

#include <linux/liveupdate_recorder.h>

#define RECORDER	"/sys/kernel/liveupdate/recorder"

/** read_whole - read @size bytes from the beginning of a file; false if it has less */
static inline bool read_whole(int fd, void *buf, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size) {
		n = pread(fd, (char *)buf + used, size - used, used);
		if (n <= 0)
			return false;
		used += n;
	}
	return true;
}

/** read_record - read all of the recorder's file */
static inline bool read_record(struct liveupdate_recorder *r)
{
	int fd = open(RECORDER, O_RDONLY);
	bool ok = read_whole(fd, r, sizeof(*r));

	close(fd);
	return ok;
}

/** row_in - the row of a scope, a name and an operation, or NULL */
static inline const struct liveupdate_recorder_row *
row_in(const struct liveupdate_recorder_part *p, unsigned int scope,
       const char *name, unsigned int op)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		if (p->rows[i].count && p->rows[i].op == op &&
		    p->rows[i].scope == scope && !strcmp(p->rows[i].name, name))
			return &p->rows[i];
	}
	return NULL;
}

#endif
