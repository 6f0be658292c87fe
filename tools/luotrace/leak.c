// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "black_box.h"
#include "enum_name.h"
#include "fmt.h"
#include "leak.h"

#define NAME_BUF	(4 * LT_NAME_LEN + 1)

/* The time stamp of a closed session is a little later than the event. */
#define SLACK_NS	1000000000

static void set_text_of_leak(struct leak *l, const struct lt_event *e,
			     const char *name)
{
	snprintf(l->text, sizeof(l->text), e->leak.reason == LEAK_CLOSED ?
		 "session %s closed without FINISH, %llu of %llu file%s retrieved" :
		 "session %s is given up for the next live update, %llu of %llu file%s retrieved",
		 name, (unsigned long long)e->leak.retrieved, (unsigned long long)e->leak.files,
		 fmt_s(e->leak.files));
}

/* A file that fails again is not reported again. */
static bool is_file_leak(const struct lt_event *e, struct leak *l)
{
	if (e->ret == -ENOENT && e->file.new == FILE_INCOMING)
		l->class = AUDIT_NO_HANDLER;
	else if (e->ret < 0 && e->file.new == FILE_FAILED &&
		 e->file.old != FILE_FAILED)
		l->class = AUDIT_FAILED;
	else
		return false;
	return true;
}

bool leak_of_event(const struct lt_event *e, struct leak *l)
{
	char name[NAME_BUF], compat[NAME_BUF], what[NAME_BUF], text[NAME_BUF];

	memset(l, 0, sizeof(*l));
	/* What becomes of luotrace's own session concerns no agent. */
	if (e->type != LT_HANDOVER_REJECT && !strcmp(e->session, BLACK_BOX_SESSION))
		return false;
	l->ts = e->ts;
	memcpy(l->session, e->session, sizeof(l->session));
	fmt_name(name, sizeof(name), e->session);
	fmt_name(compat, sizeof(compat), e->compatible);
	switch (e->type) {
	case LT_SESSION_LEAK:
		if (e->leak.reason == LEAK_DISCARDED)
			return false;
		l->class = e->leak.reason == LEAK_CLOSED ? AUDIT_DROPPED : AUDIT_GIVEN_UP;
		set_text_of_leak(l, e, name);
		return true;
	case LT_FILE_STATE:
		if (!is_file_leak(e, l))
			return false;
		l->token = e->file.token;
		snprintf(l->text, sizeof(l->text),
			 "session %s token %llu failed with %s, handler %s", name,
			 (unsigned long long)e->file.token, fmt_errno(e->ret), compat);
		return true;
	case LT_SESSION_FINISH:
		/* A session that is already finished is not left. */
		if (e->ret >= 0 || e->session_op.state != STATE_UPDATED)
			return false;
		l->class = AUDIT_UNFINISHED;
		snprintf(l->text, sizeof(l->text),
			 "FINISH of session %s failed with %s", name,
			 fmt_errno(e->ret));
		return true;
	case LT_HANDOVER_REJECT:
		/* An FLB: a leak of a session, which is reported, if there is one. */
		if (!strcmp(e->reject.reason, "given-up"))
			return false;
		l->class = AUDIT_REJECTED;
		l->token = e->reject.token;
		snprintf(l->text, sizeof(l->text),
			 "refused %s %s of the handover: %s",
			 fmt_name(what, sizeof(what), e->reject.what), name,
			 fmt_name(text, sizeof(text), e->reject.reason));
		return true;
	default:
		return false;
	}
}

/* Since when a session has its condition, if the kernel has a time stamp for it. */
static uint64_t leak_since(const struct inv_session *s, enum audit_class class)
{
	switch (class) {
	case AUDIT_DROPPED:
		return s->closed_ns;
	case AUDIT_UNCLAIMED:
		return s->born_ns;
	case AUDIT_UNFINISHED:
		return s->finish_ret ? 0 : s->opened_ns;
	default:
		return 0;
	}
}

