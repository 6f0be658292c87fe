/* SPDX-License-Identifier: GPL-2.0 */

/* Collected messages */

#ifndef _LINUX_LUO_NOTICE_H
#define _LINUX_LUO_NOTICE_H

#include <linux/types.h>

void luo_notice(const char *text, const char *what, const char *reason,
		const char *name, const u64 *token);
void luo_notice_flush(void);
void luo_notice_start(void);

#endif /* _LINUX_LUO_NOTICE_H */
