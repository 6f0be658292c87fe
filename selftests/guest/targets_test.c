// SPDX-License-Identifier: GPL-2.0

/*
 * Subsystems, FLBs (file-lifecycle-bound objects, which files share), a module that is
 * loaded late and unloaded, and the memory that all of these preserve.
 *
 *	targets_test -F incoming	before a live update
 *	targets_test hold		sessions for the next kernel
 *	targets_test -f incoming	after it
 */

#include "luo_test.h"

#include <linux/reboot.h>
#include <sys/reboot.h>
#include <sys/syscall.h>

enum { GLOBAL = false, SESSION = true };

#define FIRST		LIVEUPDATE_TEST_ON_FIRST
#define SECOND		LIVEUPDATE_TEST_ON_SECOND
#define FLB		LIVEUPDATE_TEST_ON_FLB
#define LATE_SYS	"/sys/module/luo_test_late/"
#define LATE_VALUE	0x5b5ULL

/* The calls of a subsystem or an FLB; a cookie other than 0 sets it. */
static struct liveupdate_test_get target_cookie(int target, uint64_t cookie)
{
	struct liveupdate_test_get get = {
		.size = sizeof(get), .target = target, .cookie = cookie,
	};
	int fd = test_file(1);

	if (ioctl(fd, LIVEUPDATE_TEST_GET, &get))
		memset(&get, 0xff, sizeof(get));
	close(fd);
	return get;
}

static unsigned int did(int target, enum liveupdate_test_op op)
{
	return target_cookie(target, 0).calls[op];
}

static int target_set(int target, enum liveupdate_test_op op, int error, int nth)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = op, .error = error, .nth = nth,
		.target = target,
	};
	int fd = test_file(1), ret = call(fd, LIVEUPDATE_TEST_SET, &set);

	close(fd);
	return ret;
}

/* All operations succeed and were called 0 times. */
static void target_reset(int target)
{
	int op;

	for (op = 0; op < LIVEUPDATE_TEST_NR_OPS; op++)
		target_set(target, op, 0, 0);
}

static int object(enum liveupdate_test_object_op op, uint64_t *value)
{
	struct liveupdate_test_object arg = { .size = sizeof(arg), .op = op };
	int fd = test_file(1), ret = call(fd, LIVEUPDATE_TEST_OBJECT, &arg);

	close(fd);
	*value = arg.value;
	return ret;
}

/* Wait until its init has registered everything; it waits then, and fails. */
static bool late_is_coming(void)
{
	char text[16] = "";
	int i, fd;

	for (i = 0; i < 500 && strcmp(text, "coming\n"); i++) {
		usleep(10000);
		fd = open(LATE_SYS "initstate", O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	/* init has begun; it needs far less than this to reach its wait. */
	usleep(300000);
	return !strcmp(text, "coming\n");
}

static int unload_late(void)
{
	return unload_module("luo_test_late");
}

static uint64_t late_number(const char *name)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), LATE_SYS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return UINT64_MAX;
	close(fd);
	return strtoull(text, NULL, 10);
}

FIXTURE(targets)
{
	int dev;
	int s;
	int t;
};

FIXTURE_SETUP(targets)
{
	int target;

	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	for (target = FIRST; target <= FLB; target++)
		target_reset(target);
	self->s = create(self->dev, "s");
	self->t = test_file(1);
	ASSERT_EQ(0, preserve(self->s, self->t, 1));
}

FIXTURE_TEARDOWN(targets)
{
	int target;

	event(self->dev, GLOBAL, LIVEUPDATE_CANCEL);
	close(self->s);
	for (target = FIRST; target <= FLB; target++)
		target_reset(target);
	close(self->dev);
}

TEST_F(targets, prepare_and_cancel_reach_each_subsystem_once)
{
	int n;

	for (n = 1; n <= 2; n++) {
		ASSERT_EQ(0, event(self->dev, GLOBAL, LIVEUPDATE_PREPARE));
		EXPECT_EQ(n, did(FIRST, LIVEUPDATE_TEST_PREPARE));
		EXPECT_EQ(n, did(SECOND, LIVEUPDATE_TEST_PREPARE));
		EXPECT_EQ(n - 1, did(FIRST, LIVEUPDATE_TEST_CANCEL));
		ASSERT_EQ(0, event(self->dev, GLOBAL, LIVEUPDATE_CANCEL));
		EXPECT_EQ(n, did(FIRST, LIVEUPDATE_TEST_CANCEL));
		EXPECT_EQ(n, did(SECOND, LIVEUPDATE_TEST_CANCEL));
	}
	EXPECT_EQ(0, did(FIRST, LIVEUPDATE_TEST_FREEZE));
	EXPECT_EQ(0, did(FIRST, LIVEUPDATE_TEST_BOOT));
}

