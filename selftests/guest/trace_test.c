// SPDX-License-Identifier: GPL-2.0

/*
 * The trace events as tracefs shows them: the fields of each, the lines of a
 * known sequence of calls word by word, and that a name cannot forge a field.
 *
 *	trace_test -F incoming	before a live update
 *	trace_test hold		sessions for the other stage
 *	trace_test -f incoming	after it
 */

#include "luo_test.h"

#include <dirent.h>
#include <linux/reboot.h>
#include <regex.h>
#include <sys/reboot.h>
#include <sys/resource.h>

#define TRACEFS		"/sys/kernel/tracing/"
#define NUM		"[0-9]+"
#define MAX_LINES	2048

static char *read_all(const char *path)
{
	size_t size = 1 << 20, used = 0;
	char *buf = malloc(size);
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0 || !buf) {
		perror(path);
		abort();
	}
	while ((n = read(fd, buf + used, size - used - 1)) > 0)
		used += n;
	buf[used] = '\0';
	close(fd);
	return buf;
}

/* The fields of each event, in order, as "type name". An ABI: only added to. */
static const struct {
	const char *event;
	const char *fields;
} formats[] = {
	{ "luo/luo_state", "u64 number;u32 old;u32 new;u32 event;int ret;" },
	{ "luo/luo_phase_begin", "u64 number;u64 sessions;u64 files;u32 scope;u32 phase;int ret;__data_loc char[] name;" },
	{ "luo/luo_phase_end", "u64 number;u64 sessions;u64 files;u32 scope;u32 phase;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_create", "u64 number;u64 files;u32 dir;u32 state;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_retrieve", "u64 number;u64 files;u32 dir;u32 state;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_release", "u64 number;u64 files;u32 dir;u32 state;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_finish", "u64 number;u64 files;u32 dir;u32 state;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_state", "u64 number;u32 dir;u32 old;u32 new;u32 event;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_leak", "u64 number;u64 files;u64 retrieved;u64 age_ns;u32 reason;__data_loc char[] name;" },
	{ "luo/luo_file_state", "u64 number;u64 token;u32 old;u32 new;int ret;__data_loc char[] session;__data_loc char[] compatible;" },
	{ "luo/luo_handler_enter", "u64 number;u64 token;u32 op;__data_loc char[] session;__data_loc char[] compatible;" },
	{ "luo/luo_handler_exit", "u64 number;u64 token;u64 duration_ns;u32 op;int ret;__data_loc char[] session;__data_loc char[] compatible;" },
	{ "luo/luo_subsystem_enter", "u64 number;u32 op;__data_loc char[] name;" },
	{ "luo/luo_subsystem_exit", "u64 number;u64 duration_ns;u32 op;int ret;__data_loc char[] name;" },
	{ "luo/luo_flb_enter", "u64 number;u32 op;__data_loc char[] name;" },
	{ "luo/luo_flb_exit", "u64 number;u64 duration_ns;u32 op;int ret;__data_loc char[] name;" },
	{ "luo/luo_handover_out", "u64 number;u64 sessions;u64 files;u64 bytes;int ret;" },
	{ "luo/luo_handover_in", "u64 number;u64 sessions;u64 files;u64 bytes;int ret;" },
	{ "luo/luo_handover_reject", "u64 number;u64 token;__data_loc char[] what;__data_loc char[] name;__data_loc char[] reason;" },
	{ "kho/kho_preserve", "unsigned long pfn;unsigned long nr_pages;unsigned long caller;u32 kind;int ret;" },
	{ "kho/kho_unpreserve", "unsigned long pfn;unsigned long nr_pages;unsigned long caller;u32 kind;int ret;" },
	{ "kho/kho_restore", "unsigned long pfn;unsigned long nr_pages;unsigned long caller;u32 kind;int ret;" },
	{ "kho/kho_subtree_add", "u64 bytes;int ret;__data_loc char[] name;" },
	{ "kho/kho_subtree_remove", "u64 bytes;int ret;__data_loc char[] name;" },
	{ "kho/kho_subtree_retrieve", "u64 bytes;int ret;__data_loc char[] name;" },
};

#define NR_FORMATS	(sizeof(formats) / sizeof(formats[0]))

