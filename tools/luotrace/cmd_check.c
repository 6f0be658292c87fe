// SPDX-License-Identifier: GPL-2.0

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "enum_name.h"
#include "fmt.h"
#include "inventory.h"
#include "json.h"
#include "recorder.h"
#include "update_store.h"

static const char check_doc[] =
	"Shows what this kernel offers for tracing live updates.\v"
	"What will work has been tried: programs are loaded, attached, and detached at "
	"once. "
	"Exit code 0 if trace, latency and record will work, else 3.\n\n"
	"Examples:\n"
	"  luotrace check\n"
	"  luotrace check --json | jq .works";

static const char *const flavours[] = {
	[FLAVOUR_NONE] = "none",
	[FLAVOUR_STOCK] = "stock",
	[FLAVOUR_TRACED] = "traced",
	[FLAVOUR_UNKNOWN] = "unknown",
};

static const char *const flavour_texts[] = {
	[FLAVOUR_NONE] = "none in this kernel",
	[FLAVOUR_STOCK] = "the base kernel's own, traced at its functions",
	[FLAVOUR_TRACED] = "with trace events",
	[FLAVOUR_UNKNOWN] = "unknown, this kernel shows no BTF",
};

static const char *known_text(enum known k)
{
	return k == YES ? "yes" : k == NO ? "no" : "unknown";
}

/* Without BTF all that is read from it is unknown. */
static enum known from_btf(const struct probe *p, bool yes)
{
	return !p->btf ? UNKNOWN : yes ? YES : NO;
}

static json_t *known_json(enum known k)
{
	return k == UNKNOWN ? json_null() : json_boolean(k == YES);
}

/* The number of events that luotrace knows. */
static unsigned int known_events(bool kho)
{
	unsigned int n = 0;
	int type;

	for (type = 0; type < LT_NR_TYPES; type++)
		n += probe_is_kho(type) == kho;
	return n;
}

static json_t *count_json(const struct probe *p, unsigned int n)
{
	return p->btf ? json_integer(n) : json_null();
}

static void print_count(const struct probe *p, const char *name,
			unsigned int n, unsigned int of)
{
	if (p->btf)
		printf("%s events     %u of %u\n", name, n, of);
	else
		printf("%s events     unknown\n", name);
}

/* What trying has shown. */
struct trial {
	const char *why_not;	/* trace, latency and record do not work; NULL if they do */
	const char *why_no_audit;
	json_t *untraceable;	/* functions of a stock LUO, NULL if not tried */
};

static void no_event(const struct lt_event *e, void *data)
{
	(void)e;
	(void)data;
}

/*
 * Try what will be promised: load and attach every program, and detach it at once. The
 * functions called here print a message for what goes wrong.
 */
static void try_tracer(const struct probe *p, struct trial *t)
{
	const struct tracer_options streams = {
		.ops = TRACER_ALL_OPS,
		.stream = cmd_stream_mask(true),
		.buffer_kib = 64,
	};
	const struct tracer_options counts = {
		.ops = TRACER_ALL_OPS,
		.count_calls = true,
		.buffer_kib = 64,
	};
	struct tracer *tracer;
	unsigned int i;

	t->why_not = probe_why_no_trace(p);
	if (t->why_not)
		return;
	tracer = tracer_open(p, &streams, no_event, NULL);
	if (tracer) {
		t->untraceable = json_array();
		for (i = 0; tracer_skipped(tracer, i); i++)
			json_array_append_new(t->untraceable,
					      json_string(tracer_skipped(tracer, i)));
		tracer_close(tracer);
		/* What only counts has a program of its own. */
		if (!p->several[LT_HANDLER_EXIT])
			return;
		tracer = tracer_open(p, &counts, no_event, NULL);
	}
	if (!tracer) {
		t->why_not = kho_why_rejected(&p->kho);
		if (!t->why_not)
			t->why_not = "the kernel rejected the programs, see the message above";
	}
	tracer_close(tracer);
}

static void try_audit(const struct probe *p, struct trial *t)
{
	struct inventory inv = {};

	t->why_no_audit = probe_why_no_audit(p);
	if (t->why_no_audit)
		return;
	if (inventory_read(p, &inv, enum_value(ENUM_DIR, "in"), true)) {
		t->why_no_audit = kho_why_rejected(&p->kho);
		if (!t->why_no_audit)
			t->why_no_audit = "the kernel rejected the programs, see the message above";
	}
	inventory_free(&inv);
}

