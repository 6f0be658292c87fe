// SPDX-License-Identifier: GPL-2.0

/*
 * What the recorder says of the initcalls, of who opened the device, and of an agent
 * between its calls, compared with initcall_debug, with /proc and with getrusage().
 *
 *	inside_test hold	preserve a file
 *	inside_test restore	in the next kernel, with known delays; what they took by
 *				other clocks is saved in /tmp/figures
 *	inside_test		the tests
 */

#include "luo_recorder.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "luo_json.h"

#define FIGURES		"/tmp/figures"
#define TIMELINE	"/tmp/timeline.json"
#define MS		1000000ULL
#define DELAY_MS	300
#define SLACK_NS	(20 * MS)	/* of the tick, by which user space is charged */
#define INITCALL_US	300		/* between two probes of a tracepoint */
#define TICK_US		10000		/* of the clock before there is a better one */
#define NR_LINES	4096
#define AGENT		0		/* the first task of the record */
#define PHASE_RESTORE	5

/* What the agent did after it had restored, by other clocks, in ns. */
struct figures {
	uint64_t slept;
	uint64_t waited;
	uint64_t user;
	uint64_t system;
	uint64_t ran;		/* of /proc/self/schedstat, which can be missing */
	uint64_t queued;
	uint64_t child;
	uint64_t faults;
	uint64_t around;	/* between the calls of LUO, but not between the samples */
	uint64_t pid;
	uint64_t child_pid;
};

static uint64_t in_ns(const struct timeval *t)
{
	return t->tv_sec * 1000000000ULL + t->tv_usec * 1000ULL;
}

/* Burn time of user space; how much it is, is asked for seldom, as that is a call. */
static void burn(void)
{
	volatile uint64_t x = 1;
	struct rusage u;
	uint64_t end;
	int i;

	getrusage(RUSAGE_SELF, &u);
	end = in_ns(&u.ru_utime) + DELAY_MS * MS;
	do {
		for (i = 0; i < 1000000; i++)
			x = x * 25214903917ULL + 11;
		getrusage(RUSAGE_SELF, &u);
	} while (in_ns(&u.ru_utime) < end);
}

static uint64_t nap(void)
{
	const struct timespec t = { .tv_nsec = DELAY_MS * MS };
	uint64_t begin = now_ns();

	nanosleep(&t, NULL);
	return now_ns() - begin;
}

static uint64_t wait_for_child(uint64_t *pid)
{
	uint64_t begin;
	int status;

	*pid = fork();
	if (!*pid) {
		burn();
		_exit(0);
	}
	begin = now_ns();
	must(waitpid(*pid, &status, 0) == (pid_t)*pid && !status, "child");
	return now_ns() - begin;
}

/* What the task has done so far. */
static void sample(struct figures *f)
{
	FILE *s = fopen("/proc/self/schedstat", "r");
	unsigned long long ran = 0, queued = 0;
	struct rusage u;

	if (s && fscanf(s, "%llu %llu", &ran, &queued) != 2)
		ran = 0;
	if (s)
		fclose(s);
	f->ran = ran;
	f->queued = queued;
	getrusage(RUSAGE_SELF, &u);
	f->user = in_ns(&u.ru_utime);
	f->system = in_ns(&u.ru_stime);
	f->faults = u.ru_minflt + u.ru_majflt;
	getrusage(RUSAGE_CHILDREN, &u);
	f->child = in_ns(&u.ru_utime) + in_ns(&u.ru_stime);
}

static int hold(void)
{
	int s = create(open_device(), "inside");

	must(s >= 0 && !preserve(s, memfd(1 << 20, 1), 1), "preserve");
	return hold_until_kexec();
}

