// SPDX-License-Identifier: GPL-2.0

/*
 * The recorder: failed attempts are kept apart; parallel calls, the wait for a lock and
 * what follows the last FINISH are counted as they should be; and no entry is torn.
 *
 *	recorder_test hold	attempts that fail, then a live update that waits for
 *				a slow call
 *	recorder_test restore	in the next kernel: parallel restores, a late discard
 *	recorder_test		compare what they saved
 */

#include "luo_recorder.h"

#include <linux/reboot.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/reboot.h>
#include <time.h>

#define HANDLER		"liveupdate-test-v1"
#define MS		1000000ULL
#define NR_SESSIONS	9
#define RETRIEVE_MS	300	/* of each file */
#define THINK_MS	400	/* between the open of the agent and its first claim */
#define IDLE_MS		600	/* between the last FINISH and the discard */
#define WAIT_MS		3000	/* of the call that the reboot waits for */
#define HEAD_START_MS	200	/* of this call before the reboot */
#define PREPARE_MS	30
#define FREEZE_MS	40

enum { OP_PREPARE = 3, OP_CANCEL = 4, OP_FREEZE = 5, OP_RETRIEVE = 7, OP_BOOT = 10 };
enum { PHASE_PREPARE = 0, PHASE_FREEZE = 1 };

static void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* A record that did not change while it was read. */
static bool read_consistent(struct liveupdate_recorder *r)
{
	static __thread struct liveupdate_recorder head;
	int fd = open(RECORDER, O_RDONLY), i;
	bool ok = false;

	for (i = 0; i < 1000 && !ok; i++)
		ok = read_whole(fd, r, sizeof(*r)) &&
		     read_whole(fd, &head, offsetof(struct liveupdate_recorder,
						 last_out)) &&
		     head.changes == r->changes;
	close(fd);
	return ok;
}

static void save_record(const char *path)
{
	static struct liveupdate_recorder r;
	FILE *f = fopen(path, "w");

	must(f && read_consistent(&r) && fwrite(&r, sizeof(r), 1, f) == 1 && !fclose(f),
	     path);
}

static void set_op(int fd, enum liveupdate_test_op op, unsigned int ms, int error)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = op, .delay_us = ms * 1000,
		.error = error,
	};

	must(!call(fd, LIVEUPDATE_TEST_SET, &set), TEST_DEVICE);
}

static int file_that(enum liveupdate_test_op op, unsigned int ms, int error)
{
	int fd = test_file(1);

	must(fd >= 0, TEST_DEVICE);
	set_op(fd, op, ms, error);
	return fd;
}

static void *close_late(void *arg)
{
	close(*(int *)arg);
	return NULL;
}

static int hold(void)
{
	int dev = open_device(), s, leaving, failing, t;
	char name[NAME_LEN];
	pthread_t thread;
	int i;

	for (i = 0; i < NR_SESSIONS; i++) {
		snprintf(name, sizeof(name), "vm-%d", i);
		s = create(dev, name);
		t = file_that(LIVEUPDATE_TEST_RETRIEVE, RETRIEVE_MS, 0);
		must(!preserve(s, t, i), name);
	}
	must(create(dev, "unclaimed") >= 0, "unclaimed");
	leaving = create(dev, "leaving");
	t = file_that(LIVEUPDATE_TEST_CANCEL, WAIT_MS, 0);
	must(!preserve(leaving, t, 1), "leaving");

	/* A PREPARE that fails, and one that is cancelled. */
	failing = create(dev, "failing");
	t = file_that(LIVEUPDATE_TEST_PREPARE, PREPARE_MS, EDOM);
	must(!preserve(failing, t, 1), "failing");
	must(event(dev, false, LIVEUPDATE_PREPARE) == -EDOM, "failed PREPARE");
	set_op(t, LIVEUPDATE_TEST_PREPARE, PREPARE_MS, 0);
	must(!event(dev, false, LIVEUPDATE_PREPARE) &&
	     !event(dev, false, LIVEUPDATE_CANCEL), "CANCEL");
	save_record("/state/cancelled");

	/* A PREPARE that stays in force when the following reboot fails. */
	must(!event(dev, false, LIVEUPDATE_PREPARE), "PREPARE");
	save_record("/state/prepared");
	set_op(t, LIVEUPDATE_TEST_FREEZE, FREEZE_MS, EDOM);
	must(!system("vm-kexec --load"), "vm-kexec --load");
	must(reboot(LINUX_REBOOT_CMD_KEXEC) && errno == EDOM, "reboot");
	save_record("/state/failed");
	close(failing);

	/* The reboot waits for the session that is being closed. */
	must(!system("vm-kexec --load"), "vm-kexec --load");
	must(!pthread_create(&thread, NULL, close_late, &leaving), "thread");
	sleep_ms(HEAD_START_MS);
	reboot(LINUX_REBOOT_CMD_KEXEC);
	perror("reboot");
	return 1;
}

