// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>

#include "msg.h"
#include "start.h"
#include "start_chain.h"
#include "start_procs.h"
#include "systemctl.h"

#define TICK_NS	20000000ULL	/* start times are in ticks of 10 ms */

static struct {
	bool given;
	char unit[START_CHAIN_UNIT];	/* "" if unknown */
	struct process process;		/* @pid 0 if unknown */
} agent;

bool start_agent_set(const char *unit)
{
	const char *suffix = strchr(unit, '.') ? "" : ".service";

	if (!*unit || strpbrk(unit, "/ *?[") ||
	    strlen(unit) + strlen(suffix) >= sizeof(agent.unit))
		return false;
	agent.given = true;
	snprintf(agent.unit, sizeof(agent.unit), "%s%s", unit, suffix);
	return true;
}

bool start_agent_given(void)
{
	return agent.given;
}

static bool read_process(int pid, struct process *p)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	return process_read("/proc", number, p);
}

static void find_unit(int pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (!start_chain_unit(path, agent.unit))
		*agent.unit = '\0';
}

void start_agent_claimed(int pid)
{
	if (agent.given || agent.process.pid || pid <= 0 ||
	    !read_process(pid, &agent.process))
		return;
	find_unit(pid);
}

/* The process that opened the device is of a unit, as are those that started it. */
static void find_opener(const struct liveupdate_recorder_inside *inside)
{
	const struct liveupdate_recorder_ancestor *a = inside->ancestors;
	struct process p;
	uint64_t start;
	int i;

	for (i = 0; !*agent.unit && i < LIVEUPDATE_RECORDER_ANCESTORS && a[i].pid; i++) {
		/* All services are of the first process. */
		if (i && a[i].pid == 1)
			continue;
		if (!read_process(a[i].pid, &p)) {
			start_chain_unit_of(a[i].pid, a[i].started, agent.unit);
			continue;
		}
		start = process_start_ns(&p);
		/* Another one can have its number by now. */
		if (start <= a[i].started + TICK_NS && a[i].started <= start + TICK_NS)
			find_unit(a[i].pid);
	}
}

/* When user space was started and when the device was opened; false if unknown. */
static bool bounds(const struct liveupdate_recorder *r, const struct blackout *b,
		   uint64_t *init, uint64_t *opened)
{
	*init = r->last_in.times[LIVEUPDATE_MARK_INIT];
	*opened = r->last_in.times[LIVEUPDATE_MARK_OPEN];
	return b->known[SPAN_USER] && *init && *opened > *init;
}

static void add_items(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b, enum inside_source source,
		      const struct start_item *items, int n)
{
	int i;

	for (i = 0; i < n; i++)
		inside_add_clock(to, r, b, source, items[i].from, items[i].to, "%s",
				 items[i].text);
}

void start_systemd_collect(struct inside *to, const struct liveupdate_recorder *r,
			   const struct blackout *b)
{
	struct start_item items[START_CHAIN_ITEMS];
	uint64_t init, opened;
	const char *why;
	int n;

	if (!systemctl_booted() || !bounds(r, b, &init, &opened))
		return;
	find_opener(&r->inside);
	n = start_chain_items(init, opened, agent.unit, items, &why);
	add_items(to, r, b, INSIDE_SYSTEMD, items, n);
	if (why)
		msg_note("what the agent waited for while user space started is unknown: %s",
			 why);
}

void start_procs_collect(struct inside *to, const struct liveupdate_recorder *r,
			 const struct blackout *b)
{
	const struct liveupdate_recorder_ancestor *opener = &r->inside.ancestors[0];
	struct start_item items[START_CHAIN_ITEMS];
	uint64_t init, opened;
	unsigned int i;

	if (systemctl_booted() || !bounds(r, b, &init, &opened))
		return;
	if (!agent.process.pid && opener->pid)
		process_was(&agent.process, opener->pid, opener->started, opener->comm);
	add_items(to, r, b, INSIDE_PROC, items,
		  start_procs_items("/proc", init, opened, &agent.process, items));
	/* Those that started the agent are in the record, and name all of the phase. */
	for (i = 0; opener->pid && i < to->n; i++) {
		if (to->item[i].source == INSIDE_PROC)
			to->item[i].detail = 1;
	}
}
