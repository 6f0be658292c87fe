/* SPDX-License-Identifier: GPL-2.0 */

/* Recording of calls that follow each other */

#ifndef _LINUX_LUO_TALLY_H
#define _LINUX_LUO_TALLY_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>

#include "luo_internal.h"

/**
 * struct luo_laps - a clock for intervals that follow each other
 * @last:  end of the interval before, in ticks
 * @mult:  ns of a tick, times 2^32
 * @ticks: a tick is one of the counter; else the counter cannot be used, and a tick is a
 *	   ns of the monotonic clock
 */
struct luo_laps {
	u64 last;
	u64 mult;
	bool ticks;
};

static __always_inline u64 luo_laps_now(const struct luo_laps *laps)
{
	return likely(laps->ticks) ? get_cycles() : ktime_get_ns();
}

/**
 * luo_laps_restart - begin an interval that does not follow the one before
 * @laps: the clock
 */
static __always_inline void luo_laps_restart(struct luo_laps *laps)
{
	laps->last = luo_laps_now(laps);
}

/**
 * luo_laps_since - compute the time from a reading of the clock to @laps->last
 * @laps:  the clock
 * @since: an earlier value of @laps->last
 *
 * Return: the time in ns; 0 if the counter was set back.
 */
static __always_inline u64 luo_laps_since(const struct luo_laps *laps, u64 since)
{
	u64 ticks = laps->last - since;

	if (unlikely((s64)ticks < 0))
		return 0;
	return mul_u64_u64_shr(ticks, laps->mult, 32);
}

/**
 * luo_laps_end - end an interval and begin the next one
 * @laps: the clock
 *
 * Return: its duration in ns; 0 if the counter was set back.
 */
static __always_inline u64 luo_laps_end(struct luo_laps *laps)
{
	u64 since = laps->last;

	luo_laps_restart(laps);
	return luo_laps_since(laps, since);
}

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
 * luo_bucket - bucket of a histogram
 * @duration: in ns
 *
 * Return: its index.
 */
static __always_inline unsigned int luo_bucket(u64 duration)
{
	return min(__fls(duration | 1), LIVEUPDATE_RECORDER_BUCKETS - 1);
}

/**
 * struct luo_tally - figures of calls of one operation of one target
 * @laps:  their clock
 * @slow:  a call that takes longer, in ns, is one of the longest
 * @dir:   direction of the calls
 * @scope: what they are recorded for
 * @skip:  they are not recorded
 * @sessions: shortest of the longest sessions in @scope, by phase
 * @nr:	   number of the row in the record; 0 if there is none
 * @row:   where the calls are counted: in the record if no other task can count there,
 *	   else in @own, which is added to it later; NULL if nothing is to be added
 * @own:   see @row
 * @total: of @row before the first of the calls, in ns
 * @since: when the first of them began, in ns of the monotonic clock
 */
struct luo_tally {
	struct luo_laps laps;
	u64 slow;
	enum luo_dir dir;
	enum liveupdate_recorder_scope scope;
	bool skip;
	const struct luo_topn_min *sessions;
	u8 nr;
	struct liveupdate_recorder_row *row;
	struct liveupdate_recorder_row own;
	u64 total;
	u64 since;
};

/* No other task writes there; who reads the record may see part of a call. */
#define luo_tally_set(_to, _value)	data_race((_to) = (_value))

#ifdef CONFIG_LIVEUPDATE_RECORDER
void luo_tally_begin(struct luo_tally *tally, enum luo_dir dir, bool tool);
void luo_tally_set_row(struct luo_tally *tally, unsigned int slot, enum luo_op op);
void luo_tally_flush(struct luo_tally *tally);
void luo_tally_slow(struct luo_tally *tally, const struct liveupdate_file_handler *fh,
		    const char *session, u64 token, enum luo_op op, int ret, u64 duration);

/**
 * luo_tally_call - count a call that has just returned
 * @tally: the tally
 *
 * luo_tally_error() counts that it failed.
 *
 * Return: its duration in ns, since the end of the call before or luo_laps_restart().
 */
static __always_inline u64 luo_tally_call(struct luo_tally *tally)
{
	u64 duration = luo_laps_end(&tally->laps);
	struct liveupdate_recorder_row *row = tally->row;

	luo_tally_set(row->count, row->count + 1);
	luo_tally_set(row->total, row->total + duration);
	if (duration < row->min)
		luo_tally_set(row->min, duration);
	if (duration > row->max)
		luo_tally_set(row->max, duration);
	luo_tally_set(row->hist[luo_bucket(duration)], row->hist[luo_bucket(duration)] + 1);
	return duration;
}

/**
 * luo_tally_slow_session - check whether a session is one of the longest
 * @tally:    the tally
 * @phase:    phase of the session
 * @duration: of the phase, in ns
 *
 * Return: true if luo_recorder_session() is to be called.
 */
static __always_inline bool luo_tally_slow_session(const struct luo_tally *tally,
						   enum luo_phase phase, u64 duration)
{
	return duration > READ_ONCE(tally->sessions[phase].duration);
}

/**
 * luo_tally_error - count that the call counted last has failed
 * @tally: the tally
 */
static inline void luo_tally_error(struct luo_tally *tally)
{
	luo_tally_set(tally->row->errors, tally->row->errors + 1);
}
#else
static inline void luo_tally_begin(struct luo_tally *tally, enum luo_dir dir, bool tool)
{
	tally->laps.mult = 1ULL << 32;
	tally->laps.ticks = false;
	tally->slow = U64_MAX;
}

static inline void luo_tally_set_row(struct luo_tally *tally, unsigned int slot,
				     enum luo_op op)
{
}

static inline void luo_tally_flush(struct luo_tally *tally)
{
}

static inline void luo_tally_slow(struct luo_tally *tally,
				  const struct liveupdate_file_handler *fh,
				  const char *session, u64 token, enum luo_op op, int ret,
				  u64 duration)
{
}

static inline u64 luo_tally_call(struct luo_tally *tally)
{
	return luo_laps_end(&tally->laps);
}

static inline bool luo_tally_slow_session(const struct luo_tally *tally,
					  enum luo_phase phase, u64 duration)
{
	return false;
}

static inline void luo_tally_error(struct luo_tally *tally)
{
}
#endif

#endif /* _LINUX_LUO_TALLY_H */
