// SPDX-License-Identifier: GPL-2.0

/*
 * The trace events before a live update: the lines of a known sequence of calls word
 * by word, and that a name cannot forge a field.
 */

#include "trace_test.h"

#include <sys/resource.h>

FIXTURE(traced)
{
	int dev;
	struct trace trace;
};

FIXTURE_SETUP(traced)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(traced)
{
	trace_end(&self->trace);
	close(self->dev);
}

TEST_F(traced, preserve_and_close_word_by_word)
{
	static const char *const events[] = { "luo", NULL };
	int s, t, m;

	t = test_file(1);
	m = memfd(4096, 1);
	test_set(t, LIVEUPDATE_TEST_PRESERVE, EXDEV, 1);
	trace_start(events);
	s = create(self->dev, "words");
	create(self->dev, "words");
	preserve(s, t, 1);
	preserve(s, t, 1);
	preserve(s, m, 2);
	preserve(s, m, 2);
	close(s);
	trace_stop(&self->trace);

	static const char *const want[] = {
		SESSION_LINE("create", "words", "0", "0"),
		SESSION_LINE("create", "words", "0", "-17"),
		CALL("words", "1", TEST_H, "can_preserve", "0"),
		FLB("preserve"),
		CALL_FAILS("words", "1", TEST_H, "preserve", "-18"),
		FLB("unpreserve"),
		FILE_FAILS("words", "1", "", "none", "none", "-18"),
		CALL("words", "1", TEST_H, "can_preserve", "0"),
		FLB("preserve"),
		CALL("words", "1", TEST_H, "preserve", "0"),
		FILE_LINE("words", "1", TEST_H, "none", "preserved", "0"),
		CALL_FAILS("words", "2", TEST_H, "can_preserve", "-2"),
		CALL("words", "2", MEMFD_H, "can_preserve", "0"),
		CALL("words", "2", MEMFD_H, "preserve", "0"),
		FILE_LINE("words", "2", MEMFD_H, "none", "preserved", "0"),
		FILE_FAILS("words", "2", "", "none", "none", "-17"),
		CALL("words", "2", MEMFD_H, "unpreserve", "0"),
		FILE_LINE("words", "2", MEMFD_H, "preserved", "none", "0"),
		CALL("words", "1", TEST_H, "unpreserve", "0"),
		FLB("unpreserve"),
		FILE_LINE("words", "1", TEST_H, "preserved", "none", "0"),
		SESSION_LINE("release", "words", "2", "0"),
	};
	EXPECT_LINES(&self->trace, want);
}

