// SPDX-License-Identifier: GPL-2.0

/*
 * Runs a program and kills it, but not its children, as it enters its Nth system call:
 *
 *	kill_at N COMMAND...		exit code of the command, or 137 if it was killed
 *	kill_at 0 COMMAND...		count only
 *
 * The number so far, or "killed", is in /run/kill_at.NAME.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int count_file(const char *command)
{
	const char *slash = strrchr(command, '/');
	char path[256];

	snprintf(path, sizeof(path), "/run/kill_at.%s", slash ? slash + 1 : command);
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* A line for each kill, in /run/killed.NAME */
static void log_kill(const char *command, long at)
{
	const char *slash = strrchr(command, '/');
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "/run/killed.%s", slash ? slash + 1 : command);
	f = fopen(path, "ae");
	if (!f || fprintf(f, "%ld\n", at) < 0 || fclose(f))
		perror(path);
}

static void write_count(int fd, long count)
{
	char text[32];

	snprintf(text, sizeof(text), "%-20ld\n", count);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		perror("kill_at");
}

int main(int argc, char **argv)
{
	long at = argc > 2 ? atol(argv[1]) : -1, count = 0;
	int status, fd, signal = 0;
	bool entered = false;
	pid_t pid;

	if (at < 0) {
		fprintf(stderr, "usage: kill_at N COMMAND...\n");
		return 2;
	}
	fd = count_file(argv[2]);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		perror("kill_at: exec");
		_exit(127);
	}
	if (pid < 0 || fd < 0 || waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD)) {
		perror("kill_at");
		return 2;
	}
	while (!ptrace(PTRACE_SYSCALL, pid, 0, signal) && waitpid(pid, &status, 0) == pid) {
		if (WIFEXITED(status) || WIFSIGNALED(status))
			return WIFEXITED(status) ? WEXITSTATUS(status) :
						   128 + WTERMSIG(status);
		signal = WSTOPSIG(status);
		if (signal != (SIGTRAP | 0x80)) {
			/* That of execve() is no signal. */
			if (signal == SIGTRAP)
				signal = 0;
			continue;
		}
		signal = 0;
		entered = !entered;
		if (!entered)
			continue;
		write_count(fd, ++count);
		if (count == at) {
			kill(pid, SIGKILL);
			/* For who waits for it */
			if (pwrite(fd, "killed\n", 7, 0) < 0)
				perror("kill_at");
			log_kill(argv[2], at);
		}
	}
	/* Killed while it was stopped */
	waitpid(pid, &status, 0);
	return 137;
}
