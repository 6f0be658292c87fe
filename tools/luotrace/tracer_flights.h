/* SPDX-License-Identifier: GPL-2.0 */

/* The map of calls in flight, for tracer.c. */

#ifndef TRACER_FLIGHTS_H
#define TRACER_FLIGHTS_H

#include <linux/types.h>
#include "../../bpf/luotrace.h"

struct bpf_map;

/** tracer_flights_read - see tracer_read_flights() */
int tracer_flights_read(struct bpf_map *map, struct lt_flight **flights);

/** tracer_flights_add - see tracer_add_flight() */
void tracer_flights_add(struct bpf_map *map, unsigned int pid, unsigned int tid);

/** tracer_flights_drop - see tracer_drop_flight() */
void tracer_flights_drop(struct bpf_map *map, const struct lt_flight *call);

#endif
