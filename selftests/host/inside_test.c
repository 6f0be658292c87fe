// SPDX-License-Identifier: GPL-2.0

/* What is inside of the phases, from items and from made records. Prints TAP. */

#include <inttypes.h>

#include "blackout_record.h"
#include "inside_record.h"
#include "tap.h"
#include "timeline.h"
#include "timeline_inside.h"

#define IN_MS(n)	((n) * MS)

static struct liveupdate_recorder *r;
static struct blackout b;
static struct inside in;
static struct inside_sum sum;

static void start(void)
{
	free(r);
	r = make();
	blackout_measure(r, &b);
	memset(&in, 0, sizeof(in));
}

static void put(enum span s, enum inside_source source, uint64_t from, uint64_t to,
		uint64_t ns)
{
	struct inside_item item = { .span = s, .source = source, .from = from, .to = to,
				    .ns = ns, .text = "thing" };

	inside_add(&in, &b, &item);
}

static bool names(enum span s, uint64_t ns)
{
	inside_measure(&in, &b, &sum);
	if (sum.named[s] == ns)
		return true;
	printf("# %s: %" PRIu64 " ns have a name, not %" PRIu64 "\n", span_name(s),
	       sum.named[s], ns);
	return false;
}

/* The item with a text, or NULL. */
static const struct inside_item *find(enum span s, const char *text)
{
	unsigned int i;

	for (i = 0; i < in.n; i++) {
		if (in.item[i].span == (unsigned int)s && strstr(in.item[i].text, text))
			return &in.item[i];
	}
	return NULL;
}

static bool has(enum span s, const char *text, uint64_t ns)
{
	const struct inside_item *one = find(s, text);

	if (one && one->ns == ns)
		return true;
	printf("# %s: '%s' %s\n", span_name(s), text,
	       one ? "has another time" : "missing");
	return false;
}

static void test_sets(void)
{
	int i;

	start();
	check(names(SPAN_FINISH, 0) && !sum.total, "an empty set names nothing");
	put(SPAN_FINISH, INSIDE_RECORD, MS, IN_MS(3), IN_MS(2));
	put(SPAN_FINISH, INSIDE_RECORD, IN_MS(2), IN_MS(4), IN_MS(2));
	check(names(SPAN_FINISH, IN_MS(3)), "stretches that overlap count once");
	put(SPAN_FINISH, INSIDE_LOG, IN_MS(2), IN_MS(5), IN_MS(3));
	check(names(SPAN_FINISH, IN_MS(4)), "so do those of two sources");
	put(SPAN_FINISH, INSIDE_PROC, 0, IN_MS(8), IN_MS(1));
	check(names(SPAN_FINISH, IN_MS(4)),
	      "pieces cover their stretch for sources that are trusted less");
	put(SPAN_FINISH, INSIDE_RECORD, 0, IN_MS(5), IN_MS(4));
	check(names(SPAN_FINISH, IN_MS(5) + MS),
	      "pieces name no more than is left of their stretch");

	start();
	put(SPAN_RESTORE, INSIDE_RECORD, 0, IN_MS(7), IN_MS(5));
	put(SPAN_RESTORE, INSIDE_RECORD, 0, IN_MS(7), IN_MS(4));
	check(names(SPAN_RESTORE, IN_MS(7)), "all pieces name no more than the phase");
	put(SPAN_USER, INSIDE_RECORD, IN_MS(5), IN_MS(60), IN_MS(50));
	check(!find(SPAN_USER, "thing"),
	      "pieces that may be beyond the phase do not count");
	put(SPAN_USER, INSIDE_RECORD, IN_MS(5), IN_MS(60), IN_MS(55));
	check(names(SPAN_USER, MS), "a stretch is cut off at the end of the phase");
	put(SPAN_USER, INSIDE_RECORD, IN_MS(6), IN_MS(7), MS);
	check(names(SPAN_USER, MS) && in.n == 3, "one beyond it is none");
	b.known[SPAN_RESTORE] = false;
	check(names(SPAN_RESTORE, 0), "a phase that is not known has no name");

	start();
	for (i = 0; i < INSIDE_ITEMS + 3; i++)
		put(SPAN_FINISH, INSIDE_RECORD, i * 10, i * 10 + 5 + i % 2, 5 + i % 2);
	check(in.n == INSIDE_ITEMS && in.lost == 3,
	      "items that find no room are counted");
	/* The three that came last replace short ones, or are dropped. */
	check(names(SPAN_FINISH, INSIDE_ITEMS / 2 * 11 + 1), "and count as unknown");
}

