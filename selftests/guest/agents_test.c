// SPDX-License-Identifier: GPL-2.0

/*
 * An agent that sleeps, computes, waits for a child and touches memory between its calls,
 * for times that it measures itself, and what is recorded of it.
 *
 *	agents_test hold	hold a session for the next kernel
 *	agents_test restore	restore it there; prints what it has measured
 *	agents_test		the tests
 */

#include "luo_recorder.h"

#include <jansson.h>
#include <sys/wait.h>

#include "luo_json.h"
#include "update_store.h"

#define UPDATE		"/state/updates/000001.update"
#define OWN		"/tmp/own"
#define TIMELINE	"/tmp/timeline.json"
#define SESSION		"agent"
#define MS		1000000LL
#define MEMORY		(16 << 20)
#define SLEEP_MS	300
#define LATER_MS	250
#define CHILD_MS	150
#define COMPUTE_MS	200
#define SLACK_MS	200	/* before and after a call, on a busy host */

#define OWN_FIGURES	11

/* What it has measured, in ns; in the order in which it is printed. */
union own {
	struct {
		long long pid, parent, child;
		long long opened;	/* when it began to open the device */
		long long slept;	/* nanosleep() */
		long long computed;	/* CPU time in user space */
		long long waited;	/* for the child */
		long long touched;	/* memory, for the first time */
		long long retrieved;	/* when the last file was */
		long long later;	/* nanosleep() after that */
		long long finished;
	};
	long long figures[OWN_FIGURES];
};

_Static_assert(sizeof(union own) == OWN_FIGURES * sizeof(long long), "figures");

static void sleep_ms(int ms)
{
	struct timespec ts = { .tv_nsec = ms * MS };

	must(!nanosleep(&ts, NULL), "nanosleep");
}

static long long cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void compute(int ms)
{
	long long end = cpu_ns() + ms * MS;
	volatile int i;

	while (cpu_ns() < end)
		for (i = 0; i < 100000; i++)
			;
}

/* Until a child, which sleeps first, writes to a pipe. */
static long long await_child(void)
{
	int fd[2];
	char c;
	pid_t pid;

	must(!pipe(fd), "pipe");
	pid = fork();
	if (!pid) {
		sleep_ms(CHILD_MS);
		_exit(write(fd[1], "x", 1) != 1);
	}
	must(pid > 0 && read(fd[0], &c, 1) == 1, "a child that writes");
	return pid;
}

static void touch(void)
{
	char *p = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	must(p != MAP_FAILED, "mmap");
	/* A kernel without them does not know this. */
	madvise(p, MEMORY, MADV_NOHUGEPAGE);
	for (i = 0; i < MEMORY; i += 4096)
		p[i] = 1;
}

static int hold(void)
{
	int dev = open_device(), s, i;

	must(dev >= 0, "open");
	s = create(dev, SESSION);
	must(s >= 0, "create");
	for (i = 0; i < 2; i++)
		must(!preserve(s, memfd(4096, i), i), "preserve");
	close(dev);
	return hold_until_kexec();
}

static int restore(void)
{
	union own own = { .pid = getpid(), .parent = getppid(), .opened = now_ns() };
	int dev = open_device(), s = claim(dev, SESSION), i;
	long long t;

	must(s >= 0 && retrieve(s, 0) >= 0, "retrieve");
	t = now_ns();
	sleep_ms(SLEEP_MS);
	own.slept = now_ns() - t;
	t = cpu_ns();
	compute(COMPUTE_MS);
	own.computed = cpu_ns() - t;
	t = now_ns();
	own.child = await_child();
	own.waited = now_ns() - t;
	t = now_ns();
	touch();
	own.touched = now_ns() - t;
	must(retrieve(s, 1) >= 0, "retrieve");
	own.retrieved = now_ns();
	sleep_ms(LATER_MS);
	own.later = now_ns() - own.retrieved;
	must(!finish(s), "finish");
	own.finished = now_ns();
	for (i = 0; i < OWN_FIGURES; i++)
		printf("%lld ", own.figures[i]);
	putchar('\n');
	return 0;
}

FIXTURE(agents)
{
	struct liveupdate_recorder_inside inside;
	const struct liveupdate_recorder_task *restore, *finish;
	union own own;
	json_t *timeline;
};

static bool read_inside(struct liveupdate_recorder_inside *inside)
{
	struct update *u = malloc(sizeof(*u));
	int fd = open(UPDATE, O_RDONLY);
	bool ok = u && read_whole(fd, u, sizeof(*u));

	if (ok)
		*inside = u->record.inside;
	close(fd);
	free(u);
	return ok;
}