static void each_recorded(const struct audit *a, struct leak *l,
			  void (*fn)(const struct leak *l, void *data), void *data)
{
	const struct liveupdate_recorder_part *in = &a->recorder->last_in;
	const struct liveupdate_recorder_part *out = &a->recorder->last_out;
	unsigned int i;

	l->since = 0;
	l->class = AUDIT_REJECTED;
	for (i = 0; i < LIVEUPDATE_RECORDER_REFUSED && i < in->nr_refused; i++) {
		if (!audit_selects(a, in->refused[i].name))
			continue;
		snprintf(l->session, sizeof(l->session), "%s",
			 in->refused[i].name);
		l->token = in->refused[i].token;
		audit_explain_rejected(&in->refused[i], l->text);
		fn(l, data);
	}
	l->class = AUDIT_GIVEN_UP;
	l->token = 0;
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP; i++) {
		if (!audit_selects_given_up(a, i))
			continue;
		snprintf(l->session, sizeof(l->session), "%s",
			 out->given_up_names[i]);
		audit_explain_given_up(out, l->text);
		fn(l, data);
	}
}

void leak_each(const struct audit *a, uint64_t ts,
	       void (*fn)(const struct leak *l, void *data), void *data)
{
	struct leak l = { .ts = ts, .audited = true };
	const struct inv_session *s;
	size_t n;

	for (n = 0; n < a->inv->nr_sessions; n++) {
		s = &a->inv->sessions[n];
		l.class = audit_class(a, s);
		if (!audit_selects(a, s->name) || l.class < AUDIT_LEAKS)
			continue;
		l.since = leak_since(s, l.class);
		snprintf(l.session, sizeof(l.session), "%s", s->name);
		audit_explain(a, s, l.text);
		fn(&l, data);
	}
	if (a->recorder)
		each_recorded(a, &l, fn, data);
}

struct report {
	enum audit_class class;
	uint64_t token;
	uint64_t ts;
	uint64_t seen;		/* when the last audit began that found it */
	bool audited;
	char session[LT_NAME_LEN];
};

/* A tree for lookups, an array for sweeps. */
struct leak_reports {
	void *tree;
	struct report **all;
	size_t nr;
	size_t room;
};

struct leak_reports *leak_reports_new(void)
{
	return calloc(1, sizeof(struct leak_reports));
}

static void no_free(void *report)
{
	(void)report;
}

void leak_reports_free(struct leak_reports *t)
{
	size_t i;

	if (!t)
		return;
	tdestroy(t->tree, no_free);
	for (i = 0; i < t->nr; i++)
		free(t->all[i]);
	free(t->all);
	free(t);
}

static int compare(const void *a, const void *b)
{
	const struct report *x = a, *y = b;

	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	return strncmp(x->session, y->session, LT_NAME_LEN);
}

/* An audit reports a session, not each of its files. */
static struct report key_of(const struct leak *l)
{
	struct report key = {
		.class = l->class,
		.token = l->class == AUDIT_REJECTED ? l->token : 0,
		.ts = l->ts,
		.seen = l->ts,
		.audited = l->audited,
	};

	memcpy(key.session, l->session, sizeof(key.session));
	return key;
}

bool leak_is_reported(const struct leak_reports *t, const struct leak *l)
{
	struct report key = key_of(l), **found;

	found = tfind(&key, &t->tree, compare);
	if (!found)
		return false;
	if (!l->audited)
		return (*found)->audited && (*found)->ts >= l->ts;
	return !l->since || l->since <= (*found)->ts + SLACK_NS;
}

static struct report *report_add(struct leak_reports *t, const struct report *key)
{
	struct report *report = malloc(sizeof(*report)), **grown;

	if (report && t->nr == t->room) {
		grown = reallocarray(t->all, t->room + 1024, sizeof(*grown));
		if (!grown) {
			free(report);
			return NULL;
		}
		t->all = grown;
		t->room += 1024;
	}
	if (!report)
		return NULL;
	*report = *key;
	if (!tsearch(report, &t->tree, compare)) {
		free(report);
		return NULL;
	}
	t->all[t->nr++] = report;
	return report;
}

bool leak_set_reported(struct leak_reports *t, const struct leak *l)
{
	struct report key = key_of(l), **found;

	found = tfind(&key, &t->tree, compare);
	if (!found)
		return report_add(t, &key);
	/* A leak that still exists is not reported again. */
	if (!leak_is_reported(t, l)) {
		(*found)->ts = key.ts;
		(*found)->audited = key.audited;
	}
	(*found)->seen = key.seen;
	return true;
}

void leak_reports_sweep(struct leak_reports *t, uint64_t ts)
{
	size_t i, kept = 0;

	for (i = 0; i < t->nr; i++) {
		if (t->all[i]->seen >= ts) {
			t->all[kept++] = t->all[i];
			continue;
		}
		tdelete(t->all[i], &t->tree, compare);
		free(t->all[i]);
	}
	t->nr = kept;
}