static void test_shown(void)
{
	const struct inside_item *items[INSIDE_SHOWN];
	struct inside_item detail = { .span = SPAN_INIT, .to = IN_MS(5), .ns = IN_MS(5),
				      .detail = 1 };
	int i, n;

	start();
	for (i = 0; i < 3; i++)
		inside_add(&in, &b, &detail);
	for (i = 1; i < 10; i++)
		put(SPAN_INIT, INSIDE_RECORD, i * 100, i * 100 + i, i);
	n = timeline_inside_top(&in, SPAN_INIT, items);
	check(n == INSIDE_SHOWN && items[0]->ns == 9 && items[4]->ns == 5 &&
	      !items[4]->detail && items[5]->detail && items[6]->detail,
	      "the longest are shown, and after them what explains them");
}

static void add_initcall(int at, const char *name, uint64_t end, uint64_t ns)
{
	struct liveupdate_recorder_initcall *c = &r->inside.init.longest[at];

	c->end = r->last_in.marks[LIVEUPDATE_MARK_START] + end;
	c->duration = ns;
	strcpy(c->name, name);
}

/* Kernel init is 5 ms long: initcalls from 1 ms to 4 ms. */
static void make_init(void)
{
	struct liveupdate_recorder_init *init = &r->inside.init;
	const uint64_t begin = r->last_in.marks[LIVEUPDATE_MARK_START];

	init->early = begin + MS;
	init->early_end = begin + MS + MS / 4;
	init->begin = begin + MS + MS / 2;
	init->end = begin + IN_MS(4);
	init->initramfs = init->end + MS / 2;
	init->count = 30;
	init->total = IN_MS(2);
	add_initcall(3, "slow_init", IN_MS(3), MS);
	add_initcall(5, "odd name", IN_MS(2), MS / 4);
}

static void test_init(void)
{
	struct inside logged;

	start();
	inside_of_update(&in, r, &b, (struct steps){ 0 });
	check(names(SPAN_INIT, 0) && names(SPAN_USER, 0) && names(SPAN_FINISH, 0),
	      "a record without initcalls and tasks: unknown stays unknown");
	check(names(SPAN_FREEZE, 1900000) && names(SPAN_KEXEC, IN_MS(4)),
	      "calls of the freeze, and the kexec itself");

	make_init();
	inside_of_update(&in, r, &b, (struct steps){ 0 });
	check(has(SPAN_INIT, "before the initcalls", MS) &&
	      has(SPAN_INIT, "start of the other CPUs", MS / 4) &&
	      has(SPAN_INIT, "initcall slow_init", MS) &&
	      has(SPAN_INIT, "initcall odd\\x20name", MS / 4) &&
	      has(SPAN_INIT, "28 other initcalls, none longer than 250us", MS * 3 / 4) &&
	      has(SPAN_INIT, "initramfs is not unpacked yet", MS / 2) &&
	      has(SPAN_INIT, "init memory is freed", MS / 2),
	      "what kernel init is made of");
	check(find(SPAN_INIT, "slow_init")->from == IN_MS(2),
	      "an initcall is where it was");
	check(names(SPAN_INIT, IN_MS(4) + MS / 4),
	      "what is between initcalls is unknown");

	r->last_in.clock_stable = 0;
	blackout_measure(r, &b);
	inside_of_update(&in, r, &b, (struct steps){ 0 });
	check(names(SPAN_INIT, IN_MS(2)),
	      "without a counter only durations are known");

	memset(&in, 0, sizeof(in));
	put(SPAN_INIT, INSIDE_LOG, MS, IN_MS(4), IN_MS(3));
	logged = in;
	inside_of_update(&in, r, &b, (struct steps){ .inside = &logged });
	check(names(SPAN_INIT, IN_MS(3)) && !find(SPAN_INIT, "slow_init"),
	      "which the log knows better");
	r->last_in.clock_stable = 1;
	blackout_measure(r, &b);
	inside_of_update(&in, r, &b, (struct steps){ .inside = &logged });
	check(find(SPAN_INIT, "slow_init"), "but for a counter");
}

