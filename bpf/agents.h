/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What agents did while they restored, as the programs of agents.bpf.c keep it for the
 * frontend: the same as the recorder of a kernel that has one, see
 * <linux/liveupdate_recorder.h>. Both include it after their own definitions of __u64 and
 * so on.
 */

#ifndef AGENTS_H
#define AGENTS_H

#define AGENTS_TASKS		16
#define AGENTS_WAITS		6
#define AGENTS_ANCESTORS	8
#define AGENTS_COMM		16	/* TASK_COMM_LEN */

/* As enum liveupdate_recorder_doing, LIVEUPDATE_WAIT_*, _WAKER_* and _TASK_*. */
enum { AGENTS_CALL, AGENTS_CPU, AGENTS_QUEUED, AGENTS_BLOCKED, AGENTS_DOINGS };
#define AGENTS_WAIT_OUTSIDE	(-1)
#define AGENTS_WAIT_COMPAT	(-2)
#define AGENTS_WAKER_NONE	(-1)
#define AGENTS_WAKER_IRQ	0
#define AGENTS_IS_AGENT		(1U << 0)
#define AGENTS_IS_CHILD		(1U << 1)
#define AGENTS_IS_GONE		(1U << 2)

/**
 * struct agents_wait - what a task waited for
 * @ns:    total time
 * @count: number of times, 0 if the entry is not in use
 * @nr:    number of the system call, or AGENTS_WAIT_*
 * @waker: the task that woke it, or AGENTS_WAKER_*
 * @comm:  name of that task
 */
struct agents_wait {
	__u64 ns;
	__u64 count;
	__s32 nr;
	__s32 waker;
	char comm[AGENTS_COMM];
};

/**
 * struct agents_task - a task that calls LUO, or was created by one that does
 * @pid:    its thread ID, 0 if the entry is not in use
 * @parent: of a child, the thread ID of the task that created it
 * @flags:  AGENTS_IS_*
 * @pad:    0
 * @from:   when its first call began, or when it was created, ns
 * @until:  up to when the figures are
 * @ns:     time between them by what it did
 * @user:   time outside of calls of LUO that the kernel charged as that of user space, ns
 * @system: the same of the kernel
 * @minor:  page faults without input or output outside of them, @major: with it
 * @faults: time in page faults outside of calls of LUO, ns
 * @waits:  what it waited for longest outside of calls of LUO, unordered
 * @comm:   its name
 */
struct agents_task {
	__u32 pid;
	__u32 parent;
	__u32 flags;
	__u32 pad;
	__u64 from;
	__u64 until;
	__u64 ns[AGENTS_DOINGS];
	__u64 user;
	__u64 system;
	__u64 minor;
	__u64 major;
	__u64 faults;
	struct agents_wait waits[AGENTS_WAITS];
	char comm[AGENTS_COMM];
};

/**
 * struct agents_ancestor - the process that opened the device, or an ancestor
 * @started: when it was created, ns
 * @pid:     its process ID, 0 if the entry is not in use
 * @pad:     0
 * @comm:    its name
 */
struct agents_ancestor {
	__u64 started;
	__u32 pid;
	__u32 pad;
	char comm[AGENTS_COMM];
};

/**
 * struct agents - all of them
 * @nr:     entries of @tasks in use, or more if some found no room
 * @pad:    0
 * @opened_by: the process that opened the device before the first session was claimed, its
 *	    parent, and so on
 * @tasks:  [0] when the last file was retrieved, [1] when the last session was finished
 */
struct agents {
	__u32 nr;
	__u32 pad;
	struct agents_ancestor opened_by[AGENTS_ANCESTORS];
	struct agents_task tasks[2][AGENTS_TASKS];
};

#endif
