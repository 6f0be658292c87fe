// SPDX-License-Identifier: GPL-2.0

/*
 * Sessions and files through live updates.
 *
 *	kexec_test hold0	create the sessions of stage 0, fail to kexec,
 *				hold them
 *	kexec_test -f stage1	what is handed over, and its unhappy paths
 *	kexec_test hold1	retrieve a file, preserve it again, hold it
 *	kexec_test -f stage2	what is handed over the second time
 */

#include "luo_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MANY		200
/* Tokens and cookies of the test files in "retried". */
#define FIRST		1
#define BAD		2
#define LATER		3
#define LONGEST		"a name as long as a session's can be, sixty-three bytes in all."
#define ODD		"od d=\"x\"\t\\\n'\xff"

/* The files of stage 0: memfds, and test files, which have no size. */
static const struct item {
	const char *session;
	uint64_t token;
	long size;	/* bytes of a memfd; -1: a test file */
	off_t pos;	/* file position of the memfd */
	int seals;
	int op;		/* of the test file: which operation fails */
	int error;
	int nth;
} items[] = {
	{ "mixed", 0, 0 },
	{ "mixed", 1, 1 },
	{ "mixed", UINT64_MAX, 4096, .pos = 1234 },
	{ "mixed", 5, (4 << 20) + 123, .seals = F_SEAL_SHRINK | F_SEAL_GROW },
	{ "mixed", 6, -1 },
	{ "not-ready", 1, -1, .op = LIVEUPDATE_TEST_CAN_FINISH, .error = EAGAIN,
	  .nth = 1 },
	{ "not-ready", 2, 4096 },
	{ "fails", 1, -1, .op = LIVEUPDATE_TEST_RETRIEVE, .error = EILSEQ,
	  .nth = 1 },
	{ "fails", 2, 4096 },
	{ "dropped", 1, 4096 },
	{ "dropped", 2, 8192 },
	{ "killed", 1, 65536 },
	{ "discarded", 1, 1 << 20 },
	{ "discarded", 2, -1 },
	{ "unclaimed", 1, 4096 },
	{ "again", 1, 12345 },
	{ "answers", 1, 4096 },
	{ LONGEST, 1, 4096 },
	{ ODD, 1, 4096 },
};

#define NR_ITEMS	(sizeof(items) / sizeof(items[0]))

static const struct item *item_of(const char *session, uint64_t token)
{
	size_t i;

	for (i = 0; i < NR_ITEMS; i++) {
		if (items[i].token == token && !strcmp(items[i].session, session))
			return &items[i];
	}
	abort();
}

static uint64_t seed_of(const struct item *item)
{
	return 1000 + (item - items);
}

static int make_item(const struct item *item)
{
	int fd;

	if (item->size < 0) {
		fd = test_file(seed_of(item));
		must(fd >= 0, "test file");
		if (item->error)
			must(!test_set(fd, item->op, item->error, item->nth),
			     "behaviour");
		return fd;
	}
	fd = memfd(item->size, seed_of(item));
	must(fd >= 0, "memfd");
	must(lseek(fd, item->pos, SEEK_SET) == item->pos, "position");
	if (item->seals)
		must(!fcntl(fd, F_ADD_SEALS, item->seals), "seals");
	return fd;
}

static int hold(void)
{
	return hold_until_kexec();
}

/*
 * A kexec that fails at the very last file, when all others of all sessions are frozen.
 * The next kernel gets what the next attempt hands over.
 */
static void kexec_fails(int dev)
{
	int session = create(dev, "retried"), first, bad;

	first = test_file(FIRST);
	bad = test_file(BAD);
	must(session >= 0 && !preserve(session, first, FIRST) &&
	     !preserve(session, bad, BAD) &&
	     !test_set(bad, LIVEUPDATE_TEST_FREEZE, EDOM, 1), "retried");
	must(!system("vm-kexec --load"), "load");
	must(reboot_kexec() == -EDOM, "a kexec that fails");
	must(!preserve(session, test_file(LATER), LATER), "preserve later");
}

