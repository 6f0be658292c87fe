// SPDX-License-Identifier: GPL-2.0

/*
 * What luotrace handover says of blocks and records that are damaged, each in one way,
 * by both tables. Prints TAP; with a directory, writes inputs for handover_fuzz there.
 */

#include <string.h>

#include "handover_make.h"
#include "tap.h"

#define NONE	"no problem"

/* Eight bytes of a block: what the tree's reader says first, and the plain one. */
static const struct damage {
	const char *what;
	int page;
	unsigned int at;
	uint64_t value;
	const char *sealed, *plain;
	unsigned int proven;	/* records, of those that can be reached */
} damages[] = {
	{ "next of a header", FILES_A, 0, AT(GUEST),
	  "block at 0x3000: header leads to 0x7000, but its sealed tail to 0x4000",
	  "block at 0x7000: has 6510615555426900570 records, but room for 63", 8 },
	{ "chain that ends early", SESSIONS, 0, 0,
	  "block at 0x1000: header leads to 0x0, but its sealed tail to 0x2000", NONE, 8 },
	{ "chain that goes on in another session", FILES_B, 0, AT(FILES_A),
	  "block at 0x5000: header leads to 0x3000, but its sealed tail to 0x0",
	  "block at 0x3000: is a second time in an array (files of session \"b\")", 8 },
	{ "loop", FILES_A2, 0, AT(FILES_A),
	  "block at 0x4000: header leads to 0x3000, but its sealed tail to 0x0",
	  "block at 0x3000: is a second time in an array (files of session \"a\")", 8 },
	{ "loop of sessions", SESSIONS_2, 0, AT(SESSIONS),
	  "block at 0x2000: header leads to 0x1000, but its sealed tail to 0x0",
	  "block at 0x1000: is a second time in an array (sessions)", 8 },
	{ "count of a header", FILES_A, 8, 1,
	  "block at 0x3000: header has 1 records, but its sealed tail 2",
	  "files of session \"a\": 2 records, 3 announced", 8 },
	{ "count that has no room", FILES_A, 8, 64,
	  "block at 0x3000: header has 64 records, but its sealed tail 2",
	  "block at 0x3000: has 64 records, but room for 63", 8 },
	{ "count of sessions that has no room", SESSIONS, 8, 52,
	  "block at 0x1000: header has 52 records, but its sealed tail 1",
	  "block at 0x1000: has 52 records, but room for 51", 8 },
	{ "pages of FLBs", FLBS, 0, 2,
	  "block at 0x6000: header leads to 0x2, but its sealed tail to 0x0",
	  "block at 0x6000: has 2 pages, every kernel writes 1", 8 },
	{ "count of FLBs", FLBS, 8, 64,
	  "block at 0x6000: header has 64 records, but its sealed tail 2",
	  "block at 0x6000: has 64 records, but room for 63", 8 },
	{ "next of a tail", FILES_A, TAIL, 0, "block at 0x3000: seal is wrong (files of session \"a\")",
	  NONE, 6 },
	{ "count of a tail", FILES_A, TAIL + 8, 1, "block at 0x3000: seal is wrong", NONE, 6 },
	{ "seal", FILES_A, TAIL + 16, 1, "block at 0x3000: seal is wrong", NONE, 6 },
	{ "seal of a second block", FILES_A2, TAIL + 16, 1, "block at 0x4000: seal is wrong", NONE, 7 },
	{ "seal of sessions", SESSIONS, TAIL + 16, 1, "block at 0x1000: seal is wrong (sessions)",
	  NONE, 4 },
	{ "seal of FLBs", FLBS, TAIL + 16, 1, "block at 0x6000: seal is wrong (FLBs)", NONE, 6 },
	{ "sum of a file", FILES_A, WORDS, 0xc030618000000000,
	  "files of session \"a\", token 1: record's sum is wrong", NONE, 7 },
	{ "attributes of a file", FILES_A, WORDS + 4, 0x12345678c0306181,
	  "files of session \"a\", token 1: record's sum is wrong", NONE, 6 },
	{ "sum of a session", SESSIONS, SESSION_WORDS, 1, "session \"a\": record's sum is wrong",
	  NONE, 4 },
	{ "pages of a session", SESSIONS, SESSION_WORDS + 8, 4, "session \"a\": record's sum is wrong",
	  NONE, 4 },
	{ "attributes of an FLB", FLBS, WORDS + 8, 0, "FLB \"used-v1\": record's sum is wrong",
	  NONE, 7 },
	{ "handler of a file", FILES_A, A_FILE(0, 0), 0,
	  "files of session \"a\", token 1: record's sum is wrong",
	  "files of session \"a\", token 1: the handler is empty", 7 },
	{ "string after the handler's end", FILES_A, A_FILE(0, 40), 'x',
	  "files of session \"a\", token 1: record's sum is wrong", NONE, 7 },
	{ "data of a file", FILES_A, A_FILE(0, 48), 0x11,
	  "files of session \"a\", token 1: record's sum is wrong", NONE, 7 },
	{ "token of a file", FILES_A, A_FILE(0, 56), 2,
	  "files of session \"a\", token 2: record's sum is wrong",
	  "files of session \"a\", token 2: appears twice", 7 },
	{ "name of a session", SESSIONS_2, RECORDS, 'a', "session \"a\": record's sum is wrong",
	  "session \"a\": appears twice", 6 },
	{ "no name of a session", SESSIONS, RECORDS, 0, "session \"\": record's sum is wrong",
	  "session 0: the name is empty", 4 },
	{ "files of a session", SESSIONS, RECORDS + 64, AT(FILES_B),
	  "session \"a\": record's sum is wrong",
	  "files of session \"a\": 1 records, 3 announced", 4 },
	{ "two sessions that share a block", SESSIONS_2, RECORDS + 64, AT(FILES_A),
	  "session \"b\": record's sum is wrong",
	  "block at 0x3000: is a second time in an array (files of session \"b\")", 6 },
	{ "number of files", SESSIONS, RECORDS + 72, 2, "session \"a\": record's sum is wrong",
	  "files of session \"a\": 3 records, 2 announced", 4 },
	{ "name of an FLB", FLBS, RECORDS, 0, "FLB \"\": record's sum is wrong",
	  "FLB 0: the name is empty", 7 },
	{ "data of an FLB", FLBS, RECORDS + 48, 8, "FLB \"shared-v1\": record's sum is wrong",
	  NONE, 7 },
	{ "count of an FLB", FLBS, RECORDS + 56, 2, "FLB \"shared-v1\": record's sum is wrong",
	  NONE, 7 },
};

