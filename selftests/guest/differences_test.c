// SPDX-License-Identifier: GPL-2.0

/*
 * Walks each row of the table of differences (selftests/tables): makes a call that
 * returns something else on the LUO of the base. Runs on both.
 *
 *	differences_test out	before a live update
 *	differences_test hold	sessions for the next kernel
 *	differences_test in	in it
 *	differences_test late	a file, and not its handler, for the next kernel
 *	differences_test open	in it
 *	differences_test all	whether each of these rows was walked
 *	differences_test frozen	the rows of a kernel that is about to enter the next one
 *	differences_test damage	sessions of this LUO, one of them to be damaged
 *	differences_test damaged	in the next kernel, of either LUO
 */

#include "differences_calls.h"

#define LIST		"differences"
#define MODULE_DEVICE	"/dev/luo_test_module"
#define MODULE		"/sys/module/luo_test_module/parameters/"
#define SLOW_MS		15000	/* in which all is done that waits for a preserve */

static int dev;

/* Whether this is the base's LUO. */
static bool is_base(void)
{
	return access("/sys/kernel/liveupdate", F_OK);
}

static int do_open_alone(void)
{
	int status;
	pid_t pid;

	close(dev);
	pid = fork();
	if (!pid) {
		drop_capability();
		dev = open_device();
		_exit(dev < 0 ? -dev : 0);
	}
	waitpid(pid, &status, 0);
	dev = open_device();
	return -WEXITSTATUS(status);
}

static int do_32_bit(void)
{
	return each_call(dev, "32-bit", make_32_bit);
}

static int do_unknown_of_device(void)
{
	uint32_t a[4] = { sizeof(a) };

	return call(dev, _IO(0xBA, 0x70), a);
}

static int do_unknown_of_session(void)
{
	uint32_t a[4] = { sizeof(a) };
	int s = create(dev, "s"), ret = call(s, _IO(0xBA, 0x70), a);

	close(s);
	return ret;
}

static int do_longer(void)
{
	return each_call(dev, "longer-than-a-page", make_longer);
}

static int do_empty(void)
{
	return claim(dev, "");
}

static int do_unterminated(void)
{
	struct liveupdate_ioctl_retrieve_session a = { .size = sizeof(a) };

	memset(a.name, 'x', sizeof(a.name));
	return call(dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &a);
}

static int on_outgoing(int (*run)(int s))
{
	int s = create(dev, "s"), ret = run(s);

	close(s);
	return ret;
}

static int do_finish_outgoing(void)
{
	return on_outgoing(finish);
}

static int retrieve_1(int s)
{
	return retrieve(s, 1);
}

static int do_retrieve_outgoing(void)
{
	return on_outgoing(retrieve_1);
}

static int preserve_nothing(int s)
{
	must(!preserve(s, memfd(4096, 1), 1), "preserve");
	return preserve(s, -1, 1);
}

static int do_two_errors(void)
{
	return on_outgoing(preserve_nothing);
}

/* A structure that cannot be written. */
static int read_only(int fd, unsigned long cmd, const void *arg, size_t size)
{
	void *a = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ret;

	must(a != MAP_FAILED, "mmap");
	memcpy(a, arg, size);
	mprotect(a, size, PROT_READ);
	ret = call(fd, cmd, a);
	munmap(a, size);
	return ret;
}

static int do_create_two_errors(void)
{
	struct liveupdate_ioctl_create_session a = { .size = sizeof(a), .name = "s" };
	int s = create(dev, "s"), ret;

	ret = read_only(dev, LIVEUPDATE_IOCTL_CREATE_SESSION, &a, sizeof(a));
	close(s);
	return ret;
}

static int do_claim_two_errors(void)
{
	struct liveupdate_ioctl_retrieve_session a = { .size = sizeof(a), .name = "nobody" };

	return read_only(dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &a, sizeof(a));
}

static int do_retrieve_two_errors(void)
{
	struct liveupdate_session_retrieve_fd a = { .size = sizeof(a), .token = 77 };
	int s = claim(dev, "retrieve-two-errors"), ret;

	must(s >= 0, "retrieve-two-errors");
	ret = read_only(s, LIVEUPDATE_SESSION_RETRIEVE_FD, &a, sizeof(a));
	finish(s);
	close(s);
	return ret;
}

static int preserve_read_only(int s)
{
	struct liveupdate_session_preserve_fd a = {
		.size = sizeof(a), .fd = memfd(4096, 1), .token = 1,
	};

	return read_only(s, LIVEUPDATE_SESSION_PRESERVE_FD, &a, sizeof(a));
}

static int do_preserve_response(void)
{
	return on_outgoing(preserve_read_only);
}

