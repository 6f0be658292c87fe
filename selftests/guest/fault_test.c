// SPDX-License-Identifier: GPL-2.0

/*
 * Every allocation, and every copy from and to user space, of every call fails once.
 *
 *	fault_test out		outgoing paths
 *	fault_test hold		sessions for the incoming paths
 *	fault_test in		incoming paths
 *	fault_test all		whether each call of the table, and each operation, was made
 *
 * A call is repeated with its first allocation or copy failing, then its second and so on,
 * until none fails. Each time it must return ENOMEM or EFAULT, or succeed; a failure must
 * change nothing (preserved pages, state of the session), and what it did must be undone
 * without an allocation.
 */

#include "table_test.h"

#include "luo_fail.h"

enum { GLOBAL = false, SESSION = true };

#define LIST		"faults"
#define MAX_NTH		2000
/* The first one is the copy of the structure, the next one would be an allocation. */
#define ALLOCATES	2
/* An incoming file can fail only once: so many are handed over, of each of two kinds. */
#define INCOMING	50

static int dev;

static int nth_fd = -1;

static void fail_nth(int n)
{
	fail_nth_of(nth_fd, n);
}

static bool was_hit(void)
{
	return nth_was_hit(nth_fd);
}

struct path {
	const char *call;	/* of the table */
	const char *what;	/* it is made with, or "" */
	int (*run)(void);	/* at least 0, or a negative errno */
	void (*undo)(int ret);	/* the call; @ret is what it returned */
	int also;		/* an errno that is as good as success */
	bool never;		/* it must not fail for want of memory */
	bool once;		/* its success cannot be repeated */
};

static int session, file, of_device, plain;

static bool is_in_vain(const struct path *p, int n, int ret, int before, uint64_t *pages)
{
	bool bad = false;

	if (ret < 0 && ret != -ENOMEM && ret != -EFAULT && ret != -p->also) {
		printf("# %s, %d: %s\n", p->call, n, strerror(-ret));
		bad = true;
	}
	if (ret < 0 && state(session, SESSION) != before) {
		printf("# %s, %d: the state changed\n", p->call, n);
		bad = true;
	}
	if (ret >= 0 && p->undo)
		p->undo(ret);
	if (preserved_pages() != *pages) {
		printf("# %s, %d: %ld pages left\n", p->call, n,
		       (long)(preserved_pages() - *pages));
		*pages = preserved_pages();
		bad = true;
	}
	return bad;
}

static void sweep(const struct path *p)
{
	int n, ret, before, bad = 0, allocations = 0, copies = 0;
	uint64_t pages = preserved_pages();
	bool hit;

	for (n = 1; n < MAX_NTH; n++) {
		before = state(session, SESSION);
		fail_nth(n);
		ret = p->run();
		hit = was_hit();
		/* What is freed later, by kfree_rcu(), can do without the memory for that. */
		if ((!hit || p->once) && (ret >= 0 || ret == -p->also))
			break;
		allocations += ret == -ENOMEM;
		copies += ret == -EFAULT;
		bad += is_in_vain(p, n, ret, before, &pages);
	}
	if (ret >= 0 && p->undo)
		p->undo(ret);
	/* Something must have failed, or the sweep proves nothing. */
	bad += n == MAX_NTH || !(allocations + copies);
	bad += p->never && allocations;
	printf("# %s%s: %d allocations and copies, %d and %d failures\n", p->call, p->what,
	       n - 1, allocations, copies);
	walked(LIST, p->call);
	check(!bad, "%s%s", p->call, p->what);
}

static int do_open(void)
{
	if (dev >= 0)
		close(dev);
	dev = open_device();
	return dev;
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
	fail_nth(ALLOCATES);
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
	fail_nth(ALLOCATES);
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
	fail_nth(ALLOCATES);
	must(!event(dev, GLOBAL, LIVEUPDATE_CANCEL), "cancel");
	was_hit();
}

/* A file that fails to freeze, in the last session, makes each reboot fail. */
static int do_reboot(void)
{
	return reboot(LINUX_REBOOT_CMD_KEXEC) ? -errno : 0;
}

static int do_unpreserve(void)
{
	return unpreserve(session, 1);
}

static void undo_unpreserve(int ret)
{
	(void)ret;
	must(!preserve(session, file, 1), "preserve");
}

static int do_dev_preserve(void)
{
	return dev_preserve(dev, of_device, 1);
}

static int do_dev_unpreserve(void)
{
	return dev_unpreserve(dev, 1);
}

