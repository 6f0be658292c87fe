/* SPDX-License-Identifier: GPL-2.0 */

/* The part of the page about the stacks of long calls, with a flame graph. */

#ifndef HTML_STACKS_H
#define HTML_STACKS_H

#include <jansson.h>
#include <stdio.h>

/**
 * html_stacks - write that part
 * @stacks: valid, see stacks.h; nothing is written if it is null
 * @f:	    where to
 */
void html_stacks(json_t *stacks, FILE *f);

#endif
