// SPDX-License-Identifier: GPL-2.0

/*
 * What the workload felt: pauses of workloads in the record, and the session of the tool,
 * which does not distort it.
 *
 *	mark_test -f global	each word, each error
 *	mark_test hold		pauses, a reboot that fails, a live update
 *	mark_test restore	in the next kernel: the tool's session first and last
 *	mark_test -f mark	compare what they saved
 */

#include "luo_recorder.h"

#include "luo_json.h"
#include <linux/reboot.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>

#define MARK		"/sys/kernel/liveupdate/mark"
#define TOOL		LIVEUPDATE_RECORDER_SESSION
#define MS		1000000ULL
#define RESTART_MS	200	/* between a pause and its repetition */
#define TOOL_MS		1500	/* of the tool, before the agent opens the device */
#define THINK_MS	200	/* between that open and the first claim */
#define RESUME_MS	100	/* between the first and the second resume */
#define BOX_SIZE	4096
#define FROZEN_US	500000
#define GUEST		"guest \xff 1"	/* a name is any bytes */

static void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Write to the file; 0 or a negative errno. */
static int put(const char *text, size_t len)
{
	int fd = open(MARK, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	n = n < 0 ? -errno : n == (ssize_t)len ? 0 : -EIO;
	close(fd);
	return n;
}

static int mark(const char *text)
{
	return put(text, strlen(text));
}

static const struct liveupdate_recorder_pause *
pause_in(const struct liveupdate_recorder_part *p, const char *name)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		if (!strcmp(p->pauses[i].name, name))
			return &p->pauses[i];
	}
	return NULL;
}

static int nr_pauses(const struct liveupdate_recorder_part *p)
{
	int i, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++)
		n += !!*p->pauses[i].name;
	return n;
}

static struct liveupdate_recorder now;

static const struct liveupdate_recorder_part *next_out(void)
{
	must(read_record(&now), RECORDER);
	return &now.next_out;
}

TEST(only_root_can_write_and_nobody_read)
{
	struct stat st;

	ASSERT_EQ(0, stat(MARK, &st));
	EXPECT_EQ(0200, st.st_mode & 07777);
}

