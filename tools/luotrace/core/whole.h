/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What libkdumpfile does not simply say of a core: whether the file is whole, as libkdumpfile
 * reads zeros after its end, and the dump level of makedumpfile.
 */

#ifndef WHOLE_H
#define WHOLE_H

#include <libkdumpfile/kdumpfile.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * whole_check - check that a core ends where its headers say
 * @dump: opened from @fd
 * @fd:	  the file
 * @why:  what is wrong, if anything is
 * @len:  bytes of @why
 */
bool whole_check(kdump_ctx_t *dump, int fd, char *why, size_t len);

/** whole_bitmap - an attribute that is a bitmap of pages, NULL if the core has it not */
kdump_bmp_t *whole_bitmap(kdump_ctx_t *dump, const char *key);

/** whole_dump_level - the -d of makedumpfile, 0 for none */
unsigned int whole_dump_level(kdump_ctx_t *dump, int fd);

#endif
