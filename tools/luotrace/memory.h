/* SPDX-License-Identifier: GPL-2.0 */

/* Physical memory of a machine, from an ELF core. For handover --memory. */

#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct memory - memory that can be read
 * @read: copies @size bytes from physical address @phys on; false if they are missing
 */
struct memory {
	bool (*read)(struct memory *mem, uint64_t phys, void *to, size_t size);
};

/**
 * memory_open - open an ELF core: vmcore, QEMU's dump-guest-memory, /proc/kcore
 * @path: the file
 *
 * Return: the memory, for memory_close(); NULL after a message.
 */
struct memory *memory_open(const char *path);

/** memory_close - NULL is fine */
void memory_close(struct memory *mem);

#endif
