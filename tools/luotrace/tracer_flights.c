// SPDX-License-Identifier: GPL-2.0

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "tracer_flights.h"

static int compare_flights(const void *a, const void *b)
{
	const struct lt_flight *x = a, *y = b;

	return x->ts < y->ts ? -1 : x->ts > y->ts;
}

int tracer_flights_read(struct bpf_map *map, struct lt_flight **flights)
{
	struct lt_flight_key *keys = calloc(LT_FLIGHTS, sizeof(*keys));
	struct lt_flight *all = calloc(LT_FLIGHTS, sizeof(*all));
	int fd = bpf_map__fd(map), err = 0;
	__u32 n = 0, count, batch;

	/* A batch has whole buckets, so that a call is there once. */
	while (keys && all && !err && n < LT_FLIGHTS) {
		count = LT_FLIGHTS - n;
		err = bpf_map_lookup_batch(fd, n ? &batch : NULL, &batch, keys, all + n,
					   &count, NULL);
		if (!err || err == -ENOENT)
			n += count;
	}
	if (!keys || !all || (err && err != -ENOENT)) {
		msg_error("cannot read the calls in flight: %s",
			  strerror(err ? -err : ENOMEM));
		free(keys);
		free(all);
		return -EIO;
	}
	free(keys);
	qsort(all, n, sizeof(*all), compare_flights);
	*flights = all;
	return n;
}

void tracer_flights_add(struct bpf_map *map, unsigned int pid, unsigned int tid)
{
	struct lt_flight_key key = { .tid = tid, .kind = LT_HANDLER };
	struct lt_flight call = { .pid = pid, .tid = tid, .kind = LT_HANDLER };

	bpf_map_update_elem(bpf_map__fd(map), &key, &call, BPF_NOEXIST);
}

void tracer_flights_drop(struct bpf_map *map, const struct lt_flight *call)
{
	struct lt_flight_key key = { .tid = call->tid, .kind = call->kind };
	struct lt_flight now;

	/* The task can be in the next one already. */
	if (!bpf_map_lookup_elem(bpf_map__fd(map), &key, &now) && now.ts == call->ts)
		bpf_map_delete_elem(bpf_map__fd(map), &key);
}
