// SPDX-License-Identifier: GPL-2.0

#include <linux/string.h>
#include <linux/string_helpers.h>

#define CREATE_TRACE_POINTS
#include "luo_trace.h"

static u64 luo_update_number; /* live updates that this machine has gone through */

/*
 * Characters that would let a name from user space be mistaken for another field of
 * the event, or break its line, are recorded as octal escapes.
 */
#define LUO_TRACE_ESCAPE	(ESCAPE_SPACE | ESCAPE_SPECIAL | ESCAPE_NAP | \
				 ESCAPE_APPEND | ESCAPE_OCTAL)
#define LUO_TRACE_ESCAPE_ALSO	" =\"'\\"

/**
 * luo_trace_name_size - compute the size of a name in a trace event
 * @name: the name
 *
 * Return: size of its escaped form in bytes, including the terminating zero.
 */
size_t luo_trace_name_size(const char *name)
{
	return string_escape_mem(name, strlen(name), NULL, 0, LUO_TRACE_ESCAPE,
				 LUO_TRACE_ESCAPE_ALSO) + 1;
}

/**
 * luo_trace_name - write the escaped form of a name
 * @to:   buffer of luo_trace_name_size() bytes
 * @name: the name, as passed to luo_trace_name_size()
 */
void luo_trace_name(char *to, const char *name)
{
	int len = string_escape_mem(name, strlen(name), to,
				    luo_trace_name_size(name) - 1,
				    LUO_TRACE_ESCAPE, LUO_TRACE_ESCAPE_ALSO);

	to[len] = '\0';
}

/**
 * luo_trace_sum - add up what a trace event has several of
 * @values: the values
 * @nr:     number of them
 *
 * Return: their sum.
 */
u64 luo_trace_sum(const u64 *values, unsigned int nr)
{
	u64 sum = 0;

	while (nr)
		sum += values[--nr];
	return sum;
}

/**
 * luo_number_init - set the number of the live update that booted this kernel
 * @number: the number, from the previous kernel
 *
 * Context: once, at boot.
 */
void luo_number_init(u64 number)
{
	luo_update_number = number;
}

/**
 * luo_number - get the number of a live update
 * @dir: outgoing or incoming
 *
 * Return: outgoing: number of the one in preparation; incoming: number of the one that
 *	   booted this kernel, 0 if none did.
 */
u64 luo_number(enum luo_dir dir)
{
	return luo_update_number + (dir == LUO_DIR_OUT);
}
