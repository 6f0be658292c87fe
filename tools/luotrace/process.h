/* SPDX-License-Identifier: GPL-2.0 */

/* Processes as /proc shows them. */

#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROCESS_COMM	64	/* bytes of a name, of a kernel thread too */

/**
 * struct process - a process
 * @pid:    its number
 * @parent: that of its parent, 0 for the first process and what the kernel has started
 * @ticks:  when it was started: CLOCK_BOOTTIME in clock ticks, of sysconf()
 * @comm:   its name, any bytes
 */
struct process {
	int pid;
	int parent;
	uint64_t ticks;
	char comm[PROCESS_COMM];
};

/**
 * process_read - read one
 * @proc: the directory /proc
 * @pid:  its number as in @proc
 * @p:	  filled
 *
 * Return: false if it is none, or gone.
 */
bool process_read(const char *proc, const char *pid, struct process *p);

/** process_of_user - whether user space has started it; the first process is not one */
bool process_of_user(const struct process *p);

/**
 * process_each - look at all processes that user space has started
 * @proc: the directory /proc
 * @fn:   called with each
 * @data: for @fn
 */
void process_each(const char *proc, void (*fn)(void *data, const struct process *p),
		  void *data);

/** process_was - make one of what is known of a process that may have ended */
void process_was(struct process *p, int pid, uint64_t start_ns, const char *comm);

/**
 * process_start_ns - when it was started, in ns
 *
 * CLOCK_MONOTONIC is the same as long as the machine has not slept.
 */
uint64_t process_start_ns(const struct process *p);

#endif
