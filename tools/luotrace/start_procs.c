// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "start_procs.h"

#define NAME_BUF	(4 * PROCESS_COMM + 1)
#define NAME_SHOWN	64	/* bytes of a spelled name */

/* Of processes that were started before the device was opened, the first ones. */
struct starts {
	uint64_t init, until;
	struct process process[START_CHAIN_ITEMS - 2];
	int n;
};

static void take_start(void *data, const struct process *p)
{
	struct starts *s = data;
	uint64_t ns = process_start_ns(p);
	int i;

	if (ns <= s->init || ns >= s->until)
		return;
	for (i = s->n; i && s->process[i - 1].ticks > p->ticks; i--)
		;
	if (i == START_CHAIN_ITEMS - 2)
		return;
	s->n += s->n < START_CHAIN_ITEMS - 2;
	memmove(&s->process[i + 1], &s->process[i], (s->n - 1 - i) * sizeof(*p));
	s->process[i] = *p;
}

static struct start_item *add(struct start_item *item, uint64_t from, uint64_t to,
			      const char *fmt, const struct process *p)
{
	char name[NAME_SHOWN];

	if (to <= from)
		return item;
	item->from = from;
	item->to = to;
	snprintf(item->text, sizeof(item->text), fmt,
		 fmt_name(name, sizeof(name), p->comm), p->pid);
	return item + 1;
}

int start_procs_items(const char *proc, uint64_t init, uint64_t opened,
		      const struct process *agent, struct start_item *items)
{
	uint64_t began = agent->pid ? process_start_ns(agent) : UINT64_MAX, last = init;
	struct starts s = { .init = init, .until = opened };
	struct start_item *item = items;
	bool known = began < opened;
	int i;

	/* What was started after the agent, it did not wait for. */
	if (known) {
		began = began > init ? began : init;
		s.until = began;
	}
	process_each(proc, take_start, &s);
	for (i = 0; i < s.n; i++) {
		item = add(item, last, process_start_ns(&s.process[i]),
			   "until %s (%d) was started", &s.process[i]);
		last = process_start_ns(&s.process[i]);
	}
	if (known) {
		item = add(item, last, began, "until the agent %s (%d) was started",
			   agent);
		item = add(item, began, opened,
			   "agent %s (%d), until it opened the device", agent);
	} else if (s.n) {
		item = add(item, last, opened, "after %s (%d) was started",
			   &s.process[s.n - 1]);
	}
	return item - items;
}
