/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Physical memory of a machine, from a core, which luotrace-core reads. For handover
 * --memory.
 */

#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core.h"

/**
 * struct memory - memory that can be read
 * @read: copies @size bytes from physical address @phys on; false, with @why, if they
 *	  are missing
 * @page_size: bytes of a page of the machine, 0 if the core does not say
 * @why:  why not, what is said of the memory: "is not in memory"
 */
struct memory {
	uint32_t page_size;
	bool (*read)(struct memory *mem, uint64_t phys, void *to, size_t size);
	char why[CORE_TEXT + 1];
};

/**
 * memory_open - open a core: vmcore, makedumpfile's, QEMU's dump-guest-memory, /proc/kcore
 * @path: the file
 *
 * Return: the memory, for memory_close(); NULL after a message.
 */
struct memory *memory_open(const char *path);

/** memory_close - NULL is fine */
void memory_close(struct memory *mem);

#endif