static int do_second_claim(void)
{
	int s = claim(dev, "second-claim"), ret = claim(dev, "second-claim");

	must(s >= 0, "second-claim");
	finish(s);
	close(s);
	return ret;
}

static int do_claim_finished(void)
{
	int s = claim(dev, "claim-finished"), ret;

	must(s >= 0 && !finish(s), "claim-finished");
	ret = claim(dev, "claim-finished");
	close(s);
	return ret;
}

static int do_claim_closed(void)
{
	int s = claim(dev, "claim-closed");

	must(s >= 0, "claim-closed");
	close(s);
	s = claim(dev, "claim-closed");
	if (s < 0)
		return s;
	finish(s);
	close(s);
	return 0;
}

static int do_second_finish(void)
{
	int s = claim(dev, "second-finish"), ret;

	must(s >= 0 && !finish(s), "second-finish");
	ret = finish(s);
	close(s);
	return ret;
}

static int do_preserve_incoming(void)
{
	int s = claim(dev, "preserve-incoming"), ret;

	must(s >= 0, "preserve-incoming");
	ret = preserve(s, memfd(4096, 1), 2);
	finish(s);
	close(s);
	return ret;
}

static int do_finish_response(void)
{
	struct liveupdate_session_finish a = { .size = sizeof(a) };
	int s = claim(dev, "finish-response"), ret;

	must(s >= 0, "finish-response");
	ret = read_only(s, LIVEUPDATE_SESSION_FINISH, &a, sizeof(a));
	close(s);
	return ret;
}

/* main() has opened it. */
static int do_open(void)
{
	return dev < 0 ? dev : 0;
}

/* A PRESERVE_FD that takes long, and a reboot() that waits for it. */
static pid_t slow, rebooter;
static struct made frozen_calls[NR_CALLS];

static int slow_file(void)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = LIVEUPDATE_TEST_PRESERVE,
		.delay_us = SLOW_MS * 1000,
	};
	int fd = is_base() ? open(MODULE_DEVICE, O_RDWR | O_CLOEXEC) : test_file(1);
	char text[16];

	must(fd >= 0, "file");
	snprintf(text, sizeof(text), "%d", SLOW_MS);
	if (is_base())
		write_file(MODULE "delay_ms", text);
	else
		must(!call(fd, LIVEUPDATE_TEST_SET, &set), "slow");
	return fd;
}

static void begin_slow(void)
{
	int s = create(dev, "slow"), fd = slow_file();

	must(s >= 0, "slow");
	fflush(stdout);
	slow = fork();
	if (!slow)
		_exit(preserve(s, fd, 1) != 0);
	until_it_waits(slow);
	rebooter = fork();
	if (!rebooter) {
		syscall(SYS_close_range, 3, ~0U, 0);
		_exit(reboot_kexec() != 0);
	}
	until_it_waits(rebooter);
}

static int do_ioctl_killed(void)
{
	struct made calls[NR_CALLS];

	make_calls(calls, dev, "ioctl-killed");
	make_calls(frozen_calls, dev, "frozen");
	begin_slow();
	return all_calls(calls, is_base() ? WAITS : 0);
}

/* On the base it goes on once the other call is over. */
static int do_reboot_killed(void)
{
	int ret;

	kill(rebooter, SIGKILL);
	ret = result_of(rebooter);
	if (ret != WAITS)
		must(waitpid(slow, NULL, 0) == slow, "slow");
	return ret;
}

/* On the base: whether its module was told of the reboot. */
static bool is_rebooting(void)
{
	char *text = read_all(MODULE "rebooting");
	bool yes = *text == 'Y';

	free(text);
	return yes;
}

/*
 * While this kernel enters the next one: on the base that has begun, and the module prolongs
 * what LIVEUPDATE_TEST_FROZEN does here.
 */
static int do_frozen(void)
{
	if (!is_base()) {
		reboot_in_child(dev);
		return all_calls(frozen_calls, 0);
	}
	while (!is_rebooting())
		usleep(10000);
	return all_calls(frozen_calls, WAITS);
}

