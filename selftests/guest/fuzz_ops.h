/* SPDX-License-Identifier: GPL-2.0 */

/* What an input of the fuzzer does: operations on a few descriptors, one after the other. */

#ifndef FUZZ_OPS_H
#define FUZZ_OPS_H

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "fuzz_cover.h"
#include "luo_fail.h"

#define NR_SLOTS	4	/* of sessions, and of files; a power of two */
#define HELD		100	/* sessions that are handed over to the next stage */
#define MAX_OPS		48

/* An operation: which one, on which slots, and a value. */
struct op {
	uint8_t code;
	uint8_t a, b, c;
	uint32_t value;
};

/* What the threads of an input share. */
static struct {
	int dev;
	int session[NR_SLOTS];
	int file[NR_SLOTS];
	int pair[2];
	uint8_t *page;		/* of which the next page is not mapped */
	unsigned long *calls;	/* counted in shared memory */
	unsigned int *behaved;	/* a subsystem or the FLB was told how to behave */
} io;

#define SESSION_OF(_slot)	io.session[(_slot) % NR_SLOTS]
#define FILE_OF(_slot)		io.file[(_slot) % NR_SLOTS]

static __thread int fail_nth;

/* A call; its n-th allocation fails if an operation before has asked for that. */
static int do_call(int fd, unsigned long cmd, void *arg)
{
	int ret, nth = fail_nth, f = -1;
	char text[16];

	if (nth) {
		fail_nth = 0;
		f = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
		snprintf(text, sizeof(text), "%d", nth);
		if (f >= 0 && write(f, text, strlen(text)) < 0)
			nth = 0;
	}
	__atomic_fetch_add(io.calls, 1, __ATOMIC_RELAXED);
	ret = ioctl(fd, cmd, arg);
	if (f >= 0) {
		if (write(f, "0", 1) < 0)
			ret = -1;
		close(f);
	}
	return ret;
}

static void replace(int *slot, int fd)
{
	int old;

	if (fd < 0)
		return;
	old = __atomic_exchange_n(slot, fd, __ATOMIC_ACQ_REL);
	if (old >= 0)
		close(old);
}

/* Few names, so that they clash; among them those with a meaning, and bad ones. */
static void fuzz_name(__u8 *to, uint32_t value)
{
	static const char *const names[] = {
		"a", "b", "c", LIVEUPDATE_DEVICE_SESSION, "luotrace", "", "x y=\"\n\xff",
	};
	const unsigned int nr = sizeof(names) / sizeof(names[0]);
	char held[16];

	if (value % (nr + 1) == nr) {
		memset(to, 'x', NAME_LEN);
		return;
	}
	if (value & 0x100) {
		snprintf(held, sizeof(held), "held-%u", value / 0x200 % HELD);
		set_name(to, held);
		return;
	}
	set_name(to, names[value % (nr + 1)]);
}

static void op_create(const struct op *op)
{
	struct liveupdate_ioctl_create_session a = { .size = sizeof(a) };

	fuzz_name(a.name, op->value & 0xff);
	if (!do_call(io.dev, LIVEUPDATE_IOCTL_CREATE_SESSION, &a))
		replace(&SESSION_OF(op->a), a.fd);
}

static void op_claim(const struct op *op)
{
	struct liveupdate_ioctl_retrieve_session a = { .size = sizeof(a) };

	fuzz_name(a.name, op->value);
	if (!do_call(io.dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &a))
		replace(&SESSION_OF(op->a), a.fd);
}

/* The device and a session have the same calls for files, in two ranges of numbers. */
static void op_preserve(const struct op *op)
{
	struct liveupdate_session_preserve_fd a = {
		.size = sizeof(a), .fd = FILE_OF(op->b), .token = op->value % 8,
	};

	if (op->c & 1)
		do_call(io.dev, LIVEUPDATE_IOCTL_FD_PRESERVE, &a);
	else
		do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_PRESERVE_FD, &a);
}

static void op_unpreserve(const struct op *op)
{
	struct liveupdate_session_unpreserve_fd a = {
		.size = sizeof(a), .token = op->value % 8,
	};

	if (op->c & 1)
		do_call(io.dev, LIVEUPDATE_IOCTL_FD_UNPRESERVE, &a);
	else
		do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_UNPRESERVE_FD, &a);
}

static void op_retrieve(const struct op *op)
{
	struct liveupdate_session_retrieve_fd a = {
		.size = sizeof(a), .token = op->value % 8,
	};
	int err;

	if (op->c & 1)
		err = do_call(io.dev, LIVEUPDATE_IOCTL_FD_RESTORE, &a);
	else
		err = do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_RETRIEVE_FD, &a);
	if (!err)
		replace(&FILE_OF(op->b), a.fd);
}

