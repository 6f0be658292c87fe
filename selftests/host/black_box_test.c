// SPDX-License-Identifier: GPL-2.0

/*
 * The black box: what is written is read, what is damaged is left out and nothing else is,
 * and the record of the old kernel that is made of it. Prints TAP.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "black_box.h"
#include "blackout.h"
#include "enum_name.h"
#include "recorder.h"
#include "tap.h"

#define HZ		2000000000ULL	/* of the counter: two ticks are a ns */
#define T0		1000000000ULL	/* ns, when the reboot began */
#define MS		1000000ULL
#define PAGES_AT	BOX_PAGE
#define MARKS_AT	(PAGES_AT + BOX_REBOOT_PAGES * BOX_PAGE)
#define SNAPSHOT_AT	(MARKS_AT + \
			 (sizeof(struct box_marks) + BOX_PAGE - 1) / BOX_PAGE * BOX_PAGE)
#define OP_FREEZE	5		/* as in the trace events */
#define OP_PREPARE	3

static char *memory;
static struct black_box box;
static struct black_box_snapshot snapshot;
static struct liveupdate_recorder_part part;

static void new_box(void)
{
	free(memory);
	memory = calloc(1, black_box_size());
	if (!memory)
		abort();
	black_box_format(memory, true);
	memset(&snapshot, 0, sizeof(snapshot));
	memset(&box, 0, sizeof(box));
}

/* What the BPF programs write, with the checksum of all pages. */
static void write_reboot(const struct box_reboot *reboot)
{
	static union box_pages pages;
	size_t i;

	memset(&pages, 0, sizeof(pages));
	pages.reboot = *reboot;
	pages.reboot.sum = 0;
	for (i = 1; i < sizeof(pages.words) / sizeof(pages.words[0]); i++)
		pages.reboot.sum = box_sum_step(pages.reboot.sum, pages.words[i]);
	memcpy(black_box_pages(memory), &pages, sizeof(pages));
}

static void put(uint64_t cancelled)
{
	snapshot.part.cancelled = cancelled;
	black_box_put(memory, &snapshot);
}

/* Parse a copy of exactly its size, so that a read past its end is detected. */
static const char *parse_of(size_t size)
{
	char *copy = aligned_alloc(BOX_PAGE, black_box_size());
	const char *why;

	if (!copy)
		abort();
	memcpy(copy, memory, size);
	why = black_box_parse(copy, size, &box);
	free(copy);
	return why;
}

static const char *parse(void)
{
	return parse_of(black_box_size());
}

static void check_rejected(const char *why, const char *want)
{
	check(why && !strcmp(why, want), "rejected: %s", want);
}

static struct box_reboot reboot_of(void)
{
	struct box_reboot r = { .flushes = 3, .last = T0 + 90 * MS, .began = 1,
				.sessions = 2, .files = 400, .nr_devices = 12 };
	int i;

	for (i = 0; i < BOX_NR_STEPS; i++)
		r.steps[i] = T0 + i * 10 * MS;
	return r;
}

static void test_round_trip(void)
{
	struct box_reboot r = reboot_of();
	char id[BLACK_BOX_BOOT_ID];

	new_box();
	check(!parse() && !box.snapshot.number && !box.reboot.sum, "a new box is empty");
	black_box_boot_id(id);
	check(*id && !strcmp(box.head.boot_id, id) && *box.head.release && box.head.stock,
	      "its head names the kernel");
	put(1);
	check(!parse() && box.snapshot.number == 1 && box.snapshot.part.cancelled == 1,
	      "a snapshot");
	put(2);
	put(3);
	put(4);
	check(!parse() && box.snapshot.number == 4 && box.snapshot.part.cancelled == 4,
	      "the newest of several");
	write_reboot(&r);
	check(!parse() && box.reboot.flushes == 3 &&
	      !memcmp(box.reboot.steps, r.steps, sizeof(r.steps)), "a reboot");
}