static int hold0(void)
{
	int dev = open_device(), session = -1, fd;
	const char *name = "";
	char many[32];
	size_t i;

	must(dev >= 0, "device");
	must(create(dev, "empty") >= 0, "empty");
	for (i = 0; i < NR_ITEMS; i++) {
		if (strcmp(name, items[i].session)) {
			name = items[i].session;
			session = create(dev, name);
			must(session >= 0, name);
		}
		fd = make_item(&items[i]);
		must(!preserve(session, fd, items[i].token), name);
		close(fd);
	}
	for (i = 0; i < MANY; i++) {
		snprintf(many, sizeof(many), "many-%zu", i);
		session = create(dev, many);
		fd = memfd(4096, i);
		must(session >= 0 && !preserve(session, fd, i), many);
		close(fd);
	}
	/* Unpreserved before the kexec: it must not be handed over. */
	session = create(dev, "closed");
	fd = memfd(4096, 1);
	must(!preserve(session, fd, 1), "closed");
	close(session);
	kexec_fails(dev);
	close(dev);
	return hold();
}

static int hold1(void)
{
	const struct item *item = item_of("again", 1);
	int dev = open_device(), in, out, fd;

	must(dev >= 0, "device");
	in = claim(dev, "again");
	out = create(dev, "again");
	must(in >= 0 && out >= 0, "both sessions named again");
	fd = retrieve(in, 1);
	must(memfd_intact(fd, item->size, seed_of(item)), "content");
	/* It belongs to the incoming session until that is finished. */
	must(preserve(out, fd, 1) == -EBUSY, "busy");
	must(!finish(in), "finish");
	must(!preserve(out, fd, 1), "preserve again");
	close(dev);
	return hold();
}

static bool intact(int fd, const struct item *item)
{
	return memfd_intact(fd, item->size, seed_of(item));
}

/* Stage 1: what is handed over. */

FIXTURE(stage1)
{
	int dev;
};

FIXTURE_SETUP(stage1)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(stage1)
{
	close(self->dev);
}

TEST_F(stage1, an_empty_session_is_handed_over)
{
	int s = claim(self->dev, "empty");

	ASSERT_LE(0, s);
	EXPECT_EQ(FD_CLOEXEC, fcntl(s, F_GETFD));
	EXPECT_EQ(-ENOENT, retrieve(s, 1));
	EXPECT_EQ(-EOPNOTSUPP, preserve(s, memfd(1, 1), 1));
	EXPECT_EQ(0, finish(s));
}

TEST_F(stage1, a_closed_session_is_not_handed_over)
{
	EXPECT_EQ(-ENOENT, claim(self->dev, "closed"));
}

TEST_F(stage1, mixed_files_are_intact_in_any_order)
{
	int s = claim(self->dev, "mixed"), fd, again;
	struct liveupdate_test_get g;
	const struct item *item;
	size_t i;

	ASSERT_LE(0, s);
	for (i = NR_ITEMS; i-- > 0;) {
		item = &items[i];
		if (strcmp(item->session, "mixed"))
			continue;
		fd = retrieve(s, item->token);
		ASSERT_LE(0, fd);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		if (item->size < 0) {
			g = test_get(fd);
			EXPECT_EQ(seed_of(item), g.cookie);
			EXPECT_EQ(1, g.calls[LIVEUPDATE_TEST_PRESERVE]);
			/* one call fails, the next one succeeds */
			EXPECT_EQ(2, g.calls[LIVEUPDATE_TEST_FREEZE]);
			EXPECT_EQ(1, g.calls[LIVEUPDATE_TEST_UNFREEZE]);
			EXPECT_EQ(1, g.calls[LIVEUPDATE_TEST_RETRIEVE]);
			continue;
		}
		EXPECT_EQ(item->pos, lseek(fd, 0, SEEK_CUR));
		if (item->seals)
			EXPECT_EQ(item->seals, fcntl(fd, F_GET_SEALS) & item->seals);
		EXPECT_TRUE(intact(fd, item))
			TH_LOG("token %llu", (unsigned long long)item->token);
	}

	/* A second retrieve returns the same open file. */
	fd = retrieve(s, 1);
	again = retrieve(s, 1);
	EXPECT_NE(fd, again);
	EXPECT_EQ(7, lseek(fd, 7, SEEK_SET));
	EXPECT_EQ(7, lseek(again, 0, SEEK_CUR));

	EXPECT_EQ(-ENOENT, retrieve(s, 4711));
	EXPECT_EQ(0, finish(s));
	EXPECT_EQ(-EINVAL, finish(s));
	EXPECT_EQ(-ENOENT, retrieve(s, 1));
	EXPECT_EQ(-ENOENT, claim(self->dev, "mixed"));

	/* LUO has dropped its reference. */
	close(s);
	EXPECT_TRUE(intact(fd, item_of("mixed", 1)));
	s = create(self->dev, "mixed");
	EXPECT_EQ(0, preserve(s, fd, 1));
}

