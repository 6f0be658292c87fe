// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "record_part_internal.h"

#define BIT(n)	(1U << (n))
#define OPS_IN	(BIT(OP_RETRIEVE) | BIT(OP_CAN_FINISH) | BIT(OP_FINISH) | BIT(OP_BOOT))
/* Called in reboot(). */
#define OPS_REBOOT	(BIT(OP_FREEZE) | BIT(OP_UNFREEZE))

_Static_assert((int)LT_HANDLER == LIVEUPDATE_KIND_HANDLER &&
	       (int)LT_SUBSYSTEM == LIVEUPDATE_KIND_SUBSYSTEM &&
	       (int)LT_FLB == LIVEUPDATE_KIND_FLB, "kinds of targets");
_Static_assert(LIVEUPDATE_RECORDER_ROWS < 256, "row numbers fit");

struct record_part *record_part_new(enum record_dir dir, const char *ignore_session)
{
	struct record_part *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->dir = dir;
	p->nr_names = 1;
	if (ignore_session)
		record_part_name(p->ignore, sizeof(p->ignore), ignore_session,
				 strlen(ignore_session));
	return p;
}

void record_part_free(struct record_part *p)
{
	if (!p)
		return;
	record_part_session_free(p);
	free(p);
}

/* Number of a name, 0 if it has no room. */
static unsigned int find_name(struct record_part *p, const struct lt_event *e,
			      uint32_t kind)
{
	struct record_name like = { .kind = kind };
	unsigned int i;

	record_part_name(like.name, sizeof(like.name), e->compatible,
			 sizeof(e->compatible));
	if (!*like.name)
		return 0;
	for (i = 1; i < p->nr_names; i++) {
		if (p->names[i].kind == kind && !strcmp(p->names[i].name, like.name))
			return i;
	}
	if (p->nr_names == RECORD_NAMES)
		return 0;
	p->names[i] = like;
	return p->nr_names++;
}

/* Number of the row of a name and an operation, from 1 on; 0 if there is no room. */
static unsigned int find_row(struct record_part *p, unsigned int name, uint32_t op)
{
	struct liveupdate_recorder_row *row;

	if (p->row[name][op])
		return p->row[name][op];
	if (p->nr_rows == LIVEUPDATE_RECORDER_ROWS)
		return 0;
	row = &p->part.rows[p->nr_rows++];
	row->kind = p->names[name].kind;
	row->op = op;
	row->scope = LIVEUPDATE_SCOPE_AGENT;
	row->min = UINT64_MAX;
	memcpy(row->name, p->names[name].name, sizeof(row->name));
	p->row[name][op] = p->nr_rows;
	return p->nr_rows;
}

static void count_call(struct record_part *p, const struct lt_event *e, uint32_t kind)
{
	uint64_t ns = e->call.duration_ns, begin = e->ts > ns ? e->ts - ns : 0;
	unsigned int nr = find_row(p, find_name(p, e, kind), e->call.op);
	unsigned int bucket = ns ? 63 - __builtin_clzll(ns) : 0;
	struct liveupdate_recorder_row call = {
		.count = 1, .errors = !!e->ret, .total = ns, .min = ns, .max = ns,
	};

	nr = nr ? nr : find_row(p, 0, e->call.op);
	if (!nr) {
		p->part.lost_calls++;
		return;
	}
	if (bucket >= LIVEUPDATE_RECORDER_BUCKETS)
		bucket = LIVEUPDATE_RECORDER_BUCKETS - 1;
	call.hist[bucket] = 1;
	record_part_row_add(&p->part.rows[nr - 1], &call);
	intervals_add(&p->walls[nr - 1], begin, e->ts);
}

static void keep_call(struct record_part *p, const struct lt_event *e, uint32_t kind)
{
	struct liveupdate_recorder_call call = {
		.duration = e->call.duration_ns,
		.end = e->ts,
		.kind = kind,
		.ret = e->ret,
	};

	record_part_name(call.name, sizeof(call.name), e->compatible,
			 sizeof(e->compatible));
	if (kind == LT_HANDLER) {
		call.token = e->call.token;
		record_part_name(call.session, sizeof(call.session), e->session,
				 sizeof(e->session));
	}
	record_part_topn(p->part.slow_calls[LIVEUPDATE_SCOPE_AGENT][e->call.op], &call,
			 sizeof(call));
}

static bool record_call(struct record_part *p, const struct lt_event *e, uint32_t kind)
{
	uint32_t op = e->call.op;

	if (op >= LIVEUPDATE_RECORDER_OPS) {
		p->part.lost_calls++;
		return true;
	}
	if (!!(OPS_IN & BIT(op)) != (p->dir == RECORD_IN) || OPS_REBOOT & BIT(op))
		return true;
	count_call(p, e, kind);
	keep_call(p, e, kind);
	return kind != LT_HANDLER || record_part_session_call(p, e);
}

