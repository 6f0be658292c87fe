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

#include "table_test.h"

#define LIST		"differences"
#define MODULE_DEVICE	"/dev/luo_test_module"
#define AGENT32		"/tools/agent32"

static int dev;

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

/* A 32-bit program has the device open alone. */
static int do_32_bit(void)
{
	int status;

	close(dev);
	status = system("agent32 create");
	dev = open_device();
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
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
	static _Alignas(8) uint8_t a[3 * 65536];
	uint32_t size = 2 * sysconf(_SC_PAGESIZE);
	int s = create(dev, "s"), ret;

	memcpy(a, &size, sizeof(size));
	ret = call(s, LIVEUPDATE_SESSION_GET_NAME, a);
	close(s);
	return ret;
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

/* While this kernel enters the next one; 1 if the call cannot be killed, either. */
static int do_frozen(void)
{
	int status = 0, i;
	pid_t pid = fork();

	if (!pid)
		_exit(-create(dev, "frozen"));
	for (i = 0; i < 20; i++) {
		usleep(100000);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
		if (i == 10)
			kill(pid, SIGKILL);
	}
	return 1;
}

static const struct {
	const char *id, *mode;
	int (*run)(void);
} acts[] = {
	{ "32-bit", "out", do_32_bit },
	{ "open-capability", "out", do_open_alone },
	{ "unknown-device-ioctl", "out", do_unknown_of_device },
	{ "unknown-session-ioctl", "out", do_unknown_of_session },
	{ "longer-than-a-page", "out", do_longer },
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
	{ "preserve-response", "out", do_preserve_response },
	{ "finish-response", "in", do_finish_response },
	{ "no-handler", "open", do_open },
	{ "damaged", "damaged", do_open },
	{ "frozen", "frozen", do_frozen },
};

/* Whether this is the base's LUO. */
static bool is_base(void)
{
	return access("/sys/kernel/liveupdate", F_OK);
}

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
	size_t i;
	int s;

	for (i = 0; i < COUNT(acts); i++) {
		if (strcmp(acts[i].mode, "in"))
			continue;
		s = create(dev, acts[i].id);
		must(s >= 0 && !preserve(s, memfd(4096, i), 1), acts[i].id);
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

/* On the base the module prolongs what LIVEUPDATE_TEST_FROZEN does here. */
static void begin_frozen(void)
{
	must(!system("vm-kexec --load"), "vm-kexec");
	if (!is_base()) {
		reboot_in_child(dev);
		return;
	}
	if (!fork()) {
		syscall(SYS_close_range, 3, ~0U, 0);
		_exit(reboot_kexec() != 0);
	}
	while (*read_all("/sys/module/luo_test_module/parameters/rebooting") != 'Y')
		usleep(1000);
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
		begin_frozen();
	for (i = 0; i < COUNT(difference_rows); i++)
		walk(&difference_rows[i], mode);
	if (!strcmp(mode, "frozen") && !failures)
		say_done(mode);
	return end_tests();
}
