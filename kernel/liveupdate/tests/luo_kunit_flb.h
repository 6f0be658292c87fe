/* SPDX-License-Identifier: GPL-2.0 */

/* FLBs that count the calls of their operations, for the KUnit suites. */

#ifndef _LINUX_LUO_KUNIT_FLB_H
#define _LINUX_LUO_KUNIT_FLB_H

#include "../luo_flb.h"
#include "luo_kunit.h"

#define LUO_KUNIT_FLB	"luo-kunit-flb-v1"

/**
 * struct luo_kunit_calls - how often each operation was called in a test
 * @preserve:	  of all FLBs
 * @unpreserve:	  of all FLBs
 * @retrieve:	  of all FLBs
 * @finish:	  of all FLBs but those that use another one
 * @finish_using: of those
 */
struct luo_kunit_calls {
	unsigned int preserve;
	unsigned int unpreserve;
	unsigned int retrieve;
	unsigned int finish;
	unsigned int finish_using;
};

extern struct luo_kunit_calls luo_kunit_calls;
extern const struct liveupdate_flb_ops luo_kunit_flb_ops;

int luo_kunit_flb_preserve(struct liveupdate_flb_op_args *args);
void luo_kunit_flb_unpreserve(struct liveupdate_flb_op_args *args);
int luo_kunit_flb_retrieve(struct liveupdate_flb_op_args *args);
void luo_kunit_flb_finish(struct liveupdate_flb_op_args *args);

int luo_kunit_flb_setup(struct kunit *test);
void luo_kunit_flb_teardown(struct kunit *test);

void luo_kunit_flb_hand_over(struct kunit *test, struct liveupdate_flb *flb, u64 files);
int luo_kunit_flb_touch_incoming(struct liveupdate_flb *flb);

#endif /* _LINUX_LUO_KUNIT_FLB_H */