/* What an event of any process says of the device. */
static void note_device(struct record_part *p, const struct lt_event *e)
{
	if (e->opened > p->opened) {
		p->opened = e->opened;
		p->busy_opened = p->busy;
	}
	if (e->busy_ns > p->busy)
		p->busy = e->busy_ns;
}

/* A file that was retrieved, of the new kernel. */
static void record_file(struct record_part *p, const struct lt_event *e)
{
	if (!e->ret && e->file.new == FILE_RETRIEVED)
		record_part_mark(p, LIVEUPDATE_MARK_RESTORED, e->ts, e->busy_ns);
}

static bool ignored(const struct record_part *p, const struct lt_event *e)
{
	return *p->ignore && !strncmp(p->ignore, e->session, sizeof(p->ignore));
}

bool record_part_event(struct record_part *p, const struct lt_event *e)
{
	note_device(p, e);
	if (ignored(p, e))
		return true;
	if (e->ts > p->last)
		p->last = e->ts;

	switch (e->type) {
	case LT_HANDLER_EXIT:
		return record_call(p, e, LT_HANDLER);
	case LT_SUBSYSTEM_EXIT:
		return record_call(p, e, LT_SUBSYSTEM);
	case LT_FLB_EXIT:
		return record_call(p, e, LT_FLB);
	case LT_FILE_STATE:
		if (p->dir == RECORD_IN)
			record_file(p, e);
		return true;
	default:
		return p->dir == RECORD_OUT || record_part_session(p, e);
	}
}

void record_part_over(struct record_part *p)
{
	const __u64 *times = p->part.times;

	p->part.over = 1;
	record_part_session_over(p);
	if (!times[LIVEUPDATE_MARK_FINISHED] ||
	    times[LIVEUPDATE_MARK_FINISHED] < times[LIVEUPDATE_MARK_RESTORED])
		record_part_mark(p, LIVEUPDATE_MARK_FINISHED, p->last, p->busy);
}

/* What is kept as ns of the monotonic clock becomes the counter. */
static void convert_ends(struct liveupdate_recorder_part *part,
			 uint64_t (*counter_of)(void *data, uint64_t ns), void *data)
{
	struct liveupdate_recorder_session *s;
	struct liveupdate_recorder_call *c;
	int i, j;

	for (j = 0; j < LIVEUPDATE_RECORDER_SLOWEST; j++) {
		for (i = 0; i < LIVEUPDATE_RECORDER_OPS; i++) {
			c = &part->slow_calls[LIVEUPDATE_SCOPE_AGENT][i][j];
			if (c->duration)
				c->end = counter_of(data, c->end);
		}
		for (i = 0; i < LIVEUPDATE_RECORDER_PHASES; i++) {
			s = &part->slow_sessions[LIVEUPDATE_SCOPE_AGENT][i][j];
			if (s->duration)
				s->end = counter_of(data, s->end);
		}
	}
}

static void get_marks(const struct record_part *p, struct liveupdate_recorder_part *part,
		      uint64_t (*counter_of)(void *data, uint64_t ns), void *data)
{
	int m;

	for (m = LIVEUPDATE_MARK_OPEN; m < LIVEUPDATE_NR_MARKS; m++) {
		part->times[m] = p->part.times[m];
		part->busy[m] = p->part.busy[m];
		part->marks[m] = part->times[m] ? counter_of(data, part->times[m]) : 0;
	}
}

void record_part_get(const struct record_part *p,
		     struct liveupdate_recorder_part *part,
		     uint64_t (*counter_of)(void *data, uint64_t monotonic_ns),
		     void *data)
{
	const struct liveupdate_recorder_part *from = &p->part;
	unsigned int i;

	part->magic = LIVEUPDATE_RECORDER_MAGIC;
	part->version = LIVEUPDATE_RECORDER_VERSION;
	part->size = sizeof(*part);
	part->over = from->over;
	part->lost_calls = from->lost_calls;
	part->finished = from->finished;
	part->finished_files = from->finished_files;
	get_marks(p, part, counter_of, data);

	memcpy(part->slow_calls, from->slow_calls, sizeof(part->slow_calls));
	memcpy(part->slow_sessions, from->slow_sessions, sizeof(part->slow_sessions));
	convert_ends(part, counter_of, data);
	memcpy(part->rows, from->rows, sizeof(part->rows));
	for (i = 0; i < p->nr_rows; i++)
		part->rows[i].wall = intervals_total(&p->walls[i]);
}