TEST_F(traced, a_failed_freeze_is_undone_in_reverse_word_by_word)
{
	static const char *const events[] = { "luo", NULL };
	int a, b, t1, t2, t3;

	ASSERT_EQ(0, system("vm-kexec --load"));
	a = create(self->dev, "a");
	b = create(self->dev, "b");
	t1 = test_file(1);
	t2 = test_file(2);
	t3 = test_file(3);
	ASSERT_EQ(0, preserve(a, t1, 1));
	ASSERT_EQ(0, preserve(b, t2, 2));
	ASSERT_EQ(0, preserve(b, t3, 3));
	test_set(t3, LIVEUPDATE_TEST_FREEZE, EDOM, 1);
	trace_start(events);
	EXPECT_EQ(-1, reboot(LINUX_REBOOT_CMD_KEXEC));
	EXPECT_EQ(EDOM, errno);
	trace_stop(&self->trace);

	static const char *const want[] = {
		PHASE("begin", "global", "", "prepare", "2", "0", "0"),
		RECORDER("prepare"),
		IS_PREPARED("luo-recorder"),
		FIRST("prepare", "0"),
		IS_PREPARED("luo-test-first"),
		SECOND("prepare", "0"),
		IS_PREPARED("luo-test-second"),
		PHASE("begin", "session", "a", "prepare", "1", "1", "0"),
		CALL("a", "1", TEST_H, "prepare", "0"),
		FILE_LINE("a", "1", TEST_H, "preserved", "prepared", "0"),
		PHASE("end", "session", "a", "prepare", "1", "1", "0"),
		STATE_LINE("a", "normal", "prepared", "prepare", "0"),
		PHASE("begin", "session", "b", "prepare", "1", "2", "0"),
		CALL("b", "2", TEST_H, "prepare", "0"),
		FILE_LINE("b", "2", TEST_H, "preserved", "prepared", "0"),
		CALL("b", "3", TEST_H, "prepare", "0"),
		FILE_LINE("b", "3", TEST_H, "preserved", "prepared", "0"),
		PHASE("end", "session", "b", "prepare", "1", "2", "0"),
		STATE_LINE("b", "normal", "prepared", "prepare", "0"),
		PHASE("end", "global", "", "prepare", "2", "0", "0"),
		PHASE("begin", "global", "", "freeze", "2", "0", "0"),
		PHASE("begin", "session", "a", "freeze", "1", "1", "0"),
		CALL("a", "1", TEST_H, "freeze", "0"),
		FILE_LINE("a", "1", TEST_H, "prepared", "frozen", "0"),
		PHASE("end", "session", "a", "freeze", "1", "1", "0"),
		STATE_LINE("a", "prepared", "frozen", "freeze", "0"),
		PHASE("begin", "session", "b", "freeze", "1", "2", "0"),
		CALL("b", "2", TEST_H, "freeze", "0"),
		FILE_LINE("b", "2", TEST_H, "prepared", "frozen", "0"),
		CALL_FAILS("b", "3", TEST_H, "freeze", "-33"),
		FILE_FAILS("b", "3", TEST_H, "prepared", "prepared", "-33"),
		CALL("b", "2", TEST_H, "unfreeze", "0"),
		FILE_LINE("b", "2", TEST_H, "frozen", "prepared", "0"),
		PHASE("end", "session", "b", "freeze", "1", "2", "-33"),
		STATE_LINE("b", "prepared", "prepared", "freeze", "-33"),
		PHASE("end", "global", "", "freeze", "2", "0", "-33"),
		PHASE("begin", "session", "b", "cancel", "1", "2", "0"),
		CALL("b", "3", TEST_H, "cancel", "0"),
		FILE_LINE("b", "3", TEST_H, "prepared", "preserved", "0"),
		CALL("b", "2", TEST_H, "cancel", "0"),
		FILE_LINE("b", "2", TEST_H, "prepared", "preserved", "0"),
		PHASE("end", "session", "b", "cancel", "1", "2", "0"),
		STATE_LINE("b", "prepared", "normal", "cancel", "0"),
		PHASE("begin", "session", "a", "cancel", "1", "1", "0"),
		CALL("a", "1", TEST_H, "unfreeze", "0"),
		FILE_LINE("a", "1", TEST_H, "frozen", "prepared", "0"),
		CALL("a", "1", TEST_H, "cancel", "0"),
		FILE_LINE("a", "1", TEST_H, "prepared", "preserved", "0"),
		PHASE("end", "session", "a", "cancel", "1", "1", "0"),
		STATE_LINE("a", "frozen", "normal", "cancel", "0"),
		SECOND("cancel", "0"),
		IS_CANCELLED("luo-test-second"),
		FIRST("cancel", "0"),
		IS_CANCELLED("luo-test-first"),
		/* It has no callback for it. */
		IS_CANCELLED("luo-recorder"),
		"luo_state: number=1 old=normal new=normal event=freeze ret=-33",
	};
	EXPECT_LINES(&self->trace, want);
}

/*
 * The recorder has callbacks for prepare and boot only. The damage is in a session that does
 * not exist, which is found after all subsystems have frozen.
 */
