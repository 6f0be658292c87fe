// SPDX-License-Identifier: GPL-2.0

/*
 * While reboot() waits for a long call, and in frozen state, no other call has to wait:
 * the state can be read, and a process that waits can be killed.
 *
 *	wait_test		reboot() waits for a preserve, as TAP
 *	wait_test hold		sessions for the next kernel
 *	wait_test frozen	live-update again with calls in frozen state, which are
 *				traced to the kernel log
 */

#include "luo_test.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define SLOW_US		10000000	/* the whole test happens meanwhile */
#define FROZEN_US	3000000
#define NORMAL		LIVEUPDATE_STATE_NORMAL

static int dev, slow, done[2];

/* Whether the slow preserve has not returned yet. */
static bool still_slow(void)
{
	struct pollfd p = { .fd = done[0], .events = POLLIN };

	return !poll(&p, 1, 0);
}

static pid_t slow_preserve(void)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = LIVEUPDATE_TEST_PRESERVE,
		.delay_us = SLOW_US,
	};
	int fd = test_file(1), ret;
	pid_t pid;

	must(!pipe(done) && !call(fd, LIVEUPDATE_TEST_SET, &set), "slow file");
	pid = fork();
	if (!pid) {
		ret = preserve(slow, fd, 1);
		_exit(write(done[1], "", 1) != 1 || ret);
	}
	close(fd);
	until_it_waits(pid);
	return pid;
}

/* The calls of the processes that are killed; each has a session of its own. */
static void do_create(int own)
{
	(void)own;
	create(dev, "created");
}

static void do_claim(int own)
{
	(void)own;
	claim(dev, "claimed");
}

static void do_preserve(int own)
{
	preserve(own, memfd(4096, 1), 1);
}

static void do_unpreserve_same(int own)
{
	(void)own;
	unpreserve(slow, 1);
}

static void do_session_event(int own)
{
	event(own, true, LIVEUPDATE_PREPARE);
}

static void do_event(int own)
{
	(void)own;
	event(dev, false, LIVEUPDATE_PREPARE);
}

static void do_close(int own)
{
	close(own);
}

static const struct {
	const char *name;
	void (*run)(int own);
} victims[] = {
	{ "create", do_create }, { "claim", do_claim },
	{ "preserve", do_preserve }, { "unpreserve", do_unpreserve_same },
	{ "session event", do_session_event }, { "event", do_event },
	{ "close", do_close },
};
#define NR_VICTIMS	(sizeof(victims) / sizeof(victims[0]))

struct victim {
	pid_t pid;
	int go;
};

static struct victim victim(size_t i)
{
	int go[2], ready[2], own;
	struct victim v;
	char c;

	must(!pipe(go) && !pipe(ready), "pipe");
	v.pid = fork();
	if (!v.pid) {
		own = create(dev, victims[i].name);
		if (own < 0 || write(ready[1], "", 1) != 1 ||
		    read(go[0], &c, 1) != 1)
			_exit(1);
		victims[i].run(own);
		_exit(0);
	}
	close(go[0]);
	close(ready[1]);
	must(read(ready[0], &c, 1) == 1, victims[i].name);
	close(ready[0]);
	v.go = go[1];
	return v;
}

static void killed(pid_t pid, const char *what)
{
	int status = 0;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	check(still_slow() && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	      "%s (%d)", what, status);
}

static pid_t rebooter(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(reboot_kexec() != 0);
	until_it_waits(pid);
	return pid;
}

/* The name is free again when the session of the killed process is released. */
static int create_again(const char *name)
{
	int i, s = -EEXIST;

	for (i = 0; i < 100 && s == -EEXIST; i++) {
		s = create(dev, name);
		if (s == -EEXIST)
			usleep(100000);
	}
	return s;
}

