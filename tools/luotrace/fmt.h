/* SPDX-License-Identifier: GPL-2.0 */

/* How figures and names are shown, in text and in JSON. */

#ifndef FMT_H
#define FMT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FMT_LEN		24	/* bytes that any fmt_*() result needs */
#define FMT_WALL	40	/* bytes that a moment needs */
#define FMT_WIDTH	80	/* columns of a line for people, at most */

/**
 * fmt_ns - a time in a fitting unit, three digits: 830ns, 1.24us, 56.1ms, 12.0s
 * @buf: FMT_LEN bytes
 * @ns:	 nanoseconds
 *
 * Return: @buf.
 */
char *fmt_ns(char *buf, uint64_t ns);

/**
 * fmt_read_ns - a time as people write it: 50ms, 1.5s, 800us, 20ns
 * @text: the time, a decimal number and its unit
 * @ns:	  set to it; what is below a nanosecond is cut
 *
 * Return: false if it is no such time, or longer than FMT_MAX_NS.
 */
bool fmt_read_ns(const char *text, uint64_t *ns);

#define FMT_MAX_NS	(86400ULL * 1000000000)	/* a day */

/**
 * fmt_age - a long time in two units: 12.0s, 2m10s, 3h05m, 4d02h
 * @buf: FMT_LEN bytes
 * @ns:	 nanoseconds
 *
 * Return: @buf.
 */
char *fmt_age(char *buf, uint64_t ns);

/**
 * fmt_wall - a moment in local time, as journalctl -o short-iso-precise prints it:
 *	      2026-11-29T12:43:31.001234+0000
 * @buf: FMT_WALL bytes
 * @ns:	 nanoseconds since 1970
 *
 * Return: @buf.
 */
char *fmt_wall(char *buf, uint64_t ns);

/**
 * fmt_bytes - a size in a fitting unit: 512B, 4.00KiB, 256MiB
 * @buf:   FMT_LEN bytes
 * @bytes: the size
 *
 * Return: @buf.
 */
char *fmt_bytes(char *buf, uint64_t bytes);

/** fmt_s - plural ending: "" if @n is one, else "s" */
const char *fmt_s(uint64_t n);

/*
 * How names are spelled. A name can have any bytes but zero, and can come from a file or
 * from another kernel. Printable Unicode characters are printed as they are. Everything
 * else is \xNN for each byte, in two lower-case digits: control characters, characters
 * without width or with another direction, separators but the space, unassigned code
 * points, bytes that are not UTF-8, and the backslash itself (\x5c), so that no two names
 * have the same spelling. In text a name is a field of a line, so space, = and " are
 * spelled \xNN, too; in JSON, HTML and a trace for Perfetto quotes or tags enclose a name,
 * and these three stay.
 */

/**
 * fmt_name - a name as a field of a line of text
 * @buf:  room for it: 4 bytes for each of @name, and one, hold any
 * @size: bytes in @buf
 * @name: zero-terminated
 *
 * Return: @buf; what does not fit is cut, never inside a character or an escape.
 */
char *fmt_name(char *buf, size_t size, const char *name);

/**
 * fmt_label - a name that quotes or tags enclose
 * @buf:  as above
 * @size: as above
 * @name: zero-terminated
 *
 * Return: @buf.
 */
char *fmt_label(char *buf, size_t size, const char *name);

/**
 * fmt_text - a sentence with spelled names
 * @buf:  as above
 * @size: as above
 * @text: zero-terminated; backslashes stay, unprintable bytes become \xNN
 *
 * Return: @buf.
 */
char *fmt_text(char *buf, size_t size, const char *text);

/** fmt_json_name - fmt_label() as a JSON string; NULL only if out of memory */
json_t *fmt_json_name(const char *name);

/** fmt_json_text - fmt_text() as a JSON string; NULL only if out of memory */
json_t *fmt_json_text(const char *text);

/**
 * fmt_read_name - reverse fmt_name() or fmt_label()
 * @to:   room for it
 * @size: bytes in @to
 * @text: the string
 *
 * Return: false if it is too long, or a backslash does not begin \xNN of a byte.
 */
bool fmt_read_name(char *to, size_t size, const char *text);

/**
 * fmt_given_name - a name from the command line
 * @to:   room for it
 * @size: bytes in @to
 * @text: a raw name, or one exactly as fmt_name() or fmt_label() spell it
 *
 * A text that is a spelling is read as one: a raw name that looks like the spelling of
 * another name has to be spelled itself.
 *
 * Return: false if it is empty or too long.
 */
bool fmt_given_name(char *to, size_t size, const char *text);

/** fmt_columns - width of a text on a terminal, columns */
int fmt_columns(const char *text);

/**
 * fmt_padded - print a text, padded with spaces to a width
 * @f:	   where to
 * @text:  the text
 * @width: columns at least
 *
 * Return: columns printed.
 */
int fmt_padded(FILE *f, const char *text, int width);

/**
 * fmt_fitting - how much of a text fits
 * @text:  the text
 * @width: columns
 *
 * Return: bytes of its first characters that are not wider together.
 */
size_t fmt_fitting(const char *text, int width);

/**
 * fmt_cell - print a text in exactly as many columns
 * @f:	   where to
 * @text:  the text; if it is wider it is cut, and the last column is a plus
 * @width: columns; below 0: to the right
 */
void fmt_cell(FILE *f, const char *text, int width);

/**
 * fmt_errno - message for an error
 * @ret: negative errno; "Unknown error" for any other number
 */
const char *fmt_errno(int ret);

/**
 * fmt_bar - a bar of @width columns for @part of @whole
 * @buf:   @width + 1 bytes
 * @width: columns
 * @part:  at most @whole
 * @whole: not 0
 *
 * Return: @buf; if @part is not 0 it has at least one mark.
 */
char *fmt_bar(char *buf, unsigned int width, uint64_t part, uint64_t whole);

/** fmt_width - columns of a line: FMT_WIDTH, or those of a terminal that has fewer */
int fmt_width(FILE *f);

/**
 * fmt_wrapped - print a text in lines of at most fmt_width() columns
 * @f:	  where to
 * @lead: before the first line; the others are indented by its width
 * @text: words with single spaces between them; a word longer than a line is not cut
 */
void fmt_wrapped(FILE *f, const char *lead, const char *text);

#endif
