// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "enum_name.h"
#include "fmt.h"
#include "handover_tables.h"
#include "inventory.h"
#include "json.h"
#include "msg.h"

#define KHO		"/sys/kernel/debug/kho/"
#define MAX_TREE	(64 << 20)	/* bytes; anything larger is not a table */

static const char handover_doc[] =
	"Shows what one kernel hands over to the next, and what a kernel with the base's LUO "
	"or with this one makes of it.\v"
	"Without FILE it reads the tables of this machine from debugfs: LUO, which the base's "
	"LUO reads, too, and LUO-FDT. FILE is a copy of one of those, or of the tree of all "
	"of KHO. --memory also shows what it points at, which a running kernel frees as soon "
	"as it has read it.\n\n"
	"Examples:\n"
	"  luotrace handover\n"
	"  luotrace handover saved-table\n"
	"  luotrace handover --memory vmcore --files saved-table";

/* What one direction of debugfs has, or FILE. */
struct source {
	const char *path;
	const char *what;	/* NULL: FILE itself */
	enum handover_kind kind;
	bool grows;		/* while debugfs shows its first size */
};

enum { IN_KHO, IN_BASE, IN_TREE, NR_SOURCES };

/* The tables of this machine. */
static const struct direction {
	const char *name;
	const char *whose;
	bool next;	/* for the next kernel */
	struct source sources[NR_SOURCES];
} directions[] = {
	{ "in", "from the previous kernel", false, {
		{ KHO "in/fdt", "KHO", HANDOVER_KHO, false },
		{ KHO "in/sub_fdts/" LUO_KHO_ENTRY_NAME, LUO_KHO_ENTRY_NAME,
		  HANDOVER_BASE, false },
		{ KHO "in/sub_fdts/" LUO_FDT_SUBTREE, LUO_FDT_SUBTREE,
		  HANDOVER_LUO, false },
	} },
	{ "out", "for the next kernel", true, {
		{ KHO "out/fdt", "KHO", HANDOVER_KHO, true },
		{ KHO "out/sub_fdts/" LUO_KHO_ENTRY_NAME, LUO_KHO_ENTRY_NAME,
		  HANDOVER_BASE, false },
		{ KHO "out/sub_fdts/" LUO_FDT_SUBTREE, LUO_FDT_SUBTREE,
		  HANDOVER_LUO, false },
	} },
};

#define NR_DIRECTIONS	(sizeof(directions) / sizeof(directions[0]))

/* A table that was read; @h is to be freed if @decoded. */
struct table {
	void *data;
	size_t size;
	bool decoded;
	struct handover h;
};

struct handover_cmd {
	struct cmd_options o;
	const char *path;
	const char *memory;
	bool files;
	struct probe probe;
	json_t *trees;
	json_t *tables;
	struct memory *mem;
	bool malformed;
	unsigned int shown;
};

enum { KEY_MEMORY = 256, KEY_FILES };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct handover_cmd *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->o;
		return 0;
	case KEY_MEMORY:
		c->memory = arg;
		return 0;
	case KEY_FILES:
		c->files = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "too many arguments, want one FILE");
		c->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (c->memory && !c->path)
			argp_error(state, "--memory needs the FILE with the table of the same machine at the same time");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A whole file; NULL with errno set. */
static void *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "re");
	char *data = NULL, *more;
	size_t room = 0, n = 1;

	*size = 0;
	if (!f)
		return NULL;
	while (n && *size <= MAX_TREE) {
		if (*size == room) {
			room = room ? 2 * room : 1 << 16;
			more = realloc(data, room);
			if (!more)
				break;
			data = more;
		}
		n = fread(data + *size, 1, room - *size, f);
		*size += n;
	}
	if (ferror(f) || n) {
		if (!errno)
			errno = EFBIG;
		free(data);
		data = NULL;
	}
	fclose(f);
	return data;
}

/* What would be handed over now: the tree has that only after the freeze. */
static void print_outgoing(const struct inventory *inv)
{
	char name[4 * INV_NAME_LEN + 1], size[FMT_LEN];
	const struct inv_session *s;
	size_t n;

	for (n = 0; n < inv->nr_sessions; n++) {
		s = &inv->sessions[n];
		printf("  session %s, %s: %llu file%s, %s\n",
		       fmt_name(name, sizeof(name), s->name),
		       enum_name(ENUM_STATE, s->state),
		       (unsigned long long)s->files, fmt_s(s->files),
		       s->pages == INV_UNKNOWN ? "-" :
		       fmt_bytes(size, s->pages * sysconf(_SC_PAGESIZE)));
	}
}

