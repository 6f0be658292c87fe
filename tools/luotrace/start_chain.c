// SPDX-License-Identifier: GPL-2.0

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "start_chain.h"
#include "systemctl.h"

#define US		1000ULL
#define ONE		96	/* bytes of a unit's name in a text of its own */
#define TWO		48	/* the same of one of two */
#define UNIT_NS		1000000000ULL	/* between a fork and when systemd looks at its clock */
#define CHAIN_MAX	28	/* units; each is up to two items */

/* What systemd says of a unit; times are CLOCK_MONOTONIC in ns, 0 for never. */
struct unit {
	const char *id;
	const char *after;	/* names of units, with spaces between them */
	uint64_t begin;		/* it left the state inactive for the last time */
	uint64_t active;	/* it became active for the last time */
	uint64_t ended;		/* it became inactive again */
	uint64_t main;		/* its main process was started */
	int pid;		/* that process, the last one that it had */
};

struct units {
	char *text;
	struct unit *all;
	size_t n;
};

/* The stretch of the phase that is left, and where items go. */
struct chain {
	uint64_t from, to;
	struct start_item *items;
	int n;
};

__attribute__((format(printf, 4, 5)))
static void chain_add(struct chain *c, uint64_t from, uint64_t to, const char *fmt, ...)
{
	struct start_item *item = &c->items[c->n];
	va_list ap;

	from = from > c->from ? from : c->from;
	to = to < c->to ? to : c->to;
	if (to <= from || c->n == START_CHAIN_ITEMS)
		return;
	item->from = from;
	item->to = to;
	va_start(ap, fmt);
	vsnprintf(item->text, sizeof(item->text), fmt, ap);
	va_end(ap);
	c->n++;
}

/* A property of a manager or a unit: "KEY=US". */
static bool read_us(const char *line, const char *key, uint64_t *ns)
{
	size_t size = strlen(key);
	unsigned long long us;
	char more;

	if (strncmp(line, key, size) || line[size] != '=' ||
	    sscanf(line + size + 1, "%llu%c", &us, &more) != 1 || us > INT64_MAX / US)
		return false;
	*ns = us * US;
	return true;
}

/*
 * Stamps of systemd itself, in order, and what ends with each. Those of an initrd are set
 * only if systemd runs there, too.
 */
static const struct {
	const char *key, *what;
} stages[] = {
	{ "InitRDTimestampMonotonic", "before systemd in the initrd" },
	{ "UserspaceTimestampMonotonic", "the initrd, until its systemd ended" },
	{ "GeneratorsStartTimestampMonotonic", "systemd itself, before generators" },
	{ "GeneratorsFinishTimestampMonotonic", "generators of systemd" },
	{ "UnitsLoadStartTimestampMonotonic", "systemd itself, before units are loaded" },
	{ "UnitsLoadFinishTimestampMonotonic", "systemd loads its units" },
};

#define NR_STAGES	(sizeof(stages) / sizeof(stages[0]))

static bool ask_manager(uint64_t stamps[NR_STAGES], const char **why)
{
	const char *args[2 * NR_STAGES + 1] = { NULL };
	char *text, *line, *rest;
	size_t i;

	for (i = 0; i < NR_STAGES; i++) {
		args[2 * i] = "-p";
		args[2 * i + 1] = stages[i].key;
		stamps[i] = 0;
	}
	text = systemctl_show(args, why);
	if (!text)
		return false;
	line = strtok_r(text, "\n", &rest);
	for (; line; line = strtok_r(NULL, "\n", &rest)) {
		for (i = 0; i < NR_STAGES; i++)
			read_us(line, stages[i].key, &stamps[i]);
	}
	free(text);
	return true;
}

/* Systemd itself, from the start of user space on; what is left is after that. */
static void add_stages(struct chain *c, const uint64_t stamps[NR_STAGES])
{
	const char *what;
	size_t i;

	for (i = 0; i < NR_STAGES; i++) {
		if (stamps[i] <= c->from)
			continue;
		what = stages[i].what;
		if (i == 1 && !stamps[0])
			what = "before systemd: an initrd, or its start";
		chain_add(c, c->from, stamps[i], "%s", what);
		c->from = stamps[i];
		if (c->from >= c->to)
			return;
	}
}