TEST_F(stage1, a_second_attempt_hands_everything_over)
{
	static const struct {
		uint64_t token;
		unsigned int freeze, unfreeze;
	} want[] = { { FIRST, 2, 1 }, { BAD, 2, 0 }, { LATER, 1, 0 } };
	int s = claim(self->dev, "retried"), fd;
	struct liveupdate_test_get g;
	size_t i;

	ASSERT_LE(0, s);
	for (i = 0; i < 3; i++) {
		fd = retrieve(s, want[i].token);
		ASSERT_LE(0, fd);
		g = test_get(fd);
		EXPECT_EQ(want[i].token, g.cookie);
		EXPECT_EQ(want[i].freeze, g.calls[LIVEUPDATE_TEST_FREEZE]);
		EXPECT_EQ(want[i].unfreeze, g.calls[LIVEUPDATE_TEST_UNFREEZE]);
		EXPECT_EQ(0, g.calls[LIVEUPDATE_TEST_UNPRESERVE]);
	}
	EXPECT_EQ(0, finish(s));
}

static int with_no_descriptor_left(int fd, unsigned long cmd, void *arg)
{
	struct rlimit old, none;
	int ret;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = next_fd();
	setrlimit(RLIMIT_NOFILE, &none);
	ret = call(fd, cmd, arg);
	setrlimit(RLIMIT_NOFILE, &old);
	return ret;
}

