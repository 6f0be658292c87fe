// SPDX-License-Identifier: GPL-2.0

/* Marks of workloads: what user space cannot bring about. */

#include <kunit/test.h>
#include <linux/kobject.h>
#include <linux/string.h>

#include "../luo_recorder_internal.h"

static ssize_t luo_kunit_mark(const char *text)
{
	return luo_pause_attr.store(NULL, NULL, text, strlen(text));
}

/* While the suite runs, at boot, nothing else uses the recorder. */
static void luo_kunit_mark_without_recorder(struct kunit *test)
{
	struct liveupdate_recorder_part *record;
	int dir;

	for (dir = LUO_DIR_OUT; dir <= LUO_DIR_IN; dir++) {
		record = luo_recorders[dir].record;
		luo_recorders[dir].record = NULL;
		KUNIT_EXPECT_EQ(test, -ENODEV, luo_kunit_mark("paused kunit"));
		KUNIT_EXPECT_EQ(test, -ENODEV, luo_kunit_mark("resumed kunit"));
		KUNIT_EXPECT_EQ(test, -EINVAL, luo_kunit_mark("stopped kunit"));
		luo_recorders[dir].record = record;
	}
	KUNIT_EXPECT_EQ(test, -ENOENT, luo_kunit_mark("resumed kunit"));
}

static struct kunit_case luo_kunit_mark_cases[] = {
	KUNIT_CASE(luo_kunit_mark_without_recorder),
	{}
};

static struct kunit_suite luo_kunit_mark_suite = {
	.name = "liveupdate-marks",
	.test_cases = luo_kunit_mark_cases,
};

kunit_test_suite(luo_kunit_mark_suite);
