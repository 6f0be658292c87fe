/* SPDX-License-Identifier: GPL-2.0 */

/* The global state. */

#ifndef _LINUX_LUO_STATE_H
#define _LINUX_LUO_STATE_H

#include "luo_internal.h"

void luo_state_init_updated(void);
void luo_state_init_done(void);
void luo_state_init_normal(void);
int luo_state_event(u32 event);
void luo_state_trace_reject(u32 event, int ret);
void luo_state_check_over(void);
void luo_state_check_finished(void);

#endif /* _LINUX_LUO_STATE_H */
