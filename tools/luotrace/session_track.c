// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "json.h"
#include "session_track.h"

#define MAX_STEPS	16	/* of one session that are kept */
#define MAX_PRINTED	40	/* lines; JSON has them all */
#define NAME_WIDTH	20	/* columns of a name */
#define INDENT		33	/* columns before the steps of a session */

struct step {
	const char *what;
	uint64_t ts;
	int ret;
};

struct session {
	char name[LT_NAME_LEN];
	uint32_t dir;
	uint64_t files;
	bool ended;
	struct step *steps;
	unsigned int nr_steps;
	unsigned int lost_steps;
};

/* All sessions in order, and the last one of each name in a search tree. */
struct session_track {
	struct session **sessions;
	void *last;
	size_t count;
	size_t max;
	size_t forgotten;
	size_t lost;
	bool started;
	uint64_t start;
	int64_t number;
};

struct session_track *session_track_new(size_t max)
{
	struct session_track *track = calloc(1, sizeof(*track));

	if (!track)
		return NULL;
	track->max = max;
	track->number = -1;
	return track;
}

static void session_free(struct session *s)
{
	free(s->steps);
	free(s);
}

static void no_free(void *session)
{
	(void)session;
}

void session_track_free(struct session_track *track)
{
	size_t i;

	if (!track)
		return;
	tdestroy(track->last, no_free);
	for (i = 0; i < track->count; i++)
		session_free(track->sessions[i]);
	free(track->sessions);
	free(track);
}

size_t session_track_forgotten(const struct session_track *track)
{
	return track->forgotten;
}

int64_t session_track_number(const struct session_track *track)
{
	return track->number;
}

static int compare(const void *a, const void *b)
{
	const struct session *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return strncmp(x->name, y->name, LT_NAME_LEN);
}

static void session_track_forget(struct session_track *track, struct session *s)
{
	struct session **last = tfind(s, &track->last, compare);

	/* A later session can have the same name. */
	if (last && *last == s)
		tdelete(s, &track->last, compare);
	session_free(s);
	track->forgotten++;
}

/* Drop the oldest sessions, if @ended only those that have ended, until @count are left. */
static void session_track_shrink(struct session_track *track, size_t count, bool ended)
{
	size_t excess = track->count > count ? track->count - count : 0;
	size_t i, kept = 0;

	for (i = 0; i < track->count; i++) {
		if (excess && (track->sessions[i]->ended || !ended)) {
			session_track_forget(track, track->sessions[i]);
			excess--;
		} else {
			track->sessions[kept++] = track->sessions[i];
		}
	}
	track->count = kept;
}

/* A quarter at once, as each time visits all of them. */
static void session_track_make_room(struct session_track *track)
{
	if (!track->max || track->count < track->max)
		return;
	session_track_shrink(track, track->max - track->max / 4, true);
	session_track_shrink(track, track->max - track->max / 4, false);
}

static struct session *session_track_add(struct session_track *track,
					 const struct session *like)
{
	struct session *s = malloc(sizeof(*s)), **grown;

	grown = reallocarray(track->sessions, track->count + 1, sizeof(*grown));
	if (grown)
		track->sessions = grown;
	if (!s || !grown) {
		free(s);
		track->lost++;
		return NULL;
	}
	*s = *like;
	track->sessions[track->count++] = s;
	return s;
}

/* The session of an event; a name that is created again is a new session. */
static struct session *session_track_get(struct session_track *track,
					 const struct lt_event *e,
					 uint32_t dir, bool begins)
{
	struct session like = { .dir = dir }, **last, *s;

	memcpy(like.name, e->session, LT_NAME_LEN);
	last = tfind(&like, &track->last, compare);
	if (last && !begins)
		return *last;

	session_track_make_room(track);
	s = session_track_add(track, &like);
	if (!s)
		return NULL;
	last = tfind(&like, &track->last, compare);
	if (last)
		*last = s;
	else if (!tsearch(s, &track->last, compare))
		track->lost++;
	return s;
}

