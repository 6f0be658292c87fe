// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "black_box.h"
#include "record_part.h"
#include "recorder.h"

#define BLACK_BOX_MAGIC	0x584f424c	/* "LBOX" */
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"

#define PAGES(bytes)	(((bytes) + BOX_PAGE - 1) / BOX_PAGE * BOX_PAGE)
#define REBOOT_AT	BOX_PAGE
#define MARKS_AT	(REBOOT_AT + BOX_REBOOT_PAGES * BOX_PAGE)
#define SNAPSHOT_AT	(MARKS_AT + PAGES(sizeof(struct box_marks)))
#define SNAPSHOT_ROOM	PAGES(sizeof(struct black_box_snapshot))

_Static_assert(sizeof(struct box_reboot) <= BOX_REBOOT_PAGES * BOX_PAGE,
	       "the record of a reboot fits its pages");
_Static_assert(sizeof(struct black_box_head) <= BOX_PAGE, "the head fits a page");

size_t black_box_size(void)
{
	return SNAPSHOT_AT + 2 * SNAPSHOT_ROOM;
}

void *black_box_pages(void *memory)
{
	return (char *)memory + REBOOT_AT;
}

struct box_marks *black_box_marks(void *memory)
{
	return (void *)((char *)memory + MARKS_AT);
}

static void *snapshot_at(const void *memory, unsigned int slot)
{
	return (char *)memory + SNAPSHOT_AT + slot * SNAPSHOT_ROOM;
}

