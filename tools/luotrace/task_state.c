// SPDX-License-Identifier: GPL-2.0

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "task_state.h"

/* PROC_PID_INIT_INO, the number of the first PID namespace. */
#define INIT_PID_NS	0xeffffffcU
#define PATH_LEN	512

bool task_state_visible(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == INIT_PID_NS;
}

static FILE *open_task(const char *proc, unsigned int pid, unsigned int tid,
		       const char *file)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%u/task/%u/%s", proc, pid, tid, file);
	return fopen(path, "re");
}

/* The fields from the state on; the name before them can have any character. */
static bool parse_stat(struct task_state *s, const char *text, uint64_t *started)
{
	const char *at = strrchr(text, ')');
	unsigned long long ticks;

	if (!at || sscanf(at, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
			  "%*d %*d %*d %*d %*d %llu %*u %*d %*u %*u %*u %*u %*u %*u %*u "
			  "%*u %*u %*u %*u %*u %*u %*d %d", &s->state, &ticks,
			  &s->cpu) != 3)
		return false;
	*started = ticks * (1000000000ULL / sysconf(_SC_CLK_TCK));
	return true;
}

static enum task_seen read_stat(struct task_state *s, const char *proc,
				unsigned int pid, unsigned int tid, uint64_t since)
{
	FILE *f = open_task(proc, pid, tid, "stat");
	uint64_t started;
	char text[1024];
	size_t n;

	if (!f)
		return errno == ENOENT ? TASK_GONE : TASK_UNSEEN;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	/* It ended between open and read. */
	if (!n)
		return TASK_GONE;
	if (!parse_stat(s, text, &started))
		return TASK_UNSEEN;
	return started > since || s->state == 'Z' || s->state == 'X' ? TASK_GONE :
								       TASK_SEEN;
}

/* A line is "[<0>] function+0x1/0x2 [module]". */
static void read_stack(struct task_state *s, FILE *f)
{
	char line[256], name[TASK_SYMBOL];

	while (s->frames < TASK_FRAMES && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "[<%*[^>]>] %63[^+ \n]", name) == 1)
			memcpy(s->stack[s->frames++], name, sizeof(name));
	}
	s->whole = s->frames;
}

/* What can be read with fewer privileges: the function alone. */
static void read_wchan(struct task_state *s, FILE *f)
{
	char name[TASK_SYMBOL];

	if (fscanf(f, "%63s", name) == 1 && strcmp(name, "0"))
		memcpy(s->stack[s->frames++], name, sizeof(name));
}

static const struct {
	const char *file;
	void (*read)(struct task_state *s, FILE *f);
} places[] = {
	{ "stack", read_stack }, { "wchan", read_wchan },
};

static void read_ran(struct task_state *s, FILE *f)
{
	unsigned long long ns;

	s->ran = fscanf(f, "%llu", &ns) == 1;
	s->ran_ns = s->ran ? ns : 0;
}

void task_state_read(struct task_state *s, const char *proc, unsigned int pid,
		     unsigned int tid, uint64_t since)
{
	size_t i;
	FILE *f;

	memset(s, 0, sizeof(*s));
	s->seen = read_stat(s, proc, pid, tid, since);
	if (s->seen != TASK_SEEN)
		return;
	f = open_task(proc, pid, tid, "schedstat");
	if (f) {
		read_ran(s, f);
		fclose(f);
	}
	/* A stack that is read while the task runs is not that of any moment. */
	for (i = 0; s->state != 'R' && i < 2 && !s->frames; i++) {
		f = open_task(proc, pid, tid, places[i].file);
		if (!f)
			continue;
		places[i].read(s, f);
		fclose(f);
	}
}

bool task_state_in(const struct task_state *s, const char *name)
{
	int i;

	for (i = 0; i < s->frames; i++) {
		if (!strcmp(s->stack[i], name))
			return true;
	}
	return false;
}

static void each_thread(const char *proc, unsigned int pid,
			void (*use)(unsigned int pid, unsigned int tid, void *data),
			void *data)
{
	char path[PATH_LEN];
	struct dirent *entry;
	unsigned int tid;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%u/task", proc, pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		tid = strtoul(entry->d_name, NULL, 10);
		if (tid)
			use(pid, tid, data);
	}
	if (dir)
		closedir(dir);
}

void task_state_each(const char *proc,
		     void (*use)(unsigned int pid, unsigned int tid, void *data),
		     void *data)
{
	DIR *dir = opendir(proc);
	struct dirent *entry;
	unsigned int pid;

	while (dir && (entry = readdir(dir))) {
		pid = strtoul(entry->d_name, NULL, 10);
		if (pid)
			each_thread(proc, pid, use, data);
	}
	if (dir)
		closedir(dir);
}

char *task_state_text(const struct task_state *s, double ran, char *buf)
{
	size_t used;
	int i;

	if (s->seen != TASK_SEEN)
		return strcpy(buf, s->seen == TASK_GONE ? "task is gone" : "unknown");
	used = sprintf(buf, "%c ", s->state);
	if (s->state == 'R') {
		used += sprintf(buf + used, "CPU %d", s->cpu);
		if (ran >= 0)
			sprintf(buf + used, ", ran %.0f %%", 100 * ran);
		return buf;
	}
	if (!s->frames)
		strcpy(buf + used, "unknown where");
	for (i = 0; i < s->frames; i++)
		used += sprintf(buf + used, "%s%s", i ? " < " : "", s->stack[i]);
	return buf;
}
