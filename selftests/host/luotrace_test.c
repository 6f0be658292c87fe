// SPDX-License-Identifier: GPL-2.0

/* Functions of luotrace that need no kernel, as TAP. */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "hist.h"
#include "json.h"
#include "latency.h"
#include "recorder.h"
#include "session_track.h"
#include "tap.h"
#include "textfile.h"

static void test_units(void)
{
	static const struct {
		uint64_t v;
		const char *ns, *bytes;
	} rows[] = {
		{ 0, "0ns", "0B" },
		{ 1, "1ns", "1B" },
		{ 999, "999ns", "999B" },
		{ 1000, "1.00us", "1000B" },
		{ 1024, "1.02us", "1.00KiB" },
		{ 12345, "12.3us", "12.1KiB" },
		{ 999499, "999us", "976KiB" },
		{ 999500, "1.00ms", "976KiB" },
		{ 4194304, "4.19ms", "4.00MiB" },
		{ 1500000000, "1.50s", "1.40GiB" },
		{ 268435456, "268ms", "256MiB" },
		{ UINT64_MAX, "18446744074s", "16777216TiB" },
	};
	char buf[FMT_LEN], what[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(what, sizeof(what), "fmt_ns %llu",
			 (unsigned long long)rows[i].v);
		check_string(fmt_ns(buf, rows[i].v), rows[i].ns, what);
		snprintf(what, sizeof(what), "fmt_bytes %llu",
			 (unsigned long long)rows[i].v);
		check_string(fmt_bytes(buf, rows[i].v), rows[i].bytes, what);
	}
}

static void test_wall(void)
{
	char buf[FMT_WALL];

	setenv("TZ", "NPT-5:45", 1);
	tzset();
	check_string(fmt_wall(buf, 1700000000ULL * 1000000000 + 1234567),
		     "2023-11-15T03:58:20.001234+0545", "a moment in local time");
	setenv("TZ", "PST8", 1);
	tzset();
	check_string(fmt_wall(buf, 999), "1969-12-31T16:00:00.000000-0800",
		     "a moment in another zone");
	unsetenv("TZ");
	tzset();
}

static void test_bars(void)
{
	char buf[11];

	check_string(fmt_bar(buf, 10, 0, 100), "", "bar of nothing");
	check_string(fmt_bar(buf, 10, 1, 1000), "#", "bar of little");
	check_string(fmt_bar(buf, 10, 50, 100), "#####", "bar of half");
	check_string(fmt_bar(buf, 10, 100, 100), "##########", "whole bar");
}

static void test_slots(void)
{
	bool ok = true;
	uint64_t v;
	unsigned int s;

	for (s = 0; s < LT_SLOTS - 1; s++)
		ok = ok && lt_slot(hist_low(s)) == s &&
		     lt_slot(hist_high(s)) == s &&
		     hist_high(s) + 1 == hist_low(s + 1);
	check(ok, "slots follow each other without gap");
	check(lt_slot(UINT64_MAX) == LT_SLOTS - 1, "the last slot has all longer ones");
	for (v = 16, ok = true; v < 1ULL << 39; v += v / 7 + 1)
		ok = ok && hist_high(lt_slot(v)) - hist_low(lt_slot(v)) <= v / 16;
	check(ok, "a slot is at most 1/16 of its value wide");
}

static void row_add(struct lt_row *r, uint64_t v)
{
	if (!r->count || v < r->min_ns)
		r->min_ns = v;
	if (v > r->max_ns)
		r->max_ns = v;
	r->count++;
	r->total_ns += v;
	r->slots[lt_slot(v)]++;
}

static bool near(uint64_t is, uint64_t want)
{
	uint64_t off = is > want ? is - want : want - is;

	if (off * 20 > want)
		printf("# is %llu, want %llu\n", (unsigned long long)is,
		       (unsigned long long)want);
	return off * 20 <= want;
}

static void test_percentiles(void)
{
	static struct lt_row r, b, sum;
	uint64_t i;

	for (i = 1; i <= 10000; i++)
		row_add(&r, i * 1000);
	check(near(hist_percentile(&r, 50), 5000000), "p50 within 5 %%");
	check(near(hist_percentile(&r, 90), 9000000), "p90 within 5 %%");
	check(near(hist_percentile(&r, 99), 9900000), "p99 within 5 %%");
	check(hist_percentile(&r, 100) <= r.max_ns, "p100 is at most the maximum");

	row_add(&b, 777);
	check(hist_percentile(&b, 1) == 777 && hist_percentile(&b, 99) == 777,
	      "of one call all percentiles are that call");

	sum = r;
	row_add(&sum, 777);
	hist_subtract(&sum, &r);
	check(sum.count == 1 && sum.total_ns == 777 && near(sum.max_ns, 777) &&
	      near(sum.min_ns, 777), "what was new is left");
}

