/* SPDX-License-Identifier: GPL-2.0 */

/*
 * A guest of KVM on x86-64 that does nothing but count, for tests of what a workload felt.
 */

#ifndef GUEST_KVM_H
#define GUEST_KVM_H

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define GUEST_AT	0x1000		/* of its code, in its memory */

struct guest_kvm {
	int vcpu;
	struct kvm_run *run;
};

#ifdef __x86_64__
/* Count in AX, tell it at port 0x10, go on. */
static const unsigned char guest_code[] = { 0x40, 0xe6, 0x10, 0xeb, 0xfb };

static inline void guest_start(struct guest_kvm *g)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, size;
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_AT,
		.memory_size = 0x1000,
	};
	struct kvm_regs regs = { .rip = GUEST_AT, .rflags = 2 };
	struct kvm_sregs sregs;
	void *memory;

	must(kvm >= 0, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	memory = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(vm >= 0 && memory != MAP_FAILED, "KVM_CREATE_VM");
	memcpy(memory, guest_code, sizeof(guest_code));
	region.userspace_addr = (uintptr_t)memory;
	must(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "memory of the guest");
	g->vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	must(g->vcpu >= 0 && size > 0, "KVM_CREATE_VCPU");
	g->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
	must(g->run != MAP_FAILED && !ioctl(g->vcpu, KVM_GET_SREGS, &sregs), "vcpu");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	must(!ioctl(g->vcpu, KVM_SET_SREGS, &sregs) &&
	     !ioctl(g->vcpu, KVM_SET_REGS, &regs), "registers");
}

/* Let it tell its count so many times. */
static inline void guest_run(struct guest_kvm *g, int times)
{
	while (times--)
		must(!ioctl(g->vcpu, KVM_RUN, 0) && g->run->exit_reason == KVM_EXIT_IO,
		     "KVM_RUN");
}
#else
static inline void guest_start(struct guest_kvm *g)
{
	(void)g;
	must(false, "a guest of this architecture");
}

static inline void guest_run(struct guest_kvm *g, int times)
{
	(void)g;
	(void)times;
}
#endif

#endif
