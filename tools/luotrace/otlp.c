// SPDX-License-Identifier: GPL-2.0

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "otlp.h"
#include "otlp_update.h"
#include "workload.h"

#define MAX_UPDATES	64	/* of all traces; each kernel takes part in two */

/* The numbers of updates, and the trace that has the record of each; -1 for none. */
struct updates {
	uint64_t number[MAX_UPDATES];
	int record[MAX_UPDATES];
	int nr;
};

static void add_update(struct updates *all, uint64_t number, int record)
{
	if (all->nr == MAX_UPDATES)
		return;
	all->number[all->nr] = number;
	all->record[all->nr++] = record;
}

/*
 * Which update the events of a trace with this number belong to: that of its own record,
 * of the record that follows it, or of any; -1 for none.
 */
static int update_of(const struct updates *all, int trace, uint64_t number)
{
	int found = -1, u;

	for (u = 0; u < all->nr; u++) {
		if (all->number[u] != number)
			continue;
		if (all->record[u] == trace)
			return u;
		if (found < 0 || all->record[found] < trace)
			found = u;
	}
	return found;
}

static void find_updates(struct trace_file *const *traces, int nr, struct updates *all)
{
	const struct liveupdate_recorder *r;
	uint64_t number, last = UINT64_MAX;
	const struct lt_event *event;
	struct lt_event room;
	size_t e;
	int i;

	all->nr = 0;
	for (i = 0; i < nr; i++) {
		r = trace_file_record(traces[i]);
		if (r && trace_clock_has_blackout(traces, nr, i))
			add_update(all, r->last_in.number, i);
	}
	for (i = 0; i < nr; i++) {
		for (e = 0; e < traces[i]->events.nr; e++) {
			event = event_store_get(&traces[i]->events, e, &room);
			number = event->number;
			if (number != last && !probe_is_kho(event->type) &&
			    update_of(all, i, number) < 0)
				add_update(all, number, -1);
			last = number;
		}
	}
}

static void hash_number(struct sha256_ctx *hash, uint64_t n)
{
	sha256_update(hash, sizeof(n), (const uint8_t *)&n);
}

static void hash_text(struct sha256_ctx *hash, const char *text)
{
	sha256_update(hash, strlen(text) + 1, (const uint8_t *)text);
}

/* Of what the record always has of an update; else of the trace that has its events. */
static void set_trace_id(struct otlp_update *u, const struct trace_file *events)
{
	const struct liveupdate_recorder *r = u->t ? trace_file_record(u->t) : NULL;
	const char *kernel = events ? trace_file_kernel(events) : NULL;
	struct sha256_ctx hash;

	sha256_init(&hash);
	hash_text(&hash, "luotrace update");
	hash_number(&hash, u->number);
	if (r) {
		hash_number(&hash, r->last_out.wall_ns);
		hash_number(&hash, r->last_in.wall_ns);
		hash_text(&hash, r->last_out.release);
		hash_text(&hash, r->last_in.release);
	} else {
		hash_number(&hash, json_integer_value(json_object_get(events->head,
								      "wall_clock_ns")));
		hash_text(&hash, kernel ? kernel : "");
	}
	sha256_digest(&hash, OTLP_TRACE_ID, u->out.trace);
}

static json_t *resource_of(const struct otlp_update *u, const struct trace_file *events)
{
	const struct liveupdate_recorder *r = u->t ? trace_file_record(u->t) : NULL;
	const struct trace_file *host = u->t && trace_file_host(u->t) ? u->t : events;
	json_t *all = json_object();

	otlp_text(all, "service.name", json_string("liveupdate"));
	otlp_text(all, "os.type", json_string("linux"));
	if (host && trace_file_host(host))
		otlp_text(all, "host.name", fmt_json_text(trace_file_host(host)));
	if (host && trace_file_host_id(host))
		otlp_text(all, "host.id", fmt_json_text(trace_file_host_id(host)));
	if (r && recorder_present(&r->last_out))
		otlp_text(all, "luo.kernel.old", fmt_json_name(r->last_out.release));
	if (r && recorder_present(&r->last_in))
		otlp_text(all, "luo.kernel.new", fmt_json_name(r->last_in.release));
	return all;
}

