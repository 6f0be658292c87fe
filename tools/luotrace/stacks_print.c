// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "stacks.h"

#define SHOWN		5	/* stacks of an operation */
#define OFF_CPU		"[off-CPU]"

static uint64_t ns_of(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const char *text_of(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* A text with the spelling of fmt_text(), to be freed. */
static char *spelled(const char *text)
{
	size_t size = 4 * strlen(text) + 1;
	char *buf = malloc(size);

	return buf ? fmt_text(buf, size, text) : NULL;
}

/* The functions of a stack as words, for fmt_wrapped(); to be freed. */
static char *words_of(json_t *frames)
{
	char *all = NULL, *word;
	json_t *frame;
	size_t i, size;
	FILE *f = open_memstream(&all, &size);

	if (!f)
		return NULL;
	json_array_foreach(frames, i, frame) {
		word = spelled(json_string_value(frame));
		fprintf(f, "%s%s", i ? " > " : "", word ? word : "");
		free(word);
	}
	if (!json_array_size(frames))
		fputs("-", f);
	return fclose(f) ? NULL : all;
}

static void print_stack(json_t *stack, FILE *f)
{
	char ns[FMT_LEN], lead[64], *words = words_of(json_object_get(stack, "frames"));

	snprintf(lead, sizeof(lead), "  %8s  %-3s  ", fmt_ns(ns, ns_of(stack, "ns")),
		 json_is_true(json_object_get(stack, "on_cpu")) ? "on" : "off");
	fmt_wrapped(f, lead, words ? words : "");
	free(words);
}

static void print_call(json_t *call, FILE *f)
{
	json_t *stacks = json_object_get(call, "stacks"), *stack;
	char all[FMT_LEN], on[FMT_LEN], off[FMT_LEN];
	char *name = spelled(text_of(call, stacks_target(call)));
	char *op = spelled(text_of(call, "op"));
	uint64_t count = ns_of(call, "count");
	size_t i;

	fprintf(f, "%s %s, %llu call%s of %s in all: %s on a CPU, %s off\n",
		name ? name : "", op ? op : "", (unsigned long long)count, fmt_s(count),
		fmt_ns(all, ns_of(call, "total_ns")), fmt_ns(on, ns_of(call, "on_cpu_ns")),
		fmt_ns(off, ns_of(call, "off_cpu_ns")));
	json_array_foreach(stacks, i, stack) {
		if (i < SHOWN)
			print_stack(stack, f);
	}
	if (json_array_size(stacks) > SHOWN)
		fprintf(f, "  ... and %zu more\n", json_array_size(stacks) - SHOWN);
	free(name);
	free(op);
}

void stacks_text(json_t *stacks, FILE *f)
{
	unsigned long long lost = ns_of(stacks, "lost_stacks");
	unsigned long long calls = ns_of(stacks, "lost_calls");
	const char *missing = text_of(stacks, "missing");
	char min[FMT_LEN], *said;
	json_t *call;
	size_t i;

	if (!json_is_object(stacks))
		return;
	fprintf(f, "\nWhere calls of %s and more spent their time\n",
		fmt_ns(min, ns_of(stacks, "min_ns")));
	if (!json_array_size(json_object_get(stacks, "calls")))
		fputs("  none was seen\n", f);
	json_array_foreach(json_object_get(stacks, "calls"), i, call)
		print_call(call, f);
	if (json_is_null(json_object_get(stacks, "period_ns")))
		fputs("Time on a CPU is unknown: the kernel gave no perf event\n", f);
	if (missing) {
		said = spelled(missing);
		fmt_wrapped(f, "Missing: ", said ? said : "");
		free(said);
	}
	if (lost || calls)
		fprintf(f, "Lost: %llu stack%s, and those of %llu call%s, found no room\n",
			lost, fmt_s(lost), calls, fmt_s(calls));
}

/* A name between semicolons. */
static void fold_name(const char *name, FILE *f)
{
	char *text = spelled(name), *at;

	for (at = text; at && *at; at++) {
		if (*at == ';')
			fputs("\\x3b", f);
		else
			fputc(*at, f);
	}
	free(text);
}

static void fold_stack(json_t *call, json_t *stack, FILE *f)
{
	unsigned long long us = (ns_of(stack, "ns") + 500) / 1000;
	json_t *frame;
	size_t i;

	if (!us)
		return;
	fold_name(text_of(call, stacks_target(call)), f);
	fputc(';', f);
	fold_name(text_of(call, "op"), f);
	json_array_foreach(json_object_get(stack, "frames"), i, frame) {
		fputc(';', f);
		fold_name(json_string_value(frame), f);
	}
	if (!json_is_true(json_object_get(stack, "on_cpu")))
		fputs(";" OFF_CPU, f);
	fprintf(f, " %llu\n", us);
}

void stacks_folded(json_t *stacks, FILE *f)
{
	json_t *call, *stack;
	size_t i, j;

	json_array_foreach(json_object_get(stacks, "calls"), i, call) {
		json_array_foreach(json_object_get(call, "stacks"), j, stack)
			fold_stack(call, stack, f);
	}
}
