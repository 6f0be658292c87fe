// SPDX-License-Identifier: GPL-2.0

/*
 * Live updates to compare: the same sessions each time, with a handler whose freeze takes as
 * long as is wanted.
 *
 *	compare_agent hold US		memfds, and files of the test handler whose freeze takes
 *					US in all; PREPARE, then the kexec
 *	compare_agent restore		in the next kernel: retrieve all, finish
 */

#include "luo_test.h"

#define MEMFDS		4
#define MEMFD_SIZE	(4UL << 20)
#define FILES		2

static int slow_file(unsigned int us)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = LIVEUPDATE_TEST_FREEZE, .delay_us = us,
	};
	int fd = test_file(1);

	must(fd >= 0 && !call(fd, LIVEUPDATE_TEST_SET, &set), TEST_DEVICE);
	return fd;
}

static int hold(unsigned int us)
{
	int dev = open_device(), memory = create(dev, "memory"), files = create(dev, "files");
	int i;

	for (i = 0; i < MEMFDS; i++)
		must(!preserve(memory, memfd(MEMFD_SIZE, i), i), "memory");
	for (i = 0; i < FILES; i++)
		must(!preserve(files, slow_file(us / FILES), i), "files");
	must(!event(dev, false, LIVEUPDATE_PREPARE), "PREPARE");
	return hold_until_kexec();
}

static int restore(void)
{
	int dev = open_device(), memory = claim(dev, "memory"), files = claim(dev, "files");
	int i;

	for (i = 0; i < MEMFDS; i++)
		must(memfd_intact(retrieve(memory, i), MEMFD_SIZE, i), "memory");
	for (i = 0; i < FILES; i++)
		must(retrieve(files, i) >= 0, "files");
	must(!finish(memory) && !finish(files), "finish");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "hold"))
		return hold(strtoul(argv[2], NULL, 10));
	if (argc == 2 && !strcmp(argv[1], "restore"))
		return restore();
	fputs("usage: compare_agent hold US|restore\n", stderr);
	return 2;
}
