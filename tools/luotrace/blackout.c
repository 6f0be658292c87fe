// SPDX-License-Identifier: GPL-2.0

#include <string.h>

#include "blackout.h"

#define NS		1000000000LL
/* The wall clock is read from an RTC: it is coarse, and can be off. */
#define WALL_SLACK	(10 * NS)
#define WALL_BACKWARDS	(-2 * NS)
#define WALL_MOST	(15 * 60 * NS)
/* The clock of a kernel can stop before its counter, and starts after it. */
#define CLOCK_SLACK	(NS)
#define CLOCK_STOPPED	(600 * NS)

/* Each span: its marks, the operations called in it, and the phase of a session. */
static const struct {
	const char *name;	/* in JSON */
	const char *label;	/* for people, NULL if that is the name */
	enum liveupdate_recorder_mark begin, end;
	unsigned int ops;	/* a bit each, as in the trace events */
	int phase;
} spans[SPAN_NR] = {
	[SPAN_PREPARE] = { "prepare in reboot", NULL, LIVEUPDATE_MARK_REBOOT,
			   LIVEUPDATE_MARK_PREPARED, 1 << 3, 0 },
	[SPAN_FREEZE] = { "freeze", NULL, LIVEUPDATE_MARK_PREPARED,
			  LIVEUPDATE_MARK_FROZEN, 1 << 5, 1 },
	[SPAN_SHUTDOWN] = { "shutdown", NULL, LIVEUPDATE_MARK_FROZEN,
			    LIVEUPDATE_MARK_JUMP, 0, -1 },
	[SPAN_KEXEC] = { "jump, early boot", "kexec, early boot", LIVEUPDATE_MARK_JUMP,
			LIVEUPDATE_MARK_START, 0, -1 },
	[SPAN_INIT] = { "kernel init", NULL, LIVEUPDATE_MARK_START,
			LIVEUPDATE_MARK_INIT, 1 << 10, -1 },
	[SPAN_USER] = { "user-space start", NULL, LIVEUPDATE_MARK_INIT,
			LIVEUPDATE_MARK_OPEN, 0, -1 },
	[SPAN_RESTORE] = { "restore", NULL, LIVEUPDATE_MARK_OPEN,
			   LIVEUPDATE_MARK_RESTORED, 1 << 7, 5 },
	[SPAN_FINISH] = { "finish", NULL, LIVEUPDATE_MARK_RESTORED,
			  LIVEUPDATE_MARK_FINISHED, 1 << 8 | 1 << 9, 3 },
};

const char *span_name(enum span s)
{
	return spans[s].name;
}

const char *span_label(enum span s)
{
	return spans[s].label ? spans[s].label : spans[s].name;
}

bool span_has_op(enum span s, unsigned int op)
{
	return spans[s].ops & 1U << op;
}

int span_phase(enum span s)
{
	return spans[s].phase;
}

enum liveupdate_recorder_scope span_scope(enum span s)
{
	return spans[s].end < LIVEUPDATE_MARK_START ? LIVEUPDATE_SCOPE_REBOOT :
						      LIVEUPDATE_SCOPE_AGENT;
}

static const struct liveupdate_recorder_part *
record_of(const struct liveupdate_recorder *r, enum liveupdate_recorder_mark mark)
{
	return mark >= LIVEUPDATE_MARK_START ? &r->last_in : &r->last_out;
}

const struct liveupdate_recorder_part *
span_record(const struct liveupdate_recorder *r, enum span s)
{
	return record_of(r, spans[s].end);
}

static bool reached(const struct liveupdate_recorder_part *p,
		    enum liveupdate_recorder_mark mark)
{
	return p->times[mark] ||
	       (mark == LIVEUPDATE_MARK_START && p->marks[mark]);
}