static void read_property(struct unit *u, char *line)
{
	if (!strncmp(line, "Id=", 3))
		u->id = line + 3;
	else if (!strncmp(line, "After=", 6))
		u->after = line + 6;
	else if (sscanf(line, "ExecMainPID=%d", &u->pid) == 1)
		return;
	else if (!read_us(line, "InactiveExitTimestampMonotonic", &u->begin) &&
		 !read_us(line, "ActiveEnterTimestampMonotonic", &u->active) &&
		 !read_us(line, "InactiveEnterTimestampMonotonic", &u->ended))
		read_us(line, "ExecMainStartTimestampMonotonic", &u->main);
}

static struct unit *unit_new(struct units *units)
{
	struct unit *all;

	if (!(units->n & (units->n - 1))) {
		all = realloc(units->all, (units->n ? 2 * units->n : 1) * sizeof(*all));
		if (!all)
			return NULL;
		units->all = all;
	}
	units->all[units->n] = (struct unit){ .id = "", .after = "" };
	return &units->all[units->n++];
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct unit *)a)->id, ((const struct unit *)b)->id);
}

static void units_free(struct units *units)
{
	free(units->all);
	free(units->text);
}

/* All units that systemd has loaded: blocks of properties, empty lines between them. */
static bool ask_units(struct units *units, const char **why)
{
	static const char *const args[] = {
		"-p", "Id", "-p", "After", "-p", "InactiveExitTimestampMonotonic",
		"-p", "ActiveEnterTimestampMonotonic",
		"-p", "InactiveEnterTimestampMonotonic",
		/* Those that are inactive, too: they can have been waited for. */
		"-p", "ExecMainStartTimestampMonotonic", "-p", "ExecMainPID", "--all", "--", "*", NULL
	};
	struct unit *u = NULL;
	char *line, *next;

	*units = (struct units){ .text = systemctl_show(args, why) };
	if (!units->text)
		return false;
	for (line = units->text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!*line) {
			u = NULL;
			continue;
		}
		u = u ? u : unit_new(units);
		if (!u) {
			*why = "out of memory";
			return false;
		}
		read_property(u, line);
	}
	if (units->n)
		qsort(units->all, units->n, sizeof(*units->all), by_id);
	return true;
}

static const struct unit *unit_find(const struct units *units, const char *id)
{
	const struct unit key = { .id = id };

	return units->n ? bsearch(&key, units->all, units->n, sizeof(key), by_id) : NULL;
}

bool start_chain_unit_of(int pid, uint64_t started, char *unit)
{
	struct units units = { 0 };
	const struct unit *u;
	bool found = false;
	const char *why;
	size_t i;

	ask_units(&units, &why);
	for (i = 0; i < units.n && !found; i++) {
		u = &units.all[i];
		found = u->pid == pid && u->main + UNIT_NS > started &&
			started + UNIT_NS > u->main;
		if (found)
			snprintf(unit, START_CHAIN_UNIT, "%s", u->id);
	}
	units_free(&units);
	return found;
}

/*
 * When units after this one could begin, 0 if that is not known: when it was active, or, if
 * it never is, when it was done.
 */
static uint64_t ready(const struct unit *u)
{
	if (!u->begin)
		return 0;
	return u->active >= u->begin ? u->active : u->ended >= u->begin ? u->ended : 0;
}

/* The unit whose being ready let this one begin: the last one of those that it is after. */
static const struct unit *unit_awaited(const struct units *units, const struct unit *u)
{
	const struct unit *last = NULL, *one;
	char name[START_CHAIN_UNIT];
	const char *at = u->after;
	size_t size;

	for (; *at; at += size) {
		at += strspn(at, " ");
		size = strcspn(at, " ");
		if (!size || size >= sizeof(name))
			continue;
		memcpy(name, at, size);
		name[size] = '\0';
		one = unit_find(units, name);
		if (one && one != u && ready(one) && ready(one) <= u->begin &&
		    (!last || ready(one) > ready(last)))
			last = one;
	}
	return last;
}