static const struct {
	const char *id, *mode;
	int (*run)(void);
} acts[] = {
	{ "32-bit", "in", do_32_bit },
	{ "open-capability", "out", do_open_alone },
	{ "unknown-device-ioctl", "out", do_unknown_of_device },
	{ "unknown-session-ioctl", "out", do_unknown_of_session },
	{ "longer-than-a-page", "in", do_longer },
	{ "retrieve-empty-name", "out", do_empty },
	{ "retrieve-unterminated-name", "out", do_unterminated },
	{ "second-claim", "in", do_second_claim },
	{ "claim-finished", "in", do_claim_finished },
	{ "claim-closed", "in", do_claim_closed },
	{ "second-finish", "in", do_second_finish },
	{ "finish-outgoing", "out", do_finish_outgoing },
	{ "retrieve-outgoing", "out", do_retrieve_outgoing },
	{ "preserve-incoming", "in", do_preserve_incoming },
	{ "preserve-two-errors", "out", do_two_errors },
	{ "create-two-errors", "out", do_create_two_errors },
	{ "claim-two-errors", "out", do_claim_two_errors },
	{ "retrieve-two-errors", "in", do_retrieve_two_errors },
	{ "preserve-response", "out", do_preserve_response },
	{ "finish-response", "in", do_finish_response },
	{ "no-handler", "open", do_open },
	{ "damaged", "damaged", do_open },
	{ "ioctl-killed", "frozen", do_ioctl_killed },
	{ "reboot-killed", "frozen", do_reboot_killed },
	{ "frozen", "frozen", do_frozen },
};

static void walk(const struct difference_row *row, const char *mode)
{
	int want = is_base() ? row->base : row->ours, ret;
	size_t i;

	for (i = 0; i < COUNT(acts) && strcmp(acts[i].id, row->id); i++)
		;
	if (i == COUNT(acts)) {
		check(false, "%s: nobody knows how", row->id);
		return;
	}
	if (strcmp(acts[i].mode, mode))
		return;
	walked(LIST, row->id);
	if (acts[i].run == do_32_bit && access(AGENT32, F_OK)) {
		printf("ok %d %s # SKIP no 32-bit programs on this architecture\n", ++tests,
		       row->id);
		return;
	}
	ret = acts[i].run();
	if (!check(ret == -want, "%s", row->id))
		printf("# returned %d, want %d\n", ret, -want);
}

static int hold(void)
{
	char more[NAME_LEN];
	size_t i;
	int s;

	for (i = 0; i < COUNT(acts); i++) {
		if (strcmp(acts[i].mode, "in") && strcmp(acts[i].mode, "frozen"))
			continue;
		s = create(dev, acts[i].id);
		must(s >= 0 && !preserve(s, memfd(4096, i), 1), acts[i].id);
		snprintf(more, sizeof(more), "%s" MORE, acts[i].id);
		must(create(dev, more) >= 0, more);
	}
	return hold_until_kexec();
}

static int late(void)
{
	int s = create(dev, "late");
	int fd = open(is_base() ? MODULE_DEVICE : LATE_DEVICE, O_RDWR | O_CLOEXEC);

	must(s >= 0 && fd >= 0 && !preserve(s, fd, 1), "late");
	return hold_until_kexec();
}

/* Two sessions, of which the second one gets the name of the first. */
static int damage(void)
{
	struct liveupdate_test_damage name = {
		.size = sizeof(name), .where = LIVEUPDATE_TEST_SESSION, .session = 1,
		.len = 1, .value = 'a',
	};
	int a = create(dev, "a"), b = create(dev, "b"), t = test_file(1);

	must(a >= 0 && b >= 0 && !preserve(a, memfd(4096, 1), 1), "sessions");
	must(!call(t, LIVEUPDATE_TEST_DAMAGE, &name), "damage");
	close(t);
	return hold_until_kexec();
}

static int all(void)
{
	size_t i, a;

	for (i = 0; i < COUNT(difference_rows); i++) {
		for (a = 0; a < COUNT(acts); a++)
			if (!strcmp(acts[a].id, difference_rows[i].id))
				break;
		/* The others: see what the kernel log is expected to have, and row damaged. */
		if (a == COUNT(acts) || (strcmp(acts[a].mode, "frozen") &&
					 strcmp(acts[a].mode, "damaged")))
			check(times_walked(LIST, difference_rows[i].id) == 1, "walked: %s",
			      difference_rows[i].id);
	}
	return end_tests();
}

int main(int argc, char **argv)
{
	const char *mode = argc == 2 ? argv[1] : "";
	size_t i;

	dev = open_device();
	if (!strcmp(mode, "hold"))
		return hold();
	if (!strcmp(mode, "late"))
		return late();
	if (!strcmp(mode, "damage"))
		return damage();
	puts("KTAP version 1");
	if (!strcmp(mode, "all"))
		return all();
	if (!strcmp(mode, "frozen"))
		must(!system("vm-kexec --load"), "vm-kexec");
	for (i = 0; i < COUNT(difference_rows); i++)
		walk(&difference_rows[i], mode);
	if (!strcmp(mode, "frozen") && !failures)
		say_done(mode);
	return end_tests();
}
