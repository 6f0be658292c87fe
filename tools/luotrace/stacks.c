// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "fmt.h"
#include "msg.h"
#include "probe.h"
#include "stacks.h"

#define UNKNOWN		"[unknown]"
/* Innermost frames of a switch that may be those of the tracer. */
#define OWN_FRAMES	16

/* A stack by its names, in the order in which they are printed. */
struct named {
	const struct lt_stack_key *key;
	struct lt_stack_sum sum;
	char *frames;		/* outermost first, separated by newlines */
};

static int compare_targets(const struct lt_stack_key *a, const struct lt_stack_key *b)
{
	int c = (int)a->kind - (int)b->kind;

	c = c ? c : strncmp(a->name, b->name, sizeof(a->name));
	return c ? c : (int)a->op - (int)b->op;
}

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int c = compare_targets(x->key, y->key);

	/* The calls themselves are no stack. */
	c = c ? c : !x->key->stack - !y->key->stack;
	c = c ? c : (int)x->key->off - (int)y->key->off;
	return c ? c : strcmp(x->frames, y->frames);
}

/* Whether a function is the one of that name, or what the compiler made of it. */
static bool is_function(const char *name, const char *function)
{
	size_t len = strlen(function);

	return !strncmp(name, function, len) && (!name[len] || name[len] == '.');
}

/* A function of LUO that calls handlers: what is around it is always the same. */
static bool is_luo(const char *name)
{
	unsigned int i;

	for (i = 0; probe_luo_function(i); i++) {
		if (is_function(name, probe_luo_function(i)))
			return true;
	}
	return probe_luo_calls(name);
}

