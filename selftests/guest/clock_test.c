// SPDX-License-Identifier: GPL-2.0

/*
 * What is known of a live update with any clock: delays that the test handler was set
 * to, as measured with the monotonic clock of each kernel.
 *
 *	clock_test hold		a session with slow files
 *	clock_test restore	in the next kernel: retrieve it
 *	clock_test		compare
 */

#include "luo_recorder.h"

#include "luo_json.h"

#define MS		1000000ULL
#define TICK_MS		10	/* at most, of a kernel that counts in ticks */
#define LIMIT_MS	60000	/* longer than anything here takes */
#define LATE_HZ		1000	/* of liveupdate_test_counter_late */

/* The delay of each operation, and the marks that it lies between. */
static const struct {
	enum liveupdate_test_op op;
	unsigned int ms;
	enum liveupdate_recorder_mark begin, end;
} delays[] = {
	{ LIVEUPDATE_TEST_PREPARE, 60,
	  LIVEUPDATE_MARK_REBOOT, LIVEUPDATE_MARK_PREPARED },
	{ LIVEUPDATE_TEST_FREEZE, 120,
	  LIVEUPDATE_MARK_PREPARED, LIVEUPDATE_MARK_FROZEN },
	{ LIVEUPDATE_TEST_RETRIEVE, 150,
	  LIVEUPDATE_MARK_OPEN, LIVEUPDATE_MARK_RESTORED },
	{ LIVEUPDATE_TEST_FINISH, 80,
	  LIVEUPDATE_MARK_RESTORED, LIVEUPDATE_MARK_FINISHED },
};
#define NR_DELAYS	(sizeof(delays) / sizeof(delays[0]))

static int hold(void)
{
	int dev = open_device(), s = create(dev, "known"), t = test_file(1);
	struct liveupdate_test_set set = { .size = sizeof(set) };
	size_t i;

	for (i = 0; i < NR_DELAYS; i++) {
		set.op = delays[i].op;
		set.delay_us = delays[i].ms * 1000;
		must(!call(t, LIVEUPDATE_TEST_SET, &set), TEST_DEVICE);
	}
	must(!preserve(s, t, 1), "preserve");
	return hold_until_kexec();
}

static int restore(void)
{
	int dev = open_device(), s = claim(dev, "known");

	must(s >= 0 && retrieve(s, 1) >= 0 && !finish(s), "known");
	return 0;
}

FIXTURE(clock)
{
	struct liveupdate_recorder r;
};

FIXTURE_SETUP(clock)
{
	ASSERT_TRUE(read_record(&self->r));
}

FIXTURE_TEARDOWN(clock)
{
}

TEST_F(clock, phases_inside_a_kernel_are_as_long_as_their_delays)
{
	const struct liveupdate_recorder_part *p;
	__u64 ns;
	size_t i;

	for (i = 0; i < NR_DELAYS; i++) {
		p = delays[i].end < LIVEUPDATE_MARK_START ? &self->r.last_out :
							    &self->r.last_in;
		ASSERT_NE(0, p->times[delays[i].begin]);
		ns = p->times[delays[i].end] - p->times[delays[i].begin];
		EXPECT_LE((delays[i].ms - TICK_MS) * MS, ns) TH_LOG("delay %zu", i);
		EXPECT_GT(LIMIT_MS * MS, ns) TH_LOG("delay %zu", i);
	}
}

TEST_F(clock, marks_follow_each_other)
{
	const struct liveupdate_recorder_part *p;
	int m;

	for (m = 0; m < LIVEUPDATE_NR_MARKS; m++) {
		p = m < LIVEUPDATE_MARK_START ? &self->r.last_out :
						&self->r.last_in;
		/* The counter is recorded, whether its frequency is known or not. */
		EXPECT_NE(0, p->marks[m]) TH_LOG("mark %d", m);
		EXPECT_EQ(m == LIVEUPDATE_MARK_START, !p->times[m])
			TH_LOG("mark %d", m);
		if (m && m != LIVEUPDATE_MARK_START)
			EXPECT_LE(p->times[m - 1], p->times[m])
				TH_LOG("mark %d", m);
	}
}

TEST_F(clock, the_live_update_is_over)
{
	EXPECT_EQ(1, self->r.last_in.over);
	EXPECT_EQ(1, self->r.last_in.finished);
}

/* Whether a finding has this word. */
static bool says(json_t *json, const char *word)
{
	json_t *findings = json_object_get(json, "findings"), *one;
	size_t i;

	json_array_foreach(findings, i, one) {
		printf("# %s\n", json_string_value(one));
		if (strstr(json_string_value(one), word))
			return true;
	}
	return false;
}

/* Only the span across kexec may be unknown, and is if the timeline says why. */
TEST_F(clock, the_timeline_knows_every_phase_inside_a_kernel)
{
	json_t *json = json_load_file("/tmp/timeline.json", 0, NULL), *ns;
	const char *finding = getenv("FINDING");
	json_t *phases = json_object_get(json, "phases");
	size_t i;

	ASSERT_EQ(8, json_array_size(phases));
	for (i = 0; i < 8; i++) {
		ns = json_object_get(json_array_get(phases, i), "duration_ns");
		if (i == 3 && json_is_null(ns))
			continue;
		EXPECT_TRUE(json_is_integer(ns)) TH_LOG("phase %zu", i);
		EXPECT_GT(LIMIT_MS * MS, (__u64)json_integer_value(ns))
			TH_LOG("phase %zu", i);
	}
	EXPECT_TRUE(json_is_true(json_object_get(json, "finished")));
	if (finding) {
		ns = json_object_get(json_array_get(phases, 3), "duration_ns");
		EXPECT_TRUE(json_is_null(ns));
		EXPECT_TRUE(json_is_null(json_object_get(json, "blackout_ns")));
		EXPECT_TRUE(says(json, finding));
	}
	json_decref(json);
}

/* The record agrees with what the kernel says now. */
TEST_F(clock, what_is_known_of_the_counter)
{
	const struct liveupdate_recorder_part *p = &self->r.last_in;
	char source[32] = "";
	FILE *f = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			"r");

	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fscanf(f, "%31s", source));
	fclose(f);
	if (!strncmp(source, "tsc", 3)) {
		EXPECT_EQ(1, p->clock_stable);
		EXPECT_NE(0, p->clock_hz);
	}
	if (!p->clock_hz)
		EXPECT_EQ(0, p->clock_stable);
	EXPECT_EQ(p->clock_hz, self->r.next_out.clock_hz);
	printf("# clocksource %s: old kernel %llu Hz, %s; this one %llu Hz, %s\n", source,
	       (unsigned long long)self->r.last_out.clock_hz,
	       self->r.last_out.clock_stable ? "stable" : "not stable",
	       (unsigned long long)p->clock_hz,
	       p->clock_stable ? "stable" : "not stable");
}

/* What the old kernel found out after its reboot had begun is in its record. */
TEST_F(clock, the_counter_is_read_again_after_the_reboot_began)
{
	const struct liveupdate_recorder_part *out = &self->r.last_out;
	bool late = file_has("/proc/cmdline", "liveupdate_test_counter_late");

	if (!late)
		SKIP(return, "not without liveupdate_test_counter_late");
	EXPECT_EQ(0, out->clock_stable);
	EXPECT_NE(0, self->r.last_in.clock_hz);
	EXPECT_EQ(self->r.last_in.clock_hz + LATE_HZ, out->clock_hz);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "restore"))
		return restore();
	return run_cases(argc, argv, NULL);
}