void black_box_boot_id(char *id)
{
	FILE *f = fopen(BOOT_ID, "re");

	*id = '\0';
	if (f && fgets(id, BLACK_BOX_BOOT_ID, f))
		id[strcspn(id, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* CRC-32 of a structure whose own field for it is 0 meanwhile. */
static uint32_t head_crc(const struct black_box_head *head)
{
	struct black_box_head copy = *head;

	copy.crc = 0;
	return crc32(0, (const Bytef *)&copy, sizeof(copy));
}

static uint32_t snapshot_crc(const struct black_box_snapshot *s)
{
	/* The checksum is the first field. */
	return crc32(0, (const Bytef *)s + sizeof(s->crc), sizeof(*s) - sizeof(s->crc));
}

static void name_copy(char *to, size_t room, const char *from, size_t size)
{
	size_t n = strnlen(from, size);

	memset(to, 0, room);
	memcpy(to, from, n < room ? n : room - 1);
}

void black_box_format(void *memory, bool stock)
{
	struct black_box_head head = {
		.magic = BLACK_BOX_MAGIC,
		.version = BLACK_BOX_VERSION,
		.size = black_box_size(),
		.stock = stock,
	};
	struct utsname uts;

	if (!uname(&uts))
		name_copy(head.release, sizeof(head.release), uts.release,
			  sizeof(uts.release));
	black_box_boot_id(head.boot_id);
	head.crc = head_crc(&head);
	memcpy(memory, &head, sizeof(head));
}

void black_box_put(void *memory, struct black_box_snapshot *snapshot)
{
	struct black_box_snapshot *to;

	snapshot->number++;
	snapshot->crc = snapshot_crc(snapshot);
	to = snapshot_at(memory, snapshot->number & 1);
	/* Until the whole is there, it is none. */
	__atomic_store_n(&to->crc, ~snapshot->crc, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy((char *)to + sizeof(to->crc), (char *)snapshot + sizeof(to->crc),
	       sizeof(*to) - sizeof(to->crc));
	__atomic_store_n(&to->crc, snapshot->crc, __ATOMIC_RELEASE);
}

static void parse_snapshots(const void *data, struct black_box *box)
{
	const struct black_box_snapshot *s;
	unsigned int slot, i;

	for (slot = 0; slot < 2; slot++) {
		s = snapshot_at(data, slot);
		if (!s->number || s->number < box->snapshot.number ||
		    snapshot_crc(s) != s->crc)
			continue;
		box->snapshot = *s;
	}
	for (i = 0; i < GUESTS_OWNERS; i++)
		box->snapshot.owners[i].name[LIVEUPDATE_SESSION_NAME_LENGTH - 1] = '\0';
}

static void parse_reboot(const void *data, struct black_box *box)
{
	const uint64_t *words = (const void *)((const char *)data + REBOOT_AT);
	uint64_t sum = 0;
	size_t i;

	for (i = 1; i < BOX_REBOOT_PAGES * BOX_PAGE / 8; i++)
		sum = box_sum_step(sum, words[i]);
	if (words[0] && sum == words[0])
		memcpy(&box->reboot, words, sizeof(box->reboot));
}

const char *black_box_parse(const void *data, size_t size, struct black_box *box)
{
	memset(box, 0, sizeof(*box));
	if (size < sizeof(box->head))
		return "it is too short";
	memcpy(&box->head, data, sizeof(box->head));
	if (box->head.magic != BLACK_BOX_MAGIC)
		return "it is not a black box of luotrace";
	if (box->head.version != BLACK_BOX_VERSION)
		return "it is of another version of luotrace";
	if (box->head.crc != head_crc(&box->head))
		return "its head is damaged";
	if (box->head.size != size || size != black_box_size())
		return "it is of another size";
	box->head.release[sizeof(box->head.release) - 1] = '\0';
	box->head.boot_id[sizeof(box->head.boot_id) - 1] = '\0';
	memcpy(&box->marks, (const char *)data + MARKS_AT, sizeof(box->marks));
	parse_snapshots(data, box);
	parse_reboot(data, box);
	return NULL;
}

static void part_row(struct liveupdate_recorder_row *to, const struct box_row *row)
{
	*to = (struct liveupdate_recorder_row){
		.kind = row->kind,
		.op = row->op,
		.scope = LIVEUPDATE_SCOPE_REBOOT,
		.count = row->count,
		.errors = row->errors,
		.total = row->total,
		.wall = row->total,
		.min = row->min,
		.max = row->max,
	};
	memcpy(to->hist, row->hist, sizeof(to->hist));
	name_copy(to->name, sizeof(to->name), row->name, sizeof(row->name));
}

static uint64_t count_at(const struct counter_line *line, uint64_t ns)
{
	return ns ? counter_line_at(line, ns) : 0;
}

static uint64_t mark_at(void *line, uint64_t ns)
{
	return count_at(line, ns);
}

static void part_call(struct liveupdate_recorder_part *part, const struct box_call *c,
		      const struct counter_line *line)
{
	struct liveupdate_recorder_call *to;
	int i;

	if (!c->duration || c->op >= LIVEUPDATE_RECORDER_OPS ||
	    c->kind > LIVEUPDATE_KIND_FLB)
		return;
	to = part->slow_calls[LIVEUPDATE_SCOPE_REBOOT][c->op];
	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST && to[i].duration; i++)
		;
	/* The lists of the box are of the same length, or shared by several operations. */
	if (i == LIVEUPDATE_RECORDER_SLOWEST)
		return;
	to[i] = (struct liveupdate_recorder_call){
		.duration = c->duration,
		.end = count_at(line, c->end),
		.token = c->token,
		.kind = c->kind,
		.ret = c->ret,
	};
	name_copy(to[i].name, sizeof(to[i].name), c->name, sizeof(c->name));
	name_copy(to[i].session, sizeof(to[i].session), c->session, sizeof(c->session));
}

static void part_session(struct liveupdate_recorder_session *to,
			 const struct box_session *s, const struct counter_line *line)
{
	*to = (struct liveupdate_recorder_session){
		.duration = s->duration,
		.end = count_at(line, s->end),
		.files = s->files,
		.ret = s->ret,
	};
	name_copy(to->name, sizeof(to->name), s->name, sizeof(s->name));
}

static void part_lists(struct liveupdate_recorder_part *part,
		       const struct box_reboot *r, const struct counter_line *line)
{
	int list, i;

	for (list = 0; list < BOX_LISTS; list++) {
		for (i = 0; i < BOX_SLOWEST; i++)
			part_call(part, &r->calls[list][i], line);
	}
	/* Phases of sessions: prepare is 0, freeze is 1, as are the lists. */
	for (list = BOX_PREPARE; list <= BOX_FREEZE; list++) {
		for (i = 0; i < BOX_SLOWEST && i < LIVEUPDATE_RECORDER_SLOWEST; i++)
			part_session(&part->slow_sessions[LIVEUPDATE_SCOPE_REBOOT][list][i],
				     &r->slow[list][i], line);
	}
}

static void part_rows(struct liveupdate_recorder_part *part, const struct box_reboot *r)
{
	struct liveupdate_recorder_part rows = { 0 };
	int i, n = 0;

	for (i = 0; i < BOX_ROWS; i++) {
		if (r->rows[i].key && r->rows[i].op < LIVEUPDATE_RECORDER_OPS &&
		    r->rows[i].kind <= LIVEUPDATE_KIND_FLB)
			part_row(&rows.rows[n++], &r->rows[i]);
	}
	record_part_merge(part, &rows, 1U << LIVEUPDATE_SCOPE_REBOOT);
	part->lost_calls += r->rows_lost;
}

static void part_marks(struct liveupdate_recorder_part *part, const struct box_reboot *r,
		       const struct counter_line *line)
{
	static const int steps[][2] = {
		{ LIVEUPDATE_MARK_REBOOT, BOX_STEP_REBOOT },
		{ LIVEUPDATE_MARK_PREPARED, BOX_STEP_PREPARED },
		{ LIVEUPDATE_MARK_FROZEN, BOX_STEP_FROZEN },
		{ LIVEUPDATE_MARK_JUMP, BOX_STEP_KEXEC },
	};
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		part->times[steps[i][0]] = r->steps[steps[i][1]];
		part->marks[steps[i][0]] = count_at(line, r->steps[steps[i][1]]);
	}
}

void black_box_part(const struct black_box *box, struct liveupdate_recorder_part *part)
{
	const struct black_box_snapshot *s = &box->snapshot;
	const struct box_reboot *r = &box->reboot;
	struct counter_line line;

	*part = s->part;
	if (!r->steps[BOX_STEP_REBOOT]) {
		part->magic = 0;
		return;
	}
	counter_line_begin(&line, &s->pairs[0]);
	counter_line_update(&line, &s->pairs[1]);
	line.hz = s->hz;
	part->magic = LIVEUPDATE_RECORDER_MAGIC;
	part->version = LIVEUPDATE_RECORDER_VERSION;
	part->size = sizeof(*part);
	part->clock_hz = s->hz;
	part->clock_stable = s->stable;
	memcpy(part->release, box->head.release, sizeof(part->release));
	if (s->wall_ns)
		part->wall_ns = s->wall_ns + r->steps[BOX_STEP_REBOOT];
	part->sessions = r->sessions;
	part->files = r->files;
	part->failed = r->failed;
	part->failed_ret = r->failed_ret;
	part->failed_ns = r->failed_ns;
	/* Another kernel takes marks itself; they are in the snapshot. */
	if (box->head.stock)
		box_marks_fill(&box->marks, false, part, mark_at, &line);
	part->lost_pauses += r->guests_lost;
	guests_fill(part, false, r->guests, BOX_GUESTS, s->owners, mark_at, &line);
	part_marks(part, r, &line);
	part_rows(part, r);
	part_lists(part, r, &line);
	if (recorder_part_invalid(part))
		part->magic = 0;
}
