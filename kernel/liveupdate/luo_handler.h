/* SPDX-License-Identifier: GPL-2.0 */

/* Which file handlers are registered. */

#ifndef _LINUX_LUO_HANDLER_H
#define _LINUX_LUO_HANDLER_H

#include "luo_internal.h"

int luo_handler_register(struct liveupdate_file_handler *fh);
void luo_handler_unregister(struct liveupdate_file_handler *fh);
bool luo_handler_registered(const struct liveupdate_file_handler *fh);
struct liveupdate_file_handler *luo_handler_get_for(struct luo_call *call,
						    struct file *file);
struct liveupdate_file_handler *luo_handler_get(const char *compatible);
void luo_handler_put(struct liveupdate_file_handler *fh);

#endif /* _LINUX_LUO_HANDLER_H */
