// SPDX-License-Identifier: GPL-2.0

/*
 * The leak tests: each kind of leak is caused on purpose, one at a time; luotrace audit,
 * started afterwards, must report exactly that one, and be clean after the cure. A second
 * luotrace watches all the time.
 *
 *	leak_test hold N	create what live update N hands over, hold it
 *	leak_test flood		drop a session more often than a buffer has room, then
 *				another one
 *	leak_test N		leaks after live update N, as TAP
 */

#include "luo_test.h"
#include "luo_json.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define AUDIT		"luotrace audit "
#define WATCH_OUT	"/tmp/watch.json"
#define EXEC_OUT	"/tmp/exec.out"
#define RECORDER	"/sys/kernel/liveupdate/recorder"
#define FILE_TOKEN	56	/* offset in the record of a file */
#define MEMFD_BYTES	(8 << 20)
#define FLOOD		6000	/* events, more than audit --watch has room for */

static size_t watched;	/* leaks that the watching audit has reported so far */

/* Run luotrace audit. Returns its JSON. */
static json_t *run(const char *args, int *code)
{
	char command[256];
	int status;

	snprintf(command, sizeof(command),
		 AUDIT "--json %s > /tmp/audit.json 2> /tmp/audit.err", args);
	status = system(command);
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return json_load_file("/tmp/audit.json", 0, NULL);
}

/* An audit has one finding, of that class and session, or none if these are NULL. */
static void finds(const char *args, const char *class, const char *session)
{
	json_t *root, *findings, *one;
	char line[256] = "", want[64];
	int code;
	FILE *f;

	root = run(args, &code);
	findings = json_object_get(root, "findings");
	one = json_array_get(findings, 0);
	check(root && json_array_size(findings) == (class ? 1 : 0) &&
	      code == (class ? 1 : 0) &&
	      json_is_true(json_object_get(root, "clean")) == !class &&
	      (!class || (!strcmp(text(one, "class"), class) &&
			  !strcmp(text(one, "session"), session))),
	      "audit %s: %s %s (%zu findings, first %s %s, code %d)", args,
	      class ?: "clean", session ?: "", json_array_size(findings),
	      text(one, "class"), text(one, "session"), code);
	if (class && one)
		printf("# %s\n", text(one, "text"));
	json_decref(root);

	/* The first line of the text has the same verdict. */
	snprintf(line, sizeof(line), AUDIT "--no-color %s 2>&1", args);
	f = popen(line, "r");
	if (!f || !fgets(line, sizeof(line), f))
		line[0] = '\0';
	pclose(f);
	snprintf(want, sizeof(want), "LEAK: 1 finding: 1 %s", class ?: "");
	check(!strncmp(line, class ? want : "clean", strlen(class ? want : "clean")),
	      "the verdict is: %.*s", (int)strcspn(line, "\n"), line);
}

/* The leak of that number that the watching audit has found by an event, or NULL. */
static json_t *watched_leak(size_t nr)
{
	FILE *f = fopen(WATCH_OUT, "r");
	json_t *line;

	while (f && (line = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL))) {
		if (!strcmp(text(line, "event"), "leak") &&
		    strcmp(text(line, "found_by"), "audit") && !nr--) {
			fclose(f);
			return line;
		}
		json_decref(line);
	}
	if (f)
		fclose(f);
	return NULL;
}

/* The watching audit reports this leak, and no other one. */
static void is_watched(const char *class, const char *session)
{
	json_t *leak = NULL;
	int i;

	for (i = 0; i < 50 && !leak; i++) {
		leak = watched_leak(watched);
		if (!leak)
			usleep(100000);
	}
	check(leak && !strcmp(text(leak, "class"), class) &&
	      !strcmp(text(leak, "session"), session) &&
	      !watched_leak(watched + 1),
	      "watch: %s %s (it said %s %s)", class, session,
	      text(leak, "class"), text(leak, "session"));
	watched++;
	json_decref(leak);
}

static void hold_first(int dev)
{
	static const char *const plain[] = { "unclaimed", "dropped", "killed" };
	int s, t;
	size_t i;

	for (i = 0; i < 3; i++) {
		s = create(dev, plain[i]);
		must(!preserve(s, memfd(MEMFD_BYTES, i), 1) &&
		     !preserve(s, test_file(i), 2), plain[i]);
	}
	s = create(dev, "partial");
	for (i = 1; i <= 3; i++)
		must(!preserve(s, test_file(i), i), "partial");
	s = create(dev, "fails");
	t = test_file(1);
	test_set(t, LIVEUPDATE_TEST_RETRIEVE, EIO, 0);
	must(!preserve(s, t, 5) && !preserve(s, test_file(2), 6), "fails");
	s = create(dev, "busy");
	t = test_file(1);
	/* Settings survive the live update; the first call fails. */
	test_set(t, LIVEUPDATE_TEST_CAN_FINISH, EBUSY, 1);
	must(!preserve(s, t, 7), "busy");
	must(!load_module(LATE_MODULE, ""), LATE_MODULE);
	s = create(dev, "late");
	must(!preserve(s, open(LATE_DEVICE, O_RDWR), 8), "late");
}

