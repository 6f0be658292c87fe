// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "boot_marks.h"
#include "counter.h"
#include "kmsg.h"
#include "perf_clock.h"

/* Whether the kernel sets its clock when it begins to trust it. */
#ifdef __x86_64__
#define MAY_BE_SET	true
#else
#define MAY_BE_SET	false
#endif

static void take_record(struct boot_log *log, const struct kmsg *k)
{
	long long offset;

	if (!k->kernel)
		return;
	if (kmsg_is_init(k)) {
		log->has_init = true;
		log->init_ns = k->us * 1000;
	}
	if (sscanf(k->text, "sched_clock: Marking stable (%*d, %*d)->(%*d, %lld)",
		   &offset) == 1) {
		log->has_offset = true;
		log->offset_ns = offset;
	}
}

void boot_marks_log(int fd, struct boot_log *log)
{
	struct kmsg k;

	memset(log, 0, sizeof(*log));
	/* The offset is known before the first process starts. */
	while (!log->has_init && kmsg_read(fd, &k))
		take_record(log, &k);
}

struct oldest {
	bool found;
	struct process process;
};

static void take_older(void *data, const struct process *p)
{
	struct oldest *o = data;

	if (o->found && p->ticks >= o->process.ticks)
		return;
	o->process = *p;
	o->found = true;
}

bool boot_marks_oldest(const char *proc, struct process *p)
{
	struct oldest o = { 0 };

	process_each(proc, take_older, &o);
	*p = o.process;
	return o.found;
}

static void read_log(struct boot_log *log)
{
	int fd = kmsg_open();

	memset(log, 0, sizeof(*log));
	if (fd < 0)
		return;
	boot_marks_log(fd, log);
	close(fd);
}

static bool init_from_log(struct boot_marks *m, const struct boot_log *boot)
{
	uint64_t log, monotonic, ago;

	if (!boot->has_init)
		return false;
	if (!counter_of_log(boot->init_ns, &m->init_counter))
		m->init_counter = 0;
	if (perf_log_now(&log, &monotonic)) {
		ago = log - boot->init_ns;
		m->init_monotonic_ns = monotonic > ago ? monotonic - ago : 0;
	}
	return m->init_counter || m->init_monotonic_ns;
}

static void init_from_processes(struct boot_marks *m)
{
	struct counter_line line;
	struct counter_pair now;
	struct process oldest;
	uint64_t hz;
	bool stable;

	if (!boot_marks_oldest("/proc", &oldest))
		return;
	m->init_coarse = true;
	m->init_monotonic_ns = process_start_ns(&oldest);
	if (!counter_clock(&hz, &stable) || !stable)
		return;
	counter_pair_read(&now);
	counter_line_begin(&line, &now);
	m->init_counter = counter_line_at(&line, m->init_monotonic_ns);
}

bool boot_marks_read(struct boot_marks *m)
{
	struct boot_log log;

	memset(m, 0, sizeof(*m));
	read_log(&log);
	if (counter_of_log(log.offset_ns, &m->start_counter))
		m->start_coarse = MAY_BE_SET && !log.has_offset;
	else
		m->start_counter = 0;
	if (!init_from_log(m, &log))
		init_from_processes(m);
	return m->start_counter || m->init_counter || m->init_monotonic_ns;
}
