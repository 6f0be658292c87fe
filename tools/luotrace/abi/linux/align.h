/* SPDX-License-Identifier: GPL-2.0 */

/* What include/linux/kho/abi/luo.h needs of the kernel's header, for user space. */

#ifndef _LINUX_ALIGN_H
#define _LINUX_ALIGN_H

/* @a is a power of two. */
#define ALIGN(x, a)	(((x) + (a) - 1) & ~((a) - 1))

#endif
