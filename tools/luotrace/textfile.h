/* SPDX-License-Identifier: GPL-2.0 */

/* Replaces a file atomically: a reader never sees half of it. */

#ifndef TEXTFILE_H
#define TEXTFILE_H

#include <stdbool.h>
#include <stdio.h>

/**
 * textfile_replace - replace a file atomically
 * @path:  the file, which need not exist; the target of a symbolic link is replaced. It is
 *	   an error if it exists and is not a regular file.
 * @own:   whether it is for its owner alone: nobody else can read it, and a symbolic link is
 *	   replaced itself
 * @write: writes the content
 * @data:  for @write
 *
 * The content goes to a temporary file in the same directory, @path and ".new". One that a
 * killed program has left is used again.
 *
 * Return: false after a message.
 */
bool textfile_replace(const char *path, bool own,
		      void (*write)(FILE *f, const void *data), const void *data);

#endif