static int waiting(void)
{
	struct victim v[NR_VICTIMS];
	int other, status, stop, fd;
	pid_t preserver, reboot;
	uint64_t begin;
	size_t i;

	must(!system("vm-kexec --load"), "vm-kexec");
	slow = create(dev, "slow");
	other = create(dev, "other");
	/* If reboot() gets that far, the live update fails. */
	stop = create(dev, "stop");
	fd = test_file(1);
	test_set(fd, LIVEUPDATE_TEST_FREEZE, EDOM, 0);
	must(slow >= 0 && other >= 0 && !preserve(stop, fd, 1), "sessions");
	for (i = 0; i < NR_VICTIMS; i++)
		v[i] = victim(i);
	begin = now_ns();
	preserver = slow_preserve();
	reboot = rebooter();

	puts("KTAP version 1");
	check(state(dev, false) == NORMAL && still_slow(), "the global state");
	check(state(other, true) == NORMAL && still_slow(), "state of a session");
	check(state(slow, true) == NORMAL && still_slow(),
	      "state of the session that is in a callback");
	for (i = 0; i < NR_VICTIMS; i++) {
		must(write(v[i].go, "", 1) == 1, "go");
		until_it_waits(v[i].pid);
		killed(v[i].pid, victims[i].name);
	}
	killed(reboot, "reboot");
	check(state(dev, false) == NORMAL && still_slow(), "the global state");
	fd = create(dev, "goes-on");
	check(fd >= 0 && still_slow(), "a killed reboot() blocks no call (%d)", fd);
	printf("# this took %llu of %d ms\n", (unsigned long long)(now_ns() - begin) / 1000000,
	       SLOW_US / 1000);
	must(waitpid(preserver, &status, 0) == preserver, "wait");
	check(!status, "the preserve succeeds (%d)", status);
	for (i = 0; i < NR_VICTIMS; i++) {
		fd = create_again(victims[i].name);
		check(fd >= 0, "%s (%d)", victims[i].name, fd);
	}
	return end_tests();
}

static int hold(void)
{
	int s = create(dev, "left");

	must(s >= 0 && !preserve(s, test_file(1), 1), "left");
	return hold_until_kexec();
}

/* A console that shuts down loses lines that follow too fast. */
static int in_time(int ret)
{
	usleep(200000);
	return ret;
}

/* The results are in the name of a rejected session, which is traced. */
static int watch(int in, int out)
{
	struct pollfd w = {
		.fd = open("/sys/kernel/liveupdate/state", O_RDONLY), .events = POLLPRI,
	};
	char seen[NAME_LEN];
	int s, c, p, e, woken;
	int t = test_file(3);

	must(read(w.fd, seen, sizeof(seen)) > 0, "state");
	while (state(dev, false) != LIVEUPDATE_STATE_FROZEN)
		usleep(1000);
	s = in_time(state(out, true));
	woken = poll(&w, 1, 0);
	c = in_time(create(dev, "late"));
	p = in_time(preserve(out, t, 9));
	e = in_time(event(dev, false, LIVEUPDATE_CANCEL));
	snprintf(seen, sizeof(seen), "seen:%d:%d:%d:%d:%d", s, c, p, e, woken);
	in_time(create(dev, seen));
	in_time(close(out));
	in_time(close(in));
	return 0;
}

static int frozen(void)
{
	struct liveupdate_test_frozen hold = {
		.size = sizeof(hold), .delay_us = FROZEN_US,
	};
	int in = claim(dev, "left"), out = create(dev, "out"), t = test_file(1);

	must(in >= 0 && out >= 0 && !preserve(out, t, 1), "sessions");
	must(!call(t, LIVEUPDATE_TEST_FROZEN, &hold), "LIVEUPDATE_TEST_FROZEN");
	must(!system("vm-kexec --load"), "vm-kexec");
	if (!fork())
		_exit(watch(in, out));
	/* The other process closes them last. */
	close(in);
	close(out);
	return reboot_kexec() != 0;
}

int main(int argc, char **argv)
{
	dev = open_device();
	must(dev >= 0, DEVICE);
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "frozen"))
		return frozen();
	return waiting();
}
