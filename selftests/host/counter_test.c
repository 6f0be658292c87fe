// SPDX-License-Identifier: GPL-2.0

/* Clocks of a kernel without a recorder: arithmetic, and what the log says. Prints TAP. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_marks.h"
#include "clock.h"
#include "counter.h"
#include "perf_clock.h"
#include "tap.h"

#define NS	1000000000ULL
#define MS	1000000ULL
#define YEAR	(365 * 24 * 3600 * NS)
#define GHZ	(3 * NS)		/* a counter of 3 GHz */

static void check_near(uint64_t is, uint64_t want, uint64_t off, const char *what)
{
	uint64_t diff = is > want ? is - want : want - is;

	if (!check(diff <= off, "%s", what))
		printf("# is   %llu\n# want %llu\n", (unsigned long long)is,
		       (unsigned long long)want);
}

static struct counter_line line_of(uint64_t hz, uint64_t c0, uint64_t ns0, uint64_t c1,
				   uint64_t ns1)
{
	return (struct counter_line){ { c0, ns0 }, { c1, ns1 }, hz };
}

static void test_line_rate(void)
{
	/* A second apart; the clock runs 500 ppm slow, so that more ticks pass in it. */
	struct counter_line l = line_of(GHZ, 100 * GHZ, 40 * NS, 101 * GHZ + GHZ / 2000,
					41 * NS);

	check_near(counter_line_at(&l, 40 * NS), 100 * GHZ, 0, "line: its first pair");
	check_near(counter_line_at(&l, 41 * NS), 101 * GHZ + GHZ / 2000, 0,
		   "line: its last pair");
	check_near(counter_line_at(&l, 40 * NS + NS / 2),
		   100 * GHZ + GHZ / 2 + GHZ / 4000, 0, "line: between its pairs");
	check_near(counter_line_at(&l, 41 * NS + NS / 2),
		   101 * GHZ + GHZ / 2 + 3 * GHZ / 4000, 0, "line: soon after, same rate");
	check_near(counter_line_at(&l, 39 * NS + NS / 2),
		   99 * GHZ + GHZ / 2 - GHZ / 4000, 0, "line: shortly before, same rate");
	check_near(counter_line_at(&l, 0), 60 * GHZ - GHZ / 2000, 0,
		   "line: long before, the kernel's rate");
	check_near(counter_line_at(&l, 81 * NS), 141 * GHZ + GHZ / 1000, 0,
		   "line: long after, the kernel's rate");
	l.hz = 0;
	check_near(counter_line_at(&l, 20 * NS), 80 * GHZ - GHZ / 100, 0,
		   "line: long before, the measured rate if it is the only one");
	check_near(counter_line_at(&l, 61 * NS), 121 * GHZ + 21 * (GHZ / 2000), 0,
		   "line: long after, the measured rate if it is the only one");
}

static void test_line_unknown(void)
{
	struct counter_line l = line_of(GHZ, 100 * GHZ, 40 * NS, 100 * GHZ, 40 * NS);

	check_near(counter_line_at(&l, 41 * NS), 101 * GHZ, 0, "line: one pair, after");
	check_near(counter_line_at(&l, 39 * NS), 99 * GHZ, 0, "line: one pair, before");
	l.hz = 0;
	check_near(counter_line_at(&l, 41 * NS), 0, 0, "line: one pair and no rate");
	l = line_of(GHZ, 100 * GHZ, 40 * NS, 103 * GHZ, 40 * NS + 9 * MS);
	check_near(counter_line_at(&l, 41 * NS), 101 * GHZ, 0, "line: pairs too close");
	l.hz = 0;
	check_near(counter_line_at(&l, 41 * NS), 0, 0, "line: too close and no rate");
	l = line_of(GHZ, 100 * GHZ, 40 * NS, 7, 50 * NS);
	check_near(counter_line_at(&l, 41 * NS), 101 * GHZ, 0, "line: the counter went back");
	l = line_of(GHZ, 100 * GHZ, 200 * NS, 101 * GHZ, 201 * NS);
	check_near(counter_line_at(&l, 50 * NS), 0, 0, "line: before the counter began");
	l = line_of(GHZ, UINT64_MAX - 5, 40 * NS, UINT64_MAX - 5, 40 * NS);
	check_near(counter_line_at(&l, 41 * NS), 0, 0, "line: past the end of the counter");
	l = line_of(GHZ, 0, 40 * NS, 0, 41 * NS);
	check_near(counter_line_at(&l, 41 * NS), 0, 0, "line: no counter");
}

static void test_line_long(void)
{
	uint64_t ticks = 10 * (YEAR / NS) * GHZ;
	struct counter_line l = line_of(GHZ, 5 * GHZ, NS, 5 * GHZ + ticks, NS + 10 * YEAR);

	check_near(counter_line_at(&l, NS + 5 * YEAR), 5 * GHZ + ticks / 2, 0,
		   "line: in ten years between its pairs");
	check_near(counter_line_at(&l, NS + 15 * YEAR), 5 * GHZ + ticks / 2 * 3, 0,
		   "line: ten years, and on");
	l = line_of(GHZ, 5 * GHZ + ticks, NS + 10 * YEAR, 6 * GHZ + ticks, 2 * NS + 10 * YEAR);
	check_near(counter_line_at(&l, NS), 5 * GHZ, 0, "line: back over ten years");
}

