/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the programs NAME_fuzz have in common: "make fuzz" builds them with libFuzzer; as a
 * host test NAME_corpus they have a main(), which runs the inputs that fuzzing found.
 */

#ifndef FUZZ_MAIN_H
#define FUZZ_MAIN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where output goes. */
static inline FILE *fuzz_null(void)
{
	static FILE *null;

	if (!null)
		null = fopen("/dev/null", "w");
	if (!null)
		abort();
	return null;
}

/*
 * Expand an input of mostly zeros: a byte of 0 is followed by how many there are (two
 * bytes, little-endian). Returns the size, @room at most.
 */
static inline size_t fuzz_expand(uint8_t *to, size_t room, const uint8_t *data, size_t size)
{
	size_t n = 0, i, run;

	for (i = 0; i < size && n < room; i++) {
		if (data[i] || size - i < 3) {
			to[n++] = data[i];
			continue;
		}
		run = data[i + 1] | data[i + 2] << 8;
		run = run < room - n ? run : room - n;
		memset(to + n, 0, run);
		n += run;
		i += 2;
	}
	return n;
}

/*
 * Change something whole that is too large to be an input. A change is its kind, an offset
 * of 3 bytes (little-endian), and 1 to 16 bytes (the lower 4 bits of the kind), which are
 * written once or, by its upper bits, up to 32,768 times in a row. After the first byte of
 * an input, which is for the caller.
 */
static inline void fuzz_change(void *to, size_t size, const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len;
	size_t at, n, times, i;

	for (data += len > 0; end - data > 4; data += n) {
		n = 1 + (data[0] & 15);
		times = (size_t)1 << (data[0] >> 4);
		at = (data[1] | data[2] << 8 | (size_t)data[3] << 16) % size;
		data += 4;
		if (n > (size_t)(end - data))
			n = end - data;
		for (i = 0; i < n * times && at + i < size; i++)
			((uint8_t *)to)[at + i] = data[i % n];
	}
}

#ifdef CORPUS
int main(int argc, char **argv)
{
	static uint8_t data[1 << 20];
	size_t size;
	FILE *f;
	int i;

	/* What is rejected is told. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
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

#endif
