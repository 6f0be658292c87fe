// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>

#include "enum_name.h"

#define MAX_VALUES	12

static const char *const lists[NR_ENUMS][MAX_VALUES] = {
	[ENUM_DIR] = { "out", "in" },
	[ENUM_STATE] = { "normal", "prepared", "frozen", "updated" },
	[ENUM_EVENT] = { "prepare", "freeze", "finish", "cancel", "boot" },
	[ENUM_FILE_STATE] = { "none", "preserved", "prepared", "frozen",
			       "incoming", "retrieved", "finished", "failed" },
	[ENUM_OP] = { "can_preserve", "preserve", "unpreserve", "prepare",
		       "cancel", "freeze", "unfreeze", "retrieve",
		       "can_finish", "finish", "boot" },
	[ENUM_PHASE] = { "prepare", "freeze", "cancel", "finish", "boot",
			  "restore" },
	[ENUM_SCOPE] = { "global", "session" },
	[ENUM_LEAK_REASON] = { "closed", "discarded", "given-up" },
	[ENUM_MARK] = { "paused", "resumed", "unknown" },
	[ENUM_KHO_KIND] = { "folio", "pages", "vmalloc" },
};

unsigned int enum_count(enum luo_enum list)
{
	unsigned int n = 0;

	while (n < MAX_VALUES && lists[list][n])
		n++;
	return n;
}

const char *enum_name(enum luo_enum list, unsigned int n)
{
	return n < enum_count(list) ? lists[list][n] : "?";
}

int enum_value(enum luo_enum list, const char *text)
{
	unsigned int n;

	for (n = 0; n < enum_count(list); n++) {
		if (!strcmp(lists[list][n], text))
			return n;
	}
	return -1;
}

const char *enum_list(enum luo_enum list)
{
	static char all[256];
	unsigned int n;
	size_t len = 0;

	for (n = 0; n < enum_count(list); n++)
		len += snprintf(all + len, sizeof(all) - len, "%s%s",
				n ? ", " : "", lists[list][n]);
	return all;
}
