// SPDX-License-Identifier: GPL-2.0

/*
 * libluo's functions for single files and for files without a session: with this LUO they
 * do what they say, with that of the base they return -EOPNOTSUPP and change nothing.
 *
 *	libluo_test -f files	before a live update
 *	libluo_test hold	a file for the next kernel
 *	libluo_test -f updated	after it, whichever LUO each kernel has
 */

#include "luo_test.h"
#include "libluo.h"

#define TOKEN	7
#define SIZE	100000
#define SEED	3

/* What a call returns with this LUO, if @known, and with that of the base. */
static int with(bool known, int ret)
{
	return known ? ret : -EOPNOTSUPP;
}

static bool is_known(void)
{
	return !access("/sys/kernel/liveupdate/state", F_OK);
}

static int fd_state(int dev, int incoming, uint64_t token)
{
	enum luo_state state = 99;

	return luo_fd_get_state(dev, incoming, token, &state) ?: (int)state;
}

static int session_fd_state(int session, uint64_t token)
{
	enum luo_state state = 99;

	return luo_session_fd_get_state(session, token, &state) ?: (int)state;
}

FIXTURE(files)
{
	bool known;
	int dev;
	int session;
	int fd;
};

FIXTURE_SETUP(files)
{
	self->known = is_known();
	self->dev = luo_open();
	ASSERT_LE(0, self->dev);
	self->session = luo_session_create(self->dev, "libluo");
	ASSERT_LE(0, self->session);
	self->fd = memfd(SIZE, SEED);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(files)
{
	close(self->fd);
	close(self->session);
	close(self->dev);
}

TEST_F(files, without_a_session)
{
	int dev = self->dev;

	EXPECT_EQ(with(self->known, 0), luo_fd_preserve(dev, self->fd, TOKEN));
	EXPECT_EQ(with(self->known, LUO_STATE_NORMAL), fd_state(dev, 0, TOKEN));
	EXPECT_EQ(with(self->known, -ENOENT), fd_state(dev, 1, TOKEN));
	EXPECT_EQ(with(self->known, -ENOENT), luo_fd_restore(dev, TOKEN));
	EXPECT_EQ(with(self->known, 0), luo_fd_set_event(dev, TOKEN, LUO_EVENT_PREPARE));
	EXPECT_EQ(with(self->known, LUO_STATE_PREPARED), fd_state(dev, 0, TOKEN));
	EXPECT_EQ(with(self->known, -EINVAL), luo_fd_set_event(dev, TOKEN, LUO_EVENT_PREPARE));
	EXPECT_EQ(with(self->known, -ENOENT), luo_fd_set_event(dev, TOKEN, LUO_EVENT_FINISH));
	EXPECT_EQ(with(self->known, -EBUSY), luo_fd_unpreserve(dev, TOKEN));
	/* The base has not preserved it. */
	EXPECT_EQ(self->known ? -EBUSY : 0,
		  luo_session_preserve_fd(self->session, self->fd, TOKEN));
	EXPECT_EQ(with(self->known, 0), luo_fd_set_event(dev, TOKEN, LUO_EVENT_CANCEL));
	EXPECT_EQ(with(self->known, 0), luo_fd_unpreserve(dev, TOKEN));
}

TEST_F(files, of_a_session)
{
	int s = self->session;

	ASSERT_EQ(0, luo_session_preserve_fd(s, self->fd, TOKEN));
	EXPECT_EQ(with(self->known, LUO_STATE_NORMAL), session_fd_state(s, TOKEN));
	EXPECT_EQ(with(self->known, -ENOENT), session_fd_state(s, TOKEN + 1));
	EXPECT_EQ(with(self->known, -EINVAL),
		  luo_session_fd_set_event(s, TOKEN, LUO_EVENT_FREEZE));
	EXPECT_EQ(with(self->known, 0),
		  luo_session_fd_set_event(s, TOKEN, LUO_EVENT_PREPARE));
	EXPECT_EQ(with(self->known, LUO_STATE_PREPARED), session_fd_state(s, TOKEN));
	EXPECT_EQ(with(self->known, 0),
		  luo_session_fd_set_event(s, TOKEN, LUO_EVENT_CANCEL));
}

/* The base has the file in the session that this LUO has it in. */
TEST(updated)
{
	int dev = luo_open(), session = -1, fd;
	bool known = is_known();

	ASSERT_LE(0, dev);
	EXPECT_EQ(with(known, LUO_STATE_UPDATED), fd_state(dev, 1, TOKEN));
	fd = luo_fd_restore(dev, TOKEN);
	if (!known) {
		EXPECT_EQ(-EOPNOTSUPP, fd);
		session = luo_session_retrieve(dev, LUO_DEVICE_SESSION);
		ASSERT_LE(0, session);
		fd = luo_session_retrieve_fd(session, TOKEN);
	}
	ASSERT_LE(0, fd);
	EXPECT_TRUE(memfd_intact(fd, SIZE, SEED));
	EXPECT_EQ(with(known, 0), luo_fd_set_event(dev, TOKEN, LUO_EVENT_FINISH));
	EXPECT_EQ(with(known, -ENOENT), luo_fd_restore(dev, TOKEN));
	/* And so on, for the next kernel. */
	EXPECT_EQ(with(known, 0), luo_fd_preserve(dev, fd, TOKEN));
	EXPECT_EQ(with(known, LUO_STATE_NORMAL), fd_state(dev, 0, TOKEN));
	if (!known)
		EXPECT_EQ(0, luo_session_finish(session));
}

static int hold(void)
{
	int dev = luo_open(), fd = memfd(SIZE, SEED), ret, session;

	must(dev >= 0, "the device");
	ret = luo_fd_preserve(dev, fd, TOKEN);
	if (ret == -EOPNOTSUPP) {
		session = luo_session_create(dev, LUO_DEVICE_SESSION);
		ret = luo_session_preserve_fd(session, fd, TOKEN);
	}
	must(!ret, "preserve");
	return hold_until_kexec();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	return run_cases(argc, argv, NULL);
}