static int restore(void)
{
	struct figures f = { .pid = getpid() }, before;
	int s = claim(open_device(), "inside");
	FILE *out = fopen(FIGURES, "w");

	must(s >= 0 && out && retrieve(s, 1) >= 0, "retrieve");
	f.around = -now_ns();
	sample(&before);
	f.around += now_ns();
	f.slept = nap();
	burn();
	f.waited = wait_for_child(&f.child_pid);
	f.around -= now_ns();
	sample(&f);
	f.around += now_ns();
	must(!finish(s), "finish");
	f.user -= before.user;
	f.system -= before.system;
	f.ran -= before.ran;
	f.queued -= before.queued;
	f.faults -= before.faults;
	must(fwrite(&f, sizeof(f), 1, out) == 1 && !fclose(out), FIGURES);
	return 0;
}

FIXTURE(inside)
{
	struct liveupdate_recorder r;
	struct liveupdate_recorder_task *task;	/* what it did after the restore */
	struct figures f;
};

FIXTURE_SETUP(inside)
{
	const struct liveupdate_recorder_task *before;
	FILE *in = fopen(FIGURES, "r");
	int i;

	ASSERT_NE(NULL, in);
	ASSERT_EQ(1, fread(&self->f, sizeof(self->f), 1, in));
	fclose(in);
	ASSERT_TRUE(read_record(&self->r));
	before = &self->r.inside.tasks[0][AGENT];
	self->task = &self->r.inside.tasks[1][AGENT];
	ASSERT_EQ(before->pid, self->task->pid);
	for (i = 0; i < LIVEUPDATE_NR_DOINGS; i++)
		self->task->ns[i] -= before->ns[i];
	self->task->user -= before->user;
	self->task->system -= before->system;
	self->task->minor -= before->minor;
	self->task->major -= before->major;
}

FIXTURE_TEARDOWN(inside)
{
}

static bool is_near(const char *what, uint64_t is, uint64_t want, uint64_t slack)
{
	printf("# %s: %.1f ms, by another clock %.1f ms\n", what, is / 1e6, want / 1e6);
	return is + slack >= want && is <= want + slack;
}

static const struct liveupdate_recorder_wait *
wait_in(const struct liveupdate_recorder_task *t, const char *call)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_WAITS; i++) {
		if (t->waits[i].count && strstr(t->waits[i].call, call))
			return &t->waits[i];
	}
	return NULL;
}

static const struct liveupdate_recorder_session *
session_of(const struct liveupdate_recorder_part *p, const char *name)
{
	const struct liveupdate_recorder_session *s =
		p->slow_sessions[LIVEUPDATE_SCOPE_AGENT][PHASE_RESTORE];
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		if (s[i].duration && !strcmp(s[i].name, name))
			return &s[i];
	}
	return NULL;
}

TEST_F(inside, a_sleep_is_blocked_until_an_interrupt)
{
	const struct liveupdate_recorder_wait *w = wait_in(self->task, "nanosleep");

	ASSERT_NE(NULL, w);
	EXPECT_EQ(LIVEUPDATE_WAKER_IRQ, w->waker);
	EXPECT_TRUE(is_near("sleep", w->ns, self->f.slept,
			    SLACK_NS + self->f.slept / 5));
	EXPECT_LE(w->ns, self->f.slept);
}

TEST_F(inside, a_wait_for_a_child_is_blocked_until_it_exits)
{
	const struct liveupdate_recorder_wait *w = wait_in(self->task, "wait");

	ASSERT_NE(NULL, w);
	EXPECT_EQ(self->f.child_pid, w->waker);
	EXPECT_STREQ("inside_test", w->comm);
	EXPECT_TRUE(is_near("wait", w->ns, self->f.waited,
			    SLACK_NS + self->f.waited / 5));
}