TEST(malformed_lines_are_rejected)
{
	static const struct {
		const char *text;
		size_t len;
	} lines[] = {
		{ "\n", 1 }, { "paused", 6 }, { "paused\n", 7 }, { "paused ", 7 },
		{ "paused \n", 8 }, { "resumed \n", 9 }, { "Paused a", 8 },
		{ "stopped a", 9 }, { "pausedx a", 9 }, { " paused a", 9 },
		{ "paused\ta", 8 }, { "paused a\nb", 10 }, { "paused a\n\n", 10 },
		{ "paused a\0", 9 }, { "paused \0a", 9 }, { "resumed a\0b", 11 },
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		EXPECT_EQ(-EINVAL, put(lines[i].text, lines[i].len))
			TH_LOG("line %zu", i);
	EXPECT_EQ(0, nr_pauses(next_out()));
}

TEST(a_name_is_as_long_as_that_of_a_session)
{
	char line[8192] = "paused ";
	size_t word = strlen(line);

	memset(line + word, 'n', sizeof(line) - word);
	EXPECT_EQ(-ENAMETOOLONG, put(line, word + NAME_LEN));
	EXPECT_EQ(-ENAMETOOLONG, put(line, sizeof(line)));
	EXPECT_EQ(0, put(line, word + NAME_LEN - 1));
	line[word + NAME_LEN - 1] = '\0';
	EXPECT_NE(NULL, pause_in(next_out(), line + word));
	memcpy(line, "resumed ", 8);
	memset(line + 8, 'n', NAME_LEN);
	line[8 + NAME_LEN - 1] = '\n';
	EXPECT_EQ(0, put(line, 8 + NAME_LEN));
	EXPECT_EQ(0, nr_pauses(next_out()));
}

TEST(nothing_to_resume)
{
	__u32 changes;

	next_out();
	changes = now.changes;
	EXPECT_EQ(-ENOENT, mark("resumed nobody"));
	EXPECT_EQ(0, nr_pauses(next_out()));
	EXPECT_EQ(0, nr_pauses(&now.last_in));
	EXPECT_EQ(changes, now.changes);
}

TEST(a_pause_begins_anew_and_ends)
{
	const struct liveupdate_recorder_pause *p;
	uint64_t before = now_ns(), first, counter;
	__u32 changes;

	ASSERT_EQ(0, mark("paused a\n"));
	ASSERT_EQ(0, mark("paused " GUEST));
	p = pause_in(next_out(), "a");
	ASSERT_NE(NULL, p);
	first = p->paused_ns;
	counter = p->paused;
	changes = now.changes;
	EXPECT_LE(before, first);
	EXPECT_GE(now_ns(), first);
	EXPECT_NE(0, counter);
	EXPECT_EQ(0, p->resumed);
	EXPECT_EQ(0, p->resumed_ns);

	ASSERT_EQ(0, mark("paused a"));
	p = pause_in(next_out(), "a");
	EXPECT_EQ(2, nr_pauses(&now.next_out));
	EXPECT_LT(first, p->paused_ns);
	EXPECT_LT(counter, p->paused);
	EXPECT_NE(changes, now.changes);

	/* The guest goes on in this kernel; the other one moves up. */
	changes = now.changes;
	ASSERT_EQ(0, mark("resumed a"));
	EXPECT_EQ(NULL, pause_in(next_out(), "a"));
	EXPECT_STREQ(GUEST, now.next_out.pauses[0].name);
	EXPECT_EQ(1, nr_pauses(&now.next_out));
	EXPECT_NE(changes, now.changes);
	EXPECT_EQ(-ENOENT, mark("resumed a"));
	ASSERT_EQ(0, mark("resumed " GUEST));
	EXPECT_EQ(0, nr_pauses(next_out()));
}

TEST(what_finds_no_room_is_counted)
{
	uint64_t lost = next_out()->lost_pauses;
	char line[64];
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		snprintf(line, sizeof(line), "paused vm-%d", i);
		EXPECT_EQ(0, mark(line)) TH_LOG("%s", line);
	}
	EXPECT_EQ(-ENOSPC, mark("paused one-more"));
	EXPECT_EQ(lost + 1, next_out()->lost_pauses);
	EXPECT_EQ(LIVEUPDATE_RECORDER_PAUSES, nr_pauses(&now.next_out));
	/* One that is on the list begins anew; one that ends makes room. */
	EXPECT_EQ(0, mark("paused vm-31"));
	EXPECT_EQ(0, mark("resumed vm-31"));
	EXPECT_EQ(0, mark("paused one-more"));
	EXPECT_EQ(lost + 1, next_out()->lost_pauses);
	EXPECT_EQ(0, mark("resumed one-more"));
	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES - 1; i++) {
		snprintf(line, sizeof(line), "resumed vm-%d", i);
		EXPECT_EQ(0, mark(line)) TH_LOG("%s", line);
	}
	EXPECT_EQ(0, nr_pauses(next_out()));
}

static void save_record(const char *path)
{
	FILE *f = fopen(path, "w");

	must(f && read_record(&now) && fwrite(&now, sizeof(now), 1, f) == 1 &&
	     !fclose(f), path);
}

/* Another process marks while the kernel enters kexec. */
static void mark_frozen(int dev, const char *text)
{
	struct liveupdate_test_frozen hold = {
		.size = sizeof(hold), .delay_us = FROZEN_US,
	};

	must(!call(test_file(1), LIVEUPDATE_TEST_FROZEN, &hold), TEST_DEVICE);
	if (fork())
		return;
	while (state(dev, false) != LIVEUPDATE_STATE_FROZEN)
		sleep_ms(1);
	_exit(mark(text) != -EAGAIN);
}

static int kexec(void)
{
	must(!system("vm-kexec --load"), "vm-kexec --load");
	reboot(LINUX_REBOOT_CMD_KEXEC);
	perror("reboot");
	return 1;
}

