/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The black box as it lies in its memfd: the head, the pages that the BPF programs write
 * (bpf/box.h), and two copies of what luotrace itself knows, of which one is always whole.
 * The next kernel can have a luotrace of another version, so everything is checked.
 */

#ifndef BLACK_BOX_H
#define BLACK_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/liveupdate_recorder.h>
#include <linux/types.h>
#include "../../bpf/box.h"
#include "box_marks.h"
#include "counter.h"
#include "guests.h"

#define BLACK_BOX_VERSION	1
#define BLACK_BOX_BOOT_ID	40	/* bytes of a boot's id, with a 0 */
#define BLACK_BOX_SESSION	LIVEUPDATE_RECORDER_SESSION /* name of its session */
#define BLACK_BOX_TOKEN		1	/* of its memfd in that session */

/**
 * struct black_box_head - the first page
 * @magic:    BLACK_BOX_MAGIC
 * @version:  BLACK_BOX_VERSION
 * @size:     bytes of the memfd
 * @crc:      CRC-32 of all of this with 0 for @crc
 * @stock:    1 if the kernel's LUO has no recorder, so that this is the only record
 * @release:  of the kernel that wrote it
 * @boot_id:  of that kernel
 */
struct black_box_head {
	uint32_t magic;
	uint32_t version;
	uint64_t size;
	uint32_t crc;
	uint32_t stock;
	char release[LIVEUPDATE_RECORDER_RELEASE];
	char boot_id[BLACK_BOX_BOOT_ID];
};

/**
 * struct black_box_snapshot - what luotrace adds
 * @crc:     CRC-32 of all of this with 0 for @crc
 * @pad:     0
 * @number:  counts the snapshots, the higher one is the newer
 * @hz:	     of the counter, 0 if unknown
 * @stable:  1 if the kernel trusts the counter
 * @wall_ns: wall-clock time minus monotonic time
 * @owners:  whose session is whose
 * @pairs:   counter and monotonic clock at two moments, as far apart as they came
 * @part:    calls of agents, and the number of the live update
 */
struct black_box_snapshot {
	uint32_t crc;
	uint32_t pad;
	uint64_t number;
	uint64_t hz;
	uint64_t stable;
	int64_t wall_ns;
	struct guests_owner owners[GUESTS_OWNERS];
	struct counter_pair pairs[2];
	struct liveupdate_recorder_part part;
};

/**
 * struct black_box - a copy of a box
 * @head:     its head
 * @reboot:   what the BPF programs wrote; all 0 if they wrote nothing
 * @marks:    marks of workloads
 * @snapshot: the newest one; all 0 if there is none
 */
struct black_box {
	struct black_box_head head;
	struct box_reboot reboot;
	struct box_marks marks;
	struct black_box_snapshot snapshot;
};

/** black_box_size - bytes of a box, whole pages */
size_t black_box_size(void);

/**
 * black_box_format - begin a box
 * @memory: black_box_size() bytes of zeros
 * @stock:  whether the kernel's LUO has no recorder
 */
void black_box_format(void *memory, bool stock);

/** black_box_pages - the pages for the BPF programs */
void *black_box_pages(void *memory);

/** black_box_marks - the marks of workloads of a box */
struct box_marks *black_box_marks(void *memory);

/**
 * black_box_put - put a snapshot into a box, over the older one
 * @memory:   the box
 * @snapshot: the snapshot; its number and checksum are set
 */
void black_box_put(void *memory, struct black_box_snapshot *snapshot);

/**
 * black_box_parse - check and copy a box
 * @data: the memfd's content
 * @size: its size
 * @box:  filled
 *
 * What is damaged is left out of the copy: one part that cannot be read does not make the
 * others unknown.
 *
 * Return: NULL, or why nothing of it can be read.
 */
const char *black_box_parse(const void *data, size_t size, struct black_box *box);

/**
 * black_box_part - the record of the old kernel that a box is
 * @box:  the box
 * @part: filled; absent (magic 0) if no reboot was recorded, or if it cannot be a record
 */
void black_box_part(const struct black_box *box, struct liveupdate_recorder_part *part);

/** black_box_boot_id - the id of this boot, BLACK_BOX_BOOT_ID bytes; "" if unknown */
void black_box_boot_id(char *id);

#endif
