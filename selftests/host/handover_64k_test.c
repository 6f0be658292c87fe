// SPDX-License-Identifier: GPL-2.0
/*
 * Host test: the handover of a kernel with pages of 64 KiB, whatever the page of this
 * machine is. Prints TAP; with a directory, writes its pages and LUO's tree there.
 */

#define PAGE 65536

#include "handover_make.h"
#include "tap.h"

static struct handover h;

static void test_tree(void)
{
	decode_tree(&h, &memory);
	check(h.page_size == PAGE && h.crc == HANDOVER_CRC_RIGHT && !h.nr_problems &&
	      h.nr_proven_blocks == 6 && h.nr_proven == 8, "LUO's tree with its memory");
	handover_free(&h);
	decode_tree(&h, NULL);
	check(h.page_size == PAGE && h.crc == HANDOVER_CRC_RIGHT && !h.nr_problems,
	      "the tree alone, which fills a page");
	handover_free(&h);
	memory.page_size = 0;
	decode_tree(&h, &memory);
	check(!h.nr_problems && h.nr_proven == 8, "memory that does not say its page size");
	handover_free(&h);
	memory.page_size = 4096;
	decode_tree(&h, &memory);
	check(h.nr_problems && !h.nr_proven, "blocks are not taken for shorter ones");
	handover_free(&h);
	memory.page_size = PAGE;
}

static void test_base(void)
{
	decode_base(&h, &memory);
	check(h.page_size == PAGE && !h.nr_problems && h.nr_sessions == 2 && h.nr_records == 8,
	      "the table of the base's LUO");
	handover_free(&h);
	/* As many as there is room for in 64 KiB: more than in 4 KiB. */
	put(FLBS, 8, (PAGE - RECORDS) / FLB_SIZE);
	decode_base(&h, &memory);
	check(h.nr_flbs == 1023 && !strstr(h.problems[0], "room"), "a full block");
	handover_free(&h);
	put(FLBS, 8, (PAGE - RECORDS) / FLB_SIZE + 1);
	decode_base(&h, &memory);
	check(h.nr_problems == 1 && strstr(h.problems[0], "has 1024 records, but room for 1023"),
	      "more than there is room for");
	handover_free(&h);
}

int main(int argc, char **argv)
{
	make();
	if (argc > 1)
		return write_file(argv[1], "pages", "", 0, pages, sizeof(pages)) ||
		       write_file(argv[1], "LUO-FDT", "", 0, pages[TREE], PAGE);
	puts("TAP version 13");
	test_tree();
	test_base();
	return end_tests();
}
