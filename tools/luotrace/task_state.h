/* SPDX-License-Identifier: GPL-2.0 */

/* What a task does at this moment, from /proc. For calls in flight. */

#ifndef TASK_STATE_H
#define TASK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define TASK_FRAMES	16	/* of a stack, innermost first */
#define TASK_SYMBOL	64	/* bytes of a function's name */

/* UNSEEN: it cannot be looked at, which does not mean that it is gone. */
enum task_seen { TASK_UNSEEN, TASK_GONE, TASK_SEEN };

/**
 * struct task_state - a task at one moment
 * @seen:   whether the rest is known
 * @state:  a letter, as in /proc/PID/stat: R runs or waits for a CPU, S and D sleep
 * @cpu:    that it runs on, or ran on last
 * @ran:    whether @ran_ns is known
 * @ran_ns: time on a CPU since it exists
 * @stack:  functions of the kernel that it sleeps in, innermost first
 * @frames: their number; 0 if it runs, or if its stack cannot be read
 * @whole:  the stack is more than the innermost function
 */
struct task_state {
	enum task_seen seen;
	char state;
	int cpu;
	bool ran;
	uint64_t ran_ns;
	char stack[TASK_FRAMES][TASK_SYMBOL];
	int frames;
	bool whole;
};

/** task_state_visible - whether the tasks that BPF programs see are those of /proc here */
bool task_state_visible(void);

/**
 * task_state_read - look at a task; never fails
 * @s:	   filled
 * @proc:  "/proc", or a copy
 * @pid:   its process
 * @tid:   the task
 * @since: a task of this number that started later is another one; ns of CLOCK_BOOTTIME
 */
void task_state_read(struct task_state *s, const char *proc, unsigned int pid,
		     unsigned int tid, uint64_t since);

/**
 * task_state_in - whether a task is in a function
 * @s:	  from task_state_read()
 * @name: of the function
 */
bool task_state_in(const struct task_state *s, const char *name);

/**
 * task_state_each - call a function for each task of the machine
 * @proc: "/proc", or a copy
 * @use:  the function
 * @data: for @use
 */
void task_state_each(const char *proc,
		     void (*use)(unsigned int pid, unsigned int tid, void *data),
		     void *data);

/**
 * task_state_text - what a task does, in a few words
 * @s:	 from task_state_read()
 * @ran: share of the last interval that it ran, 0 to 1; below 0 if unknown
 * @buf: TASK_TEXT bytes
 *
 * Return: @buf.
 */
char *task_state_text(const struct task_state *s, double ran, char *buf);

#define TASK_TEXT	(TASK_FRAMES * (TASK_SYMBOL + 4))

#endif
