// SPDX-License-Identifier: GPL-2.0

/*
 * A record that is made from events: rows and their wall time, names, the longest calls;
 * and how records are joined. Prints TAP.
 */

#include <errno.h>

#include "intervals.h"
#include "record_part_events.h"
#include "recorder.h"
#include "tap.h"

static uint64_t no_counter(void *data, uint64_t ns)
{
	(void)data;
	(void)ns;
	return 0;
}

static const struct liveupdate_recorder_row *
row_of(const struct liveupdate_recorder_part *part, uint32_t kind, const char *name,
       uint32_t op, uint32_t scope)
{
	static const struct liveupdate_recorder_row none;
	const struct liveupdate_recorder_row *row;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		row = &part->rows[i];
		if (row->count && row->kind == kind && row->op == op &&
		    row->scope == scope && !strcmp(row->name, name))
			return row;
	}
	return &none;
}

static void test_rows(void)
{
	struct record_part *p = record_part_new(RECORD_OUT, NULL);
	const struct liveupdate_recorder_row *row;
	struct liveupdate_recorder_part *part;
	int i;

	call(p, "a", "memfd-v1", OP_PRESERVE, T0, T0 + 1024, 0);
	call(p, "a", "memfd-v1", OP_PRESERVE, T0 + 2000, T0 + 2000 + 2047, -EIO);
	call(p, "b", "memfd-v1", OP_PRESERVE, T0 + 5000, T0 + 5000 + 3, 0);
	call(p, "b", "memfd-v1", OP_PRESERVE, T0 + 6000, T0 + 6000, 0);
	call(p, "b", "memfd-v1", OP_CAN_PRESERVE, T0, T0 + 20 * HZ, -ENOENT);
	part = get(p);
	row = row_of(part, LIVEUPDATE_KIND_HANDLER, "memfd-v1", OP_PRESERVE, AGENT);
	check(row->count == 4 && row->errors == 1, "calls and failures");
	check(row->total == 1024 + 2047 + 3 && row->wall == row->total,
	      "total and wall time of calls one after the other");
	check(!row->min && row->max == 2047, "the shortest and the longest");
	check(row->hist[10] == 2 && row->hist[1] == 1 && row->hist[0] == 1,
	      "calls by duration");
	row = row_of(part, LIVEUPDATE_KIND_HANDLER, "memfd-v1", OP_CAN_PRESERVE, AGENT);
	check(row->count == 1 && row->min == 20 * HZ && row->wall == 20 * HZ &&
	      row->hist[31] == 1, "the last bucket has all longer ones");
	check(nr_rows(part) == 2 && !part->lost_calls, "one row an operation");
	for (i = 2; i < LIVEUPDATE_RECORDER_ROWS && !part->rows[i].min; i++)
		;
	check(i == LIVEUPDATE_RECORDER_ROWS, "other rows are not in use");
	free(part);
	record_part_free(p);
}

/* Each direction has its operations; those in reboot() are recorded elsewhere. */
static void test_directions(void)
{
	static const char *const want[] = { "can_preserve preserve unpreserve prepare cancel",
					    "retrieve can_finish finish boot" };
	struct liveupdate_recorder_part *part;
	struct record_part *p;
	uint32_t op, dir;
	char ops[256];

	for (dir = RECORD_OUT; dir <= RECORD_IN; dir++) {
		p = record_part_new(dir, NULL);
		for (op = 0; op < enum_count(ENUM_OP); op++)
			call(p, "a", "h", op, T0, T0 + 10, 0);
		call(p, "a", "h", LIVEUPDATE_RECORDER_OPS, T0, T0 + 10, 0);
		retrieve(p, "a", T0 + MS, 0);
		session(p, LT_SESSION_RETRIEVE, T0 + MS, "a", 0, 0);
		part = get(p);
		*ops = 0;
		for (op = 0; op < enum_count(ENUM_OP); op++) {
			if (row_of(part, 0, "h", op, AGENT)->count)
				snprintf(ops + strlen(ops), sizeof(ops) - strlen(ops),
					 "%s%s", *ops ? " " : "",
					 enum_name(ENUM_OP, op));
		}
		check_string(ops, want[dir], dir ? "operations of the new kernel" :
					     "operations of the old kernel");
		check(part->lost_calls == 1, "one that is unknown is lost");
		check(!part->times[LIVEUPDATE_MARK_OPEN] == (dir == RECORD_OUT) &&
		      !part->times[LIVEUPDATE_MARK_RESTORED] == (dir == RECORD_OUT),
		      "only the new kernel has marks");
		free(part);
		record_part_free(p);
	}
}

