// SPDX-License-Identifier: GPL-2.0

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"

#define NS		1000000000ULL
#define KTHREADD	2	/* parent of all threads of the kernel */

bool process_read(const char *proc, const char *pid, struct process *p)
{
	char path[PATH_MAX], line[1024];
	unsigned long long start;
	char *name, *rest;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/stat", proc, pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* A name can have a line break. */
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	name = strchr(line, '(');
	rest = strrchr(line, ')');
	/* Fields 3 (state), 4 (parent), 22 (start); the name, with anything, is past. */
	if (!name || !rest || rest < name ||
	    sscanf(rest, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
		   "%*d %*d %*d %*d %*d %*d %llu", &p->parent, &start) != 2)
		return false;
	p->pid = atoi(pid);
	p->ticks = start;
	snprintf(p->comm, sizeof(p->comm), "%.*s", (int)(rest - name - 1), name + 1);
	return true;
}

bool process_of_user(const struct process *p)
{
	/* The first process itself was a thread of the kernel for most of the boot. */
	return p->parent && p->parent != KTHREADD;
}

void process_each(const char *proc, void (*fn)(void *data, const struct process *p),
		  void *data)
{
	DIR *dir = opendir(proc);
	struct dirent *entry;
	struct process p;

	while (dir && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    process_read(proc, entry->d_name, &p) && process_of_user(&p))
			fn(data, &p);
	}
	if (dir)
		closedir(dir);
}

void process_was(struct process *p, int pid, uint64_t start_ns, const char *comm)
{
	*p = (struct process){ .pid = pid };
	p->ticks = (unsigned __int128)start_ns * sysconf(_SC_CLK_TCK) / NS;
	snprintf(p->comm, sizeof(p->comm), "%s", comm);
}

uint64_t process_start_ns(const struct process *p)
{
	return (unsigned __int128)p->ticks * NS / sysconf(_SC_CLK_TCK);
}
