// SPDX-License-Identifier: GPL-2.0

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksyms.h"

/* The table has no sizes. No function is longer; what is further away is in none. */
#define MAX_FUNCTION	(64 << 10)

struct ksym {
	uint64_t at;
	size_t name;		/* where its name begins in the text */
};

struct ksyms {
	struct ksym *all;
	size_t nr;
	char *text;
	size_t size;
	bool read;		/* the file could be read */
	bool hidden;		/* it had functions, all at address 0 */
};

/* Append a name to the text, which doubles when it is full. */
static bool add_text(struct ksyms *k, const char *name)
{
	size_t len = strlen(name) + 1, room = k->size ? 4096 : 0;
	char *grown;

	while (room && room < k->size)
		room *= 2;
	if (k->size + len > room) {
		room = room ? 2 * room : 4096;
		grown = realloc(k->text, room);
		if (!grown)
			return false;
		k->text = grown;
	}
	memcpy(k->text + k->size, name, len);
	k->size += len;
	return true;
}

static bool add(struct ksyms *k, uint64_t at, const char *name)
{
	struct ksym *grown;

	if (!(k->nr & (k->nr - 1))) {
		grown = reallocarray(k->all, k->nr ? 2 * k->nr : 1, sizeof(*grown));
		if (!grown)
			return false;
		k->all = grown;
	}
	k->all[k->nr++] = (struct ksym){ at, k->size };
	return add_text(k, name);
}

/* A line is an address, a letter, a name, and a module in brackets if it is in one. */
static bool add_line(struct ksyms *k, const char *line)
{
	char name[256], module[64] = "", whole[KSYMS_NAME], type;
	unsigned long long at;

	if (sscanf(line, "%llx %c %255s %63s", &at, &type, name, module) < 3 ||
	    !strchr("tw", tolower(type)))
		return true;
	if (!at) {
		k->hidden = true;
		return true;
	}
	snprintf(whole, sizeof(whole), "%s%s%s", name, *module ? " " : "", module);
	return add(k, at, whole);
}

/* Of several names of an address the first one in the file is the first one here. */
static int compare(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

struct ksyms *ksyms_load(const char *path)
{
	struct ksyms *k = calloc(1, sizeof(*k));
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool ok = k;

	while (ok && f && getline(&line, &size, f) > 0) {
		k->read = true;
		ok = add_line(k, line);
	}
	/* Without memory for a line it is not at its end, and has no error. */
	if (ok && f)
		ok = feof(f) || ferror(f);
	free(line);
	if (f)
		fclose(f);
	if (!ok) {
		ksyms_free(k);
		return NULL;
	}
	if (k->nr)
		qsort(k->all, k->nr, sizeof(*k->all), compare);
	return k;
}

const char *ksyms_missing(const struct ksyms *k)
{
	if (k->nr)
		return NULL;
	if (k->hidden)
		return "functions have no names: " KSYMS_PATH " shows their addresses only with CAP_SYSLOG, and never with kernel.kptr_restrict=2";
	if (k->read)
		return "functions have no names: " KSYMS_PATH " has none";
	return "functions have no names: " KSYMS_PATH " cannot be read; the kernel needs CONFIG_KALLSYMS=y";
}

bool ksyms_find(const struct ksyms *k, uint64_t at, char *name)
{
	size_t low = 0, high = k->nr, mid;

	/* The first one that begins after the address. */
	while (low < high) {
		mid = low + (high - low) / 2;
		if (k->all[mid].at <= at)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || at - k->all[low - 1].at >= MAX_FUNCTION)
		return false;
	while (low > 1 && k->all[low - 2].at == k->all[low - 1].at)
		low--;
	snprintf(name, KSYMS_NAME, "%s", k->text + k->all[low - 1].name);
	return true;
}

void ksyms_free(struct ksyms *k)
{
	if (!k)
		return;
	free(k->all);
	free(k->text);
	free(k);
}