/* Where a call of that duration is among the bars. */
static unsigned int octave(uint64_t ns)
{
	return lt_slot(ns) / LT_SUB;
}

static void test_octaves(void)
{
	static struct lt_row r, none;
	struct hist_octaves o;
	uint64_t sum = 0;
	unsigned int i;

	row_add(&r, 1000);
	row_add(&r, 1023);
	row_add(&r, 1024);
	row_add(&r, 70000);
	hist_fold(&r, &o);
	for (i = 0; i < HIST_OCTAVES; i++)
		sum += o.calls[i];
	check(sum == 4 && o.calls[octave(1000)] == 2 && o.calls[octave(1024)] == 1 &&
	      o.calls[octave(70000)] == 1, "each call is in the bar of its power of two");
	check(octave(1024) == octave(1000) + 1 && hist_low(octave(1024) * LT_SUB) == 1024,
	      "a bar begins at a power of two");
	check(o.first == octave(1000) && o.last == octave(70000) && o.most == 2,
	      "the first, the last and the highest bar");
	hist_fold(&none, &o);
	check(o.first > o.last && !o.most, "without calls there is no bar");
}

/* Track two sessions, one in each direction. */
static void live(struct session_track *track)
{
	struct lt_event e = { .ts = 1000000000, .number = 3 };

	strcpy(e.session, "vm\n1");
	e.type = LT_SESSION_CREATE;
	session_track_event(track, &e);
	e.type = LT_FILE_STATE;
	e.file.new = FILE_PRESERVED;
	e.ts += 1000000;
	session_track_event(track, &e);
	session_track_event(track, &e);
	e.ret = -12;
	e.file.new = FILE_NONE;
	session_track_event(track, &e);
	e.ret = 0;
	e.type = LT_SESSION_STATE;
	memset(&e.state, 0, sizeof(e.state));
	e.state.new = STATE_FROZEN;
	e.ts += 1000000;
	session_track_event(track, &e);

	memset(&e, 0, sizeof(e));
	strcpy(e.session, "vm\n1");
	e.ts = 2000000000;
	e.number = 3;
	e.type = LT_SESSION_RETRIEVE;
	e.session_op.files = 2;
	session_track_event(track, &e);
	memset(&e.session_op, 0, sizeof(e.session_op));
	e.type = LT_SESSION_LEAK;
	e.leak.files = 2;
	session_track_event(track, &e);
}

static const char life_text[] =
	"Sessions, seconds since the first event\n"
	"  name                 dir files  life\n"
	"  vm\\x0a1              out     2  created 0.000 > frozen 0.002\n"
	"  vm\\x0a1              in      2  claimed 1.000 > leaked 1.000\n";

static void test_life(void)
{
	struct session_track *track = session_track_new(0);
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	live(track);
	session_track_print(track, f);
	fclose(f);
	check_string(text, life_text, "lifetimes as text");
	check(session_track_number(track) == 3, "the live update is known");
	free(text);
	session_track_free(track);
}

/* A row of the kernel's record, as a row of calls. */
/* A tracer that runs for months keeps the last sessions, and those that are open. */
static void test_life_is_bounded(void)
{
	struct lt_event e = { .type = LT_SESSION_CREATE, .session = "stays", .ts = 1 };
	struct session_track *track = session_track_new(100);
	json_t *all, *first, *last;
	int i;

	session_track_event(track, &e);
	for (i = 0; i < 1000; i++) {
		e.type = LT_SESSION_CREATE;
		e.ts++;
		snprintf(e.session, sizeof(e.session), "vm-%d", i % 300);
		session_track_event(track, &e);
		e.type = LT_SESSION_RELEASE;
		session_track_event(track, &e);
	}
	all = session_track_json(track, SIZE_MAX);
	first = json_array_get(all, 0);
	last = json_array_get(all, json_array_size(all) - 1);
	check(json_array_size(all) <= 100, "a bounded number of sessions is kept");
	check(json_array_size(all) + session_track_forgotten(track) == 1001,
	      "the others are counted");
	check_string(json_string_value(json_object_get(first, "session")), "stays",
		   "an open session is kept");
	check_string(json_string_value(json_object_get(last, "session")), "vm-99",
		   "so is the last one");
	json_decref(all);

	/* If none has ended, the oldest are dropped. */
	for (i = 0; i < 1000; i++) {
		e.type = LT_SESSION_CREATE;
		snprintf(e.session, sizeof(e.session), "open-%d", i);
		session_track_event(track, &e);
	}
	all = session_track_json(track, SIZE_MAX);
	check(json_array_size(all) <= 100 &&
	      json_array_size(all) + session_track_forgotten(track) == 2001,
	      "sessions that never end are bounded, too");
	json_decref(all);
	session_track_free(track);
}

