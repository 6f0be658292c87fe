// SPDX-License-Identifier: GPL-2.0

/*
 * Incoming sessions of a LUO without a recorder. It finishes a session at its FINISH, or
 * when its last descriptor is closed; it does not hand back one that cannot finish then.
 * A session is an outgoing or an incoming one; only the latter are followed.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "record_part_internal.h"

/**
 * struct session - an incoming session
 * @name:     its name
 * @claimed:  it was seen being claimed, at @begin
 * @finished: it is finished, but not closed
 * @closing:  it is being closed, and finished by that; @left files are still to finish
 * @begin:    when it was claimed, ns
 * @phase:    when its first file was asked to finish, ns; 0 if none was
 * @files:    files that are finished
 * @left:     files that are not
 * @last:     time of the last event of it, ns
 * @busy:     time in ioctls before that, ns
 * @task:     thread of that event
 */
struct session {
	char name[LT_NAME_LEN];
	bool claimed;
	bool finished;
	bool closing;
	uint64_t begin;
	uint64_t phase;
	uint64_t files;
	uint64_t left;
	uint64_t last;
	uint64_t busy;
	uint32_t task;
};

static int compare(const void *a, const void *b)
{
	return strncmp(((const struct session *)a)->name,
		       ((const struct session *)b)->name, LT_NAME_LEN);
}

static struct session *session_find(struct record_part *p, const struct lt_event *e)
{
	struct session like, **found;

	memcpy(like.name, e->session, sizeof(like.name));
	found = tfind(&like, &p->sessions, compare);
	return found ? *found : NULL;
}

/* Find it or begin to follow it; NULL if out of memory. */
static struct session *session_get(struct record_part *p, const struct lt_event *e)
{
	struct session *s = session_find(p, e);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	memcpy(s->name, e->session, sizeof(s->name));
	if (tsearch(s, &p->sessions, compare))
		return s;
	free(s);
	return NULL;
}

static void session_drop(struct record_part *p, struct session *s)
{
	tdelete(s, &p->sessions, compare);
	free(s);
}

static void session_touch(struct session *s, const struct lt_event *e)
{
	s->last = e->ts;
	s->busy = e->busy_ns;
	s->task = e->tid;
}

/* A phase of a session ended with its last event; it began at @begin. */
static void keep_session(struct record_part *p, const struct session *s, int phase,
			 uint64_t begin, uint64_t files, int ret)
{
	struct liveupdate_recorder_session one = {
		.duration = s->last > begin ? s->last - begin : 0,
		.end = s->last,
		.files = files,
		.ret = ret,
		.task = s->task,
	};

	record_part_name(one.name, sizeof(one.name), s->name, sizeof(s->name));
	record_part_topn(p->part.slow_sessions[LIVEUPDATE_SCOPE_AGENT][phase], &one,
			 sizeof(one));
}

static void session_finish(struct record_part *p, struct session *s)
{
	if (s->phase)
		keep_session(p, s, PHASE_FINISH, s->phase, s->files, 0);
	if (s->claimed)
		keep_session(p, s, PHASE_RESTORE, s->begin, s->files, 0);
	p->part.finished++;
	p->part.finished_files += s->files;
	record_part_mark(p, LIVEUPDATE_MARK_FINISHED, s->last, s->busy);
	s->finished = true;
}

static void session_fail(struct record_part *p, struct session *s, uint64_t files, int ret)
{
	if (s->phase)
		keep_session(p, s, PHASE_FINISH, s->phase, files, ret);
	s->phase = 0;
}

/*
 * The first claim marks when its agent opened the device. Before that, the device was in
 * use for at least as long as the events say, and at most the time since then less.
 */
static void mark_open(struct record_part *p, const struct lt_event *e)
{
	uint64_t at = e->opened && e->opened < e->ts ? e->opened : e->ts;
	uint64_t since = e->ts - at;
	uint64_t busy = e->busy_ns > since ? e->busy_ns - since : 0;

	if (p->part.times[LIVEUPDATE_MARK_OPEN] || p->part.over)
		return;
	record_part_mark(p, LIVEUPDATE_MARK_OPEN, at,
			 busy > p->busy_opened ? busy : p->busy_opened);
}