TEST_F(targets, an_event_of_a_session_does_not_reach_the_subsystems)
{
	ASSERT_EQ(0, event(self->s, SESSION, LIVEUPDATE_PREPARE));
	ASSERT_EQ(0, event(self->s, SESSION, LIVEUPDATE_FREEZE));
	EXPECT_EQ(0, did(FIRST, LIVEUPDATE_TEST_PREPARE));
	ASSERT_EQ(0, event(self->s, SESSION, LIVEUPDATE_CANCEL));
	EXPECT_EQ(0, did(FIRST, LIVEUPDATE_TEST_CANCEL));
}

TEST_F(targets, the_prepare_that_fails_undoes_those_before_it)
{
	target_set(SECOND, LIVEUPDATE_TEST_PREPARE, EMLINK, 1);
	EXPECT_EQ(-EMLINK, event(self->dev, GLOBAL, LIVEUPDATE_PREPARE));
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->dev, GLOBAL));
	EXPECT_EQ(1, did(FIRST, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(0, did(SECOND, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(0, test_get(self->t).calls[LIVEUPDATE_TEST_PREPARE]);

	/* The second attempt succeeds. */
	EXPECT_EQ(0, event(self->dev, GLOBAL, LIVEUPDATE_PREPARE));
	EXPECT_EQ(2, did(FIRST, LIVEUPDATE_TEST_PREPARE));
	EXPECT_EQ(2, did(SECOND, LIVEUPDATE_TEST_PREPARE));
}

TEST_F(targets, a_session_that_cannot_prepare_undoes_the_subsystems)
{
	test_set(self->t, LIVEUPDATE_TEST_PREPARE, EMLINK, 1);
	EXPECT_EQ(-EMLINK, event(self->dev, GLOBAL, LIVEUPDATE_PREPARE));
	EXPECT_EQ(1, did(FIRST, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(1, did(SECOND, LIVEUPDATE_TEST_CANCEL));
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->dev, GLOBAL));
}

TEST_F(targets, the_freeze_that_fails_undoes_everything_before_it)
{
	int prepared;

	ASSERT_EQ(0, system("vm-kexec --load"));
	for (prepared = 0; prepared < 2; prepared++) {
		target_reset(FIRST);
		target_reset(SECOND);
		target_set(SECOND, LIVEUPDATE_TEST_FREEZE, EMLINK, 1);
		if (prepared)
			ASSERT_EQ(0, event(self->dev, GLOBAL,
					   LIVEUPDATE_PREPARE));
		EXPECT_EQ(-1, reboot(LINUX_REBOOT_CMD_KEXEC));
		EXPECT_EQ(EMLINK, errno);
		/* The global state and the sessions return to the state they had. */
		EXPECT_EQ(prepared ? LIVEUPDATE_STATE_PREPARED :
				     LIVEUPDATE_STATE_NORMAL,
			  state(self->dev, GLOBAL));
		EXPECT_EQ(1, did(FIRST, LIVEUPDATE_TEST_FREEZE));
		EXPECT_EQ(1, did(FIRST, LIVEUPDATE_TEST_UNFREEZE));
		EXPECT_EQ(0, did(SECOND, LIVEUPDATE_TEST_UNFREEZE));
		EXPECT_EQ(!prepared, did(FIRST, LIVEUPDATE_TEST_CANCEL));
		EXPECT_EQ(!prepared, did(SECOND, LIVEUPDATE_TEST_CANCEL));
		EXPECT_EQ(prepared + 1,
			  test_get(self->t).calls[LIVEUPDATE_TEST_UNFREEZE]);
	}
}

/* A reboot() that fails: if the bytes were written, this kernel would be gone. */
TEST_F(targets, damage_stays_in_the_page_of_its_record)
{
	struct liveupdate_test_damage damage = {
		.size = sizeof(damage), .where = LIVEUPDATE_TEST_FILE,
		.index = 1, .offset = 4096 - 64, .len = 1,
	};
	int fd = test_file(1);

	ASSERT_EQ(0, preserve(self->s, fd, 2));
	ASSERT_EQ(0, system("vm-kexec --load"));
	/* The record begins 80 bytes into its page. */
	ASSERT_EQ(0, call(fd, LIVEUPDATE_TEST_DAMAGE, &damage));
	EXPECT_EQ(-ERANGE, reboot_kexec());
	/* This session does not exist. */
	damage.offset = 0;
	damage.len = 0;
	damage.other = 9;
	ASSERT_EQ(0, call(fd, LIVEUPDATE_TEST_DAMAGE, &damage));
	EXPECT_EQ(-ENOENT, reboot_kexec());
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->dev, GLOBAL));
	close(fd);
}

TEST_F(targets, an_flb_lives_from_the_first_file_to_the_last)
{
	int other = create(self->dev, "other");

	EXPECT_EQ(1, did(FLB, LIVEUPDATE_TEST_PRESERVE));
	ASSERT_EQ(0, preserve(other, test_file(2), 1));
	ASSERT_EQ(0, preserve(other, test_file(3), 2));
	EXPECT_EQ(1, did(FLB, LIVEUPDATE_TEST_PRESERVE));
	ASSERT_EQ(0, unpreserve(self->s, 1));
	ASSERT_EQ(0, unpreserve(other, 1));
	EXPECT_EQ(0, did(FLB, LIVEUPDATE_TEST_UNPRESERVE));
	close(other);
	EXPECT_EQ(1, did(FLB, LIVEUPDATE_TEST_UNPRESERVE));
	ASSERT_EQ(0, preserve(self->s, self->t, 1));
	EXPECT_EQ(2, did(FLB, LIVEUPDATE_TEST_PRESERVE));
}

TEST_F(targets, an_flb_that_cannot_be_preserved_fails_the_file)
{
	uint64_t pages;

	ASSERT_EQ(0, unpreserve(self->s, 1));
	pages = preserved_pages();
	target_reset(FLB);
	target_set(FLB, LIVEUPDATE_TEST_PRESERVE, EMLINK, 1);
	EXPECT_EQ(-EMLINK, preserve(self->s, self->t, 1));
	/* The FLB of the base's own test was preserved before it and is unpreserved. */
	EXPECT_EQ(pages, preserved_pages());
	EXPECT_EQ(1, test_get(self->t).calls[LIVEUPDATE_TEST_PRESERVE]);
	EXPECT_EQ(0, did(FLB, LIVEUPDATE_TEST_UNPRESERVE));
	EXPECT_EQ(0, preserve(self->s, self->t, 1));
	EXPECT_EQ(2, did(FLB, LIVEUPDATE_TEST_PRESERVE));
}

TEST_F(targets, a_file_that_cannot_be_preserved_drops_its_flb)
{
	ASSERT_EQ(0, unpreserve(self->s, 1));
	test_set(self->t, LIVEUPDATE_TEST_PRESERVE, EMLINK, 0);
	EXPECT_EQ(-EMLINK, preserve(self->s, self->t, 1));
	EXPECT_EQ(2, did(FLB, LIVEUPDATE_TEST_PRESERVE));
	EXPECT_EQ(2, did(FLB, LIVEUPDATE_TEST_UNPRESERVE));
}

TEST_F(targets, a_user_keeps_the_outgoing_object)
{
	uint64_t value;

	ASSERT_EQ(0, unpreserve(self->s, 1));
	EXPECT_EQ(-ENOENT, object(LIVEUPDATE_TEST_GET_OUTGOING, &value));
	target_cookie(FLB, 77);
	ASSERT_EQ(0, preserve(self->s, self->t, 1));
	EXPECT_EQ(0, object(LIVEUPDATE_TEST_GET_OUTGOING, &value));
	EXPECT_EQ(77, value);
	ASSERT_EQ(0, unpreserve(self->s, 1));
	EXPECT_EQ(1, did(FLB, LIVEUPDATE_TEST_UNPRESERVE));
	/* A file that is preserved meanwhile finds it preserved. */
	ASSERT_EQ(0, preserve(self->s, self->t, 1));
	EXPECT_EQ(2, did(FLB, LIVEUPDATE_TEST_PRESERVE));
	ASSERT_EQ(0, unpreserve(self->s, 1));
	EXPECT_EQ(0, object(LIVEUPDATE_TEST_PUT_OUTGOING, &value));
	EXPECT_EQ(2, did(FLB, LIVEUPDATE_TEST_UNPRESERVE));
	EXPECT_EQ(-ENODATA, object(LIVEUPDATE_TEST_GET_INCOMING, &value));
}

TEST_F(targets, closing_in_each_state_leaves_no_page)
{
	uint64_t before = preserved_pages();
	int way, s, i;

	ASSERT_LT(0, before);
	for (way = 0; way < 3; way++) {
		s = create(self->dev, "pages");
		ASSERT_LE(0, s);
		for (i = 0; i < 70; i++)
			ASSERT_EQ(0, preserve(s, test_file(1), i));
		ASSERT_EQ(0, preserve(s, memfd(1 << 20, 1), 100));
		EXPECT_LE(before + 70 + 256, preserved_pages());
		if (way > 0)
			ASSERT_EQ(0, event(s, SESSION, LIVEUPDATE_PREPARE));
		if (way > 1)
			ASSERT_EQ(0, event(s, SESSION, LIVEUPDATE_FREEZE));
		close(s);
		EXPECT_EQ(before, preserved_pages());
	}
}

TEST_F(targets, a_file_pins_its_handler_and_its_flb)
{
	int fd;

	ASSERT_EQ(0, load_module(LATE_MODULE, ""));
	EXPECT_EQ(0, late_number("refcnt"));
	fd = open(LATE_DEVICE, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, preserve(self->s, fd, 2));
	/* The file itself, its handler, its FLB */
	EXPECT_EQ(3, late_number("refcnt"));
	close(fd);
	EXPECT_EQ(3, late_number("refcnt"));
	EXPECT_EQ(-EAGAIN, unload_late());
	ASSERT_EQ(0, unpreserve(self->s, 2));
	EXPECT_EQ(0, late_number("refcnt"));
	EXPECT_EQ(0, unload_late());
}

TEST_F(targets, a_prepared_subsystem_pins_its_module)
{
	ASSERT_EQ(0, event(self->dev, GLOBAL, LIVEUPDATE_PREPARE));
	ASSERT_EQ(0, load_module(LATE_MODULE, ""));
	/* It was registered too late for this PREPARE. */
	EXPECT_EQ(0, late_number("refcnt"));
	ASSERT_EQ(0, event(self->dev, GLOBAL, LIVEUPDATE_CANCEL));
	ASSERT_EQ(0, event(self->dev, GLOBAL, LIVEUPDATE_PREPARE));
	EXPECT_EQ(1, late_number("refcnt"));
	EXPECT_EQ(-EAGAIN, unload_late());
	ASSERT_EQ(0, event(self->dev, GLOBAL, LIVEUPDATE_CANCEL));
	EXPECT_EQ(0, late_number("refcnt"));
	EXPECT_EQ(0, unload_late());
}

/* Stage 1. These tests depend on those before them. */

FIXTURE(incoming)
{
	int dev;
};

FIXTURE_SETUP(incoming)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(incoming)
{
	close(self->dev);
}

TEST_F(incoming, subsystems_got_what_freeze_made_of_it)
{
	EXPECT_EQ(1001, target_cookie(FIRST, 0).cookie);
	EXPECT_EQ(2001, target_cookie(SECOND, 0).cookie);
	EXPECT_EQ(1, did(FIRST, LIVEUPDATE_TEST_BOOT));
	EXPECT_EQ(1, did(SECOND, LIVEUPDATE_TEST_BOOT));
	EXPECT_EQ(0, did(FIRST, LIVEUPDATE_TEST_FINISH));
}

TEST_F(incoming, a_module_whose_init_fails_restores_nothing)
{
	int s = claim(self->dev, "late"), status;
	pid_t pid = fork();

	ASSERT_LE(0, s);
	if (!pid)
		_exit(load_module(LATE_MODULE, "fail_ms=3000") == -ENXIO ? 0 : 1);
	ASSERT_TRUE(late_is_coming());
	/* It has registered its handler, but may be unloaded any moment. */
	EXPECT_EQ(-ENOENT, retrieve(s, 1));
	EXPECT_EQ(0, late_number("parameters/got"));
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(-ENOENT, retrieve(s, 1));
	close(s);
}

TEST_F(incoming, late_targets_get_their_records)
{
	int s = claim(self->dev, "late"), fd;

	ASSERT_LE(0, s);
	EXPECT_EQ(-ENOENT, retrieve(s, 1));
	ASSERT_EQ(0, load_module(LATE_MODULE, ""));
	EXPECT_EQ(LATE_VALUE, late_number("parameters/got"));
	fd = retrieve(s, 1);
	EXPECT_LE(0, fd);
	/* The subsystem, the handler, the file; its FLB is not used. */
	EXPECT_EQ(3, late_number("refcnt"));
	EXPECT_EQ(-EAGAIN, unload_late());
	close(fd);
	EXPECT_EQ(0, finish(s));
	/* The global state is not finished, so the subsystem is not. */
	EXPECT_EQ(1, late_number("refcnt"));
	EXPECT_EQ(-EAGAIN, unload_late());
	close(s);
}

TEST_F(incoming, the_incoming_object_lives_as_long_as_its_files_and_users)
{
	uint64_t value;
	int s = claim(self->dev, "two"), other = claim(self->dev, "one");

	ASSERT_LE(0, s);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, did(FLB, LIVEUPDATE_TEST_RETRIEVE));
	EXPECT_EQ(0, object(LIVEUPDATE_TEST_GET_INCOMING, &value));
	EXPECT_EQ(3000, value);
	EXPECT_EQ(1, did(FLB, LIVEUPDATE_TEST_RETRIEVE));
	EXPECT_EQ(0, object(LIVEUPDATE_TEST_GET_INCOMING, &value));
	EXPECT_EQ(0, object(LIVEUPDATE_TEST_PUT_INCOMING, &value));
	EXPECT_EQ(1, did(FLB, LIVEUPDATE_TEST_RETRIEVE));

	EXPECT_EQ(0, finish(s));
	EXPECT_EQ(0, did(FLB, LIVEUPDATE_TEST_FINISH));
	EXPECT_EQ(0, finish(other));
	/* The last file is gone, one user is left. */
	EXPECT_EQ(0, did(FLB, LIVEUPDATE_TEST_FINISH));
	EXPECT_EQ(0, object(LIVEUPDATE_TEST_PUT_INCOMING, &value));
	EXPECT_EQ(1, did(FLB, LIVEUPDATE_TEST_FINISH));
	EXPECT_EQ(-ENODATA, object(LIVEUPDATE_TEST_GET_INCOMING, &value));
}

