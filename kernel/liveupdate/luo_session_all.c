// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: All sessions
 *
 * What global transitions do with all outgoing or all incoming sessions. Everything
 * here owns the sessions: it runs under luo_state_lock for writing, or at boot.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "luo_file_step.h"
#include "luo_handover.h"
#include "luo_notice.h"
#include "luo_recorder.h"
#include "luo_seal.h"
#include "luo_session.h"
#include "luo_session_step.h"

/**
 * luo_session_count - count sessions
 * @dir: outgoing or incoming
 *
 * Return: their number, stable only under luo_state_lock for writing.
 */
u64 luo_session_count(enum luo_dir dir)
{
	return READ_ONCE(luo_sessions[dir].count);
}

/**
 * luo_session_count_agents - count incoming sessions without LIVEUPDATE_RECORDER_SESSION
 *
 * Return: their number; it only decreases.
 */
u64 luo_session_count_agents(void)
{
	return READ_ONCE(luo_sessions[LUO_DIR_IN].agents);
}

/**
 * luo_session_checkpoint_all - make the current states those to roll back to
 *
 * Context: under luo_state_lock for writing, after a transition that succeeded.
 */
void luo_session_checkpoint_all(void)
{
	struct luo_session *session;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry(session, &luo_sessions[LUO_DIR_OUT].list, list) {
		/* Files of one that was as far before may be behind it. */
		if (session->rollback_state == session->state)
			continue;
		session->rollback_state = session->state;
		luo_file_set_join(&session->files,
				  luo_session_files_state(session->state));
	}
}

/**
 * luo_session_prepare_all - prepare the outgoing sessions that are NORMAL
 *
 * Context: under luo_state_lock for writing. luo_session_rollback_all() undoes it, even
 *	    if it fails half-way.
 * Return: 0, or the error of a handler's prepare.
 */
int luo_session_prepare_all(void)
{
	struct luo_run run __uninitialized;
	struct luo_session *session;
	int err = 0;

	lockdep_assert_held_write(&luo_state_lock);

	luo_run_begin(&run, LUO_DIR_OUT, false);
	luo_run_set_op(&run, LUO_OP_PREPARE);
	list_for_each_entry(session, &luo_sessions[LUO_DIR_OUT].list, list) {
		if (session->state != LIVEUPDATE_STATE_NORMAL)
			continue;
		err = luo_session_make(session, &luo_session_prepare, &run);
		if (err)
			break;
	}
	luo_run_end(&run);
	return err;
}

/* Context: with the session frozen. */
static void luo_session_serialize(const struct luo_session *session,
				  struct luo_session_ser *ser)
{
	u64 *words = luo_session_words(ser);
	struct luo_array files;

	luo_array_from_blocks(&session->files.blocks, session->files.count,
			      &files);
	memcpy(ser->name, session->name, sizeof(ser->name));
	ser->file_set_ser.files = files.data;
	ser->file_set_ser.count = files.count;
	words[0] = luo_sum(session->sum, files.data, files.count, session->files.pages, 0);
	words[1] = session->files.pages;
}

/* Inlines what is done with each file. */
static const struct luo_session_step luo_session_freeze_inlined = {
	LUO_PHASE_FREEZE, LUO_OP_FREEZE, luo_file_set_freeze,
	LIVEUPDATE_STATE_FROZEN, LIVEUPDATE_FREEZE
};

/*
 * Freeze the PREPARED sessions and serialize all. Adds to @totals. luotrace recognizes
 * calls of handlers by luo_..._call_...(), hence noinline.
 */
static noinline int luo_session_call_freeze(struct luo_session_set *set,
					    struct luo_run *run,
					    struct luo_totals *totals)
{
	struct luo_session *session;
	struct kho_block_set_it it;
	u64 blocks = 0;
	int err;

