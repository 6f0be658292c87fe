/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the agent preserved: written in the old kernel, read in the new one.
 */

#ifndef MANIFEST_H
#define MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX	65

/**
 * struct item - one preserved memfd
 * @session: name of its session
 * @token:   its token
 * @size:    bytes
 * @sha256:  of its content, in hexadecimal
 */
struct item {
	char session[64];
	uint64_t token;
	uint64_t size;
	char sha256[SHA256_HEX];
};

/**
 * struct manifest - all preserved memfds, grouped by session
 * @items: the items
 * @count: their number
 */
struct manifest {
	struct item *items;
	size_t count;
};

/**
 * manifest_read_plan - read which memfds to preserve
 * @path: text, a line an item: session, token, size in bytes; # begins a comment
 * @m:    filled; sha256 is empty
 *
 * Return: 0, or -1 after a message.
 */
int manifest_read_plan(const char *path, struct manifest *m);

/**
 * manifest_write - write a manifest as JSON
 * @path: the file, replaced
 * @m:    the manifest
 *
 * Return: 0, or -1 after a message.
 */
int manifest_write(const char *path, const struct manifest *m);

/**
 * manifest_read - read what manifest_write() wrote
 * @path: the file
 * @m:    filled
 *
 * Return: 0, or -1 after a message.
 */
int manifest_read(const char *path, struct manifest *m);

/** manifest_free - free what manifest_read*() allocated */
void manifest_free(struct manifest *m);

#endif
