// SPDX-License-Identifier: GPL-2.0

/* The global state without sessions; sessions without files, and walks over them. */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/string.h>

#include "../kho_base.h"
#include "../luo_session.h"
#include "../luo_state.h"
#include "../luo_walk.h"
#include "luo_kunit.h"

/* Each event in each global state that is possible without sessions. */
static void luo_kunit_global_state(struct kunit *test)
{
	static const struct {
		enum liveupdate_state from;
		u32 event;
		int ret;
		enum liveupdate_state to;
	} rows[] = {
		{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_FREEZE, -EINVAL,
		  LIVEUPDATE_STATE_NORMAL },
		{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_FINISH, -EINVAL,
		  LIVEUPDATE_STATE_NORMAL },
		{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_CANCEL, -EINVAL,
		  LIVEUPDATE_STATE_NORMAL },
		{ LIVEUPDATE_STATE_NORMAL, LIVEUPDATE_PREPARE, 0,
		  LIVEUPDATE_STATE_PREPARED },
		{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_PREPARE, -EINVAL,
		  LIVEUPDATE_STATE_PREPARED },
		{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_FREEZE, -EINVAL,
		  LIVEUPDATE_STATE_PREPARED },
		{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_FINISH, -EINVAL,
		  LIVEUPDATE_STATE_PREPARED },
		{ LIVEUPDATE_STATE_PREPARED, LIVEUPDATE_CANCEL, 0,
		  LIVEUPDATE_STATE_NORMAL },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_ASSERT_EQ(test, luo_state(), rows[i].from);
		KUNIT_EXPECT_EQ(test, luo_state_event(rows[i].event),
				rows[i].ret);
		KUNIT_ASSERT_EQ(test, luo_state(), rows[i].to);
	}
}

static void luo_kunit_sessions(struct kunit *test)
{
	unsigned long pages = kho_preserved_pages();
	struct luo_session **sessions;
	u8 name[LIVEUPDATE_SESSION_NAME_LENGTH] = "";
	int i;

	sessions = kunit_kcalloc(test, LUO_KUNIT_MANY, sizeof(*sessions),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sessions);

	guard(rwsem_read)(&luo_state_lock);

	for (i = 0; i < LUO_KUNIT_MANY; i++) {
		snprintf(name, sizeof(name), "session %d", i);
		sessions[i] = luo_session_create(name);
		KUNIT_ASSERT_FALSE(test, IS_ERR(sessions[i]));
	}
	KUNIT_EXPECT_EQ(test, luo_session_count(LUO_DIR_OUT), LUO_KUNIT_MANY);

	for (i = 0; i < LUO_KUNIT_MANY; i++) {
		snprintf(name, sizeof(name), "session %d", i);
		KUNIT_EXPECT_EQ(test, PTR_ERR(luo_session_create(name)),
				-EEXIST);
		/* Incoming sessions are found apart. */
		KUNIT_EXPECT_EQ(test, PTR_ERR(luo_session_claim(name)),
				-ENOENT);
	}
	memset(name, 'x', sizeof(name));
	KUNIT_EXPECT_EQ(test, PTR_ERR(luo_session_create(name)), -EINVAL);

	/* Start in the middle: neither end of the list is special. */
	for (i = 0; i < LUO_KUNIT_MANY; i++)
		luo_session_release(sessions[(i + 100) % LUO_KUNIT_MANY]);
	KUNIT_EXPECT_EQ(test, luo_session_count(LUO_DIR_OUT), 0);
	KUNIT_EXPECT_EQ(test, kho_preserved_pages(), pages);
}

#define LUO_KUNIT_WALKED	6

/* A walk over sessions, some of which are released while or before it reaches them. */
static void luo_kunit_walk(struct kunit *test)
{
	static const int released[LUO_KUNIT_WALKED] = { [1] = 1, [2] = 1, [4] = 3 };
	struct luo_session *sessions[LUO_KUNIT_WALKED];
	struct luo_session_info info;
	struct luo_walk walk = {};
	u8 name[LIVEUPDATE_SESSION_NAME_LENGTH] = "";
	int i, j;

	guard(rwsem_read)(&luo_state_lock);

	for (i = 0; i < LUO_KUNIT_WALKED; i++) {
		snprintf(name, sizeof(name), "walked %d", i);
		sessions[i] = luo_session_create(name);
		KUNIT_ASSERT_FALSE(test, IS_ERR(sessions[i]));
	}

	/* It reaches 0, 1, 3 and 5; at 1 both 1 and 2 are released, at 3 it is 4. */
	for (i = 0; i < LUO_KUNIT_WALKED; i++) {
		if (released[i] && released[i] != i)
			continue;
		KUNIT_ASSERT_TRUE(test, luo_walk_session(&walk, &info));
		snprintf(name, sizeof(name), "walked %d", i);
		KUNIT_EXPECT_STREQ(test, info.name, name);
		for (j = 0; j < LUO_KUNIT_WALKED; j++) {
			if (i && released[j] == i)
				luo_session_release(sessions[j]);
		}
		luo_walk_next_session(&walk);
	}
	KUNIT_EXPECT_FALSE(test, luo_walk_session(&walk, &info));
	KUNIT_EXPECT_FALSE(test, luo_walk_session(&walk, &info));

	/* Again: the session that it is at is released, then all others. */
	luo_walk_end(&walk);
	KUNIT_ASSERT_TRUE(test, luo_walk_session(&walk, &info));
	KUNIT_EXPECT_STREQ(test, info.name, "walked 0");
	for (i = 0; i < LUO_KUNIT_WALKED; i++) {
		if (released[i])
			continue;
		luo_session_release(sessions[i]);
		if (i)
			continue;
		KUNIT_ASSERT_TRUE(test, luo_walk_session(&walk, &info));
		KUNIT_EXPECT_STREQ(test, info.name, "walked 3");
	}
	KUNIT_EXPECT_FALSE(test, luo_walk_session(&walk, NULL));
	luo_walk_end(&walk);
}

static struct kunit_case luo_kunit_session_cases[] = {
	KUNIT_CASE(luo_kunit_global_state),
	KUNIT_CASE(luo_kunit_sessions),
	KUNIT_CASE(luo_kunit_walk),
	{}
};

static struct kunit_suite luo_kunit_session_suite = {
	.name = "liveupdate-sessions",
	.init = luo_kunit_init,
	.test_cases = luo_kunit_session_cases,
};

kunit_test_suite(luo_kunit_session_suite);
