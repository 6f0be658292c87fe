// SPDX-License-Identifier: GPL-2.0

/*
 * The output of luotrace handover for trees and records that are malformed, each in one
 * way, and for a valid one. Prints TAP.
 */

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "handover.h"
#include "tap.h"

#define PAGE	4096
#define PAGES	6	/* of memory, from address PAGE on */

static char tree[PAGE];
static char pages[PAGES][PAGE];

static bool test_read(struct memory *mem, uint64_t phys, void *to, size_t size)
{
	(void)mem;
	if (phys < PAGE || phys + size > PAGE * (PAGES + 1))
		return false;
	memcpy(to, pages[0] + phys - PAGE, size);
	return true;
}

static struct memory memory = { .read = test_read };

static void put_u64(const char *name, uint64_t value)
{
	fdt_property(tree, name, &value, sizeof(value));
}

static void put_array(const char *node, const char *compatible, uint64_t count,
		      uint64_t data, uint64_t pgcnt)
{
	fdt_begin_node(tree, node);
	fdt_property_string(tree, "compatible", compatible);
	put_u64("count", count);
	put_u64("data", data);
	put_u64("pgcnt", pgcnt);
	fdt_end_node(tree);
}

static void *block(int page, uint64_t next, uint64_t count)
{
	struct kho_block_header_ser *head = (void *)pages[page];

	head->next = next;
	head->count = count;
	return head + 1;
}

/*
 * Two sessions: "a" with two files, "b" with one in a block of its own; one record of
 * an FLB. A page each, in the order of the addresses.
 */
enum { SESSIONS, SESSIONS_2, FILES_A, FILES_B, FLBS };
#define AT(page)	((uint64_t)PAGE * ((page) + 1))

static struct luo_session_ser *session[2];
static struct luo_file_ser *files[2];
static struct luo_flb_ser *flb;

static void make(void)
{
	memset(pages, 0, sizeof(pages));
	fdt_create(tree, sizeof(tree));
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	fdt_property_string(tree, "compatible", "luo-v2");
	put_u64("liveupdate-number", 3);
	put_array("luo-session", "luo-session-v3", 2, AT(SESSIONS), 2);
	put_array("luo-flb", "luo-flb-v2", 1, AT(FLBS), 1);
	fdt_begin_node(tree, "luo-subsystems");
	fdt_property_string(tree, "compatible", "luo-subsystems-v1");
	fdt_begin_node(tree, "one");
	put_u64("data", 7);
	fdt_end_node(tree);
	fdt_end_node(tree);
	fdt_end_node(tree);
	fdt_finish(tree);

	session[0] = block(SESSIONS, AT(SESSIONS_2), 1);
	session[1] = block(SESSIONS_2, 0, 1);
	*session[0] = (struct luo_session_ser){ "a", AT(FILES_A), 1, 2, 5 };
	*session[1] = (struct luo_session_ser){ "b", AT(FILES_B), 1, 1, 6 };
	files[0] = block(FILES_A, 0, 2);
	files[1] = block(FILES_B, 0, 1);
	files[0][0] = (struct luo_file_ser){ "memfd-v2", 1, 0x10 };
	files[0][1] = (struct luo_file_ser){ "memfd-v2", 2, 0x20 };
	files[1][0] = (struct luo_file_ser){ "vfio-v1", 1, 0x30 };
	flb = block(FLBS, 0, 1);
	*flb = (struct luo_flb_ser){ "shared-v1", 9, 3 };
}

/* Replace a property by one of the same length. */
static void spoil(const char *node, const char *prop, uint64_t value)
{
	int at = fdt_path_offset(tree, node);

	if (fdt_setprop_inplace(tree, at, prop, &value, sizeof(value)))
		abort();
}

/* This is the first problem. */
static void says(const char *want, const char *what)
{
	struct handover h;

	handover_decode(&h, tree, fdt_totalsize(tree) > PAGE ? PAGE :
				  fdt_totalsize(tree), &memory);
	check(h.nr_problems && strstr(h.problems[0], want), "%s: %s", what,
	      h.nr_problems ? h.problems[0] : "nothing");
	handover_free(&h);
	make();
}

static void test_good(void)
{
	struct handover h;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	make();
	handover_decode(&h, tree, fdt_totalsize(tree), &memory);
	handover_text(&h, true, f);
	fclose(f);
	check(!h.nr_problems && !strcmp(text,
		"tree          luo-v2\n"
		"live update   3\n"
		"sessions      2 in 2 blocks from 0x1000 on\n"
		"  session a: 2 files, 20.0KiB\n"
		"    token 1 memfd-v2 data 0x10\n"
		"    token 2 memfd-v2 data 0x20\n"
		"  session b: 1 file, 24.0KiB\n"
		"    token 1 vfio-v1 data 0x30\n"
		"FLBs          1 in 1 blocks from 0x5000 on\n"
		"  FLB shared-v1: data 0x9, of 3 files\n"
		"subsystems    1\n"
		"  subsystem one: data 0x7\n"), "a good one");
	free(text);
	handover_free(&h);
}

