// SPDX-License-Identifier: GPL-2.0

/*
 * The resources that a tracing tool needs. Prints a line of JSON.
 *
 *	tool_test start COMMAND...	how long COMMAND runs, in ns
 *	tool_test load SETTLE COMMAND...	start COMMAND, wait SETTLE seconds,
 *		then measure it while nothing happens, and while handlers are
 *		called 50,000 times a second, which is 100,000 events; the same
 *		load first without COMMAND
 */

#include "luo_test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define FILES	625	/* calls of a round: 4 for each, prepare to cancel */
#define ROUND	50000000ULL	/* ns from one round to the next */
#define SECONDS	5

/* The resources of a tool. */
struct taken {
	long cpu_ms;
	long rss_kib;
};

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (!pid) {
		must(freopen("/tmp/tool.out", "w", stdout) &&
		     freopen("/tmp/tool.err", "w", stderr), "output");
		execvp(*command, command);
		_exit(127);
	}
	must(pid > 0, "fork");
	return pid;
}

static void end(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	     !WEXITSTATUS(status), "the tool failed");
}

static struct taken look(pid_t pid)
{
	struct taken taken = { 0 };
	unsigned long user, system;
	char path[64];
	long pages;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	must(f && fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			 &user, &system) == 2, path);
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	f = fopen(path, "r");
	must(f && fscanf(f, "%*d %ld", &pages) == 1, path);
	fclose(f);
	taken.cpu_ms = (user + system) * 1000 / sysconf(_SC_CLK_TCK);
	taken.rss_kib = pages * sysconf(_SC_PAGESIZE) / 1024;
	return taken;
}

static int fill(void)
{
	int dev = open_device(), session = create(dev, "tool"), i, fd;

	must(session >= 0, "create");
	for (i = 0; i < FILES; i++) {
		fd = test_file(i + 1);
		must(fd >= 0 && !preserve(session, fd, i), "preserve");
		close(fd);
	}
	return session;
}

/* ns in the calls, of all rounds. */
static uint64_t load(int session)
{
	uint64_t busy = 0, begun, next = now_ns(), last = next + SECONDS * 1000000000ULL;

	for (; next < last; next += ROUND) {
		struct timespec until = { next / 1000000000, next % 1000000000 };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		begun = now_ns();
		must(!event(session, true, LIVEUPDATE_PREPARE) &&
		     !event(session, true, LIVEUPDATE_FREEZE) &&
		     !event(session, true, LIVEUPDATE_CANCEL), "round");
		busy += now_ns() - begun;
	}
	return busy;
}

static void measure(char **argv)
{
	struct taken settled, idle, loaded;
	uint64_t without, with, took;
	int session = fill();
	pid_t pid;

	load(session);
	without = load(session);
	pid = start(argv + 1);
	sleep(atoi(argv[0]));
	settled = look(pid);
	sleep(SECONDS);
	idle = look(pid);
	took = now_ns();
	with = load(session);
	took = now_ns() - took;
	loaded = look(pid);
	kill(pid, SIGINT);
	end(pid);
	printf("{\"seconds\": %d, \"events\": %llu, \"took_ns\": %llu, \"idle_cpu_ms\": %ld, \"load_cpu_ms\": %ld, \"rss_kib\": %ld, \"busy_ns\": %llu, \"busy_without_ns\": %llu}\n",
	       SECONDS, SECONDS * 1000000000ULL / ROUND * FILES * 8,
	       (unsigned long long)took, idle.cpu_ms - settled.cpu_ms,
	       loaded.cpu_ms - idle.cpu_ms, loaded.rss_kib,
	       (unsigned long long)with, (unsigned long long)without);
}

int main(int argc, char **argv)
{
	uint64_t begun;

	if (argc > 3 && !strcmp(argv[1], "load")) {
		measure(argv + 2);
		return 0;
	}
	must(argc > 2 && !strcmp(argv[1], "start"), "usage");
	begun = now_ns();
	end(start(argv + 2));
	printf("{\"ns\": %llu}\n", (unsigned long long)(now_ns() - begun));
	return 0;
}
