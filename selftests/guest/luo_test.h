/* SPDX-License-Identifier: GPL-2.0 */

/* What the guest tests share: the ioctls of LUO, each returning a negative errno. */

#ifndef LUO_TEST_H
#define LUO_TEST_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_test.h>
#include <linux/reboot.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "kselftest_harness.h"

#define DEVICE		"/dev/liveupdate"
#define TEST_DEVICE	"/dev/liveupdate_test"
#define NAME_LEN	LIVEUPDATE_SESSION_NAME_LENGTH
/* A module that registers its handler, subsystem and FLB when it is loaded. */
#define LATE_MODULE	"/tools/luo_test_late.ko"
#define LATE_DEVICE	"/dev/liveupdate_late"

/* End the program if the precondition of a test fails. */
static inline void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(errno));
	exit(1);
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

static inline int load_module(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 || syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;

	close(fd);
	return err;
}

static inline int unload_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/*
 * A BPF program is missed where another task with the same event preempts it, and
 * luotrace says how often. Tasks on different CPUs do not preempt each other.
 */
static inline void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "two CPUs");
}

/* The calling process loses CAP_SYS_ADMIN. */
static inline void drop_capability(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	must(!syscall(SYS_capget, &h, d), "capget");
	d[0].effective &= ~(1U << CAP_SYS_ADMIN);
	must(!syscall(SYS_capset, &h, d), "capset");
}

/* Keep the sessions open until the kexec ends this process; vm-hold waits for "ready". */
static inline int hold_until_kexec(void)
{
	puts("ready");
	fflush(stdout);
	pause();
	return 1;
}

/* In nanoseconds, of the monotonic clock. */
static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/*
 * The functions that run between two calls are counted by selftests/bench/functions.c,
 * which knows the instruction by its length; it does nothing.
 */
static inline void count_functions(void)
{
#ifdef __x86_64__
	asm volatile(".fill 14, 1, 0x2e\n\tnop" ::: "memory");
#endif
}

/* Wait until a process is in one of the states, which are those of proc_pid_stat(5). */
static inline void until_state(pid_t pid, const char *states)
{
	char path[64], text[256], *at;
	ssize_t n;
	int i, fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (i = 0; i < 1000; i++) {
		fd = open(path, O_RDONLY);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		at = strrchr(text, ')');
		if (at && at[1] && at[2] && strchr(states, at[2]))
			return;
		usleep(10000);
	}
	must(false, "the process neither sleeps nor ends");
}

/* Wait until a process sleeps in the kernel. */
static inline void until_it_waits(pid_t pid)
{
	until_state(pid, "D");
}

static inline int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static inline void set_name(__u8 *to, const char *name)
{
	size_t i;

	for (i = 0; i < NAME_LEN && name[i]; i++)
		to[i] = name[i];
}