static json_t *outgoing_json(const struct inventory *inv)
{
	json_t *all = json_array();
	const struct inv_session *s;
	size_t n;

	for (n = 0; n < inv->nr_sessions; n++) {
		s = &inv->sessions[n];
		json_array_append_new(all, json_pack("{so, ss, sI, so}",
			"name", fmt_json_name(s->name),
			"state", enum_name(ENUM_STATE, s->state),
			"files", (json_int_t)s->files,
			"pages", s->pages == INV_UNKNOWN ? json_null() :
				 json_integer(s->pages)));
	}
	return all;
}

static void print_heading(struct handover_cmd *c, const struct direction *d,
			  const struct source *from)
{
	if (c->shown++)
		putchar('\n');
	if (d)
		printf("%s, %s (%s)\n", from->what, d->whose, from->path);
	else if (from->what)
		printf("%s, subtree of %s\n", from->what, from->path);
}

/* The sessions that would be handed over now; they are in memory only after the freeze. */
static void show_outgoing(struct handover_cmd *c, json_t *o)
{
	struct inventory inv = {};
	bool known = !probe_why_no_audit(&c->probe) &&
		     !inventory_read(&c->probe, &inv, enum_value(ENUM_DIR, "out"), true);

	if (o) {
		json_object_set_new(o, "outgoing", known ? outgoing_json(&inv) :
							   json_null());
	} else if (known) {
		printf("sessions of this kernel so far: %s%zu\n",
		       inv.torn ? "at least " : "", inv.nr_sessions);
		print_outgoing(&inv);
	}
	inventory_free(&inv);
}

static void show(struct handover_cmd *c, const struct direction *d,
		 const struct source *from, const struct handover *h, bool outgoing)
{
	json_t *o = NULL;

	c->malformed |= h->nr_problems;
	if (c->o.json) {
		o = handover_json(h, c->files);
		json_object_set_new(o, "file", fmt_json_name(from->path));
		if (!d && from->what)
			json_object_set_new(o, "subtree", json_string(from->what));
		json_array_append_new(c->trees, o);
	} else {
		print_heading(c, d, from);
		handover_text(h, c->files, stdout);
	}
	if (outgoing)
		show_outgoing(c, o);
}

/* The base's LUO frees its table when it has read it, but debugfs still shows the page. */
static bool is_freed(const struct handover_cmd *c, const struct direction *d,
		     const struct source *from)
{
	return !d->next && from->kind == HANDOVER_BASE &&
	       c->probe.flavour == FLAVOUR_STOCK;
}

/* Why a table cannot be shown, without being malformed; NULL if it can. */
static const char *why_not_shown(const struct handover_cmd *c, char *buf, size_t len,
				 const struct direction *d, const struct source *from,
				 const struct table *t)
{
	if (is_freed(c, d, from))
		return "this kernel has read and freed it";
	/* If debugfs does not show all of a tree, it looks like one that is cut. */
	if (!from->grows || t->size < sizeof(struct fdt_header) ||
	    fdt_magic(t->data) != FDT_MAGIC || fdt_totalsize(t->data) <= t->size)
		return NULL;
	snprintf(buf, len, "it grew, and debugfs shows %zu of its %u bytes", t->size,
		 fdt_totalsize(t->data));
	return buf;
}

static bool is_not_shown(struct handover_cmd *c, const struct direction *d,
			 const struct source *from, const struct table *t)
{
	char buf[128];
	const char *why = why_not_shown(c, buf, sizeof(buf), d, from, t);

	if (!why)
		return false;
	if (c->o.json) {
		json_array_append_new(c->trees, json_pack("{so, sn, si, s[]}", "file",
			fmt_json_name(from->path), "tree", "nr_problems", 0, "problems"));
	} else {
		print_heading(c, d, from);
		printf("not shown: %s\n", why);
	}
	return true;
}

