// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace handover on hostile input. Built with libFuzzer by "make fuzz"; or
 * with a main() of its own, which runs the corpus that fuzzing found.
 *
 * An input is the length of the tree (two bytes, little-endian), the tree, and
 * memory from address 4096 on.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handover.h"

#define BASE	4096

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_memory m = { .mem.read = fuzz_read };
	static FILE *null;
	struct handover h;
	size_t len;
	uint8_t *tree;

	if (size < 2)
		return 0;
	if (!null)
		null = fopen("/dev/null", "w");
	len = data[0] | data[1] << 8;
	data += 2;
	size -= 2;
	len = len < size ? len : size;
	/* A copy, so that a read past its end is detected. */
	tree = malloc(len + !len);
	if (!null || !tree)
		abort();
	memcpy(tree, data, len);
	m.data = data + len;
	m.size = size - len;
	if (handover_decode(&h, tree, len, &m.mem))
		abort();
	handover_text(&h, true, null);
	json_decref(handover_json(&h, true));
	handover_free(&h);
	free(tree);
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
