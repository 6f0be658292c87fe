// SPDX-License-Identifier: GPL-2.0

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"

#define BTF_PATH	"/sys/kernel/btf/vmlinux"

static const char *const tracepoints[LT_NR_TYPES] = {
#define X(name, tp) [LT_##name] = #tp,
	LT_EVENTS(X)
#undef X
};

/*
 * Without the first two no token is known, without the next four no session of those
 * calls; without one of the others its event is missing. The compiler may have made
 * any of them a part of another function.
 */
static const char *const around[] = {
	"luo_preserve_file", "luo_retrieve_file", "luo_file_unpreserve_files",
	"luo_file_freeze", "luo_file_unfreeze", "luo_file_finish",
	"luo_session_create", "luo_session_retrieve", "luo_session_release",
	"luo_session_finish", "liveupdate_reboot", NULL,
};

const char *probe_around(unsigned int nr)
{
	return around[nr];
}

const char *probe_tracepoint(enum lt_type type)
{
	return tracepoints[type];
}

bool probe_is_kho(enum lt_type type)
{
	return !strncmp(tracepoints[type], "kho_", 4);
}

static enum known probe_path(const char *path)
{
	if (!access(path, F_OK))
		return YES;
	return errno == ENOENT ? NO : UNKNOWN;
}

/* Where debugfs is not mounted, that a file is not there tells nothing. */
static enum known probe_debugfs(const char *path)
{
	struct statfs fs;

	if (statfs("/sys/kernel/debug", &fs) || fs.f_type != DEBUGFS_MAGIC)
		return UNKNOWN;
	return probe_path(path);
}

static bool probe_capable(unsigned int cap, const struct __user_cap_data_struct *data)
{
	return data[cap / 32].effective & (1U << (cap % 32));
}

static bool probe_privileged(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		return false;
	return probe_capable(CAP_SYS_ADMIN, data) ||
	       (probe_capable(CAP_BPF, data) && probe_capable(CAP_PERFMON, data));
}

static bool probe_has(const struct btf *btf, const char *name, __u32 kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

/* Whether the kernel's table of symbols has this one, with an address. */
static bool probe_symbol(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long at;
	char line[512], symbol[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%llx %*c %255s", &at, symbol) == 2 && at &&
			!strcmp(symbol, name);
	if (f)
		fclose(f);
	return found;
}

static void probe_btf(struct probe *p)
{
	struct btf *btf = btf__load_vmlinux_btf();
	unsigned int i;
	char name[64];
	int type;

	p->btf = btf;
	if (!btf) {
		p->flavour = FLAVOUR_UNKNOWN;
		return;
	}

	for (type = 0; type < LT_NR_TYPES; type++) {
		snprintf(name, sizeof(name), "btf_trace_%s", tracepoints[type]);
		p->tracepoints[type] = probe_has(btf, name, BTF_KIND_TYPEDEF);
		if (!p->tracepoints[type])
			continue;
		if (probe_is_kho(type))
			p->nr_kho++;
		else
			p->nr_luo++;
	}
	p->session_iter = probe_has(btf, "bpf_iter_luo_session", BTF_KIND_FUNC);
	p->file_iter = probe_has(btf, "bpf_iter_luo_file", BTF_KIND_FUNC);

	if (p->nr_luo)
		p->flavour = FLAVOUR_TRACED;
	else if (probe_has(btf, "liveupdate_reboot", BTF_KIND_FUNC))
		p->flavour = FLAVOUR_STOCK;
	if (p->flavour == FLAVOUR_STOCK) {
		stock_find(btf, &p->stock);
		p->lists = probe_symbol("luo_session_global");
		for (i = 0; around[i]; i++) {
			if (probe_has(btf, around[i], BTF_KIND_FUNC))
				p->around |= 1U << i;
		}
	}
	btf__free(btf);
}

void probe_kernel(struct probe *p)
{
	struct utsname uts;

	memset(p, 0, sizeof(*p));
	if (!uname(&uts))
		snprintf(p->release, sizeof(p->release), "%s", uts.release);
	p->privileged = probe_privileged();
	p->device = probe_path("/dev/liveupdate");
	p->recorder = probe_path("/sys/kernel/liveupdate/recorder");
	p->kho = probe_debugfs("/sys/kernel/debug/kho");
	probe_btf(p);
}

/* What every command needs that loads BPF programs. */
static const char *probe_why_no_luo(const struct probe *p)
{
	if (!p->btf)
		return "this kernel shows no BTF at " BTF_PATH
		       "; build it with CONFIG_DEBUG_INFO_BTF=y";
	if (p->flavour == FLAVOUR_NONE)
		return "this kernel has no Live Update Orchestrator; boot one that is built with CONFIG_LIVEUPDATE=y";
	return NULL;
}

static const char *probe_why_unprivileged(const struct probe *p)
{
	return p->privileged ? NULL :
	       "BPF needs CAP_BPF and CAP_PERFMON; run luotrace as root";
}

const char *probe_why_not(const struct probe *p)
{
	const char *why = probe_why_no_luo(p);

	if (why)
		return why;
	if (p->flavour == FLAVOUR_STOCK && !p->stock.nr_ops)
		return "this kernel's Live Update Orchestrator has no luo trace events, and in its BTF there is no function of a file handler; boot one that is built with CONFIG_LIVEUPDATE_MEMFD=y";
	if (p->flavour == FLAVOUR_STOCK)
		return probe_why_unprivileged(p);
	if (!p->tracepoints[LT_HANDLER_EXIT] || !p->tracepoints[LT_STATE])
		return "this kernel lacks the trace events luo_handler_exit or luo_state; use the luotrace that belongs to it";
	return probe_why_unprivileged(p);
}

const char *probe_why_no_audit(const struct probe *p)
{
	const char *why = probe_why_no_luo(p);

	if (why)
		return why;
	if (p->flavour == FLAVOUR_STOCK && !p->lists)
		return "this kernel's Live Update Orchestrator has no iterators, and its lists of sessions are not in /proc/kallsyms; it needs root and CONFIG_KALLSYMS_ALL=y";
	if (p->flavour != FLAVOUR_STOCK && (!p->session_iter || !p->file_iter))
		return "this kernel has no BPF iterators luo_session and luo_file; boot one that is built with the LUO of this project and CONFIG_BPF_SYSCALL=y";
	/* The iterators are there as soon as it is on. */
	if (p->device == NO)
		return "live update is off; boot with liveupdate=on and kho=on";
	return probe_why_unprivileged(p);
}
