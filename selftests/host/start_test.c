// SPDX-License-Identifier: GPL-2.0

/*
 * What the agent waited for while user space started, from a systemctl and a /proc that
 * are made here. Prints TAP.
 */

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "start_chain.h"
#include "start_procs.h"
#include "systemctl.h"
#include "../tap.h"

#define MS	1000000ULL

static char dir[] = "/tmp/start-test-XXXXXX";
static struct start_item items[START_CHAIN_ITEMS];
static const char *why;
static int nr;

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		perror(path);
}

/* A systemctl that answers from two files, and complains of what it is not asked. */
static void put_systemctl(const char *more)
{
	char script[1024], path[128];

	snprintf(script, sizeof(script), "#!/bin/sh\n%s\n"
		 "[ \"$1 $2\" = '--no-pager show' ] || exit 9\n"
		 "case \"$*\" in\n"
		 "*UserspaceTimestampMonotonic*) exec cat %s/manager ;;\n"
		 "*' --all -- *') exec cat %s/units ;;\n"
		 "esac\nexit 9\n", more, dir, dir);
	put("systemctl", script);
	snprintf(path, sizeof(path), "%s/systemctl", dir);
	chmod(path, 0700);
}

static void ask(const char *agent, uint64_t opened_ms)
{
	nr = start_chain_items(100 * MS, opened_ms * MS, agent, items, &why);
}

static void show(void)
{
	int i;

	for (i = 0; i < nr; i++)
		printf("# %llu to %llu us: %s\n", (unsigned long long)items[i].from / 1000,
		       (unsigned long long)items[i].to / 1000, items[i].text);
	if (why)
		printf("# unknown: %s\n", why);
}

static void has(const char *text, uint64_t from, uint64_t to)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(items[i].text, text))
			break;
	}
	if (!check(i < nr && items[i].from == from * MS && items[i].to == to * MS,
		   "%llu to %llu ms: %s", (unsigned long long)from, (unsigned long long)to,
		   text))
		show();
}

/* Whether the items fill the time from init to @until, each ns once. */
static void fills(uint64_t until_ms, const char *what)
{
	uint64_t sum = 0;
	bool apart = true;
	int i, k;

	for (i = 0; i < nr; i++) {
		sum += items[i].to - items[i].from;
		for (k = 0; k < i; k++)
			apart &= items[k].from >= items[i].to ||
				 items[k].to <= items[i].from;
	}
	if (!check(apart && sum == (until_ms - 100) * MS, "%s", what))
		show();
}

#define MANAGER								\
	"UserspaceTimestampMonotonic=300000\n"				\
	"InitRDTimestampMonotonic=0\n"					\
	"GeneratorsStartTimestampMonotonic=340000\n"			\
	"GeneratorsFinishTimestampMonotonic=400000\n"			\
	"UnitsLoadStartTimestampMonotonic=400000\n"			\
	"UnitsLoadFinishTimestampMonotonic=450000\n"

/* Id, After, then stamps in ms: begin, active, ended, main process. */
#define UNIT(_id, _after, _begin, _active, _ended, _main)		\
	"Id=" _id "\nAfter=" _after "\n"					\
	"InactiveExitTimestampMonotonic=" #_begin "000\n"		\
	"ActiveEnterTimestampMonotonic=" #_active "000\n"		\
	"InactiveEnterTimestampMonotonic=" #_ended "000\n"		\
	"ExecMainStartTimestampMonotonic=" #_main "000\n\n"

static const char units[] =
	UNIT("agent.service",
	     "basic.target setup.service late.service none.service gone.service",
	     1400, 1900, 0, 1450)
	UNIT("late.service", "", 500, 3000, 0, 500)
	UNIT("setup.service", "disk.service basic.target", 900, 0, 1390, 900)
	UNIT("basic.target", "disk.service", 860, 860, 0, 0)
	UNIT("disk.service", "-.mount system.slice", 470, 850, 0, 480)
	UNIT("-.mount", "", 455, 455, 0, 0)
	UNIT("system.slice", "-.slice", 455, 455, 0, 0)
	UNIT("-.slice", "", 455, 455, 0, 0)
	UNIT("none.service", "", 0, 0, 0, 0)
	UNIT("other.service", "agent.service", 1500, 1600, 0, 1500);