static bool session_claim(struct record_part *p, const struct lt_event *e)
{
	struct session *s;

	if (e->ret)
		return true;
	mark_open(p, e);
	s = session_get(p, e);
	if (!s)
		return false;
	*s = (struct session){ .claimed = true, .begin = e->ts };
	memcpy(s->name, e->session, sizeof(s->name));
	session_touch(s, e);
	return true;
}

static bool session_finish_event(struct record_part *p, const struct lt_event *e)
{
	struct session unknown = {}, *s = e->ret ? session_find(p, e) : session_get(p, e);
	bool known = s;

	if (!s && e->ret)
		return true;
	s = s ? s : &unknown;
	/* This LUO allows it once more, without effect. */
	if (s->finished)
		return true;
	session_touch(s, e);
	if (e->ret) {
		session_fail(p, s, e->session_op.files, e->ret);
		return true;
	}
	if (e->session_op.files > s->files)
		s->files = e->session_op.files;
	session_finish(p, s);
	return known;
}

/* LUO begins to close a session; what it calls for that comes later. */
static bool session_close(struct record_part *p, const struct lt_event *e)
{
	uint64_t files = e->session_op.files;
	struct session *s;

	if (!e->session_op.dir)
		return true;
	/* One that is not known, and has no files, was finished before. */
	s = files ? session_get(p, e) : session_find(p, e);
	if (!s)
		return !files;
	if (!s->finished) {
		session_touch(s, e);
		s->closing = true;
		s->left = files;
		if (files)
			return true;
		session_finish(p, s);
	}
	session_drop(p, s);
	return true;
}

bool record_part_session(struct record_part *p, const struct lt_event *e)
{
	switch (e->type) {
	case LT_SESSION_RETRIEVE:
		return session_claim(p, e);
	case LT_SESSION_FINISH:
		return session_finish_event(p, e);
	case LT_SESSION_RELEASE:
		return session_close(p, e);
	default:
		return true;
	}
}

/* A file that cannot finish while its session is closed: nobody can claim it again. */
static void session_call_failed(struct record_part *p, struct session *s, int ret)
{
	if (!s->closing)
		return;
	session_fail(p, s, s->left, ret);
	if (s->claimed)
		keep_session(p, s, PHASE_RESTORE, s->begin, s->left, -ECANCELED);
	session_drop(p, s);
}

bool record_part_session_call(struct record_part *p, const struct lt_event *e)
{
	uint64_t ns = e->call.duration_ns, begin = e->ts > ns ? e->ts - ns : 0;
	struct session *s;

	if (!*e->session ||
	    (e->call.op != OP_CAN_FINISH && e->call.op != OP_FINISH))
		return true;
	s = session_get(p, e);
	if (!s)
		return false;
	session_touch(s, e);
	if (!s->phase)
		s->phase = begin;
	if (e->call.op == OP_CAN_FINISH) {
		if (e->ret)
			session_call_failed(p, s, e->ret);
		return true;
	}
	s->files++;
	if (s->closing && !--s->left) {
		session_finish(p, s);
		session_drop(p, s);
	}
	return true;
}

static void end_session(const void *node, VISIT visit, void *data)
{
	struct session *s = *(struct session *const *)node;

	if ((visit != postorder && visit != leaf) || s->finished)
		return;
	/* When its phases ended was not seen. */
	if (!s->closing) {
		s->claimed = false;
		s->phase = 0;
	}
	s->files += s->left;
	session_finish(data, s);
}

void record_part_session_over(struct record_part *p)
{
	twalk_r(p->sessions, end_session, p);
	record_part_session_free(p);
}

void record_part_session_free(struct record_part *p)
{
	tdestroy(p->sessions, free);
	p->sessions = NULL;
}
