// SPDX-License-Identifier: GPL-2.0

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>

#include "msg.h"

bool msg_verbose;
bool msg_quiet;

static void say(const char *fmt, va_list ap)
{
	fputs("luotrace: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void msg_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void msg_note(const char *fmt, ...)
{
	va_list ap;

	if (msg_quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

/* Only the warnings of libbpf are useful. */
static int msg_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN && msg_verbose)
		return vfprintf(stderr, fmt, ap);
	return 0;
}

void msg_catch_libbpf(void)
{
	libbpf_set_print(msg_libbpf);
}
