/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What perf events tell of the kernel's own clock, which stamps the kernel log and the
 * events of perf. It counts from early boot, before CLOCK_MONOTONIC does.
 */

#ifndef PERF_CLOCK_H
#define PERF_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct perf_scale - how the kernel makes its clock from the counter of the CPU
 * @zero:  clock at counter 0, in ns modulo 2^64
 * @mult:  the clock goes on by @mult / 2^@shift ns a tick, at least 1
 * @shift: at most 63
 */
struct perf_scale {
	uint64_t zero;
	uint32_t mult;
	unsigned int shift;
};

/**
 * perf_scale_read - read it
 * @s: set only if it is known
 *
 * The kernel changes it when it measures the counter more precisely, some seconds after
 * boot.
 *
 * Return: false if the kernel's clock is not made from a counter that it trusts, or if
 *	   perf events cannot be used.
 */
bool perf_scale_read(struct perf_scale *s);

/** perf_scale_hz - frequency of the counter, in Hz, rounded */
uint64_t perf_scale_hz(const struct perf_scale *s);

/**
 * perf_scale_counter - the counter at a time of the kernel's clock
 * @s:       the scale
 * @log_ns:  the time, in ns; may be negative
 * @counter: set to it
 *
 * Return: false if that was before counter 0.
 */
bool perf_scale_counter(const struct perf_scale *s, int64_t log_ns, uint64_t *counter);

/**
 * perf_log_now - the kernel's clock and CLOCK_MONOTONIC at the same time
 * @log_ns:       set to the kernel's clock, in ns
 * @monotonic_ns: set to CLOCK_MONOTONIC, in ns
 *
 * Needs no counter: makes the kernel record an event, the setting of the name of this
 * thread to what it is.
 *
 * Return: false if perf events cannot be used.
 */
bool perf_log_now(uint64_t *log_ns, uint64_t *monotonic_ns);

#endif
