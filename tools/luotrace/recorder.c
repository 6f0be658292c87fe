// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "black_box.h"
#include "msg.h"
#include "recorder.h"

/* How often to read a record again that changes meanwhile. */
#define MAX_READS	1000

/* Read as much as fits, from the beginning; the bytes read, or -1. */
static ssize_t read_once(int fd, void *buf, size_t size)
{
	size_t used = 0;
	ssize_t n = 1;

	while (used < size && n > 0) {
		/* A pipe has no offset, and its content does not change. */
		n = pread(fd, (char *)buf + used, size - used, used);
		if (n < 0 && errno == ESPIPE)
			n = read(fd, (char *)buf + used, size - used);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			used += n;
	}
	return n < 0 ? -1 : (ssize_t)used;
}

/* Whether the lists of a record are as they were when its head was read. */
static bool unchanged(int fd, const struct liveupdate_recorder *r, size_t size)
{
	enum { HEAD = offsetof(struct liveupdate_recorder, last_out) };
	/* A whole record is more than the stack should have. */
	char now[HEAD];

	return size < HEAD || pread(fd, now, HEAD, 0) != HEAD ||
	       !memcmp(now + offsetof(struct liveupdate_recorder, changes), &r->changes,
		       sizeof(r->changes));
}

/* Read a record that can change meanwhile; the bytes read, or -1. */
static ssize_t read_whole(const char *path, void *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), i = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	do {
		n = read_once(fd, buf, size);
	} while (n > 0 && !unchanged(fd, buf, n) && ++i < MAX_READS);
	close(fd);
	if (i < MAX_READS)
		return n;
	errno = EAGAIN;
	return -1;
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

#define ENDS(array)	ends(array, sizeof(array))

/* What is wrong with the lists of one scope, or NULL. */
static const char *scope_check(const struct liveupdate_recorder_part *p,
			       int scope)
{
	int i, j;

	for (j = 0; j < LIVEUPDATE_RECORDER_SLOWEST; j++) {
		for (i = 0; i < LIVEUPDATE_RECORDER_OPS; i++) {
			if (!ENDS(p->slow_calls[scope][i][j].name) ||
			    !ENDS(p->slow_calls[scope][i][j].session))
				return "a call's name without an end";
		}
		for (i = 0; i < LIVEUPDATE_RECORDER_PHASES; i++) {
			if (!ENDS(p->slow_sessions[scope][i][j].name))
				return "a session's name without an end";
		}
	}
	return NULL;
}

const char *recorder_part_invalid(const struct liveupdate_recorder_part *p)
{
	const char *why;
	int i;

	if (p->magic != LIVEUPDATE_RECORDER_MAGIC ||
	    p->version != LIVEUPDATE_RECORDER_VERSION || p->size != sizeof(*p))
		return "a kernel's record of another version";
	if (!ENDS(p->release))
		return "a kernel's release without an end";
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP; i++) {
		if (!ENDS(p->given_up_names[i]))
			return "a session's name without an end";
	}
	for (i = 0; i < LIVEUPDATE_RECORDER_REFUSED; i++) {
		if (!ENDS(p->refused[i].what) || !ENDS(p->refused[i].reason) ||
		    !ENDS(p->refused[i].name))
			return "a reject's name without an end";
	}
	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		if (!ENDS(p->pauses[i].name))
			return "a workload's name without an end";
	}
	for (i = 0; i < LIVEUPDATE_NR_SCOPES; i++) {
		why = scope_check(p, i);
		if (why)
			return why;
	}
	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		if (!ENDS(p->rows[i].name))
			return "a row's name without an end";
		if (p->rows[i].op >= LIVEUPDATE_RECORDER_OPS ||
		    p->rows[i].kind > LIVEUPDATE_KIND_FLB ||
		    p->rows[i].scope >= LIVEUPDATE_NR_SCOPES)
			return "a row of an unknown operation";
	}
	return NULL;
}

/* What is wrong with what the new kernel did outside of LUO, or NULL. */
static const char *inside_check(const struct liveupdate_recorder_inside *p)
{
	const struct liveupdate_recorder_task *task = p->tasks[0];
	int i, j;

	for (i = 0; i < LIVEUPDATE_RECORDER_INITCALLS; i++) {
		if (!ENDS(p->init.longest[i].name))
			return "an initcall's name without an end";
	}
	for (i = 0; i < LIVEUPDATE_RECORDER_ANCESTORS; i++) {
		if (!ENDS(p->ancestors[i].comm))
			return "a process's name without an end";
	}
	for (i = 0; i < 2 * LIVEUPDATE_RECORDER_TASKS; i++) {
		if (!ENDS(task[i].comm))
			return "a task's name without an end";
		for (j = 0; j < LIVEUPDATE_RECORDER_WAITS; j++) {
			if (!ENDS(task[i].waits[j].comm) || !ENDS(task[i].waits[j].call))
				return "a wait's name without an end";
		}
	}
	return NULL;
}

/* A record that is not present is all zeros for its readers. */
static const char *record_read(struct liveupdate_recorder_part *p)
{
	if (recorder_present(p))
		return recorder_part_invalid(p);
	memset(p, 0, sizeof(*p));
	return NULL;
}

