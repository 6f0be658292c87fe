// SPDX-License-Identifier: GPL-2.0

/*
 * The output of luotrace handover for tables that are damaged, each in one way, and for
 * valid ones. Prints TAP; with a directory, writes a valid handover into files there.
 */

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "handover_make.h"
#include "handover_tables.h"
#include "tap.h"

/* SipHash and CRC-32 of the test itself, by vectors of those who defined them. */
static void test_hashes(void)
{
	unsigned char data[15];
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i;
	check(sip(0x0706050403020100, 0x0f0e0d0c0b0a0908, data, sizeof(data)) ==
	      0xa129ca6149be45e5, "SipHash-2-4 of the paper");
	check(sip(0x0706050403020100, 0x0f0e0d0c0b0a0908, data, 8) == 0x93f5f5799a932462,
	      "SipHash-2-4 of eight bytes");
	check(crc("123456789", 9) == 0xcbf43926, "CRC-32 of its check value");
}

static void check_text(const struct handover *h, const char *want, const char *what)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	handover_text(h, true, f);
	fclose(f);
	check_string(text, want, what);
	free(text);
}

static void test_good(void)
{
	struct handover h;

	make();
	decode_tree(&h, &memory);
	check_text(&h,
		"tree          luo-fdt-v1\n"
		"CRC-32        right\n"
		"live update   3\n"
		"sessions      2 in 2 blocks from 0x1000 on\n"
		"  session a: 3 files, 20.0KiB\n"
		"    token 1 memfd-v2 data 0x10 mode 0600 seals shrink,grow opened read,write\n"
		"    token 2 other-v1 data 0x20 mode 0777 opened write,append\n"
		"    token 3 memfd-v2 data 0x30\n"
		"  session b: 1 file, 24.0KiB\n"
		"    token 1 vfio-v1 data 0x40\n"
		"FLBs          2 in 1 block from 0x6000 on\n"
		"  FLB shared-v1: data 0x9, of 3 files\n"
		"  FLB used-v1: data 0xa, of 0 files\n"
		"subsystems    1\n"
		"  subsystem luo-recorder: data 0x7000\n"
		"proven        6 of 6 blocks, 8 of 8 records\n", "a good tree");
	handover_free(&h);
	decode_base(&h, &memory);
	check_text(&h,
		"table         luo-v5\n"
		"live update   3\n"
		"sessions      2 in 2 blocks from 0x1000 on\n"
		"  session a: 3 files\n"
		"    token 1 memfd-v2 data 0x10\n"
		"    token 2 other-v1 data 0x20\n"
		"    token 3 memfd-v2 data 0x30\n"
		"  session b: 1 file\n"
		"    token 1 vfio-v1 data 0x40\n"
		"FLBs          2 in 1 block from 0x6000 on\n"
		"  FLB shared-v1: data 0x9, of 3 files\n"
		"  FLB used-v1: data 0xa, of 1 file\n"
		"arrays        6 blocks, 8 records, read without proof\n",
		"a good table of the base");
	handover_free(&h);
	decode_base(&h, NULL);
	check_text(&h,
		"table         luo-v5\n"
		"live update   3\n"
		"sessions      from 0x1000 on\n"
		"FLBs          from 0x6000 on\n", "without memory");
	handover_free(&h);
}