static void add_ancestor(int at, unsigned int pid, const char *comm, uint64_t started)
{
	struct liveupdate_recorder_ancestor *a = &r->inside.ancestors[at];

	a->pid = pid;
	a->started = started;
	strcpy(a->comm, comm);
}

static void test_user(void)
{
	uint64_t init;

	start();
	init = r->last_in.times[LIVEUPDATE_MARK_INIT];
	add_ancestor(0, 57, "luo_agentd", init + IN_MS(4));
	add_ancestor(1, 40, "s<h", init + MS);
	inside_of_update(&in, r, &b, (struct steps){ 0 });
	check(names(SPAN_USER, IN_MS(5)),
	      "what is before the first known process is unknown");
	add_ancestor(2, 1, "init", MS);
	inside_of_update(&in, r, &b, (struct steps){ 0 });
	check(has(SPAN_USER, "init (1), until it started s<h (40)", MS) &&
	      has(SPAN_USER, "s<h (40), until it started luo_agentd (57)", IN_MS(3)) &&
	      has(SPAN_USER, "luo_agentd (57), until it opened", IN_MS(2)) &&
	      names(SPAN_USER, IN_MS(6)) && !find(SPAN_INIT, "init (1)"),
	      "from init to the agent");
}

static struct liveupdate_recorder_task *
add_task(int at, unsigned int pid, const char *comm, unsigned int flags, uint64_t from,
	 uint64_t until)
{
	const uint64_t open = r->last_in.times[LIVEUPDATE_MARK_OPEN];
	struct liveupdate_recorder_task *t;
	int i;

	for (i = 0; i < 2; i++) {
		t = &r->inside.tasks[i][at];
		t->pid = pid;
		t->flags = flags;
		strcpy(t->comm, comm);
		t->from = open + from;
		t->until = open + until;
	}
	return t - LIVEUPDATE_RECORDER_TASKS;
}

static void add_wait(struct liveupdate_recorder_task *t, int at, int nr, const char *call,
		     int waker, const char *comm, uint64_t ns)
{
	struct liveupdate_recorder_wait *w = &t->waits[at];

	w->count = 1;
	w->ns = ns;
	w->nr = nr;
	w->waker = waker;
	strcpy(w->call, call);
	strcpy(w->comm, comm);
}

/* Restore is 7 ms, finish 8 ms. The agent is blocked for 3 ms that nobody listed. */
static void make_tasks(void)
{
	struct liveupdate_recorder_task *t;

	t = add_task(0, 57, "luo_agentd", LIVEUPDATE_TASK_AGENT, 0, IN_MS(7));
	t[0].ns[LIVEUPDATE_DOING_CALL] = IN_MS(4);
	t[0].ns[LIVEUPDATE_DOING_CPU] = IN_MS(2);
	t[0].ns[LIVEUPDATE_DOING_QUEUED] = MS;
	t[0].user = MS / 10;
	t[0].system = MS * 3 / 10;
	t[0].minor = 12;
	t = &t[LIVEUPDATE_RECORDER_TASKS];
	t->until += IN_MS(8);
	t->ns[LIVEUPDATE_DOING_CALL] = IN_MS(4) + MS;
	t->ns[LIVEUPDATE_DOING_CPU] = IN_MS(2);
	t->ns[LIVEUPDATE_DOING_QUEUED] = MS;
	t->ns[LIVEUPDATE_DOING_BLOCKED] = IN_MS(7);
	t->user = MS / 10;
	t->system = MS * 3 / 10;
	add_wait(t, 0, 47, "recvmsg", 77, "qemu system", IN_MS(3));
	add_wait(t, 1, 230, "", 0, "", MS);
	/* A second helper woke it after the restore. */
	add_wait(t - LIVEUPDATE_RECORDER_TASKS, 3, 7, "poll", 58, "helper", MS / 8);
	add_wait(t, 2, 7, "poll", LIVEUPDATE_WAKER_SEVERAL, "helper", MS / 2 + MS / 8);
	t->waits[2].count = 3;
	t = add_task(1, 77, "qemu system", LIVEUPDATE_TASK_CHILD, IN_MS(8), IN_MS(15));
	t = &t[LIVEUPDATE_RECORDER_TASKS];
	t->ns[LIVEUPDATE_DOING_CPU] = IN_MS(6);
	t->ns[LIVEUPDATE_DOING_QUEUED] = MS;
	t->user = IN_MS(2);
	t->system = MS;
	t->minor = 1000;
	memset(&r->inside.tasks[0][1], 0, sizeof(*t));
}

