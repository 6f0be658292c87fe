/* SPDX-License-Identifier: GPL-2.0 */

/* Shared by the files of the recorder */

#ifndef _LINUX_LUO_RECORDER_INTERNAL_H
#define _LINUX_LUO_RECORDER_INTERNAL_H

#include <linux/atomic.h>
#include <linux/kobject.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>

#include "luo_recorder.h"
#include "luo_tally.h"

#define LUO_MAX_SLOTS	64	/* names of handlers, subsystems and FLBs */
#define LUO_NR_PHASES	(LUO_PHASE_RESTORE + 1)

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
 * @record:   the record; NULL before it is set up, or if there was no memory
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
extern struct liveupdate_recorder_part *luo_last_out;
extern struct liveupdate_recorder_inside luo_inside;
extern spinlock_t luo_recorder_lock;
extern u32 luo_recorder_changes;

/**
 * struct luo_moment - time of a mark
 * @counter: counter of the CPU
 * @now:     monotonic clock, in ns
 */
struct luo_moment {
	u64 counter;
	u64 now;
};

/* Tasks may add to the same counter of a record concurrently. */
static inline void luo_record_add(__u64 *to, u64 n)
{
	atomic64_add(n, (atomic64_t *)to);
}

#if IS_ENABLED(CONFIG_KUNIT)
void luo_record_sanitize(struct liveupdate_recorder_part *record);
#endif

/* tests/luo_test_counter.c */

#ifdef CONFIG_LIVEUPDATE_SELFTEST
u64 luo_test_counter(void);
u64 luo_test_counter_hz(u64 hz);
bool luo_test_counter_stable(void);
void luo_test_counter_reboot(void);
#else
static inline u64 luo_test_counter(void)
{
	return 0;
}

static inline u64 luo_test_counter_hz(u64 hz)
{
	return hz;
}

static inline bool luo_test_counter_stable(void)
{
	return true;
}

static inline void luo_test_counter_reboot(void)
{
}
#endif

/**
 * luo_counter - read the counter of the CPU
 *
 * Context: any.
 * Return: the counter in ticks, 0 if there is none.
 */
static inline u64 luo_counter(void)
{
	return get_cycles() + luo_test_counter();
}

/**
 * luo_now - read both clocks
 *
 * Context: any, also while the clock is being updated.
 * Return: the time of a mark.
 */
static inline struct luo_moment luo_now(void)
{
	return (struct luo_moment){ luo_counter(), ktime_get_mono_fast_ns() };
}

/* Set in a time stamp of the counter, clear in one of the monotonic clock */
#define LUO_STAMP_TICKS	BIT_ULL(63)

/**
 * luo_stamp_early - check whether a time stamp was taken before user space started
 * @stamp: the time stamp
 *
 * Return: true if it is a time stamp of the counter.
 */
static inline bool luo_stamp_early(u64 stamp)
{
	return stamp & LUO_STAMP_TICKS;
}

/**
 * luo_busy_begin - account for the start of a call
 * @busy: the calls that can run in parallel with it
 * @now:  current time, in ns
 */
static inline void luo_busy_begin(struct luo_busy *busy, u64 now)
{
	guard(spinlock)(&busy->lock);

	if (!busy->active++)
		busy->since = now;
}

/**
 * luo_busy_elapsed - time since the first of the calls in progress began
 * @busy: the calls
 * @now:  current time, in ns
 *
 * Tasks may call this in another order than they read the clock.
 *
 * Context: under @busy->lock.
 * Return: time in ns, 0 if no call is in progress.
 */
static inline u64 luo_busy_elapsed(const struct luo_busy *busy, u64 now)
{
	return busy->active && now > busy->since ? now - busy->since : 0;
}

/**
 * luo_busy_end - account for the end of a call
 * @busy: as passed to luo_busy_begin()
 * @now:  current time, in ns
 *
 * Return: busy time that ended with this call, in ns; 0 while others are in progress.
 */
static inline u64 luo_busy_end(struct luo_busy *busy, u64 now)
{
	u64 elapsed;

	guard(spinlock)(&busy->lock);

	elapsed = luo_busy_elapsed(busy, now);
	if (--busy->active)
		return 0;
	busy->total += elapsed;
	return elapsed;
}

/* luo_recorder.c */

enum liveupdate_recorder_scope luo_current_scope(enum luo_dir dir);
u8 luo_row_add(struct luo_recorder *r, enum liveupdate_recorder_scope scope,
	       unsigned int slot, enum luo_op op);
u8 luo_row_get(struct luo_recorder *r, enum liveupdate_recorder_scope scope,
	       unsigned int slot, enum luo_op op);
void luo_row_extremes(struct liveupdate_recorder_row *row, u64 min, u64 max);
void *luo_topn_replace(struct luo_topn_min *min, void *kept, size_t size, u64 duration);
void luo_topn_find_min(struct luo_topn_min *min, const void *kept, size_t size, int nr);

/* luo_recorder_move.c */

void luo_recorder_move(enum liveupdate_recorder_scope from);

/* luo_recorder_clock.c */

extern u64 luo_last_hz;

u64 luo_counter_mult(void);
u64 luo_stamp(void);
u64 luo_stamp_age(u64 stamp);
void luo_sample_clock(struct liveupdate_recorder_part *record);
void luo_check_clock(struct liveupdate_recorder_part *record);

/* luo_recorder_init.c */

void luo_initcalls_start(void);
void luo_initcalls_await_initramfs(void);
void luo_initcalls_stop(void);

/* luo_recorder_tasks.c */

void luo_tasks_start(void);
void luo_tasks_stop(void);
void luo_tasks_call(bool begin, u64 now);
void luo_tasks_open(const struct luo_moment *at, bool first);
void luo_tasks_claimed(bool first);
void luo_tasks_mark(enum liveupdate_recorder_mark mark, u64 now);
void luo_tasks_refresh(void);

/* luo_recorder_marks.c */

void luo_recorder_refresh(void);

/* luo_recorder_pause.c */

extern struct kobj_attribute luo_pause_attr;

#endif /* _LINUX_LUO_RECORDER_INTERNAL_H */
