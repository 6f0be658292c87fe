/* SPDX-License-Identifier: GPL-2.0 */

/* What include/linux/kho/abi/luo.h needs of the base's header, for user space. */

#ifndef _LINUX_KHO_ABI_BLOCK_H
#define _LINUX_KHO_ABI_BLOCK_H

#include <linux/types.h>

typedef __u64 u64;

#ifndef __packed
#define __packed __attribute__((packed))
#endif

#define KHO_BLOCK_SIZE	4096	/* bytes of a block where nothing else is known: a page */
#define PAGE_SIZE	KHO_BLOCK_SIZE

struct kho_block_header_ser {
	u64 next;
	u64 count;
} __packed;

#endif