static int decode(struct handover_cmd *c, struct table *t, enum handover_kind kind)
{
	t->decoded = true;
	if (!handover_decode(&t->h, kind, t->data, t->size, c->mem))
		return EXIT_FINE;
	msg_error("out of memory");
	return EXIT_FINDING;
}

static void free_table(struct table *t)
{
	if (t->decoded)
		handover_free(&t->h);
	free(t->data);
}

static const struct handover *decoded(const struct table *t)
{
	return t->decoded ? &t->h : NULL;
}

static void show_verdict(struct handover_cmd *c, const struct direction *d,
			 const struct handover_tables *tables)
{
	struct handover_verdict v;
	json_t *o;

	handover_judge(tables, &v);
	c->malformed |= v.nr_differences;
	if (c->o.json) {
		o = handover_verdict_json(tables, &v);
		json_object_set_new(o, "direction", d ? json_string(d->name) :
							json_null());
		json_array_append_new(c->tables, o);
		return;
	}
	if (tables->complete && d)
		printf("\nHandover %s\n", d->whose);
	else if (tables->complete)
		puts("\nHandover");
	handover_verdict_text(tables, &v, stdout);
	if (d && d->next && probe_next_kernel(&c->probe))
		fmt_wrapped(stdout, "next kernel   ", probe_next_kernel(&c->probe));
}

/* Read a subtree of KHO's tree from memory. */
static int load_subtree(struct handover_cmd *c, struct handover *kho,
			const struct source *from, struct table *t)
{
	const struct handover_entry *e;
	size_t i;

	for (i = 0; i < kho->nr_entries; i++) {
		e = &kho->entries[i];
		if (strcmp(e->name, from->what))
			continue;
		t->size = e->size <= MAX_TREE ? e->size : 0;
		t->data = malloc(t->size + !t->size);
		if (!t->data) {
			msg_error("out of memory");
			return EXIT_FINDING;
		}
		if (t->size && c->mem->read(c->mem, e->data, t->data, t->size))
			return decode(c, t, from->kind);
		handover_problem(kho, "subtree '%s' %s", e->name,
				 t->size ? c->mem->why : "is empty or too large");
		return EXIT_FINE;
	}
	return EXIT_FINE;
}

/* KHO's tree and LUO's tables below it, which are in memory. */
static int show_subtrees(struct handover_cmd *c, const struct source *file,
			 struct handover *kho)
{
	const struct source sources[NR_SOURCES] = {
		[IN_BASE] = { c->path, LUO_KHO_ENTRY_NAME, HANDOVER_BASE, false },
		[IN_TREE] = { c->path, LUO_FDT_SUBTREE, HANDOVER_LUO, false },
	};
	struct table t[NR_SOURCES] = {};
	struct handover_tables tables = { .complete = true };
	int i, ret = EXIT_FINE;

	for (i = IN_BASE; i < NR_SOURCES && ret == EXIT_FINE; i++)
		ret = load_subtree(c, kho, &sources[i], &t[i]);
	show(c, NULL, file, kho, false);
	for (i = IN_BASE; i < NR_SOURCES && ret == EXIT_FINE; i++) {
		if (t[i].decoded)
			show(c, NULL, &sources[i], &t[i].h, false);
	}
	tables.base = decoded(&t[IN_BASE]);
	tables.tree = decoded(&t[IN_TREE]);
	if (ret == EXIT_FINE)
		show_verdict(c, NULL, &tables);
	for (i = IN_BASE; i < NR_SOURCES; i++)
		free_table(&t[i]);
	return ret;
}

static int show_file(struct handover_cmd *c)
{
	const struct source from = { .path = c->path };
	struct handover_tables tables = {};
	struct table t = {};
	int ret;

	errno = 0;
	t.data = read_file(c->path, &t.size);
	if (!t.data) {
		msg_error("cannot read '%s': %s", c->path, strerror(errno));
		return EXIT_CANNOT;
	}
	ret = decode(c, &t, HANDOVER_NEITHER);
	if (ret == EXIT_FINE && t.h.kind == HANDOVER_KHO && c->mem) {
		ret = show_subtrees(c, &from, &t.h);
	} else if (ret == EXIT_FINE) {
		show(c, NULL, &from, &t.h, false);
		tables.base = t.h.kind == HANDOVER_BASE ? &t.h : NULL;
		tables.tree = t.h.kind == HANDOVER_LUO ? &t.h : NULL;
		if (tables.base || tables.tree)
			show_verdict(c, NULL, &tables);
	}
	free_table(&t);
	return ret;
}

