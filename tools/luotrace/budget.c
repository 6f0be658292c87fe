// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>

#include "budget.h"
#include "enum_name.h"
#include "fmt.h"
#include "timeline_inside.h"

#define NAME_BUF	(4 * 64 + 1)

static bool is_name(const char *known, const char *name, size_t len)
{
	return strlen(known) == len && !memcmp(known, name, len);
}

/* A phase by the name that people see, or by that in JSON; SPAN_NR if there is none. */
static enum span find_phase(const char *name, size_t len)
{
	enum span s;

	for (s = 0; s < SPAN_NR; s++) {
		if (is_name(span_label(s), name, len) || is_name(span_name(s), name, len))
			break;
	}
	return s;
}

static const char *unknown_phase(const char *name, int len)
{
	static char why[TIMELINE_TEXT];
	int s;

	snprintf(why, sizeof(why), "unknown phase '%.*s', want one of", len, name);
	for (s = 0; s < SPAN_NR; s++)
		snprintf(why + strlen(why), sizeof(why) - strlen(why), "%s '%s'",
			 s ? "," : "", span_label(s));
	return why;
}

const char *budget_add(struct budgets *b, enum budget_of of, const char *arg)
{
	static char why[TIMELINE_TEXT];
	const char *time = arg, *equals = strrchr(arg, '=');
	struct budget one = { .of = of };

	if (b->n == BUDGETS)
		return "too many budgets";
	if (of == BUDGET_PHASE) {
		if (!equals) {
			snprintf(why, sizeof(why),
				 "'%.80s' is not NAME=TIME, such as 'kernel init=2s'", arg);
			return why;
		}
		one.span = find_phase(arg, equals - arg);
		if (one.span == SPAN_NR)
			return unknown_phase(arg, equals - arg > 80 ? 80 : equals - arg);
		time = equals + 1;
	}
	if (!fmt_read_ns(time, &one.max)) {
		snprintf(why, sizeof(why),
			 "'%.80s' is not a time; want a number and s, ms, us or ns, such as 1.5s or 50ms, of a day at most",
			 time);
		return why;
	}
	b->all[b->n++] = one;
	return NULL;
}

__attribute__((format(printf, 3, 4)))
static void keep_part(struct budget_result *result, uint64_t ns, const char *fmt, ...)
{
	va_list ap;

	if (ns <= result->part_ns)
		return;
	result->part_ns = ns;
	va_start(ap, fmt);
	vsnprintf(result->part, sizeof(result->part), fmt, ap);
	va_end(ap);
}

static void keep_steps(struct budget_result *result, struct steps steps)
{
	struct step all[STEPS_MAX];
	int n = timeline_steps_list(steps, all), i;
	char name[NAME_BUF];

	for (i = 0; i < n; i++) {
		if (all[i].label)
			keep_part(result, all[i].ns, "%s", all[i].label);
		else
			keep_part(result, all[i].ns, "device %s",
				  fmt_name(name, sizeof(name), all[i].device.name));
	}
}

/*
 * Keep what else took longest in a phase. A callback or a session says more than what it is
 * in, such as all calls of an agent, unless that is much longer.
 */
static void keep_named(struct budget_result *result, const struct liveupdate_recorder *r,
		       const struct blackout *b, struct steps steps, enum span s)
{
	const struct inside_item *items[INSIDE_SHOWN];
	const uint64_t least = 2 * result->part_ns;
	struct inside in;
	int n, i;

	inside_of_update(&in, r, b, steps);
	n = timeline_inside_top(&in, s, items);
	for (i = 0; i < n; i++) {
		if (!items[i]->detail && items[i]->ns > least)
			keep_part(result, items[i]->ns, "%s", items[i]->text);
	}
}

/* Keep what took longest inside a phase, if it took longer than what is kept. */
static void keep_inside(struct budget_result *result, const struct liveupdate_recorder *r,
			const struct blackout *b, struct steps steps, enum span s)
{
	const struct liveupdate_recorder_row *rows[LIVEUPDATE_RECORDER_ROWS];
	int n = timeline_rows(r, s, rows, LIVEUPDATE_RECORDER_ROWS), i;
	struct timeline_session session;
	char name[NAME_BUF];
	bool partial;

	if (!b->known[s])
		return;
	for (i = 0; i < n; i++)
		keep_part(result, timeline_row_ns(r, b, s, rows[i], &partial),
			  "%s %s, %s", timeline_kind(rows[i]->kind),
			  *rows[i]->name ? fmt_name(name, sizeof(name), rows[i]->name) :
					   "others", enum_name(ENUM_OP, rows[i]->op));
	/* The callbacks for its files are inside of a session. */
	if (timeline_sessions(r, b, s, &session, 1) &&
	    session.ns - session.ns / 10 > result->part_ns)
		keep_part(result, session.ns, "session %s",
			  fmt_name(name, sizeof(name), session.session->name));
	if (s == SPAN_SHUTDOWN)
		keep_steps(result, steps);
	keep_named(result, r, b, steps, s);
}