static int hold(void)
{
	int dev = open_device(), tool, s, failing, t;
	static const char *const names[] = { "vm-a", "vm-b" };
	size_t i;

	tool = create(dev, TOOL);
	must(tool >= 0 && !preserve(tool, memfd(BOX_SIZE, 1), 1) &&
	     !preserve(tool, memfd(BOX_SIZE, 2), 2), TOOL);
	for (i = 0; i < 2; i++) {
		s = create(dev, names[i]);
		must(s >= 0 && !preserve(s, test_file(1), 1), names[i]);
	}

	must(!mark("paused vm-a"), "paused");
	save_record("/state/first");
	sleep_ms(RESTART_MS);
	must(!mark("paused vm-a") && !mark("paused vm-b") && !mark("paused gone") &&
	     !mark("paused " GUEST) && !mark("resumed gone"), MARK);

	save_record("/state/paused");
	failing = create(dev, "failing");
	t = test_file(1);
	must(!preserve(failing, t, 1) &&
	     !test_set(t, LIVEUPDATE_TEST_FREEZE, EDOM, 0), "failing");
	must(!system("vm-kexec --load"), "vm-kexec --load");
	must(reboot(LINUX_REBOOT_CMD_KEXEC) && errno == EDOM, "reboot");
	save_record("/state/failed");
	close(failing);

	mark_frozen(dev, "resumed " GUEST);
	return kexec();
}

/* Restore a session of one file, which is finished as a whole or by that file. */
static void restore_one(int dev, const char *name, bool whole)
{
	int s = claim(dev, name);

	must(s >= 0 && retrieve(s, 1) >= 0 &&
	     !(whole ? finish(s) : file_event(s, 1, LIVEUPDATE_FINISH)), name);
	close(s);
}

static int restore(void)
{
	int dev = open_device(), tool;
	__u32 changes;

	tool = claim(dev, TOOL);
	must(tool >= 0 && retrieve(tool, 1) >= 0, TOOL);
	close(dev);
	save_record("/tmp/tool");
	sleep_ms(TOOL_MS);

	dev = open_device();
	sleep_ms(THINK_MS);
	restore_one(dev, "vm-a", true);
	save_record("/tmp/one");
	must(!mark("resumed vm-a"), "resumed");
	sleep_ms(RESUME_MS);
	next_out();
	changes = now.changes;
	must(!mark("resumed vm-a"), "resumed");
	next_out();
	must(now.changes == changes, "what changes nothing counts as no change");
	must(!mark("resumed stranger"), "resumed");
	/* It is paused again, and is not: neither is of this live update. */
	must(!mark("paused vm-a") && !mark("resumed vm-a"), "paused");
	must(!mark("paused visitor") && !mark("resumed visitor"), "paused");
	/* This one is paused once more, but was not resumed since the live update. */
	must(!mark("paused vm-b") && !mark("resumed vm-b"), "paused");
	restore_one(dev, "vm-b", false);
	must(state(dev, false) == LIVEUPDATE_STATE_UPDATED, "state");
	save_record("/tmp/over");
	/* Nothing is left that it could be of. */
	must(!mark("resumed too-late"), "resumed");

	must(retrieve(tool, 2) >= 0 && !finish(tool), TOOL);
	must(state(dev, false) == LIVEUPDATE_STATE_NORMAL, "state");
	save_record("/tmp/after");
	return 0;
}

FIXTURE(mark)
{
	struct liveupdate_recorder first, paused, failed, tool, one, over, after;
};

FIXTURE_SETUP(mark)
{
	static const char *const names[] = {
		"/state/first", "/state/paused", "/state/failed", "/tmp/tool",
		"/tmp/one", "/tmp/over", "/tmp/after",
	};
	struct liveupdate_recorder *r = &self->first;
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		f = fopen(names[i], "r");
		ASSERT_NE(NULL, f);
		ASSERT_EQ(1, fread(&r[i], sizeof(*r), 1, f));
		fclose(f);
	}
}

