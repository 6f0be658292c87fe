// SPDX-License-Identifier: GPL-2.0

/*
 * /dev/liveupdate and sessions, without a live update: who may open it, what
 * malformed calls get, each errno of each call, and that a failed call leaves
 * nothing.
 */

#include "luo_test.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

TEST(device_is_for_root_alone)
{
	struct stat st;

	ASSERT_EQ(0, stat(DEVICE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 07777);
}

TEST(second_open_is_busy_until_the_first_is_closed)
{
	int dev = open_device();

	ASSERT_LE(0, dev);
	EXPECT_EQ(-EBUSY, open_device());
	close(dev);
	dev = open_device();
	EXPECT_LE(0, dev);
	close(dev);
}

TEST(open_in_another_process_is_busy)
{
	int dev = open_device(), status;
	pid_t pid = fork();

	ASSERT_LE(0, dev);
	if (!pid)
		_exit(open_device() == -EBUSY ? 0 : 1);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	close(dev);
}

TEST(open_without_cap_sys_admin_fails)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		drop_capability();
		_exit(open_device() == -EPERM ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

FIXTURE(luo)
{
	int dev;
	int session;
};

FIXTURE_SETUP(luo)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	self->session = create(self->dev, "fixture");
	ASSERT_LE(0, self->session);
}

FIXTURE_TEARDOWN(luo)
{
	close(self->session);
	close(self->dev);
}

/* Every ioctl: on which file, with what structure. */
static const struct {
	bool on_session;
	unsigned int nr;
	size_t size;
	size_t first;		/* size of its first version */
	size_t reserved;	/* offset of a field that must be zero, or 0 */
	int zeros;		/* answer to a structure that is zero after the size */
} calls[] = {
	{ false, 0x00, 72, 72, 0, -EINVAL },	/* CREATE_SESSION */
	{ false, 0x01, 72, 72, 0, -EINVAL },	/* RETRIEVE_SESSION */
	{ true, 0x40, 16, 16, 0, 0 },		/* PRESERVE_FD, see zeros() */
	{ true, 0x41, 16, 16, 0, -EOPNOTSUPP },	/* RETRIEVE_FD */
	{ true, 0x42, 8, 8, 4, -EOPNOTSUPP },	/* FINISH */
	{ true, 0x43, 72, 72, 4, 0 },		/* GET_NAME */
	{ false, 0x20, 8, 8, 0, 0 },		/* GET_STATE */
	{ false, 0x21, 8, 8, 0, 0 },		/* SET_EVENT */
	{ false, 0x22, 16, 16, 0, 0 },		/* FD_PRESERVE, see zeros() */
	{ false, 0x23, 16, 16, 4, -ENOENT },	/* FD_UNPRESERVE */
	{ false, 0x24, 16, 16, 0, -ENOENT },	/* FD_RESTORE */
	{ false, 0x25, 24, 16, 20, -ENOENT },	/* FD_GET_STATE */
	{ false, 0x26, 16, 16, 0, -ENOENT },	/* FD_SET_EVENT */
	{ true, 0x60, 16, 16, 4, -ENOENT },	/* UNPRESERVE_FD */
	{ true, 0x61, 8, 8, 0, 0 },		/* GET_STATE of a session */
	{ true, 0x62, 8, 8, 0, 0 },		/* SET_EVENT of a session */
	{ true, 0x63, 16, 16, 0, -ENOENT },	/* FD_GET_STATE of a session */
	{ true, 0x64, 16, 16, 0, -ENOENT },	/* FD_SET_EVENT of a session */
};

#define NR_CALLS	(sizeof(calls) / sizeof(calls[0]))
#define CALL_NR(i)	_IO(0xBA, calls[i].nr)

static int call_fd(const FIXTURE_DATA(luo) *self, size_t i)
{
	return calls[i].on_session ? self->session : self->dev;
}

static int zeros(int fd, size_t i, uint32_t size, size_t dirty)
{
	uint8_t buf[256] = {};
	int ret;

	memcpy(buf, &size, sizeof(size));
	if (dirty)
		buf[dirty] = 1;
	/* Descriptor 0 is no file that can be preserved. */
	ret = call(fd, CALL_NR(i), buf);
	/* Event 0 is PREPARE; cancel it. */
	if (!ret && (calls[i].nr == 0x21 || calls[i].nr == 0x62))
		event(fd, calls[i].on_session, LIVEUPDATE_CANCEL);
	return (calls[i].nr == 0x40 || calls[i].nr == 0x22) && ret == -ENOENT ? 0 : ret;
}

TEST_F(luo, each_size_below_the_first_version_is_einval)
{
	size_t i, size;

	for (i = 0; i < NR_CALLS; i++)
		for (size = 0; size < calls[i].first; size++)
			EXPECT_EQ(-EINVAL, zeros(call_fd(self, i), i, size, 0))
				TH_LOG("call %#x size %zu", calls[i].nr, size);
}

TEST_F(luo, longer_with_zeros_is_as_the_right_size)
{
	size_t i, size;

	for (i = 0; i < NR_CALLS; i++)
		for (size = calls[i].first; size < 128; size++)
			EXPECT_EQ(calls[i].zeros,
				  zeros(call_fd(self, i), i, size, 0))
				TH_LOG("call %#x size %zu", calls[i].nr, size);
}

TEST_F(luo, each_dirty_byte_after_the_end_is_e2big)
{
	size_t i, at;

	for (i = 0; i < NR_CALLS; i++)
		for (at = calls[i].size; at < 128; at++)
			EXPECT_EQ(-E2BIG, zeros(call_fd(self, i), i, 128, at))
				TH_LOG("call %#x byte %zu", calls[i].nr, at);
}

/* Only the size is read: what follows is not mapped and would be EFAULT. */
TEST_F(luo, larger_than_a_page_is_e2big_unread)
{
	uint32_t page = sysconf(_SC_PAGESIZE);
	const uint32_t sizes[] = { page + 1, 2 * page, 1 << 30, UINT32_MAX };
	uint8_t *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i, j;

	ASSERT_NE(MAP_FAILED, p);
	munmap(p + page, page);
	for (i = 0; i < NR_CALLS; i++) {
		for (j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			memcpy(p, &sizes[j], sizeof(sizes[j]));
			EXPECT_EQ(-E2BIG, call(call_fd(self, i), CALL_NR(i), p))
				TH_LOG("call %#x size %u", calls[i].nr, sizes[j]);
		}
		/* Readable to the end and all zeros: only the size is wrong. */
		memcpy(p, &page, sizeof(page));
		EXPECT_NE(-E2BIG, call(call_fd(self, i), CALL_NR(i), p))
			TH_LOG("call %#x", calls[i].nr);
		memset(p, 0, page);
	}
	event(self->session, true, LIVEUPDATE_CANCEL);
	event(self->dev, false, LIVEUPDATE_CANCEL);
	munmap(p, page);
}

/* 4 GiB of readable zeros do not hold up the caller. */
TEST_F(luo, the_largest_size_does_not_hold_up_its_caller)
{
	uint64_t size = 1ULL << 32;
	uint32_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, p);
	*p = UINT32_MAX;
	pid = fork();
	if (!pid) {
		/* From here on, the process can be killed only if the call ends. */
		_exit(call(self->session, LIVEUPDATE_SESSION_GET_NAME, p) ==
		      -E2BIG ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	munmap(p, size);
}

TEST_F(luo, each_unknown_number_is_enotty)
{
	uint8_t buf[256] = { sizeof(buf) - 1 };
	unsigned int nr;
	size_t i;
	bool dev, session;

	for (nr = 0; nr < 256; nr++) {
		dev = session = false;
		for (i = 0; i < NR_CALLS; i++) {
			if (calls[i].nr != nr)
				continue;
			dev = !calls[i].on_session;
			session = calls[i].on_session;
		}
		if (!dev)
			EXPECT_EQ(-ENOTTY, call(self->dev, _IO(0xBA, nr), buf))
				TH_LOG("device %#x", nr);
		if (!session)
			EXPECT_EQ(-ENOTTY,
				  call(self->session, _IO(0xBA, nr), buf))
				TH_LOG("session %#x", nr);
	}
}

/* The type is a part of the ioctl, not only the number. */
TEST_F(luo, each_number_with_another_type_is_enotty)
{
	uint8_t buf[256] = { sizeof(buf) - 1 };
	unsigned int type;
	size_t i;
	int fd;

	for (i = 0; i < NR_CALLS; i++) {
		fd = call_fd(self, i);
		for (type = 0; type < 256; type++) {
			/* every file has ioctls of 'T' and 'f' */
			if (type != 0xBA && type != 'T' && type != 'f')
				EXPECT_EQ(-ENOTTY,
					  call(fd, _IO(type, calls[i].nr), buf))
					TH_LOG("call %#x type %#x",
					       calls[i].nr, type);
		}
		EXPECT_EQ(-ENOTTY, call(fd, _IOW(0xBA, calls[i].nr, int), buf));
		EXPECT_EQ(-ENOTTY, call(fd, _IOR(0xBA, calls[i].nr, int), buf));
	}
}

TEST_F(luo, reserved_fields_must_be_zero)
{
	size_t i;

	for (i = 0; i < NR_CALLS; i++) {
		if (calls[i].reserved)
			EXPECT_EQ(-EINVAL,
				  zeros(call_fd(self, i), i, calls[i].size,
					calls[i].reserved))
				TH_LOG("call %#x", calls[i].nr);
	}
}

TEST_F(luo, bad_pointers_are_efault)
{
	size_t page = sysconf(_SC_PAGESIZE), i;
	uint8_t *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t size;

	ASSERT_NE(MAP_FAILED, p);
	munmap(p + page, page);
	for (i = 0; i < NR_CALLS; i++) {
		EXPECT_EQ(-EFAULT, call(call_fd(self, i), CALL_NR(i), NULL));
		EXPECT_EQ(-EFAULT, call(call_fd(self, i), CALL_NR(i), p + page));
		/* only its first half is mapped */
		size = calls[i].size;
		memset(p, 0, page);
		memcpy(p + page - size / 2, &size, sizeof(size));
		EXPECT_EQ(-EFAULT, call(call_fd(self, i), CALL_NR(i),
					p + page - size / 2))
			TH_LOG("call %#x", calls[i].nr);
	}
	munmap(p, page);
}

TEST_F(luo, create_that_cannot_respond_leaves_nothing)
{
	struct liveupdate_ioctl_create_session *a;
	int before = next_fd(), fd;

	a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, a);
	a->size = sizeof(*a);
	strcpy((char *)a->name, "readonly");
	mprotect(a, sizeof(*a), PROT_READ);
	EXPECT_EQ(-EFAULT, call(self->dev, LIVEUPDATE_IOCTL_CREATE_SESSION, a));
	EXPECT_EQ(before, next_fd());
	fd = create(self->dev, "readonly");
	EXPECT_LE(0, fd);
	close(fd);
	munmap(a, sizeof(*a));
}

TEST_F(luo, answers_into_read_only_memory_are_efault)
{
	size_t page = sysconf(_SC_PAGESIZE), i, n = 0;
	uint8_t *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t size;

	ASSERT_NE(MAP_FAILED, p);
	for (i = 0; i < NR_CALLS; i++) {
		/* GET_STATE of both and GET_NAME only write */
		if (calls[i].nr != 0x20 && calls[i].nr != 0x43 &&
		    calls[i].nr != 0x61)
			continue;
		n++;
		size = calls[i].size;
		mprotect(p, page, PROT_READ | PROT_WRITE);
		memcpy(p, &size, sizeof(size));
		EXPECT_EQ(0, call(call_fd(self, i), CALL_NR(i), p));
		memset(p + sizeof(size), 0, page - sizeof(size));
		mprotect(p, page, PROT_READ);
		EXPECT_EQ(-EFAULT, call(call_fd(self, i), CALL_NR(i), p))
			TH_LOG("call %#x", calls[i].nr);
	}
	EXPECT_EQ(3, n);
	munmap(p, page);
}

TEST_F(luo, names)
{
	struct liveupdate_ioctl_create_session a = { .size = sizeof(a) };
	char longest[NAME_LEN] = {};
	int fd;

	EXPECT_EQ(-EINVAL, create(self->dev, ""));
	memset(a.name, 'x', sizeof(a.name));
	EXPECT_EQ(-EINVAL, call(self->dev, LIVEUPDATE_IOCTL_CREATE_SESSION, &a));
	EXPECT_EQ(-EINVAL, claim(self->dev, ""));
	EXPECT_EQ(-EINVAL, call(self->dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &a));

	memset(longest, 'x', NAME_LEN - 1);
	fd = create(self->dev, longest);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(luo, a_name_is_taken_until_its_session_is_closed)
{
	int fd;

	EXPECT_EQ(-EEXIST, create(self->dev, "fixture"));
	close(self->session);
	fd = create(self->dev, "fixture");
	EXPECT_LE(0, fd);
	self->session = fd;
}

TEST_F(luo, an_outgoing_session_cannot_be_claimed)
{
	EXPECT_EQ(-ENOENT, claim(self->dev, "fixture"));
	EXPECT_EQ(-ENOENT, claim(self->dev, "nobody"));
}

TEST_F(luo, no_descriptor_left_is_emfile_and_leaves_nothing)
{
	struct rlimit old, none;
	int fd;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = next_fd();
	setrlimit(RLIMIT_NOFILE, &none);
	EXPECT_EQ(-EMFILE, create(self->dev, "emfile"));
	setrlimit(RLIMIT_NOFILE, &old);
	fd = create(self->dev, "emfile");
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(luo, get_name)
{
	struct liveupdate_session_get_name a = { .size = sizeof(a) };

	memset(a.name, 'x', sizeof(a.name));
	EXPECT_EQ(0, call(self->session, LIVEUPDATE_SESSION_GET_NAME, &a));
	EXPECT_STREQ("fixture", (char *)a.name);
}

TEST_F(luo, descriptors_are_close_on_exec)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->session, F_GETFD));
}

