// SPDX-License-Identifier: GPL-2.0

/* What calls for one file after the other do rarely; luo_run.h has the rest. */

#include "luo_call.h"
#include "luo_run.h"

typedef void (*luo_run_void_fn)(struct liveupdate_file_op_args *args);
typedef bool (*luo_run_bool_fn)(struct liveupdate_file_op_args *args);

/**
 * luo_run_begin - begin calls for files of one direction
 * @run:  the run; it need not be initialized
 * @dir:  direction of the files
 * @tool: they are incoming, and of the session of the tool that records
 *
 * luo_run_set_op() follows.
 *
 * Context: the caller owns the set of each file. A task has one run at a time, and no
 *	    other kho_account.
 */
void luo_run_begin(struct luo_run *run, enum luo_dir dir, bool tool)
{
	kho_account_begin(&run->account);
	luo_tally_begin(&run->tally, dir, tool);
	run->args.handler = NULL;
	run->args.retrieve_status = 0;
	run->nr_called = 0;
}

/**
 * luo_run_trace_calls - trace the calls that have returned and are not traced yet
 * @run: the run; its handler is still pinned
 * @ret: 0 or the negative errno of the last one
 *
 * The time that this takes is not part of the next call.
 */
void luo_run_trace_calls(struct luo_run *run, int ret)
{
	luo_emit(luo_handler_calls, luo_number(luo_op_dir(run->op)),
		 run->args.handler->compatible, run->op, ret, run->nr_called,
		 run->called_ns, run->called);
	run->nr_called = 0;
	luo_laps_restart(&run->tally.laps);
}

/* Calls of another operation or handler follow, or none. */
static void luo_run_flush(struct luo_run *run)
{
	luo_tally_flush(&run->tally);
	if (run->nr_called)
		luo_run_trace_calls(run, 0);
}

/**
 * luo_run_set_op - begin calls of one operation
 * @run: the run
 * @op:	 an operation of file handlers other than can_preserve
 */
void luo_run_set_op(struct luo_run *run, enum luo_op op)
{
	luo_run_flush(run);
	run->op = op;
	run->args.handler = NULL;
	kho_account_reset(&run->account);
}

/**
 * luo_run_end - end the calls; afterwards all of them are recorded
 * @run: the run
 */
void luo_run_end(struct luo_run *run)
{
	luo_run_flush(run);
	kho_account_end(&run->account);
}

/**
 * luo_run_set_handler - look up what the calls of a handler have in common
 * @run: the run
 * @fh:	 the handler, pinned
 *
 * The time that this takes is not part of the next call.
 */
void luo_run_set_handler(struct luo_run *run, struct liveupdate_file_handler *fh)
{
	luo_run_flush(run);
	run->args.handler = fh;
	run->fn = luo_call_fn(LUO_KIND_HANDLER, fh->ops, run->op);
	if (run->fn)
		luo_tally_set_row(&run->tally, ACCESS_PRIVATE(fh, slot), run->op);
	luo_laps_restart(&run->tally.laps);
}

/**
 * luo_run_call_void - call an operation that cannot fail
 * @run: the run; its operation is one that undoes something, or finish
 * @f:	 a file
 *
 * One that the handler does not implement is not traced and not recorded. The time since
 * the call before is not part of this one. Not inlined, as luotrace recognizes a call of a
 * handler by this function in the stack of the task.
 *
 * Context: may sleep; the caller owns the set of @f.
 */
noinline void luo_run_call_void(struct luo_run *run, struct luo_file *f)
{
	run->args.retrieve_status = f->retrieved;
	luo_laps_restart(&run->tally.laps);
	if (!luo_run_enter(run, f))
		return;
	((luo_run_void_fn)run->fn)(&run->args);
	luo_run_exit(run, f, 0, false);
}

/**
 * luo_run_call_bool - call an operation that answers yes or no
 * @run: the run; its operation is can_finish
 * @f:	 an incoming file that has found its handler
 *
 * As luo_run_call_void(); an operation that the handler does not implement says yes.
 *
 * Context: may sleep; the caller owns the set of @f.
 * Return: 0 for yes, -EBUSY for no.
 */
noinline int luo_run_call_bool(struct luo_run *run, struct luo_file *f)
{
	run->args.retrieve_status = f->retrieved;
	luo_laps_restart(&run->tally.laps);
	if (!luo_run_enter(run, f))
		return 0;
	return luo_run_exit(run, f, ((luo_run_bool_fn)run->fn)(&run->args) ? 0 : -EBUSY,
			    false);
}

/**
 * luo_run_result - keep the result of a call that failed, or follows one that did
 * @run:      the run
 * @f:	      the file
 * @ret:      0 or the negative errno of the call
 * @duration: of the call, in ns
 */
void luo_run_result(struct luo_run *run, struct luo_file *f, int ret, u64 duration)
{
	luo_file_record_result(f, run->op, ret);
	if (!ret)
		return;

	luo_tally_error(&run->tally);
	luo_emit(luo_handler_error, luo_number(f->token.set->dir), f->token.set->name,
		 f->token.token, f->fh->compatible, run->op, ret, duration);
}

/**
 * luo_run_slow - record a call that is one of the longest
 * @run:      the run
 * @f:	      the file
 * @ret:      0 or the negative errno of the call
 * @duration: of the call, in ns
 *
 * The time that this takes is not part of the next call.
 */
void luo_run_slow(struct luo_run *run, const struct luo_file *f, int ret, u64 duration)
{
	luo_tally_slow(&run->tally, f->fh, f->token.set->name, f->token.token, run->op,
		       ret, duration);
	luo_laps_restart(&run->tally.laps);
}

/**
 * luo_run_trace_enter - trace that a handler is about to be called
 * @run: the run
 * @f:	 the file
 *
 * The time that this takes is not part of the call.
 */
void luo_run_trace_enter(struct luo_run *run, const struct luo_file *f)
{
	trace_luo_handler_enter(luo_number(f->token.set->dir), f->token.set->name,
				f->token.token, f->fh->compatible, run->op);
	luo_laps_restart(&run->tally.laps);
}

/**
 * luo_run_trace_exit - trace that a handler returned
 * @run:      the run
 * @f:	      the file
 * @ret:      0 or the negative errno of the call
 * @duration: of the call, in ns
 *
 * The time that this takes is not part of the next call.
 */
void luo_run_trace_exit(struct luo_run *run, const struct luo_file *f, int ret,
			u64 duration)
{
	trace_luo_handler_exit(luo_number(f->token.set->dir), f->token.set->name,
			       f->token.token, f->fh->compatible, run->op, ret, duration);
	luo_laps_restart(&run->tally.laps);
}

/**
 * luo_run_trace_state - trace that the state of a file has changed
 * @run: the run
 * @f:	 the file
 * @old: its state before
 *
 * The time that this takes is not part of the next call.
 */
void luo_run_trace_state(struct luo_run *run, const struct luo_file *f,
			 enum luo_file_state old)
{
	trace_luo_file_state(luo_number(f->token.set->dir), f->token.set->name,
			     f->token.token, luo_file_compatible(f), old, f->state, 0);
	luo_laps_restart(&run->tally.laps);
}