static void test_rejected(void)
{
	struct black_box_head *head = (void *)memory, saved = *head;
	unsigned int i, accepted = 0;

	check_rejected(parse_of(0), "it is too short");
	check_rejected(parse_of(sizeof(*head) - 1), "it is too short");
	check_rejected(parse_of(black_box_size() - BOX_PAGE), "it is of another size");
	check_rejected(parse_of(sizeof(*head)), "it is of another size");
	head->magic ^= 1;
	check_rejected(parse(), "it is not a black box of luotrace");
	*head = saved;
	/* Nothing else of another version is looked at, not even a checksum. */
	head->version++;
	check_rejected(parse(), "it is of another version of luotrace");
	*head = saved;
	head->stock = 0;
	check_rejected(parse(), "its head is damaged");
	*head = saved;
	for (i = 0; i < sizeof(*head); i++) {
		memory[i] ^= 0x10;
		accepted += !parse();
		memory[i] ^= 0x10;
	}
	check(!accepted, "no byte of the head can change unseen");
	check(!parse(), "it is as it was");
}

/* A byte of each 61 of an area is damaged: what is read of the three then? */
static void damage(size_t from, size_t size, unsigned int *newest, unsigned int *older,
		   unsigned int *reboots, unsigned int *n)
{
	size_t i;

	*newest = *older = *reboots = *n = 0;
	for (i = 0; i < size; i += 61) {
		memory[from + i] ^= 0x04;
		if (!parse()) {
			*newest += box.snapshot.number == 4;
			*older += box.snapshot.number == 3;
			*reboots += box.reboot.flushes == 3;
		}
		memory[from + i] ^= 0x04;
		++*n;
	}
}

static void test_damaged(void)
{
	size_t room = (black_box_size() - SNAPSHOT_AT) / 2;
	unsigned int newest, older, reboots, n;

	damage(PAGES_AT, BOX_REBOOT_PAGES * BOX_PAGE, &newest, &older, &reboots, &n);
	check(newest == n && !reboots, "a damaged reboot leaves the snapshot");
	/* The newest one has an even number. */
	damage(SNAPSHOT_AT, sizeof(snapshot), &newest, &older, &reboots, &n);
	check(older == n && reboots == n, "a damaged snapshot leaves the older one");
	damage(SNAPSHOT_AT + room, sizeof(snapshot), &newest, &older, &reboots, &n);
	check(newest == n && reboots == n, "a damaged older one leaves the newest");
	memory[SNAPSHOT_AT + 100] ^= 1;
	memory[SNAPSHOT_AT + room + 100] ^= 1;
	check(!parse() && !box.snapshot.number && !box.snapshot.part.cancelled &&
	      box.reboot.flushes == 3, "two damaged ones leave the reboot");
	memory[SNAPSHOT_AT + 100] ^= 1;
	memory[SNAPSHOT_AT + room + 100] ^= 1;
}

/* The kexec comes in the middle of a snapshot: the older one is read. */
static void test_torn(void)
{
	size_t size = black_box_size(), at = SNAPSHOT_AT + (size - SNAPSHOT_AT) / 2, i;
	char *before = malloc(size);
	struct black_box_snapshot *to;
	unsigned int torn = 0, n = 0;

	if (!before)
		abort();
	memcpy(before, memory, size);
	/* Differs from the one that it replaces at its begin and its end. */
	snapshot.part.rows[LIVEUPDATE_RECORDER_ROWS - 1].name[0] = 'x';
	put(5);
	to = (void *)(memory + at);
	check(!parse() && box.snapshot.number == 5, "the next snapshot");
	for (i = sizeof(to->crc); i < sizeof(*to); i += 997) {
		memcpy(before + at, memory + at, i);
		((struct black_box_snapshot *)(before + at))->crc = ~to->crc;
		n++;
		torn += !black_box_parse(before, size, &box) &&
			box.snapshot.number == 4 && box.snapshot.part.cancelled == 4;
	}
	check(torn == n, "an unfinished one is none");
	free(before);
}

static const struct liveupdate_recorder_row *row_of(const char *name, uint32_t op)
{
	static const struct liveupdate_recorder_row none;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		if (part.rows[i].count && part.rows[i].op == op &&
		    !strcmp(part.rows[i].name, name))
			return &part.rows[i];
	}
	return &none;
}

