/* SPDX-License-Identifier: GPL-2.0 */

/* What benchmarks share: luotrace in the background, and what its BPF programs cost. */

#ifndef BENCH_LUOTRACE_H
#define BENCH_LUOTRACE_H

#include "luo_test.h"

#include <bpf/bpf.h>
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>

/* Run luotrace until it says this. */
static inline pid_t attach(const char *says, char *const argv[])
{
	char text[4096] = "";
	size_t used = 0;
	int pipes[2];
	ssize_t n;
	pid_t pid;

	must(!pipe(pipes), "pipe");
	pid = fork();
	if (!pid) {
		dup2(pipes[1], 2);
		must(freopen("/dev/null", "w", stdout), "/dev/null");
		execvp("luotrace", argv);
		_exit(1);
	}
	close(pipes[1]);
	while (!strstr(text, says) &&
	       (n = read(pipes[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += n;
	must(pid > 0 && strstr(text, says), text);
	/* Not closed: it can have more to say. */
	return pid;
}

static inline void detach(pid_t pid)
{
	int status;

	kill(pid, SIGINT);
	must(waitpid(pid, &status, 0) == pid && !status, "luotrace");
}

/* The loaded BPF programs that ran, with their instructions, runs and time. */
static inline json_t *programs(void)
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
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.run_cnt)
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

#endif
