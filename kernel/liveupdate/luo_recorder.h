/* SPDX-License-Identifier: GPL-2.0 */

/* What luo_recorder.c (recording) and luo_recorder_io.c (in and out) share. */

#ifndef _LINUX_LUO_RECORDER_H
#define _LINUX_LUO_RECORDER_H

#include "luo_internal.h"

#define LUO_MAX_SLOTS	64	/* handlers, subsystems, shared state by name */
#define LUO_NR_OPS	(LUO_OP_BOOT + 1)
#define LUO_NR_PHASES	(LUO_PHASE_RESTORE + 1)

/**
 * struct luo_least - the shortest of those that are kept as the longest
 * @duration: ns, 0 as long as there is room
 * @at:       which one it is
 *
 * So that a longer one takes its place without a search for it.
 */
struct luo_least {
	u64 duration;
	unsigned int at;
};

/**
 * struct luo_recorder - the record of one direction
 * @part:     the record; NULL before it is set up
 * @row:      number of the row of each slot and operation, 0 for none yet
 * @nr_rows:  rows in use
 * @calls:    which of the kept calls goes next, by operation
 * @sessions: which of the kept sessions goes next, by phase
 */
struct luo_recorder {
	struct liveupdate_recorder_part *part;
	u8 row[LUO_MAX_SLOTS][LUO_NR_OPS];
	unsigned int nr_rows;
	struct luo_least calls[LUO_NR_OPS];
	struct luo_least sessions[LUO_NR_PHASES];
};

extern struct luo_recorder luo_recorders[];

u64 luo_counter_hz(void);
u64 luo_counter(void);
void luo_recorder_refresh(void);

#endif /* _LINUX_LUO_RECORDER_H */
