/* SPDX-License-Identifier: GPL-2.0 */

/* What the KUnit suites of LUO have in common. */

#ifndef _LINUX_LUO_KUNIT_H
#define _LINUX_LUO_KUNIT_H

#include <linux/types.h>

struct file;
struct kunit;
struct liveupdate_file_handler;
struct liveupdate_file_op_args;
struct liveupdate_file_ops;
struct luo_file_set;

/* More than fits into one block of records */
#define LUO_KUNIT_MANY	300

int luo_kunit_init(struct kunit *test);

bool luo_kunit_can_preserve(struct liveupdate_file_handler *fh,
			    struct file *file);
int luo_kunit_succeed(struct liveupdate_file_op_args *args);
void luo_kunit_ignore(struct liveupdate_file_op_args *args);

extern const struct liveupdate_file_ops luo_kunit_ops;

void luo_kunit_register(struct kunit *test, struct liveupdate_file_handler *fh);
struct luo_file_set *luo_kunit_set(struct kunit *test, const char *name);
int luo_kunit_preserve(struct luo_file_set *set, u64 token);

#endif /* _LINUX_LUO_KUNIT_H */