static void test_kinds(void)
{
	struct record_part *p = record_part_new(RECORD_IN, NULL);
	struct lt_event e = event_at(LT_SUBSYSTEM_EXIT, T0 + 10, "s", 0);
	const struct liveupdate_recorder_call *c;
	struct liveupdate_recorder_part *part;

	strcpy(e.compatible, "x");
	e.call.op = OP_BOOT;
	e.call.token = 5;
	e.call.duration_ns = 10;
	record_part_event(p, &e);
	e.type = LT_FLB_EXIT;
	e.call.op = OP_FINISH;
	record_part_event(p, &e);
	e.type = LT_HANDLER_EXIT;
	record_part_event(p, &e);
	e.type = LT_HANDLER_ENTER;
	record_part_event(p, &e);
	part = get(p);
	check(row_of(part, LIVEUPDATE_KIND_SUBSYSTEM, "x", OP_BOOT, AGENT)->count == 1 &&
	      row_of(part, LIVEUPDATE_KIND_FLB, "x", OP_FINISH, AGENT)->count == 1 &&
	      row_of(part, LIVEUPDATE_KIND_HANDLER, "x", OP_FINISH, AGENT)->count == 1 &&
	      nr_rows(part) == 3, "a row for each kind of target");
	c = part->slow_calls[AGENT][OP_BOOT];
	check(c->kind == LIVEUPDATE_KIND_SUBSYSTEM && !c->token && !*c->session,
	      "only a handler is called for a file of a session");
	free(part);
	record_part_free(p);
}

static uint64_t wall_of(const struct record_part *p)
{
	struct liveupdate_recorder_part *part = get(p);
	uint64_t wall = row_of(part, 0, "h", OP_PRESERVE, AGENT)->wall;

	free(part);
	return wall;
}

/* Calls of several CPUs: as they end, but for small differences. */
static void test_parallel(void)
{
	struct record_part *p = record_part_new(RECORD_OUT, NULL);
	uint64_t t, i;

	call(p, "a", "h", OP_PRESERVE, T0 + 10, T0 + 30, 0);
	call(p, "b", "h", OP_PRESERVE, T0 + 20, T0 + 40, 0);
	call(p, "c", "h", OP_PRESERVE, T0 + 22, T0 + 38, 0);
	check(wall_of(p) == 30, "calls that overlap count once");
	call(p, "b", "h", OP_PRESERVE, T0 + 60, T0 + 70, 0);
	call(p, "a", "h", OP_PRESERVE, T0 + 45, T0 + 50, 0);
	check(wall_of(p) == 45, "so do those that arrive late");
	call(p, "c", "h", OP_PRESERVE, T0 + 35, T0 + 80, 0);
	check(wall_of(p) == 70, "one call spans several");
	call(p, "c", "i", OP_PRESERVE, T0, T0 + 100, 0);
	call(p, "c", "h", OP_UNPRESERVE, T0, T0 + 100, 0);
	check(wall_of(p) == 70, "each row by itself");
	record_part_free(p);

	/* 100,000 short calls with pauses, in parallel with one that lasts for all. */
	p = record_part_new(RECORD_OUT, NULL);
	for (i = 0, t = T0; i < 100000; i++, t += 10)
		call(p, "a", "h", OP_PRESERVE, t + (i & 1 ? 1 : 3), t + 5, 0);
	check(wall_of(p) == 100000 * 3, "more calls than are kept");
	call(p, "b", "h", OP_PRESERVE, T0, t, 0);
	check(wall_of(p) == 100000 * 10, "one in parallel with all of them");
	record_part_free(p);
}

static void test_intervals(void)
{
	struct intervals set = {};
	uint64_t i, total;

	intervals_add(&set, 10, 10);
	intervals_add(&set, 10, 5);
	check(!set.n && !intervals_total(&set), "an empty interval is ignored");
	intervals_add(&set, 10, 20);
	intervals_add(&set, 20, 30);
	check(set.n == 1 && intervals_total(&set) == 20, "those that touch are joined");
	intervals_add(&set, 0, 5);
	intervals_add(&set, 6, 9);
	intervals_add(&set, 12, 14);
	check(set.n == 3 && intervals_total(&set) == 28, "in any order");

	memset(&set, 0, sizeof(set));
	for (i = 0; i < 1000; i++)
		intervals_add(&set, i * 100, i * 100 + 50);
	check(set.n <= INTERVALS_MAX && intervals_total(&set) == 50000,
	      "the older ones are joined, and cover no more than before");
	/* From within an old entry to the end. */
	intervals_add(&set, 30000, 100000);
	total = intervals_total(&set);
	check(total >= 70000 + 15000 - 5000 && total <= 70000 + 15000 + 5000,
	      "of an old one that is covered in part, a share");
	intervals_add(&set, 0, 100000);
	check(set.n == 1 && intervals_total(&set) == 100000, "and all in the end");
}