static void test_tasks(void)
{
	struct liveupdate_recorder_task *t;

	start();
	make_tasks();
	inside_of_update(&in, r, &b, (struct steps){ 0 });
	check(has(SPAN_RESTORE, "luo_agentd (57) in calls of LUO", IN_MS(4)) &&
	      has(SPAN_RESTORE, "ran in user space", MS / 2) &&
	      has(SPAN_RESTORE, "ran in the kernel, 12 page faults", MS + MS / 2) &&
	      has(SPAN_RESTORE, "waited for a CPU", MS) && names(SPAN_RESTORE, IN_MS(7)),
	      "what an agent does in restore");
	check(has(SPAN_FINISH, "in calls of LUO", MS) &&
	      !find(SPAN_FINISH, "user space") &&
	      has(SPAN_FINISH, "blocked in recvmsg, woken by qemu\\x20system (77)",
		  IN_MS(3)) &&
	      has(SPAN_FINISH, "blocked in system call 230, until an interrupt", MS) &&
	      has(SPAN_FINISH, "blocked in poll, woken by helper, 2 times", MS / 2),
	      "finish has what came after restore, and what the agent waited for");
	check(names(SPAN_FINISH, IN_MS(5) + MS / 2), "what it waited for unlisted is unknown");
	check(has(SPAN_FINISH, "child qemu\\x20system (77): user 4.00ms, kernel 2.00ms, "
		  "no CPU 1.00ms, 1000 faults", IN_MS(7)) &&
	      find(SPAN_FINISH, "child")->detail, "a child explains, and does not count");

	t = add_task(2, 58, "second", LIVEUPDATE_TASK_AGENT, 0, IN_MS(6));
	t->ns[LIVEUPDATE_DOING_CPU] = IN_MS(6);
	t = add_task(3, 59, "tool", 0, 0, IN_MS(7));
	t->ns[LIVEUPDATE_DOING_CPU] = IN_MS(7);
	r->inside.tasks[0][1] = r->inside.tasks[1][1];
	inside_of_update(&in, r, &b, (struct steps){ 0 });
	check(names(SPAN_RESTORE, IN_MS(7)) &&
	      find(SPAN_RESTORE, "second (58)")->detail &&
	      !find(SPAN_RESTORE, "tool"),
	      "of two agents at a time one counts, and who restores nothing is none");

	memset(r->inside.tasks, 0, sizeof(r->inside.tasks));
	r->last_in.busy[LIVEUPDATE_MARK_RESTORED] = IN_MS(2);
	inside_of_update(&in, r, &b, (struct steps){ 0 });
	check(has(SPAN_RESTORE, "calls of LUO", IN_MS(2)) &&
	      names(SPAN_RESTORE, IN_MS(2)), "without tasks the calls of LUO are known");
}

static bool prints(const char *want)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool found;

	timeline_text(r, &b, (struct steps){ 0 }, false, f);
	fclose(f);
	found = strstr(text, want);
	free(text);
	return found;
}

