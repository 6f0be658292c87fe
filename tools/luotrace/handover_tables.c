// SPDX-License-Identifier: GPL-2.0

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "fmt.h"
#include "handover_tables.h"

#define NAME_BUF	(4 * LIVEUPDATE_SUBSYSTEM_NAME_LENGTH + 1)
#define SHOWN		8	/* subsystems that a sentence names */

/* Whether a kernel follows the table, and it is of the kind that belongs there. */
static bool usable(const struct handover *h, enum handover_kind kind)
{
	return h && h->kind == kind && h->usable;
}

/* Append to a sentence; what has no room is cut. */
__attribute__((format(printf, 2, 3)))
static void say(char *to, const char *fmt, ...)
{
	size_t used = strlen(to);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to + used, HANDOVER_SENTENCE - used, fmt, ap);
	va_end(ap);
}

static void compare(struct handover_verdict *v, const char *what, uint64_t base,
		    uint64_t tree, const char *format)
{
	char text[2][24];

	if (base == tree)
		return;
	snprintf(text[0], sizeof(text[0]), format, base);
	snprintf(text[1], sizeof(text[1]), format, tree);
	snprintf(v->differences[v->nr_differences++], sizeof(v->differences[0]),
		 "%s: %s in " LUO_KHO_ENTRY_NAME ", %s in " LUO_FDT_SUBTREE, what,
		 text[0], text[1]);
}

static void compare_tables(const struct handover_tables *t, struct handover_verdict *v)
{
	v->compared = usable(t->base, HANDOVER_BASE) && t->tree && t->tree->kind == HANDOVER_LUO;
	if (!v->compared)
		return;
	compare(v, "live update", t->base->number, t->tree->number, "%" PRIu64);
	if (t->tree->sessions_at.present)
		compare(v, "address of the sessions", t->base->sessions_at.data,
			t->tree->sessions_at.data, "0x%" PRIx64);
	if (t->tree->flbs_at.present)
		compare(v, "address of the FLBs", t->base->flbs_at.data,
			t->tree->flbs_at.data, "0x%" PRIx64);
}

static void judge_base_luo(const struct handover_tables *t, struct handover_verdict *v)
{
	if (!t->base && !t->complete)
		say(v->base_luo, "reads " LUO_KHO_ENTRY_NAME ", which is not given");
	else if (!t->base)
		say(v->base_luo, "finds no " LUO_KHO_ENTRY_NAME " and restores nothing");
	else if (!usable(t->base, HANDOVER_BASE))
		say(v->base_luo, "rejects " LUO_KHO_ENTRY_NAME ": it panics, or has no live update until its next boot");
	else if (t->base->has_memory && t->base->nr_problems)
		say(v->base_luo, "restores what " LUO_KHO_ENTRY_NAME " leads to, and does not check for what is said above");
	else
		say(v->base_luo, "restores all sessions, files and FLBs that " LUO_KHO_ENTRY_NAME " leads to");
	/* Less than below if a damaged block cuts a chain for the base. */
	if (usable(t->base, HANDOVER_BASE) && t->base->has_memory)
		say(v->base_luo, ": %zu records in %zu blocks", t->base->nr_records,
		    t->base->nr_blocks);
	if (usable(t->base, HANDOVER_BASE) && usable(t->tree, HANDOVER_LUO) &&
	    t->tree->has_memory && t->tree->nr_problems)
		say(v->base_luo, "; it does not see what " LUO_FDT_SUBTREE " shows to be damaged");
}

static void judge_this_luo(const struct handover_tables *t, struct handover_verdict *v)
{
	const struct handover *tree = t->tree;

	if (usable(tree, HANDOVER_LUO)) {
		say(v->this_luo, "restores what " LUO_FDT_SUBTREE " leads to and proves");
		if (tree->has_memory)
			say(v->this_luo, ": %zu of %zu records in %zu of %zu blocks",
			    tree->nr_proven, tree->nr_records, tree->nr_proven_blocks,
			    tree->nr_blocks);
		if (v->nr_differences)
			say(v->this_luo, "; it believes " LUO_FDT_SUBTREE);
		return;
	}
	if (!t->base && !t->complete)
		say(v->this_luo, "rejects " LUO_FDT_SUBTREE ", and reads " LUO_KHO_ENTRY_NAME " instead, if that is there");
	else if (usable(t->base, HANDOVER_BASE))
		say(v->this_luo, "restores what " LUO_KHO_ENTRY_NAME " leads to, without proof%s",
		    tree || t->complete ? "" :
		    "; it reads " LUO_KHO_ENTRY_NAME " only if it has no good " LUO_FDT_SUBTREE);
	else if (t->base || tree)
		say(v->this_luo, "rejects the handover and restores nothing");
	else
		say(v->this_luo, "finds no handover");
}