TEST_F(traced, steps_without_a_callback_word_by_word)
{
	static const char *const events[] = {
		"luo/luo_subsystem_state", "luo/luo_subsystem_enter", NULL
	};
	struct liveupdate_test_damage damage = {
		.size = sizeof(damage), .where = LIVEUPDATE_TEST_FILE, .session = 9, .len = 1,
	};
	int t = test_file(1);

	ASSERT_EQ(0, system("vm-kexec --load"));
	ASSERT_EQ(0, call(t, LIVEUPDATE_TEST_DAMAGE, &damage));
	trace_start(events);
	EXPECT_EQ(-ENOENT, reboot_kexec());
	trace_stop(&self->trace);
	close(t);

	static const char *const want[] = {
		SUBSYSTEM_ENTER("luo-recorder", "prepare"),
		IS_PREPARED("luo-recorder"),
		SUBSYSTEM_ENTER("luo-test-first", "prepare"),
		IS_PREPARED("luo-test-first"),
		SUBSYSTEM_ENTER("luo-test-second", "prepare"),
		IS_PREPARED("luo-test-second"),
		SUBSYSTEM_LINE("luo-recorder", "prepared", "frozen", "freeze"),
		SUBSYSTEM_ENTER("luo-test-first", "freeze"),
		SUBSYSTEM_LINE("luo-test-first", "prepared", "frozen", "freeze"),
		SUBSYSTEM_ENTER("luo-test-second", "freeze"),
		SUBSYSTEM_LINE("luo-test-second", "prepared", "frozen", "freeze"),
		SUBSYSTEM_ENTER("luo-test-second", "unfreeze"),
		SUBSYSTEM_LINE("luo-test-second", "frozen", "prepared", "cancel"),
		SUBSYSTEM_ENTER("luo-test-first", "unfreeze"),
		SUBSYSTEM_LINE("luo-test-first", "frozen", "prepared", "cancel"),
		SUBSYSTEM_LINE("luo-recorder", "frozen", "prepared", "cancel"),
		SUBSYSTEM_ENTER("luo-test-second", "cancel"),
		IS_CANCELLED("luo-test-second"),
		SUBSYSTEM_ENTER("luo-test-first", "cancel"),
		IS_CANCELLED("luo-test-first"),
		IS_CANCELLED("luo-recorder"),
	};
	EXPECT_LINES(&self->trace, want);
}

/* Nothing is emitted for the files and calls around them. */
TEST_F(traced, failures_have_events_of_their_own)
{
	static const char *const events[] = {
		"luo/luo_handler_error", "luo/luo_file_error", NULL
	};
	static const char *const want[] = {
		FILE_ERROR("e", "9", "", "none", "none", "-9"),
		CALL_ERROR("e", "3", TEST_H, "preserve", "-18"),
		FILE_ERROR("e", "3", "", "none", "none", "-18"),
		CALL_ERROR("e", "2", TEST_H, "freeze", "-33"),
		FILE_ERROR("e", "2", TEST_H, "prepared", "prepared", "-33"),
	};
	int s = create(self->dev, "e"), t[] = { test_file(1), test_file(2), test_file(3) };

	test_set(t[2], LIVEUPDATE_TEST_PRESERVE, EXDEV, 1);
	test_set(t[1], LIVEUPDATE_TEST_FREEZE, EDOM, 1);
	trace_start(events);
	EXPECT_EQ(0, preserve(s, t[0], 1));
	EXPECT_EQ(0, preserve(s, t[1], 2));
	EXPECT_EQ(-EBADF, preserve(s, -1, 9));
	EXPECT_EQ(-EXDEV, preserve(s, t[2], 3));
	EXPECT_EQ(0, event(s, true, LIVEUPDATE_PREPARE));
	EXPECT_EQ(-EDOM, event(s, true, LIVEUPDATE_FREEZE));
	/* The session is NORMAL then. */
	EXPECT_EQ(0, event(s, true, LIVEUPDATE_PREPARE));
	EXPECT_EQ(0, event(s, true, LIVEUPDATE_FREEZE));
	EXPECT_EQ(0, event(s, true, LIVEUPDATE_CANCEL));
	trace_stop(&self->trace);
	EXPECT_LINES(&self->trace, want);
	close(s);
}

/* Calls that are in no luo_handler_calls yet. */
struct calls {
	char op[16];
	unsigned int nr;
	unsigned long long total;
	int ret;
};

