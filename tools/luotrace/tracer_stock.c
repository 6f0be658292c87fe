// SPDX-License-Identifier: GPL-2.0

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer.h"
#include "luotrace.skel.h"
#include "msg.h"
#include "tracer_stock.h"

#define MAX_PAIRS	(LT_STOCK_OPS + PROBE_LUO_FUNCTIONS)

/* The programs on one function, one or two. */
struct pair {
	const char *function;
	struct bpf_program *programs[2];
	struct bpf_link *links[2];
};

struct tracer_stock {
	struct pair pairs[MAX_PAIRS];
	unsigned int nr;
	const char *skipped[MAX_PAIRS];
	unsigned int nr_skipped;
};

static void skip(struct tracer_stock *s, const char *function, const char *why)
{
	s->skipped[s->nr_skipped++] = function;
	msg_error("%s is not traced, its calls are missing: %s", function, why);
}

static struct bpf_program *find(struct luotrace_bpf *bpf, const char *format,
				const char *name, unsigned int nr)
{
	char text[64];

	snprintf(text, sizeof(text), format, name, nr);
	return bpf_object__find_program_by_name(bpf->obj, text);
}

/* The events that a function of a stock LUO is needed for. */
static const struct {
	const char *function;
	uint32_t needs;
} function_needs[] = {
	{ "luo_preserve_file", TRACER_CALLS | 1U << LT_FILE_STATE },
	{ "luo_retrieve_file", TRACER_CALLS | 1U << LT_FILE_STATE },
	{ "luo_file_unpreserve_files", TRACER_CALLS },
	{ "luo_file_freeze", TRACER_CALLS },
	{ "luo_file_unfreeze", TRACER_CALLS },
	{ "luo_file_finish", TRACER_CALLS },
	{ "luo_session_create", 1U << LT_SESSION_CREATE },
	{ "luo_session_retrieve", 1U << LT_SESSION_RETRIEVE },
	{ "luo_session_release", 1U << LT_SESSION_RELEASE },
	{ "luo_session_finish", 1U << LT_SESSION_FINISH },
	{ "liveupdate_reboot", 1U << LT_STATE },
	{ "luo_open", TRACER_BUSY },
	{ "luo_ioctl", TRACER_BUSY },
	{ "luo_session_ioctl", TRACER_BUSY },
};

static bool is_needed(const char *function, uint32_t needs)
{
	size_t i;

	for (i = 0; i < sizeof(function_needs) / sizeof(function_needs[0]); i++) {
		if (!strcmp(function_needs[i].function, function))
			return function_needs[i].needs & needs;
	}
	return true;
}

/*
 * Half a pair is worse than none: an end without a begin, or the other way round, reports
 * the wrong session.
 */
static void choose(struct tracer_stock *s, const struct probe *probe,
		   const char *function, struct bpf_program *begin,
		   struct bpf_program *end, bool target)
{
	struct pair pair = { function, { begin, end }, {} };
	int i, err;

	if (!probe_symbol(probe, function)) {
		skip(s, function, "the kernel has no symbol of that name, the compiler has changed it");
		return;
	}
	for (i = 0; target && i < 2; i++) {
		err = bpf_program__set_attach_target(pair.programs[i], 0, function);
		if (!err)
			continue;
		skip(s, function, probe->caps & PROBE_SYS_ADMIN ? strerror(-err) :
		     "it is in a module, whose types are visible only with CAP_SYS_ADMIN");
		return;
	}
	for (i = 0; i < 2; i++) {
		if (!pair.programs[i])
			continue;
		bpf_program__set_autoload(pair.programs[i], true);
		bpf_program__set_autoattach(pair.programs[i], false);
	}
	s->pairs[s->nr++] = pair;
}

struct tracer_stock *tracer_stock_choose(struct luotrace_bpf *bpf,
					 const struct probe *probe, uint32_t needs)
{
	struct tracer_stock *s = calloc(1, sizeof(*s));
	unsigned int i;

	if (!s) {
		msg_error("out of memory");
		return NULL;
	}
	for (i = 0; i < LT_STOCK_OPS && needs & TRACER_CALLS; i++) {
		if (!probe->stock.ops[i].name[0])
			continue;
		bpf->rodata->stock_returns[i] = probe->stock.ops[i].returns;
		choose(s, probe, probe->stock.ops[i].name,
		       find(bpf, "%s%u", "stock_enter_", i),
		       find(bpf, "%s%u", "stock_exit_", i), true);
	}
	for (i = 0; probe_luo_function(i); i++) {
		if (!(probe->luo_functions & 1U << i) ||
		    !is_needed(probe_luo_function(i), needs))
			continue;
		choose(s, probe, probe_luo_function(i),
		       find(bpf, "stock_%s", probe_luo_function(i), 0),
		       find(bpf, "stock_%s_end", probe_luo_function(i), 0), false);
	}
	if (probe->stock.too_many && needs & TRACER_CALLS)
		msg_error("%u functions of file handlers are not traced, more than %d are not supported",
			  probe->stock.too_many, LT_STOCK_OPS);
	return s;
}

static void detach(struct pair *p)
{
	int i;

	for (i = 0; i < 2; i++) {
		bpf_link__destroy(p->links[i]);
		p->links[i] = NULL;
	}
}

void tracer_stock_attach(struct tracer_stock *s)
{
	unsigned int i, j;

	for (i = 0; i < s->nr; i++) {
		for (j = 0; j < 2; j++) {
			if (!s->pairs[i].programs[j])
				continue;
			s->pairs[i].links[j] =
				bpf_program__attach(s->pairs[i].programs[j]);
			if (s->pairs[i].links[j])
				continue;
			skip(s, s->pairs[i].function,
			     errno == EINVAL || errno == EBUSY ?
			     "the kernel does not allow to attach to it" :
			     strerror(errno));
			detach(&s->pairs[i]);
			break;
		}
	}
}

const char *tracer_stock_skipped(const struct tracer_stock *s, unsigned int nr)
{
	return s && nr < s->nr_skipped ? s->skipped[nr] : NULL;
}

void tracer_stock_free(struct tracer_stock *s)
{
	unsigned int i;

	for (i = 0; s && i < s->nr; i++)
		detach(&s->pairs[i]);
	free(s);
}