static void test_slow_calls(void)
{
	struct record_part *p = record_part_new(RECORD_OUT, NULL);
	const struct liveupdate_recorder_call *c;
	struct liveupdate_recorder_part *part;
	uint64_t i, sum = 0, ends = 0, asked = 0;

	for (i = 1; i <= 20; i++)
		call(p, "vm-a", "h", OP_PRESERVE, T0, T0 + (1 + i * 3 % 20) * MS, 0);
	call(p, "vm-b", "h", OP_UNPRESERVE, T0, T0 + MS, -EIO);
	part = calloc(1, sizeof(*part));
	record_part_get(p, part, counter_of, &asked);
	c = part->slow_calls[AGENT][OP_PRESERVE];
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		sum += c[i].duration;
		ends += c[i].end == counter_of(NULL, T0 + c[i].duration);
	}
	check(sum == (13 + 14 + 15 + 16 + 17 + 18 + 19 + 20) * MS, "the eight longest");
	check(ends == 8 && asked == 9, "when each ended, by the counter");
	c = part->slow_calls[AGENT][OP_UNPRESERVE];
	check(c->duration == MS && c->ret == -EIO && c->token == 42 &&
	      !strcmp(c->name, "h") && !strcmp(c->session, "vm-b") && !c[1].duration,
	      "by operation, with what they were for");
	record_part_get(p, part, no_counter, NULL);
	check(c->duration == MS && !c->end, "without a counter the end is unknown");
	free(part);
	record_part_free(p);
}

/* As in the kernel: 63 names, then the shared row. */
static void test_names(void)
{
	struct record_part *p = record_part_new(RECORD_OUT, NULL);
	struct liveupdate_recorder_part *part;
	char name[LIVEUPDATE_RECORDER_NAME];
	struct lt_event e;
	int i;

	for (i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "handler-%d", i);
		call(p, "a", name, OP_PRESERVE, T0, T0 + i + 1, 0);
		call(p, "a", name, OP_UNPRESERVE, T0, T0 + i + 1, 0);
		call(p, "a", name, i < 63 ? OP_CAN_PRESERVE : OP_PREPARE, T0, T0 + 1, 0);
	}
	part = get(p);
	check(row_of(part, 0, "handler-62", OP_PRESERVE, AGENT)->count == 1 &&
	      !row_of(part, 0, "handler-63", OP_PRESERVE, AGENT)->count &&
	      nr_rows(part) == LIVEUPDATE_RECORDER_ROWS, "63 names have rows");
	check(row_of(part, 0, "", OP_PRESERVE, AGENT)->count == 7 &&
	      row_of(part, 0, "", OP_PRESERVE, AGENT)->max == 70 && !part->lost_calls,
	      "the others share one");
	check(part->slow_calls[AGENT][OP_PRESERVE][0].duration >= 63, "their names are kept");
	free(part);
	call(p, "a", "handler-0", OP_PREPARE, T0, T0 + 1, 0);
	call(p, "a", "handler-0", OP_CANCEL, T0, T0 + 1, 0);
	call(p, "a", "handler-69", OP_CANCEL, T0, T0 + 1, 0);
	part = get(p);
	check(row_of(part, 0, "", OP_PREPARE, AGENT)->count == 8,
	      "so does a name when rows are short");
	check(part->lost_calls == 2, "calls without a row are lost");
	free(part);
	record_part_free(p);

	p = record_part_new(RECORD_IN, NULL);
	e = event_at(LT_HANDLER_EXIT, T0 + 10, "", 0);
	memset(e.compatible, 0xc3, sizeof(e.compatible));
	memset(e.session, 0xff, sizeof(e.session));
	e.call.op = OP_RETRIEVE;
	e.call.duration_ns = 10;
	record_part_event(p, &e);
	e.type = LT_SESSION_RETRIEVE;
	record_part_event(p, &e);
	e.type = LT_SESSION_FINISH;
	e.ts++;
	record_part_event(p, &e);
	part = get(p);
	check(strlen(part->rows[0].name) == 47 &&
	      strlen(part->slow_calls[AGENT][OP_RETRIEVE][0].name) == 47 &&
	      strlen(part->slow_calls[AGENT][OP_RETRIEVE][0].session) == 63 &&
	      strlen(part->slow_sessions[AGENT][PHASE_RESTORE][0].name) == 63,
	      "names without an end are cut");
	free(part);
	record_part_free(p);
}

