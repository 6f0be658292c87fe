// SPDX-License-Identifier: GPL-2.0

/*
 * Allocations fail while a kernel boots, by luo_test_fail_boot= on its command line. What
 * there was no memory for when the handover was read is rejected, and is named; all else is
 * as it was, and the next live update can be made. What cannot be set up is told, and
 * whether LUO is off then.
 *
 *	boot_fault_test hold		make the sessions, hold them
 *	boot_fault_test check		compare them with what this kernel has rejected
 *	boot_fault_test all		whether each function that allocates has failed once
 *	boot_fault_test setup FUNCTION	whether this kernel, in which the function has
 *					failed, is as it should be
 *	boot_fault_test none		whether nothing was handed over to this kernel
 */

#include "luo_rejects.h"

#define SESSIONS	4
#define MEMFD_SIZE	12345
#define LIST_PATH	"/state/boot_faults"
#define LINE		";luo_test: boot allocation "

enum { TEST_FILE = 1, MEMFD, FILES = MEMFD };

static const struct {
	const char *reject;
	int target;
	uint64_t given, comes;
} targets[] = {
	{ "flb luo-test-flb-v1 ", LIVEUPDATE_TEST_ON_FLB, 3000, 3000 },
	{ "subsystem luo-test-first ", LIVEUPDATE_TEST_ON_FIRST, 1000, 1001 },
	{ "subsystem luo-test-second ", LIVEUPDATE_TEST_ON_SECOND, 2000, 2001 },
};

#define TARGETS	(sizeof(targets) / sizeof(targets[0]))

static const char *session_name(int i)
{
	static char name[8];

	snprintf(name, sizeof(name), "s%d", i);
	return name;
}

static int make_file(int i, int token)
{
	return token == MEMFD ? memfd(MEMFD_SIZE, i) : test_file(1000 + i);
}

static bool is_intact(int fd, int i, int token)
{
	return token == MEMFD ? memfd_intact(fd, MEMFD_SIZE, i) :
	       test_get(fd).cookie == 1000ULL + i;
}

static int hold(void)
{
	int dev = open_device(), i, session, token, fd;

	must(dev >= 0, "device");
	for (i = 0; i < (int)TARGETS; i++)
		target_value(targets[i].target, targets[i].given);
	for (i = 0; i < SESSIONS; i++) {
		session = create(dev, session_name(i));
		must(session >= 0, session_name(i));
		for (token = 1; token <= FILES; token++) {
			fd = make_file(i, token);
			must(!preserve(session, fd, token), session_name(i));
			close(fd);
		}
	}
	return hold_until_kexec();
}

/* Whether the kernel says that it has rejected this for want of memory. */
static bool is_rejected(const char *what)
{
	const char *at;

	for (at = rejects(); *at; at = strchr(at, ';') + 1)
		if (!strncmp(at, what, strlen(what)) &&
		    strstr(at, " no-memory;") == strchr(at, ';') - strlen(" no-memory"))
			return true;
	return false;
}

static int lost;

static void check_file(int session, int i, int token)
{
	char what[32];
	bool rejected;
	int fd;

	snprintf(what, sizeof(what), "file %s %d ", session_name(i), token);
	rejected = is_rejected(what);
	fd = retrieve(session, token);
	lost += rejected;
	if (rejected)
		check(fd == -ENOENT, "%sis rejected", what);
	else
		check(fd >= 0 && is_intact(fd, i, token), "%sis as it was", what);
	if (fd >= 0)
		close(fd);
}

static void check_session(int dev, int i)
{
	int session = claim(dev, session_name(i)), token;
	char what[32];

	snprintf(what, sizeof(what), "session %s ", session_name(i));
	if (is_rejected(what)) {
		lost++;
		check(session == -ENOENT, "%sis rejected", what);
		return;
	}
	if (!check(session >= 0, "%sis there", what))
		return;
	for (token = 1; token <= FILES; token++)
		check_file(session, i, token);
	check(!finish(session), "%scan be finished", what);
	close(session);
}

static void check_targets(void)
{
	bool rejected;
	size_t i;

	retrieve_flb();
	for (i = 0; i < TARGETS; i++) {
		rejected = is_rejected(targets[i].reject);
		lost += rejected;
		check(target_value(targets[i].target, 0) == (rejected ? 0 : targets[i].comes),
		      "%sis %s", targets[i].reject, rejected ? "rejected" : "as it was");
	}
}

/* Keep what the log says of each allocation. Returns how many failed. */
static int keep_list(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), failed = 0;
	FILE *f = fopen(LIST_PATH, "a");
	char record[8192], *at;
	ssize_t n;

	must(fd >= 0 && f, "kmsg");
	while ((n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		record[strcspn(record, "\n")] = '\0';
		at = strstr(record, LINE);
		if (!at)
			continue;
		failed += !!strstr(at, " fails:");
		fprintf(f, "%s\n", at + strlen(LINE));
	}
	close(fd);
	must(!fclose(f), LIST_PATH);
	return failed;
}

