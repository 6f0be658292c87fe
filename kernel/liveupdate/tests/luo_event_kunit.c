// SPDX-License-Identifier: GPL-2.0

/* What a probe of a trace event sees; names in events; messages that are collected. */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <trace/events/kho.h>

#include "../luo_file.h"
#include "../luo_notice.h"
#include "luo_kunit.h"

#define LUO_KUNIT_TOKEN		7
#define LUO_KUNIT_REJECTS	500

/**
 * struct luo_kunit_seen - what the probes saw
 * @set:    the files that the events are about
 * @count:  number of files in the set at the event of a file in that state
 * @events: of all kinds
 * @atomic: events whose probe could not be preempted
 */
struct luo_kunit_seen {
	struct luo_file_set *set;
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
		seen->count[new] = seen->set->count;
}

static void luo_kunit_kho(void *data, u32 kind, unsigned long pfn,
			  unsigned long nr_pages, int ret, unsigned long caller)
{
	luo_kunit_saw(data);
}

static struct liveupdate_file_handler luo_kunit_event_handler = {
	.ops = &luo_kunit_ops,
	.compatible = "luo-kunit-events-v1",
};

static void luo_kunit_steps(struct kunit *test, struct luo_file_set *set)
{
	void *mem;

	guard(mutex)(&set->lock);

	KUNIT_EXPECT_EQ(test, luo_kunit_preserve(set, LUO_KUNIT_TOKEN), 0);
	KUNIT_EXPECT_EQ(test, luo_file_unpreserve(set, LUO_KUNIT_TOKEN), 0);

	mem = kho_alloc_preserve(PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, IS_ERR(mem));
	if (!IS_ERR(mem))
		kho_unpreserve_free(mem);
}

/* A probe sees what the event says, and can be preempted like any other probe. */
static void luo_kunit_probes(struct kunit *test)
{
	struct luo_kunit_seen *seen = kunit_kzalloc(test, sizeof(*seen), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seen);
	seen->set = luo_kunit_set(test, "kunit");
	luo_kunit_register(test, &luo_kunit_event_handler);
	KUNIT_EXPECT_EQ(test, register_trace_luo_file_state(luo_kunit_file_state,
							    seen), 0);
	KUNIT_EXPECT_EQ(test, register_trace_kho_preserve(luo_kunit_kho, seen), 0);

	luo_kunit_steps(test, seen->set);

	unregister_trace_kho_preserve(luo_kunit_kho, seen);
	unregister_trace_luo_file_state(luo_kunit_file_state, seen);
	tracepoint_synchronize_unregister();

	KUNIT_EXPECT_EQ(test, seen->count[LUO_FILE_PRESERVED], 1);
	KUNIT_EXPECT_EQ(test, seen->count[LUO_FILE_NONE], 0);
	KUNIT_EXPECT_GE(test, seen->events, 3);
	KUNIT_EXPECT_EQ(test, seen->atomic, 0);
}

static void luo_kunit_names(struct kunit *test)
{
	static const struct {
		const char *name;
		const char *shown;
	} names[] = {
		{ "plain-name.1", "plain-name.1" },
		{ "a b", "a\\040b" },
		{ "ret=0", "ret\\0750" },
		{ "q\"\n", "q\\\"\\n" },
		{ "\xff\\", "\\377\\\\" },
	};
	char shown[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		KUNIT_EXPECT_EQ(test, luo_trace_name_size(names[i].name),
				strlen(names[i].shown) + 1);
		luo_trace_name(shown, names[i].name);
		KUNIT_EXPECT_STREQ(test, shown, names[i].shown);
	}
}

/* The script of the test finds them in the log, in one line. */
static void luo_kunit_rejects(struct kunit *test)
{
	u64 i;

	for (i = 0; i < LUO_KUNIT_REJECTS; i++)
		luo_notice("of the handover rejected", "file", "kunit-test",
			   "many", &i);
}

static struct kunit_case luo_kunit_event_cases[] = {
	KUNIT_CASE(luo_kunit_probes),
	KUNIT_CASE(luo_kunit_names),
	KUNIT_CASE(luo_kunit_rejects),
	{}
};

static struct kunit_suite luo_kunit_event_suite = {
	.name = "liveupdate-events",
	.init = luo_kunit_init,
	.test_cases = luo_kunit_event_cases,
};

kunit_test_suite(luo_kunit_event_suite);