TEST_F(luo, calls_of_incoming_sessions_are_eopnotsupp)
{
	EXPECT_EQ(-EOPNOTSUPP, retrieve(self->session, 1));
	EXPECT_EQ(-EOPNOTSUPP, finish(self->session));
}

TEST_F(luo, preserve_needs_an_open_file)
{
	EXPECT_EQ(-EBADF, preserve(self->session, -1, 1));
	EXPECT_EQ(-EBADF, preserve(self->session, 1000, 1));
}

TEST_F(luo, preserve_without_a_handler_is_enoent)
{
	int p[2], file = open("/tmp/regular", O_RDWR | O_CREAT, 0600);

	ASSERT_EQ(0, pipe(p));
	ASSERT_LE(0, file);
	EXPECT_EQ(-ENOENT, preserve(self->session, p[0], 1));
	EXPECT_EQ(-ENOENT, preserve(self->session, file, 1));
	EXPECT_EQ(-ENOENT, preserve(self->session, self->session, 1));
	EXPECT_EQ(-ENOENT, preserve(self->session, self->dev, 1));
	close(file);
	close(p[0]);
	close(p[1]);
}

TEST_F(luo, a_token_is_taken_in_its_session_only)
{
	int other = create(self->dev, "other");
	int a = memfd(4096, 1), b = memfd(4096, 2);

	EXPECT_EQ(0, preserve(self->session, a, 7));
	EXPECT_EQ(-EEXIST, preserve(self->session, b, 7));
	EXPECT_EQ(0, preserve(other, b, 7));
	close(other);
	close(a);
	close(b);
}