/* Count the files of an outgoing session as they come and go. */
static void session_track_count_file(struct session_track *track,
				     const struct lt_event *e)
{
	struct session *s;

	if (e->ret || e->file.old == e->file.new)
		return;
	if (e->file.old != FILE_NONE && e->file.new != FILE_NONE)
		return;
	s = session_track_get(track, e, 0, false);
	if (s && e->file.new == FILE_PRESERVED)
		s->files++;
	else if (s && e->file.new == FILE_NONE && s->files)
		s->files--;
}

void session_track_set_files(struct session_track *track, const char *name, uint64_t files)
{
	struct session like = { .dir = 0 }, **last;

	snprintf(like.name, sizeof(like.name), "%s", name);
	last = tfind(&like, &track->last, compare);
	if (last && !(*last)->ended)
		(*last)->files = files;
}

/* What an event says of a session. */
struct change {
	const char *what;	/* the step, NULL if only the number of files counts */
	uint32_t dir;
	uint64_t files;		/* 0 if the event does not have it */
	bool begins;
	bool ends;
};

static const char *state_step(const struct lt_event *e)
{
	if (e->ret)
		return "failed";
	if (e->state.new == STATE_PREPARED)
		return "prepared";
	if (e->state.new == STATE_FROZEN)
		return "frozen";
	return e->state.new < e->state.old && !e->state.dir ? "cancelled" : NULL;
}

/* False if the event says nothing of a session. */
static bool read_change(const struct lt_event *e, struct change *c)
{
	const char *phase;

	*c = (struct change){ .files = e->session_op.files };
	switch (e->type) {
	case LT_SESSION_CREATE:
		c->what = "created";
		c->begins = !e->ret;
		return true;
	case LT_SESSION_RETRIEVE:
		c->what = "claimed";
		c->dir = 1;
		return true;
	case LT_SESSION_FINISH:
		c->what = "finished";
		c->dir = 1;
		c->ends = !e->ret;
		return true;
	case LT_SESSION_RELEASE:
		/* An incoming session can be claimed again, until it is finished. */
		c->what = "closed";
		c->dir = e->session_op.dir;
		c->ends = !c->dir;
		return true;
	case LT_SESSION_LEAK:
		c->what = "leaked";
		c->dir = 1;
		c->files = e->leak.files;
		c->ends = e->leak.reason != LEAK_CLOSED;
		return true;
	case LT_SESSION_STATE:
		c->what = state_step(e);
		c->dir = e->state.dir;
		c->files = 0;
		return true;
	case LT_PHASE_END:
		/* These are the phases of incoming sessions. */
		phase = enum_name(ENUM_PHASE, e->phase.phase);
		c->dir = !strcmp(phase, "finish") || !strcmp(phase, "restore");
		c->files = e->phase.files;
		return e->phase.scope;
	default:
		return false;
	}
}

/* Of many sessions most have a few steps. */
static void add_step(struct session_track *track, struct session *s, struct step step)
{
	struct step *grown = s->steps;

	if (s->nr_steps == MAX_STEPS) {
		s->lost_steps++;
		return;
	}
	/* At each power of two. */
	if (!(s->nr_steps & (s->nr_steps - 1)))
		grown = reallocarray(s->steps, s->nr_steps ? 2 * s->nr_steps : 1,
				     sizeof(*grown));
	if (!grown) {
		track->lost++;
		return;
	}
	s->steps = grown;
	s->steps[s->nr_steps++] = step;
}

void session_track_event(struct session_track *track, const struct lt_event *e)
{
	struct session *s;
	struct change c;

	if (!track->started) {
		track->started = true;
		track->start = e->ts;
	}
	/* 0 is unknown: a stock LUO has no numbers. */
	if (e->number)
		track->number = e->number;
	if (e->type == LT_FILE_STATE)
		session_track_count_file(track, e);
	if (!read_change(e, &c))
		return;

	s = session_track_get(track, e, c.dir, c.begins);
	if (!s)
		return;
	if (c.files)
		s->files = c.files;
	if (!c.what)
		return;
	s->ended |= c.ends;
	add_step(track, s, (struct step){ c.what, e->ts, e->ret });
}

