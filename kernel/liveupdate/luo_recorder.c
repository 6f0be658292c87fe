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
 * Cost: luo_tally.h counts calls for the files of a set. Another call updates a row with a
 * few atomic operations. A lock is taken to create a row, once per row, and for a call
 * that is among the eight longest so far. Calls that can run in parallel with others of
 * their row take the lock of the row twice, for a few instructions; no call inside
 * reboot() does. No call waits for a tracer or for another call.
 *
 * Failures: when a reboot fails, its duration and errno are kept, its figures move to
 * a scope of their own, and the record starts again. A record of another version is
 * rejected; the rest of the handover is accepted. Calls that find no row of their own
 * are counted in a shared row.
 */

#include <linux/atomic.h>
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

/**
 * luo_current_scope - the scope that a call of this task is recorded for
 * @dir: direction of the call
 *
 * Context: any. It does not change while the task makes calls for files of one set.
 * Return: the scope; one other than LIVEUPDATE_SCOPE_AGENT belongs to this task alone.
 */
enum liveupdate_recorder_scope luo_current_scope(enum luo_dir dir)
{
	if (dir == LUO_DIR_IN || READ_ONCE(luo_scope_task) != current)
		return LIVEUPDATE_SCOPE_AGENT;
	return READ_ONCE(luo_scope_now);
}

/**
 * luo_row_add - find or create the row of a slot and an operation
 * @r:	   the recorder of the direction of @op
 * @scope: from luo_current_scope()
 * @slot:  from luo_recorder_slot()
 * @op:	   the operation
 *
 * Context: under luo_recorder_lock.
 * Return: its number, 0 if none is left.
 */
u8 luo_row_add(struct luo_recorder *r, enum liveupdate_recorder_scope scope,
	       unsigned int slot, enum luo_op op)
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

/**
 * luo_row_get - find or create the row of a slot and an operation
 * @r:	   the recorder of the direction of @op
 * @scope: from luo_current_scope()
 * @slot:  from luo_recorder_slot()
 * @op:	   the operation
 *
 * Context: any, after the record is set up.
 * Return: its number, else that of the shared row, else 0.
 */
u8 luo_row_get(struct luo_recorder *r, enum liveupdate_recorder_scope scope,
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

/**
 * luo_row_extremes - extend the range of the durations of a row
 * @row: the row; other tasks may do the same
 * @min: shortest duration, in ns
 * @max: longest duration, in ns
 */
void luo_row_extremes(struct liveupdate_recorder_row *row, u64 min, u64 max)
{
	u64 old;

	old = READ_ONCE(row->min);
	while (min < old && !try_cmpxchg64(&row->min, &old, min))
		;
	old = READ_ONCE(row->max);
	while (max > old && !try_cmpxchg64(&row->max, &old, max))
		;
}

/* @alone: no other call of the row can run in parallel with this one. */
static void luo_row_account(struct liveupdate_recorder_row *row, int ret,
			    u64 duration, bool alone)
{
	luo_record_add(&row->count, 1);
	luo_record_add(&row->total, duration);
	if (alone)
		luo_record_add(&row->wall, duration);
	if (ret)
		luo_record_add(&row->errors, 1);
	atomic_inc((atomic_t *)&row->hist[luo_bucket(duration)]);
	luo_row_extremes(row, duration, duration);
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

/**
 * luo_topn_replace - replace the shortest of the kept entries by a longer one
 * @min:      describes it
 * @kept:     the entries, which start with their duration and their end
 * @size:     size of one
 * @duration: of the new entry, in ns
 *
 * Context: under luo_recorder_lock.
 * Return: the entry, whose other members are to be set; NULL if @duration is not longer.
 */
void *luo_topn_replace(struct luo_topn_min *min, void *kept, size_t size, u64 duration)
{
	u64 *to = kept + min->at * size;

	static_assert(!offsetof(struct liveupdate_recorder_call, duration) &&
		      offsetof(struct liveupdate_recorder_call, end) == sizeof(u64));
	static_assert(!offsetof(struct liveupdate_recorder_session, duration) &&
		      offsetof(struct liveupdate_recorder_session, end) == sizeof(u64));

	lockdep_assert_held(&luo_recorder_lock);

	if (duration <= min->duration)
		return NULL;

	luo_recorder_changes++;
	to[0] = duration;
	to[1] = luo_counter();
	luo_topn_find_min(min, kept, size, LIVEUPDATE_RECORDER_SLOWEST);
	return to;
}

static void luo_topn_add_call(struct luo_recorder *r,
			      enum liveupdate_recorder_scope scope,
			      const struct luo_call *call, enum luo_op op, int ret,
			      u64 duration)
{
	struct liveupdate_recorder_call *calls, *to;

	guard(spinlock)(&luo_recorder_lock);

	calls = r->record->slow_calls[scope][op];
	to = luo_topn_replace(&r->calls[scope][op], calls, sizeof(*calls), duration);
	if (!to)
		return;

	to->token = call->token;
	to->kind = call->kind;
	to->ret = ret;
	strscpy_pad(to->name, call->compatible);
	strscpy_pad(to->session, call->session ?: "");
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

	/* A call for the session of the tool is no part of what agents restore. */
	if (!r->record || scope != LIVEUPDATE_SCOPE_AGENT || call->tool)
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

	if (!r->record || call->tool)
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
 * luo_recorder_session - record that a session completed a phase, in the current task
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

	if (!r->record || duration <= READ_ONCE(min->duration))
		return;
	if (dir == LUO_DIR_IN && luo_recorder_owns(name))
		return;

	guard(spinlock)(&luo_recorder_lock);

	all = r->record->slow_sessions[scope][phase];
	to = luo_topn_replace(min, all, sizeof(*all), duration);
	if (!to)
		return;

	to->files = files;
	to->ret = ret;
	to->task = current->pid;
	memcpy(to->name, name, sizeof(to->name));
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