static pthread_barrier_t barrier;

static void *retrieve_one(void *arg)
{
	int *s = arg;

	pthread_barrier_wait(&barrier);
	must(retrieve(s[0], s[1]) >= 0, "retrieve");
	return NULL;
}

static int restore(void)
{
	pthread_t threads[NR_SESSIONS];
	int s[NR_SESSIONS][2], dev, i;
	char name[NAME_LEN];

	save_record("/tmp/booted");
	dev = open_device();
	sleep_ms(THINK_MS);
	must(!pthread_barrier_init(&barrier, NULL, NR_SESSIONS), "barrier");
	for (i = 0; i < NR_SESSIONS; i++) {
		snprintf(name, sizeof(name), "vm-%d", i);
		s[i][0] = claim(dev, name);
		s[i][1] = i;
		must(s[i][0] >= 0, name);
		must(!pthread_create(&threads[i], NULL, retrieve_one, s[i]),
		     "thread");
	}
	for (i = 0; i < NR_SESSIONS; i++)
		pthread_join(threads[i], NULL);
	save_record("/tmp/restored");
	for (i = 0; i < NR_SESSIONS; i++)
		must(!finish(s[i][0]), "finish");
	save_record("/tmp/finished");
	/* Guests run, the descriptors are open, one session is not claimed. */
	sleep_ms(IDLE_MS);
	for (i = 0; i < NR_SESSIONS; i++)
		close(s[i][0]);
	must(!event(dev, false, LIVEUPDATE_FINISH), "FINISH");
	save_record("/tmp/over");
	for (i = 0; i < 1000; i++)
		state(dev, false);
	close(dev);
	close(open_device());
	save_record("/tmp/after");
	return 0;
}

FIXTURE(recorder)
{
	struct liveupdate_recorder cancelled, prepared, failed;
	struct liveupdate_recorder booted, restored, finished, over, after;
};

FIXTURE_SETUP(recorder)
{
	static const char *const names[] = {
		"/state/cancelled", "/state/prepared", "/state/failed",
		"/tmp/booted", "/tmp/restored", "/tmp/finished", "/tmp/over",
		"/tmp/after",
	};
	struct liveupdate_recorder *r = &self->cancelled;
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		f = fopen(names[i], "r");
		ASSERT_NE(NULL, f);
		ASSERT_EQ(1, fread(&r[i], sizeof(*r), 1, f));
		fclose(f);
	}
}

FIXTURE_TEARDOWN(recorder)
{
}

/* The row, or an empty one. */
static const struct liveupdate_recorder_row *
row_of(const struct liveupdate_recorder_part *p, unsigned int scope,
       const char *name, unsigned int op)
{
	static const struct liveupdate_recorder_row none;

	return row_in(p, scope, name, op) ?: &none;
}

static int nr_calls(const struct liveupdate_recorder_part *p, int scope, int op)
{
	int i, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++)
		n += !!p->slow_calls[scope][op][i].duration;
	return n;
}

static int nr_sessions(const struct liveupdate_recorder_part *p, int scope,
		       int phase)
{
	int i, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++)
		n += !!p->slow_sessions[scope][phase][i].duration;
	return n;
}

