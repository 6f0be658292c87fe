/* SPDX-License-Identifier: GPL-2.0 */

/* Failing allocations; needs the debug kernel. */

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

#endif
