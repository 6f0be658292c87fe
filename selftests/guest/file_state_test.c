// SPDX-License-Identifier: GPL-2.0

/*
 * The state machine of a file, row by row, and how it depends on that of its session and
 * on the global one.
 *
 *	file_state_test -f file		before a live update
 *	file_state_test hold		files for stage 1, and for device_test
 *	file_state_test -f updated	after it
 */

#include "luo_test.h"

#include <pthread.h>

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

/* A session with four files, whose tokens are 0 to 3. */
FIXTURE(file)
{
	int dev;
	int s;
	int t[4];
};

FIXTURE_SETUP(file)
{
	int i;

	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	self->s = create(self->dev, "s");
	for (i = 0; i < 4; i++) {
		self->t[i] = test_file(i + 1);
		ASSERT_EQ(0, preserve(self->s, self->t[i], i));
	}
}

FIXTURE_TEARDOWN(file)
{
	close(self->s);
	event(self->dev, GLOBAL, CANCEL);
	close(self->dev);
}

/* Compare the states of the four files. */
#define EXPECT_STATES(_a, _b, _c, _d)			\
	do {						\
		EXPECT_EQ(_a, file_state(self->s, 0));	\
		EXPECT_EQ(_b, file_state(self->s, 1));	\
		EXPECT_EQ(_c, file_state(self->s, 2));	\
		EXPECT_EQ(_d, file_state(self->s, 3));	\
	} while (0)

