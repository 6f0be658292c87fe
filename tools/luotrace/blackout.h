/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The blackout of a live update: its phases, and the duration of each, measured from the
 * record of LUO. For timelines, metrics and reports.
 */

#ifndef BLACKOUT_H
#define BLACKOUT_H

#include "recorder.h"

/* The phases, in order. */
enum span {
	SPAN_PREPARE,
	SPAN_FREEZE,
	SPAN_SHUTDOWN,
	SPAN_KEXEC,
	SPAN_INIT,
	SPAN_USER,
	SPAN_RESTORE,
	SPAN_FINISH,
	SPAN_NR,
};

/* The clock that times of one kernel are taken from. */
enum timebase {
	TIMEBASE_NONE,		/* no record */
	TIMEBASE_COUNTER,	/* the counter of the CPU */
	TIMEBASE_CLOCK,		/* the monotonic clock of that kernel */
};

/* Whether the span across the kexec is known, and if not, why. */
enum across {
	ACROSS_KNOWN,
	ACROSS_NO_RECORD,	/* one of the kernels left none */
	ACROSS_NO_COUNTER,	/* one of them has no reliable counter */
	ACROSS_RATE,		/* the counters run at different rates */
	ACROSS_BACKWARDS,	/* the counter is smaller than before */
	ACROSS_WALL,		/* the wall clocks contradict it */
};

/**
 * struct blackout - how long a live update took
 * @known:    whether a phase was measured; the others are unknown, or not over
 * @ns:	      duration of each known phase
 * @whole:    whether all phases are known
 * @total:    ns of all known phases
 * @over:     whether the live update is over
 * @timebase: clock of the old and of the new kernel
 * @hz:	      of the counter of each kernel, where it is the clock
 * @across:   whether the counter goes on across the kexec
 * @counted:  ns from reboot() to the end of kernel init by the counter
 * @wall:     the same by the wall clocks of both kernels; only for ACROSS_WALL
 */
struct blackout {
	bool known[SPAN_NR];
	uint64_t ns[SPAN_NR];
	bool whole;
	uint64_t total;
	bool over;
	enum timebase timebase[2];
	uint64_t hz[2];
	enum across across;
	uint64_t counted;
	uint64_t wall;
};

/**
 * blackout_measure - measure each phase of the last blackout
 * @r: the record
 * @b: filled
 *
 * A phase inside one kernel is measured by the counter if that is reliable, else by the
 * clock of that kernel. The span across the kexec is known only if both kernels read the
 * same counter and the kexec does not reset it.
 */
void blackout_measure(const struct liveupdate_recorder *r, struct blackout *b);

/** span_name - name of a phase in JSON and traces, such as "freeze" */
const char *span_name(enum span s);

/** span_label - the same for people */
const char *span_label(enum span s);

/** span_record - the kernel's record that has the calls of a phase */
const struct liveupdate_recorder_part *
span_record(const struct liveupdate_recorder *r, enum span s);

/** span_scope - the scope of the calls and the sessions of a phase */
enum liveupdate_recorder_scope span_scope(enum span s);

/** span_has_op - whether an operation is called in a phase */
bool span_has_op(enum span s, unsigned int op);

/** span_phase - value of enum luo_phase in trace events, -1 for none */
int span_phase(enum span s);

/**
 * span_place - clip a call, or the phase of a session, to a phase of the blackout
 * @r:	      the record
 * @b:	      its blackout
 * @s:	      the phase
 * @end:      the counter when it returned
 * @duration: ns
 * @from:     set to its begin, ns since the first mark of the phase's kernel
 * @to:	      set to its end
 *
 * Return: false if it is outside, or if that is unknown.
 */
bool span_place(const struct liveupdate_recorder *r, const struct blackout *b,
		enum span s, uint64_t end, uint64_t duration, uint64_t *from,
		uint64_t *to);

/**
 * span_begin - when a phase began
 * @r:	the record
 * @b:	its blackout
 * @s:	the phase
 * @ns: set to ns since the first mark of the phase's kernel, as span_place() counts
 *
 * Return: false if it has not begun, or if that is unknown.
 */
bool span_begin(const struct liveupdate_recorder *r, const struct blackout *b,
		enum span s, uint64_t *ns);

/**
 * span_clock - begin and end of a phase of the new kernel by that kernel's clock
 * @r:	   the record
 * @s:	   the phase
 * @begin: set to CLOCK_MONOTONIC at its begin, ns; 0 where the clock does not run yet
 * @end:   the same at its end
 *
 * Return: false if the phase is one of the old kernel, or not over.
 */
bool span_clock(const struct liveupdate_recorder *r, enum span s, uint64_t *begin,
		uint64_t *end);

/**
 * span_in_calls - ns of a phase of the new kernel during which LUO was called
 * @r:	the record
 * @s:	the phase
 * @ns: set, if it is known
 *
 * Return: whether it is known. Concurrent calls count once.
 */
bool span_in_calls(const struct liveupdate_recorder *r, enum span s, uint64_t *ns);

/**
 * blackout_moment - when something happened, as seen from the first mark of its kernel
 * @r:	     the record
 * @b:	     its blackout
 * @kernel:  0 for the old kernel, whose first mark is the reboot; 1 for the new one, whose
 *	     first mark is its start
 * @counter: the counter at that moment, 0 if there was none
 * @clock:   the clock of that kernel at that moment, ns
 * @ns:	     set to the time since that mark, ns; negative if it was earlier
 *
 * Return: whether the counter can be relied on; if not, the clock has measured it.
 */
bool blackout_moment(const struct liveupdate_recorder *r, const struct blackout *b,
		     int kernel, uint64_t counter, uint64_t clock, int64_t *ns);

/**
 * blackout_between - the time from a moment in the old kernel to one in the new kernel
 * @b:	   the blackout
 * @begin: the counter at the first one, which can be relied on
 * @end:   the counter at the second one, which can be relied on
 * @ns:	   set, if it is known
 *
 * Return: false if the counter does not go on across the kexec.
 */
bool blackout_between(const struct blackout *b, uint64_t begin, uint64_t end,
		      uint64_t *ns);

#endif