	kho_block_set_it_init(&it, &set->blocks);
	list_for_each_entry(session, &set->list, list) {
		if (session->state == LIVEUPDATE_STATE_PREPARED) {
			err = luo_session_make(session, &luo_session_freeze_inlined, run);
			if (err)
				return err;
		}
		/* Create reserved a record for each session. */
		luo_session_serialize(session, kho_block_set_it_reserve_entry(&it));
		totals->files += session->files.count;
		blocks += session->files.blocks.nblocks;
	}
	totals->bytes += blocks * KHO_BLOCK_SIZE;
	return 0;
}

static void luo_session_seal(struct luo_session_set *set, struct luo_array *array)
{
	luo_seal_blocks(&set->blocks, LUO_DIR_OUT, LUO_ARRAY_SESSIONS, "");
	luo_array_from_blocks(&set->blocks, set->count, array);
}

/**
 * luo_session_serialize_ahead - seal the blocks of the outgoing sessions
 * @array: set to where the records will be
 *
 * Their records are written by luo_session_freeze_all().
 *
 * Context: under luo_state_lock for writing.
 */
void luo_session_serialize_ahead(struct luo_array *array)
{
	struct luo_session_set *set = &luo_sessions[LUO_DIR_OUT];
	struct kho_block_set_it it;
	u64 i;

	lockdep_assert_held_write(&luo_state_lock);

	kho_block_set_it_init(&it, &set->blocks);
	for (i = 0; i < set->count; i++)
		kho_block_set_it_reserve_entry(&it);
	luo_session_seal(set, array);
}

/**
 * luo_session_freeze_all - freeze the PREPARED outgoing sessions and serialize all
 * @array:  set to where the records are
 * @totals: set to how much is handed over
 *
 * A single walk does both: the record needs the cache lines that the freeze touched.
 *
 * Context: after luo_session_prepare_all(), under luo_state_lock for writing.
 *	    luo_session_rollback_all() undoes both, even if it fails half-way.
 * Return: 0, or the error of a handler's freeze.
 */
int luo_session_freeze_all(struct luo_array *array, struct luo_totals *totals)
{
	struct luo_session_set *set = &luo_sessions[LUO_DIR_OUT];
	struct luo_totals sum = {
		.sessions = set->count,
		.bytes = luo_handover_bytes_out() + set->blocks.nblocks * KHO_BLOCK_SIZE,
	};
	struct luo_run run __uninitialized;
	int err;

	lockdep_assert_held_write(&luo_state_lock);

	luo_run_begin(&run, LUO_DIR_OUT, false);
	luo_run_set_op(&run, LUO_OP_FREEZE);
	err = luo_session_call_freeze(set, &run, &sum);
	luo_run_end(&run);
	if (err)
		return err;

	*totals = sum;
	luo_session_seal(set, array);
	return 0;
}

/**
 * luo_session_rollback_all - roll the outgoing sessions back, last first, to the states
 * before the global transition
 *
 * Context: under luo_state_lock for writing.
 */
void luo_session_rollback_all(void)
{
	struct luo_session *session;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry_reverse(session, &luo_sessions[LUO_DIR_OUT].list, list)
		luo_session_rollback(session, session->rollback_state);
}

/**
 * luo_session_cancel_all - roll all outgoing sessions back to NORMAL, last first
 *
 * Context: under luo_state_lock for writing.
 */
void luo_session_cancel_all(void)
{
	struct luo_session *session;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry_reverse(session, &luo_sessions[LUO_DIR_OUT].list, list) {
		luo_session_cancel(session);
		session->rollback_state = LIVEUPDATE_STATE_NORMAL;
	}
}

/* Context: under the session's lock. */
static int luo_session_finish_or_discard(struct luo_session *session)
{
	u64 retrieved = session->files.retrieved;
	u64 files = session->files.count;
	int err;

	err = __luo_session_finish(session);
	if (err || session->claimed)
		return err;

	luo_notice("discarded, it was never claimed", "session", NULL,
		   session->name, NULL);
	luo_session_leak(session, LUO_LEAK_DISCARDED, files, retrieved);
	return 0;
}

