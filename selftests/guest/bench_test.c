// SPDX-License-Identifier: GPL-2.0

/*
 * The cost of tracing: a session of FILES test files is frozen and cancelled repeatedly,
 * with nothing attached and with each of some commands of luotrace in turn.
 * Prints JSON.
 *
 *	bench_test FILES ROUNDS
 */

#include "bench_luotrace.h"

#include <time.h>

/* The last one is the one whose programs are shown. */
static const struct {
	const char *name;
	char *argv[4];
} commands[] = {
	{ "nothing", { NULL } },
	{ "audit --watch", { "luotrace", "audit", "--watch", NULL } },
	{ "trace --errors", { "luotrace", "trace", "--errors", NULL } },
	{ "latency", { "luotrace", "latency", NULL } },
};

#define NR_COMMANDS	((int)(sizeof(commands) / sizeof(commands[0])))

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

/* The programs that run in a freeze. Their time is counted in it alone, as this costs, too. */
static json_t *programs_of_freeze(int session)
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	json_t *all;

	freeze_ns(session);
	all = programs();
	close(stats);
	return all;
}

static void round_of(int session, json_t *frozen[], json_t **progs)
{
	pid_t pid;
	int i;

	for (i = 0; i < NR_COMMANDS; i++) {
		pid = commands[i].argv[0] ? attach("tracing", commands[i].argv) : 0;
		json_array_append_new(frozen[i], json_integer(freeze_ns(session)));
		if (progs && i == NR_COMMANDS - 1)
			*progs = programs_of_freeze(session);
		if (pid)
			detach(pid);
	}
}

int main(int argc, char **argv)
{
	json_t *frozen[NR_COMMANDS], *by_command = json_object(), *progs = NULL;
	int dev = open_device(), session, files, rounds, i;

	must(argc == 3 && dev >= 0, "usage: bench_test FILES ROUNDS");
	files = atoi(argv[1]);
	rounds = atoi(argv[2]);
	for (i = 0; i < NR_COMMANDS; i++) {
		frozen[i] = json_array();
		json_object_set_new(by_command, commands[i].name, frozen[i]);
	}
	session = create(dev, "bench");
	for (i = 0; i < files; i++) {
		int fd = test_file(i + 1);

		must(fd >= 0 && !preserve(session, fd, i), "preserve");
		close(fd);
	}
	freeze_ns(session);
	for (i = 0; i < rounds; i++)
		round_of(session, frozen, i == rounds - 1 ? &progs : NULL);
	json_dumpf(json_pack("{si, so, so}", "files", files, "freeze_ns", by_command,
			     "programs", progs), stdout, JSON_INDENT(1));
	putchar('\n');
	return 0;
}