/* The JSON of both, by path. */
static void test_json(void)
{
	json_t *o, *session, *file;
	struct handover h;

	make();
	put(FILES_A, RECORDS + FILE_SIZE + 48, 0x21);
	decode_tree(&h, &memory);
	o = handover_json(&h, true);
	session = json_array_get(json_object_get(o, "sessions"), 0);
	file = json_array_get(json_object_get(session, "file_list"), 0);
	check_string(json_string_value(json_object_get(o, "crc")), "right", "CRC in JSON");
	check_string(json_string_value(json_object_get(session, "pages")), "5",
		     "pages in JSON");
	check_string(json_string_value(json_object_get(json_object_get(file, "attributes"),
						       "mode")), "0600", "mode in JSON");
	check(json_array_size(json_object_get(json_object_get(file, "attributes"),
					      "seals")) == 2, "seals in JSON");
	file = json_array_get(json_object_get(session, "file_list"), 1);
	check_string(json_string_value(json_object_get(file, "proof")), "damaged",
		     "a damaged record in JSON");
	check(json_integer_value(json_object_get(json_object_get(o, "arrays"),
						 "proven_records")) == 7 &&
	      json_integer_value(json_object_get(json_object_get(o, "arrays"),
						 "records")) == 8,
	      "proven records in JSON");
	json_decref(o);
	handover_free(&h);
	decode_base(&h, &memory);
	o = handover_json(&h, false);
	check_string(json_string_value(json_object_get(o, "tree")), "luo-v5",
		     "the base's table in JSON");
	check(json_is_null(json_object_get(o, "crc")) &&
	      json_is_null(json_object_get(json_object_get(o, "arrays"), "proven_blocks")),
	      "nothing of it is proven");
	json_decref(o);
	handover_free(&h);
}

/* The tree, given as @size bytes, has this first problem. */
static void tree_of_size_says(size_t size, const char *want, const char *what)
{
	struct handover h;

	if (handover_decode(&h, HANDOVER_NEITHER, tree, size, &memory))
		abort();
	check(h.nr_problems && strstr(h.problems[0], want) && !h.usable, "%s: %s", what,
	      h.nr_problems ? h.problems[0] : "nothing");
	handover_free(&h);
	make();
}

/* A damage that would be found without the CRC-32, too. */
static void tree_says(const char *want, const char *what)
{
	struct handover h;

	seal_tree();
	decode_tree(&h, &memory);
	check(h.nr_problems && strstr(h.problems[0], want), "%s: %s", what,
	      h.nr_problems ? h.problems[0] : "nothing");
	handover_free(&h);
	make();
}

static void test_trees(void)
{
	unsigned char *t = pages[TREE];
	int at;

	make();
	tree_of_size_says(20, "offset 0: 20 bytes are too few", "a short file");
	tree_of_size_says(fdt_totalsize(tree), "the page is cut before the CRC-32",
			  "a tree without its page");
	t[2000] ^= 1;
	tree_of_size_says(PAGE, "offset 4088: CRC-32 of the tree is wrong",
			  "an unused byte of the page");
	t[PAGE - 1] = 1;
	tree_of_size_says(PAGE, "offset 4088: CRC-32 of the tree is wrong",
			  "the upper half of the CRC-32");
	t[0] = 0;
	tree_says("offset 0: magic is 0xdfeed, want 0xd00dfeed", "magic");
	t[6] = 0xff;
	tree_says("offset 4: totalsize is", "totalsize");
	t[23] = 16;
	tree_says("offset 20: version is 16", "version");
	t[11] = 0x7f;
	tree_says("offset 8: structure of ", "offset of the structure");
	at = fdt_off_dt_struct(tree);
	t[at + 3] = 7;
	tree_says("not a tag", "tag of the root");
	t[at + 15] = 0xff;
	t[at + 14] = 0x7f;
	tree_says("a property is longer than the tree", "length of a property");
	t[at + 19] = 0x7f;
	t[at + 18] = 0x7f;
	tree_says("the name of a property is outside of the strings", "name of a property");
	at = fdt_off_dt_struct(tree) + fdt_size_dt_struct(tree);
	t[at - 1] = 2;
	tree_says("a node ends that has not begun", "end of the structure");
	t[at - 1] = 5;
	tree_says("not a tag", "last tag");
	t[at - 5] = 4;
	tree_says("the structure ends inside a node", "a node that does not end");
}

/* Replace a property by one of the same length. */
static void spoil(const char *node, const char *prop, uint64_t value)
{
	int at = fdt_path_offset(tree, node);

	if (fdt_setprop_inplace(tree, at, prop, &value, sizeof(value)))
		abort();
}

