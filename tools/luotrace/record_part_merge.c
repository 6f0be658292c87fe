// SPDX-License-Identifier: GPL-2.0

/* Records joined, and the figures of a reboot that failed. */

#include <string.h>

#include "record_part_internal.h"

static void topn_merge(void *to, const void *from, size_t size)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++)
		record_part_topn(to, (const char *)from + i * size, size);
}

/* Add the longest calls and sessions of one scope to those of a scope. */
static void lists_merge(struct liveupdate_recorder_part *to, int to_scope,
			const struct liveupdate_recorder_part *from, int scope)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_OPS; i++)
		topn_merge(to->slow_calls[to_scope][i], from->slow_calls[scope][i],
			   sizeof(from->slow_calls[scope][i][0]));
	for (i = 0; i < LIVEUPDATE_RECORDER_PHASES; i++)
		topn_merge(to->slow_sessions[to_scope][i],
			   from->slow_sessions[scope][i],
			   sizeof(from->slow_sessions[scope][i][0]));
}

/* A row in use without a call has a minimum that any call lowers. */
static bool row_used(const struct liveupdate_recorder_row *row)
{
	return row->count || row->min;
}

static bool row_is(const struct liveupdate_recorder_row *row,
		   const struct liveupdate_recorder_row *key)
{
	return row->op == key->op && row->scope == key->scope &&
	       row->kind == key->kind &&
	       !strncmp(row->name, key->name, sizeof(row->name));
}

/* The row of a kind, operation, scope and name; NULL if there is no room. */
static struct liveupdate_recorder_row *
row_get(struct liveupdate_recorder_part *part, const struct liveupdate_recorder_row *key)
{
	struct liveupdate_recorder_row *row, *unused = NULL;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		row = &part->rows[i];
		if (!row_used(row))
			unused = unused ? unused : row;
		else if (row_is(row, key))
			return row;
	}
	if (unused)
		*unused = *key;
	return unused;
}

/* Add the calls of a row to its own row in a scope, else to the shared one. */
static void row_merge(struct liveupdate_recorder_part *to, int scope,
		      const struct liveupdate_recorder_row *from)
{
	struct liveupdate_recorder_row key = {
		.kind = from->kind, .op = from->op, .scope = scope, .min = UINT64_MAX,
	}, *row;

	memcpy(key.name, from->name, sizeof(key.name));
	row = row_get(to, &key);
	if (!row) {
		key.kind = 0;
		memset(key.name, 0, sizeof(key.name));
		row = row_get(to, &key);
	}
	if (row)
		record_part_row_add(row, from);
	else
		to->lost_calls += from->count;
}

void record_part_merge(struct liveupdate_recorder_part *to,
		       const struct liveupdate_recorder_part *from,
		       unsigned int scopes)
{
	const struct liveupdate_recorder_row *row;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		row = &from->rows[i];
		if (row->count && scopes & 1U << row->scope)
			row_merge(to, row->scope, row);
	}
	for (i = 0; i < LIVEUPDATE_NR_SCOPES; i++) {
		if (scopes & 1U << i)
			lists_merge(to, i, from, i);
	}
	to->lost_calls += from->lost_calls;
}

/* The name stays: the next attempt makes the same calls. */
static void row_clear(struct liveupdate_recorder_row *row)
{
	row->count = 0;
	row->errors = 0;
	row->total = 0;
	row->wall = 0;
	row->min = UINT64_MAX;
	row->max = 0;
	memset(row->hist, 0, sizeof(row->hist));
}

void record_part_fail(struct liveupdate_recorder_part *part)
{
	const int from = LIVEUPDATE_SCOPE_REBOOT, to = LIVEUPDATE_SCOPE_FAILED;
	struct liveupdate_recorder_row *row;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++) {
		row = &part->rows[i];
		if (row->scope != (__u32)from || !row->count)
			continue;
		row_merge(part, to, row);
		row_clear(row);
	}
	lists_merge(part, to, part, from);
	memset(part->slow_calls[from], 0, sizeof(part->slow_calls[from]));
	memset(part->slow_sessions[from], 0, sizeof(part->slow_sessions[from]));
}
