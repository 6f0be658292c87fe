// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Calling back
 *
 * A callback of a file handler, a subsystem or an FLB is called from luo_call_run(),
 * which emits its trace events and records how long it took; luo_run.h does the same for
 * operations of file handlers that are called for all files of a set. A table
 * says which operations each of the three has and which of them are required; the
 * prototype of an operation says how to call it and what its result means.
 *
 * get_id of a file handler only reads a number and is neither traced nor recorded.
 */

#include <linux/errno.h>
#include <linux/stddef.h>

#include "luo_call.h"
#include "luo_recorder.h"
#include "luo_trace.h"

/* One type for each prototype. */
typedef int (*luo_handler_int)(struct liveupdate_file_op_args *args);
typedef void (*luo_handler_void)(struct liveupdate_file_op_args *args);
typedef bool (*luo_handler_bool)(struct liveupdate_file_op_args *args);
typedef bool (*luo_handler_file)(struct liveupdate_file_handler *fh,
				 struct file *file);
typedef int (*luo_subsystem_int)(struct liveupdate_subsystem_op_args *args);
typedef void (*luo_subsystem_void)(struct liveupdate_subsystem_op_args *args);
typedef int (*luo_flb_int)(struct liveupdate_flb_op_args *args);
typedef void (*luo_flb_void)(struct liveupdate_flb_op_args *args);

/* The same, by number; 0 is an operation that does not exist. */
enum luo_shape {
	LUO_HANDLER_INT = 1,
	LUO_HANDLER_VOID,
	LUO_HANDLER_BOOL,
	LUO_HANDLER_FILE,
	LUO_SUBSYSTEM_INT,
	LUO_SUBSYSTEM_VOID,
	LUO_FLB_INT,
	LUO_FLB_VOID,
};

/* An operation with any other prototype does not compile. */
#define LUO_SHAPE(_fn)						\
	_Generic((_fn),						\
		 luo_handler_int : LUO_HANDLER_INT,		\
		 luo_handler_void : LUO_HANDLER_VOID,		\
		 luo_handler_bool : LUO_HANDLER_BOOL,		\
		 luo_handler_file : LUO_HANDLER_FILE,		\
		 luo_subsystem_int : LUO_SUBSYSTEM_INT,		\
		 luo_subsystem_void : LUO_SUBSYSTEM_VOID,	\
		 luo_flb_int : LUO_FLB_INT,			\
		 luo_flb_void : LUO_FLB_VOID)

#define LUO_FILE_OPS		((struct liveupdate_file_ops *)NULL)
#define LUO_SUBSYSTEM_OPS	((struct liveupdate_subsystem_ops *)NULL)
#define LUO_FLB_OPS		((struct liveupdate_flb_ops *)NULL)

#define LUO_OP(_fn, _required)				\
	{						\
		.offset = (uintptr_t)&(_fn),		\
		.shape = LUO_SHAPE((typeof(_fn))NULL),	\
		.required = (_required),		\
	}

#define LUO_REQUIRED(_fn)	LUO_OP(_fn, true)
#define LUO_OPTIONAL(_fn)	LUO_OP(_fn, false)

