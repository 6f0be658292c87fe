// SPDX-License-Identifier: GPL-2.0

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/kho/abi/luo.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"

#define BTF_PATH	"/sys/kernel/btf/vmlinux"

static const char *const tracepoints[LT_NR_TYPES] = {
#define X(name, tp) [LT_##name] = #tp,
	LT_EVENTS(X)
#undef X
};

static const char *const error_tracepoints[LT_NR_TYPES] = {
#define X(name, tp) [LT_##name] = #tp,
	LT_ERROR_EVENTS(X)
#undef X
};

static const char *const several_tracepoints[LT_NR_TYPES] = {
#define X(name, tp) [LT_##name] = #tp,
	LT_SEVERAL_EVENTS(X)
#undef X
};

/*
 * Without the first two tokens are unknown, without the next four the sessions of those
 * calls; without one of the others its event is missing. The compiler can inline any of
 * them.
 */
static const char *const luo_functions[PROBE_LUO_FUNCTIONS + 1] = {
	"luo_preserve_file", "luo_retrieve_file", "luo_file_unpreserve_files",
	"luo_file_freeze", "luo_file_unfreeze", "luo_file_finish",
	"luo_session_create", "luo_session_retrieve", "luo_session_release",
	"luo_session_finish", "liveupdate_reboot",
	"luo_open", "luo_ioctl", "luo_session_ioctl", NULL,
};

const char *probe_luo_function(unsigned int nr)
{
	return luo_functions[nr];
}

const char *probe_tracepoint(enum lt_type type)
{
	return tracepoints[type];
}

const char *probe_error_tracepoint(enum lt_type type)
{
	return error_tracepoints[type];
}

const char *probe_several_tracepoint(enum lt_type type)
{
	return several_tracepoints[type];
}

bool probe_is_kho(enum lt_type type)
{
	return !strncmp(tracepoints[type], "kho_", 4);
}

/*
 * The functions from which this LUO calls handlers, FLBs and subsystems, which it keeps
 * apart from others. Before there were runs of calls it was only the first one.
 */
static const char *const luo_callers[] = {
	"luo_call_run", "luo_run_call_void", "luo_run_call_bool", "luo_file_call_prepare",
	"luo_file_call_freeze", "luo_file_call_step", "luo_file_call_event",
	"luo_session_call_freeze",
};

bool probe_luo_calls(const char *function)
{
	size_t len;
	unsigned int i;

	for (i = 0; i < sizeof(luo_callers) / sizeof(*luo_callers); i++) {
		len = strlen(luo_callers[i]);
		/* The compiler makes NAME.isra.0, for example. */
		if (!strncmp(function, luo_callers[i], len) &&
		    (!function[len] || function[len] == '.'))
			return true;
	}
	return false;
}

static enum known probe_path(const char *path)
{
	if (!access(path, F_OK))
		return YES;
	return errno == ENOENT ? NO : UNKNOWN;
}

static unsigned int probe_caps(void)
{
	static const struct {
		cap_value_t cap;
		unsigned int bit;
	} all[] = {
		{ CAP_BPF, PROBE_BPF }, { CAP_PERFMON, PROBE_PERFMON },
		{ CAP_SYSLOG, PROBE_SYSLOG }, { CAP_SYS_ADMIN, PROBE_SYS_ADMIN },
	};
	cap_t process = cap_get_proc();
	unsigned int caps = 0;
	cap_flag_value_t has;
	size_t i;

	if (!process)
		return 0;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!cap_get_flag(process, all[i].cap, CAP_EFFECTIVE, &has) &&
		    has == CAP_SET)
			caps |= all[i].bit;
	}
	cap_free(process);
	/* It includes the first two. */
	if (caps & PROBE_SYS_ADMIN)
		caps |= PROBE_BPF | PROBE_PERFMON;
	return caps;
}

