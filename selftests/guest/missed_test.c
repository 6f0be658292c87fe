// SPDX-License-Identifier: GPL-2.0

/*
 * Calls of a task that preempts another one inside of luotrace's BPF program on the same
 * event are not counted, and luotrace says so.
 *
 *	missed_test work	make calls that are missed; prints how many of each operation
 *	missed_test		compare, as TAP
 */

#include "luo_test.h"
#include "luo_json.h"

#include <pthread.h>
#include <sched.h>

#define TEST_HANDLER	"liveupdate-test-v1"
#define ROUNDS		3000	/* of the task that preempts the other one */
#define PAUSE_NS	300000
#define PRIORITY	10
#define MADE		"/tmp/missed.made"
#define FIGURES		"/tmp/missed.json"
#define MESSAGES	"/tmp/missed.err"

struct worker {
	int session, file;
	long rounds;
};

static bool ends;

static void make_calls(struct worker *w)
{
	must(!preserve(w->session, w->file, 1) && !unpreserve(w->session, 1), "calls");
	w->rounds++;
}

static void *preempts(void *arg)
{
	struct sched_param prio = { .sched_priority = PRIORITY };
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct worker *w = arg;

	must(!sched_setscheduler(0, SCHED_FIFO, &prio), "SCHED_FIFO");
	while (w->rounds < ROUNDS) {
		nanosleep(&pause, NULL);
		make_calls(w);
	}
	__atomic_store_n(&ends, true, __ATOMIC_RELAXED);
	return NULL;
}

static int work(void)
{
	struct worker slow = {}, fast = {};
	int dev = open_device();
	pthread_t thread;
	FILE *f = fopen(MADE, "w");

	must(dev >= 0 && f, MADE);
	slow.session = create(dev, "preempted");
	fast.session = create(dev, "preempts");
	slow.file = test_file(1);
	fast.file = test_file(2);
	pin(0);
	must(!pthread_create(&thread, NULL, preempts, &fast), "thread");
	while (!__atomic_load_n(&ends, __ATOMIC_RELAXED))
		make_calls(&slow);
	pthread_join(thread, NULL);
	fprintf(f, "%ld\n", slow.rounds + fast.rounds);
	return fclose(f) ? 1 : 0;
}

static long made(void)
{
	FILE *f = fopen(MADE, "r");
	long nr = 0;

	must(f && fscanf(f, "%ld", &nr) == 1, MADE);
	fclose(f);
	return nr;
}

TEST(calls_that_are_not_counted_are_missed)
{
	static const char *const ops[] = { "can_preserve", "preserve", "unpreserve" };
	json_t *root = json_load_file(FIGURES, 0, NULL);
	long long missed = number(json_object_get(root, "lost"), "missed"), count;
	long calls = made(), uncounted = 0;
	size_t i;

	ASSERT_NE(NULL, root);
	for (i = 0; i < 3; i++) {
		count = number(call_row(root, TEST_HANDLER, ops[i]), "count");
		EXPECT_GE(calls, count) TH_LOG("%s", ops[i]);
		EXPECT_LT(0, count) TH_LOG("%s", ops[i]);
		uncounted += calls - count;
	}
	TH_LOG("%ld calls of each, %ld are not counted, %lld missed", calls, uncounted, missed);
	EXPECT_LT(0, uncounted);
	EXPECT_LE(uncounted, missed);
	/* The others are calls of FLBs, up to eight beside three of the handler. */
	EXPECT_GE(10 * uncounted, missed);
	json_decref(root);
}

TEST(luotrace_says_how_many)
{
	json_t *root = json_load_file(FIGURES, 0, NULL);
	FILE *f = fopen(MESSAGES, "r");
	char line[256], want[128];
	bool found = false;

	ASSERT_NE(NULL, root);
	ASSERT_NE(NULL, f);
	snprintf(want, sizeof(want), "luotrace: %lld events were missed",
		 number(json_object_get(root, "lost"), "missed"));
	while (fgets(line, sizeof(line), f))
		found |= !!strstr(line, want);
	EXPECT_TRUE(found) TH_LOG("want: %s", want);
	fclose(f);
	json_decref(root);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "work"))
		return work();
	return run_cases(argc, argv, NULL);
}
