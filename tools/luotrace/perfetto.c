// SPDX-License-Identifier: GPL-2.0

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "blackout.h"
#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "json.h"
#include "perfetto.h"
#include "perfetto_counters.h"
#include "perfetto_tracks.h"
#include "probe.h"
#include "timeline.h"
#include "trace_clock.h"

#define NAME_BUF	(4 * LT_NAME_LEN + 1)
#define NOT_OPEN	UINT64_MAX

/* Tracks of a blackout. */
enum { OLD_TRACK = 1, NEW_TRACK };

/*
 * The output: one object after the other, as a million of them would not fit into memory.
 */
struct out {
	FILE *f;
	bool any;		/* is written already */
	int pid;		/* of the kernel that is written */
	uint64_t offset;	/* of its first moment, ns */
	struct tracks *tracks;
	struct counters counters;
};

static void put(struct out *out, json_t *value)
{
	json_write(value, JSON_COMPACT | JSON_ENCODE_ANY, out->f);
	json_decref(value);
}

/* A time is a number of us. */
static void put_us(struct out *out, const char *key, uint64_t ns)
{
	fprintf(out->f, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000,
		(unsigned int)(ns % 1000));
}

/* @name has to be printable, as the other words, which are put in as they are. */
static void begin_event(struct out *out, const char *name, char phase, uint32_t tid)
{
	fputs(out->any ? ",\n{\"name\":" : "\n{\"name\":", out->f);
	out->any = true;
	put(out, fmt_json_text(name));
	fprintf(out->f, ",\"ph\":\"%c\",\"pid\":%d,\"tid\":%u", phase, out->pid, tid);
}

static void end_event(struct out *out, json_t *args)
{
	fputs(",\"args\":", out->f);
	put(out, args);
	fputc('}', out->f);
}

/* @what is "process_name" or "thread_name". */
static void put_name(struct out *out, const char *what, uint32_t tid,
		     const char *name)
{
	begin_event(out, what, 'M', tid);
	end_event(out, json_pack("{so}", "name", fmt_json_text(name)));
}

/* A text beside the name of the kernel. */
static void put_label(struct out *out, const char *text)
{
	begin_event(out, "process_labels", 'M', 0);
	end_event(out, json_pack("{so}", "labels", fmt_json_text(text)));
}

static void put_moment(struct out *out, uint32_t tid, const char *name,
		       const char *category, uint64_t at, json_t *args)
{
	begin_event(out, name, 'i', tid);
	fprintf(out->f, ",\"cat\":\"%s\",\"s\":\"t\"", category);
	put_us(out, "ts", out->offset + at);
	end_event(out, args);
}

/* On a track on which it does not overlap another one. */
static void put_slice(struct out *out, uint32_t tid, const char *name,
		      const char *category, uint64_t begin, uint64_t end, json_t *args)
{
	begin_event(out, name, 'X', tid);
	fprintf(out->f, ",\"cat\":\"%s\"", category);
	put_us(out, "ts", out->offset + begin);
	put_us(out, "dur", end - begin);
	end_event(out, args);
}

static void name_track(struct out *out, const struct track *t, uint32_t place)
{
	char name[NAME_BUF], text[NAME_BUF + 16];

	if (t->kind == TRACK_THREAD && place == t->tid)
		return;
	if (t->kind == TRACK_THREAD)
		snprintf(text, sizeof(text), "thread %u", t->tid);
	else
		snprintf(text, sizeof(text), "%s%s", *t->name ? "session " : "phases",
			 fmt_label(name, sizeof(name), t->name));
	put_name(out, "thread_name", place, text);
}

/* A span on a track of its owner, where it does not overlap another one. */
static void put_span(struct out *out, struct track *t, const char *name,
		     const char *category, uint64_t begin, uint64_t end, json_t *args)
{
	bool is_new;
	uint32_t place = t ? tracks_place(out->tracks, t, begin, end, &is_new) : 0;

	if (!place) {
		put_moment(out, t ? t->tid : 0, name, category, end, args);
		return;
	}
	if (is_new)
		name_track(out, t, place);
	put_slice(out, place, name, category, begin, end, args);
}