/* Compare how often an operation was called for the four files. */
#define EXPECT_CALLS(_op, _a, _b, _c, _d)					\
	do {									\
		EXPECT_EQ(_a, calls_of(self->t[0], LIVEUPDATE_TEST_##_op));	\
		EXPECT_EQ(_b, calls_of(self->t[1], LIVEUPDATE_TEST_##_op));	\
		EXPECT_EQ(_c, calls_of(self->t[2], LIVEUPDATE_TEST_##_op));	\
		EXPECT_EQ(_d, calls_of(self->t[3], LIVEUPDATE_TEST_##_op));	\
	} while (0)

/* File 1 is PREPARED, file 2 FROZEN, by events of their own. */
#define PUT_APART()							\
	do {								\
		ASSERT_EQ(0, file_event(self->s, 1, PREPARE));		\
		ASSERT_EQ(0, file_event(self->s, 2, PREPARE));		\
		ASSERT_EQ(0, file_event(self->s, 2, FREEZE));		\
	} while (0)

TEST_F(file, each_event_in_each_state)
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
			file_event(self->s, 0, CANCEL);
			for (w = 0; w < 2 && rows[r].way[w] >= 0; w++)
				ASSERT_EQ(0, file_event(self->s, 0, rows[r].way[w]));
			ASSERT_EQ(rows[r].state, file_state(self->s, 0));
			EXPECT_EQ(rows[r].results[e], file_event(self->s, 0, e))
				TH_LOG("state %d event %d", rows[r].state, e);
			EXPECT_STATES(rows[r].results[e] ? rows[r].state : leads_to[e],
				      NORMAL, NORMAL, NORMAL);
		}
	}
	EXPECT_EQ(-EOPNOTSUPP, file_event(self->s, 0, 4));
	EXPECT_EQ(-ENOENT, file_event(self->s, 9, PREPARE));
	EXPECT_EQ(-ENOENT, file_state(self->s, 9));
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
}

TEST_F(file, a_step_of_the_session_skips_who_has_made_it)
{
	PUT_APART();
	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	EXPECT_STATES(PREPARED, PREPARED, FROZEN, PREPARED);
	EXPECT_CALLS(PREPARE, 1, 1, 1, 1);
	ASSERT_EQ(0, event(self->s, SESSION, FREEZE));
	EXPECT_STATES(FROZEN, FROZEN, FROZEN, FROZEN);
	EXPECT_CALLS(FREEZE, 1, 1, 1, 1);
	ASSERT_EQ(0, event(self->s, SESSION, CANCEL));
	EXPECT_STATES(NORMAL, NORMAL, NORMAL, NORMAL);
	EXPECT_CALLS(UNFREEZE, 1, 1, 1, 1);
	EXPECT_CALLS(CANCEL, 1, 1, 1, 1);
}

TEST_F(file, a_freeze_prepares_who_was_cancelled)
{
	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	ASSERT_EQ(0, file_event(self->s, 1, CANCEL));
	EXPECT_EQ(PREPARED, state(self->s, SESSION));
	EXPECT_STATES(PREPARED, NORMAL, PREPARED, PREPARED);
	ASSERT_EQ(0, event(self->s, SESSION, FREEZE));
	EXPECT_CALLS(PREPARE, 1, 2, 1, 1);
	EXPECT_CALLS(FREEZE, 1, 1, 1, 1);
	ASSERT_EQ(0, event(self->s, SESSION, CANCEL));
	EXPECT_CALLS(CANCEL, 1, 2, 1, 1);
}

TEST_F(file, a_prepare_that_fails_leaves_files_as_before)
{
	PUT_APART();
	test_set(self->t[3], LIVEUPDATE_TEST_PREPARE, EMLINK, 0);
	EXPECT_EQ(-EMLINK, event(self->s, SESSION, PREPARE));
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
	EXPECT_STATES(NORMAL, PREPARED, FROZEN, NORMAL);
	EXPECT_CALLS(CANCEL, 1, 0, 0, 0);
	EXPECT_CALLS(UNFREEZE, 0, 0, 0, 0);
}

TEST_F(file, a_freeze_that_fails_undoes_its_prepare_too)
{
	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	ASSERT_EQ(0, file_event(self->s, 0, CANCEL));
	ASSERT_EQ(0, file_event(self->s, 2, FREEZE));
	test_set(self->t[3], LIVEUPDATE_TEST_FREEZE, EMLINK, 0);
	EXPECT_EQ(-EMLINK, event(self->s, SESSION, FREEZE));
	/* As a freeze of a session alone that fails, but for the file of its own. */
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
	EXPECT_STATES(NORMAL, NORMAL, FROZEN, NORMAL);
	EXPECT_CALLS(PREPARE, 2, 1, 1, 1);
	EXPECT_CALLS(CANCEL, 2, 1, 0, 1);
	EXPECT_CALLS(UNFREEZE, 1, 1, 0, 0);
}

TEST_F(file, a_freeze_of_one_that_fails_makes_it_normal)
{
	test_set(self->t[1], LIVEUPDATE_TEST_FREEZE, EMLINK, 1);
	ASSERT_EQ(0, file_event(self->s, 1, PREPARE));
	EXPECT_EQ(-EMLINK, file_event(self->s, 1, FREEZE));
	EXPECT_STATES(NORMAL, NORMAL, NORMAL, NORMAL);
	EXPECT_CALLS(CANCEL, 0, 1, 0, 0);
	EXPECT_CALLS(UNFREEZE, 0, 0, 0, 0);
	test_set(self->t[2], LIVEUPDATE_TEST_PREPARE, EDOM, 1);
	EXPECT_EQ(-EDOM, file_event(self->s, 2, PREPARE));
	EXPECT_STATES(NORMAL, NORMAL, NORMAL, NORMAL);
	EXPECT_CALLS(CANCEL, 0, 1, 0, 0);
}

TEST_F(file, cancel_of_either_reaches_all)
{
	PUT_APART();
	EXPECT_EQ(-EINVAL, event(self->s, SESSION, CANCEL));
	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	ASSERT_EQ(0, event(self->s, SESSION, CANCEL));
	EXPECT_STATES(NORMAL, NORMAL, NORMAL, NORMAL);
	EXPECT_CALLS(UNFREEZE, 0, 0, 1, 0);

	/* The session itself is NORMAL. */
	ASSERT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	ASSERT_EQ(0, event(self->s, SESSION, CANCEL));
	PUT_APART();
	ASSERT_EQ(0, event(self->dev, GLOBAL, CANCEL));
	EXPECT_STATES(NORMAL, NORMAL, NORMAL, NORMAL);
	EXPECT_CALLS(UNFREEZE, 0, 0, 2, 0);
	EXPECT_CALLS(CANCEL, 2, 3, 3, 2);
}

TEST_F(file, a_frozen_session_allows_none)
{
	int e;

	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	ASSERT_EQ(0, event(self->s, SESSION, FREEZE));
	for (e = PREPARE; e <= CANCEL; e++)
		EXPECT_EQ(-EBUSY, file_event(self->s, 1, e));
	EXPECT_STATES(FROZEN, FROZEN, FROZEN, FROZEN);
}

TEST_F(file, who_is_not_normal_is_not_unpreserved)
{
	int t = test_file(9);

	PUT_APART();
	EXPECT_EQ(-EBUSY, unpreserve(self->s, 1));
	EXPECT_EQ(-EBUSY, unpreserve(self->s, 2));
	/* The session is NORMAL and takes and gives others. */
	EXPECT_EQ(0, unpreserve(self->s, 0));
	EXPECT_EQ(-ENOENT, file_state(self->s, 0));
	EXPECT_EQ(0, preserve(self->s, t, 9));
	EXPECT_EQ(0, file_event(self->s, 2, CANCEL));
	EXPECT_EQ(0, unpreserve(self->s, 2));
}

TEST_F(file, close_undoes_each)
{
	PUT_APART();
	close(self->s);
	self->s = -1;
	EXPECT_CALLS(UNFREEZE, 0, 0, 1, 0);
	EXPECT_CALLS(CANCEL, 0, 1, 1, 0);
	EXPECT_CALLS(UNPRESERVE, 1, 1, 1, 1);
}

TEST_F(file, a_reboot_that_fails_leaves_each_as_before)
{
	int late = create(self->dev, "late"), bad = test_file(7);

	ASSERT_EQ(0, preserve(late, bad, 1));
	test_set(bad, LIVEUPDATE_TEST_FREEZE, EDOM, 2);
	ASSERT_EQ(0, system("vm-kexec --load"));

	/* In a NORMAL session, and again in one that is PREPARED, where one is not. */
	PUT_APART();
	test_set(bad, LIVEUPDATE_TEST_FREEZE, EDOM, 1);
	EXPECT_EQ(-EDOM, reboot_kexec());
	EXPECT_EQ(NORMAL, state(self->s, SESSION));
	EXPECT_STATES(NORMAL, PREPARED, FROZEN, NORMAL);
	EXPECT_CALLS(FREEZE, 1, 1, 1, 1);
	EXPECT_CALLS(UNFREEZE, 1, 1, 0, 1);
	EXPECT_CALLS(CANCEL, 1, 0, 0, 1);

	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	ASSERT_EQ(0, file_event(self->s, 3, CANCEL));
	test_set(bad, LIVEUPDATE_TEST_FREEZE, EDOM, 2);
	EXPECT_EQ(-EDOM, reboot_kexec());
	EXPECT_EQ(PREPARED, state(self->s, SESSION));
	EXPECT_STATES(PREPARED, PREPARED, FROZEN, NORMAL);
	EXPECT_CALLS(CANCEL, 1, 0, 0, 3);
	close(late);
}

TEST_F(file, a_global_prepare_leaves_who_is_behind)
{
	int late = create(self->dev, "late"), bad = test_file(7);

	ASSERT_EQ(0, preserve(late, bad, 1));
	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	ASSERT_EQ(0, file_event(self->s, 1, CANCEL));
	ASSERT_EQ(0, event(self->dev, GLOBAL, PREPARE));
	EXPECT_STATES(PREPARED, NORMAL, PREPARED, PREPARED);

	test_set(bad, LIVEUPDATE_TEST_FREEZE, EDOM, 0);
	ASSERT_EQ(0, system("vm-kexec --load"));
	EXPECT_EQ(-EDOM, reboot_kexec());
	EXPECT_STATES(PREPARED, NORMAL, PREPARED, PREPARED);
	EXPECT_CALLS(PREPARE, 1, 2, 1, 1);
	EXPECT_CALLS(CANCEL, 0, 2, 0, 0);
	close(late);
}

/* The kernel warns if a session ends, and is wrong about its files. */
TEST_F(file, who_is_behind_follows_once_a_freeze_has_failed)
{
	ASSERT_EQ(0, event(self->s, SESSION, PREPARE));
	ASSERT_EQ(0, file_event(self->s, 1, CANCEL));
	test_set(self->t[3], LIVEUPDATE_TEST_FREEZE, EMLINK, 1);
	EXPECT_EQ(-EMLINK, event(self->s, SESSION, FREEZE));
	EXPECT_STATES(NORMAL, NORMAL, NORMAL, NORMAL);
	EXPECT_EQ(0, unpreserve(self->s, 1));
	close(self->s);
	self->s = -1;
}

static int prepare_returned;

static void *prepare(void *session)
{
	int err = event(*(int *)session, SESSION, PREPARE);

	__atomic_store_n(&prepare_returned, 1, __ATOMIC_RELEASE);
	return (void *)(intptr_t)err;
}

TEST_F(file, get_state_does_not_wait)
{
	struct liveupdate_test_set slow = {
		.size = sizeof(slow), .op = LIVEUPDATE_TEST_PREPARE,
		.delay_us = 3000000,
	};
	pthread_t thread;
	void *err;

	ASSERT_EQ(0, call(self->t[1], LIVEUPDATE_TEST_SET, &slow));
	ASSERT_EQ(0, pthread_create(&thread, NULL, prepare, &self->s));
	while (file_state(self->s, 0) != PREPARED)
		sched_yield();
	EXPECT_EQ(NORMAL, file_state(self->s, 1));
	EXPECT_EQ(0, __atomic_load_n(&prepare_returned, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(NULL, err);
	EXPECT_EQ(PREPARED, file_state(self->s, 1));
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

TEST_F(updated, files_of_all_states_are_handed_over)
{
	int s = claim(self->dev, "apart"), fd, e;
	struct liveupdate_test_get g;
	uint64_t i;

	ASSERT_LE(0, s);
	for (i = 0; i < 3; i++) {
		fd = retrieve(s, i);
		g = test_get(fd);
		EXPECT_EQ(i + 1, g.cookie);
		EXPECT_EQ(1, g.calls[LIVEUPDATE_TEST_PREPARE]);
		EXPECT_EQ(1, g.calls[LIVEUPDATE_TEST_FREEZE]);
		EXPECT_EQ(UPDATED, file_state(s, i));
		close(fd);
	}
	for (e = PREPARE; e <= CANCEL; e++) {
		if (e != FINISH)
			EXPECT_EQ(-EINVAL, file_event(s, 0, e));
	}
	EXPECT_EQ(-EOPNOTSUPP, file_event(s, 0, 4));
}

TEST_F(updated, the_last_file_finishes_the_session)
{
	int s = claim(self->dev, "apart"), fd;

	ASSERT_LE(0, s);
	fd = retrieve(s, 1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, file_event(s, 1, FINISH));
	EXPECT_EQ(1, calls_of(fd, LIVEUPDATE_TEST_FINISH));
	EXPECT_EQ(-ENOENT, file_state(s, 1));
	EXPECT_EQ(-ENOENT, file_event(s, 1, FINISH));
	EXPECT_EQ(-ENOENT, retrieve(s, 1));
	EXPECT_EQ(UPDATED, state(s, SESSION));
	/* One that is not retrieved in this claim, and one that cannot finish yet. */
	EXPECT_EQ(0, file_event(s, 0, FINISH));
	EXPECT_EQ(-EBUSY, file_event(s, 2, FINISH));
	EXPECT_EQ(UPDATED, file_state(s, 2));
	EXPECT_EQ(UPDATED, state(s, SESSION));
	EXPECT_EQ(0, file_event(s, 2, FINISH));
	EXPECT_EQ(NORMAL, state(s, SESSION));
	EXPECT_EQ(-EINVAL, finish(s));
	EXPECT_EQ(-ENOENT, claim(self->dev, "apart"));
}

/* Three files in one session, each in another state, and two of the device. */
static int hold(void)
{
	int dev = open_device(), s = create(dev, "apart"), t, i;

	for (i = 0; i < 3; i++) {
		t = test_file(i + 1);
		if (i == 2)
			test_set(t, LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 1);
		if (preserve(s, t, i) || (i > 0 && file_event(s, i, PREPARE)) ||
		    (i > 1 && file_event(s, i, FREEZE)) ||
		    (i > 0 && dev_preserve(dev, test_file(10 + i), i)))
			return 1;
	}
	return hold_until_kexec();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	return run_cases(argc, argv, NULL);
}
