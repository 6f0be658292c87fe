// SPDX-License-Identifier: GPL-2.0

/*
 * What a probe of a trace event finds, and what becomes of messages that come by the
 * thousand. As luo_kunit.c, it needs liveupdate=on and a machine that nobody uses.
 */

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <trace/events/kho.h>

#include "../luo_file.h"
#include "../luo_notice.h"

#define LUO_KUNIT_TOKEN		7
#define LUO_KUNIT_REJECTS	500

/**
 * struct luo_kunit_seen - what the probes found
 * @set:    whose files the events are about
 * @count:  files of the set at the event of a file in that state
 * @events: of all kinds
 * @atomic: of them, where the probe could not be preempted
 */
struct luo_kunit_seen {
	struct luo_file_set set;
	u64 count[LUO_FILE_FAILED + 1];
	unsigned int events;
	unsigned int atomic;
};

static void luo_kunit_saw(struct luo_kunit_seen *seen)
{
	seen->events++;
	seen->atomic += !preemptible();
}

static void luo_kunit_file_state(void *data, u64 number, const char *session,
				 u64 token, const char *compatible, u32 old,
				 u32 new, int ret)
{
	struct luo_kunit_seen *seen = data;

	luo_kunit_saw(seen);
	if (!ret)
		seen->count[new] = seen->set.count;
}

static void luo_kunit_kho(void *data, u32 kind, unsigned long pfn,
			  unsigned long nr_pages, int ret, unsigned long caller)
{
	luo_kunit_saw(data);
}

static const struct file_operations luo_kunit_fops = {
	.owner = THIS_MODULE,
};

static bool luo_kunit_can_preserve(struct liveupdate_file_handler *handler,
				   struct file *file)
{
	return file->f_op == &luo_kunit_fops;
}

static int luo_kunit_do(struct liveupdate_file_op_args *args)
{
	return 0;
}

static void luo_kunit_undo(struct liveupdate_file_op_args *args)
{
}

static const struct liveupdate_file_ops luo_kunit_ops = {
	.can_preserve	= luo_kunit_can_preserve,
	.preserve	= luo_kunit_do,
	.unpreserve	= luo_kunit_undo,
	.retrieve	= luo_kunit_do,
	.finish		= luo_kunit_undo,
};

static struct liveupdate_file_handler luo_kunit_handler = {
	.ops = &luo_kunit_ops,
	.compatible = "luo-kunit-events-v1",
};

static void luo_kunit_steps(struct kunit *test, struct luo_kunit_seen *seen)
{
	struct file *file;
	void *mem;

	file = anon_inode_getfile("[luo_kunit]", &luo_kunit_fops, NULL, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));

	guard(mutex)(&seen->set.lock);

	KUNIT_EXPECT_EQ(test, luo_file_preserve(&seen->set, file, LUO_KUNIT_TOKEN),
			0);
	KUNIT_EXPECT_EQ(test, luo_file_unpreserve(&seen->set, LUO_KUNIT_TOKEN), 0);
	fput(file);

	mem = kho_alloc_preserve(PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, IS_ERR(mem));
	if (!IS_ERR(mem))
		kho_unpreserve_free(mem);
}

/* A probe finds what the event says, and may be preempted as that of any other one. */
static void luo_kunit_probes(struct kunit *test)
{
	struct luo_kunit_seen *seen = kunit_kzalloc(test, sizeof(*seen), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seen);
	luo_file_set_init(&seen->set, "kunit", LUO_DIR_OUT);
	KUNIT_ASSERT_EQ(test,
			liveupdate_register_file_handler(&luo_kunit_handler), 0);
	KUNIT_EXPECT_EQ(test, register_trace_luo_file_state(luo_kunit_file_state,
							    seen), 0);
	KUNIT_EXPECT_EQ(test, register_trace_kho_preserve(luo_kunit_kho, seen), 0);

	luo_kunit_steps(test, seen);

	unregister_trace_kho_preserve(luo_kunit_kho, seen);
	unregister_trace_luo_file_state(luo_kunit_file_state, seen);
	tracepoint_synchronize_unregister();
	liveupdate_unregister_file_handler(&luo_kunit_handler);
	luo_file_set_destroy(&seen->set);

	KUNIT_EXPECT_EQ(test, seen->count[LUO_FILE_PRESERVED], 1);
	KUNIT_EXPECT_EQ(test, seen->count[LUO_FILE_NONE], 0);
	KUNIT_EXPECT_GE(test, seen->events, 3);
	KUNIT_EXPECT_EQ(test, seen->atomic, 0);
}

/* The script of the test reads them in the log, in one line. */
static void luo_kunit_rejects(struct kunit *test)
{
	u64 i;

	for (i = 0; i < LUO_KUNIT_REJECTS; i++)
		luo_notice("of the handover rejected", "file", "kunit-test",
			   "many", &i);
}

static struct kunit_case luo_kunit_event_cases[] = {
	KUNIT_CASE(luo_kunit_probes),
	KUNIT_CASE(luo_kunit_rejects),
	{}
};

static struct kunit_suite luo_kunit_event_suite = {
	.name = "liveupdate-events",
	.test_cases = luo_kunit_event_cases,
};

kunit_test_suite(luo_kunit_event_suite);