/* Restore is phase 5. */
static void test_session(void)
{
	struct liveupdate_recorder_session *s;

	start();
	make_tasks();
	s = r->last_in.slow_sessions[LIVEUPDATE_SCOPE_AGENT][5];
	memset(s, 0, LIVEUPDATE_RECORDER_SLOWEST * sizeof(*s));
	s->duration = IN_MS(2);
	s->end = r->last_in.marks[LIVEUPDATE_MARK_RESTORED];
	s->files = 2;
	strcpy(s->name, "vm-x");
	check(prints("session vm-x, 2 files\n"), "a session of an unknown thread");
	s->task = 57;
	check(prints("session vm-x, 2 files, luo_agentd (57)\n"),
	      "a session and the agent in whose thread it ended");
	s->task = 59;
	check(prints("session vm-x, 2 files\n"), "a thread that is not recorded");
	s = r->last_out.slow_sessions[LIVEUPDATE_SCOPE_REBOOT][1];
	s->duration = IN_MS(2);
	s->task = 57;
	strcpy(s->name, "vm-y");
	check(prints("session vm-y, 0 files\n"), "one of the old kernel is another thread");
}

static void test_said(void)
{
	char text[INSIDE_SAID];

	start();
	put(SPAN_FINISH, INSIDE_RECORD, 0, IN_MS(8), IN_MS(8));
	put(SPAN_RESTORE, INSIDE_RECORD, 0, IN_MS(7), IN_MS(7));
	put(SPAN_USER, INSIDE_RECORD, 0, IN_MS(6), IN_MS(6));
	put(SPAN_INIT, INSIDE_RECORD, 0, IN_MS(5), IN_MS(5));
	put(SPAN_KEXEC, INSIDE_RECORD, 0, IN_MS(4), IN_MS(3));
	put(SPAN_FREEZE, INSIDE_RECORD, 0, IN_MS(2), IN_MS(2));
	timeline_inside_said(&in, &b, text);
	check(!strcmp(text, "named 86.1 % of the blackout; unknown: 3.00ms of shutdown, "
		      "1.00ms of prepare in reboot, 1.00ms of kexec, early boot"),
	      "what has a name, and where the rest is");
	in.lost = 2;
	check(strstr(timeline_inside_said(&in, &b, text), "; 2 items found no room"),
	      "items that were lost are said");
	b.whole = false;
	check(strstr(timeline_inside_said(&in, &b, text),
		     "of what is known of the blackout"),
	      "of a part it is said that it is one");
	memset(&b, 0, sizeof(b));
	check(!timeline_inside_said(&in, &b, text), "of nothing nothing is said");
}

static bool rejected(void)
{
	struct liveupdate_recorder *back = recorder_parse(r, sizeof(*r));

	free(back);
	return !back;
}

static void fill(char *text, size_t size, const char *what)
{
	memset(text, 'x', size);
	check(rejected(), "%s without an end is rejected", what);
	text[size - 1] = '\0';
	check(!rejected(), "%s with one is read", what);
}

#define FILL(text, what)	fill(text, sizeof(text), what)

static void test_load(void)
{
	struct liveupdate_recorder_inside *inside;
	struct liveupdate_recorder *read;

	start();
	inside = &r->inside;
	FILL(inside->init.longest[LIVEUPDATE_RECORDER_INITCALLS - 1].name, "an initcall");
	FILL(inside->ancestors[LIVEUPDATE_RECORDER_ANCESTORS - 1].comm, "an ancestor");
	FILL(inside->tasks[1][LIVEUPDATE_RECORDER_TASKS - 1].comm, "a task");
	FILL(inside->tasks[1][0].waits[LIVEUPDATE_RECORDER_WAITS - 1].comm, "a waker");
	FILL(inside->tasks[0][1].waits[0].call, "a system call");
	r->last_in.magic = 0;
	read = recorder_parse(r, sizeof(*r));
	check(read && !read->inside.ancestors[LIVEUPDATE_RECORDER_ANCESTORS - 1].comm[0],
	      "without a record of the new kernel this is empty");
	free(read);
}

int main(void)
{
	puts("TAP version 13");
	test_sets();
	test_shown();
	test_init();
	test_user();
	test_tasks();
	test_session();
	test_said();
	test_load();
	free(r);
	return end_tests();
}
