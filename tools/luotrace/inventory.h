/* SPDX-License-Identifier: GPL-2.0 */

/* Which sessions and files there are, read by BPF iterators. */

#ifndef INVENTORY_H
#define INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>
#include "../../bpf/luo_iter.h"
#include "probe.h"

/**
 * struct inventory - what there is
 * @sessions:    in order of their making
 * @nr_sessions: how many
 * @files:       session by session, in order of preservation
 * @nr_files:    how many
 * @unread:	 a stock LUO has not yet read what came, so nobody knows what did
 * @torn:	 the lists of a stock LUO changed each time that they were walked: what is
 *		 here is there, and there may be more
 */
struct inventory {
	struct inv_session *sessions;
	size_t nr_sessions;
	struct inv_file *files;
	size_t nr_files;
	bool unread;
	bool torn;
};

/**
 * inventory_read - read what there is of one direction
 * @probe:    what the kernel offers: iterators, or else the lists of a stock LUO
 * @inv:      filled; to be given to inventory_free()
 * @dir:      of ENUM_DIR: "in" came from the previous kernel, "out" is for the next
 * @only_bad: leave out the files of which there is nothing to say
 *
 * A session that is made or ends meanwhile is in it or not; all others are, once.
 * What a stock LUO does not know is 0: when a session was made, opened and closed,
 * and by whom; or INV_UNKNOWN: its pages.
 *
 * Return: 0, or -1 after a message.
 */
int inventory_read(const struct probe *probe, struct inventory *inv,
		   unsigned int dir, bool only_bad);

/** inventory_free - free what inventory_read() made */
void inventory_free(struct inventory *inv);

#endif