/* The mark that ends or begins a span in this record; LIVEUPDATE_NR_MARKS: none. */
static enum liveupdate_recorder_mark
mark_of(const struct liveupdate_recorder *r, enum liveupdate_recorder_mark mark)
{
	const struct liveupdate_recorder_part *p = record_of(r, mark);

	/* Each FINISH sets it; the last one is known once the live update is over. */
	if (mark == LIVEUPDATE_MARK_FINISHED && !p->over)
		return LIVEUPDATE_NR_MARKS;
	/* Without a retrieved file nothing had to be restored. */
	if (mark == LIVEUPDATE_MARK_RESTORED && !reached(p, mark) && p->over)
		mark = LIVEUPDATE_MARK_OPEN;
	/* Without a session no agent had to start, either. */
	if (mark == LIVEUPDATE_MARK_OPEN && p->over &&
	    (!reached(p, mark) ||
	     p->times[mark] > p->times[LIVEUPDATE_MARK_FINISHED]))
		mark = LIVEUPDATE_MARK_FINISHED;
	return reached(p, mark) ? mark : LIVEUPDATE_NR_MARKS;
}

static uint64_t to_ns(uint64_t ticks, uint64_t hz)
{
	return (unsigned __int128)ticks * NS / hz;
}

/* Whether a time by the clock is one by the counter; the clock can stand still. */
static bool times_agree(int64_t clock, int64_t counter, int64_t stopped)
{
	int64_t slack = clock / 8 + CLOCK_SLACK;

	return counter >= clock - slack && counter <= clock + slack + stopped;
}

/*
 * Whether the counter and the clock of a kernel agree between two marks. A counter that
 * was stepped, or runs at another rate, does not.
 */
static bool marks_agree(const struct liveupdate_recorder_part *p, uint64_t hz,
			int first, int next)
{
	int64_t clock = p->times[next] - p->times[first];

	if (!p->marks[first] || p->marks[next] < p->marks[first])
		return false;
	/* Timers are off at the very end, and not yet on at the very beginning. */
	return times_agree(clock, to_ns(p->marks[next] - p->marks[first], hz),
			   first == LIVEUPDATE_MARK_START ||
			   next == LIVEUPDATE_MARK_JUMP ? CLOCK_STOPPED : 0);
}

static bool counter_agrees(const struct liveupdate_recorder_part *p, uint64_t hz,
			   int first, int last)
{
	int mark, before = first;

	if (!p->marks[first])
		return false;
	for (mark = first + 1; mark <= last; mark++) {
		/* A session can be finished before the last file of another. */
		if (!reached(p, mark) || p->times[mark] < p->times[before])
			continue;
		if (!marks_agree(p, hz, before, mark))
			return false;
		before = mark;
	}
	return true;
}

/*
 * The rate of a kernel's counter, 0 if it cannot be used. A kernel that could not
 * measure it reads the same counter as the other one.
 */
static uint64_t counter_hz(const struct liveupdate_recorder_part *p,
			   const struct liveupdate_recorder_part *other,
			   int first, int last)
{
	uint64_t hz = p->clock_stable ? p->clock_hz : 0;

	if (!p->clock_hz && recorder_present(other) && other->clock_stable)
		hz = other->clock_hz;
	return hz && counter_agrees(p, hz, first, last) ? hz : 0;
}

static void choose_timebase(const struct liveupdate_recorder *r, struct blackout *b)
{
	static const int ends[2][2] = {
		{ LIVEUPDATE_MARK_REBOOT, LIVEUPDATE_MARK_JUMP },
		{ LIVEUPDATE_MARK_START, LIVEUPDATE_MARK_FINISHED },
	};
	const struct liveupdate_recorder_part *parts[] = { &r->last_out,
							   &r->last_in };
	int k;

	for (k = 0; k < 2; k++) {
		if (!recorder_present(parts[k]))
			continue;
		b->hz[k] = counter_hz(parts[k], parts[!k], ends[k][0],
				      ends[k][1]);
		b->timebase[k] = b->hz[k] ? TIMEBASE_COUNTER : TIMEBASE_CLOCK;
	}
}

/* Whether the wall clocks of both kernels contradict the counter. */
static bool wall_contradicts(const struct liveupdate_recorder *r,
			     struct blackout *b)
{
	int64_t wall = r->last_in.wall_ns - r->last_out.wall_ns;
	int64_t counted;

