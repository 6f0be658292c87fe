// SPDX-License-Identifier: GPL-2.0
/*
 * luotrace-core: reads physical memory from a core for luotrace, see core.h. The core is
 * not trusted: if libkdumpfile fails on it, only this process dies; if it runs what the core
 * says, that is in a sandbox.
 */

#include <errno.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"
#include "sandbox.h"
#include "whole.h"

#define MAX_SIZE	(64 << 20)	/* bytes of a request */

/* What makedumpfile leaves out, by the bits of its dump level. Zeros can still be read. */
static const char *const level_words[] = {
	NULL, "page cache", "private page cache", "memory of processes", "free pages",
};

static bool put(const void *data, size_t size)
{
	ssize_t n;

	for (; size; size -= n, data = (const char *)data + n) {
		n = send(STDOUT_FILENO, data, size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

/* A reply without memory. */
__attribute__((format(printf, 1, 2)))
static bool put_text(const char *fmt, ...)
{
	struct core_reply reply = {};
	char text[CORE_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply.text = strlen(text);
	return put(&reply, sizeof(reply)) && put(text, reply.text);
}

static uint32_t page_size(kdump_ctx_t *dump)
{
	kdump_num_t size;

	return kdump_get_number_attr(dump, KDUMP_ATTR_PAGE_SIZE, &size) == KDUMP_OK ? size : 0;
}

/* Whether the page is RAM of the machine. */
static bool is_ram(kdump_ctx_t *dump, uint64_t phys)
{
	kdump_bmp_t *map = whole_bitmap(dump, KDUMP_ATTR_MEMORY_PAGEMAP);
	unsigned char bits = 0;
	uint64_t page;

	if (!page_size(dump) || !map)
		return false;
	page = phys / page_size(dump);
	return kdump_bmp_get_bits(map, page, page, &bits) == KDUMP_OK && bits & 1;
}

static bool put_left_out(uint64_t phys, unsigned int level)
{
	char words[128] = "zeros";
	size_t i, len = 0;

	for (i = 1; i < sizeof(level_words) / sizeof(level_words[0]); i++) {
		if (level & 1 << i)
			len += snprintf(words + len, sizeof(words) - len, "%s%s",
					len ? ", " : "", level_words[i]);
	}
	return put_text("is not in the core: the page at 0x%" PRIx64 " was left out by makedumpfile -d %u (%s)",
			phys, level, words);
}

/* The reply to a request that failed at @phys. */
static bool put_failure(kdump_ctx_t *dump, uint64_t phys, kdump_status status)
{
	unsigned int level;

	if (status != KDUMP_ERR_NODATA)
		return put_text("cannot be read from the core at 0x%" PRIx64 ": %s", phys,
				kdump_get_err(dump));
	level = whole_dump_level(dump, STDIN_FILENO);
	if (!is_ram(dump, phys))
		return put_text("is not in memory");
	phys -= phys % page_size(dump);
	if (!level)
		return put_text("is not in the core: it has no data of the page at 0x%" PRIx64,
				phys);
	return put_left_out(phys, level);
}

static bool serve(kdump_ctx_t *dump, const struct core_request *request)
{
	struct core_reply reply = { .page_size = page_size(dump) };
	size_t size = request->size;
	kdump_status status;
	char *data;
	bool ok;

	data = size <= MAX_SIZE ? malloc(size + !size) : NULL;
	if (!data)
		return put_text("is too large");
	status = kdump_read(dump, KDUMP_MACHPHYSADDR, request->phys, data, &size);
	if (status == KDUMP_OK)
		ok = put(&reply, sizeof(reply)) && put(data, size);
	else
		ok = put_failure(dump, request->phys + size, status);
	free(data);
	return ok;
}

/* Why libkdumpfile does not open the file. Older ones do not know a flattened core. */
static void put_unknown(kdump_ctx_t *dump)
{
	static const char flat[] = "makedumpfile";
	const char *err = kdump_get_err(dump), *cause = strstr(err, ".fd: ");
	char head[sizeof(flat)] = "";

	if (pread(STDIN_FILENO, head, sizeof(head), 0) == sizeof(head) &&
	    !memcmp(head, flat, sizeof(flat)))
		put_text("is a flattened core; 'makedumpfile -R NEW < OLD' makes one that can be read");
	else
		put_text("is not a core, such as a vmcore, a file of makedumpfile, QEMU's dump-guest-memory, or /proc/kcore: %s",
			 cause ? cause + 5 : err);
}

/* Open the core; returns whether there is anything to serve. */
static bool open_core(kdump_ctx_t *dump)
{
	struct core_reply reply = {};
	char why[CORE_TEXT];

	/* A mapped file that is cut ends the process, or reads as zeros. */
	if (kdump_set_number_attr(dump, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER) !=
	    KDUMP_OK || kdump_open_fd(dump, STDIN_FILENO) != KDUMP_OK) {
		put_unknown(dump);
		return false;
	}
	if (!whole_check(dump, STDIN_FILENO, why, sizeof(why))) {
		put_text("%s", why);
		return false;
	}
	reply.page_size = page_size(dump);
	return put(&reply, sizeof(reply));
}

int main(void)
{
	struct core_request request;
	socklen_t len = sizeof(int);
	kdump_ctx_t *dump;
	int type;

	if (getsockopt(STDOUT_FILENO, SOL_SOCKET, SO_TYPE, &type, &len)) {
		fputs("luotrace-core is started by luotrace handover --memory\n", stderr);
		return 2;
	}
	dump = kdump_new();
	if (!dump) {
		put_text("out of memory");
		return 1;
	}
	if (!sandbox_enter()) {
		put_text("is not read: luotrace-core cannot enter its sandbox: %s",
			 strerror(errno));
		return 1;
	}
	if (open_core(dump)) {
		while (recv(STDOUT_FILENO, &request, sizeof(request), MSG_WAITALL) ==
		       sizeof(request) && serve(dump, &request))
			;
	}
	/* What runs at exit may need more than the sandbox has. */
	_exit(0);
}