FIXTURE_TEARDOWN(mark)
{
}

TEST_F(mark, pauses_are_handed_over)
{
	const struct liveupdate_recorder_part *out = &self->after.last_out;
	const struct liveupdate_recorder_pause *p = pause_in(out, "vm-a");

	ASSERT_NE(NULL, p);
	EXPECT_EQ(3, nr_pauses(out));
	EXPECT_NE(NULL, pause_in(out, "vm-b"));
	EXPECT_NE(NULL, pause_in(out, GUEST));
	EXPECT_LE(pause_in(&self->first.next_out, "vm-a")->paused_ns +
		  RESTART_MS * MS, p->paused_ns);
	EXPECT_GT(out->times[LIVEUPDATE_MARK_REBOOT], p->paused_ns);
	EXPECT_GT(out->marks[LIVEUPDATE_MARK_REBOOT], p->paused);
	EXPECT_EQ(0, p->resumed_ns);
}

TEST_F(mark, a_reboot_that_fails_keeps_them)
{
	EXPECT_EQ(1, self->failed.next_out.failed);
	EXPECT_EQ(0, memcmp(self->paused.next_out.pauses,
			    self->failed.next_out.pauses,
			    sizeof(self->failed.next_out.pauses)));
}

TEST_F(mark, the_first_resume_counts)
{
	const struct liveupdate_recorder_part *in = &self->after.last_in;
	const struct liveupdate_recorder_pause *p = pause_in(in, "vm-a");
	const struct liveupdate_recorder_pause *stranger =
		pause_in(in, "stranger");

	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, stranger);
	/* They, the repeated one, and that of the command. */
	EXPECT_EQ(4, nr_pauses(in));
	EXPECT_NE(NULL, pause_in(in, "vm-b"));
	EXPECT_NE(NULL, pause_in(in, "late"));
	EXPECT_LE(self->one.last_in.times[LIVEUPDATE_MARK_RESTORED],
		  p->resumed_ns);
	EXPECT_LE(self->one.last_in.marks[LIVEUPDATE_MARK_RESTORED], p->resumed);
	EXPECT_LE(p->resumed_ns + RESUME_MS * MS, stranger->resumed_ns);
	EXPECT_EQ(0, p->paused_ns);
	EXPECT_EQ(0, nr_pauses(&self->after.next_out));
	EXPECT_EQ(0, in->lost_pauses);
}

TEST_F(mark, the_session_of_the_tool_sets_no_mark)
{
	const struct liveupdate_recorder_part *p = &self->tool.last_in;
	int m;

	for (m = LIVEUPDATE_MARK_OPEN; m < LIVEUPDATE_NR_MARKS; m++) {
		EXPECT_EQ(0, p->marks[m]) TH_LOG("mark %d", m);
		EXPECT_EQ(0, p->times[m]) TH_LOG("mark %d", m);
	}
	EXPECT_EQ(3, p->sessions);
}

TEST_F(mark, the_open_is_that_of_the_first_agent)
{
	const __u64 *t = self->one.last_in.times, *busy = self->one.last_in.busy;
	const int open = LIVEUPDATE_MARK_OPEN;

	/* That of the tool was longer ago. */
	EXPECT_GT(t[open] + TOOL_MS * MS, t[LIVEUPDATE_MARK_RESTORED]);
	EXPECT_LE(t[open] + THINK_MS * MS, t[LIVEUPDATE_MARK_RESTORED]);
	EXPECT_GT(self->one.last_in.marks[LIVEUPDATE_MARK_RESTORED],
		  self->one.last_in.marks[open]);
	/* The calls of the tool were before it. */
	EXPECT_LT(0, busy[open]);
	EXPECT_LT(busy[open], busy[LIVEUPDATE_MARK_RESTORED]);
	EXPECT_EQ(t[open], self->after.last_in.times[open]);
}

