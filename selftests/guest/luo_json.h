/* SPDX-License-Identifier: GPL-2.0 */

/* What the guest tests read of luotrace's output. */

#ifndef LUO_JSON_H
#define LUO_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/** text - a string of an object, "" if it is missing */
static inline const char *text(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key)) ?: "";
}

/** number - an integer of an object, -1 if it is missing */
static inline long long number(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

/** named - the object of that name in a list of an object, or NULL */
static inline json_t *named(json_t *root, const char *list, const char *name)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(root, list), i, o) {
		if (!strcmp(text(o, "name"), name))
			return o;
	}
	return NULL;
}

/** phase_of - a phase of luotrace timeline, by its name, or NULL */
static inline json_t *phase_of(json_t *timeline, const char *name)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(timeline, "phases"), i, o) {
		if (!strcmp(text(o, "phase"), name))
			return o;
	}
	return NULL;
}

/* How much of a blackout has to have a name, in percent; if the base's LUO restored it. */
#define NAMED_MIN	95
#define NAMED_MIN_BASE	90

/** named_percent - how much of the blackout luotrace timeline names, -1 if unknown */
static inline double named_percent(json_t *timeline)
{
	json_t *inside = json_object_get(timeline, "inside");
	json_t *percent = json_object_get(inside, "named_percent");

	return json_is_number(percent) ? json_number_value(percent) : -1;
}

/** items_of - what is named inside of a phase of luotrace timeline, or NULL */
static inline json_t *items_of(json_t *timeline, const char *phase)
{
	json_t *o, *inside = json_object_get(timeline, "inside");
	size_t i;

	json_array_foreach(json_object_get(inside, "phases"), i, o) {
		if (!strcmp(text(o, "phase"), phase))
			return json_object_get(o, "items");
	}
	return NULL;
}

/**
 * row_of - the row of an operation in the list "calls" of an object
 * @o:	    luotrace latency, or the stacks in an output
 * @kind:   "handler" or another key for what was called
 * @target: what its value has to begin with, "" for any of that kind
 * @op:	    the operation
 *
 * Return: the row, or NULL.
 */
static inline json_t *row_of(json_t *o, const char *kind, const char *target, const char *op)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(o, "calls"), i, row) {
		if (json_object_get(row, kind) && !strcmp(text(row, "op"), op) &&
		    !strncmp(text(row, kind), target, strlen(target)))
			return row;
	}
	return NULL;
}

/** call_row - the row of an operation in luotrace latency, by the handler's prefix */
static inline json_t *call_row(json_t *latency, const char *handler, const char *op)
{
	return row_of(latency, "handler", handler, op);
}

/** file_has - whether a line of a file has this text */
static inline bool file_has(const char *path, const char *what)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, what);
	if (f)
		fclose(f);
	return found;
}

#endif
