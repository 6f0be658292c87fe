// SPDX-License-Identifier: GPL-2.0

/*
 * Edge cases of luotrace on the base's own LUO.
 *
 *	stock_edge_test hold	hold sessions for the next kernel
 *	stock_edge_test check	what luotrace prints in the next kernel, as TAP
 */

#include "luo_test.h"
#include "luo_json.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define LEAVE		150	/* sessions that are finished during audits */
#define AUDITS		12	/* at least */
#define OUT		"/tmp/edge.out"
#define ERR		"/tmp/edge.err"
#define TEAR		"/sys/module/luo_test_module/parameters/tear"
#define UNTRACEABLE	"luo_module_untraceable"

/* Offset of the list of incoming sessions in the base's luo_session_global. */
#define LIST		8


/* Print what a command said if the last check failed. */
static void because(const char *path)
{
	static int before;
	char line[512];
	FILE *f = failures == before ? NULL : fopen(path, "r");

	before = failures;

	while (f && fgets(line, sizeof(line), f))
		printf("# %s", line);
	if (f)
		fclose(f);
}

/* Keep only these capabilities, a bit each; all if 0. */
static void only(uint64_t caps)
{
	int cap;

	for (cap = 0; caps && cap <= CAP_LAST_CAP; cap++) {
		if (!(caps & 1ULL << cap))
			prctl(PR_CAPBSET_DROP, cap);
	}
}

static pid_t start(uint64_t caps, uint64_t memory, char **argv)
{
	struct rlimit limit = { memory, memory };
	pid_t pid;

	/* The output of the last run must not be taken for this one's. */
	unlink(OUT);
	unlink(ERR);
	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	must(freopen(OUT, "w", stdout) && freopen(ERR, "w", stderr), "freopen");
	only(caps);
	if (memory)
		setrlimit(RLIMIT_AS, &limit);
	execvp(argv[0], argv);
	_exit(127);
}

static int code_of(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(_caps, _memory, ...)					\
	code_of(start(_caps, _memory, (char *[]){ "luotrace", __VA_ARGS__, NULL }))

static json_t *answer(void)
{
	return json_load_file(OUT, 0, NULL);
}

/* Whether each session of an audit was created by this test. */
static bool known(json_t *audit)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(audit, "sessions"), i, o) {
		const char *name = json_string_value(json_object_get(o, "name"));

		if (strcmp(name, "first") && strcmp(name, "last") &&
		    strncmp(name, "leaves-", 7))
			return false;
	}
	return true;
}

static void hold(int dev)
{
	char name[32];
	int i;

	must(!preserve(create(dev, "first"), memfd(4096, 1), 1), "preserve");
	for (i = 0; i < LEAVE; i++) {
		snprintf(name, sizeof(name), "leaves-%d", i);
		must(!preserve(create(dev, name), memfd(4096, i), i), "preserve");
	}
	must(!preserve(create(dev, "last"), memfd(4096, 2), 2), "preserve");
	hold_until_kexec();
}

static unsigned long list(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], name[256];
	unsigned long at = 0, found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %*c %255s", &at, name) == 2 &&
		    !strcmp(name, "luo_session_global"))
			found = at;
	}
	must(found, "luo_session_global");
	fclose(f);
	return found + LIST;
}

static void tear(const char *how)
{
	FILE *f = fopen(TEAR, "w");

	must(f && fprintf(f, "%lx %s\n", list(), how) > 0 && !fclose(f), TEAR);
}

/* The list at the moment when its second session is removed. */
static void torn(const char *how)
{
	json_t *audit;
	int code;

	tear(how);
	code = RUN(0, 0, "audit", "--json");
	audit = answer();
	check(code == 3 && json_is_null(json_object_get(audit, "clean")) &&
	      json_is_false(json_object_get(audit, "complete")) &&
	      !json_integer_value(json_object_get(audit, "leaks")) &&
	      known(audit) && named(audit, "sessions", "first"),
	      "a list that is torn (%s) is neither clean nor leaked: %d", how, code);
	json_decref(audit);
	because(OUT);
	code = RUN(0, 0, "audit");
	check(code == 3 && file_has(OUT, "unknown") && !file_has(OUT, "clean") &&
	      file_has(OUT, "changed"), "and so says the text");
	because(OUT);
	code = RUN(0, 0, "metrics");
	check(code == 3 && !file_has(OUT, "luo_incoming_sessions"),
	      "and metrics have no figure of it: %d", code);
	tear("heal");
}

/* Sessions are finished one after the other while luotrace audits repeatedly. */
static void leave(int dev)
{
	int i, s, code, bad = 0, looks = 0, odd = 0, status;
	json_t *audit;
	char name[32];
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		for (i = 0; i < LEAVE; i++) {
			snprintf(name, sizeof(name), "leaves-%d", i);
			s = claim(dev, name);
			if (s < 0)
				_exit(1);
			close(s);
			usleep(20000);
		}
		_exit(0);
	}
	do {
		code = RUN(0, 0, "audit", "--json");
		audit = answer();
		looks++;
		/* No session is unknown, and each audit has the last one. */
		odd += !known(audit);
		bad += json_is_true(json_object_get(audit, "complete")) ?
			code != 1 || !named(audit, "sessions", "last") : code == 0;
		json_decref(audit);
	} while (!waitpid(pid, &status, WNOHANG) || looks < AUDITS);
	check(!status && !odd && !bad,
	      "%d audits while %d sessions are finished: %d with unknown ones, %d wrong",
	      looks, LEAVE, odd, bad);
}