TEST_F(mark, the_live_update_is_over_without_the_tool)
{
	const struct liveupdate_recorder_part *over = &self->over.last_in;
	const struct liveupdate_recorder_part *after = &self->after.last_in;

	EXPECT_EQ(0, self->one.last_in.over);
	EXPECT_EQ(1, over->over);
	EXPECT_EQ(2, over->finished);
	EXPECT_EQ(2, over->finished_files);
	EXPECT_EQ(2, after->finished);
	EXPECT_EQ(2, after->finished_files);
	EXPECT_EQ(0, memcmp(over->times, after->times, sizeof(over->times)));
	EXPECT_EQ(0, memcmp(over->memory, after->memory, sizeof(over->memory)));
}

/* The longest call for a session of the tool, NULL if none is recorded. */
static const struct liveupdate_recorder_call *
call_of_tool(const struct liveupdate_recorder_part *p)
{
	const struct liveupdate_recorder_call *c = p->slow_calls[0][0], *found = NULL;
	size_t i;

	for (i = 0; i < sizeof(p->slow_calls) / sizeof(*c); i++) {
		if (c[i].duration && !strcmp(c[i].session, TOOL) &&
		    (!found || found->duration < c[i].duration))
			found = &c[i];
	}
	return found;
}

TEST_F(mark, what_the_tool_restores_is_no_part_of_the_restore)
{
	json_t *root = json_load_file("/tmp/timeline.json", 0, NULL), *restore, *o;
	int handlers = 0, vms = 0;
	size_t i;

	EXPECT_EQ(NULL, call_of_tool(&self->after.last_in));
	/* In the blackout it has a part as any other. */
	EXPECT_NE(NULL, call_of_tool(&self->after.last_out));
	restore = phase_of(root, "restore");
	ASSERT_NE(NULL, restore);
	EXPECT_EQ(2, json_array_size(json_object_get(restore, "slowest")));
	json_array_foreach(json_object_get(restore, "slowest"), i, o)
		vms += !strncmp("vm-", text(o, "session"), 3);
	EXPECT_EQ(2, vms);
	json_array_foreach(json_object_get(json_object_get(root, "new_kernel"),
					   "calls"), i, o) {
		handlers += *text(o, "handler") && !strcmp(text(o, "op"), "retrieve");
	}
	EXPECT_EQ(1, handlers);
	json_decref(root);
}

/* What luotrace timeline begins with, and the marks that it measured from. */
TEST_F(mark, the_timeline_begins_with_the_workloads)
{
	const struct liveupdate_recorder_pause *out, *in;
	char line[128] = "", unit[8] = "";
	double felt, clocked, counted;
	FILE *f = fopen("/tmp/timeline.txt", "r");

	ASSERT_NE(NULL, f);
	/* The other one was resumed later. */
	EXPECT_NE(NULL, fgets(line, sizeof(line), f));
	EXPECT_EQ(0, strncmp(line, "vm-b stood still", 16));
	EXPECT_NE(NULL, fgets(line, sizeof(line), f));
	fclose(f);
	ASSERT_EQ(2, sscanf(line, "vm-a stood still for %lf%7s", &felt, unit))
		TH_LOG("%s", line);
	EXPECT_STREQ("s", unit);
	out = pause_in(&self->after.last_out, "vm-a");
	in = pause_in(&self->after.last_in, "vm-a");
	/* By the clocks, which do not run in between. */
	clocked = (self->after.last_out.times[LIVEUPDATE_MARK_REBOOT] -
		   out->paused_ns + in->resumed_ns) / 1e9;
	EXPECT_LE(clocked * 0.99, felt) TH_LOG("%f, %f", clocked, felt);
	counted = (double)(in->resumed - out->paused) /
		  self->after.last_in.clock_hz;
	EXPECT_LE(counted * 0.99, felt) TH_LOG("%f, %f", counted, felt);
	EXPECT_GE(counted * 1.01, felt) TH_LOG("%f, %f", counted, felt);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "restore"))
		return restore();
	return run_cases(argc, argv, NULL);
}
