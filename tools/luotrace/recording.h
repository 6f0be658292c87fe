/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Writes a trace file: complete lines, flushed to the disk when it matters. For the command
 * record; trace_file.c reads it.
 */

#ifndef RECORDING_H
#define RECORDING_H

#include <jansson.h>
#include <stdbool.h>

struct recording;

/**
 * recording_new - begin a recording in a temporary file beside the one to be replaced
 * @path: the file; an existing one stays as it is until recording_publish(). If it is not
 *	  a regular file, but a pipe for instance, it is written to directly.
 *
 * Return: the recording, or NULL after a message: it cannot be written, or another
 *	   luotrace record is writing to it.
 */
struct recording *recording_new(const char *path);

/**
 * recording_line - write a line
 * @r:	  the recording
 * @line: an object, which is freed; NULL means out of memory
 *
 * Return: false after a message, which is printed once, also if an earlier line did not
 *	   reach the disk.
 */
bool recording_line(struct recording *r, json_t *line);

/** recording_publish - replace the file; false after a message */
bool recording_publish(struct recording *r);

/**
 * recording_sync - request a flush to the disk
 *
 * It does not wait for the disk. Without a request a flush happens every second.
 */
void recording_sync(struct recording *r);

/**
 * recording_close - flush a recording to the disk and free it; NULL is fine
 *
 * It is removed unless it was published.
 *
 * Return: false after a message.
 */
bool recording_close(struct recording *r);

#endif
