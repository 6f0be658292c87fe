// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "session_track.h"

#define MAX_STEPS	16	/* of one life that are kept */
#define MAX_PRINTED	40	/* lines; JSON has them all */
#define NAME_WIDTH	20	/* columns of a name */
#define INDENT		33	/* columns before the steps of a life */

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
	struct step steps[MAX_STEPS];
	unsigned int nr_steps;
	unsigned int lost_steps;
};

/* All lives in order, and the last one of each name in a search tree. */
struct life {
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

struct life *life_new(size_t max)
{
	struct life *life = calloc(1, sizeof(*life));

	if (!life)
		return NULL;
	life->max = max;
	life->number = -1;
	return life;
}

static void keep(void *session)
{
	(void)session;
}

void life_free(struct life *life)
{
	size_t i;

	if (!life)
		return;
	tdestroy(life->last, keep);
	for (i = 0; i < life->count; i++)
		free(life->sessions[i]);
	free(life->sessions);
	free(life);
}

size_t life_forgotten(const struct life *life)
{
	return life->forgotten;
}

int64_t life_number(const struct life *life)
{
	return life->number;
}

static int compare(const void *a, const void *b)
{
	const struct session *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return strncmp(x->name, y->name, LT_NAME_LEN);
}

static void life_forget(struct life *life, struct session *s)
{
	struct session **last = tfind(s, &life->last, compare);

	/* One that has the same name may be younger. */
	if (last && *last == s)
		tdelete(s, &life->last, compare);
	free(s);
	life->forgotten++;
}

/* Forget the oldest lives, or of these those that ended, until @count are left. */
static void life_shrink(struct life *life, size_t count, bool ended)
{
	size_t excess = life->count > count ? life->count - count : 0;
	size_t i, kept = 0;

	for (i = 0; i < life->count; i++) {
		if (excess && (life->sessions[i]->ended || !ended)) {
			life_forget(life, life->sessions[i]);
			excess--;
		} else {
			life->sessions[kept++] = life->sessions[i];
		}
	}
	life->count = kept;
}

/* A quarter at once, as each time all of them are looked at. */
static void life_make_room(struct life *life)
{
	if (!life->max || life->count < life->max)
		return;
	life_shrink(life, life->max - life->max / 4, true);
	life_shrink(life, life->max - life->max / 4, false);
}

static struct session *life_add(struct life *life, const struct session *like)
{
	struct session *s = malloc(sizeof(*s)), **grown;

