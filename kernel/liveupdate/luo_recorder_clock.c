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

/* Frequency of the counter according to the previous kernel, in Hz; 0 if unknown */
u64 luo_last_hz;

static u64 luo_counter_hz(void)
{
#if defined(CONFIG_X86)
	return luo_test_counter_hz(tsc_khz * 1000ULL);
#elif defined(CONFIG_ARM64)
	return arch_timer_get_cntfrq();
#else
	return 0;
#endif
}

static bool luo_counter_stable(void)
{
#if defined(CONFIG_X86)
	return tsc_khz && !check_tsc_unstable() && luo_test_counter_stable();
#else
	return luo_counter_hz();
#endif
}

/**
 * luo_counter_mult - get the factor from ticks of the counter to time
 *
 * Context: any. The kernel refines it over time, and the counter may become unstable.
 * Return: ns of a tick, times 2^32; 0 if the counter is not fit for measuring.
 */
u64 luo_counter_mult(void)
{
	u64 hz = luo_counter_stable() ? luo_counter_hz() : 0;

	return hz ? div64_u64((u64)NSEC_PER_SEC << 32, hz) : 0;
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
 * luo_check_clock - note if the counter has become unstable since luo_sample_clock()
 * @record: the record
 *
 * Context: any.
 */
void luo_check_clock(struct liveupdate_recorder_part *record)
{
	WRITE_ONCE(record->clock_hz, luo_counter_hz());
	if (!luo_counter_stable())
		WRITE_ONCE(record->clock_stable, 0);
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
