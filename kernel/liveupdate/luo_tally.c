// SPDX-License-Identifier: GPL-2.0

/*
 * Recording of calls that follow each other. Their figures are collected where no other
 * task counts, so that a call needs neither a lock nor an atomic operation.
 */

#include <linux/atomic.h>
#include <linux/string.h>

#include "luo_recorder_internal.h"

/**
 * luo_tally_begin - begin calls of one direction
 * @tally: the tally; it need not be initialized
 * @dir:   direction of the calls
 * @tool:  they are for the incoming session of the tool
 *
 * luo_tally_set_row() follows.
 *
 * Context: task context.
 */
void luo_tally_begin(struct luo_tally *tally, enum luo_dir dir, bool tool)
{
	tally->laps.mult = luo_counter_mult();
	tally->laps.ticks = tally->laps.mult;
	if (!tally->laps.ticks)
		tally->laps.mult = 1ULL << 32;
	tally->dir = dir;
	tally->scope = luo_current_scope(dir);
	/* What is done for the session of the tool is no part of what agents restore. */
	tally->skip = !luo_recorders[dir].record || tool;
	tally->sessions = luo_recorders[dir].sessions[tally->scope];
	tally->row = NULL;
}

/**
 * luo_tally_set_row - begin calls of one operation of one target
 * @tally: the tally, flushed
 * @slot:  from luo_recorder_slot()
 * @op:    an operation of the direction of @tally
 *
 * Does not restart the clock.
 */
void luo_tally_set_row(struct luo_tally *tally, unsigned int slot, enum luo_op op)
{
	struct luo_recorder *r = &luo_recorders[tally->dir];

	tally->nr = tally->skip ? 0 : luo_row_get(r, tally->scope, slot, op);
	tally->slow = tally->skip ? U64_MAX :
				    READ_ONCE(r->calls[tally->scope][op].duration);
	if (tally->nr && tally->scope != LIVEUPDATE_SCOPE_AGENT) {
		tally->row = &r->record->rows[tally->nr - 1];
		tally->total = tally->row->total;
		return;
	}
	memset_startat(&tally->own, 0, count);
	tally->own.min = U64_MAX;
	tally->row = &tally->own;
	if (tally->nr) {
		tally->since = ktime_get_ns();
		luo_busy_begin(&r->walls[tally->nr - 1], tally->since);
	}
}

/* Add calls to a row to which other tasks add theirs. */
static void luo_row_add_calls(struct liveupdate_recorder_row *row,
			      const struct liveupdate_recorder_row *calls)
{
	int i;

	luo_record_add(&row->count, calls->count);
	luo_record_add(&row->errors, calls->errors);
	luo_record_add(&row->total, calls->total);
	luo_row_extremes(row, calls->min, calls->max);
	for (i = luo_bucket(calls->min); i <= luo_bucket(calls->max); i++) {
		if (calls->hist[i])
			atomic_add(calls->hist[i], (atomic_t *)&row->hist[i]);
	}
}

/**
 * luo_tally_flush - add what is not in the record yet
 * @tally: the tally
 *
 * Context: task context.
 */
void luo_tally_flush(struct luo_tally *tally)
{
	struct luo_recorder *r = &luo_recorders[tally->dir];
	struct liveupdate_recorder_row *row = tally->row;

	if (!row)
		return;
	tally->row = NULL;

	if (row != &tally->own) {
		/* In a row of this task alone no two calls run in parallel. */
		luo_record_add(&row->wall, row->total - tally->total);
	} else if (tally->nr) {
		row = &r->record->rows[tally->nr - 1];
		luo_row_add_calls(row, &tally->own);
		/* Without what was between the calls. */
		luo_record_add(&row->wall,
			       luo_busy_end(&r->walls[tally->nr - 1],
					    tally->since + tally->own.total));
	} else if (!tally->skip) {
		luo_record_add(&r->record->lost_calls, tally->own.count);
	}
}

/**
 * luo_tally_slow - record a call of a file handler that is one of the longest
 * @tally:    the tally
 * @fh:	      the handler
 * @session:  name of the session of the file, padded with zeros to its full size
 * @token:    of the file
 * @op:	      the operation
 * @ret:      0 or the negative errno of the call
 * @duration: of the call, in ns
 *
 * The first calls are always among the longest: their names are copied, not searched for
 * their ends.
 */
void luo_tally_slow(struct luo_tally *tally, const struct liveupdate_file_handler *fh,
		    const char *session, u64 token, enum luo_op op, int ret, u64 duration)
{
	struct luo_recorder *r = &luo_recorders[tally->dir];
	struct luo_topn_min *min = &r->calls[tally->scope][op];
	struct liveupdate_recorder_call *calls, *to;

	static_assert(sizeof(fh->compatible) <= sizeof(to->name));
	static_assert(sizeof(to->session) == LIVEUPDATE_SESSION_NAME_LENGTH);

	guard(spinlock)(&luo_recorder_lock);

	calls = r->record->slow_calls[tally->scope][op];
	to = luo_topn_replace(min, calls, sizeof(*calls), duration);
	if (to) {
		to->token = token;
		to->kind = LUO_KIND_HANDLER;
		to->ret = ret;
		memcpy(to->name, fh->compatible, sizeof(fh->compatible));
		memcpy(to->session, session, sizeof(to->session));
	}
	tally->slow = min->duration;
}