static void make_part(const struct box_reboot *r)
{
	write_reboot(r);
	black_box_put(memory, &snapshot);
	if (parse())
		abort();
	black_box_part(&box, &part);
}

/* The counter is 100 s ahead of the clock. */
static void set_clock(void)
{
	snapshot.hz = HZ;
	snapshot.stable = 1;
	snapshot.wall_ns = 1700000000 * 1000ULL * MS;
	snapshot.pairs[0] = (struct counter_pair){ 100 * HZ, 1 };
	snapshot.pairs[1] = (struct counter_pair){ 101 * HZ, 1 + 1000 * MS };
}

static uint64_t ticks_at(uint64_t ns)
{
	return 100 * HZ + (ns - 1) * 2;
}

static void test_marks(void)
{
	struct box_reboot r = reboot_of();

	new_box();
	set_clock();
	snapshot.part.number = 7;
	make_part(&r);
	check(recorder_present(&part) && !recorder_part_invalid(&part) && part.number == 7 &&
	      !strcmp(part.release, box.head.release) && part.clock_hz == HZ &&
	      part.clock_stable, "a record with the clock and the number");
	check(part.times[LIVEUPDATE_MARK_REBOOT] == T0 &&
	      part.times[LIVEUPDATE_MARK_PREPARED] == T0 + 10 * MS &&
	      part.times[LIVEUPDATE_MARK_FROZEN] == T0 + 20 * MS &&
	      part.times[LIVEUPDATE_MARK_JUMP] == r.steps[BOX_STEP_KEXEC],
	      "steps are marks");
	check(part.marks[LIVEUPDATE_MARK_REBOOT] == ticks_at(T0) &&
	      part.marks[LIVEUPDATE_MARK_JUMP] == ticks_at(r.steps[BOX_STEP_KEXEC]),
	      "also on the counter");
	check(part.wall_ns == 1700000000 * 1000ULL * MS + T0 && part.sessions == 2 &&
	      part.files == 400, "when, and what was handed over");
	r.steps[BOX_STEP_KEXEC] = 0;
	make_part(&r);
	check(recorder_present(&part) && !part.times[LIVEUPDATE_MARK_JUMP] &&
	      !part.marks[LIVEUPDATE_MARK_JUMP] && part.marks[LIVEUPDATE_MARK_FROZEN],
	      "a step that was not reached is unknown");
	snapshot.hz = 0;
	memset(snapshot.pairs, 0, sizeof(snapshot.pairs));
	make_part(&r);
	check(recorder_present(&part) && part.times[LIVEUPDATE_MARK_REBOOT] == T0 &&
	      !part.marks[LIVEUPDATE_MARK_REBOOT], "without a counter the clock remains");
	r.steps[BOX_STEP_REBOOT] = 0;
	make_part(&r);
	check(!recorder_present(&part), "no reboot is no record");
	new_box();
	r = reboot_of();
	write_reboot(&r);
	check(!parse(), "a box without a snapshot");
	black_box_part(&box, &part);
	check(recorder_present(&part) && part.times[LIVEUPDATE_MARK_FROZEN] &&
	      !part.wall_ns, "what the programs saw is a record of its own");
}

/* Each kernel's half is known alone if the counter does not go on; the gap is unknown. */
static void test_counter_reset(void)
{
	static struct liveupdate_recorder r;
	struct liveupdate_recorder_part *in = &r.last_in;
	struct box_reboot reboot = reboot_of();
	struct blackout b;

	new_box();
	set_clock();
	make_part(&reboot);
	r.last_out = part;
	in->magic = LIVEUPDATE_RECORDER_MAGIC;
	in->clock_hz = HZ;
	in->clock_stable = 1;
	in->marks[LIVEUPDATE_MARK_START] = part.marks[LIVEUPDATE_MARK_JUMP] + HZ;
	in->marks[LIVEUPDATE_MARK_INIT] = in->marks[LIVEUPDATE_MARK_START] + HZ;
	in->times[LIVEUPDATE_MARK_INIT] = 1000 * MS;
	blackout_measure(&r, &b);
	check(b.across == ACROSS_KNOWN && b.ns[SPAN_KEXEC] == 1000 * MS &&
	      b.ns[SPAN_INIT] == 1000 * MS, "the counter goes on across the kexec");
	in->marks[LIVEUPDATE_MARK_START] = HZ;
	in->marks[LIVEUPDATE_MARK_INIT] = 2 * HZ;
	blackout_measure(&r, &b);
	check(b.across == ACROSS_BACKWARDS && !b.known[SPAN_KEXEC] && !b.whole,
	      "it was reset: the gap is unknown");
	check(b.known[SPAN_FREEZE] && b.ns[SPAN_FREEZE] == 10 * MS &&
	      b.ns[SPAN_SHUTDOWN] == reboot.steps[BOX_STEP_KEXEC] - T0 - 20 * MS &&
	      b.known[SPAN_INIT] && b.ns[SPAN_INIT] == 1000 * MS,
	      "each half is known alone");
}

