// SPDX-License-Identifier: GPL-2.0

/*
 * A black box as the next kernel gets it: what is accepted becomes a record, which is
 * shown. An input changes one; its checksums are right but for those that the lower 3 bits
 * of its first byte leave as they are: head, reboot, snapshot. The others say in which way
 * it is shown.
 */

#include <zlib.h>

#include "black_box.h"
#include "fuzz_show.h"
#include "recorder.h"

#define MS	1000000ULL
#define HZ	(1000 * MS)

static void write_reboot(void *memory)
{
	struct box_reboot *r = black_box_pages(memory);
	int i;

	r->began = 1;
	r->flushes = 3;
	r->sessions = 2;
	r->files = 400;
	r->nr_devices = 12;
	for (i = 0; i < BOX_NR_STEPS; i++)
		r->steps[i] = HZ + i * 10 * MS;
	r->last = HZ + BOX_NR_STEPS * 10 * MS;
	r->rows[0].key = 1;
	r->rows[0].op = 5;
	r->rows[0].count = 3;
	r->rows[0].total = r->rows[0].max = MS;
	strcpy(r->rows[0].name, "memfd-v2");
	r->calls[1][0].duration = MS;
	r->calls[1][0].end = HZ + MS;
	r->calls[1][0].op = 5;
	strcpy(r->calls[1][0].session, "vm-a");
}

static void *make_box(void)
{
	struct black_box_snapshot *s = calloc(1, sizeof(*s));
	void *memory = aligned_alloc(BOX_PAGE, black_box_size());

	if (!s || !memory)
		abort();
	memset(memory, 0, black_box_size());
	black_box_format(memory, true);
	box_marks_add(black_box_marks(memory), "vm-a", true, HZ);
	write_reboot(memory);
	s->hz = HZ;
	s->stable = 1;
	s->pairs[1].counter = s->pairs[1].monotonic_ns = HZ;
	s->part.magic = LIVEUPDATE_RECORDER_MAGIC;
	s->part.version = LIVEUPDATE_RECORDER_VERSION;
	s->part.size = sizeof(s->part);
	black_box_put(memory, s);
	free(s);
	return memory;
}

static void seal(void *memory, unsigned int but)
{
	struct black_box_head *head = memory;
	uint64_t *words = black_box_pages(memory), sum = 0;
	/* The first snapshot is in the second place, which is the last one. */
	const size_t room = (sizeof(struct black_box_snapshot) + BOX_PAGE - 1) / BOX_PAGE *
			    BOX_PAGE;
	struct black_box_snapshot *s = (void *)((char *)memory + black_box_size() - room);
	size_t i;

	for (i = 1; i < BOX_REBOOT_PAGES * BOX_PAGE / 8; i++)
		sum = box_sum_step(sum, words[i]);
	if (!(but & 2))
		words[0] = sum;
	if (!(but & 4))
		s->crc = crc32(0, (const Bytef *)s + sizeof(s->crc),
			       sizeof(*s) - sizeof(s->crc));
	if (but & 1)
		return;
	head->crc = 0;
	head->crc = crc32(0, (const Bytef *)head, sizeof(*head));
}

static void show_box(const struct black_box *box, unsigned int how)
{
	struct update *u = calloc(1, sizeof(*u));

	if (!u)
		abort();
	black_box_part(box, &u->record.last_out);
	u->has_box = u->out_box = 1;
	u->magic = 1;
	u->reboot = box->reboot;
	show_trace(trace_file_update(u), how);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *memory = make_box();
	struct black_box *box = malloc(sizeof(*box));
	const char *why;

	if (!box)
		abort();
	fuzz_change(memory, black_box_size(), data, size);
	seal(memory, size ? data[0] : 0);
	why = black_box_parse(memory, black_box_size(), box);
	free(memory);
	if (!why)
		show_box(box, size ? data[0] >> 3 : 0);
	free(box);
	return 0;
}