/* The longest phase, and what took longest inside of it. */
static void longest_phase(struct budget_result *result,
			  const struct liveupdate_recorder *r, const struct blackout *b,
			  struct steps steps)
{
	struct budget_result inside = { .part = "" };
	int longest = -1, s;
	char ns[FMT_LEN];

	for (s = 0; s < SPAN_NR; s++) {
		if (b->known[s] && (longest < 0 || b->ns[s] > b->ns[longest]))
			longest = s;
	}
	if (longest < 0)
		return;
	keep_inside(&inside, r, b, steps, longest);
	if (*inside.part)
		keep_part(result, b->ns[longest], "%s, there %s in %.*s",
			  span_label(longest), fmt_ns(ns, inside.part_ns),
			  (int)sizeof(inside.part) / 2, inside.part);
	else
		keep_part(result, b->ns[longest], "%s", span_label(longest));
}

static void freeze_window(struct budget_result *result,
			  const struct liveupdate_recorder *r, const struct blackout *b,
			  struct steps steps)
{
	static const enum span parts[] = { SPAN_FREEZE, SPAN_SHUTDOWN };
	size_t i;

	/* A phase that is not known has no time. */
	result->known = timeline_window(b, &result->ns);
	for (i = 0; i < 2; i++)
		keep_inside(result, r, b, steps, parts[i]);
	for (i = 0; i < 2 && !*result->part; i++) {
		if (b->known[parts[i]])
			keep_part(result, b->ns[parts[i]], "%s", span_label(parts[i]));
	}
}

void budget_check(const struct budget *budget, const struct liveupdate_recorder *r,
		  const struct blackout *b, struct steps steps,
		  struct budget_result *result)
{
	memset(result, 0, sizeof(*result));
	switch (budget->of) {
	case BUDGET_BLACKOUT:
		result->known = b->whole;
		result->ns = b->total;
		longest_phase(result, r, b, steps);
		break;
	case BUDGET_FREEZE:
		freeze_window(result, r, b, steps);
		break;
	case BUDGET_PHASE:
		result->known = b->known[budget->span];
		result->ns = result->known ? b->ns[budget->span] : 0;
		keep_inside(result, r, b, steps, budget->span);
		break;
	}
	/* What is known of it can be too much already. */
	if (result->ns > budget->max)
		result->verdict = BUDGET_BROKEN;
	else
		result->verdict = result->known ? BUDGET_KEPT : BUDGET_UNKNOWN;
}

static const char *budget_label(const struct budget *budget)
{
	static const char *const of[] = { "blackout", "freeze window" };

	return budget->of == BUDGET_PHASE ? span_label(budget->span) : of[budget->of];
}

char *budget_sentence(const struct budget *budget, const struct budget_result *result,
		      char *text)
{
	char max[FMT_LEN], took[FMT_LEN], over[FMT_LEN], part[FMT_LEN];
	const size_t size = 2 * TIMELINE_TEXT;
	int len;

	if (result->verdict == BUDGET_UNKNOWN) {
		len = snprintf(text, size, "budget unknown: %s is not known to keep %s",
			       budget_label(budget), fmt_ns(max, budget->max));
		if (result->ns)
			snprintf(text + len, size - len, "; what is known of it is %s",
				 fmt_ns(took, result->ns));
		else
			snprintf(text + len, size - len, "; it was not measured");
		return text;
	}
	len = snprintf(text, size, "budget broken: %s took %s%s, %s more than %s",
		       budget_label(budget), result->known ? "" : "at least ",
		       fmt_ns(took, result->ns), fmt_ns(over, result->ns - budget->max),
		       fmt_ns(max, budget->max));
	if (*result->part)
		snprintf(text + len, size - len, "; %s of it in %s",
			 fmt_ns(part, result->part_ns), result->part);
	return text;
}

json_t *budget_json(const struct budget *budget, const struct budget_result *result)
{
	static const char *const of[] = { "blackout", "freeze_window", "phase" };
	static const char *const verdicts[] = { "kept", "broken", "unknown" };
	json_t *longest = json_null();

	if (*result->part)
		longest = json_pack("{so, sI}", "text", fmt_json_text(result->part),
				    "duration_ns", (json_int_t)result->part_ns);
	return json_pack("{ss, ss?, sI, so, sI, ss, so}", "of", of[budget->of], "phase",
			 budget->of == BUDGET_PHASE ? span_name(budget->span) : NULL,
			 "max_ns", (json_int_t)budget->max, "duration_ns",
			 result->known ? json_integer(result->ns) : json_null(),
			 "known_ns", (json_int_t)result->ns, "verdict",
			 verdicts[result->verdict], "longest", longest);
}
