// SPDX-License-Identifier: GPL-2.0

#include "luo_call.h"
#include "luo_recorder.h"
#include "luo_trace.h"

/**
 * luo_call_enter - a handler, a subsystem or shared state is about to be called
 * @call: who is called for what
 * @op:   the operation
 *
 * Return: when that is, for luo_call_exit().
 */
u64 luo_call_enter(const struct luo_call *call, enum luo_op op)
{
	switch (call->kind) {
	case LUO_KIND_HANDLER:
		luo_emit(luo_handler_enter, call->number, call->session,
			 call->token, call->compatible, op);
		break;
	case LUO_KIND_SUBSYSTEM:
		luo_emit(luo_subsystem_enter, call->number, call->compatible,
			 op);
		break;
	case LUO_KIND_FLB:
		luo_emit(luo_flb_enter, call->number, call->compatible, op);
		break;
	}
	return luo_recorder_enter(call, op);
}

/**
 * luo_call_exit - it returned
 * @call:  as given to luo_call_enter()
 * @op:    the operation
 * @ret:   0 or a negative errno
 * @start: what luo_call_enter() returned
 */
void luo_call_exit(const struct luo_call *call, enum luo_op op, int ret,
		   u64 start)
{
	u64 duration = luo_recorder_exit(call, op, ret, start);

	switch (call->kind) {
	case LUO_KIND_HANDLER:
		luo_emit(luo_handler_exit, call->number, call->session,
			 call->token, call->compatible, op, ret, duration);
		break;
	case LUO_KIND_SUBSYSTEM:
		luo_emit(luo_subsystem_exit, call->number, call->compatible, op,
			 ret, duration);
		break;
	case LUO_KIND_FLB:
		luo_emit(luo_flb_exit, call->number, call->compatible, op, ret,
			 duration);
		break;
	}
}
