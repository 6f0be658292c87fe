// SPDX-License-Identifier: GPL-2.0

/*
 * The cost of tracing: a session of FILES test files is frozen and cancelled repeatedly,
 * alternately with luotrace latency attached and without it.
 * Prints JSON.
 *
 *	bench_test FILES ROUNDS
 */

#include "bench_luotrace.h"

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

int main(int argc, char **argv)
{
	json_t *without = json_array(), *with = json_array(), *progs = NULL;
	int dev = open_device(), session, files, rounds, i;
	char *const latency[] = { "luotrace", "latency", NULL };
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
		pid = attach("tracing", latency);
		json_array_append_new(with, json_integer(freeze_ns(session)));
		/* The time of each program is counted in the last round only, as this costs, too. */
		if (i == rounds - 1) {
			int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);

			freeze_ns(session);
			progs = programs();
			close(stats);
		}
		detach(pid);
	}
	json_dumpf(json_pack("{si, so, so, so}", "files", files, "detached_ns",
			     without, "attached_ns", with, "programs", progs),
		   stdout, JSON_INDENT(1));
	putchar('\n');
	return 0;
}
