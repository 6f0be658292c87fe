/* SPDX-License-Identifier: GPL-2.0 */

/* How to get each errno of marks of workloads. */

#ifndef ERRNO_MARKS_H
#define ERRNO_MARKS_H

#include "errno_test.h"

static int mark_file(void)
{
	int fd = open("/sys/kernel/liveupdate/mark", O_WRONLY | O_CLOEXEC);

	must(fd >= 0, "mark");
	return fd;
}

static int mark(const char *text, size_t len)
{
	int fd = mark_file(), ret;

	ret = write(fd, text, len) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int mark_text(const char *text)
{
	return mark(text, strlen(text));
}

static int do_mark_word(const struct row *r)
{
	(void)r;
	return mark_text("stopped e");
}

static int do_mark_name(const struct row *r)
{
	(void)r;
	return mark("paused a\0b", 10);
}

static int do_mark_long(const struct row *r)
{
	char text[80] = "paused ";

	(void)r;
	memset(text + 7, 'x', 64);
	return mark_text(text);
}

static int do_mark_full(const struct row *r)
{
	char text[32];
	int i, ret = 0, nr;

	(void)r;
	for (nr = 0; !ret && nr < 34; nr++) {
		snprintf(text, sizeof(text), "paused %d", nr);
		ret = mark_text(text);
	}
	must(nr == 33, "32 workloads");
	for (i = 0; i < nr - 1; i++) {
		snprintf(text, sizeof(text), "resumed %d", i);
		must(!mark_text(text), text);
	}
	return ret;
}

/* The record takes them as long as the live update is not over. */
static int do_mark_resumed_full(const struct row *r)
{
	char text[32];
	int ret = 0, nr;

	(void)r;
	for (nr = 0; !ret && nr < 34; nr++) {
		snprintf(text, sizeof(text), "resumed %d", nr);
		ret = mark_text(text);
	}
	must(nr == 33, "32 workloads");
	return ret;
}

static int do_mark_unpaused(const struct row *r)
{
	(void)r;
	return mark_text("resumed nobody");
}

static int do_mark_frozen(const struct row *r)
{
	(void)r;
	return mark_text("resumed " PAUSED);
}

/* Only the write() is to fail. */
static int do_mark_no_memory(const struct row *r)
{
	static const char text[] = "paused no-memory";

	return pwrite(r->c->mark, text, strlen(text), 0) < 0 ? -errno : 0;
}

static void undo_mark(const struct row *r, int ret)
{
	(void)r;
	(void)ret;
	must(!mark_text("resumed no-memory"), "resumed");
}

#endif
