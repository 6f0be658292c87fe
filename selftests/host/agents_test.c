// SPDX-License-Identifier: GPL-2.0

/* What the BPF programs have kept of agents, as the record has it. Prints TAP. */

#include <string.h>
#include <sys/syscall.h>

#include "agents.h"
#include "../tap.h"

static struct agents agents;
static struct liveupdate_recorder_inside inside;

static void test_task(void)
{
	struct agents_task *t = &agents.tasks[1][2];
	struct liveupdate_recorder_task *to = &inside.tasks[1][2];

	*t = (struct agents_task){
		.pid = 70, .parent = 60, .flags = AGENTS_IS_CHILD | AGENTS_IS_GONE,
		.from = 1000, .until = 5000, .ns = { 400, 1600, 700, 1300 }, .user = 900, .system = 90,
		.minor = 11, .major = 12, .faults = 13,
		.waits[1] = { .ns = 1300, .count = 3, .nr = SYS_nanosleep, .waker = 9 },
		.waits[2] = { .ns = 1, .count = 1, .nr = AGENTS_WAIT_OUTSIDE,
			      .waker = AGENTS_WAKER_NONE },
		.waits[3] = { .ns = 2, .count = 1, .nr = 100000,
			      .waker = AGENTS_WAKER_IRQ },
	};
	memset(t->comm, 'a', sizeof(t->comm));
	memset(t->waits[1].comm, 'b', sizeof(t->waits[1].comm));
	agents_fill(&agents, &inside);
	check(to->pid == 70 && to->parent == 60 &&
	      to->flags == (LIVEUPDATE_TASK_CHILD | LIVEUPDATE_TASK_GONE) &&
	      to->from == 1000 && to->until == 5000, "a task");
	check(to->ns[LIVEUPDATE_DOING_CALL] == 400 &&
	      to->ns[LIVEUPDATE_DOING_CPU] == 1600 &&
	      to->ns[LIVEUPDATE_DOING_QUEUED] == 700 &&
	      to->ns[LIVEUPDATE_DOING_BLOCKED] == 1300, "what it did");
	check(to->user == 900 && to->system == 90 && to->minor == 11 && to->major == 12, "its figures");
	check_string(to->comm, "aaaaaaaaaaaaaaa", "a name without an end gets one");
	check_string(to->waits[1].comm, "bbbbbbbbbbbbbbb", "that of its waker, too");
	check_string(to->waits[1].call, "nanosleep", "the system call has its name");
	check_string(to->waits[2].call, "", "no system call has none");
	check_string(to->waits[3].call, "", "nor has one that is not known");
	check(to->waits[1].waker == 9 && to->waits[2].waker == LIVEUPDATE_WAKER_NONE &&
	      to->waits[3].waker == LIVEUPDATE_WAKER_IRQ, "who ended a wait");
	check(!inside.tasks[0][2].pid, "the two states of a task are apart");
}

static void test_others(void)
{
	agents.opened_by[1].pid = 50;
	agents.opened_by[1].started = 77;
	strcpy(agents.opened_by[1].comm, "sh");
	agents.nr = AGENTS_TASKS + 5;
	memset(&agents.tasks[1][2], 0, sizeof(agents.tasks[1][2]));
	agents_fill(&agents, &inside);
	check(inside.ancestors[1].pid == 50 && inside.ancestors[1].started == 77 &&
	      !strcmp(inside.ancestors[1].comm, "sh"), "an ancestor");
	check(inside.lost_tasks == 5, "tasks without room are counted");
	check(!inside.tasks[1][2].pid && !*inside.tasks[1][2].waits[1].call,
	      "nothing stays of before");
	agents.nr = 3;
	agents_fill(&agents, &inside);
	check(!inside.lost_tasks, "none is lost");
}

static void test_faults(void)
{
	struct blackout b = { .known[SPAN_RESTORE] = true, .known[SPAN_FINISH] = true,
			      .ns[SPAN_RESTORE] = 1000, .ns[SPAN_FINISH] = 500 };
	struct inside in = { 0 };
	struct agents a = { .nr = 1 };

	a.tasks[0][0] = (struct agents_task){ .pid = 5, .minor = 9, .major = 1, .faults = 60,
					      .comm = "a b" };
	a.tasks[1][0] = a.tasks[0][0];
	a.tasks[1][0].minor = 10;
	a.tasks[1][0].faults = 90;
	agents_faults(&a, &in, &b);
	check(in.n == 2 && in.item[0].detail && in.item[0].span == SPAN_RESTORE &&
	      in.item[0].ns == 60 && in.item[0].source == INSIDE_TRACE, "page faults");
	check_string(in.item[0].text, "a\\x20b (5) in 10 page faults", "their text");
	check(in.item[1].span == SPAN_FINISH && in.item[1].ns == 30, "those after it");
	check_string(in.item[1].text, "a\\x20b (5) in 1 page fault", "their text, too");
}

int main(void)
{
	test_task();
	test_faults();
	test_others();
	return end_tests();
}
