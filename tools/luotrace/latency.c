// SPDX-License-Identifier: GPL-2.0

#include <string.h>
#include <unistd.h>

#include "enum_name.h"
#include "fmt.h"
#include "hist.h"
#include "json.h"
#include "latency.h"
#include "recorder.h"
#include "stacks.h"

#define BAR_WIDTH	36
/* All durations from here on are in the last bucket of the recorder. */
#define RECORDED_LONG	(1ULL << (LIVEUPDATE_RECORDER_BUCKETS - 1))
#define NAME_BUF	(4 * LT_NAME_LEN + 1)

static const char *const by_names[] = {
	[LT_BY_HANDLER] = "handler",
	[LT_BY_SESSION] = "session",
	[LT_BY_FILE] = "file",
};

/* The columns of times, in order. */
static const struct {
	const char *name;
	double percentile;	/* 0: see time_of() */
} times[] = {
	{ "avg", 0 }, { "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "max", 0 },
};

#define NR_TIMES	(sizeof(times) / sizeof(times[0]))

static uint64_t time_of(const struct lt_row *row, size_t i)
{
	if (times[i].percentile > 0)
		return hist_percentile(row, times[i].percentile);
	return i ? row->max_ns : row->total_ns / row->count;
}

static bool same_group(const struct lt_key *a, const struct lt_key *b)
{
	return a->kind == b->kind && a->token == b->token &&
	       !strncmp(a->name, b->name, LT_NAME_LEN);
}

static void print_group(enum lt_by by, const struct lt_key *key, FILE *f)
{
	char name[NAME_BUF];

	if (key->kind == LT_OTHERS) {
		fprintf(f, "others, for which no row was free");
		return;
	}
	fprintf(f, "%s%s", fmt_name(name, sizeof(name), key->name),
		key->kind == LT_SUBSYSTEM ? " (subsystem)" :
		key->kind == LT_FLB ? " (FLB)" : "");
	if (by == LT_BY_FILE && key->kind == LT_HANDLER)
		fprintf(f, " token %llu", (unsigned long long)key->token);
}

/* A histogram of powers of two is too coarse for percentiles. */
static void print_time(const struct lt_row *row, size_t t, bool coarse, FILE *f)
{
	char ns[FMT_LEN];

	fprintf(f, " %8s", coarse && times[t].percentile > 0 ? "-" :
			   fmt_ns(ns, time_of(row, t)));
}

static void print_rows(enum lt_by by, const struct tracer_row *rows, int nr,
		       bool coarse, FILE *f)
{
	size_t t;
	int i;

	fprintf(f, "  %-14s %8s %6s", "operation", "calls", "errors");
	for (t = 0; t < NR_TIMES; t++)
		fprintf(f, " %8s", times[t].name);
	fputc('\n', f);

	for (i = 0; i < nr; i++) {
		const struct tracer_row *row = &rows[i];

		if (!i || !same_group(&row->key, &rows[i - 1].key)) {
			print_group(by, &row->key, f);
			fputc('\n', f);
		}
		fprintf(f, "  %-14s %8llu %6llu", enum_name(ENUM_OP, row->key.op),
			(unsigned long long)row->calls.count,
			(unsigned long long)row->calls.errors);
		for (t = 0; t < NR_TIMES; t++)
			print_time(&row->calls, t, coarse, f);
		fputc('\n', f);
	}
}

static void print_table(const struct latency *l, FILE *f)
{
	fprintf(f, "Handler calls by %s\n", by_names[l->by]);
	if (l->nr_rows)
		print_rows(l->by, l->rows, l->nr_rows, false, f);
	else
		fprintf(f, "  none was seen\n");
}

static void print_observer(const struct latency *l, FILE *f)
{
	char text[OBSERVER_TEXT];

	fprintf(f, "\n%s\n", observer_text(&l->observer, text));
}

void latency_table(const struct latency *l, FILE *f)
{
	print_table(l, f);
	print_observer(l, f);
}

/* The last power of two is open-ended. */
static bool last_octave(unsigned int o, bool coarse)
{
	return o == HIST_OCTAVES - 1 ||
	       (coarse && hist_low(o * LT_SUB) >= RECORDED_LONG);
}

/* One line for each power of two, from the first to the last in use. */
static void print_hist(const struct lt_row *row, bool coarse, FILE *f)
{
	struct hist_octaves all;
	unsigned int o;
	char low[FMT_LEN], high[FMT_LEN], bar[BAR_WIDTH + 1];

	hist_fold(row, &all);
	for (o = all.first; o <= all.last; o++)
		fprintf(f, "  %8s - %-8s %8llu |%-*s|\n",
			fmt_ns(low, hist_low(o * LT_SUB)),
			last_octave(o, coarse) ? "..." :
			fmt_ns(high, hist_low((o + 1) * LT_SUB)),
			(unsigned long long)all.calls[o], BAR_WIDTH,
			fmt_bar(bar, BAR_WIDTH, all.calls[o], all.most));
}

static void print_hists(enum lt_by by, const struct tracer_row *rows, int nr,
			bool coarse, FILE *f)
{
	int i;

	for (i = 0; i < nr; i++) {
		fputc('\n', f);
		print_group(by, &rows[i].key, f);
		fprintf(f, " %s\n", enum_name(ENUM_OP, rows[i].key.op));
		print_hist(&rows[i].calls, coarse, f);
	}
}

static void print_recorded_rows(const struct tracer_row *rows, int nr, bool hist,
				FILE *f)
{
	print_rows(LT_BY_HANDLER, rows, nr, true, f);
	if (hist)
		print_hists(LT_BY_HANDLER, rows, nr, true, f);
}

/* No tracer runs until the end of a freeze; the record of the kernel has the rest. */
static void print_recorded(const struct latency *l, bool hist, FILE *f)
{
	if (l->nr_recorded) {
		fprintf(f, "\nRecorded by the previous kernel, live update %llu\n",
			(unsigned long long)l->recorded_number);
		print_recorded_rows(l->recorded, l->nr_recorded, hist, f);
	}
	if (l->nr_recorded_failed) {
		fprintf(f, "\nRecorded by the previous kernel in attempts that failed or were cancelled\n");
		print_recorded_rows(l->recorded_failed, l->nr_recorded_failed,
				    hist, f);
	}
}

static void print_slow_calls(const struct lt_slow *calls, int nr, FILE *f)
{
	char ns[FMT_LEN], session[NAME_BUF], compat[NAME_BUF];
	int i;

	for (i = 0; i < nr; i++) {
		const struct lt_slow *c = &calls[i];

		fprintf(f, "  %8s  %-12s %s", fmt_ns(ns, c->duration_ns),
			enum_name(ENUM_OP, c->op),
			fmt_name(compat, sizeof(compat), c->compatible));
		if (c->kind == LT_HANDLER)
			fprintf(f, ", session %s token %llu",
				fmt_name(session, sizeof(session), c->session),
				(unsigned long long)c->token);
		if (c->ret)
			fprintf(f, ": %s", fmt_errno(c->ret));
		fputc('\n', f);
	}
}

static void print_slow(const struct latency *l, FILE *f)
{
	fprintf(f, "\nLongest calls\n");
	if (!l->nr_slow)
		fprintf(f, "  none was seen\n");
	print_slow_calls(l->slow, l->nr_slow, f);
}

/* Calls of failed attempts in a trace have tables of their own. */
static void print_failed(const struct latency *l, bool hist, FILE *f)
{
	if (!l->nr_failed)
		return;
	fprintf(f, "\nCalls in attempts that failed or were cancelled\n");
	print_rows(l->by, l->failed, l->nr_failed, false, f);
	if (hist)
		print_hists(l->by, l->failed, l->nr_failed, false, f);
	fprintf(f, "\nLongest calls in them\n");
	print_slow_calls(l->failed_slow, l->nr_failed_slow, f);
}

static uint64_t page_size_of(const struct latency *l)
{
	return l->page_size ? l->page_size : (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t bytes_of(const struct latency *l, uint64_t pages)
{
	return pages * page_size_of(l);
}

static void print_kho(const struct latency *l, FILE *f)
{
	char bytes[FMT_LEN];
	int a, k, lines = 0;

	fprintf(f, "\nMemory marked for the next kernel (KHO)\n");
	if (!l->has_kho) {
		fprintf(f, "  - (this kernel has no kho events)\n");
		return;
	}
	for (a = 0; a < LT_KHO_ACTIONS; a++) {
		for (k = 0; k < LT_KHO_KINDS; k++) {
			const struct lt_kho *m = &l->kho[a][k];

			if (!m->calls)
				continue;
			if (!lines++)
				fprintf(f, "  %-10s %-8s %8s %6s %10s %9s\n",
					"action", "kind", "calls", "errors",
					"pages", "size");
			fprintf(f, "  %-10s %-8s %8llu %6llu %10llu %9s\n",
				folios_action(a), enum_name(ENUM_KHO_KIND, k),
				(unsigned long long)m->calls,
				(unsigned long long)m->errors,
				(unsigned long long)m->pages,
				fmt_bytes(bytes, bytes_of(l, m->pages)));
		}
	}
	if (!lines)
		fprintf(f, "  none was seen\n");
}

static const char *lost_text(char *buf, uint64_t n)
{
	if (n == TRACER_UNKNOWN)
		return strcpy(buf, "-");
	snprintf(buf, FMT_LEN, "%llu", (unsigned long long)n);
	return buf;
}

static void print_lost(const struct latency *l, FILE *f)
{
	char events[FMT_LEN], rows[FMT_LEN], missed[FMT_LEN];

	if (l->lost.events || l->lost.rows || l->lost.missed)
		fprintf(f, "\nLost: %s event%s dropped, %s call%s without a row of their own, %s event%s missed%s\n",
			lost_text(events, l->lost.events), fmt_s(l->lost.events),
			lost_text(rows, l->lost.rows), fmt_s(l->lost.rows),
			lost_text(missed, l->lost.missed), fmt_s(l->lost.missed),
			l->lost.events == TRACER_UNKNOWN ?
			" (the trace has no end)" : "");
}

void latency_calls(const struct latency *l, bool hist, FILE *f)
{
	print_table(l, f);
	if (hist)
		print_hists(l->by, l->rows, l->nr_rows, false, f);
	print_slow(l, f);
	print_failed(l, hist, f);
	stacks_text(l->stacks, f);
	if (l->has_kho)
		print_kho(l, f);
	if (l->folios.known)
		folios_text(&l->folios, page_size_of(l), f);
	fputc('\n', f);
	session_track_print(l->track, f);
	print_lost(l, f);
	print_observer(l, f);
}

void latency_text(const struct latency *l, bool hist, FILE *f)
{
	print_table(l, f);
	if (hist)
		print_hists(l->by, l->rows, l->nr_rows, false, f);
	print_recorded(l, hist, f);
	print_slow(l, f);
	stacks_text(l->stacks, f);
	print_kho(l, f);
	folios_text(&l->folios, page_size_of(l), f);
	fputc('\n', f);
	session_track_print(l->track, f);
	print_lost(l, f);
	print_observer(l, f);
}

static json_t *hist_json(const struct lt_row *row, bool coarse)
{
	json_t *all = json_array();
	unsigned int slot;
	uint64_t low, high;

	for (slot = 0; slot < LT_SLOTS; slot++) {
		if (!row->slots[slot])
			continue;
		low = hist_low(slot);
		high = coarse ? 2 * low - 1 : hist_high(slot);
		json_array_append_new(all, json_pack("{sI, so, sI}",
			"low_ns", (json_int_t)low,
			"high_ns", slot == LT_SLOTS - 1 ||
				   (coarse && low >= RECORDED_LONG) ?
			json_null() : json_integer(high),
			"count", (json_int_t)row->slots[slot]));
	}
	return all;
}

static json_t *row_json(enum lt_by by, const struct tracer_row *row, bool hist,
			bool coarse)
{
	json_t *o = json_object();
	char key[16];
	size_t t;

	const char *key_of[] = {
		[LT_HANDLER] = by == LT_BY_HANDLER ? "handler" : "session",
		[LT_SUBSYSTEM] = "subsystem",
		[LT_FLB] = "shared_state",
		[LT_OTHERS] = "others",
	};

	json_object_set_new(o, key_of[row->key.kind & 3],
			    fmt_json_name(row->key.name));
	if (by == LT_BY_FILE && row->key.kind == LT_HANDLER)
		json_object_set_new(o, "token",
				    json_token(row->key.token));
	json_object_set_new(o, "op", json_string(enum_name(ENUM_OP, row->key.op)));
	json_object_set_new(o, "count", json_integer(row->calls.count));
	json_object_set_new(o, "errors", json_integer(row->calls.errors));
	json_object_set_new(o, "total_ns", json_integer(row->calls.total_ns));
	json_object_set_new(o, "min_ns", json_integer(row->calls.min_ns));
	for (t = 0; t < NR_TIMES; t++) {
		snprintf(key, sizeof(key), "%s_ns", times[t].name);
		json_object_set_new(o, key,
				    coarse && times[t].percentile > 0 ?
				    json_null() :
				    json_integer(time_of(&row->calls, t)));
	}
	if (hist)
		json_object_set_new(o, "histogram",
				    hist_json(&row->calls, coarse));
	return o;
}

static json_t *slow_json(const struct lt_slow *c)
{
	static const char *const key_of[] = {
		[LT_HANDLER] = "handler",
		[LT_SUBSYSTEM] = "subsystem",
		[LT_FLB] = "shared_state",
	};
	json_t *o = json_pack("{sI, ss, so, si}",
			      "duration_ns", (json_int_t)c->duration_ns,
			      "op", enum_name(ENUM_OP, c->op),
			      key_of[c->kind % 3], fmt_json_name(c->compatible),
			      "ret", c->ret);

	if (c->kind == LT_HANDLER) {
		json_object_set_new(o, "session", fmt_json_name(c->session));
		json_object_set_new(o, "token", json_token(c->token));
	}
	return o;
}

json_t *latency_kho_json(const struct latency *l)
{
	json_t *all = json_array();
	int a, k;

	for (a = 0; a < LT_KHO_ACTIONS; a++) {
		for (k = 0; k < LT_KHO_KINDS; k++) {
			const struct lt_kho *m = &l->kho[a][k];

			json_array_append_new(all,
				json_pack("{ss, ss, sI, sI, sI, sI}",
				"action", folios_action(a),
				"kind", enum_name(ENUM_KHO_KIND, k),
				"calls", (json_int_t)m->calls,
				"errors", (json_int_t)m->errors,
				"pages", (json_int_t)m->pages,
				"bytes", (json_int_t)bytes_of(l, m->pages)));
		}
	}
	return all;
}

json_t *latency_folios_json(const struct latency *l)
{
	return folios_json(&l->folios, page_size_of(l));
}

bool latency_read_kho(struct latency *l, json_t *all)
{
	const char *action, *kind;
	json_int_t n[3], bytes;
	json_t *row;
	int a, k;
	size_t i;

	l->has_kho = json_is_array(all);
	if (!all || json_is_null(all))
		return true;
	json_array_foreach(all, i, row) {
		if (json_unpack(row, "{ss, ss, sI, sI, sI, sI}", "action",
				&action, "kind", &kind, "calls", &n[0],
				"errors", &n[1], "pages", &n[2], "bytes", &bytes))
			return false;
		a = folios_action_of(action);
		k = enum_value(ENUM_KHO_KIND, kind);
		if (a < 0 || k < 0 || n[0] < 0 || n[1] < 0 ||
		    n[2] < 0 || bytes < 0)
			return false;
		if (n[2])
			l->page_size = bytes / n[2];
		l->kho[a][k] = (struct lt_kho){
			.calls = n[0], .errors = n[1], .pages = n[2],
		};
	}
	return l->has_kho;
}

static json_t *rows_json(enum lt_by by, const struct tracer_row *rows, int nr,
			 bool hist, bool coarse)
{
	json_t *all = json_array();
	int i;

	for (i = 0; i < nr; i++)
		json_array_append_new(all, row_json(by, &rows[i], hist, coarse));
	return all;
}

static json_t *slowest_json(const struct lt_slow *calls, int nr)
{
	json_t *all = json_array();
	int i;

	for (i = 0; i < nr; i++)
		json_array_append_new(all, slow_json(&calls[i]));
	return all;
}

static json_t *recorded_json(const struct latency *l, bool hist)
{
	if (!l->nr_recorded && !l->nr_recorded_failed)
		return json_null();
	return json_pack("{sI, so, so}", "liveupdate_number",
			 (json_int_t)l->recorded_number,
			 "calls", rows_json(LT_BY_HANDLER, l->recorded,
					    l->nr_recorded, hist, true),
			 "failed_calls",
			 rows_json(LT_BY_HANDLER, l->recorded_failed,
				   l->nr_recorded_failed, hist, true));
}

void latency_failed_json(const struct latency *l, bool hist, json_t *root)
{
	json_object_set_new(root, "failed_calls",
			    rows_json(l->by, l->failed, l->nr_failed, hist,
				      false));
	json_object_set_new(root, "failed_slowest",
			    slowest_json(l->failed_slow, l->nr_failed_slow));
}

void latency_json(const struct latency *l, bool hist, json_t *root)
{
	latency_calls_json(l, hist, root);
	json_object_set_new(root, "sessions", session_track_json(l->track, SIZE_MAX));
}

void latency_calls_json(const struct latency *l, bool hist, json_t *root)
{
	int64_t number = session_track_number(l->track);

	json_object_set_new(root, "liveupdate_number",
			    number < 0 ? json_null() : json_integer(number));
	json_object_set_new(root, "frozen", json_boolean(l->frozen));
	json_object_set_new(root, "by", json_string(by_names[l->by]));
	json_object_set_new(root, "calls", rows_json(l->by, l->rows, l->nr_rows,
						     hist, false));
	json_object_set_new(root, "recorded", recorded_json(l, hist));
	json_object_set_new(root, "slowest",
			    slowest_json(l->slow, l->nr_slow));
	json_object_set_new(root, "kho", l->has_kho ? latency_kho_json(l) :
					     json_null());
	json_object_set_new(root, "folios", latency_folios_json(l));
	json_object_set_new(root, "sessions_forgotten",
			    json_integer(session_track_forgotten(l->track)));
	json_object_set_new(root, "lost", json_lost(&l->lost));
	json_object_set_new(root, "observer", observer_json(&l->observer));
	json_object_set_new(root, "stacks", l->stacks ? json_incref(l->stacks) :
							json_null());
}
