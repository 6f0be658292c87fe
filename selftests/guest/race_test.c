// SPDX-License-Identifier: GPL-2.0

/*
 * All calls at the same time: threads that create, preserve, unpreserve, prepare, freeze,
 * cancel and close sessions and single files, threads that do so with files of the device,
 * threads that change the global state, threads that use an FLB and read sysfs, debugfs and
 * the trace, and reboots that fail. The possible results of each call are known; reports of
 * lockdep, KASAN and KCSAN are in the kernel log.
 *
 *	race_test [SECONDS]
 */

#include "luo_test.h"

#include <linux/reboot.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/reboot.h>
#include <time.h>

enum { GLOBAL = false, SESSION = true };

static int dev, seconds = 10;
static atomic_bool stop;
static atomic_int wrong;
static atomic_long calls;

/* Count a call that returned @ret; the list of possible errnos ends with 0. */
static int may(const char *what, int ret, const int *errors)
{
	calls++;
	if (ret >= 0)
		return ret;
	for (; *errors; errors++) {
		if (ret == -*errors)
			return ret;
	}
	if (wrong++ < 10)
		printf("# %s: %s\n", what, strerror(-ret));
	return ret;
}

#define MAY(call, ...) may(#call, call, (const int []){ __VA_ARGS__, 0 })

/* Sessions of this thread, and one whose name all threads use. */
static void *sessions(void *arg)
{
	unsigned int seed = (uintptr_t)arg, n, i;
	int s, files[4], shared;
	char name[32];

	for (n = 0; !stop; n++) {
		snprintf(name, sizeof(name), "%u-%u", seed, n);
		s = MAY(create(dev, name), EAGAIN);
		shared = MAY(create(dev, "shared"), EAGAIN, EEXIST);
		if (shared >= 0)
			close(shared);
		if (s < 0)
			continue;
		for (i = 0; i < 4; i++) {
			files[i] = i % 2 ? test_file(1) : memfd(8192, 1);
			MAY(preserve(s, files[i], i), EBUSY, EAGAIN);
		}
		MAY(preserve(s, files[0], 9), EBUSY, EAGAIN);
		MAY(unpreserve(s, rand_r(&seed) % 5), EBUSY, EAGAIN, ENOENT);
		for (i = 0; i < 4; i++) {
			MAY(file_event(s, rand_r(&seed) % 5, rand_r(&seed) % 4), EINVAL,
			    EAGAIN, ENOENT, EBUSY);
			MAY(event(s, SESSION, rand_r(&seed) % 4), EINVAL, EAGAIN,
			    EOPNOTSUPP);
		}
		MAY(state(s, SESSION), EAGAIN);
		MAY(file_state(s, rand_r(&seed) % 5), ENOENT);
		for (i = 0; i < 4; i++)
			close(files[i]);
		close(s);
	}
	return NULL;
}

/* Sessions that several threads use through one descriptor. */
static int common;

static void *together(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	int fd;

	while (!stop) {
		fd = rand_r(&seed) % 2 ? test_file(1) : memfd(4096, 1);
		MAY(preserve(common, fd, rand_r(&seed) % 8), EBUSY, EAGAIN,
		    EEXIST);
		close(fd);
		MAY(unpreserve(common, rand_r(&seed) % 8), EBUSY, EAGAIN,
		    ENOENT);
		MAY(file_event(common, rand_r(&seed) % 8, rand_r(&seed) % 4), EINVAL, EAGAIN,
		    ENOENT, EBUSY);
		MAY(file_state(common, rand_r(&seed) % 8), ENOENT);
		MAY(event(common, SESSION, rand_r(&seed) % 4), EINVAL, EAGAIN);
	}
	return NULL;
}

/* Files of the device; now and then it has none, and no session. */
static void *device(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	int fd;

	while (!stop) {
		fd = rand_r(&seed) % 2 ? test_file(1) : memfd(4096, 1);
		MAY(dev_preserve(dev, fd, rand_r(&seed) % 2), EBUSY, EAGAIN, EEXIST);
		close(fd);
		MAY(dev_event(dev, rand_r(&seed) % 2, rand_r(&seed) % 4), EINVAL, EAGAIN,
		    ENOENT);
		MAY(dev_state(dev, rand_r(&seed) % 2, rand_r(&seed) % 2), ENOENT);
		MAY(dev_restore(dev, rand_r(&seed) % 2), EAGAIN, ENOENT);
		MAY(dev_unpreserve(dev, rand_r(&seed) % 2), EBUSY, EAGAIN, ENOENT);
	}
	return NULL;
}

