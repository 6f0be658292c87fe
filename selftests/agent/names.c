// SPDX-License-Identifier: GPL-2.0

/*
 * What the agent itself hands over: the names of the guests. Without them an agent that an
 * operator asks for the next update could replace the kernel before all keepers have come.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <libluo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

#define TOKEN_NAMES	1

#ifndef MFD_EXEC
#define MFD_EXEC	0x10
#endif

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
