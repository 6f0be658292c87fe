/* SPDX-License-Identifier: GPL-2.0 */

/* Shared by the files of the test handler. */

#ifndef _LINUX_LUO_TEST_H
#define _LINUX_LUO_TEST_H

#include <uapi/linux/liveupdate_test.h>

struct liveupdate_file_handler;

/**
 * struct luo_test_op - behaviour of one operation of one target
 * @delay_us: microseconds that each call sleeps
 * @error:    positive errno that it fails with, or 0
 * @nth:      number of the call that fails, from 1; 0 for every call
 * @calls:    number of calls so far
 * @burn_us:  microseconds that each call keeps a CPU busy after that
 */
struct luo_test_op {
	u32 delay_us;
	u32 error;
	u32 nth;
	u32 calls;
	u32 burn_us;
};

/* luo_test_op.c */

void luo_test_op_set(struct luo_test_op *op,
		     const struct liveupdate_test_set *set);
void luo_test_op_count(const struct luo_test_op *ops,
		       struct liveupdate_test_get *get);
int luo_test_op_run(struct luo_test_op *op);

/* luo_test_targets.c */

int luo_test_targets_init(struct liveupdate_file_handler *fh);
void luo_test_targets_exit(struct liveupdate_file_handler *fh);
void luo_test_target_set(const struct liveupdate_test_set *set);
void luo_test_target_get(struct liveupdate_test_get *get);
int luo_test_object(void __user *arg);

/* luo_test_frozen.c */

int luo_test_frozen(const void __user *arg);
int luo_test_frozen_init(void);
void luo_test_frozen_exit(void);

#endif /* _LINUX_LUO_TEST_H */