TEST_F(incoming, subsystems_finish_with_the_last_session)
{
	int s = claim(self->dev, "memory"), fd;

	ASSERT_LE(0, s);
	fd = retrieve(s, 1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, did(FIRST, LIVEUPDATE_TEST_FINISH));
	EXPECT_EQ(0, finish(s));
	close(s);
	EXPECT_EQ(1, did(FIRST, LIVEUPDATE_TEST_FINISH));
	EXPECT_EQ(1, did(SECOND, LIVEUPDATE_TEST_FINISH));
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->dev, GLOBAL));
	EXPECT_EQ(0, late_number("refcnt"));

	/* LUO has dropped the file, which outlives its session. */
	EXPECT_TRUE(memfd_intact(fd, 1 << 20, 9));
	ASSERT_EQ(0, ftruncate(fd, 4096));
	EXPECT_TRUE(memfd_intact(fd, 4096, 9));
	s = create(self->dev, "again");
	EXPECT_EQ(0, preserve(s, fd, 1));
	close(s);
	close(fd);
}

TEST_F(incoming, a_restored_record_is_not_restored_twice)
{
	EXPECT_EQ(0, unload_late());
	ASSERT_EQ(0, load_module(LATE_MODULE, ""));
	EXPECT_EQ(0, late_number("parameters/got"));
	EXPECT_EQ(0, unload_late());
}

static int hold(void)
{
	int dev = open_device(), late, one, two, mem;

	if (load_module(LATE_MODULE, ""))
		return 1;
	target_cookie(FIRST, 1000);
	target_cookie(SECOND, 2000);
	target_cookie(FLB, 3000);
	late = create(dev, "late");
	one = create(dev, "one");
	two = create(dev, "two");
	mem = create(dev, "memory");
	if (preserve(late, open(LATE_DEVICE, O_RDWR), 1) ||
	    preserve(one, test_file(1), 1) || preserve(two, test_file(2), 1) ||
	    preserve(two, test_file(3), 2) ||
	    preserve(mem, memfd(1 << 20, 9), 1))
		return 1;
	return hold_until_kexec();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	return run_cases(argc, argv, "incoming");
}