static void op_finish(const struct op *op)
{
	struct liveupdate_session_finish a = { .size = sizeof(a) };

	do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_FINISH, &a);
}

static void op_read(const struct op *op)
{
	struct liveupdate_session_get_name name = { .size = sizeof(name) };
	struct liveupdate_ioctl_get_state state = { .size = sizeof(state) };
	struct liveupdate_session_fd_get_state file = {
		.size = sizeof(file), .token = op->value % 8,
	};
	struct liveupdate_ioctl_fd_get_state dev = {
		.size = sizeof(dev), .token = op->value % 8, .incoming = op->b % 3,
	};

	do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_GET_NAME, &name);
	do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_GET_STATE, &state);
	do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_FD_GET_STATE, &file);
	do_call(io.dev, LIVEUPDATE_IOCTL_GET_STATE, &state);
	do_call(io.dev, LIVEUPDATE_IOCTL_FD_GET_STATE, &dev);
}

static void op_event(const struct op *op)
{
	struct liveupdate_session_set_event a = {
		.size = sizeof(a), .event = op->value % 5,
	};

	do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_SET_EVENT, &a);
}

/* FINISH ends all that was handed over, so it is rare. */
static void op_global_event(const struct op *op)
{
	struct liveupdate_ioctl_set_event a = {
		.size = sizeof(a), .event = op->value % 5,
	};

	if (a.event != LIVEUPDATE_FINISH || op->value % 4096 < 5)
		do_call(io.dev, LIVEUPDATE_IOCTL_SET_EVENT, &a);
}

static void op_file_event(const struct op *op)
{
	struct liveupdate_session_fd_set_event a = {
		.size = sizeof(a), .event = op->value % 5, .token = op->b % 8,
	};

	if (op->c & 1)
		do_call(io.dev, LIVEUPDATE_IOCTL_FD_SET_EVENT, &a);
	else
		do_call(SESSION_OF(op->a), LIVEUPDATE_SESSION_FD_SET_EVENT, &a);
}

static void op_close(const struct op *op)
{
	int fd = __atomic_exchange_n(op->c & 1 ? &FILE_OF(op->a) : &SESSION_OF(op->a), -1,
				     __ATOMIC_ACQ_REL);

	if (fd >= 0)
		close(fd);
}

static void op_reopen(const struct op *op)
{
	int fd = __atomic_exchange_n(&io.dev, -1, __ATOMIC_ACQ_REL);

	(void)op;
	if (fd >= 0)
		close(fd);
	replace(&io.dev, open(DEVICE, O_RDWR | O_CLOEXEC));
}

static void op_file(const struct op *op)
{
	int fd = -1;

	switch (op->b % 6) {
	case 0:
		fd = memfd_create("fuzz", op->c & 3);
		if (fd >= 0 && ftruncate(fd, op->value % 65536))
			fd = -1;
		break;
	case 1:
	case 2:
		fd = open(TEST_DEVICE, O_RDWR | O_CLOEXEC);
		break;
	case 3:
		fd = open(LATE_DEVICE, O_RDWR | O_CLOEXEC);
		break;
	case 4:
		fd = eventfd(0, EFD_CLOEXEC);
		break;
	case 5:
		fd = dup(SESSION_OF(op->c));
		break;
	}
	replace(&FILE_OF(op->a), fd);
}

/* How the handler of a test file behaves, or a subsystem or the FLB. */
static void op_behave(const struct op *op)
{
	struct liveupdate_test_set a = {
		.size = sizeof(a), .op = op->b % (LIVEUPDATE_TEST_NR_OPS + 1),
		.error = op->value & 1 ? EDOM : 0, .nth = op->value >> 1 & 3,
		.target = op->c % 16 < LIVEUPDATE_TEST_NR_TARGETS ? op->c % 16 : 0,
	};

	/* It vetoes each reboot. */
	if (a.target == LIVEUPDATE_TEST_ON_FIRST && a.op == LIVEUPDATE_TEST_FREEZE)
		return;
	if (a.target != LIVEUPDATE_TEST_ON_FILE)
		__atomic_store_n(io.behaved, 1, __ATOMIC_RELAXED);
	do_call(FILE_OF(op->a), LIVEUPDATE_TEST_SET, &a);
}

static void op_dup(const struct op *op)
{
	replace(&SESSION_OF(op->b), fcntl(SESSION_OF(op->a), F_DUPFD_CLOEXEC, 0));
}