static void print_session(const struct session *s, uint64_t start, FILE *f)
{
	char name[4 * LT_NAME_LEN + 1], step[64];
	int column, len, width = fmt_width(f);
	unsigned int i;

	column = fprintf(f, "  ");
	column += fmt_padded(f, fmt_name(name, sizeof(name), s->name), NAME_WIDTH);
	column += fprintf(f, " %-3s %5llu ", enum_name(ENUM_DIR, s->dir),
			  (unsigned long long)s->files);
	for (i = 0; i < s->nr_steps; i++) {
		len = snprintf(step, sizeof(step), " %s%s %.3f%s",
			       i ? "> " : "", s->steps[i].what,
			       event_since(s->steps[i].ts, start) / 1e9,
			       s->steps[i].ret ? " (failed)" : "");
		if (i && column + len > width)
			column = fprintf(f, "\n%*s", INDENT, "") - 1;
		fputs(step, f);
		column += len;
	}
	if (s->lost_steps)
		fprintf(f, " and %u more", s->lost_steps);
	fputc('\n', f);
}

void session_track_print(const struct session_track *track, FILE *f)
{
	size_t i;

	fprintf(f, "Sessions, seconds since the first event\n");
	if (!track->count)
		fprintf(f, "  none was seen\n");
	else
		fprintf(f, "  %-*s %-3s %5s  %s\n", NAME_WIDTH, "name", "dir",
			"files", "life");
	for (i = 0; i < track->count && i < MAX_PRINTED; i++)
		print_session(track->sessions[i], track->start, f);
	if (track->count > MAX_PRINTED)
		fprintf(f, "  and %zu more\n", track->count - MAX_PRINTED);
	if (track->forgotten)
		fprintf(f, "  and %zu older ones, which were dropped\n",
			track->forgotten);
	if (track->lost)
		fprintf(f, "  %zu event%s lost, out of memory\n", track->lost,
			fmt_s(track->lost));
}

size_t session_track_count(const struct session_track *track)
{
	return track->count;
}

uint64_t session_track_last(const struct session_track *track)
{
	uint64_t last = 0, at;
	unsigned int n;
	size_t i;

	for (i = 0; i < track->count; i++) {
		for (n = 0; n < track->sessions[i]->nr_steps; n++) {
			at = event_since(track->sessions[i]->steps[n].ts, track->start);
			last = at > last ? at : last;
		}
	}
	return last;
}

static json_t *session_json(const struct session_track *track, const struct session *s)
{
	json_t *steps = json_array();
	unsigned int n;

	for (n = 0; n < s->nr_steps; n++)
		json_array_append_new(steps, json_pack("{ss, sI, si}",
			"what", s->steps[n].what, "time_ns",
			(json_int_t)event_since(s->steps[n].ts, track->start),
			"ret", s->steps[n].ret));
	return json_pack("{so, ss, sI, so, si}",
			 "session", fmt_json_name(s->name),
			 "dir", enum_name(ENUM_DIR, s->dir),
			 "files", (json_int_t)s->files, "life", steps,
			 "steps_lost", s->lost_steps);
}

json_t *session_track_json(const struct session_track *track, size_t max)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < track->count && i < max; i++)
		json_array_append_new(all, session_json(track, track->sessions[i]));
	return all;
}

void session_track_write(const struct session_track *track, FILE *f)
{
	json_t *one;
	size_t i;

	fputc('[', f);
	for (i = 0; i < track->count; i++) {
		one = session_json(track, track->sessions[i]);
		fputs(i ? ",\n  " : "\n  ", f);
		json_write(one, 0, f);
		json_decref(one);
	}
	fputc(']', f);
}
