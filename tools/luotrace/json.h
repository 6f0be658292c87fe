/* SPDX-License-Identifier: GPL-2.0 */

/* What the JSON outputs of all commands have in common. Commands and views use it. */

#ifndef JSON_H
#define JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "probe.h"
#include "tracer.h"

/* In every JSON output; changes when a field changes its meaning. */
#define JSON_SCHEMA	1

/**
 * json_head - begin the output of a command
 * @command: its name
 * @probe:   what the kernel offers
 *
 * Return: an object, to be given to json_print().
 */
json_t *json_head(const char *command, const struct probe *probe);

/**
 * json_print - print an output on stdout and free it
 * @root:  the output
 * @flags: for jansson
 *
 * Return: false if out of memory, after a message, or if it cannot be written,
 *	   which main() reports.
 */
bool json_print(json_t *root, size_t flags);

/**
 * json_write - write a value to a file
 * @value: the value
 * @flags: for jansson
 * @f:	   the file
 *
 * json_dumpf() does the same, much more slowly: it writes each word and each bracket.
 *
 * Return: bytes written; 0 if out of memory.
 */
size_t json_write(const json_t *value, size_t flags, FILE *f);

/** json_token - a token as a string: not every u64 is a number in JSON */
json_t *json_token(uint64_t token);

/**
 * json_read_token - read a token of an object
 * @o:	   the object
 * @key:   where it is
 * @token: set to it
 *
 * Return: false if it is missing, or no token.
 */
bool json_read_token(json_t *o, const char *key, __u64 *token);

/** json_lost - what was lost while tracing */
json_t *json_lost(const struct tracer_lost *lost);

#endif
