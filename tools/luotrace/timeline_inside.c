// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "timeline_inside.h"

#define UNKNOWN_MIN	1000000	/* ns of a phase that are worth a word */

static unsigned int permille(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned __int128)part * 1000 / whole : 0;
}

/* The unknown of a phase, the longest one first of those that come after @last. */
static int next_unknown(const struct blackout *b, const struct inside_sum *sum, int last)
{
	uint64_t ns, most = UNKNOWN_MIN - 1, limit = UINT64_MAX;
	int s, found = -1;

	if (last >= 0)
		limit = b->ns[last] - sum->named[last];
	for (s = 0; s < SPAN_NR; s++) {
		ns = b->ns[s] - sum->named[s];
		if (ns <= most || ns > limit || (ns == limit && s <= last))
			continue;
		most = ns;
		found = s;
	}
	return found;
}

const char *timeline_inside_said(const struct inside *in, const struct blackout *b,
				 char *text)
{
	unsigned int share;
	struct inside_sum sum;
	char ns[FMT_LEN];
	int s = -1, n = 0;

	if (!b->total)
		return NULL;
	inside_measure(in, b, &sum);
	/* Rounded down: all is all. */
	share = permille(sum.total, b->total);
	n = snprintf(text, INSIDE_SAID, "named %u.%u %% of %s", share / 10, share % 10,
		     b->whole ? "the blackout" : "what is known of the blackout");
	while ((s = next_unknown(b, &sum, s)) >= 0)
		n += snprintf(text + n, INSIDE_SAID - n, "%s %s of %s",
			      strchr(text, ';') ? "," : "; unknown:",
			      fmt_ns(ns, b->ns[s] - sum.named[s]), span_label(s));
	if (in->lost)
		snprintf(text + n, INSIDE_SAID - n, "; %u item%s found no room",
			 in->lost, fmt_s(in->lost));
	return text;
}

int timeline_inside_top(const struct inside *in, enum span s,
			const struct inside_item **items)
{
	const struct inside_item *all[INSIDE_ITEMS];
	int limit[] = { INSIDE_COUNTED, INSIDE_DETAILS };
	int n = s > SPAN_KEXEC ? inside_top(in, s, all, INSIDE_ITEMS) : 0;
	int i, shown = 0;

	for (i = 0; i < n; i++) {
		if (limit[!!all[i]->detail]-- > 0)
			items[shown++] = all[i];
	}
	return shown;
}

static json_t *item_json(const struct inside_item *item)
{
	return json_pack("{so, ss, sI, sI, sI, sb}", "what", fmt_json_text(item->text),
			 "source", inside_source_name(item->source),
			 "duration_ns", (json_int_t)item->ns,
			 "from_ns", (json_int_t)item->from, "to_ns", (json_int_t)item->to,
			 "detail", item->detail != 0);
}

static json_t *span_json(const struct inside *in, const struct blackout *b,
			 const struct inside_sum *sum, enum span s)
{
	const struct inside_item *items[INSIDE_ITEMS];
	int n = inside_top(in, s, items, INSIDE_ITEMS), i;
	json_t *all = json_array();

	for (i = 0; i < n; i++)
		json_array_append_new(all, item_json(items[i]));
	return json_pack("{ss, so, so, so}", "phase", span_name(s), "named_ns",
			 b->known[s] ? json_integer(sum->named[s]) : json_null(),
			 "unknown_ns", b->known[s] ?
			 json_integer(b->ns[s] - sum->named[s]) : json_null(),
			 "items", all);
}

void timeline_inside_json(const struct liveupdate_recorder *r, const struct blackout *b,
			  struct steps steps, json_t *root)
{
	struct inside *in = malloc(sizeof(*in));
	json_t *phases = json_array();
	struct inside_sum sum;
	int s;

	if (!in) {
		json_decref(phases);
		return;
	}
	inside_of_update(in, r, b, steps);
	inside_measure(in, b, &sum);
	for (s = 0; s < SPAN_NR; s++)
		json_array_append_new(phases, span_json(in, b, &sum, s));
	json_object_set_new(root, "inside",
			    json_pack("{sI, so, sI, so}",
				      "named_ns", (json_int_t)sum.total,
				      "named_percent", b->total ?
				      json_real(permille(sum.total, b->total) / 10.0) :
				      json_null(),
				      "lost", (json_int_t)in->lost, "phases", phases));
	free(in);
}
