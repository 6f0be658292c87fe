// SPDX-License-Identifier: GPL-2.0

/*
 * Every allocation of every path fails once. Needs the debug kernel.
 *
 *	fault_test out		outgoing paths
 *	fault_test hold		sessions for the incoming paths
 *	fault_test in		incoming paths
 *
 * A call is repeated with its first allocation failing, then its second and so on, until
 * none fails. Each time it must return ENOMEM or succeed; a failure must change nothing
 * (preserved pages, state of the session), and what it did must be undone without an
 * allocation.
 */

#include "luo_fail.h"

#include <linux/reboot.h>
#include <sys/reboot.h>

enum { GLOBAL = false, SESSION = true };

#define MAX_NTH		2000
/* An incoming file can fail only once: so many are handed over, of each of two kinds. */
#define INCOMING	50

static int dev;

static int nth_fd = -1;

static void fail_nth(int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	must(pwrite(nth_fd, text, strlen(text), 0) > 0, FAIL_NTH);
}

/* Whether the allocation that was to fail was made; no later one fails. */
static bool was_hit(void)
{
	char text[16] = "";

	must(pread(nth_fd, text, sizeof(text) - 1, 0) > 0, FAIL_NTH);
	fail_nth(0);
	return !atoi(text);
}

struct path {
	const char *what;
	int (*call)(void);	/* at least 0, or a negative errno */
	void (*undo)(int ret);	/* the call; @ret is what it returned */
	int also;		/* an errno that is as good as success */
	bool never;		/* it must not allocate at all */
};

static int session, file, plain;

static void sweep(const struct path *p)
{
	uint64_t pages = preserved_pages();
	int n, ret, before, bad = 0, failed = 0;
	bool hit;

	for (n = 1; n < MAX_NTH; n++) {
		before = state(session, SESSION);
		fail_nth(n);
		ret = p->call();
		hit = was_hit();
		if (!hit && (ret >= 0 || ret == -p->also))
			break;
		failed += ret == -ENOMEM;
		if (ret < 0 && ret != -ENOMEM && ret != -p->also) {
			printf("# %s, allocation %d: %s\n", p->what, n,
			       strerror(-ret));
			bad++;
		}
		if (ret < 0 && state(session, SESSION) != before) {
			printf("# %s, allocation %d: the state changed\n",
			       p->what, n);
			bad++;
		}
		if (ret >= 0 && p->undo)
			p->undo(ret);
		if (preserved_pages() != pages) {
			printf("# %s, allocation %d: %ld pages left\n", p->what,
			       n, (long)(preserved_pages() - pages));
			pages = preserved_pages();
			bad++;
		}
	}
	if (ret >= 0 && p->undo)
		p->undo(ret);
	/* At least one must have failed, or the sweep proves nothing. */
	bad += n == MAX_NTH || (p->never ? n > 1 : !failed);
	printf("# %s: %d allocations, %d failures\n", p->what, n - 1, failed);
	check(!bad, "%s", p->what);
}

static int do_create(void)
{
	return create(dev, "swept");
}

static void undo_close(int fd)
{
	close(fd);
}

static int do_preserve_memfd(void)
{
	return preserve(session, file, 1);
}

static int do_preserve_test(void)
{
	return preserve(session, plain, 1);
}

static void undo_preserve(int ret)
{
	(void)ret;
	fail_nth(1);
	must(!unpreserve(session, 1), "unpreserve");
	was_hit();
}

static int do_session_prepare(void)
{
	return event(session, SESSION, LIVEUPDATE_PREPARE);
}

static int do_session_freeze(void)
{
	return event(session, SESSION, LIVEUPDATE_FREEZE);
}

static void undo_cancel(int ret)
{
	(void)ret;
	fail_nth(1);
	must(!event(session, SESSION, LIVEUPDATE_CANCEL), "cancel");
	was_hit();
}

static void undo_freeze(int ret)
{
	undo_cancel(ret);
	must(!event(session, SESSION, LIVEUPDATE_PREPARE), "prepare");
}

static int do_prepare(void)
{
	return event(dev, GLOBAL, LIVEUPDATE_PREPARE);
}

static void undo_prepare(int ret)
{
	(void)ret;
	fail_nth(1);
	must(!event(dev, GLOBAL, LIVEUPDATE_CANCEL), "cancel");
	was_hit();
}

/* A file that fails to freeze, in the last session, makes each reboot fail. */
static int do_reboot(void)
{
	return reboot(LINUX_REBOOT_CMD_KEXEC) ? -errno : 0;
}

static const struct path way_out[] = {
	{ "CREATE_SESSION", do_create, undo_close },
	{ "PRESERVE_FD of a memfd", do_preserve_memfd, undo_preserve },
	{ "PRESERVE_FD of a test file", do_preserve_test, undo_preserve },
};

