// SPDX-License-Identifier: GPL-2.0

#include <stdbool.h>
#include <string.h>

#include "fmt.h"

struct unit {
	const char *name;
	uint64_t size;
};

/* @v in the largest unit of which there is at least one; smallest unit last. */
static char *fmt_unit(char *buf, uint64_t v, const struct unit *u)
{
	double n;

	/* 999.5 of a unit would be shown as 1000. */
	while (u->size > 1 && v < u->size - u->size / 2000)
		u++;
	if (u->size == 1) {
		snprintf(buf, FMT_LEN, "%llu%s", (unsigned long long)v, u->name);
		return buf;
	}
	n = (double)v / u->size;
	snprintf(buf, FMT_LEN, "%.*f%s", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n,
		 u->name);
	return buf;
}

char *fmt_ns(char *buf, uint64_t ns)
{
	static const struct unit units[] = {
		{ "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 },
		{ "ns", 1 },
	};

	return fmt_unit(buf, ns, units);
}

char *fmt_age(char *buf, uint64_t ns)
{
	static const struct {
		unsigned int size, sub;
		const char *fmt;
	} units[] = {
		{ 86400, 3600, "%llud%02lluh" }, { 3600, 60, "%lluh%02llum" },
		{ 60, 1, "%llum%02llus" },
	};
	unsigned long long s = ns / 1000000000;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (s < units[i].size)
			continue;
		snprintf(buf, FMT_LEN, units[i].fmt, s / units[i].size,
			 s % units[i].size / units[i].sub);
		return buf;
	}
	return fmt_ns(buf, ns);
}

char *fmt_bytes(char *buf, uint64_t bytes)
{
	static const struct unit units[] = {
		{ "TiB", 1ULL << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 },
		{ "KiB", 1 << 10 }, { "B", 1 },
	};

	return fmt_unit(buf, bytes, units);
}

const char *fmt_errno(int ret)
{
	/* What another kernel wrote may be any number. */
	return strerror((int)-(unsigned int)ret);
}

/* Bytes of the UTF-8 character at @s, 0 if there is none. */
static size_t utf8_len(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {
		{ 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};
	size_t form, i;
	uint32_t c;

	if (s[0] < 0x80)
		return 1;
	for (form = 0; form < 3; form++) {
		if ((s[0] & forms[form].mask) != forms[form].lead)
			continue;
		c = s[0] & ~forms[form].mask;
		for (i = 1; i <= form + 1; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < forms[form].least || c > 0x10ffff ||
		    (c >= 0xd800 && c <= 0xdfff))
			return 0;
		return form + 2;
	}
	return 0;
}

static char *escape(char *buf, size_t size, const char *text, const char *also)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0, len;
	char escape[5];

	while (*s) {
		const void *what = s;

		len = utf8_len(s);
		/* C1 control characters are two bytes of UTF-8. */
		if (!len || *s < ' ' || *s == 0x7f || strchr(also, *s) ||
		    (len == 2 && s[0] == 0xc2 && s[1] < 0xa0)) {
			snprintf(escape, sizeof(escape), "\\x%02x", *s);
			what = escape;
			len = 4;
			s++;
		} else {
			s += len;
		}
		if (used + len >= size)
			break;
		memcpy(buf + used, what, len);
		used += len;
	}
	buf[used] = '\0';
	return buf;
}

char *fmt_name(char *buf, size_t size, const char *name)
{
	return escape(buf, size, name, " =\"\\");
}

char *fmt_text(char *buf, size_t size, const char *text)
{
	return escape(buf, size, text, "");
}

json_t *fmt_json_name(const char *name)
{
	char buf[4 * 64 + 1];
	json_t *json = json_string(name);

	return json ? json : json_string(fmt_name(buf, sizeof(buf), name));
}

/* The value of a hexadecimal digit, -1 for none. */
static int digit(char c)
{
	const char *all = "0123456789abcdef", *at = c ? strchr(all, c) : NULL;

	return at ? (int)(at - all) : -1;
}

bool fmt_read_name(char *to, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n < size; n++) {
		if (*text != '\\') {
			to[n] = *text++;
			continue;
		}
		if (text[1] != 'x' || digit(text[2]) < 0 || digit(text[3]) < 0)
			return false;
		to[n] = digit(text[2]) << 4 | digit(text[3]);
		text += 4;
	}
	if (n == size)
		return false;
	to[n] = '\0';
	return true;
}

char *fmt_bar(char *buf, unsigned int width, uint64_t part, uint64_t whole)
{
	unsigned int n = (unsigned int)((double)part / whole * width + 0.5);

	if (part && !n)
		n = 1;
	if (n > width)
		n = width;
	memset(buf, '#', n);
	buf[n] = '\0';
	return buf;
}

void fmt_wrapped(FILE *f, const char *lead, const char *text)
{
	size_t left = FMT_WIDTH - strlen(lead), n;

	fputs(lead, f);
	while (strlen(text) > left) {
		n = left;
		while (n && text[n] != ' ')
			n--;
		/* A name that is longer than a line is not cut. */
		if (!n)
			n = strcspn(text, " ");
		if (!text[n])
			break;
		fprintf(f, "%.*s\n%*s", (int)n, text, (int)strlen(lead), "");
		text += n + 1;
	}
	fprintf(f, "%s\n", text);
}
