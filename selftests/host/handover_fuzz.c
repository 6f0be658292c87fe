// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace handover on hostile input. Built with libFuzzer by "make fuzz"; or
 * with a main() of its own, which runs the corpus that fuzzing found.
 *
 * An input is the length of the table (two bytes, little-endian), the table, and
 * memory from address 4096 on. A byte of 0 is followed by how many there are (two
 * bytes, little-endian), so that blocks are small. Seeds with right seals and sums are
 * written by handover_blocks_test: fuzzing cannot find those.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static size_t expand(uint8_t *to, const uint8_t *data, size_t size)
{
	size_t n = 0, i, run;

	for (i = 0; i < size && n < MAX; i++) {
		if (data[i] || size - i < 3) {
			to[n++] = data[i];
			continue;
		}
		run = data[i + 1] | data[i + 2] << 8;
		run = run < MAX - n ? run : MAX - n;
		memset(to + n, 0, run);
		n += run;
		i += 2;
	}
	return n;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_memory m = { .mem = { .read = fuzz_read, .why = "is not in memory" } };
	static uint8_t all[MAX];
	struct handover h;
	static FILE *null;
	uint8_t *table;
	size_t len;

	size = expand(all, data, size);
	if (size < 2)
		return 0;
	if (!null)
		null = fopen("/dev/null", "w");
	len = all[0] | all[1] << 8;
	len = len < size - 2 ? len : size - 2;
	/* A copy, so that a read past its end is detected. */
	table = malloc(len + !len);
	if (!null || !table)
		abort();
	memcpy(table, all + 2, len);
	m.data = all + 2 + len;
	m.size = size - 2 - len;
	if (handover_decode(&h, HANDOVER_NEITHER, table, len, &m.mem))
		abort();
	show(&h, null);
	handover_free(&h);
	free(table);
	return 0;
}

#ifdef CORPUS
int main(int argc, char **argv)
{
	static uint8_t data[1 << 20];
	size_t size;
	FILE *f;
	int i;

	printf("TAP version 13\n1..%d\n", argc - 1);
	for (i = 1; i < argc; i++) {
		f = fopen(argv[i], "r");
		if (!f)
			abort();
		size = fread(data, 1, sizeof(data), f);
		fclose(f);
		LLVMFuzzerTestOneInput(data, size);
		printf("ok %d %s\n", i, argv[i]);
		fflush(stdout);
	}
	return 0;
}
#endif
