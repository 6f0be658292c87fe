/* SPDX-License-Identifier: GPL-2.0 */

/* Calls of one operation for one file after the other */

#ifndef _LINUX_LUO_RUN_H
#define _LINUX_LUO_RUN_H

#include <linux/cleanup.h>

#include "kho_base.h"
#include "luo_file.h"
#include "luo_tally.h"

typedef int (*luo_run_int_fn)(struct liveupdate_file_op_args *args);

/**
 * struct luo_run - calls of one operation for one file after the other
 * @op:	     the operation
 * @fn:	     it, of the handler in @args; NULL if the handler does not implement it
 * @args:    its arguments
 * @tally:   durations of the calls, for the recorder
 * @account: pages of the calls of one file
 * @nr_called: calls that have returned without an error and are not in a
 *	     luo_handler_calls yet
 * @called_ns: their durations, in ns
 * @called:  what they were for
 *
 * A freeze is paid for by the workload, once a file. So what files have in common is
 * looked up when the handler changes, and the clock is read once a file: the end of a
 * call is the start of the next one. A call is therefore charged with some 60
 * instructions that are not its own. What takes longer between two calls restarts the
 * clock.
 */
struct luo_run {
	enum luo_op op;
	const void *fn;
	struct liveupdate_file_op_args args;
	struct luo_tally tally;
	struct kho_account account;
	unsigned int nr_called;
	u64 called_ns[LUO_CALLED_MAX];
	struct luo_called called[LUO_CALLED_MAX];
};

void luo_run_begin(struct luo_run *run, enum luo_dir dir, bool tool);
void luo_run_end(struct luo_run *run);
void luo_run_set_op(struct luo_run *run, enum luo_op op);
void luo_run_set_handler(struct luo_run *run, struct liveupdate_file_handler *fh);
void luo_run_call_void(struct luo_run *run, struct luo_file *f);
int luo_run_call_bool(struct luo_run *run, struct luo_file *f);
void luo_run_result(struct luo_run *run, struct luo_file *f, int ret, u64 duration);
void luo_run_slow(struct luo_run *run, const struct luo_file *f, int ret, u64 duration);
void luo_run_trace_enter(struct luo_run *run, const struct luo_file *f);
void luo_run_trace_exit(struct luo_run *run, const struct luo_file *f, int ret,
			u64 duration);
void luo_run_trace_calls(struct luo_run *run, int ret);
void luo_run_trace_state(struct luo_run *run, const struct luo_file *f,
			 enum luo_file_state old);

#define LUO_CALLED_NS	(10 * NSEC_PER_MSEC)	/* a longer call is traced at once */

/* Keep a call for the event of several; or not, if @f may be the last that pins its handler. */
static __always_inline void luo_run_called(struct luo_run *run, const struct luo_file *f,
					   int ret, u64 duration, bool keep)
{
	unsigned int i = run->nr_called++;

	run->called_ns[i] = duration;
	run->called[i].session = f->token.set->name;
	run->called[i].token = f->token.token;
	if (!keep || ret || run->nr_called == LUO_CALLED_MAX ||
	    duration > LUO_CALLED_NS || kho_account_used(&run->account))
		luo_run_trace_calls(run, ret);
}

/* Everything of a call but the call itself, whose prototype depends on the operation. */
static __always_inline bool luo_run_enter(struct luo_run *run, struct luo_file *f)
{
	if (unlikely(run->args.handler != f->fh))
		luo_run_set_handler(run, f->fh);
	if (!run->fn)
		return false;

	run->args.file = f->file;
	run->args.serialized_data = f->data;
	run->args.private_data = f->private;
	if (trace_luo_handler_enter_enabled())
		luo_run_trace_enter(run, f);
	return true;
}

static __always_inline int luo_run_exit(struct luo_run *run, struct luo_file *f, int ret,
					bool keep)
{
	u64 duration = luo_tally_call(&run->tally);

	if (unlikely(duration > run->tally.slow))
		luo_run_slow(run, f, ret, duration);
	if (trace_luo_handler_exit_enabled())
		luo_run_trace_exit(run, f, ret, duration);
	if (trace_luo_handler_calls_enabled())
		luo_run_called(run, f, ret, duration, keep);
	if (unlikely(kho_account_used(&run->account)))
		luo_file_charge(f, &run->account);
	/* It fails, or the one before did. */
	if (unlikely(ret | f->ret)) {
		luo_run_result(run, f, ret, duration);
		if (ret)
			return ret;
	}
	f->data = run->args.serialized_data;
	f->private = run->args.private_data;
	return 0;
}

/**
 * luo_run_int - call an operation that may fail
 * @run: the run; its operation is prepare or freeze
 * @f:	 an outgoing file
 *
 * One that the handler does not implement succeeds, is not traced and not recorded.
 *
 * Context: may sleep; the caller owns the set of @f.
 * Return: 0 or the negative errno of the operation.
 */
static __always_inline int luo_run_int(struct luo_run *run, struct luo_file *f)
{
	if (!luo_run_enter(run, f))
		return 0;
	return luo_run_exit(run, f, ((luo_run_int_fn)run->fn)(&run->args), true);
}

/* Change the state to @state and trace it. */
static __always_inline void luo_run_state(struct luo_run *run, struct luo_file *f,
					  enum luo_file_state state)
{
	enum luo_file_state old = f->state;

	WRITE_ONCE(f->state, state);
	if (trace_luo_file_state_enabled())
		luo_run_trace_state(run, f, old);
}

#endif /* _LINUX_LUO_RUN_H */
