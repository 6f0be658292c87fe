/* SPDX-License-Identifier: GPL-2.0 */

/* What is rejected of the handover */

#ifndef _LINUX_LUO_REJECT_H
#define _LINUX_LUO_REJECT_H

#include <linux/types.h>

void luo_handover_trace_reject(const char *what, const char *name, u64 token,
			       const char *reason);
void luo_handover_record_reject(const char *what, const char *name, u64 token,
				const char *reason);
void luo_handover_reject(const char *what, const char *name, u64 token,
			 const char *reason);

#endif /* _LINUX_LUO_REJECT_H */
