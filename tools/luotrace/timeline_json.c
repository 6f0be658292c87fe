// SPDX-License-Identifier: GPL-2.0

/* The timeline as JSON. */

#include "enum_name.h"
#include "fmt.h"
#include "json.h"
#include "timeline.h"
#include "workload.h"

#define MAX_CALLS	(2 * LIVEUPDATE_RECORDER_SLOWEST)

static const char *const kind_keys[] = { "handler", "subsystem", "shared_state" };

static json_t *known_json(bool known, uint64_t ns)
{
	return known ? json_integer(ns) : json_null();
}

static json_t *calls_json(const struct timeline_call *calls, int n)
{
	json_t *all = json_array(), *o;
	int i;

	for (i = 0; i < n; i++) {
		const struct liveupdate_recorder_call *c = calls[i].call;

		o = json_pack("{sI, ss, so, si}",
			      "duration_ns", (json_int_t)c->duration,
			      "op", enum_name(ENUM_OP, calls[i].op),
			      kind_keys[c->kind % 3], fmt_json_name(c->name),
			      "ret", c->ret);
		if (c->kind == LIVEUPDATE_KIND_HANDLER) {
			json_object_set_new(o, "session",
					    fmt_json_name(c->session));
			json_object_set_new(o, "token",
					    json_token(c->token));
		}
		json_array_append_new(all, o);
	}
	return all;
}

/* 0 is unknown: no clock ran, or it was too coarse. */
static json_t *row_json(const struct liveupdate_recorder_row *row)
{
	static const char *const scopes[] = { "agent", "prepare", "reboot",
					      "failed" };

	return json_pack("{so, ss, ss, sI, sI, so, so, so, so}",
			 kind_keys[row->kind % 3],
			 fmt_json_name(*row->name ? row->name : "others"),
			 "op", enum_name(ENUM_OP, row->op),
			 "scope", scopes[row->scope % LIVEUPDATE_NR_SCOPES],
			 "count", (json_int_t)row->count,
			 "errors", (json_int_t)row->errors,
			 "total_ns", known_json(row->total, row->total),
			 "wall_ns", known_json(row->total, row->wall),
			 "min_ns", known_json(row->total, row->min),
			 "max_ns", known_json(row->total, row->max));
}

/* The calls of failed attempts, or all others. */
static json_t *rows_json(const struct liveupdate_recorder_part *p, bool failed)
{
	json_t *all = json_array();
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		if (p->rows[i].count && failed ==
		    (p->rows[i].scope == LIVEUPDATE_SCOPE_FAILED))
			json_array_append_new(all, row_json(&p->rows[i]));
	}
	return all;
}

static json_t *failed_json(const struct liveupdate_recorder_part *p)
{
	struct timeline_session sessions[LIVEUPDATE_RECORDER_SLOWEST];
	struct timeline_call calls[MAX_CALLS];
	int phases[LIVEUPDATE_RECORDER_SLOWEST], i, n;
	json_t *all, *slowest;

	if (!recorder_present(p))
		return json_null();
	n = timeline_failed_calls(p, calls, MAX_CALLS);
	slowest = calls_json(calls, n);
	all = json_array();
	n = timeline_failed_sessions(p, sessions, phases,
				     LIVEUPDATE_RECORDER_SLOWEST);
	for (i = 0; i < n; i++)
		json_array_append_new(all,
			json_pack("{so, ss, sI, sI, si}", "session",
				  fmt_json_name(sessions[i].session->name),
				  "phase", enum_name(ENUM_PHASE, phases[i]),
				  "duration_ns", (json_int_t)sessions[i].ns,
				  "files",
				  (json_int_t)sessions[i].session->files,
				  "ret", sessions[i].session->ret));
	return json_pack("{sI, so, so, sI, so, so, so}",
			 "reboots", (json_int_t)p->failed,
			 "last_ret", p->failed ? json_integer(p->failed_ret) :
						 json_null(),
			 "last_ns", known_json(p->failed && p->failed_ns,
					      p->failed_ns),
			 "cancelled", (json_int_t)p->cancelled,
			 "calls", rows_json(p, true), "slowest", slowest,
			 "sessions", all);
}