static void test_chain(void)
{
	put("manager", MANAGER);
	put("units", units);
	put_systemctl("");
	ask("agent.service", 1700);
	check(!why, "the chain is known");
	has("before systemd: an initrd, or its start", 100, 300);
	has("systemd itself, before generators", 300, 340);
	has("generators of systemd", 340, 400);
	has("systemd loads its units", 400, 450);
	has("disk.service", 470, 850);
	/* Of a unit that is never active, when it was done. */
	has("setup.service", 900, 1390);
	has("after setup.service, before agent.service", 1390, 1400);
	has("agent.service, before its main process", 1400, 1450);
	has("agent.service, until it opened the device", 1450, 1700);
	fills(1700, "the items fill the phase, each moment once");

	ask("agent.service", 1430);
	has("agent.service, until it opened the device", 1400, 1430);
	ask("disk.service", 1430);
	has("disk.service, until it opened the device", 480, 1430);
	ask("agent.service", 350);
	check(nr == 3 && !why, "a device that is opened before units are loaded");
	fills(350, "what is before that is all");
}

static void test_initrd(void)
{
	put("manager", "InitRDTimestampMonotonic=150000\n" MANAGER);
	ask("agent.service", 1700);
	/* The second of two lines is 0. */
	has("before systemd: an initrd, or its start", 100, 300);
	put("manager", MANAGER "InitRDTimestampMonotonic=150000\n");
	ask("agent.service", 1700);
	has("before systemd in the initrd", 100, 150);
	has("the initrd, until its systemd ended", 150, 300);
	fills(1700, "an initrd with systemd");
	put("manager", MANAGER);
}

static void unknown(const char *agent, uint64_t opened_ms, const char *want)
{
	ask(agent, opened_ms);
	if (!check(why && strstr(why, want), "unknown: %s", want))
		show();
}

static void test_unknown(void)
{
	unknown("", 1700, "nobody saw which unit opened the device");
	fills(450, "what systemd itself took is known even then");
	unknown("missing.service", 1700, "does not know the unit");
	unknown("none.service", 1700, "does not know the unit");
	unknown("other.service", 1450, "started again since");
	ask("", 460);
	has("systemd itself, until it opened the device", 450, 460);
	check(!why, "nobody else can have opened it then");
	ask("init.scope", 1000);
	has("systemd itself, until it opened the device", 450, 1000);
}

static void test_failing(void)
{
	char path[4096];

	put_systemctl("exit 1");
	unknown("agent.service", 1700, "it failed");
	check(!nr, "nothing is made up");
	put_systemctl("kill -9 $$");
	unknown("agent.service", 1700, "it failed");
	put_systemctl("exec sleep 60");
	unknown("agent.service", 1700, "it does not answer");
	put_systemctl("exec >&-; exec sleep 60");
	unknown("agent.service", 1700, "it failed");
	put_systemctl("exec cat /dev/zero");
	unknown("agent.service", 1700, "it does not answer");
	snprintf(path, sizeof(path), "%s", getenv("PATH"));
	setenv("PATH", "/nonexistent", 1);
	unknown("agent.service", 1700, strerror(ENOENT));
	setenv("PATH", path, 1);
	put_systemctl("");
	put("units", "");
	unknown("agent.service", 1700, "does not know the unit");
	put("manager", "");
	unknown("agent.service", 1700, "does not know the unit");
	check(!nr, "no stamps: nothing is known");
	put("manager", MANAGER);
}

/* Each unit is after the one before, and others that are ready at the same time. */
static void test_large(void)
{
	char *text = malloc(4 << 20), *at = text;
	int i;

	for (i = 0; i < 2000; i++)
		at += sprintf(at, "Id=u%d.service\nAfter=u%d.service u%d.service %s\n"
			      "InactiveExitTimestampMonotonic=%d\n"
			      "ActiveEnterTimestampMonotonic=%d\n\n", i, i - 1, i,
			      i ? "u0.service" : "", 450000 + i * 10, 450000 + i * 10 + 9);
	put("units", text);
	ask("u1999.service", 500);
	check(!why && nr == 3 + 2 + 2 * 28, "a chain without end: %d items", nr);
	free(text);
}

static void test_malformed(void)
{
	static const char bad[] =
		"Id=agent.service\nAfter=" "\n"
		"InactiveExitTimestampMonotonic=99999999999999999999999\n"
		"ActiveEnterTimestampMonotonic=n/a\nno equals sign\n=\nId\n\n\n\n"
		"After=x.service\n\n"
		"Id=a b\xff.service\nInactiveExitTimestampMonotonic=500000\n"
		"ActiveEnterTimestampMonotonic=600000";
	char *text = malloc(100000);

	put("units", bad);
	unknown("agent.service", 1700, "does not know the unit");
	ask("a b\xff.service", 1700);
	has("a\\x20b\\xff.service, until it opened the device", 500, 1700);
	strcpy(text, "Id=agent.service\nInactiveExitTimestampMonotonic=500000\nAfter=");
	memset(text + strlen(text), 'u', 90000);
	strcpy(text + 80000, " agent.service\n");
	put("units", text);
	ask("agent.service", 1700);
	has("before systemd started agent.service", 450, 500);
	free(text);
}

