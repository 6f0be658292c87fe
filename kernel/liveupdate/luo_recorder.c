// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Recorder
 *
 * No tracer can observe a whole live update: no process runs at the very end of the
 * old kernel and at the very beginning of the new one. LUO therefore always records
 * the live update itself, in memory that is handed over: when each phase began, how
 * often and how long each operation of each handler, subsystem and FLB was called,
 * which calls and which sessions took longest. The next kernel adopts the record and
 * keeps one of its own; both are read from /sys/kernel/liveupdate/recorder.
 *
 * The figures are kept apart by purpose (&enum liveupdate_recorder_scope): only the
 * calls of the reboot() that succeeded belong to the blackout.
 *
 * Cost: a call updates a row with a few atomic operations. A lock is taken to create
 * a row, once per row, and for a call that is among the eight longest so far. A call
 * that can run in parallel with others of its row takes the lock of the row twice,
 * for a few instructions; no call inside reboot() does. No call waits for a tracer or
 * for another call.
 *
 * Failures: when a reboot fails, its duration and errno are kept, its figures move to
 * a scope of their own, and the record starts again. A record of another version is
 * rejected; the rest of the handover is accepted. Calls that find no row of their own
 * are counted in a shared row.
 */

#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timex.h>

#include "luo_recorder_internal.h"

static_assert(LUO_NR_OPS <= LIVEUPDATE_RECORDER_OPS);
static_assert(LUO_NR_PHASES <= LIVEUPDATE_RECORDER_PHASES);
static_assert(LIVEUPDATE_HNDL_COMPAT_LENGTH <= LIVEUPDATE_RECORDER_NAME);
static_assert(LIVEUPDATE_FLB_COMPAT_LENGTH <= LIVEUPDATE_RECORDER_NAME);
static_assert((int)LUO_KIND_FLB == LIVEUPDATE_KIND_FLB);

/**
 * struct luo_slot - name that calls are recorded under
 * @kind: handler, subsystem or FLB
 * @name: its name, "" for an unused slot
 */
struct luo_slot {
	enum luo_kind kind;
	char name[LIVEUPDATE_RECORDER_NAME];
};

struct luo_recorder luo_recorders[2]; /* by enum luo_dir */

/* Of the previous kernel; NULL if there is none, or none of this version. */
struct liveupdate_recorder_part *luo_last_out;

/* Of this kernel, for the last live update; by luo_recorder_init.c and _tasks.c. */
struct liveupdate_recorder_inside luo_inside;

/* Slot 0 is shared by all names that have no slot of their own. */
static struct luo_slot luo_slots[LUO_MAX_SLOTS];

/* Creation of rows, lists, pauses, reading; a leaf lock, held briefly. */
DEFINE_SPINLOCK(luo_recorder_lock);

/* Incremented with each string or list that changes; under luo_recorder_lock. */
u32 luo_recorder_changes;

/*
 * The task that changes the global state, and the scope that its calls are recorded
 * for. All other tasks wait for it, except those that do not need luo_state_lock.
 */
static struct task_struct *luo_scope_task;
static enum liveupdate_recorder_scope luo_scope_now;

/**
 * luo_recorder_slot - find or allocate the slot of a callback target
 * @kind: its kind
 * @name: its name
 *
 * A target that registers again under the same name gets the same slot.
 *
 * Context: any.
 * Return: the slot, for &struct luo_call.
 */
unsigned int luo_recorder_slot(enum luo_kind kind, const char *name)
{
	unsigned int i;

	guard(spinlock)(&luo_recorder_lock);

	for (i = 1; i < LUO_MAX_SLOTS && luo_slots[i].name[0]; i++) {
		if (luo_slots[i].kind == kind &&
		    !strcmp(luo_slots[i].name, name))
			return i;
	}
	if (i == LUO_MAX_SLOTS)
		return 0;

	luo_slots[i].kind = kind;
	strscpy(luo_slots[i].name, name);
	return i;
}

