// SPDX-License-Identifier: GPL-2.0

#include <string.h>

#include "trace_clock.h"

static uint64_t head_number(const struct trace_file *t, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(t->head, key));

	return n > 0 ? n : 0;
}

bool trace_clock_has_blackout(struct trace_file *const *traces, int nr, int at)
{
	return trace_file_record(traces[at]) && !trace_file_repeated(traces, nr, at) &&
	       (at || nr == 1 || !traces[at]->head);
}

bool trace_clock_span(const struct trace_file *t, const struct blackout *b, enum span s,
		      uint64_t *begin)
{
	const struct liveupdate_recorder *r = trace_file_record(t);
	uint64_t before = 0, init = r->last_in.wall_ns;
	enum span i;

	/* Without a recorded clock at least its length is shown. */
	if (!init && !r->last_out.wall_ns)
		init = head_number(t, "wall_clock_ns");

	for (i = 0; i < s && b->known[i]; i++)
		before += b->ns[i];
	if (i == s && (r->last_out.wall_ns || !r->last_in.wall_ns)) {
		*begin = (r->last_out.wall_ns ? r->last_out.wall_ns : init) + before;
		return b->known[s];
	}
	/* From the new kernel's clock, of the end of its init, in both directions. */
	if (s < SPAN_INIT || !init || !b->known[SPAN_INIT])
		return false;
	*begin = init - b->ns[SPAN_INIT];
	for (i = SPAN_INIT; i < s; i++) {
		if (!b->known[i])
			return false;
		*begin += b->ns[i];
	}
	return b->known[s];
}

/* Of the kernel that recorded it, by the first open in it and the old one's clock. */
static bool begin_of_new(const struct trace_file *t, uint64_t monotonic, uint64_t *begin)
{
	const struct liveupdate_recorder *r = trace_file_record(t);
	uint64_t opened, at;
	struct blackout b;

	if (!r->last_out.wall_ns)
		return false;
	opened = r->last_in.times[LIVEUPDATE_MARK_OPEN];
	blackout_measure(r, &b);
	if (!opened || !trace_clock_span(t, &b, SPAN_RESTORE, &at) ||
	    at + monotonic <= opened)
		return false;
	*begin = at + monotonic - opened;
	return true;
}

/* Whether a trace is of the kernel that this record has as the old one. */
static bool is_of_old(const struct trace_file *t, uint64_t monotonic,
		      const struct liveupdate_recorder *r)
{
	const struct liveupdate_recorder_part *out = &r->last_out;
	const char *kernel = trace_file_kernel(t);
	uint64_t first, last;

	trace_file_numbers(t, &first, &last);
	return out->wall_ns && out->number && out->number >= first &&
	       out->number <= last && kernel && !strcmp(kernel, out->release) &&
	       monotonic <= out->times[LIVEUPDATE_MARK_REBOOT];
}

/* Of the old kernel, whose mark has both of its clocks. */
static bool begin_of_old(struct trace_file *const *traces, int nr, int at,
			 uint64_t monotonic, uint64_t *begin)
{
	const struct liveupdate_recorder *r;
	int i;

	for (i = at + 1; i < nr; i++) {
		r = trace_file_record(traces[i]);
		if (!r || !trace_clock_has_blackout(traces, nr, i) ||
		    !is_of_old(traces[at], monotonic, r))
			continue;
		*begin = r->last_out.wall_ns + monotonic -
			 r->last_out.times[LIVEUPDATE_MARK_REBOOT];
		return true;
	}
	return false;
}

uint64_t trace_clock_begin(struct trace_file *const *traces, int nr, int at)
{
	const struct trace_file *t = traces[at];
	uint64_t monotonic = head_number(t, "monotonic_ns"), begin;

	if (monotonic && trace_file_record(t) && (at || nr == 1) &&
	    begin_of_new(t, monotonic, &begin))
		return begin;
	if (monotonic && begin_of_old(traces, nr, at, monotonic, &begin))
		return begin;
	return head_number(t, "wall_clock_ns");
}