TEST_F(stage1, calls_that_cannot_respond_leave_nothing)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct liveupdate_ioctl_retrieve_session *c;
	struct liveupdate_session_retrieve_fd *r;
	int before = next_fd(), s, fd;

	c = mmap(NULL, page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r = mmap(NULL, page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(c != MAP_FAILED && r != MAP_FAILED);
	c->size = sizeof(*c);
	set_name(c->name, "answers");
	r->size = sizeof(*r);
	r->token = 1;
	mprotect(c, page, PROT_READ);
	mprotect(r, page, PROT_READ);

	EXPECT_EQ(-EFAULT, call(self->dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, c));
	EXPECT_EQ(-EMFILE, with_no_descriptor_left(self->dev,
				LIVEUPDATE_IOCTL_RETRIEVE_SESSION, c));
	EXPECT_EQ(before, next_fd());
	s = claim(self->dev, "answers");
	ASSERT_LE(0, s);

	before = next_fd();
	EXPECT_EQ(-EFAULT, call(s, LIVEUPDATE_SESSION_RETRIEVE_FD, r));
	EXPECT_EQ(-EMFILE, with_no_descriptor_left(s,
				LIVEUPDATE_SESSION_RETRIEVE_FD, r));
	EXPECT_EQ(before, next_fd());
	fd = retrieve(s, 1);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(intact(fd, item_of("answers", 1)));
	EXPECT_EQ(0, finish(s));
	munmap(c, page);
	munmap(r, page);
}

TEST_F(stage1, a_handler_can_delay_finish)
{
	int s = claim(self->dev, "not-ready"), t, m;

	ASSERT_LE(0, s);
	t = retrieve(s, 1);
	ASSERT_LE(0, t);
	EXPECT_EQ(-EBUSY, finish(s));
	EXPECT_EQ(0, test_get(t).calls[LIVEUPDATE_TEST_FINISH]);
	/* nothing has changed */
	m = retrieve(s, 2);
	ASSERT_LE(0, m);
	EXPECT_TRUE(intact(m, item_of("not-ready", 2)));
	EXPECT_EQ(0, finish(s));
	EXPECT_EQ(1, test_get(t).calls[LIVEUPDATE_TEST_FINISH]);
	EXPECT_EQ(2, test_get(t).calls[LIVEUPDATE_TEST_CAN_FINISH]);
}

TEST_F(stage1, a_retrieve_that_failed_keeps_failing)
{
	int s = claim(self->dev, "fails"), m;

	ASSERT_LE(0, s);
	EXPECT_EQ(-EILSEQ, retrieve(s, 1));
	EXPECT_EQ(-EILSEQ, retrieve(s, 1));
	m = retrieve(s, 2);
	ASSERT_LE(0, m);
	EXPECT_TRUE(intact(m, item_of("fails", 2)));
	EXPECT_EQ(0, finish(s));
}

TEST_F(stage1, a_claimed_session_is_busy)
{
	int s = claim(self->dev, "dropped");

	ASSERT_LE(0, s);
	EXPECT_EQ(-EBUSY, claim(self->dev, "dropped"));
	/* An outgoing one of the same name is another session. */
	EXPECT_LE(0, create(self->dev, "dropped"));
}

TEST_F(stage1, a_dropped_session_can_be_claimed_again_with_all_files)
{
	int s = claim(self->dev, "dropped"), one, two;

	ASSERT_LE(0, s);
	one = retrieve(s, 1);
	ASSERT_LE(0, one);
	close(one);
	close(s);

	s = claim(self->dev, "dropped");
	ASSERT_LE(0, s);
	one = retrieve(s, 1);
	two = retrieve(s, 2);
	EXPECT_TRUE(intact(one, item_of("dropped", 1)));
	EXPECT_TRUE(intact(two, item_of("dropped", 2)));
	EXPECT_EQ(0, finish(s));
}

TEST_F(stage1, a_session_of_a_killed_agent_can_be_claimed)
{
	int ready[2], s, fd;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		s = claim(self->dev, "killed");
		fd = retrieve(s, 1);
		if (s < 0 || fd < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(-EBUSY, claim(self->dev, "killed"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	s = claim(self->dev, "killed");
	ASSERT_LE(0, s);
	fd = retrieve(s, 1);
	EXPECT_TRUE(intact(fd, item_of("killed", 1)));
	EXPECT_EQ(0, finish(s));
}

TEST_F(stage1, finish_discards_what_was_not_retrieved)
{
	int s = claim(self->dev, "discarded");

	ASSERT_LE(0, s);
	EXPECT_EQ(0, finish(s));
	EXPECT_EQ(-ENOENT, retrieve(s, 1));
}

TEST_F(stage1, names_are_handed_over_unchanged)
{
	static const char *const names[] = { LONGEST, ODD };
	struct liveupdate_session_get_name a = { .size = sizeof(a) };
	size_t i;
	int s, fd;

	for (i = 0; i < 2; i++) {
		s = claim(self->dev, names[i]);
		ASSERT_LE(0, s);
		EXPECT_EQ(0, call(s, LIVEUPDATE_SESSION_GET_NAME, &a));
		EXPECT_STREQ(names[i], (char *)a.name);
		fd = retrieve(s, 1);
		EXPECT_TRUE(intact(fd, item_of(names[i], 1)));
		EXPECT_EQ(0, finish(s));
	}
}

TEST_F(stage1, many_sessions_are_handed_over)
{
	char name[32];
	int i, s, fd;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many-%d", i);
		s = claim(self->dev, name);
		ASSERT_LE(0, s);
		fd = retrieve(s, i);
		ASSERT_LE(0, fd);
		EXPECT_TRUE(memfd_intact(fd, 4096, i));
		EXPECT_EQ(0, finish(s));
		close(fd);
		close(s);
	}
}

/* Stage 2: handed over again. */

FIXTURE(stage2)
{
	int dev;
};

FIXTURE_SETUP(stage2)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(stage2)
{
	close(self->dev);
}

TEST_F(stage2, a_file_that_was_preserved_twice_is_intact)
{
	int s = claim(self->dev, "again"), fd;

	ASSERT_LE(0, s);
	fd = retrieve(s, 1);
	EXPECT_TRUE(intact(fd, item_of("again", 1)));
	EXPECT_EQ(0, finish(s));
}

TEST_F(stage2, a_session_that_was_not_claimed_is_gone)
{
	EXPECT_EQ(-ENOENT, claim(self->dev, "unclaimed"));
}

TEST_F(stage2, finished_sessions_are_gone)
{
	EXPECT_EQ(-ENOENT, claim(self->dev, "mixed"));
	EXPECT_EQ(-ENOENT, claim(self->dev, "many-7"));
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold0"))
		return hold0();
	if (argc == 2 && !strcmp(argv[1], "hold1"))
		return hold1();
	return run_cases(argc, argv, NULL);
}
