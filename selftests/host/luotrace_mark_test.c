// SPDX-License-Identifier: GPL-2.0

/* luotrace_mark(): the kernel's file, else the tool's socket, else an error. Prints TAP. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char mark_file[64], mark_socket[64];

#define LUOTRACE_MARK_FILE	mark_file
#define LUOTRACE_MARK_SOCKET	mark_socket
#include "luotrace_mark.h"
#include "file_has.h"
#include "tap.h"

#define MAX_QUEUE	100000

static int listener(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	strcpy(at.sun_path, mark_socket);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		abort();
	return fd;
}

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Whether the next datagram is this mark, of just now. */
static bool received(int fd, unsigned int what, const char *name, __u64 since)
{
	struct luotrace_mark got[2], want = { .version = 1, .what = what };
	ssize_t n = recv(fd, got, sizeof(got), 0);

	strcpy(want.name, name);
	if (n != 80 || got->monotonic_ns < since || got->monotonic_ns > now_ns())
		return false;
	want.monotonic_ns = got->monotonic_ns;
	return !memcmp(got, &want, sizeof(want));
}

static bool nothing(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN;
}

static void test_nobody(void)
{
	int fd, err;

	errno = EDOM;
	err = luotrace_mark("vm", 1);
	check(err == -EOPNOTSUPP && errno == EDOM,
	      "without file and socket there is no mark, and errno stays");
	fd = listener();
	close(fd);
	check(luotrace_mark("vm", 1) == -EOPNOTSUPP, "so it is if nobody listens any more");
	remove(mark_socket);
}

static void test_socket(void)
{
	char longest[64];
	__u64 since = now_ns();
	int fd = listener(), i, err = 0;

	check(!luotrace_mark("vm-large", 1) && received(fd, 1, "vm-large", since),
	      "a pause is sent");
	since = now_ns();
	errno = EDOM;
	check(!luotrace_mark("g\xff st 2", 0) && errno == EDOM &&
	      received(fd, 2, "g\xff st 2", since), "a resume is sent");
	memset(longest, 'n', sizeof(longest));
	longest[63] = '\0';
	check(!luotrace_mark(longest, 1) && received(fd, 1, longest, since),
	      "the longest name");
	check(luotrace_mark("", 1) == -EINVAL && luotrace_mark("a\nb", 1) == -EINVAL,
	      "a name is neither empty nor two lines");
	check(nothing(fd), "of these nothing is sent");
	for (i = 0; i < MAX_QUEUE && !err; i++)
		err = luotrace_mark("vm", 1);
	check(err == -EAGAIN, "a listener that does not read keeps nobody waiting");
	close(fd);
	remove(mark_socket);
}

static void test_too_long(void)
{
	char name[65];

	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	check(luotrace_mark(name, 1) == -ENAMETOOLONG, "a name that is too long");
}

static void test_file(void)
{
	int fd = listener();
	FILE *f = fopen(mark_file, "w");

	if (!f || fclose(f))
		abort();
	check(!luotrace_mark("vm-large", 1) && file_has(mark_file, "paused vm-large"),
	      "a pause is written to the kernel");
	if (truncate(mark_file, 0))
		abort();
	check(!luotrace_mark("vm-large", 0) && file_has(mark_file, "resumed vm-large"),
	      "a resume is written to the kernel");
	check(nothing(fd), "the tool gets neither");
	remove(mark_file);
	if (symlink("/dev/full", mark_file))
		abort();
	errno = EDOM;
	check(luotrace_mark("vm", 1) == -ENOSPC && errno == EDOM && nothing(fd),
	      "what the kernel rejects is an error, and not sent to the tool");
	remove(mark_file);
	if (mkdir(mark_file, 0700))
		abort();
	check(luotrace_mark("vm", 1) == -EISDIR && nothing(fd),
	      "so is a file that cannot be opened");
	rmdir(mark_file);
	close(fd);
	remove(mark_socket);
}

int main(void)
{
	char directory[] = "/tmp/luotrace-mark.XXXXXX";

	if (!mkdtemp(directory))
		return 1;
	snprintf(mark_file, sizeof(mark_file), "%s/mark", directory);
	snprintf(mark_socket, sizeof(mark_socket), "%s/box", directory);
	puts("TAP version 13");
	test_nobody();
	test_socket();
	test_too_long();
	test_file();
	rmdir(directory);
	return end_tests();
}
