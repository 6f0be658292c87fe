// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>

#include "enum_name.h"

#define MAX_WORDS	12

static const char *const lists[WORDS_NR][MAX_WORDS] = {
	[WORDS_DIR] = { "out", "in" },
	[WORDS_STATE] = { "normal", "prepared", "frozen", "updated" },
	[WORDS_EVENT] = { "prepare", "freeze", "finish", "cancel", "boot" },
	[WORDS_FILE_STATE] = { "none", "preserved", "prepared", "frozen",
			       "incoming", "retrieved", "finished", "failed" },
	[WORDS_OP] = { "can_preserve", "preserve", "unpreserve", "prepare",
		       "cancel", "freeze", "unfreeze", "retrieve",
		       "can_finish", "finish", "boot" },
	[WORDS_PHASE] = { "prepare", "freeze", "cancel", "finish", "boot",
			  "restore" },
	[WORDS_SCOPE] = { "global", "session" },
	[WORDS_LEAK_REASON] = { "closed", "discarded", "given-up" },
	[WORDS_KHO_KIND] = { "folio", "pages", "vmalloc" },
};

unsigned int words_count(enum words list)
{
	unsigned int n = 0;

	while (n < MAX_WORDS && lists[list][n])
		n++;
	return n;
}

const char *word(enum words list, unsigned int n)
{
	return n < words_count(list) ? lists[list][n] : "?";
}

int word_find(enum words list, const char *text)
{
	unsigned int n;

	for (n = 0; n < words_count(list); n++) {
		if (!strcmp(lists[list][n], text))
			return n;
	}
	return -1;
}

const char *words_all(enum words list)
{
	static char all[256];
	unsigned int n;
	size_t len = 0;

	for (n = 0; n < words_count(list); n++)
		len += snprintf(all + len, sizeof(all) - len, "%s%s",
				n ? ", " : "", lists[list][n]);
	return all;
}
