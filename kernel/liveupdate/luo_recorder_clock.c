// SPDX-License-Identifier: GPL-2.0

/*
 * Clocks of the recorder: the counter of the CPU, which keeps counting across kexec,
 * and the monotonic clock. luo_recorder_marks.c describes their use.
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

/* Set in a time stamp of the counter, clear in one of the monotonic clock */
#define LUO_STAMP_TICKS	BIT_ULL(63)

/* Frequency of the counter according to the previous kernel, in Hz; 0 if unknown */
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
 * luo_counter - read the counter of the CPU
 *
 * Context: any.
 * Return: the counter in ticks, 0 if there is none.
 */
u64 luo_counter(void)
{
	return get_cycles() + luo_test_counter();
}

/**
 * luo_stamp - take a time stamp for luo_stamp_age()
 *
 * Until user space starts, the monotonic clock may have the resolution of the timer
 * tick; the counter does not.
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
 * luo_stamp_early - check whether a time stamp was taken before user space started
 * @stamp: the time stamp
 *
 * Return: true if it is a time stamp of the counter.
 */
bool luo_stamp_early(u64 stamp)
{
	return stamp & LUO_STAMP_TICKS;
}

/**
 * luo_stamp_age - compute the age of a time stamp
 * @stamp: the time stamp
 *
 * Return: the age in ns.
 */
u64 luo_stamp_age(u64 stamp)
{
	u64 ticks, hz;

	if (likely(!luo_stamp_early(stamp)))
		return ktime_get_ns() - stamp;

	ticks = (get_cycles() - stamp) & ~LUO_STAMP_TICKS;
	/* The counter was set back in between. */
	if (ticks > LUO_STAMP_TICKS >> 2)
		return 0;
	/* The previous kernel measured the frequency of the same counter. */
	hz = luo_counter_hz() ?: luo_last_hz;
	return hz ? mul_u64_u64_div_u64(ticks, NSEC_PER_SEC, hz) : 0;
}

/**
 * luo_busy_begin - account for the start of a call
 * @busy: the calls that can run in parallel with it
 * @now:  current time, in ns
 */
void luo_busy_begin(struct luo_busy *busy, u64 now)
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
u64 luo_busy_elapsed(const struct luo_busy *busy, u64 now)
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
u64 luo_busy_end(struct luo_busy *busy, u64 now)
{
	u64 elapsed;

	guard(spinlock)(&busy->lock);

	elapsed = luo_busy_elapsed(busy, now);
	if (--busy->active)
		return 0;
	busy->total += elapsed;
	return elapsed;
}

/**
 * luo_sample_clock - record frequency and stability of the counter
 * @record: the record
 *
 * The kernel refines both over time.
 *
 * Context: any.
 */
void luo_sample_clock(struct liveupdate_recorder_part *record)
{
	WRITE_ONCE(record->clock_hz, luo_counter_hz());
	WRITE_ONCE(record->clock_stable, luo_counter_stable());
}
