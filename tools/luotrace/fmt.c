// SPDX-License-Identifier: GPL-2.0

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <unictype.h>
#include <unistr.h>
#include <uniwidth.h>

#include "fmt.h"

struct unit {
	const char *name;
	uint64_t size;
};

/* @v in the largest unit that it reaches; the smallest unit is last. */
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

static const struct unit times[] = {
	{ "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
};

char *fmt_ns(char *buf, uint64_t ns)
{
	return fmt_unit(buf, ns, times);
}

bool fmt_read_ns(const char *text, uint64_t *ns)
{
	const struct unit *u;
	size_t whole = strspn(text, "0123456789"), part = 0, i;
	const char *unit = text + whole;
	uint64_t n = 0, digit;

	if (*unit == '.') {
		part = strspn(unit + 1, "0123456789");
		unit += part + 1;
	}
	for (u = times; strcmp(u->name, unit); u++) {
		if (u->size == 1)
			return false;
	}
	for (i = 0; i < whole && n <= FMT_MAX_NS; i++)
		n = 10 * n + (text[i] - '0');
	if (!whole || (text[whole] == '.' && !part) || n > FMT_MAX_NS / u->size)
		return false;
	*ns = n * u->size;
	for (digit = u->size / 10, i = 0; i < part; i++, digit /= 10)
		*ns += (text[whole + 1 + i] - '0') * digit;
	return *ns <= FMT_MAX_NS;
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

char *fmt_wall(char *buf, uint64_t ns)
{
	time_t t = ns / 1000000000;
	char date[24], zone[8];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(date, sizeof(date), "%FT%T", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(buf, FMT_WALL, "%s.%06u%s", date, (unsigned int)(ns % 1000000000 / 1000),
		 zone);
	return buf;
}

char *fmt_bytes(char *buf, uint64_t bytes)
{
	static const struct unit units[] = {
		{ "TiB", 1ULL << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 },
		{ "KiB", 1 << 10 }, { "B", 1 },
	};

	return fmt_unit(buf, bytes, units);
}

const char *fmt_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

const char *fmt_errno(int ret)
{
	/* Another kernel can have written any number. */
	return strerror((int)-(unsigned int)ret);
}

/* Whether a character is visible in its place; the space counts. */
static bool is_printable(ucs4_t c)
{
	if (c < 0x80)
		return c >= ' ' && c != 0x7f;
	return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L |
			UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N |
			UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_S) &&
	       /* Invisible letters and marks: fillers, selectors, joiners. */
	       !uc_is_property_default_ignorable_code_point(c);
}

static char *escape(char *buf, size_t size, const char *text, const char *also)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t used = 0, len;
	char byte[5];
	ucs4_t c;
	int n;

	while (*s) {
		const void *what = s;

		n = u8_strmbtouc(&c, s);
		len = n;
		if (n < 0 || !is_printable(c) || (n == 1 && strchr(also, *s))) {
			snprintf(byte, sizeof(byte), "\\x%02x", *s);
			what = byte;
			len = 4;
			n = 1;
		}
		/* An invalid sequence is escaped byte by byte. */
		s += n;
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

char *fmt_label(char *buf, size_t size, const char *name)
{
	return escape(buf, size, name, "\\");
}

char *fmt_text(char *buf, size_t size, const char *text)
{
	return escape(buf, size, text, "");
}

static json_t *escaped_json(const char *text,
			    char *(*spell)(char *buf, size_t size, const char *text))
{
	size_t size = 4 * strlen(text) + 1;
	char *buf = malloc(size);
	json_t *json = buf ? json_string(spell(buf, size, text)) : NULL;

	free(buf);
	return json;
}

json_t *fmt_json_name(const char *name)
{
	return escaped_json(name, fmt_label);
}

json_t *fmt_json_text(const char *text)
{
	return escaped_json(text, fmt_text);
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
		if (!to[n])
			return false;
		text += 4;
	}
	if (n == size)
		return false;
	to[n] = '\0';
	return true;
}

/* Whether @text is what @spell makes of @name. */
static bool spells(char *(*spell)(char *buf, size_t size, const char *text),
		   const char *name, const char *text)
{
	size_t size = strlen(text) + 2;
	char *buf = malloc(size);
	bool same = buf && !strcmp(spell(buf, size, name), text);

	free(buf);
	return same;
}

bool fmt_given_name(char *to, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (!len)
		return false;
	if (fmt_read_name(to, size, text) &&
	    (spells(fmt_name, to, text) || spells(fmt_label, to, text)))
		return true;
	if (len >= size)
		return false;
	memcpy(to, text, len + 1);
	return true;
}

int fmt_columns(const char *text)
{
	return u8_strwidth((const uint8_t *)text, "UTF-8");
}

int fmt_padded(FILE *f, const char *text, int width)
{
	int columns = fmt_columns(text);

	fputs(text, f);
	if (columns >= width)
		return columns;
	fprintf(f, "%*s", width - columns, "");
	return width;
}

size_t fmt_fitting(const char *text, int width)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t len = 0;
	ucs4_t c;
	int n;

	while (s[len]) {
		n = u8_strmbtouc(&c, s + len);
		n = n > 0 ? n : 1;
		if (u8_width(s, len + n, "UTF-8") > width)
			break;
		len += n;
	}
	return len;
}

void fmt_cell(FILE *f, const char *text, int width)
{
	int room = abs(width), columns = fmt_columns(text);
	size_t len;

	if (columns > room) {
		len = fmt_fitting(text, room - 1);
		columns = u8_width((const uint8_t *)text, len, "UTF-8");
		fprintf(f, "%.*s%*s+", (int)len, text, room - 1 - columns, "");
	} else if (width < 0) {
		fprintf(f, "%*s%s", room - columns, "", text);
	} else {
		fprintf(f, "%s%*s", text, room - columns, "");
	}
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

int fmt_width(FILE *f)
{
	struct winsize size;

	/* Those of a terminal that does not say are 0. */
	if (ioctl(fileno(f), TIOCGWINSZ, &size) || !size.ws_col ||
	    size.ws_col > FMT_WIDTH)
		return FMT_WIDTH;
	return size.ws_col;
}

/* Columns of the first @len bytes of a text. */
static int columns_of(const char *text, size_t len)
{
	return u8_width((const uint8_t *)text, len, "UTF-8");
}

void fmt_wrapped(FILE *f, const char *lead, const char *text)
{
	int indent = fmt_columns(lead), column = indent, width = fmt_width(f);
	size_t len;

	fputs(lead, f);
	while (*text) {
		/* A name longer than a line is not cut. */
		len = strcspn(text, " ");
		if (column > indent &&
		    column + 1 + columns_of(text, len) > width) {
			fprintf(f, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', f);
			column++;
		}
		fprintf(f, "%.*s", (int)len, text);
		column += columns_of(text, len);
		text += len;
		text += *text == ' ';
	}
	fputc('\n', f);
}
