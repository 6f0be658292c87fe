// SPDX-License-Identifier: GPL-2.0

/*
 * Thousands of leaks make a few lines in the kernel log.
 *
 *	flood_test hold		before a live update
 *	flood_test		after it, as TAP
 */

#include "luo_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CLAIMED		3000
#define UNCLAIMED	300
#define ORPHANS		400
#define LINES		10	/* of one kind; the log may be written meanwhile */
#define NAMES		3	/* of those that a line is about */


static const char *name_of(const char *kind, int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s-%04d", kind, i);
	return name;
}

/* The lines of the kernel log since it was last read. */
struct lines {
	int fd;
	int nr;
	long reported;	/* objects that they are about */
};

static long reported_in(const char *line)
{
	const char *all = strstr(line, " in all)"), *at;
	long names = 0;

	if (all) {
		while (all > line && all[-1] >= '0' && all[-1] <= '9')
			all--;
		return atol(all);
	}
	for (at = line; (at = strchr(at, '\'')); at++)
		names++;
	return names / 2;
}

static void read_lines(struct lines *l, const char *what)
{
	char line[8192];
	ssize_t n;

	while ((n = read(l->fd, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		/* Too many lines have overwritten older ones. */
		if (n < 0) {
			l->nr += CLAIMED;
			continue;
		}
		line[n] = '\0';
		if (!strstr(line, what))
			continue;
		l->nr++;
		l->reported += reported_in(line);
		if (l->nr <= 3)
			printf("# %.*s\n", (int)strcspn(line, "\n"), line);
	}
}

/* A few lines report @nr objects. */
static void is_reported(struct lines *from, const char *what, long nr)
{
	struct lines l = { .fd = dup(from->fd) };
	int i, fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	dup2(fd, l.fd);
	close(fd);
	for (i = 0; i < 300 && l.reported < nr; i++) {
		read_lines(&l, what);
		usleep(100000);
	}
	read_lines(&l, what);
	check(l.nr <= LINES, "%s (%d)", what, l.nr);
	check(l.reported == nr, "all of them are reported (%ld)", l.reported);
	close(l.fd);
}

static void more_descriptors(void)
{
	struct rlimit many = { 2 * CLAIMED, 2 * CLAIMED };

	must(!setrlimit(RLIMIT_NOFILE, &many), "setrlimit");
}

static void hold(int dev)
{
	int fd, s, i;

	for (i = 0; i < CLAIMED; i++)
		must(create(dev, name_of("claimed", i)) >= 0, "claimed");
	for (i = 0; i < UNCLAIMED; i++)
		must(create(dev, name_of("unclaimed", i)) >= 0, "unclaimed");
	must(!load_module(LATE_MODULE, ""), LATE_MODULE);
	s = create(dev, "orphans");
	for (i = 0; i < ORPHANS; i++) {
		fd = open(LATE_DEVICE, O_RDWR);
		must(!preserve(s, fd, i), "orphans");
		close(fd);
	}
	hold_until_kexec();
}

static void agent_is_killed(int dev)
{
	int ready[2], i;
	pid_t pid;
	char c;

	must(!pipe(ready), "pipe");
	pid = fork();
	if (!pid) {
		for (i = 0; i < CLAIMED; i++)
			must(claim(dev, name_of("claimed", i)) >= 0, "claim");
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	must(read(ready[0], &c, 1) == 1, "the other agent");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	struct lines log = { .fd = open("/dev/null", O_RDONLY) };
	int dev = open_device();

	must(dev >= 0, DEVICE);
	more_descriptors();
	if (argc == 2 && !strcmp(argv[1], "hold"))
		hold(dev);
	puts("KTAP version 1");
	agent_is_killed(dev);
	is_reported(&log, "closed without finish", CLAIMED);
	/* "orphans" is discarded too. */
	must(!event(dev, false, LIVEUPDATE_FINISH), "finish");
	is_reported(&log, "discarded", CLAIMED + UNCLAIMED + 1);
	is_reported(&log, "no-handler", ORPHANS);
	return end_tests();
}
