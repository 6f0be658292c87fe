// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "systemctl.h"

#define BOOTED		"/run/systemd/system"
#define LIMIT_NS	10000000000ULL	/* a loaded machine needs seconds */
#define OUTPUT_MAX	(16 << 20)	/* bytes; a large machine has 1 MiB */
#define CHUNK		65536

bool systemctl_booted(void)
{
	/* As sd_booted() finds out. */
	return !access(BOOTED, F_OK);
}

/* Standard output goes to @out; what it complains of is not for the user. */
static int start(char *const *argv, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int err;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(pid, argv[0], &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return err;
}

/* Whether there is something to read, or the end, before the deadline. */
static bool await(int fd, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;
	int n;

	do {
		now = monotonic_ns();
		if (now >= deadline)
			return false;
		n = poll(&p, 1, (deadline - now) / 1000000 + 1);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Read to the end, before the deadline; NULL if that cannot be. */
static char *read_all(int fd, uint64_t deadline)
{
	size_t size = 0, room = 0;
	char *all = NULL, *more;
	ssize_t n;

	for (;;) {
		if (room - size < CHUNK) {
			room += 2 * CHUNK;
			more = room <= OUTPUT_MAX ? realloc(all, room) : NULL;
			if (!more)
				break;
			all = more;
		}
		if (!await(fd, deadline))
			break;
		n = read(fd, all + size, CHUNK - 1);
		if (n < 0)
			break;
		size += n;
		if (n)
			continue;
		all[size] = '\0';
		return all;
	}
	free(all);
	return NULL;
}

/* Wait for its end, which the deadline brings about. Returns its status. */
static int finish(pid_t pid, uint64_t deadline)
{
	int fd = syscall(SYS_pidfd_open, pid, 0), status = 0;

	if (!await(fd, deadline))
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (fd >= 0)
		close(fd);
	return status;
}

static char *run(char *const *argv, const char **why)
{
	uint64_t deadline = monotonic_ns() + LIMIT_NS;
	int pipes[2], status, err;
	char *all;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC)) {
		*why = strerror(errno);
		return NULL;
	}
	err = start(argv, pipes[1], &pid);
	close(pipes[1]);
	if (err) {
		close(pipes[0]);
		*why = strerror(err);
		return NULL;
	}
	all = read_all(pipes[0], deadline);
	close(pipes[0]);
	status = finish(pid, all ? deadline : 0);
	if (all && !status)
		return all;
	*why = all ? "it failed" : "it does not answer";
	free(all);
	return NULL;
}

char *systemctl_show(const char *const *args, const char **why)
{
	const char *argv[SYSTEMCTL_ARGS + 4] = { "systemctl", "--no-pager", "show" };
	int i;

	for (i = 0; i < SYSTEMCTL_ARGS && args[i]; i++)
		argv[i + 3] = args[i];
	return run((char *const *)argv, why);
}