static void *global(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!stop) {
		MAY(event(dev, GLOBAL, LIVEUPDATE_PREPARE), EINVAL);
		usleep(rand_r(&seed) % 3000);
		MAY(event(dev, GLOBAL, LIVEUPDATE_CANCEL), EINVAL);
		usleep(rand_r(&seed) % 3000);
	}
	return NULL;
}

/* A file that fails to freeze makes each reboot fail. */
static void *reboots(void *arg)
{
	int s, t;

	(void)arg;
	while (!stop) {
		s = MAY(create(dev, "stopper"), EAGAIN);
		if (s < 0)
			continue;
		t = test_file(1);
		test_set(t, LIVEUPDATE_TEST_FREEZE, EDOM, 0);
		if (!MAY(preserve(s, t, 1), EBUSY, EAGAIN)) {
			calls++;
			if (!reboot(LINUX_REBOOT_CMD_KEXEC) ||
			    (errno != EDOM && errno != EBUSY)) {
				wrong++;
				perror("# reboot");
			}
		}
		close(t);
		close(s);
		usleep(2000);
	}
	return NULL;
}

static void *watch(void *arg)
{
	static const char *const paths[] = {
		"/sys/kernel/liveupdate/state", "/sys/kernel/liveupdate/number",
		"/sys/kernel/tracing/trace",
		"/sys/kernel/debug/kho/out/sub_fdts/LUO",
	};
	struct liveupdate_test_object o = { .size = sizeof(o) };
	char buf[4096];
	int fd, i, t = test_file(1);

	(void)arg;
	while (!stop) {
		for (i = 0; i < 4; i++) {
			fd = open(paths[i], O_RDONLY);
			if (fd < 0 || read(fd, buf, sizeof(buf)) < 0) {
				perror(paths[i]);
				wrong++;
			}
			close(fd);
		}
		o.op = LIVEUPDATE_TEST_GET_OUTGOING;
		if (!MAY(call(t, LIVEUPDATE_TEST_OBJECT, &o), ENOENT)) {
			usleep(100);
			o.op = LIVEUPDATE_TEST_PUT_OUTGOING;
			MAY(call(t, LIVEUPDATE_TEST_OBJECT, &o), ENOENT);
		}
		MAY(open_device(), EBUSY);
	}
	close(t);
	return NULL;
}

int main(int argc, char **argv)
{
	static void *(*const work[])(void *) = {
		sessions, sessions, together, together, device, device, global, reboots, watch,
	};
	enum { NR = sizeof(work) / sizeof(work[0]) };
	pthread_t threads[NR];
	uint64_t before, after;
	int i;

	if (argc > 1)
		seconds = atoi(argv[1]);
	puts("TAP version 13");
	before = preserved_pages();
	dev = open_device();
	common = create(dev, "common");
	if (dev < 0 || common < 0 || system("vm-kexec --load"))
		return 1;
	for (i = 0; i < NR; i++)
		pthread_create(&threads[i], NULL, work[i], (void *)(uintptr_t)i);
	sleep(seconds);
	stop = true;
	for (i = 0; i < NR; i++)
		pthread_join(threads[i], NULL);

	printf("# %ld calls in %d s\n", (long)calls, seconds);
	check(!wrong && calls > 100, "each call returns a possible result");
	event(dev, GLOBAL, LIVEUPDATE_CANCEL);
	check(state(dev, GLOBAL) == LIVEUPDATE_STATE_NORMAL,
	      "the global state is normal after it");
	close(common);
	close(dev);
	after = preserved_pages();
	printf("# %llu pages before, %llu after\n", (unsigned long long)before,
	       (unsigned long long)after);
	check(before && before == after, "no page stays preserved");
	dev = open_device();
	common = create(dev, "common");
	check(common >= 0 && !preserve(common, memfd(4096, 1), 1) &&
	      !event(dev, GLOBAL, LIVEUPDATE_PREPARE), "a live update can be prepared");
	return end_tests();
}
