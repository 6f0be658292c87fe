// SPDX-License-Identifier: GPL-2.0

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot_marks.h"
#include "counter.h"
#include "perf_clock.h"

#define NS		1000000000ULL
#define KMSG		"/dev/kmsg"
#define RECORD_SIZE	16384	/* more than the kernel writes for one record */
#define KTHREADD	2	/* parent of all threads of the kernel */

/* Whether the kernel sets its clock when it begins to trust it. */
#ifdef __x86_64__
#define MAY_BE_SET	true
#else
#define MAY_BE_SET	false
#endif

/* "Run PATH as init process" */
static bool is_init_text(const char *text, size_t length)
{
	static const char head[] = "Run ", tail[] = " as init process";
	const size_t ends = sizeof(head) - 1 + sizeof(tail) - 1;

	return length >= ends && !strncmp(text, head, sizeof(head) - 1) &&
	       !strncmp(text + length - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
}

static void take_record(struct boot_log *log, const char *record)
{
	const char *text = strchr(record, ';');
	unsigned long long us;
	long long offset;
	unsigned int prio;

	/* User space cannot write records of facility 0, the kernel. */
	if (!text || sscanf(record, "%u,%*u,%llu,", &prio, &us) != 2 || prio >> 3)
		return;
	text++;
	if (is_init_text(text, strcspn(text, "\n"))) {
		log->has_init = true;
		log->init_ns = us * 1000;
	}
	if (sscanf(text, "sched_clock: Marking stable (%*d, %*d)->(%*d, %lld)",
		   &offset) == 1) {
		log->has_offset = true;
		log->offset_ns = offset;
	}
}

void boot_marks_log(int fd, struct boot_log *log)
{
	char record[RECORD_SIZE];
	ssize_t n;

	memset(log, 0, sizeof(*log));
	/* The offset is known before the first process starts. */
	while (!log->has_init) {
		n = read(fd, record, sizeof(record) - 1);
		/* EPIPE: a record was overwritten before it was read; the next one is not. */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		record[n] = '\0';
		take_record(log, record);
	}
}

/* The start of a process that user space has started; false if it is none, or gone. */
static bool process_start(const char *proc, const char *pid, uint64_t *ticks)
{
	char path[PATH_MAX], line[1024] = "";
	unsigned long long start;
	const char *rest;
	int parent;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/stat", proc, pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	rest = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	/* Fields 3 (state), 4 (parent), 22 (start); the name may have anything but is past. */
	if (!rest || sscanf(rest, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
			    "%*d %*d %*d %*d %*d %*d %llu", &parent, &start) != 2)
		return false;
	*ticks = start;
	/* The first process itself was a thread of the kernel for most of the boot. */
	return parent && parent != KTHREADD;
}

bool boot_marks_oldest(const char *proc, uint64_t *ticks)
{
	DIR *dir = opendir(proc);
	struct dirent *entry;
	bool found = false;
	uint64_t start;

	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !process_start(proc, entry->d_name, &start) ||
		    (found && start >= *ticks))
			continue;
		*ticks = start;
		found = true;
	}
	if (dir)
		closedir(dir);
	return found;
}

static void read_log(struct boot_log *log)
{
	int fd = open(KMSG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

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
	uint64_t ticks, hz;
	bool stable;

	if (!boot_marks_oldest("/proc", &ticks))
		return;
	m->init_coarse = true;
	/* CLOCK_BOOTTIME is the same as long as the machine has not slept. */
	m->init_monotonic_ns = (unsigned __int128)ticks * NS / sysconf(_SC_CLK_TCK);
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
