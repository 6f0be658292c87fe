/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The steps of outgoing sessions in which handlers may fail. Inlined, as reboot() makes
 * them for each session.
 */

#ifndef _LINUX_LUO_SESSION_STEP_H
#define _LINUX_LUO_SESSION_STEP_H

#include "luo_recorder.h"
#include "luo_run.h"
#include "luo_session.h"

/**
 * struct luo_session_step - a step of an outgoing session
 * @phase: its phase
 * @op:	   operation of the handlers
 * @files: makes the step with the files
 * @to:	   state of the session after it
 * @event: the event that it is made for
 */
struct luo_session_step {
	enum luo_phase phase;
	enum luo_op op;
	int (*files)(struct luo_file_set *set, struct luo_run *run);
	enum liveupdate_state to;
	enum liveupdate_event event;
};

static const struct luo_session_step luo_session_prepare = {
	LUO_PHASE_PREPARE, LUO_OP_PREPARE, luo_file_set_prepare,
	LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_PREPARE
};

/**
 * luo_session_make - make a step with a session and change its state
 * @session: the session, in the state before @step
 * @step:    the step
 * @run:     a run of its operation
 *
 * Context: the caller owns the session. If it fails, @run is one of the rollback.
 * Return: 0; or what a handler returned, and the session is as before.
 */
static __always_inline int luo_session_make(struct luo_session *session,
					    const struct luo_session_step *step,
					    struct luo_run *run)
{
	struct luo_laps *laps = &run->tally.laps;
	u64 files = session->files.count, began, duration;
	int err;

	luo_emit(luo_phase_begin, luo_number(LUO_DIR_OUT), LUO_SCOPE_SESSION,
		 session->name, step->phase, 1, files, 0);
	luo_laps_restart(laps);
	began = laps->last;
	err = step->files(&session->files, run);
	/* Without files nothing is called. */
	if (files) {
		luo_laps_restart(laps);
		duration = luo_laps_since(laps, began);
		if (unlikely(luo_tally_slow_session(&run->tally, step->phase, duration)))
			luo_recorder_session(LUO_DIR_OUT, step->phase, session->name,
					     files, err, duration);
	}
	luo_emit(luo_phase_end, luo_number(LUO_DIR_OUT), LUO_SCOPE_SESSION,
		 session->name, step->phase, 1, files, err);
	luo_session_change_state(session, err ? session->state : step->to, step->event,
				 err);
	return err;
}

#endif /* _LINUX_LUO_SESSION_STEP_H */
