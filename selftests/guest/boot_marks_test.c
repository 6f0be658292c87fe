// SPDX-License-Identifier: GPL-2.0

/*
 * What luotrace finds out of the start of a kernel without a recorder, compared with what
 * the recorder of this one says.
 */

#include "luo_recorder.h"

#include "boot_marks.h"
#include "counter.h"
#include "perf_clock.h"

#define KMSG		"/dev/kmsg"
#define NS		1000000000ULL
#define MS		1000000LL
/*
 * How much later than the recorder's a mark may be, and the share of the boot that is added
 * for a busy host. Emulated, START was 2 to 24 ms late, in which the TSC is measured, and
 * INIT 70 to 210 ms, in which the initramfs is unpacked.
 */
#define START_MS	50
#define INIT_MS		200
#define LATE_PERCENT	10
#define APART_MS	1	/* the two clocks of INIT; 0.05 ms was seen */

FIXTURE(boot_marks)
{
	struct liveupdate_recorder r;
	const struct liveupdate_recorder_part *in;
	struct boot_marks m;
	uint64_t hz;
	bool stable;
};

FIXTURE_SETUP(boot_marks)
{
	ASSERT_TRUE(read_record(&self->r));
	self->in = &self->r.last_in;
	ASSERT_NE(0, self->in->times[LIVEUPDATE_MARK_INIT]);
	counter_clock(&self->hz, &self->stable);
	ASSERT_TRUE(boot_marks_read(&self->m));
}

FIXTURE_TEARDOWN(boot_marks)
{
}

/* Ticks of the counter, in ns. */
static int64_t in_ns(uint64_t from, uint64_t to, uint64_t hz)
{
	return (__int128)(int64_t)(to - from) * NS / hz;
}

static int64_t limit(const struct liveupdate_recorder_part *in, int ms)
{
	return ms * MS + (int64_t)in->times[LIVEUPDATE_MARK_INIT] * LATE_PERCENT / 100;
}

TEST_F(boot_marks, the_counter_is_known_where_the_recorder_trusts_it)
{
	printf("# counter of %llu Hz, %s; recorder %llu Hz, %s\n",
	       (unsigned long long)self->hz, self->stable ? "stable" : "not stable",
	       (unsigned long long)self->in->clock_hz,
	       self->in->clock_stable ? "stable" : "not stable");
	EXPECT_EQ(self->in->clock_stable, self->stable);
	if (self->stable)
		EXPECT_EQ(self->in->clock_hz, self->hz);
}

TEST_F(boot_marks, counters_of_a_clock_that_is_not_trusted_are_unknown)
{
	if (self->in->clock_stable)
		SKIP(return, "the counter is trusted");
	EXPECT_EQ(0, self->hz);
	EXPECT_EQ(0, self->m.start_counter);
	EXPECT_EQ(0, self->m.init_counter);
}

TEST_F(boot_marks, start_is_soon_after_that_of_the_recorder)
{
	int64_t late;

	if (!self->in->clock_stable)
		SKIP(return, "the counter is not trusted");
	late = in_ns(self->in->marks[LIVEUPDATE_MARK_START], self->m.start_counter,
		     self->in->clock_hz);
	printf("# START %lld us later than the recorder's\n", (long long)late / 1000);
	EXPECT_FALSE(self->m.start_coarse);
	EXPECT_LE(0, late);
	EXPECT_GE(limit(self->in, START_MS), late);
}

/* The kernel prints the line before it executes init. */
TEST_F(boot_marks, init_is_soon_before_that_of_the_recorder)
{
	int64_t late = self->m.init_monotonic_ns - self->in->times[LIVEUPDATE_MARK_INIT];

	printf("# INIT %lld us later than the recorder's, monotonic clock\n",
	       (long long)late / 1000);
	EXPECT_FALSE(self->m.init_coarse);
	EXPECT_GE(0, late);
	EXPECT_LE(-limit(self->in, INIT_MS), late);
}

TEST_F(boot_marks, init_is_the_same_on_both_clocks)
{
	int64_t late = self->m.init_monotonic_ns - self->in->times[LIVEUPDATE_MARK_INIT];
	int64_t counter;

	if (!self->in->clock_stable)
		SKIP(return, "the counter is not trusted");
	counter = in_ns(self->in->marks[LIVEUPDATE_MARK_INIT], self->m.init_counter,
			self->in->clock_hz);
	printf("# INIT %lld us later than the recorder's, counter\n",
	       (long long)counter / 1000);
	EXPECT_GE(APART_MS * MS, llabs(counter - late));
}

/* Write a line to the kernel log. Returns its time in us, 0 if it is not found. */
static uint64_t log_line(uint64_t *before, uint64_t *after)
{
	int fd = open(KMSG, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	unsigned long long us = 0;
	char record[1024] = "";
	ssize_t n;

	must(fd >= 0 && lseek(fd, 0, SEEK_END) >= 0, KMSG);
	*before = counter_now();
	/* Without the newline, it would not be complete. */
	must(write(fd, "boot marks\n", 11) == 11, KMSG);
	*after = counter_now();
	while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		if (strstr(record, ";boot marks\n")) {
			must(sscanf(record, "%*u,%*u,%llu,", &us) == 1, record);
			break;
		}
	}
	close(fd);
	return us;
}

TEST_F(boot_marks, the_counter_at_a_time_of_the_log)
{
	uint64_t before, after, us, at = 0, log, ns;

	if (!self->in->clock_stable)
		SKIP(return, "the counter is not trusted");
	us = log_line(&before, &after);
	ASSERT_NE(0, us);
	/* The log has whole microseconds. */
	ASSERT_TRUE(counter_of_log((us + 1) * 1000, &at));
	EXPECT_LE(before, at);
	ASSERT_TRUE(counter_of_log(us * 1000, &at));
	EXPECT_GE(after, at);

	before = counter_now();
	ASSERT_TRUE(perf_log_now(&log, &ns));
	after = counter_now();
	/* A tick is less than a nanosecond. */
	ASSERT_TRUE(counter_of_log(log + 1, &at));
	EXPECT_LE(before, at);
	ASSERT_TRUE(counter_of_log(log, &at));
	EXPECT_GE(after, at);
}

/* The last test: the line of the first process is no longer in the log after it. */
TEST_F(boot_marks, without_the_line_in_the_log_init_is_coarse)
{
	int fd = open(KMSG, O_WRONLY | O_CLOEXEC), i;
	struct boot_marks m;
	char line[900];

	/* More than the log has room for; printk.devkmsg=on, or most would be left out. */
	memset(line, '.', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (i = 0; i < 512; i++)
		ASSERT_EQ(sizeof(line), write(fd, line, sizeof(line)));
	close(fd);
	ASSERT_TRUE(boot_marks_read(&m));
	printf("# INIT %lld us later than by the log\n",
	       (long long)(m.init_monotonic_ns - self->m.init_monotonic_ns) / 1000);
	EXPECT_TRUE(m.init_coarse);
	EXPECT_EQ(!!m.start_counter, m.start_coarse);
	/* Times of processes are in ticks of 10 ms. */
	EXPECT_LE(self->m.init_monotonic_ns, m.init_monotonic_ns + 10 * MS);
	EXPECT_GE(now_ns(), m.init_monotonic_ns);
	EXPECT_EQ(!self->m.init_counter, !m.init_counter);
	if (m.init_counter)
		EXPECT_GE(APART_MS * MS,
			  llabs(in_ns(self->m.init_counter, m.init_counter, self->hz) -
				(int64_t)(m.init_monotonic_ns - self->m.init_monotonic_ns)));
}

RUN_CASES_MAIN