static void test_long_names(void)
{
	struct record_part *p = record_part_new(RECORD_IN, NULL);
	char name[LIVEUPDATE_SESSION_NAME_LENGTH], other[LIVEUPDATE_SESSION_NAME_LENGTH];
	char handler[LIVEUPDATE_RECORDER_NAME];
	struct liveupdate_recorder_part *part;

	/* 63 bytes that end in a character of two; 47 bytes. */
	memset(name, 'n', sizeof(name));
	strcpy(name + 61, "\xc3\xa4");
	strcpy(other, name);
	other[62] = '\xa5';
	memset(handler, 'h', sizeof(handler));
	strcpy(handler + 44, "\xe2\x82\xac");
	session(p, LT_SESSION_RETRIEVE, T0 + 1, name, 0, 0);
	session(p, LT_SESSION_RETRIEVE, T0 + 2, other, 0, 0);
	call(p, name, handler, OP_RETRIEVE, T0 + 5, T0 + 9, 0);
	session(p, LT_SESSION_FINISH, T0 + 11, name, 0, 0);
	part = get(p);
	check(row_of(part, 0, handler, OP_RETRIEVE, AGENT)->count == 1 &&
	      !strcmp(part->slow_calls[AGENT][OP_RETRIEVE][0].name, handler) &&
	      !strcmp(part->slow_calls[AGENT][OP_RETRIEVE][0].session, name),
	      "names of the greatest length are whole");
	check(session_is(part, PHASE_RESTORE, name, T0 + 1, T0 + 11, 0, 0) &&
	      !slow_session(part, PHASE_RESTORE, other)->duration,
	      "and are told apart by their last byte");
	free(part);
	record_part_free(p);
}

static void test_merge(void)
{
	struct liveupdate_recorder *a = make(), *b = make();
	struct liveupdate_recorder_part *to = &a->last_out, *from = &b->last_out;
	const struct liveupdate_recorder_row *row;
	int i;

	from->rows[0].errors = 2;
	from->rows[0].max = 5 * MS;
	add_row(from, 2, "vfio-v1", 5, AGENT, 1, 100);
	add_row(from, 3, "vfio-v1", 5, LIVEUPDATE_SCOPE_REBOOT, 2, 50);
	from->rows[3].kind = LIVEUPDATE_KIND_FLB;
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++)
		add_call(from, 5, LIVEUPDATE_SCOPE_REBOOT, i, "h", "s", 9, (i + 1) * MS);
	from->slow_sessions[LIVEUPDATE_SCOPE_REBOOT][PHASE_FREEZE][3].duration = 77;
	from->slow_sessions[AGENT][PHASE_RESTORE][3].duration = 78;
	from->lost_calls = 3;
	to->lost_calls = 4;
	record_part_merge(to, from, RECORDER_SCOPE(REBOOT));
	row = row_of(to, 0, "vfio-v1", 5, LIVEUPDATE_SCOPE_REBOOT);
	check(row->count == 6 && row->errors == 2 && row->total == 3800000 &&
	      row->wall == 3800000 && row->min == 1900000 / 3 && row->max == 5 * MS &&
	      row->hist[19] == 4 && row->hist[20] == 2, "a row that is in both");
	row = row_of(to, 2, "vfio-v1", 5, LIVEUPDATE_SCOPE_REBOOT);
	check(row->count == 2 && row->min == 25 && row->max == 25, "a row that is new");
	check(nr_rows(to) == 3 &&
	      !to->slow_sessions[AGENT][PHASE_RESTORE][0].duration &&
	      row_of(to, 1, "long", 0, AGENT)->count == 1, "other scopes are not added");
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		if (to->slow_calls[LIVEUPDATE_SCOPE_REBOOT][5][i].duration == 1800000)
			break;
	}
	check(i < LIVEUPDATE_RECORDER_SLOWEST &&
	      to->slow_sessions[LIVEUPDATE_SCOPE_REBOOT][PHASE_FREEZE][0].duration == 77,
	      "the longest of both");
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		if (to->slow_calls[LIVEUPDATE_SCOPE_REBOOT][5][i].duration == MS)
			break;
	}
	check(i == LIVEUPDATE_RECORDER_SLOWEST, "not the shortest");
	check(to->lost_calls == 7, "lost calls");
	check(from->rows[0].count == 3 && from->lost_calls == 3, "the other one is unchanged");
	free(a);
	free(b);
}