#define BPF		(1ULL << CAP_BPF | 1ULL << CAP_PERFMON)
#define SYSLOG		(1ULL << CAP_SYSLOG)
#define ADMIN		(1ULL << CAP_SYS_ADMIN)
#define DAC		(1ULL << CAP_DAC_READ_SEARCH)

static bool lists(json_t *check, const char *key, const char *name)
{
	json_t *o, *all = json_object_get(json_object_get(check, "stock"), key);
	size_t i;

	json_array_foreach(all, i, o) {
		if (!strcmp(json_string_value(o), name))
			return true;
	}
	return false;
}

static void capabilities(void)
{
	json_t *o;
	int code;

	code = RUN(BPF | DAC, 0, "audit");
	check(code == 3 && file_has(ERR, "CAP_SYSLOG"),
	      "an audit without CAP_SYSLOG says what it needs: %d", code);
	because(ERR);
	code = RUN(BPF | DAC | SYSLOG, 0, "audit");
	check(code == 1, "and works with it: %d", code);
	because(ERR);
	code = RUN(BPF | DAC | SYSLOG, 0, "metrics");
	check(code == 0 && file_has(OUT, "luo_incoming_sessions{state=\"claimed\"} 1"),
	      "so do metrics: %d", code);
	because(ERR);
	code = RUN(BPF, 0, "latency", "--json", "-d", "1");
	check(code == 0 && file_has(ERR, "CAP_SYS_ADMIN") &&
	      file_has(ERR, "luo_module_freeze") && !file_has(ERR, "memfd_luo_preserve"),
	      "without CAP_SYS_ADMIN handlers in modules are not traced, with a message: %d",
	      code);
	because(ERR);
	code = RUN(BPF, 0, "check", "--json");
	o = answer();
	check(code == 0 && lists(o, "untraceable_functions", "luo_module_freeze") &&
	      !lists(o, "untraceable_functions", "memfd_luo_preserve"),
	      "and check says so: %d", code);
	json_decref(o);
	code = RUN(ADMIN, 0, "audit");
	check(code == 3 && file_has(ERR, "CAP_SYSLOG"),
	      "CAP_SYS_ADMIN alone is not enough for an audit: %d", code);
	code = RUN(1ULL << CAP_BPF, 0, "check");
	check(code == 3 && file_has(OUT, "CAP_PERFMON"),
	      "check without CAP_PERFMON names it: %d", code);
	because(OUT);
}

static void untraceable(void)
{
	json_t *o;
	int code;

	code = RUN(0, 0, "check", "--json");
	o = answer();
	check(code == 0 && lists(o, "untraceable_functions", UNTRACEABLE) &&
	      !lists(o, "untraceable_functions", "luo_module_freeze"),
	      "check names the function that cannot be traced: %d", code);
	json_decref(o);
	code = RUN(0, 0, "latency", "--json", "-d", "1");
	o = answer();
	check(code == 0 && file_has(ERR, UNTRACEABLE) &&
	      json_integer_value(json_object_get(json_object_get(o, "lost"),
						 "functions")) == 1,
	      "the others are traced, with a message: %d", code);
	json_decref(o);
	because(ERR);
}

/* A name that is too long is not confused with its first 63 bytes. */
static void long_names(int dev)
{
	char name[2][NAME_LEN + 1] = {};
	int s, nr[2] = {}, i;
	json_t *line;
	FILE *f;
	pid_t pid;

	memset(name[0], 'n', NAME_LEN - 1);
	memset(name[1], 'n', NAME_LEN);
	pid = start(0, 0, (char *[]){ "luotrace", "trace", "--json", "--until-frozen",
				      NULL });
	for (i = 0; i < 300 && !file_has(ERR, "tracing"); i++)
		usleep(100000);
	s = create(dev, name[0]);
	must(s >= 0 && create(dev, name[1]) == -EINVAL &&
	     claim(dev, name[1]) == -ENOENT, "names");
	close(s);
	usleep(300000);
	kill(pid, SIGINT);
	code_of(pid);
	f = fopen(OUT, "r");
	while (f && (line = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL))) {
		const char *is = json_string_value(json_object_get(line, "session"));

		for (i = 0; i < 2; i++)
			nr[i] += is && !strcmp(is, name[i]);
		json_decref(line);
	}
	if (f)
		fclose(f);
	check(nr[0] == 2 && nr[1] == 2,
	      "names of 64 and of 63 bytes are different: %d and %d events", nr[1],
	      nr[0]);
	because(OUT);
}

static void check_all(int dev)
{
	int code, s;

	code = RUN(0, 48 << 20, "audit", "--json");
	check(code == 1, "an audit of %d sessions needs no 48 MiB: %d", LEAVE + 2,
	      code);
	because(ERR);
	untraceable();
	long_names(dev);
	s = claim(dev, "first");
	must(s >= 0, "claim");
	torn("end");
	torn("gone");
	capabilities();
	leave(dev);
	close(s);
}

int main(int argc, char **argv)
{
	int dev = open_device();

	must(dev >= 0 && argc == 2, DEVICE);
	if (!strcmp(argv[1], "hold"))
		hold(dev);
	puts("KTAP version 1");
	check_all(dev);
	return end_tests();
}
