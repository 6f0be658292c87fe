/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What damage_test damages, and what is left of it. Offsets and sizes of the format are
 * written by hand.
 */

#ifndef DAMAGE_TABLE_H
#define DAMAGE_TABLE_H

#include "luo_test.h"

#define LONG_NAME	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

#define PAGE		sysconf(_SC_PAGESIZE)
#define PAGE_MAX	65536

/* Records in a block, which is a page: 56 and 42 in one of 4 KiB, 909 and 682 in 64 KiB. */
#define FILES_IN_PAGE(page)	(((page) - 40) / 72)
#define SESSIONS_IN_PAGE(page)	(((page) - 40) / 96)
#define FILES_PER_BLOCK		FILES_IN_PAGE(PAGE)
#define SESSIONS_PER_BLOCK	SESSIONS_IN_PAGE(PAGE)
/* More than a block of the base holds, which has neither words nor tail. */
#define TOO_MANY_FILES		((PAGE - 16) / 64 + 1)
#define TOO_MANY_SESSIONS	((PAGE - 16) / 80 + 1)

/*
 * The sessions, in order of creation. v0 to v9 have a test file with token 1 and a memfd
 * with token 2; w0 to w7 fill a block of files with test files and start a second one; b
 * has two full blocks and a third one; c has two memfds, of which the second one looks
 * like a block. With the empty sessions from e0 on there are three blocks of sessions, 5
 * in the last one.
 */
#define W_FILES		(FILES_PER_BLOCK + 1)
#define B_FILES		(2 * FILES_PER_BLOCK + 8)
#define V(n)		(n)
#define W(n)		(10 + (n))
#define B		18
#define C		19
#define LONG		20
#define E(n)		(21 + (n))
#define IN_3_BLOCKS(per_block)	(2 * (per_block) + 5)
#define SESSIONS	IN_3_BLOCKS(SESSIONS_PER_BLOCK)
#define MAX_SESSIONS	IN_3_BLOCKS(SESSIONS_IN_PAGE(PAGE_MAX))
#define LAST_E		(SESSIONS - E(0) - 1)

enum {
	/* The base's table */
	TABLE_COMPATIBLE = 0, TABLE_NUMBER = 8, TABLE_SESSIONS = 16, TABLE_FLBS = 24,
	/* Records */
	SESSION_NAME = 0, SESSION_FILES = 64, SESSION_COUNT = 72,
	FILE_COMPATIBLE = 0, FILE_DATA = 48, FILE_TOKEN = 56,
	FLB_NAME = 0, FLB_DATA = 48, FLB_COUNT = 56,
	/* Blocks; the FLBs' has pgcnt in place of next */
	NEXT = 0, COUNT = 8,
	/* From the words of one record to those of the next one */
	FILE_STEP = 8, SESSION_STEP = 16, ATTRIBUTES = 4, PAGES = 8,
	/* The tree; in the node of a subsystem: tag, name, then the property */
	TREE_MAGIC = 0, NODE_NAME = 4, NODE_VALUE = 32,
};

#define TAIL_NEXT	(PAGE - 24)
#define TAIL_COUNT	(PAGE - 16)
#define SEAL		(PAGE - 8)
/* Words of the first record */
#define FILE_WORDS	(TAIL_NEXT - FILES_PER_BLOCK * FILE_STEP)
#define SESSION_WORDS	(TAIL_NEXT - SESSIONS_PER_BLOCK * SESSION_STEP)
#define TREE_CRC	(PAGE - 8)

/* The order of the FLBs: three of the base's own test, then that of the test handler. */
#define FLB_INDEX	3
/* The recorder precedes the first test subsystem. */
#define FIRST_INDEX	1

/* Where a wrong address leads */
enum address {
	NO_ADDRESS,
	/* The hook knows these. */
	ITSELF,		/* to the damaged block */
	FILES_OF_C,	/* to the block of another session */
	TREE_PAGE, TABLE_PAGE,
	GUEST_PAGE,	/* to the page of c's second memfd */
	INSIDE_A_PAGE,	/* 8 bytes into that page */
	FREE_PAGE,	/* to memory that nobody preserved */
	/* Of a kernel that was started by kexec: not for the first update of a row. */
	KERNEL_TEXT, KERNEL_DATA,
};