/* Whether the first problem begins with that, or there is none. */
static bool says(const struct handover *h, const char *want)
{
	if (!strcmp(want, NONE))
		return !h->nr_problems;
	return h->nr_problems && !strncmp(h->problems[0], want, strlen(want));
}

static void test_blocks(void)
{
	const struct damage *d;
	struct handover h;

	for (d = damages; d < damages + sizeof(damages) / sizeof(damages[0]); d++) {
		make();
		put(d->page, d->at, d->value);
		decode_tree(&h, &memory);
		check(says(&h, d->sealed) && h.nr_proven == d->proven,
		      "%s, by the tree: %zu proven, %s", d->what, h.nr_proven,
		      h.nr_problems ? h.problems[0] : NONE);
		handover_free(&h);
		decode_base(&h, &memory);
		check(says(&h, d->plain) && !h.nr_proven, "%s, by the base's table: %s",
		      d->what, h.nr_problems ? h.problems[0] : NONE);
		handover_free(&h);
	}
}

/* Whatever has the right sums is still checked: a kernel may have a bug. */
static void test_proven_nonsense(void)
{
	static char endless[65] = "0123456789012345678901234567890123456789012345678901234567890123";
	struct handover h;

	make();
	put_file(FILES_A, 1, "a", endless, 0x20, 2, 0);
	decode_tree(&h, &memory);
	check(says(&h, "files of session \"a\", token 2: the handler does not end") &&
	      h.nr_proven == 8, "an endless handler: %s", h.problems[0]);
	handover_free(&h);
	make();
	put_file(FILES_A, 1, "a", "x", 0x20, 3, 0);
	decode_tree(&h, &memory);
	check(says(&h, "files of session \"a\", token 3: appears twice"),
	      "a token twice in two blocks: %s", h.problems[0]);
	handover_free(&h);
	make();
	put_session(SESSIONS_2, 0, endless, AT(FILES_B), 1, 6);
	decode_tree(&h, &memory);
	check(says(&h, "session 0: the name does not end") || says(&h, "session 1: the name does not end"),
	      "an endless name: %s", h.problems[0]);
	check(h.nr_sessions == 2 && !h.sessions[1].nr_files, "it leads to no files");
	handover_free(&h);
	make();
	seal_block(FILES_B, 2, "b", 0, 0, 57);
	decode_tree(&h, &memory);
	check(says(&h, "block at 0x5000: tail has 57 records, but room for 56"),
	      "a sealed count without room: %s", h.problems[0]);
	handover_free(&h);
	make();
	seal_block(FILES_A2, 2, "a", 0, 0, 1);
	decode_tree(&h, &memory);
	check(says(&h, "block at 0x4000: seal is wrong"),
	      "the number of another block: %s", h.problems[0]);
	handover_free(&h);
}

