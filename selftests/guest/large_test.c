// SPDX-License-Identifier: GPL-2.0

/*
 * A session with more memory than the next kernel has free: its size is known there,
 * before and after it is retrieved.
 *
 *	large_test hold		before a live update
 *	large_test		after it, as TAP
 */

#include "luo_test.h"
#include "luo_json.h"

#define PAGE		4096ULL
#define LARGE_PAGES	(1075 * 256ULL)	/* 1.05 GiB; the VM has 2 */
#define SMALL_PAGES	16ULL
/* The list of the pages, which the handler preserves, too. */
#define LISTS		(LARGE_PAGES / 64)


static int reserved_memfd(uint64_t pages)
{
	int fd = memfd_create("large", MFD_CLOEXEC);

	must(fd >= 0 && !ftruncate(fd, pages * PAGE) &&
	     !fallocate(fd, 0, 0, pages * PAGE), "memfd");
	must(pwrite(fd, "end", 3, pages * PAGE - 3) == 3, "memfd");
	return fd;
}

static json_t *audit(void)
{
	if (system("luotrace audit --json > /tmp/audit.json") < 0)
		return NULL;
	return json_load_file("/tmp/audit.json", 0, NULL);
}

/* The value of a metric without labels, -1 if it is missing. */
static long long metric(const char *name)
{
	FILE *f = popen("luotrace metrics", "r");
	long long value = -1;
	size_t len = strlen(name);
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, len) && line[len] == ' ')
			value = atoll(line + len);
	}
	if (f)
		pclose(f);
	return value;
}

static bool about(long long have, long long pages)
{
	return have >= pages && have <= pages + (long long)LISTS;
}

static long long is_known(const char *when)
{
	json_t *root = audit();
	long long large = number(named(root, "sessions", "large"), "pages");
	long long small = number(named(root, "sessions", "small"), "pages");
	long long all = number(root, "pages");

	check(about(large, LARGE_PAGES), "%s: pages of the large session (%lld)", when,
	      large);
	check(about(small, SMALL_PAGES), "%s: pages of the small session (%lld)", when,
	      small);
	check(all == large + small, "%s: pages of both (%lld)", when, all);
	check(number(root, "bytes") == all * (long long)PAGE,
	      "%s: bytes of both (%lld)", when, number(root, "bytes"));
	check(metric("luo_incoming_bytes") == all * (long long)PAGE,
	      "%s: luo_incoming_bytes (%lld)", when, metric("luo_incoming_bytes"));
	json_decref(root);
	return large;
}

int main(int argc, char **argv)
{
	int dev = open_device(), s, fd;
	long long before;
	char end[3] = "";

	must(dev >= 0, DEVICE);
	if (argc == 2 && !strcmp(argv[1], "hold")) {
		s = create(dev, "large");
		must(!preserve(s, reserved_memfd(LARGE_PAGES), 1), "large");
		s = create(dev, "small");
		must(!preserve(s, reserved_memfd(SMALL_PAGES), 1), "small");
		hold_until_kexec();
	}
	puts("KTAP version 1");
	before = is_known("unclaimed");
	s = claim(dev, "large");
	fd = retrieve(s, 1);
	must(s >= 0 && fd >= 0, "large");
	check(pread(fd, end, 3, LARGE_PAGES * PAGE - 3) == 3 &&
	      !memcmp(end, "end", 3), "retrieved: the end is intact");
	check(is_known("retrieved") == before, "retrieved: as before (%lld)", before);
	must(!finish(s), "finish");
	return end_tests();
}
