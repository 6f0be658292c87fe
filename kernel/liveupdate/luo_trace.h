/* SPDX-License-Identifier: GPL-2.0 */

/* Trace events, and the number that all of them record */

#ifndef _LINUX_LUO_TRACE_H
#define _LINUX_LUO_TRACE_H

#include "luo_internal.h"

/* Emit a trace event; the arguments are not evaluated while the event is disabled. */
#define luo_emit(event, ...)						\
do {									\
	if (trace_##event##_enabled())					\
		trace_##event(__VA_ARGS__);				\
} while (0)

u64 luo_number(enum luo_dir dir);
void luo_number_init(u64 number);

#endif /* _LINUX_LUO_TRACE_H */