static void hold_second(int dev)
{
	struct liveupdate_test_damage damage = {
		.size = sizeof(damage), .where = LIVEUPDATE_TEST_FILE,
		.session = 1, .index = 1, .offset = FILE_TOKEN, .len = 8,
		.value = 0x0101010101010101,
	};
	int s = create(dev, "whole"), t = test_file(1);

	must(!preserve(s, test_file(1), 1), "whole");
	s = create(dev, "spoiled");
	must(!preserve(s, test_file(2), 0x0101010101010101), "spoiled");
	must(!preserve(s, test_file(3), 2), "spoiled");
	/* The first file's token: if nothing proved the record, this were a duplicate. */
	must(!call(t, LIVEUPDATE_TEST_DAMAGE, &damage), "damage");
}

enum { UNCLAIMED, DROPPED, KILLED, PARTIAL, FAILS, BUSY, LATE, NR_SESSIONS };

static const char *const names[] = {
	[UNCLAIMED] = "unclaimed", [DROPPED] = "dropped", [KILLED] = "killed",
	[PARTIAL] = "partial", [FAILS] = "fails", [BUSY] = "busy",
	[LATE] = "late",
};

/* A session that is finished is no leak. */
static void cure(int *held, int which)
{
	must(!finish(held[which]), names[which]);
	close(held[which]);
	finds("", NULL, NULL);
}

