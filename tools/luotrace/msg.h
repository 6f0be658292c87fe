/* SPDX-License-Identifier: GPL-2.0 */

/* Messages on stderr; stdout is for data. */

#ifndef MSG_H
#define MSG_H

#include <stdbool.h>

/* -v was given */
extern bool msg_verbose;

/* -q was given */
extern bool msg_quiet;

/** msg_error - report why something failed */
__attribute__((format(printf, 1, 2))) void msg_error(const char *fmt, ...);

/** msg_note - report progress, unless -q was given */
__attribute__((format(printf, 1, 2))) void msg_note(const char *fmt, ...);

/** msg_catch_libbpf - show messages of libbpf only with -v */
void msg_catch_libbpf(void);

#endif
