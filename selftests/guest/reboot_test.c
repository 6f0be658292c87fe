// SPDX-License-Identifier: GPL-2.0

/* A freeze that fails: reboot() fails, and everything is as before. */

#include "luo_test.h"

FIXTURE(reboot)
{
	int dev;
};

FIXTURE_SETUP(reboot)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, system("vm-kexec --load"));
}

FIXTURE_TEARDOWN(reboot)
{
	close(self->dev);
}

TEST_F(reboot, a_freeze_that_fails_fails_reboot_and_is_undone)
{
	int a = create(self->dev, "a"), b = create(self->dev, "b");
	int first = test_file(1), bad = test_file(2), last = test_file(3);
	int mem = memfd(1 << 20, 77), i;

	ASSERT_EQ(0, preserve(a, first, 1));
	ASSERT_EQ(0, preserve(a, mem, 2));
	ASSERT_EQ(0, preserve(b, bad, 3));
	ASSERT_EQ(0, preserve(b, last, 4));
	ASSERT_EQ(0, test_set(bad, LIVEUPDATE_TEST_FREEZE, EDOM, 0));

	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(-EDOM, reboot_kexec());
		EXPECT_EQ(i, test_get(first).calls[LIVEUPDATE_TEST_FREEZE]);
		EXPECT_EQ(i, test_get(first).calls[LIVEUPDATE_TEST_UNFREEZE]);
		EXPECT_EQ(i, test_get(bad).calls[LIVEUPDATE_TEST_FREEZE]);
		EXPECT_EQ(0, test_get(bad).calls[LIVEUPDATE_TEST_UNFREEZE]);
		EXPECT_EQ(0, test_get(last).calls[LIVEUPDATE_TEST_FREEZE]);
	}
	EXPECT_TRUE(memfd_intact(mem, 1 << 20, 77));

	/* Everything still works. */
	EXPECT_EQ(0, preserve(b, memfd(4096, 1), 5));
	EXPECT_EQ(-EEXIST, create(self->dev, "a"));
	close(a);
	EXPECT_EQ(0, ftruncate(mem, 4096));
	a = create(self->dev, "a");
	EXPECT_LE(0, a);
}

TEST_F(reboot, the_nth_file_of_the_mth_session_may_fail)
{
	int sessions[3], files[3][3], s, f, bad_s, bad_f;
	char name[8];

	for (s = 0; s < 3; s++) {
		snprintf(name, sizeof(name), "n%d", s);
		sessions[s] = create(self->dev, name);
		for (f = 0; f < 3; f++) {
			files[s][f] = test_file(1);
			ASSERT_EQ(0, preserve(sessions[s], files[s][f], f));
		}
	}
	for (bad_s = 0; bad_s < 3; bad_s++) {
		for (bad_f = 0; bad_f < 3; bad_f++) {
			int bad = files[bad_s][bad_f];

			test_set(bad, LIVEUPDATE_TEST_FREEZE, ENOSPC, 0);
			ASSERT_EQ(-ENOSPC, reboot_kexec());
			test_set(bad, LIVEUPDATE_TEST_FREEZE, 0, 0);
		}
	}
	/* A file is frozen if it or a later one fails, and then unfrozen. */
	for (s = 0; s < 3; s++) {
		for (f = 0; f < 3; f++) {
			struct liveupdate_test_get g = test_get(files[s][f]);
			unsigned int at = 3 * s + f;

			EXPECT_EQ(9 - at, g.calls[LIVEUPDATE_TEST_FREEZE]);
			EXPECT_EQ(8 - at, g.calls[LIVEUPDATE_TEST_UNFREEZE]);
		}
	}
}

RUN_CASES_MAIN