TEST_F(inside, user_space_is_that_of_getrusage)
{
	uint64_t cpu = self->task->ns[LIVEUPDATE_DOING_CPU];
	uint64_t charged = self->task->user + self->task->system;
	uint64_t user = charged ? (__uint128_t)cpu * self->task->user / charged : 0;
	uint64_t slack = SLACK_NS + self->f.user / 10 + self->f.around;

	EXPECT_TRUE(is_near("user", user, self->f.user, slack));
	EXPECT_TRUE(is_near("CPU", cpu, self->f.user + self->f.system, slack));
	printf("# %llu faults, of %llu\n", (unsigned long long)self->task->minor,
	       (unsigned long long)self->f.faults);
	EXPECT_GE(self->task->minor + self->task->major, self->f.faults);
}

TEST_F(inside, waiting_for_a_cpu_is_that_of_schedstat)
{
	uint64_t slack = SLACK_NS + self->f.around + self->f.ran / 5;

	if (!self->f.ran)
		SKIP(return, "no schedstat");
	EXPECT_TRUE(is_near("CPU", self->task->ns[LIVEUPDATE_DOING_CPU], self->f.ran,
			    slack));
	EXPECT_TRUE(is_near("queued", self->task->ns[LIVEUPDATE_DOING_QUEUED],
			    self->f.queued, slack));
}

TEST_F(inside, the_child_is_recorded)
{
	const struct liveupdate_recorder_task *t = self->r.inside.tasks[1];
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_TASKS; i++, t++) {
		if (t->pid == self->f.child_pid)
			break;
	}
	ASSERT_LT(i, LIVEUPDATE_RECORDER_TASKS);
	EXPECT_EQ(self->f.pid, t->parent);
	EXPECT_EQ(LIVEUPDATE_TASK_CHILD | LIVEUPDATE_TASK_GONE, t->flags);
	EXPECT_TRUE(is_near("child", t->ns[LIVEUPDATE_DOING_CPU], self->f.child,
			    SLACK_NS + self->f.child / 10));
}

TEST_F(inside, what_the_agent_did_is_all_of_its_time)
{
	const struct liveupdate_recorder_task *t = self->r.inside.tasks[1];
	const __u64 *times = self->r.last_in.times;
	uint64_t sum = 0;
	int i;

	EXPECT_EQ(LIVEUPDATE_TASK_AGENT, t->flags);
	EXPECT_EQ(times[LIVEUPDATE_MARK_OPEN], t->from);
	EXPECT_EQ(times[LIVEUPDATE_MARK_FINISHED], t->until);
	for (i = 0; i < LIVEUPDATE_NR_DOINGS; i++)
		sum += self->task->ns[i];
	EXPECT_EQ(times[LIVEUPDATE_MARK_FINISHED] - times[LIVEUPDATE_MARK_RESTORED], sum);
}

TEST_F(inside, the_session_is_that_of_the_agent)
{
	const struct liveupdate_recorder_session *s = session_of(&self->r.last_in, "inside");
	json_t *root = json_load_file(TIMELINE, 0, NULL);
	json_t *one = json_array_get(json_object_get(phase_of(root, "restore"),
						     "sessions"), 0);

	ASSERT_NE(NULL, s);
	EXPECT_EQ(self->f.pid, s->task);
	EXPECT_STREQ("inside", text(one, "session"));
	EXPECT_EQ((long long)self->f.pid, number(one, "tid"));
	json_decref(root);
}

TEST_F(inside, from_init_to_the_agent)
{
	const struct liveupdate_recorder_ancestor *a = self->r.inside.ancestors;
	int i;

	EXPECT_EQ(self->f.pid, a[0].pid);
	EXPECT_STREQ("inside_test", a[0].comm);
	EXPECT_LE(a[0].started, self->r.last_in.times[LIVEUPDATE_MARK_OPEN]);
	EXPECT_GE(a[0].started, self->r.last_in.times[LIVEUPDATE_MARK_INIT]);
	for (i = 1; i < LIVEUPDATE_RECORDER_ANCESTORS && a[i].pid; i++)
		EXPECT_LE(a[i].started, a[i - 1].started);
	EXPECT_EQ(1, a[i - 1].pid);
}

