// SPDX-License-Identifier: GPL-2.0

/*
 * Names of functions, and stacks by them: as text, as JSON, folded. Prints TAP. With "json"
 * it prints the stacks as JSON instead, for a test of the page.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enum_name.h"
#include "ksyms.h"
#include "stacks.h"
#include "tap.h"

#define BASE		0xffffffff81000000ULL
#define MS		1000000ULL

/* Functions from BASE on: several names of one address, no order, data. */
static const char symbols[] =
	"ffffffff81000000 T _stext\n"
	"ffffffff81002000 t luo_call_run.constprop.0\n"
	"ffffffff81001000 t entry\n"
	"ffffffff81003000 T h_freeze\n"
	"ffffffff81003000 T h_freeze_alias\n"
	"ffffffff81003100 D some_data\n"
	"ffffffff81004000 t burn\n"
	"ffffffff81005000 T __schedule\n"
	"ffffffff81006000 T luo_file_freeze\n"
	"not a line\n"
	"ffffffffc0000000 t helper\t[my_mod]\n"
	"ffffffffc0001000 t bpf_trampoline_123\t[bpf]\n"
	"ffffffffc0002000 t bpf_prog_9_switch\t[bpf]\n";
static const char hidden[] =
	"0000000000000000 T _stext\n0000000000000000 t burn\n";

#define ENTRY		(BASE + 0x1010)
#define RUN		(BASE + 0x2010)
#define FREEZE		(BASE + 0x3010)
#define BURN		(BASE + 0x4010)
#define SCHEDULE	(BASE + 0x5010)
#define OF_BASE		(BASE + 0x6010)
#define HELPER		0xffffffffc0000010ULL
#define TRAMPOLINE	0xffffffffc0001010ULL
#define SWITCH		0xffffffffc0002010ULL
#define NOWHERE		0xffffffffd0000000ULL

static struct ksyms *load(const char *text)
{
	char path[] = "/tmp/stacks_test.XXXXXX";
	int fd = mkstemp(path);
	struct ksyms *k;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
	close(fd);
	k = ksyms_load(path);
	unlink(path);
	return k;
}

static const char *find(const struct ksyms *k, uint64_t at)
{
	static char name[KSYMS_NAME];

	return ksyms_find(k, at, name) ? name : "-";
}

static void test_symbols(void)
{
	struct ksyms *k = load(symbols);

	check(!ksyms_missing(k), "a symbol table has functions");
	check_string(find(k, BASE + 0x1000), "entry", "a function begins at its address");
	check_string(find(k, BASE + 0x1fff), "entry", "and ends before the next one");
	check_string(find(k, BASE + 0x3200), "h_freeze",
		     "of two names the first, and data is no function");
	check_string(find(k, HELPER), "helper [my_mod]", "a module is named");
	check_string(find(k, BASE - 1), "-", "nothing is before the first one");
	check_string(find(k, BASE + 0x6000 + (64 << 10)), "-",
		     "no function is longer than 64 KiB");
	ksyms_free(k);
	k = load(hidden);
	check(ksyms_missing(k) && strstr(ksyms_missing(k), "CAP_SYSLOG"),
	      "hidden addresses are missing, and which capability shows them");
	ksyms_free(k);
	k = ksyms_load("/no/such");
	check(ksyms_missing(k) && strstr(ksyms_missing(k), "CONFIG_KALLSYMS"),
	      "and so is a kernel without a table");
	ksyms_free(k);
}

static struct numbered_stack stacks[] = {
	/* Sampled in burn, called by the handler; the same function at another address. */
	{ 1, { { BURN, FREEZE, RUN, ENTRY } } },
	{ 2, { { BURN + 8, FREEZE + 4, RUN, ENTRY } } },
	/* Switched out in a module; the tracer is above and below. */
	{ 3, { { SWITCH, SCHEDULE, HELPER, FREEZE, TRAMPOLINE, OF_BASE, ENTRY } } },
	/* The last call of a function does not return: its address is of the next one. */
	{ 5, { { BURN, BASE + 0x4000, RUN } } },
	{ 7, { { NOWHERE, FREEZE, RUN } } },
};

#define SUM(_stack, _off, _op, _kind, _name, _ns, _count)	\
	{ { (_stack), (_off), (_op), (_kind), _name }, { (_ns), (_count) } }

static struct stack_sum sums[] = {
	SUM(0, 0, 5, LT_HANDLER, "a;b \n<x>", 300 * MS, 3),
	SUM(1, 0, 5, LT_HANDLER, "a;b \n<x>", 50 * MS, 50),
	SUM(3, 1, 5, LT_HANDLER, "a;b \n<x>", 100 * MS, 3),
	SUM(2, 0, 5, LT_HANDLER, "a;b \n<x>", 70 * MS, 70),
	SUM(7, 0, 5, LT_HANDLER, "a;b \n<x>", 400, 1),
	SUM(5, 0, 3, LT_FLB, "flb", 900 * MS, 900),
};

static struct stack_reading reading = {
	.sums = sums, .nr_sums = sizeof(sums) / sizeof(sums[0]),
	.stacks = stacks, .nr_stacks = sizeof(stacks) / sizeof(stacks[0]),
	.lost = { .stacks = 1, .calls = 2 }, .min_ns = 20 * MS, .period_ns = MS,
};