static void add_agent(struct chain *c, const struct unit *u)
{
	char name[ONE];

	fmt_name(name, sizeof(name), u->id);
	if (u->main > u->begin && u->main < c->to) {
		chain_add(c, u->begin, u->main, "%s, before its main process", name);
		chain_add(c, u->main, c->to, "%s, until it opened the device", name);
	} else {
		chain_add(c, u->begin, c->to, "%s, until it opened the device", name);
	}
}

/* The chain of units, from the agent back to what began first. */
static void add_units(struct chain *c, const struct units *units, const struct unit *agent)
{
	const struct unit *u = agent, *before;
	char name[ONE], first[TWO], second[TWO];
	int i;

	add_agent(c, agent);
	c->to = agent->begin;
	for (i = 0; i < CHAIN_MAX && c->to > c->from; i++) {
		before = unit_awaited(units, u);
		fmt_name(second, sizeof(second), u->id);
		if (!before) {
			chain_add(c, c->from, c->to, "before systemd started %s", second);
			break;
		}
		fmt_name(first, sizeof(first), before->id);
		chain_add(c, ready(before), u->begin, "after %s, before %s", first,
			  second);
		chain_add(c, before->begin, ready(before), "%s",
			  fmt_name(name, sizeof(name), before->id));
		c->to = before->begin;
		u = before;
	}
}

/* Whether systemd itself has opened the device: no service had begun by then. */
static bool by_systemd(const struct units *units, uint64_t opened)
{
	static const char end[] = ".service";
	const struct unit *u;
	size_t i, size;

	for (i = 0; i < units->n; i++) {
		u = &units->all[i];
		size = strlen(u->id);
		if (size >= sizeof(end) && u->begin && u->begin < opened &&
		    !strcmp(u->id + size - (sizeof(end) - 1), end))
			return false;
	}
	return true;
}

static void find_units(struct chain *c, const struct units *units, const char *agent,
		       const char **why)
{
	const struct unit *u = *agent ? unit_find(units, agent) : NULL;

	if (!strcmp(agent, "init.scope") || (units->n && by_systemd(units, c->to)))
		chain_add(c, c->from, c->to, "systemd itself, until it opened the device");
	else if (!*agent)
		*why = "nobody saw which unit opened the device; see --agent";
	else if (!u || !u->begin)
		*why = "systemd does not know the unit of the agent";
	else if (u->begin >= c->to)
		*why = "the unit of the agent was started again since";
	else
		add_units(c, units, u);
}

int start_chain_items(uint64_t init, uint64_t opened, const char *agent,
		      struct start_item *items, const char **why)
{
	struct chain c = { .from = init, .to = opened, .items = items };
	uint64_t stamps[NR_STAGES];
	struct units units = { 0 };

	*why = NULL;
	if (!ask_manager(stamps, why))
		return 0;
	add_stages(&c, stamps);
	if (c.from < c.to && ask_units(&units, why))
		find_units(&c, &units, agent, why);
	units_free(&units);
	return c.n;
}

/* "[N:][name=systemd]:/A.slice/UNIT/..." */
static bool line_unit(const char *line, char *unit)
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount",
					     ".swap" };
	const char *path = strchr(line, '/'), *end;
	size_t size, i;

	if (strncmp(line, "0::", 3) && !strstr(line, ":name=systemd:"))
		return false;
	for (; path && *path; path += size) {
		path += strspn(path, "/");
		size = strcspn(path, "/\n");
		/* A name that could be of the kernel has a prefix. */
		end = path + size;
		if (*path == '_') {
			path++;
			size--;
		}
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			if (size <= strlen(kinds[i]) || size >= START_CHAIN_UNIT ||
			    strncmp(end - strlen(kinds[i]), kinds[i], strlen(kinds[i])))
				continue;
			memcpy(unit, path, size);
			unit[size] = '\0';
			return true;
		}
		if (*end == '\n')
			break;
	}
	return false;
}

bool start_chain_unit(const char *cgroup, char *unit)
{
	FILE *f = fopen(cgroup, "re");
	char line[8192];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = line_unit(line, unit);
	if (f)
		fclose(f);
	return found;
}
