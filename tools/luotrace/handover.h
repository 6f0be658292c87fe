/* SPDX-License-Identifier: GPL-2.0 */

/*
 * A decoded handover: the tree of LUO, or that of KHO above it, and the arrays that the
 * tree points to. Nothing in it is trusted. For the command handover.
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

enum handover_kind { HANDOVER_NEITHER, HANDOVER_LUO, HANDOVER_KHO };

/**
 * struct handover_array - location of an array of records
 * @present: the tree has the node
 * @count: records in use
 * @data:  physical address of the first block
 * @pgcnt: blocks
 */
struct handover_array {
	bool present;
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
 * struct handover_session - one session and its files
 * @ser:      its record
 * @files:    records of its files
 * @nr_files: number of records read
 */
struct handover_session {
	struct luo_session_ser ser;
	struct luo_file_ser *files;
	size_t nr_files;
};

/**
 * struct handover - a decoded handover
 * @kind:	 of the tree
 * @compatible:	 of its root, NULL if it has none; lives as long as the tree
 * @number:	 the live update
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
 * @problems:	 what is malformed
 * @nr_problems: how many, including those that are not kept
 */
struct handover {
	enum handover_kind kind;
	const char *compatible;
	uint64_t number;
	uint64_t memory_map;
	struct handover_array sessions_at;
	struct handover_array flbs_at;
	struct handover_entry *entries;
	size_t nr_entries;
	struct handover_session *sessions;
	size_t nr_sessions;
	struct luo_flb_ser *flbs;
	size_t nr_flbs;
	bool has_memory;
	char problems[HANDOVER_PROBLEMS][HANDOVER_PROBLEM];
	size_t nr_problems;
};

/**
 * handover_decode - decode a tree and what it points to
 * @h:	  filled; to be given to handover_free(), also after a failure
 * @tree: the tree, which must live as long as @h
 * @size: bytes
 * @mem:  memory with the arrays, NULL if they cannot be read
 *
 * Return: 0, also if it is malformed, see @h->problems; -ENOMEM.
 */
int handover_decode(struct handover *h, const void *tree, size_t size,
		    struct memory *mem);

/** handover_free - free what handover_decode() allocated */
void handover_free(struct handover *h);

/**
 * handover_problem - record what is malformed
 * @h:	 the handover
 * @fmt: begins with the place: an offset in the tree, or an address
 */
__attribute__((format(printf, 2, 3)))
void handover_problem(struct handover *h, const char *fmt, ...);

/** handover_read_arrays - read what the tree points to; returns 0 or -ENOMEM */
int handover_read_arrays(struct handover *h, struct memory *mem);

/** handover_text - print a handover; @files: each file, too */
void handover_text(const struct handover *h, bool files, FILE *f);

/** handover_json - the same as JSON */
json_t *handover_json(const struct handover *h, bool files);

#endif
