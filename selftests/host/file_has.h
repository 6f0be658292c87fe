/* SPDX-License-Identifier: GPL-2.0 */

#ifndef FILE_HAS_H
#define FILE_HAS_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Whether a file has just this text, of less than 128 bytes. */
static inline bool file_has(const char *path, const char *want)
{
	char text[128] = "";
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	return n == strlen(want) && !strcmp(text, want);
}

#endif
