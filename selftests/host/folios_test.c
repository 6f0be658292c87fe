// SPDX-License-Identifier: GPL-2.0

/*
 * Memory by the size of its folios: the table, what larger folios would save and when that
 * is not known, and that a file has all of it. Prints TAP.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folios.h"
#include "tap.h"

#define PAGE	4096
#define LARGE	9	/* order of 2 MiB */

/* 3 memfds in small folios, in the kernel that restores another one in large ones. */
static struct folios sample(void)
{
	struct folios all = { .known = true, .large_order = LARGE };

	all.orders[0][0] = (struct lt_folio){ 1537, 1537, 1537000 };
	all.orders[2][0] = (struct lt_folio){ 1540, 1537, 3074000 };
	all.orders[2][LARGE] = (struct lt_folio){ 12, 10, 100000 };
	all.pieces[0] = (struct lt_pieces){
		.calls = 1, .small = 1537, .ns = 1537000, .large = 3, .rest = 1,
		.most = 1537, .token = UINT64_MAX, .session = "vm\x1b \xff",
		.compatible = "memfd-v2",
	};
	all.pieces[2] = all.pieces[0];
	all.pieces[2].calls = 3;
	all.pieces[2].ns = 3074000;
	return all;
}

static char *render(const struct folios *all)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	folios_text(all, PAGE, f);
	fclose(f);
	return text;
}

static void test_text(void)
{
	struct folios all = sample(), none = { .known = true }, unknown = { 0 };
	char *text = render(&all);

	check_string(text,
		"\nThat memory by the size of its folios\n"
		"  action        folio    calls      pages      size     each  together\n"
		"  preserve    4.00KiB     1537       1537   6.00MiB   1.00us    1.54ms\n"
		"  restore     4.00KiB     1540       1540   6.02MiB   2.00us    3.07ms\n"
		"  restore     2.00MiB       12       6144   24.0MiB   10.0us     100us\n"
		"* KHO took 1.54ms to preserve 1537 folios of 4.00KiB in 1 call of handlers; 3 of\n"
		"  2.00MiB and 1 of 4.00KiB would do, but how long one of 2.00MiB takes is\n"
		"  unknown, as none was seen; most are of memfd-v2, session vm\\x1b\\x20\\xff token\n"
		"  18446744073709551615: memfds have large ones if\n"
		"  transparent_hugepage/shmem_enabled says so\n"
		"* KHO took 3.07ms to restore 1537 folios of 4.00KiB in 3 calls of handlers; 3 of\n"
		"  2.00MiB and 1 of 4.00KiB would take 32.0us, at the 10.0us that one of 2.00MiB\n"
		"  took here; most are of memfd-v2, session vm\\x1b\\x20\\xff token\n"
		"  18446744073709551615: memfds have large ones if\n"
		"  transparent_hugepage/shmem_enabled says so\n", "the table");
	free(text);
	text = render(&none);
	check_string(text, "\nThat memory by the size of its folios\n"
		     "  none was seen\n", "no folio");
	free(text);
	text = render(&unknown);
	check_string(text, "\nThat memory by the size of its folios\n"
		     "  - (KHO's functions for a folio could not be traced)\n", "unknown");
	free(text);
}

static bool says(const struct folios *all, const char *what)
{
	char *text = render(all);
	bool found = strstr(text, what);

	free(text);
	return found;
}

/* Large folios would take 30 us of it, or nobody knows how long. */
static void test_worth(void)
{
	struct folios all = sample();

	all.pieces[2].rest = 0;
	all.pieces[2].ns = 1030000;
	check(says(&all, "KHO took 1.03ms to restore"), "1 ms that would be saved is told");
	all.pieces[2].ns--;
	check(!says(&all, "to restore"), "a nanosecond less is not");
	all.pieces[0].ns = 1000000;
	check(says(&all, "KHO took 1.00ms to preserve"), "so is 1 ms of which that is unknown");
	all.pieces[0].ns--;
	check(!says(&all, "to preserve"), "and a nanosecond less is not");
}

static void test_findings(void)
{
	struct folios all = sample();
	char buf[FOLIOS_FINDING], longest[LT_NAME_LEN];

	check(!folios_finding(&all, 1, PAGE, buf), "nothing was unpreserved");
	/* Calls of large folios whose begin was not seen say nothing of their time. */
	all.orders[2][LARGE].timed = 0;
	check(strstr(folios_finding(&all, 2, PAGE, buf), "is unknown"),
	      "a time that was not measured is unknown");
	all.large_order = 0;
	check(!folios_finding(&all, 0, PAGE, buf), "there are no larger ones");
	all = sample();
	memset(longest, '\xff', sizeof(longest) - 1);
	longest[LT_NAME_LEN - 1] = '\0';
	strcpy(all.pieces[0].session, longest);
	all.pieces[0].small = all.pieces[0].large = all.pieces[0].rest = UINT64_MAX;
	check(strstr(folios_finding(&all, 0, PAGE, buf), " token 18446744073709551615"),
	      "the longest names fit");
}

static void test_since(void)
{
	struct folios now = sample(), earlier = sample();

	now.orders[2][0].calls += 5;
	now.orders[2][0].timed += 4;
	now.orders[2][0].ns += 400;
	now.pieces[2].calls++;
	folios_since(&now, &earlier);
	check(now.orders[2][0].calls == 5 && now.orders[2][0].timed == 4 &&
	      now.orders[2][0].ns == 400 && !now.orders[0][0].calls &&
	      now.pieces[2].calls == 1 && !now.pieces[0].calls, "an interval");
}

/* Whether an object is read, with one of its keys set to something else. */
static bool reads_with(const char *list, const char *key, json_t *value)
{
	struct folios all = sample(), read;
	json_t *o = folios_json(&all, PAGE);
	bool ok;

	json_object_set_new(list ? json_array_get(json_object_get(o, list), 0) : o, key,
			    value);
	ok = folios_read(&read, o);
	json_decref(o);
	return ok;
}

static void test_json(void)
{
	struct folios all = sample(), read;
	json_t *o = folios_json(&all, PAGE), *row;

	row = json_array_get(json_object_get(o, "pieces"), 1);
	check(json_is_null(json_object_get(json_array_get(json_object_get(o, "pieces"), 0),
					   "estimate_ns")) &&
	      json_integer_value(json_object_get(row, "estimate_ns")) == 32000,
	      "an estimate, or null");
	check(folios_read(&read, o) && read.page_size == PAGE, "a file has the size of pages");
	read.page_size = 0;
	check(!memcmp(&read, &all, sizeof(all)), "and all else");
	json_decref(o);
	check(folios_read(&read, NULL) && !read.known, "an older file has nothing");
	all.known = false;
	o = folios_json(&all, PAGE);
	check(json_is_null(o) && folios_read(&read, o) && !read.known, "unknown is null");
	json_decref(o);
	check(!reads_with(NULL, "large_order", json_integer(99)) &&
	      !reads_with(NULL, "orders", json_null()) &&
	      !reads_with("orders", "order", json_integer(-1)) &&
	      !reads_with("orders", "order", json_integer(LT_ORDERS)) &&
	      !reads_with("orders", "action", json_string("eat")) &&
	      !reads_with("pieces", "folios", json_integer(0)) &&
	      !reads_with("pieces", "token", json_string("x")) &&
	      !reads_with("pieces", "session", json_string("\\x0")) &&
	      reads_with("pieces", "session", json_string("x")),
	      "what is damaged is not read");
}

int main(void)
{
	puts("TAP version 13");
	test_text();
	test_worth();
	test_findings();
	test_since();
	test_json();
	return end_tests();
}