static bool probe_has(const struct btf *btf, const char *name, __u32 kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

/* Name of one of the functions of a stock LUO, NULL if the number is not in use. */
static const char *probe_function(const struct probe *p, unsigned int nr)
{
	if (nr < LT_STOCK_OPS)
		return *p->stock.ops[nr].name ? p->stock.ops[nr].name : NULL;
	nr -= LT_STOCK_OPS;
	return p->luo_functions & 1U << nr ? luo_functions[nr] : NULL;
}

bool probe_symbol(const struct probe *p, const char *name)
{
	unsigned int i;

	for (i = 0; i < LT_STOCK_OPS + PROBE_LUO_FUNCTIONS; i++) {
		if (p->missing & 1ULL << i && !strcmp(probe_function(p, i), name))
			return false;
	}
	return true;
}

static void probe_one_symbol(struct probe *p, const char *symbol,
			     unsigned long long at)
{
	const char *name;
	unsigned int i;

	if (!strcmp(symbol, "luo_session_global")) {
		p->lists = at;
		p->hidden = !at;
		return;
	}
	for (i = 0; i < LT_STOCK_OPS + PROBE_LUO_FUNCTIONS; i++) {
		name = probe_function(p, i);
		if (name && !strcmp(name, symbol))
			p->missing &= ~(1ULL << i);
	}
}

/* The kernel's symbol table, with addresses for privileged readers. */
static void probe_symbols(struct probe *p)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	unsigned long long at;
	unsigned int i;

	for (i = 0; f && i < LT_STOCK_OPS + PROBE_LUO_FUNCTIONS; i++) {
		if (probe_function(p, i))
			p->missing |= 1ULL << i;
	}
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %*c %255s", &at, symbol) == 2)
			probe_one_symbol(p, symbol, at);
	}
	if (f)
		fclose(f);
}

static bool probe_has_tracepoint(const struct btf *btf, const char *tracepoint)
{
	char name[64];

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	return probe_has(btf, name, BTF_KIND_TYPEDEF);
}

static void probe_btf(struct probe *p)
{
	struct btf *btf = btf__load_vmlinux_btf();
	unsigned int i;
	int type;

	p->btf = btf;
	if (!btf) {
		p->flavour = FLAVOUR_UNKNOWN;
		return;
	}

	for (type = 0; type < LT_NR_TYPES; type++) {
		p->tracepoints[type] = probe_has_tracepoint(btf, tracepoints[type]);
		p->errors[type] = error_tracepoints[type] &&
				  probe_has_tracepoint(btf, error_tracepoints[type]);
		p->several[type] = several_tracepoints[type] &&
				   probe_has_tracepoint(btf, several_tracepoints[type]);
		if (!p->tracepoints[type])
			continue;
		if (probe_is_kho(type))
			p->nr_kho++;
		else
			p->nr_luo++;
	}
	p->session_iter = probe_has(btf, "bpf_iter_luo_session", BTF_KIND_FUNC);
	p->file_iter = probe_has(btf, "bpf_iter_luo_file", BTF_KIND_FUNC);

	p->folios = probe_has(btf, "kho_preserve_folio", BTF_KIND_FUNC) &&
		    probe_has(btf, "kho_unpreserve_folio", BTF_KIND_FUNC) &&
		    probe_has(btf, "kho_restore_folio", BTF_KIND_FUNC);
	if (p->nr_luo)
		p->flavour = FLAVOUR_TRACED;
	else if (probe_has(btf, "liveupdate_reboot", BTF_KIND_FUNC))
		p->flavour = FLAVOUR_STOCK;
	if (p->flavour == FLAVOUR_STOCK) {
		stock_find(btf, &p->stock);
		for (i = 0; luo_functions[i]; i++) {
			if (probe_has(btf, luo_functions[i], BTF_KIND_FUNC))
				p->luo_functions |= 1U << i;
		}
		probe_symbols(p);
	}
	btf__free(btf);
}

