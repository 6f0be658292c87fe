// SPDX-License-Identifier: GPL-2.0

/* The value and the private data of a subsystem: who sets and who gets them. */

#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/container_of.h>

#include "../luo_state.h"
#include "../luo_subsystem.h"
#include "luo_kunit.h"

#define LUO_KUNIT_NR_STEPS	8

/**
 * struct luo_kunit_subsystem - a subsystem that notes what its operations get
 * @subsystem: what LUO knows of it
 * @steps:     what they got, in order: the name of the operation, its arguments
 * @nr:        number of @steps
 * @fail:      the next operation that can fail does so
 */
struct luo_kunit_subsystem {
	struct liveupdate_subsystem subsystem;
	struct luo_kunit_step {
		const char *op;
		u64 data;
		const void *private;
	} steps[LUO_KUNIT_NR_STEPS];
	unsigned int nr;
	bool fail;
};

/* Where the private data points to: set by prepare, by freeze and by boot. */
static char luo_kunit_prepared, luo_kunit_frozen, luo_kunit_booted;

/* Note the arguments and change them, although the operation may fail. */
static int luo_kunit_note(struct liveupdate_subsystem_op_args *args, const char *op,
			  u64 data, void *private)
{
	struct luo_kunit_subsystem *s;
	bool fail;

	s = container_of(args->subsystem, struct luo_kunit_subsystem, subsystem);
	if (s->nr < LUO_KUNIT_NR_STEPS)
		s->steps[s->nr] = (struct luo_kunit_step) {
			op, args->serialized_data, args->private_data,
		};
	s->nr++;
	args->serialized_data = data;
	args->private_data = private;

	fail = s->fail;
	s->fail = false;
	return fail ? -EMLINK : 0;
}

static int luo_kunit_sub_prepare(struct liveupdate_subsystem_op_args *args)
{
	return luo_kunit_note(args, "prepare", 1, &luo_kunit_prepared);
}

static int luo_kunit_sub_freeze(struct liveupdate_subsystem_op_args *args)
{
	return luo_kunit_note(args, "freeze", 2, &luo_kunit_frozen);
}

static void luo_kunit_sub_unfreeze(struct liveupdate_subsystem_op_args *args)
{
	luo_kunit_note(args, "unfreeze", 3, &luo_kunit_prepared);
}

static void luo_kunit_sub_cancel(struct liveupdate_subsystem_op_args *args)
{
	luo_kunit_note(args, "cancel", args->serialized_data, args->private_data);
}

static void luo_kunit_sub_boot(struct liveupdate_subsystem_op_args *args)
{
	luo_kunit_note(args, "boot", args->serialized_data, &luo_kunit_booted);
}

static void luo_kunit_sub_finish(struct liveupdate_subsystem_op_args *args)
{
	luo_kunit_note(args, "finish", args->serialized_data, args->private_data);
}

static const struct liveupdate_subsystem_ops luo_kunit_sub_ops = {
	.prepare	= luo_kunit_sub_prepare,
	.freeze		= luo_kunit_sub_freeze,
	.unfreeze	= luo_kunit_sub_unfreeze,
	.cancel		= luo_kunit_sub_cancel,
	.boot		= luo_kunit_sub_boot,
	.finish		= luo_kunit_sub_finish,
};

static struct luo_kunit_subsystem luo_kunit_sub = {
	.subsystem = { .ops = &luo_kunit_sub_ops, .name = "luo-kunit" },
};

KUNIT_DEFINE_ACTION_WRAPPER(luo_kunit_unregister_subsystem,
			    liveupdate_unregister_subsystem,
			    struct liveupdate_subsystem *);

static void luo_kunit_register_subsystem(struct kunit *test)
{
	struct liveupdate_subsystem *s = &luo_kunit_sub.subsystem;

	luo_kunit_sub.nr = 0;
	luo_kunit_sub.fail = false;
	KUNIT_ASSERT_EQ(test, liveupdate_register_subsystem(s), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test,
							luo_kunit_unregister_subsystem,
							s), 0);
}