/* Through a socket, as to another process. */
static void op_pass(const struct op *op)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fd = SESSION_OF(op->a);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (fd < 0 || sendmsg(io.pair[0], &msg, MSG_DONTWAIT) != 1)
		return;
	if (op->c & 1) {
		/* It stays in the socket, which is closed at the end. */
		op_close(&(struct op){ .a = op->a });
		return;
	}
	msg.msg_controllen = sizeof(control);
	if (recvmsg(io.pair[1], &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	replace(&SESSION_OF(op->b), fd);
}

/* A process that has all descriptors, and exits or is killed some time later. */
static void op_fork(const struct op *op)
{
	pid_t pid;

	/* It takes longer than all other operations of an input. */
	if (op->b % 8)
		return;
	pid = fork();
	if (pid)
		return;
	usleep(op->value % 4000);
	if (op->c & 1)
		kill(getpid(), SIGKILL);
	_exit(0);
}

/* Any number on any file, with a structure of any size at the end of a page. */
static void op_raw(const struct op *op)
{
	size_t page = sysconf(_SC_PAGESIZE), size = op->b % 97;
	uint8_t *p = io.page + page - (op->c & 4 ? size / 2 : size);
	int fd = op->c & 1 ? io.dev : op->c & 2 ? FILE_OF(op->a) : SESSION_OF(op->a);
	unsigned int nr = op->value & 0x100 ? op->value & 0xff : (op->value & 0x67);
	uint32_t claimed = op->c & 8 ? op->value : size;
	size_t mapped;

	/* Test ioctls stay frozen, or damage what is handed over. */
	if (nr >= LIVEUPDATE_TEST_CMD_BASE)
		return;
	mapped = io.page + page - p;
	memset(p, op->c & 16 ? op->value : 0, mapped);
	if (mapped >= sizeof(claimed))
		memcpy(p, &claimed, sizeof(claimed));
	do_call(fd, _IO(op->c & 32 ? 0xBA : op->value >> 8, nr), op->c & 64 ? NULL : p);
}

static void op_fail(const struct op *op)
{
	fail_nth = op->value % 24;
}

/* The first test subsystem, which freezes after all sessions, vetoes it. */
static void op_reboot(const struct op *op)
{
	(void)op;
	__atomic_fetch_add(io.calls, 1, __ATOMIC_RELAXED);
	reboot(LINUX_REBOOT_CMD_KEXEC);
}

/* Files of the kernel that show, or take, something. */
static void op_sysfs(const struct op *op)
{
	static const char *const paths[] = {
		"/sys/kernel/liveupdate/state", "/sys/kernel/liveupdate/number",
		"/sys/kernel/liveupdate/recorder", "/sys/kernel/liveupdate/mark",
		"/sys/kernel/debug/liveupdate/sessions",
		"/sys/kernel/debug/liveupdate/files",
	};
	static const char *const marks[] = {
		"paused a", "resumed a", "paused ", "resumed zz", "other", "paused a\n\n",
	};
	int fd = open(paths[op->b % 6], (op->c & 1 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	const char *mark = marks[op->value % 6];
	char buf[4096];
	int n;

	if (fd < 0)
		return;
	__atomic_fetch_add(io.calls, 1, __ATOMIC_RELAXED);
	if (op->c & 1) {
		if (write(fd, mark, strlen(mark)) < 0)
			errno = 0;
	} else {
		/* The record is large. */
		for (n = 0; n < 64; n++)
			if (read(fd, buf, op->value % sizeof(buf) + 1) <= 0)
				break;
	}
	close(fd);
}

/* A handler, a subsystem and an FLB come and go. */
static void op_module(const struct op *op)
{
	if (op->b % 8)
		return;
	if (op->c & 1)
		load_module(LATE_MODULE, "");
	else
		syscall(SYS_delete_module, "luo_test_late", O_NONBLOCK);
}

static void op_signal(const struct op *op)
{
	(void)op;
	kill(getpid(), SIGUSR1);
}

static void op_yield(const struct op *op)
{
	usleep(op->value % 300);
}

/* Those that are named more often are more likely. */
static void (*const fuzz_ops[])(const struct op *op) = {
	op_create, op_create, op_create, op_claim, op_claim, op_preserve, op_preserve,
	op_preserve, op_unpreserve, op_retrieve, op_retrieve, op_finish, op_read, op_event,
	op_event, op_global_event, op_file_event, op_file_event, op_close, op_file, op_file,
	op_behave, op_dup, op_pass, op_raw, op_raw, op_fail, op_reboot, op_sysfs, op_signal,
	op_yield, op_reopen, op_fork, op_module,
};

#define NR_CODES	(sizeof(fuzz_ops) / sizeof(fuzz_ops[0]))

static void fuzz_do(const struct op *op)
{
	fuzz_ops[op->code % NR_CODES](op);
}

#endif