/* "field:u64 number;\toffset..." of a format file to "u64 number;..." */
static void fields_of(const char *event, char *to, size_t size)
{
	char path[256], *text, *line, *save, *end;

	snprintf(path, sizeof(path), TRACEFS "events/%s/format", event);
	text = read_all(path);
	*to = '\0';
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "\tfield:", 7) || strstr(line, " common_"))
			continue;
		end = strchr(line, ';');
		snprintf(to + strlen(to), size - strlen(to), "%.*s;",
			 (int)(end - line - 7), line + 7);
	}
	free(text);
}

TEST(events_have_their_fields)
{
	char fields[512];
	size_t i;

	for (i = 0; i < NR_FORMATS; i++) {
		fields_of(formats[i].event, fields, sizeof(fields));
		EXPECT_STREQ(formats[i].fields, fields)
			TH_LOG("%s", formats[i].event);
	}
}

TEST(no_event_is_unknown_to_this_test)
{
	static const char *const systems[] = { "luo", "kho" };
	unsigned int n = 0, i;
	char path[64];
	struct dirent *d;
	DIR *dir;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), TRACEFS "events/%s", systems[i]);
		dir = opendir(path);
		ASSERT_NE(NULL, dir);
		while ((d = readdir(dir)))
			n += d->d_type == DT_DIR && d->d_name[0] != '.';
		closedir(dir);
	}
	EXPECT_EQ(NR_FORMATS, n);
}

FIXTURE(traced)
{
	int dev;
	char *text;
	char *lines[MAX_LINES];	/* "event: fields" */
	int nr;
};

static void start(const char *const *events)
{
	char path[256];

	write_file(TRACEFS "tracing_on", "0");
	write_file(TRACEFS "events/enable", "0");
	write_file(TRACEFS "trace", "");
	for (; *events; events++) {
		snprintf(path, sizeof(path), TRACEFS "events/%s/enable",
			 *events);
		write_file(path, "1");
	}
	/* The base's test of shared state is there too, for every handler. */
	write_file(TRACEFS "events/luo/luo_flb_enter/filter", "name ~ \"luo-*\"");
	write_file(TRACEFS "events/luo/luo_flb_exit/filter", "name ~ \"luo-*\"");
	write_file(TRACEFS "tracing_on", "1");
}