static void undo_dev_preserve(int ret)
{
	(void)ret;
	fail_nth(ALLOCATES);
	must(!dev_unpreserve(dev, 1), "FD_UNPRESERVE");
	was_hit();
}

static void undo_dev_unpreserve(int ret)
{
	(void)ret;
	must(!dev_preserve(dev, of_device, 1), "FD_PRESERVE");
}

static int do_state(void)
{
	return state(dev, GLOBAL);
}

static int do_session_state(void)
{
	return state(session, SESSION);
}

static int do_file_state(void)
{
	return file_state(session, 1);
}

static int do_dev_state(void)
{
	return dev_state(dev, 0, 1);
}

static int do_name(void)
{
	struct liveupdate_session_get_name a = { .size = sizeof(a) };

	return call(session, LIVEUPDATE_SESSION_GET_NAME, &a);
}

static int do_file_prepare(void)
{
	return file_event(session, 1, LIVEUPDATE_PREPARE);
}

static void undo_file_prepare(int ret)
{
	(void)ret;
	fail_nth(ALLOCATES);
	must(!file_event(session, 1, LIVEUPDATE_CANCEL), "FD_SET_EVENT CANCEL");
	was_hit();
}

static int do_dev_prepare(void)
{
	return dev_event(dev, 1, LIVEUPDATE_PREPARE);
}

static void undo_dev_prepare(int ret)
{
	(void)ret;
	fail_nth(ALLOCATES);
	must(!dev_event(dev, 1, LIVEUPDATE_CANCEL), "FD_SET_EVENT CANCEL");
	was_hit();
}

static int mark_fd = -1;

/* A later one of the same name replaces it. */
static int do_mark(void)
{
	static const char text[] = "paused fault-test";

	return pwrite(mark_fd, text, strlen(text), 0) < 0 ? -errno : 0;
}

/* The session is empty. */
static const struct path way_out[] = {
	{ "open", "", do_open },
	{ "mark", "", do_mark },
	{ "CREATE_SESSION", "", do_create, undo_close },
	{ "PRESERVE_FD", " of a memfd", do_preserve_memfd, undo_preserve },
	{ "PRESERVE_FD", " of a test file", do_preserve_test, undo_preserve },
	{ "FD_PRESERVE", "", do_dev_preserve, undo_dev_preserve },
	{ "GET_STATE", "", do_state, .never = true },
	{ "session GET_STATE", "", do_session_state, .never = true },
	{ "GET_NAME", "", do_name, .never = true },
};

/* Session and device have a memfd with token 1. */
static const struct path way_out_full[] = {
	{ "session FD_GET_STATE", "", do_file_state, .never = true },
	{ "FD_GET_STATE", "", do_dev_state, .never = true },
	{ "session FD_SET_EVENT", " PREPARE", do_file_prepare, undo_file_prepare,
	  .never = true },
	{ "FD_SET_EVENT", " PREPARE", do_dev_prepare, undo_dev_prepare, .never = true },
	{ "session SET_EVENT", " PREPARE", do_session_prepare, undo_cancel, .never = true },
	/* Two test subsystems allocate, LUO itself does not. */
	{ "SET_EVENT", " PREPARE", do_prepare, undo_prepare },
	{ "FD_UNPRESERVE", "", do_dev_unpreserve, undo_dev_unpreserve, .never = true },
	{ "UNPRESERVE_FD", "", do_unpreserve, undo_unpreserve, .never = true },
};

static const struct path freeze_one = {
	"session SET_EVENT", " FREEZE", do_session_freeze, undo_freeze, .never = true
};

static const struct path rebooting = {
	"reboot", "", do_reboot, .also = EDOM
};

static void hold(void)
{
	char name[16];
	int i, s;

	s = create(dev, "session");
	must(s >= 0 && !preserve(s, memfd(20000, 1), 1) && !preserve(s, test_file(1), 2),
	     "session");
	s = create(dev, "claimed");
	must(s >= 0 && !preserve(s, test_file(1), 1), "claimed");
	for (i = 0; i < INCOMING; i++)
		must(!dev_preserve(dev, memfd(20000, i), i), "device");
	for (i = 0; i < 2 * INCOMING; i++) {
		snprintf(name, sizeof(name), "in-%d", i);
		s = create(dev, name);
		must(s >= 0 && !preserve(s, memfd(20000, i), 1) &&
		     !preserve(s, test_file(i + 1), 2), name);
	}
	hold_until_kexec();
}

