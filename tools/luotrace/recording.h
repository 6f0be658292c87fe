/* SPDX-License-Identifier: GPL-2.0 */

/* A trace that is being written: whole lines, safe on the disk when it matters. */

#ifndef RECORDING_H
#define RECORDING_H

#include <jansson.h>
#include <stdbool.h>

struct recording;

/**
 * recording_new - begin a recording beside the file that it will replace
 * @path: the file; one that is there stays as it is until recording_publish(). What is
 *	  no regular file, a pipe for instance, is written to at once.
 *
 * Return: the recording, or NULL after a message: it cannot be written, or another
 *	   recording of that name goes on.
 */
struct recording *recording_new(const char *path);

/**
 * recording_line - write a line
 * @r:	  the recording
 * @line: an object, which is freed; NULL is a lack of memory
 *
 * Return: false after a message, which comes once, also if an earlier line did not reach
 *	   the disk.
 */
bool recording_line(struct recording *r, json_t *line);

/** recording_publish - replace the file; false after a message */
bool recording_publish(struct recording *r);

/**
 * recording_sync - have what was written so far flushed to the disk, soon
 *
 * It does not wait for the disk. Without it what was written is flushed every second.
 */
void recording_sync(struct recording *r);

/**
 * recording_close - flush all to the disk and free it; NULL is fine
 *
 * What was not published is removed.
 *
 * Return: false after a message.
 */
bool recording_close(struct recording *r);

#endif