static void verify(void)
{
	int dev = open_device(), i, session, failed = keep_list();

	puts("TAP version 13");
	must(dev >= 0, "device");
	printf("# rejected: %s\n", rejects());
	check(failed > 0, "%d allocations failed", failed);
	check_targets();
	for (i = 0; i < SESSIONS; i++)
		check_session(dev, i);
	printf("# %d allocations failed, %d of %d were rejected\n", failed, lost,
	       (int)(SESSIONS * (1 + FILES) + TARGETS));
	session = create(dev, "again");
	check(session >= 0 && !preserve(session, memfd(1, 1), 1), "a new session");
	close(session);
	close(dev);
}

/* Each function that made an allocation in one of the kernels has failed in one of them. */
static int all(void)
{
	static char lines[4096][192];
	FILE *f = fopen(LIST_PATH, "r");
	int n = 0, i, j;
	char *is, *name;

	must(f, LIST_PATH);
	for (; n < 4096 && fgets(lines[n], sizeof(lines[n]), f); n++)
		lines[n][strcspn(lines[n], "\n")] = '\0';
	fclose(f);
	puts("TAP version 13");
	check(n > 0, "%d allocations were made in all", n);
	for (i = 0; i < n; i++) {
		is = strchr(lines[i], ':');
		must(is, lines[i]);
		for (j = 0; j < i && strcmp(strchr(lines[j], ':'), is); j++)
			;
		if (j < i)
			continue;
		for (j = i; j < n; j++) {
			name = strchr(lines[j], ':');
			if (!strcmp(name, is) && strstr(lines[j], " fails:"))
				break;
		}
		check(j < n, "failed once:%s", is + 1);
	}
	return end_tests();
}

#define SYSFS		"/sys/kernel/liveupdate"
#define OFF		"luo: cannot be set up, live update is off: "
#define GIVEN_UP	"luo: 4 unfinished sessions are given up"

static const struct setup {
	const char *function;
	bool off;	/* LUO is */
	bool no_sysfs;
	const char *says[2];
} setups[] = {
	{ "luo_recorder_init", false, false, { "luo: cannot record the next live update: " } },
	{ "luo_sysfs_init", false, true, { "luo: cannot create /sys/kernel/liveupdate: " } },
	{ "luo_debugfs_init" },
	{ "luo_recorder_await_init" },
	{ "luo_handover_init_out", true, true, { OFF, GIVEN_UP } },
	{ "luo_flb_init", true, true, { OFF, GIVEN_UP } },
	{ "luo_ioctl_init", true, true, { OFF, GIVEN_UP } },
	{ "kho_init", true, true, { "luo: live update is off because KHO is off",
				    "luo: what the previous kernel handed over is lost" } },
};

static bool log_has(const char *text)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	char record[8192];
	bool found = false;
	ssize_t n;

	must(fd >= 0, "kmsg");
	while (!found && (n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		found = strstr(record, text);
	}
	close(fd);
	return found;
}

static int verify_setup(const char *function)
{
	const struct setup *s = setups;
	int i;

	while (strcmp(s->function, function))
		must(++s < setups + sizeof(setups) / sizeof(setups[0]), function);
	if (!s->off) {
		verify();
	} else {
		puts("TAP version 13");
		check(keep_list() > 0, "allocations failed");
		check(open_device() == -ENOENT, "%s: there is no device", function);
		check(!!strstr(rejects(), "flb luo-test-flb-v1 0 given-up;"),
		      "%s: the FLB is given up", function);
	}
	for (i = 0; i < 2 && s->says[i]; i++)
		check(log_has(s->says[i]), "%s: the log says: %s", function, s->says[i]);
	check(access(SYSFS, F_OK) == (s->no_sysfs ? -1 : 0), "%s: %s", function,
	      s->no_sysfs ? "nothing in sysfs" : "sysfs");
	return end_tests();
}

/* The kernel before had no LUO, so that the kexec was an ordinary one. */
static int verify_none(void)
{
	int dev = open_device();

	puts("TAP version 13");
	check(dev >= 0, "the device is there");
	check(state(dev, false) == LIVEUPDATE_STATE_NORMAL, "the state is normal");
	check(claim(dev, session_name(0)) == -ENOENT, "there is no session");
	check(!log_has("luo: live update "), "nothing is said of a live update");
	return end_tests();
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "hold"))
		return hold();
	if (!strcmp(what, "check")) {
		verify();
		return end_tests();
	}
	if (!strcmp(what, "all"))
		return all();
	if (!strcmp(what, "none"))
		return verify_none();
	if (argc == 3 && !strcmp(argv[1], "setup"))
		return verify_setup(argv[2]);
	fprintf(stderr, "usage: boot_fault_test hold|check|all|none|setup FUNCTION\n");
	return 2;
}