static void set_row(struct box_row *row, uint32_t op, const char *name, uint64_t count)
{
	*row = (struct box_row){ .key = 1, .op = op, .count = count, .errors = 1,
				 .total = 300, .min = 100, .max = 200 };
	row->hist[6] = count;
	snprintf(row->name, sizeof(row->name), "%s", name);
}

static void test_rows(void)
{
	struct box_reboot r = reboot_of();
	const struct liveupdate_recorder_row *row;
	int i, n;

	new_box();
	set_clock();
	set_row(&r.rows[0], OP_FREEZE, "memfd-v1", 501);
	set_row(&r.rows[1], OP_PREPARE, "memfd-v1", 3);
	set_row(&r.rows[2], LIVEUPDATE_RECORDER_OPS, "x", 1);
	set_row(&r.rows[3], OP_FREEZE, "y", 1);
	r.rows[3].kind = LIVEUPDATE_KIND_FLB + 1;
	memset(r.rows[4].name, 'z', BOX_NAME);
	r.rows[4].key = r.rows[4].count = 1;
	r.rows_lost = 2;
	make_part(&r);
	row = row_of("memfd-v1", OP_FREEZE);
	check(row->count == 501 && row->errors == 1 && row->total == 300 &&
	      row->wall == 300 && row->min == 100 && row->max == 200 &&
	      row->hist[6] == 501 && row->scope == LIVEUPDATE_SCOPE_REBOOT, "a row");
	check(row_of("memfd-v1", OP_PREPARE)->count == 3, "another operation");
	for (i = n = 0; i < LIVEUPDATE_RECORDER_ROWS; i++)
		n += part.rows[i].count != 0;
	check(n == 3, "unknown operations and kinds are none");
	check(row_of("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 0)->count == 1,
	      "a name without an end is cut off");
	check(part.lost_calls == 2, "calls without a row");

	/* What agents did filled the record, but for two rows. */
	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS - 2; i++) {
		snapshot.part.rows[i].count = snapshot.part.rows[i].min = 1;
		snprintf(snapshot.part.rows[i].name, 48, "agent-%d", i);
	}
	for (i = 0; i < BOX_ROWS; i++) {
		snprintf(r.rows[i].name, BOX_NAME, "reboot-%d", i);
		r.rows[i].key = r.rows[i].count = 1;
		r.rows[i].kind = 0;
		r.rows[i].op = OP_FREEZE;
	}
	make_part(&r);
	check(row_of("reboot-0", OP_FREEZE)->count == 1 && part.lost_calls == 2 + 30,
	      "more rows than fit: the rest is counted as lost");
	for (i = n = 0; i < LIVEUPDATE_RECORDER_ROWS; i++)
		n += part.rows[i].scope == LIVEUPDATE_SCOPE_AGENT && part.rows[i].count;
	check(n == LIVEUPDATE_RECORDER_ROWS - 2, "those of agents stay");
}

static void set_call(struct box_call *c, uint32_t op, uint64_t ns)
{
	*c = (struct box_call){ .duration = ns, .end = T0 + 15 * MS, .token = 41, .op = op,
				.ret = -EIO, .name = "memfd-v1", .session = "vm-a" };
}

static int calls_of(uint32_t op)
{
	int i, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++)
		n += part.slow_calls[LIVEUPDATE_SCOPE_REBOOT][op][i].duration != 0;
	return n;
}

