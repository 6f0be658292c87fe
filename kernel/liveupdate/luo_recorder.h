/* SPDX-License-Identifier: GPL-2.0 */

/* What luo_recorder.c (recording) and luo_recorder_io.c (in and out) share. */

#ifndef _LINUX_LUO_RECORDER_H
#define _LINUX_LUO_RECORDER_H

#include "luo_internal.h"

#define LUO_MAX_SLOTS	64	/* handlers, subsystems, shared state by name */
#define LUO_NR_OPS	(LUO_OP_BOOT + 1)
#define LUO_NR_PHASES	(LUO_PHASE_RESTORE + 1)

/**
 * struct luo_recorder - the record of one direction
 * @part:	   the record; NULL before it is set up
 * @row:	   number of the row of each slot and operation, 0 for none yet
 * @nr_rows:	   rows in use
 * @call_least:    shortest of the kept calls of each operation, ns
 * @session_least: the same of sessions, by phase
 */
struct luo_recorder {
	struct liveupdate_recorder_part *part;
	u8 row[LUO_MAX_SLOTS][LUO_NR_OPS];
	unsigned int nr_rows;
	u64 call_least[LUO_NR_OPS];
	u64 session_least[LUO_NR_PHASES];
};

extern struct luo_recorder luo_recorders[];

u64 luo_counter_hz(void);
u64 luo_counter(void);
void luo_recorder_refresh(void);

#endif /* _LINUX_LUO_RECORDER_H */
