// SPDX-License-Identifier: GPL-2.0

#include <linux/string.h>
#include <linux/string_helpers.h>

#define CREATE_TRACE_POINTS
#include "luo_trace.h"

static u64 luo_update_number; /* live updates that this machine has been through */

/*
 * What would let a name from user space look like another field of the event
 * or break its line is recorded as an octal escape.
 */
#define LUO_TRACE_ESCAPE	(ESCAPE_SPACE | ESCAPE_SPECIAL | ESCAPE_NAP | \
				 ESCAPE_APPEND | ESCAPE_OCTAL)
#define LUO_TRACE_ESCAPE_ALSO	" =\"'\\"

/**
 * luo_trace_name_size - bytes that a name takes in a trace event
 * @name: the name
 *
 * Return: size of its escaped form with the terminating zero.
 */
size_t luo_trace_name_size(const char *name)
{
	return string_escape_mem(name, strlen(name), NULL, 0, LUO_TRACE_ESCAPE,
				 LUO_TRACE_ESCAPE_ALSO) + 1;
}

/**
 * luo_trace_name - write the escaped form of a name
 * @to:   room for luo_trace_name_size() bytes
 * @name: the name, the same as given there
 */
void luo_trace_name(char *to, const char *name)
{
	int len = string_escape_mem(name, strlen(name), to,
				    luo_trace_name_size(name) - 1,
				    LUO_TRACE_ESCAPE, LUO_TRACE_ESCAPE_ALSO);

	to[len] = '\0';
}

/**
 * luo_number_init - set the number of the live update that booted this kernel
 * @number: as the previous kernel says
 *
 * Context: once, at boot.
 */
void luo_number_init(u64 number)
{
	luo_update_number = number;
}

/**
 * luo_number - number of a live update
 * @dir: outgoing or incoming
 *
 * Return: outgoing: of the one that is being made; incoming: of the one that booted
 *	   this kernel, 0 if none did.
 */
u64 luo_number(enum luo_dir dir)
{
	return luo_update_number + (dir == LUO_DIR_OUT);
}
