// SPDX-License-Identifier: GPL-2.0

/*
 * A slow reader of the output, or a slow --exec command, does not keep luotrace from
 * emptying the buffer between kernel and luotrace: both have queues. What does not fit into
 * a queue, or into the buffer, is dropped with a message at once, and an audit finds the
 * leaks that were not reported.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "event.h"
#include "fmt.h"
#include "hook.h"
#include "json.h"
#include "leak.h"
#include "msg.h"
#include "outq.h"
#include "watch.h"

#define BUFFER_KIB	1024	/* some 4,000 leaks between two polls */
#define POLL_MS		100
#define GRACE_MS	2000	/* at the end, for the queues */
#define SECOND		1000000000ULL
#define LINE_BUF	(AUDIT_TEXT + FMT_WALL + 64)

struct watch {
	const struct watch_options *wo;
	struct tracer *tracer;
	struct outq out;
	struct hook *hook;
	struct leak_reports *reports;
	struct tracer_lost lost;	/* already reported */
	uint64_t dropped;		/* leaks that did not fit into a queue */
	uint64_t start;			/* of the first line, ns */
	uint64_t audit_at;		/* when to audit next, UINT64_MAX for never */
	bool first;
	bool leaked;
	bool failed;
};

static void print(struct watch *w, const char *text)
{
	if (!outq_add(&w->out, text)) {
		msg_error("out of memory");
		w->failed = true;
	}
}

static void print_json(struct watch *w, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	if (text)
		print(w, text);
	else
		w->failed = true;
	free(text);
}

static void print_leak(struct watch *w, const struct leak *l)
{
	uint64_t since = event_since(l->ts, w->start);
	uint64_t wall = w->wo->o->timestamps ? wall_ns(l->ts) : 0;
	char line[LINE_BUF], when[FMT_WALL] = "";

	if (w->wo->o->json) {
		print_json(w, json_pack("{ss, sI, so*, ss, so, so, so, ss}", "event",
			   "leak", "time_ns", (json_int_t)since, "wall_clock_ns",
			   wall ? json_integer(wall) : NULL,
			   "class", audit_class_name(l->class),
			   "session", fmt_json_name(l->session),
			   "token", json_token(l->token), "text", fmt_json_text(l->text),
			   "found_by", l->audited ? "audit" : "event"));
		return;
	}
	/* The first audit is printed as a whole. */
	if (w->first)
		return;
	snprintf(line, sizeof(line), "%s%s%13.6f %-10s %s",
		 wall ? fmt_wall(when, wall) : "", wall ? " " : "", since / 1e9,
		 audit_class_name(l->class), l->text);
	print(w, line);
}

static bool has_room(const struct watch *w)
{
	return outq_left(&w->out) < OUTQ_MAX && hook_left(w->hook) < HOOK_MAX;
}

/* The queues are less than half full, so that an audit makes sense. */
static bool has_caught_up(const struct watch *w)
{
	return outq_left(&w->out) < OUTQ_MAX / 2 &&
	       hook_left(w->hook) < HOOK_MAX / 2;
}

static void report_leak(struct watch *w, const struct leak *l)
{
	w->leaked = true;
	if (!w->start)
		w->start = l->ts;
	if (!has_room(w) || (w->hook && !hook_add(w->hook, l))) {
		w->dropped++;
		return;
	}
	print_leak(w, l);
	if (!leak_set_reported(w->reports, l)) {
		msg_error("out of memory");
		w->failed = true;
	}
}

static void on_event(const struct lt_event *e, void *data)
{
	struct watch *w = data;
	struct leak l;

	if (leak_of_event(e, &l) && !leak_is_reported(w->reports, &l))
		report_leak(w, &l);
}

/* A leak that was reported before is marked as still present. */
static void on_found(const struct leak *l, void *data)
{
	struct watch *w = data;

	if (!leak_is_reported(w->reports, l))
		report_leak(w, l);
	else if (!leak_set_reported(w->reports, l))
		w->failed = true;
}

struct audit_pass {
	struct watch *w;
	uint64_t began;
};

static void on_audit(const struct audit *a, void *data)
{
	struct audit_pass *pass = data;

	leak_each(a, pass->began, on_found, pass->w);
}

/* With --max-age time alone makes a leak, for which no event exists. */
static uint64_t next_audit(const struct watch *w, uint64_t now)
{
	uint64_t wait = w->wo->max_age / 4;

	if (!w->wo->max_age)
		return UINT64_MAX;
	return now + (wait < SECOND ? SECOND : wait > 60 * SECOND ? 60 * SECOND :
								     wait);
}

/* Audit this machine, and report the new leaks. */
static bool audit_now(struct watch *w, bool first)
{
	struct audit_pass pass = { .w = w, .began = monotonic_ns() };

	w->first = first;
	if (!w->wo->audit(w->wo->ctx, first, on_audit, &pass))
		return false;
	w->first = false;
	leak_reports_sweep(w->reports, pass.began);
	w->audit_at = next_audit(w, monotonic_ns());
	return true;
}

