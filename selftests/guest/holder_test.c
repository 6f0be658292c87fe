// SPDX-License-Identifier: GPL-2.0

/*
 * A process without any capability that was given a session: what it can do with it, what
 * not, and that it cannot keep the machine from a live update for longer than it lives.
 */

#include "luo_test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <linux/capability.h>

#define NOBODY	65534

/* A child that has inherited a session and a file, and nothing else, until it is killed. */
struct holder {
	pid_t pid;
	int ready;	/* a byte when it is done: 0, or what failed */
};

static void become_nobody(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2] = {};

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ||
	    syscall(SYS_capset, &head, caps))
		_exit(99);
}

/* Above all not the device, which is what only root can open. */
static void keep_only(int a, int b, int c)
{
	int fd;

	for (fd = 3; fd < 256; fd++) {
		if (fd != a && fd != b && fd != c)
			close(fd);
	}
}

static struct holder hold(int session, unsigned char (*work)(int session, int file),
			  int file)
{
	unsigned char result;
	struct holder h;
	int done[2];

	must(!pipe(done), "pipe");
	h.ready = done[0];
	h.pid = fork();
	if (h.pid) {
		close(done[1]);
		return h;
	}
	keep_only(session, file, done[1]);
	become_nobody();
	result = work(session, file);
	if (write(done[1], &result, 1) != 1)
		_exit(98);
	pause();
	_exit(97);
}

static int result_of(const struct holder *h)
{
	unsigned char result;

	return read(h->ready, &result, 1) == 1 ? result : -1;
}

static void end(struct holder *h)
{
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	close(h->ready);
}

FIXTURE(holder)
{
	int dev;
	int session;
};

FIXTURE_SETUP(holder)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	self->session = create(self->dev, "held");
	ASSERT_LE(0, self->session);
}

FIXTURE_TEARDOWN(holder)
{
	close(self->session);
	close(self->dev);
}

/* The number of the line that fails. */
#define WANT(want, call)						\
	do {								\
		if ((call) != (want))					\
			return __LINE__ & 0xff ?: 1;			\
	} while (0)

static unsigned char uses_it(int session, int file)
{
	struct liveupdate_session_get_name name = { .size = sizeof(name) };
	int own = memfd_create("own", 0);

	(void)file;
	WANT(true, own >= 0 && !ftruncate(own, 4096));
	WANT(0, call(session, LIVEUPDATE_SESSION_GET_NAME, &name));
	WANT(0, strcmp((char *)name.name, "held"));
	WANT(0, preserve(session, own, 1));
	WANT(0, event(session, true, LIVEUPDATE_PREPARE));
	WANT(0, event(session, true, LIVEUPDATE_FREEZE));
	WANT(0, event(session, true, LIVEUPDATE_CANCEL));
	WANT(0, unpreserve(session, 1));
	return 0;
}

TEST_F(holder, the_session_is_its_own)
{
	struct holder h = hold(self->session, uses_it, -1);

	EXPECT_EQ(0, result_of(&h));
	end(&h);
}

static unsigned char reaches_out(int session, int file)
{
	(void)file;
	WANT(-EACCES, open_device());
	WANT(-ENOTTY, create(session, "more"));
	WANT(-ENOTTY, claim(session, "held"));
	WANT(-ENOTTY, event(session, false, LIVEUPDATE_PREPARE));
	WANT(-1, open("/sys/kernel/liveupdate/recorder", O_RDONLY));
	WANT(EACCES, errno);
	WANT(-1, open("/sys/kernel/liveupdate/mark", O_WRONLY));
	WANT(EACCES, errno);
	WANT(-1, open("/sys/kernel/debug/liveupdate/sessions", O_RDONLY));
	WANT(EACCES, errno);
	return 0;
}

TEST_F(holder, nothing_else_is)
{
	struct holder h = hold(self->session, reaches_out, -1);

	EXPECT_EQ(0, result_of(&h));
	end(&h);
}

static unsigned char refuses(int session, int file)
{
	WANT(0, preserve(session, file, 1));
	return 0;
}

/* While its file refuses, the whole machine cannot be prepared. */
TEST_F(holder, one_that_is_killed_no_longer_refuses)
{
	int file = test_file(0), mine = create(self->dev, "mine");
	struct holder h;

	ASSERT_LE(0, file);
	ASSERT_LE(0, mine);
	ASSERT_EQ(0, test_set(file, LIVEUPDATE_TEST_PREPARE, EPERM, 0));
	h = hold(self->session, refuses, file);
	EXPECT_EQ(0, result_of(&h));
	close(self->session);
	self->session = -1;
	EXPECT_EQ(-EPERM, event(self->dev, false, LIVEUPDATE_PREPARE));
	end(&h);
	EXPECT_EQ(0, event(self->dev, false, LIVEUPDATE_PREPARE));
	EXPECT_EQ(0, event(self->dev, false, LIVEUPDATE_CANCEL));
	close(mine);
	close(file);
}

/* Alone on a CPU: a worker of the kernel that belongs to it waits until this one sleeps. */
static void keep_cpu(int cpu)
{
	struct sched_param first = { .sched_priority = 1 };

	pin(cpu);
	must(!sched_setscheduler(0, SCHED_FIFO, &first), "SCHED_FIFO");
}

/* Holds the session, and exits during the PREPARE. */
static pid_t dies_prepared(int session)
{
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;
	keep_only(session, -1, -1);
	for (i = 0; i < 10000; i++) {
		if (file_state(session, 1) == LIVEUPDATE_STATE_PREPARED)
			_exit(0);
		usleep(1000);
	}
	_exit(1);
}

static pid_t prepares(int dev)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	keep_only(dev, -1, -1);
	pin(1);
	_exit(-event(dev, false, LIVEUPDATE_PREPARE));
}

/* What it held is released by a worker, which has not run when the next PREPARE begins. */
TEST_F(holder, one_that_has_died_during_a_prepare_is_not_in_the_next)
{
	struct liveupdate_test_set slow = {
		.size = sizeof(slow), .op = LIVEUPDATE_TEST_PREPARE, .error = EDOM, .nth = 1,
		.delay_us = 800000,
	};
	int file = test_file(1), other = test_file(2), late = create(self->dev, "late");
	pid_t dies, prepare;
	int status;

	ASSERT_EQ(0, preserve(self->session, file, 1));
	ASSERT_EQ(0, test_set(file, LIVEUPDATE_TEST_PREPARE, EPERM, 2));
	ASSERT_EQ(0, preserve(late, other, 1));
	ASSERT_EQ(0, call(other, LIVEUPDATE_TEST_SET, &slow));
	keep_cpu(0);
	dies = dies_prepared(self->session);
	close(self->session);
	self->session = -1;
	prepare = prepares(self->dev);
	ASSERT_EQ(dies, waitpid(dies, &status, 0));
	EXPECT_EQ(0, status);
	while (!waitpid(prepare, &status, WNOHANG))
		;
	EXPECT_EQ(EDOM, WEXITSTATUS(status));
	EXPECT_EQ(0, event(self->dev, false, LIVEUPDATE_PREPARE));
	EXPECT_EQ(1, test_get(file).calls[LIVEUPDATE_TEST_UNPRESERVE]);
	EXPECT_EQ(0, event(self->dev, false, LIVEUPDATE_CANCEL));
	close(late);
	close(other);
	close(file);
}

RUN_CASES_MAIN