static const struct liveupdate_recorder_task *
task_of(const struct liveupdate_recorder_task *tasks, long long pid)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_TASKS; i++) {
		if (tasks[i].pid == pid)
			return &tasks[i];
	}
	return NULL;
}

FIXTURE_SETUP(agents)
{
	FILE *f = fopen(OWN, "r");
	union own *o = &self->own;
	int i;

	ASSERT_NE(NULL, f);
	for (i = 0; i < OWN_FIGURES; i++)
		ASSERT_EQ(1, fscanf(f, "%lld", &o->figures[i]));
	fclose(f);
	ASSERT_TRUE(read_inside(&self->inside));
	self->restore = task_of(self->inside.tasks[0], o->pid);
	self->finish = task_of(self->inside.tasks[1], o->pid);
	ASSERT_NE(NULL, self->restore);
	ASSERT_NE(NULL, self->finish);
	self->timeline = json_load_file(TIMELINE, 0, NULL);
	ASSERT_NE(NULL, self->timeline);
}

FIXTURE_TEARDOWN(agents)
{
	json_decref(self->timeline);
}

/*
 * Whether a wait was as long as asked for, and no longer than measured. A bit of it can
 * have passed before the task gave up its CPU.
 */
static bool near(const char *what, long long is, int ms, long long measured)
{
	printf("# %s: %lld us of %d ms, measured %lld us\n", what, is / 1000, ms,
	       measured / 1000);
	return is <= measured + MS && is >= ms * MS * 8 / 10;
}

/* All waits in a system call that are ended in that way. */
static long long waited(const struct liveupdate_recorder_task *t, int nr, long long waker)
{
	long long ns = 0;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_WAITS; i++) {
		if (t->waits[i].count && t->waits[i].nr == nr &&
		    (waker < 0 || t->waits[i].waker == waker))
			ns += t->waits[i].ns;
	}
	return ns;
}

TEST_F(agents, its_time_is_from_the_open_to_the_last_call)
{
	EXPECT_TRUE(self->restore->flags & LIVEUPDATE_TASK_AGENT);
	EXPECT_STREQ("agents_test", self->restore->comm);
	EXPECT_LE(self->own.opened, self->restore->from);
	EXPECT_GE(self->own.opened + SLACK_MS * MS, self->restore->from);
	EXPECT_GE(self->own.retrieved, self->restore->until);
	EXPECT_LE(self->own.retrieved - SLACK_MS * MS, self->restore->until);
	EXPECT_EQ(self->restore->from, self->finish->from);
	EXPECT_GE(self->own.finished, self->finish->until);
	EXPECT_LE(self->own.finished - SLACK_MS * MS, self->finish->until);
}

/* Nothing is counted twice, and nothing is left out. */
TEST_F(agents, what_it_did_adds_up_to_its_time)
{
	const struct liveupdate_recorder_task *tasks = self->inside.tasks[0];
	unsigned long long sum;
	int i, k;

	for (i = 0; i < 2 * LIVEUPDATE_RECORDER_TASKS; i++) {
		for (k = 0, sum = 0; k < LIVEUPDATE_NR_DOINGS; k++)
			sum += tasks[i].ns[k];
		EXPECT_EQ(tasks[i].until - tasks[i].from, sum);
	}
}

TEST_F(agents, it_slept)
{
	EXPECT_TRUE(near("restore", waited(self->restore, SYS_clock_nanosleep, -1),
			 SLEEP_MS, self->own.slept));
	EXPECT_TRUE(near("finish", waited(self->finish, SYS_clock_nanosleep, -1) -
			 waited(self->restore, SYS_clock_nanosleep, -1), LATER_MS,
			 self->own.later));
}

TEST_F(agents, it_was_woken_by_its_child)
{
	const struct liveupdate_recorder_task *child =
		task_of(self->inside.tasks[0], self->own.child);
	int i;

	/* It can begin to wait late. */
	EXPECT_TRUE(near("read", waited(self->restore, SYS_read, self->own.child),
			 CHILD_MS / 2, self->own.waited));
	for (i = 0; i < LIVEUPDATE_RECORDER_WAITS; i++) {
		if (self->restore->waits[i].waker != self->own.child)
			continue;
		EXPECT_STREQ("read", self->restore->waits[i].call);
		EXPECT_STREQ("agents_test", self->restore->waits[i].comm);
	}
	ASSERT_NE(NULL, child);
	EXPECT_TRUE(child->flags & LIVEUPDATE_TASK_CHILD);
	EXPECT_FALSE(child->flags & LIVEUPDATE_TASK_AGENT);
	EXPECT_EQ(self->own.pid, child->parent);
	EXPECT_LE(CHILD_MS * MS * 8 / 10, waited(child, SYS_clock_nanosleep, -1));
}

