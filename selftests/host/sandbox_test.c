// SPDX-License-Identifier: GPL-2.0

/*
 * What luotrace-core can do once it is in its sandbox: read what is open, and allocate. Each
 * call is made in a child before and after. Prints TAP.
 */

#define _GNU_SOURCE	/* O_TMPFILE */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/luotrace/core/sandbox.c"
#include "tap.h"

static int file;	/* a file that is open */
static pid_t parent;

static long do_read(void)
{
	char c;

	return pread(file, &c, 1, 0) == 1 ? 0 : -1;
}

static long do_allocate(void)
{
	void *p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED || munmap(p, 8 << 20) ? -1 : 0;
}

static long do_open(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long do_create(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600);
}

static long do_socket(void)
{
	return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static long do_pair(void)
{
	int pair[2];

	return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
}

static long do_clone(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		syscall(SYS_exit_group, 0);
	return pid;
}

/* It fails for another reason where it is allowed. */
static long do_execute(void)
{
	char *none[] = { NULL };

	return syscall(SYS_execve, "/nonexistent", none, none) && errno == ENOENT ? 0 : -1;
}

static long do_signal(void)
{
	return syscall(SYS_kill, parent, 0);
}

static long do_get_pid(void)
{
	return syscall(SYS_getppid);
}

static const struct {
	const char *name;
	long (*call)(void);
	bool allowed;
} calls[] = {
	{ "read what is open", do_read, true },
	{ "allocate memory", do_allocate, true },
	{ "open a file", do_open, false },
	{ "create a file", do_create, false },
	{ "make a socket", do_socket, false },
	{ "make a pair of sockets", do_pair, false },
	{ "create a process", do_clone, false },
	{ "execute a program", do_execute, false },
	{ "signal a process", do_signal, false },
	{ "ask for something else", do_get_pid, false },
};

/* 0: it works, 1: EPERM, 2: something else */
static int child(size_t i, bool inside)
{
	if (inside && !sandbox_enter())
		return 3;
	errno = 0;
	if (calls[i].call() >= 0)
		return 0;
	return errno == EPERM ? 1 : 2;
}

static int result(size_t i, bool inside)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(child(i, inside));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int main(void)
{
	size_t i;

	puts("TAP version 13");
	parent = getpid();
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		check(!result(i, false), "outside it can %s", calls[i].name);
		check(result(i, true) == (calls[i].allowed ? 0 : 1), "inside it can%s %s",
		      calls[i].allowed ? "" : "not", calls[i].name);
	}
	return end_tests();
}