static void test_properties(void)
{
	struct handover h;

	make();
	fdt_setprop_inplace(tree, 0, "compatible", "luo-fdt-v9", 11);
	tree_says("the tree is 'luo-fdt-v9'", "compatible of the tree");
	fdt_setprop_inplace(tree, 0, "compatible", "luo\x1b[1m\n12", 11);
	tree_says("the tree is 'luo\\x1b[1m\\x0a12'", "compatible of control characters");
	fdt_setprop_inplace(tree, 0, "compatible", "luo-fdt-v1x", 11);
	tree_says("not one string that ends", "an endless string");
	fdt_nop_property(tree, 0, "liveupdate-number");
	tree_says("node '' has no property 'liveupdate-number'", "no number");
	fdt_nop_property(tree, 0, "mark");
	tree_says("node '' has no property 'mark'", "no mark");
	fdt_nop_property(tree, 0, "mark");
	seal_tree();
	decode_tree(&h, &memory);
	check(!h.usable && !h.has_memory && !h.nr_sessions, "without a mark nothing is read");
	handover_free(&h);
	make();
	spoil("/", "mark", MARK + 1);
	tree_says("block at 0x1000: seal is wrong (sessions)", "another mark");
	fdt_nop_node(tree, fdt_path_offset(tree, "/luo-session"));
	tree_says("the tree has no node 'luo-session'", "no sessions");
	fdt_setprop_inplace(tree, fdt_path_offset(tree, "/luo-session"),
			    "compatible", "luo-session-v3", 15);
	tree_says("node 'luo-session' is 'luo-session-v3', this luotrace knows",
		  "other sessions");
	fdt_setprop_inplace(tree, fdt_path_offset(tree, "/luo-flb"),
			    "compatible", "luo-flb-v2", 11);
	tree_says("node 'luo-flb' is 'luo-flb-v2', this luotrace knows", "other FLBs");
	spoil("/luo-session", "data", 0x100000);
	tree_says("block at 0x100000: is not in memory (sessions)", "address");
	spoil("/luo-session", "data", 0x1008);
	tree_says("block at 0x1008: address does not begin a page", "alignment");
	spoil("/luo-session", "data", AT(GUEST));
	tree_says("block at 0x7000: seal is wrong", "a guest's page");
	spoil("/luo-session", "data", AT(FILES_B));
	tree_says("block at 0x5000: seal is wrong", "a block of files for one of sessions");
	spoil("/luo-flb", "data", AT(FILES_B));
	tree_says("block at 0x5000: seal is wrong (FLBs)",
		  "a block of files for one of FLBs");
	spoil("/luo-session", "count", 3);
	tree_says("sessions: 2 records, 3 announced", "count");
	spoil("/luo-session", "pgcnt", 1);
	tree_says("sessions: 2 blocks, 1 announced", "blocks");
	spoil("/luo-flb", "count", 1);
	tree_says("FLBs: 2 records, 1 announced", "count of FLBs");
}

static void test_base_table(void)
{
	static const struct {
		const char *what;
		unsigned int at, size;
		uint64_t value;
		const char *want;
	} damages[] = {
		{ "version", 5, 1, '9', "offset 0: the table is 'luo-v9', this luotrace knows 'luo-v5'" },
		{ "first byte", 0, 1, 'x', "offset 0: the table is 'xuo-v5'" },
		{ "string without end", 0, 8, 0x7878787878787878, "offset 0: 'compatible' does not end within 8 bytes" },
		{ "sessions", 16, 8, 0x100000, "block at 0x100000: is not in memory (sessions)" },
		{ "alignment of the sessions", 16, 8, 0x1010, "block at 0x1010: address does not begin a page" },
		{ "FLBs", 24, 8, 0x100000, "block at 0x100000: is not in memory (FLBs)" },
		{ "sessions for FLBs", 24, 8, AT(SESSIONS), "block at 0x1000: is a second time in an array (FLBs)" },
		{ "a guest's page for FLBs", 24, 8, AT(GUEST), "block at 0x7000: has 6510615555426900570 records, but room for 63 (FLBs)" },
	};
	struct handover h;
	size_t i;

	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		make();
		memcpy(pages[BASE] + damages[i].at, &damages[i].value, damages[i].size);
		decode_base(&h, &memory);
		check(h.nr_problems && strstr(h.problems[0], damages[i].want),
		      "base's table, %s: %s", damages[i].what,
		      h.nr_problems ? h.problems[0] : "nothing");
		handover_free(&h);
	}
	handover_decode(&h, HANDOVER_BASE, pages[BASE], 31, NULL);
	check(h.nr_problems && strstr(h.problems[0], "31 bytes are too few"),
	      "a cut table of the base");
	handover_free(&h);
}

