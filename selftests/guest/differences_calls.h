/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Each ioctl that both LUOs have, made in processes of their own, which may be unable to
 * return.
 */

#ifndef DIFFERENCES_CALLS_H
#define DIFFERENCES_CALLS_H

#include "table_test.h"

#include <signal.h>

#define AGENT32		"/tools/agent32"
#define MORE		"-more"
/* What was made for a call that does not return. */
#define WAITS		1
#define WAIT_MS		4000	/* the process is killed half-way */

/* An ioctl that is to be made. */
struct made {
	int fd;
	unsigned long cmd;
	size_t size;
	_Alignas(8) uint8_t arg[128];
	pid_t pid;
	int ret;	/* a negative errno, 0 or WAITS */
};

enum {
	DO_CREATE, DO_CLAIM, DO_PRESERVE, DO_GET_NAME, DO_RETRIEVE, DO_FINISH, NR_CALLS
};

static inline void make_arg(struct made *m, int fd, unsigned long cmd, uint32_t size)
{
	memset(m, 0, sizeof(*m));
	m->fd = fd;
	m->cmd = cmd;
	m->size = size;
	memcpy(m->arg, &size, sizeof(size));
}

/*
 * With the incoming session @id, which has a file with token 1, and the one of this name
 * and MORE, which is not claimed.
 */
static inline void make_calls(struct made *m, int dev, const char *id)
{
	int out = create(dev, id), in = claim(dev, id), file = memfd(4096, 1);
	const uint64_t token = 1;
	char more[NAME_LEN];

	must(out >= 0 && in >= 0 && file >= 0, id);
	snprintf(more, sizeof(more), "%s" MORE, id);
	make_arg(m + DO_CREATE, dev, LIVEUPDATE_IOCTL_CREATE_SESSION,
		 sizeof(struct liveupdate_ioctl_create_session));
	set_name(m[DO_CREATE].arg + 8, more);
	make_arg(m + DO_CLAIM, dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
		 sizeof(struct liveupdate_ioctl_retrieve_session));
	set_name(m[DO_CLAIM].arg + 8, more);
	make_arg(m + DO_PRESERVE, out, LIVEUPDATE_SESSION_PRESERVE_FD,
		 sizeof(struct liveupdate_session_preserve_fd));
	memcpy(m[DO_PRESERVE].arg + 4, &file, sizeof(file));
	memcpy(m[DO_PRESERVE].arg + 8, &token, sizeof(token));
	make_arg(m + DO_GET_NAME, out, LIVEUPDATE_SESSION_GET_NAME,
		 sizeof(struct liveupdate_session_get_name));
	make_arg(m + DO_RETRIEVE, in, LIVEUPDATE_SESSION_RETRIEVE_FD,
		 sizeof(struct liveupdate_session_retrieve_fd));
	memcpy(m[DO_RETRIEVE].arg + 8, &token, sizeof(token));
	make_arg(m + DO_FINISH, in, LIVEUPDATE_SESSION_FINISH,
		 sizeof(struct liveupdate_session_finish));
}

static inline int make_plain(struct made *m)
{
	return call(m->fd, m->cmd, m->arg);
}

static inline int make_longer(struct made *m)
{
	static _Alignas(8) uint8_t longer[3 * 65536];
	uint32_t size = 2 * sysconf(_SC_PAGESIZE);

	memcpy(longer, m->arg, m->size);
	memcpy(longer, &size, sizeof(size));
	return call(m->fd, m->cmd, longer);
}

/* A 32-bit program reads the structure from its standard input. */
static inline int make_32_bit(struct made *m)
{
	char fd[16], cmd[16];
	int in = memfd_create("arg", 0), i;

	must(write(in, m->arg, m->size) == (ssize_t)m->size && !lseek(in, 0, SEEK_SET) &&
	     !dup2(in, 0), "standard input");
	for (i = 3; i < 64; i++)
		fcntl(i, F_SETFD, 0);
	snprintf(fd, sizeof(fd), "%d", m->fd);
	snprintf(cmd, sizeof(cmd), "%lu", m->cmd);
	execl(AGENT32, AGENT32, "ioctl", fd, cmd, NULL);
	return -ECHILD;
}

/* What became of the process of a call; one that was killed did not wait further. */
static inline int result_now(pid_t pid)
{
	int status;
	pid_t ended = waitpid(pid, &status, WNOHANG);

	if (!ended)
		return WAITS;
	if (ended != pid)
		return -ECHILD;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* The same once it has ended, or was killed and has not. */
static inline int result_of(pid_t pid)
{
	int ms, ret;

	for (ms = 0; ms < WAIT_MS; ms += 10) {
		ret = result_now(pid);
		if (ret != WAITS)
			return ret;
		if (ms == WAIT_MS / 2)
			kill(pid, SIGKILL);
		usleep(10000);
	}
	return WAITS;
}

static inline void start_call(struct made *m, int (*make)(struct made *m))
{
	fflush(stdout);
	m->pid = fork();
	if (!m->pid)
		_exit(-make(m));
}

/* Whether all calls return the same; GET_NAME may return @name instead. */
static inline int same_result(const struct made *m, int name)
{
	int i, ret = m[DO_CREATE].ret;
	bool same = true;

	for (i = 0; i < NR_CALLS; i++)
		same &= m[i].ret == (i == DO_GET_NAME ? name : ret);
	for (i = 0; !same && i < NR_CALLS; i++)
		printf("# ioctl %#lx returned %d\n", m[i].cmd, m[i].ret);
	return same ? ret : -ECHILD;
}

/* Make all calls one after the other. */
static inline int each_call(int dev, const char *id, int (*make)(struct made *m))
{
	struct made m[NR_CALLS];
	int i;

	make_calls(m, dev, id);
	for (i = 0; i < NR_CALLS; i++) {
		start_call(m + i, make);
		m[i].ret = result_of(m[i].pid);
	}
	finish(m[DO_FINISH].fd);
	close(m[DO_FINISH].fd);
	close(m[DO_PRESERVE].fd);
	return same_result(m, m[DO_CREATE].ret);
}

/* What became of all calls that were killed, once none waits, or after half the time. */
static inline void results_of(struct made *m)
{
	int i, ms, waiting = NR_CALLS;

	for (i = 0; i < NR_CALLS; i++)
		m[i].ret = WAITS;
	for (ms = 0; waiting && ms < WAIT_MS / 2; ms += 10) {
		usleep(10000);
		for (waiting = i = 0; i < NR_CALLS; i++) {
			if (m[i].ret == WAITS)
				m[i].ret = result_now(m[i].pid);
			waiting += m[i].ret == WAITS;
		}
	}
}

/* Make all calls at the same time, as they may wait. */
static inline int all_calls(struct made *m, int name)
{
	int i;

	for (i = 0; i < NR_CALLS; i++)
		start_call(m + i, make_plain);
	/* Wait for the call to be made: killing it earlier would prove nothing. */
	for (i = 0; i < NR_CALLS; i++)
		until_state(m[i].pid, "DZ");
	usleep(WAIT_MS / 4 * 1000);
	for (i = 0; i < NR_CALLS; i++)
		kill(m[i].pid, SIGKILL);
	results_of(m);
	return same_result(m, name);
}

#endif
