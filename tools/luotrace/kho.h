/* SPDX-License-Identifier: GPL-2.0 */

/* How KHO and BPF were set up on this machine, and why live update is off. */

#ifndef KHO_H
#define KHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What cannot be seen is not the same as what is not there. */
enum known { NO, YES, UNKNOWN };

enum lockdown {
	LOCKDOWN_NONE, LOCKDOWN_INTEGRITY, LOCKDOWN_CONFIDENTIALITY,
	LOCKDOWN_UNKNOWN,
};

/* A word of the kernel command line. */
struct kho_param {
	bool given;
	bool on;	/* of one that is on or off */
	char value[64];
};

/**
 * struct kho - what is known
 * @cmdline:	/proc/cmdline was read
 * @liveupdate:	liveupdate=
 * @kho:	kho=
 * @scratch:	kho_scratch=
 * @crashkernel: this kernel was loaded for a crash (kdump)
 * @on:		KHO is on
 * @registered: live update is on, whether /dev/liveupdate is there or not
 * @refused:	the kernel log says that no scratch memory could be reserved
 * @areas:	areas of scratch memory; 0 if not known
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
 * kho_probe - find out; never fails
 * @k:	  filled
 * @root: before each path: "" is this machine
 */
void kho_probe(struct kho *k, const char *root);

/**
 * kho_why_off - why there is no /dev/liveupdate
 * @k:	 from kho_probe()
 * @buf: KHO_TEXT bytes
 *
 * Return: @buf, with a sentence that names the cause and what to do.
 */
const char *kho_why_off(const struct kho *k, char *buf);

/**
 * kho_reserved - how much memory KHO keeps for the boot of the next kernel
 * @k:	 from kho_probe()
 * @buf: KHO_TEXT bytes
 *
 * Return: @buf, with the size and the parameter that sets it.
 */
const char *kho_reserved(const struct kho *k, char *buf);

/**
 * kho_why_rejected - why the kernel refuses BPF programs that are right
 * @k: from kho_probe()
 *
 * Return: a sentence, or NULL if there is no reason that can be seen.
 */
const char *kho_why_rejected(const struct kho *k);

#endif