#define NO_MEMORY	(1ULL << 45)
#define LOW_MEMORY	0x1000
#define ANY		0x5a5a5a5a5a5a5a5a	/* what is there has another value */
#define XS		0x7878787878787878

struct damage {
	enum liveupdate_test_where where;
	unsigned int session, index, offset, len;
	uint64_t value;
	enum address address;		/* instead of a value */
	const char *node, *prop;	/* of the tree: offset is from its value */
};

#define TREE(n, p)	{ LIVEUPDATE_TEST_TREE, .len = 4, .value = ANY, .node = n, .prop = p }
#define TREE_AT(o)	{ LIVEUPDATE_TEST_TREE, .offset = o, .len = 4, .value = ANY }
#define TREE_SUB(o)	{ LIVEUPDATE_TEST_SUBSYSTEM, .index = FIRST_INDEX,	\
			  .offset = o, .len = 4, .value = ANY }
#define TREE_V9		{ LIVEUPDATE_TEST_TREE, .offset = 9, .len = 1, .value = '9', \
			  .node = "/", .prop = "compatible" }
#define TABLE(o, l, v)	{ LIVEUPDATE_TEST_TABLE, .offset = o, .len = l, .value = v }
#define TABLE_TO(o, a)	{ LIVEUPDATE_TEST_TABLE, .offset = o, .address = a }
#define SESSION(s, o, l, v)	{ LIVEUPDATE_TEST_SESSION, s, 0, o, l, v }
#define SESSION_TO(s, a)	\
	{ LIVEUPDATE_TEST_SESSION, s, .offset = SESSION_FILES, .address = a }
#define SESSIONS_IN(i, o, l, v)	{ LIVEUPDATE_TEST_SESSION_BLOCK, 0, i, o, l, v }
#define SESSIONS_TO(i, o, a)	\
	{ LIVEUPDATE_TEST_SESSION_BLOCK, 0, i, o, .address = a }
#define FILE_OF(s, i, o, l, v)	{ LIVEUPDATE_TEST_FILE, s, i, o, l, v }
#define FILE_TO(s, i, a)	\
	{ LIVEUPDATE_TEST_FILE, s, i, FILE_DATA, .address = a }
#define FILES_IN(s, i, o, l, v)	{ LIVEUPDATE_TEST_FILE_BLOCK, s, i, o, l, v }
#define FILES_TO(s, i, o, a)	\
	{ LIVEUPDATE_TEST_FILE_BLOCK, s, i, o, .address = a }
#define BOTH(s, v)	FILES_IN(s, 0, NEXT, 8, v), FILES_IN(s, 0, TAIL_NEXT, 8, v)
#define BOTH_TO(s, a)	FILES_TO(s, 0, NEXT, a), FILES_TO(s, 0, TAIL_NEXT, a)
#define FLB(i, o, l, v)	{ LIVEUPDATE_TEST_FLB, 0, i, o, l, v }
#define FLBS_IN(o, l, v)	{ LIVEUPDATE_TEST_FLB_BLOCK, 0, 0, o, l, v }

#define MAX_DAMAGES	20

/*
 * An update. @rejects are all that the next kernel traces, each as "WHAT NAME TOKEN
 * REASON;", with "-" for no name. @says is a pattern for what it writes about them into
 * its log, with "; " after each line. All is left but what @lost names, separated by
 * blanks: SESSION, SESSION-LAST, SESSION:TOKEN, SESSION:TOKEN-LAST, an FLB or a subsystem.
 * In these strings "{WORD}" stands for a number that depends on the page size, see words.
 */
struct update {
	const char *what;
	struct damage damages[MAX_DAMAGES];
	const char *rejects, *says, *lost;
};

#define DISAGREE	"the two tables of the handover disagree, 'luo-fdt-v1' is believed; "
#define NO_TREE(c, r)	"tree '" c "' of the handover is not used (" r "), 'luo-v5' is: " \
			"nothing proves its records; "
#define KEPT(pages)	"{" pages " pages} KiB of records that nothing proves stay reserved " \
			"until the next live update; "
#define RESERVED	"handover: at least * KiB of what is rejected stay reserved " \
			"until the next live update; "
#define LOST(n)		"handover: memory of " n " rejected records stays reserved " \
			"until the next live update; "
#define UNKNOWN(n)	"the handlers of " n " files are not registered (yet); "
#define SAYS(what, reason)	\
	what " records of the handover rejected (" reason "); "