/* A timer is an interrupt. */
TEST_F(agents, an_interrupt_ends_its_sleep)
{
	long long ns = waited(self->restore, SYS_clock_nanosleep, LIVEUPDATE_WAKER_IRQ);

	EXPECT_EQ(waited(self->restore, SYS_clock_nanosleep, -1), ns);
}

TEST_F(agents, it_computed)
{
	const struct liveupdate_recorder_task *t = self->restore;
	unsigned long long cpu = t->ns[LIVEUPDATE_DOING_CPU];
	unsigned long long charged = t->user + t->system;

	TH_LOG("CPU %llu us, charged %llu us, of it %llu us in user space; measured %lld us",
	       cpu / 1000, charged / 1000, (unsigned long long)t->user / 1000,
	       self->own.computed / 1000);
	EXPECT_LE(self->own.computed, cpu);
	EXPECT_GT(self->own.retrieved - self->own.opened - SLEEP_MS * MS * 8 / 10, cpu);
	/* Samples by the tick, of which some are missing. */
	ASSERT_LT(0, charged);
	EXPECT_LE(self->own.computed / 2, cpu * t->user / charged);
}

TEST_F(agents, the_opener_has_its_ancestors)
{
	const struct liveupdate_recorder_ancestor *a = self->inside.ancestors;
	int i, n = 0;

	EXPECT_EQ(self->own.pid, a[0].pid);
	EXPECT_STREQ("agents_test", a[0].comm);
	EXPECT_EQ(self->own.parent, a[1].pid);
	for (i = 0; i < LIVEUPDATE_RECORDER_ANCESTORS && a[i].pid; i++) {
		n += a[i].pid == 1;
		EXPECT_LE(a[i].started, self->own.opened);
		if (i)
			EXPECT_GE(a[i - 1].started, a[i].started);
	}
	EXPECT_EQ(1, n);
}

/* Whether an item is from a source and begins with a text. */
static bool is_item(json_t *o, const char *source, const char *begins)
{
	return !strcmp(text(o, "source"), source) &&
	       !strncmp(text(o, "what"), begins, strlen(begins));
}

static json_t *item(json_t *timeline, const char *phase, const char *source,
		    const char *begins)
{
	json_t *o;
	size_t i;

	json_array_foreach(items_of(timeline, phase), i, o) {
		if (is_item(o, source, begins))
			return o;
	}
	return NULL;
}

TEST_F(agents, it_touched_memory)
{
	const struct liveupdate_recorder_task *t = self->restore;
	char what[64];
	json_t *o;

	EXPECT_LE(MEMORY / sysconf(_SC_PAGESIZE), t->minor);
	snprintf(what, sizeof(what), "agents_test (%u) in %llu page faults", t->pid,
		 (unsigned long long)(t->minor + t->major));
	o = item(self->timeline, "restore", "trace", what);
	ASSERT_NE(NULL, o);
	TH_LOG("%s: %lld us; all of the memory took %lld us", what,
	       number(o, "duration_ns") / 1000, self->own.touched / 1000);
	EXPECT_TRUE(json_is_true(json_object_get(o, "detail")));
	EXPECT_LT(0, number(o, "duration_ns"));
	EXPECT_GT(t->ns[LIVEUPDATE_DOING_CPU], number(o, "duration_ns"));
}

TEST_F(agents, its_session_is_that_of_its_thread)
{
	json_t *phase = phase_of(self->timeline, "restore");
	json_t *one = json_array_get(json_object_get(phase, "sessions"), 0);

	EXPECT_STREQ(SESSION, text(one, "session"));
	EXPECT_EQ(self->own.pid, number(one, "tid"));
}

TEST_F(agents, the_log_tells_of_kernel_init)
{
	bool debug = file_has("/proc/cmdline", "initcall_debug");

	EXPECT_NE(NULL, item(self->timeline, "kernel init", "log",
			     "no kernel message after \""));
	EXPECT_EQ(debug, item(self->timeline, "kernel init", "log", "initcall ") != NULL);
}

/* luotrace itself, which was started before the agent, is still there. */
TEST_F(agents, processes_tell_of_the_start)
{
	EXPECT_NE(NULL, item(self->timeline, "user-space start", "proc",
			     "until luotrace ("));
}

TEST_F(agents, nearly_all_of_the_blackout_has_a_name)
{
	double percent = named_percent(self->timeline);

	TH_LOG("%.1f %% has a name", percent);
	EXPECT_LE(NAMED_MIN_BASE, percent);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc > 1 && !strcmp(argv[1], "restore"))
		return restore();
	return run_cases(argc, argv, NULL);
}