static void test_recorded(void)
{
	static struct liveupdate_recorder_part part = {
		.rows[3] = {
			.kind = LIVEUPDATE_KIND_HANDLER, .count = 3,
			.errors = 1, .total = 5000000303, .min = 100,
			.max = 5000000000, .hist = { [6] = 1, [7] = 1, [31] = 1 },
			.name = "memfd-v2",
		},
		.rows[5] = { .count = 1 },
	};
	static struct tracer_row rows[LIVEUPDATE_RECORDER_ROWS];
	struct latency l = { .recorded = rows, .recorded_number = 7 };
	json_t *root = json_object(), *call, *hist, *o;
	struct session_track *track = session_track_new(0);
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	part.rows[3].op = part.rows[5].op = enum_value(ENUM_OP, "freeze");
	l.track = track;
	l.nr_recorded = recorder_rows(&part, RECORDER_ALL_SCOPES, rows);
	check(l.nr_recorded == 2, "only rows in use");
	latency_text(&l, true, f);
	fclose(f);
	if (!strstr(text, "\nRecorded by"))
		printf("# %s\n", text);
	check(strstr(text, "\nRecorded by the previous kernel, live update 7\n"
		"  operation         calls errors      avg      p50      p90      p99      max\n"
		"memfd-v2\n"
		"  freeze                3      1    1.67s        -        -        -    5.00s\n"
		"others, for which no row was free\n") != NULL,
	      "recorded calls as text");
	check(strstr(text, "\n     2.15s - ...             1 |") && !strstr(text, "4.29s"),
	      "the last bucket has no end");
	free(text);
	latency_json(&l, true, root);
	o = json_object_get(root, "recorded");
	call = json_array_get(json_object_get(o, "calls"), 0);
	hist = json_object_get(call, "histogram");
	check(json_integer_value(json_object_get(o, "liveupdate_number")) == 7 &&
	      json_integer_value(json_object_get(call, "max_ns")) == 5000000000 &&
	      json_is_null(json_object_get(call, "p99_ns")),
	      "recorded calls as JSON");
	o = json_array_get(hist, 1);
	check(json_array_size(hist) == 3 &&
	      json_integer_value(json_object_get(o, "low_ns")) == 128 &&
	      json_integer_value(json_object_get(o, "high_ns")) == 255 &&
	      json_is_null(json_object_get(json_array_get(hist, 2), "high_ns")),
	      "a histogram of powers of two");
	json_decref(root);
	session_track_free(track);
}

/* The exact form of the latency table, and that JSON says the same. */
static void test_latency(void)
{
	static struct tracer_row row;
	struct latency l = { .rows = &row, .nr_rows = 1, .nr_slow = 1,
			     .observer = { 2500, 3, 1000000 } };
	struct session_track *track = session_track_new(0);
	json_t *root = json_object(), *call;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	strcpy(row.key.name, "memfd-v2");
	row.key.op = enum_value(ENUM_OP, "freeze");
	row_add(&row.calls, 1500);
	row_add(&row.calls, 150000);
	row.calls.errors = 1;
	l.track = track;
	l.slow[0] = (struct lt_slow){ .duration_ns = 150000, .token = 7,
				      .op = row.key.op, .ret = -5 };
	strcpy(l.slow[0].session, "vm-a");
	strcpy(l.slow[0].compatible, "memfd-v2");

	latency_text(&l, false, f);
	fclose(f);
	check_string(text,
		"Handler calls by handler\n"
		"  operation         calls errors      avg      p50      p90      p99      max\n"
		"memfd-v2\n"
		"  freeze                2      1   75.8us   1.50us    150us    150us    150us\n"
		"\nLongest calls\n"
		"     150us  freeze       memfd-v2, session vm-a token 7: Input/output error\n"
		"\nMemory marked for the next kernel (KHO)\n"
		"  - (this kernel has no kho events)\n"
		"\nThat memory by the size of its folios\n"
		"  - (KHO's functions for a folio could not be traced)\n"
		"\nSessions, seconds since the first event\n"
		"  none was seen\n"
		"\nluotrace itself: 3 runs of BPF programs, 2.50us in 1.00ms, 0.250 % of one CPU\n",
		"latency as text");
	free(text);

	latency_json(&l, true, root);
	call = json_array_get(json_object_get(root, "calls"), 0);
	check(json_integer_value(json_object_get(call, "count")) == 2 &&
	      json_integer_value(json_object_get(call, "errors")) == 1 &&
	      json_integer_value(json_object_get(call, "max_ns")) == 150000 &&
	      json_integer_value(json_object_get(call, "avg_ns")) == 75750 &&
	      json_array_size(json_object_get(call, "histogram")) == 2,
	      "latency as JSON");
	check(json_is_null(json_object_get(root, "kho")) &&
	      json_is_null(json_object_get(root, "liveupdate_number")),
	      "unknown figures are null");
	json_decref(root);
	session_track_free(track);
}

