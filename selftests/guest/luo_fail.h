/* SPDX-License-Identifier: GPL-2.0 */

/* Allocations and copies that fail; needs fault injection in the kernel. */

#ifndef LUO_FAIL_H
#define LUO_FAIL_H

#include "luo_test.h"

#define DEBUG		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

/* All allocations may fail, without a message. */
static inline void allocations_may_fail(void)
{
	static const char *const which[] = { "failslab", "fail_page_alloc" };
	char path[128];
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), DEBUG "%s/ignore-gfp-wait", which[i]);
		write_file(path, "N");
		snprintf(path, sizeof(path), DEBUG "%s/verbose", which[i]);
		write_file(path, "0");
	}
	write_file(DEBUG "fail_page_alloc/ignore-gfp-highmem", "N");
	write_file(DEBUG "fail_page_alloc/min-order", "0");
}

static inline int open_fail_nth(void)
{
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);

	must(fd >= 0, FAIL_NTH);
	return fd;
}

/*
 * Of what this thread does next, the n-th allocation or copy fails; 0 for none. @fd is that
 * of open_fail_nth(). The write itself copies, so that of 0 can be what fails; then no fault
 * is left.
 */
static inline void fail_nth_of(int fd, int n)
{
	char text[16];
	int ret;

	snprintf(text, sizeof(text), "%d", n);
	ret = pwrite(fd, text, strlen(text), 0);
	must(ret > 0 || (!n && errno == EFAULT), FAIL_NTH);
}

/* Whether what was to fail was done; nothing fails later. */
static inline bool nth_was_hit(int fd)
{
	char text[16] = "";
	int ret = pread(fd, text, sizeof(text) - 1, 0);

	must(ret > 0 || errno == EFAULT, FAIL_NTH);
	fail_nth_of(fd, 0);
	return ret > 0 && !atoi(text);
}

#endif
