// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "sandbox.h"

/* What reading, allocating and ending take. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(recvfrom),
	SCMP_SYS(sendto), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat),	/* fstat() is one or the other */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mremap), SCMP_SYS(munmap),
	SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(sigaltstack),			/* a sanitizer, at exit */
};

#define NR_ALLOWED	(sizeof(allowed) / sizeof(allowed[0]))

/* Of this architecture what is allowed, all else of it is EPERM. Returns a negative errno. */
static int limit_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	size_t i;
	int err;

	if (!filter)
		return -ENOMEM;
	err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* The errno of the kernel; without that each of them is ECANCELED. */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	for (i = 0; !err && i < NR_ALLOWED; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

static bool drop_capabilities(void)
{
	cap_t none = cap_init();
	bool done = none && !cap_set_proc(none);

	cap_free(none);
	return done;
}

bool sandbox_enter(void)
{
	int err;

	if (!drop_capabilities() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return false;
	err = limit_calls();
	if (!err)
		return true;
	errno = -err;
	/* Small kernels have none, and cores of them are read there. */
	if (err != -EINVAL || prctl(PR_GET_SECCOMP) != -1)
		return false;
	fputs("luotrace-core: this kernel cannot limit system calls, which needs CONFIG_SECCOMP_FILTER=y\n",
	      stderr);
	return true;
}