/* The events that the filters can pass; no program is attached to the others. */
static void test_shown(void)
{
	struct tracer_options all = { .ops = TRACER_ALL_OPS }, o = all;
	uint32_t every = (1U << LT_NR_TYPES) - 1;

	check(event_mask(&o) == every, "without a filter all events are shown");
	o.errors = true;
	check(event_mask(&o) & 1U << LT_SESSION_LEAK &&
	      event_mask(&o) & 1U << LT_HANDOVER_REJECT,
	      "a leak and a reject are errors");
	check(!(event_mask(&o) & (1U << LT_HANDLER_ENTER | 1U << LT_PHASE_BEGIN)),
	      "the begin of a call or of a phase is no error");
	o = all;
	o.session = "vm";
	check(event_mask(&o) & 1U << LT_SESSION_LEAK &&
	      !(event_mask(&o) & (1U << LT_STATE | 1U << LT_FLB_EXIT |
				  1U << LT_KHO_SUBTREE_ADD)),
	      "a session has its own events only");
	o = all;
	o.handler = "memfd";
	check(event_mask(&o) == (1U << LT_FILE_STATE | 1U << LT_HANDLER_ENTER |
				 1U << LT_HANDLER_EXIT | 1U << LT_SUBSYSTEM_STATE |
				 1U << LT_SUBSYSTEM_ENTER |
				 1U << LT_SUBSYSTEM_EXIT | 1U << LT_FLB_ENTER |
				 1U << LT_FLB_EXIT), "a handler has calls and files");
	o.session = "vm";
	o.ops = 1;
	o.errors = true;
	check(event_mask(&o) == 1U << LT_HANDLER_EXIT, "filters add up");
	o.whole_sessions = true;
	check(event_mask(&o) & 1U << LT_STATE &&
	      event_mask(&o) & 1U << LT_SESSION_CREATE,
	      "only the session filters lifetimes");
}

/* An event of which every value is odd. */
static void make_odd(struct lt_event *e, int type)
{
	memset(e, 0xff, sizeof(*e));
	e->type = type;
	e->ret = INT_MIN;
	e->session[sizeof(e->session) - 1] = '\0';
	strcpy(e->compatible, "\\x41\xe2\x80\xae");
	if (type == LT_HANDOVER_REJECT) {
		strcpy(e->reject.what, "\\x41\xe2\x80\xae");
		strcpy(e->reject.reason, "\x1b\\");
	} else if (type >= LT_KHO_SUBTREE_ADD) {
		strcpy(e->subtree.name, "\xff");
	}
}

/* luotrace reads the events that it writes, whatever the kernel's numbers are. */
static void test_events(void)
{
	struct lt_event e, back;
	char what[64];
	json_t *o;
	int type;

	for (type = 0; type < LT_NR_TYPES; type++) {
		make_odd(&e, type);
		o = event_json(&e, 0);
		snprintf(what, sizeof(what), "%s of unknown words comes back",
			 probe_tracepoint(type));
		check(event_from_json(o, &back) && back.type == e.type &&
		      (!*back.session || !strcmp(back.session, e.session)) &&
		      (!*back.compatible || !strcmp(back.compatible, e.compatible)) &&
		      (type != LT_HANDOVER_REJECT ||
		       (!strcmp(back.reject.what, e.reject.what) &&
			!strcmp(back.reject.reason, e.reject.reason))) &&
		      (type < LT_KHO_SUBTREE_ADD ||
		       !strcmp(back.subtree.name, e.subtree.name)), "%s", what);
		json_decref(o);
	}
	check(!strcmp(enum_name(ENUM_OP, ENUM_UNKNOWN), "?"), "an unknown value has a word");
}

/* The errno is that of the file, not a later one. */
static void test_write_error(void)
{
	FILE *f = fopen("/dev/full", "w");

	fprintf(f, "%9000s", "");
	fflush(f);
	errno = ENOTTY;
	check(ferror(f) && textfile_error(f) == ENOSPC,
	      "the errno of a file that cannot be written");
	fclose(f);
}