/* Add a call; or compare with the event of several, whose number it returns. */
static int add_call(struct calls *c, const char *line)
{
	unsigned long long ns;
	unsigned int nr;
	char op[16];
	int ret;

	if (sscanf(line, "luo_handler_exit: number=1 session=%*s token=%*s compatible="
		   TEST_H " op=%15s ret=%d duration_ns=%llu", op, &ret, &ns) == 3) {
		if (c->nr && strcmp(op, c->op))
			return -1;
		strcpy(c->op, op);
		c->nr++;
		c->total += ns;
		c->ret = ret;
		return 0;
	}
	if (sscanf(line, "luo_handler_calls: number=1 compatible=" TEST_H
		   " op=%15s ret=%d nr=%u total_ns=%llu", op, &ret, &nr, &ns) != 4 ||
	    strcmp(op, c->op) || ret != c->ret || nr != c->nr || ns != c->total)
		return -1;
	*c = (struct calls){};
	return nr;
}

/* Each call is in one of them; what undoes others, which cannot wait, in one of its own. */
TEST_F(traced, several_calls_have_an_event)
{
	static const char *const events[] = {
		"luo/luo_handler_exit", "luo/luo_handler_calls", NULL
	};
	/* How many calls each has; -N: N times a single one. */
	static const int want[] = { 16, 16, 8, -40, 16, 4, -19 };
	int s = create(self->dev, "s"), t[40], got[64] = {}, i, nr, n = 0;
	struct calls c = {};

	for (i = 0; i < 40; i++) {
		t[i] = test_file(i);
		ASSERT_EQ(0, preserve(s, t[i], i));
	}
	trace_start(events);
	EXPECT_EQ(0, event(s, true, LIVEUPDATE_PREPARE));
	EXPECT_EQ(0, event(s, true, LIVEUPDATE_CANCEL));
	test_set(t[19], LIVEUPDATE_TEST_PREPARE, EDOM, 2);
	EXPECT_EQ(-EDOM, event(s, true, LIVEUPDATE_PREPARE));
	trace_stop(&self->trace);
	for (i = 0; i < self->trace.nr; i++) {
		nr = add_call(&c, self->trace.lines[i]);
		ASSERT_LE(0, nr) TH_LOG("%s", self->trace.lines[i]);
		ASSERT_GT(63, n);
		if (nr == 1)
			got[n]--;
		if (nr > 1) {
			n += got[n] < 0;
			got[n++] = nr;
		}
	}
	EXPECT_EQ(0, c.nr);
	for (i = 0; i < (int)(sizeof(want) / sizeof(want[0])); i++)
		EXPECT_EQ(want[i], got[i]);
	EXPECT_EQ(0, got[i]);
	close(s);
}

static int create_without_response(int dev, const char *name)
{
	struct liveupdate_ioctl_create_session *a;
	int ret;

	a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (a == MAP_FAILED)
		return -errno;
	a->size = sizeof(*a);
	set_name(a->name, name);
	mprotect(a, sizeof(*a), PROT_READ);
	ret = call(dev, LIVEUPDATE_IOCTL_CREATE_SESSION, a);
	munmap(a, sizeof(*a));
	return ret;
}

static int create_without_descriptors(int dev, const char *name)
{
	struct rlimit old, none;
	int ret;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = next_fd();
	setrlimit(RLIMIT_NOFILE, &none);
	ret = create(dev, name);
	setrlimit(RLIMIT_NOFILE, &old);
	return ret;
}

