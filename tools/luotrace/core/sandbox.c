// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

#if defined(__x86_64__)
#define ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH	AUDIT_ARCH_AARCH64
#else
#error "the number of this architecture in seccomp is needed"
#endif

/* What reading, allocating and ending take. */
static const unsigned int allowed[] = {
	__NR_read, __NR_pread64, __NR_write, __NR_recvfrom, __NR_sendto, __NR_lseek,
	__NR_fstat, __NR_newfstatat,	/* fstat() is one or the other */
	__NR_brk, __NR_mmap, __NR_mremap, __NR_munmap, __NR_mprotect, __NR_madvise,
	__NR_futex, __NR_getrandom, __NR_rt_sigreturn, __NR_exit, __NR_exit_group,
	__NR_sigaltstack,		/* a sanitizer, at exit */
};

#define NR_ALLOWED	(sizeof(allowed) / sizeof(allowed[0]))

/* The filter: of this architecture what is allowed, all else is EPERM. */
static unsigned short make_filter(struct sock_filter *f)
{
	struct sock_filter *begin = f;
	size_t i;

	*f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, arch));
	*f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	*f++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, nr));
	for (i = 0; i < NR_ALLOWED; i++) {
		*f++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
						    0, 1);
		*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	*f++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	return f - begin;
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	return !syscall(SYS_capset, &head, none);
}

bool sandbox_enter(void)
{
	struct sock_filter filter[5 + 2 * NR_ALLOWED];
	const struct sock_fprog program = { .len = make_filter(filter), .filter = filter };

	if (!drop_capabilities() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return false;
	if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return true;
	/* Small kernels have none, and cores of them are read there. */
	if (errno != EINVAL || prctl(PR_GET_SECCOMP) != -1)
		return false;
	fputs("luotrace-core: this kernel cannot limit system calls, which needs CONFIG_SECCOMP_FILTER=y\n",
	      stderr);
	return true;
}
