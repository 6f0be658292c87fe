// SPDX-License-Identifier: GPL-2.0

/*
 * A live update of an agent with memfds, on any LUO. Prints a line of JSON for each step:
 * ns of all of its calls.
 *
 *	memory_test hold FILES PAGES KIND	preserve in one session, hold
 *	memory_test restore FILES PAGES KIND	retrieve all, finish
 *
 * KIND is what the pages of a file are, which is checked before and after the update:
 *
 *	small	a folio each
 *	huge	folios of 2 MiB
 *	apart	a folio each, and not next to each other in memory
 *
 * With the name of a step as the last argument its functions are counted, see
 * selftests/bench/functions.
 */

#include "luo_test.h"

#include <sys/resource.h>

#define PAGE		4096UL
#define SESSION		"memory"
#define SHMEM_HUGE	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"
/* Of an entry in pagemap */
#define PRESENT		(1ULL << 63)
#define PFN_MASK	((1ULL << 55) - 1)

static const char *counted = "", *step;
static uint64_t begun;

static void begin(const char *name)
{
	step = name;
	if (!strcmp(step, counted))
		count_functions();
	begun = now_ns();
}

static void end(void)
{
	uint64_t ns = now_ns() - begun;

	if (!strcmp(step, counted))
		count_functions();
	printf("{\"step\": \"%s\", \"ns\": %llu}\n", step, (unsigned long long)ns);
	fflush(stdout);
}

static void write_page(int fd, size_t page)
{
	must(pwrite(fd, "x", 1, page * PAGE) == 1, "memfd");
}

/* The next pages that the kernel allocates go to @other. */
static int make_memfd(size_t pages, int other)
{
	int fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t i;

	must(fd >= 0 && !ftruncate(fd, pages * PAGE), "memfd");
	for (i = 0; i < pages; i++) {
		write_page(fd, i);
		if (other >= 0)
			write_page(other, i);
	}
	return fd;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The number of pieces of adjacent memory that a file has. */
static size_t count_pieces(int fd, size_t pages)
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t *pfns = calloc(pages, sizeof(*pfns));
	char *p = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	ssize_t want = pages * sizeof(*pfns);
	size_t i, pieces = 1;

	must(map >= 0 && pfns && p != MAP_FAILED, "pagemap");
	must(pread(map, pfns, want, (uintptr_t)p / PAGE * sizeof(*pfns)) == want,
	     "pagemap");
	for (i = 0; i < pages; i++) {
		must(pfns[i] & PRESENT, "a page is missing");
		pfns[i] &= PFN_MASK;
	}
	qsort(pfns, pages, sizeof(*pfns), compare_numbers);
	for (i = 1; i < pages; i++)
		pieces += pfns[i] != pfns[i - 1] + 1;
	munmap(p, pages * PAGE);
	free(pfns);
	close(map);
	return pieces;
}

/* The bytes that are in folios of 2 MiB of all memfds. */
static size_t huge_bytes(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	size_t kib = 0;

	must(f, "meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "ShmemHugePages: %zu kB", &kib) == 1)
			break;
	fclose(f);
	return kib << 10;
}

static void check_kind(const char *kind, const int *fds, int files, size_t pages)
{
	size_t huge = strcmp(kind, "huge") ? 0 : files * pages * PAGE, pieces;

	must(huge_bytes() == huge, "folios have another size");
	if (strcmp(kind, "apart"))
		return;
	must(files == 1, "one file");
	pieces = count_pieces(fds[0], pages);
	printf("{\"step\": \"pieces\", \"ns\": %zu}\n", pieces);
	must(pieces > pages / 10 * 9, "the pages are not apart");
}

static int hold(int dev, int files, size_t pages, const char *kind)
{
	bool apart = !strcmp(kind, "apart");
	int session = create(dev, SESSION), other = -1, *fds = calloc(files + 1, sizeof(*fds)), i;

	must(session >= 0 && fds, "session");
	if (!strcmp(kind, "huge"))
		write_file(SHMEM_HUGE, "always");
	if (apart) {
		other = memfd_create("other", MFD_CLOEXEC);
		must(other >= 0 && !ftruncate(other, pages * PAGE), "memfd");
	}
	for (i = 0; i < files; i++)
		fds[i] = make_memfd(pages, other);
	close(other);
	check_kind(kind, fds, files, pages);
	begin("preserve");
	for (i = 0; i < files; i++)
		must(!preserve(session, fds[i], i), "preserve");
	end();
	for (i = 0; i < files; i++)
		close(fds[i]);
	/* As an agent does before it reboots, if LUO has a global state. */
	if (state(dev, false) >= 0)
		must(!event(dev, false, LIVEUPDATE_PREPARE), "PREPARE");
	return hold_until_kexec();
}

static int restore(int dev, int files, size_t pages, const char *kind)
{
	int session = claim(dev, SESSION), *fds = calloc(files + 1, sizeof(*fds)), i;

	must(session >= 0 && fds, "session");
	begin("retrieve");
	for (i = 0; i < files; i++) {
		fds[i] = retrieve(session, i);
		must(fds[i] >= 0, "retrieve");
	}
	end();
	begin("finish");
	must(!finish(session), "finish");
	end();
	check_kind(kind, fds, files, pages);
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit many = { 200000, 200000 };
	int dev = open_device();

	must(dev >= 0 && (argc == 5 || argc == 6) && !setrlimit(RLIMIT_NOFILE, &many),
	     "usage");
	if (argc == 6)
		counted = argv[5];
	return (strcmp(argv[1], "hold") ? restore : hold)(dev, atoi(argv[2]),
							  atol(argv[3]), argv[4]);
}