static void test_trees(void)
{
	int at;

	tree[0] = 0;
	says("offset 0: magic is 0xdfeed, want 0xd00dfeed", "magic");
	((unsigned char *)tree)[6] = 0xff;
	says("offset 4: totalsize is", "totalsize");
	tree[23] = 16;
	says("offset 20: version is 16", "version");
	tree[11] = 0x7f;
	says("offset 8: structure of 352 bytes from 127 on are not", "offset of the structure");
	at = fdt_off_dt_struct(tree);
	tree[at + 3] = 7;
	says("not a tag", "tag of the root");
	tree[at + 15] = (char)0xff;
	tree[at + 14] = 0x7f;
	says("a property is longer than the tree", "length of a property");
	tree[at + 19] = 0x7f;
	tree[at + 18] = 0x7f;
	says("the name of a property is outside of the strings", "name of a property");
	at = fdt_off_dt_struct(tree) + fdt_size_dt_struct(tree);
	tree[at - 1] = 2;
	says("a node ends that has not begun", "end of the structure");
	tree[at - 1] = 5;
	says("not a tag", "last tag");
	tree[at - 5] = 4;
	says("the structure ends inside a node", "a node that does not end");
	fdt_setprop_inplace(tree, 0, "compatible", "luo-v9", 7);
	says("the tree is 'luo-v9'", "compatible of the tree");
	fdt_setprop_inplace(tree, 0, "compatible", "l\x1b[1m\n", 7);
	says("the tree is 'l\\x1b[1m\\x0a'", "compatible of control characters");
	fdt_setprop_inplace(tree, 0, "compatible", "luo-v2x", 7);
	says("not one string that ends", "an endless string");
	fdt_nop_property(tree, 0, "liveupdate-number");
	says("node '' has no property 'liveupdate-number'", "no number");
	fdt_nop_node(tree, fdt_path_offset(tree, "/luo-session"));
	says("the tree has no node 'luo-session'", "no sessions");
	fdt_setprop_inplace(tree, fdt_path_offset(tree, "/luo-session"),
			    "compatible", "luo-session-v1", 15);
	says("node 'luo-session' is 'luo-session-v1', this luotrace knows",
	     "other sessions");
}

static void test_records(void)
{
	spoil("/luo-session", "data", 0x100000);
	says("address 0x100000: block of sessions is not in memory", "address");
	spoil("/luo-session", "data", 0x1008);
	says("address 0x1008: block of sessions does not begin a page", "alignment");
	spoil("/luo-session", "count", 3);
	says("2 records of sessions, 3 announced", "count");
	spoil("/luo-session", "pgcnt", 1);
	says("more blocks of sessions than the 1 announced", "too many blocks");
	spoil("/luo-session", "pgcnt", 3);
	says("2 blocks of sessions, 3 announced", "too few blocks");
	spoil("/luo-session", "pgcnt", 1000);
	block(SESSIONS_2, AT(SESSIONS), 1);
	says("the blocks of sessions are a loop", "loop");
	block(SESSIONS, 0, 43);
	says("has 43 records, but room for 42", "records of a block");
	memset(session[0]->name, 'x', sizeof(session[0]->name));
	says("record 0 of the sessions: the name does not end", "name");
	strcpy(session[1]->name, "a");
	says("session a appears twice", "two of one name");
	session[1]->files = 8;
	says("block of files of session b does not begin a page", "files");
	files[0][1].token = 1;
	says("token 1 of session a appears twice", "two of one token");
	files[1][0].compatible[0] = '\0';
	says("record 0 of the files of session b names no handler", "handler");
	flb->name[0] = '\0';
	says("record 0 of the FLBs: the name is empty", "shared state");
}

static void test_kho(void)
{
	struct handover h;

	fdt_create(tree, sizeof(tree));
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	fdt_property_string(tree, "compatible", "kho-v4");
	put_u64("preserved-memory-map", 0x3000);
	fdt_begin_node(tree, "LUO");
	put_u64("preserved-data", 0x4000);
	put_u64("blob-size", 4096);
	fdt_end_node(tree);
	fdt_end_node(tree);
	fdt_finish(tree);
	handover_decode(&h, tree, fdt_totalsize(tree), NULL);
	check(h.kind == HANDOVER_KHO && !h.nr_problems && h.memory_map == 0x3000 &&
	      h.nr_entries == 1 && h.entries[0].data == 0x4000 &&
	      h.entries[0].size == 4096, "KHO's own tree");
	handover_free(&h);
}

int main(void)
{
	puts("TAP version 13");
	test_good();
	test_trees();
	test_records();
	test_kho();
	return end_tests();
}
