// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "enum_name.h"
#include "fmt.h"
#include "handover.h"
#include "inventory.h"
#include "json.h"
#include "msg.h"

#define KHO		"/sys/kernel/debug/kho/"
/* The first bytes of a handover of the base's LUO, before its version. */
#define BASE_FORMAT	"luo-v"
#define MAX_TREE	(64 << 20)	/* bytes; anything larger is not a tree */

static const char handover_doc[] =
	"Shows what one kernel hands over to the next.\v"
	"Without FILE it reads the trees of this machine from debugfs. FILE is a copy of "
	"one of those, of LUO or of all of KHO. --memory also shows what the tree points "
	"at, which a running kernel frees as soon as it has read it.\n\n"
	"Examples:\n"
	"  luotrace handover\n"
	"  luotrace handover saved-tree\n"
	"  luotrace handover --memory vmcore --files saved-tree";

/* The trees of this machine. */
static const struct source {
	const char *path;
	const char *what;
	bool next;	/* for the next kernel */
	bool grows;	/* while debugfs shows its first size */
} sources[] = {
	{ KHO "in/fdt", "KHO, from the previous kernel", false, false },
	{ KHO "in/sub_fdts/" LUO_FDT_SUBTREE, "LUO, from the previous kernel",
	  false, false },
	{ KHO "out/fdt", "KHO, for the next kernel", true, true },
	{ KHO "out/sub_fdts/" LUO_FDT_SUBTREE, "LUO, for the next kernel", true,
	  false },
};

#define NR_SOURCES	(sizeof(sources) / sizeof(sources[0]))

struct handover_cmd {
	struct cmd_options o;
	const char *path;
	const char *memory;
	bool files;
	struct probe probe;
	json_t *trees;
	bool malformed;
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
			argp_error(state, "--memory needs the FILE with the tree of the same machine at the same time");
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

static void show(struct handover_cmd *c, const struct source *from,
		 const struct handover *h)
{
	bool with_sessions = from->next && h->kind == HANDOVER_LUO &&
			     !probe_why_no_audit(&c->probe);
	struct inventory inv = {};
	json_t *o;

	if (with_sessions &&
	    inventory_read(&c->probe, &inv, enum_value(ENUM_DIR, "out"), true))
		with_sessions = false;
	c->malformed |= h->nr_problems;
	if (c->o.json) {
		o = handover_json(h, c->files);
		json_object_set_new(o, "file", fmt_json_name(from->path));
		if (from->next && h->kind == HANDOVER_LUO)
			json_object_set_new(o, "outgoing", with_sessions ?
					    outgoing_json(&inv) : json_null());
		json_array_append_new(c->trees, o);
	} else {
		if (from->what)
			printf("%s (%s)\n", from->what, from->path);
		handover_text(h, c->files, stdout);
		if (with_sessions) {
			printf("sessions of this kernel so far: %s%zu\n",
			       inv.torn ? "at least " : "", inv.nr_sessions);
			print_outgoing(&inv);
		}
		if (from->next && h->kind == HANDOVER_LUO)
			fmt_wrapped(stdout, "next kernel    ",
				    probe_next_kernel(&c->probe));
	}
	inventory_free(&inv);
}

static int decode(struct handover_cmd *c, const struct source *from,
		  const void *tree, size_t size)
{
	struct memory *mem = NULL;
	struct handover h;
	int err;

	if (c->memory) {
		mem = memory_open(c->memory);
		if (!mem)
			return EXIT_CANNOT;
	}
	err = handover_decode(&h, tree, size, mem);
	if (err)
		msg_error("out of memory");
	else
		show(c, from, &h);
	handover_free(&h);
	memory_close(mem);
	return err ? EXIT_FINDING : EXIT_FINE;
}

/* Why a tree cannot be shown, without being malformed; NULL if it can. */
static const char *why_not_shown(char *buf, size_t len, const struct source *from,
				 const void *tree, size_t size)
{
	/* If debugfs does not show all of a tree, it looks like one that is cut. */
	if (from->grows && size >= sizeof(struct fdt_header) &&
	    fdt_magic(tree) == FDT_MAGIC && fdt_totalsize(tree) > size) {
		snprintf(buf, len, "it grew, and debugfs shows %zu of its %u bytes",
			 size, fdt_totalsize(tree));
		return buf;
	}
	if (size >= strlen(BASE_FORMAT) &&
	    !memcmp(tree, BASE_FORMAT, strlen(BASE_FORMAT)))
		return "the base kernel's own LUO wrote it, not as a tree: the LUO of this project cannot read it";
	return NULL;
}

static bool is_not_shown(struct handover_cmd *c, const struct source *from,
			 const void *tree, size_t size)
{
	char buf[128];
	const char *why = why_not_shown(buf, sizeof(buf), from, tree, size);
	json_t *o;

	if (!why)
		return false;
	if (c->o.json) {
		o = json_pack("{so, sn, si, s[]}", "file",
			      fmt_json_name(from->path), "tree", "nr_problems", 0,
			      "problems");
		json_array_append_new(c->trees, o);
	} else {
		if (from->what)
			printf("%s (%s)\n", from->what, from->path);
		printf("not shown: %s\n", why);
	}
	return true;
}

static int show_file(struct handover_cmd *c)
{
	const struct source from = { .path = c->path };
	size_t size;
	void *tree;
	int ret;

	errno = 0;
	tree = read_file(c->path, &size);
	if (!tree) {
		msg_error("cannot read '%s': %s", c->path, strerror(errno));
		return EXIT_CANNOT;
	}
	ret = is_not_shown(c, &from, tree, size) ? EXIT_FINE :
						   decode(c, &from, tree, size);
	free(tree);
	return ret;
}

static int show_machine(struct handover_cmd *c)
{
	int ret = EXIT_FINE, found = 0;
	size_t i, size;
	void *tree;

	for (i = 0; i < NR_SOURCES && ret == EXIT_FINE; i++) {
		errno = 0;
		tree = read_file(sources[i].path, &size);
		/* After a normal boot there is no previous kernel. */
		if (!tree && errno == ENOENT)
			continue;
		if (!tree) {
			msg_error("cannot read '%s': %s", sources[i].path,
				  strerror(errno));
			return EXIT_CANNOT;
		}
		if (found++ && !c->o.json)
			putchar('\n');
		if (!is_not_shown(c, &sources[i], tree, size))
			ret = decode(c, &sources[i], tree, size);
		free(tree);
	}
	if (found)
		return ret;
	msg_error("no tree in " KHO "; it needs root, debugfs mounted at /sys/kernel/debug, CONFIG_KEXEC_HANDOVER_DEBUGFS=y, and kho=on on the kernel's command line");
	return EXIT_CANNOT;
}

int cmd_handover(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "memory", KEY_MEMORY, "CORE", 0,
		  "Also show what FILE points at, from an ELF core of the machine (vmcore, QEMU's dump-guest-memory)",
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
	json_t *root;
	int ret;

	ret = cmd_parse(&argp, argc, argv, &c);
	if (ret >= 0)
		return ret;
	probe_kernel(&c.probe);
	c.trees = json_array();
	ret = c.path ? show_file(&c) : show_machine(&c);
	if (ret == EXIT_FINE && c.o.json) {
		root = json_head("handover", &c.probe);
		json_object_set(root, "trees", c.trees);
		ret = json_print(root, JSON_INDENT(2)) ? EXIT_FINE : EXIT_FINDING;
	}
	json_decref(c.trees);
	if (ret != EXIT_FINE)
		return ret;
	return c.malformed ? EXIT_FINDING : EXIT_FINE;
}