static inline int open_device(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline int create(int dev, const char *name)
{
	struct liveupdate_ioctl_create_session a = { .size = sizeof(a) };

	set_name(a.name, name);
	return call(dev, LIVEUPDATE_IOCTL_CREATE_SESSION, &a) ?: a.fd;
}

static inline int claim(int dev, const char *name)
{
	struct liveupdate_ioctl_retrieve_session a = { .size = sizeof(a) };

	set_name(a.name, name);
	return call(dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &a) ?: a.fd;
}

static inline int preserve(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd a = {
		.size = sizeof(a), .fd = fd, .token = token,
	};

	return call(session, LIVEUPDATE_SESSION_PRESERVE_FD, &a);
}

static inline int unpreserve(int session, uint64_t token)
{
	struct liveupdate_session_unpreserve_fd a = {
		.size = sizeof(a), .token = token,
	};

	return call(session, LIVEUPDATE_SESSION_UNPRESERVE_FD, &a);
}

/* The global state, or that of a session. */
static inline int state(int fd, bool session)
{
	struct liveupdate_ioctl_get_state a = { .size = sizeof(a) };

	return call(fd, session ? LIVEUPDATE_SESSION_GET_STATE :
				  LIVEUPDATE_IOCTL_GET_STATE, &a) ?: (int)a.state;
}

/* An event of the global state, or of a session's. */
static inline int event(int fd, bool session, unsigned int event)
{
	struct liveupdate_ioctl_set_event a = {
		.size = sizeof(a), .event = event,
	};

	return call(fd, session ? LIVEUPDATE_SESSION_SET_EVENT :
				  LIVEUPDATE_IOCTL_SET_EVENT, &a);
}

static inline int retrieve(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd a = {
		.size = sizeof(a), .token = token,
	};

	return call(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &a) ?: a.fd;
}

static inline int finish(int session)
{
	struct liveupdate_session_finish a = { .size = sizeof(a) };

	return call(session, LIVEUPDATE_SESSION_FINISH, &a);
}

/* State of a file of a session. */
static inline int file_state(int session, uint64_t token)
{
	struct liveupdate_session_fd_get_state a = { .size = sizeof(a), .token = token };

	return call(session, LIVEUPDATE_SESSION_FD_GET_STATE, &a) ?: (int)a.state;
}

static inline int file_event(int session, uint64_t token, unsigned int event)
{
	struct liveupdate_session_fd_set_event a = {
		.size = sizeof(a), .event = event, .token = token,
	};

	return call(session, LIVEUPDATE_SESSION_FD_SET_EVENT, &a);
}

static inline int dev_preserve(int dev, int fd, uint64_t token)
{
	struct liveupdate_ioctl_fd_preserve a = {
		.size = sizeof(a), .fd = fd, .token = token,
	};

	return call(dev, LIVEUPDATE_IOCTL_FD_PRESERVE, &a);
}

static inline int dev_unpreserve(int dev, uint64_t token)
{
	struct liveupdate_ioctl_fd_unpreserve a = { .size = sizeof(a), .token = token };

	return call(dev, LIVEUPDATE_IOCTL_FD_UNPRESERVE, &a);
}

static inline int dev_restore(int dev, uint64_t token)
{
	struct liveupdate_ioctl_fd_restore a = { .size = sizeof(a), .token = token };

	return call(dev, LIVEUPDATE_IOCTL_FD_RESTORE, &a) ?: a.fd;
}

static inline int dev_state(int dev, unsigned int incoming, uint64_t token)
{
	struct liveupdate_ioctl_fd_get_state a = {
		.size = sizeof(a), .token = token, .incoming = incoming,
	};

	return call(dev, LIVEUPDATE_IOCTL_FD_GET_STATE, &a) ?: (int)a.state;
}

static inline int dev_event(int dev, uint64_t token, unsigned int event)
{
	struct liveupdate_ioctl_fd_set_event a = {
		.size = sizeof(a), .event = event, .token = token,
	};

	return call(dev, LIVEUPDATE_IOCTL_FD_SET_EVENT, &a);
}

/* Start the loaded kernel; returns only if that fails. */
static inline int reboot_kexec(void)
{
	reboot(LINUX_REBOOT_CMD_KEXEC);
	return -errno;
}

/* The number of the next descriptor. */
static inline int next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* A file of the test handler with a value that is handed over. */
static inline int test_file(uint64_t cookie)
{
	struct liveupdate_test_get get = {
		.size = sizeof(get), .cookie = cookie,
	};
	int fd = open(TEST_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && ioctl(fd, LIVEUPDATE_TEST_GET, &get))
		return -errno;
	return fd < 0 ? -errno : fd;
}

static inline int test_set(int fd, enum liveupdate_test_op op, int error,
			   int nth)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = op, .error = error, .nth = nth,
	};

	return call(fd, LIVEUPDATE_TEST_SET, &set);
}

