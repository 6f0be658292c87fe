// SPDX-License-Identifier: GPL-2.0

/* The handover: its tree, written and read, intact and damaged. */

#include <kunit/test.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../luo_handover.h"
#include "../luo_trace.h"
#include "luo_kunit.h"

/* The tree of a handover with the largest number of subsystems. */
static void *luo_kunit_tree(struct kunit *test)
{
	char (*names)[LIVEUPDATE_SUBSYSTEM_NAME_LENGTH];
	struct luo_contents *contents;
	void *copy;
	int i;

	contents = kunit_kzalloc(test, sizeof(*contents), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, contents);
	names = kunit_kcalloc(test, LIVEUPDATE_SUBSYSTEM_MAX, sizeof(*names),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, names);
	copy = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);

	contents->sessions.count = 3;
	contents->nr_values = LIVEUPDATE_SUBSYSTEM_MAX;
	for (i = 0; i < LIVEUPDATE_SUBSYSTEM_MAX; i++) {
		memset(names[i], 'n', sizeof(names[i]) - 1);
		names[i][0] = 'a' + i % 26;
		names[i][1] = 'a' + i / 26;
		contents->values[i].name = names[i];
		contents->values[i].data = i;
	}
	KUNIT_ASSERT_EQ(test, luo_handover_serialize(contents), 0);
	memcpy(copy, luo_handover_fdt(), PAGE_SIZE);

	memset(contents, 0, sizeof(*contents));
	KUNIT_ASSERT_EQ(test, luo_handover_serialize(contents), 0);
	return copy;
}

static void luo_kunit_tree_is_whole(struct kunit *test)
{
	const void *fdt = luo_kunit_tree(test);
	int parent, node, n = 0;
	u64 val;

	KUNIT_EXPECT_TRUE(test, luo_fdt_check(fdt, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, luo_fdt_u64(fdt, 0, LUO_FDT_PROP_NUMBER, &val));
	KUNIT_EXPECT_EQ(test, val, luo_number(LUO_DIR_OUT));

	node = fdt_subnode_offset(fdt, 0, LUO_FDT_SESSION_NODE);
	KUNIT_ASSERT_GT(test, node, 0);
	KUNIT_EXPECT_NULL(test, luo_fdt_u64(fdt, node, LUO_FDT_PROP_COUNT,
					    &val));
	KUNIT_EXPECT_EQ(test, val, 3);

	parent = fdt_subnode_offset(fdt, 0, LUO_FDT_SUBSYSTEMS_NODE);
	fdt_for_each_subnode(node, fdt, parent) {
		KUNIT_EXPECT_NULL(test, luo_fdt_u64(fdt, node,
						    LUO_FDT_PROP_DATA, &val));
		KUNIT_EXPECT_EQ(test, val, n++);
	}
	KUNIT_EXPECT_EQ(test, n, LIVEUPDATE_SUBSYSTEM_MAX);
}

static void luo_kunit_tree_too_short(struct kunit *test)
{
	const void *fdt = luo_kunit_tree(test);
	size_t size;

	for (size = 0; size < fdt_totalsize(fdt); size++)
		KUNIT_EXPECT_FALSE(test, luo_fdt_check(fdt, size));
}

/* No byte, whatever its value, leads out of the page. A tree that passes is readable. */
static void luo_kunit_tree_damaged(struct kunit *test)
{
	u8 *fdt = luo_kunit_tree(test);
	size_t size = fdt_totalsize(fdt), at;
	const u8 values[] = { 0, 1, 0x7f, 0xff };
	int rejected = 0, node, i;
	u64 val;
	u8 old;

	for (at = 0; at < size; at++) {
		old = fdt[at];
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			fdt[at] = values[i];
			if (!luo_fdt_check(fdt, PAGE_SIZE)) {
				rejected++;
				continue;
			}
			fdt_for_each_subnode(node, fdt, 0)
				luo_fdt_u64(fdt, node, LUO_FDT_PROP_DATA, &val);
		}
		fdt[at] = old;
	}
	KUNIT_EXPECT_GT(test, rejected, 100);

	fdt[0] ^= 1;
	KUNIT_EXPECT_FALSE(test, luo_fdt_check(fdt, PAGE_SIZE));
}

/* The root is closed and opened again: balanced in the end, but not a tree. */
static void luo_kunit_tree_closed_early(struct kunit *test)
{
	/* The words of one node of a subsystem: tag, name, property, end */
	static const u32 words[15] = {
		FDT_END_NODE, FDT_END_NODE, FDT_END_NODE, FDT_BEGIN_NODE, 0,
		FDT_BEGIN_NODE, 0, FDT_BEGIN_NODE, 0, FDT_NOP, FDT_NOP, FDT_NOP,
		FDT_NOP, FDT_NOP, FDT_NOP,
	};
	void *fdt = luo_kunit_tree(test);
	int parent, node, i;
	fdt32_t *at;

	parent = fdt_subnode_offset(fdt, 0, LUO_FDT_SUBSYSTEMS_NODE);
	node = fdt_first_subnode(fdt, parent);
	KUNIT_ASSERT_GT(test, node, 0);
	at = fdt + fdt_off_dt_struct(fdt) + node;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		at[i] = cpu_to_fdt32(words[i]);
	KUNIT_EXPECT_FALSE(test, luo_fdt_check(fdt, PAGE_SIZE));
}

static void luo_kunit_properties(struct kunit *test)
{
	const void *fdt = luo_kunit_tree(test);
	u64 val;

	KUNIT_EXPECT_STREQ(test, luo_fdt_u64(fdt, 0, "no-such", &val),
			   "missing-property");
	KUNIT_EXPECT_STREQ(test, luo_fdt_u64(fdt, 0, LUO_FDT_PROP_COMPATIBLE,
					     &val), "property-size");
}

static void luo_kunit_strings(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, luo_string_ok("abc", 4));
	KUNIT_EXPECT_FALSE(test, luo_string_ok("abc", 3));
	KUNIT_EXPECT_FALSE(test, luo_string_ok("", 1));
}

static struct kunit_case luo_kunit_handover_cases[] = {
	KUNIT_CASE(luo_kunit_tree_is_whole),
	KUNIT_CASE(luo_kunit_tree_too_short),
	KUNIT_CASE(luo_kunit_tree_damaged),
	KUNIT_CASE(luo_kunit_tree_closed_early),
	KUNIT_CASE(luo_kunit_properties),
	KUNIT_CASE(luo_kunit_strings),
	{}
};

static struct kunit_suite luo_kunit_handover_suite = {
	.name = "liveupdate-handover",
	.init = luo_kunit_init,
	.test_cases = luo_kunit_handover_cases,
};

kunit_test_suite(luo_kunit_handover_suite);