static void stop(FIXTURE_DATA(traced) *self)
{
	char *line, *save, *event;

	write_file(TRACEFS "tracing_on", "0");
	self->text = read_all(TRACEFS "trace");
	self->nr = 0;
	for (line = strtok_r(self->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#')
			continue;
		if (self->nr == MAX_LINES)
			abort();
		event = strstr(line, ": ");
		if (event)
			self->lines[self->nr++] = event + 2;
	}
}

static bool matches(const char *line, const char *regex)
{
	char anchored[1024];
	regex_t re;
	bool yes;

	snprintf(anchored, sizeof(anchored), "^%s$", regex);
	if (regcomp(&re, anchored, REG_EXTENDED | REG_NOSUB))
		abort();
	yes = !regexec(&re, line, 0, NULL, 0);
	regfree(&re);
	return yes;
}

FIXTURE_SETUP(traced)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(traced)
{
	write_file(TRACEFS "events/enable", "0");
	free(self->text);
	close(self->dev);
}

#define EXPECT_LINES_OF(t, want)					\
	do {								\
		int _i, _n = sizeof(want) / sizeof((want)[0]);		\
									\
		EXPECT_EQ(_n, (t)->nr);					\
		for (_i = 0; _i < _n && _i < (t)->nr; _i++)		\
			EXPECT_TRUE(matches((t)->lines[_i], (want)[_i])) \
				TH_LOG("line %d: %s; want %s", _i,	\
				       (t)->lines[_i], (want)[_i]);	\
	} while (0)
#define EXPECT_LINES(want)	EXPECT_LINES_OF(self, want)

#define FILE_LINE(session, token, compat, old, new, ret)		\
	"luo_file_state: number=1 session=" session " token=" token	\
	" compatible=" compat " old=" old " new=" new " ret=" ret
#define ENTER(session, token, compat, op)				\
	"luo_handler_enter: number=1 session=" session " token=" token	\
	" compatible=" compat " op=" op
#define LEAVE(session, token, compat, op, ret)				\
	"luo_handler_exit: number=1 session=" session " token=" token	\
	" compatible=" compat " op=" op " ret=" ret " duration_ns=" NUM
#define CALL(session, token, compat, op, ret)				\
	ENTER(session, token, compat, op), LEAVE(session, token, compat, op, ret)
#define PART(kind, part, op, ret)					\
	"luo_" kind "_enter: number=1 name=" part " op=" op,		\
	"luo_" kind "_exit: number=1 name=" part " op=" op " ret=" ret	\
	" duration_ns=" NUM
#define FLB(op)		PART("flb", "luo-test-flb-v1", op, "0")
#define RECORDER(op)	PART("subsystem", "luo-recorder", op, "0")
#define FIRST(op, ret)	PART("subsystem", "luo-test-first", op, ret)
#define SECOND(op, ret)	PART("subsystem", "luo-test-second", op, ret)
#define SESSION_LINE(event, name, files, ret)				\
	"luo_session_" event ": number=1 name=" name			\
	" dir=out state=normal files=" files " ret=" ret

#define TEST_H	"liveupdate-test-v1"
#define MEMFD_H	"memfd-v[0-9]+"

TEST_F(traced, preserve_and_close_word_by_word)
{
	static const char *const events[] = { "luo", NULL };
	int s, t, m;

	t = test_file(1);
	m = memfd(4096, 1);
	test_set(t, LIVEUPDATE_TEST_PRESERVE, EXDEV, 1);
	start(events);
	s = create(self->dev, "words");
	create(self->dev, "words");
	preserve(s, t, 1);
	preserve(s, t, 1);
	preserve(s, m, 2);
	preserve(s, m, 2);
	close(s);
	stop(self);

	static const char *const want[] = {
		SESSION_LINE("create", "words", "0", "0"),
		SESSION_LINE("create", "words", "0", "-17"),
		CALL("words", "1", TEST_H, "can_preserve", "0"),
		FLB("preserve"),
		CALL("words", "1", TEST_H, "preserve", "-18"),
		FLB("unpreserve"),
		FILE_LINE("words", "1", "", "none", "none", "-18"),
		CALL("words", "1", TEST_H, "can_preserve", "0"),
		FLB("preserve"),
		CALL("words", "1", TEST_H, "preserve", "0"),
		FILE_LINE("words", "1", TEST_H, "none", "preserved", "0"),
		CALL("words", "2", TEST_H, "can_preserve", "-2"),
		CALL("words", "2", MEMFD_H, "can_preserve", "0"),
		CALL("words", "2", MEMFD_H, "preserve", "0"),
		FILE_LINE("words", "2", MEMFD_H, "none", "preserved", "0"),
		FILE_LINE("words", "2", "", "none", "none", "-17"),
		CALL("words", "2", MEMFD_H, "unpreserve", "0"),
		FILE_LINE("words", "2", MEMFD_H, "preserved", "none", "0"),
		CALL("words", "1", TEST_H, "unpreserve", "0"),
		FLB("unpreserve"),
		FILE_LINE("words", "1", TEST_H, "preserved", "none", "0"),
		SESSION_LINE("release", "words", "2", "0"),
	};
	EXPECT_LINES(want);
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
	start(events);
	EXPECT_EQ(-1, reboot(LINUX_REBOOT_CMD_KEXEC));
	EXPECT_EQ(EDOM, errno);
	stop(self);

#define PHASE(edge, scope, name, phase, sessions, files, ret)		\
	"luo_phase_" edge ": number=1 scope=" scope " name=" name	\
	" phase=" phase " sessions=" sessions " files=" files " ret=" ret
#define STATE_LINE(name, old, new, event, ret)				\
	"luo_session_state: number=1 name=" name " dir=out old=" old	\
	" new=" new " event=" event " ret=" ret
	static const char *const want[] = {
		PHASE("begin", "global", "", "prepare", "2", "0", "0"),
		RECORDER("prepare"),
		FIRST("prepare", "0"),
		SECOND("prepare", "0"),
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
		CALL("b", "3", TEST_H, "freeze", "-33"),
		FILE_LINE("b", "3", TEST_H, "prepared", "prepared", "-33"),
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
		FIRST("cancel", "0"),
		"luo_state: number=1 old=normal new=normal event=freeze ret=-33",
	};
	EXPECT_LINES(want);
}

static int create_unanswered(int dev, const char *name)
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

/* Also those that do not come as far as a session, a file or a lock. */
TEST_F(traced, each_refused_call_is_traced)
{
	static const char *const events[] = {
		"luo/luo_session_create", "luo/luo_session_finish",
		"luo/luo_session_state", "luo/luo_file_state", "luo/luo_state",
		NULL
	};
	int s = create(self->dev, "r"), t = test_file(1);

	ASSERT_LE(0, s);
	ASSERT_LE(0, t);
	start(events);
	EXPECT_EQ(-EBADF, preserve(s, -1, 5));
	EXPECT_EQ(0, preserve(s, t, 1));
	EXPECT_EQ(0, event(s, true, LIVEUPDATE_PREPARE));
	EXPECT_EQ(-EBUSY, preserve(s, t, 2));
	EXPECT_EQ(-EBUSY, unpreserve(s, 1));
	EXPECT_EQ(-EOPNOTSUPP, event(s, true, 77));
	EXPECT_EQ(-EOPNOTSUPP, retrieve(s, 3));
	EXPECT_EQ(-EOPNOTSUPP, finish(s));
	EXPECT_EQ(-EOPNOTSUPP, event(self->dev, false, 77));
	EXPECT_EQ(-EFAULT, create_unanswered(self->dev, "unanswered"));
	EXPECT_EQ(-EMFILE, create_without_descriptors(self->dev, "emfile"));
	stop(self);

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
		SESSION_LINE("create", "unanswered", "0", "-14"),
		SESSION_LINE("create", "emfile", "0", "-24"),
	};
	EXPECT_LINES(want);
	close(s);
}