void probe_kernel(struct probe *p)
{
	struct utsname uts;

	memset(p, 0, sizeof(*p));
	if (!uname(&uts))
		snprintf(p->release, sizeof(p->release), "%s", uts.release);
	p->caps = probe_caps();
	p->privileged = p->caps & PROBE_BPF && p->caps & PROBE_PERFMON;
	p->device = probe_path("/dev/liveupdate");
	p->recorder = probe_path("/sys/kernel/liveupdate/recorder");
	kho_probe(&p->kho, "");
	probe_btf(p);
	/* A container can lack the device of a machine with live update. */
	if (p->flavour != FLAVOUR_NONE && p->device == NO && !p->kho.registered)
		kho_why_off(&p->kho, p->why_off);
}

/* Requirements of every command that loads BPF programs. */
static const char *probe_why_no_luo(const struct probe *p)
{
	if (!p->btf)
		return "this kernel shows no BTF at " BTF_PATH
		       "; build it with CONFIG_DEBUG_INFO_BTF=y";
	if (p->flavour == FLAVOUR_NONE)
		return "this kernel has no Live Update Orchestrator; boot one that is built with CONFIG_LIVEUPDATE=y";
	/* Trace events and iterators exist even if it is off. */
	if (*p->why_off)
		return p->why_off;
	return NULL;
}

static const char *probe_why_unprivileged(const struct probe *p)
{
	static const char *const missing[4] = {
		[0] = "BPF needs CAP_BPF and CAP_PERFMON; run luotrace as root",
		[PROBE_BPF] = "BPF needs CAP_PERFMON beside CAP_BPF; add it, or run luotrace as root",
		[PROBE_PERFMON] = "BPF needs CAP_BPF beside CAP_PERFMON; add it, or run luotrace as root",
	};

	return missing[p->caps & (PROBE_BPF | PROBE_PERFMON)];
}

const char *probe_why_no_trace(const struct probe *p)
{
	const char *why = probe_why_no_luo(p);

	if (why)
		return why;
	if (p->flavour == FLAVOUR_STOCK && !p->stock.nr_ops)
		return "this kernel's Live Update Orchestrator has no luo trace events, and its BTF has no function of a file handler; boot one that is built with CONFIG_LIVEUPDATE_MEMFD=y";
	if (p->flavour == FLAVOUR_STOCK)
		return probe_why_unprivileged(p);
	if (!p->tracepoints[LT_HANDLER_EXIT] || !p->tracepoints[LT_STATE])
		return "this kernel lacks the trace events luo_handler_exit or luo_state; use the luotrace that belongs to it";
	return probe_why_unprivileged(p);
}

const char *probe_next_kernel(const struct probe *p)
{
	static const char *const readers[] = {
		[FLAVOUR_TRACED] = "may have this LUO or the base's own: both read what this kernel hands over (" LUO_ABI_COMPATIBLE "); states, the record of the live update, and what subsystems hand over reach only this LUO",
		[FLAVOUR_STOCK] = "may have the base's own LUO or that of this project, which reads " LUO_ABI_COMPATIBLE ", the handover of the base's 7.2 and 7.3",
		[FLAVOUR_UNKNOWN] = NULL,
	};

	return readers[p->flavour];
}

const char *probe_why_no_audit(const struct probe *p)
{
	const char *why = probe_why_no_luo(p);

	if (why)
		return why;
	if (p->flavour == FLAVOUR_STOCK && p->hidden)
		return "this kernel's Live Update Orchestrator has no iterators, and /proc/kallsyms shows the address of its list of sessions only with CAP_SYSLOG; add that, or run luotrace as root; with kernel.kptr_restrict=2 it never does";
	if (p->flavour == FLAVOUR_STOCK && !p->lists)
		return "this kernel's Live Update Orchestrator has no iterators, and its lists of sessions are not in /proc/kallsyms; it needs CONFIG_KALLSYMS_ALL=y";
	if (p->flavour != FLAVOUR_STOCK && (!p->session_iter || !p->file_iter))
		return "this kernel has no BPF iterators luo_session and luo_file; boot one that is built with the LUO of this project and CONFIG_BPF_SYSCALL=y";
	return probe_why_unprivileged(p);
}
