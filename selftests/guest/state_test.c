// SPDX-License-Identifier: GPL-2.0

/*
 * The state machines, row by row, with the events that they reject: that of a session,
 * the global one, and how they depend on each other.
 *
 *	state_test -f luo	before a live update
 *	state_test hold		sessions for stage 1
 *	state_test -f updated	after it
 */

#include "luo_test.h"

#include <linux/reboot.h>
#include <poll.h>
#include <sys/reboot.h>

enum { GLOBAL = false, SESSION = true };

#define PREPARE	LIVEUPDATE_PREPARE
#define FREEZE	LIVEUPDATE_FREEZE
#define FINISH	LIVEUPDATE_FINISH
#define CANCEL	LIVEUPDATE_CANCEL
#define NORMAL		LIVEUPDATE_STATE_NORMAL
#define PREPARED	LIVEUPDATE_STATE_PREPARED
#define FROZEN		LIVEUPDATE_STATE_FROZEN
#define UPDATED		LIVEUPDATE_STATE_UPDATED

FIXTURE(luo)
{
	int dev;
	int s;
	int t1, t2, t3;
};

FIXTURE_SETUP(luo)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	self->s = create(self->dev, "s");
	self->t1 = test_file(1);
	self->t2 = test_file(2);
	self->t3 = test_file(3);
	ASSERT_EQ(0, preserve(self->s, self->t1, 1));
	ASSERT_EQ(0, preserve(self->s, self->t2, 2));
	ASSERT_EQ(0, preserve(self->s, self->t3, 3));
}

FIXTURE_TEARDOWN(luo)
{
	close(self->s);
	event(self->dev, GLOBAL, CANCEL);
	close(self->dev);
}

static unsigned int calls_of(int fd, enum liveupdate_test_op op)
{
	return test_get(fd).calls[op];
}

TEST_F(luo, each_event_in_each_state_of_a_session)
{
	/* how to reach the state, and the result of each event */
	static const struct {
		int way[2];
		int state;
		int results[4];	/* PREPARE, FREEZE, FINISH, CANCEL */
	} rows[] = {
		{ { -1, -1 }, NORMAL, { 0, -EINVAL, -EINVAL, -EINVAL } },
		{ { PREPARE, -1 }, PREPARED, { -EINVAL, 0, -EINVAL, 0 } },
		{ { PREPARE, FREEZE }, FROZEN, { -EINVAL, -EINVAL, -EINVAL, 0 } },
	};
	static const int leads_to[] = { PREPARED, FROZEN, -1, NORMAL };
	size_t r;
	int e, w;

	for (r = 0; r < 3; r++) {
		for (e = 0; e < 4; e++) {
			event(self->s, SESSION, CANCEL);
			for (w = 0; w < 2 && rows[r].way[w] >= 0; w++)
				ASSERT_EQ(0, event(self->s, SESSION,
						   rows[r].way[w]));
			ASSERT_EQ(rows[r].state, state(self->s, SESSION));
			EXPECT_EQ(rows[r].results[e], event(self->s, SESSION, e))
				TH_LOG("state %d event %d", rows[r].state, e);
			EXPECT_EQ(rows[r].results[e] ? rows[r].state : leads_to[e],
				  state(self->s, SESSION));
		}
	}
	EXPECT_EQ(-EOPNOTSUPP, event(self->s, SESSION, 4));
	EXPECT_EQ(NORMAL, state(self->dev, GLOBAL));
}

TEST_F(luo, a_session_that_is_not_normal_takes_no_files)
{
	int t = test_file(4);

	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	EXPECT_EQ(-EBUSY, preserve(self->s, t, 4));
	EXPECT_EQ(-EBUSY, unpreserve(self->s, 1));
	ASSERT_EQ(0, event(self->s, SESSION, FREEZE));
	EXPECT_EQ(-EBUSY, preserve(self->s, t, 4));
	EXPECT_EQ(-EBUSY, unpreserve(self->s, 1));
	ASSERT_EQ(0, event(self->s, SESSION, CANCEL));
	EXPECT_EQ(0, preserve(self->s, t, 4));
	EXPECT_EQ(0, unpreserve(self->s, 4));
	EXPECT_EQ(1, calls_of(t, LIVEUPDATE_TEST_UNPRESERVE));
	EXPECT_EQ(-ENOENT, unpreserve(self->s, 4));
	EXPECT_EQ(0, preserve(self->s, t, 4));
}