/* Judge what is in the pages; -1: not given, 0: not there, 1: there. */
static void judge(int with_base, int with_tree, struct handover_verdict *v, char **text)
{
	struct handover base, ours;
	struct handover_tables t = {
		.base = with_base > 0 ? &base : NULL,
		.tree = with_tree > 0 ? &ours : NULL,
		.complete = with_base >= 0 && with_tree >= 0,
	};
	size_t size;
	FILE *f = open_memstream(text, &size);

	decode_base(&base, &memory);
	decode_tree(&ours, &memory);
	handover_judge(&t, v);
	handover_verdict_text(&t, v, f);
	json_decref(handover_verdict_json(&t, v));
	fclose(f);
	handover_free(&base);
	handover_free(&ours);
}

static void check_verdict(int with_base, int with_tree, const char *want,
			  const char *what)
{
	struct handover_verdict v;
	char *text;

	judge(with_base, with_tree, &v, &text);
	check_string(text, want, what);
	free(text);
	make();
}

#define BASE_RESTORES								\
	"base's LUO    restores all sessions, files and FLBs that LUO leads to: 8 records\n"	\
	"              in 6 blocks\n"
#define BASE_LEAVES								\
	"  reserved    the page of LUO-FDT, and the memory that these subsystems hand\n" \
	"              over, of which only a value is known: luo-recorder (0x7000)\n"
#define THIS_RESTORES(records, blocks)						\
	"this LUO      restores what LUO-FDT leads to and proves: " records " in "	\
	blocks

static void test_verdicts(void)
{
	make();
	check_verdict(1, 1, "tables        both LUO and LUO-FDT\n"
		"they agree    in number and addresses\n" BASE_RESTORES BASE_LEAVES
		THIS_RESTORES("8 of 8 records", "6 of\n              6 blocks\n"), "both tables");
	check_verdict(1, 0, "tables        only LUO\n" BASE_RESTORES
		"this LUO      restores what LUO leads to, without proof\n"
		"  reserved    all blocks of sessions, files and FLBs: what is not proven is\n"
		"              never freed\n", "a handover of the base");
	check_verdict(0, 1, "tables        only LUO-FDT\n"
		"base's LUO    finds no LUO and restores nothing\n" BASE_LEAVES
		THIS_RESTORES("8 of 8 records", "6 of\n              6 blocks\n"), "the tree alone");
	check_verdict(1, -1, BASE_RESTORES
		"this LUO      restores what LUO leads to, without proof; it reads LUO only if it\n"
		"              has no good LUO-FDT\n"
		"  reserved    all blocks of sessions, files and FLBs: what is not proven is\n"
		"              never freed\n", "a file with the base's table");
	check_verdict(-1, 1, "base's LUO    reads LUO, which is not given\n"
		"  reserved    the page of LUO-FDT, and the memory that these subsystems hand\n"
		"              over, of which only a value is known: luo-recorder (0x7000)\n"
		THIS_RESTORES("8 of 8 records", "6 of\n              6 blocks\n"), "a file with the tree");
	put(BASE, 8, 4);
	put(BASE, 24, AT(GUEST));
	check_verdict(1, 1, "tables        both LUO and LUO-FDT\n"
		"! the tables differ in live update: 4 in LUO, 3 in LUO-FDT\n"
		"! the tables differ in address of the FLBs: 0x7000 in LUO, 0x6000 in LUO-FDT\n"
		"base's LUO    restores what LUO leads to, and does not check for what is said\n"
		"              above: 6 records in 6 blocks\n" BASE_LEAVES
		THIS_RESTORES("8 of 8 records", "6 of\n              6 blocks; it believes LUO-FDT\n"),
		"tables that disagree");
	pages[TREE][2000] = 1;
	check_verdict(1, 1, "tables        both LUO and LUO-FDT\n"
		"they agree    in number and addresses\n" BASE_RESTORES BASE_LEAVES
		"this LUO      restores what LUO leads to, without proof\n"
		"  reserved    all blocks of sessions, files and FLBs: what is not proven is\n"
		"              never freed\n", "a tree with a wrong CRC-32");
	pages[BASE][5] = '9';
	check_verdict(1, 1, "tables        both LUO and LUO-FDT\n"
		"base's LUO    rejects LUO: it panics, or has no live update until its next boot\n"
		BASE_LEAVES
		THIS_RESTORES("8 of 8 records", "6 of\n              6 blocks\n"), "another base");
	pages[BASE][5] = '9';
	pages[TREE][2000] = 1;
	check_verdict(1, 1, "tables        both LUO and LUO-FDT\n"
		"base's LUO    rejects LUO: it panics, or has no live update until its next boot\n"
		BASE_LEAVES
		"this LUO      rejects the handover and restores nothing\n", "neither table");
	put(FILES_A, A_FILE(0, 48), 1);
	put(FILES_B, TAIL, 1);
	check_verdict(1, 1, "tables        both LUO and LUO-FDT\n"
		"they agree    in number and addresses\n"
		"base's LUO    restores all sessions, files and FLBs that LUO leads to: 8 records\n"
		"              in 6 blocks; it does not see what LUO-FDT shows to be damaged\n"
		BASE_LEAVES THIS_RESTORES("6 of 7 records", "5 of\n              6 blocks\n")
		"  reserved    each block that is not proven, and what its records lead to\n",
		"damaged records");
}