/* Freeze all subsystems, as reboot() does, and thaw those that could be frozen. */
static int luo_kunit_try_freeze(void)
{
	int err;

	guard(rwsem_write)(&luo_state_lock);

	err = luo_subsystem_freeze_all();
	luo_subsystem_unfreeze_all();
	return err;
}

static void luo_kunit_expect_steps(struct kunit *test, const struct luo_kunit_step *want,
				   unsigned int nr)
{
	const struct luo_kunit_step *step = luo_kunit_sub.steps;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, luo_kunit_sub.nr, nr);
	for (i = 0; i < nr; i++, step++, want++) {
		KUNIT_EXPECT_STREQ_MSG(test, step->op, want->op, "step %u", i);
		KUNIT_EXPECT_EQ_MSG(test, step->data, want->data, "step %u", i);
		KUNIT_EXPECT_PTR_EQ_MSG(test, step->private, want->private, "step %u", i);
	}
}

static void luo_kunit_private_data(struct kunit *test)
{
	static const struct luo_kunit_step want[] = {
		{ "prepare", 0, NULL },
		{ "freeze", 1, &luo_kunit_prepared },
		{ "unfreeze", 2, &luo_kunit_frozen },
		{ "cancel", 3, &luo_kunit_prepared },
		/* The next attempt knows nothing of the first one. */
		{ "prepare", 0, NULL },
		{ "cancel", 1, &luo_kunit_prepared },
	};

	luo_kunit_register_subsystem(test);
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, luo_kunit_try_freeze(), 0);
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_CANCEL), 0);
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_PREPARE), 0);
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_CANCEL), 0);
	luo_kunit_expect_steps(test, want, ARRAY_SIZE(want));
}

static void luo_kunit_private_data_of_failures(struct kunit *test)
{
	static const struct luo_kunit_step want[] = {
		{ "prepare", 0, NULL },
		{ "prepare", 0, NULL },
		{ "freeze", 1, &luo_kunit_prepared },
		{ "freeze", 1, &luo_kunit_prepared },
		{ "unfreeze", 2, &luo_kunit_frozen },
		{ "cancel", 3, &luo_kunit_prepared },
	};

	luo_kunit_register_subsystem(test);
	luo_kunit_sub.fail = true;
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_PREPARE), -EMLINK);
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_PREPARE), 0);
	luo_kunit_sub.fail = true;
	KUNIT_EXPECT_EQ(test, luo_kunit_try_freeze(), -EMLINK);
	KUNIT_EXPECT_EQ(test, luo_kunit_try_freeze(), 0);
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_CANCEL), 0);
	luo_kunit_expect_steps(test, want, ARRAY_SIZE(want));
}

/* A live update that is prepared before the one before it is finished has its own. */
static void luo_kunit_private_data_of_both(struct kunit *test)
{
	static const struct luo_kunit_step want[] = {
		{ "boot", 7, NULL },
		{ "prepare", 0, NULL },
		{ "finish", 7, &luo_kunit_booted },
		{ "cancel", 1, &luo_kunit_prepared },
	};

	/* Pretend that a live update brought a value, and that sessions are left. */
	KUNIT_ASSERT_NULL(test, luo_subsystem_deserialize("luo-kunit", 7));
	luo_subsystems_over = false;
	luo_kunit_register_subsystem(test);
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_PREPARE), 0);
	scoped_guard(rwsem_write, &luo_state_lock)
		luo_subsystem_finish_all();
	KUNIT_EXPECT_EQ(test, luo_state_event(LIVEUPDATE_CANCEL), 0);
	luo_kunit_expect_steps(test, want, ARRAY_SIZE(want));
}

static struct kunit_case luo_kunit_subsystem_cases[] = {
	KUNIT_CASE(luo_kunit_private_data),
	KUNIT_CASE(luo_kunit_private_data_of_failures),
	KUNIT_CASE(luo_kunit_private_data_of_both),
	{}
};

static struct kunit_suite luo_kunit_subsystem_suite = {
	.name = "liveupdate-subsystems",
	.init = luo_kunit_init,
	.test_cases = luo_kunit_subsystem_cases,
};

kunit_test_suite(luo_kunit_subsystem_suite);