/**
 * luo_session_finish_all - finish the claimed incoming sessions, discard the others
 *
 * Context: under luo_state_lock for writing.
 * Return: 0 if none is left, or -EBUSY if some cannot finish yet.
 */
int luo_session_finish_all(void)
{
	struct luo_session *session, *next;
	int err = 0, failed;
	bool claimed;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry_safe(session, next, &luo_sessions[LUO_DIR_IN].list,
				 list) {
		claimed = session->claimed;
		scoped_guard(mutex, &session->files.lock)
			failed = luo_session_finish_or_discard(session);
		if (failed)
			err = failed;
		else if (!claimed)
			luo_session_free(session);
	}
	return err;
}

/**
 * luo_session_give_up_all - give up the incoming sessions, which end with this kernel
 *
 * Context: under luo_state_lock for writing, when kexec is certain, or live update is turned
 *	    off at boot.
 */
void luo_session_give_up_all(void)
{
	struct luo_session *session;

	lockdep_assert_held_write(&luo_state_lock);

	list_for_each_entry(session, &luo_sessions[LUO_DIR_IN].list, list) {
		if (!session->files.tool)
			luo_recorder_give_up(session->name);
		if (session->claimed)
			luo_session_restore_end(session, -ECANCELED);
		luo_file_set_give_up(&session->files);
		luo_session_leak(session, LUO_LEAK_GIVEN_UP,
				 session->files.count,
				 session->files.retrieved);
	}
	/* One line for all of them: a serial console prolongs the blackout. */
	if (luo_session_count(LUO_DIR_IN))
		pr_warn("%llu unfinished sessions are given up\n",
			luo_session_count(LUO_DIR_IN));
}

/* Only the previous kernel knows how many pages are preserved for the files. */
static u64 luo_session_pages(const u64 *words)
{
	/* totalram_pages() does not count what is still preserved. */
	return words && words[1] <= get_num_physpages() ? words[1] : LUO_PAGES_UNKNOWN;
}

static const char *luo_session_deserialize(const void *record, const u64 *words,
					   void *data)
{
	const struct luo_session_ser *ser = record;
	const struct luo_array files = {
		.data = ser->file_set_ser.files,
		.count = ser->file_set_ser.count,
		.plain = !words,
	};
	struct luo_totals *totals = data;
	struct luo_session *session;
	struct luo_blocks blocks;
	int err;

	if (!luo_string_ok(ser->name, sizeof(ser->name)))
		return "bad-name";

	session = luo_session_alloc(ser->name, LUO_DIR_IN);
	err = session ? luo_session_add(session) : -ENOMEM;
	if (err) {
		if (session)
			luo_session_free(session);
		return err == -EEXIST ? "duplicate-name" : "no-memory";
	}

	scoped_guard(mutex, &session->files.lock)
		blocks = luo_file_set_deserialize(&session->files, &files);
	session->files.pages = luo_session_pages(words);
	luo_emit(luo_session_create, luo_number(LUO_DIR_IN), session->name, LUO_DIR_IN,
		 session->state, session->files.count, 0);

	totals->sessions++;
	totals->files += session->files.count;
	totals->orphans += session->files.orphans;
	luo_totals_add_blocks(totals, &blocks);
	/* None of its files is known, so nothing restores what they preserved. */
	if (files.count && !session->files.count &&
	    session->files.pages != LUO_PAGES_UNKNOWN)
		totals->reserved += session->files.pages;
	return NULL;
}

/**
 * luo_session_deserialize_all - make the incoming sessions from their records
 * @array:  where the records are; their memory is freed if it is proven
 * @totals: what was handed over is added to it
 *
 * Records that are not valid are reported and skipped.
 *
 * Context: once, at boot.
 */
void luo_session_deserialize_all(const struct luo_array *array, struct luo_totals *totals)
{
	struct luo_blocks blocks;

	blocks = luo_array_read(array, LUO_ARRAY_SESSIONS, "",
				luo_session_deserialize, totals);
	luo_totals_add_blocks(totals, &blocks);
	luo_session_find_device();
}