static void test_lists(void)
{
	struct box_reboot r = reboot_of();
	const struct liveupdate_recorder_session *s;
	const struct liveupdate_recorder_call *c;
	int i;

	new_box();
	set_clock();
	for (i = 0; i < BOX_SLOWEST; i++) {
		set_call(&r.calls[BOX_FREEZE][i], OP_FREEZE, 1000 + i);
		set_call(&r.calls[BOX_OTHER][i], i % 2 ? 4 : OP_FREEZE, 2000 + i);
	}
	set_call(&r.calls[BOX_PREPARE][0], LIVEUPDATE_RECORDER_OPS, 7);
	set_call(&r.calls[BOX_PREPARE][1], OP_PREPARE, 7);
	r.calls[BOX_PREPARE][1].kind = LIVEUPDATE_KIND_FLB + 1;
	memset(r.calls[BOX_FREEZE][0].session, 's', BOX_SESSION);
	r.slow[BOX_FREEZE][3] = (struct box_session){ .duration = 9 * MS, .files = 400,
		.end = T0 + 19 * MS, .ret = -EBUSY, .name = "vm-a" };
	make_part(&r);
	check(!recorder_part_invalid(&part), "a record with lists");
	c = &part.slow_calls[LIVEUPDATE_SCOPE_REBOOT][OP_FREEZE][1];
	check(c->duration == 1001 && c->end == ticks_at(T0 + 15 * MS) && c->token == 41 &&
	      c->ret == -EIO && !strcmp(c->name, "memfd-v1") && !strcmp(c->session, "vm-a"),
	      "a call");
	check(calls_of(OP_FREEZE) == BOX_SLOWEST && calls_of(4) == BOX_SLOWEST / 2 &&
	      !calls_of(OP_FREEZE + 1) && !calls_of(OP_PREPARE),
	      "no more than there is room for, unknown ones are none");
	s = &part.slow_sessions[LIVEUPDATE_SCOPE_REBOOT][1][3];
	check(s->duration == 9 * MS && s->files == 400 && s->ret == -EBUSY &&
	      s->end == ticks_at(T0 + 19 * MS) && !strcmp(s->name, "vm-a"), "a session");
	check(!strcmp(enum_name(ENUM_PHASE, 1), "freeze") &&
	      !strcmp(enum_name(ENUM_OP, OP_FREEZE), "freeze") &&
	      !strcmp(enum_name(ENUM_OP, OP_PREPARE), "prepare"),
	      "phases and operations are those of the trace events");
}

static void test_failed(void)
{
	struct box_reboot r = reboot_of();

	new_box();
	set_clock();
	r.failed = 2;
	r.failed_ret = -EBUSY;
	r.failed_ns = 5 * MS;
	make_part(&r);
	check(part.failed == 2 && part.failed_ret == -EBUSY && part.failed_ns == 5 * MS,
	      "reboots that failed before");
	/* Right checksums, but no record of this version. */
	memset(snapshot.part.given_up_names[0], 'x', sizeof(snapshot.part.given_up_names[0]));
	make_part(&r);
	check(!recorder_present(&part), "a snapshot that is none is no record");
}

/* Any content with right checksums makes a record that can be shown, or none. */
static void test_any(void)
{
	unsigned int i, bad = 0, shown = 0;
	struct box_reboot r;
	size_t n;

	srand(1);
	for (i = 0; i < 300; i++) {
		for (n = 0; n < sizeof(r); n++)
			((unsigned char *)&r)[n] = i % 3 ? rand() : rand() % 8;
		new_box();
		for (n = 0; i & 1 && n < sizeof(snapshot); n++)
			((unsigned char *)&snapshot)[n] = rand() % (i % 16 + 1);
		make_part(&r);
		bad += recorder_present(&part) && recorder_part_invalid(&part);
		shown += recorder_present(&part);
	}
	check(!bad && shown, "what cannot be a record is none");
}

int main(void)
{
	puts("TAP version 13");
	test_round_trip();
	test_rejected();
	test_damaged();
	test_torn();
	test_marks();
	test_counter_reset();
	test_rows();
	test_lists();
	test_failed();
	test_any();
	free(memory);
	return end_tests();
}
