// SPDX-License-Identifier: GPL-2.0

/*
 * A driver whose files depend on each other: clients of pools (luo_test_pair).
 *
 *	pair_test -F incoming	before a live update
 *	pair_test hold		a session for the next kernel
 *	pair_test -f incoming	after it
 */

#include "luo_test.h"

enum { GLOBAL = false, SESSION = true };

#define PAIR_MODULE	"/tools/luo_test_pair.ko"
#define POOL		"/dev/liveupdate_pool"
#define CLIENT		"/dev/liveupdate_client"

/* A pool with a value, which can be changed. */
static int pool_file(uint64_t value)
{
	int fd = open(POOL, O_RDWR | O_CLOEXEC);

	return write(fd, &value, sizeof(value)) == sizeof(value) ? fd : -errno;
}

/* A client of a pool; none is -1. */
static int client_file(int pool)
{
	int fd = open(CLIENT, O_RDWR | O_CLOEXEC), err;

	if (pool < 0 || !ioctl(fd, LIVEUPDATE_TEST_BIND, pool))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static uint64_t pair_value(int fd)
{
	uint64_t value;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : UINT64_MAX;
}

/* Both in one session: what depends on the other comes after it, in each step. */
FIXTURE(pair)
{
	int dev;
	int s;
	int pool;
	int client;
};

FIXTURE_SETUP(pair)
{
	ASSERT_EQ(0, load_module(PAIR_MODULE, ""));
	self->dev = open_device();
	self->s = create(self->dev, "s");
	self->pool = pool_file(5);
	self->client = client_file(self->pool);
	ASSERT_LE(0, self->s);
	ASSERT_LE(0, self->client);
}

FIXTURE_TEARDOWN(pair)
{
	event(self->dev, GLOBAL, LIVEUPDATE_CANCEL);
	close(self->s);
	close(self->dev);
	close(self->client);
	close(self->pool);
	EXPECT_EQ(0, unload_module("luo_test_pair"));
}

TEST_F(pair, a_client_needs_a_pool)
{
	int none = client_file(-1), other = test_file(1);

	EXPECT_EQ(-ENODATA, preserve(self->s, none, 1));
	EXPECT_EQ(-EBADF, client_file(1000));
	EXPECT_EQ(-EINVAL, client_file(other));
	EXPECT_EQ(-EINVAL, client_file(self->client));
	EXPECT_EQ(-EBUSY, call(self->client, LIVEUPDATE_TEST_BIND,
			       (void *)(intptr_t)self->pool));
	close(other);
	close(none);
}

TEST_F(pair, a_client_is_preserved_after_its_pool)
{
	EXPECT_EQ(-ENODATA, preserve(self->s, self->client, 2));
	ASSERT_EQ(0, preserve(self->s, self->pool, 1));
	EXPECT_EQ(0, preserve(self->s, self->client, 2));
	/* A pool that is not preserved any more is as good as none. */
	ASSERT_EQ(0, unpreserve(self->s, 2));
	ASSERT_EQ(0, unpreserve(self->s, 1));
	EXPECT_EQ(-ENODATA, preserve(self->s, self->client, 2));
}

TEST_F(pair, a_client_is_frozen_after_its_pool)
{
	uint64_t value = 6;

	ASSERT_EQ(0, preserve(self->s, self->pool, 1));
	ASSERT_EQ(0, preserve(self->s, self->client, 2));
	ASSERT_EQ(0, event(self->s, SESSION, LIVEUPDATE_PREPARE));
	ASSERT_EQ(0, event(self->s, SESSION, LIVEUPDATE_FREEZE));
	EXPECT_EQ(-1, write(self->pool, &value, sizeof(value)));
	EXPECT_EQ(EBUSY, errno);
	ASSERT_EQ(0, event(self->s, SESSION, LIVEUPDATE_CANCEL));
	EXPECT_EQ(sizeof(value), write(self->pool, &value, sizeof(value)));

	/* The pool is preserved again, now after the client. */
	ASSERT_EQ(0, unpreserve(self->s, 1));
	ASSERT_EQ(0, preserve(self->s, self->pool, 1));
	ASSERT_EQ(0, event(self->s, SESSION, LIVEUPDATE_PREPARE));
	EXPECT_EQ(-ENODATA, event(self->s, SESSION, LIVEUPDATE_FREEZE));
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->s, SESSION));

	/* And then the client. */
	ASSERT_EQ(0, unpreserve(self->s, 2));
	ASSERT_EQ(0, preserve(self->s, self->client, 2));
	ASSERT_EQ(0, event(self->s, SESSION, LIVEUPDATE_PREPARE));
	EXPECT_EQ(0, event(self->s, SESSION, LIVEUPDATE_FREEZE));
}

TEST_F(pair, a_pool_that_is_gone_fails_the_reboot)
{
	ASSERT_EQ(0, system("vm-kexec --load"));
	ASSERT_EQ(0, preserve(self->s, self->pool, 1));
	ASSERT_EQ(0, preserve(self->s, self->client, 2));
	ASSERT_EQ(0, unpreserve(self->s, 1));
	EXPECT_EQ(-ENODATA, reboot_kexec());
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->dev, GLOBAL));
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->s, SESSION));
}

TEST_F(pair, a_pool_in_a_later_session_comes_too_late)
{
	int later = create(self->dev, "later");

	ASSERT_EQ(0, system("vm-kexec --load"));
	ASSERT_EQ(0, preserve(later, self->pool, 1));
	ASSERT_EQ(0, preserve(self->s, self->client, 2));
	EXPECT_EQ(-ENODATA, reboot_kexec());
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->dev, GLOBAL));
	close(later);
}

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

TEST_F(incoming, a_client_got_what_its_pool_had_when_it_was_frozen)
{
	int s = claim(self->dev, "pair"), pool, client;

	ASSERT_LE(0, s);
	ASSERT_EQ(0, load_module(PAIR_MODULE, ""));
	/* Files are retrieved in any order. */
	client = retrieve(s, 2);
	pool = retrieve(s, 1);
	EXPECT_EQ(4001, pair_value(client));
	EXPECT_EQ(4001, pair_value(pool));
	EXPECT_EQ(0, finish(s));
	close(s);
	close(client);
	close(pool);
	EXPECT_EQ(0, unload_module("luo_test_pair"));
}

static int hold(void)
{
	int dev = open_device(), s = create(dev, "pair"), pool;
	uint64_t value = 4001;

	if (load_module(PAIR_MODULE, ""))
		return 1;
	pool = pool_file(4000);
	if (preserve(s, pool, 1) || preserve(s, client_file(pool), 2) ||
	    write(pool, &value, sizeof(value)) != sizeof(value))
		return 1;
	/* Another program holds sessions, too. */
	close(dev);
	return hold_until_kexec();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	return run_cases(argc, argv, "incoming");
}