static json_t *part_json(const struct liveupdate_recorder_part *p)
{
	static const char *const actions[] = { "preserve", "unpreserve",
					       "restore" };
	json_t *memory;
	int i;

	if (!recorder_present(p))
		return json_null();
	memory = json_array();
	for (i = 0; i < 3; i++)
		json_array_append_new(memory,
			json_pack("{ss, sI, sI, sI}", "action", actions[i],
				  "calls", (json_int_t)p->memory[i].calls,
				  "errors", (json_int_t)p->memory[i].errors,
				  "pages", (json_int_t)p->memory[i].pages));
	return json_pack("{so, so, sI, sI, so, sI, sI, sI, so, so}",
			 "release", fmt_json_name(p->release),
			 "number", known_json(p->number, p->number),
			 "sessions", (json_int_t)p->sessions,
			 "files", (json_int_t)p->files,
			 "bytes", known_json(p->bytes, p->bytes),
			 "failed_reboots", (json_int_t)p->failed,
			 "given_up", (json_int_t)p->given_up,
			 "lost_calls", (json_int_t)p->lost_calls,
			 "kho", memory, "calls", rows_json(p, false));
}

/* Thread IDs are those of the kernel of the phase. */
static json_t *sessions_json(const struct liveupdate_recorder *r,
			     const struct blackout *b, enum span s)
{
	struct timeline_session sessions[LIVEUPDATE_RECORDER_SLOWEST];
	const struct liveupdate_recorder_session *one;
	json_t *all = json_array();
	int i, n;

	n = timeline_sessions(r, b, s, sessions, LIVEUPDATE_RECORDER_SLOWEST);
	for (i = 0; i < n; i++) {
		one = sessions[i].session;
		json_array_append_new(all,
			json_pack("{so, sI, sI, si, so}", "session",
				  fmt_json_name(one->name), "duration_ns",
				  (json_int_t)sessions[i].ns, "files",
				  (json_int_t)one->files, "ret", one->ret, "tid",
				  known_json(one->task, one->task)));
	}
	return all;
}

static json_t *span_json(const struct liveupdate_recorder *r,
			 const struct blackout *b, enum span s)
{
	static const char *const timebase[] = {
		[TIMEBASE_NONE] = NULL,
		[TIMEBASE_COUNTER] = "counter",
		[TIMEBASE_CLOCK] = "clock",
	};
	int kernel = s >= SPAN_KEXEC, n;
	struct timeline_call calls[MAX_CALLS];
	bool has_calls;
	uint64_t ns = 0;

	n = timeline_calls(r, b, s, calls, MAX_CALLS);
	has_calls = b->known[s] && span_in_calls(r, s, &ns);
	return json_pack("{ss, ss, so, so, ss?, so, so}", "phase", span_name(s),
			 "kernel", kernel ? "new" : "old",
			 "duration_ns", known_json(b->known[s], b->ns[s]),
			 "in_calls_ns", known_json(has_calls, ns),
			 "measured_by", b->known[s] ? timebase[b->timebase[kernel]] :
						      NULL,
			 "slowest", calls_json(calls, n),
			 "sessions", sessions_json(r, b, s));
}

void timeline_json(const struct liveupdate_recorder *r, const struct blackout *b,
		   json_t *root)
{
	json_t *phases = json_array(), *said = json_array();
	struct finding findings[TIMELINE_FINDINGS];
	uint64_t window;
	bool known;
	int s, i, n;

	for (s = 0; s < SPAN_NR; s++)
		json_array_append_new(phases, span_json(r, b, s));
	n = timeline_findings(r, b, findings);
	for (i = 0; i < n; i++)
		json_array_append_new(said, fmt_json_text(findings[i].text));

	json_object_set_new(root, "liveupdate_number",
			    known_json(r->last_in.number, r->last_in.number));
	json_object_set_new(root, "finished", json_boolean(b->over));
	json_object_set_new(root, "blackout_ns", known_json(b->whole, b->total));
	json_object_set_new(root, "known_ns", json_integer(b->total));
	known = timeline_window(b, &window);
	json_object_set_new(root, "freeze_window_ns", known_json(known, window));
	json_object_set_new(root, "workloads", workloads_json(r, b));
	json_object_set_new(root, "lost_workload_marks",
			    json_integer(workloads_lost(r)));
	json_object_set_new(root, "phases", phases);
	json_object_set_new(root, "findings", said);
	json_object_set_new(root, "failed", failed_json(&r->last_out));
	json_object_set_new(root, "old_kernel", part_json(&r->last_out));
	json_object_set_new(root, "new_kernel", part_json(&r->last_in));
}
