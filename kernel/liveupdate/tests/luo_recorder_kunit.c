// SPDX-License-Identifier: GPL-2.0

/* What the recorder makes of the record of the previous kernel. */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../luo_recorder_internal.h"

static struct liveupdate_recorder_part *luo_kunit_record(struct kunit *test, int byte)
{
	struct liveupdate_recorder_part *record;

	record = kunit_kmalloc(test, sizeof(*record), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, record);
	/* In words: sparse takes so many bytes for a mistake. */
	memset64((u64 *)record, byte * 0x0101010101010101ULL, sizeof(*record) / sizeof(u64));
	return record;
}

/* A name that ends in its array, and is as long as it can be. */
#define luo_kunit_expect_end(test, name) \
	KUNIT_EXPECT_EQ((test), strnlen((name), sizeof(name)), sizeof(name) - 1)

static void luo_kunit_expect_scope_ends(struct kunit *test,
					const struct liveupdate_recorder_part *record,
					int scope)
{
	int i, j;

	for (j = 0; j < LIVEUPDATE_RECORDER_SLOWEST; j++) {
		for (i = 0; i < LIVEUPDATE_RECORDER_OPS; i++) {
			luo_kunit_expect_end(test, record->slow_calls[scope][i][j].name);
			luo_kunit_expect_end(test, record->slow_calls[scope][i][j].session);
		}
		for (i = 0; i < LIVEUPDATE_RECORDER_PHASES; i++)
			luo_kunit_expect_end(test, record->slow_sessions[scope][i][j].name);
	}
}

/* Nothing but ones: each name of it has an end afterwards. */
static void luo_kunit_record_names(struct kunit *test)
{
	struct liveupdate_recorder_part *record = luo_kunit_record(test, 0xff);
	int i;

	luo_record_sanitize(record);
	luo_kunit_expect_end(test, record->release);
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP; i++)
		luo_kunit_expect_end(test, record->given_up_names[i]);
	for (i = 0; i < LIVEUPDATE_RECORDER_REFUSED; i++) {
		luo_kunit_expect_end(test, record->refused[i].what);
		luo_kunit_expect_end(test, record->refused[i].reason);
		luo_kunit_expect_end(test, record->refused[i].name);
	}
	for (i = 0; i < LIVEUPDATE_NR_SCOPES; i++)
		luo_kunit_expect_scope_ends(test, record, i);
	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++)
		luo_kunit_expect_end(test, record->rows[i].name);
	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++)
		luo_kunit_expect_end(test, record->pauses[i].name);
}

/* Memory and frequency of the counter that cannot be are unknown. */
static void luo_kunit_record_figures(struct kunit *test)
{
	const u64 ram = (u64)get_num_physpages() << PAGE_SHIFT;
	const struct {
		u64 bytes, hz, want_bytes, want_hz;
	} rows[] = {
		{ 0, 0, 0, 0 },
		{ PAGE_SIZE, 1000000, PAGE_SIZE, 1000000 },
		{ ram, 100000000000ULL, ram, 100000000000ULL },
		{ ram + PAGE_SIZE, 999999, 0, 0 },
		{ U64_MAX, 100000000001ULL, 0, 0 },
		{ PAGE_SIZE, U64_MAX, PAGE_SIZE, 0 },
	};
	struct liveupdate_recorder_part *record = luo_kunit_record(test, 0);
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		record->bytes = rows[i].bytes;
		record->clock_hz = rows[i].hz;
		luo_record_sanitize(record);
		KUNIT_EXPECT_EQ_MSG(test, record->bytes, rows[i].want_bytes, "row %d", i);
		KUNIT_EXPECT_EQ_MSG(test, record->clock_hz, rows[i].want_hz, "row %d", i);
	}
}

/* A record of a kernel stays as it is. */
static void luo_kunit_record_whole(struct kunit *test)
{
	struct liveupdate_recorder_part *record = luo_kunit_record(test, 0), *before;

	record->bytes = PAGE_SIZE;
	record->clock_hz = 2000000000;
	record->rows[LIVEUPDATE_RECORDER_ROWS - 1].count = U64_MAX;
	strscpy(record->release, "7.3.4");
	strscpy(record->refused[0].reason, "not-preserved");
	memset(record->given_up_names[0], 'a', LIVEUPDATE_SESSION_NAME_LENGTH - 1);
	before = luo_kunit_record(test, 0);
	*before = *record;

	luo_record_sanitize(record);
	KUNIT_EXPECT_TRUE(test, !memcmp(record, before, sizeof(*record)));
}

static struct kunit_case luo_kunit_recorder_cases[] = {
	KUNIT_CASE(luo_kunit_record_names),
	KUNIT_CASE(luo_kunit_record_figures),
	KUNIT_CASE(luo_kunit_record_whole),
	{}
};

static struct kunit_suite luo_kunit_recorder_suite = {
	.name = "liveupdate-recorder",
	.test_cases = luo_kunit_recorder_cases,
};

kunit_test_suite(luo_kunit_recorder_suite);