/* Real clocks: pairs do not go back, and lie on a line of their own. */
static void test_pairs(void)
{
	struct counter_pair a, b, c;
	struct counter_line l;
	uint64_t counter = counter_now(), ns = monotonic_ns();
	bool ordered = true;
	int i;

	if (!counter) {
		check(true, "no counter # SKIP");
		return;
	}
	counter_pair_read(&a);
	check(a.counter >= counter && a.monotonic_ns >= ns &&
	      a.counter <= counter_now() && a.monotonic_ns <= monotonic_ns(),
	      "pair: taken during the call");
	for (c = a, i = 0; i < 1000; i++, c = b) {
		counter_pair_read(&b);
		ordered &= b.counter > c.counter && b.monotonic_ns > c.monotonic_ns;
	}
	check(ordered, "pair: both go on");
	counter_line_begin(&l, &a);
	usleep(30000);
	counter_pair_read(&b);
	counter_line_update(&l, &b);
	check_near(counter_line_at(&l, b.monotonic_ns), b.counter, 0, "pair: ends a line");
	usleep(15000);
	counter_pair_read(&c);
	/* 1 %: a busy host interrupts a pair. */
	check_near(counter_line_at(&l, c.monotonic_ns) - a.counter, c.counter - a.counter,
		   (c.counter - a.counter) / 100, "pair: a later one lies on the line");
}

static void test_scale(void)
{
	/* 3 GHz as the kernel has it: 1 ns is 3 ticks. */
	struct perf_scale s = { .mult = 0xaaaaaaab, .shift = 33, .zero = -(uint64_t)(7 * NS) };
	uint64_t counter = 1;

	check_near(perf_scale_hz(&s), GHZ, 1, "scale: frequency");
	check(perf_scale_counter(&s, 0, &counter), "scale: the beginning of the log");
	check_near(counter, 7 * GHZ, 6, "scale: the counter then");
	check(perf_scale_counter(&s, 10 * YEAR, &counter), "scale: ten years of log");
	/* The multiplier is exact to 2^-32. */
	check_near(counter, 7 * GHZ + 10 * (YEAR / NS) * GHZ, counter >> 32,
		   "scale: the counter after ten years");
	check(perf_scale_counter(&s, -(int64_t)NS, &counter), "scale: before 0 of the log");
	check_near(counter, 6 * GHZ, 6, "scale: the counter before 0 of the log");
	s.zero = 5;
	check(!perf_scale_counter(&s, 4, &counter), "scale: before the counter began");
	/* 24 MHz: a time before 0 must not become a large one. */
	s = (struct perf_scale){ .mult = 699050667, .shift = 24, .zero = 5 };
	check(!perf_scale_counter(&s, 4, &counter), "scale: the same, slow counter");
	s = (struct perf_scale){ .mult = 1, .shift = 63 };
	check(!perf_scale_counter(&s, 2, &counter), "scale: no counter is that large");
}

/* Of the machine that runs this: consistent, known or not. */
static void test_this_kernel(void)
{
	uint64_t hz = 1, begin = 0, now = 0, log = 0, ns = 0;
	bool stable = true, known = counter_clock(&hz, &stable);

	printf("# counter of %llu Hz, %s\n", (unsigned long long)hz,
	       stable ? "stable" : "not stable");
	check(known == !!hz && (hz || !stable), "this kernel: no frequency is not stable");
	if (perf_log_now(&log, &ns))
		check_near(log, ns, 100 * NS, "this kernel: the log began with the clock");
	else
		check(true, "perf events cannot be used # SKIP");
	if (counter_of_log(0, &begin))
		check(counter_of_log(log, &now) && begin < now && now <= counter_now(),
		      "this kernel: the counter at times of the log");
	else
		check(true, "the log is not of the counter # SKIP");
}

static void test_sources(void)
{
	check(counter_listed("kvm-clock tsc acpi_pm \n", "tsc"), "sources: listed");
	check(counter_listed("tsc\n", "tsc"), "sources: the only one");
	check(!counter_listed("tsc-early hpet acpi_pm \n", "tsc"), "sources: another name");
	check(!counter_listed("mytsc hpet\n", "tsc"), "sources: the end of a name");
	check(!counter_listed("", "tsc"), "sources: none");
}

#define VERSION	"5,0,0,-;Linux version 7.3.4\n"
#define INIT	"6,500,1234567,-;Run /init as init process\n"

#define STABLE	"6,400,900,-;sched_clock: Marking stable (812119169, 22527765)->(836008913, -1361979)\n"