static void put_phases(struct otlp_update *u)
{
	struct otlp_parent root = otlp_root(u);
	struct otlp_span span;
	uint64_t ns;
	int s;

	for (s = 0; s < SPAN_NR; s++) {
		if (!u->phases[s].id)
			continue;
		span = (struct otlp_span){
			.id = u->phases[s].id, .name = span_label(s),
			.begin = u->phases[s].begin, .end = u->phases[s].end,
			.attributes = json_object(),
		};
		otlp_text(span.attributes, "luo.kernel",
			  json_string(s < SPAN_KEXEC ? "old" : "new"));
		otlp_number(span.attributes, "luo.duration_ns", u->b.ns[s]);
		if (span_in_calls(trace_file_record(u->t), s, &ns))
			otlp_number(span.attributes, "luo.in_calls_ns", ns);
		otlp_put_in(u, &root, &span);
	}
}

/* Workloads whose pause is known to have this length; others cannot be drawn. */
static void put_workloads(struct otlp_update *u)
{
	struct otlp_parent root = otlp_root(u);
	struct workload all[WORKLOADS];
	struct otlp_span span;
	int i, n;

	if (!u->phases[SPAN_PREPARE].id)
		return;
	n = workloads_find(trace_file_record(u->t), &u->b, all);
	for (i = 0; i < n; i++) {
		if (!all[i].known)
			continue;
		span = (struct otlp_span){
			.id = otlp_id(&u->out, OTLP_OF_WORKLOADS, i),
			.name = "workload paused",
			.begin = u->phases[SPAN_PREPARE].begin - all[i].to_reboot,
			.attributes = json_object(),
		};
		span.end = span.begin + all[i].ns;
		otlp_text(span.attributes, "luo.workload", fmt_json_name(all[i].name));
		otlp_number(span.attributes, "luo.duration_ns", all[i].ns);
		otlp_put_in(u, &root, &span);
	}
}

static void collect(struct otlp_update *u)
{
	const struct liveupdate_recorder *r = trace_file_record(u->t);
	struct timeline_session sessions[LIVEUPDATE_RECORDER_SLOWEST];
	struct timeline_call calls[2 * LIVEUPDATE_RECORDER_SLOWEST];
	int s, i, n;

	for (s = 0; s < SPAN_NR; s++) {
		n = timeline_calls(r, &u->b, s, calls, 2 * LIVEUPDATE_RECORDER_SLOWEST);
		for (i = 0; i < n; i++)
			u->calls[u->nr_calls++] = (struct otlp_call){
				.call = calls[i].call, .op = calls[i].op, .span = s };
		n = timeline_sessions(r, &u->b, s, sessions, LIVEUPDATE_RECORDER_SLOWEST);
		for (i = 0; i < n; i++)
			u->sessions[u->nr_sessions++] = (struct otlp_session){
				.session = sessions[i].session, .span = s };
	}
}

static void measure(struct otlp_update *u)
{
	const struct liveupdate_recorder *r = trace_file_record(u->t);
	bool dated = r->last_out.wall_ns || r->last_in.wall_ns || u->t->head;
	uint64_t begin;
	int s;

	blackout_measure(r, &u->b);
	for (s = 0; s < SPAN_NR; s++) {
		if (dated && trace_clock_span(u->t, &u->b, s, &begin))
			u->phases[s] = (struct otlp_parent){
				otlp_id(&u->out, OTLP_OF_RECORD, s), begin,
				begin + u->b.ns[s] };
	}
	collect(u);
}

/* What went wrong with the update itself; NULL for nothing. */
static const char *fault_of(const struct liveupdate_recorder *r)
{
	if (r->last_in.nr_refused)
		return "entries of the handover were rejected";
	return recorder_given_up(&r->last_out) ? "sessions were given up" : NULL;
}