/* Also those that fail before they find a session, a file or a lock. */
TEST_F(traced, each_rejected_call_is_traced)
{
	static const char *const events[] = {
		"luo/luo_session_create", "luo/luo_session_finish",
		"luo/luo_session_state", "luo/luo_file_state", "luo/luo_state",
		NULL
	};
	int s = create(self->dev, "r"), t = test_file(1);

	ASSERT_LE(0, s);
	ASSERT_LE(0, t);
	trace_start(events);
	EXPECT_EQ(-EBADF, preserve(s, -1, 5));
	EXPECT_EQ(0, preserve(s, t, 1));
	EXPECT_EQ(0, event(s, true, LIVEUPDATE_PREPARE));
	EXPECT_EQ(-EBUSY, preserve(s, t, 2));
	EXPECT_EQ(-EBUSY, unpreserve(s, 1));
	EXPECT_EQ(-EOPNOTSUPP, event(s, true, 77));
	EXPECT_EQ(-EOPNOTSUPP, retrieve(s, 3));
	EXPECT_EQ(-EOPNOTSUPP, finish(s));
	EXPECT_EQ(-EOPNOTSUPP, event(self->dev, false, 77));
	EXPECT_EQ(-EFAULT, create_without_response(self->dev, "no-response"));
	EXPECT_EQ(-EMFILE, create_without_descriptors(self->dev, "emfile"));
	trace_stop(&self->trace);

	static const char *const want[] = {
		FILE_LINE("r", "5", "", "none", "none", "-9"),
		FILE_LINE("r", "1", TEST_H, "none", "preserved", "0"),
		FILE_LINE("r", "1", TEST_H, "preserved", "prepared", "0"),
		STATE_LINE("r", "normal", "prepared", "prepare", "0"),
		FILE_LINE("r", "2", "", "none", "none", "-16"),
		FILE_LINE("r", "1", "", "none", "none", "-16"),
		STATE_LINE("r", "prepared", "prepared", "0x4d", "-95"),
		FILE_LINE("r", "3", "", "none", "none", "-95"),
		"luo_session_finish: number=1 name=r dir=out state=prepared files=0 ret=-95",
		"luo_state: number=1 old=normal new=normal event=0x4d ret=-95",
		SESSION_LINE("create", "no-response", "0", "-14"),
		SESSION_LINE("create", "emfile", "0", "-24"),
	};
	EXPECT_LINES(&self->trace, want);
	close(s);
}

TEST_F(traced, kho_pages_are_named_and_balanced)
{
	static const char *const events[] = { "kho", NULL };
	unsigned long kept = 0, n;
	int s, m, i, calls = 0;
	char *at;

	m = memfd(1 << 20, 1);
	trace_start(events);
	s = create(self->dev, "pages");
	EXPECT_EQ(0, preserve(s, m, 1));
	close(s);
	trace_stop(&self->trace);

	for (i = 0; i < self->trace.nr; i++) {
		EXPECT_TRUE(matches(self->trace.lines[i],
			"kho_(un)?preserve: kind=(folio|pages|vmalloc) pfn=0x[0-9a-f]+ nr_pages=[1-9][0-9]* ret=0 caller=[a-z_]+\\+0x[0-9a-f]+/0x[0-9a-f]+"))
			TH_LOG("%s", self->trace.lines[i]);
		at = strstr(self->trace.lines[i], "nr_pages=");
		ASSERT_NE(NULL, at);
		n = strtoul(at + strlen("nr_pages="), NULL, 10);
		calls += !strncmp(self->trace.lines[i], "kho_preserve", 12);
		kept += !strncmp(self->trace.lines[i], "kho_preserve", 12) ? n : -n;
	}
	/* 256 pages of data, their list, and the records */
	EXPECT_LE(256 + 3, calls);
	EXPECT_EQ(0, kept);
}

TEST_F(traced, a_name_cannot_forge_a_field)
{
	static const char *const events[] = { "luo/luo_session_create", NULL };
	static const char *const want[] = {
		SESSION_LINE("create",
			     "x\\\\040ret\\\\075-1\\\\nluo_state:\\\\040old\\\\075\\\\\"\\\\\\\\\\\\377",
			     "0", "0"),
	};
	int s;

	trace_start(events);
	s = create(self->dev, "x ret=-1\nluo_state: old=\"\\\xff");
	trace_stop(&self->trace);
	ASSERT_LE(0, s);
	EXPECT_LINES(&self->trace, want);
}

TEST_F(traced, nothing_is_emitted_while_disabled)
{
	static const char *const none[] = { NULL };
	int s;

	trace_start(none);
	s = create(self->dev, "silent");
	preserve(s, memfd(4096, 1), 1);
	close(s);
	trace_stop(&self->trace);
	EXPECT_EQ(0, self->trace.nr);
}

RUN_CASES_MAIN
