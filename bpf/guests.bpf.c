// SPDX-License-Identifier: GPL-2.0

/*
 * When guests of KVM stood still: the last return from running a virtual CPU in the old
 * kernel, the first one that ran in the new. By process, and only where user space gets
 * control, which is far less often than each exit of a guest.
 */

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "guests.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct task_struct {
	int tgid;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

/* luotrace makes it that of box.bpf.c. */
struct box_guests_map box_guests SEC(".maps");

static struct box_guest *guest_of(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct box_guest *g = bpf_map_lookup_elem(&box_guests, &tgid);
	struct box_guest fresh = { .tgid = tgid };
	struct task_struct *task;

	if (g)
		return g;
	task = (void *)bpf_get_current_task();
	fresh.parent = BPF_CORE_READ(task, real_parent, tgid);
	bpf_map_update_elem(&box_guests, &tgid, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&box_guests, &tgid);
}

SEC("fentry/kvm_arch_vcpu_ioctl_run")
int BPF_PROG(guest_enters)
{
	struct box_guest *g = guest_of();

	if (!g)
		return 0;
	__sync_fetch_and_add(&g->inside, 1);
	if (!g->entry)
		g->entry = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit/kvm_arch_vcpu_ioctl_run")
int BPF_PROG(guest_leaves)
{
	struct box_guest *g = guest_of();

	if (!g)
		return 0;
	/* It can have been inside before this was attached. */
	if (g->inside > 0)
		__sync_fetch_and_add(&g->inside, -1);
	g->exit = bpf_ktime_get_ns();
	return 0;
}
