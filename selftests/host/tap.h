/* SPDX-License-Identifier: GPL-2.0 */

/* One result a line, as TAP, for the host tests. */

#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tests, failures;

/** check - print a result; @what says what is true if it passed */
static inline void check(bool ok, const char *what)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

/** check_string - the same for a text that must be another one, which is shown */
static inline void check_string(const char *is, const char *want, const char *what)
{
	if (strcmp(is, want))
		printf("# is   '%s'\n# want '%s'\n", is, want);
	check(!strcmp(is, want), what);
}

#endif
