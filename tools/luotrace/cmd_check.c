// SPDX-License-Identifier: GPL-2.0

#include <fcntl.h>
#include <unistd.h>

#include "cmd.h"
#include "fmt.h"
#include "recorder.h"

static const char check_doc[] =
	"Shows what this kernel offers for tracing live updates.\v"
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

/* What is read from BTF is unknown without. */
static enum known from_btf(const struct probe *p, bool yes)
{
	return !p->btf ? UNKNOWN : yes ? YES : NO;
}

static json_t *known_json(enum known k)
{
	return k == UNKNOWN ? json_null() : json_boolean(k == YES);
}

/* How many events luotrace knows. */
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

static json_t *stock_json(const struct probe *p)
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
	for (i = 0; probe_around(i); i++) {
		if (!(p->around & 1U << i))
			json_array_append_new(missing,
					      json_string(probe_around(i)));
	}
	return json_pack("{so, so, sb}", "handler_functions", functions,
			 "missing_functions", missing, "lists", (int)p->lists);
}

static int check_json(const struct probe *p, const char *why_not)
{
	json_t *root = cmd_json("check", p);
	json_t *missing = p->btf ? json_array() : NULL;
	int type;

	for (type = 0; p->btf && type < LT_NR_TYPES; type++) {
		if (!p->tracepoints[type])
			json_array_append_new(missing,
				json_string(probe_tracepoint(type)));
	}
	json_object_set_new(root, "flavour", json_string(flavours[p->flavour]));
	json_object_set_new(root, "device", known_json(p->device));
	json_object_set_new(root, "luo_events", count_json(p, p->nr_luo));
	json_object_set_new(root, "kho_events", count_json(p, p->nr_kho));
	json_object_set_new(root, "missing_events",
			    p->btf ? missing : json_null());
	json_object_set_new(root, "session_iterator",
			    known_json(from_btf(p, p->session_iter)));
	json_object_set_new(root, "file_iterator",
			    known_json(from_btf(p, p->file_iter)));
	json_object_set_new(root, "stock", stock_json(p));
	json_object_set_new(root, "recorder", known_json(p->recorder));
	json_object_set_new(root, "kho", known_json(p->kho));
	json_object_set_new(root, "btf", json_boolean(p->btf));
	json_object_set_new(root, "privileged", json_boolean(p->privileged));
	json_object_set_new(root, "works", json_boolean(!why_not));
	json_object_set_new(root, "why_not",
			    why_not ? json_string(why_not) : json_null());
	return cmd_json_print(root, JSON_INDENT(2));
}

/* What the compiler made a part of another function cannot be traced. */
static void check_stock(const struct probe *p)
{
	unsigned int i;

	printf("handlers       %u functions of file handlers are there\n",
	       p->stock.nr_ops + p->stock.nr_asks);
	for (i = 0; probe_around(i); i++) {
		if (!(p->around & 1U << i))
			printf("               not a function of its own: %s\n",
			       probe_around(i));
	}
	printf("lists          %s\n", p->lists ? "sessions can be listed" :
		"sessions cannot be listed, /proc/kallsyms does not show them");
}

static void check_text(const struct probe *p, const char *why_not)
{
	static const char unreadable[] =
		"will not work, the record cannot be read; run luotrace as root";
	/* Only opening it tells whether that is allowed. */
	int fd = open(RECORDER_PATH, O_RDONLY | O_CLOEXEC), type;
	char name[4 * sizeof(p->release)];

	printf("kernel         %s\n", fmt_name(name, sizeof(name), p->release));
	printf("LUO            %s\n", flavour_texts[p->flavour]);
	printf("/dev/liveupdate %s\n",
	       p->device == YES ? "there, live update is on" :
	       p->device == NO ? "not there; boot with liveupdate=on" :
				 "unknown");
	if (p->flavour == FLAVOUR_STOCK)
		check_stock(p);
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
	printf("KHO            %s\n",
	       p->kho == UNKNOWN ? "unknown, debugfs is not mounted" :
				   known_text(p->kho));
	printf("BTF            %s\n", known_text(p->btf));
	printf("privilege      %s\n", known_text(p->privileged));
	printf("\ntrace, latency, record: %s\n",
	       why_not ? "will not work" : "will work");
	if (why_not)
		fmt_wrapped(stdout, "because        ", why_not);
	printf("audit: %s\n", probe_why_no_audit(p) ? "will not work" :
	       fd < 0 && p->recorder != NO ? unreadable : "will work");
	printf("timeline: %s\n", p->recorder == NO ?
	       "will not work, there is no recorder" :
	       fd < 0 ? unreadable : "will work");
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
	const char *why_not;
	struct probe p;
	int ret;

	ret = cmd_parse(&argp, argc, argv, &o);
	if (ret >= 0)
		return ret;

	probe_kernel(&p);
	why_not = probe_why_not(&p);
	if (o.json)
		check_json(&p, why_not);
	else
		check_text(&p, why_not);
	return why_not ? EXIT_CANNOT : EXIT_FINE;
}