/* The counters that an event changes. */
static void put_counters(struct out *out, const struct lt_event *e)
{
	struct counter changed[COUNTERS_CHANGED];
	int n = counters_event(&out->counters, e, changed), i;

	for (i = 0; i < n; i++) {
		begin_event(out, changed[i].name, 'C', 0);
		put_us(out, "ts", out->offset + e->ts);
		end_event(out, json_pack("{sI}", changed[i].series,
					 (json_int_t)changed[i].value));
	}
}

static json_t *event_args(const struct lt_event *e)
{
	json_t *args = event_json(e, 0);

	json_object_del(args, "time_ns");
	return args;
}

static uint32_t thread_of(const struct lt_event *e)
{
	return e->tid ? e->tid : e->pid;
}

static void put_call(struct out *out, const struct lt_event *e)
{
	char name[NAME_BUF + 32], compat[NAME_BUF];
	json_t *args = event_args(e);
	bool cut = e->call.duration_ns > e->ts;

	snprintf(name, sizeof(name), "%s %s", enum_name(ENUM_OP, e->call.op),
		 fmt_label(compat, sizeof(compat), e->compatible));
	if (cut)
		json_object_set_new(args, "begin", json_string("before the trace"));
	put_span(out, tracks_get(out->tracks, TRACK_THREAD, thread_of(e), ""), name,
		 "call", cut ? 0 : e->ts - e->call.duration_ns, e->ts, args);
}

static struct track *phase_track(struct out *out, const struct lt_event *e)
{
	return tracks_get(out->tracks, *e->session ? TRACK_SESSION : TRACK_GLOBAL, 0,
			  e->session);
}

static char *phase_name(char *buf, size_t size, unsigned int phase,
			const char *session)
{
	char name[NAME_BUF];

	snprintf(buf, size, "%s%s%s", enum_name(ENUM_PHASE, phase), *session ? " " : "",
		 fmt_label(name, sizeof(name), session));
	return buf;
}

/* A phase that did not end in the trace. */
static void put_begun(struct out *out, struct track *t, unsigned int phase)
{
	char name[NAME_BUF + 32];

	put_moment(out, 0, phase_name(name, sizeof(name), phase, t->name), "phase",
		   t->open[phase], json_pack("{ss}", "end", "unknown"));
}

static void put_phase(struct out *out, const struct lt_event *e)
{
	struct track *t = phase_track(out, e);
	char name[NAME_BUF + 32];
	uint64_t begin;
	json_t *args;

	if (!t || e->phase.phase >= TRACK_PHASES) {
		put_moment(out, thread_of(e), probe_tracepoint(e->type), "event", e->ts,
			   event_args(e));
		return;
	}
	begin = t->open[e->phase.phase];
	if (e->type == LT_PHASE_BEGIN) {
		if (begin != NOT_OPEN)
			put_begun(out, t, e->phase.phase);
		t->open[e->phase.phase] = e->ts;
		return;
	}
	args = event_args(e);
	phase_name(name, sizeof(name), e->phase.phase, e->session);
	t->open[e->phase.phase] = NOT_OPEN;
	if (begin != NOT_OPEN && begin <= e->ts) {
		put_span(out, t, name, "phase", begin, e->ts, args);
		return;
	}
	/* It began before the trace did, or its begin was lost. */
	json_object_set_new(args, "begin", json_string("unknown"));
	put_moment(out, thread_of(e), name, "phase", e->ts, args);
}

static bool put_open(struct track *t, void *data)
{
	unsigned int phase;

	for (phase = 0; phase < TRACK_PHASES; phase++) {
		if (t->open[phase] != NOT_OPEN)
			put_begun(data, t, phase);
	}
	return true;
}

/* The name has the losses, as nothing else shows them. */
static void name_kernel(struct out *out, const struct trace_file *t)
{
	uint64_t lost = trace_file_lost(t);
	char name[NAME_BUF], losses[64] = "";
	const char *kernel = trace_file_kernel(t);

	if (!t->ended)
		snprintf(losses, sizeof(losses), ", without an end, losses unknown");
	else if (lost == TRACER_UNKNOWN)
		snprintf(losses, sizeof(losses), ", losses unknown");
	else if (lost)
		snprintf(losses, sizeof(losses), ", %" PRIu64 " events lost", lost);
	snprintf(name, sizeof(name), "kernel %.*s%s", LT_NAME_LEN,
		 kernel ? kernel : "-", losses);
	put_name(out, "process_name", 0, name);
}