/* A full block of the base has more records than one with words. */
static void test_full_base_block(void)
{
	char name[] = "s?";
	struct handover h;
	int i;

	make();
	memset(pages[FILES_A], 0, PAGE);
	for (i = 0; i < 63; i++) {
		memcpy(pages[FILES_A] + A_FILE(i, 0), "memfd-v2", 9);
		put(FILES_A, A_FILE(i, 56), i);
	}
	put(FILES_A, 8, 63);
	put(SESSIONS, RECORDS + 72, 63);
	memset(pages[SESSIONS_2], 0, PAGE);
	for (i = 0; i < 51; i++) {
		name[1] = '0' + i;
		memcpy(pages[SESSIONS_2] + RECORDS + i * SESSION_SIZE, name, sizeof(name));
	}
	put(SESSIONS_2, 8, 51);
	decode_base(&h, &memory);
	check(!h.nr_problems && h.nr_sessions == 52 && h.sessions[0].nr_files == 63,
	      "full blocks of the base: %s", h.nr_problems ? h.problems[0] : NONE);
	handover_free(&h);
}

/* An input of handover_fuzz: zeros are followed by how many there are. */
static int write_seed(const char *dir, const char *name, int table, size_t size)
{
	static unsigned char raw[2 + PAGE + sizeof(pages)], out[3 * sizeof(raw)];
	size_t used = 2 + size + PAGE * BASE, n = 0, i, run;

	raw[0] = size;
	raw[1] = size >> 8;
	memcpy(raw + 2, pages[table], size);
	memcpy(raw + 2 + size, pages, PAGE * BASE);
	for (i = 0; i < used; i += run) {
		for (run = 1; !raw[i] && i + run < used && !raw[i + run]; run++)
			;
		out[n++] = raw[i];
		if (!raw[i]) {
			out[n++] = run;
			out[n++] = run >> 8;
		}
	}
	return write_file(dir, name, "", 0, out, n);
}

static int write_seeds(const char *dir)
{
	const struct damage *d;
	char name[64];
	int bad = 0, i;

	make();
	make_kho();
	bad |= write_seed(dir, "seed-tree", TREE, PAGE);
	bad |= write_seed(dir, "seed-base", BASE, 32);
	bad |= write_seed(dir, "seed-kho", KHO_TREE, PAGE);
	for (i = 0; i < (int)(sizeof(damages) / sizeof(damages[0])); i++) {
		d = &damages[i];
		make();
		put(d->page, d->at, d->value);
		snprintf(name, sizeof(name), "seed-tree-%d", i);
		bad |= write_seed(dir, name, TREE, PAGE);
		snprintf(name, sizeof(name), "seed-base-%d", i);
		bad |= write_seed(dir, name, BASE, 32);
	}
	return bad;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return write_seeds(argv[1]);
	puts("TAP version 13");
	test_blocks();
	test_proven_nonsense();
	test_full_base_block();
	return end_tests();
}