static const char *recorder_invalid(struct liveupdate_recorder *r, size_t size)
{
	const char *why;

	if (size < offsetof(struct liveupdate_recorder, last_out) ||
	    r->magic != LIVEUPDATE_RECORDER_MAGIC)
		return "not a record of a live update";
	if (r->version != LIVEUPDATE_RECORDER_VERSION)
		return "a record of another version";
	if (r->size != sizeof(*r) || size != sizeof(*r) ||
	    r->part_size != sizeof(r->last_out))
		return "a record of another size";
	why = record_read(&r->last_out);
	why = why ? why : record_read(&r->last_in);
	why = why ? why : record_read(&r->next_out);
	if (!recorder_present(&r->last_in))
		memset(&r->inside, 0, sizeof(r->inside));
	return why ? why : inside_check(&r->inside);
}

struct liveupdate_recorder *recorder_load(const char *path)
{
	struct liveupdate_recorder *r = calloc(1, sizeof(*r) + 1);
	const char *why;
	ssize_t n;

	if (!r) {
		msg_error("out of memory");
		return NULL;
	}
	/* One byte more, to see a file that is too long. */
	n = read_whole(path, r, sizeof(*r) + 1);
	if (n < 0) {
		msg_error("cannot read '%s': %s", path, strerror(errno));
		goto fail;
	}
	why = recorder_invalid(r, n);
	if (why) {
		msg_error("'%s' is %s; this luotrace knows version %u of %zu bytes",
			  path, why, LIVEUPDATE_RECORDER_VERSION, sizeof(*r));
		goto fail;
	}
	return r;

fail:
	free(r);
	return NULL;
}

int recorder_load_local(struct liveupdate_recorder **r)
{
	*r = NULL;
	/* Only reading shows whether that is allowed. */
	if (access(RECORDER_PATH, F_OK) && errno == ENOENT)
		return 0;
	*r = recorder_load(RECORDER_PATH);
	if (!*r)
		return -1;
	/* It records nothing if it had no memory for that when it booted. */
	if (!recorder_present(&(*r)->last_in)) {
		free(*r);
		*r = NULL;
	} else if (!recorder_present(&(*r)->next_out)) {
		/* The same for its own update: a record of this kernel, but an empty one. */
		(*r)->next_out.magic = (*r)->last_in.magic;
		(*r)->next_out.version = (*r)->last_in.version;
		(*r)->next_out.size = (*r)->last_in.size;
	}
	return 0;
}

struct liveupdate_recorder *recorder_parse(const void *data, size_t size)
{
	struct liveupdate_recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	memcpy(r, data, size < sizeof(*r) ? size : sizeof(*r));
	if (recorder_invalid(r, size)) {
		free(r);
		return NULL;
	}
	return r;
}

const char *recorder_unread_reason(const struct liveupdate_recorder *r)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_REFUSED; i++) {
		if (!strcmp(r->last_in.refused[i].what, "tree"))
			return r->last_in.refused[i].reason;
	}
	return NULL;
}

bool recorder_present(const struct liveupdate_recorder_part *part)
{
	return part->magic;
}

static void row_add(struct liveupdate_recorder_row *to,
		    const struct liveupdate_recorder_row *row)
{
	int b;

	to->count += row->count;
	to->errors += row->errors;
	to->total += row->total;
	to->wall += row->wall;
	if (row->min < to->min)
		to->min = row->min;
	if (row->max > to->max)
		to->max = row->max;
	for (b = 0; b < LIVEUPDATE_RECORDER_BUCKETS; b++)
		to->hist[b] += row->hist[b];
}

bool recorder_updated(const struct liveupdate_recorder *r)
{
	return r->last_in.number || recorder_present(&r->last_out) ||
	       (recorder_present(&r->last_in) && !recorder_present(&r->next_out));
}

uint64_t recorder_given_up(const struct liveupdate_recorder_part *part)
{
	unsigned int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP && i < part->given_up; i++) {
		if (!strcmp(part->given_up_names[i], BLACK_BOX_SESSION))
			return part->given_up - 1;
	}
	return part->given_up;
}

int recorder_sum(const struct liveupdate_recorder_part *part,
		 unsigned int scopes, struct liveupdate_recorder_row *rows)
{
	const struct liveupdate_recorder_row *row;
	int i, at, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		row = &part->rows[i];
		if (!row->count || !(scopes & 1U << row->scope))
			continue;
		for (at = 0; at < n; at++) {
			if (rows[at].kind == row->kind && rows[at].op == row->op &&
			    !strcmp(rows[at].name, row->name))
				break;
		}
		if (at < n)
			row_add(&rows[at], row);
		else
			rows[n++] = *row;
	}
	return n;
}

int recorder_rows(const struct liveupdate_recorder_part *part,
		  unsigned int scopes, struct tracer_row *rows)
{
	struct liveupdate_recorder_row sums[LIVEUPDATE_RECORDER_ROWS];
	const struct liveupdate_recorder_row *from;
	struct tracer_row *to;
	int i, b, n = recorder_sum(part, scopes, sums);

	for (i = 0; i < n; i++) {
		from = &sums[i];
		to = &rows[i];
		*to = (struct tracer_row){
			.key.kind = *from->name ? from->kind : LT_OTHERS,
			.key.op = from->op,
			.calls.count = from->count,
			.calls.errors = from->errors,
			.calls.total_ns = from->total,
			.calls.min_ns = from->min,
			.calls.max_ns = from->max,
		};
		snprintf(to->key.name, sizeof(to->key.name), "%s", from->name);
		for (b = 0; b < LIVEUPDATE_RECORDER_BUCKETS; b++)
			to->calls.slots[lt_slot(1ULL << b)] = from->hist[b];
	}
	return n;
}
