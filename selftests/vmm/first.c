// SPDX-License-Identifier: GPL-2.0

/*
 * The first process of a test VM with guests: starts the agent and a keeper for each guest
 * before anything else, then becomes the init of all tests. A guest is
 * NUMBER:MIB:TOUCHED, in vm.guests=GUEST,... of the command line.
 *
 * Agent and keepers are started again when they end, as a service manager would. With a
 * file /state/kill.NAME, of agent or vm-NUMBER, the first number N in it is taken out, and
 * the next start is killed at its Nth system call.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS	64

static const struct {
	const char *type, *at;
} mounts[] = {
	{ "devtmpfs", "/dev" },
	{ "proc", "/proc" },
	{ "sysfs", "/sys" },
};

/* Read a line, without its end. */
static int read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, size - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -1;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

/* Take the first line out of a file. */
static int take_line(const char *path, char *line, size_t size)
{
	char all[4096], *rest;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, all, sizeof(all) - 1);

	if (n > 0) {
		all[n] = '\0';
		rest = all + strcspn(all, "\n");
		snprintf(line, size, "%.*s", (int)(rest - all), all);
		rest += *rest == '\n';
		if (ftruncate(fd, 0) || pwrite(fd, rest, strlen(rest), 0) < 0)
			perror(path);
	}
	if (fd >= 0)
		close(fd);
	return n > 0 ? 0 : -1;
}

static void start_once(const char *name, char *const words[])
{
	char path[64], at[32], *killed[WORDS + 2] = { "kill_at", at };
	int i;

	snprintf(path, sizeof(path), "/state/kill.%s", name);
	if (take_line(path, at, sizeof(at)))
		execv(words[0], words);
	for (i = 0; words[i]; i++)
		killed[i + 2] = words[i];
	execv("/tools/kill_at", killed);
	perror("first");
	_exit(127);
}

/* A process that starts another one as long as that ends with anything but 0. */
static void supervise(const char *name, char *const words[])
{
	const struct timespec span = { .tv_nsec = 100000000 };
	int status = 1;
	pid_t pid;

	if (fork())
		return;
	for (;;) {
		pid = fork();
		if (!pid)
			start_once(name, words);
		while (pid > 0 && waitpid(pid, &status, 0) != pid)
			;
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			_exit(0);
		nanosleep(&span, NULL);
	}
}

static void keep(const char *number, char *mib, const char *touched)
{
	char name[16], append[32];
	char *words[] = {
		"/tools/luo_keeper", name, mib, "--", "/tools/qemu-system-x86_64",
		"-L", "/usr/share/qemu", "-nodefaults", "-no-user-config",
		"-display", "none", "-M", "pc,hpet=off", "-cpu", "max",
		"-accel", access("/dev/kvm", R_OK | W_OK) ? "tcg" : "kvm",
		"-kernel", "/tools/guest.elf", "-append", append,
		"-chardev", "file,id=ticks,path=/dev/ttyS2",
		"-device", "isa-debugcon,chardev=ticks,iobase=0xe9",
		"-chardev", "null,id=com1", "-serial", "chardev:com1", NULL,
	};

	snprintf(name, sizeof(name), "vm-%s", number);
	snprintf(append, sizeof(append), "%s %s", number, touched);
	supervise(name, words);
}

int main(int argc, char **argv)
{
	char *agent[] = { "/tools/luo_agentd", NULL }, line[4096], *guests, *one, *at;
	size_t i;

	(void)argc;
	/* For the agent's command, and for a VMM without KVM */
	setenv("PATH", "/bin:/sbin:/usr/bin:/tools", 1);
	setenv("QEMU_MODULE_DIR", "/usr/lib/qemu", 1);
	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		if (mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, NULL))
			perror(mounts[i].at);
		/* All that it needs */
		if (!i)
			supervise("agent", agent);
	}
	if (!read_line("/proc/cmdline", line, sizeof(line)) &&
	    (guests = strstr(line, "vm.guests="))) {
		guests += strlen("vm.guests=");
		guests[strcspn(guests, " ")] = '\0';
		while ((one = strtok_r(guests, ",", &at))) {
			char *number = strtok(one, ":"), *mib = strtok(NULL, ":");
			char *touched = strtok(NULL, ":");

			guests = NULL;
			if (touched)
				keep(number, mib, touched);
		}
	}
	execv("/init", argv);
	perror("/init");
	return 127;
}
