/* SPDX-License-Identifier: GPL-2.0 */

/* How KHO and BPF are set up on this machine, and why live update is off. For probe.c. */

#ifndef KHO_H
#define KHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UNKNOWN: it cannot be seen, which does not mean that it is missing. */
enum known { NO, YES, UNKNOWN };

enum lockdown {
	LOCKDOWN_NONE, LOCKDOWN_INTEGRITY, LOCKDOWN_CONFIDENTIALITY,
	LOCKDOWN_UNKNOWN,
};

/* A parameter of the kernel command line. */
struct kho_param {
	bool given;
	bool on;	/* of one that is on or off */
	char value[64];
};

/**
 * struct kho - set-up of KHO and BPF
 * @cmdline:	/proc/cmdline was read
 * @liveupdate:	liveupdate=
 * @kho:	kho=
 * @scratch:	kho_scratch=
 * @crashkernel: this is a crash kernel (kdump)
 * @on:		KHO is on
 * @registered: live update is on, even if /dev/liveupdate is missing
 * @scratch_failed: the kernel log says that scratch memory could not be reserved
 * @areas:	areas of scratch memory; 0 if unknown
 * @bytes:	of all of them
 * @lockdown:	of the kernel
 * @jit:	of BPF
 */
struct kho {
	bool cmdline;
	struct kho_param liveupdate;
	struct kho_param kho;
	struct kho_param scratch;
	bool crashkernel;
	enum known on;
	bool registered;
	bool scratch_failed;
	unsigned int areas;
	uint64_t bytes;
	enum lockdown lockdown;
	enum known jit;
};

#define KHO_TEXT	400	/* bytes of one sentence, at most */

/**
 * kho_probe - read the set-up; never fails
 * @k:	  filled
 * @root: prefix of each path, "" for this machine
 */
void kho_probe(struct kho *k, const char *root);

/**
 * kho_why_off - why /dev/liveupdate is missing
 * @k:	 from kho_probe()
 * @buf: KHO_TEXT bytes
 *
 * Return: @buf, with a sentence that names the cause and what to do.
 */
const char *kho_why_off(const struct kho *k, char *buf);

/**
 * kho_reserved - memory that KHO reserves for the boot of the next kernel
 * @k:	 from kho_probe()
 * @buf: KHO_TEXT bytes
 *
 * Return: @buf, with the size and the parameter that sets it.
 */
const char *kho_reserved(const struct kho *k, char *buf);

/**
 * kho_why_rejected - why the kernel rejects correct BPF programs
 * @k: from kho_probe()
 *
 * Return: a sentence, or NULL if no reason is visible.
 */
const char *kho_why_rejected(const struct kho *k);

#endif
