/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The steps of outgoing files in which handlers may fail. Inlined, as reboot() makes them
 * for each file.
 */

#ifndef _LINUX_LUO_FILE_STEP_H
#define _LINUX_LUO_FILE_STEP_H

#include "luo_run.h"

/**
 * struct luo_file_step - a step that all files of a set make together
 * @op:	      operation of the step
 * @rollback: operation that undoes it
 * @from:     state of the files before it
 * @to:	      state of the files after it
 * @last:     the value that is handed over does not change after it
 */
struct luo_file_step {
	enum luo_op op;
	enum luo_op rollback;
	enum luo_file_state from;
	enum luo_file_state to;
	bool last;
};

extern const struct luo_file_step luo_file_prepare;

static const struct luo_file_step luo_file_freeze = {
	LUO_OP_FREEZE, LUO_OP_UNFREEZE, LUO_FILE_PREPARED, LUO_FILE_FROZEN,
	true
};

void luo_file_failed(struct luo_file *f, int err);
int luo_file_step_apart(struct luo_file *f, const struct luo_file_step *step,
			struct luo_run *run);
void luo_file_step_failed(struct luo_file_set *set, struct luo_file *f,
			  const struct luo_file_step *step, struct luo_run *run, int err);

/* Check that nothing has changed since the record was completed. */
static __always_inline bool luo_file_sealed(const struct luo_file *f)
{
	return f->record->data == f->data &&
	       !(f->attr && luo_attr_changed(f->file, &f->seen));
}

static __always_inline int luo_file_step_make(struct luo_file *f,
					      const struct luo_file_step *step,
					      struct luo_run *run)
{
	int err;

	if (unlikely(f->state != step->from))
		return luo_file_step_apart(f, step, run);
	err = luo_run_int(run, f);
	if (likely(!err))
		luo_run_state(run, f, step->to);
	return err;
}

/**
 * luo_file_set_make - make a step with all files that have not made it
 * @set:  an outgoing set, in the state before @step
 * @step: the step
 * @run:  a run of its operation
 *
 * Context: the caller owns @set. If it fails, @run is one of the rollback.
 * Return: 0; or what a handler returned, and all files are as before.
 */
static __always_inline int luo_file_set_make(struct luo_file_set *set,
					     const struct luo_file_step *step,
					     struct luo_run *run)
{
	struct luo_file *f;
	int err;

	luo_file_set_assert_owned(set);

	list_for_each_entry(f, &set->files, list) {
		err = luo_file_step_make(f, step, run);
		if (unlikely(err)) {
			luo_file_step_failed(set, f, step, run, err);
			return err;
		}
		if (step->last && unlikely(!luo_file_sealed(f)))
			luo_file_seal(f);
	}
	return 0;
}

/**
 * luo_file_set_freeze - make the state of all files final
 * @set: a prepared set
 * @run: a run of LUO_OP_FREEZE
 *
 * Their records are final afterwards.
 *
 * Context: the caller owns @set. If it fails, @run is one of the rollback.
 * Return: 0; or what the freeze of a handler returned, and all files are as before.
 */
static __always_inline int luo_file_set_freeze(struct luo_file_set *set,
					       struct luo_run *run)
{
	return luo_file_set_make(set, &luo_file_freeze, run);
}

#endif /* _LINUX_LUO_FILE_STEP_H */