TEST_F(luo, tokens_may_be_any_number)
{
	int a = memfd(4096, 1), b = memfd(4096, 2);

	EXPECT_EQ(0, preserve(self->session, a, 0));
	EXPECT_EQ(0, preserve(self->session, b, UINT64_MAX));
	close(a);
	close(b);
}

TEST_F(luo, a_file_is_preserved_once)
{
	int other = create(self->dev, "other");
	int fd = memfd(4096, 1), t = test_file(5), again;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR);
	ASSERT_LE(0, again);
	EXPECT_EQ(0, preserve(self->session, fd, 1));
	EXPECT_EQ(-EBUSY, preserve(self->session, fd, 2));
	EXPECT_EQ(-EBUSY, preserve(other, fd, 1));
	/* another open file of the same memory */
	EXPECT_EQ(-EBUSY, preserve(other, again, 1));

	/* a handler without get_id */
	EXPECT_EQ(0, preserve(self->session, t, 3));
	EXPECT_EQ(-EBUSY, preserve(other, t, 3));
	close(other);
	close(fd);
	close(again);
	close(t);
}

TEST_F(luo, an_error_of_the_handler_is_returned_and_leaves_nothing)
{
	int t = test_file(1);

	EXPECT_EQ(0, test_set(t, LIVEUPDATE_TEST_PRESERVE, EXDEV, 1));
	EXPECT_EQ(-EXDEV, preserve(self->session, t, 1));
	EXPECT_EQ(1, test_get(t).calls[LIVEUPDATE_TEST_PRESERVE]);
	EXPECT_EQ(0, preserve(self->session, t, 1));
	EXPECT_EQ(2, test_get(t).calls[LIVEUPDATE_TEST_PRESERVE]);
	close(t);
}