/**
 * luo_recorder_scope - set the scope that calls of this task are recorded for
 * @scope: the scope; LIVEUPDATE_SCOPE_AGENT once the state change is complete
 *
 * Context: under luo_state_lock for writing.
 */
void luo_recorder_scope(enum liveupdate_recorder_scope scope)
{
	lockdep_assert_held_write(&luo_state_lock);

	WRITE_ONCE(luo_scope_now, scope);
	WRITE_ONCE(luo_scope_task,
		   scope == LIVEUPDATE_SCOPE_AGENT ? NULL : current);
}

static enum liveupdate_recorder_scope luo_current_scope(enum luo_dir dir)
{
	if (dir == LUO_DIR_IN || READ_ONCE(luo_scope_task) != current)
		return LIVEUPDATE_SCOPE_AGENT;
	return READ_ONCE(luo_scope_now);
}

/* Create the row of a slot and an operation. Returns its number, 0 if none is left. */
static u8 luo_row_add(struct luo_recorder *r,
		      enum liveupdate_recorder_scope scope, unsigned int slot,
		      enum luo_op op)
{
	struct liveupdate_recorder_row *row;

	lockdep_assert_held(&luo_recorder_lock);

	if (r->row[scope][slot][op])
		return r->row[scope][slot][op];
	if (r->nr_rows == LIVEUPDATE_RECORDER_ROWS)
		return 0;

	luo_recorder_changes++;
	spin_lock_init(&r->walls[r->nr_rows].lock);
	row = &r->record->rows[r->nr_rows++];
	row->kind = luo_slots[slot].kind;
	row->op = op;
	row->scope = scope;
	row->min = U64_MAX;
	strscpy(row->name, luo_slots[slot].name);
	/* Pairs with luo_row_get(): a CPU that sees the number sees the row, too. */
	smp_store_release(&r->row[scope][slot][op], r->nr_rows);
	return r->nr_rows;
}

/* Return the number of the row of a slot, else of the shared row, else 0. */
static u8 luo_row_get(struct luo_recorder *r, enum liveupdate_recorder_scope scope,
		      unsigned int slot, enum luo_op op)
{
	u8 nr;

	/* Pairs with the release in luo_row_add(). */
	nr = smp_load_acquire(&r->row[scope][slot][op]);
	if (nr)
		return nr;

	guard(spinlock)(&luo_recorder_lock);

	nr = luo_row_add(r, scope, slot, op);
	return nr ?: luo_row_add(r, scope, 0, op);
}

/* @alone: no other call of the row can run in parallel with this one. */
static void luo_row_account(struct liveupdate_recorder_row *row, int ret,
			    u64 duration, bool alone)
{
	unsigned int bucket = duration ? ilog2(duration) : 0;
	u64 old;

	bucket = min(bucket, LIVEUPDATE_RECORDER_BUCKETS - 1);
	luo_record_add(&row->count, 1);
	luo_record_add(&row->total, duration);
	if (alone)
		luo_record_add(&row->wall, duration);
	if (ret)
		luo_record_add(&row->errors, 1);
	atomic_inc((atomic_t *)&row->hist[bucket]);

	old = READ_ONCE(row->min);
	while (duration < old && !try_cmpxchg64(&row->min, &old, duration))
		;
	old = READ_ONCE(row->max);
	while (duration > old && !try_cmpxchg64(&row->max, &old, duration))
		;
}

/**
 * luo_topn_find_min - find the shortest of the kept entries
 * @min:  set to it
 * @kept: the entries, which start with their duration
 * @size: size of one
 * @nr:   their number
 */
void luo_topn_find_min(struct luo_topn_min *min, const void *kept, size_t size, int nr)
{
	const u64 *at, *shortest = kept;
	int i;

	min->at = 0;
	for (i = 1; i < nr; i++) {
		at = kept + i * size;
		if (*at < *shortest) {
			shortest = at;
			min->at = i;
		}
	}
	WRITE_ONCE(min->duration, *shortest);
}

