// SPDX-License-Identifier: GPL-2.0

/*
 * Whom the agent must not forget. It hands over the names of the guests: without them an
 * agent that an operator asks for the next update could replace the kernel before all
 * keepers have come. And one that was started anew looks for VMMs whose keepers have not.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libluo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

#define TOKEN_NAMES	1

#ifndef MFD_EXEC
#define MFD_EXEC	0x10
#endif

/* Whether a VMM has this lock, see vmm.c. */
static bool is_locked(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDWR | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	return locked;
}

static bool is_kept(const struct agent *a, const char *name)
{
	const struct guest *g;

	for (g = a->guests; g; g = g->next)
		if (!strcmp(g->name, name))
			return g->sock >= 0;
	return false;
}

int agent_find_unkept(const struct agent *a, char *name)
{
	DIR *dir = opendir(AGENT_DIR);
	struct dirent *entry;
	int found = 0;

	if (!dir)
		return -errno;
	while (!found && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len <= strlen(VMM_LOCK) || len - strlen(VMM_LOCK) >= AGENT_NAME ||
		    strcmp(entry->d_name + len - strlen(VMM_LOCK), VMM_LOCK))
			continue;
		snprintf(name, AGENT_NAME, "%.*s", (int)(len - strlen(VMM_LOCK)),
			 entry->d_name);
		found = !is_kept(a, name) && is_locked(dirfd(dir), entry->d_name);
	}
	closedir(dir);
	return found;
}

static int write_names(const struct agent *a, int fd)
{
	const struct guest *g;

	for (g = a->guests; g; g = g->next)
		if (write(fd, g->name, AGENT_NAME) != AGENT_NAME)
			return -EIO;
	/* An empty memfd cannot be preserved. */
	return write(fd, "", 1) == 1 ? 0 : -EIO;
}

int agent_hand_over(struct agent *a)
{
	int dev = agent_device(), session, err, fd;

	if (dev < 0)
		return dev;
	session = luo_session_create(dev, AGENT_SESSION_NAME);
	close(dev);
	if (session < 0)
		return session;
	fd = memfd_create(AGENT_SESSION_NAME, MFD_CLOEXEC | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(AGENT_SESSION_NAME, MFD_CLOEXEC);
	err = fd < 0 ? -errno : write_names(a, fd);
	if (!err)
		err = luo_session_preserve_fd(session, fd, TOKEN_NAMES);
	if (fd >= 0)
		close(fd);
	if (!err)
		return session;
	close(session);
	return err;
}

static int read_names(struct agent *a, int fd)
{
	char name[AGENT_NAME];
	struct guest *g;

	if (lseek(fd, 0, SEEK_SET))
		return -errno;
	while (read(fd, name, sizeof(name)) == sizeof(name)) {
		name[AGENT_NAME - 1] = '\0';
		g = agent_add(a, name);
		if (!g)
			return -ENOMEM;
		g->incoming = true;
	}
	return 0;
}

void agent_names_done(struct agent *a)
{
	const struct guest *g;

	for (g = a->guests; g; g = g->next)
		if (g->incoming)
			return;
	if (a->names < 0)
		return;
	luo_session_finish(a->names);
	close(a->names);
	a->names = -1;
}

/* Until the last guest is back, another agent may need the names. */
int agent_take_over(struct agent *a)
{
	int dev = agent_device(), fd, err;

	if (dev < 0)
		return dev;
	a->names = luo_session_retrieve(dev, AGENT_SESSION_NAME);
	close(dev);
	if (a->names < 0)
		return a->names == -ENOENT ? 0 : a->names;
	fd = luo_session_retrieve_fd(a->names, TOKEN_NAMES);
	err = fd < 0 ? fd : read_names(a, fd);
	if (fd >= 0)
		close(fd);
	if (!err)
		agent_names_done(a);
	return err;
}
