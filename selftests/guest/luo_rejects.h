/* SPDX-License-Identifier: GPL-2.0 */

/* What the kernel has rejected of the handover, by its trace events. */

#ifndef LUO_REJECTS_H
#define LUO_REJECTS_H

#include "luo_test.h"

#define TRACE_PATH	"/sys/kernel/tracing/trace"

/** rejects - all luo_handover_reject, each as "WHAT NAME TOKEN REASON;", "-" for no name */
static inline const char *rejects(void)
{
	static char all[8192];
	char line[512], what[64], name[80], token[32], reason[64], *at;
	FILE *f = fopen(TRACE_PATH, "r");
	size_t len = 0;

	must(f, TRACE_PATH);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, "luo_handover_reject: number=");
		at = at ? strstr(at, "what=") : NULL;
		if (!at)
			continue;
		name[0] = '\0';
		must(sscanf(at, "what=%63s name=%79[^ ]", what, name) >= 1 &&
		     sscanf(strstr(at, " token="), " token=%31s reason=%63s", token,
			    reason) == 2, line);
		len += snprintf(all + len, sizeof(all) - len, "%s %s %s %s;", what,
				*name ? name : "-", token, reason);
		must(len < sizeof(all), "rejects");
	}
	fclose(f);
	return all;
}

#endif
