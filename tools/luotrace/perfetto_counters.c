// SPDX-License-Identifier: GPL-2.0

#include <unistd.h>

#include "enum_name.h"
#include "perfetto_counters.h"

static int file_event(struct counters *c, const struct lt_event *e,
		      struct counter *changed)
{
	unsigned int states[] = { e->file.old, e->file.new }, i;
	int n = 0;

	if (e->file.old == e->file.new)
		return 0;
	for (i = 0; i < 2; i++) {
		/* A file that is not preserved is none; a new state has no name. */
		if (states[i] == FILE_NONE || states[i] >= COUNTERS_STATES)
			continue;
		if (i)
			c->files[states[i]]++;
		else if (c->files[states[i]])
			c->files[states[i]]--;
		else
			continue;
		changed[n++] = (struct counter){
			"files", enum_name(ENUM_FILE_STATE, states[i]),
			c->files[states[i]] };
	}
	return n;
}

static int memory_event(struct counters *c, const struct lt_event *e,
			struct counter *changed)
{
	uint64_t page = c->page_size ? c->page_size : (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t bytes = e->memory.nr_pages * page;

	if (e->ret)
		return 0;
	if (e->type == LT_KHO_RESTORE) {
		c->restored += bytes;
		*changed = (struct counter){ "memory", "restored bytes", c->restored };
		return 1;
	}
	if (e->type == LT_KHO_PRESERVE)
		c->preserved += bytes;
	else
		c->preserved -= bytes < c->preserved ? bytes : c->preserved;
	*changed = (struct counter){ "memory", "preserved bytes", c->preserved };
	return 1;
}

int counters_event(struct counters *c, const struct lt_event *e,
		   struct counter *changed)
{
	switch (e->type) {
	case LT_FILE_STATE:
		return file_event(c, e, changed);
	case LT_KHO_PRESERVE:
	case LT_KHO_UNPRESERVE:
	case LT_KHO_RESTORE:
		return memory_event(c, e, changed);
	default:
		return 0;
	}
}