#define AGENT	LIVEUPDATE_SCOPE_AGENT
#define PREPARE	LIVEUPDATE_SCOPE_PREPARE
#define REBOOT	LIVEUPDATE_SCOPE_REBOOT
#define FAILED	LIVEUPDATE_SCOPE_FAILED

TEST_F(recorder, a_prepare_that_failed_or_was_cancelled_is_apart)
{
	const struct liveupdate_recorder_part *p = &self->cancelled.next_out;
	const struct liveupdate_recorder_row *row;

	EXPECT_EQ(2, p->cancelled);
	EXPECT_EQ(0, p->failed);
	EXPECT_EQ(0, row_of(p, PREPARE, HANDLER, OP_PREPARE)->count);
	EXPECT_EQ(0, nr_calls(p, PREPARE, OP_PREPARE));
	EXPECT_EQ(0, nr_sessions(p, PREPARE, PHASE_PREPARE));
	/* All sessions with a file, twice. */
	row = row_of(p, FAILED, HANDLER, OP_PREPARE);
	EXPECT_EQ(2 * (NR_SESSIONS + 2), row->count);
	EXPECT_EQ(1, row->errors);
	EXPECT_LE(2 * PREPARE_MS * MS, row->total);
	EXPECT_EQ(row->total, row->wall);
	EXPECT_LE(PREPARE_MS * MS, row->max);
	EXPECT_EQ(LIVEUPDATE_RECORDER_SLOWEST, nr_calls(p, FAILED, OP_PREPARE));
	/* So is their rollback: the sessions before the one that failed, and all. */
	EXPECT_EQ(NR_SESSIONS + 1 + NR_SESSIONS + 2,
		  row_of(p, FAILED, HANDLER, OP_CANCEL)->count);
	EXPECT_EQ(0, row_of(p, AGENT, HANDLER, OP_CANCEL)->count);
}

TEST_F(recorder, a_prepare_in_force_stays_when_a_reboot_fails)
{
	const struct liveupdate_recorder_part *p = &self->failed.next_out;
	const struct liveupdate_recorder_row *row, *before;

	before = row_of(&self->prepared.next_out, PREPARE, HANDLER, OP_PREPARE);
	row = row_of(p, PREPARE, HANDLER, OP_PREPARE);
	EXPECT_EQ(NR_SESSIONS + 2, row->count);
	EXPECT_EQ(before->total, row->total);
	EXPECT_EQ(2 * (NR_SESSIONS + 2),
		  row_of(p, FAILED, HANDLER, OP_PREPARE)->count);
}

TEST_F(recorder, a_reboot_that_failed_is_apart)
{
	const struct liveupdate_recorder_part *p = &self->failed.next_out;
	int m;

	EXPECT_EQ(1, p->failed);
	EXPECT_EQ(-EDOM, p->failed_ret);
	EXPECT_LE(FREEZE_MS * MS, p->failed_ns);
	EXPECT_EQ(0, row_of(p, REBOOT, HANDLER, OP_FREEZE)->count);
	EXPECT_EQ(0, nr_calls(p, REBOOT, OP_FREEZE));
	EXPECT_EQ(0, nr_sessions(p, REBOOT, PHASE_FREEZE));
	EXPECT_LE(FREEZE_MS * MS, row_of(p, FAILED, HANDLER, OP_FREEZE)->max);
	EXPECT_LE(1, nr_sessions(p, FAILED, PHASE_FREEZE));
	for (m = 0; m < LIVEUPDATE_NR_MARKS; m++) {
		EXPECT_EQ(0, p->marks[m]);
		EXPECT_EQ(0, p->times[m]);
	}
	EXPECT_EQ(0, p->wall_ns);
}

