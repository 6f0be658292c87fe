/* SPDX-License-Identifier: GPL-2.0 */

/* Shared by the files of the recorder */

#ifndef _LINUX_LUO_RECORDER_INTERNAL_H
#define _LINUX_LUO_RECORDER_INTERNAL_H

#include <linux/atomic.h>
#include <linux/spinlock.h>

#include "luo_recorder.h"

#define LUO_MAX_SLOTS	64	/* names of handlers, subsystems and FLBs */
#define LUO_NR_PHASES	(LUO_PHASE_RESTORE + 1)

/**
 * struct luo_topn_min - shortest entry of a list of the longest
 * @duration: its duration in ns, 0 as long as the list is not full
 * @at:       its index
 *
 * Cached, so that a shorter entry is recognized without the lock and a longer one
 * replaces it without a search.
 */
struct luo_topn_min {
	u64 duration;
	unsigned int at;
};

/**
 * struct luo_busy - time during which at least one of several calls is in progress
 * @lock:   protects the other members
 * @active: number of calls in progress
 * @since:  start of the first of them, in ns
 * @total:  busy time before that, in ns
 */
struct luo_busy {
	spinlock_t lock; /* active, since and total, of calls that run in parallel */
	unsigned int active;
	u64 since;
	u64 total;
};

/**
 * struct luo_recorder - recorder of one direction
 * @record:   the record; NULL before it is set up
 * @row:      number of the row of each scope, slot and operation, 0 if none yet
 * @nr_rows:  number of rows in use
 * @walls:    wall time of the rows whose calls can run in parallel
 * @calls:    shortest of the longest calls, by scope and operation
 * @sessions: shortest of the longest sessions, by scope and phase
 */
struct luo_recorder {
	struct liveupdate_recorder_part *record;
	u8 row[LIVEUPDATE_NR_SCOPES][LUO_MAX_SLOTS][LUO_NR_OPS];
	unsigned int nr_rows;
	struct luo_busy walls[LIVEUPDATE_RECORDER_ROWS];
	struct luo_topn_min calls[LIVEUPDATE_NR_SCOPES][LUO_NR_OPS];
	struct luo_topn_min sessions[LIVEUPDATE_NR_SCOPES][LUO_NR_PHASES];
};

extern struct luo_recorder luo_recorders[];
extern spinlock_t luo_recorder_lock;
extern u32 luo_recorder_changes;

/* Tasks may add to the same counter of a record concurrently. */
static inline void luo_record_add(__u64 *to, u64 n)
{
	atomic64_add(n, (atomic64_t *)to);
}

/* luo_recorder.c */

void luo_recorder_move(enum liveupdate_recorder_scope from);

/* luo_recorder_clock.c */

extern u64 luo_last_hz;

u64 luo_counter(void);
u64 luo_stamp(void);
bool luo_stamp_early(u64 stamp);
u64 luo_stamp_age(u64 stamp);
void luo_busy_begin(struct luo_busy *busy, u64 now);
u64 luo_busy_elapsed(const struct luo_busy *busy, u64 now);
u64 luo_busy_end(struct luo_busy *busy, u64 now);
void luo_sample_clock(struct liveupdate_recorder_part *record);

/* luo_recorder_marks.c */

void luo_recorder_refresh(void);

/* tests/luo_test_counter.c */

#ifdef CONFIG_LIVEUPDATE_SELFTEST
u64 luo_test_counter(void);
#else
static inline u64 luo_test_counter(void)
{
	return 0;
}
#endif

#endif /* _LINUX_LUO_RECORDER_INTERNAL_H */
