/* SPDX-License-Identifier: GPL-2.0 */

/* The way out to the callbacks of handlers, subsystems and FLBs. */

#ifndef _LINUX_LUO_CALL_H
#define _LINUX_LUO_CALL_H

#include "luo_internal.h"

u64 luo_call_enter(const struct luo_call *call, enum luo_op op);
void luo_call_exit(const struct luo_call *call, enum luo_op op, int ret,
		   u64 start);

#endif /* _LINUX_LUO_CALL_H */