#define HEADER(what)	\
	what " blocks of the handover had a wrong header, nothing is lost; "
#define SAYS_FILES(reason, names)	\
	"file records of the handover rejected, by session (" reason "): " names "; "

#define CHECKSUM	"tree luo-fdt-v1 0 checksum;"
#define NO_CHECKSUM	NO_TREE("luo-fdt-v1", "checksum")
#define SUBSYSTEMS	"first second "
#define ALL_SESSIONS	"v0-9 w0-7 b c " LONG_NAME " e0-{last e} "

/* Files of the first block, of the first two; sessions of each. */
#define FIRST_FILES	"1-{F}"
#define SECOND_FILES	"{F+1}-{2F}"
#define FIRST_ES	"e0-{S-22}"
#define SECOND_ES	"e{S-21}-{2S-22}"
#define THIRD_ES	"e{2S-21}-{last e}"

struct word {
	const char *word;
	long number;
};

static long word_number(const char *word, size_t length)
{
	long files = FILES_PER_BLOCK, in_block = SESSIONS_PER_BLOCK, pages;
	const struct word words[] = {
		{ "F", files }, { "F+1", files + 1 }, { "2F", 2 * files }, { "b", B_FILES },
		{ "S-22", in_block - 22 }, { "S-21", in_block - 21 },
		{ "2S-22", 2 * in_block - 22 }, { "2S-21", 2 * in_block - 21 },
		{ "last e", LAST_E }, { "last e - 1", LAST_E - 1 },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) == length && !memcmp(words[i].word, word, length))
			return words[i].number;
	}
	must(sscanf(word, "%ld pages}", &pages) == 1, word);
	return pages * PAGE >> 10;
}

/* Replaces "{WORD}" by its number. */
static const char *expand(const char *text)
{
	char *all = malloc(strlen(text) + 1024), *to = all;
	size_t length;

	must(all, "memory");
	while (*text) {
		length = strcspn(text, "{");
		to = mempcpy(to, text, length);
		text += length;
		if (!*text)
			break;
		length = strcspn(++text, "}");
		to += sprintf(to, "%ld", word_number(text, length));
		text += length + 1;
	}
	*to = '\0';
	return all;
}

