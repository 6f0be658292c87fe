/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The sessions and files of this machine, read by BPF iterators, or by a walk along the
 * lists of a stock LUO.
 */

#ifndef INVENTORY_H
#define INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>
#include "../../bpf/luo_iter.h"
#include "probe.h"

/**
 * struct inventory - sessions and files of one direction
 * @sessions:    in order of creation
 * @nr_sessions: how many
 * @files:       session by session, in order of preservation
 * @nr_files:    how many
 * @unread:	 a stock LUO has not read the handover yet, so its sessions are unknown
 * @torn:	 the lists of a stock LUO changed during each walk: all entries here exist,
 *		 others can be missing
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
 * inventory_read - read the sessions and files of one direction
 * @probe:    what the kernel offers: iterators, or else the lists of a stock LUO
 * @inv:      filled; to be given to inventory_free()
 * @dir:      of ENUM_DIR: "in" from the previous kernel, "out" for the next one
 * @only_bad: only files without a handler, or whose last operation failed
 *
 * Sessions that are created or end meanwhile can be missing; all others appear once. What
 * a stock LUO does not know is 0: time stamps and the owner of a session; or INV_UNKNOWN:
 * its pages.
 *
 * Return: 0, or -1 after a message.
 */
int inventory_read(const struct probe *probe, struct inventory *inv,
		   unsigned int dir, bool only_bad);

/** inventory_free - free what inventory_read() allocated */
void inventory_free(struct inventory *inv);

#endif
