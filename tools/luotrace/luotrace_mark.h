/* SPDX-License-Identifier: GPL-2.0 */

/*
 * For agents: marks a workload, a guest for instance, as paused or resumed for a live
 * update, so that a timeline says how long it stood still. The same as the command
 * "luotrace mark"; needs no library.
 */

#ifndef LUOTRACE_MARK_H
#define LUOTRACE_MARK_H

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Of a kernel with LUO and its recorder, which takes the time. */
#ifndef LUOTRACE_MARK_FILE
#define LUOTRACE_MARK_FILE	"/sys/kernel/liveupdate/mark"
#endif

/* Of "luotrace record --carry" on any other kernel; the sender takes the time. */
#ifndef LUOTRACE_MARK_SOCKET
#define LUOTRACE_MARK_SOCKET	"/run/luotrace/box"
#endif

#define LUOTRACE_MARK_VERSION	1
#define LUOTRACE_MARK_NAME	64	/* bytes of the longest name, and one */

/* What happened, in struct luotrace_mark */
#define LUOTRACE_MARK_PAUSED	1
#define LUOTRACE_MARK_RESUMED	2

/**
 * struct luotrace_mark - datagram to LUOTRACE_MARK_SOCKET
 * @version:	  LUOTRACE_MARK_VERSION
 * @what:	  LUOTRACE_MARK_PAUSED or LUOTRACE_MARK_RESUMED
 * @monotonic_ns: when, CLOCK_MONOTONIC in ns
 * @name:	  of the workload, padded with zeros
 */
struct luotrace_mark {
	__u32 version;
	__u32 what;
	__u64 monotonic_ns;
	char name[LUOTRACE_MARK_NAME];
};

/* To the kernel: 0, or a negative errno, -ENOENT also if there is no such file. */
static inline int luotrace_mark_write(const struct luotrace_mark *mark, int *present)
{
	char line[LUOTRACE_MARK_NAME + 8];
	int fd = open(LUOTRACE_MARK_FILE, O_WRONLY | O_CLOEXEC), err = 0;
	size_t len;
	ssize_t n;

	*present = fd >= 0 || errno != ENOENT;
	if (fd < 0)
		return -errno;
	strcpy(line, mark->what == LUOTRACE_MARK_PAUSED ? "paused " : "resumed ");
	strcat(line, mark->name);
	len = strlen(line);
	/* A line is one write. */
	n = write(fd, line, len);
	if (n < 0)
		err = -errno;
	else if ((size_t)n != len)
		err = -EIO;
	close(fd);
	return err;
}

/* To the tool; -EOPNOTSUPP if it does not listen. */
static inline int luotrace_mark_send(const struct luotrace_mark *mark)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct sockaddr_un to;

	if (fd < 0)
		return -errno;
	memset(&to, 0, sizeof(to));
	to.sun_family = AF_UNIX;
	strcpy(to.sun_path, LUOTRACE_MARK_SOCKET);
	if (sendto(fd, mark, sizeof(*mark), MSG_DONTWAIT | MSG_NOSIGNAL,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		err = errno == ENOENT || errno == ECONNREFUSED ? -EOPNOTSUPP : -errno;
	close(fd);
	return err;
}

/**
 * luotrace_mark - mark a workload as paused or resumed just now
 * @session: its name, best that of its session: 1 to 63 bytes without a newline. The same
 *	     one for both marks; it need not be the name of a session
 * @paused:  1 once it is paused, in the old kernel; 0 once it runs again, in the new
 *	     kernel, or in the old one if there was no live update
 *
 * Takes microseconds, allocates nothing, never waits for a reader, and leaves errno as it
 * is. Everything that it calls is async-signal-safe. Needs root.
 *
 * Return: 0 or a negative errno: -EINVAL or -ENAMETOOLONG for such a name; -EOPNOTSUPP if
 *	   neither the kernel nor the tool takes the mark; -ENODEV if the kernel has no
 *	   record, as memory was short; -EACCES without root; -ENOSPC if the record has no
 *	   room; -ENOENT to resume what is not paused, in a kernel that was not booted by a
 *	   live update; -EAGAIN if the tool is too slow, or to resume what is paused while
 *	   the kernel enters kexec. None of these is a reason not to pause or resume.
 */
static inline int luotrace_mark(const char *session, int paused)
{
	struct luotrace_mark mark;
	struct timespec now;
	int saved = errno, present, err;
	size_t len = strlen(session);

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!len || strchr(session, '\n'))
		return -EINVAL;
	if (len >= sizeof(mark.name))
		return -ENAMETOOLONG;

	memset(&mark, 0, sizeof(mark));
	mark.version = LUOTRACE_MARK_VERSION;
	mark.what = paused ? LUOTRACE_MARK_PAUSED : LUOTRACE_MARK_RESUMED;
	mark.monotonic_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	memcpy(mark.name, session, len);
	err = luotrace_mark_write(&mark, &present);
	if (!present)
		err = luotrace_mark_send(&mark);
	errno = saved;
	return err;
}

#endif