static json_t *stock_json(const struct probe *p, const struct trial *t)
{
	json_t *functions = json_array(), *missing = json_array();
	unsigned int i;

	if (p->flavour != FLAVOUR_STOCK) {
		json_decref(functions);
		json_decref(missing);
		return json_null();
	}
	for (i = 0; i < LT_STOCK_OPS; i++) {
		if (p->stock.ops[i].name[0])
			json_array_append_new(functions,
				fmt_json_name(p->stock.ops[i].name));
	}
	for (i = 0; probe_luo_function(i); i++) {
		if (!(p->luo_functions & 1U << i))
			json_array_append_new(missing,
					      json_string(probe_luo_function(i)));
	}
	return json_pack("{so, so, so, sb}", "handler_functions", functions,
			 "missing_functions", missing, "untraceable_functions",
			 t->untraceable ? json_incref(t->untraceable) : json_null(),
			 "lists", (int)p->lists);
}

static json_t *text_json(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *kho_json(const struct kho *k)
{
	static const char *const lockdowns[] = {
		[LOCKDOWN_NONE] = "none",
		[LOCKDOWN_INTEGRITY] = "integrity",
		[LOCKDOWN_CONFIDENTIALITY] = "confidentiality",
		[LOCKDOWN_UNKNOWN] = "",
	};

	return json_pack("{so, so, so, so, sb}",
			 "scratch_bytes", k->areas ? json_integer(k->bytes) :
						     json_null(),
			 "kho_scratch", k->scratch.given ?
					fmt_json_name(k->scratch.value) : json_null(),
			 "lockdown", text_json(lockdowns[k->lockdown]),
			 "bpf_jit", known_json(k->jit),
			 "crash_kernel", (int)k->crashkernel);
}

static json_t *missing_json(const struct probe *p)
{
	json_t *missing = json_array();
	int type;

	for (type = 0; type < LT_NR_TYPES; type++) {
		if (!p->tracepoints[type])
			json_array_append_new(missing,
				json_string(probe_tracepoint(type)));
	}
	return missing;
}

static int check_json(const struct probe *p, const struct trial *t)
{
	json_t *root = json_head("check", p);

	json_object_set_new(root, "flavour", json_string(flavours[p->flavour]));
	json_object_set_new(root, "device", known_json(p->device));
	json_object_set_new(root, "why_off", text_json(p->why_off));
	json_object_set_new(root, "luo_events", count_json(p, p->nr_luo));
	json_object_set_new(root, "kho_events", count_json(p, p->nr_kho));
	json_object_set_new(root, "missing_events",
			    p->btf ? missing_json(p) : json_null());
	json_object_set_new(root, "session_iterator",
			    known_json(from_btf(p, p->session_iter)));
	json_object_set_new(root, "file_iterator",
			    known_json(from_btf(p, p->file_iter)));
	json_object_set_new(root, "stock", stock_json(p, t));
	json_object_set_new(root, "recorder", known_json(p->recorder));
	json_object_set_new(root, "kho", known_json(p->kho.on));
	json_object_update_new(root, kho_json(&p->kho));
	json_object_set_new(root, "next_kernel", text_json(probe_next_kernel(p)));
	json_object_set_new(root, "btf", json_boolean(p->btf));
	json_object_set_new(root, "privileged", json_boolean(p->privileged));
	json_object_set_new(root, "works", json_boolean(!t->why_not));
	json_object_set_new(root, "why_not", text_json(t->why_not));
	json_object_set_new(root, "audit_works", json_boolean(!t->why_no_audit));
	json_object_set_new(root, "why_no_audit", text_json(t->why_no_audit));
	return json_print(root, JSON_INDENT(2)) ? EXIT_FINE : EXIT_FINDING;
}

/* A function that the compiler has inlined cannot be traced. */
static void check_stock(const struct probe *p, const struct trial *t)
{
	unsigned int i;

	printf("handlers       %u functions of file handlers\n",
	       p->stock.nr_ops + p->stock.nr_can_preserve);
	for (i = 0; probe_luo_function(i); i++) {
		if (!(p->luo_functions & 1U << i))
			printf("               not a function of its own: %s\n",
			       probe_luo_function(i));
	}
	for (i = 0; i < json_array_size(t->untraceable); i++)
		printf("               cannot be traced: %s\n",
		       json_string_value(json_array_get(t->untraceable, i)));
	printf("lists          %s\n", p->lists ? "sessions can be listed" :
		p->hidden ? "shown in /proc/kallsyms only to CAP_SYSLOG" :
			    "not in /proc/kallsyms, sessions cannot be listed");
}

static void check_kernel(const struct probe *p, const struct trial *t)
{
	char name[4 * sizeof(p->release)];
	int type;

	printf("kernel         %s\n", fmt_name(name, sizeof(name), p->release));
	printf("LUO            %s\n", flavour_texts[p->flavour]);
	printf("/dev/liveupdate %s\n",
	       p->device == YES ? "present, live update is on" :
	       p->device == UNKNOWN ? "unknown" :
	       p->kho.registered ? "missing, though live update is on; a container has to be given it" :
	       p->flavour == FLAVOUR_NONE ? "missing" : "missing, live update is off");
	if (p->flavour == FLAVOUR_STOCK)
		check_stock(p, t);
	print_count(p, "luo", p->nr_luo, known_events(false));
	print_count(p, "kho", p->nr_kho, known_events(true));
	for (type = 0; type < LT_NR_TYPES; type++) {
		if (!p->tracepoints[type] && (p->nr_luo || p->nr_kho))
			printf("               missing: %s\n",
			       probe_tracepoint(type));
	}
	printf("iterators      sessions %s, files %s\n",
	       known_text(from_btf(p, p->session_iter)),
	       known_text(from_btf(p, p->file_iter)));
	printf("recorder       %s\n", known_text(p->recorder));
}

static void check_kho(const struct probe *p)
{
	char text[KHO_TEXT];

	printf("KHO            %s\n",
	       p->kho.on == UNKNOWN ? "unknown, debugfs cannot be read" :
				      known_text(p->kho.on));
	if (p->kho.on != NO)
		fmt_wrapped(stdout, "KHO reserves   ",
			    kho_reserved(&p->kho, text));
}

/* Whether a command works, and if not, why. */
static void verdict(const char *commands, const char *why_not)
{
	printf("%s: %s\n", commands, why_not ? "will not work" : "will work");
	if (why_not)
		fmt_wrapped(stdout, "because        ", why_not);
}

/* Why there is no timeline where the kernel has no recorder; NULL if one is saved. */
static const char *why_no_saved(const struct probe *p)
{
	unsigned int number;
	struct update *u;

	if (p->flavour == FLAVOUR_NONE)
		return probe_why_no_trace(p);
	if (p->flavour != FLAVOUR_STOCK)
		return "this kernel has no recorder";
	u = update_store_of_boot(UPDATE_STORE_DIR, &number);
	free(u);
	return u ? NULL :
	       "this kernel has no recorder, and no black box is saved of the live update that booted it, if one did; luotrace-box.service records the next one";
}

static void check_text(const struct probe *p, const struct trial *t)
{
	static const char unreadable[] =
		"the record cannot be read; run luotrace as root";
	/* Only opening it shows whether that is allowed. */
	int fd = open(RECORDER_PATH, O_RDONLY | O_CLOEXEC);

	check_kernel(p, t);
	check_kho(p);
	if (probe_next_kernel(p))
		fmt_wrapped(stdout, "next kernel    ", probe_next_kernel(p));
	printf("BTF            %s\n", known_text(p->btf));
	printf("privilege      %s\n\n", known_text(p->privileged));
	verdict("trace, latency, record", t->why_not);
	verdict("audit", t->why_no_audit ? t->why_no_audit :
			 fd < 0 && p->recorder != NO ? unreadable : NULL);
	verdict("timeline", p->recorder == NO ? why_no_saved(p) :
			    fd < 0 ? unreadable : NULL);
	if (fd >= 0)
		close(fd);
}

int cmd_check(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { NULL, NULL, NULL, check_doc,
		children, NULL, NULL };
	struct cmd_options o = {};
	struct trial t = {};
	struct probe p;
	int ret;

	ret = cmd_parse(&argp, argc, argv, &o);
	if (ret >= 0)
		return ret;

	probe_kernel(&p);
	try_tracer(&p, &t);
	try_audit(&p, &t);
	ret = EXIT_FINE;
	if (o.json)
		ret = check_json(&p, &t);
	else
		check_text(&p, &t);
	json_decref(t.untraceable);
	return t.why_not ? EXIT_CANNOT : ret;
}
