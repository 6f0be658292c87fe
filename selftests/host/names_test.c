// SPDX-License-Identifier: GPL-2.0

/* How names are escaped, parsed and aligned, as TAP. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "fmt.h"
#include "tap.h"

static void test_names(void)
{
	char buf[64];
	json_t *j;

	check_string(fmt_name(buf, sizeof(buf), "vm-a"), "vm-a", "plain name");
	check_string(fmt_name(buf, sizeof(buf), "x ret=0 \"y\""),
		   "x\\x20ret\\x3d0\\x20\\x22y\\x22", "no forged field");
	check_string(fmt_name(buf, sizeof(buf), "a\nb\x1b[1m\\"),
		   "a\\x0ab\\x1b[1m\\x5c", "control characters");
	check_string(fmt_name(buf, sizeof(buf), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
		   "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "UTF-8");
	check_string(fmt_name(buf, sizeof(buf), "\xff\xc3(\xc0\x80\xed\xa0\x80"),
		   "\\xff\\xc3(\\xc0\\x80\\xed\\xa0\\x80", "no UTF-8");
	check_string(fmt_name(buf, sizeof(buf), "\xc2\x9b" "1m"),
		   "\\xc2\\x9b1m", "C1 control character");
	check_string(fmt_name(buf, 6, "\xff\xff"), "\\xff", "cut between escapes");
	j = fmt_json_name("\xff");
	check(j && !strcmp(json_string_value(j), "\\xff"), "JSON of invalid UTF-8");
	json_decref(j);
	j = fmt_json_name("a = \"\xe6\xbc\xa2\" <b>");
	check(j && !strcmp(json_string_value(j), "a = \"\xe6\xbc\xa2\" <b>"),
	      "JSON of printable text is unchanged");
	json_decref(j);
	j = fmt_json_text("cut: \xe6\xbc");
	check(j && !strcmp(json_string_value(j), "cut: \\xe6\\xbc"),
	      "JSON of a sentence is never empty");
	json_decref(j);
	check_string(fmt_text(buf, sizeof(buf), "a 'b' = \"\\\x1b\xff"),
		   "a 'b' = \"\\\\x1b\\xff", "a sentence");
}

/* Invisible characters, and those that move others, are escaped as bytes. */
static void test_unseen(void)
{
	static const struct {
		const char *name, *text, *what;
	} rows[] = {
		{ "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xaeb", "U+202E, right to left" },
		{ "a\xe2\x81\xa6" "b", "a\\xe2\\x81\\xa6b", "U+2066, an isolate" },
		{ "a\xe2\x80\x8b" "b", "a\\xe2\\x80\\x8bb", "U+200B, no width" },
		{ "a\xe2\x80\xa8" "b", "a\\xe2\\x80\\xa8b", "U+2028, a line" },
		{ "a\xef\xbb\xbf" "b", "a\\xef\\xbb\\xbfb", "U+FEFF, a mark of order" },
		{ "a\xc2\xa0" "b", "a\\xc2\\xa0b", "U+00A0, another space" },
		{ "a\xe3\x80\x80" "b", "a\\xe3\\x80\\x80b", "U+3000, a wide space" },
		{ "a\xc2\xad" "b", "a\\xc2\\xadb", "U+00AD, a soft hyphen" },
		{ "a\xe3\x85\xa4" "b", "a\\xe3\\x85\\xa4b", "U+3164, a filler" },
		{ "a\xef\xb8\x8f" "b", "a\\xef\\xb8\\x8fb", "U+FE0F, a selector" },
		{ "a\xee\x80\x80" "b", "a\\xee\\x80\\x80b", "U+E000, for private use" },
		{ "a\xcd\xb8" "b", "a\\xcd\\xb8b", "U+0378, no character" },
		{ "a\xef\xbf\xbe" "b", "a\\xef\\xbf\\xbeb", "U+FFFE, no character" },
		{ "\xff\xfe", "\\xff\\xfe", "bytes that are not UTF-8" },
		{ "\\xff\\xfe", "\\x5cxff\\x5cxfe", "the text that looks like them" },
		{ "e\xcc\x81\xe6\xbc\xa2", "e\xcc\x81\xe6\xbc\xa2", "an accent, a wide letter" },
	};
	char buf[64], what[96];
	json_t *j;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(what, sizeof(what), "text of %s", rows[i].what);
		check_string(fmt_name(buf, sizeof(buf), rows[i].name), rows[i].text, what);
		j = fmt_json_name(rows[i].name);
		snprintf(what, sizeof(what), "JSON of %s", rows[i].what);
		check_string(j ? json_string_value(j) : "", rows[i].text, what);
		json_decref(j);
	}
}

