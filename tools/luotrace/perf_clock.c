// SPDX-License-Identifier: GPL-2.0

#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "perf_clock.h"

#define NS	1000000000ULL
#define TRIES	5

/* The event of this thread with the pages that it shares with the kernel. */
struct perf_ring {
	struct perf_event_mmap_page *page;	/* followed by a page of events */
	size_t page_size;
	int fd;
};

static bool perf_ring_open(struct perf_ring *r)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.comm = 1,
		/* Then it needs no privilege, and counts nothing either way. */
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	r->page_size = sysconf(_SC_PAGESIZE);
	r->fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (r->fd < 0)
		return false;
	r->page = mmap(NULL, 2 * r->page_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->page != MAP_FAILED)
		return true;
	close(r->fd);
	return false;
}

static void perf_ring_close(struct perf_ring *r)
{
	munmap(r->page, 2 * r->page_size);
	close(r->fd);
}

bool perf_scale_read(struct perf_scale *s)
{
	const volatile struct perf_event_mmap_page *page;
	struct perf_scale is;
	struct perf_ring r;
	uint32_t lock;
	bool known;

	if (!perf_ring_open(&r))
		return false;
	page = r.page;
	do {
		lock = page->lock;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		known = page->cap_user_time && page->cap_user_time_zero;
		is.zero = page->time_zero;
		is.mult = page->time_mult;
		is.shift = page->time_shift;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (page->lock != lock);
	perf_ring_close(&r);
	known = known && is.mult && is.shift < 64;
	if (known)
		*s = is;
	return known;
}

uint64_t perf_scale_hz(const struct perf_scale *s)
{
	return (((unsigned __int128)NS << s->shift) + s->mult / 2) / s->mult;
}

bool perf_scale_counter(const struct perf_scale *s, int64_t log_ns, uint64_t *counter)
{
	uint64_t ns = (uint64_t)log_ns - s->zero;
	unsigned __int128 ticks = ((unsigned __int128)ns << s->shift) / s->mult;

	if ((int64_t)ns < 0 || ticks > UINT64_MAX)
		return false;
	*counter = ticks;
	return true;
}

/* The time of the event that follows @at; moves @at on. 0 if there is none. */
static uint64_t next_time(const struct perf_ring *r, uint64_t *at)
{
	const char *events = (const char *)r->page + r->page_size;
	struct perf_event_header header;
	uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE), time;

	/* Too few events are made to fill the page. */
	if (head <= *at || head > r->page_size)
		return 0;
	memcpy(&header, events + *at, sizeof(header));
	if (header.type != PERF_RECORD_COMM || header.size > head - *at ||
	    header.size < sizeof(header) + sizeof(time))
		return 0;
	*at += header.size;
	memcpy(&time, events + *at - sizeof(time), sizeof(time));
	return time;
}

bool perf_log_now(uint64_t *log_ns, uint64_t *monotonic_ns)
{
	uint64_t at = 0, least = UINT64_MAX, before, after, time;
	struct perf_ring r;
	char name[16];
	int i;

	if (prctl(PR_GET_NAME, name) || !perf_ring_open(&r))
		return false;
	for (i = 0; i < TRIES; i++) {
		before = clock_ns(CLOCK_MONOTONIC);
		if (prctl(PR_SET_NAME, name))
			break;
		after = clock_ns(CLOCK_MONOTONIC);
		time = next_time(&r, &at);
		if (!time)
			break;
		if (after - before < least) {
			least = after - before;
			*log_ns = time;
			*monotonic_ns = before + least / 2;
		}
	}
	perf_ring_close(&r);
	return least != UINT64_MAX;
}