/** find_update - an update of the table, with numbers for words; NULL after the last one */
static const struct update *find_update(unsigned int n)
{
	const struct update updates[] = {
		{ "nothing", {}, "", "", "" },
		{ "versions of table and tree",
		  { TREE_V9, TABLE(5, 1, '9') },
		  "table luo-v9 0 incompatible;tree luo-fdt-v9 0 incompatible;",
		  "handover rejected: 'luo-v9' (incompatible) and 'luo-fdt-v9' (incompatible), "
		  "this kernel knows 'luo-v5' and 'luo-fdt-v1'; ",
		  ALL_SESSIONS "flb " SUBSYSTEMS },

		/* The tree is intact. */
		{ "fields of files",
		  { TABLE(TABLE_NUMBER, 8, 1000),
		    FILE_OF(V(0), 0, FILE_COMPATIBLE, 1, 'x'),
		    FILE_OF(V(1), 0, FILE_DATA, 8, NO_MEMORY),
		    FILE_OF(V(2), 0, FILE_TOKEN, 8, 77),
		    FILES_IN(V(3), 0, FILE_WORDS, 4, ANY),
		    FILES_IN(V(4), 0, FILE_WORDS + ATTRIBUTES, 4, ANY),
		    FILE_TO(V(5), 0, GUEST_PAGE), FILE_TO(V(6), 1, GUEST_PAGE),
		    FILE_OF(V(7), 1, FILE_TOKEN, 8, 1),
		    FILE_OF(V(8), 0, FILE_COMPATIBLE, 48, XS),
		    FILES_IN(V(9), 0, FILE_WORDS + FILE_STEP + ATTRIBUTES, 4, ANY),
		    FLBS_IN(FILE_WORDS + FLB_INDEX * FILE_STEP + ATTRIBUTES, 4, ANY) },
		  "table luo-v5 0 disagrees;flb luo-test-flb-v1 0 sum;"
		  "file v0 1 sum;file v1 1 sum;file v2 77 sum;file v3 1 sum;file v4 1 sum;"
		  "file v5 1 sum;file v6 2 sum;file v7 1 sum;file v8 1 sum;file v9 2 sum;",
		  DISAGREE LOST("11") SAYS("flb", "sum")
		  SAYS_FILES("sum", "'v0', 'v1', 'v2', ... (10 in all)"),
		  "flb v0-5:1 v6:2 v7:2 v8:1 v9:2" },
		{ "fields of sessions",
		  { TABLE(5, 1, '9'),
		    SESSION(V(0), SESSION_NAME, 1, 'x'), SESSION_TO(V(1), FILES_OF_C),
		    SESSION(V(2), SESSION_COUNT, 8, 1),
		    SESSIONS_IN(0, SESSION_WORDS + 3 * SESSION_STEP, 4, ANY),
		    SESSIONS_IN(0, SESSION_WORDS + 4 * SESSION_STEP + ATTRIBUTES, 4, ANY),
		    SESSIONS_IN(0, SESSION_WORDS + 5 * SESSION_STEP + PAGES, 8, 1000),
		    SESSION_TO(V(6), GUEST_PAGE), SESSION(V(7), SESSION_NAME, 64, XS),
		    SESSION(V(8), SESSION_NAME + 1, 1, '9'), SESSION(E(0), SESSION_NAME, 64, 0),
		    SESSION(W(0), SESSION_FILES, 8, NO_MEMORY),
		    SESSION(E(LAST_E - 1), SESSION_COUNT, 8, 1) },
		  "table luo-v9 0 incompatible;session x0 0 sum;session v1 0 sum;"
		  "session v2 0 sum;session v3 0 sum;session v4 0 sum;session v5 0 sum;"
		  "session v6 0 sum;session - 0 sum;session v9 0 sum;session w0 0 sum;"
		  "session - 0 sum;session e{last e - 1} 0 sum;",
		  "table 'luo-v9' of the handover is not used (incompatible), 'luo-fdt-v1' is; "
		  LOST("12") SAYS("session", "sum"),
		  "v0-8 w0 e0 e{last e - 1}" },
		{ "headers of blocks",
		  { TABLE(TABLE_SESSIONS, 8, NO_MEMORY),
		    FILES_TO(V(0), 0, NEXT, GUEST_PAGE), FILES_IN(W(0), 0, NEXT, 8, 0),
		    FILES_IN(W(1), 0, COUNT, 8, 64), FILES_TO(B, 0, NEXT, FILES_OF_C),
		    FILES_IN(B, 2, COUNT, 8, 0), SESSIONS_IN(0, NEXT, 8, NO_MEMORY),
		    SESSIONS_IN(1, COUNT, 8, 51), FLBS_IN(COUNT, 8, 0) },
		  "table luo-v5 0 disagrees;flb - 0 block-header;session - 0 block-header;"
		  "file v0 0 block-header;file w0 0 block-header;file w1 0 block-header;"
		  "file b 0 block-header;file b 0 block-header;session - 0 block-header;",
		  DISAGREE HEADER("flb") HEADER("session")
		  "file blocks of the handover had a wrong header, nothing is lost: "
		  "'v0', 'w0', 'w1', ... (5 in all); ",
		  "" },
		{ "tails of blocks",
		  { TABLE(TABLE_FLBS, 8, NO_MEMORY),
		    FILES_IN(V(0), 0, TAIL_COUNT, 8, 56),
		    FILES_IN(W(0), 0, TAIL_NEXT, 8, NO_MEMORY),
		    FILES_IN(W(1), 0, TAIL_COUNT, 8, 1), FILES_IN(W(2), 0, SEAL, 8, ANY),
		    FILES_TO(W(3), 0, TAIL_NEXT, FILES_OF_C), FILES_IN(B, 1, SEAL, 8, ANY),
		    SESSIONS_IN(1, TAIL_NEXT, 8, 0), FLBS_IN(TAIL_COUNT, 8, 57) },
		  "table luo-v5 0 disagrees;flb - 0 not-a-block;file v0 0 not-a-block;"
		  "file w0 0 not-a-block;file w1 0 not-a-block;file w2 0 not-a-block;"
		  "file w3 0 not-a-block;file b 0 not-a-block;session - 0 not-a-block;",
		  DISAGREE RESERVED
		  SAYS("flb", "not-a-block")
		  SAYS_FILES("not-a-block", "'v0', 'w0', 'w1', ... (6 in all)")
		  SAYS("session", "not-a-block"),
		  "flb v0:1-2 w0-3:" FIRST_FILES " b:" SECOND_FILES " " SECOND_ES },
		{ "both addresses of the next block",
		  { BOTH_TO(W(0), FILES_OF_C), BOTH_TO(W(1), GUEST_PAGE), BOTH_TO(W(2), FREE_PAGE),
		    BOTH(W(3), NO_MEMORY), BOTH(W(4), LOW_MEMORY), BOTH_TO(W(5), INSIDE_A_PAGE),
		    BOTH_TO(W(6), KERNEL_TEXT), BOTH_TO(W(7), TREE_PAGE), BOTH_TO(B, ITSELF),
		    FLBS_IN(NEXT, 8, 2) },
		  "flb - 0 block-header;"
		  "file w0 0 not-a-block;file w1 0 not-a-block;file w2 0 not-a-block;"
		  "file w3 0 not-a-block;file w4 0 not-a-block;file w5 0 not-a-block;"
		  "file w6 0 not-a-block;file w7 0 not-a-block;file b 0 not-a-block;",
		  RESERVED
		  HEADER("flb")
		  SAYS_FILES("not-a-block", "'w0', 'w1', 'w2', ... (9 in all)"),
		  "w0-7:1-{F+1} b:1-{b}" },
		{ "fields of FLBs",
		  { FLB(0, FLB_NAME, 1, 'x'), FLB(1, FLB_DATA, 8, NO_MEMORY),
		    FLB(2, FLB_COUNT, 8, 0),
		    FLBS_IN(FILE_WORDS + FLB_INDEX * FILE_STEP, 4, ANY),
		    SESSIONS_IN(0, SEAL, 8, ANY) },
		  "flb xiveupdate-test-flb-v0 0 sum;flb liveupdate-test-flb-v1 0 sum;"
		  "flb liveupdate-test-flb-v2 0 sum;flb luo-test-flb-v1 0 sum;"
		  "session - 0 not-a-block;",
		  RESERVED
		  SAYS("flb", "sum") SAYS("session", "not-a-block"),
		  "flb v0-9 w0-7 b c " FIRST_ES " " LONG_NAME },

		/* The tree is damaged: the base's table is used, whose arrays are plain. */
		{ "magic of the tree",
		  { TREE_AT(TREE_MAGIC) },
		  "tree - 0 not-a-tree;",
		  NO_TREE("", "not-a-tree") KEPT("34"), SUBSYSTEMS },
		{ "mark of the tree; plain: addresses of files",
		  { TREE("/", "mark"),
		    SESSION_TO(V(0), FREE_PAGE), SESSION(V(1), SESSION_FILES, 8, NO_MEMORY),
		    SESSION(V(2), SESSION_FILES, 8, LOW_MEMORY), SESSION_TO(V(3), INSIDE_A_PAGE),
		    SESSION_TO(V(4), KERNEL_TEXT), SESSION_TO(V(5), KERNEL_DATA),
		    SESSION_TO(V(6), TREE_PAGE), SESSION_TO(V(7), TABLE_PAGE),
		    SESSION_TO(V(8), GUEST_PAGE),
		    SESSIONS_TO(0, 16 + 9 * 80 + SESSION_FILES, ITSELF),
		    SESSION_TO(LONG, FILES_OF_C), SESSION(LONG, SESSION_COUNT, 8, 2) },
		  CHECKSUM "file v0 0 not-preserved;file v1 0 not-preserved;"
		  "file v2 0 not-preserved;file v3 0 not-preserved;file v4 0 not-preserved;"
		  "file v5 0 not-preserved;file v6 0 block-count;file v7 0 not-preserved;"
		  "file v8 1 no-handler;file v8 2 no-handler;file v9 0 count;"
		  "file " LONG_NAME " 0 block-twice;",
		  NO_CHECKSUM
		  KEPT("25") RESERVED UNKNOWN("2")
		  SAYS_FILES("not-preserved", "'v0', 'v1', 'v2', ... (7 in all)")
		  SAYS_FILES("block-count", "'v6'") SAYS_FILES("count", "'v9'")
		  SAYS_FILES("block-twice", "'" LONG_NAME "'"),
		  SUBSYSTEMS "v0-9:1-2" },
		{ "number of the tree; plain: headers of blocks of files",
		  { TREE("/", "liveupdate-number"), TABLE(TABLE_NUMBER, 8, 1000),
		    FILES_IN(V(0), 0, COUNT, 8, TOO_MANY_FILES), FILES_IN(V(1), 0, COUNT, 8, 3),
		    FILES_TO(V(2), 0, NEXT, ITSELF), SESSION(V(3), SESSION_COUNT, 8, 3),
		    SESSION(V(4), SESSION_COUNT, 8, 1), FILES_IN(V(5), 0, NEXT, 8, LOW_MEMORY),
		    FILES_IN(V(6), 0, COUNT, 8, UINT64_MAX), FILES_IN(V(7), 0, COUNT, 8, 1),
		    FILES_TO(W(0), 0, NEXT, GUEST_PAGE), FILES_TO(W(1), 0, NEXT, FILES_OF_C),
		    FILES_IN(B, 0, NEXT, 8, 0) },
		  CHECKSUM "file v0 0 block-count;file v1 0 count;file v2 0 count;"
		  "file v3 0 count;file v4 0 count;file v5 0 not-preserved;"
		  "file v6 0 block-count;file v7 0 count;file w0 0 count;file w1 0 count;"
		  "file b 0 count;",
		  NO_CHECKSUM
		  KEPT("26") RESERVED
		  SAYS_FILES("block-count", "'v0', 'v6'")
		  SAYS_FILES("count", "'v1', 'v2', 'v3', ... (8 in all)")
		  SAYS_FILES("not-preserved", "'v5'"),
		  SUBSYSTEMS "v0-1:1-2 v4:1-2 v6:1-2 v7:2 w0-1:{F+1} b:{F+1}-{b}" },
		{ "version of the sessions; plain: records",
		  { TREE("/luo-session", "compatible"),
		    SESSION(V(1), SESSION_NAME + 1, 1, '0'), SESSION(V(2), SESSION_NAME, 64, XS),
		    SESSION(V(3), SESSION_NAME, 64, 0), FILE_OF(V(4), 0, FILE_COMPATIBLE, 48, XS),
		    FILE_OF(V(5), 1, FILE_TOKEN, 8, 1), FILE_OF(V(6), 0, FILE_COMPATIBLE, 1, 'x'),
		    FILE_OF(V(7), 0, FILE_COMPATIBLE, 48, 0),
		    /* The handler itself has to look whether an address is right. */
		    FILE_OF(V(8), 0, FILE_DATA, 8, NO_MEMORY), FILE_OF(V(9), 0, FILE_DATA, 8, 1),
		    FLB(FLB_INDEX, FLB_NAME, 48, XS), FLB(1, FLB_NAME + 21, 1, '0'),
		    FLB(2, FLB_NAME, 1, 0) },
		  CHECKSUM "flb liveupdate-test-flb-v0 0 duplicate-name;flb - 0 bad-name;"
		  "flb - 0 bad-name;session v0 0 duplicate-name;session - 0 bad-name;"
		  "session - 0 bad-name;file v4 1 bad-compatible;file v5 1 duplicate-token;"
		  "file v6 1 no-handler;file v7 1 bad-compatible;",
		  NO_CHECKSUM KEPT("31") LOST("9") UNKNOWN("1")
		  SAYS("flb", "duplicate-name")
		  SAYS_FILES("bad-compatible", "'v4', 'v7'") SAYS_FILES("duplicate-token", "'v5'")
		  SAYS("session", "duplicate-name"),
		  SUBSYSTEMS "flb v1-3 v4:1 v5:2 v6-9:1" },
		{ "address of the sessions in the tree; plain: records in the first blocks",
		  { TREE("/luo-session", "data"), SESSIONS_IN(0, COUNT, 8, TOO_MANY_SESSIONS),
		    FLBS_IN(COUNT, 8, TOO_MANY_FILES) },
		  CHECKSUM "flb - 0 block-count;session - 0 block-count;",
		  NO_CHECKSUM RESERVED
		  SAYS("flb", "block-count") SAYS("session", "block-count"),
		  SUBSYSTEMS "flb " ALL_SESSIONS },
		{ "number of sessions in the tree; plain: a loop of sessions",
		  { TREE("/luo-session", "count"), SESSIONS_TO(1, NEXT, ITSELF),
		    FLBS_IN(NEXT, 8, 2) },
		  CHECKSUM "flb - 0 block-count;session - 0 block-twice;",
		  NO_CHECKSUM KEPT("32") RESERVED
		  SAYS("flb", "block-count") SAYS("session", "block-twice"),
		  SUBSYSTEMS "flb " THIRD_ES },
		{ "blocks of sessions in the tree; a table that leads to the tree and to nothing",
		  { TREE("/luo-session", "pgcnt"), TABLE_TO(TABLE_SESSIONS, TREE_PAGE),
		    TABLE(TABLE_FLBS, 8, NO_MEMORY) },
		  CHECKSUM "flb - 0 not-preserved;session - 0 block-count;",
		  NO_CHECKSUM RESERVED
		  SAYS("flb", "not-preserved") SAYS("session", "block-count"),
		  SUBSYSTEMS "flb " ALL_SESSIONS },
		{ "version of the FLBs; a table that leads to a guest's page",
		  { TREE("/luo-flb", "compatible"), TABLE_TO(TABLE_FLBS, GUEST_PAGE) },
		  CHECKSUM "flb - 0 block-count;",
		  NO_CHECKSUM KEPT("33") RESERVED
		  SAYS("flb", "block-count"),
		  SUBSYSTEMS "flb" },
		{ "number of FLBs in the tree; a table that leads to itself",
		  { TREE("/luo-flb", "count"), TABLE_TO(TABLE_FLBS, TABLE_PAGE) },
		  CHECKSUM "flb - 0 not-preserved;",
		  NO_CHECKSUM KEPT("33") RESERVED
		  SAYS("flb", "not-preserved"),
		  SUBSYSTEMS "flb" },
		{ "address of the FLBs in the tree; a table that leads to another session's files",
		  { TREE("/luo-flb", "data"), TABLE_TO(TABLE_FLBS, FILES_OF_C) },
		  CHECKSUM "flb - 0 block-count;",
		  NO_CHECKSUM KEPT("33") RESERVED
		  SAYS("flb", "block-count"),
		  SUBSYSTEMS "flb" },
		{ "blocks of FLBs in the tree; a table that leads into a page",
		  { TREE("/luo-flb", "pgcnt"), TABLE_TO(TABLE_SESSIONS, INSIDE_A_PAGE) },
		  CHECKSUM "session - 0 not-preserved;",
		  NO_CHECKSUM KEPT("1") RESERVED
		  SAYS("session", "not-preserved"),
		  SUBSYSTEMS ALL_SESSIONS },
		{ "name of a subsystem; plain: sessions that go on in a guest's page",
		  { TREE_SUB(NODE_NAME), SESSIONS_TO(0, NEXT, GUEST_PAGE) },
		  CHECKSUM "file nobody-v1 0 not-preserved;session - 0 bad-name;",
		  NO_CHECKSUM KEPT("33") RESERVED
		  SAYS_FILES("not-preserved", "'nobody-v1'") SAYS("session", "bad-name"),
		  SUBSYSTEMS SECOND_ES " " THIRD_ES },
		{ "value of a subsystem; a table without sessions and FLBs",
		  { TREE_SUB(NODE_VALUE), TABLE(TABLE_SESSIONS, 8, 0), TABLE(TABLE_FLBS, 8, 0) },
		  CHECKSUM, NO_CHECKSUM, SUBSYSTEMS "flb " ALL_SESSIONS },
		{ "checksum of the tree; version of the table",
		  { TREE_AT(TREE_CRC), TABLE(TABLE_COMPATIBLE, 8, XS) },
		  "table xxxxxxxx 0 incompatible;" CHECKSUM,
		  "handover rejected: 'xxxxxxxx' (incompatible) and 'luo-fdt-v1' (checksum), "
		  "this kernel knows 'luo-v5' and 'luo-fdt-v1'; ",
		  SUBSYSTEMS "flb " ALL_SESSIONS },
		{ "version of the tree",
		  { TREE_V9 },
		  "tree luo-fdt-v9 0 incompatible;",
		  NO_TREE("luo-fdt-v9", "incompatible") KEPT("34"), SUBSYSTEMS },
	};
	static struct update found;

	if (n >= sizeof(updates) / sizeof(updates[0]))
		return NULL;
	found = updates[n];
	found.rejects = expand(found.rejects);
	found.says = expand(found.says);
	found.lost = expand(found.lost);
	return &found;
}

#endif
