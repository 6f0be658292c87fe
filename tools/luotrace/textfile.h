/* SPDX-License-Identifier: GPL-2.0 */

/* Replaces a file atomically: a reader never sees half of it. */

#ifndef TEXTFILE_H
#define TEXTFILE_H

#include <stdbool.h>
#include <stdio.h>

/**
 * textfile_error - why a file could not be written
 * @f: the file, which has an error
 *
 * errno may be that of a later call by now, so this writes again.
 *
 * Return: a positive errno, EIO if it can be written by now.
 */
int textfile_error(FILE *f);

/* What a file is for. */
enum textfile_use {
	TEXTFILE_METRICS,	/* everybody can read it */
	TEXTFILE_OWN,		/* nobody else can; a symbolic link is replaced itself */
	TEXTFILE_OUTPUT,	/* by the umask, or as it was */
};

/**
 * textfile_replace - replace a file atomically
 * @path:  the file, which need not exist; the target of a symbolic link is replaced, but for
 *	   TEXTFILE_OWN. It is an error if it exists and is not a regular file.
 * @use:   what it is for
 * @write: writes the content; false if out of memory, then nothing is replaced
 * @data:  for @write
 *
 * The content goes to a temporary file in the same directory, @path and ".new". One that a
 * killed program has left is used again.
 *
 * Return: false after a message.
 */
bool textfile_replace(const char *path, enum textfile_use use,
		      bool (*write)(const void *data, FILE *f), const void *data);

/** textfile_abandon - remove the temporary file, as the program ends in textfile_replace() */
void textfile_abandon(void);

#endif
