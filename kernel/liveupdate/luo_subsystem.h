/* SPDX-License-Identifier: GPL-2.0 */

/* Parts of the kernel with state that is not in files. */

#ifndef _LINUX_LUO_SUBSYSTEM_H
#define _LINUX_LUO_SUBSYSTEM_H

#include <linux/types.h>

struct luo_contents;
struct module;

void luo_subsystem_checkpoint_all(void);
int luo_subsystem_prepare_all(void);
int luo_subsystem_freeze_all(void);
void luo_subsystem_unfreeze_all(void);
void luo_subsystem_rollback_all(void);
void luo_subsystem_cancel_all(void);
void luo_subsystem_serialize_all(struct luo_contents *contents, enum liveupdate_state state);
void luo_subsystem_deserialize_all(void);
void luo_subsystem_report_all(void);
void luo_subsystem_finish_all(void);
void luo_subsystem_give_up_all(void);
void luo_subsystem_module_live(const struct module *module);

#if IS_ENABLED(CONFIG_KUNIT)
extern bool luo_subsystems_over;
const char *luo_subsystem_deserialize(const char *name, u64 data);
#endif

#endif /* _LINUX_LUO_SUBSYSTEM_H */
