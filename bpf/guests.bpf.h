/* SPDX-License-Identifier: GPL-2.0 */

/* The map of guests, which guests.bpf.c fills and box.bpf.c reads. */

#ifndef GUESTS_BPF_H
#define GUESTS_BPF_H

#include <bpf/bpf_helpers.h>
#include "box.h"

/* By process. */
struct box_guests_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BOX_GUESTS_MAX);
	__type(key, __u32);
	__type(value, struct box_guest);
};

#endif