TEST_F(luo, the_test_handler_takes_no_delay_that_never_ends)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = LIVEUPDATE_TEST_PRESERVE,
		.delay_us = LIVEUPDATE_TEST_MAX_DELAY_US,
	};
	int t = test_file(1), target;

	for (target = 0; target < LIVEUPDATE_TEST_NR_TARGETS; target++) {
		set.target = target;
		set.delay_us = LIVEUPDATE_TEST_MAX_DELAY_US;
		EXPECT_EQ(0, call(t, LIVEUPDATE_TEST_SET, &set));
		set.delay_us++;
		EXPECT_EQ(-EINVAL, call(t, LIVEUPDATE_TEST_SET, &set));
		set.delay_us = UINT32_MAX;
		EXPECT_EQ(-EINVAL, call(t, LIVEUPDATE_TEST_SET, &set));
		set.delay_us = 0;
		set.burn_us = LIVEUPDATE_TEST_MAX_DELAY_US + 1;
		EXPECT_EQ(-EINVAL, call(t, LIVEUPDATE_TEST_SET, &set));
		set.burn_us = 0;
		EXPECT_EQ(0, call(t, LIVEUPDATE_TEST_SET, &set));
	}
	close(t);
}

TEST_F(luo, close_unpreserves_files)
{
	int fd = memfd(8192, 1), t = test_file(1);

	EXPECT_EQ(0, preserve(self->session, fd, 1));
	EXPECT_EQ(0, preserve(self->session, t, 2));
	/* not allowed for memfds while they are preserved */
	EXPECT_EQ(-1, ftruncate(fd, 4096));
	close(self->session);
	EXPECT_EQ(0, ftruncate(fd, 4096));
	EXPECT_EQ(1, test_get(t).calls[LIVEUPDATE_TEST_UNPRESERVE]);
	EXPECT_EQ(0, test_get(t).calls[LIVEUPDATE_TEST_FREEZE]);

	self->session = create(self->dev, "fixture");
	EXPECT_EQ(0, preserve(self->session, fd, 1));
	EXPECT_EQ(0, preserve(self->session, t, 2));
	close(fd);
	close(t);
}

TEST_F(luo, a_session_lives_as_long_as_its_last_descriptor)
{
	int copy = dup(self->session), fd;

	close(self->session);
	EXPECT_EQ(-EEXIST, create(self->dev, "fixture"));
	close(copy);
	fd = create(self->dev, "fixture");
	EXPECT_LE(0, fd);
	self->session = fd;
}

TEST_F(luo, sessions_outlive_the_device)
{
	int fd = memfd(4096, 1);

	close(self->dev);
	EXPECT_EQ(0, preserve(self->session, fd, 1));
	self->dev = open_device();
	EXPECT_LE(0, self->dev);
	EXPECT_EQ(-EEXIST, create(self->dev, "fixture"));
	close(fd);
}

RUN_CASES_MAIN
