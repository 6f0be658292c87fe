// SPDX-License-Identifier: GPL-2.0

/* The thread that listens for marks. */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "box_marks.h"
#include "luotrace_mark.h"
#include "msg.h"

struct box_listener {
	struct box_marks *marks;
	pthread_t thread;
	int fd;
	int stop;
};

_Static_assert(LUOTRACE_MARK_NAME == BOX_MARKS_NAME, "names of workloads are of one size");

/* A mark of the wrong form is ignored: its sender has no answer to wait for. */
static void receive(struct box_listener *l)
{
	struct luotrace_mark mark;
	ssize_t n = recv(l->fd, &mark, sizeof(mark), MSG_DONTWAIT | MSG_TRUNC);

	if (n != sizeof(mark) || mark.version != LUOTRACE_MARK_VERSION ||
	    mark.what < LUOTRACE_MARK_PAUSED || mark.what > LUOTRACE_MARK_RESUMED ||
	    !*mark.name || !memchr(mark.name, '\0', sizeof(mark.name)))
		return;
	box_marks_add(l->marks, mark.name, mark.what == LUOTRACE_MARK_PAUSED,
		      mark.monotonic_ns);
}

static void *listener(void *data)
{
	struct box_listener *l = data;
	struct pollfd fds[] = {
		{ .fd = l->fd, .events = POLLIN },
		{ .fd = l->stop, .events = POLLIN },
	};

	while (!fds[1].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			receive(l);
	}
	return NULL;
}

/* Only root can mark a workload, as with the file of a kernel that takes marks itself. */
static int bind_socket(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = LUOTRACE_MARK_SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	mode_t old;

	if (fd < 0)
		return -1;
	/* One that a killed luotrace has left: the process that listens holds the lock of the box. */
	unlink(at.sun_path);
	old = umask(0177);
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		umask(old);
		return fd;
	}
	umask(old);
	close(fd);
	return -1;
}

/*
 * A mark can be the last thing before reboot(): with one CPU, too, the thread has to run
 * before its sender goes on. It sleeps at all other times.
 */
static int start_thread(struct box_listener *l)
{
	struct sched_param param = { .sched_priority = 1 };
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&l->thread, &attr, listener, l);
	if (err == EPERM)
		err = pthread_create(&l->thread, NULL, listener, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

struct box_listener *box_marks_listen(struct box_marks *marks)
{
	struct box_listener *l = calloc(1, sizeof(*l));
	int err = ENOMEM;

	if (!l)
		goto fail;
	l->marks = marks;
	l->stop = eventfd(0, EFD_CLOEXEC);
	l->fd = bind_socket();
	err = l->fd < 0 || l->stop < 0 ? errno : start_thread(l);
	if (!err)
		return l;
	if (l->fd >= 0)
		close(l->fd);
	if (l->stop >= 0)
		close(l->stop);
fail:
	msg_error("marks of workloads are not recorded: cannot listen on '" LUOTRACE_MARK_SOCKET "': %s",
		  strerror(err));
	free(l);
	return NULL;
}

void box_marks_stop(struct box_listener *l)
{
	if (!l)
		return;
	eventfd_write(l->stop, 1);
	pthread_join(l->thread, NULL);
	close(l->fd);
	close(l->stop);
	unlink(LUOTRACE_MARK_SOCKET);
	free(l);
}