static void agent_is_killed(int dev, int *held)
{
	int pipefd[2], s;
	pid_t pid;
	char c;

	/* The process that is killed has the only descriptor. */
	must(!finish(held[DROPPED]), "dropped");
	close(held[DROPPED]);
	must(!pipe(pipefd), "pipe");
	pid = fork();
	if (!pid) {
		s = claim(dev, names[KILLED]);
		c = s >= 0 && retrieve(s, 1) >= 0;
		if (write(pipefd[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	must(read(pipefd[0], &c, 1) == 1 && c, "the other agent");
	finds("", NULL, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	is_watched("dropped", "killed");
	finds("", "dropped", "killed");
	held[KILLED] = claim(dev, names[KILLED]);
	must(held[KILLED] >= 0, "killed again");
	s = retrieve(held[KILLED], 1);
	check(memfd_intact(s, MEMFD_BYTES, KILLED), "every byte is intact");
	cure(held, KILLED);
}

/* An unknown session has no findings, and is not clean. */
static void finds_no_session(const char *args)
{
	int code;
	json_t *root = run(args, &code);

	check(code == 2 && json_is_false(json_object_get(root, "clean")) &&
	      json_is_false(json_object_get(root, "session_found")),
	      "audit %s: no such session (code %d)", args, code);
	json_decref(root);
}

static void first(int dev)
{
	int held[NR_SESSIONS] = {}, i;

	/* The module of a handler and a subsystem is not loaded. */
	finds("-s late", "no-handler", "late");
	finds("-s luo-late", "refused", "luo-late");
	finds_no_session("-s lat");
	held[LATE] = claim(dev, names[LATE]);
	finds("-s late", "no-handler", "late");
	check(retrieve(held[LATE], 8) == -ENOENT, "no handler");
	is_watched("no-handler", "late");
	must(!load_module(LATE_MODULE, ""), LATE_MODULE);
	must(retrieve(held[LATE], 8) >= 0, "late");

	finds("--max-age 10000", NULL, NULL);
	for (i = 1; i < LATE; i++) {
		held[i] = claim(dev, names[i]);
		must(held[i] >= 0, names[i]);
	}
	/* Another process claims "killed". */
	close(held[KILLED]);
	is_watched("dropped", "killed");
	held[KILLED] = claim(dev, names[KILLED]);

	finds("", "unclaimed", "unclaimed");
	held[UNCLAIMED] = claim(dev, names[UNCLAIMED]);
	finds("", NULL, NULL);
	sleep(2);
	finds("--max-age 1 -s unclaimed", "unfinished", "unclaimed");
	finds("--max-age 10000", NULL, NULL);
	cure(held, UNCLAIMED);

	must(retrieve(held[DROPPED], 1) >= 0 && retrieve(held[DROPPED], 2) >= 0,
	     "dropped");
	close(held[DROPPED]);
	is_watched("dropped", "dropped");
	finds("", "dropped", "dropped");
	held[DROPPED] = claim(dev, names[DROPPED]);
	finds("", NULL, NULL);

	close(held[KILLED]);
	is_watched("dropped", "killed");
	agent_is_killed(dev, held);

	must(retrieve(held[PARTIAL], 2) >= 0, "partial");
	close(held[PARTIAL]);
	is_watched("dropped", "partial");
	finds("", "dropped", "partial");
	held[PARTIAL] = claim(dev, names[PARTIAL]);
	must(retrieve(held[PARTIAL], 1) >= 0 && retrieve(held[PARTIAL], 3) >= 0,
	     "partial");
	cure(held, PARTIAL);

	check(retrieve(held[FAILS], 5) == -EIO, "a retrieve fails");
	is_watched("failed", "fails");
	check(retrieve(held[FAILS], 5) == -EIO, "and again");
	finds("", "failed", "fails");
	cure(held, FAILS);

	check(finish(held[BUSY]) == -EBUSY, "FINISH fails");
	is_watched("unfinished", "busy");
	finds("", "unfinished", "busy");
	cure(held, BUSY);
	cure(held, LATE);
}

/* The leak that matters happens when the buffer of the watching audit is full. */
static int flood(int dev)
{
	int i, s;

	for (i = 0; i < FLOOD; i++) {
		s = claim(dev, "whole");
		must(s >= 0, "whole");
		close(s);
	}
	s = claim(dev, "spoiled");
	must(s >= 0, "spoiled");
	close(s);
	return 0;
}

static void second(int dev)
{
	int whole = claim(dev, "whole"), spoiled = claim(dev, "spoiled");

	must(whole >= 0 && spoiled >= 0, "claim");
	must(!load_module(LATE_MODULE, ""), LATE_MODULE);
	finds("", "refused", "spoiled");
	must(!finish(spoiled), "spoiled");
	finds("-s whole", NULL, NULL);
}

static void third(int dev)
{
	(void)dev;
	must(!load_module(LATE_MODULE, ""), LATE_MODULE);
	finds("", "given-up", "whole");
}

/* Run a luotrace that may use BPF but cannot read a file without permissions. */
static int without_the_record(const char *command, const char *option)
{
	int status;

	fflush(stdout);
	if (!fork()) {
		must(!prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) &&
		     !prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH), "prctl");
		must(freopen("/dev/null", "w", stdout), "/dev/null");
		execlp("luotrace", "luotrace", command, option, NULL);
		_exit(127);
	}
	wait(&status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fourth(int dev)
{
	(void)dev;
	must(!load_module(LATE_MODULE, ""), LATE_MODULE);
	finds("", NULL, NULL);

	must(!chmod(RECORDER, 0), RECORDER);
	check(without_the_record("audit", NULL) == 3,
	      "an audit that cannot read the recorder is not clean");
	check(without_the_record("metrics", NULL) == 3, "and writes no metrics");
	check(without_the_record("latency", "-d1") == 0, "latency works without the recorder");
	must(!chmod(RECORDER, 0400), RECORDER);
}

/* The command runs for each leak, including those from before it started. */
static void watch_ran_its_command(void)
{
	FILE *lines = fopen(WATCH_OUT, "r"), *f = fopen(EXEC_OUT, "r");
	char class[32], session[64];
	size_t n = 0, same = 0, ran = 0;
	json_t *line;

	while (lines && (line = json_loadf(lines, JSON_DISABLE_EOF_CHECK, NULL))) {
		if (!strcmp(text(line, "event"), "leak")) {
			n++;
			if (f && fscanf(f, "%31s %63s", class, session) == 2) {
				ran++;
				same += !strcmp(text(line, "class"), class) &&
					!strcmp(text(line, "session"), session);
			}
		}
		json_decref(line);
	}
	if (lines)
		fclose(lines);
	if (f)
		fclose(f);
	check(n > watched && ran == n && same == n,
	      "exec ran for each of %zu leaks, %zu of them from events", n, watched);
}

int main(int argc, char **argv)
{
	static void (*const labs[])(int dev) = { first, second, third, fourth };
	bool hold = argc == 3 && !strcmp(argv[1], "hold");
	int nr = argc > 1 ? atoi(argv[argc - 1]) : 0;
	int dev = open_device();

	if (argc == 2 && !strcmp(argv[1], "flood"))
		return flood(dev);
	must(dev >= 0 && nr >= 1 && nr <= 4, "usage: leak_test flood | [hold] 1..4");
	if (hold) {
		if (nr == 1)
			hold_first(dev);
		else if (nr == 2)
			hold_second(dev);
		hold_until_kexec();
	}
	puts("KTAP version 1");
	labs[nr - 1](dev);
	if (nr == 1)
		watch_ran_its_command();
	return end_tests();
}
