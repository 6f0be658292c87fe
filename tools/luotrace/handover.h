/* SPDX-License-Identifier: GPL-2.0 */

/*
 * A decoded handover: one of LUO's two tables, or the tree of KHO above them, and the
 * arrays that a table points to. Nothing in it is trusted. For the command handover.
 */

#ifndef HANDOVER_H
#define HANDOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/kho/abi/luo.h>

#include "memory.h"

#define HANDOVER_PROBLEM	512	/* bytes of one problem, with any name */
#define HANDOVER_PROBLEMS	64	/* problems that are kept */
#define HANDOVER_PAGE_MAX	65536	/* bytes of a page, at most */
#define HANDOVER_WORDS		2	/* words of a record, at most */

/* A table of LUO's tree, the table that the base's LUO reads, or the tree of KHO. */
enum handover_kind {
	HANDOVER_NEITHER, HANDOVER_LUO, HANDOVER_BASE, HANDOVER_KHO,
};

/* Whether the seal of its block and its sum prove a record. */
enum handover_proof { HANDOVER_PLAIN, HANDOVER_PROVEN, HANDOVER_DAMAGED };

/* The CRC-32 at the end of the page of LUO's tree. CUT: not all of the page was given. */
enum handover_crc { HANDOVER_CRC_CUT, HANDOVER_CRC_WRONG, HANDOVER_CRC_RIGHT };

/**
 * struct handover_array - location of an array of records
 * @present: the table has it
 * @counted: @count and @pgcnt are known; the base's table has neither
 * @count:   records
 * @data:    physical address of the first block
 * @pgcnt:   blocks
 */
struct handover_array {
	bool present;
	bool counted;
	uint64_t count;
	uint64_t data;
	uint64_t pgcnt;
};

/**
 * struct handover_entry - a subsystem of LUO's tree, or a subtree of KHO's
 * @name: its name; lives as long as the tree
 * @data: its value, or its physical address
 * @size: bytes of a subtree
 */
struct handover_entry {
	const char *name;
	uint64_t data;
	uint64_t size;
};

/**
 * struct handover_record - a record as it was read
 * @session: if it is that of a session
 * @file:    if it is that of a file
 * @flb:     if it is that of an FLB
 * @words:   its words; 0 if they are unknown, as @proof says
 * @proof:   of the record
 */
struct handover_record {
	union {
		struct luo_session_ser session;
		struct luo_file_ser file;
		struct luo_flb_ser flb;
	};
	uint64_t words[HANDOVER_WORDS];
	enum handover_proof proof;
};

/**
 * struct handover_session - one session and its files
 * @record:   its record
 * @files:    records of its files
 * @nr_files: number of records read
 */
struct handover_session {
	struct handover_record record;
	struct handover_record *files;
	size_t nr_files;
};

/**
 * struct handover - a decoded handover
 * @kind:	 what was decoded
 * @page_size:	 bytes of a page of the kernel that wrote it, and of a block
 * @compatible:	 its compatible string, NULL if it has none; lives as long as the table
 * @usable:	 a kernel that knows this kind of table follows it
 * @crc:	 of LUO's tree
 * @number:	 the live update
 * @has_mark:	 LUO's tree has a mark
 * @mark:	 key of seals and sums
 * @memory_map:	 KHO: physical address of the map of preserved memory
 * @sessions_at: location of the sessions
 * @flbs_at:	 location of the FLBs, data that several files share
 * @entries:	 subsystems or subtrees
 * @nr_entries:	 how many
 * @sessions:	 read from memory
 * @nr_sessions: how many
 * @flbs:	 read from memory
 * @nr_flbs:	 how many
 * @has_memory:	 memory was given, so that arrays were read
 * @blocks:	 addresses of blocks without seals, as a tree of tsearch()
 * @nr_blocks:	 addresses that lead to a block, proven or not
 * @nr_proven_blocks: those with the right seal
 * @nr_records:	 records read
 * @nr_proven:	 those with the right sum
 * @problems:	 what is malformed
 * @nr_problems: how many, including those that are not kept
 */
struct handover {
	enum handover_kind kind;
	size_t page_size;
	const char *compatible;
	bool usable;
	enum handover_crc crc;
	uint64_t number;
	bool has_mark;
	uint64_t mark;
	uint64_t memory_map;
	struct handover_array sessions_at;
	struct handover_array flbs_at;
	struct handover_entry *entries;
	size_t nr_entries;
	struct handover_session *sessions;
	size_t nr_sessions;
	struct handover_record *flbs;
	size_t nr_flbs;
	bool has_memory;
	void *blocks;
	size_t nr_blocks;
	size_t nr_proven_blocks;
	size_t nr_records;
	size_t nr_proven;
	char problems[HANDOVER_PROBLEMS][HANDOVER_PROBLEM];
	size_t nr_problems;
};

/**
 * handover_decode - decode a table and what it points to
 * @h:	   filled; to be given to handover_free(), also after a failure
 * @kind:  HANDOVER_BASE if the place says that it is the base's, unless it is a tree;
 *	   HANDOVER_NEITHER if only the content tells
 * @table: the table, which must live as long as @h
 * @size:  bytes
 * @mem:   memory with the arrays, NULL if they cannot be read
 *
 * Return: 0, also if it is malformed, see @h->problems; -ENOMEM.
 */
int handover_decode(struct handover *h, enum handover_kind kind,
		    const void *table, size_t size, struct memory *mem);

/** handover_free - free what handover_decode() allocated */
void handover_free(struct handover *h);

/**
 * handover_problem - record what is malformed
 * @h:	 the handover
 * @fmt: begins with the place: an offset in the table, a block, or a record
 */
__attribute__((format(printf, 2, 3)))
void handover_problem(struct handover *h, const char *fmt, ...);

/** handover_field - a string field, which need not end, as a string of @size + 1 bytes */
const char *handover_field(char *buf, const char *field, size_t size);

/** handover_attributes - attributes in the first word of a record */
uint32_t handover_attributes(const struct handover_record *r);

/** handover_decode_tree - LUO's tree or that of KHO; returns 0 or -ENOMEM */
int handover_decode_tree(struct handover *h, const void *tree, size_t size);

/** handover_decode_base - the table that the base's LUO reads */
void handover_decode_base(struct handover *h, const void *table, size_t size);

/** handover_read_arrays - read what the table points to; returns 0 or -ENOMEM */
int handover_read_arrays(struct handover *h, struct memory *mem);

/** handover_text - print a handover; @files: each file, too */
void handover_text(const struct handover *h, bool files, FILE *f);

/** handover_json - the same as JSON */
json_t *handover_json(const struct handover *h, bool files);

#endif