	if (!r->last_in.wall_ns || !r->last_out.wall_ns ||
	    !r->last_in.marks[LIVEUPDATE_MARK_INIT])
		return false;
	/* A clock that was set proves nothing, and an RTC can be of another zone. */
	if (wall < WALL_BACKWARDS || wall > WALL_MOST)
		return false;
	wall = wall < 0 ? 0 : wall;
	b->wall = wall;
	b->counted = to_ns(r->last_in.marks[LIVEUPDATE_MARK_INIT] -
			   r->last_out.marks[LIVEUPDATE_MARK_REBOOT], b->hz[0]);
	counted = b->counted > INT64_MAX / 4 ? INT64_MAX / 4 : b->counted;
	return counted > 2 * wall + WALL_SLACK || wall > 2 * counted + WALL_SLACK;
}

/* Whether both kernels read the same counter at the same rate, without a reset. */
static enum across find_across(const struct liveupdate_recorder *r,
			       struct blackout *b)
{
	uint64_t last = r->last_out.marks[LIVEUPDATE_MARK_JUMP];
	uint64_t start = r->last_in.marks[LIVEUPDATE_MARK_START];
	uint64_t out = b->hz[0], in = b->hz[1];

	if (b->timebase[0] == TIMEBASE_NONE || b->timebase[1] == TIMEBASE_NONE)
		return ACROSS_NO_RECORD;
	if (!out || !in || !last || !start)
		return ACROSS_NO_COUNTER;
	/* Two measurements of one clock differ by less than 1/1000. */
	if ((out > in ? out - in : in - out) > out / 1000)
		return ACROSS_RATE;
	if (start < last)
		return ACROSS_BACKWARDS;
	return wall_contradicts(r, b) ? ACROSS_WALL : ACROSS_KNOWN;
}

/*
 * Ticks since the first mark of a kernel as ns. Where the counter goes on across the
 * kexec both count from the first mark of the old kernel, at one rate, so that rounded
 * durations add up to the whole.
 */
static uint64_t counter_ns(const struct liveupdate_recorder *r,
			   const struct blackout *b, int kernel, uint64_t counter)
{
	uint64_t first = r->last_in.marks[LIVEUPDATE_MARK_START];

	if (!kernel || b->across == ACROSS_KNOWN) {
		first = r->last_out.marks[LIVEUPDATE_MARK_REBOOT];
		kernel = 0;
	}
	return counter > first ? to_ns(counter - first, b->hz[kernel]) : 0;
}

/* When a mark was reached, in ns since the first mark; false if unknown. */
static bool mark_ns(const struct liveupdate_recorder *r, const struct blackout *b,
		    enum liveupdate_recorder_mark mark, uint64_t *ns)
{
	int kernel = mark >= LIVEUPDATE_MARK_START;
	const struct liveupdate_recorder_part *p = record_of(r, mark);

	if (b->timebase[kernel] == TIMEBASE_NONE)
		return false;
	/* The clock of a kernel begins at 0, whether LUO has seen that or not. */
	if (b->timebase[kernel] == TIMEBASE_CLOCK &&
	    mark == LIVEUPDATE_MARK_START) {
		*ns = 0;
		return true;
	}
	mark = mark_of(r, mark);
	if (mark == LIVEUPDATE_NR_MARKS)
		return false;
	*ns = b->timebase[kernel] == TIMEBASE_CLOCK ? p->times[mark] :
	      counter_ns(r, b, kernel, p->marks[mark]);
	return true;
}

void blackout_measure(const struct liveupdate_recorder *r, struct blackout *b)
{
	uint64_t begin, end;
	int s;

	memset(b, 0, sizeof(*b));
	choose_timebase(r, b);
	b->across = find_across(r, b);
	b->over = r->last_in.over;
	b->whole = true;
	for (s = 0; s < SPAN_NR; s++) {
		b->known[s] = mark_ns(r, b, spans[s].begin, &begin) &&
			      mark_ns(r, b, spans[s].end, &end) && end >= begin &&
			      (s != SPAN_KEXEC || b->across == ACROSS_KNOWN);
		if (!b->known[s]) {
			b->whole = false;
			continue;
		}
		b->ns[s] = end - begin;
		b->total += b->ns[s];
	}
}