/* Read the tables of a direction; those that are not there stay without data. */
static int load_direction(const struct direction *d, struct table *t)
{
	int i;

	for (i = 0; i < NR_SOURCES; i++) {
		errno = 0;
		t[i].data = read_file(d->sources[i].path, &t[i].size);
		/* After a normal boot there is no previous kernel. */
		if (!t[i].data && errno != ENOENT) {
			msg_error("cannot read '%s': %s", d->sources[i].path,
				  strerror(errno));
			return EXIT_CANNOT;
		}
	}
	return EXIT_FINE;
}

static int show_direction(struct handover_cmd *c, const struct direction *d,
			  struct table *t)
{
	int i, outgoing = t[IN_TREE].data ? IN_TREE : IN_BASE, ret = EXIT_FINE;
	struct handover_tables tables = { .complete = true };

	for (i = 0; i < NR_SOURCES && ret == EXIT_FINE; i++) {
		if (!t[i].data || is_not_shown(c, d, &d->sources[i], &t[i]))
			continue;
		ret = decode(c, &t[i], d->sources[i].kind);
		if (ret == EXIT_FINE)
			show(c, d, &d->sources[i], &t[i].h, d->next && i == outgoing);
	}
	tables.base = decoded(&t[IN_BASE]);
	tables.tree = decoded(&t[IN_TREE]);
	/* Without a table that was there, nothing can be said of both. */
	if (ret == EXIT_FINE && (tables.base || tables.tree) &&
	    !is_freed(c, d, &d->sources[IN_BASE]))
		show_verdict(c, d, &tables);
	return ret;
}

static int show_machine(struct handover_cmd *c)
{
	int ret = EXIT_FINE, i;
	bool found = false;
	size_t n;

	for (n = 0; n < NR_DIRECTIONS && ret == EXIT_FINE; n++) {
		struct table t[NR_SOURCES] = {};

		ret = load_direction(&directions[n], t);
		if (ret == EXIT_FINE)
			ret = show_direction(c, &directions[n], t);
		for (i = 0; i < NR_SOURCES; i++) {
			found |= t[i].data != NULL;
			free_table(&t[i]);
		}
	}
	if (found || ret != EXIT_FINE)
		return ret;
	msg_error("no tree in " KHO "; it needs root, debugfs mounted at /sys/kernel/debug, CONFIG_KEXEC_HANDOVER_DEBUGFS=y, and kho=on on the kernel's command line");
	return EXIT_CANNOT;
}

static int show_all(struct handover_cmd *c)
{
	json_t *root;
	int ret;

	if (c->memory) {
		c->mem = memory_open(c->memory);
		if (!c->mem)
			return EXIT_CANNOT;
	}
	ret = c->path ? show_file(c) : show_machine(c);
	memory_close(c->mem);
	if (ret != EXIT_FINE || !c->o.json)
		return ret;
	root = json_head("handover", &c->probe);
	json_object_set(root, "trees", c->trees);
	json_object_set(root, "tables", c->tables);
	return json_print(root, JSON_INDENT(2)) ? EXIT_FINE : EXIT_FINDING;
}

int cmd_handover(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "memory", KEY_MEMORY, "CORE", 0,
		  "Also show what FILE points at, from a core of the machine (vmcore, makedumpfile's, QEMU's dump-guest-memory)",
		  1 },
		{ "files", KEY_FILES, NULL, 0, "List every file of a session", 1 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, "[FILE]", handover_doc,
		children, NULL, NULL };
	struct handover_cmd c = {};
	int ret;

	ret = cmd_parse(&argp, argc, argv, &c);
	if (ret >= 0)
		return ret;
	probe_kernel(&c.probe);
	c.trees = json_array();
	c.tables = json_array();
	ret = show_all(&c);
	json_decref(c.trees);
	json_decref(c.tables);
	if (ret != EXIT_FINE)
		return ret;
	return c.malformed ? EXIT_FINDING : EXIT_FINE;
}