static void unit_of(const char *cgroup, const char *want)
{
	char path[128], unit[START_CHAIN_UNIT], what[64];

	put("cgroup", cgroup);
	snprintf(path, sizeof(path), "%s/cgroup", dir);
	if (!start_chain_unit(path, unit))
		strcpy(unit, "none");
	snprintf(what, sizeof(what), "cgroup %.*s: %s", (int)strcspn(cgroup, "\n"),
		 cgroup, want);
	check_string(unit, want, what);
}

static void test_cgroups(void)
{
	unit_of("0::/system.slice/agent.service\n", "agent.service");
	unit_of("0::/system.slice/system-a.slice/a@1.service/sub.scope\n", "a@1.service");
	unit_of("0::/init.scope\n", "init.scope");
	unit_of("0::/system.slice/_cpu.service\n", "cpu.service");
	unit_of("0::/user.slice/user-0.slice/session-1.scope\n", "session-1.scope");
	unit_of("12:pids:/x.service\n1:name=systemd:/system.slice/b.service\n0::/\n",
		"b.service");
	unit_of("0::/\n", "none");
	unit_of("0::/docker/0123\n", "none");
	unit_of("0::/.service\n", "none");
	unit_of("", "none");
	unit_of("0::\n", "none");
}

static void put_process(const char *proc, int pid, const char *name, int parent,
			int ticks)
{
	char path[192];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d", proc, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%d/stat", proc, pid);
	f = fopen(path, "w");
	if (!f)
		perror(path);
	else
		fprintf(f,
			"%d (%s) S %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 2 3\n",
			pid, name, parent, ticks);
	if (f)
		fclose(f);
}

static void test_procs(void)
{
	struct process agent = { .pid = 50, .ticks = 90, .comm = "a gent" }, none = { 0 };
	char proc[128];
	int i;

	why = NULL;
	snprintf(proc, sizeof(proc), "%s/proc", dir);
	mkdir(proc, 0700);
	put_process(proc, 1, "init", 0, 1);
	put_process(proc, 2, "kthreadd", 0, 1);
	put_process(proc, 9, "kworker/0:1", 2, 30);
	nr = start_procs_items(proc, 100 * MS, 1700 * MS, &none, items);
	check(!nr, "no process tells");
	nr = start_procs_items(proc, 100 * MS, 1700 * MS, &agent, items);
	has("until the agent a\\x20gent (50) was started", 100, 900);
	has("agent a\\x20gent (50), until it opened the device", 900, 1700);
	put_process(proc, 40, "box\n)", 1, 70);
	put_process(proc, 30, "udevd", 1, 20);
	put_process(proc, 60, "child", 50, 95);
	put_process(proc, 70, "early", 1, 5);
	nr = start_procs_items(proc, 100 * MS, 1700 * MS, &agent, items);
	has("until udevd (30) was started", 100, 200);
	has("until box\\x0a) (40) was started", 200, 700);
	has("until the agent a\\x20gent (50) was started", 700, 900);
	fills(1700, "with the agent, processes fill the phase");
	nr = start_procs_items(proc, 100 * MS, 1700 * MS, &none, items);
	has("after child (60) was started", 950, 1700);
	agent.ticks = 1;
	nr = start_procs_items(proc, 100 * MS, 1700 * MS, &agent, items);
	has("agent a\\x20gent (50), until it opened the device", 100, 1700);
	for (i = 0; i < 200; i++)
		put_process(proc, 1000 + i, "many", 1, 11 + (i * 7) % 100);
	nr = start_procs_items(proc, 100 * MS, 1700 * MS, &none, items);
	check(nr <= START_CHAIN_ITEMS, "more processes than have room");
	fills(1700, "they fill the phase");
}

int main(void)
{
	char path[4096], command[64];
	int ret;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s:%s", dir, getenv("PATH"));
	setenv("PATH", path, 1);
	test_chain();
	test_initrd();
	test_unknown();
	test_failing();
	test_large();
	test_malformed();
	test_cgroups();
	test_procs();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ret = system(command);
	return end_tests() || ret;
}
