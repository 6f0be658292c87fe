// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Recorder
 *
 * No tracer sees all of a live update: no process runs in the last part of the
 * old kernel and in the first part of the new one. So LUO records, always, in
 * memory that is handed over: when each phase began, how often and how long each
 * operation of each handler, subsystem and shared state was called, which calls
 * and which sessions took longest. The next kernel adopts the record and adds its
 * own part; both are read from /sys/kernel/liveupdate/recorder.
 *
 * Moments are values of the CPU's counter (TSC, arch counter), which goes on over
 * the jump; its frequency is in the record, and whether it can be trusted. Whoever
 * reads the record decides with both parts in hand whether the counter is
 * continuous. The last moment of the old kernel is when it dumps its log for the
 * shutdown, the last thing that a kernel does before it jumps; the first one of
 * the new kernel is when it reads its command line.
 *
 * Cost: a call adds to a row with a few atomic operations. A lock is taken to
 * make a row, once for each, and for a call that is among the eight longest so
 * far; no call waits for a tracer or for another session's call.
 *
 * Unhappy paths: a reboot that fails leaves its time and errno and begins anew; a
 * record of another version is refused, and everything else is handed over. What
 * finds no row of its own is counted in one for the others.
 */

#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#if defined(CONFIG_X86)
#include <asm/tsc.h>
#elif defined(CONFIG_ARM64)
#include <asm/arch_timer.h>
#endif

#include "luo_kho.h"
#include "luo_recorder.h"

static_assert(LUO_NR_OPS <= LIVEUPDATE_RECORDER_OPS);
static_assert(LUO_NR_PHASES <= LIVEUPDATE_RECORDER_PHASES);
static_assert(LIVEUPDATE_HNDL_COMPAT_LENGTH <= LIVEUPDATE_RECORDER_NAME);
static_assert(LIVEUPDATE_FLB_COMPAT_LENGTH <= LIVEUPDATE_RECORDER_NAME);
static_assert((int)LUO_KIND_FLB == LIVEUPDATE_KIND_FLB);

/**
 * struct luo_slot - one name that calls are recorded by
 * @kind: handler, subsystem or shared state
 * @name: its name, "" for a slot that is not in use
 */
struct luo_slot {
	enum luo_kind kind;
	char name[LIVEUPDATE_RECORDER_NAME];
};

struct luo_recorder luo_recorders[2]; /* by enum luo_dir */

/* Slot 0 is for those that have none. */
static struct luo_slot luo_slots[LUO_MAX_SLOTS];

/* Making a row, keeping a long call; taken for a moment, sleeps never. */
static DEFINE_SPINLOCK(luo_recorder_lock);

u64 luo_counter_hz(void)
{
#if defined(CONFIG_X86)
	return tsc_khz * 1000ULL;
#elif defined(CONFIG_ARM64)
	return arch_timer_get_cntfrq();
#else
	return 0;
#endif
}

u64 luo_counter(void)
{
	return luo_counter_hz() ? get_cycles() : 0;
}

/* Which side of the jump an operation is on. */
static enum luo_dir luo_op_dir(enum luo_op op)
{
	switch (op) {
	case LUO_OP_RETRIEVE:
	case LUO_OP_CAN_FINISH:
	case LUO_OP_FINISH:
	case LUO_OP_BOOT:
		return LUO_DIR_IN;
	default:
		return LUO_DIR_OUT;
	}
}

/**
 * luo_recorder_slot - where the calls of a handler, say, are recorded
 * @kind: what it is
 * @name: its name
 *
 * The same name has the same slot again if it comes back.
 *
 * Context: any.
 * Return: for &struct luo_call.
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

/* The row for a slot and an operation is made. Returns its number or 0. */
static u8 luo_row_add(struct luo_recorder *r, unsigned int slot, enum luo_op op)
{
	struct liveupdate_recorder_row *row;

	guard(spinlock)(&luo_recorder_lock);

	if (r->row[slot][op])
		return r->row[slot][op];
	if (r->nr_rows == LIVEUPDATE_RECORDER_ROWS)
		return 0;

	row = &r->part->rows[r->nr_rows++];
	row->kind = luo_slots[slot].kind;
	row->op = op;
	row->min = U64_MAX;
	strscpy(row->name, luo_slots[slot].name);
	/* Pairs with the acquire in luo_row(): who sees the number sees the row. */
	smp_store_release(&r->row[slot][op], r->nr_rows);
	return r->nr_rows;
}

static struct liveupdate_recorder_row *luo_row(struct luo_recorder *r,
					       unsigned int slot,
					       enum luo_op op)
{
	u8 nr;

	/* Pairs with the release in luo_row_add(). */
	nr = smp_load_acquire(&r->row[slot][op]);
	nr = nr ?: luo_row_add(r, slot, op);
	return nr ? &r->part->rows[nr - 1] : NULL;
}

static void luo_add(__u64 *to, u64 n)
{
	atomic64_add(n, (atomic64_t *)to);
}

