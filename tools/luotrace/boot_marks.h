/* SPDX-License-Identifier: GPL-2.0 */

/*
 * When this kernel started and when it started user space, for a kernel whose LUO has no
 * recorder: from the kernel log and its clock.
 */

#ifndef BOOT_MARKS_H
#define BOOT_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "process.h"

/**
 * struct boot_marks - early moments of this kernel; what is unknown is 0
 * @start_counter:     the counter when the clock of the kernel log began, for
 *		       LIVEUPDATE_MARK_START, which is earlier: on x86-64 by the time in
 *		       which the kernel measures the frequency of the TSC
 * @start_coarse:      the log does not tell by how much the kernel has set its clock
 *		       since: @start_counter can be some 100 ms late, or early
 * @init_counter:      the counter when the first process was started, for
 *		       LIVEUPDATE_MARK_INIT, which is later by what an exec takes
 * @init_monotonic_ns: CLOCK_MONOTONIC at the same time, in ns
 * @init_coarse:       the log does not tell (its beginning may be overwritten), and both
 *		       are of the oldest process that user space has started: the first
 *		       process was started before that
 */
struct boot_marks {
	uint64_t start_counter;
	uint64_t init_counter;
	uint64_t init_monotonic_ns;
	bool start_coarse;
	bool init_coarse;
};

/**
 * boot_marks_read - find the marks
 * @m: set to them
 *
 * Return: whether one of them is known.
 */
bool boot_marks_read(struct boot_marks *m);

/**
 * struct boot_log - what the kernel log says of the boot
 * @has_offset: it has @offset_ns
 * @has_init:   it has @init_ns
 * @offset_ns:  by how much the kernel set its clock when it began to trust it, in ns; the
 *		clock began at this time of the log as it is now. Only where the clock can
 *		be unstable, as on x86-64
 * @init_ns:    when the first process was started, in ns of the log, which has
 *		microseconds
 */
struct boot_log {
	bool has_offset;
	bool has_init;
	int64_t offset_ns;
	uint64_t init_ns;
};

/**
 * boot_marks_log - read the kernel log
 * @fd:  of /dev/kmsg, open with O_NONBLOCK; each read() returns a record
 * @log: set to what it says
 */
void boot_marks_log(int fd, struct boot_log *log);

/**
 * boot_marks_oldest - find the oldest process that user space has started
 * @proc: the directory /proc
 * @p:	  set to it
 *
 * Return: false if there is none.
 */
bool boot_marks_oldest(const char *proc, struct process *p);

#endif