/* A line of initcall_debug. */
struct line {
	char name[LIVEUPDATE_RECORDER_SYMBOL];
	unsigned long long us;
};

static int read_lines(struct line *lines)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), n = 0;
	char text[8192], *at;
	ssize_t size;

	while (n < NR_LINES && ((size = read(fd, text, sizeof(text) - 1)) > 0 ||
				(size < 0 && errno == EPIPE))) {
		text[size > 0 ? size : 0] = '\0';
		at = strstr(text, ";initcall ");
		if (at && sscanf(at,
				 ";initcall %63[^+ ]%*s returned %*d after %llu usecs",
				 lines[n].name, &lines[n].us) == 2)
			n++;
	}
	close(fd);
	return n;
}

static bool has_line(const struct line *lines, int n,
		     const struct liveupdate_recorder_initcall *c)
{
	uint64_t us = c->duration / 1000, slack;
	bool ticks;
	int i;

	for (i = 0; i < n; i++) {
		/* Before there is a clock that is finer, and of these some get lost. */
		ticks = !(lines[i].us % 1000);
		slack = INITCALL_US + us / 10 + (ticks ? TICK_US : 0);
		if (!strcmp(lines[i].name, c->name) && us + slack >= lines[i].us &&
		    (ticks || us <= lines[i].us + slack))
			return true;
	}
	return false;
}

TEST_F(inside, the_longest_initcalls_are_those_of_initcall_debug)
{
	const struct liveupdate_recorder_init *init = &self->r.inside.init;
	static struct line lines[NR_LINES];
	const struct line *longest = lines;
	int n = read_lines(lines), i, found = 0;
	uint64_t sum = 0;

	ASSERT_GT(n, 100);
	for (i = 0; i < n; i++) {
		sum += lines[i].us * 1000;
		if (lines[i].us > longest->us)
			longest = &lines[i];
	}
	printf("# %llu initcalls of %.1f ms; %d lines of %.1f ms\n",
	       (unsigned long long)init->count, init->total / 1e6, n, sum / 1e6);
	/* The first lines are of initcalls before the first probe. */
	EXPECT_LE(init->count, n);
	EXPECT_GE(init->count, n * 9 / 10);
	EXPECT_GE(init->total, sum * 9 / 10);
	for (i = 0; i < LIVEUPDATE_RECORDER_INITCALLS; i++) {
		printf("# %s %.1f ms\n", init->longest[i].name,
		       init->longest[i].duration / 1e6);
		/* It changes the clock that initcall_debug reads. */
		if (strcmp(init->longest[i].name, "clocksource_done_booting"))
			EXPECT_TRUE(has_line(lines, n, &init->longest[i]));
		found += !strcmp(init->longest[i].name, longest->name);
	}
	EXPECT_EQ(1, found);
}

TEST_F(inside, the_phases_of_the_new_kernel_have_names)
{
	static const char *const phases[] = { "kernel init", "user-space start",
					      "restore", "finish" };
	json_t *root = json_load_file(TIMELINE, 0, NULL), *all, *o;
	long long unknown, known;
	size_t i, j;

	ASSERT_NE(NULL, root);
	all = json_object_get(json_object_get(root, "inside"), "phases");
	json_array_foreach(all, i, o) {
		for (j = 0; j < 4 && strcmp(phases[j], text(o, "phase")); j++)
			;
		if (j == 4)
			continue;
		known = number(o, "named_ns");
		unknown = number(o, "unknown_ns");
		printf("# %s: %.1f ms named, %.1f ms unknown\n", phases[j], known / 1e6,
		       unknown / 1e6);
		EXPECT_LE(unknown * 20, known + 20 * (long long)MS);
	}
	json_decref(root);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (argc == 2 && !strcmp(argv[1], "restore"))
		return restore();
	return run_cases(argc, argv, NULL);
}