static void luo_row_count(struct liveupdate_recorder_row *row, int ret,
			  u64 duration)
{
	unsigned int bucket = duration ? ilog2(duration) : 0;
	u64 old;

	bucket = min(bucket, LIVEUPDATE_RECORDER_BUCKETS - 1);
	luo_add(&row->count, 1);
	luo_add(&row->total, duration);
	if (ret)
		luo_add(&row->errors, 1);
	atomic_inc((atomic_t *)&row->hist[bucket]);

	old = READ_ONCE(row->min);
	while (duration < old && !try_cmpxchg64(&row->min, &old, duration))
		;
	old = READ_ONCE(row->max);
	while (duration > old && !try_cmpxchg64(&row->max, &old, duration))
		;
}

/* Look through the kept ones, which begin with their duration, for the shortest. */
static void luo_least_find(struct luo_least *least, const void *kept, size_t size)
{
	const u64 *at, *shortest = kept;
	int i;

	least->at = 0;
	for (i = 1; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		at = kept + i * size;
		if (*at < *shortest) {
			shortest = at;
			least->at = i;
		}
	}
	WRITE_ONCE(least->duration, *shortest);
}

static void luo_keep_call(struct luo_recorder *r, const struct luo_call *call,
			  enum luo_op op, int ret, u64 duration)
{
	struct liveupdate_recorder_call *calls = r->part->slow_calls[op], *to;
	struct luo_least *least = &r->calls[op];

	static_assert(!offsetof(struct liveupdate_recorder_call, duration));

	guard(spinlock)(&luo_recorder_lock);

	if (duration <= least->duration)
		return;

	to = &calls[least->at];
	to->duration = duration;
	to->end = luo_counter();
	to->token = call->token;
	to->kind = call->kind;
	to->ret = ret;
	strscpy_pad(to->name, call->compatible);
	strscpy_pad(to->session, call->session ?: "");
	luo_least_find(least, calls, sizeof(*calls));
}

/**
 * luo_recorder_call - a handler, a subsystem or shared state was called
 * @call:     what the events say about it
 * @op:       the operation
 * @ret:      what it returned, 0 or a negative errno
 * @duration: ns that it took
 *
 * Context: any that may not be interrupted by another call.
 */
void luo_recorder_call(const struct luo_call *call, enum luo_op op, int ret,
		       u64 duration)
{
	struct luo_recorder *r = &luo_recorders[luo_op_dir(op)];
	struct liveupdate_recorder_row *row;

	if (!r->part)
		return;

	row = luo_row(r, call->slot, op);
	row = row ?: luo_row(r, 0, op);
	if (row)
		luo_row_count(row, ret, duration);
	else
		luo_add(&r->part->lost_calls, 1);

	if (duration > READ_ONCE(r->calls[op].duration))
		luo_keep_call(r, call, op, ret, duration);
}

/**
 * luo_recorder_session - a session has been through a phase
 * @dir:      of the session
 * @phase:    the phase
 * @name:     of the session, with all the zeros behind it
 * @files:    it has
 * @ret:      0 or a negative errno
 * @duration: ns that it took
 *
 * Context: any.
 */
void luo_recorder_session(enum luo_dir dir, enum luo_phase phase,
			  const char *name, u64 files, int ret, u64 duration)
{
	struct luo_recorder *r = &luo_recorders[dir];
	struct luo_least *least = &r->sessions[phase];
	struct liveupdate_recorder_session *all, *to;

	static_assert(!offsetof(struct liveupdate_recorder_session, duration));

	if (!r->part || duration <= READ_ONCE(least->duration))
		return;

	guard(spinlock)(&luo_recorder_lock);

	if (duration <= least->duration)
		return;

	all = r->part->slow_sessions[phase];
	to = &all[least->at];
	to->duration = duration;
	to->end = luo_counter();
	to->files = files;
	to->ret = ret;
	memcpy(to->name, name, sizeof(to->name));
	luo_least_find(least, all, sizeof(*all));
}

/* Walks all CPUs. */
static void luo_take_memory(struct liveupdate_recorder_part *part)
{
	struct kho_counts counts;
	int i;

	for (i = 0; i < KHO_NR_COUNTS; i++) {
		counts = kho_counts(i);
		WRITE_ONCE(part->memory[i].calls, counts.calls);
		WRITE_ONCE(part->memory[i].errors, counts.errors);
		WRITE_ONCE(part->memory[i].pages, counts.pages);
	}
}

/**
 * luo_recorder_mark - a moment of a live update is reached
 * @mark: which
 *
 * Of LIVEUPDATE_MARK_OPEN the first one counts, of all others the last one.
 * LIVEUPDATE_MARK_RESTORED is set with each file, so that is all that it does.
 *
 * Context: any.
 */
void luo_recorder_mark(enum liveupdate_recorder_mark mark)
{
	enum luo_dir dir = mark >= LIVEUPDATE_MARK_START ? LUO_DIR_IN :
							   LUO_DIR_OUT;
	struct liveupdate_recorder_part *part = luo_recorders[dir].part;

	if (!part)
		return;
	if (mark == LIVEUPDATE_MARK_OPEN && READ_ONCE(part->marks[mark]))
		return;
	if (mark == LIVEUPDATE_MARK_REBOOT)
		WRITE_ONCE(part->wall_ns, ktime_get_real_ns());
	WRITE_ONCE(part->marks[mark], luo_counter());
	if (mark != LIVEUPDATE_MARK_RESTORED)
		luo_take_memory(part);
}