bool span_place(const struct liveupdate_recorder *r, const struct blackout *b,
		enum span s, uint64_t end, uint64_t duration, uint64_t *from,
		uint64_t *to)
{
	int kernel = spans[s].end >= LIVEUPDATE_MARK_START;
	uint64_t first, last;

	if (b->timebase[kernel] != TIMEBASE_COUNTER ||
	    !mark_ns(r, b, spans[s].begin, &first))
		return false;
	*to = counter_ns(r, b, kernel, end);
	*from = *to > duration ? *to - duration : 0;
	if (*from < first)
		*from = first;
	/* A phase in progress ends later. */
	if (mark_ns(r, b, spans[s].end, &last) && *to > last)
		*to = last;
	return *to > *from;
}

bool span_begin(const struct liveupdate_recorder *r, const struct blackout *b,
		enum span s, uint64_t *ns)
{
	return mark_ns(r, b, spans[s].begin, ns);
}

bool span_clock(const struct liveupdate_recorder *r, enum span s, uint64_t *begin,
		uint64_t *end)
{
	const struct liveupdate_recorder_part *p = span_record(r, s);
	enum liveupdate_recorder_mark first, last;

	if (s < SPAN_INIT)
		return false;
	first = mark_of(r, spans[s].begin);
	last = mark_of(r, spans[s].end);
	if (last == LIVEUPDATE_NR_MARKS ||
	    (first == LIVEUPDATE_NR_MARKS && s != SPAN_INIT))
		return false;
	*begin = first == LIVEUPDATE_NR_MARKS ? 0 : p->times[first];
	*end = p->times[last];
	return *end >= *begin;
}

bool span_in_calls(const struct liveupdate_recorder *r, enum span s, uint64_t *ns)
{
	const struct liveupdate_recorder_part *p = span_record(r, s);
	enum liveupdate_recorder_mark begin, end;

	if (s < SPAN_USER)
		return false;
	begin = mark_of(r, spans[s].begin);
	end = mark_of(r, spans[s].end);
	if (begin == LIVEUPDATE_NR_MARKS || end == LIVEUPDATE_NR_MARKS ||
	    p->busy[end] < p->busy[begin])
		return false;
	*ns = p->busy[end] - p->busy[begin];
	return true;
}

/* More than any machine runs; room to add and to negate. */
static int64_t clamped(uint64_t ns)
{
	return ns > INT64_MAX / 4 ? INT64_MAX / 4 : ns;
}

bool blackout_moment(const struct liveupdate_recorder *r, const struct blackout *b,
		     int kernel, uint64_t counter, uint64_t clock, int64_t *ns)
{
	const int first = kernel ? LIVEUPDATE_MARK_START : LIVEUPDATE_MARK_REBOOT;
	const struct liveupdate_recorder_part *p = record_of(r, first);
	bool before = clock < p->times[first];
	int64_t clocked, counted;

	clocked = clamped(before ? p->times[first] - clock : clock - p->times[first]);
	*ns = before ? -clocked : clocked;
	if (!b->hz[kernel])
		return false;
	/* No counter, and one on the other side of the mark, is far away. */
	counted = clamped(to_ns(before ? p->marks[first] - counter :
					 counter - p->marks[first], b->hz[kernel]));
	if (!times_agree(clocked, counted, kernel ? CLOCK_STOPPED : 0))
		return false;
	*ns = before ? -counted : counted;
	return true;
}

bool blackout_between(const struct blackout *b, uint64_t begin, uint64_t end,
		      uint64_t *ns)
{
	if (b->across != ACROSS_KNOWN || end < begin)
		return false;
	*ns = to_ns(end - begin, b->hz[0]);
	return true;
}