/* What a function prints. */
static char *printed(void (*print)(json_t *stacks, FILE *f), json_t *stacks)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	print(stacks, f);
	fclose(f);
	return text;
}

static void test_stacks(json_t *made)
{
	json_t *first = json_array_get(json_object_get(made, "calls"), 0);
	json_t *second = json_array_get(json_object_get(made, "calls"), 1);
	json_int_t on, off, total, count;
	char *text;

	check(stacks_valid(made), "what is made is valid");
	check(!strcmp(stacks_target(first), "shared_state") &&
	      !strcmp(stacks_target(second), "handler"), "the target with most time is first");
	json_unpack(second, "{sI, sI, sI, sI}", "on_cpu_ns", &on, "off_cpu_ns", &off,
		    "total_ns", &total, "count", &count);
	check(on == 120 * MS + 400 && off == 100 * MS && total == 300 * MS && count == 3,
	      "time on a CPU and off it, and the calls: %lld %lld %lld %lld",
	      (long long)on, (long long)off, (long long)total, (long long)count);

	text = printed(stacks_folded, made);
	check_string(text,
		     "flb;prepare;h_freeze;burn 900000\n"
		     "a\\x3bb \\x0a<x>;freeze;h_freeze;burn 120000\n"
		     "a\\x3bb \\x0a<x>;freeze;h_freeze;helper [my_mod];__schedule;[off-CPU] 100000\n",
		     "folded: same names joined, LUO and the tracer left out, nothing below 1 us");
	free(text);
	text = printed(stacks_text, made);
	check_string(text,
		     "\nWhere calls of 20.0ms and more spent their time\n"
		     "flb prepare, 0 calls of 0ns in all: 900ms on a CPU, 0ns off\n"
		     "     900ms  on   h_freeze > burn\n"
		     "a;b \\x0a<x> freeze, 3 calls of 300ms in all: 120ms on a CPU, 100ms off\n"
		     "     120ms  on   h_freeze > burn\n"
		     "     100ms  off  h_freeze > helper [my_mod] > __schedule\n"
		     "     400ns  on   h_freeze > [unknown]\n"
		     "Lost: 1 stack, and those of 2 calls, found no room\n", "as text");
	free(text);
}

static void test_missing(void)
{
	struct stack_reading r = reading;
	struct ksyms *k = load(hidden);
	json_t *made;
	char *text;

	r.period_ns = 0;
	r.nr_sums = 3;
	made = stacks_json(&r, k);
	text = printed(stacks_folded, made);
	check_string(text, "a\\x3bb \\x0a<x>;freeze;[off-CPU] 100000\n"
		     "a\\x3bb \\x0a<x>;freeze 50000\n", "without names the time is left");
	free(text);
	text = printed(stacks_text, made);
	check(strstr(text, "Time on a CPU is unknown") && strstr(text, "CAP_SYSLOG"),
	      "and a text says what is missing: %s", text);
	free(text);
	json_decref(made);
	ksyms_free(k);

	text = printed(stacks_text, json_null());
	check_string(text, "", "no stacks, no text");
	free(text);
}

/* Whether a value is rejected once a key of its first @where has another value. */
static bool rejected(json_t *made, const char *where, const char *key, json_t *value)
{
	json_t *copy = json_deep_copy(made), *calls = json_object_get(copy, "calls");
	json_t *call = json_array_get(calls, 0);
	json_t *stack = json_array_get(json_object_get(call, "stacks"), 0);
	bool valid;

	json_object_set_new(!strcmp(where, "stack") ? stack :
			    !strcmp(where, "call") ? call : copy, key, value);
	valid = stacks_valid(copy);
	json_decref(copy);
	return !valid;
}

static void test_damage(json_t *made)
{
	json_t *deep = json_array();
	int i;

	for (i = 0; i <= LT_STACK_FRAMES; i++)
		json_array_append_new(deep, json_string("x"));
	check(stacks_valid(json_null()) && !stacks_valid(json_true()), "null is valid");
	check(rejected(made, "all", "min_ns", json_integer(-1)) &&
	      rejected(made, "all", "period_ns", json_string("x")) &&
	      rejected(made, "all", "calls", json_null()), "damage is found");
	check(rejected(made, "call", "shared_state", json_integer(1)) &&
	      rejected(made, "call", "op", json_null()) &&
	      rejected(made, "call", "stacks", json_integer(1)), "in calls");
	check(rejected(made, "stack", "frames", deep) &&
	      rejected(made, "stack", "frames", json_pack("[i]", 1)) &&
	      rejected(made, "stack", "on_cpu", json_integer(1)) &&
	      rejected(made, "stack", "ns", json_integer(-5)), "in stacks");
}

int main(int argc, char **argv)
{
	struct ksyms *k = load(symbols);
	json_t *made = stacks_json(&reading, k);

	if (argc > 1 && !strcmp(argv[1], "json")) {
		json_dumpf(made, stdout, 0);
	} else {
		test_symbols();
		test_stacks(made);
		test_missing();
		test_damage(made);
	}
	json_decref(made);
	ksyms_free(k);
	return argc > 1 ? 0 : end_tests();
}
