// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "compare.h"
#include "json.h"
#include "msg.h"

static const char compare_doc[] =
	"Compares live updates: which phases and handlers take longer or shorter, by more than "
	"they vary.\v"
	"A and B are one live update each, or a directory of them: updates that were saved "
	"(NUMBER, see luotrace timeline --list, or a file), copies of a recorder, what "
	"luotrace timeline --json or luotrace record wrote. With -- several FILEs are on each "
	"side. With one live update on a side only what takes ten times as long is called a "
	"difference; with five there is a measure of the noise.\n\n"
	"It ends with 1 if B is worse in something.\n\n"
	"Examples:\n"
	"  luotrace compare 11 12\n"
	"  luotrace compare before/ after/\n"
	"  luotrace compare before/*.json -- after/*.json\n"
	"  luotrace compare --html -o page.html before/ after/";

enum { KEY_HTML = 1024, KEY_DIR };

struct comparison {
	struct cmd_options o;
	bool html;
	const char *output;
	const char *dir;
	const char **args;	/* before --, in order */
	int nr;
	bool two;		/* there is a -- */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct comparison *p = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &p->o;
		return 0;
	case KEY_HTML:
		p->html = true;
		return 0;
	case KEY_DIR:
		p->dir = arg;
		return 0;
	case 'o':
		p->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		p->args[p->nr++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (p->html && p->o.json)
			argp_error(state, "want one of --html and --json");
		if (!p->two && p->nr != 2)
			argp_error(state, "want A and B, or -- between the files of both");
		if (p->two && !p->nr)
			argp_error(state, "no file before --");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What is shown, and how. */
struct view {
	const struct comparison *p;
	const struct compare *c;
};

static bool show(const void *data, FILE *f)
{
	const struct view *v = data;
	json_t *root;

	if (v->p->html) {
		compare_html(v->c, f);
	} else if (v->p->o.json) {
		root = compare_json(v->c);
		json_write(root, JSON_INDENT(1), f);
		fputc('\n', f);
		json_decref(root);
	} else {
		compare_text(v->c, !v->p->output && cmd_color(&v->p->o), f);
	}
	return true;
}

/* "before/1.json and 4 more" */
static const char *side_name(char *buf, size_t size, const char *const *args, int n)
{
	if (n > 1)
		snprintf(buf, size, "%s and %d more", args[0], n - 1);
	else
		snprintf(buf, size, "%s", args[0]);
	return buf;
}

static bool read_side(struct compare_side *side, const char *const *args, int n,
		      const char *dir)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!compare_side_add(side, args[i], dir))
			return false;
	}
	return true;
}

/* @args: @n[0] of A, then @n[1] of B */
static int compare_args(const struct comparison *p, const char *const *args, const int *n)
{
	struct compare_side sides[2] = { { 0 } };
	struct compare c = { .sides = { &sides[0], &sides[1] } };
	char names[2][256];
	int ret = EXIT_CANNOT, k;

	for (k = 0; k < 2; k++)
		c.names[k] = side_name(names[k], sizeof(names[k]), args + k * n[0], n[k]);
	if (read_side(&sides[0], args, n[0], p->dir) &&
	    read_side(&sides[1], args + n[0], n[1], p->dir) && compare_sides(&c)) {
		ret = cmd_write(p->output, show, &(struct view){ p, &c });
		if (ret == EXIT_FINE && c.worse)
			ret = EXIT_FINDING;
		if (ret == EXIT_FINE && !c.tested) {
			msg_error("nothing can be compared: no row is known on both sides");
			ret = EXIT_CANNOT;
		}
	}
	compare_free(&c);
	compare_side_free(&sides[0]);
	compare_side_free(&sides[1]);
	return ret;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "html", KEY_HTML, NULL, 0, "One HTML page with diagrams", 1 },
		{ "output", 'o', "FILE", 0, "Output file instead of stdout", 1 },
		{ "dir", KEY_DIR, "DIR", 0,
		  "Saved updates are in DIR instead of " UPDATE_STORE_DIR, 1 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, "A B\nFILE... -- FILE...",
		compare_doc, children, NULL, NULL };
	struct comparison p = { .dir = UPDATE_STORE_DIR };
	int nr[2], end = 1, ret;

	/* What follows -- is the other side, whatever it looks like. */
	while (end < argc && strcmp(argv[end], "--"))
		end++;
	p.two = end < argc;
	p.args = calloc(argc + 1, sizeof(*p.args));
	if (!p.args) {
		msg_error("out of memory");
		return EXIT_CANNOT;
	}
	ret = cmd_parse(&argp, end, argv, &p);
	if (ret < 0 && p.two && end + 1 == argc) {
		msg_error("luotrace compare: no file after --");
		ret = EXIT_USAGE;
	}
	if (ret < 0) {
		nr[0] = p.two ? p.nr : 1;
		nr[1] = p.two ? argc - end - 1 : 1;
		if (p.two)
			memcpy(p.args + p.nr, argv + end + 1, nr[1] * sizeof(*p.args));
		ret = compare_args(&p, p.args, nr);
	}
	free(p.args);
	return ret;
}