static void test_kho(void)
{
	struct handover h;

	make_kho();
	handover_decode(&h, HANDOVER_NEITHER, pages[KHO_TREE], PAGE, NULL);
	check(h.kind == HANDOVER_KHO && !h.nr_problems && h.memory_map == 0x3000 &&
	      h.nr_entries == 2 && h.entries[1].data == AT(TREE) &&
	      h.entries[1].size == PAGE, "KHO's own tree");
	handover_free(&h);
}

/* The tables as files, and ELF cores with the pages. */
static int write_handover(const char *dir)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p;
	} head = {
		.e = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_CORE, .e_machine = EM_X86_64,
			.e_version = EV_CURRENT, .e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
		},
		.p = {
			.p_type = PT_LOAD, .p_offset = sizeof(head), .p_paddr = PAGE,
			.p_filesz = sizeof(pages), .p_memsz = sizeof(pages),
		},
	};

	make();
	make_kho();
	if (write_file(dir, "LUO", "", 0, pages[BASE], 32) ||
	    write_file(dir, "LUO-FDT", "", 0, pages[TREE], PAGE) ||
	    write_file(dir, "KHO", "", 0, pages[KHO_TREE], PAGE) ||
	    write_file(dir, "core", &head, sizeof(head), pages, sizeof(pages)))
		return 1;
	put(BASE, 8, 4);
	if (write_file(dir, "differing-core", &head, sizeof(head), pages, sizeof(pages)))
		return 1;
	put(BASE, 8, 3);
	put(FILES_A, A_FILE(0, 48), 1);
	if (write_file(dir, "damaged-core", &head, sizeof(head), pages, sizeof(pages)))
		return 1;
	fdt_setprop_inplace(pages[KHO_TREE],
			    fdt_path_offset(pages[KHO_TREE], "/LUO"), "preserved-data",
			    &(uint64_t){ 0x100000 }, sizeof(uint64_t));
	return write_file(dir, "KHO-elsewhere", "", 0, pages[KHO_TREE], PAGE);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return write_handover(argv[1]);
	puts("TAP version 13");
	test_hashes();
	test_good();
	test_json();
	test_trees();
	test_properties();
	test_base_table();
	test_verdicts();
	test_kho();
	return end_tests();
}
