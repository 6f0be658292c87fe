/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The updates of this machine, on its disk: what both kernels recorded of each, one file an
 * update, the newest UPDATE_STORE_MAX of them.
 */

#ifndef UPDATE_STORE_H
#define UPDATE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/liveupdate_recorder.h>
#include <linux/types.h>
#include "../../bpf/box.h"
#include "black_box.h"
#include "inside.h"

#define UPDATE_STORE_DIR	"/var/lib/luotrace"
#define UPDATE_STORE_MAX	32	/* updates that are kept */

/* What is known of the new kernel's half. */
enum update_in {
	UPDATE_IN_UNSEEN,	/* no luotrace traced while agents restored */
	UPDATE_IN_SEEN,		/* one did, from the beginning */
	UPDATE_IN_LATE,		/* one did, but began after a session was claimed */
};

/**
 * struct update - an update
 * @magic:   set by update_store_save()
 * @version: set by update_store_save()
 * @size:    set by update_store_save()
 * @crc:     set by update_store_save()
 * @in:	     enum update_in; of a kernel without recorder
 * @stored_ns: wall-clock time when it was last saved
 * @boot_id: of the new kernel
 * @out_box: the record of the old kernel is that of its box
 * @has_box: @reboot is known
 * @reboot:  the reboot in steps, from the old kernel's box
 * @inside:  what was inside of the phases, of what only the new kernel's boot could tell
 * @record:  both kernels, as of the kernel's own recorder where it has one
 */
struct update {
	uint32_t magic;
	uint32_t version;
	uint64_t size;
	uint32_t crc;
	uint32_t in;
	int64_t stored_ns;
	char boot_id[BLACK_BOX_BOOT_ID];
	uint32_t out_box;
	uint32_t has_box;
	struct box_reboot reboot;
	struct inside inside;
	struct liveupdate_recorder record;
};

/* Bytes of an update before its record, which a trace keeps apart. */
#define UPDATE_HEAD	offsetof(struct update, record)

/**
 * update_present - whether it is of a live update
 * @u: an update, also one of a record alone, which has no @magic
 */
bool update_present(const struct update *u);

/**
 * update_store_seal - make an update one that update_store_parse() accepts
 * @u: the update
 */
void update_store_seal(struct update *u);

/**
 * update_store_number - whether an argument is the number of an update
 * @arg:    the argument
 * @number: set to it
 */
bool update_store_number(const char *arg, unsigned int *number);

/**
 * update_store_save - save an update, whole or not at all
 * @dir:    the directory, which is made if it is missing
 * @number: of the update there; 0 for a new one, then it is set
 * @update: the update
 *
 * The oldest are removed if there are too many.
 *
 * Return: false after a message.
 */
bool update_store_save(const char *dir, unsigned int *number, struct update *update);

/**
 * update_store_load - load an update
 * @dir:    the directory
 * @number: of the update
 *
 * Return: it, for free(), checked as the kernel's record is; NULL after a message.
 */
struct update *update_store_load(const char *dir, unsigned int number);

/** update_store_is_update - whether a file begins as an update that was saved */
bool update_store_is_update(const char *path);

/** update_store_load_file - update_store_load() of a file anywhere */
struct update *update_store_load_file(const char *path);

/**
 * update_store_parse - the same of a file in memory
 * @data: the file
 * @size: its size
 * @why:  set to what is wrong, if something is
 *
 * Return: the update, for free(), or NULL.
 */
struct update *update_store_parse(const void *data, size_t size, const char **why);

/**
 * update_store_list - the numbers of all updates
 * @dir:     the directory
 * @numbers: room for UPDATE_STORE_MAX; the oldest first
 *
 * Return: how many, 0 if there is no such directory; -1 after a message.
 */
int update_store_list(const char *dir, unsigned int *numbers);

/**
 * update_store_of_boot - the update that booted this kernel
 * @dir:    the directory
 * @number: set to its number
 *
 * Return: the update, for free(); NULL if there is none, without a message.
 */
struct update *update_store_of_boot(const char *dir, unsigned int *number);

#endif