/* The base's LUO knows nothing of the tree, nor of what only its values lead to. */
static void judge_base_leaves(const struct handover *tree, char *to)
{
	char name[NAME_BUF];
	size_t i;

	if (!tree)
		return;
	say(to, "the page of " LUO_FDT_SUBTREE);
	for (i = 0; tree->kind == HANDOVER_LUO && i < tree->nr_entries && i < SHOWN; i++)
		say(to, "%s %s (0x%" PRIx64 ")",
		    i ? "," : ", and the memory that these subsystems hand over, of which only a value is known:",
		    fmt_name(name, sizeof(name), tree->entries[i].name),
		    tree->entries[i].data);
	if (tree->kind == HANDOVER_LUO && tree->nr_entries > SHOWN)
		say(to, ", and %zu more", tree->nr_entries - SHOWN);
}

static void judge_this_leaves(const struct handover_tables *t, char *to)
{
	const struct handover *tree = t->tree;

	if (usable(tree, HANDOVER_LUO)) {
		if (tree->has_memory && tree->nr_proven_blocks < tree->nr_blocks)
			say(to, "each block that is not proven, and what its records lead to");
		else if (tree->has_memory && tree->nr_proven < tree->nr_records)
			say(to, "what the damaged records lead to");
		return;
	}
	if (usable(t->base, HANDOVER_BASE))
		say(to, "all blocks of sessions, files and FLBs: what is not proven is never freed");
}

void handover_judge(const struct handover_tables *t, struct handover_verdict *v)
{
	memset(v, 0, sizeof(*v));
	compare_tables(t, v);
	judge_base_luo(t, v);
	judge_this_luo(t, v);
	judge_base_leaves(t->tree, v->base_leaves);
	judge_this_leaves(t, v->this_leaves);
}

static void print_agreement(const struct handover_tables *t,
			    const struct handover_verdict *v, FILE *f)
{
	size_t i;

	if (t->complete)
		fprintf(f, "%-13s %s\n", "tables",
			t->base && t->tree ?
			"both " LUO_KHO_ENTRY_NAME " and " LUO_FDT_SUBTREE :
			t->base ? "only " LUO_KHO_ENTRY_NAME :
			t->tree ? "only " LUO_FDT_SUBTREE : "none");
	if (v->compared && !v->nr_differences)
		fprintf(f, "%-13s in number and addresses\n", "they agree");
	for (i = 0; i < v->nr_differences; i++)
		fmt_wrapped(f, "! the tables differ in ", v->differences[i]);
}

void handover_verdict_text(const struct handover_tables *t,
			   const struct handover_verdict *v, FILE *f)
{
	const struct {
		const char *lead, *text;
	} lines[] = {
		{ "base's LUO    ", v->base_luo },
		{ "  reserved    ", v->base_leaves },
		{ "this LUO      ", v->this_luo },
		{ "  reserved    ", v->this_leaves },
	};
	size_t i;

	print_agreement(t, v, f);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (*lines[i].text)
			fmt_wrapped(f, lines[i].lead, lines[i].text);
	}
}

static json_t *sentence_json(const char *text)
{
	return *text ? fmt_json_text(text) : json_null();
}

/* Whether a table is there, null if it was only not given. */
static json_t *there_json(const struct handover_tables *t, const struct handover *h)
{
	return h ? json_true() : t->complete ? json_false() : json_null();
}

json_t *handover_verdict_json(const struct handover_tables *t,
			      const struct handover_verdict *v)
{
	json_t *differences = json_array();
	size_t i;

	for (i = 0; i < v->nr_differences; i++)
		json_array_append_new(differences, json_string(v->differences[i]));
	return json_pack("{so, so, so, so, so, so, so, so}",
			 "base", there_json(t, t->base), "tree", there_json(t, t->tree),
			 "agree", v->compared ? json_boolean(!v->nr_differences) :
						json_null(),
			 "differences", differences,
			 "base_luo", json_string(v->base_luo),
			 "base_luo_leaves", sentence_json(v->base_leaves),
			 "this_luo", json_string(v->this_luo),
			 "this_luo_leaves", sentence_json(v->this_leaves));
}