/**
 * luo_recorder_refresh - what KHO did in a live update that is not finished
 *
 * Context: any, when the record is set up.
 */
void luo_recorder_refresh(void)
{
	struct liveupdate_recorder_part *part = luo_recorders[LUO_DIR_IN].part;

	if (part && luo_state() == LIVEUPDATE_STATE_UPDATED)
		luo_take_memory(part);
}

/**
 * luo_recorder_failed - a reboot that came to LUO failed and is undone
 * @err: why, a negative errno
 *
 * Context: under luo_state_lock for writing.
 */
void luo_recorder_failed(int err)
{
	struct liveupdate_recorder_part *part = luo_recorders[LUO_DIR_OUT].part;
	int mark;

	if (!part)
		return;

	WRITE_ONCE(part->failed, part->failed + 1);
	WRITE_ONCE(part->failed_ret, err);
	WRITE_ONCE(part->failed_begin, part->marks[LIVEUPDATE_MARK_REBOOT]);
	WRITE_ONCE(part->failed_end, luo_counter());
	for (mark = 0; mark <= LIVEUPDATE_MARK_JUMP; mark++)
		WRITE_ONCE(part->marks[mark], 0);
}

/**
 * luo_recorder_totals - what is handed over, or came over
 * @dir:    which
 * @totals: how much
 *
 * Context: at boot, and under luo_state_lock for writing.
 */
void luo_recorder_totals(enum luo_dir dir, const struct luo_totals *totals)
{
	struct liveupdate_recorder_part *part = luo_recorders[dir].part;

	if (!part)
		return;

	WRITE_ONCE(part->sessions, totals->sessions);
	WRITE_ONCE(part->files, totals->files);
	WRITE_ONCE(part->bytes, totals->bytes);
}

/**
 * luo_recorder_give_up - an incoming session ends with this kernel
 * @name: of the session
 *
 * Context: under luo_state_lock for writing.
 */
void luo_recorder_give_up(const char *name)
{
	struct liveupdate_recorder_part *part = luo_recorders[LUO_DIR_OUT].part;

	if (!part)
		return;

	if (part->given_up < LIVEUPDATE_RECORDER_GIVEN_UP)
		strscpy(part->given_up_names[part->given_up], name);
	WRITE_ONCE(part->given_up, part->given_up + 1);
}

/**
 * luo_recorder_finished - an incoming session is finished
 * @files:   it had
 * @claimed: whether anybody had claimed it
 *
 * Context: any.
 */
void luo_recorder_finished(u64 files, bool claimed)
{
	struct liveupdate_recorder_part *part = luo_recorders[LUO_DIR_IN].part;

	if (!part)
		return;

	luo_add(claimed ? &part->finished : &part->discarded, 1);
	if (claimed && files)
		luo_add(&part->finished_files, files);
}

/**
 * luo_recorder_refused - a part of the handover is not served
 * @what:   what it is
 * @name:   its name, or its session's, or ""
 * @token:  of a file
 * @reason: a word for why
 *
 * Context: any.
 */
void luo_recorder_refused(const char *what, const char *name, u64 token,
			  const char *reason)
{
	struct liveupdate_recorder_part *part = luo_recorders[LUO_DIR_IN].part;
	struct liveupdate_recorder_refused *to;

	if (!part)
		return;

	guard(spinlock)(&luo_recorder_lock);

	if (part->nr_refused < LIVEUPDATE_RECORDER_REFUSED) {
		to = &part->refused[part->nr_refused];
		strscpy(to->what, what);
		strscpy(to->reason, reason);
		strscpy(to->name, name);
		to->token = token;
	}
	WRITE_ONCE(part->nr_refused, part->nr_refused + 1);
}

/**
 * luo_recorder_served - a part that was refused is served after all
 * @what: what it is
 * @name: its name
 *
 * Context: any. Does nothing if it was not refused, or not kept.
 */
void luo_recorder_served(const char *what, const char *name)
{
	struct liveupdate_recorder_part *part = luo_recorders[LUO_DIR_IN].part;
	struct liveupdate_recorder_refused *all;
	unsigned int i, kept;

	if (!part)
		return;

	guard(spinlock)(&luo_recorder_lock);

	all = part->refused;
	kept = min(part->nr_refused, LIVEUPDATE_RECORDER_REFUSED);
	for (i = 0; i < kept; i++) {
		if (!strcmp(all[i].what, what) && !strcmp(all[i].name, name))
			break;
	}
	if (i == kept)
		return;

	memmove(&all[i], &all[i + 1], (kept - i - 1) * sizeof(*all));
	memset(&all[kept - 1], 0, sizeof(*all));
	WRITE_ONCE(part->nr_refused, part->nr_refused - 1);
}