static const struct {
	u16 offset;
	u8 shape;
	bool required;
} luo_callbacks[][LUO_NR_OPS] = {
	[LUO_KIND_HANDLER] = {
		[LUO_OP_CAN_PRESERVE] = LUO_REQUIRED(LUO_FILE_OPS->can_preserve),
		[LUO_OP_PRESERVE] = LUO_REQUIRED(LUO_FILE_OPS->preserve),
		[LUO_OP_UNPRESERVE] = LUO_REQUIRED(LUO_FILE_OPS->unpreserve),
		[LUO_OP_PREPARE] = LUO_OPTIONAL(LUO_FILE_OPS->prepare),
		[LUO_OP_CANCEL] = LUO_OPTIONAL(LUO_FILE_OPS->cancel),
		[LUO_OP_FREEZE] = LUO_OPTIONAL(LUO_FILE_OPS->freeze),
		[LUO_OP_UNFREEZE] = LUO_OPTIONAL(LUO_FILE_OPS->unfreeze),
		[LUO_OP_RETRIEVE] = LUO_REQUIRED(LUO_FILE_OPS->retrieve),
		[LUO_OP_CAN_FINISH] = LUO_OPTIONAL(LUO_FILE_OPS->can_finish),
		[LUO_OP_FINISH] = LUO_REQUIRED(LUO_FILE_OPS->finish),
	},
	[LUO_KIND_SUBSYSTEM] = {
		[LUO_OP_PREPARE] = LUO_REQUIRED(LUO_SUBSYSTEM_OPS->prepare),
		[LUO_OP_CANCEL] = LUO_OPTIONAL(LUO_SUBSYSTEM_OPS->cancel),
		[LUO_OP_FREEZE] = LUO_OPTIONAL(LUO_SUBSYSTEM_OPS->freeze),
		[LUO_OP_UNFREEZE] = LUO_OPTIONAL(LUO_SUBSYSTEM_OPS->unfreeze),
		[LUO_OP_BOOT] = LUO_REQUIRED(LUO_SUBSYSTEM_OPS->boot),
		[LUO_OP_FINISH] = LUO_OPTIONAL(LUO_SUBSYSTEM_OPS->finish),
	},
	[LUO_KIND_FLB] = {
		[LUO_OP_PRESERVE] = LUO_REQUIRED(LUO_FLB_OPS->preserve),
		[LUO_OP_UNPRESERVE] = LUO_REQUIRED(LUO_FLB_OPS->unpreserve),
		[LUO_OP_RETRIEVE] = LUO_REQUIRED(LUO_FLB_OPS->retrieve),
		[LUO_OP_FINISH] = LUO_REQUIRED(LUO_FLB_OPS->finish),
	},
};

/**
 * luo_call_fn - find the function of an operation
 * @kind: whose operations
 * @ops:  its operations structure
 * @op:   one that @kind knows
 *
 * Return: the function, or NULL if @ops has none.
 */
const void *luo_call_fn(enum luo_kind kind, const void *ops, enum luo_op op)
{
	return *(const void **)(ops + luo_callbacks[kind][op].offset);
}

/**
 * luo_call_has - check whether an operation is implemented
 * @kind: whose operations
 * @ops:  its operations structure
 * @op:   one that @kind knows
 *
 * Return: true if it is.
 */
bool luo_call_has(enum luo_kind kind, const void *ops, enum luo_op op)
{
	return luo_call_fn(kind, ops, op);
}

/**
 * luo_call_has_required - check whether all required operations are implemented
 * @kind: whose operations
 * @ops:  its operations structure
 *
 * Return: true if they are.
 */
bool luo_call_has_required(enum luo_kind kind, const void *ops)
{
	enum luo_op op;

	for (op = 0; op < LUO_NR_OPS; op++) {
		if (luo_callbacks[kind][op].required &&
		    !luo_call_has(kind, ops, op))
			return false;
	}
	return true;
}

static u64 luo_call_enter(const struct luo_call *call, enum luo_op op)
{
	switch (call->kind) {
	case LUO_KIND_HANDLER:
		luo_emit(luo_handler_enter, luo_number(luo_op_dir(op)),
			 call->session, call->token, call->compatible, op);
		break;
	case LUO_KIND_SUBSYSTEM:
		luo_emit(luo_subsystem_enter, luo_number(luo_op_dir(op)),
			 call->compatible, op);
		break;
	case LUO_KIND_FLB:
		luo_emit(luo_flb_enter, luo_number(luo_op_dir(op)),
			 call->compatible, op);
		break;
	}
	return luo_recorder_enter(call, op);
}

static void luo_call_exit(const struct luo_call *call, enum luo_op op, int ret,
			  u64 start)
{
	u64 duration = luo_recorder_exit(call, op, ret, start);

	switch (call->kind) {
	case LUO_KIND_HANDLER:
		luo_emit(luo_handler_exit, luo_number(luo_op_dir(op)),
			 call->session, call->token, call->compatible, op, ret,
			 duration);
		luo_emit(luo_handler_calls, luo_number(luo_op_dir(op)), call->compatible,
			 op, ret, 1, &duration,
			 &(const struct luo_called){ call->session, call->token });
		if (unlikely(ret))
			luo_emit(luo_handler_error, luo_number(luo_op_dir(op)),
				 call->session, call->token, call->compatible, op, ret,
				 duration);
		break;
	case LUO_KIND_SUBSYSTEM:
		luo_emit(luo_subsystem_exit, luo_number(luo_op_dir(op)),
			 call->compatible, op, ret, duration);
		break;
	case LUO_KIND_FLB:
		luo_emit(luo_flb_exit, luo_number(luo_op_dir(op)),
			 call->compatible, op, ret, duration);
		break;
	}
}

