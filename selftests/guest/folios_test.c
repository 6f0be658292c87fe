// SPDX-License-Identifier: GPL-2.0

/*
 * What luotrace says of the sizes of folios, against memfds of known ones. Large ones are
 * only where the kernel has transparent huge pages.
 *
 *	folios_test hold	before a live update
 *	folios_test retrieve	after it
 *	folios_test		compare, as TAP, in both kernels
 */

#include "luo_test.h"
#include "luo_json.h"

#define SMALL_PAGES	1281ULL	/* two of 2 MiB, and 257 pages */
#define LARGE_FOLIOS	4ULL
#define LARGE_ORDER	9
#define PAGE		4096ULL
#define SHMEM_HUGE	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static bool has_large(void)
{
	return !access(SHMEM_HUGE, F_OK);
}

static bool is_own(void)
{
	return !access(TEST_DEVICE, F_OK);
}

static bool is_restored(void)
{
	return !strcmp(getenv("STAGE") ?: "0", "1");
}

static void allow_large(const char *how)
{
	if (has_large())
		write_file(SHMEM_HUGE, how);
}

static int hold(void)
{
	int dev = open_device(), small = create(dev, "small"), large = create(dev, "large");

	must(small >= 0 && large >= 0, "create");
	allow_large("never");
	must(!preserve(small, memfd(SMALL_PAGES * PAGE, 1), 1), "small");
	allow_large("always");
	must(!preserve(large, memfd(LARGE_FOLIOS * PAGE << LARGE_ORDER, 2), 2), "large");
	return hold_until_kexec();
}

static int retrieve_all(void)
{
	int dev = open_device(), small = claim(dev, "small"), large = claim(dev, "large");

	must(small >= 0 && large >= 0, "claim");
	must(memfd_intact(retrieve(small, 1), SMALL_PAGES * PAGE, 1), "small");
	must(memfd_intact(retrieve(large, 2), LARGE_FOLIOS * PAGE << LARGE_ORDER, 2),
	     "large");
	must(!finish(small) && !finish(large), "finish");
	return 0;
}

static const char *action(void)
{
	return is_restored() ? "restore" : "preserve";
}

static const char *op(void)
{
	return is_restored() ? "retrieve" : "preserve";
}

/* The object of the action, and of the order unless that is below 0. */
static json_t *of_action(json_t *folios, const char *list, long long order)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(folios, list), i, o) {
		if (!strcmp(text(o, "action"), action()) &&
		    (order < 0 || number(o, "order") == order))
			return o;
	}
	return NULL;
}

/* Check an object "folios" of either command. */
static void check_folios(struct __test_metadata *_metadata, json_t *folios)
{
	json_t *small = of_action(folios, "orders", 0);
	json_t *large = of_action(folios, "orders", LARGE_ORDER);
	json_t *pieces = of_action(folios, "pieces", -1);
	unsigned long long pages = SMALL_PAGES, rest, more;

	ASSERT_NE(NULL, small);
	ASSERT_NE(NULL, pieces);
	EXPECT_EQ(LARGE_ORDER, number(folios, "large_order"));
	EXPECT_EQ(PAGE, number(small, "folio_bytes"));
	EXPECT_LE(SMALL_PAGES, number(small, "timed"));
	EXPECT_EQ(number(small, "calls"), number(small, "pages"));
	if (has_large()) {
		ASSERT_NE(NULL, large);
		EXPECT_EQ(LARGE_FOLIOS, number(large, "calls"));
		EXPECT_EQ(LARGE_FOLIOS, number(large, "timed"));
		EXPECT_EQ(LARGE_FOLIOS << LARGE_ORDER, number(large, "pages"));
		EXPECT_LT(0, number(large, "avg_ns"));
		EXPECT_LT(0, number(pieces, "estimate_ns"));
		/* Fewer calls do less. */
		EXPECT_GT(number(pieces, "total_ns"), number(pieces, "estimate_ns"));
		EXPECT_EQ(1, number(pieces, "calls"));
	} else {
		pages += LARGE_FOLIOS << LARGE_ORDER;
		EXPECT_TRUE(json_is_null(json_object_get(pieces, "estimate_ns")));
		EXPECT_EQ(2, number(pieces, "calls"));
		EXPECT_NE(NULL, strstr(text(pieces, "text"), "is unknown"));
	}
	/* Where there are no trace events, the handler's own memory is among them. */
	more = number(pieces, "folios") - pages;
	EXPECT_GE(is_own() ? 0 : 8, more);
	rest = number(pieces, "rest_folios");
	EXPECT_EQ(pages + more, (number(pieces, "large_folios") << LARGE_ORDER) + rest);
	EXPECT_EQ(SMALL_PAGES % (1 << LARGE_ORDER), rest - more);
	EXPECT_STREQ(has_large() ? "small" : "large", text(pieces, "session"));
	EXPECT_STREQ(has_large() ? "1" : "2", text(pieces, "token"));
	EXPECT_EQ(0, strncmp("memfd-", text(pieces, "handler"), 6));
}

TEST(latency_has_the_sizes_of_folios)
{
	json_t *root = json_load_file("/tmp/latency.json", 0, NULL), *folios, *row;

	ASSERT_NE(NULL, root);
	folios = json_object_get(root, "folios");
	check_folios(_metadata, folios);
	/* KHO is a part of the handler's call. */
	row = call_row(root, "memfd-", op());
	ASSERT_NE(NULL, row);
	EXPECT_GT(number(row, "total_ns"),
		  number(of_action(folios, "pieces", -1), "total_ns"));
	json_decref(root);
}

TEST(a_report_has_the_same)
{
	json_t *root = json_load_file("/tmp/report.json", 0, NULL);

	ASSERT_NE(NULL, root);
	check_folios(_metadata, json_object_get(json_array_get(json_object_get(root,
					"traces"), 0), "folios"));
	json_decref(root);
}

TEST(the_sizes_sum_to_what_kho_says)
{
	json_t *root = json_load_file("/tmp/latency.json", 0, NULL), *row;
	long long kho = -1, folios = 0;
	size_t i;

	if (!is_own())
		SKIP(return, "no trace events");
	json_array_foreach(json_object_get(root, "kho"), i, row) {
		if (!strcmp(text(row, "action"), action()) &&
		    !strcmp(text(row, "kind"), "folio"))
			kho = number(row, "pages");
	}
	json_array_foreach(json_object_get(json_object_get(root, "folios"), "orders"), i,
			   row) {
		if (!strcmp(text(row, "action"), action()))
			folios += number(row, "pages");
	}
	EXPECT_EQ(kho, folios);
	json_decref(root);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc > 1 && !strcmp(argv[1], "retrieve"))
		return retrieve_all();
	return run_cases(argc, argv, NULL);
}
