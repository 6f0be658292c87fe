// SPDX-License-Identifier: GPL-2.0

/* The figures of an attempt that failed or was cancelled are kept apart from the others. */

#include <linux/string.h>

#include "luo_recorder_internal.h"

static void luo_row_move(struct liveupdate_recorder_row *to,
			 struct liveupdate_recorder_row *from)
{
	int i;

	to->count += from->count;
	to->errors += from->errors;
	to->total += from->total;
	to->wall += from->wall;
	to->min = min(to->min, from->min);
	to->max = max(to->max, from->max);
	for (i = 0; i < LIVEUPDATE_RECORDER_BUCKETS; i++)
		to->hist[i] += from->hist[i];

	/* The name stays: the next attempt makes the same calls. */
	from->count = 0;
	from->errors = 0;
	from->total = 0;
	from->wall = 0;
	from->min = U64_MAX;
	from->max = 0;
	memset(from->hist, 0, sizeof(from->hist));
}

/* Keep the longest entries of both lists in @to and empty @from. */
static void luo_topn_move(struct luo_topn_min *to_min, void *to,
			  struct luo_topn_min *from_min, void *from,
			  size_t size)
{
	const u64 *duration;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		duration = from + i * size;
		if (*duration <= to_min->duration)
			continue;
		memcpy(to + to_min->at * size, duration, size);
		luo_topn_find_min(to_min, to, size, LIVEUPDATE_RECORDER_SLOWEST);
	}
	memset(from, 0, LIVEUPDATE_RECORDER_SLOWEST * size);
	WRITE_ONCE(from_min->duration, 0);
	from_min->at = 0;
}

static void luo_rows_move(struct luo_recorder *r,
			  enum liveupdate_recorder_scope from)
{
	struct liveupdate_recorder_row *row;
	unsigned int slot;
	u8 nr, to;
	int op;

	for (slot = 0; slot < LUO_MAX_SLOTS; slot++) {
		for (op = 0; op < LUO_NR_OPS; op++) {
			nr = r->row[from][slot][op];
			row = nr ? &r->record->rows[nr - 1] : NULL;
			if (!row || !row->count)
				continue;
			to = luo_row_add(r, LIVEUPDATE_SCOPE_FAILED, slot, op);
			to = to ?: luo_row_add(r, LIVEUPDATE_SCOPE_FAILED, 0, op);
			if (to) {
				luo_row_move(&r->record->rows[to - 1], row);
			} else {
				luo_record_add(&r->record->lost_calls, row->count);
				row->count = 0;
			}
		}
	}
}

/**
 * luo_recorder_move - move the figures of a failed attempt to LIVEUPDATE_SCOPE_FAILED
 * @from: scope of the attempt, empty afterwards
 *
 * Context: under luo_state_lock for writing, in the task of luo_recorder_scope().
 */
void luo_recorder_move(enum liveupdate_recorder_scope from)
{
	const enum liveupdate_recorder_scope to = LIVEUPDATE_SCOPE_FAILED;
	struct luo_recorder *r = &luo_recorders[LUO_DIR_OUT];
	struct liveupdate_recorder_part *record = r->record;
	int i;

	guard(spinlock)(&luo_recorder_lock);

	luo_recorder_changes++;
	luo_rows_move(r, from);
	for (i = 0; i < LUO_NR_OPS; i++)
		luo_topn_move(&r->calls[to][i], record->slow_calls[to][i],
			      &r->calls[from][i], record->slow_calls[from][i],
			      sizeof(record->slow_calls[from][i][0]));
	for (i = 0; i < LUO_NR_PHASES; i++)
		luo_topn_move(&r->sessions[to][i], record->slow_sessions[to][i],
			      &r->sessions[from][i],
			      record->slow_sessions[from][i],
			      sizeof(record->slow_sessions[from][i][0]));
}
