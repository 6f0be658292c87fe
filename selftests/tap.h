/* SPDX-License-Identifier: GPL-2.0 */

/* One result a line, as TAP, for the tests of the host and of the VM. */

#ifndef TAP_H
#define TAP_H

#include <fnmatch.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tests, failures;

/** is_wanted - whether TEST_CASE, a shell pattern, asks for this test, or for all */
static inline bool is_wanted(const char *name)
{
	const char *pattern = getenv("TEST_CASE");

	return !pattern || !*pattern || !fnmatch(pattern, name, 0);
}

/** check - print a result; the text says what is true if it passed */
__attribute__((format(printf, 2, 3)))
static inline bool check(bool ok, const char *fmt, ...)
{
	char what[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (!is_wanted(what)) {
		printf("# other case: %s\n", what);
		return ok;
	}
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	fflush(stdout);
	failures += !ok;
	return ok;
}

/** check_string - the same for a text, which is shown if it is not as wanted */
static inline void check_string(const char *is, const char *want, const char *what)
{
	if (!check(!strcmp(is, want), "%s", what))
		printf("# is   '%s'\n# want '%s'\n", is, want);
}

/** end_tests - print the plan; returns the exit code */
static inline int end_tests(void)
{
	printf("1..%d\n", tests);
	return failures != 0;
}

#endif
