// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace handover on hostile input.
 *
 * An input is the length of the table (two bytes, little-endian), the table, and
 * memory from address 4096 on, see fuzz_expand(). Seeds with right seals and sums are
 * written by handover_blocks_test: fuzzing cannot find those.
 */

#include "fuzz_main.h"
#include "handover_tables.h"

#define BASE	4096
#define MAX	(32 * 4096)	/* bytes of an input without its zeros */

struct fuzz_memory {
	struct memory mem;
	const uint8_t *data;
	size_t size;
};

static bool fuzz_read(struct memory *mem, uint64_t phys, void *to, size_t size)
{
	struct fuzz_memory *m = (struct fuzz_memory *)mem;

	if (phys < BASE || phys - BASE >= m->size)
		return false;
	/* Missing memory is zeros, so that small inputs reach far. */
	memset(to, 0, size);
	phys -= BASE;
	memcpy(to, m->data + phys, size < m->size - phys ? size : m->size - phys);
	return true;
}

/* Both outputs, and what each kind of LUO makes of it. */
static void show(const struct handover *h, FILE *f)
{
	struct handover_tables t = {
		.base = h->kind == HANDOVER_BASE ? h : NULL,
		.tree = h->kind == HANDOVER_LUO ? h : NULL,
		.complete = h->nr_entries & 1,
	};
	struct handover_verdict v;

	handover_text(h, true, f);
	json_decref(handover_json(h, true));
	handover_judge(&t, &v);
	handover_verdict_text(&t, &v, f);
	json_decref(handover_verdict_json(&t, &v));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_memory m = { .mem = { .read = fuzz_read, .why = "is not in memory" } };
	static uint8_t all[MAX];
	struct handover h;
	uint8_t *table;
	size_t len;

	size = fuzz_expand(all, MAX, data, size);
	if (size < 2)
		return 0;
	len = all[0] | all[1] << 8;
	len = len < size - 2 ? len : size - 2;
	/* A copy, so that a read past its end is detected. */
	table = malloc(len + !len);
	if (!table)
		abort();
	memcpy(table, all + 2, len);
	m.data = all + 2 + len;
	m.size = size - 2 - len;
	if (handover_decode(&h, HANDOVER_NEITHER, table, len, &m.mem))
		abort();
	show(&h, fuzz_null());
	handover_free(&h);
	free(table);
	return 0;
}