	grown = reallocarray(life->sessions, life->count + 1, sizeof(*grown));
	if (grown)
		life->sessions = grown;
	if (!s || !grown) {
		free(s);
		life->lost++;
		return NULL;
	}
	*s = *like;
	life->sessions[life->count++] = s;
	return s;
}

/* The session of an event; a name that is created again is another session. */
static struct session *life_session(struct life *life, const struct lt_event *e,
				    uint32_t dir, bool begins)
{
	struct session like = { .dir = dir }, **last, *s;

	memcpy(like.name, e->name, LT_NAME_LEN);
	last = tfind(&like, &life->last, compare);
	if (last && !begins)
		return *last;

	life_make_room(life);
	s = life_add(life, &like);
	if (!s)
		return NULL;
	last = tfind(&like, &life->last, compare);
	if (last)
		*last = s;
	else if (!tsearch(s, &life->last, compare))
		life->lost++;
	return s;
}

/* What the events of a session say of its life. */
static const struct {
	const char *what;	/* NULL: only the number of files counts */
	int dir;		/* -1: the event tells */
	bool begins;
} shapes[LT_NR_TYPES] = {
	[LT_SESSION_CREATE] = { "created", 0, true },
	[LT_SESSION_RETRIEVE] = { "claimed", 1, false },
	[LT_SESSION_FINISH] = { "finished", 1, false },
	[LT_SESSION_RELEASE] = { "closed", -1, false },
	[LT_SESSION_LEAK] = { "leaked", 1, false },
};

/* Count the files of an outgoing session as they come and go. */
static void life_file(struct life *life, const struct lt_event *e)
{
	struct session *s;

	if (e->ret || e->old == e->new)
		return;
	if (e->old != FILE_NONE && e->new != FILE_NONE)
		return;
	s = life_session(life, e, 0, false);
	if (s && e->new == FILE_PRESERVED)
		s->files++;
	else if (s && e->new == FILE_NONE && s->files)
		s->files--;
}

void life_event(struct life *life, const struct lt_event *e)
{
	const char *what = shapes[e->type].what;
	uint32_t dir = e->dir;
	struct session *s;

	if (shapes[e->type].dir >= 0)
		dir = shapes[e->type].dir;

	if (!life->started) {
		life->started = true;
		life->start = e->ts;
	}
	/* 0 is unknown: a stock LUO counts none. */
	if (e->number)
		life->number = e->number;

	if (e->type == LT_SESSION_STATE) {
		dir = e->dir;
		what = e->ret ? "failed" :
		       e->new == STATE_PREPARED ? "prepared" :
		       e->new == STATE_FROZEN ? "frozen" :
		       e->new < e->old && !dir ? "cancelled" : NULL;
	} else if (e->type == LT_FILE_STATE) {
		life_file(life, e);
		return;
	} else if (e->type == LT_PHASE_END && e->dir) {
		/* These are the phases of incoming sessions. */
		dir = !strcmp(word(WORDS_PHASE, e->what), "finish") ||
		      !strcmp(word(WORDS_PHASE, e->what), "restore");
		what = NULL;
	} else if (!what) {
		return;
	}

	s = life_session(life, e, dir, shapes[e->type].begins && !e->ret);
	if (!s)
		return;
	/* A session that is closed or finished tells how many it had. */
	if (e->files)
		s->files = e->files;
	if (!what)
		return;
	/* An incoming session that is closed may be claimed again, until it is finished. */
	if ((e->type == LT_SESSION_RELEASE && !dir) ||
	    (e->type == LT_SESSION_FINISH && !e->ret) ||
	    (e->type == LT_SESSION_LEAK && e->what != LEAK_CLOSED))
		s->ended = true;
	if (s->nr_steps == MAX_STEPS) {
		s->lost_steps++;
		return;
	}
	s->steps[s->nr_steps++] = (struct step){ what, e->ts, e->ret };
}

static void life_print_one(const struct session *s, uint64_t start, FILE *f)
{
	char name[4 * LT_NAME_LEN + 1], step[64];
	int column, len;
	unsigned int i;

	column = fprintf(f, "  ");
	column += fmt_padded(f, fmt_name(name, sizeof(name), s->name), NAME_WIDTH);
	column += fprintf(f, " %-3s %5llu ", word(WORDS_DIR, s->dir),
			  (unsigned long long)s->files);
	for (i = 0; i < s->nr_steps; i++) {
		len = snprintf(step, sizeof(step), " %s%s %.3f%s",
			       i ? "> " : "", s->steps[i].what,
			       event_since(s->steps[i].ts, start) / 1e9,
			       s->steps[i].ret ? " (failed)" : "");
		if (i && column + len > FMT_WIDTH)
			column = fprintf(f, "\n%*s", INDENT, "") - 1;
		fputs(step, f);
		column += len;
	}
	if (s->lost_steps)
		fprintf(f, " and %u more", s->lost_steps);
	fputc('\n', f);
}

void life_print(const struct life *life, FILE *f)
{
	size_t i;

	fprintf(f, "Sessions, seconds since the first event\n");
	if (!life->count)
		fprintf(f, "  none was seen\n");
	else
		fprintf(f, "  %-*s %-3s %5s  %s\n", NAME_WIDTH, "name", "dir",
			"files", "life");
	for (i = 0; i < life->count && i < MAX_PRINTED; i++)
		life_print_one(life->sessions[i], life->start, f);
	if (life->count > MAX_PRINTED)
		fprintf(f, "  and %zu more\n", life->count - MAX_PRINTED);
	if (life->forgotten)
		fprintf(f, "  and %zu before these, which are not kept\n",
			life->forgotten);
	if (life->lost)
		fprintf(f, "  %zu event%s lost, out of memory\n", life->lost,
			fmt_s(life->lost));
}

json_t *life_json(const struct life *life)
{
	json_t *all = json_array(), *steps, *o;
	unsigned int n;
	size_t i;

	for (i = 0; i < life->count; i++) {
		const struct session *s = life->sessions[i];

		steps = json_array();
		for (n = 0; n < s->nr_steps; n++)
			json_array_append_new(steps, json_pack("{ss, sI, si}",
				"what", s->steps[n].what, "time_ns",
				(json_int_t)event_since(s->steps[n].ts, life->start),
				"ret", s->steps[n].ret));
		o = json_pack("{so, ss, sI, so, si}",
			      "session", fmt_json_name(s->name),
			      "dir", word(WORDS_DIR, s->dir),
			      "files", (json_int_t)s->files, "life", steps,
			      "steps_lost", s->lost_steps);
		json_array_append_new(all, o);
	}
	return all;
}