static const struct path way_out_full[] = {
	{ "PREPARE of a session", do_session_prepare, undo_cancel, .never = true },
	/* Two test subsystems allocate, LUO itself does not. */
	{ "global PREPARE", do_prepare, undo_prepare },
};

static const struct path freeze_one = {
	"FREEZE of a session", do_session_freeze, undo_freeze, .never = true
};

static const struct path rebooting = {
	"reboot", do_reboot, .also = EDOM
};

static void hold(void)
{
	char name[16];
	int i, s;

	s = create(dev, "session");
	must(s >= 0 && !preserve(s, memfd(20000, 1), 1), "session");
	s = create(dev, "claimed");
	must(s >= 0 && !preserve(s, test_file(1), 1), "claimed");
	for (i = 0; i < 2 * INCOMING; i++) {
		snprintf(name, sizeof(name), "in-%d", i);
		s = create(dev, name);
		must(s >= 0 && !preserve(s, memfd(20000, i), 1) &&
		     !preserve(s, test_file(i + 1), 2), name);
	}
	hold_until_kexec();
}

static int out(void)
{
	int stopper, t;
	size_t i;

	puts("TAP version 13");
	session = create(dev, "session");
	file = memfd(40000, 1);
	plain = test_file(1);
	for (i = 0; i < 3; i++)
		sweep(&way_out[i]);
	must(!preserve(session, file, 1) && !preserve(session, plain, 2),
	     "preserve");
	for (i = 0; i < 2; i++)
		sweep(&way_out_full[i]);
	must(!event(session, SESSION, LIVEUPDATE_PREPARE), "prepare");
	sweep(&freeze_one);

	stopper = create(dev, "stopper");
	t = test_file(1);
	test_set(t, LIVEUPDATE_TEST_FREEZE, EDOM, 0);
	must(!preserve(stopper, t, 1), "stopper");
	must(!system("vm-kexec --load"), "vm-kexec --load");
	sweep(&rebooting);
	return end_tests();
}

static bool is_one_of(int error, const int *errors)
{
	for (; *errors; errors++) {
		if (*errors == error)
			return true;
	}
	return false;
}

/*
 * An incoming file that failed stays failed, so the n-th session is retrieved with its
 * n-th allocation failing, and each must be finished all the same.
 */
static void sweep_in(const char *what, int first, int (*one)(int s),
		     const int *errors)
{
	int i, s, ret, failed = 0, bad = 0;
	char name[16];
	bool hit;

	for (i = 0; i < INCOMING; i++) {
		snprintf(name, sizeof(name), "in-%d", first + i);
		s = claim(dev, name);
		must(s >= 0, name);
		fail_nth(i + 1);
		ret = one(s);
		hit = was_hit();
		failed += ret < 0;
		if (ret < 0 && (!hit || !is_one_of(-ret, errors))) {
			printf("# %s, allocation %d: %s\n", what, i + 1,
			       strerror(-ret));
			bad++;
		}
		if (finish(s)) {
			printf("# %s, allocation %d: cannot finish\n", what,
			       i + 1);
			bad++;
		}
		close(s);
		if (ret >= 0)
			close(ret);
	}
	/* The last one must have succeeded. */
	bad += ret < 0 || !failed;
	printf("# %s: %d failures\n", what, failed);
	check(!bad, "%s", what);
}

static int retrieve_memfd(int s)
{
	return retrieve(s, 1);
}

static int retrieve_test(int s)
{
	return retrieve(s, 2);
}

static int do_claim(void)
{
	return claim(dev, "claimed");
}

static int do_finish(void)
{
	return finish(session);
}

static const struct path claiming = {
	"RETRIEVE_SESSION", do_claim, undo_close
};

static const struct path finishing = {
	"FINISH", do_finish, .never = true
};

static int in(void)
{
	/* Without memory the base's handler returns EINVAL, shmem ENOSPC. */
	static const int of_memfd[] = { ENOMEM, ENOSPC, EINVAL, 0 };
	static const int of_luo[] = { ENOMEM, 0 };

	puts("TAP version 13");
	session = claim(dev, "session");
	sweep(&claiming);
	sweep_in("RETRIEVE_FD of a memfd", 0, retrieve_memfd, of_memfd);
	sweep_in("RETRIEVE_FD of a test file", INCOMING, retrieve_test, of_luo);
	must(retrieve(session, 1) >= 0, "retrieve");
	sweep(&finishing);
	return end_tests();
}

int main(int argc, char **argv)
{
	allocations_may_fail();
	nth_fd = open(FAIL_NTH, O_RDWR);
	must(nth_fd >= 0, FAIL_NTH);
	dev = open_device();
	must(dev >= 0 && argc == 2, DEVICE);
	if (!strcmp(argv[1], "out"))
		return out();
	if (!strcmp(argv[1], "hold"))
		hold();
	return in();
}
