// SPDX-License-Identifier: GPL-2.0

/* A comparison as JSON. */

#include "compare.h"
#include "enum_name.h"
#include "fmt.h"
#include "json.h"

static json_t *known_json(bool known, int64_t n)
{
	return known ? json_integer(n) : json_null();
}

static json_t *run_json(const struct compare_run *run)
{
	json_t *releases[2];
	int k;

	for (k = 0; k < 2; k++)
		releases[k] = *run->releases[k] ? fmt_json_name(run->releases[k]) :
						  json_null();
	return json_pack("{so, so, so, sI, sI}", "source", fmt_json_name(run->source),
			 "old_release", releases[0], "new_release", releases[1],
			 "failed_reboots", (json_int_t)run->failed, "cancelled",
			 (json_int_t)run->cancelled);
}

static json_t *runs_json(const struct compare_side *side)
{
	json_t *all = json_array();
	int i;

	for (i = 0; i < side->n; i++)
		json_array_append_new(all, run_json(&side->runs[i]));
	return all;
}

static json_t *sum_json(const struct compare *c, const struct compare_row *row, int side)
{
	const struct compare_sum *sum = &row->sides[side];
	bool calls = row->what.of == MEASURE_CALL || row->what.of == MEASURE_FAILED;
	json_t *all = json_array();
	int i;

	for (i = 0; i < c->sides[side]->n; i++)
		json_array_append_new(all, known_json(sum->values[i].known,
						      sum->values[i].ns));
	return json_pack("{si, so, so, so, so}", "known", sum->known,
			 "median_ns", known_json(sum->known, sum->median),
			 "spread_ns", known_json(sum->known > 1, sum->spread),
			 "calls", known_json(sum->known && calls, sum->count),
			 "all_ns", all);
}

/* What a row is of; keys that do not apply are null. */
static json_t *what_json(const struct measure *what)
{
	static const char *const of[] = {
		[MEASURE_BLACKOUT] = "blackout", [MEASURE_WINDOW] = "freeze_window",
		[MEASURE_WORKLOAD] = "workload", [MEASURE_PHASE] = "phase",
		[MEASURE_CALL] = "calls", [MEASURE_FAILED] = "failed_calls",
	};
	static const char *const by[] = { "old", "new", "trace" };
	static const char *const kinds[] = { "handler", "subsystem", "shared_state" };
	static const char *const scopes[] = { "agent", "prepare", "reboot", "failed" };
	bool calls = what->of == MEASURE_CALL || what->of == MEASURE_FAILED;
	json_t *o;

	o = json_pack("{ss, ss?}", "of", of[what->of], "phase",
		      what->span < SPAN_NR ? span_name(what->span) : NULL);
	if (what->of == MEASURE_WORKLOAD)
		json_object_set_new(o, "workload", fmt_json_name(what->name));
	if (!calls)
		return o;
	json_object_set_new(o, kinds[what->kind % 3],
			    fmt_json_name(*what->name ? what->name : "others"));
	json_object_set_new(o, "op", json_string(enum_name(ENUM_OP, what->op)));
	json_object_set_new(o, "recorded_by", json_string(by[what->by]));
	json_object_set_new(o, "scope", what->by == BY_TRACE ? json_null() :
			    json_string(scopes[what->scope % LIVEUPDATE_NR_SCOPES]));
	return o;
}

static json_t *row_json(const struct compare *c, const struct compare_row *row)
{
	static const char *const verdicts[] = {
		[VERDICT_UNKNOWN] = "unknown", [VERDICT_SAME] = "same",
		[VERDICT_FOLLOWS] = "follows", [VERDICT_BETTER] = "better",
		[VERDICT_WORSE] = "worse",
	};
	bool tested = row->verdict != VERDICT_UNKNOWN;
	json_t *o = what_json(&row->what);

	json_object_set_new(o, "a", sum_json(c, row, 0));
	json_object_set_new(o, "b", sum_json(c, row, 1));
	json_object_set_new(o, "change_ns", known_json(tested, row->change));
	json_object_set_new(o, "noise_ns", known_json(tested, row->noise));
	json_object_set_new(o, "own_ns", known_json(row->verdict >= VERDICT_BETTER,
						    row->own));
	json_object_set_new(o, "one_call", json_boolean(row->one));
	json_object_set_new(o, "verdict", row->what.of == MEASURE_FAILED ? json_null() :
			    json_string(verdicts[row->verdict]));
	return o;
}

json_t *compare_json(const struct compare *c)
{
	json_t *rows = json_array();
	int i;

	for (i = 0; i < c->n; i++)
		json_array_append_new(rows, row_json(c, &c->rows[i]));
	return json_pack("{si, ss, so, so, si, si, si, so}", "schema", JSON_SCHEMA,
			 "command", "compare", "a", runs_json(c->sides[0]),
			 "b", runs_json(c->sides[1]), "tested", c->tested,
			 "worse", c->worse, "better", c->better, "rows", rows);
}
