/* SPDX-License-Identifier: GPL-2.0 */

/* What the programs that see calls tell the black box, see box.bpf.c. */

#ifndef BOX_BPF_H
#define BOX_BPF_H

#include "common.bpf.h"
#include "box.h"

extern union box_pages box;

/* What is below is for the task that reboots only. */

/*
 * Count a run of a program. When it began, or 0 if it is not timed: one of 32 is, as reading
 * the clock is a large part of what a program does. Programs take turns, as at the entry and
 * the exit of a function: the timed runs are 37 apart, so that all of them come up.
 */
static __always_inline __u64 box_own_begin(void)
{
	__u64 run = box.reboot.own_runs++;

	return (run ^ (run >> 5) * 5) & 31 ? 0 : bpf_ktime_get_ns();
}

static __always_inline void box_own_end(__u64 began, __u64 now)
{
	if (began) {
		box.reboot.own_timed++;
		box.reboot.own_ns += now > began ? now - began : 0;
	}
}

/* The shortest time between two readings of the clock, when the reboot began. */
extern __u64 box_clock_ns;

/* The same around a statement. A run that is not timed does not read the clock for that. */
#define BOX_TIMED(_do)							\
	do {								\
		__u64 _began = box_own_begin();				\
									\
		_do;							\
		if (_began)						\
			box_own_end(_began + box_clock_ns, bpf_ktime_get_ns()); \
	} while (0)

/**
 * struct box_known - what calls of a target have in common, to find it at once
 * @target: address that stands for the target
 * @began:  the reboot that @row is of, as in struct box_reboot
 * @op:     the operation
 * @row:    of the box, BOX_ROWS for none
 */
struct box_known {
	__u64 target;
	__u64 began;
	__u32 op;
	__u32 row;
};

/* The row for a target by the address of its name; BOX_ROWS if there is no room. */
__u32 box_row(__u64 name, __u32 op, __u32 kind);

/* Keep a call that is one of the longest, with all that is known of it. */
int box_keep(const struct lt_slow *call);

/* The list for an operation, from enum luo_op. */
static __always_inline __u32 box_list_of(__u32 op)
{
	return op == OP_PREPARE ? BOX_PREPARE : op == OP_FREEZE ? BOX_FREEZE : BOX_OTHER;
}

static __always_inline __u32 box_bucket(__u64 ns)
{
	__u32 b = 0;

	if (ns >> 32)
		return BOX_BUCKETS - 1;
	if (ns >> 16) { b += 16; ns >>= 16; }
	if (ns >> 8) { b += 8; ns >>= 8; }
	if (ns >> 4) { b += 4; ns >>= 4; }
	if (ns >> 2) { b += 2; ns >>= 2; }
	return b + (ns >> 1);
}

/* Count a call. Whether it is one of the longest so far, and is to be kept. */
static __always_inline _Bool box_count(const struct box_known *known, __u64 ns, int ret)
{
	struct box_row *row;

	if (known->row < BOX_ROWS) {
		row = &box.reboot.rows[known->row];
		row->count++;
		row->errors += ret < 0;
		row->total += ns;
		if (ns < row->min)
			row->min = ns;
		if (ns > row->max)
			row->max = ns;
		row->hist[box_bucket(ns) % BOX_BUCKETS]++;
	} else {
		box.reboot.rows_lost++;
	}
	return ns > box.reboot.least[box_list_of(known->op)];
}

/**
 * struct box_work - work on a session is over
 * @session: as it is kept
 * @list:    enum box_list
 */
struct box_work {
	struct box_session session;
	__u32 list;
};

int box_session_end(const struct box_work *work);

/* Everything is prepared, freeze begins; the handover is written. */
int box_prepared(void);
int box_frozen(void);

#endif