/**
 * luo_call_run - call an operation
 * @call: what it is called for; @call->kind says whose operation it is
 * @op:   an operation that is implemented
 * @ops:  the operations structure
 * @self: the file handler for can_preserve; else not used
 * @arg:  &struct liveupdate_file_op_args of a file handler, or the file for
 *	  can_preserve; &struct liveupdate_subsystem_op_args of a subsystem;
 *	  &struct liveupdate_flb_op_args of an FLB
 *
 * luo_call_handler(), luo_call_can_preserve(), luo_call_subsystem() and luo_call_flb()
 * call it with arguments of the right type. Not inlined, as luotrace looks for it in
 * the stack of a task.
 *
 * Context: may sleep.
 * Return: 0 or the negative errno of the operation; for a false -ENOENT from
 *	   can_preserve, -EBUSY from can_finish.
 */
noinline int luo_call_run(const struct luo_call *call, enum luo_op op, const void *ops,
			  void *self, void *arg)
{
	const void *fn = luo_call_fn(call->kind, ops, op);
	int ret = 0;
	u64 start;

	start = luo_call_enter(call, op);
	switch (luo_callbacks[call->kind][op].shape) {
	case LUO_HANDLER_INT:
		ret = ((luo_handler_int)fn)(arg);
		break;
	case LUO_HANDLER_VOID:
		((luo_handler_void)fn)(arg);
		break;
	case LUO_HANDLER_BOOL:
		ret = ((luo_handler_bool)fn)(arg) ? 0 : -EBUSY;
		break;
	case LUO_HANDLER_FILE:
		ret = ((luo_handler_file)fn)(self, arg) ? 0 : -ENOENT;
		break;
	case LUO_SUBSYSTEM_INT:
		ret = ((luo_subsystem_int)fn)(arg);
		break;
	case LUO_SUBSYSTEM_VOID:
		((luo_subsystem_void)fn)(arg);
		break;
	case LUO_FLB_INT:
		ret = ((luo_flb_int)fn)(arg);
		break;
	case LUO_FLB_VOID:
		((luo_flb_void)fn)(arg);
		break;
	}
	luo_call_exit(call, op, ret, start);

	return ret;
}

/**
 * luo_call_subsystem - call an operation of a subsystem
 * @subsystem: the subsystem
 * @op:        the operation; an optional one that is NULL succeeds and is not traced
 * @data:      the value that the subsystem hands over; changed if the operation
 *	       succeeds
 * @private:   its private data; changed if the operation succeeds
 *
 * Context: may sleep, under luo_state_lock for writing.
 * Return: 0 or the negative errno of the operation.
 */
int luo_call_subsystem(struct liveupdate_subsystem *subsystem, enum luo_op op,
		       u64 *data, void **private)
{
	struct liveupdate_subsystem_op_args args = {
		.subsystem = subsystem,
		.serialized_data = *data,
		.private_data = *private,
	};
	struct luo_call call = {
		.kind = LUO_KIND_SUBSYSTEM,
		.compatible = subsystem->name,
	};
	int err;

	if (!luo_call_has(LUO_KIND_SUBSYSTEM, subsystem->ops, op))
		return 0;
	call.slot = luo_recorder_slot(call.kind, call.compatible);
	err = luo_call_run(&call, op, subsystem->ops, subsystem, &args);
	if (err)
		return err;

	*data = args.serialized_data;
	*private = args.private_data;
	return 0;
}

/**
 * luo_call_flb - call an operation of an FLB
 * @flb:  the FLB
 * @op:   the operation
 * @data: the value that the FLB hands over; changed if the operation succeeds
 * @obj:  its object; changed if the operation succeeds
 *
 * Context: may sleep, under the lock of @flb for the direction of @op.
 * Return: 0 or the negative errno of the operation.
 */
int luo_call_flb(struct liveupdate_flb *flb, enum luo_op op, u64 *data,
		 void **obj)
{
	struct liveupdate_flb_op_args args = {
		.flb = flb,
		.data = *data,
		.obj = *obj,
	};
	const struct luo_call call = {
		.kind = LUO_KIND_FLB,
		.slot = luo_recorder_slot(LUO_KIND_FLB, flb->compatible),
		.compatible = flb->compatible,
	};
	int err;

	err = luo_call_run(&call, op, flb->ops, flb, &args);
	if (err)
		return err;

	*data = args.data;
	*obj = args.obj;
	return 0;
}
