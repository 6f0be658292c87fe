/* SPDX-License-Identifier: GPL-2.0 */

/* Reading and writing the handover */

#ifndef _LINUX_LUO_HANDOVER_H
#define _LINUX_LUO_HANDOVER_H

#include "luo_array.h"
#include "luo_internal.h"

/**
 * struct luo_value - value that a subsystem hands over
 * @name: name of the subsystem; belongs to it
 * @data: its value
 */
struct luo_value {
	const char *name;
	u64 data;
};

/**
 * struct luo_contents - contents of table and tree
 * @sessions:  array of the sessions
 * @flbs:      array of the FLBs
 * @values:    values of the subsystems
 * @nr_values: number of these values
 */
struct luo_contents {
	struct luo_array sessions;
	struct luo_array flbs;
	struct luo_value values[LIVEUPDATE_SUBSYSTEM_MAX];
	unsigned int nr_values;
};

/* Called for the value of each subsystem; returns why it is rejected, or NULL. */
typedef const char *(*luo_value_fn)(const char *name, u64 data);

int luo_handover_read(struct luo_array *sessions, struct luo_array *flbs);
void luo_handover_read_values(luo_value_fn fn);
int luo_handover_init_out(void);
void luo_handover_exit_out(void);
int luo_handover_serialize(const struct luo_contents *contents);
void luo_handover_forget_values(void);
u64 luo_handover_bytes_in(void);
u64 luo_handover_bytes_out(void);
void *luo_handover_fdt(void);
struct luo_ser *luo_handover_ser(void);
#if IS_ENABLED(CONFIG_KUNIT)
bool luo_fdt_check(const void *fdt, size_t size);
const char *luo_fdt_u64(const void *fdt, int node, const char *prop, u64 *val);
#endif

#endif /* _LINUX_LUO_HANDOVER_H */
