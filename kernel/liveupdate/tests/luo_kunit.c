// SPDX-License-Identifier: GPL-2.0

/*
 * What the KUnit suites of LUO have in common: a kind of file, callbacks for its
 * handlers, and setup that is undone when a test ends. The suites need liveupdate=on
 * and run at boot, before there is a process that could use LUO.
 */

#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>

#include "../luo_file.h"
#include "luo_kunit.h"

static const struct file_operations luo_kunit_fops = {
	.owner = THIS_MODULE,
};

KUNIT_DEFINE_ACTION_WRAPPER(luo_kunit_unregister,
			    liveupdate_unregister_file_handler,
			    struct liveupdate_file_handler *);
KUNIT_DEFINE_ACTION_WRAPPER(luo_kunit_destroy, luo_file_set_destroy,
			    struct luo_file_set *);

/**
 * luo_kunit_init - check that LUO is on and idle
 * @test: the test that is about to run
 *
 * Return: 0; the test fails otherwise.
 */
int luo_kunit_init(struct kunit *test)
{
	KUNIT_ASSERT_TRUE_MSG(test, liveupdate_enabled(), "live update is off");
	KUNIT_ASSERT_EQ(test, luo_state(), LIVEUPDATE_STATE_NORMAL);
	return 0;
}

/**
 * luo_kunit_can_preserve - can_preserve of a handler for files of the tests
 * @fh:   the handler
 * @file: the file
 *
 * Return: true if luo_kunit_preserve() has opened the file.
 */
bool luo_kunit_can_preserve(struct liveupdate_file_handler *fh,
			    struct file *file)
{
	return file->f_op == &luo_kunit_fops;
}

/**
 * luo_kunit_succeed - an operation of a handler that does nothing and succeeds
 * @args: not used
 *
 * Return: 0.
 */
int luo_kunit_succeed(struct liveupdate_file_op_args *args)
{
	return 0;
}

/**
 * luo_kunit_ignore - an operation of a handler that does nothing and cannot fail
 * @args: not used
 */
void luo_kunit_ignore(struct liveupdate_file_op_args *args)
{
}

/* Of a handler that accepts the files of the tests, and does nothing. */
const struct liveupdate_file_ops luo_kunit_ops = {
	.can_preserve	= luo_kunit_can_preserve,
	.preserve	= luo_kunit_succeed,
	.unpreserve	= luo_kunit_ignore,
	.retrieve	= luo_kunit_succeed,
	.finish		= luo_kunit_ignore,
};

/**
 * luo_kunit_register - register a file handler until the test ends
 * @test: the test
 * @fh:   the handler
 */
void luo_kunit_register(struct kunit *test, struct liveupdate_file_handler *fh)
{
	KUNIT_ASSERT_EQ(test, liveupdate_register_file_handler(fh), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, luo_kunit_unregister,
							fh), 0);
}

/**
 * luo_kunit_set - make an outgoing file set that exists until the test ends
 * @test: the test, which leaves the set empty
 * @name: of the session in events and messages
 *
 * Return: the set.
 */
struct luo_file_set *luo_kunit_set(struct kunit *test, const char *name)
{
	struct luo_file_set *set = kunit_kzalloc(test, sizeof(*set), GFP_KERNEL);
	char *padded = kunit_kzalloc(test, LIVEUPDATE_SESSION_NAME_LENGTH, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, set);
	KUNIT_ASSERT_NOT_NULL(test, padded);
	strscpy(padded, name, LIVEUPDATE_SESSION_NAME_LENGTH);
	luo_file_set_init(set, padded, LUO_DIR_OUT);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, luo_kunit_destroy,
							set), 0);
	return set;
}

/**
 * luo_kunit_preserve - preserve a new file
 * @set:   the set
 * @token: the token of the file
 *
 * Context: under @set->lock.
 * Return: what luo_file_preserve() returns.
 */
int luo_kunit_preserve(struct luo_file_set *set, u64 token)
{
	struct file *file;
	int err;

	file = anon_inode_getfile("[luo_kunit]", &luo_kunit_fops, NULL, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = luo_file_preserve(set, file, token);
	fput(file);
	return err;
}
