/* SPDX-License-Identifier: GPL-2.0 */

/* How figures and names are shown. */

#ifndef FMT_H
#define FMT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FMT_LEN		24	/* bytes that any fmt_*() result needs */
#define FMT_WIDTH	80	/* columns of a line for people */

/**
 * fmt_ns - a time in a fitting unit, three digits: 830ns, 1.24us, 56.1ms, 12.0s
 * @buf: FMT_LEN bytes
 * @ns:	 nanoseconds
 *
 * Return: @buf.
 */
char *fmt_ns(char *buf, uint64_t ns);

/**
 * fmt_age - a long time in two units: 12.0s, 2m10s, 3h05m, 4d02h
 * @buf: FMT_LEN bytes
 * @ns:	 nanoseconds
 *
 * Return: @buf.
 */
char *fmt_age(char *buf, uint64_t ns);

/**
 * fmt_bytes - a size in a fitting unit: 512B, 4.00KiB, 256MiB
 * @buf:   FMT_LEN bytes
 * @bytes: the size
 *
 * Return: @buf.
 */
char *fmt_bytes(char *buf, uint64_t bytes);

/**
 * fmt_name - a name from user space, printable
 * @buf:  room for it
 * @size: bytes in @buf
 * @name: zero-terminated; control characters, bytes that are no UTF-8 and what
 *	  could look like another field (space, =, ", \) become \xNN
 *
 * Return: @buf; what does not fit is cut.
 */
char *fmt_name(char *buf, size_t size, const char *name);

/**
 * fmt_text - the same for a sentence, in which nothing looks like a field
 * @buf:  as above
 * @size: as above
 * @text: zero-terminated; control characters and bytes that are no UTF-8 become \xNN
 */
char *fmt_text(char *buf, size_t size, const char *text);

/**
 * fmt_json_name - the same as a JSON string, always valid UTF-8
 * @name: zero-terminated; escaped only if it is no UTF-8
 */
json_t *fmt_json_name(const char *name);

/**
 * fmt_read_name - the name that fmt_name() made printable
 * @to:   room for it
 * @size: bytes in @to
 * @text: the string
 *
 * Return: false if it is too long, or a backslash does not begin \xNN.
 */
bool fmt_read_name(char *to, size_t size, const char *text);

/**
 * fmt_errno - what an error means
 * @ret: negative errno; any other number is "Unknown error"
 */
const char *fmt_errno(int ret);

/**
 * fmt_bar - a bar of @width columns for @part of @whole
 * @buf:   @width + 1 bytes
 * @width: columns
 * @part:  at most @whole
 * @whole: not 0
 *
 * Return: @buf; a part that is not 0 has at least one mark.
 */
char *fmt_bar(char *buf, unsigned int width, uint64_t part, uint64_t whole);

/**
 * fmt_wrapped - print a text in lines of at most FMT_WIDTH columns
 * @f:	  where to
 * @lead: before the first line; the others are indented as far
 * @text: words with single spaces between them; a word that is longer than a
 *	  line is not cut
 */
void fmt_wrapped(FILE *f, const char *lead, const char *text);

#endif
