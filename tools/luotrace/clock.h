/* SPDX-License-Identifier: GPL-2.0 */

#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

/** clock_ns - nanoseconds of a clock */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/** monotonic_ns - nanoseconds of the clock that LUO's times are of */
static inline uint64_t monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/**
 * wall_ns - when a moment was by the wall clock as it is set now
 * @monotonic: the moment, ns of CLOCK_MONOTONIC
 *
 * Return: ns since 1970.
 */
static inline uint64_t wall_ns(uint64_t monotonic)
{
	return clock_ns(CLOCK_REALTIME) - monotonic_ns() + monotonic;
}

#endif