static void luo_topn_add_call(struct luo_recorder *r,
			      enum liveupdate_recorder_scope scope,
			      const struct luo_call *call, enum luo_op op, int ret,
			      u64 duration)
{
	struct luo_topn_min *min = &r->calls[scope][op];
	struct liveupdate_recorder_call *calls, *to;

	static_assert(!offsetof(struct liveupdate_recorder_call, duration));

	guard(spinlock)(&luo_recorder_lock);

	if (duration <= min->duration)
		return;

	luo_recorder_changes++;
	calls = r->record->slow_calls[scope][op];
	to = &calls[min->at];
	to->duration = duration;
	to->end = luo_counter();
	to->token = call->token;
	to->kind = call->kind;
	to->ret = ret;
	strscpy_pad(to->name, call->compatible);
	strscpy_pad(to->session, call->session ?: "");
	luo_topn_find_min(min, calls, sizeof(*calls), LIVEUPDATE_RECORDER_SLOWEST);
}

/* A call for the session of the tool is no part of what agents restore. */
static bool luo_recorder_skips(const struct luo_call *call, enum luo_dir dir)
{
	return dir == LUO_DIR_IN && call->session && luo_recorder_owns(call->session);
}

/**
 * luo_recorder_enter - record that a callback is about to be called
 * @call: the call, as in the trace events
 * @op:   the operation
 *
 * Context: task context.
 * Return: a time stamp for luo_recorder_exit().
 */
u64 luo_recorder_enter(const struct luo_call *call, enum luo_op op)
{
	enum luo_dir dir = luo_op_dir(op);
	struct luo_recorder *r = &luo_recorders[dir];
	enum liveupdate_recorder_scope scope = luo_current_scope(dir);
	u64 start;
	u8 nr;

	if (!r->record || scope != LIVEUPDATE_SCOPE_AGENT ||
	    luo_recorder_skips(call, dir))
		return luo_stamp();

	nr = luo_row_get(r, scope, call->slot, op);
	start = luo_stamp();
	if (nr && !luo_stamp_early(start))
		luo_busy_begin(&r->walls[nr - 1], start);
	return start;
}

/**
 * luo_recorder_exit - record that a callback returned
 * @call:  as passed to luo_recorder_enter()
 * @op:    the operation
 * @ret:   return value of the callback, 0 or a negative errno
 * @start: return value of luo_recorder_enter()
 *
 * Context: the task that called luo_recorder_enter().
 * Return: duration of the call, in ns.
 */
u64 luo_recorder_exit(const struct luo_call *call, enum luo_op op, int ret,
		      u64 start)
{
	u64 duration = luo_stamp_age(start);
	enum luo_dir dir = luo_op_dir(op);
	struct luo_recorder *r = &luo_recorders[dir];
	enum liveupdate_recorder_scope scope = luo_current_scope(dir);
	struct liveupdate_recorder_row *row;
	bool alone;
	u8 nr;

	if (!r->record || luo_recorder_skips(call, dir))
		return duration;

	alone = scope != LIVEUPDATE_SCOPE_AGENT || luo_stamp_early(start);
	nr = luo_row_get(r, scope, call->slot, op);
	if (nr) {
		row = &r->record->rows[nr - 1];
		luo_row_account(row, ret, duration, alone);
		if (!alone)
			luo_record_add(&row->wall,
				       luo_busy_end(&r->walls[nr - 1],
						    start + duration));
	} else {
		luo_record_add(&r->record->lost_calls, 1);
	}

	if (duration > READ_ONCE(r->calls[scope][op].duration))
		luo_topn_add_call(r, scope, call, op, ret, duration);
	return duration;
}

/**
 * luo_recorder_session - record that a session completed a phase
 * @dir:      direction of the session
 * @phase:    the phase
 * @name:     name of the session, padded with zeros to its full size
 * @files:    number of files in the session
 * @ret:      0 or a negative errno
 * @duration: duration of the phase, in ns
 *
 * Does nothing for the incoming session of the tool, as for its calls.
 *
 * Context: any.
 */
