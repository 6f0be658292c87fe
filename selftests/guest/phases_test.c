// SPDX-License-Identifier: GPL-2.0

/*
 * phases_test FILE: whether the output of luotrace timeline --json explains the whole
 * blackout: each phase is known, and their sum is the total. Prints TAP.
 */

#include <unistd.h>

#include "../tap.h"
#include "luo_json.h"

#define PHASES	8

static void check_sum(json_t *root)
{
	long long sum = 0, ns;
	json_t *o;
	size_t i;

	check(json_array_size(json_object_get(root, "phases")) == PHASES,
	      "there are %d phases", PHASES);
	json_array_foreach(json_object_get(root, "phases"), i, o) {
		ns = number(o, "duration_ns");
		if (!check(ns >= 0, "%s is known", text(o, "phase")))
			printf("# %s\n", text(root, "new_kernel_note"));
		sum += ns;
	}
	if (!check(sum > 0 && sum == number(root, "blackout_ns"), "their sum is the blackout"))
		printf("# %lld of %lld ns\n", sum, number(root, "blackout_ns"));
}

/* The reboot(2) itself: what froze, and what came after it. */
static void check_old(json_t *root)
{
	json_t *steps = json_object_get(json_object_get(root, "shutdown"), "steps_ns"), *o;
	long long shutdown = number(phase_of(root, "shutdown"), "duration_ns"), sum = 0;
	long long slack = shutdown / 20 + 100000;
	bool froze = false;
	const char *key;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(root, "old_kernel"), "calls"), i, o)
		froze |= !strcmp(text(o, "op"), "freeze") &&
			 !strcmp(text(o, "scope"), "reboot") &&
			 !strncmp(text(o, "handler"), "memfd", 5) && number(o, "total_ns") > 0;
	check(froze, "the freeze has its handler");
	json_object_foreach(steps, key, o) {
		check(json_is_integer(o), "the step '%s' of the shutdown is known", key);
		sum += json_integer_value(o);
	}
	/* A recorder has moments of its own. */
	if (!strcmp(text(root, "old_kernel_by"), "box"))
		slack = shutdown / 1000 + 10000;
	if (!check(sum > 0 && llabs(shutdown - sum) < slack, "they explain it"))
		printf("# %lld of %lld ns\n", sum, shutdown);
	check(json_is_true(json_object_get(json_object_get(root, "shutdown"), "seen_to_end")),
	      "the box saw until the kexec");
}

/* Nearly all of it has a name. */
static void check_inside(json_t *root)
{
	int want = access("/sys/kernel/liveupdate/recorder", F_OK) ? NAMED_MIN_BASE :
								     NAMED_MIN;
	double percent = named_percent(root);

	if (!check(percent >= want, "%d %% of it have a name", want))
		printf("# %.1f %%\n", percent);
}

int main(int argc, char **argv)
{
	json_t *root = argc == 2 ? json_load_file(argv[1], 0, NULL) : NULL;

	puts("TAP version 13");
	check(root, "there is a timeline");
	check(json_is_true(json_object_get(root, "finished")), "the live update is over");
	check_sum(root);
	check_old(root);
	check_inside(root);
	json_decref(root);
	return end_tests();
}
