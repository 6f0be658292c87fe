// SPDX-License-Identifier: GPL-2.0

/*
 * What luotrace says of the start of user space, compared with what systemd-analyze and
 * systemctl say of the same units.
 */

#include <ctype.h>
#include <stdlib.h>

#include "../tap.h"
#include "luo_json.h"

#define CHAIN		"/tmp/chain"
#define STAMPS		"/tmp/stamps"
#define TIMELINE	"/tmp/timeline.json"
#define OTHER		"/tmp/other.json"	/* with --agent chain-slow */
#define US		1000LL
#define MS		1000000LL
#define LONG_MS		20	/* a unit that took less need not be an item */
#define ROUNDED_MS	2	/* systemd-analyze prints milliseconds */

/* An item of systemd in the start of user space; NULL if there is none. */
static json_t *item(json_t *timeline, const char *what)
{
	json_t *o;
	size_t i;

	json_array_foreach(items_of(timeline, "user-space start"), i, o) {
		if (!strcmp(text(o, "source"), "systemd") &&
		    !strcmp(text(o, "what"), what))
			return o;
	}
	return NULL;
}

/* A time as systemd prints it, such as "1min 2.345s" or "70ms", up to the end; in ns. */
static long long span_ns(const char *at)
{
	static const struct { const char *unit; double ns; } units[] = {
		{ "min", 60e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "s", 1e9 },
	};
	double n, sum = 0;
	size_t i;
	char *end;

	while (isdigit((unsigned char)*at)) {
		n = strtod(at, &end);
		i = 0;
		while (i < 4 && strncmp(end, units[i].unit, strlen(units[i].unit)))
			i++;
		if (i == 4)
			return -1;
		sum += n * units[i].ns;
		at = end + strlen(units[i].unit);
		at += *at == ' ';
	}
	return sum;
}

/* "└─NAME @TIME +TIME": the figures of a unit, as far as it is before the agent. */
static void check_line(json_t *timeline, char *line)
{
	char *name = line, *plus = strstr(line, " +"), *at = strstr(line, " @");
	long long took;
	json_t *o;

	while (*name && !isalnum((unsigned char)*name) && *name != '-')
		name++;
	if (!plus || !at || at < name || !strncmp(name, "chain-agent", 11))
		return;
	*at = '\0';
	plus[2 + strcspn(plus + 2, "\n")] = '\0';
	took = span_ns(plus + 2);
	if (took < LONG_MS * MS)
		return;
	o = item(timeline, name);
	if (!check(o && llabs(number(o, "duration_ns") - took) <= ROUNDED_MS * MS,
		   "%s took as long as systemd-analyze says", name))
		printf("# %lld us, systemd-analyze %lld us\n",
		       o ? number(o, "duration_ns") / 1000 : -1, took / 1000);
}

static void check_analyze(json_t *timeline)
{
	FILE *f = fopen(CHAIN, "r");
	char line[512];
	bool slow = false;

	while (f && fgets(line, sizeof(line), f)) {
		slow |= strstr(line, "chain-slow.service") != NULL;
		check_line(timeline, line);
	}
	if (f)
		fclose(f);
	check(slow, "systemd-analyze has the chain");
}

/* A stamp of a unit in ns, -1 if it is missing: of blocks, each with an Id. */
static long long stamp(const char *unit, const char *key)
{
	long long us = -1, found = -1;
	char line[512], id[sizeof(line)] = "";
	FILE *f = fopen(STAMPS, "r");
	size_t size = strlen(key);

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "Id=", 3))
			snprintf(id, sizeof(id), "%s", line + 3);
		if (!strncmp(line, key, size) && line[size] == '=')
			us = atoll(line + size + 1);
		if (!strcmp(id, unit) && us >= 0)
			found = us;
		if (!*line) {
			us = -1;
			*id = '\0';
		}
	}
	if (f)
		fclose(f);
	return found < 0 ? -1 : found * US;
}

/* Whether an item took the time between two stamps. */
static void check_between(json_t *timeline, const char *what, long long begin,
			  long long end)
{
	json_t *o = item(timeline, what);

	long long took = o ? number(o, "duration_ns") : -1;

	if (!check(begin > 0 && llabs(took - (end - begin)) <= US,
		   "%s: as long as systemd's stamps say", what))
		printf("# %lld us, %lld us\n", took / 1000, (end - begin) / 1000);
}

static void check_stamps(json_t *timeline)
{
	const char *begin = "InactiveExitTimestampMonotonic";
	long long first = stamp("chain-first.service", "InactiveEnterTimestampMonotonic");
	long long slow = stamp("chain-slow.service", begin);

	check_between(timeline, "chain-slow.service", slow,
		      stamp("chain-slow.service", "ActiveEnterTimestampMonotonic"));
	/* It is never active, so that systemd-analyze does not know it. */
	check(stamp("chain-first.service", "ActiveEnterTimestampMonotonic") == 0,
	      "the first unit was never active");
	check_between(timeline, "chain-first.service",
		      stamp("chain-first.service", begin), first);
	check_between(timeline, "after chain-first.service, before chain-slow.service",
		      first, slow);
}

/* Each moment once, and nearly all of the phase. */
static void check_sum(json_t *timeline)
{
	long long phase = number(phase_of(timeline, "user-space start"), "duration_ns");
	long long sum = 0;
	json_t *o;
	size_t i;

	json_array_foreach(items_of(timeline, "user-space start"), i, o)
		sum += strcmp(text(o, "source"), "systemd") ? 0 :
		       number(o, "duration_ns");
	if (!check(sum <= phase && sum > phase - phase / 50, "items explain the start"))
		printf("# %lld of %lld us\n", sum / 1000, phase / 1000);
}

static void check_named(json_t *timeline)
{
	double percent = named_percent(timeline);

	if (!check(percent >= NAMED_MIN, "%d %% of the blackout have a name", NAMED_MIN))
		printf("# %.1f %%\n", percent);
}

int main(void)
{
	json_t *timeline = json_load_file(TIMELINE, 0, NULL);
	json_t *other = json_load_file(OTHER, 0, NULL);

	puts("TAP version 13");
	check(timeline && other, "there are timelines");
	check_analyze(timeline);
	check_stamps(timeline);
	check_sum(timeline);
	check_named(timeline);
	check(item(timeline, "chain-agent.service, until it opened the device"),
	      "the unit of the agent is found");
	check(!item(other, "chain-slow.service") &&
	      item(other, "chain-slow.service, until it opened the device"),
	      "another unit is asked for");
	json_decref(timeline);
	json_decref(other);
	return end_tests();
}