TEST_F(recorder, the_successful_reboot_has_only_its_own_calls)
{
	const struct liveupdate_recorder_part *p = &self->booted.last_out;
	const struct liveupdate_recorder_row *row;

	row = row_of(p, REBOOT, HANDLER, OP_FREEZE);
	EXPECT_EQ(NR_SESSIONS, row->count);
	EXPECT_EQ(0, row->errors);
	EXPECT_EQ(row->total, row->wall);
	EXPECT_GT(FREEZE_MS * MS, row->max);
	EXPECT_EQ(NR_SESSIONS + 2,
		  row_of(p, PREPARE, HANDLER, OP_PREPARE)->count);
	EXPECT_EQ(0, row_of(p, REBOOT, HANDLER, OP_PREPARE)->count);
	EXPECT_EQ(1, p->failed);
	EXPECT_EQ(2, p->cancelled);
}

TEST_F(recorder, reboot_begins_before_it_waits)
{
	const __u64 *t = self->booted.last_out.times;

	/* Half of the wait, as a thread may start late. */
	EXPECT_LE((WAIT_MS - HEAD_START_MS) / 2 * MS,
		  t[LIVEUPDATE_MARK_PREPARED] - t[LIVEUPDATE_MARK_REBOOT]);
	EXPECT_LE(WAIT_MS * MS,
		  row_of(&self->booted.last_out, AGENT, HANDLER, OP_CANCEL)->max);
}

TEST_F(recorder, marks_have_the_time_of_both_clocks)
{
	const struct liveupdate_recorder_part *out = &self->over.last_out;
	const struct liveupdate_recorder_part *in = &self->over.last_in, *p;
	int m;

	for (m = 0; m < LIVEUPDATE_NR_MARKS; m++) {
		p = m < LIVEUPDATE_MARK_START ? out : in;
		EXPECT_NE(0, p->marks[m]) TH_LOG("mark %d", m);
		EXPECT_EQ(m == LIVEUPDATE_MARK_START, !p->times[m])
			TH_LOG("mark %d", m);
		if (m != LIVEUPDATE_MARK_REBOOT && m > LIVEUPDATE_MARK_START)
			EXPECT_LE(p->times[m - 1], p->times[m]);
	}
}

TEST_F(recorder, a_call_in_early_boot_takes_time)
{
	const struct liveupdate_recorder_row *row =
		row_of(&self->booted.last_in, AGENT, "luo-recorder", OP_BOOT);

	EXPECT_EQ(1, row->count);
	EXPECT_LT(0, row->min);
	EXPECT_GT(10000 * MS, row->max);
}

TEST_F(recorder, parallel_calls_are_counted_once)
{
	const struct liveupdate_recorder_part *p = &self->restored.last_in;
	const struct liveupdate_recorder_row *row =
		row_of(p, AGENT, HANDLER, OP_RETRIEVE);
	__u64 busy = p->busy[LIVEUPDATE_MARK_RESTORED] -
		     p->busy[LIVEUPDATE_MARK_OPEN];
	__u64 span = p->times[LIVEUPDATE_MARK_RESTORED] -
		     p->times[LIVEUPDATE_MARK_OPEN];

	EXPECT_EQ(NR_SESSIONS, row->count);
	EXPECT_LE(NR_SESSIONS * RETRIEVE_MS * MS, row->total);
	EXPECT_LE(RETRIEVE_MS * MS, row->wall);
	EXPECT_GT(row->total / 2, row->wall);
	/* The time between calls is not busy. */
	EXPECT_LE(row->wall, busy);
	EXPECT_LE(busy + THINK_MS * MS, span);
}

TEST_F(recorder, the_last_finish_is_the_end)
{
	const struct liveupdate_recorder_part *finished = &self->finished.last_in;
	const struct liveupdate_recorder_part *over = &self->over.last_in;
	const struct liveupdate_recorder_part *after = &self->after.last_in;
	const int m = LIVEUPDATE_MARK_FINISHED;

	EXPECT_EQ(0, self->restored.last_in.times[m]);
	EXPECT_LT(0, finished->times[m]);
	EXPECT_LE(finished->times[LIVEUPDATE_MARK_RESTORED], finished->times[m]);
	/* The mark does not say that the live update is over. */
	EXPECT_EQ(0, finished->over);
	EXPECT_EQ(1, over->over);
	EXPECT_EQ(NR_SESSIONS, over->finished);
	EXPECT_EQ(1, over->discarded);
	/* Neither close nor discard nor what follows changes it. */
	EXPECT_EQ(finished->times[m], over->times[m]);
	EXPECT_EQ(finished->marks[m], over->marks[m]);
	EXPECT_EQ(0, memcmp(over->times, after->times, sizeof(over->times)));
	EXPECT_EQ(0, memcmp(over->busy, after->busy, sizeof(over->busy)));
	EXPECT_EQ(0, memcmp(over->memory, after->memory, sizeof(over->memory)));
}