/* Remember which operations of the handler were called for a file. */
static void note_operations(int fd)
{
	struct liveupdate_test_get get = test_get(fd);
	char op[8];
	int i;

	for (i = 0; i < LIVEUPDATE_TEST_NR_OPS; i++) {
		snprintf(op, sizeof(op), "op %d", i);
		if (get.calls[i])
			walked(LIST, op);
	}
}

static int out(void)
{
	int stopper, t;
	size_t i;

	puts("TAP version 13");
	session = create(dev, "session");
	file = memfd(40000, 1);
	of_device = memfd(40000, 2);
	plain = test_file(1);
	mark_fd = open("/sys/kernel/liveupdate/mark", O_WRONLY);
	must(mark_fd >= 0, "mark");
	for (i = 0; i < COUNT(way_out); i++)
		sweep(&way_out[i]);
	must(!preserve(session, file, 1) && !preserve(session, plain, 2) &&
	     !dev_preserve(dev, of_device, 1), "preserve");
	for (i = 0; i < COUNT(way_out_full); i++)
		sweep(&way_out_full[i]);
	must(!event(session, SESSION, LIVEUPDATE_PREPARE), "prepare");
	sweep(&freeze_one);

	stopper = create(dev, "stopper");
	t = test_file(1);
	test_set(t, LIVEUPDATE_TEST_FREEZE, EDOM, 0);
	must(!preserve(stopper, t, 1), "stopper");
	must(!system("vm-kexec --load"), "vm-kexec --load");
	sweep(&rebooting);
	note_operations(plain);
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
	walked(LIST, "RETRIEVE_FD");
	check(!bad, "%s", what);
}

/* The same for the files of the device, which finish one by one. */
static void sweep_device(const int *errors)
{
	int i, ret, failed = 0, bad = 0;
	bool hit;

	for (i = 0; i < INCOMING; i++) {
		fail_nth(i + 1);
		ret = dev_restore(dev, i);
		hit = was_hit();
		failed += ret < 0;
		if (ret < 0 && (!hit || !is_one_of(-ret, errors))) {
			printf("# FD_RESTORE, %d: %s\n", i + 1, strerror(-ret));
			bad++;
		}
		fail_nth(ALLOCATES);
		bad += dev_event(dev, i, LIVEUPDATE_FINISH) != 0;
		was_hit();
		if (ret >= 0)
			close(ret);
	}
	bad += ret < 0 || !failed;
	printf("# FD_RESTORE: %d failures\n", failed);
	walked(LIST, "FD_RESTORE");
	check(!bad, "FD_RESTORE");
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
	"RETRIEVE_SESSION", "", do_claim, undo_close
};

static const struct path finishing = {
	"FINISH", "", do_finish, .never = true, .once = true
};

static int in(void)
{
	/* Without memory the base's handler returns EINVAL, shmem ENOSPC. */
	static const int of_memfd[] = { ENOMEM, EFAULT, ENOSPC, EINVAL, 0 };
	static const int of_luo[] = { ENOMEM, EFAULT, 0 };
	int fd;

	puts("TAP version 13");
	session = claim(dev, "session");
	sweep(&claiming);
	sweep_in("RETRIEVE_FD of a memfd", 0, retrieve_memfd, of_memfd);
	sweep_in("RETRIEVE_FD of a test file", INCOMING, retrieve_test, of_luo);
	sweep_device(of_memfd);
	must(retrieve(session, 1) >= 0, "retrieve");
	fd = retrieve(session, 2);
	must(fd >= 0, "retrieve");
	sweep(&finishing);
	note_operations(fd);
	return end_tests();
}

static int all(void)
{
	char op[8];
	size_t i;

	puts("TAP version 13");
	for (i = 0; i < COUNT(call_names); i++)
		check(times_walked(LIST, call_names[i]), "swept: %s", call_names[i]);
	for (i = 0; i < LIVEUPDATE_TEST_NR_OPS; i++) {
		if (i == LIVEUPDATE_TEST_BOOT)
			continue;
		snprintf(op, sizeof(op), "op %zu", i);
		check(times_walked(LIST, op), "called: operation %zu", i);
	}
	return end_tests();
}

int main(int argc, char **argv)
{
	allocations_may_fail();
	nth_fd = open_fail_nth();
	dev = open_device();
	must(dev >= 0 && argc == 2, DEVICE);
	if (!strcmp(argv[1], "out"))
		return out();
	if (!strcmp(argv[1], "hold"))
		hold();
	return strcmp(argv[1], "all") ? in() : all();
}
