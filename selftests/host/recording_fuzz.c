// SPDX-License-Identifier: GPL-2.0

/* A recording: what is accepted is shown in every way. An input is the file. */

#define _GNU_SOURCE	/* memfd_create() */

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;
	struct trace_file *t;

	if (fd < 0)
		fd = memfd_create("recording", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	t = trace_file_read(path);
	if (t)
		show_trace(t, 5);
	return 0;
}
