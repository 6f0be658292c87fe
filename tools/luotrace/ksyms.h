/* SPDX-License-Identifier: GPL-2.0 */

/* Names of the running kernel's functions, from /proc/kallsyms. For stacks. */

#ifndef KSYMS_H
#define KSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KSYMS_PATH	"/proc/kallsyms"
#define KSYMS_NAME	320	/* bytes of a name with that of its module */

struct ksyms;

/**
 * ksyms_load - read the symbol table
 * @path: KSYMS_PATH
 *
 * Return: the table, for ksyms_free(); it has no functions if the file cannot be read or
 *	   hides its addresses. NULL if out of memory.
 */
struct ksyms *ksyms_load(const char *path);

/** ksyms_missing - why it has no functions, a sentence; NULL if it has */
const char *ksyms_missing(const struct ksyms *k);

/**
 * ksyms_find - the function at an address
 * @k:	  the table
 * @at:	  the address
 * @name: KSYMS_NAME bytes, set to the name; that of the module follows in brackets
 *
 * Return: false if it is in none that the table has.
 */
bool ksyms_find(const struct ksyms *k, uint64_t at, char *name);

/** ksyms_free - NULL is fine */
void ksyms_free(struct ksyms *k);

#endif