TEST_F(luo, a_prepare_that_fails_is_undone)
{
	test_set(self->t2, LIVEUPDATE_TEST_PREPARE, EMLINK, 0);
	EXPECT_EQ(-EMLINK, event(self->s, SESSION, PREPARE));
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
	EXPECT_EQ(1, calls_of(self->t1, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(0, calls_of(self->t2, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(0, calls_of(self->t3, LIVEUPDATE_TEST_PREPARE));
}

TEST_F(luo, a_freeze_that_fails_rolls_back_to_normal)
{
	test_set(self->t2, LIVEUPDATE_TEST_FREEZE, EMLINK, 0);
	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	EXPECT_EQ(-EMLINK, event(self->s, SESSION, FREEZE));
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
	EXPECT_EQ(1, calls_of(self->t1, LIVEUPDATE_TEST_UNFREEZE));
	EXPECT_EQ(0, calls_of(self->t2, LIVEUPDATE_TEST_UNFREEZE));
	EXPECT_EQ(0, calls_of(self->t3, LIVEUPDATE_TEST_FREEZE));
	EXPECT_EQ(1, calls_of(self->t1, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(1, calls_of(self->t2, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(1, calls_of(self->t3, LIVEUPDATE_TEST_CANCEL));
}

TEST_F(luo, close_undoes_each_state)
{
	static const int ops[] = { LIVEUPDATE_TEST_UNFREEZE,
				   LIVEUPDATE_TEST_CANCEL,
				   LIVEUPDATE_TEST_UNPRESERVE };
	unsigned int want[3][3] = { { 0, 0, 1 }, { 0, 1, 2 }, { 1, 2, 3 } };
	int depth, i;

	for (depth = 0; depth < 3; depth++) {
		if (depth > 0)
			ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
		if (depth > 1)
			ASSERT_EQ(0, event(self->s, SESSION, FREEZE));
		close(self->s);
		for (i = 0; i < 3; i++)
			EXPECT_EQ(want[depth][i], calls_of(self->t1, ops[i]))
				TH_LOG("depth %d op %d", depth, ops[i]);
		self->s = create(self->dev, "s");
		ASSERT_EQ(0, preserve(self->s, self->t1, 1));
	}
}

TEST_F(luo, each_event_in_each_global_state)
{
	EXPECT_EQ(NORMAL, state(self->dev, GLOBAL));
	EXPECT_EQ(-EINVAL, event(self->dev, GLOBAL, FREEZE));
	EXPECT_EQ(-EINVAL, event(self->dev, GLOBAL, FINISH));
	EXPECT_EQ(-EINVAL, event(self->dev, GLOBAL, CANCEL));
	EXPECT_EQ(-EOPNOTSUPP, event(self->dev, GLOBAL, 4));
	EXPECT_EQ(NORMAL, state(self->dev, GLOBAL));

	EXPECT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(PREPARED, state(self->dev, GLOBAL));
	EXPECT_EQ(PREPARED, state(self->s, SESSION));
	EXPECT_EQ(-EINVAL, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(-EINVAL, event(self->dev, GLOBAL, FREEZE));
	EXPECT_EQ(-EINVAL, event(self->dev, GLOBAL, FINISH));
	EXPECT_EQ(-EAGAIN, create(self->dev, "late"));

	EXPECT_EQ(0, event(self->dev, GLOBAL, CANCEL));
	EXPECT_EQ(NORMAL, state(self->dev, GLOBAL));
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
	EXPECT_EQ(1, calls_of(self->t1, LIVEUPDATE_TEST_PREPARE));
	EXPECT_EQ(1, calls_of(self->t1, LIVEUPDATE_TEST_CANCEL));
}

TEST_F(luo, a_global_prepare_skips_prepared_sessions_and_cancel_reaches_all)
{
	int b = create(self->dev, "b"), c = create(self->dev, "c");
	int tb = test_file(4), tc = test_file(5);

	ASSERT_EQ(0, preserve(b, tb, 1));
	ASSERT_EQ(0, preserve(c, tc, 1));
	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	ASSERT_EQ(0, event(b, SESSION, PREPARE));
	ASSERT_EQ(0, event(b, SESSION, FREEZE));
	ASSERT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(1, calls_of(self->t1, LIVEUPDATE_TEST_PREPARE));
	EXPECT_EQ(1, calls_of(tb, LIVEUPDATE_TEST_PREPARE));
	EXPECT_EQ(1, calls_of(tc, LIVEUPDATE_TEST_PREPARE));
	EXPECT_EQ(FROZEN, state(b, SESSION));

	ASSERT_EQ(0, event(self->dev, GLOBAL, CANCEL));
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
	EXPECT_EQ(NORMAL, state(b, SESSION));
	EXPECT_EQ(NORMAL, state(c, SESSION));
	EXPECT_EQ(1, calls_of(tb, LIVEUPDATE_TEST_UNFREEZE));
	EXPECT_EQ(1, calls_of(tb, LIVEUPDATE_TEST_CANCEL));
	close(b);
	close(c);
}

TEST_F(luo, a_global_prepare_that_fails_rolls_back_its_own_only)
{
	int b = create(self->dev, "b"), c = create(self->dev, "c");
	int tb = test_file(4), tc = test_file(5);

	ASSERT_EQ(0, preserve(b, tb, 1));
	ASSERT_EQ(0, preserve(c, tc, 1));
	ASSERT_EQ(0, event(b, SESSION, PREPARE));
	test_set(tc, LIVEUPDATE_TEST_PREPARE, EMLINK, 1);
	EXPECT_EQ(-EMLINK, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(NORMAL, state(self->dev, GLOBAL));
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
	EXPECT_EQ(PREPARED, state(b, SESSION));
	EXPECT_EQ(NORMAL, state(c, SESSION));
	EXPECT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(PREPARED, state(self->dev, GLOBAL));
	ASSERT_EQ(0, event(self->dev, GLOBAL, CANCEL));
	close(b);
	close(c);
}

TEST_F(luo, a_reboot_that_fails_leaves_each_state_as_it_was)
{
	int b = create(self->dev, "b"), c = create(self->dev, "c");
	int tb = test_file(4), tc = test_file(5), prepared;

	ASSERT_EQ(0, preserve(b, tb, 1));
	ASSERT_EQ(0, preserve(c, tc, 1));
	test_set(tc, LIVEUPDATE_TEST_FREEZE, EMLINK, 0);
	ASSERT_EQ(0, system("vm-kexec --load"));

	for (prepared = 0; prepared < 2; prepared++) {
		if (prepared) {
			ASSERT_EQ(0, event(self->dev, GLOBAL, PREPARE));
		} else {
			ASSERT_EQ(0, event(b, SESSION, PREPARE));
			ASSERT_EQ(0, event(b, SESSION, FREEZE));
		}
		EXPECT_EQ(-1, reboot(LINUX_REBOOT_CMD_KEXEC));
		EXPECT_EQ(EMLINK, errno);
		EXPECT_EQ(prepared ? PREPARED : NORMAL,
			  state(self->dev, GLOBAL));
		EXPECT_EQ(prepared ? PREPARED : NORMAL,
			  state(self->s, SESSION));
		EXPECT_EQ(FROZEN, state(b, SESSION));
		EXPECT_EQ(prepared ? PREPARED : NORMAL, state(c, SESSION));
	}
	close(b);
	close(c);
}

static void read_sysfs(const char *name, char *to, size_t size)
{
	char path[64];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/kernel/liveupdate/%s", name);
	fd = open(path, O_RDONLY);
	n = read(fd, to, size - 1);
	to[n > 0 ? n : 0] = '\0';
	close(fd);
}

TEST_F(luo, sysfs_has_the_state_and_can_be_polled)
{
	struct pollfd p = {
		.fd = open("/sys/kernel/liveupdate/state", O_RDONLY),
		.events = POLLPRI,
	};
	char text[32];

	ASSERT_LE(0, p.fd);
	EXPECT_LT(0, read(p.fd, text, sizeof(text)));
	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(1, poll(&p, 1, 1000));
	EXPECT_TRUE(p.revents & POLLPRI);
	read_sysfs("state", text, sizeof(text));
	EXPECT_STREQ("prepared\n", text);
	ASSERT_EQ(0, event(self->dev, GLOBAL, CANCEL));
	read_sysfs("state", text, sizeof(text));
	EXPECT_STREQ("normal\n", text);
	read_sysfs("number", text, sizeof(text));
	EXPECT_STREQ("0\n", text);
	close(p.fd);
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

TEST_F(updated, rejected_events)
{
	int s = claim(self->dev, "claimed"), e;
	char text[32];

	ASSERT_LE(0, s);
	EXPECT_EQ(UPDATED, state(self->dev, GLOBAL));
	EXPECT_EQ(UPDATED, state(s, SESSION));
	EXPECT_EQ(-EBUSY, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(-EINVAL, event(self->dev, GLOBAL, FREEZE));
	EXPECT_EQ(-EINVAL, event(self->dev, GLOBAL, CANCEL));
	for (e = PREPARE; e <= CANCEL; e++) {
		if (e != FINISH)
			EXPECT_EQ(-EINVAL, event(s, SESSION, e));
	}
	EXPECT_EQ(-EOPNOTSUPP, unpreserve(s, 1));
	read_sysfs("state", text, sizeof(text));
	EXPECT_STREQ("updated\n", text);
	read_sysfs("number", text, sizeof(text));
	EXPECT_STREQ("1\n", text);
}

TEST_F(updated, sessions_of_all_states_are_handed_over)
{
	static const char *const names[] = { "normal", "prepared", "frozen" };
	struct liveupdate_test_get g;
	int i, s, fd;

	for (i = 0; i < 3; i++) {
		s = claim(self->dev, names[i]);
		ASSERT_LE(0, s);
		fd = retrieve(s, 1);
		g = test_get(fd);
		EXPECT_EQ(i + 1, g.cookie);
		EXPECT_EQ(1, g.calls[LIVEUPDATE_TEST_PREPARE]);
		EXPECT_EQ(1, g.calls[LIVEUPDATE_TEST_FREEZE]);
		EXPECT_EQ(0, event(s, SESSION, FINISH));
		EXPECT_EQ(NORMAL, state(s, SESSION));
		EXPECT_EQ(-EINVAL, event(s, SESSION, FINISH));
		close(s);
	}
}

TEST_F(updated, an_unpreserved_file_is_not_handed_over)
{
	int s = claim(self->dev, "claimed");

	ASSERT_LE(0, s);
	EXPECT_EQ(-ENOENT, retrieve(s, 2));
	EXPECT_LE(0, retrieve(s, 1));
}

TEST_F(updated, the_global_state_finishes_last)
{
	struct liveupdate_test_get first = {
		.size = sizeof(first), .target = LIVEUPDATE_TEST_ON_FIRST,
	};
	int s = claim(self->dev, "claimed"), fd;

	ASSERT_LE(0, s);
	fd = retrieve(s, 1);
	ASSERT_LE(0, fd);
	/* "not-ready" cannot finish the first time and is not claimed. */
	EXPECT_EQ(-EBUSY, event(self->dev, GLOBAL, FINISH));
	EXPECT_EQ(UPDATED, state(self->dev, GLOBAL));
	EXPECT_EQ(NORMAL, state(s, SESSION));
	EXPECT_EQ(1, calls_of(fd, LIVEUPDATE_TEST_FINISH));
	ASSERT_EQ(0, call(fd, LIVEUPDATE_TEST_GET, &first));
	EXPECT_EQ(0, first.calls[LIVEUPDATE_TEST_FINISH]);
	EXPECT_EQ(0, event(self->dev, GLOBAL, FINISH));
	EXPECT_EQ(NORMAL, state(self->dev, GLOBAL));
	first.cookie = 0;
	ASSERT_EQ(0, call(fd, LIVEUPDATE_TEST_GET, &first));
	EXPECT_EQ(1, first.calls[LIVEUPDATE_TEST_FINISH]);
	EXPECT_EQ(-ENOENT, claim(self->dev, "not-ready"));
	EXPECT_EQ(-ENOENT, claim(self->dev, "discarded"));
	EXPECT_EQ(-EINVAL, finish(s));
	EXPECT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	EXPECT_EQ(0, event(self->dev, GLOBAL, CANCEL));
}

static int hold(void)
{
	static const char *const names[] = { "normal", "prepared", "frozen",
					     "claimed", "discarded", "not-ready" };
	int dev = open_device(), s, t, i;

	for (i = 0; i < 6; i++) {
		s = create(dev, names[i]);
		t = test_file(i + 1);
		if (i == 5)
			test_set(t, LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 1);
		if (s < 0 || preserve(s, t, 1))
			return 1;
		if (i == 3 && (preserve(s, test_file(9), 2) || unpreserve(s, 2)))
			return 1;
		if ((i == 1 || i == 2) && event(s, SESSION, PREPARE))
			return 1;
		if (i == 2 && event(s, SESSION, FREEZE))
			return 1;
	}
	/* For file_state_test. */
	close(dev);
	return hold_until_kexec();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	return run_cases(argc, argv, NULL);
}
