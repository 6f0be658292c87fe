// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fmt.h"
#include "json.h"
#include "msg.h"

json_t *json_head(const char *command, const struct probe *probe)
{
	return json_pack("{si, ss, so}", "schema", JSON_SCHEMA, "command", command,
			 "kernel", fmt_json_name(probe->release));
}

bool json_print(json_t *root, size_t flags)
{
	char *text = json_dumps(root, flags);

	json_decref(root);
	if (!text) {
		msg_error("cannot make the JSON output: out of memory");
		return false;
	}
	/* One write: before the kexec there may be no time for a second one. */
	puts(text);
	free(text);
	return !fflush(stdout) && !ferror(stdout);
}

size_t json_write(const json_t *value, size_t flags, FILE *f)
{
	char room[4096], *text = NULL;
	size_t size = json_dumpb(value, room, sizeof(room), flags);

	if (size > sizeof(room)) {
		text = malloc(size);
		size = text ? json_dumpb(value, text, size, flags) : 0;
	}
	fwrite(text ? text : room, 1, size, f);
	free(text);
	return size;
}

json_t *json_token(uint64_t token)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)token);
	return json_string(text);
}

static json_t *json_count(uint64_t n)
{
	return n == TRACER_UNKNOWN ? json_null() : json_integer(n);
}

json_t *json_lost(const struct tracer_lost *lost)
{
	return json_pack("{so, so, so, so}", "events", json_count(lost->events),
			 "calls_in_others", json_count(lost->rows),
			 "missed", json_count(lost->missed),
			 "functions", json_count(lost->functions));
}

bool json_read_token(json_t *o, const char *key, __u64 *token)
{
	const char *text = json_string_value(json_object_get(o, key));
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*token = strtoull(text, &end, 10);
	return !errno && !*end;
}
