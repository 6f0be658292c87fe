// SPDX-License-Identifier: GPL-2.0

/*
 * A 32-bit agent. Debian's compiler makes such programs, but a C library for them is in
 * packages that replace those of the cross compilers: this is built with the nolibc of the
 * kernel.
 *
 *	agent32 ioctl FD CMD	make this ioctl, with the structure from the standard input;
 *				the exit code is the errno
 *	agent32 hold		a session with a memfd for the next kernel
 *	agent32 restore		what it handed over, as TAP
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NAME	"32-bit"
#define TOKEN	0x123456789abcdefULL	/* more than a long has */
#define PAGES	16
#define PAGE	4096

static int dev;
static uint32_t pattern[PAGE / sizeof(uint32_t)];
static int tests, failures;

static void check(bool ok, const char *what)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

static void make_pattern(uint32_t page)
{
	size_t i;

	for (i = 0; i < PAGE / sizeof(uint32_t); i++)
		pattern[i] = page << 16 | i;
}

/* The descriptor of the session, or a negative errno. */
static int create(void)
{
	struct liveupdate_ioctl_create_session a = { .size = sizeof(a), .name = NAME };

	return ioctl(dev, LIVEUPDATE_IOCTL_CREATE_SESSION, &a) ? -errno : a.fd;
}

static int hold(void)
{
	struct liveupdate_session_preserve_fd a = { .size = sizeof(a), .token = TOKEN };
	struct liveupdate_session_set_event prepare = {
		.size = sizeof(prepare), .event = LIVEUPDATE_PREPARE,
	};
	int s = create(), i;

	a.fd = syscall(__NR_memfd_create, NAME, 0);
	for (i = 0; i < PAGES; i++) {
		make_pattern(i);
		if (write(a.fd, pattern, PAGE) != PAGE)
			return 1;
	}
	if (s < 0 || ioctl(s, LIVEUPDATE_SESSION_PRESERVE_FD, &a) ||
	    ioctl(s, LIVEUPDATE_SESSION_SET_EVENT, &prepare))
		return 1;
	puts("ready");
	fflush(stdout);
	while (true)
		sleep(1000);
}

static bool is_intact(int fd)
{
	static uint32_t page[PAGE / sizeof(uint32_t)];
	int i;

	for (i = 0; i < PAGES; i++) {
		make_pattern(i);
		if (read(fd, page, PAGE) != PAGE || memcmp(page, pattern, PAGE))
			return false;
	}
	return read(fd, page, 1) == 0;
}

static int restore(void)
{
	struct liveupdate_ioctl_retrieve_session claim = {
		.size = sizeof(claim), .name = NAME,
	};
	struct liveupdate_session_get_state state = { .size = sizeof(state) };
	struct liveupdate_session_retrieve_fd a = { .size = sizeof(a), .token = TOKEN };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	puts("KTAP version 1");
	check(!ioctl(dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &claim), "the session is there");
	check(!ioctl(claim.fd, LIVEUPDATE_SESSION_GET_STATE, &state) &&
	      state.state == LIVEUPDATE_STATE_UPDATED, "it is UPDATED");
	a.token++;
	check(ioctl(claim.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &a) && errno == ENOENT,
	      "no file has another token");
	a.token--;
	check(!ioctl(claim.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &a),
	      "the file is there by a token of 64 bits");
	check(!lseek(a.fd, 0, SEEK_SET) && is_intact(a.fd), "it is as it was");
	check(!ioctl(claim.fd, LIVEUPDATE_SESSION_FINISH, &finish), "the session is finished");
	printf("1..%d\n", tests);
	return failures != 0;
}

static int make_ioctl(int fd, int cmd)
{
	static uint64_t arg[PAGE / sizeof(uint64_t)];

	if (read(0, arg, sizeof(arg)) <= 0)
		return ECHILD;
	return ioctl(fd, cmd, arg) ? errno : 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "ioctl") && argc == 4)
		return make_ioctl(atoi(argv[2]), atoi(argv[3]));
	dev = open("/dev/liveupdate", O_RDWR);
	if (dev < 0)
		return errno;
	if (!strcmp(mode, "hold"))
		return hold();
	if (!strcmp(mode, "restore"))
		return restore();
	return EINVAL;
}
