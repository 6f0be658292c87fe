// SPDX-License-Identifier: GPL-2.0

/*
 * The agent of the timeline test, with known delays.
 *
 *	timeline_agent hold	a reboot that fails, then slow sessions; the events
 *				are saved in /state/events
 *	timeline_agent restore	in the next kernel: retrieve all
 */

#include "timeline_test.h"

#include <linux/reboot.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>

#define TRACEFS		"/sys/kernel/tracing/"

static int slow_fails(enum liveupdate_test_op op, unsigned int us, int error)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = op, .delay_us = us, .error = error,
	};
	int fd = test_file(1);

	must(fd >= 0 && !call(fd, LIVEUPDATE_TEST_SET, &set), TEST_DEVICE);
	return fd;
}

static int slow_in(enum liveupdate_test_op op, unsigned int us)
{
	return slow_fails(op, us, 0);
}

static int slow_file(unsigned int us)
{
	return slow_in(LIVEUPDATE_TEST_FREEZE, us);
}

/* "session token op duration" of each call of the test handler so far. */
static void save_events(void)
{
	char line[512], session[64], compat[64], op[32];
	unsigned long long token, ns;
	FILE *in = fopen(TRACEFS "trace", "r"), *out = fopen(EVENTS, "w");
	char *at;

	must(in && out, EVENTS);
	while (fgets(line, sizeof(line), in)) {
		at = strstr(line, "luo_handler_exit: ");
		at = at ? strstr(at, "session=") : NULL;
		if (at && sscanf(at, "session=%63s token=%llu compatible=%63s op=%31s ret=%*d duration_ns=%llu",
				 session, &token, compat, op, &ns) == 5 &&
		    !strcmp(compat, HANDLER))
			fprintf(out, "%s %llu %s %llu\n", session, token, op, ns);
	}
	fclose(in);
	fclose(out);
}

static bool begins_anew(void)
{
	static struct liveupdate_recorder r;
	bool ok = read_record(&r);
	int m;

	for (m = 0; m < LIVEUPDATE_NR_MARKS; m++) {
		if (r.next_out.marks[m] || r.next_out.times[m])
			return false;
	}
	return ok && r.next_out.failed == 1;
}

static void cancel_sessions(int dev)
{
	char name[NAME_LEN];
	int session, file;
	size_t i;

	for (i = 0; i < NR_CANCELS; i++) {
		snprintf(name, sizeof(name), "cancel-%u", cancels[i]);
		session = create(dev, name);
		file = slow_in(LIVEUPDATE_TEST_CANCEL, CANCEL_US(cancels[i]));
		must(!preserve(session, file, i) &&
		     !event(session, true, LIVEUPDATE_PREPARE) &&
		     !event(session, true, LIVEUPDATE_CANCEL), "cancel");
		close(file);
		close(session);
	}
}

/* Frozen before reboot(), which only has the slow one left to freeze. */
static void parallel_sessions(int dev)
{
	char name[NAME_LEN];
	int session, i;

	for (i = 0; i < NR_PARALLEL; i++) {
		snprintf(name, sizeof(name), "parallel-%d", i);
		session = create(dev, name);
		must(!preserve(session, slow_in(LIVEUPDATE_TEST_RETRIEVE,
						PARALLEL_US), i) &&
		     !event(session, true, LIVEUPDATE_PREPARE) &&
		     !event(session, true, LIVEUPDATE_FREEZE), name);
	}
}

static int hold(void)
{
	int dev = open_device(), known, slow, failing, t;
	size_t i;

	write_file(TRACEFS "events/luo/luo_handler_exit/enable", "1");
	known = create(dev, "known");
	for (i = 0; i < NR_DELAYS; i++)
		must(!preserve(known, slow_file(delays[i]), i), "known");

	/* A reboot that fails after 2 s in the handler's freeze. */
	failing = create(dev, "failing");
	t = slow_fails(LIVEUPDATE_TEST_FREEZE, FAIL_US, EDOM);
	must(!preserve(failing, slow_file(20000), 1) && !preserve(failing, t, 2),
	     "failing");
	must(!system("vm-kexec --load"), "vm-kexec --load");
	must(reboot(LINUX_REBOOT_CMD_KEXEC) && errno == EDOM, "reboot");
	must(begins_anew(), "the record begins anew after a reboot that failed");
	close(failing);

	must(!event(known, true, LIVEUPDATE_PREPARE) &&
	     !event(known, true, LIVEUPDATE_FREEZE), "freeze");
	cancel_sessions(dev);
	parallel_sessions(dev);
	must(create(dev, "empty") >= 0, "empty");
	slow = create(dev, "slow");
	must(!preserve(slow, slow_file(SLOW_US), SLOW_TOKEN), "slow");
	save_events();
	return hold_until_kexec();
}

/* Restored pages, according to the recorder of this kernel. */
static uint64_t restored(void)
{
	static struct liveupdate_recorder r;

	must(read_record(&r), RECORDER);
	return r.last_in.memory[2].pages;
}

static int restore_one(int dev, int i)
{
	char name[NAME_LEN];
	int s;

	snprintf(name, sizeof(name), "parallel-%d", i);
	s = claim(dev, name);
	must(s >= 0 && retrieve(s, i) >= 0 && !finish(s), name);
	return 0;
}

/* All of them at the same time, each by a process of its own. */
static void restore_parallel(int dev)
{
	int i, status;
	pid_t pid;

	for (i = 0; i < NR_PARALLEL; i++) {
		pid = fork();
		must(pid >= 0, "fork");
		if (!pid)
			_exit(restore_one(dev, i));
	}
	for (i = 0; i < NR_PARALLEL; i++)
		must(wait(&status) > 0 && !status, "parallel");
}

/* The descriptor stays open for a while, like that of a VM that runs again. */
static void finish_last(int dev)
{
	int s = claim(dev, "empty");
	struct timespec now;
	FILE *f;

	/* It calls no handler; only its agent takes time. */
	sleep(1);
	must(s >= 0 && !finish(s), "empty");
	sleep(IDLE_S);
	clock_gettime(CLOCK_MONOTONIC, &now);
	f = fopen(ENDED, "w");
	must(f != NULL, ENDED);
	fprintf(f, "%llu\n", now.tv_sec * 1000000000ULL + now.tv_nsec);
	fclose(f);
	close(s);
}

static int restore(void)
{
	static const char *const names[] = { "known", "slow" };
	int dev = open_device(), s, i;
	uint64_t before;

	restore_parallel(dev);
	sleep(1);
	for (i = 0; i < 2; i++) {
		s = claim(dev, names[i]);
		must(s >= 0, names[i]);
		before = restored();
		must(retrieve(s, i ? SLOW_TOKEN : 0) >= 0, "retrieve");
		must(restored() > before,
		     "the record counts as long as the live update is not finished");
		must(!finish(s), "finish");
		close(s);
	}
	finish_last(dev);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "restore"))
		return restore();
	fputs("usage: timeline_agent hold|restore\n", stderr);
	return 2;
}
