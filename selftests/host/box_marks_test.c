// SPDX-License-Identifier: GPL-2.0

/* Marks of workloads and guests in the black box: what they say of both kernels. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "box_marks.h"
#include "enum_name.h"
#include "guests.h"

static struct box_marks marks;
static struct liveupdate_recorder_part part;

static uint64_t twice(void *data, uint64_t ns)
{
	(void)data;
	return 2 * ns;
}

static void fill(bool in)
{
	memset(&part, 0, sizeof(part));
	box_marks_fill(&marks, in, &part, twice, NULL);
}

static const struct liveupdate_recorder_pause *of(const char *name)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		if (!strcmp(part.pauses[i].name, name))
			return &part.pauses[i];
	}
	return NULL;
}

static int pauses(void)
{
	int i, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++)
		n += *part.pauses[i].name != '\0';
	return n;
}

static void test_sides(void)
{
	memset(&marks, 0, sizeof(marks));
	box_marks_add(&marks, "a", true, 10);
	box_marks_add(&marks, "b", true, 20);
	box_marks_add(&marks, "b", false, 30);
	box_marks_add(&marks, "c", false, 40);
	box_marks_add(&marks, "c", false, 50);
	box_marks_add(&marks, "a", true, 60);
	fill(false);
	check(pauses() == 1 && of("a") && of("a")->paused_ns == 60 &&
	      of("a")->paused == 120 && !of("a")->resumed_ns,
	      "paused: the last pause of those that were not resumed");
	fill(true);
	check(pauses() == 1 && of("c") && of("c")->resumed_ns == 40 &&
	      of("c")->resumed == 80 && !of("c")->paused_ns,
	      "resumed: the first one of those that were not paused here");
	box_marks_fill(&marks, true, &part, twice, NULL);
	check(pauses() == 1 && !part.lost_pauses, "a second time adds nothing");
}

static void test_ring(void)
{
	char name[BOX_MARKS_NAME];
	int i;

	memset(&marks, 0, sizeof(marks));
	for (i = 0; i < BOX_MARKS_ENTRIES + 10; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		box_marks_add(&marks, name, true, i + 1);
	}
	fill(false);
	check(pauses() == LIVEUPDATE_RECORDER_PAUSES &&
	      part.lost_pauses == BOX_MARKS_ENTRIES - LIVEUPDATE_RECORDER_PAUSES,
	      "what has no room is counted");
	check(!of("w9") && of("w10"), "the oldest are overwritten");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(&marks, 0, sizeof(marks));
	box_marks_add(&marks, name, true, 1);
	fill(false);
	check(of(name), "a name of 63 bytes");
}

static void test_damaged(void)
{
	unsigned char *at = (unsigned char *)&marks.entries[1];
	unsigned int i, bad = 0;

	memset(&marks, 0, sizeof(marks));
	box_marks_add(&marks, "first", true, 1);
	box_marks_add(&marks, "second", true, 2);
	for (i = 0; i < sizeof(marks.entries[1]); i++) {
		at[i] ^= 0x10;
		fill(false);
		bad += of("first") || !of("second") || pauses() != 1;
		at[i] ^= 0x10;
	}
	check(!bad, "each damaged byte costs its own mark, no other: %u did not", bad);
}

static void owner(struct guests_owner *owners, unsigned int pid, const char *session)
{
	struct lt_event e = { .type = LT_SESSION_CREATE, .pid = pid };

	strcpy(e.session, session);
	guests_owner_event(owners, &e);
}

static void test_guests(void)
{
	static struct guests_owner owners[GUESTS_OWNERS];
	const struct box_guest guests[] = {
		{ .tgid = 10, .parent = 1, .entry = 5, .exit = 100 },
		{ .tgid = 21, .parent = 20, .entry = 6, .exit = 200 },
		{ .tgid = 31, .parent = 30, .entry = 7, .exit = 300 },
		{ .tgid = 40, .parent = 1, .entry = 8, .exit = 400, .inside = 1 },
		{ .tgid = 50, .parent = 1, .entry = 9, .exit = 500 },
		{ 0 },
	};
	struct lt_event failed = { .type = LT_SESSION_CREATE, .pid = 50, .ret = -28,
				   .session = "no" };

	owner(owners, 10, "own");
	owner(owners, 20, "parent");
	owner(owners, 30, "one");
	owner(owners, 30, "other");
	owner(owners, 40, "runs");
	guests_owner_event(owners, &failed);
	memset(&part, 0, sizeof(part));
	guests_fill(&part, false, guests, 6, owners, twice, NULL);
	check(of("own") && of("own")->paused_ns == 100 && of("own")->paused == 200,
	      "a guest of a session's process");
	check(of("parent") && of("parent")->paused_ns == 200, "one of its child");
	check(!of("one") && !of("other"), "not one of a child of several sessions");
	check(!of("runs"), "not one that still runs");
	check(pauses() == 2, "not one without a session");
	guests_fill(&part, true, guests, 6, owners, twice, NULL);
	check(of("own")->paused_ns == 100 && !of("own")->resumed_ns,
	      "a workload that is there stays as it is");
	memset(&part, 0, sizeof(part));
	guests_fill(&part, true, guests, 6, owners, twice, NULL);
	check(of("own")->resumed_ns == 5 && of("runs")->resumed_ns == 8,
	      "in the new kernel the first that ran");
}

int main(void)
{
	puts("TAP version 13");
	test_sides();
	test_ring();
	test_damaged();
	test_guests();
	return end_tests();
}
