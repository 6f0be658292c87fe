/* SPDX-License-Identifier: GPL-2.0 */

/* Which sessions and files there are, read by BPF iterators. */

#ifndef INVENTORY_H
#define INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>
#include "../../bpf/inventory.h"

/**
 * struct inventory - what there is
 * @sessions:    in order of their making
 * @nr_sessions: how many
 * @files:       session by session, in order of preservation
 * @nr_files:    how many
 */
struct inventory {
	struct inv_session *sessions;
	size_t nr_sessions;
	struct inv_file *files;
	size_t nr_files;
};

/**
 * inventory_read - read what there is of one direction
 * @inv:      filled; to be given to inventory_free()
 * @dir:      of WORDS_DIR: "in" came from the previous kernel, "out" is for the next
 * @only_bad: leave out the files of which there is nothing to say
 *
 * A session that is made or ends meanwhile is in it or not; all others are, once.
 *
 * Return: 0, or -1 after a message.
 */
int inventory_read(struct inventory *inv, unsigned int dir, bool only_bad);

/** inventory_free - free what inventory_read() made */
void inventory_free(struct inventory *inv);

#endif
