/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _LINUX_LUO_KHO_H
#define _LINUX_LUO_KHO_H

#include <linux/types.h>

bool kho_incoming(phys_addr_t phys, size_t size);
unsigned long kho_preserved_pages(void);

#endif /* _LINUX_LUO_KHO_H */
