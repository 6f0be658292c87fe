// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracer.h"
#include "luotrace.skel.h"
#include "msg.h"
#include "task_state.h"
#include "tracer_box.h"

/* The programs, by the function that they are on. The first two are indispensable. */
static const struct {
	const char *program;
	const char *function;
} programs[] = {
	{ "box_liveupdate_reboot", "liveupdate_reboot" },
	{ "box_liveupdate_reboot_end", "liveupdate_reboot" },
	{ "box_kernel_restart_prepare", "kernel_restart_prepare" },
	{ "box_device_shutdown", "device_shutdown" },
	{ "box_pm_runtime_barrier", "pm_runtime_barrier" },
	{ "box_migrate_to_reboot_cpu", "migrate_to_reboot_cpu" },
	{ "box_syscore_shutdown", "syscore_shutdown" },
	{ "box_machine_shutdown", "machine_shutdown" },
	{ "box_machine_kexec", "machine_kexec" },
};

#define NR_PROGRAMS	(sizeof(programs) / sizeof(programs[0]))
#define NR_NEEDED	2

struct tracer_box {
	struct bpf_program *programs[NR_PROGRAMS];
	struct bpf_link *links[NR_PROGRAMS];
};

struct tracer_box *tracer_box_choose(struct luotrace_bpf *bpf)
{
	struct tracer_box *b = calloc(1, sizeof(*b));
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *prog;
	size_t i;

	if (!b || !btf) {
		msg_error("%s", b ? "cannot read the kernel's BTF" : "out of memory");
		btf__free(btf);
		free(b);
		return NULL;
	}
	for (i = 0; i < NR_PROGRAMS; i++) {
		if (btf__find_by_name_kind(btf, programs[i].function,
					   BTF_KIND_FUNC) <= 0)
			continue;
		prog = bpf_object__find_program_by_name(bpf->obj, programs[i].program);
		bpf_program__set_autoload(prog, true);
		bpf_program__set_autoattach(prog, false);
		b->programs[i] = prog;
	}
	btf__free(btf);
	bpf->rodata->box_wanted = true;
	bpf->rodata->box_pid = getpid();
	return b;
}

/* Pin the pages for the programs, in the task storage of this process. */
static bool give_pages(struct luotrace_bpf *bpf, void *pages)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0), i, err = -1;
	void *addresses[BOX_REBOOT_PAGES];

	for (i = 0; i < BOX_REBOOT_PAGES; i++)
		addresses[i] = (char *)pages + i * BOX_PAGE;
	if (pidfd >= 0)
		err = bpf_map_update_elem(bpf_map__fd(bpf->maps.box_memory), &pidfd,
					  addresses, BPF_NOEXIST);
	if (err)
		msg_error("cannot pin the pages of the black box: %s", strerror(errno));
	if (pidfd >= 0)
		close(pidfd);
	return !err;
}

/* The programs look for this process among those of the whole machine. */
static bool in_init_namespace(void)
{
	if (!task_state_visible()) {
		msg_error("the black box does not work in a container with processes of its own; run it on the host");
		return false;
	}
	return true;
}

bool tracer_box_attach(struct tracer_box *b, struct luotrace_bpf *bpf, void *pages)
{
	size_t i;

	if (!in_init_namespace() || !give_pages(bpf, pages))
		return false;
	for (i = 0; i < NR_PROGRAMS; i++) {
		b->links[i] = b->programs[i] ? bpf_program__attach(b->programs[i]) : NULL;
		if (b->links[i])
			continue;
		msg_error("%s() is not traced, its step of a reboot is missing: %s",
			  programs[i].function, b->programs[i] ? strerror(errno) :
			  "this kernel has no function of that name");
		if (i < NR_NEEDED)
			return false;
	}
	return true;
}

void tracer_box_free(struct tracer_box *b)
{
	size_t i;

	for (i = 0; b && i < NR_PROGRAMS; i++)
		bpf_link__destroy(b->links[i]);
	free(b);
}