static const struct {
	const char *records[4], *what;
	uint64_t ns;		/* of init, 0 if not found */
	int64_t offset;		/* 0 if not found */
} logs[] = {
	{ { VERSION, INIT }, "found", 1234567000, 0 },
	{ { VERSION, "6,9,12,-;Run /sbin/init as init process\n" }, "another path", 12000, 0 },
	{ { "6,9,12,-,caller=T1;Run /init as init process\n SUBSYSTEM=x\n" },
	  "more fields, and a dictionary", 12000, 0 },
	{ { VERSION, INIT, "6,501,2000000,-;Run /bin/sh as init process\n" },
	  "the first of two", 1234567000, 0 },
	{ { "14,3,99,-;Run /init as init process\n", INIT },
	  "not what user space wrote", 1234567000, 0 },
	{ { "6,3,99,-;x: Run /init as init process\n", INIT },
	  "not inside another message", 1234567000, 0 },
	{ { "6,3,99,-;Run /init as init process, or not\n", INIT },
	  "not with more text", 1234567000, 0 },
	{ { "6,3,99,-;said\n TEXT=;Run /init as init process\n", INIT },
	  "not in a dictionary", 1234567000, 0 },
	{ { "6,3,99,-;Run as init process\n", INIT }, "not without a path", 1234567000, 0 },
	{ { "Run /init as init process\n", ";\n", "6,3;Run /init as init process\n", INIT },
	  "not without fields", 1234567000, 0 },
	{ { "6,9,9223372036854775,-;Run /init as init process\n" }, "large time",
	  9223372036854775000, 0 },
	{ { VERSION }, "no such line", 0, 0 },
	{ { NULL }, "an empty log", 0, 0 },
	{ { VERSION, STABLE, INIT }, "the clock was set", 1234567000, -1361979 },
	{ { STABLE }, "the clock was set, no first process", 0, -1361979 },
	{ { "1" STABLE, INIT }, "user space says that it was set", 1234567000, 0 },
	{ { "6,1,2,-;sched_clock: Marking stable (1, 2)\n", INIT }, "half a line",
	  1234567000, 0 },
};

/* A socket of packets is read as the log is: a record a read(), EAGAIN at the end. */
static void test_logs(void)
{
	struct boot_log log;
	char what[96];
	size_t i, j;
	int fd[2];

	for (i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd))
			exit(1);
		for (j = 0; j < 4 && logs[i].records[j]; j++)
			if (write(fd[1], logs[i].records[j], strlen(logs[i].records[j])) < 0)
				exit(1);
		boot_marks_log(fd[0], &log);
		snprintf(what, sizeof(what), "log: %s", logs[i].what);
		if (!check(log.has_init == !!logs[i].ns && log.init_ns == logs[i].ns &&
			   log.has_offset == !!logs[i].offset &&
			   log.offset_ns == logs[i].offset, "%s", what))
			printf("# init %d %llu, offset %d %lld\n", log.has_init,
			       (unsigned long long)log.init_ns, log.has_offset,
			       (long long)log.offset_ns);
		close(fd[0]);
		close(fd[1]);
	}
}

static void put_process(const char *proc, const char *pid, const char *name, int parent,
			unsigned long long start)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", proc, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/stat", proc, pid);
	f = fopen(path, "w");
	if (!f)
		exit(1);
	fprintf(f, "%s (%s) S %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %llu 2 3\n", pid,
		name, parent, start);
	fclose(f);
}

static void test_oldest(void)
{
	char proc[] = "/tmp/counter-test-XXXXXX", command[64];
	struct process p;

	if (!mkdtemp(proc))
		exit(1);
	put_process(proc, "1", "init", 0, 3);
	put_process(proc, "2", "kthreadd", 0, 3);
	put_process(proc, "9", "kworker/0:1", 2, 4);
	check(!boot_marks_oldest(proc, &p), "processes: none of user space");
	put_process(proc, "300", "a) S 1 9 (b", 1, 777);
	put_process(proc, "301", "udevd", 1, 555);
	put_process(proc, "302", "sh", 300, 999);
	put_process(proc, "sys", "no process", 1, 1);
	check(boot_marks_oldest(proc, &p), "processes: one is the oldest");
	check_near(p.ticks, 555, 0, "processes: its start");
	put_process(proc, "300", "a) S 1 9 (b", 1, 444);
	boot_marks_oldest(proc, &p);
	check_near(p.ticks, 444, 0, "processes: any name");
	check_string(p.comm, "a) S 1 9 (b", "processes: which is read");
	process_was(&p, 5, 3 * NS + NS / 100, "gone");
	check(p.pid == 5 && p.ticks == 301 && process_start_ns(&p) == 3010 * MS &&
	      !strcmp(p.comm, "gone"), "processes: one that has ended");
	snprintf(command, sizeof(command), "rm -rf %s", proc);
	check(!system(command) && !boot_marks_oldest(proc, &p), "processes: no /proc");
}

int main(void)
{
	test_line_rate();
	test_line_unknown();
	test_line_long();
	test_pairs();
	test_scale();
	test_this_kernel();
	test_sources();
	test_logs();
	test_oldest();
	return end_tests();
}