static inline struct liveupdate_test_get test_get(int fd)
{
	struct liveupdate_test_get get = { .size = sizeof(get) };

	if (ioctl(fd, LIVEUPDATE_TEST_GET, &get))
		memset(&get, 0xff, sizeof(get));
	return get;
}

/* Get the cookie of a subsystem or an FLB; one other than 0 sets it before. */
static inline uint64_t target_value(int target, uint64_t cookie)
{
	struct liveupdate_test_get get = {
		.size = sizeof(get), .target = target, .cookie = cookie,
	};
	int fd = test_file(1);

	must(!ioctl(fd, LIVEUPDATE_TEST_GET, &get), "target");
	close(fd);
	return get.cookie;
}

/* Retrieve the incoming FLB of the test handler, which happens on demand, if there is one. */
static inline void retrieve_flb(void)
{
	struct liveupdate_test_object o = {
		.size = sizeof(o), .op = LIVEUPDATE_TEST_GET_INCOMING,
	};
	int fd = test_file(1);

	if (!ioctl(fd, LIVEUPDATE_TEST_OBJECT, &o)) {
		o.op = LIVEUPDATE_TEST_PUT_INCOMING;
		must(!ioctl(fd, LIVEUPDATE_TEST_OBJECT, &o), "put");
	}
	close(fd);
}

/* All pages that are preserved for the next kernel. */
static inline uint64_t preserved_pages(void)
{
	struct liveupdate_test_pages pages = { .size = sizeof(pages) };
	int fd = open(TEST_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, LIVEUPDATE_TEST_PAGES, &pages))
		return 0;
	close(fd);
	return pages.pages;
}

/* The byte at @i of a memfd that was filled with @seed. */
static inline uint8_t pattern(uint64_t seed, size_t i)
{
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15ULL + i / 8;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ULL;
	return x >> (i % 8 * 8);
}

static inline int memfd(size_t size, uint64_t seed)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t *p;
	size_t i;

	if (fd < 0 || ftruncate(fd, size))
		return -errno;
	if (!size)
		return fd;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	for (i = 0; i < size; i++)
		p[i] = pattern(seed, i);
	munmap(p, size);
	return fd;
}

/* Whether a memfd has this size and the content that memfd() gave it. */
static inline bool memfd_intact(int fd, size_t size, uint64_t seed)
{
	off_t have = lseek(fd, 0, SEEK_END);
	bool same = true;
	uint8_t *p;
	size_t i;

	if (have < 0 || (size_t)have != size)
		return false;
	if (!size)
		return true;
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;
	for (i = 0; i < size && same; i++)
		same = p[i] == pattern(seed, i);
	munmap(p, size);
	return same;
}

static inline bool is_case(const struct __fixture_metadata *f,
			   const struct __test_metadata *t)
{
	char name[256];

	snprintf(name, sizeof(name), "%s.%s", f->name, t->name);
	return is_wanted(name) || is_wanted(t->name);
}

/*
 * Run the tests of the harness. With TEST_CASE, a shell pattern, only those of that
 * name; in the fixture @ordered, whose tests depend on those before them, these too.
 */
static inline int run_cases(int argc, char **argv, const char *ordered)
{
	struct __fixture_metadata *f;
	struct __test_metadata **at, *t, *last;

	for (f = __fixture_list; f; f = f->next) {
		for (last = NULL, t = f->tests; t; t = t->next)
			last = is_case(f, t) ? t : last;
		for (at = &f->tests; (t = *at);) {
			if (!is_case(f, t))
				printf("# other case: %s.%s\n", f->name, t->name);
			if (ordered && !strcmp(f->name, ordered) ? !!last : is_case(f, t))
				at = &t->next;
			else
				*at = t->next;
			if (t == last)
				last = NULL;
		}
	}
	return test_harness_run(argc, argv);
}

/* The main() of a program that has nothing but tests of the harness. */
#define RUN_CASES_MAIN				\
int main(int argc, char **argv)			\
{						\
	return run_cases(argc, argv, NULL);	\
}

#endif
