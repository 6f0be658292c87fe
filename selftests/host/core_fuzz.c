// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace-core on a core of anybody: opened, and read at addresses that are in it and that
 * are not. An input is the core, see fuzz_expand().
 *
 * What libkdumpfile makes of a core is not luotrace's: that is why luotrace-core is a
 * process of its own. "make fuzz" tells faults of the library apart, by their stacks.
 */

#define _GNU_SOURCE	/* memfd_create() */

#include <sys/mman.h>
#include <sys/socket.h>

#include "fuzz_main.h"

/* Whatever is said goes nowhere, but all of it is read. */
static ssize_t fuzz_send(int fd, const void *data, size_t size, int flags)
{
	(void)fd;
	(void)flags;
	return fwrite(data, 1, size, fuzz_null());
}

#define send fuzz_send
#define main core_main
#include "../../tools/luotrace/core/core.c"
#undef main

#define MAX	(2 << 20)	/* bytes of a core */

static void serve_all(kdump_ctx_t *dump)
{
	static const struct core_request requests[] = {
		{ 0x1000, 4096 }, { 0x1ff0, 32 }, { 0, 1 }, { 0x6000, 8192 },
		{ 0x100000, 64 }, { ~0ULL - 8, 8 }, { 1ULL << 52, 4096 }, { 0x7000, 0 },
		{ 0x1000, MAX_SIZE + 1 },
	};
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		serve(dump, &requests[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t core[MAX];
	int fd = memfd_create("core", MFD_CLOEXEC);
	kdump_ctx_t *dump = kdump_new();

	size = fuzz_expand(core, MAX, data, size);
	if (fd < 0 || !dump || pwrite(fd, core, size, 0) != (ssize_t)size ||
	    dup2(fd, STDIN_FILENO))
		abort();
	close(fd);
	if (open_core(dump))
		serve_all(dump);
	kdump_free(dump);
	return 0;
}