static void test_why_not(void)
{
	struct probe p = { .btf = true, .flavour = FLAVOUR_TRACED,
			   .privileged = true,
			   .caps = PROBE_BPF | PROBE_PERFMON };

	p.tracepoints[LT_HANDLER_EXIT] = p.tracepoints[LT_STATE] = true;
	check(!probe_why_no_trace(&p), "all events are present");
	p.privileged = false;
	p.caps = 0;
	check(strstr(probe_why_no_trace(&p), "root"), "no privilege");
	p.tracepoints[LT_STATE] = false;
	check(strstr(probe_why_no_trace(&p), "luo_state"), "an event is missing");
	p.flavour = FLAVOUR_STOCK;
	check(strstr(probe_why_no_trace(&p), "has no function of a file handler"),
	      "stock LUO without handlers");
	p.stock.nr_ops = 1;
	check(strstr(probe_why_no_trace(&p), "root"), "stock LUO, no privilege");
	p.privileged = true;
	p.caps = PROBE_BPF | PROBE_PERFMON;
	check(!probe_why_no_trace(&p), "stock LUO");
	p.flavour = FLAVOUR_NONE;
	check(strstr(probe_why_no_trace(&p), "CONFIG_LIVEUPDATE=y"), "no LUO");
	p.btf = false;
	check(strstr(probe_why_no_trace(&p), "BTF"), "no BTF");
}

static void print_words(void)
{
	enum luo_enum list;

	for (list = 0; list < NR_ENUMS; list++)
		puts(enum_list(list));
}

/* Each event twice, of zeros and of odd values. */
static void print_events(void)
{
	struct lt_event e;
	int type;

	for (type = 0; type < LT_NR_TYPES; type++) {
		memset(&e, 0, sizeof(e));
		e.type = type;
		json_print(event_json(&e, 0), JSON_COMPACT);
		make_odd(&e, type);
		json_print(event_json(&e, 0), JSON_COMPACT);
	}
}

/* Calls of each kind by handler, by session and by file, with all that is optional. */
static void print_latency(void)
{
	static struct tracer_row rows[] = {
		{ .key.kind = LT_HANDLER, .key.name = "memfd-v2" },
		{ .key.kind = LT_SUBSYSTEM, .key.name = "luo-recorder" },
		{ .key.kind = LT_FLB, .key.name = "shared-v1" },
		{ .key.kind = LT_OTHERS, .key.name = "others" },
	};
	const int nr = sizeof(rows) / sizeof(rows[0]);
	struct latency l = {
		.rows = rows, .nr_rows = nr, .nr_slow = 3, .has_kho = true,
		.page_size = 4096, .recorded = rows, .nr_recorded = nr,
		.recorded_failed = rows, .nr_recorded_failed = nr, .recorded_number = 2,
		.slow = { { .kind = LT_HANDLER }, { .kind = LT_SUBSYSTEM },
			  { .kind = LT_FLB } },
		.lost = { .events = TRACER_UNKNOWN, .missed = 1 },
		.folios = { .known = true, .large_order = 9,
			    .orders[2][0] = { 3, 2, 1000 },
			    .pieces[2] = { .calls = 1, .small = 1024, .large = 2 } },
	};
	struct session_track *track = session_track_new(0);
	struct probe probe = { .release = "7.3.4" };
	json_t *root;
	int i;

	for (i = 0; i < nr; i++)
		row_add(&rows[i].calls, 1500);
	l.track = track;
	live(track);
	for (i = LT_BY_HANDLER; i <= LT_BY_FILE; i++) {
		l.by = i;
		root = json_head("latency", &probe);
		latency_json(&l, i != LT_BY_FILE, root);
		json_print(root, JSON_COMPACT);
	}
	session_track_free(track);
}

/* What other tests want to know of luotrace: the words, which are also the kernel's, and
 * output for the schemas.
 */
static const struct {
	const char *name;
	void (*print)(void);
} listings[] = {
	{ "words", print_words },
	{ "events", print_events },
	{ "latency", print_latency },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 2 && i < sizeof(listings) / sizeof(listings[0]); i++) {
		if (!strcmp(argv[1], listings[i].name)) {
			listings[i].print();
			return 0;
		}
	}
	puts("TAP version 13");
	test_units();
	test_wall();
	test_bars();
	test_slots();
	test_percentiles();
	test_octaves();
	test_life();
	test_life_is_bounded();
	test_shown();
	test_latency();
	test_recorded();
	test_why_not();
	test_events();
	test_write_error();
	return end_tests();
}