/* Two sessions whose calls take ever longer, so that each is kept. */
struct writer {
	pthread_t thread;
	int dev;
	char letter;
};

static volatile bool stop;

static void *write_calls(void *arg)
{
	struct writer *w = arg;
	char name[NAME_LEN] = "";
	int s, t, us;

	memset(name, w->letter, NAME_LEN - 1);
	s = create(w->dev, name);
	t = test_file(1);
	must(s >= 0 && t >= 0, name);
	for (us = 11; us < 6000 && !stop; us += 5) {
		struct liveupdate_test_set set = {
			.size = sizeof(set), .op = LIVEUPDATE_TEST_PRESERVE,
			.delay_us = us,
		};

		must(!call(t, LIVEUPDATE_TEST_SET, &set) &&
		     !preserve(s, t, w->letter) && !unpreserve(s, w->letter),
		     "preserve");
	}
	stop = true;
	close(t);
	close(s);
	return NULL;
}

/* Whether session name, token and duration are of the same call. */
static bool whole(const struct liveupdate_recorder_call *c)
{
	size_t i;

	if (!c->duration || strlen(c->session) < NAME_LEN - 1)
		return true;
	for (i = 0; i < NAME_LEN - 1; i++) {
		if ((unsigned char)c->session[i] != c->token)
			return false;
	}
	return true;
}

#define CALLS_AT	offsetof(struct liveupdate_recorder, \
				 next_out.slow_calls[LIVEUPDATE_SCOPE_AGENT][1])

/*
 * Read the long calls of preserve in small pieces, so that few entries are within one.
 * Returns false if they changed meanwhile.
 */
static bool read_calls(int fd, struct liveupdate_recorder_call *calls, __u32 *changes)
{
	const size_t size = LIVEUPDATE_RECORDER_SLOWEST * sizeof(*calls);
	size_t used = 0, n;
	__u32 after;

	must(pread(fd, changes, sizeof(*changes),
		   offsetof(struct liveupdate_recorder, changes)) ==
	     sizeof(*changes), RECORDER);
	while (used < size) {
		n = size - used < 24 ? size - used : 24;
		must(pread(fd, (char *)calls + used, n, CALLS_AT + used) ==
		     (ssize_t)n, RECORDER);
		used += n;
	}
	must(pread(fd, &after, sizeof(after),
		   offsetof(struct liveupdate_recorder, changes)) ==
	     sizeof(after), RECORDER);
	return after == *changes;
}

TEST(no_entry_is_torn)
{
	struct liveupdate_recorder_call calls[LIVEUPDATE_RECORDER_SLOWEST];
	int dev = open_device(), fd = open(RECORDER, O_RDONLY), i;
	unsigned int reads = 0, again = 0, torn = 0, states = 0;
	__u32 changes, last = 0;
	struct writer w[2];

	ASSERT_LE(0, dev);
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		w[i] = (struct writer){ .dev = dev, .letter = 'a' + i };
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, write_calls, &w[i]));
	}
	while (!stop) {
		if (!read_calls(fd, calls, &changes)) {
			again++;
			continue;
		}
		for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++)
			torn += !whole(&calls[i]);
		states += changes != last;
		last = changes;
		reads++;
	}
	for (i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
	close(fd);
	close(dev);
	EXPECT_EQ(0, torn);
	/* The record changed, also while it was read. */
	EXPECT_LE(20, states) TH_LOG("%u reads, %u again", reads, again);
	EXPECT_LE(1, again);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "restore"))
		return restore();
	return run_cases(argc, argv, NULL);
}
