/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What luotrace and luotrace-core say to each other through a socket. luotrace-core is a
 * program of its own: Debian has no static libkdumpfile, and a core can be from anywhere.
 *
 * Its standard input is the core, its standard output the socket. It sends one reply when
 * it has opened the core, then one for each request.
 */

#ifndef CORE_H
#define CORE_H

#include <stdint.h>

#define CORE_TEXT	256	/* bytes of a text, at most */

/**
 * struct core_request - memory that is wanted
 * @phys: physical address
 * @size: bytes
 */
struct core_request {
	uint64_t phys;
	uint64_t size;
};

/**
 * struct core_reply - what follows
 * @text:      bytes of a text, what is said of a core or of memory that cannot be read:
 *	       "is not in memory"; 0 if the memory follows
 * @page_size: bytes of a page of the machine, 0 if the core does not say
 */
struct core_reply {
	uint32_t text;
	uint32_t page_size;
};

#endif