/* No row is left: the shared row, and no shared row either. */
static void test_merge_full(void)
{
	struct liveupdate_recorder *a = make(), *b = make();
	struct liveupdate_recorder_part *to = &a->last_out, *from = &b->last_out;
	char name[16];
	int i;

	for (i = 2; i < LIVEUPDATE_RECORDER_ROWS - 1; i++) {
		snprintf(name, sizeof(name), "h%d", i);
		add_row(to, i, name, 1, AGENT, 1, 10);
	}
	add_row(to, i, "", 1, AGENT, 1, 10);
	add_row(from, 2, "late", 1, AGENT, 5, 50);
	add_row(from, 3, "late", 2, AGENT, 7, 70);
	from->rows[2].kind = LIVEUPDATE_KIND_FLB;
	record_part_merge(to, from, RECORDER_SCOPE(AGENT));
	check(row_of(to, 0, "", 1, AGENT)->count == 6 && to->lost_calls == 7 &&
	      row_of(to, 1, "long", 0, AGENT)->count == 2,
	      "without room: the shared row, else lost");
	free(a);
	free(b);
}

static void test_fail(void)
{
	struct liveupdate_recorder *r = make(), *parsed;
	struct liveupdate_recorder_part *p = &r->last_out, before = *p;
	struct liveupdate_recorder_row *row = &p->rows[0];
	int i;

	/* Of an earlier attempt. */
	p->rows[2].scope = LIVEUPDATE_SCOPE_REBOOT;
	p->rows[2].min = UINT64_MAX;
	strcpy(p->rows[2].name, "idle");
	p->slow_sessions[LIVEUPDATE_SCOPE_REBOOT][PHASE_FREEZE][2].duration = 77;
	record_part_fail(p);
	check(p->rows[3].count == 3 && !p->rows[4].min, "a row without a call stays");
	check(!row->count && !row->errors && !row->total && !row->wall && !row->max &&
	      row->min == UINT64_MAX && !row->hist[19] && !strcmp(row->name, "vfio-v1") &&
	      row->scope == LIVEUPDATE_SCOPE_REBOOT, "a row of the reboot is empty");
	check(row_of(p, 0, "vfio-v1", 5, LIVEUPDATE_SCOPE_FAILED)->count == 3 &&
	      row_of(p, 1, "long", 0, AGENT)->count == 1 && nr_rows(p) == 2,
	      "its calls have failed; other scopes are as before");
	check(p->slow_calls[LIVEUPDATE_SCOPE_FAILED][5][0].duration == 1800000 &&
	      !strcmp(p->slow_calls[LIVEUPDATE_SCOPE_FAILED][5][0].session, "vm-a") &&
	      p->slow_sessions[LIVEUPDATE_SCOPE_FAILED][PHASE_FREEZE][0].duration == 77,
	      "so have the longest");
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		if (p->slow_calls[LIVEUPDATE_SCOPE_REBOOT][5][i].duration ||
		    p->slow_sessions[LIVEUPDATE_SCOPE_REBOOT][PHASE_FREEZE][i].duration)
			break;
	}
	check(i == LIVEUPDATE_RECORDER_SLOWEST, "the lists of the reboot are empty");

	/* The next attempt has the same row and one more, and fails, too. */
	add_row(&before, 3, "more", 5, LIVEUPDATE_SCOPE_REBOOT, 1, 10);
	before.slow_calls[LIVEUPDATE_SCOPE_REBOOT][5][0].duration = 5;
	record_part_merge(p, &before, RECORDER_SCOPE(REBOOT));
	check(row->count == 3 && row->min == 1900000 / 3 &&
	      !strcmp(p->rows[4].name, "more") && p->rows[4].count == 1,
	      "another attempt begins from zero in the same row");
	record_part_fail(p);
	check(row_of(p, 0, "vfio-v1", 5, LIVEUPDATE_SCOPE_FAILED)->count == 6 &&
	      p->slow_calls[LIVEUPDATE_SCOPE_FAILED][5][1].duration == 5,
	      "both have failed");
	record_part_fail(p);
	check(row_of(p, 0, "vfio-v1", 5, LIVEUPDATE_SCOPE_FAILED)->count == 6,
	      "without a call nothing changes");
	parsed = recorder_parse(r, sizeof(*r));
	check(parsed, "readers accept it");
	free(parsed);
	free(r);
}

int main(void)
{
	test_rows();
	test_directions();
	test_kinds();
	test_parallel();
	test_intervals();
	test_slow_calls();
	test_names();
	test_long_names();
	test_merge();
	test_merge_full();
	test_fail();
	return end_tests();
}