void luo_recorder_session(enum luo_dir dir, enum luo_phase phase,
			  const char *name, u64 files, int ret, u64 duration)
{
	enum liveupdate_recorder_scope scope = luo_current_scope(dir);
	struct luo_recorder *r = &luo_recorders[dir];
	struct luo_topn_min *min = &r->sessions[scope][phase];
	struct liveupdate_recorder_session *all, *to;

	static_assert(!offsetof(struct liveupdate_recorder_session, duration));

	if (!r->record || duration <= READ_ONCE(min->duration))
		return;
	if (dir == LUO_DIR_IN && luo_recorder_owns(name))
		return;

	guard(spinlock)(&luo_recorder_lock);

	if (duration <= min->duration)
		return;

	luo_recorder_changes++;
	all = r->record->slow_sessions[scope][phase];
	to = &all[min->at];
	to->duration = duration;
	to->end = luo_counter();
	to->files = files;
	to->ret = ret;
	memcpy(to->name, name, sizeof(to->name));
	luo_topn_find_min(min, all, sizeof(*all), LIVEUPDATE_RECORDER_SLOWEST);
}

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

/**
 * luo_recorder_totals - record how much is handed over
 * @dir:    outgoing or incoming
 * @totals: the numbers
 *
 * Context: at boot, and under luo_state_lock for writing.
 */
void luo_recorder_totals(enum luo_dir dir, const struct luo_totals *totals)
{
	struct liveupdate_recorder_part *record = luo_recorders[dir].record;

	if (!record)
		return;

	WRITE_ONCE(record->sessions, totals->sessions);
	WRITE_ONCE(record->files, totals->files);
	WRITE_ONCE(record->bytes, totals->bytes);
}

/**
 * luo_recorder_give_up - record that an incoming session is given up
 * @name: name of the session
 *
 * Context: under luo_state_lock for writing.
 */
void luo_recorder_give_up(const char *name)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_OUT].record;

	if (!record)
		return;

	if (record->given_up < LIVEUPDATE_RECORDER_GIVEN_UP) {
		guard(spinlock)(&luo_recorder_lock);
		luo_recorder_changes++;
		strscpy(record->given_up_names[record->given_up], name);
	}
	WRITE_ONCE(record->given_up, record->given_up + 1);
}

/**
 * luo_recorder_add_reject - record a rejected entry of the handover
 * @what:   kind of the entry
 * @name:   its name, or that of its session, or ""
 * @token:  of a file
 * @reason: a word for the reason
 *
 * Context: any.
 */
void luo_recorder_add_reject(const char *what, const char *name, u64 token,
			     const char *reason)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_IN].record;
	struct liveupdate_recorder_refused *to;

	if (!record)
		return;

	guard(spinlock)(&luo_recorder_lock);

	luo_recorder_changes++;
	if (record->nr_refused < LIVEUPDATE_RECORDER_REFUSED) {
		to = &record->refused[record->nr_refused];
		strscpy(to->what, what);
		strscpy(to->reason, reason);
		strscpy(to->name, name);
		to->token = token;
	}
	WRITE_ONCE(record->nr_refused, record->nr_refused + 1);
}

/**
 * luo_recorder_del_reject - remove a rejected entry that is accepted after all
 * @what: kind of the entry
 * @name: its name
 *
 * Context: any. Does nothing if the entry was not rejected or is not on the list.
 */
void luo_recorder_del_reject(const char *what, const char *name)
{
	struct liveupdate_recorder_part *record = luo_recorders[LUO_DIR_IN].record;
	struct liveupdate_recorder_refused *all;
	unsigned int i, kept;

	if (!record)
		return;

	guard(spinlock)(&luo_recorder_lock);

	all = record->refused;
	kept = min(record->nr_refused, LIVEUPDATE_RECORDER_REFUSED);
	for (i = 0; i < kept; i++) {
		if (!strcmp(all[i].what, what) && !strcmp(all[i].name, name))
			break;
	}
	if (i == kept)
		return;

	luo_recorder_changes++;
	memmove(&all[i], &all[i + 1], (kept - i - 1) * sizeof(*all));
	memset(&all[kept - 1], 0, sizeof(*all));
	WRITE_ONCE(record->nr_refused, record->nr_refused - 1);
}
