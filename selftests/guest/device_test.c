// SPDX-License-Identifier: GPL-2.0

/*
 * Files that are preserved with the device itself.
 *
 *	device_test -f device		before a live update
 *	device_test -f updated		after it, with the files of file_state_test hold
 */

#include "luo_test.h"

#include <sys/wait.h>

enum { GLOBAL = false, SESSION = true };

#define PREPARE	LIVEUPDATE_PREPARE
#define FREEZE	LIVEUPDATE_FREEZE
#define FINISH	LIVEUPDATE_FINISH
#define CANCEL	LIVEUPDATE_CANCEL
#define NORMAL		LIVEUPDATE_STATE_NORMAL
#define PREPARED	LIVEUPDATE_STATE_PREPARED
#define FROZEN		LIVEUPDATE_STATE_FROZEN
#define UPDATED		LIVEUPDATE_STATE_UPDATED

static unsigned int calls_of(int fd, enum liveupdate_test_op op)
{
	return test_get(fd).calls[op];
}

FIXTURE(device)
{
	int dev;
	int t;
};

FIXTURE_SETUP(device)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	self->t = test_file(1);
	ASSERT_EQ(0, dev_preserve(self->dev, self->t, 1));
}

FIXTURE_TEARDOWN(device)
{
	event(self->dev, GLOBAL, CANCEL);
	close(self->dev);
}