/* Report losses at once; an audit follows as soon as the queues have room. */
static void report_lost(struct watch *w)
{
	struct tracer_lost now, new;

	tracer_read_lost(w->tracer, &now);
	new.events = now.events - w->lost.events;
	new.missed = now.missed - w->lost.missed;
	if (!new.events && !new.missed && !w->dropped)
		return;
	/* Continuous losses are reported once a second. */
	if (w->audit_at <= monotonic_ns() + SECOND && !has_caught_up(w))
		return;
	msg_error("%llu events were dropped because the buffer was full, %llu were missed, %llu leaks were dropped because the output or --exec is slow; an audit follows",
		  (unsigned long long)new.events, (unsigned long long)new.missed,
		  (unsigned long long)w->dropped);
	if (w->wo->o->json)
		print_json(w, json_pack("{ss, sI, sI, sI}", "event", "lost",
			   "events", (json_int_t)new.events,
			   "missed", (json_int_t)new.missed,
			   "dropped", (json_int_t)w->dropped));
	w->lost = now;
	w->dropped = 0;
	w->audit_at = 0;
}

static void wait_for_io(struct watch *w, int ms)
{
	struct pollfd fds[] = {
		{ .fd = tracer_fd(w->tracer), .events = POLLIN },
		{ .fd = outq_left(&w->out) ? w->out.fd : -1, .events = POLLOUT },
		{ .fd = hook_fd(w->hook), .events = POLLIN },
	};

	poll(fds, sizeof(fds) / sizeof(fds[0]), ms);
}

/* Write and run what is queued. Returns whether the queues are empty. */
static bool flush_queues(struct watch *w)
{
	int err = outq_write(&w->out);

	if (err) {
		msg_error("cannot write the output: %s", strerror(-err));
		w->failed = true;
	}
	if (w->hook)
		hook_poll(w->hook);
	return !outq_left(&w->out) && !hook_left(w->hook);
}

static void watch_loop(struct watch *w)
{
	uint64_t end = w->wo->o->duration_ms ?
		       monotonic_ns() + w->wo->o->duration_ms * 1000000 : UINT64_MAX;
	uint64_t now;
	int err;

	while (!cmd_signalled() && !w->failed) {
		now = monotonic_ns();
		if (now >= end)
			break;
		wait_for_io(w, end - now < POLL_MS * 1000000ULL ?
				      (end - now) / 1000000 + 1 : POLL_MS);
		err = tracer_poll(w->tracer, 0);
		if (err && err != -EINTR) {
			msg_error("cannot read events: %s", strerror(-err));
			w->failed = true;
		}
		report_lost(w);
		if (w->audit_at <= monotonic_ns() && has_caught_up(w) &&
		    !audit_now(w, false))
			w->failed = true;
		flush_queues(w);
	}
}

/* Say what it cost, flush the queues as far as the reader and the command allow. */
static void watch_end(struct watch *w)
{
	uint64_t end = monotonic_ns() + GRACE_MS * 1000000ULL;
	struct observer observer;

	tracer_poll(w->tracer, 0);
	report_lost(w);
	if (!w->audit_at && has_caught_up(w) && !audit_now(w, false))
		w->failed = true;
	tracer_read_observer(w->tracer, &observer);
	if (w->wo->o->json)
		print_json(w, json_pack("{ss, so}", "event", "end",
					"observer", observer_json(&observer)));
	while (!flush_queues(w) && monotonic_ns() < end)
		wait_for_io(w, POLL_MS);
	if (outq_left(&w->out)) {
		msg_error("the reader of the output is slow: %zu bytes are not written",
			  outq_left(&w->out));
		w->failed = true;
	}
	if (hook_left(w->hook)) {
		msg_error("'%s' is not done for %zu leaks; what still runs is killed",
			  w->wo->exec, hook_left(w->hook));
		w->failed = true;
	}
	cmd_note_observer(&observer);
}

static bool watch_start(struct watch *w, const struct probe *probe)
{
	struct cmd_options *o = w->wo->o;

	o->tracer.ops = TRACER_ALL_OPS;
	/* All leaks are failures, so that keeps other events out of the buffer. */
	o->tracer.errors = true;
	o->tracer.buffer_kib = BUFFER_KIB;
	o->tracer.stream = 1U << LT_SESSION_LEAK | 1U << LT_SESSION_FINISH |
			   1U << LT_FILE_STATE | 1U << LT_HANDOVER_REJECT;
	w->reports = leak_reports_new();
	if (!w->reports) {
		msg_error("out of memory");
		return false;
	}
	if (w->wo->exec) {
		w->hook = hook_new(w->wo->exec, HOOK_SECONDS * 1000);
		if (!w->hook)
			return false;
	}
	w->tracer = tracer_open(probe, &o->tracer, on_event, w);
	return w->tracer;
}

int watch_run(const struct watch_options *wo, const struct probe *probe)
{
	struct watch w = { .wo = wo, .out.fd = STDOUT_FILENO };
	int ret = EXIT_CANNOT;

	if (watch_start(&w, probe)) {
		ret = EXIT_FINDING;
		/* Events report new leaks from here on; the audit finds older ones. */
		if (audit_now(&w, true) && cmd_flush() == EXIT_FINE) {
			cmd_start_tracing();
			watch_loop(&w);
			watch_end(&w);
			ret = w.leaked || w.failed ? EXIT_FINDING : EXIT_FINE;
		}
	}
	tracer_close(w.tracer);
	hook_free(w.hook);
	leak_reports_free(w.reports);
	outq_free(&w.out);
	return ret;
}
