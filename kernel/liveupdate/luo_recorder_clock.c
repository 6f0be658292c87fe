// SPDX-License-Identifier: GPL-2.0

/*
 * The clocks of the recorder: the counter of the CPU, which goes on over kexec, and
 * the monotonic clock. luo_recorder_marks.c says what they are for.
 */

#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#if defined(CONFIG_X86)
#include <asm/tsc.h>
#elif defined(CONFIG_ARM64)
#include <asm/arch_timer.h>
#endif

#include "luo_recorder_internal.h"

/* A stamp of the counter; the others are of the monotonic clock. */
#define LUO_STAMP_TICKS	BIT_ULL(63)

/* What the previous kernel said of its counter, in Hz; 0 if it said nothing. */
u64 luo_last_hz;

static u64 luo_counter_hz(void)
{
#if defined(CONFIG_X86)
	return tsc_khz * 1000ULL;
#elif defined(CONFIG_ARM64)
	return arch_timer_get_cntfrq();
#else
	return 0;
#endif
}

static bool luo_counter_stable(void)
{
#if defined(CONFIG_X86)
	return tsc_khz && !check_tsc_unstable();
#else
	return luo_counter_hz();
#endif
}

/**
 * luo_counter - what the counter of the CPU says
 *
 * Context: any.
 * Return: ticks, 0 where there is no counter.
 */
u64 luo_counter(void)
{
	return get_cycles() + luo_test_counter();
}

/**
 * luo_stamp - what time it is, for luo_stamp_age()
 *
 * Until user space starts the monotonic clock may count in ticks of the timer; the
 * counter does not.
 *
 * Return: an opaque value.
 */
u64 luo_stamp(void)
{
	if (unlikely(system_state < SYSTEM_RUNNING))
		return get_cycles() | LUO_STAMP_TICKS;
	return ktime_get_ns();
}

/**
 * luo_stamp_early - whether a stamp is not of the monotonic clock
 * @stamp: the stamp
 *
 * Return: true if it is of the counter.
 */
bool luo_stamp_early(u64 stamp)
{
	return stamp & LUO_STAMP_TICKS;
}

/**
 * luo_stamp_age - how long a stamp is ago
 * @stamp: the stamp
 *
 * Return: ns.
 */
u64 luo_stamp_age(u64 stamp)
{
	u64 ticks, hz;

	if (likely(!luo_stamp_early(stamp)))
		return ktime_get_ns() - stamp;

	ticks = (get_cycles() - stamp) & ~LUO_STAMP_TICKS;
	/* The counter was set back meanwhile. */
	if (ticks > LUO_STAMP_TICKS >> 2)
		return 0;
	/* The same counter goes at the rate that the previous kernel knew. */
	hz = luo_counter_hz() ?: luo_last_hz;
	return hz ? mul_u64_u64_div_u64(ticks, NSEC_PER_SEC, hz) : 0;
}

/**
 * luo_busy_begin - a call begins
 * @u:   those that run in parallel with it
 * @now: ns
 */
void luo_busy_begin(struct luo_busy *u, u64 now)
{
	guard(spinlock)(&u->lock);

	if (!u->active++)
		u->since = now;
}

/**
 * luo_busy_elapsed - time since the first of some parallel calls began
 * @u:   the calls
 * @now: ns
 *
 * Two tasks may get here in another order than they read the clock.
 *
 * Context: under @u->lock.
 * Return: ns, 0 if no call is under way.
 */
u64 luo_busy_elapsed(const struct luo_busy *u, u64 now)
{
	return u->active && now > u->since ? now - u->since : 0;
}

/**
 * luo_busy_end - it ends
 * @u:   as given to luo_busy_begin()
 * @now: ns
 *
 * Return: ns that are over now, 0 as long as others are under way.
 */
u64 luo_busy_end(struct luo_busy *u, u64 now)
{
	u64 length;

	guard(spinlock)(&u->lock);

	length = luo_busy_elapsed(u, now);
	if (--u->active)
		return 0;
	u->total += length;
	return length;
}

/**
 * luo_sample_clock - record frequency and stability of the counter
 * @record: the record
 *
 * The kernel learns both as time goes by.
 *
 * Context: any.
 */
void luo_sample_clock(struct liveupdate_recorder_part *record)
{
	WRITE_ONCE(record->clock_hz, luo_counter_hz());
	WRITE_ONCE(record->clock_stable, luo_counter_stable());
}
