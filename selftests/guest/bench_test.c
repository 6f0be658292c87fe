// SPDX-License-Identifier: GPL-2.0

/*
 * The cost of tracing: a session of FILES test files is frozen and cancelled repeatedly,
 * alternately with luotrace latency attached and without it.
 * Prints JSON.
 *
 *	bench_test FILES ROUNDS
 */

#include "luo_test.h"

#include <bpf/bpf.h>
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* The duration of a freeze; the session is normal before and after it. */
static uint64_t freeze_ns(int session)
{
	uint64_t ns;

	must(!event(session, true, LIVEUPDATE_PREPARE), "prepare");
	ns = now_ns();
	must(!event(session, true, LIVEUPDATE_FREEZE), "freeze");
	ns = now_ns() - ns;
	must(!event(session, true, LIVEUPDATE_CANCEL), "cancel");
	return ns;
}

static pid_t attach(void)
{
	char text[256] = "";
	size_t used = 0;
	int pipes[2];
	ssize_t n;
	pid_t pid;

	must(!pipe(pipes), "pipe");
	pid = fork();
	if (!pid) {
		dup2(pipes[1], 2);
		must(freopen("/dev/null", "w", stdout), "/dev/null");
		execlp("luotrace", "luotrace", "latency", NULL);
		_exit(1);
	}
	close(pipes[1]);
	while (!strstr(text, "tracing") &&
	       (n = read(pipes[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += n;
	must(pid > 0 && strstr(text, "tracing"), text);
	close(pipes[0]);
	return pid;
}

/* The loaded BPF programs, with their instructions, runs and time. */
static json_t *programs(void)
{
	json_t *all = json_array();
	struct bpf_prog_info info;
	__u32 id = 0, len;
	int fd;

	while (!bpf_prog_get_next_id(id, &id)) {
		fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    !strncmp(info.name, "on_", 3))
			json_array_append_new(all,
				json_pack("{ss, sI, sI, sI, sI}",
					  "name", info.name, "instructions",
					  (json_int_t)info.xlated_prog_len / 8,
					  "verified",
					  (json_int_t)info.verified_insns,
					  "runs", (json_int_t)info.run_cnt,
					  "ns", (json_int_t)info.run_time_ns));
		close(fd);
	}
	return all;
}

int main(int argc, char **argv)
{
	json_t *without = json_array(), *with = json_array(), *progs = NULL;
	int dev = open_device(), session, files, rounds, i, status;
	pid_t pid;

	must(argc == 3 && dev >= 0, "usage: bench_test FILES ROUNDS");
	files = atoi(argv[1]);
	rounds = atoi(argv[2]);
	session = create(dev, "bench");
	for (i = 0; i < files; i++) {
		int fd = test_file(i + 1);

		must(fd >= 0 && !preserve(session, fd, i), "preserve");
		close(fd);
	}
	freeze_ns(session);
	for (i = 0; i < rounds; i++) {
		json_array_append_new(without, json_integer(freeze_ns(session)));
		pid = attach();
		json_array_append_new(with, json_integer(freeze_ns(session)));
		/* The time of each program is counted in the last round only, as this costs, too. */
		if (i == rounds - 1) {
			int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);

			freeze_ns(session);
			progs = programs();
			close(stats);
		}
		kill(pid, SIGINT);
		must(waitpid(pid, &status, 0) == pid && !status, "luotrace");
	}
	json_dumpf(json_pack("{si, so, so, so}", "files", files, "detached_ns",
			     without, "attached_ns", with, "programs", progs),
		   stdout, JSON_INDENT(1));
	putchar('\n');
	return 0;
}
