/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The counter of the CPU that goes on across kexec, which the marks of LUO's recorder are
 * of: TSC on x86-64, virtual counter (CNTVCT) on arm64. And its relation to other clocks,
 * for times that were taken without it.
 */

#ifndef COUNTER_H
#define COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/** counter_now - the counter; 0 on an architecture without one */
uint64_t counter_now(void);

/**
 * struct counter_pair - two clocks at the same time
 * @counter:      the counter
 * @monotonic_ns: CLOCK_MONOTONIC, in ns
 */
struct counter_pair {
	uint64_t counter;
	uint64_t monotonic_ns;
};

/**
 * counter_pair_read - read both clocks
 * @p: set to the closest of several tries: the clock is read between two reads of the
 *     counter, and belongs to the middle of them
 */
void counter_pair_read(struct counter_pair *p);

/**
 * counter_clock - what the kernel knows of the counter
 * @hz:     set to its frequency in Hz, 0 if unknown
 * @stable: set to whether the kernel trusts it; false if @hz is 0
 *
 * The same as @clock_hz and @clock_stable of struct liveupdate_recorder_part, except on
 * x86-64 where the kernel's own clock is not made from the TSC although it trusts it, as
 * in a guest with a clock of its hypervisor: then it is unknown here.
 *
 * Return: whether @hz is known.
 */
bool counter_clock(uint64_t *hz, bool *stable);

/**
 * counter_of_log - the counter at a time of the kernel log
 * @log_ns:  the time, in ns; may be negative. Around 0 the clock of the log began: on
 *	     x86-64 in setup_arch(), the closest to LIVEUPDATE_MARK_START that a kernel
 *	     without recorder keeps; on arm64 later, when its timer is set up. See
 *	     @offset_ns of struct boot_log for when exactly
 * @counter: set to it
 *
 * Return: false if it is not known.
 */
bool counter_of_log(int64_t log_ns, uint64_t *counter);

/** counter_listed - whether @name is one of the words of a list of clock sources */
bool counter_listed(const char *list, const char *name);

/**
 * struct counter_line - the counter as a function of CLOCK_MONOTONIC, whose rate follows
 *			 that of a time server
 * @first: a pair
 * @last:  a later one, or the same
 * @hz:    frequency according to the kernel, 0 if unknown
 */
struct counter_line {
	struct counter_pair first, last;
	uint64_t hz;
};

/** counter_line_begin - begin a line with a pair, and with what counter_clock() says */
void counter_line_begin(struct counter_line *line, const struct counter_pair *first);

/** counter_line_update - end it with a pair, instead of that of an earlier call */
void counter_line_update(struct counter_line *line, const struct counter_pair *last);

/**
 * counter_line_at - the counter at a time
 * @line:         the line
 * @monotonic_ns: CLOCK_MONOTONIC, in ns
 *
 * Between the pairs, and as far before and after them as they are apart, the rate is that
 * between them; farther away it is @hz. It is @hz everywhere as long as the pairs are
 * less than 10 ms apart, and that between them everywhere if @hz is unknown.
 *
 * Return: the counter; 0 if it is not known, or if that was before counter 0.
 */
uint64_t counter_line_at(const struct counter_line *line, uint64_t monotonic_ns);

#endif