static void root_of_record(const struct otlp_update *u, json_t *attributes)
{
	const struct liveupdate_recorder *r = trace_file_record(u->t);
	uint64_t window;

	if (u->b.whole)
		otlp_number(attributes, "luo.blackout_ns", u->b.total);
	if (timeline_window(&u->b, &window))
		otlp_number(attributes, "luo.freeze_window_ns", window);
	otlp_bool(attributes, "luo.finished", u->b.over);
	otlp_number(attributes, "luo.sessions", r->last_in.sessions);
	otlp_number(attributes, "luo.files", r->last_in.files);
	otlp_number(attributes, "luo.given_up", recorder_given_up(&r->last_out));
	otlp_number(attributes, "luo.rejected", r->last_in.nr_refused);
	otlp_number(attributes, "luo.failed_reboots", r->last_out.failed);
}

/* What was lost of the events; nothing if that is not known. */
static void put_losses(json_t *attributes, uint64_t lost)
{
	if (lost != TRACER_UNKNOWN)
		otlp_number(attributes, "luo.lost_events", lost);
	otlp_bool(attributes, "luo.losses_known", lost != TRACER_UNKNOWN);
}

/* What tracing itself cost; nothing if that is not known. */
static void put_observer(json_t *attributes, const struct observer *o)
{
	if (o->run_ns == OBSERVER_UNKNOWN || o->observed_ns == OBSERVER_UNKNOWN)
		return;
	otlp_number(attributes, "luo.observer.run_ns", o->run_ns);
	otlp_number(attributes, "luo.observer.observed_ns", o->observed_ns);
}

static void put_root(struct otlp_update *u, bool has_events, uint64_t lost,
		     const struct observer *observer)
{
	struct otlp_span span = {
		.id = otlp_root(u).id, .name = "live update", .begin = u->begin,
		.end = u->end, .attributes = json_object(),
	};

	if (u->begin > u->end) {
		json_decref(span.attributes);
		return;
	}
	if (u->number)
		otlp_number(span.attributes, "luo.number", u->number);
	if (u->t) {
		root_of_record(u, span.attributes);
		span.error = fault_of(trace_file_record(u->t));
	}
	if (has_events) {
		put_losses(span.attributes, lost);
		put_observer(span.attributes, observer);
	}
	otlp_put(&u->out, &span);
}

static bool has_events(const struct updates *all, int update, const struct trace_file *t,
		       int at)
{
	const uint64_t number = all->number[update];
	const struct lt_event *event;
	struct lt_event room;
	size_t e;

	for (e = 0; e < t->events.nr; e++) {
		event = event_store_get(&t->events, e, &room);
		if (event->number == number && !probe_is_kho(event->type))
			return update_of(all, at, number) == update;
	}
	return false;
}

static bool put_update(struct otlp_update *u, const struct updates *all, int update)
{
	const struct trace_file *first = NULL;
	struct observer observer = { 0 };
	uint64_t lost = 0, one;
	bool ok = true;
	int i;

	for (i = 0; i < u->nr; i++) {
		if (!has_events(all, update, u->traces[i], i))
			continue;
		first = first ? first : u->traces[i];
		one = trace_file_lost(u->traces[i]);
		lost = one == TRACER_UNKNOWN || lost == TRACER_UNKNOWN ? TRACER_UNKNOWN :
			lost + one;
		observer = observer_sum(&observer, &u->traces[i]->latency.observer);
	}
	set_trace_id(u, first);
	u->out.resource = resource_of(u, first);
	if (u->t) {
		measure(u);
		put_phases(u);
		put_workloads(u);
	}
	for (i = 0; ok && i < u->nr; i++)
		ok = !has_events(all, update, u->traces[i], i) || otlp_put_events(u, i);
	if (u->t)
		otlp_put_record(u);
	put_root(u, first, lost, &observer);
	ok = otlp_end(&u->out) && ok;
	json_decref(u->out.resource);
	return ok;
}

bool otlp_write(struct trace_file *const *traces, int nr, FILE *f)
{
	struct otlp_update *u;
	struct updates all;
	bool ok = true;
	int i;

	find_updates(traces, nr, &all);
	for (i = 0; ok && i < all.nr; i++) {
		u = calloc(1, sizeof(*u));
		if (!u)
			return false;
		u->out.f = f;
		u->traces = traces;
		u->nr = nr;
		u->t = all.record[i] < 0 ? NULL : traces[all.record[i]];
		u->number = all.number[i];
		u->begin = UINT64_MAX;
		ok = put_update(u, &all, i);
		free(u);
	}
	return ok;
}