static void check_wrapped(const char *text, const char *want, const char *what)
{
	char *is;
	size_t size;
	FILE *f = open_memstream(&is, &size);

	fmt_wrapped(f, "* ", text);
	fclose(f);
	check_string(is, want, what);
	free(is);
}

#define WIDE10	"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2" \
		"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"

static void test_columns(void)
{
	char *text;
	size_t size;
	FILE *f;

	check(fmt_columns("vm-a") == 4, "columns of letters");
	check(fmt_columns(WIDE10) == 20, "columns of wide letters");
	check(fmt_columns("e\xcc\x81") == 1, "columns of a letter with an accent");
	f = open_memstream(&text, &size);
	check(fmt_padded(f, WIDE10, 22) == 22 && fmt_padded(f, "abc", 2) == 3,
	      "columns that are printed");
	fclose(f);
	check_string(text, WIDE10 "  abc", "a text is padded to columns");
	free(text);
	check_wrapped(WIDE10 " " WIDE10 " " WIDE10 " " WIDE10,
		      "* " WIDE10 " " WIDE10 " " WIDE10 "\n  " WIDE10 "\n",
		      "lines break at columns, not at bytes");
	check_wrapped("a b", "* a b\n", "a line that is short");
}

static void check_given(const char *text, const char *want, const char *what)
{
	char name[64] = "-";

	check_string(fmt_given_name(name, sizeof(name), text) ? name : "rejected",
		   want, what);
}

/* The argument of an option becomes the name. */
static void check_argument(const char *text, const char *want, const char *what)
{
	char *arg = strdup(text);

	check_string(cmd_parse_name(arg, LT_NAME_LEN, "session", NULL), want, what);
	free(arg);
}

/* A typed name, or what luotrace printed for it. */
static void test_given(void)
{
	static const char spelled[] = "\\xe2\\x80\\xae\\xe2\\x80\\xae\\xe2\\x80\\xae"
				      "\\xe2\\x80\\xae\\xe2\\x80\\xae\\xe2\\x80\\xae";
	char longest[65];

	check_given("vm-a", "vm-a", "a plain name");
	check_given("a b=\"c\"", "a b=\"c\"", "a name with a space");
	check_given("a\\x20b", "a b", "as in text");
	check_given("a b\\xff", "a b\xff", "as in JSON");
	check_given("\\x5cxff", "\\xff", "a name that looks like an escape");
	check_given("c:\\xen", "c:\\xen", "a backslash that begins no escape");
	check_given("a\\x41", "a\\x41", "a byte that is never escaped");
	check_given("\xff\xfe", "\xff\xfe", "bytes that are not UTF-8");
	check_given(spelled, "\xe2\x80\xae\xe2\x80\xae\xe2\x80\xae"
		    "\xe2\x80\xae\xe2\x80\xae\xe2\x80\xae",
		    "an escaped name that is longer than any name");
	check_given("a\\x00", "a\\x00", "a name has no zero");
	check_given("", "rejected", "no name");
	check_argument("vm-a", "vm-a", "-s of a plain name");
	check_argument("vm\\x20\\xff", "vm \xff", "-s of what audit printed");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[64] = '\0';
	check_given(longest, "rejected", "a name that is too long");
	longest[63] = '\0';
	check_given(longest, longest, "the longest name");
}

/* A name that was made printable is parsed to the same name. */
static void test_read_names(void)
{
	static const char *const names[] = {
		"vm-a", "a b=\"c\"", "a\\x41", "\\", "g\xe4ste vm", "\xff\\x00 ",
		/* 63 bytes, none of them UTF-8 */
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	};
	char buf[64], text[4 * 64], what[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fmt_name(text, sizeof(text), names[i]);
		snprintf(what, sizeof(what), "name %zu comes back", i);
		check(fmt_read_name(buf, sizeof(buf), text) &&
		      !strcmp(buf, names[i]), "%s", what);
		fmt_label(text, sizeof(text), names[i]);
		snprintf(what, sizeof(what), "name %zu comes back from JSON", i);
		check(fmt_given_name(buf, sizeof(buf), text) &&
		      !strcmp(buf, names[i]), "%s", what);
	}
	check(!fmt_read_name(buf, 4, "abcd"), "a name that is too long");
	check(!fmt_read_name(buf, 4, "\\x4"), "an escape without an end");
	check(!fmt_read_name(buf, 4, "\\xg0"), "an escape of no digits");
	check(!fmt_read_name(buf, 4, "c:\\"), "a backslash that begins none");
	check(!fmt_read_name(buf, 8, "a\\x00"), "an escape of the end");
	check_string(fmt_errno(-ENOMEM), strerror(ENOMEM), "an errno");
	check(strstr(fmt_errno(INT_MIN), "nknown"), "no errno");
}

int main(void)
{
	puts("TAP version 13");
	test_names();
	test_unseen();
	test_columns();
	test_given();
	test_read_names();
	return end_tests();
}
