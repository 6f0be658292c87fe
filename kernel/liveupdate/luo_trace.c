// SPDX-License-Identifier: GPL-2.0

#include <linux/string.h>
#include <linux/string_helpers.h>

#define CREATE_TRACE_POINTS
#include "luo_internal.h"

/*
 * What would let a name from user space look like another field of the event
 * or break its line is recorded as an octal escape.
 */
#define LUO_TRACE_ESCAPE	(ESCAPE_SPACE | ESCAPE_SPECIAL | ESCAPE_NAP | \
				 ESCAPE_APPEND | ESCAPE_OCTAL)
#define LUO_TRACE_ESCAPE_ALSO	" =\"'\\"

/**
 * luo_trace_name_size - bytes that a name takes in a trace event
 * @name: the name
 *
 * Return: size of its escaped form with the terminating zero.
 */
size_t luo_trace_name_size(const char *name)
{
	return string_escape_mem(name, strlen(name), NULL, 0, LUO_TRACE_ESCAPE,
				 LUO_TRACE_ESCAPE_ALSO) + 1;
}

/**
 * luo_trace_name - write the escaped form of a name
 * @to:   room for luo_trace_name_size() bytes
 * @name: the name, the same as given there
 */
void luo_trace_name(char *to, const char *name)
{
	int len = string_escape_mem(name, strlen(name), to,
				    luo_trace_name_size(name) - 1,
				    LUO_TRACE_ESCAPE, LUO_TRACE_ESCAPE_ALSO);

	to[len] = '\0';
}

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