TEST_F(device, close_releases_all)
{
	int t = test_file(2);

	ASSERT_EQ(0, dev_preserve(self->dev, t, 2));
	ASSERT_EQ(0, dev_event(self->dev, 2, PREPARE));
	close(self->dev);
	EXPECT_EQ(1, calls_of(self->t, LIVEUPDATE_TEST_UNPRESERVE));
	EXPECT_EQ(1, calls_of(t, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(1, calls_of(t, LIVEUPDATE_TEST_UNPRESERVE));
	self->dev = open_device();
	EXPECT_EQ(-ENOENT, dev_state(self->dev, 0, 1));
	EXPECT_EQ(0, dev_preserve(self->dev, t, 2));
}

TEST_F(device, errors)
{
	int null = open("/dev/null", O_RDWR);

	EXPECT_EQ(-EBADF, dev_preserve(self->dev, -1, 2));
	EXPECT_EQ(-ENOENT, dev_preserve(self->dev, null, 2));
	EXPECT_EQ(-EBUSY, dev_preserve(self->dev, self->t, 2));
	EXPECT_EQ(-EEXIST, dev_preserve(self->dev, test_file(2), 1));
	EXPECT_EQ(-ENOENT, dev_unpreserve(self->dev, 2));
	EXPECT_EQ(-ENOENT, dev_restore(self->dev, 1));
	EXPECT_EQ(-ENOENT, dev_state(self->dev, 0, 2));
	EXPECT_EQ(-ENOENT, dev_state(self->dev, 1, 1));
	EXPECT_EQ(-EINVAL, dev_state(self->dev, 2, 1));
	EXPECT_EQ(-EOPNOTSUPP, dev_event(self->dev, 1, 4));
	EXPECT_EQ(-ENOENT, dev_event(self->dev, 2, PREPARE));
	EXPECT_EQ(-ENOENT, dev_event(self->dev, 1, FINISH));
	EXPECT_EQ(-EINVAL, dev_event(self->dev, 1, FREEZE));
	EXPECT_EQ(-ENOTTY, file_state(self->dev, 1));
}

TEST_F(device, its_session_exists_while_it_has_files)
{
	int s, t = test_file(2);

	EXPECT_EQ(-EEXIST, create(self->dev, LIVEUPDATE_DEVICE_SESSION));
	EXPECT_EQ(0, dev_unpreserve(self->dev, 1));
	EXPECT_EQ(-ENOENT, dev_unpreserve(self->dev, 1));
	s = create(self->dev, LIVEUPDATE_DEVICE_SESSION);
	ASSERT_LE(0, s);
	EXPECT_EQ(-EEXIST, dev_preserve(self->dev, t, 2));
	EXPECT_EQ(-ENOENT, dev_state(self->dev, 0, 2));
	close(s);
	/* What fails leaves none. */
	EXPECT_EQ(-ENOENT, dev_preserve(self->dev, open("/dev/null", O_RDWR), 2));
	s = create(self->dev, LIVEUPDATE_DEVICE_SESSION);
	EXPECT_LE(0, s);
	close(s);
	EXPECT_EQ(0, dev_preserve(self->dev, t, 2));
}

TEST_F(device, global_events_include_it)
{
	EXPECT_EQ(NORMAL, dev_state(self->dev, 0, 1));
	ASSERT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(PREPARED, dev_state(self->dev, 0, 1));
	EXPECT_EQ(-EBUSY, dev_preserve(self->dev, test_file(2), 2));
	EXPECT_EQ(-EBUSY, dev_unpreserve(self->dev, 1));
	ASSERT_EQ(0, dev_event(self->dev, 1, FREEZE));
	EXPECT_EQ(FROZEN, dev_state(self->dev, 0, 1));
	ASSERT_EQ(0, event(self->dev, GLOBAL, CANCEL));
	EXPECT_EQ(NORMAL, dev_state(self->dev, 0, 1));
	ASSERT_EQ(0, dev_unpreserve(self->dev, 1));

	ASSERT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(-EAGAIN, dev_preserve(self->dev, self->t, 1));
}

/* A session whose one file is slow in an operation. */
static int slow_session(int dev, const char *name, enum liveupdate_test_op op, int error)
{
	struct liveupdate_test_set slow = {
		.size = sizeof(slow), .op = op, .error = error, .delay_us = 3000000,
	};
	int s = create(dev, name), t = test_file(7);

	must(s >= 0 && !preserve(s, t, 1) && !call(t, LIVEUPDATE_TEST_SET, &slow), name);
	return s;
}

/* During a reboot that fails an exit does not wait: what it closes is released later. */
TEST_F(device, who_opens_it_next_waits_for_its_release)
{
	int slow, before, after, status, dev = self->dev;
	pid_t pid;

	slow = slow_session(dev, "slow", LIVEUPDATE_TEST_PREPARE, EDOM);
	before = slow_session(dev, "before", LIVEUPDATE_TEST_UNPRESERVE, 0);
	after = slow_session(dev, "after", LIVEUPDATE_TEST_UNPRESERVE, 0);
	ASSERT_EQ(0, system("vm-kexec --load"));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* In either order of descriptors the device is the second. */
		dup2(before, 100);
		dup2(dev, 101);
		dup2(after, 102);
		close(before);
		close(after);
		close(dev);
		while (dev_state(101, 0, 1) != PREPARED)
			sched_yield();
		_exit(0);
	}
	close(before);
	close(after);
	close(dev);
	EXPECT_EQ(-EDOM, reboot_kexec());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	/* A worker is at one of the slow files. */
	usleep(500000);
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	EXPECT_EQ(0, dev_preserve(self->dev, test_file(2), 1));
	close(slow);
}

/* Stage 1. */

FIXTURE(updated)
{
	int dev;
};

FIXTURE_SETUP(updated)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(updated)
{
	close(self->dev);
}

TEST_F(updated, the_device_has_its_files)
{
	int fd, t = test_file(5), by_name;

	EXPECT_EQ(UPDATED, dev_state(self->dev, 1, 1));
	EXPECT_EQ(-ENOENT, dev_state(self->dev, 0, 1));
	EXPECT_EQ(-ENOENT, dev_state(self->dev, 1, 3));

	/* A process that knows sessions gets it by name. */
	by_name = claim(self->dev, LIVEUPDATE_DEVICE_SESSION);
	ASSERT_LE(0, by_name);
	EXPECT_EQ(-EBUSY, dev_restore(self->dev, 1));
	close(by_name);

	fd = dev_restore(self->dev, 1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(11, test_get(fd).cookie);
	EXPECT_EQ(-EBUSY, claim(self->dev, LIVEUPDATE_DEVICE_SESSION));
	close(fd);

	/* The same token, for the next kernel. */
	EXPECT_EQ(0, dev_preserve(self->dev, t, 1));
	EXPECT_EQ(NORMAL, dev_state(self->dev, 0, 1));
	EXPECT_EQ(UPDATED, dev_state(self->dev, 1, 1));
	EXPECT_EQ(0, dev_event(self->dev, 1, PREPARE));
	EXPECT_EQ(PREPARED, dev_state(self->dev, 0, 1));
	EXPECT_EQ(UPDATED, dev_state(self->dev, 1, 1));
}

TEST_F(updated, who_opens_the_device_next_has_them)
{
	int fd = dev_restore(self->dev, 2);

	ASSERT_LE(0, fd);
	EXPECT_EQ(12, test_get(fd).cookie);
	EXPECT_EQ(-ENOENT, dev_restore(self->dev, 3));
	EXPECT_EQ(0, dev_event(self->dev, 2, FINISH));
	EXPECT_EQ(1, calls_of(fd, LIVEUPDATE_TEST_FINISH));
	EXPECT_EQ(-ENOENT, dev_state(self->dev, 1, 2));
	EXPECT_EQ(UPDATED, dev_state(self->dev, 1, 1));
	EXPECT_EQ(0, dev_event(self->dev, 1, FINISH));
	EXPECT_EQ(-ENOENT, dev_state(self->dev, 1, 1));
	EXPECT_EQ(-ENOENT, dev_restore(self->dev, 1));
	close(self->dev);
	self->dev = open_device();
	EXPECT_EQ(-ENOENT, dev_restore(self->dev, 1));
	EXPECT_EQ(-ENOENT, claim(self->dev, LIVEUPDATE_DEVICE_SESSION));
}

int main(int argc, char **argv)
{
	return run_cases(argc, argv, NULL);
}