static void put_trace(struct out *out, const struct trace_file *t)
{
	char observer[OBSERVER_TEXT];
	const struct lt_event *e;
	struct lt_event room;
	size_t i;

	name_kernel(out, t);
	/* An update alone was not traced. */
	if (t->head)
		put_label(out, observer_text(&t->latency.observer, observer));
	out->counters = (struct counters){ .page_size = t->latency.page_size };
	for (i = 0; i < t->events.nr; i++) {
		e = event_store_get(&t->events, i, &room);
		switch (e->type) {
		case LT_HANDLER_EXIT:
		case LT_SUBSYSTEM_EXIT:
		case LT_FLB_EXIT:
			put_call(out, e);
			break;
		case LT_PHASE_BEGIN:
		case LT_PHASE_END:
			put_phase(out, e);
			break;
		default:
			put_moment(out, thread_of(e), probe_tracepoint(e->type),
				   "event", e->ts, event_args(e));
			put_counters(out, e);
			break;
		}
	}
	tracks_each(out->tracks, put_open, out);
}

static void put_blackout(struct out *out, const struct trace_file *t, uint64_t base)
{
	const struct liveupdate_recorder *r = trace_file_record(t);
	char name[64], title[TIMELINE_TITLE];
	struct blackout b;
	uint64_t begin;
	int s;

	timeline_title(r, title);
	title[0] = 'l';
	snprintf(name, sizeof(name), "blackout of %s", title);
	put_name(out, "process_name", 0, name);
	/* If the span across the kexec is unknown, clocks can make kernels overlap. */
	put_name(out, "thread_name", OLD_TRACK, "old kernel");
	put_name(out, "thread_name", NEW_TRACK, "new kernel");
	blackout_measure(r, &b);
	for (s = 0; s < SPAN_NR; s++) {
		if (!trace_clock_span(t, &b, s, &begin))
			continue;
		put_slice(out, s < SPAN_KEXEC ? OLD_TRACK : NEW_TRACK, span_name(s),
			  "blackout", begin - base, begin - base + b.ns[s],
			  json_pack("{ss}", "kernel", s < SPAN_KEXEC ? "old" : "new"));
	}
}

/* The earliest time of all traces. */
static uint64_t first_moment(struct trace_file *const *traces, int nr)
{
	uint64_t base = UINT64_MAX, at;
	struct blackout b;
	int i, s;

	for (i = 0; i < nr; i++) {
		at = traces[i]->head ? trace_clock_begin(traces, nr, i) : UINT64_MAX;
		base = at < base ? at : base;
		if (!trace_clock_has_blackout(traces, nr, i))
			continue;
		blackout_measure(trace_file_record(traces[i]), &b);
		for (s = 0; s < SPAN_NR; s++) {
			if (trace_clock_span(traces[i], &b, s, &at))
				base = at < base ? at : base;
		}
	}
	return base;
}

bool perfetto_write(struct trace_file *const *traces, int nr, FILE *f)
{
	uint64_t base = first_moment(traces, nr);
	struct out out = { .f = f };
	int i;

	fputs("{\"displayTimeUnit\": \"ns\", \"otherData\": {\"recorded_by\": \"luotrace\"},\n"
	      "\"traceEvents\": [", f);
	for (i = 0; i < nr && !ferror(f); i++) {
		out.pid = i + 1;
		if (traces[i]->head) {
			out.offset = trace_clock_begin(traces, nr, i) - base;
			out.tracks = tracks_new();
			if (!out.tracks)
				return false;
			put_trace(&out, traces[i]);
			tracks_free(out.tracks);
		}
		out.pid = nr + i + 1;
		out.offset = 0;
		if (trace_clock_has_blackout(traces, nr, i))
			put_blackout(&out, traces[i], base);
	}
	fputs("\n]}\n", f);
	return !ferror(f);
}