TEST_F(traced, kho_pages_are_named_and_balanced)
{
	static const char *const events[] = { "kho", NULL };
	unsigned long kept = 0, n;
	int s, m, i, calls = 0;
	char *at;

	m = memfd(1 << 20, 1);
	start(events);
	s = create(self->dev, "pages");
	EXPECT_EQ(0, preserve(s, m, 1));
	close(s);
	stop(self);

	for (i = 0; i < self->nr; i++) {
		EXPECT_TRUE(matches(self->lines[i],
			"kho_(un)?preserve: kind=(folio|pages|vmalloc) pfn=0x[0-9a-f]+ nr_pages=[1-9][0-9]* ret=0 caller=[a-z_]+\\+0x[0-9a-f]+/0x[0-9a-f]+"))
			TH_LOG("%s", self->lines[i]);
		at = strstr(self->lines[i], "nr_pages=");
		ASSERT_NE(NULL, at);
		n = strtoul(at + strlen("nr_pages="), NULL, 10);
		calls += !strncmp(self->lines[i], "kho_preserve", 12);
		kept += !strncmp(self->lines[i], "kho_preserve", 12) ? n : -n;
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

	start(events);
	s = create(self->dev, "x ret=-1\nluo_state: old=\"\\\xff");
	stop(self);
	ASSERT_LE(0, s);
	EXPECT_LINES(want);
}

TEST_F(traced, nothing_is_emitted_while_disabled)
{
	static const char *const none[] = { NULL };
	int s;

	start(none);
	s = create(self->dev, "silent");
	preserve(s, memfd(4096, 1), 1);
	close(s);
	stop(self);
	EXPECT_EQ(0, self->nr);
}

/* Stage 1: what came over. The tests are in the order of the handover. */

FIXTURE(incoming)
{
	FIXTURE_DATA(traced) t;
};

FIXTURE_SETUP(incoming)
{
	self->t.dev = open_device();
	ASSERT_LE(0, self->t.dev);
}

FIXTURE_TEARDOWN(incoming)
{
	write_file(TRACEFS "events/enable", "0");
	free(self->t.text);
	close(self->t.dev);
}

#define IN_LINE(event, name, state, files, ret)				\
	"luo_session_" event ": number=1 name=" name			\
	" dir=in state=" state " files=" files " ret=" ret
#define IN_STATE(name, old, new, ret)					\
	"luo_session_state: number=1 name=" name " dir=in old=" old	\
	" new=" new " event=finish ret=" ret
#define LEAK(name, files, retrieved, reason)				\
	"luo_session_leak: number=1 name=" name " files=" files		\
	" retrieved=" retrieved " age_ns=" NUM " reason=" reason

TEST_F(incoming, claim_retrieve_and_finish_word_by_word)
{
	static const char *const events[] = { "luo", NULL };
	FIXTURE_DATA(traced) *t = &self->t;
	int s;

	start(events);
	claim(t->dev, "nobody");
	s = claim(t->dev, "words");
	claim(t->dev, "words");
	retrieve(s, 2);
	retrieve(s, 2);
	retrieve(s, 1);
	retrieve(s, 1);
	retrieve(s, 3);
	finish(s);
	finish(s);
	finish(s);
	close(s);
	stop(t);

	static const char *const want[] = {
		IN_LINE("retrieve", "nobody", "updated", "0", "-2"),
		IN_LINE("retrieve", "words", "updated", "2", "0"),
		PHASE("begin", "session", "words", "restore", "1", "2", "0"),
		IN_LINE("retrieve", "words", "updated", "0", "-16"),
		CALL("words", "2", TEST_H, "retrieve", "-84"),
		FILE_LINE("words", "2", TEST_H, "incoming", "failed", "-84"),
		FILE_LINE("words", "2", TEST_H, "failed", "failed", "-84"),
		CALL("words", "1", TEST_H, "retrieve", "0"),
		FILE_LINE("words", "1", TEST_H, "incoming", "retrieved", "0"),
		FILE_LINE("words", "3", "", "none", "none", "-2"),
		/* the first file is not ready yet */
		PHASE("begin", "session", "words", "finish", "1", "2", "0"),
		CALL("words", "1", TEST_H, "can_finish", "-16"),
		PHASE("end", "session", "words", "finish", "1", "2", "-16"),
		IN_STATE("words", "updated", "updated", "-16"),
		IN_LINE("finish", "words", "updated", "2", "-16"),
		/* now it is, and the last one goes first */
		PHASE("begin", "session", "words", "finish", "1", "2", "0"),
		CALL("words", "1", TEST_H, "can_finish", "0"),
		CALL("words", "2", TEST_H, "can_finish", "0"),
		CALL("words", "2", TEST_H, "finish", "0"),
		FILE_LINE("words", "2", TEST_H, "failed", "finished", "0"),
		CALL("words", "1", TEST_H, "finish", "0"),
		FILE_LINE("words", "1", TEST_H, "retrieved", "finished", "0"),
		PHASE("end", "session", "words", "finish", "1", "0", "0"),
		IN_STATE("words", "updated", "normal", "0"),
		PHASE("end", "session", "words", "restore", "1", "0", "0"),
		IN_LINE("finish", "words", "normal", "2", "0"),
		IN_STATE("words", "normal", "normal", "-22"),
		IN_LINE("finish", "words", "normal", "0", "-22"),
		IN_LINE("release", "words", "normal", "0", "0"),
	};
	EXPECT_LINES_OF(t, want);
}

TEST_F(incoming, each_leak_says_why)
{
	static const char *const events[] = {
		"luo/luo_session_leak", "luo/luo_session_release",
		"luo/luo_state", NULL
	};
	FIXTURE_DATA(traced) *t = &self->t;
	int s;

	start(events);
	s = claim(t->dev, "dropped");
	retrieve(s, 1);
	close(s);
	event(t->dev, false, LIVEUPDATE_PREPARE);
	event(t->dev, false, LIVEUPDATE_FINISH);
	event(t->dev, false, LIVEUPDATE_FINISH);
	stop(t);

	static const char *const want[] = {
		IN_LINE("release", "dropped", "updated", "2", "0"),
		LEAK("dropped", "2", "1", "closed"),
		"luo_state: number=2 old=updated new=updated event=prepare ret=-16",
		LEAK("dropped", "2", "1", "discarded"),
		/* the handler of "never" refuses once: it is not discarded yet */
		"luo_state: number=1 old=updated new=updated event=finish ret=-16",
		LEAK("never", "1", "0", "discarded"),
		"luo_state: number=1 old=updated new=normal event=finish ret=0",
	};
	EXPECT_LINES_OF(t, want);
}

static int hold(void)
{
	static const struct {
		const char *session;
		int token;
	} files[] = { { "words", 1 }, { "words", 2 }, { "dropped", 1 },
		      { "dropped", 2 }, { "never", 1 } };
	int dev = open_device(), s = -1, t, i;
	const char *name = "";

	for (i = 0; i < 5; i++) {
		if (strcmp(name, files[i].session)) {
			name = files[i].session;
			s = create(dev, name);
		}
		t = test_file(1);
		if (i == 0 || i == 4)
			test_set(t, LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 1);
		if (i == 1)
			test_set(t, LIVEUPDATE_TEST_RETRIEVE, EILSEQ, 0);
		if (s < 0 || preserve(s, t, files[i].token))
			return 1;
	}
	return hold_until_kexec();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	return run_cases(argc, argv, "incoming");
}