/* The frames of a sum; none of those that are the calls themselves. */
static const struct lt_stack *find_stack(const struct stack_reading *r, __u32 number)
{
	static const struct lt_stack none;
	int low = 0, high = r->nr_stacks, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (r->stacks[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->nr_stacks && r->stacks[low].number == number ?
	       &r->stacks[low].stack : &none;
}

/* Names of all frames, the innermost first. Returns their number. */
static int name_frames(const struct lt_stack *stack, bool off, const struct ksyms *k,
		       char names[LT_STACK_FRAMES][KSYMS_NAME], bool *unknown)
{
	int i, n = 0;

	/* Unnamed frames would say nothing but how many they are. */
	if (ksyms_missing(k))
		return 0;
	for (i = 0; i < LT_STACK_FRAMES && stack->ips[i]; i++) {
		/* A return address can be that of the next function. */
		if (!ksyms_find(k, stack->ips[i] - (i || off), names[n])) {
			strcpy(names[n], UNKNOWN);
			*unknown = true;
		}
		/* It only leads from a function to its tracer, and on. */
		n += strncmp(names[n], "bpf_trampoline_", 15) != 0;
	}
	return n;
}

/* The names of what is inside the call, joined; to be freed. */
static char *join_frames(const struct lt_stack *stack, bool off, const struct ksyms *k,
			 bool *unknown)
{
	static char names[LT_STACK_FRAMES][KSYMS_NAME];
	int n = name_frames(stack, off, k, names, unknown), first = 0, i;
	char *all = calloc(n + 1, KSYMS_NAME), *to = all;

	if (!all)
		return NULL;
	/* The program that saw the switch is no part of it. */
	for (i = 0; off && i < n && i < OWN_FRAMES; i++) {
		if (is_function(names[i], "__schedule"))
			first = i;
	}
	for (i = first; i < n && !is_luo(names[i]); i++)
		;
	while (--i >= first)
		to += sprintf(to, "%s%s", to == all ? "" : "\n", names[i]);
	return all;
}

/* All sums by names, sorted, those of the same names joined. Their number, or -1. */
static int name_all(const struct stack_reading *r, const struct ksyms *k,
		    struct named *all, bool *unknown)
{
	int i, n = 0;

	for (i = 0; i < r->nr_sums; i++) {
		all[i].key = &r->sums[i].key;
		all[i].sum = r->sums[i].sum;
		all[i].frames = join_frames(find_stack(r, all[i].key->stack),
					    all[i].key->off, k, unknown);
		if (!all[i].frames) {
			while (i--)
				free(all[i].frames);
			return -1;
		}
	}
	if (r->nr_sums)
		qsort(all, r->nr_sums, sizeof(*all), compare_named);
	for (i = 0; i < r->nr_sums; i++) {
		if (n && !compare_named(&all[n - 1], &all[i])) {
			all[n - 1].sum.ns += all[i].sum.ns;
			all[n - 1].sum.count += all[i].sum.count;
			free(all[i].frames);
		} else {
			all[n++] = all[i];
		}
	}
	return n;
}

static json_t *frames_json(const char *frames)
{
	json_t *all = json_array();
	size_t len;

	while (*frames) {
		len = strcspn(frames, "\n");
		json_array_append_new(all, json_stringn(frames, len));
		frames += len;
		frames += *frames == '\n';
	}
	return all;
}

static json_t *stack_json(const struct named *n)
{
	return json_pack("{so, sb, sI, sI}", "frames", frames_json(n->frames),
			 "on_cpu", !n->key->off, "ns", (json_int_t)n->sum.ns,
			 "count", (json_int_t)n->sum.count);
}

static int compare_ns(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->sum.ns != y->sum.ns)
		return x->sum.ns < y->sum.ns ? 1 : -1;
	return compare_named(a, b);
}

/* The stacks of one operation of one target. */
static json_t *call_json(struct named *all, int nr)
{
	static const char *const key_of[] = {
		[LT_HANDLER] = "handler",
		[LT_SUBSYSTEM] = "subsystem",
		[LT_FLB] = "shared_state",
	};
	struct lt_stack_sum calls = {};
	uint64_t on = 0, off = 0;
	json_t *stacks = json_array(), *name;
	int i;

	name = fmt_json_name(all->key->name);
	qsort(all, nr, sizeof(*all), compare_ns);
	for (i = 0; i < nr; i++) {
		if (!all[i].key->stack) {
			calls = all[i].sum;
			continue;
		}
		*(all[i].key->off ? &off : &on) += all[i].sum.ns;
		json_array_append_new(stacks, stack_json(&all[i]));
	}
	return json_pack("{so, ss, sI, sI, sI, sI, so}", key_of[all->key->kind % 3], name,
			 "op", enum_name(ENUM_OP, all->key->op),
			 "count", (json_int_t)calls.count,
			 "total_ns", (json_int_t)calls.ns, "on_cpu_ns", (json_int_t)on,
			 "off_cpu_ns", (json_int_t)off, "stacks", stacks);
}

static json_int_t seen_ns(const json_t *call)
{
	return json_integer_value(json_object_get(call, "on_cpu_ns")) +
	       json_integer_value(json_object_get(call, "off_cpu_ns"));
}

/* Insert a call before those that were seen for a shorter time. */
static void insert_call(json_t *calls, json_t *call)
{
	size_t i;

	for (i = 0; i < json_array_size(calls); i++) {
		if (seen_ns(json_array_get(calls, i)) < seen_ns(call))
			break;
	}
	json_array_insert_new(calls, i, call);
}

static json_t *make_json(const struct stack_reading *r, const struct ksyms *k,
			 bool *unknown)
{
	struct named *all = calloc(r->nr_sums + 1, sizeof(*all));
	int n = all ? name_all(r, k, all, unknown) : -1, i, end;
	const char *missing = ksyms_missing(k);
	json_t *calls = json_array();

	for (i = 0; i < n; i = end) {
		for (end = i + 1; end < n; end++) {
			if (compare_targets(all[i].key, all[end].key))
				break;
		}
		insert_call(calls, call_json(all + i, end - i));
	}
	for (i = 0; i < n; i++)
		free(all[i].frames);
	free(all);
	if (n < 0) {
		json_decref(calls);
		return NULL;
	}
	return json_pack("{sI, so, so, sI, sI, so}", "min_ns", (json_int_t)r->min_ns,
			 "period_ns", r->period_ns ? json_integer(r->period_ns) :
						     json_null(),
			 "missing", missing ? json_string(missing) : json_null(),
			 "lost_stacks", (json_int_t)r->lost.stacks,
			 "lost_calls", (json_int_t)r->lost.calls, "calls", calls);
}

json_t *stacks_json(const struct stack_reading *r, const struct ksyms *k)
{
	bool unknown = false;

	return make_json(r, k, &unknown);
}

struct ksyms *stacks_names(void)
{
	struct ksyms *k = ksyms_load(KSYMS_PATH);

	if (!k)
		msg_error("out of memory");
	else if (ksyms_missing(k))
		msg_error("%s", ksyms_missing(k));
	return k;
}

json_t *stacks_read(struct tracer *t, struct ksyms **k)
{
	struct stack_reading r;
	bool unknown = false;
	json_t *made;

	if (!tracer_read_stacks(t, &r))
		return json_null();
	made = *k ? make_json(&r, *k, &unknown) : NULL;
	if (!made || unknown) {
		json_decref(made);
		ksyms_free(*k);
		*k = ksyms_load(KSYMS_PATH);
		made = *k ? make_json(&r, *k, &unknown) : NULL;
	}
	free(r.sums);
	free(r.stacks);
	if (!made)
		msg_error("out of memory");
	return made ? made : json_null();
}

const char *stacks_target(json_t *call)
{
	return json_object_get(call, "handler") ? "handler" :
	       json_object_get(call, "subsystem") ? "subsystem" : "shared_state";
}

static bool is_count(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_integer(v) && json_integer_value(v) >= 0;
}

static bool stack_valid(json_t *stack)
{
	json_t *frames = json_object_get(stack, "frames"), *frame;
	size_t i;

	json_array_foreach(frames, i, frame) {
		if (!json_is_string(frame))
			return false;
	}
	return json_is_array(frames) && json_array_size(frames) <= LT_STACK_FRAMES &&
	       json_is_boolean(json_object_get(stack, "on_cpu")) &&
	       is_count(stack, "ns") && is_count(stack, "count");
}

static bool call_valid(json_t *call)
{
	json_t *stacks = json_object_get(call, "stacks"), *stack;
	size_t i;

	json_array_foreach(stacks, i, stack) {
		if (!stack_valid(stack))
			return false;
	}
	return json_is_array(stacks) &&
	       json_is_string(json_object_get(call, stacks_target(call))) &&
	       json_is_string(json_object_get(call, "op")) && is_count(call, "count") &&
	       is_count(call, "total_ns") && is_count(call, "on_cpu_ns") &&
	       is_count(call, "off_cpu_ns");
}

bool stacks_valid(json_t *stacks)
{
	json_t *calls = json_object_get(stacks, "calls"), *call;
	json_t *period = json_object_get(stacks, "period_ns");
	json_t *missing = json_object_get(stacks, "missing");
	size_t i;

	if (json_is_null(stacks))
		return true;
	json_array_foreach(calls, i, call) {
		if (!call_valid(call))
			return false;
	}
	return json_is_array(calls) && is_count(stacks, "min_ns") &&
	       is_count(stacks, "lost_stacks") && is_count(stacks, "lost_calls") &&
	       (json_is_null(period) || is_count(stacks, "period_ns")) &&
	       (json_is_null(missing) || json_is_string(missing));
}
